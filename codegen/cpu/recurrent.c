/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of f32 RNN, GRU and LSTM by recurrent_f32.h: the internal node
 * Recurrent, which passes make where the weights are constants. */
#include "cpu.h"

#include <string.h>

/* Columns [from, from + n) of one direction's R as panels of 16. */
static float *put_panels(float *to, const float *r, int64_t from, int64_t n,
                         int64_t h)
{
  for (int64_t j = 0; j < n; j++)
    for (int64_t k = 0; k < h; k++)
      to[(j / 16 * h + k) * 16 + j % 16] = r[(from + j) * h + k];
  return to + (n + 15) / 16 * 16 * h;
}

/* GRU that resets the state before its product needs that product apart. */
static Value *pack_recurrence(Node *n, const Tensor *r, bool twice)
{
  int64_t dirs = r->dim[0], gates = r->dim[1], h = r->dim[2];
  int64_t first = twice ? 2 * h : gates, rest = gates - first;
  int64_t size = dirs * ((first + 15) / 16 + (rest + 15) / 16) * 16 * h;
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &size);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(n->g->m, r);
  for (int64_t d = 0; d < dirs; d++, from += gates * h) {
    to = put_panels(to, from, 0, first, h);
    to = put_panels(to, from, first, rest, h);
  }
  return value_const(n->g, "r_panels", t);
}

static void put_strides(Step *s, const Node *n)
{
  static const char *const key[] = {"X_TIME", "X_ROW", "Y_TIME", "Y_DIR",
                                    "Y_ROW", "S_DIR", "S_ROW"};
  const Dim *at[7];
  recurrent_strides(n, at);
  for (int i = 0; i < COUNT(key); i++) step_dim(s, key[i], at[i]);
}

static void put_operands(Step *s, const Node *n)
{
  static const struct { int in; const char *name, *key; } in[] = {
    {3, "rb", "RB"}, {4, "lens", "LENS"}, {5, "h0", "H0"}, {6, "c0", "C0"},
  };
  static const struct { const char *name, *key; } out[] = {
    {"y", "Y"}, {"yh", "YH"}, {"yc", "YC"},
  };
  for (int i = 0; i < COUNT(in); i++) {
    Value *v = node_in(n, in[i].in);
    if (v) step_in(s, in[i].name, v);
    step_text(s, in[i].key, "%s", v ? in[i].name : "NULL");
  }
  for (int i = 0; i < COUNT(out); i++) {
    Value *v = node_out(n, i);
    if (v) step_out(s, out[i].name, v);
    step_text(s, out[i].key, "%s", v ? out[i].name : "NULL");
  }
}

bool lower_recurrent_f32(Plan *p, Node *n)
{
  if (!node_is_internal(n, "Recurrent")) return false;
  DimPool *d = &p->m->dims;
  const Tensor *r = n->in[2]->data;
  const Value *x = n->in[0];
  int layout = attr_int(n, "layout", 0) != 0, kind = recurrent_kind(n);
  bool linear = attr_int(n, "linear_before_reset", 0) != 0;
  const Dim *rows = x->dim[1 - layout], *steps = x->dim[layout];
  Step *s = step_new(p, n, "RECURRENT_F32");
  step_in(s, "x", n->in[0]);
  step_in(s, "r", pack_recurrence(n, r, kind == 1 && !linear));
  put_operands(s, n);
  put_strides(s, n);
  step_scratch(s, "work", DT_F32,
               dim_mul(d, rows, dim_int(d, r->dim[2] * 7)));
  step_int(s, "KIND", kind);
  step_int(s, "HIDDEN", r->dim[2]);
  step_int(s, "DIRS", r->dim[0]);
  step_int(s, "LINEAR", linear);
  step_int(s, "REVERSE", !strcmp(attr_str(n, "direction", ""), "reverse"));
  step_i32(s, "STEPS", steps);
  step_i32(s, "ROWS", rows);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  s->status = node_in(n, 4) != NULL;
  step_int(s, "CHECKED", s->status);
  s->kernel_note = "recurrent_f32, panel-16 weights";
  step_kernel(s, "recurrent_f32.h");
  int64_t times;
  if (dim_is_int(dim_mul(d, rows, steps), &times))
    s->macs = times * r->dim[0] * r->dim[1] * r->dim[2];
  return true;
}
