/* SPDX-License-Identifier: Apache-2.0 */
/* --times FILE: the times of steps, as `bench --profile --json` printed them.
 *
 * A small reader of JSON: it checks the form of all of it and takes "step" and
 * "min_ns" of each item of the list "steps". A file that has a step which the
 * plan lacks is of another model, or of other options, and is refused. */
#include "target.h"
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 100 };
typedef struct {
  const char *s;
  int depth;
  Arena *a;
  Map *times;
  int found;
} Reader;

static void blanks(Reader *r)
{
  r->s += strspn(r->s, " \t\r\n");
}

static bool take(Reader *r, char c)
{
  blanks(r);
  if (*r->s != c)
    return false;
  r->s++;
  return true;
}

/* A string, as it is written; names of steps have no escapes. */
static bool read_string(Reader *r, Str *to)
{
  if (!take(r, '"'))
    return false;
  to->p = r->s;
  for (; *r->s != '"'; r->s++) {
    if ((unsigned char)*r->s < 0x20)
      return false;
    if (*r->s == '\\' && !*++r->s)
      return false;
  }
  to->n = (size_t)(r->s - to->p);
  r->s++;
  return true;
}

static bool read_number(Reader *r, double *v)
{
  char *end;
  blanks(r);
  if (*r->s != '-' && (*r->s < '0' || *r->s > '9'))
    return false;
  *v = strtod(r->s, &end);
  r->s = end;
  return true;
}

static bool skip_value(Reader *r);

/* The items of a list or object; `item` reads one of them. */
static bool items(Reader *r, const char *ends, bool (*item)(Reader *))
{
  if (!take(r, ends[0]) || ++r->depth > DEEPEST)
    return false;
  if (!take(r, ends[1])) {
    do {
      if (!item(r))
        return false;
    } while (take(r, ','));
    if (!take(r, ends[1]))
      return false;
  }
  r->depth--;
  return true;
}

static bool skip_member(Reader *r)
{
  Str key;
  return read_string(r, &key) && take(r, ':') && skip_value(r);
}

static bool skip_value(Reader *r)
{
  static const char *const word[] = { "true", "false", "null" };
  Str text;
  double v;
  blanks(r);
  if (*r->s == '{')
    return items(r, "{}", skip_member);
  if (*r->s == '[')
    return items(r, "[]", skip_value);
  if (*r->s == '"')
    return read_string(r, &text);
  for (int i = 0; i < COUNT(word); i++)
    if (!strncmp(r->s, word[i], strlen(word[i]))) {
      r->s += strlen(word[i]);
      return true;
    }
  return read_number(r, &v);
}

static bool is(Str s, const char *word)
{
  return s.n == strlen(word) && !memcmp(s.p, word, s.n);
}

static bool read_step(Reader *r)
{
  Str key, name = { NULL, 0 };
  double ns = -1;
  if (!take(r, '{'))
    return false;
  do {
    if (!read_string(r, &key) || !take(r, ':'))
      return false;
    bool ok = is(key, "step") ? read_string(r, &name)
            : is(key, "min_ns") ? read_number(r, &ns) : skip_value(r);
    if (!ok)
      return false;
  } while (take(r, ','));
  if (!take(r, '}') || !name.p || ns < 0)
    return false;
  double *at = NEW(r->a, double, 1);
  *at = ns;
  *map_at(r->times, name.p, name.n) = at;
  r->found++;
  return true;
}

static bool read_member(Reader *r)
{
  Str key;
  if (!read_string(r, &key) || !take(r, ':'))
    return false;
  return is(key, "steps") ? items(r, "[]", read_step) : skip_value(r);
}

static bool has_step(const Plan *p, const char *name)
{
  for (const Step *s = p->first; s; s = s->next)
    if (!strcmp(s->name, name))
      return true;
  return false;
}

static bool refuse(Plan *p, ExitCode code, const char *why)
{
  diag_model(p->m, SEV_ERROR, code, "--times %s: %s",
             quote(p->a, p->m->opt->times), why);
  return false;
}

bool plan_times(Plan *p)
{
  const char *path = p->m->opt->times;
  map_init(&p->times, p->a);
  if (!path)
    return true;
  const char *text = read_text(p->a, path);
  if (!text)
    return refuse(p, EXIT_ENVIRONMENT, "can't be read");
  Reader r = { .s = text, .a = p->a, .times = &p->times };
  bool ok = items(&r, "{}", read_member);
  blanks(&r);
  if (!ok || *r.s || !r.found)
    return refuse(p, EXIT_USAGE, "is no report of steps; make it by onnx2c "
                  "bench MODEL --profile --json");
  for (int i = 0; i < p->times.n; i++)
    if (!has_step(p, p->times.slot[i].key))
      return refuse(p, EXIT_USAGE, arena_printf(p->a, "has a step %s, which "
        "this model does not have under these options; profile it with the "
        "same ones", quote(p->a, p->times.slot[i].key)));
  return true;
}

bool step_time(const Step *s, double *ns)
{
  const double *at = map_get(&s->plan->times, s->name, strlen(s->name));
  if (!at)
    return false;
  *ns = *at;
  return true;
}
