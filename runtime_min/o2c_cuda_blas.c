/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_blas.c: matrix products for models on a GPU, by cuBLASLt. It has
 * matrices column by column, models have them row by row, which is the same as
 * turned: so y = x w is asked for as y^T = w^T x^T, and a bias over y's columns
 * is one over rows, as the library has it. */
#include "o2c_cuda_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  cublasLtMatmulDesc_t how;
  cublasLtMatrixLayout_t w, x, y;
  cublasLtMatmulHeuristicResult_t found[O2C_CUDA_TRIES];
  int nfound, chosen;
} blas_plan;

/* A product's tensors. */
typedef struct {
  const void *x, *w, *bias, *residual;
  void *y;
} blas_at;

static int failed(o2c_cuda *cu, cublasStatus_t status, const char *call)
{
  if (status == CUBLAS_STATUS_SUCCESS)
    return 0;
  o2c_cuda_fail(cu,
                status == CUBLAS_STATUS_ALLOC_FAILED ? O2C_E_WORKSPACE
                                                     : O2C_E_DEVICE,
                call, cublasLtGetStatusString(status));
  return 1;
}

static void blas_drop(void *what)
{
  blas_plan *p = (blas_plan *)what;
  if (p->y)
    cublasLtMatrixLayoutDestroy(p->y);
  if (p->x)
    cublasLtMatrixLayoutDestroy(p->x);
  if (p->w)
    cublasLtMatrixLayoutDestroy(p->w);
  if (p->how)
    cublasLtMatmulDescDestroy(p->how);
  free(p);
}

static int set_how(o2c_cuda *cu, cublasLtMatmulDesc_t how,
                   cublasLtMatmulDescAttributes_t name, const void *value,
                   size_t bytes)
{
  return !failed(cu, cublasLtMatmulDescSetAttribute(how, name, value, bytes),
                 "cublasLtMatmulDescSetAttribute");
}

/* rows x columns elements, column by column, `step` from one to the next. */
static int set_layout(o2c_cuda *cu, cublasLtMatrixLayout_t *layout,
                      cudaDataType_t type, int64_t rows, int64_t columns,
                      int64_t step, int64_t batch, int64_t batch_step)
{
  int32_t n = (int32_t)batch;
  if (columns == 1 && step < rows)
    step = rows; /* is not used, but looked at */
  if (failed(cu, cublasLtMatrixLayoutCreate(layout, type, (uint64_t)rows,
                                            (uint64_t)columns, step),
             "cublasLtMatrixLayoutCreate"))
    return 0;
  return batch == 1 ||
         (!failed(cu, cublasLtMatrixLayoutSetAttribute(
                        *layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &n,
                        sizeof n), "cublasLtMatrixLayoutSetAttribute") &&
          !failed(cu, cublasLtMatrixLayoutSetAttribute(
                        *layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                        &batch_step, sizeof batch_step),
                  "cublasLtMatrixLayoutSetAttribute"));
}

static int blas_describe(o2c_cuda *cu, blas_plan *b, const o2c_cuda_matmul_p *p,
                    const blas_at *at)
{
  cudaDataType_t type = p->dtype == O2C_F32 ? CUDA_R_32F :
                        p->dtype == O2C_F16 ? CUDA_R_16F : CUDA_R_16BF;
  cublasComputeType_t sums = p->dtype == O2C_F32 && p->fast
                               ? CUBLAS_COMPUTE_32F_FAST_TF32
                               : CUBLAS_COMPUTE_32F;
  cublasOperation_t w_op = p->w_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
  cublasOperation_t x_op = p->x_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
  cublasLtEpilogue_t end = p->lo == 0
    ? (at->bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU)
    : (at->bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT);
  if (failed(cu, cublasLtMatmulDescCreate(&b->how, sums, CUDA_R_32F),
             "cublasLtMatmulDescCreate"))
    return 0;
  return set_how(cu, b->how, CUBLASLT_MATMUL_DESC_TRANSA, &w_op,
                 sizeof w_op) &&
         set_how(cu, b->how, CUBLASLT_MATMUL_DESC_TRANSB, &x_op,
                 sizeof x_op) &&
         set_how(cu, b->how, CUBLASLT_MATMUL_DESC_EPILOGUE, &end,
                 sizeof end) &&
         (!at->bias || set_how(cu, b->how, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                               &at->bias, sizeof at->bias)) &&
         set_layout(cu, &b->w, type, p->w_turned ? p->k : p->n,
                    p->w_turned ? p->n : p->k, p->w_row, p->batch,
                    p->w_batch) &&
         set_layout(cu, &b->x, type, p->x_turned ? p->m : p->k,
                    p->x_turned ? p->k : p->m, p->x_row, p->batch,
                    p->x_batch) &&
         set_layout(cu, &b->y, type, p->n, p->m, p->y_row, p->batch,
                    p->y_batch);
}

static int prefer(o2c_cuda *cu, cublasLtMatmulPreference_t wish,
                  cublasLtMatmulPreferenceAttributes_t name, const void *value,
                  size_t bytes)
{
  return !failed(cu, cublasLtMatmulPreferenceSetAttribute(wish, name, value,
                                                          bytes),
                 "cublasLtMatmulPreferenceSetAttribute");
}

static int prefer_align(o2c_cuda *cu, cublasLtMatmulPreference_t wish,
                        cublasLtMatmulPreferenceAttributes_t name,
                        const void *p)
{
  uint32_t bytes = (uint32_t)o2c_cuda_alignment(p);
  return prefer(cu, wish, name, &bytes, sizeof bytes);
}

/* The library's best algorithms that fit. Parts of a sum that are added up
 * later must be f32 until then, hence the scheme. */
static int find(o2c_cuda *cu, blas_plan *b, const blas_at *at)
{
  cublasLtMatmulPreference_t wish = NULL;
  size_t bytes = O2C_CUDA_SCRATCH;
  uint32_t scheme = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  const void *c = at->residual ? at->residual : at->y;
  int ok, i, n;
  if (failed(cu, cublasLtMatmulPreferenceCreate(&wish),
             "cublasLtMatmulPreferenceCreate"))
    return 0;
  ok = prefer(cu, wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
              sizeof bytes) &&
       prefer(cu, wish, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &scheme,
              sizeof scheme) &&
       prefer_align(cu, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                    at->w) &&
       prefer_align(cu, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                    at->x) &&
       prefer_align(cu, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, c) &&
       prefer_align(cu, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
                    at->y) &&
       !failed(cu, cublasLtMatmulAlgoGetHeuristic(
                     cu->blas, b->how, b->w, b->x, b->y, b->y, wish,
                     O2C_CUDA_TRIES, b->found, &b->nfound),
               "cublasLtMatmulAlgoGetHeuristic");
  cublasLtMatmulPreferenceDestroy(wish);
  for (i = n = 0; ok && i < b->nfound; i++) /* not all of them need work */
    if (b->found[i].state == CUBLAS_STATUS_SUCCESS)
      b->found[n++] = b->found[i];
  b->nfound = n;
  if (ok && !b->nfound)
    o2c_cuda_fail(cu, O2C_E_DEVICE, "cublasLtMatmulAlgoGetHeuristic",
                  "no algorithm for these sizes");
  return ok && b->nfound;
}

static cublasStatus_t multiply(o2c_cuda *cu, const blas_plan *b, int which,
                               const o2c_cuda_matmul_p *p, const blas_at *at)
{
  float beta = at->residual ? p->beta : 0;
  const void *c = at->residual ? at->residual : at->y;
  return cublasLtMatmul(cu->blas, b->how, &p->alpha, at->w, b->w, at->x, b->x,
                        &beta, c, b->y, at->y, b->y, &b->found[which].algo,
                        o2c_cuda_scratch(cu), O2C_CUDA_SCRATCH, cu->stream);
}

typedef struct {
  o2c_cuda *cu;
  const blas_plan *plan;
  const o2c_cuda_matmul_p *p;
  const blas_at *at;
} blas_trial;

static int try_algorithm(void *user, int i)
{
  blas_trial *t = (blas_trial *)user;
  return multiply(t->cu, t->plan, i, t->p, t->at) == CUBLAS_STATUS_SUCCESS;
}

/* Runs over again what can be: where the residual is y itself, sums would
 * grow. */
static void blas_choose(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                   blas_plan *b, const o2c_cuda_matmul_p *p, const blas_at *at)
{
  int known = o2c_cuda_tuned(cu, plan, key);
  if (known >= 0 && known < b->nfound) {
    b->chosen = known;
  } else if (cu->tuned_path && b->nfound > 1 && at->residual != at->y) {
    blas_trial t;
    t.cu = cu;
    t.plan = b;
    t.p = p;
    t.at = at;
    b->chosen = o2c_cuda_tune(cu, b->nfound, try_algorithm, &t);
    o2c_cuda_tuned_keep(cu, plan, key, b->chosen);
  }
}

static void make_key(o2c_cuda_key *key, const o2c_cuda_matmul_p *p,
                     const blas_at *at)
{
  key->n = 0;
  o2c_cuda_key_add(key, 'm');
  o2c_cuda_key_add(key, p->dtype);
  o2c_cuda_key_add(key, p->x_turned != 0);
  o2c_cuda_key_add(key, p->w_turned != 0);
  o2c_cuda_key_add(key, p->m);
  o2c_cuda_key_add(key, p->n);
  o2c_cuda_key_add(key, p->k);
  o2c_cuda_key_add(key, p->batch);
  o2c_cuda_key_add(key, p->x_row);
  o2c_cuda_key_add(key, p->w_row);
  o2c_cuda_key_add(key, p->y_row);
  o2c_cuda_key_add(key, p->x_batch);
  o2c_cuda_key_add(key, p->w_batch);
  o2c_cuda_key_add(key, p->y_batch);
  o2c_cuda_key_add(key, p->lo == 0);
  o2c_cuda_key_add(key, p->fast != 0);
  o2c_cuda_key_add(key, o2c_cuda_alignment(at->x));
  o2c_cuda_key_add(key, o2c_cuda_alignment(at->w));
  o2c_cuda_key_add(key, o2c_cuda_alignment(at->y));
  o2c_cuda_key_add(key, o2c_cuda_alignment(at->residual));
  o2c_cuda_key_add(key, o2c_cuda_alignment(at->bias));
}

static blas_plan *prepare(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                          const o2c_cuda_matmul_p *p, const blas_at *at)
{
  blas_plan *b;
  if (!o2c_cuda_blas(cu))
    return NULL;
  b = (blas_plan *)calloc(1, sizeof *b);
  if (!b) {
    o2c_cuda_fail(cu, O2C_E_WORKSPACE, "o2c_cuda_matmul",
                  "the host has no memory");
    return NULL;
  }
  if (!blas_describe(cu, b, p, at) || !find(cu, b, at)) {
    blas_drop(b);
    return NULL;
  }
  if (!o2c_cuda_plan_keep(cu, plan, key, b, blas_drop))
    return NULL;
  blas_choose(cu, plan, key, b, p, at);
  return b;
}

void o2c_cuda_matmul(o2c_cuda *cu, unsigned plan, const o2c_cuda_matmul_p *p,
                     const void *x, const void *w, const void *bias,
                     const void *residual, void *y)
{
  o2c_cuda_key key;
  blas_at at;
  blas_plan *b;
  if (cu->status != O2C_OK || p->m == 0 || p->n == 0 || p->batch == 0)
    return;
  if ((p->dtype != O2C_F32 && p->dtype != O2C_F16 && p->dtype != O2C_BF16) ||
      !(p->lo == 0 || p->lo == -INFINITY) || p->hi != INFINITY ||
      p->batch > INT32_MAX) {
    o2c_cuda_fail(cu, O2C_E_ARG, "o2c_cuda_matmul",
                  "a type, a clamp or a batch that it does not have");
    return;
  }
  at.x = x;
  at.w = w;
  at.bias = bias;
  at.residual = residual;
  at.y = y;
  make_key(&key, p, &at);
  b = (blas_plan *)o2c_cuda_plan_find(cu, plan, &key);
  if (!b && cu->status == O2C_OK)
    b = prepare(cu, plan, &key, p, &at);
  if (!b || cu->status != O2C_OK)
    return;
  if (bias && !set_how(cu, b->how, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &at.bias,
                       sizeof at.bias))
    return;
  failed(cu, multiply(cu, b, b->chosen, p, &at), "cublasLtMatmul");
}
