/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_dnn.c: convolutions and attention for models on a GPU, by cuDNN. A
 * call is described as a graph of operations, once for each of its sizes; its
 * plan is kept and run from then on. */
#include "o2c_cuda_graph.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DNN_STAGES 5 /* graphs of a call */

typedef struct {
  dnn_graph graph[DNN_STAGES];
  int n;
  float hi, scale, nothing;
  int32_t rows, columns;
} dnn_call;

/* A convolution as cuDNN wants it, with two spatial axes at least, and what is
 * done to its products, step by step. */
typedef enum {
  DNN_CONV,
  DNN_ADD_RESIDUAL,
  DNN_ADD_BIAS,
  DNN_RELU
} dnn_step;
typedef struct {
  cudnnDataType_t type;
  dnn_shape x, w, y, bias;
  dnn_window window;
  const void *at[DNN_UIDS];
  dnn_step step[4];
  int nstep;
} dnn_conv;

/* Keeps what went wrong with a graph as the run's error. */
static void report(o2c_cuda *cu, const dnn_graph *g)
{
  o2c_status status = O2C_E_DEVICE;
  if (g->status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
      g->status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
    status = O2C_E_WORKSPACE;
  o2c_cuda_fail(cu, status, g->call,
                g->why[0] ? g->why : cudnnGetErrorString(g->status));
}

static void drop(void *what)
{
  dnn_call *call = (dnn_call *)what;
  int i;
  for (i = 0; i < DNN_STAGES; i++)
    o2c_dnn_clear(&call->graph[i]);
  free(call);
}

typedef struct {
  o2c_cuda *cu;
  dnn_graph *graph;
  void *const *at;
} dnn_trial;

static int try_plan(void *user, int i)
{
  dnn_trial *t = (dnn_trial *)user;
  return o2c_dnn_execute(t->cu, t->graph, i, t->at);
}

/* Of a new call's first graph, the plan that is best; timed only if running it
 * over again does no harm. */
static void choose(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                   dnn_graph *g, int again, void *const *at)
{
  int known = o2c_cuda_tuned(cu, plan, key);
  if (known >= 0 && known < g->nplan) {
    g->chosen = known;
  } else if (again && g->nplan > 1) {
    dnn_trial t;
    t.cu = cu;
    t.graph = g;
    t.at = at;
    g->chosen = o2c_cuda_tune(cu, g->nplan, try_plan, &t);
    o2c_cuda_tuned_keep(cu, plan, key, g->chosen);
  }
}

/* The numbers that a call's graphs read from the host. */
static void scalars(dnn_call *call, void **at)
{
  at[DNN_SCALE] = &call->scale;
  at[DNN_NOTHING] = &call->nothing;
  at[DNN_ROWS] = &call->rows;
  at[DNN_COLUMNS] = &call->columns;
}

static int run(o2c_cuda *cu, dnn_call *call, void **at)
{
  int i;
  scalars(call, at);
  for (i = 0; i < call->n; i++)
    if (!o2c_dnn_execute(cu, &call->graph[i], call->graph[i].chosen, at)) {
      report(cu, &call->graph[i]);
      return 0;
    }
  return 1;
}

static int type_of(int32_t dtype, cudnnDataType_t *type)
{
  *type = dtype == O2C_F32   ? CUDNN_DATA_FLOAT
          : dtype == O2C_F16 ? CUDNN_DATA_HALF
                             : CUDNN_DATA_BFLOAT16;
  return dtype == O2C_F32 || dtype == O2C_F16 || dtype == O2C_BF16;
}

/* ---- convolutions ---- */

/* Channels last, in cuDNN's order of axes: channels second. */
static void channels_last(dnn_shape *s, int64_t n, int64_t c, int64_t axes,
                          const int64_t *size)
{
  int64_t i, step = c;
  s->rank = axes + 2;
  s->dim[0] = n;
  s->dim[1] = c;
  s->stride[1] = 1;
  for (i = axes; i-- > 0;) {
    s->dim[2 + i] = size[i];
    s->stride[2 + i] = step;
    step *= size[i];
  }
  s->stride[0] = step;
}

static void describe(dnn_conv *c, const o2c_cuda_conv_p *p)
{
  static const int64_t unit[3] = { 1, 1, 1 };
  int64_t size[4][3], i, add = p->rank == 1;
  c->window.axes = p->rank + add;
  for (i = 0; i < c->window.axes; i++) {
    int64_t from = i - add; /* -1: the unit axis before a single one */
    size[0][i] = from < 0 ? 1 : p->in[from];
    size[1][i] = from < 0 ? 1 : p->kernel[from];
    size[2][i] = from < 0 ? 1 : p->out[from];
    c->window.stride[i] = from < 0 ? 1 : p->stride[from];
    c->window.dilation[i] = from < 0 ? 1 : p->dilation[from];
    c->window.before[i] = from < 0 ? 0 : p->before[from];
    c->window.after[i] = from < 0 ? 0 : p->after[from];
  }
  channels_last(&c->x, p->n, p->c, c->window.axes, size[0]);
  channels_last(&c->w, p->k, p->c / p->groups, c->window.axes, size[1]);
  channels_last(&c->y, p->n, p->k, c->window.axes, size[2]);
  channels_last(&c->bias, 1, p->k, c->window.axes, unit);
  c->nstep = 0;
  c->step[c->nstep++] = DNN_CONV;
  if (c->at[DNN_RESIDUAL]) /* first, as cuDNN's own fused kernels have it */
    c->step[c->nstep++] = DNN_ADD_RESIDUAL;
  if (c->at[DNN_BIAS])
    c->step[c->nstep++] = DNN_ADD_BIAS;
  if (p->lo == 0)
    c->step[c->nstep++] = DNN_RELU;
}

/* Adds to g the steps from `first` to before `end`. What follows the product
 * in a graph of its own works on y in place. */
static void add_steps(dnn_graph *g, const dnn_conv *c, int first, int end,
                      double upper)
{
  dnn_desc x = NULL;
  int i;
  for (i = first; i < end; i++) {
    dnn_desc b = NULL, y, from = x;
    if (i == first)
      from = c->step[i] == DNN_CONV
                 ? o2c_dnn_memory(g, DNN_X, c->type, &c->x, c->at[DNN_X])
                 : o2c_dnn_memory(g, DNN_Y_AGAIN, c->type, &c->y, c->at[DNN_Y]);
    y = i + 1 < end ? o2c_dnn_inside(g, CUDNN_DATA_FLOAT, &c->y)
                    : o2c_dnn_memory(g, DNN_Y, c->type, &c->y, c->at[DNN_Y]);
    switch (c->step[i]) {
    case DNN_CONV:
      b = o2c_dnn_memory(g, DNN_W, c->type, &c->w, c->at[DNN_W]);
      o2c_dnn_convolve(g, &c->window, from, b, y);
      break;
    case DNN_ADD_RESIDUAL:
      b = o2c_dnn_memory(g, DNN_RESIDUAL, c->type, &c->y, c->at[DNN_RESIDUAL]);
      break;
    case DNN_ADD_BIAS:
      b = o2c_dnn_memory(g, DNN_BIAS, c->type, &c->bias, c->at[DNN_BIAS]);
      break;
    default:
      o2c_dnn_relu(g, from, y, upper);
    }
    if (c->step[i] == DNN_ADD_RESIDUAL || c->step[i] == DNN_ADD_BIAS)
      o2c_dnn_pointwise(g, CUDNN_POINTWISE_ADD, CUDNN_DATA_FLOAT, from, b, y);
    x = y;
  }
}

/* All steps in one graph or, where no engine does that, the product and what
 * follows, or every step on its own. 0: nothing works, see graph[0]. */
static int plan_conv(const o2c_cuda *cu, dnn_call *call, const dnn_conv *c,
                     int exact, int most)
{
  double upper = call->hi < FLT_MAX ? call->hi : FLT_MAX;
  int split, i = 0, ok = 0;
  for (split = 0; split < (c->nstep < 3 ? c->nstep : 3) && !ok; split++) {
    call->n = split == 0 ? 1 : split == 1 ? 2 : c->nstep;
    for (i = 0, ok = 1; i < call->n && ok; i++) {
      dnn_graph *g = &call->graph[i];
      o2c_dnn_clear(g);
      add_steps(g, c, i, i + 1 < call->n ? i + 1 : c->nstep, upper);
      ok = o2c_dnn_plan(g, cu, exact && i == 0, i ? 1 : most);
    }
  }
  if (!ok && i > 1) { /* the one that failed last is the one to tell about */
    dnn_graph failed = call->graph[0];
    call->graph[0] = call->graph[i - 1];
    call->graph[i - 1] = failed;
  }
  return ok;
}

static void conv_key(o2c_cuda_key *key, const o2c_cuda_conv_p *p,
                     const void *const *at)
{
  int i;
  key->n = 0;
  o2c_cuda_key_add(key, 'c');
  o2c_cuda_key_add(key, p->dtype);
  o2c_cuda_key_add(key, p->rank);
  o2c_cuda_key_add(key, p->n);
  o2c_cuda_key_add(key, p->c);
  o2c_cuda_key_add(key, p->k);
  o2c_cuda_key_add(key, p->groups);
  o2c_cuda_key_add(key, p->fast != 0);
  o2c_cuda_key_float(key, p->lo);
  o2c_cuda_key_float(key, p->hi);
  for (i = 0; i < p->rank; i++) {
    o2c_cuda_key_add(key, p->in[i]);
    o2c_cuda_key_add(key, p->out[i]);
    o2c_cuda_key_add(key, p->kernel[i]);
    o2c_cuda_key_add(key, p->stride[i]);
    o2c_cuda_key_add(key, p->dilation[i]);
    o2c_cuda_key_add(key, p->before[i]);
    o2c_cuda_key_add(key, p->after[i]);
  }
  for (i = DNN_X; i <= DNN_Y; i++)
    o2c_cuda_key_add(key, o2c_cuda_alignment(at[i]));
}

/* ---- attention ---- */

static void rows_of(dnn_shape *s, int64_t b, int64_t h, int64_t rows,
                    int64_t columns, const int64_t *stride)
{
  int i;
  s->rank = 4;
  s->dim[0] = b;
  s->dim[1] = h;
  s->dim[2] = rows;
  s->dim[3] = columns;
  s->stride[3] = 1;
  s->stride[2] = stride ? stride[2] : columns;
  s->stride[1] = stride ? stride[1] : rows * columns;
  s->stride[0] = stride ? stride[0] : h * rows * columns;
  for (i = 2; i >= 0; i--) /* a mask that is the same for all */
    if (s->stride[i] == 0) {
      s->dim[i] = 1;
      s->stride[i] = s->dim[i + 1] * s->stride[i + 1];
    }
}

/* Replaces what row i must not see, the columns from i + t - s + 1 on. */
static dnn_desc add_causal(dnn_graph *g, const o2c_cuda_sdpa_p *p,
                           const dnn_shape *shape, dnn_desc score)
{
  dnn_desc row = o2c_dnn_inside(g, CUDNN_DATA_INT32, shape), column, sees,
           masked;
  o2c_dnn_index(g, score, row, 2);
  column = o2c_dnn_inside(g, CUDNN_DATA_INT32, shape);
  o2c_dnn_index(g, score, column, 3);
  if (p->s != p->t) {
    dnn_desc sum = o2c_dnn_inside(g, CUDNN_DATA_INT32, shape), difference;
    o2c_dnn_pointwise(g, CUDNN_POINTWISE_ADD, CUDNN_DATA_INT32, row,
                      o2c_dnn_scalar(g, DNN_COLUMNS, CUDNN_DATA_INT32, 4), sum);
    difference = o2c_dnn_inside(g, CUDNN_DATA_INT32, shape);
    o2c_dnn_pointwise(g, CUDNN_POINTWISE_SUB, CUDNN_DATA_INT32, sum,
                      o2c_dnn_scalar(g, DNN_ROWS, CUDNN_DATA_INT32, 4),
                      difference);
    row = difference;
  }
  sees = o2c_dnn_inside(g, CUDNN_DATA_BOOLEAN, shape);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_CMP_GE, CUDNN_DATA_BOOLEAN, row, column,
                    sees);
  masked = o2c_dnn_inside(g, CUDNN_DATA_FLOAT, shape);
  o2c_dnn_select(g, sees, score,
                 o2c_dnn_scalar(g, DNN_NOTHING, CUDNN_DATA_FLOAT, 4), masked);
  return masked;
}

/* exp(x - max) / sum of each row. Kernels are found by the whole of a pattern,
 * to which the logarithm of the sums belongs even if nothing uses it. */
static dnn_desc add_softmax(dnn_graph *g, const dnn_shape *shape,
                            const dnn_shape *row, cudnnDataType_t type,
                            dnn_desc x)
{
  const cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
  dnn_desc most = o2c_dnn_inside(g, f32, row);
  dnn_desc less = o2c_dnn_inside(g, f32, shape);
  dnn_desc e = o2c_dnn_inside(g, f32, shape);
  dnn_desc sum = o2c_dnn_inside(g, f32, row);
  dnn_desc logarithm = o2c_dnn_inside(g, f32, row);
  dnn_desc unused = o2c_dnn_inside(g, f32, row);
  dnn_desc y = o2c_dnn_inside(g, type, shape);
  o2c_dnn_reduce(g, CUDNN_REDUCE_TENSOR_MAX, x, most);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_SUB, f32, x, most, less);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_EXP, f32, less, NULL, e);
  o2c_dnn_reduce(g, CUDNN_REDUCE_TENSOR_ADD, e, sum);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_LOG, f32, sum, NULL, logarithm);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_ADD, f32, most, logarithm, unused);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_DIV, f32, e, sum, y);
  return y;
}

/* The pattern that cuDNN's fused kernels are found by. */
static void add_sdpa(dnn_graph *g, const o2c_cuda_sdpa_p *p,
                     cudnnDataType_t type, const void *const *at)
{
  dnn_shape shape, row, s;
  dnn_desc q, k, score, scaled;
  int64_t turn;
  rows_of(&shape, p->b, p->h, p->s, p->t, NULL);
  rows_of(&row, p->b, p->h, p->s, 1, NULL);
  rows_of(&s, p->b, p->h, p->s, p->d, p->q);
  q = o2c_dnn_memory(g, DNN_Q, type, &s, at[DNN_Q]);
  rows_of(&s, p->b, p->hk, p->t, p->d, p->k);
  turn = s.stride[2]; /* k is multiplied by its columns */
  s.stride[2] = 1;
  s.stride[3] = turn;
  s.dim[2] = p->d;
  s.dim[3] = p->t;
  k = o2c_dnn_memory(g, DNN_K, type, &s, at[DNN_K]);
  score = o2c_dnn_inside(g, CUDNN_DATA_FLOAT, &shape);
  o2c_dnn_matmul(g, q, k, score);
  scaled = o2c_dnn_inside(g, CUDNN_DATA_FLOAT, &shape);
  o2c_dnn_pointwise(g, CUDNN_POINTWISE_MUL, CUDNN_DATA_FLOAT, score,
                    o2c_dnn_scalar(g, DNN_SCALE, CUDNN_DATA_FLOAT, 4), scaled);
  if (at[DNN_MASK]) {
    dnn_desc sum = o2c_dnn_inside(g, CUDNN_DATA_FLOAT, &shape);
    rows_of(&s, p->b, p->h, p->s, p->t, p->mask);
    o2c_dnn_pointwise(g, CUDNN_POINTWISE_ADD, CUDNN_DATA_FLOAT, scaled,
                      o2c_dnn_memory(g, DNN_MASK, type, &s, at[DNN_MASK]), sum);
    scaled = sum;
  }
  if (p->causal)
    scaled = add_causal(g, p, &shape, scaled);
  scaled = add_softmax(g, &shape, &row, type, scaled);
  rows_of(&s, p->b, p->hk, p->t, p->dv, p->v);
  k = o2c_dnn_memory(g, DNN_V, type, &s, at[DNN_V]);
  rows_of(&s, p->b, p->h, p->s, p->dv, p->y);
  o2c_dnn_matmul(g, scaled, k, o2c_dnn_memory(g, DNN_Y, type, &s, at[DNN_Y]));
}

static void sdpa_key(o2c_cuda_key *key, const o2c_cuda_sdpa_p *p,
                     const void *const *at)
{
  int i;
  key->n = 0;
  o2c_cuda_key_add(key, 'a');
  o2c_cuda_key_add(key, p->dtype);
  o2c_cuda_key_add(key, p->causal != 0);
  o2c_cuda_key_add(key, p->b);
  o2c_cuda_key_add(key, p->h);
  o2c_cuda_key_add(key, p->hk);
  o2c_cuda_key_add(key, p->s);
  o2c_cuda_key_add(key, p->t);
  o2c_cuda_key_add(key, p->d);
  o2c_cuda_key_add(key, p->dv);
  o2c_cuda_key_float(key, p->scale);
  for (i = 0; i < 3; i++) {
    o2c_cuda_key_add(key, p->q[i]);
    o2c_cuda_key_add(key, p->k[i]);
    o2c_cuda_key_add(key, p->v[i]);
    o2c_cuda_key_add(key, p->y[i]);
    o2c_cuda_key_add(key, at[DNN_MASK] ? p->mask[i] : 0);
  }
  for (i = DNN_Y; i <= DNN_MASK; i++)
    o2c_cuda_key_add(key, o2c_cuda_alignment(at[i]));
}

/* ---- calls ---- */

static dnn_call *new_call(o2c_cuda *cu)
{
  dnn_call *call;
  if (!o2c_cuda_dnn(cu))
    return NULL;
  call = (dnn_call *)calloc(1, sizeof *call);
  if (!call)
    o2c_cuda_fail(cu, O2C_E_WORKSPACE, "a plan of cuDNN",
                  "the host has no memory");
  return call;
}

static int most_plans(const o2c_cuda *cu, unsigned plan,
                      const o2c_cuda_key *key)
{
  int known = o2c_cuda_tuned(cu, plan, key);
  if (!cu->tuned_path)
    return 1;
  return known >= 0 && known < O2C_CUDA_TRIES ? known + 1 : O2C_CUDA_TRIES;
}

/* Keeps a new call that has plans, or tells why it has none. */
static dnn_call *keep(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                      dnn_call *call, int ok)
{
  if (!ok) {
    report(cu, &call->graph[0]);
    drop(call);
    return NULL;
  }
  return o2c_cuda_plan_keep(cu, plan, key, call, drop) ? call : NULL;
}

void o2c_cuda_conv(o2c_cuda *cu, unsigned plan, const o2c_cuda_conv_p *p,
                   const void *x, const void *w, const void *bias,
                   const void *residual, void *y)
{
  o2c_cuda_key key;
  dnn_conv c;
  dnn_call *call;
  void *at[DNN_UIDS];
  int i, empty;
  memset(&c, 0, sizeof c);
  c.at[DNN_X] = x;
  c.at[DNN_W] = w;
  c.at[DNN_BIAS] = bias;
  c.at[DNN_RESIDUAL] = residual;
  c.at[DNN_Y] = c.at[DNN_Y_AGAIN] = y;
  if (cu->status != O2C_OK)
    return;
  if (!type_of(p->dtype, &c.type) || p->rank < 1 || p->rank > 3 ||
      p->groups < 1 ||
      (p->lo != 0 && (p->lo > -INFINITY || p->hi < INFINITY))) {
    o2c_cuda_fail(cu, O2C_E_ARG, "o2c_cuda_conv", "sizes that make no sense");
    return;
  }
  empty = p->n == 0 || p->k == 0;
  for (i = 0; i < p->rank; i++)
    empty |= p->out[i] == 0;
  if (empty) /* the run tells; cuDNN has no such tensors */
    return;
  memcpy(at, c.at, sizeof at);
  conv_key(&key, p, c.at);
  call = (dnn_call *)o2c_cuda_plan_find(cu, plan, &key);
  if (!call && cu->status == O2C_OK && (call = new_call(cu)) != NULL) {
    call->hi = p->hi;
    describe(&c, p);
    call = keep(cu, plan, &key, call,
                plan_conv(cu, call, &c, p->dtype == O2C_F32 && !p->fast,
                          most_plans(cu, plan, &key)));
    if (call)
      choose(cu, plan, &key, &call->graph[0], residual != y, at);
  }
  if (call)
    run(cu, call, at);
}

/* 0: cuDNN has none, and graph[0] tells why. */
static int plan_sdpa(const o2c_cuda *cu, dnn_call *call,
                     const o2c_cuda_sdpa_p *p, cudnnDataType_t type,
                     const void *const *at, int most)
{
  call->n = 1;
  call->scale = p->scale;
  call->nothing = -INFINITY;
  call->rows = (int32_t)p->s;
  call->columns = (int32_t)p->t;
  add_sdpa(&call->graph[0], p, type, at);
  return o2c_dnn_plan(&call->graph[0], cu, 0, most);
}

/* A new call; where cuDNN has no kernel for it, one of no graphs, which tells
 * that the next time. */
static dnn_call *prepare_sdpa(o2c_cuda *cu, unsigned plan,
                              const o2c_cuda_key *key,
                              const o2c_cuda_sdpa_p *p, cudnnDataType_t type,
                              void **at)
{
  dnn_call *call = new_call(cu);
  dnn_graph *g;
  int ok;
  if (!call)
    return NULL;
  g = &call->graph[0];
  ok = plan_sdpa(cu, call, p, type, (const void *const *)at,
                 most_plans(cu, plan, key));
  if (!ok &&
      g->status / 1000 == (cudnnStatus_t)CUDNN_STATUS_NOT_SUPPORTED / 1000) {
    o2c_dnn_clear(g);
    call->n = 0;
    ok = 1;
  }
  call = keep(cu, plan, key, call, ok);
  if (call && call->n > 0) {
    scalars(call, at);
    choose(cu, plan, key, g, 1, at);
  }
  return call;
}

int o2c_cuda_sdpa(o2c_cuda *cu, unsigned plan, const o2c_cuda_sdpa_p *p,
                  const void *q, const void *k, const void *v, const void *mask,
                  void *y)
{
  o2c_cuda_key key;
  cudnnDataType_t type;
  dnn_call *call;
  const void *from[DNN_UIDS];
  void *at[DNN_UIDS];
  if (cu->status != O2C_OK)
    return 1;
  if (!type_of(p->dtype, &type) || type == CUDNN_DATA_FLOAT) {
    o2c_cuda_fail(cu, O2C_E_ARG, "o2c_cuda_sdpa",
                  "cuDNN's attention takes half types only");
    return 1;
  }
  memset(from, 0, sizeof from);
  from[DNN_Q] = q;
  from[DNN_K] = k;
  from[DNN_V] = v;
  from[DNN_MASK] = mask;
  from[DNN_Y] = y;
  memcpy(at, from, sizeof at);
  sdpa_key(&key, p, from);
  call = (dnn_call *)o2c_cuda_plan_find(cu, plan, &key);
  if (!call && cu->status == O2C_OK)
    call = prepare_sdpa(cu, plan, &key, p, type, at);
  if (call && call->n == 0)
    return 0;
  if (call)
    run(cu, call, at);
  return 1;
}
