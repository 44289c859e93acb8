/* SPDX-License-Identifier: Apache-2.0 */
/* RNN, GRU and LSTM. In f32, with constant weights and the usual activations,
 * they become a product of all steps' inputs at once, and the internal
 *
 *   Recurrent  the steps: X is what W and the biases made of the inputs, W is
 *              absent, B is [dirs, H], GRU's recurrent bias of the hidden gate
 *              under linear_before_reset, or absent; attribute `kind` as below
 *
 * Activations are kept as the attribute `functions`: for each direction three
 * times a number, and the bits of alpha and beta; see kernels/ref/recurrent.h.
 */
#include "ir.h"

#include <math.h>
#include <string.h>
#include <strings.h>

typedef struct {
  const char *name;
  bool alpha, beta;  /* takes them from the lists, in order */
  float a, b;        /* else these */
} Function;
static const Function functions[] = {
  {"Affine", true, true, 1, 0},
  {"Relu", false, false, 0, 0},
  {"LeakyRelu", true, false, 0.01f, 0},
  {"ThresholdedRelu", true, false, 1, 0},
  {"Tanh", false, false, 0, 0},
  {"ScaledTanh", true, true, 1, 1},
  {"Sigmoid", false, false, 0, 0},
  {"HardSigmoid", true, true, 0.2f, 0.5f},
  {"Elu", true, false, 1, 0},
  {"Softsign", false, false, 0, 0},
  {"Softplus", false, false, 0, 0},
};
enum { TANH = 4, SIGMOID = 6 };

static bool steps_only(const Node *n)
{
  return node_is_internal(n, "Recurrent");
}

int recurrent_kind(const Node *n)
{
  if (steps_only(n)) return (int)attr_int(n, "kind", 0);
  return node_is(n, "RNN") ? 0 : node_is(n, "GRU") ? 1 : 2;
}

static int gates_of(const Node *n)
{
  static const int gates[] = {1, 3, 4};
  return gates[recurrent_kind(n)];
}

const Dim *recurrent_hidden(const Node *n)
{
  return n->in[2]->dim[node_is_internal(n, "LstmOfBytes") ? 1 : 2];
}

/* Functions of one direction. */
static int functions_of(const Node *n)
{
  return recurrent_kind(n) + 1;
}

int recurrent_dirs(const Node *n)
{
  return strcmp(attr_str(n, "direction", "forward"), "bidirectional") ? 1 : 2;
}

static int function_number(Str name)
{
  for (int i = 0; i < COUNT(functions); i++)
    if (strlen(functions[i].name) == name.n &&
        !strncasecmp(functions[i].name, name.p, name.n))
      return i;
  return -1;
}

static int64_t bits_of(float v)
{
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return (int64_t)bits;
}

/* The next of the list, or what the function does without it. */
static float parameter(const Attr *list, int *used, bool takes, float usual)
{
  return takes && list && *used < list->n ? list->floats[(*used)++] : usual;
}

bool recurrent_functions(Node *n, int64_t v[2 * RECURRENT_PER_DIR])
{
  const Attr *names = attr_get(n, "activations");
  const Attr *alpha = attr_get(n, "activation_alpha");
  const Attr *beta = attr_get(n, "activation_beta");
  int per = functions_of(n), dirs = recurrent_dirs(n), a = 0, b = 0;
  if (names && names->n != per * dirs) {
    fail_model(n, "%d activations (spec: %d)", names->n, per * dirs);
    return false;
  }
  for (int i = 0; i < per * dirs; i++) {
    int usual = i % per == 0 && per > 1 ? SIGMOID : TANH;
    int f = names ? function_number(names->strs[i]) : usual;
    if (f < 0) {
      fail_model(n, "activation %d is %s (spec: Relu, Tanh, Sigmoid, Affine, "
                 "LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, "
                 "Softsign, Softplus)", i,
                 quote(&n->g->m->arena, arena_strn(&n->g->m->arena,
                       names->strs[i].p, names->strs[i].n)));
      return false;
    }
    int64_t *to = v + i / per * RECURRENT_PER_DIR + i % per * 3;
    const Function *have = &functions[f];
    to[0] = f;
    to[1] = bits_of(parameter(alpha, &a, have->alpha, have->a));
    to[2] = bits_of(parameter(beta, &b, have->beta, have->b));
  }
  return true;
}

bool recurrent_usual(Node *n)
{
  int64_t v[2 * RECURRENT_PER_DIR] = {0};
  int per = functions_of(n);
  if (!recurrent_functions(n, v) || node_in(n, 7) || attr_get(n, "clip") ||
      attr_int(n, "input_forget", 0))
    return false;
  for (int i = 0; i < per * recurrent_dirs(n); i++)
    if (v[i / per * RECURRENT_PER_DIR + i % per * 3] !=
        (i % per == 0 && per > 1 ? SIGMOID : TANH))
      return false;
  return true;
}

bool recurrent_direction(Node *n)
{
  static const char *const names[] = {"forward", "reverse", "bidirectional",
                                      "foward" /* the default of GRU-1 */};
  const char *name = attr_str(n, "direction", "forward");
  for (int i = 0; i < COUNT(names); i++)
    if (!strcmp(name, names[i])) return true;
  fail_model(n, "direction is \"%s\" (spec: forward, reverse or "
             "bidirectional)", name);
  return false;
}

bool recurrent_shape(Node *n, int in, int rank, const Dim *const *dim,
                     const char *what)
{
  const Value *v = node_in(n, in);
  if (!v) return true;
  if (v->rank != rank) {
    fail_model(n, "%s is of rank %d (spec: %d)", what, v->rank, rank);
    return false;
  }
  for (int i = 0; i < rank; i++)
    if (!infer_equal(n, v->dim[i], dim[i], what)) return false;
  return true;
}

static bool shapes_ok(Node *n)
{
  DimPool *d = node_dims(n);
  const Value *x = n->in[0], *r = n->in[2];
  const Dim *dirs = dim_int(d, recurrent_dirs(n)), *h = r->dim[2];
  const Dim *gh = dim_mul(d, h, dim_int(d, gates_of(n)));
  int layout = attr_int(n, "layout", 0) != 0;
  const Dim *batch = x->dim[1 - layout];
  const Dim *w[] = {dirs, gh, x->dim[2]}, *rr[] = {dirs, gh, h};
  const Dim *b[] = {dirs, dim_mul(d, gh, dim_int(d, 2))}, *lens[] = {batch};
  const Dim *state[] = {dirs, batch, h}, *first[] = {batch, dirs, h};
  const Dim *p[] = {dirs, dim_mul(d, h, dim_int(d, 3))};
  return recurrent_shape(n, 2, 3, rr, "R") &&
         recurrent_shape(n, 1, 3, w, "W") &&
         (steps_only(n) || recurrent_shape(n, 3, 2, b, "B")) &&
         recurrent_shape(n, 4, 1, lens, "sequence_lens") &&
         recurrent_shape(n, 5, 3, layout ? first : state, "initial_h") &&
         recurrent_shape(n, 6, 3, layout ? first : state, "initial_c") &&
         recurrent_shape(n, 7, 2, p, "P");
}

static void infer_recurrent(Node *n)
{
  int64_t v[2 * RECURRENT_PER_DIR], hidden;
  if (!infer_ready(n) || !recurrent_direction(n) || !recurrent_functions(n, v))
    return;
  const Value *x = n->in[0], *r = n->in[2];
  if (x->rank != 3 || r->rank != 3) {
    fail_model(n, "X is of rank %d, R of rank %d (spec: 3)", x->rank, r->rank);
    return;
  }
  if (!shapes_ok(n)) return;
  if (attr_get(n, "hidden_size") && dim_is_int(r->dim[2], &hidden) &&
      attr_int(n, "hidden_size", 0) != hidden) {
    fail_model(n, "hidden_size is %lld, but R is for %lld",
               (long long)attr_int(n, "hidden_size", 0), (long long)hidden);
    return;
  }
  const Dim *dirs = dim_int(node_dims(n), recurrent_dirs(n)), *h = r->dim[2];
  int layout = attr_int(n, "layout", 0) != 0;
  const Dim *y[] = {x->dim[0], dirs, x->dim[1], h};
  const Dim *batched[] = {x->dim[0], x->dim[1], dirs, h};
  const Dim *state[] = {dirs, x->dim[1], h}, *first[] = {x->dim[0], dirs, h};
  infer_out(n, 0, x->dtype, 4, layout ? batched : y);
  infer_out(n, 1, x->dtype, 3, layout ? first : state);
  infer_out(n, 2, x->dtype, 3, layout ? first : state);
}

void recurrent_strides(const Node *n, const Dim *at[7])
{
  DimPool *d = node_dims(n);
  const Value *x = n->in[0];
  const Dim *h = recurrent_hidden(n), *dirs = dim_int(d, recurrent_dirs(n));
  const Dim *own = x->dim[2], *outer = dim_mul(d, own, x->dim[1]);
  const Dim *dh = dim_mul(d, dirs, h);
  bool layout = attr_int(n, "layout", 0) != 0;
  at[0] = layout ? own : outer;
  at[1] = layout ? outer : own;
  at[2] = layout ? dh : dim_mul(d, x->dim[1], dh);
  at[3] = layout ? h : dim_mul(d, x->dim[1], h);
  at[4] = layout ? dim_mul(d, x->dim[1], dh) : h;
  at[5] = layout ? h : dim_mul(d, x->dim[1], h);
  at[6] = layout ? dh : h;
}

static void lower_recurrent(Lower *l, Node *n)
{
  DimPool *d = node_dims(n);
  const Value *x = n->in[0], *r = n->in[2];
  int64_t v[2 * RECURRENT_PER_DIR] = {0};
  const Dim *at[7];
  bool layout = attr_int(n, "layout", 0) != 0;
  int kind = recurrent_kind(n);
  if (!recurrent_functions(n, v)) return;
  recurrent_strides(n, at);
  lower_call(l, n, "recurrent", x->dtype, "iiiiiiiiooookddddkkkDKf", n->in[0],
             node_in(n, 1), n->in[2], node_in(n, 3), node_in(n, 4),
             node_in(n, 5), node_in(n, 6), node_in(n, 7), node_out(n, 0),
             node_out(n, 1), node_out(n, 2),
             lower_scratch(l, n, real_of(x->dtype),
                           dim_mul(d, r->dim[2], dim_int(d, 6))),
             (int64_t)kind, x->dim[layout], x->dim[1 - layout], x->dim[2],
             r->dim[2], (int64_t)recurrent_dirs(n),
             (int64_t)!strcmp(attr_str(n, "direction", ""), "reverse"),
             (int64_t)(attr_int(n, kind == 1 ? "linear_before_reset"
                                             : "input_forget", 0) != 0),
             at, 7, v, 2 * RECURRENT_PER_DIR,
             (double)attr_float(n, "clip", INFINITY));
}

static int axis_recurrent(const Node *n, int in, int axis, int out)
{
  bool layout = attr_int(n, "layout", 0) != 0;
  int state = layout ? 0 : 1, own = in == 4 ? 0 : state;
  if (in == 1 || in == 2 || in == 3 || in == 7 || axis != own)
    return AXIS_MIXES;
  return out == 0 && !layout ? 2 : state;
}

/* --- The product of the inputs, apart ------------------------------------- */

/* [dirs, gh, in] as [in, dirs * gh]. */
static Value *turned(Node *n, const Tensor *w)
{
  int64_t rows = w->dim[0] * w->dim[1], in = w->dim[2], dim[] = {in, rows};
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 2, dim);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(n->g->m, w);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < in; k++) to[k * rows + i] = from[i * in + k];
  return value_const(n->g, "w_inputs", t);
}

/* Both biases added; `linear`: the hidden gate's recurrent one goes to *apart,
 * [dirs, H]. */
static Value *biases(Node *n, const Tensor *b, bool linear, Value **apart)
{
  int64_t dirs = b->dim[0], gh = b->dim[1] / 2, h = gh / gates_of(n);
  int64_t all = dirs * gh, split[] = {dirs, h};
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &all);
  Tensor *u = tensor_new(&n->g->m->arena, DT_F32, 2, split);
  float *to = (float *)(uintptr_t)t->data, *own = (float *)(uintptr_t)u->data;
  const float *from = tensor_aligned(n->g->m, b);
  for (int64_t i = 0; i < all; i++) {
    int64_t d = i / gh, j = i % gh;
    float wb = from[d * 2 * gh + j], rb = from[(d * 2 + 1) * gh + j];
    bool hidden = linear && j >= 2 * h;
    to[i] = hidden ? wb : wb + rb;
    if (hidden) own[d * h + j - 2 * h] = rb;
  }
  *apart = linear ? value_const(n->g, "b_hidden", u) : NULL;
  return value_const(n->g, "b_inputs", t);
}

static void expand_recurrent(Node *n)
{
  Value *b = node_in(n, 3), *apart = NULL;
  int kind = recurrent_kind(n);
  bool linear = kind == 1 && attr_int(n, "linear_before_reset", 0);
  if (n->in[0]->dtype != DT_F32 || !n->in[1]->data || !n->in[2]->data ||
      (b && !b->data) || !recurrent_usual(n))
    return;
  Value *x = node_op(n, "MatMul", 2, n->in[0], turned(n, n->in[1]->data));
  if (b) x = node_op(n, "Add", 2, x, biases(n, b->data, linear, &apart));
  attr_set_int(n, "kind", kind);
  node_set_input(n, 0, x);
  node_set_input(n, 1, NULL);
  if (n->nin > 3) node_set_input(n, 3, apart);
  n->domain = "o2c";
  n->op_type = "Recurrent";
  n->op = op_find("o2c", n->op_type);
}

/* --- Versions ------------------------------------------------------------- */

static void upgrade_first(Node *n)
{
  attr_remove(n, "output_sequence"); /* whether Y is wanted, which it tells */
}

#define ALPHAS "activation_alpha:F activation_beta:F activations:S clip:f " \
  "direction:s hidden_size:i "
#define TYPES "; I=i32"
#define SIG "X:T W:T R:T B:T? sequence_lens:I? initial_h:T? "
#define OUT "-> Y:T? Y_h:T?"
static const OpRow rnn_rows[] = {
  {1, SIG OUT, "T=float" TYPES, ALPHAS "output_sequence:i", upgrade_first},
  {7, NULL, NULL, ALPHAS, NULL},
  /* ONNX RNN-14, GRU-14, LSTM-14: "If 0, the following shapes are expected:
   * X.shape = [seq_length" */
  {14, NULL, NULL, ALPHAS "layout:i", NULL},
  {22, NULL, "T=float bf16" TYPES, NULL, NULL},
};
static const OpRow gru_rows[] = {
  {1, SIG OUT, "T=float" TYPES, ALPHAS "output_sequence:i", upgrade_first},
  {3, NULL, NULL, ALPHAS "linear_before_reset:i output_sequence:i",
   upgrade_first},
  {7, NULL, NULL, ALPHAS "linear_before_reset:i", NULL},
  {14, NULL, NULL, ALPHAS "linear_before_reset:i layout:i", NULL},
  {22, NULL, "T=float bf16" TYPES, NULL, NULL},
};
static const OpRow lstm_rows[] = {
  {1, SIG "initial_c:T? P:T? " OUT " Y_c:T?", "T=float" TYPES,
   ALPHAS "input_forget:i output_sequence:i", upgrade_first},
  {7, NULL, NULL, ALPHAS "input_forget:i", NULL},
  {14, NULL, NULL, ALPHAS "input_forget:i layout:i", NULL},
  {22, NULL, "T=float bf16" TYPES, NULL, NULL},
};
static const OpRow step_rows[] = {
  {1, "X:T W:T? R:T B:T? sequence_lens:I? initial_h:T? initial_c:T? P:T? "
   OUT " Y_c:T?", "T=f32" TYPES, ALPHAS "kind:i linear_before_reset:i "
   "input_forget:i layout:i", NULL},
};

#define RECURRENT(op, its) \
  {.name = op, .rows = its, .nrow = COUNT(its), .infer = infer_recurrent, \
   .lower = lower_recurrent, .expand = expand_recurrent, \
   .axis = axis_recurrent}
static const OpDef defs[] = {
  RECURRENT("RNN", rnn_rows),
  RECURRENT("GRU", gru_rows),
  RECURRENT("LSTM", lstm_rows),
  {.name = "Recurrent", .domain = "o2c", .rows = step_rows,
   .nrow = COUNT(step_rows), .infer = infer_recurrent, .lower = lower_recurrent,
   .axis = axis_recurrent, .flags = OP_INTERNAL},
};
OPS_DEFINE(recurrent, defs)
