/* SPDX-License-Identifier: Apache-2.0 */
/* Choices between kernels: by cost, by --tune, by force; files that are bad. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "o2ctest.h"
#include "target.h"

static char path[] = "/tmp/o2c_tune_XXXXXX";
static const Way ways[] = { { "direct", 90 }, { "clever", 30 },
                            { "other", 60 } };

static void write_file(const char *text)
{
  FILE *f = fopen(path, "w");
  CHECK(f != NULL);
  if (!f) return;
  fputs(text, f);
  fclose(f);
}

/* A plan with these options, which must live as long. */
static Plan *plan_of(const Options *o)
{
  Model *m = model_new(o, "m");
  Plan *p = NEW(&m->arena, Plan, 1);
  p->m = m;
  p->a = &m->arena;
  plan_tune(p);
  return p;
}

static void test_cost(void)
{
  Options o;
  options_default(&o);
  Plan *p = plan_of(&o);
  CHECK_INT(plan_choose(p, NULL, "conv 3x3", ways, 3), 1);
  CHECK_INT(plan_choose(p, NULL, "conv 1x1", ways, 1), 0);
  CHECK_INT(p->nchoice, 2);
  CHECK_STR(p->choice[0].key, "conv 3x3");
  CHECK(!p->choice[0].told);
  model_free(p->m);
  o.way = 3; /* all decisions, as far as they have so many ways */
  p = plan_of(&o);
  CHECK_INT(plan_choose(p, NULL, "conv 3x3", ways, 3), 2);
  CHECK_INT(plan_choose(p, NULL, "conv 1x1", ways, 2), 1);
  model_free(p->m);
}

static void test_file(void)
{
  Options o;
  options_default(&o);
  o.tune = path;
  write_file("# a remark\n\nconv 3x3\tdirect\tdirect 9 ns\nconv 5x5\tother\n");
  Plan *p = plan_of(&o);
  CHECK_INT(plan_choose(p, NULL, "conv 3x3", ways, 3), 0);
  CHECK(p->choice[0].told);
  CHECK_INT(plan_choose(p, NULL, "conv 5x5", ways, 3), 2);
  CHECK_INT(plan_choose(p, NULL, "conv 7x7", ways, 3), 1);
  CHECK(!p->choice[2].told);
  CHECK_INT(p->m->nerror, 0);
  model_free(p->m);
}

static void check_bad(const char *text, ExitCode code, const char *says)
{
  Options o;
  options_default(&o);
  o.tune = path;
  if (text) write_file(text);
  else unlink(path);
  Plan *p = plan_of(&o);
  plan_choose(p, NULL, "conv 3x3", ways, 3);
  CHECK_INT(p->m->nerror, 1);
  CHECK_INT(diag_worst(p->m), code);
  CHECK(p->m->diags && strstr(p->m->diags->text, says));
  model_free(p->m);
}

/* A step's time grows with its work, and is bounded by its bytes below. */
static void test_costs(void)
{
  Options o;
  options_default(&o);
  double few = cost_ns(&o, "CONV_F32", 1e6, 1e3);
  CHECK(cost_ns(&o, "CONV_F32", 2e6, 1e3) > 1.9 * few);
  CHECK(cost_ns(&o, "CONV_F32", 1e6, 1e9) > 10 * few);
  CHECK(cost_ns(&o, "no such template", 0, 1e6) > 0);
  CHECK_STR(cost_level_name(&o), "x86-64-v4");
  o.target = "x86-64-v2";
  CHECK_STR(cost_level_name(&o), "x86-64-v2");
  CHECK(cost_ns(&o, "CONV_F32", 1e6, 1e3) > few);
  o.target = "x86-64";
  CHECK_STR(cost_level_name(&o), "x86-64-v4");
}

int main(void)
{
  int fd = mkstemp(path);
  CHECK(fd >= 0);
  if (fd >= 0) close(fd);
  test_cost();
  test_file();
  check_bad("conv 3x3 direct\n", EXIT_USAGE, "line 1");
  check_bad("a\tb\n\tdirect\n", EXIT_USAGE, "line 2");
  check_bad("conv 3x3\tgone\n", EXIT_USAGE, "no way");
  check_bad(NULL, EXIT_ENVIRONMENT, "can't read");
  test_costs();
  unlink(path);
  return test_end();
}
