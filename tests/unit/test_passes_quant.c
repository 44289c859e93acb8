/* SPDX-License-Identifier: Apache-2.0 */
/* Byte products and the passes that make them; transposes past reshapes. */
#include "irbuild.h"

static Value *bytes(Dtype t, const char *hint, int64_t n, const int *v)
{
  Tensor *w = tensor_new(&m->arena, t, 1, &n);
  for (int64_t i = 0; i < n; i++) tensor_set_i64(w, i, v[i]);
  return value_const(m->main, hint, w);
}

static Tensor *matrix(Dtype t, int64_t rows, int64_t columns, const int *v)
{
  int64_t dim[2] = {rows, columns};
  Tensor *w = tensor_new(&m->arena, t, 2, dim);
  for (int64_t i = 0; i < w->n; i++) tensor_set_i64(w, i, v[i]);
  return w;
}

static int64_t part(const ByteWeight *w, int p, int64_t i)
{
  return tensor_i64(w->part[p], i);
}

static void test_weight(void)
{
  ByteWeight w;
  m = model_new(NULL, "m");
  const int v[4] = {200, 50, 0, 255};
  Tensor *t = matrix(DT_U8, 2, 2, v);
  const Tensor *middle = bytes(DT_U8, "z", 1, (int[]){128})->data;
  CHECK(byte_weight(m->main, t, middle, false, &w) && !w.part[1]);
  CHECK(part(&w, 0, 0) == 72 && part(&w, 0, 2) == -128);
  CHECK(byte_weight_most(&w, 0) == 255 * (72 + 78));
  CHECK(byte_weight(m->main, t, middle, true, &w));
  CHECK(part(&w, 0, 1) == -128 && part(&w, 0, 2) == -78);
  /* A zero point of 1, and one for each filter: 254 is 127 + 127. */
  const Tensor *each = bytes(DT_U8, "z", 2, (int[]){128, 1})->data;
  CHECK(byte_weight(m->main, t, each, false, &w) && w.part[1]);
  CHECK(part(&w, 0, 3) == 127 && part(&w, 1, 3) == 127);
  CHECK(part(&w, 0, 2) == -1 && part(&w, 1, 2) == 0);
  CHECK(!byte_weight(m->main, t, NULL, false, &w)); /* 255 */
  model_free(m);
}

static Value *scalar(Dtype t, double v)
{
  return value_const_scalar(m->main, "c", t, v);
}

/* y = QLinearMatMul(x, w): then what pass_qlinear makes of it. */
static Node *product(Dtype x, Dtype w, int wz)
{
  Node *n = build_node("QLinearMatMul", x == DT_I8 ? "i8:N 2" : "u8:N 2", "",
                       1);
  const int v[4] = {1, 2, 3, 120};
  node_set_input(n, 1, scalar(DT_F32, 0.5));
  node_set_input(n, 2, scalar(x, 3));
  node_set_input(n, 3, value_const(m->main, "w", matrix(w, 2, 2, v)));
  node_set_input(n, 4, scalar(DT_F32, 0.25));
  node_set_input(n, 5, scalar(w, wz));
  node_set_input(n, 6, scalar(DT_F32, 2));
  node_set_input(n, 7, scalar(x, 1));
  infer_node(n);
  graph_add_output(m->main, n->out[0]);
  return n;
}

static const Node *made(const char *op)
{
  for (const Node *n = m->main->first; n; n = n->next)
    if (node_is_internal(n, op)) return n;
  return NULL;
}

static void test_qlinear(void)
{
  m = model_new(NULL, "m");
  product(DT_U8, DT_I8, 0);
  CHECK(pass_qlinear(m->main));
  ir_check(m->main, "qlinear");
  const Node *q = made("QGemm");
  if (CHECK(q)) {
    CHECK(q->nin == 4 && q->out[0] == m->main->out[0]);
    CHECK(tensor_f64(q->in[3]->data, 0) == 0.0625);
    CHECK(tensor_i64(q->in[2]->data, 1) == -3 * 122); /* column 2 and 120 */
    CHECK_INT(attr_int(q, "y_zp", 0), 1);
  }
  model_free(m);
  m = model_new(NULL, "m");
  product(DT_I8, DT_I8, 0);
  CHECK(pass_qlinear(m->main));
  q = made("QGemm");
  CHECK(q && q->out[0]->dtype == DT_U8 && attr_int(q, "x_zp", 0) == 131 &&
        attr_int(q, "y_zp", 0) == 129);
  CHECK(m->main->out[0]->dtype == DT_I8);
  CHECK(bytes_twin(m->main->out[0]) == (q ? q->out[0] : NULL));
  model_free(m);
  m = model_new(NULL, "m"); /* 120 - -100 needs two parts */
  product(DT_I8, DT_I8, -100);
  CHECK(pass_qlinear(m->main));
  q = made("QGemm");
  CHECK(q && q->out[0]->dtype == DT_I32);
  CHECK(m->main->out[0]->dtype == DT_I8 &&
        node_is(m->main->out[0]->def, "QuantizeLinear"));
  model_free(m);
}

static Node *turned(const char *shape, const int64_t *perm, int rank)
{
  Node *t = build_node("Transpose", shape, "", 1);
  attr_set_ints(t, "perm", perm, rank);
  infer_node(t);
  return t;
}

static Value *reshaped(Value *x, const char *text)
{
  int64_t v[MAX_RANK];
  int n = build_numbers(text, v);
  Node *r = node_new(m->main, NULL, "Reshape", 2, 1, NULL);
  node_set_input(r, 0, x);
  node_set_input(r, 1, value_const_ints(m->main, "shape", v, n));
  node_set_output(r, 0, value_tmp(m->main, "r", NULL));
  infer_node(r);
  return r->out[0];
}

static void test_split_channels(void)
{
  const int64_t first[] = {0, 3, 1, 2};
  int count;
  m = model_new(NULL, "m");
  Node *t = turned("N 5 6 8", first, 4);
  Value *y = reshaped(t->out[0], "0 2 4 5 6");
  graph_add_output(m->main, y);
  CHECK(layout_sink_view(y->def));
  ir_check(m->main, "layout");
  const int64_t *perm = attr_ints(y->def, "perm", &count);
  if (CHECK(node_is(y->def, "Transpose") && count == 5))
    CHECK(perm[1] == 3 && perm[2] == 4 && perm[3] == 1 && perm[4] == 2);
  CHECK(y->def->in[0]->dim[3] == dim_int(&m->dims, 2));
  model_free(m);
}

/* Flattening mixes the order of the axes; a batch of one symbol does not. */
static void test_stuck(void)
{
  const int64_t first[] = {0, 3, 1, 2};
  m = model_new(NULL, "m");
  Node *t = turned("N 5 6 8", first, 4);
  Value *y = reshaped(t->out[0], "0 -1");
  CHECK(!layout_sink_view(y->def));
  Node *u = turned("N 1 1 8", first, 4);
  Value *z = reshaped(u->out[0], "0 -1");
  Value *end = reshaped(z, "0 2 4");
  CHECK(layout_sink_view(z->def)); /* the rest are axes of size 1 */
  CHECK(node_is(end->def->in[0]->def, "Reshape") &&
        end->def->in[0]->def->in[0] == u->in[0]);
  model_free(m);
}

int main(void)
{
  test_weight();
  test_qlinear();
  test_split_channels();
  test_stuck();
  return test_end();
}
