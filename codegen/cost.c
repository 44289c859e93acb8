/* SPDX-License-Identifier: Apache-2.0 */
/* What a step should take: for choices between kernels, and for reports.
 *
 * A roofline of three numbers a template (cpu/costs.def, measured): the larger
 * of its multiplications over their rate and its bytes over theirs, and the
 * time of a call. Which instruction set the C will be compiled for is not
 * known here, so there is a column for each x86-64 level; the level of --target
 * is taken, else the widest.
 */
#include "target.h"

#include <string.h>

typedef struct {
  const char *macro;
  double macs[COST_LEVELS], bytes[COST_LEVELS]; /* a nanosecond; 0: none */
} Rate;

static const Rate rates[] = {
#define COST(macro, m2, m3, m4, b2, b3, b4) \
  { #macro, { m2, m3, m4 }, { b2, b3, b4 } },
#include "cpu/costs.def"
#undef COST
};
#define CALL_NS 4.0 /* call and loop set-up */

static const Rate *rate_of(const char *macro)
{
  for (int i = 1; i < COUNT(rates); i++)
    if (!strcmp(rates[i].macro, macro))
      return &rates[i];
  return &rates[0]; /* any other step */
}

int cost_level(const Options *o)
{
  const char *v = NULL; /* the last of a list */
  for (const char *s = o->target; s && (s = strstr(s, "x86-64-v")); s++)
    v = s;
  int level = v ? v[8] - '0' : 4;
  return level >= 2 && level <= 4 ? level - 2 : level < 2 ? 0 : 2;
}

const char *cost_level_name(const Options *o)
{
  static const char *const name[] = { "x86-64-v2", "x86-64-v3", "x86-64-v4" };
  return name[cost_level(o)];
}

double cost_ns(const Options *o, const char *macro, double macs, double bytes)
{
  const Rate *r = rate_of(macro);
  int k = cost_level(o);
  double work = r->macs[k] > 0 ? macs / r->macs[k] : 0;
  double move = bytes / r->bytes[k];
  return CALL_NS + (work > move ? work : move);
}

/* The bytes that a step reads and writes, each tensor once; false where a
 * size is known at run time only. */
bool step_bytes(const Step *s, int64_t *bytes)
{
  *bytes = 0;
  for (int i = 0; i < s->nptr; i++) {
    const Value *v = s->ptr[i].v;
    int64_t n;
    if (s->ptr[i].kind == SP_SCRATCH)
      continue;
    if (v->kind != VK_TENSOR || !dim_is_int(value_numel(v), &n))
      return false;
    *bytes += n * dtype_info(v->dtype)->size;
  }
  return true;
}

bool step_ns(const Step *s, double *ns)
{
  int64_t bytes;
  if (!step_bytes(s, &bytes))
    return false;
  *ns = cost_ns(s->plan->m->opt, s->macro, (double)s->macs, (double)bytes);
  return true;
}
