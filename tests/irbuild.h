/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes out of text, for tests of operators.
 *
 *   build_node("Concat", "N 3;N 4", "axis=1", 1)
 *
 * Inputs stand between ';': a shape of f32, whose words are numbers or symbols;
 * "i64:" or another type before it; "=1 -1" an int64 constant; "-" absent.
 * Attributes are "name=1" or "name=1,2" (a list; also "name=1,"), or
 * "name=word". */
#ifndef O2C_IRBUILD_H
#define O2C_IRBUILD_H
#include <stdlib.h>
#include "ir.h"
#include "o2ctest.h"

static Model *m; /* the model that the test builds */

static inline int build_numbers(const char *s, int64_t *v)
{
  int n = 0;
  char *end;
  for (; *s; s = *end ? end + 1 : end) v[n++] = strtoll(s, &end, 10);
  return n;
}

static inline int build_dims(const char *s, const Dim **dim)
{
  int rank = 0;
  while (*s) {
    size_t n = strcspn(s, " ");
    char *word = arena_strn(&m->arena, s, n), *end;
    long long v = strtoll(word, &end, 10);
    dim[rank++] = *end ? dim_named(&m->dims, word) : dim_int(&m->dims, v);
    s += n + (s[n] == ' ');
  }
  return rank;
}

static inline Value *build_value(const char *text)
{
  static int serial;
  const Dim *dim[2 * MAX_RANK];
  int64_t v[64];
  const char *colon = strchr(text, ':');
  Dtype t = DT_F32;
  if (!strcmp(text, "-")) return NULL;
  if (*text == '=')
    return value_const_ints(m->main, "const", v, build_numbers(text + 1, v));
  if (colon) {
    t = dtype_by_name(text, (size_t)(colon - text));
    text = colon + 1;
  }
  int rank = build_dims(text, dim);
  Value *x = value_new(m->main, arena_printf(&m->arena, "x%d", serial++), t,
                       rank, dim);
  graph_add_input(m->main, x);
  return x;
}

static inline void build_attr(Node *n, char *text)
{
  char *eq = strchr(text, '=');
  int64_t v[64];
  *eq++ = 0;
  int count = build_numbers(eq, v);
  if (*eq >= 'a' && *eq <= 'z') attr_set_str(n, text, eq);
  else if (strchr(eq, ',')) attr_set_ints(n, text, v, count);
  else attr_set_int(n, text, v[0]);
}

/* At the end of the graph; its outputs are not inferred yet. */
static inline Node *build_node(const char *op, const char *inputs,
                               const char *attrs, int nout)
{
  Node *n = node_new(m->main, NULL, op, 0, nout, NULL);
  char *s = arena_str(&m->arena, inputs), *next;
  for (int i = 0; s; s = next, i++) {
    if ((next = strchr(s, ';'))) *next++ = 0;
    if (*inputs) node_set_input(n, i, build_value(s));
  }
  for (s = arena_str(&m->arena, attrs); *s; s = next) {
    next = s + strcspn(s, " ");
    if (*next) *next++ = 0;
    build_attr(n, s);
  }
  for (int i = 0; i < nout; i++)
    node_set_output(n, i, value_tmp(m->main, "y", NULL));
  return n;
}
#endif
