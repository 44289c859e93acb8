/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_graph.c: graphs of operations for cuDNN: their parts, then plans of
 * them. The first engine that takes a graph, keeps to the precision asked for,
 * and needs no more memory than the scratch, makes the plan; for the file of
 * tuned choices, the first few make one each. */
#include "o2c_cuda_graph.h"

#include <stdbool.h>
#include <string.h>

#define DNN_RESULTS 64 /* engines that a heuristic may name */

/* ---- descriptors ---- */

static void note(dnn_graph *g, cudnnStatus_t status, const char *call)
{
  if (status == CUDNN_STATUS_SUCCESS || g->status != CUDNN_STATUS_SUCCESS)
    return;
  g->status = status;
  g->call = call;
  g->why[0] = 0;
  cudnnGetLastErrorString(g->why, sizeof g->why);
  g->why[sizeof g->why - 1] = 0;
}

static dnn_desc make(dnn_graph *g, cudnnBackendDescriptorType_t type)
{
  dnn_desc d = NULL;
  if (g->status != CUDNN_STATUS_SUCCESS)
    return NULL;
  if (g->nmade == DNN_MADE) {
    note(g, CUDNN_STATUS_BAD_PARAM, "a graph of too many parts");
    return NULL;
  }
  note(g, cudnnBackendCreateDescriptor(type, &d),
       "cudnnBackendCreateDescriptor");
  if (d)
    g->made[g->nmade++] = d;
  return d;
}

static void set(dnn_graph *g, dnn_desc d, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t n, const void *value)
{
  if (g->status == CUDNN_STATUS_SUCCESS)
    note(g, cudnnBackendSetAttribute(d, name, type, n, value),
         "cudnnBackendSetAttribute");
}

static void set_part(dnn_graph *g, dnn_desc d, cudnnBackendAttributeName_t name,
                     dnn_desc part)
{
  set(g, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &part);
}

static void finish(dnn_graph *g, dnn_desc d)
{
  if (g->status == CUDNN_STATUS_SUCCESS)
    note(g, cudnnBackendFinalize(d), "cudnnBackendFinalize");
}

void o2c_dnn_clear(dnn_graph *g)
{
  while (g->nplan)
    cudnnBackendDestroyDescriptor(g->plan[--g->nplan]);
  while (g->nmade)
    cudnnBackendDestroyDescriptor(g->made[--g->nmade]);
  memset(g, 0, sizeof *g);
}

/* ---- parts of graphs ---- */

/* align: of its memory; engines that load more at once than that are out. */
static dnn_desc tensor(dnn_graph *g, int64_t uid, cudnnDataType_t type,
                       const dnn_shape *shape, int64_t align)
{
  dnn_desc d = make(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  bool inside = uid >= DNN_INSIDE, value = uid >= DNN_SCALE && uid < DNN_UIDS;
  set(g, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid);
  set(g, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
  set(g, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align);
  set(g, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, shape->rank,
      shape->dim);
  set(g, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, shape->rank,
      shape->stride);
  if (inside)
    set(g, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &inside);
  else
    g->uid[g->nuid++] = uid;
  if (value)
    set(g, d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &value);
  finish(g, d);
  return d;
}

dnn_desc o2c_dnn_memory(dnn_graph *g, int64_t uid, cudnnDataType_t type,
                        const dnn_shape *shape, const void *p)
{
  int64_t align = o2c_cuda_alignment(p);
  return tensor(g, uid, type, shape, align < 16 ? align : 16);
}

dnn_desc o2c_dnn_inside(dnn_graph *g, cudnnDataType_t type,
                        const dnn_shape *shape)
{
  return tensor(g, DNN_INSIDE + g->ninside++, type, shape, 16);
}

dnn_desc o2c_dnn_scalar(dnn_graph *g, int64_t uid, cudnnDataType_t type,
                        int64_t rank)
{
  dnn_shape one;
  int i;
  one.rank = rank;
  for (i = 0; i < 5; i++)
    one.dim[i] = one.stride[i] = 1;
  return tensor(g, uid, type, &one, 4);
}

static void add_op(dnn_graph *g, dnn_desc op)
{
  finish(g, op);
  if (g->nop == DNN_OPS)
    note(g, CUDNN_STATUS_BAD_PARAM, "a graph of too many operations");
  else
    g->op[g->nop++] = op;
}

/* The end of all the pointwise operations. */
static void add_pointwise(dnn_graph *g, dnn_desc how, dnn_desc x, dnn_desc b,
                          dnn_desc which, dnn_desc y)
{
  dnn_desc op;
  finish(g, how);
  op = make(g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  set_part(g, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
  set_part(g, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b)
    set_part(g, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
  if (which)
    set_part(g, op, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, which);
  set_part(g, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  add_op(g, op);
}

static dnn_desc make_pointwise(dnn_graph *g, cudnnPointwiseMode_t mode,
                               cudnnDataType_t math)
{
  dnn_desc how = make(g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  set(g, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
  set(g, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &math);
  return how;
}

void o2c_dnn_pointwise(dnn_graph *g, cudnnPointwiseMode_t mode,
                       cudnnDataType_t math, dnn_desc x, dnn_desc b, dnn_desc y)
{
  add_pointwise(g, make_pointwise(g, mode, math), x, b, NULL, y);
}

void o2c_dnn_relu(dnn_graph *g, dnn_desc x, dnn_desc y, double upper)
{
  dnn_desc how = make_pointwise(g, CUDNN_POINTWISE_RELU_FWD, CUDNN_DATA_FLOAT);
  cudnnNanPropagation_t nan = CUDNN_PROPAGATE_NAN;
  double lower = 0;
  set(g, how, CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION,
      1, &nan);
  set(g, how, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, CUDNN_TYPE_DOUBLE, 1,
      &lower);
  set(g, how, CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, CUDNN_TYPE_DOUBLE, 1,
      &upper);
  add_pointwise(g, how, x, NULL, NULL, y);
}

void o2c_dnn_index(dnn_graph *g, dnn_desc x, dnn_desc y, int64_t axis)
{
  dnn_desc how = make_pointwise(g, CUDNN_POINTWISE_GEN_INDEX, CUDNN_DATA_FLOAT);
  set(g, how, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, 1, &axis);
  add_pointwise(g, how, x, NULL, NULL, y);
}

void o2c_dnn_select(dnn_graph *g, dnn_desc which, dnn_desc x, dnn_desc b,
                    dnn_desc y)
{
  add_pointwise(
      g, make_pointwise(g, CUDNN_POINTWISE_BINARY_SELECT, CUDNN_DATA_FLOAT), x,
      b, which, y);
}

void o2c_dnn_matmul(dnn_graph *g, dnn_desc a, dnn_desc b, dnn_desc c)
{
  dnn_desc how = make(g, CUDNN_BACKEND_MATMUL_DESCRIPTOR), op;
  cudnnDataType_t math = CUDNN_DATA_FLOAT;
  set(g, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &math);
  finish(g, how);
  op = make(g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  set_part(g, op, CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
  set_part(g, op, CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
  set_part(g, op, CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
  set_part(g, op, CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
  add_op(g, op);
}

void o2c_dnn_reduce(dnn_graph *g, cudnnReduceTensorOp_t mode, dnn_desc x,
                    dnn_desc y)
{
  dnn_desc how = make(g, CUDNN_BACKEND_REDUCTION_DESCRIPTOR), op;
  cudnnDataType_t math = CUDNN_DATA_FLOAT;
  set(g, how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE,
      1, &mode);
  set(g, how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &math);
  finish(g, how);
  op = make(g, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
  set_part(g, op, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
  set_part(g, op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
  set_part(g, op, CUDNN_ATTR_OPERATION_REDUCTION_DESC, how);
  add_op(g, op);
}

void o2c_dnn_convolve(dnn_graph *g, const dnn_window *c, dnn_desc x, dnn_desc w,
                      dnn_desc y)
{
  dnn_desc how = make(g, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR), op;
  cudnnDataType_t math = CUDNN_DATA_FLOAT;
  cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  float alpha = 1, beta = 0;
  set(g, how, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &math);
  set(g, how, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1,
      &mode);
  set(g, how, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1,
      &c->axes);
  set(g, how, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, c->axes,
      c->dilation);
  set(g, how, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, c->axes,
      c->stride);
  set(g, how, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, c->axes,
      c->before);
  set(g, how, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, c->axes,
      c->after);
  finish(g, how);
  op = make(g, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  set_part(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how);
  set_part(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
  set_part(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
  set_part(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
  set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT,
      1, &alpha);
  set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1,
      &beta);
  add_op(g, op);
}

/* ---- plans ---- */

/* Where plans are made for: the handle's GPU or, in a test on a machine that
 * has none, one that is described. */
static void set_device(dnn_graph *g, const o2c_cuda *cu, dnn_desc d,
                       cudnnBackendAttributeName_t handle,
                       cudnnBackendAttributeName_t described)
{
#ifdef O2C_CUDA_DESCRIBED
  (void)cu;
  (void)handle;
  set_part(g, d, described, O2C_CUDA_DESCRIBED);
#else
  (void)described;
  set(g, d, handle, CUDNN_TYPE_HANDLE, 1, &cu->dnn);
#endif
}

/* 1 if none of what the engine is noted for is in the set `never`. */
static int suits(dnn_desc config, uint32_t never)
{
  cudnnBackendNumericalNote_t list[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  dnn_desc engine = NULL;
  int64_t n = 0, i;
  int ok = cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR,
                                        &engine) == CUDNN_STATUS_SUCCESS &&
           cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n,
                                    &engine) == CUDNN_STATUS_SUCCESS &&
           cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                    CUDNN_TYPE_NUMERICAL_NOTE,
                                    CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n,
                                    list) == CUDNN_STATUS_SUCCESS;
  for (i = 0; ok && i < n && i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++)
    ok = !(never >> list[i] & 1);
  if (engine)
    cudnnBackendDestroyDescriptor(engine);
  return ok;
}

/* Makes a plan of an engine's configuration, if that can be and fits. */
static void add_plan(dnn_graph *g, const o2c_cuda *cu, dnn_desc config)
{
  int64_t bytes = 0, n = 0;
  int made = g->nmade;
  dnn_desc plan = make(g, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  set_device(g, cu, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE,
             CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
  set_part(g, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
  finish(g, plan);
  if (g->status == CUDNN_STATUS_SUCCESS)
    note(g,
         cudnnBackendGetAttribute(plan,
                                  CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                  CUDNN_TYPE_INT64, 1, &n, &bytes),
         "cudnnBackendGetAttribute");
  if (g->nmade > made)
    g->nmade = made;
  if (g->status == CUDNN_STATUS_SUCCESS && bytes > (int64_t)O2C_CUDA_SCRATCH)
    note(g, CUDNN_STATUS_NOT_SUPPORTED, "an engine that needs more memory");
  if (g->status == CUDNN_STATUS_SUCCESS)
    g->plan[g->nplan++] = plan;
  else if (plan)
    cudnnBackendDestroyDescriptor(plan);
}

/* Plans of the engines that a heuristic names, `most` in all. */
static void ask(dnn_graph *g, const o2c_cuda *cu, dnn_desc graph,
                cudnnBackendHeurMode_t mode, uint32_t never, int most)
{
  dnn_desc config[DNN_RESULTS], heuristic;
  int64_t i, n = 0, room = 0;
  heuristic = make(g, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  set_part(g, heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  set(g, heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
#ifdef O2C_CUDA_DESCRIBED
  set_part(g, heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, O2C_CUDA_DESCRIBED);
#endif
  finish(g, heuristic);
  while (g->status == CUDNN_STATUS_SUCCESS && room < DNN_RESULTS &&
         cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                      &config[room]) == CUDNN_STATUS_SUCCESS)
    room++;
  if (g->status == CUDNN_STATUS_SUCCESS)
    note(g,
         cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                  CUDNN_TYPE_BACKEND_DESCRIPTOR, room, &n,
                                  config),
         "cudnnBackendGetAttribute");
  if (g->status != CUDNN_STATUS_SUCCESS)
    n = 0;
  for (i = 0; i < room; i++) {
    int before = g->nplan;
    if (i < n && before < most && g->nmade < DNN_MADE - 1 &&
        suits(config[i], never)) {
      g->status = CUDNN_STATUS_SUCCESS;
      add_plan(g, cu, config[i]);
    }
    if (g->nplan > before)
      g->made[g->nmade++] = config[i];
    else
      cudnnBackendDestroyDescriptor(config[i]);
  }
}

/* The numerical notes that rule an engine out, as bits: always what sums in
 * less than f32; for exact f32 what rounds factors first; while others are
 * left, what transforms the tensors or sums in changing order. */
static uint32_t unwanted(int exact, int strict)
{
  uint32_t notes = 1u << CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION;
  if (exact)
    notes |= 1u << CUDNN_NUMERICAL_NOTE_TENSOR_CORE |
             1u << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
  if (strict)
    notes |= 1u << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC |
             1u << CUDNN_NUMERICAL_NOTE_FFT |
             1u << CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6 |
             1u << CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13;
  return notes;
}

int o2c_dnn_plan(dnn_graph *g, const o2c_cuda *cu, int exact, int most)
{
  dnn_desc graph = make(g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  int strict;
  set(g, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
      g->nop, g->op);
#ifndef O2C_CUDA_DESCRIBED
  set(g, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1,
      &cu->dnn);
#endif
  finish(g, graph);
  if (g->status != CUDNN_STATUS_SUCCESS)
    return 0;
  for (strict = 1; strict >= 0 && !g->nplan; strict--) {
    uint32_t never = unwanted(exact, strict);
    g->status = CUDNN_STATUS_SUCCESS;
    ask(g, cu, graph, CUDNN_HEUR_MODE_A, never, most);
    g->status = g->nplan ? g->status : CUDNN_STATUS_SUCCESS;
    if (!g->nplan)
      ask(g, cu, graph, CUDNN_HEUR_MODE_FALLBACK, never, most);
  }
  if (!g->nplan && g->status == CUDNN_STATUS_SUCCESS) {
    g->status = CUDNN_STATUS_NOT_SUPPORTED;
    if (!g->call) /* else it is the last engine that was tried */
      g->call = "cuDNN has no engine for a graph";
  }
  return g->nplan;
}

int o2c_dnn_execute(o2c_cuda *cu, dnn_graph *g, int which, void *const *at)
{
  dnn_desc pack;
  void *p[DNN_UIDS], *scratch = o2c_cuda_scratch(cu);
  int made = g->nmade, i;
  for (i = 0; i < g->nuid; i++)
    p[i] = at[g->uid[i]];
  g->status = CUDNN_STATUS_SUCCESS;
  pack = make(g, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  set(g, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, g->nuid,
      g->uid);
  set(g, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
      g->nuid, p);
  set(g, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
      &scratch);
  finish(g, pack);
  if (g->status == CUDNN_STATUS_SUCCESS)
    note(g, cudnnBackendExecute(cu->dnn, g->plan[which], pack),
         "cudnnBackendExecute");
  g->nmade = made;
  if (pack)
    cudnnBackendDestroyDescriptor(pack);
  return g->status == CUDNN_STATUS_SUCCESS;
}
