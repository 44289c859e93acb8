/* SPDX-License-Identifier: Apache-2.0 */
/* fake_blas.cpp: cuBLASLt, by its documents: matrices lie column by column, D =
 * epilogue(alpha op(A) op(B) + beta C), a bias has one number for each of D's
 * rows. An algorithm remembers what its heuristic was told of workspace and
 * alignments, and is held to it. */
#include "fake.h"

namespace o2c_fake {
namespace {

struct blas_how {
  cudaDataType_t scale;
  cublasComputeType_t compute;
  int32_t turn_a, turn_b;
  uint32_t epilogue;
  const void *bias;
};
struct blas_layout {
  cudaDataType_t type;
  int64_t rows, columns, step, batch_step;
  int32_t batch;
};
struct blas_wish {
  uint64_t bytes;
  uint32_t align[4], scheme;
};
/* What fits into cublasLtMatmulAlgo_t. */
struct blas_algo {
  uint64_t number, bytes, align[4];
};

element type_of(cudaDataType_t t)
{
  if (t != CUDA_R_32F && t != CUDA_R_16F && t != CUDA_R_16BF)
    misuse("cuBLASLt: a type that is not expected");
  return t == CUDA_R_32F ? f32 : t == CUDA_R_16F ? f16 : bf16;
}

template <class T> void take_value(T *to, const void *from, size_t bytes)
{
  if (bytes != sizeof *to)
    misuse("cuBLASLt: an attribute of %zu bytes, not %zu", bytes, sizeof *to);
  memcpy(to, from, bytes);
}

bool turned(int32_t op)
{
  if (op != CUBLAS_OP_N && op != CUBLAS_OP_T)
    misuse("cuBLASLt: an operation that is not expected");
  return op == CUBLAS_OP_T;
}

/* The sizes fit each other; D's and C's layouts are the same. */
void check_sizes(const blas_how *h, const blas_layout *a, const blas_layout *b,
                 const blas_layout *c, const blas_layout *d)
{
  int64_t m = turned(h->turn_a) ? a->columns : a->rows;
  int64_t k = turned(h->turn_a) ? a->rows : a->columns;
  int64_t kb = turned(h->turn_b) ? b->columns : b->rows;
  int64_t n = turned(h->turn_b) ? b->rows : b->columns;
  const blas_layout *all[] = { a, b, c, d };
  if (m != d->rows || n != d->columns || k != kb || c->rows != d->rows ||
      c->columns != d->columns)
    misuse("cuBLASLt: sizes of matrices that do not fit");
  for (const blas_layout *l : all) {
    if (l->rows <= 0 || l->columns <= 0 || l->step < l->rows)
      misuse("cuBLASLt: a matrix that is empty, or columns that overlap");
    if (l->batch != d->batch || l->type != d->type)
      misuse("cuBLASLt: batches or types that differ");
  }
  if (d->batch > 1 && d->batch_step < d->step * (d->columns - 1) + d->rows)
    misuse("cuBLASLt: results of a batch overlap");
  if (h->scale != CUDA_R_32F)
    misuse("cuBLASLt: scales are not f32");
}

struct blas_call {
  blas_how how;
  blas_layout a, b, c, d;
  const void *pa, *pb, *pc;
  void *pd;
  float alpha, beta;
};

double blas_sum(const blas_call &x, element e, int64_t batch, int64_t i,
                int64_t j)
{
  bool ta = turned(x.how.turn_a), tb = turned(x.how.turn_b);
  int64_t k = ta ? x.a.rows : x.a.columns;
  double sum = 0;
  for (int64_t l = 0; l < k; l++) {
    int64_t at_a = ta ? l + i * x.a.step : i + l * x.a.step;
    int64_t at_b = tb ? j + l * x.b.step : l + j * x.b.step;
    sum += load(e, x.pa, batch * x.a.batch_step + at_a) *
           load(e, x.pb, batch * x.b.batch_step + at_b);
  }
  return sum;
}

void multiply_all(const blas_call &x)
{
  element e = type_of(x.d.type);
  bool relu = x.how.epilogue & CUBLASLT_EPILOGUE_RELU;
  bool bias = x.how.epilogue & CUBLASLT_EPILOGUE_BIAS;
  for (int64_t batch = 0; batch < x.d.batch; batch++)
    for (int64_t j = 0; j < x.d.columns; j++)
      for (int64_t i = 0; i < x.d.rows; i++) {
        double v = x.alpha * blas_sum(x, e, batch, i, j);
        if (x.beta != 0)
          v += x.beta * load(e, x.pc, batch * x.c.batch_step + i +
                                        j * x.c.step);
        if (bias)
          v += load(e, x.how.bias, i);
        store(e, x.pd, batch * x.d.batch_step + i + j * x.d.step,
              relu && v < 0 ? 0 : v);
      }
}

size_t blas_bytes(const blas_layout &l)
{
  int64_t n = (l.batch - 1) * l.batch_step + (l.columns - 1) * l.step + l.rows;
  return (size_t)n * element_size(type_of(l.type));
}

void demand_device(const void *p, size_t bytes, uint64_t align)
{
  if (side_of("cublasLtMatmul", p, bytes) != side_device)
    misuse("cublasLtMatmul: a matrix that is not on the device");
  if (align && (uintptr_t)p % align)
    misuse("cublasLtMatmul: a matrix at %p, not aligned to %d as promised", p,
           (int)align);
}

template <class T> cublasStatus_t blas_new(T **to)
{
  if (trip())
    return CUBLAS_STATUS_ALLOC_FAILED;
  *to = new T();
  born();
  return CUBLAS_STATUS_SUCCESS;
}

template <class T> cublasStatus_t blas_delete(void *what)
{
  delete (T *)what;
  died();
  return CUBLAS_STATUS_SUCCESS;
}

} // namespace
} // namespace o2c_fake

using namespace o2c_fake;

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
  outside("cublasLtCreate");
  return blas_new((int **)handle);
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
  return blas_delete<int>(handle);
}

size_t cublasLtGetVersion(void)
{
  return 130000;
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
  return status == CUBLAS_STATUS_ALLOC_FAILED ? "the library has no memory"
                                              : "the library failed";
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc,
                                        cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
  blas_how *h = NULL;
  cublasStatus_t status = blas_new(&h);
  if (h) {
    h->compute = compute;
    h->scale = scale;
    h->epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  }
  *desc = (cublasLtMatmulDesc_t)h;
  return status;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc)
{
  return blas_delete<blas_how>(desc);
}

cublasStatus_t
cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                               cublasLtMatmulDescAttributes_t name,
                               const void *value, size_t bytes)
{
  blas_how *h = (blas_how *)desc;
  if (trip())
    return CUBLAS_STATUS_INVALID_VALUE;
  if (name == CUBLASLT_MATMUL_DESC_TRANSA)
    take_value(&h->turn_a, value, bytes);
  else if (name == CUBLASLT_MATMUL_DESC_TRANSB)
    take_value(&h->turn_b, value, bytes);
  else if (name == CUBLASLT_MATMUL_DESC_EPILOGUE)
    take_value(&h->epilogue, value, bytes);
  else if (name == CUBLASLT_MATMUL_DESC_BIAS_POINTER)
    take_value(&h->bias, value, bytes);
  else
    misuse("cublasLtMatmulDescSetAttribute: attribute %d", (int)name);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout,
                                          cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t step)
{
  blas_layout *l = NULL;
  cublasStatus_t status = blas_new(&l);
  if (l)
    *l = blas_layout{ type, (int64_t)rows, (int64_t)columns, step, 0, 1 };
  *layout = (cublasLtMatrixLayout_t)l;
  return status;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
  return blas_delete<blas_layout>(layout);
}

cublasStatus_t
cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                 cublasLtMatrixLayoutAttribute_t name,
                                 const void *value, size_t bytes)
{
  blas_layout *l = (blas_layout *)layout;
  if (trip())
    return CUBLAS_STATUS_INVALID_VALUE;
  if (name == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT)
    take_value(&l->batch, value, bytes);
  else if (name == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET)
    take_value(&l->batch_step, value, bytes);
  else
    misuse("cublasLtMatrixLayoutSetAttribute: attribute %d", (int)name);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *wish)
{
  blas_wish *w = NULL;
  cublasStatus_t status = blas_new(&w);
  if (w)
    *w = blas_wish{ 0, { 256, 256, 256, 256 }, 0 };
  *wish = (cublasLtMatmulPreference_t)w;
  return status;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t wish)
{
  return blas_delete<blas_wish>(wish);
}

cublasStatus_t
cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t wish,
                                     cublasLtMatmulPreferenceAttributes_t name,
                                     const void *value, size_t bytes)
{
  blas_wish *w = (blas_wish *)wish;
  const int first = CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
  if (trip())
    return CUBLAS_STATUS_INVALID_VALUE;
  if (name == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
    take_value(&w->bytes, value, bytes);
  else if (name == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
    take_value(&w->scheme, value, bytes);
  else if (name >= first && name < first + 4)
    take_value(&w->align[name - first], value, bytes);
  else
    misuse("cublasLtMatmulPreferenceSetAttribute: attribute %d", (int)name);
  return CUBLAS_STATUS_SUCCESS;
}

/* Up to three; the second one can't be had. */
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
  cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
  cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
  cublasLtMatmulPreference_t wish, int most,
  cublasLtMatmulHeuristicResult_t found[], int *n)
{
  const blas_how *h = (const blas_how *)desc;
  const blas_wish *w = (const blas_wish *)wish;
  outside("cublasLtMatmulAlgoGetHeuristic");
  *n = 0;
  if (!handle)
    return CUBLAS_STATUS_NOT_INITIALIZED;
  check_sizes(h, (blas_layout *)a, (blas_layout *)b, (blas_layout *)c,
              (blas_layout *)d);
  if ((h->epilogue & CUBLASLT_EPILOGUE_BIAS) && !h->bias)
    misuse("cublasLtMatmulAlgoGetHeuristic: where is the bias?");
  if (trip())
    return CUBLAS_STATUS_INTERNAL_ERROR;
  for (int i = 0; i < 3 && i < most; i++) {
    blas_algo algo = { (uint64_t)i, w->bytes >> i, {} };
    memset(&found[i], 0, sizeof found[i]);
    for (int k = 0; k < 4; k++)
      algo.align[k] = w->align[k];
    static_assert(sizeof algo <= sizeof found[i].algo, "no room");
    memcpy(&found[i].algo, &algo, sizeof algo);
    found[i].workspaceSize = algo.bytes;
    found[i].state = i == 1 ? CUBLAS_STATUS_NOT_SUPPORTED
                            : CUBLAS_STATUS_SUCCESS;
    *n = i + 1;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle,
                              cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t la,
                              const void *b, cublasLtMatrixLayout_t lb,
                              const void *beta, const void *c,
                              cublasLtMatrixLayout_t lc, void *d,
                              cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *how, void *scratch,
                              size_t bytes, cudaStream_t stream)
{
  blas_call x = { *(blas_how *)desc, *(blas_layout *)la, *(blas_layout *)lb,
                  *(blas_layout *)lc, *(blas_layout *)ld, a, b, c, d,
                  *(const float *)alpha, *(const float *)beta };
  blas_algo algo;
  memcpy(&algo, how, sizeof algo);
  if (!handle)
    return CUBLAS_STATUS_NOT_INITIALIZED;
  if (trip())
    return CUBLAS_STATUS_EXECUTION_FAILED;
  if (algo.number == 1)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  check_sizes(&x.how, &x.a, &x.b, &x.c, &x.d);
  demand_device(a, blas_bytes(x.a), algo.align[0]);
  demand_device(b, blas_bytes(x.b), algo.align[1]);
  demand_device(c, blas_bytes(x.c), algo.align[2]);
  demand_device(d, blas_bytes(x.d), algo.align[3]);
  if (x.how.epilogue & CUBLASLT_EPILOGUE_BIAS)
    demand_device(x.how.bias,
                  (size_t)x.d.rows * element_size(type_of(x.d.type)), 0);
  if (bytes < algo.bytes)
    misuse("cublasLtMatmul: the workspace is too small");
  demand_device(scratch, bytes, 16);
  enqueue("cublasLtMatmul", stream, [=] {
    memset(scratch, 0x55, 4096);
    multiply_all(x);
  });
  return CUBLAS_STATUS_SUCCESS;
}
