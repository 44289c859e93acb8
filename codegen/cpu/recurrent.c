/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of f32 RNN, GRU and LSTM by recurrent_f32.h: the internal node
 * Recurrent, which passes make where the weights are constants. An LSTM that
 * may have one row takes the product of its inputs along (lstm_f32.h). */
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

void recurrent_put_strides(Step *s, const Node *n)
{
  static const char *const key[] = {"X_TIME", "X_ROW", "Y_TIME", "Y_DIR",
                                    "Y_ROW", "S_DIR", "S_ROW"};
  const Dim *at[7];
  recurrent_strides(n, at);
  for (int i = 0; i < COUNT(key); i++) step_dim(s, key[i], at[i]);
}

void recurrent_put_operands(Step *s, const Node *n)
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

/* The product that makes all inputs' sums of an LSTM, if lstm_f32.h does both:
 * nobody else reads it, and threads would not share it. */
static Node *inputs_of(Plan *p, const Node *n)
{
  DimPool *d = &p->m->dims;
  Value *x = n->in[0];
  Node *g = x->def;
  int64_t hidden = n->in[2]->data->dim[2], rows;
  if (math_is_fast(p) || recurrent_kind(n) != 2 || hidden % 16 || !g ||
      !node_is_internal(g, "FusedGemm") || node_in(g, 3) || x->nuse != 1 ||
      x->is_output || stored_in(p, x) != x || attr_get(g, "lo") ||
      attr_get(g, "hi"))
    return NULL;
  const Tensor *w = g->in[1]->data;
  const Dim *all = dim_prod(d, (const Dim *const *)x->dim, x->rank - 1);
  bool several = dim_is_int(x->dim[1 - (attr_int(n, "layout", 0) != 0)],
                            &rows) && rows != 1;
  bool shared = dim_is_int(all, &rows) &&
    split_pays(p, all, dim_int(d, w->n * TICKS_MAC));
  return several || shared ? NULL : g;
}

/* Is it a product that its reader takes along? */
static bool taken_along(Plan *p, const Node *g)
{
  if (!node_is_internal(g, "FusedGemm") || g->out[0]->nuse != 1)
    return false;
  const Node *n = g->out[0]->use[0];
  return node_is_internal(n, "Recurrent") && inputs_of(p, n) == g;
}

static void put_inputs(Step *s, Node *g)
{
  Plan *p = s->plan;
  DimPool *d = &p->m->dims;
  int64_t k, columns;
  Value *b = node_in(g, 2);
  gemm_is_turned(g, &k, &columns);
  step_in(s, "in", g->in[0]);
  step_in(s, "w", gemm_pack_panels(g));
  if (b) step_in(s, "b", b);
  step_text(s, "BIAS", b ? "b" : "NULL");
  step_int(s, "IN_SIZE", k);
  step_int(s, "IN_PIX", stored_pixel(p, g->in[0]));
  const Value *x = g->out[0];
  const Dim *all = dim_prod(d, (const Dim *const *)x->dim, x->rank - 1);
  step_scratch(s, "x", DT_F32, /* O2C_LSTM_ROOM */
               dim_add(d, dim_mul(d, all, dim_int(d, columns + 16)),
                       dim_int(d, k * 16)));
  s->kernel_note = "lstm_f32, panel-16 weights";
  step_kernel(s, "lstm_f32.h");
  node_add_origin(s->node, g);
}

bool lower_recurrent_f32(Plan *p, Node *n)
{
  if (taken_along(p, n)) return true;
  if (!node_is_internal(n, "Recurrent")) return false;
  DimPool *d = &p->m->dims;
  const Tensor *r = n->in[2]->data;
  const Value *x = n->in[0];
  int layout = attr_int(n, "layout", 0) != 0, kind = recurrent_kind(n);
  bool linear = attr_int(n, "linear_before_reset", 0) != 0;
  const Dim *rows = x->dim[1 - layout], *steps = x->dim[layout];
  Node *inputs = inputs_of(p, n);
  Step *s = step_new(p, n, inputs ? "LSTM_F32" : "RECURRENT_F32");
  if (inputs) put_inputs(s, inputs);
  else step_in(s, "x", n->in[0]);
  step_in(s, "r", pack_recurrence(n, r, kind == 1 && !linear));
  recurrent_put_operands(s, n);
  recurrent_put_strides(s, n);
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
  if (!inputs) {
    s->kernel_note = "recurrent_f32, panel-16 weights";
    step_kernel(s, "recurrent_f32.h");
  }
  int64_t times;
  if (dim_is_int(dim_mul(d, rows, steps), &times))
    s->macs = times * r->dim[0] * r->dim[1] *
              (r->dim[2] + (inputs ? inputs->in[1]->data->dim[0] : 0));
  return true;
}
