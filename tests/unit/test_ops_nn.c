/* SPDX-License-Identifier: Apache-2.0 */
/* Neural-network and quantisation operators: symbolic shapes, upgrades, what
 * axis and permute say, messages about wrong nodes, and values where the
 * official test data has none: wrapping integers, requantisation against the
 * tuned kernels' definition, channels-last layouts, empty tensors. */
#include "ir.h"
#include "o2ctest.h"
#include "u8.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Model *m;
static Graph *g;

static void begin(void)
{
  static Options o;
  options_default(&o);
  m = model_new(&o, "net.onnx");
  g = m->main;
}

static void end(void)
{
  model_free(m);
}

/* A value of shape "N,3,8": words are symbols. */
static Value *val(Dtype t, const char *shape)
{
  const Dim *dim[MAX_RANK];
  int rank = 0;
  for (const char *s = shape; *s; s += *s == ',') {
    char word[32];
    size_t n = strcspn(s, ",");
    snprintf(word, sizeof word, "%.*s", (int)n, s);
    bool number = (*s >= '0' && *s <= '9');
    dim[rank++] = number ? dim_int(&m->dims, atoll(word))
                         : dim_named(&m->dims, word);
    s += n;
  }
  return value_new(g, "v", t, rank, dim);
}

/* A constant filled with f(i). */
static Value *data(Dtype t, const char *shape, double (*f)(int64_t))
{
  Value *v = val(t, shape);
  int64_t dim[MAX_RANK];
  for (int i = 0; i < v->rank; i++) dim_is_int(v->dim[i], &dim[i]);
  Tensor *x = tensor_new(&m->arena, t, v->rank, dim);
  for (int64_t i = 0; i < x->n; i++) tensor_set_f64(x, i, f(i));
  v->data = x;
  return v;
}

static double count_up(int64_t i) { return (double)i; }
static double scramble(int64_t i)
{
  return (double)((i * 7919 + 13) % 101) - 50;
}
static double one(int64_t i) { return (void)i, 1.0; }
static double third(int64_t i) { return (void)i, 1.0 / 3; }
static double large(int64_t i) { return (void)i, 2147483647.0; }
static double huge(int64_t i) { return i ? -1e9 : 1e9; }

static Node *node(const char *op, int version, int nin, Value *const *in,
                  int nout)
{
  static const Origin origin = { .index = 12, .name = "x", .op = "Op",
                                 .version = 1 };
  Node *n = node_new(g, NULL, op, nin, nout, NULL);
  for (int i = 0; i < nin; i++) node_set_input(n, i, in[i]);
  for (int i = 0; i < nout; i++)
    node_set_output(n, i, value_new(g, "y", DT_NONE, -1, NULL));
  n->origin = &origin;
  if (version) n->version = version;
  return n;
}
#define NODE(op, ...) \
  node(op, 0, COUNT(((Value *[]){ __VA_ARGS__ })), \
       (Value *[]){ __VA_ARGS__ }, 1)
#define OLD(op, version, nout, ...) \
  node(op, version, COUNT(((Value *[]){ __VA_ARGS__ })), \
       (Value *[]){ __VA_ARGS__ }, nout)
#define INTS(n, name, ...) \
  attr_set_ints(n, name, (const int64_t[]){ __VA_ARGS__ }, \
                COUNT(((int64_t[]){ __VA_ARGS__ })))

static const char *shape_of(Node *n)
{
  infer_node(n);
  const Value *y = n->out[0];
  if (y->bad || y->rank < 0) return "bad";
  char *s = arena_str(&m->arena, "");
  for (int i = 0; i < y->rank; i++)
    s = arena_printf(&m->arena, "%s%s%s", s, i ? "," : "",
                     dim_text(&m->dims, y->dim[i]));
  return s;
}

static const char *complaint(Node *n)
{
  infer_node(n);
  const char *s = m->diag_last ? strstr(m->diag_last->text, "): ") : NULL;
  return s ? s + 3 : "nothing";
}

static double result(Node *n, int64_t i)
{
  infer_node(n);
  if (!n->out[0]->data && !eval_node(n)) return NAN;
  return tensor_f64(n->out[0]->data, i);
}

static void test_symbolic_windows(void)
{
  ConvGeom c;
  begin();
  Node *n = NODE("Conv", val(DT_F32, "N,3,H,W"), val(DT_F32, "8,3,3,3"));
  INTS(n, "strides", 2, 1);
  INTS(n, "pads", 1, 1, 1, 1);
  CHECK_STR(shape_of(n), "N,8,((H + 1) / 2),W");
  n = NODE("Conv", val(DT_F32, "N,3,H"), val(DT_F32, "8,3,4"));
  attr_set_str(n, "auto_pad", "SAME_LOWER");
  CHECK_STR(shape_of(n), "N,8,H");
  CHECK(conv_geometry(n, &c) && dim_is(c.begin[0], 2) && dim_is(c.end[0], 1));
  n = NODE("MaxPool", val(DT_F32, "N,C,H,224"));
  INTS(n, "kernel_shape", 3, 3);
  INTS(n, "strides", 2, 2);
  attr_set_int(n, "ceil_mode", 1);
  infer_node(n);
  CHECK(pool_geometry(n, &c) && dim_is(c.out[1], 112));
  int64_t at[8] = { 0 };
  for (int64_t h = 3; h < 40; h++) { /* against the definition */
    int64_t want = (h - 3 + 1) / 2 + 1;
    for (int i = 0; i < 8 && i < m->dims.nsym; i++) at[i] = h;
    CHECK_INT(dim_eval(&m->dims, c.out[0], at), want);
  }
  n = NODE("ConvTranspose", val(DT_F32, "N,4,H,W"), val(DT_F32, "4,2,2,2"));
  INTS(n, "strides", 2, 2);
  CHECK_STR(shape_of(n), "N,2,H*2,W*2");
  end();
}

static void test_symbolic_others(void)
{
  begin();
  CHECK_STR(shape_of(NODE("MatMul", val(DT_F32, "N,12,S,64"),
                          val(DT_F32, "N,12,64,S"))), "N,12,S,S");
  CHECK_STR(shape_of(NODE("MatMul", val(DT_F32, "K"), val(DT_F32, "2,K,5"))),
            "2,5");
  Node *n = NODE("Gemm", val(DT_F32, "N,8"), val(DT_F32, "4,8"),
                 val(DT_F32, "4"));
  attr_set_int(n, "transB", 1);
  CHECK_STR(shape_of(n), "N,4");
  n = NODE("ReduceMean", val(DT_F32, "N,S,8"),
           value_const_ints(g, "axes", (const int64_t[]){ -1 }, 1));
  attr_set_int(n, "keepdims", 0);
  CHECK_STR(shape_of(n), "N,S");
  CHECK_STR(shape_of(NODE("GlobalAveragePool", val(DT_F32, "N,C,H,W"))),
            "N,C,1,1");
  n = NODE("ArgMax", val(DT_F32, "N,1000"));
  attr_set_int(n, "axis", 1);
  CHECK_STR(shape_of(n), "N,1");
  CHECK_INT(n->out[0]->dtype, DT_I64);
  CHECK(diag_worst(m) == EXIT_OK);
  end();
}

static void test_messages(void)
{
  begin();
  Value *x = val(DT_F32, "1,3,8,8"), *w = val(DT_F32, "4,3,3,3");
  CHECK_STR(complaint(NODE("Conv", x, val(DT_F32, "4,3,3"))),
            "weight is rank 3, input rank 4 (spec: equal)");
  Node *n = NODE("Conv", x, w);
  INTS(n, "strides", 0, 1);
  CHECK_STR(complaint(n), "strides[0] is 0 (spec: at least 1)");
  n = NODE("Conv", x, w);
  INTS(n, "pads", 1, 1, 1, INT64_MAX);
  CHECK_STR(complaint(n), "pads[3] is 9223372036854775807 (spec: at least 0)");
  n = NODE("Conv", x, w);
  INTS(n, "dilations", 1 << 30, 1);
  CHECK(strstr(complaint(n), "the dilated kernel of spatial axis 0") != NULL);
  n = NODE("Conv", x, w);
  attr_set_int(n, "group", 0);
  CHECK_STR(complaint(n), "group is 0 (spec: at least 1)");
  CHECK_STR(complaint(NODE("Conv", x, val(DT_F32, "4,2,3,3"))),
            "channels of the input and of the weight's groups: 3 and 2 (spec: "
            "equal)");
  CHECK_STR(complaint(NODE("Conv", x, w, val(DT_F32, "5"))),
            "elements of bias, filters: 5 and 4 (spec: equal)");
  CHECK(strstr(complaint(NODE("Conv", x, val(DT_F32, "4,3,9,9"))),
               "window of 9 is larger than the padded input of 8") != NULL);
  CHECK_STR(complaint(NODE("MaxPool", x)),
            "kernel_shape is missing (spec: required)");
  CHECK_STR(complaint(NODE("MatMul", x, val(DT_F32, "7,8"))),
            "columns of A, rows of B: 8 and 7 (spec: equal)");
  CHECK_STR(complaint(NODE("MatMul", val(DT_F32, ""), x)),
            "an operand is a scalar (spec: at least one axis)");
  CHECK_STR(complaint(NODE("LRN", x)), "size is 0 (spec: at least 1)");
  n = NODE("QuantizeLinear", x, val(DT_F32, "2"));
  CHECK_STR(complaint(n), "elements of the scale and of the input's axis: 2 "
                          "and 3 (spec: equal)");
  n = NODE("QuantizeLinear", x, val(DT_F32, ""));
  attr_set_int(n, "output_dtype", DT_F32);
  CHECK_STR(complaint(n), "output_dtype 1 is no type of the output");
  end();
}

static const int to_last[] = { 0, 2, 3, 1 };

/* [n, c, h, w] or the other way round. */
static Value *permuted(Value *v, const int *perm)
{
  const Tensor *x = v->data;
  int64_t dim[4], at[4];
  for (int i = 0; i < 4; i++) dim[i] = x->dim[perm[i]];
  Tensor *y = tensor_new(&m->arena, x->dtype, 4, dim);
  for (int64_t i = 0; i < y->n; i++) {
    int64_t rest = i, from = 0;
    for (int k = 4; k-- > 0; rest /= dim[k]) at[perm[k]] = rest % dim[k];
    for (int k = 0; k < 4; k++) from = from * x->dim[k] + at[k];
    tensor_set_f64(y, i, tensor_f64(x, from));
  }
  const Dim *d[4];
  for (int i = 0; i < 4; i++) d[i] = dim_int(&m->dims, dim[i]);
  Value *r = value_new(g, "p", x->dtype, 4, d);
  r->data = y;
  return r;
}

/* The same node on both layouts gives the same numbers. */
static void check_layout(Node *(*make)(Value *x), Dtype t, int output)
{
  begin();
  Value *x = data(t, "2,4,5,6", scramble);
  Node *a = make(x), *b = make(permuted(x, to_last));
  attr_set_int(b, "channels_last", 1);
  CHECK(!isnan(result(a, 0)) && !isnan(result(b, 0)));
  if (a->out[output]->data && b->out[output]->data) {
    const Tensor *p = permuted(a->out[output], to_last)->data;
    const Tensor *q = b->out[output]->data;
    CHECK_INT(p->n, q->n);
    for (int i = 0; i < 4; i++) CHECK_INT(p->dim[i], q->dim[i]);
    for (int64_t i = 0; i < p->n && i < q->n; i++)
      CHECK(tensor_f64(p, i) == tensor_f64(q, i));
  }
  end();
}

static Node *make_conv(Value *x)
{
  Node *n = NODE("Conv", x, data(DT_F32, "6,2,3,2", scramble),
                 data(DT_F32, "6", count_up));
  attr_set_int(n, "group", 2);
  INTS(n, "pads", 1, 0, 2, 1);
  INTS(n, "strides", 2, 1);
  return n;
}

static Node *make_conv_integer(Value *x)
{
  return NODE("ConvInteger", x, data(DT_I8, "3,4,2,2", scramble),
              data(DT_U8, "", one), data(DT_I8, "3", count_up));
}

static Node *make_qlinear_conv(Value *x)
{
  return NODE("QLinearConv", x, data(DT_F32, "", third), data(DT_I8, "", one),
              data(DT_I8, "3,4,2,2", scramble), data(DT_F32, "3", third),
              data(DT_I8, "3", one), data(DT_F32, "", one),
              data(DT_I8, "", one), data(DT_I32, "3", scramble));
}

static Node *make_pool(Value *x, const char *op)
{
  Node *n = node(op, 0, 1, &x, !strcmp(op, "MaxPool") ? 2 : 1);
  INTS(n, "kernel_shape", 3, 2);
  INTS(n, "pads", 1, 1, 1, 0);
  INTS(n, "strides", 2, 2);
  return n;
}

static Node *make_max(Value *x) { return make_pool(x, "MaxPool"); }
static Node *make_average(Value *x) { return make_pool(x, "AveragePool"); }
static Node *make_mean(Value *x) { return NODE("GlobalAveragePool", x); }
static Node *make_most(Value *x) { return NODE("GlobalMaxPool", x); }

static Node *make_lrn(Value *x)
{
  Node *n = NODE("LRN", x);
  attr_set_int(n, "size", 3);
  return n;
}

static Node *make_batch_norm(Value *x)
{
  return NODE("BatchNormalization", x, data(DT_F32, "4", count_up),
              data(DT_F32, "4", scramble), data(DT_F32, "4", count_up),
              data(DT_F32, "4", one));
}

static void test_layouts(void)
{
  check_layout(make_conv, DT_F32, 0);
  check_layout(make_conv_integer, DT_U8, 0);
  check_layout(make_qlinear_conv, DT_I8, 0);
  check_layout(make_max, DT_F32, 0);
  check_layout(make_max, DT_F32, 1); /* indices mean the same elements */
  check_layout(make_average, DT_F32, 0);
  check_layout(make_mean, DT_F32, 0);
  check_layout(make_most, DT_F32, 0);
  check_layout(make_lrn, DT_F32, 0);
  check_layout(make_batch_norm, DT_F32, 0);
}

static void test_upgrades(void)
{
  begin();
  Node *n = OLD("Softmax", 11, 1, data(DT_F32, "2,3,4", one));
  upgrade_graph(g);
  CHECK(fabs(result(n, 5) - 1.0 / 12) < 1e-6);
  n = OLD("ReduceSum", 1, 1, data(DT_F32, "2,3", count_up));
  INTS(n, "axes", 1);
  upgrade_graph(g);
  CHECK(n->nin == 2 && !attr_get(n, "axes") && result(n, 1) == 12);
  n = OLD("Gemm", 6, 1, val(DT_F32, "2,3"), val(DT_F32, "3,4"),
          val(DT_F32, "4"));
  attr_set_int(n, "broadcast", 1);
  upgrade_graph(g);
  CHECK_STR(shape_of(n), "2,4");
  Value *p = data(DT_F32, "3", one), *f = data(DT_F32, "3,2", one);
  n = OLD("BatchNormalization", 7, 1, data(DT_F32, "2,3,2", count_up), f, f, f,
          f);
  attr_set_int(n, "spatial", 0);
  upgrade_graph(g);
  CHECK(fabs(result(n, 11) - 11) < 1e-3);
  n = OLD("BatchNormalization", 9, 5, data(DT_F32, "2,3,2", count_up), p, p, p,
          p);
  upgrade_graph(g);
  CHECK_INT(attr_int(n, "training_mode", 0), 1);
  result(n, 0); /* channel 0 is 0 1 6 7 */
  CHECK(n->out[1]->data && fabs(tensor_f64(n->out[1]->data, 0) - 1.25) < 1e-6);
  CHECK(n->out[4]->data && fabs(tensor_f64(n->out[4]->data, 0) - 9.25) < 1e-5);
  CHECK(diag_worst(m) == EXIT_OK);
  end();
}

static int axis_of(Node *n, int in, int axis)
{
  infer_node(n);
  return n->op->axis(n, in, axis, 0);
}

static void test_axes(void)
{
  begin();
  Value *x = val(DT_F32, "N,4,8");
  CHECK_INT(axis_of(NODE("Conv", x, val(DT_F32, "5,4,3")), 0, 0), 0);
  CHECK_INT(axis_of(NODE("Conv", x, val(DT_F32, "5,4,3")), 0, 1), AXIS_MIXES);
  CHECK_INT(axis_of(NODE("Softmax", x), 0, 0), 0);
  CHECK_INT(axis_of(NODE("Softmax", x), 0, 2), AXIS_MIXES);
  Node *n = NODE("ReduceSum", val(DT_F32, "3,N,4"),
                 value_const_ints(g, "axes", (const int64_t[]){ 0 }, 1));
  attr_set_int(n, "keepdims", 0);
  CHECK_INT(axis_of(n, 0, 1), 0);
  CHECK_INT(axis_of(n, 0, 0), AXIS_MIXES);
  n = NODE("CumSum", val(DT_F32, "3,N"), value_const_scalar(g, "a", DT_I32, 0));
  CHECK_INT(axis_of(n, 0, 1), 1);
  CHECK_INT(axis_of(n, 0, 0), AXIS_MIXES);
  n = NODE("CumProd", val(DT_F32, "3,N"), val(DT_I64, "1"));
  CHECK_INT(axis_of(n, 0, 1), AXIS_MIXES);
  Value *a = val(DT_F32, "N,2,3"), *b = val(DT_F32, "5,N,3,4");
  n = NODE("MatMul", a, b);
  CHECK_INT(axis_of(n, 0, 0), 1);
  CHECK_INT(axis_of(n, 1, 3), 3);
  CHECK_INT(axis_of(n, 0, 2), AXIS_MIXES);
  n = NODE("Gemm", val(DT_F32, "3,N"), val(DT_F32, "3,4"));
  attr_set_int(n, "transA", 1);
  CHECK_INT(axis_of(n, 0, 1), 0);
  end();
}

static void test_permutations(void)
{
  begin();
  Node *n = NODE("Softmax", val(DT_F32, "2,3,4,5"));
  attr_set_int(n, "axis", 1);
  CHECK(n->op->permute(n, to_last, 4) && attr_int(n, "axis", 0) == 3);
  n = NODE("ReduceMax", val(DT_F32, "2,3,4,5"),
           value_const_ints(g, "axes", (const int64_t[]){ 2, 3 }, 2));
  CHECK(n->op->permute(n, to_last, 4));
  CHECK_INT(tensor_i64(n->in[1]->data, 0), 1);
  CHECK_INT(tensor_i64(n->in[1]->data, 1), 2);
  attr_set_int(n, "keepdims", 0);
  CHECK(!n->op->permute(n, to_last, 4));
  n = NODE("QuantizeLinear", val(DT_F32, "2,3,4,5"), val(DT_F32, "3"));
  CHECK(n->op->permute(n, to_last, 4) && attr_int(n, "axis", 0) == 3);
  n = make_batch_norm(val(DT_F32, "2,4,5,6"));
  CHECK(n->op->permute(n, to_last, 4) && attr_int(n, "channels_last", 0));
  end();
}

static void test_values(void)
{
  begin();
  CHECK(result(NODE("MatMul", data(DT_I32, "1,2", large),
                    data(DT_I32, "2,1", large)), 0) == 2); /* wraps */
  CHECK(result(NODE("MatMul", val(DT_F32, "2,0"), val(DT_F32, "0,2")), 0) != 0);
  CHECK(result(NODE("MatMul", data(DT_F32, "2,0", one),
                    data(DT_F32, "0,2", one)), 3) == 0);
  Value *none = data(DT_F32, "2,0", one);
  Value *axes = value_const_ints(g, "axes", (const int64_t[]){ 1 }, 1);
  CHECK(result(NODE("ReduceProd", none, axes), 1) == 1);
  CHECK(result(NODE("ReduceMax", none, axes), 1) == -INFINITY);
  CHECK(result(NODE("ReduceLogSumExp", none, axes), 1) == -INFINITY);
  CHECK(result(NODE("ReduceL2", data(DT_I32, "2,2", count_up), axes), 1) == 3);
  Node *n = NODE("QuantizeLinear", data(DT_F32, "2", huge),
                 data(DT_F32, "", one), data(DT_F8E5M2, "", count_up));
  CHECK(result(n, 0) == 57344 && result(n, 1) == -57344);
  n = NODE("QuantizeLinear", data(DT_F32, "2", huge), data(DT_F32, "", one),
           data(DT_F8E5M2, "", count_up));
  attr_set_int(n, "saturate", 0);
  CHECK(result(n, 0) == INFINITY);
  n = NODE("QuantizeLinear", data(DT_F32, "2", huge), data(DT_F32, "", one));
  attr_set_int(n, "output_dtype", DT_I4);
  CHECK(result(n, 0) == 7 && result(n, 1) == -8);
  end();
}

/* QLinearMatMul of [1, 1] is one requantisation. */
static void test_requantisation(void)
{
  static const float scales[] = { 0.0371f, 1.0f, 0.5f, 3e-7f, 1e6f };
  begin();
  Value *unit = data(DT_F32, "", one), *zero = data(DT_I8, "", count_up);
  for (int k = 0; k < COUNT(scales); k++) {
    Value *s = data(DT_F32, "", one), *yz = data(DT_U8, "", one);
    Value *a = data(DT_I8, "97,1", scramble), *b = data(DT_I8, "1,1", scramble);
    Tensor *t = tensor_new(&m->arena, DT_F32, 0, NULL);
    tensor_set_f64(t, 0, (double)scales[k]);
    s->data = t;
    Node *n = NODE("QLinearMatMul", a, s, zero, b, unit, zero, unit, yz);
    o2c_rq q = o2c_rq_make(1, 0, 255);
    for (int64_t i = 0; i < 97; i++) {
      int32_t acc = (int32_t)(scramble(i) * scramble(0));
      CHECK(result(n, i) == o2c_requant_u8(acc, scales[k], q));
    }
  }
  end();
}

static void test_attention(void)
{
  begin();
  Value *k = val(DT_F32, "N,2,T,8"), *past = val(DT_F32, "N,2,P,8");
  Node *n = NODE("Attention", val(DT_F32, "N,4,S,8"), k, k, NULL, past, past);
  node_set_output(n, 3, value_new(g, "qk", DT_NONE, -1, NULL));
  CHECK_STR(shape_of(n), "N,4,S,8");
  CHECK_STR(dims_text(&m->dims, 4, n->out[3]->dim), "[N, 4, S, T + P]");
  n = NODE("Attention", val(DT_F32, "N,S,32"), val(DT_F32, "N,T,16"),
           val(DT_F32, "N,T,6"));
  CHECK(strstr(complaint(n), "q_num_heads is 0"));
  n = NODE("Attention", val(DT_F32, "N,S,32"), val(DT_F32, "N,T,16"),
           val(DT_F32, "N,T,6"));
  attr_set_int(n, "q_num_heads", 4);
  attr_set_int(n, "kv_num_heads", 2);
  CHECK_STR(shape_of(n), "N,S,12");
  n->op->expand(n);
  for (n = g->last; n && !node_is_internal(n, "Attention");) n = n->prev;
  CHECK(n && n->op->axis(n, 0, 0, 0) == 0);
  CHECK(n && n->op->axis(n, 1, 1, 0) == AXIS_MIXES);
  n = NODE("Attention", val(DT_F32, "N,3,S,8"), k, k);
  CHECK(strstr(complaint(n), "3 heads of Q are no multiple of 2"));
  n = NODE("Attention", val(DT_F32, "N,2,S,8"), val(DT_F32, "N,2,5,8"),
           val(DT_F32, "N,2,5,8"), val(DT_BOOL, "S,6"));
  CHECK(strstr(complaint(n), "attn_mask has 6 keys of 5"));
  n = NODE("RotaryEmbedding", val(DT_F32, "N,2,S,8"), val(DT_F32, "N,S,4"),
           val(DT_F32, "N,S,4"));
  CHECK_STR(shape_of(n), "N,2,S,8");
  CHECK_INT(n->op->axis(n, 1, 0, 0), 0);
  n = NODE("RotaryEmbedding", val(DT_F32, "N,S,8"), val(DT_F32, "N,S,4"),
           val(DT_F32, "N,S,4"));
  CHECK(strstr(complaint(n), "num_heads is 0"));
  end();
}

static void test_linear(void)
{
  begin();
  Value *t = val(DT_F32, "N,T,8"), *w = val(DT_F32, "4,1,3");
  Node *n = OLD("LinearAttention", 27, 2, t, val(DT_F32, "N,T,4"),
                val(DT_F32, "N,T,6"), NULL, val(DT_F32, "N,T,2"),
                val(DT_F32, "N,T,1"));
  attr_set_int(n, "q_num_heads", 4);
  attr_set_int(n, "kv_num_heads", 2);
  CHECK_STR(shape_of(n), "N,T,12");
  CHECK_STR(value_shape_text(n->out[1]), "[N, 2, 2, 3]");
  CHECK_INT(axis_of(n, 3, 0), 0);
  CHECK_INT(axis_of(n, 0, 1), AXIS_MIXES);
  n = NODE("LinearAttention", t, t, t);
  attr_set_int(n, "q_num_heads", 2);
  attr_set_int(n, "kv_num_heads", 2);
  CHECK(strstr(complaint(n), "input decay is missing"));
  n = OLD("CausalConvWithState", 27, 2, val(DT_F32, "N,4,L"), w);
  CHECK_STR(shape_of(n), "N,4,L");
  CHECK_STR(value_shape_text(n->out[1]), "[N, 4, 2]");
  n = NODE("CausalConvWithState", val(DT_F32, "N,4,L"), w, NULL,
           val(DT_F32, "N,4,3"));
  CHECK(strstr(complaint(n), "extents of past_state: 3 and 2"));
  end();
}

int main(void)
{
  test_symbolic_windows();
  test_symbolic_others();
  test_messages();
  test_layouts();
  test_upgrades();
  test_axes();
  test_attention();
  test_linear();
  test_permutations();
  test_values();
  test_requantisation();
  return test_end();
}
