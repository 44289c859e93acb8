/* SPDX-License-Identifier: Apache-2.0 */
/* RandomNormal, RandomUniform, both Like forms, Bernoulli and Multinomial.
 *
 * A draw is a function of the seed, the node, and the number of the element:
 * see kernels/ref/random.h. So a run can be repeated, as can the folding of a
 * node; where no seed is given it is 0. The node is told by the name of its
 * output, so that no pass, and no order of the file, changes draws. In a loop
 * of the generated code a node has one more input, which tells trips apart. */
#include <string.h>
#include "../control.h"

static Value *trip_of(const Node *n)
{
  const Attr *at = attr_get(n, ".trip");
  return at ? node_in(n, (int)at->i) : NULL;
}

/* Where the input of a node that draws is that tells trips apart; -1: it draws
 * nothing. */
static int trip_port(const Node *n)
{
  static const struct { const char *op; int port; } all[] = {
    {"RandomNormal", 0}, {"RandomUniform", 0}, {"RandomNormalLike", 1},
    {"RandomUniformLike", 1}, {"Bernoulli", 1}, {"Multinomial", 1},
    {"Dropout", 3},
  };
  for (int i = 0; i < COUNT(all); i++)
    if (node_is(n, all[i].op)) return all[i].port;
  return -1;
}

bool random_draws(const Node *n)
{
  return trip_port(n) >= 0 && !node_is(n, "Dropout");
}

/* A node in loops within each other takes all their trips: an odd factor of
 * many bits keeps them apart. */
static void add_trip(Node *n, int port, Value *trip)
{
  Value *outer = trip_of(n);
  if (outer) {
    Tensor *factor = tensor_new(&n->g->m->arena, DT_I64, 0, NULL);
    tensor_set_i64(factor, 0, 0x1e3779b97f4a7c15);
    outer = control_op2(n, "Mul", outer, value_const(n->g, "factor", factor));
    trip = control_op2(n, "Add", outer, trip);
  }
  node_set_input(n, port, trip);
  attr_set_int(n, ".trip", port);
}

void random_trips(Node *from, const Node *to, Value *trip)
{
  for (Node *n = from; n && n != to; n = n->next) {
    int port = trip_port(n);
    if (port >= 0 && (port < 3 || node_in(n, 2))) add_trip(n, port, trip);
    if (node_is(n, "Cast") || node_is(n, "CastLike"))
      attr_set_int(n, ".looped", 1);
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].g) random_trips(n->attr[i].g->first, NULL, trip);
  }
}

int64_t random_copy(Node *n)
{
  const char *name = n->out[0] ? n->out[0]->name : "";
  int64_t count = 0;
  const Attr *taken = attr_get(n, ".copy");
  if (taken) return taken->i;
  for (const Node *b = n->prev; b; b = b->prev) {
    taken = attr_get(b, ".copy");
    if (!taken || !b->out[0] || strcmp(b->out[0]->name, name)) continue;
    count = taken->i + 1;
    break;
  }
  attr_set_int(n, ".copy", count);
  return count;
}

/* The generator's key: the bits of the seed, and above them the FNV-1a hash of
 * the name. Each copy of a body that a loop becomes counts on from the copy
 * before, as its values have the names of the body. */
static void take_key(Node *n)
{
  const char *name = n->out[0]->name;
  float seed = attr_float(n, "seed", 0);
  uint32_t bits, hash = 2166136261u;
  uint64_t key;
  if (attr_get(n, ".key")) return;
  for (const char *s = name; *s; s++) hash = (hash ^ (uint8_t)*s) * 16777619u;
  memcpy(&bits, &seed, sizeof bits);
  key = ((uint64_t)hash << 32 | bits) + ((uint64_t)random_copy(n) << 32);
  attr_set_int(n, ".key", (int64_t)key);
}

/* The type that dtype names, or `dflt`; DT_NONE after a diagnostic. */
static Dtype drawn_type(Node *n, Dtype dflt, const char *types)
{
  int64_t t = attr_int(n, "dtype", dflt);
  if (t > 0 && t < DT_COUNT &&
      (typeset_parse(types, strlen(types)) & DT_BIT((Dtype)t)))
    return (Dtype)t;
  if (attr_get(n, "dtype"))
    fail_model(n, "dtype is %lld (spec: one of %s)", (long long)t, types);
  else
    fail_model(n, "draws of %s (spec: one of %s); give a dtype",
               dtype_info(dflt)->onnx, types);
  return DT_NONE;
}

#define REALS "float bf16"

static void infer_random(Node *n)
{
  const Dim *dim[MAX_RANK];
  const int64_t *shape;
  int rank = 0;
  Dtype t = drawn_type(n, DT_F32, REALS);
  shape = attr_ints(n, "shape", &rank);
  if (t == DT_NONE) return;
  if (rank > MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", rank, MAX_RANK);
    return;
  }
  for (int i = 0; i < rank; i++) {
    if (shape[i] < 0) {
      fail_model(n, "shape[%d] is %lld (spec: not negative)", i,
                 (long long)shape[i]);
      return;
    }
    dim[i] = dim_int(node_dims(n), shape[i]);
  }
  take_key(n);
  infer_out(n, 0, t, rank, dim);
}

static void infer_random_like(Node *n)
{
  const Value *x = node_in(n, 0);
  Dtype t;
  if (!infer_ready(n) || !(t = drawn_type(n, x->dtype, REALS))) return;
  take_key(n);
  infer_out(n, 0, t, x->rank, x->dim);
}

static void lower_random(Lower *l, Node *n)
{
  Value *y = n->out[0];
  bool normal = node_is(n, "RandomNormal") || node_is(n, "RandomNormalLike");
  float a = normal ? attr_float(n, "mean", 0) : attr_float(n, "low", 0);
  float b = normal ? attr_float(n, "scale", 1) : attr_float(n, "high", 1);
  lower_call(l, n, normal ? "random_normal" : "random_uniform", y->dtype,
             "odkffi", y, value_numel(y), attr_int(n, ".key", 0), (double)a,
             (double)b, trip_of(n));
}

static void infer_bernoulli(Node *n)
{
  const Value *x = node_in(n, 0);
  Dtype t;
  if (!infer_ready(n) || !(t = drawn_type(n, x->dtype, "num bf16 bool")))
    return;
  take_key(n);
  infer_out(n, 0, t, x->rank, x->dim);
}

static void lower_bernoulli(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  Tensor *one = tensor_new(&n->g->m->arena, y->dtype, 0, NULL);
  tensor_set_f64(one, 0, 1);
  lower_call(l, n, "bernoulli", x->dtype, "iodkkki", x, y, value_numel(x),
             attr_int(n, ".key", 0), (int64_t)dtype_info(y->dtype)->size,
             tensor_bits(one), trip_of(n));
}

static void infer_multinomial(Node *n)
{
  const Value *x = node_in(n, 0);
  int64_t samples = attr_int(n, "sample_size", 1);
  const Dim *dim[2];
  Dtype t;
  if (!infer_ready(n) || !(t = drawn_type(n, DT_I32, "i32 i64"))) return;
  if (x->rank != 2) {
    fail_model(n, "input has rank %d (spec: 2)", x->rank);
    return;
  }
  if (samples < 0) {
    fail_model(n, "sample_size is %lld (spec: not negative)",
               (long long)samples);
    return;
  }
  take_key(n);
  dim[0] = x->dim[0];
  dim[1] = dim_int(node_dims(n), samples);
  infer_out(n, 0, t, 2, dim);
}

static void lower_multinomial(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  lower_call(l, n, "multinomial", x->dtype, "ioodddkki", x, y,
             lower_scratch(l, n, DT_F64, x->dim[1]), x->dim[0], x->dim[1],
             y->dim[1], attr_int(n, ".key", 0),
             (int64_t)dtype_info(y->dtype)->size, trip_of(n));
}

static const OpRow normal_rows[] = {
  {1, "-> output:T", "T=float", "dtype:i mean:f scale:f seed:f shape:I!", NULL},
  {22, NULL, "T=" REALS, NULL, NULL},
};
static const OpRow uniform_rows[] = {
  {1, "-> output:T", "T=float", "dtype:i high:f low:f seed:f shape:I!", NULL},
  {22, NULL, "T=" REALS, NULL, NULL},
};
static const OpRow normal_like_rows[] = {
  {1, "input:T1 -> output:T2", "T1=all; T2=float",
   "dtype:i mean:f scale:f seed:f", NULL},
  {22, NULL, "T1=all13; T2=" REALS, NULL, NULL},
};
static const OpRow uniform_like_rows[] = {
  {1, "input:T1 -> output:T2", "T1=all; T2=float",
   "dtype:i high:f low:f seed:f", NULL},
  {22, NULL, "T1=all13; T2=" REALS, NULL, NULL},
};
static const OpRow bernoulli_rows[] = {
  {15, "input:T1 -> output:T2", "T1=float; T2=num bf16 bool", "dtype:i seed:f",
   NULL},
  {22, NULL, "T1=" REALS "; T2=num bf16 bool", NULL, NULL},
};
static const OpRow multinomial_rows[] = {
  {7, "input:T1 -> output:T2", "T1=float; T2=i32 i64",
   "dtype:i sample_size:i seed:f", NULL},
  {22, NULL, "T1=" REALS "; T2=i32 i64", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "RandomNormal", .rows = normal_rows, .nrow = COUNT(normal_rows),
   .infer = infer_random, .lower = lower_random},
  {.name = "RandomUniform", .rows = uniform_rows, .nrow = COUNT(uniform_rows),
   .infer = infer_random, .lower = lower_random},
  {.name = "RandomNormalLike", .rows = normal_like_rows,
   .nrow = COUNT(normal_like_rows), .infer = infer_random_like,
   .lower = lower_random},
  {.name = "RandomUniformLike", .rows = uniform_like_rows,
   .nrow = COUNT(uniform_like_rows), .infer = infer_random_like,
   .lower = lower_random},
  {.name = "Bernoulli", .rows = bernoulli_rows, .nrow = COUNT(bernoulli_rows),
   .infer = infer_bernoulli, .lower = lower_bernoulli},
  {.name = "Multinomial", .rows = multinomial_rows,
   .nrow = COUNT(multinomial_rows), .infer = infer_multinomial,
   .lower = lower_multinomial},
};
OPS_DEFINE(random, defs)
