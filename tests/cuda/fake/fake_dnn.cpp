/* SPDX-License-Identifier: Apache-2.0 */
/* fake_dnn.cpp: cuDNN's backend: descriptors with attributes, each held to the
 * type that the documents give it, heuristics that name four engines, of which
 * two can't be had, and plans. fake_dnn_run.cpp does what a graph says. */
#include "fake_dnn.h"

namespace o2c_fake {

size_t attribute_size(cudnnBackendAttributeType_t t)
{
  switch (t) {
  case CUDNN_TYPE_INT64:
  case CUDNN_TYPE_DOUBLE:
    return 8;
  case CUDNN_TYPE_BOOLEAN:
    return sizeof(bool);
  case CUDNN_TYPE_VOID_PTR:
  case CUDNN_TYPE_HANDLE:
  case CUDNN_TYPE_BACKEND_DESCRIPTOR:
    return sizeof(void *);
  default:
    return 4; /* enumerations and f32 */
  }
}

namespace {

const int tensor_kind = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
const int64_t many = 64;

/* Whose attribute it is, of which type, and how many elements at most. */
struct rule {
  int kind, name, type;
  int64_t most;
};
const rule rules[] = {
#define RULE(kind, name, type, most) \
  { CUDNN_BACKEND_##kind##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type, \
    most },
#define PART(kind, name) RULE(kind, name, BACKEND_DESCRIPTOR, 1)
  RULE(TENSOR, TENSOR_UNIQUE_ID, INT64, 1)
  RULE(TENSOR, TENSOR_DATA_TYPE, DATA_TYPE, 1)
  RULE(TENSOR, TENSOR_BYTE_ALIGNMENT, INT64, 1)
  RULE(TENSOR, TENSOR_DIMENSIONS, INT64, 8)
  RULE(TENSOR, TENSOR_STRIDES, INT64, 8)
  RULE(TENSOR, TENSOR_IS_VIRTUAL, BOOLEAN, 1)
  RULE(TENSOR, TENSOR_IS_BY_VALUE, BOOLEAN, 1)
  RULE(POINTWISE, POINTWISE_MODE, POINTWISE_MODE, 1)
  RULE(POINTWISE, POINTWISE_MATH_PREC, DATA_TYPE, 1)
  RULE(POINTWISE, POINTWISE_NAN_PROPAGATION, NAN_PROPOGATION, 1)
  RULE(POINTWISE, POINTWISE_RELU_LOWER_CLIP, DOUBLE, 1)
  RULE(POINTWISE, POINTWISE_RELU_UPPER_CLIP, DOUBLE, 1)
  RULE(POINTWISE, POINTWISE_AXIS, INT64, 1)
  PART(OPERATION_POINTWISE, OPERATION_POINTWISE_PW_DESCRIPTOR)
  PART(OPERATION_POINTWISE, OPERATION_POINTWISE_XDESC)
  PART(OPERATION_POINTWISE, OPERATION_POINTWISE_BDESC)
  PART(OPERATION_POINTWISE, OPERATION_POINTWISE_TDESC)
  PART(OPERATION_POINTWISE, OPERATION_POINTWISE_YDESC)
  RULE(MATMUL, MATMUL_COMP_TYPE, DATA_TYPE, 1)
  PART(OPERATION_MATMUL, OPERATION_MATMUL_ADESC)
  PART(OPERATION_MATMUL, OPERATION_MATMUL_BDESC)
  PART(OPERATION_MATMUL, OPERATION_MATMUL_CDESC)
  PART(OPERATION_MATMUL, OPERATION_MATMUL_DESC)
  RULE(REDUCTION, REDUCTION_OPERATOR, REDUCTION_OPERATOR_TYPE, 1)
  RULE(REDUCTION, REDUCTION_COMP_TYPE, DATA_TYPE, 1)
  PART(OPERATION_REDUCTION, OPERATION_REDUCTION_XDESC)
  PART(OPERATION_REDUCTION, OPERATION_REDUCTION_YDESC)
  PART(OPERATION_REDUCTION, OPERATION_REDUCTION_DESC)
  RULE(CONVOLUTION, CONVOLUTION_COMP_TYPE, DATA_TYPE, 1)
  RULE(CONVOLUTION, CONVOLUTION_CONV_MODE, CONVOLUTION_MODE, 1)
  RULE(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, INT64, 1)
  RULE(CONVOLUTION, CONVOLUTION_DILATIONS, INT64, 3)
  RULE(CONVOLUTION, CONVOLUTION_FILTER_STRIDES, INT64, 3)
  RULE(CONVOLUTION, CONVOLUTION_PRE_PADDINGS, INT64, 3)
  RULE(CONVOLUTION, CONVOLUTION_POST_PADDINGS, INT64, 3)
  PART(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_CONV_DESC)
  PART(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_X)
  PART(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_W)
  PART(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_Y)
  RULE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_ALPHA,
       FLOAT, 1)
  RULE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_BETA,
       FLOAT, 1)
  RULE(OPERATIONGRAPH, OPERATIONGRAPH_OPS, BACKEND_DESCRIPTOR, many)
  RULE(OPERATIONGRAPH, OPERATIONGRAPH_HANDLE, HANDLE, 1)
  PART(ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH)
  RULE(ENGINEHEUR, ENGINEHEUR_MODE, HEUR_MODE, 1)
  RULE(EXECUTION_PLAN, EXECUTION_PLAN_HANDLE, HANDLE, 1)
  PART(EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG)
  RULE(VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, INT64, many)
  RULE(VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, VOID_PTR, many)
  RULE(VARIANT_PACK, VARIANT_PACK_WORKSPACE, VOID_PTR, 1)
};

/* What a descriptor must have to be finished. */
const int needed[][2] = {
#define NEED(kind, name) \
  { CUDNN_BACKEND_##kind##_DESCRIPTOR, CUDNN_ATTR_##name },
  NEED(TENSOR, TENSOR_UNIQUE_ID)
  NEED(TENSOR, TENSOR_DATA_TYPE)
  NEED(TENSOR, TENSOR_BYTE_ALIGNMENT)
  NEED(TENSOR, TENSOR_DIMENSIONS)
  NEED(TENSOR, TENSOR_STRIDES)
  NEED(POINTWISE, POINTWISE_MODE)
  NEED(POINTWISE, POINTWISE_MATH_PREC)
  NEED(OPERATION_POINTWISE, OPERATION_POINTWISE_PW_DESCRIPTOR)
  NEED(OPERATION_POINTWISE, OPERATION_POINTWISE_XDESC)
  NEED(OPERATION_POINTWISE, OPERATION_POINTWISE_YDESC)
  NEED(MATMUL, MATMUL_COMP_TYPE)
  NEED(OPERATION_MATMUL, OPERATION_MATMUL_ADESC)
  NEED(OPERATION_MATMUL, OPERATION_MATMUL_BDESC)
  NEED(OPERATION_MATMUL, OPERATION_MATMUL_CDESC)
  NEED(OPERATION_MATMUL, OPERATION_MATMUL_DESC)
  NEED(REDUCTION, REDUCTION_OPERATOR)
  NEED(REDUCTION, REDUCTION_COMP_TYPE)
  NEED(OPERATION_REDUCTION, OPERATION_REDUCTION_XDESC)
  NEED(OPERATION_REDUCTION, OPERATION_REDUCTION_YDESC)
  NEED(OPERATION_REDUCTION, OPERATION_REDUCTION_DESC)
  NEED(CONVOLUTION, CONVOLUTION_COMP_TYPE)
  NEED(CONVOLUTION, CONVOLUTION_CONV_MODE)
  NEED(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS)
  NEED(CONVOLUTION, CONVOLUTION_DILATIONS)
  NEED(CONVOLUTION, CONVOLUTION_FILTER_STRIDES)
  NEED(CONVOLUTION, CONVOLUTION_PRE_PADDINGS)
  NEED(CONVOLUTION, CONVOLUTION_POST_PADDINGS)
  NEED(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_CONV_DESC)
  NEED(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_X)
  NEED(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_W)
  NEED(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_Y)
  NEED(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_ALPHA)
  NEED(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_BETA)
  NEED(OPERATIONGRAPH, OPERATIONGRAPH_OPS)
  NEED(OPERATIONGRAPH, OPERATIONGRAPH_HANDLE)
  NEED(ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH)
  NEED(ENGINEHEUR, ENGINEHEUR_MODE)
  NEED(EXECUTION_PLAN, EXECUTION_PLAN_HANDLE)
  NEED(EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG)
  NEED(VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS)
  NEED(VARIANT_PACK, VARIANT_PACK_DATA_POINTERS)
};

const rule *find_rule(int kind, int name)
{
  for (const rule &r : rules)
    if (r.kind == kind && r.name == name)
      return &r;
  misuse("cuDNN: a descriptor of kind %d has no attribute %d", kind, name);
}

/* Engines by number: 0 wants more memory than anyone has, 1 can't be made. */
const int64_t engines = 4;

bool graph_too_long(const dnn_object *graph)
{
  const char *most = getenv("O2C_FAKE_OPS");
  return most && graph->count(CUDNN_ATTR_OPERATIONGRAPH_OPS) > atol(most);
}

int64_t name_engines(const dnn_object *heuristic, int64_t room, void *to)
{
  dnn_object *graph = heuristic->part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  int64_t n = graph_too_long(graph) ? 0 : room < engines ? room : engines;
  for (int64_t i = 0; i < n; i++) {
    dnn_object *config = ((dnn_object **)to)[i];
    if (!config || config->kind != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
      misuse("cuDNN: results of a heuristic need descriptors of engines");
    config->engine = (int)i;
    config->graph = graph;
    config->finished = true;
  }
  return n;
}

} // namespace
} // namespace o2c_fake

using namespace o2c_fake;

/* ---- handles ---- */

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
  outside("cudnnCreate");
  if (trip())
    return CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  *handle = (cudnnHandle_t) new dnn_handle();
  born();
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
  delete (dnn_handle *)handle;
  died();
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
  if (trip())
    return CUDNN_STATUS_BAD_PARAM;
  ((dnn_handle *)handle)->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

size_t cudnnGetVersion(void)
{
  return CUDNN_VERSION;
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
  (void)status;
  return "cuDNN failed";
}

void cudnnGetLastErrorString(char *text, size_t size)
{
  snprintf(text, size, "cuDNN said so");
}

/* ---- descriptors ---- */

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t kind,
                                           cudnnBackendDescriptor_t *to)
{
  if (trip()) {
    *to = NULL;
    return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
  }
  dnn_object *d = new dnn_object();
  d->kind = kind;
  *to = d;
  born();
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t what)
{
  delete (dnn_object *)what;
  died();
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t what,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type,
                                       int64_t n, const void *value)
{
  dnn_object *d = (dnn_object *)what;
  if (!d || d->finished)
    misuse("cuDNN: attribute %d is set in nothing, or too late", (int)name);
  const rule *r = find_rule(d->kind, name);
  if (type != r->type || n < 1 || n > r->most)
    misuse("cuDNN: attribute %d: type %d, %d elements", (int)name, (int)type,
           (int)n);
  if (trip())
    return CUDNN_STATUS_BAD_PARAM;
  size_t bytes = attribute_size(type) * (size_t)n;
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
    for (int64_t i = 0; i < n; i++)
      if (!((dnn_object *const *)value)[i] ||
          !((dnn_object *const *)value)[i]->finished)
        misuse("cuDNN: attribute %d is not finished", (int)name);
  d->value[name] = { (int64_t)n, std::string((const char *)value, bytes) };
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t what)
{
  dnn_object *d = (dnn_object *)what;
  for (const int *n : needed)
    if (n[0] == d->kind && !d->value.count(n[1]))
      misuse("cuDNN: a descriptor of kind %d lacks attribute %d", d->kind,
             n[1]);
  if (trip())
    return CUDNN_STATUS_BAD_PARAM;
  if (d->kind == tensor_kind && d->count(CUDNN_ATTR_TENSOR_DIMENSIONS) !=
                                  d->count(CUDNN_ATTR_TENSOR_STRIDES))
    misuse("cuDNN: a tensor of as many strides as dimensions, please");
  if (d->kind == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    dnn_object *config = d->part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    d->engine = config->engine;
    d->graph = config->graph;
    if (d->engine == 1)
      return CUDNN_STATUS_NOT_SUPPORTED;
  }
  d->finished = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const what,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type,
                                       int64_t room, int64_t *n, void *to)
{
  dnn_object *d = (dnn_object *)what;
  int64_t bytes;
  if (!d->finished)
    misuse("cuDNN: attribute %d of what is not finished", (int)name);
  if (trip())
    return CUDNN_STATUS_INTERNAL_ERROR;
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS &&
      type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    *n = name_engines(d, room, to);
  } else if (name == CUDNN_ATTR_ENGINECFG_ENGINE &&
             type == CUDNN_TYPE_BACKEND_DESCRIPTOR && room == 1) {
    (*(dnn_object **)to)->engine = d->engine;
    (*(dnn_object **)to)->finished = true;
    *n = 1;
  } else if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE &&
             type == CUDNN_TYPE_NUMERICAL_NOTE) {
    *n = d->engine == 0;
    if (*n && room)
      *(cudnnBackendNumericalNote_t *)to = CUDNN_NUMERICAL_NOTE_WINOGRAD;
  } else if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE &&
             type == CUDNN_TYPE_INT64 && room == 1) {
    bytes = d->engine == 0 ? (int64_t)1 << 40 : 4096;
    memcpy(to, &bytes, sizeof bytes);
    *n = 1;
  } else {
    misuse("cuDNN: attribute %d is asked for", (int)name);
  }
  return CUDNN_STATUS_SUCCESS;
}
