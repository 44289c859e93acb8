/* SPDX-License-Identifier: Apache-2.0 */
/* fake_dnn_run.cpp: executes a graph of operations, one after the other, by
 * the documents' formulas in double, on strided tensors. */
#include "fake_dnn.h"

namespace o2c_fake {
namespace {

enum { axes = 5 };
typedef int64_t place[axes];

/* A tensor while a graph runs; missing axes, before the first, are 1. */
struct dnn_tensor {
  element type;
  int64_t uid, align;
  bool inside, by_value;
  place dim, stride;
  void *p;
  std::vector<char> own; /* of one inside of the graph */

  int64_t at(const int64_t *i) const
  {
    int64_t k = 0;
    for (int a = 0; a < axes; a++)
      k += (dim[a] == 1 ? 0 : i[a]) * stride[a];
    return k;
  }
  double read(const int64_t *i) const { return load(type, p, at(i)); }
  void write(const int64_t *i, double v) { store(type, p, at(i), v); }
  size_t bytes() const
  {
    int64_t last = 0;
    for (int a = 0; a < axes; a++)
      last += (dim[a] - 1) * stride[a];
    return (size_t)(last + 1) * element_size(type);
  }
};
typedef std::map<const dnn_object *, dnn_tensor> tensors;

element element_of(int type)
{
  switch (type) {
  case CUDNN_DATA_FLOAT:
    return f32;
  case CUDNN_DATA_HALF:
    return f16;
  case CUDNN_DATA_BFLOAT16:
    return bf16;
  case CUDNN_DATA_INT32:
    return i32;
  case CUDNN_DATA_BOOLEAN:
    return boolean;
  }
  misuse("cuDNN: a type that is not expected");
}

dnn_tensor tensor_of(const dnn_object *d)
{
  dnn_tensor t = {};
  int64_t rank = d->count(CUDNN_ATTR_TENSOR_DIMENSIONS);
  t.type = element_of(d->get<int32_t>(CUDNN_ATTR_TENSOR_DATA_TYPE));
  t.uid = d->get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  t.align = d->get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  t.inside = d->count(CUDNN_ATTR_TENSOR_IS_VIRTUAL) &&
             d->get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL);
  t.by_value = d->count(CUDNN_ATTR_TENSOR_IS_BY_VALUE) &&
               d->get<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE);
  for (int a = 0; a < axes; a++) {
    int64_t from = a - (axes - rank);
    t.dim[a] = t.stride[a] = 1;
    if (from < 0)
      continue;
    t.dim[a] = d->get<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, from);
    t.stride[a] = d->get<int64_t>(CUDNN_ATTR_TENSOR_STRIDES, from);
    if (t.dim[a] < 1 || t.stride[a] < 1)
      misuse("cuDNN: a tensor with a dimension or a stride below 1");
  }
  return t;
}

/* Calls f for every place of a shape. */
template <class F> void each(const int64_t *dim, F f)
{
  place i = { 0 };
  int a;
  do {
    f(i);
    for (a = axes - 1; a >= 0 && ++i[a] == dim[a]; a--)
      i[a] = 0;
  } while (a >= 0);
}

double apply(int mode, double x, double b, const dnn_object *how)
{
  double lower, upper;
  switch (mode) {
  case CUDNN_POINTWISE_ADD:
    return x + b;
  case CUDNN_POINTWISE_SUB:
    return x - b;
  case CUDNN_POINTWISE_MUL:
    return x * b;
  case CUDNN_POINTWISE_DIV:
    return x / b;
  case CUDNN_POINTWISE_EXP:
    return exp(x);
  case CUDNN_POINTWISE_LOG:
    return log(x);
  case CUDNN_POINTWISE_CMP_GE:
    return x >= b;
  case CUDNN_POINTWISE_RELU_FWD:
    lower = how->get<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP);
    upper = how->get<double>(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP);
    return x < lower ? lower : x > upper ? upper : x;
  }
  misuse("cuDNN: pointwise mode %d", mode);
}

void run_pointwise(const dnn_object *op, tensors &all)
{
  const dnn_object *how = op->part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  const dnn_object *b = op->part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
  const dnn_object *which = op->part(CUDNN_ATTR_OPERATION_POINTWISE_TDESC);
  dnn_tensor &x = all.at(op->part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
  dnn_tensor &y = all.at(op->part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
  int mode = how->get<int32_t>(CUDNN_ATTR_POINTWISE_MODE);
  int64_t axis = 0;
  if (mode == CUDNN_POINTWISE_GEN_INDEX)
    axis = how->get<int64_t>(CUDNN_ATTR_POINTWISE_AXIS) + axes -
           op->part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC)
             ->count(CUDNN_ATTR_TENSOR_DIMENSIONS);
  each(y.dim, [&](const int64_t *i) {
    if (mode == CUDNN_POINTWISE_GEN_INDEX)
      y.write(i, (double)i[axis]);
    else if (mode == CUDNN_POINTWISE_BINARY_SELECT)
      y.write(i, all.at(which).read(i) != 0 ? x.read(i) : all.at(b).read(i));
    else
      y.write(i, apply(mode, x.read(i), b ? all.at(b).read(i) : 0, how));
  });
}

/* Heads of the second factor may be fewer: each then serves some. */
void run_matmul(const dnn_object *op, tensors &all)
{
  dnn_tensor &a = all.at(op->part(CUDNN_ATTR_OPERATION_MATMUL_ADESC));
  dnn_tensor &b = all.at(op->part(CUDNN_ATTR_OPERATION_MATMUL_BDESC));
  dnn_tensor &c = all.at(op->part(CUDNN_ATTR_OPERATION_MATMUL_CDESC));
  int64_t depth = a.dim[4], heads = c.dim[2] / b.dim[2];
  if (b.dim[3] != depth || c.dim[3] != a.dim[3] || c.dim[4] != b.dim[4] ||
      c.dim[2] % b.dim[2])
    misuse("cuDNN: matrices that do not fit");
  each(c.dim, [&](const int64_t *i) {
    double sum = 0;
    for (int64_t k = 0; k < depth; k++) {
      place x = { i[0], i[1], i[2], i[3], k };
      place w = { i[0], i[1], i[2] / heads, k, i[4] };
      sum += a.read(x) * b.read(w);
    }
    c.write(i, sum);
  });
}

void run_reduction(const dnn_object *op, tensors &all)
{
  const dnn_object *how = op->part(CUDNN_ATTR_OPERATION_REDUCTION_DESC);
  dnn_tensor &x = all.at(op->part(CUDNN_ATTR_OPERATION_REDUCTION_XDESC));
  dnn_tensor &y = all.at(op->part(CUDNN_ATTR_OPERATION_REDUCTION_YDESC));
  bool most = how->get<int32_t>(CUDNN_ATTR_REDUCTION_OPERATOR) ==
              CUDNN_REDUCE_TENSOR_MAX;
  each(y.dim, [&](const int64_t *i) { y.write(i, most ? -INFINITY : 0); });
  each(x.dim, [&](const int64_t *i) {
    double v = x.read(i), old = y.read(i);
    y.write(i, !most ? old + v : v > old ? v : old);
  });
}

void run_convolution(const dnn_object *op, tensors &all)
{
  const dnn_object *how =
    op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
  dnn_tensor &x = all.at(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
  dnn_tensor &w = all.at(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
  dnn_tensor &y = all.at(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
  int64_t n = how->get<int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
  int first = axes - (int)n; /* spatial axis */
  int64_t step[3], dilation[3], before[3];
  for (int k = 0; k < n; k++) {
    step[k] = how->get<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, k);
    dilation[k] = how->get<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS, k);
    before[k] = how->get<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, k);
    int64_t room = x.dim[first + k] + before[k] - 1 +
                   how->get<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, k) -
                   (w.dim[first + k] - 1) * dilation[k];
    if (y.dim[first + k] != room / step[k] + 1)
      misuse("cuDNN: a convolution whose output has another size");
  }
  int channel = first - 1;
  int64_t groups = x.dim[channel] / w.dim[channel];
  int64_t share = y.dim[channel] / groups;
  place window;
  memcpy(window, w.dim, sizeof window);
  window[first - 2] = 1;
  each(y.dim, [&](const int64_t *i) {
    double sum = 0;
    each(window, [&](const int64_t *j) {
      place from = { 0 }, tap;
      bool seen = true;
      memcpy(tap, j, sizeof tap);
      tap[first - 2] = i[channel];
      from[first - 2] = i[first - 2];
      from[channel] = i[channel] / share * w.dim[channel] + j[channel];
      for (int k = 0; k < n; k++) {
        int a = first + k;
        from[a] = i[a] * step[k] - before[k] + j[a] * dilation[k];
        seen = seen && from[a] >= 0 && from[a] < x.dim[a];
      }
      if (seen)
        sum += x.read(from) * w.read(tap);
    });
    y.write(i, sum);
  });
}

void run_op(const dnn_object *op, tensors &all)
{
  switch (op->kind) {
  case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
    return run_pointwise(op, all);
  case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR:
    return run_matmul(op, all);
  case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR:
    return run_reduction(op, all);
  case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    return run_convolution(op, all);
  }
  misuse("cuDNN: an operation of kind %d", op->kind);
}

/* A tensor's memory: what the pack has for its number. */
void bind(dnn_tensor &t, const dnn_object *pack)
{
  int64_t n = pack->count(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS), k = 0;
  if (t.inside) {
    t.own.resize(t.bytes());
    return;
  }
  while (k < n &&
         pack->get<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, k) != t.uid)
    k++;
  if (k == n)
    misuse("cuDNN: tensor %d has no pointer", (int)t.uid);
  t.p = pack->get<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, k);
  if (t.by_value) {
    t.own.assign((char *)t.p, (char *)t.p + element_size(t.type));
    return;
  }
  if (side_of("cudnnBackendExecute", t.p, t.bytes()) != side_device)
    misuse("cuDNN: tensor %d is not on the device", (int)t.uid);
  if (t.align < 1 || (uintptr_t)t.p % (uintptr_t)t.align)
    misuse("cuDNN: tensor %d is not aligned to %d, as promised", (int)t.uid,
           (int)t.align);
}

/* The graph's tensors: parts of operations. */
void gather(const dnn_object *graph, const dnn_object *pack, tensors &all)
{
  int64_t n = graph->count(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  for (int64_t i = 0; i < n; i++)
    for (auto &v : graph->part(CUDNN_ATTR_OPERATIONGRAPH_OPS, i)->value) {
      const dnn_object *d = NULL;
      if (v.second.second.size() != sizeof d)
        continue;
      memcpy(&d, v.second.second.data(), sizeof d);
      if (d->kind != CUDNN_BACKEND_TENSOR_DESCRIPTOR || all.count(d))
        continue;
      all[d] = tensor_of(d);
      bind(all[d], pack);
    }
}

} // namespace
} // namespace o2c_fake

using namespace o2c_fake;

/* Tensors are described once, as the pack and the values are gone later. The
 * graph and its operations must stay as long as the plan does. */
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle,
                                  cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack)
{
  const dnn_object *p = (const dnn_object *)plan;
  const dnn_object *v = (const dnn_object *)pack;
  std::shared_ptr<tensors> all = std::make_shared<tensors>();
  void *scratch;
  if (!p->finished || !v->finished)
    misuse("cuDNN: a plan or a pack that is not finished");
  if (trip())
    return CUDNN_STATUS_EXECUTION_FAILED;
  gather(p->graph, v, *all);
  scratch = v->get<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  if (side_of("cudnnBackendExecute", scratch, 4096) != side_device)
    misuse("cuDNN: the workspace is not on the device");
  const dnn_object *graph = p->graph;
  enqueue("cudnnBackendExecute", ((dnn_handle *)handle)->stream, [=] {
    memset(scratch, 0xaa, 4096);
    for (auto &t : *all)
      if (t.second.own.size())
        t.second.p = t.second.own.data();
    int64_t n = graph->count(CUDNN_ATTR_OPERATIONGRAPH_OPS);
    for (int64_t i = 0; i < n; i++)
      run_op(graph->part(CUDNN_ATTR_OPERATIONGRAPH_OPS, i), *all);
  });
  return CUDNN_STATUS_SUCCESS;
}
