/* SPDX-License-Identifier: Apache-2.0 */
/* The convolutions of models, as the shim noted them: whether cuDNN has a plan
 * for each on a GPU that is only described. No GPU is needed, and nothing runs.
 *
 *   plans GPU.json CALLS
 *
 * CALLS holds records of o2c_cuda_conv_p and two int32_t: has a bias, has a
 * residual. Exit code: 0, 1 if a plan is missing, 77 if this cuDNN (before 9.8)
 * takes no description. */
#include <cudnn.h>
#include <stdio.h>

/* What o2c_cuda_graph.c plans for instead of a handle's GPU. */
static cudnnBackendDescriptor_t gpu;
#define O2C_CUDA_DESCRIBED gpu
#include "o2c_cuda.c"

#define KINDS 1000 /* different convolutions at most */

typedef struct {
  o2c_cuda_conv_p p;
  int32_t bias, residual;
} Record;

static int fail(const char *what, const char *why)
{
  fprintf(stderr, "plans: %s: %s\n", what, why);
  return 1;
}

/* Exit code; 0: `gpu` is the GPU of the file. */
static int read_gpu(const char *path)
{
  char text[4096], why[256] = "";
  FILE *f = fopen(path, "rb");
  size_t n = f ? fread(text, 1, sizeof text, f) : 0;
  if (f)
    fclose(f);
  if (n == 0 || n == sizeof text)
    return fail(path, "can't be read");
  if (cudnnGetVersion() < 90800 ||
      cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
                                   &gpu) != CUDNN_STATUS_SUCCESS) {
    printf("skipped: cuDNN %zu takes no description of a GPU\n",
           cudnnGetVersion());
    return 77;
  }
  if (cudnnBackendSetAttribute(gpu,
                               CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                               CUDNN_TYPE_CHAR, (int64_t)n, text) ||
      cudnnBackendFinalize(gpu)) {
    cudnnGetLastErrorString(why, sizeof why);
    return fail(path, why);
  }
  return 0;
}

/* Tensors that are aligned as cudaMalloc aligns; nothing reads them. */
static void place(dnn_conv *c, const Record *r)
{
  char *at = (char *)4096;
  memset(c, 0, sizeof *c);
  c->at[DNN_X] = at;
  c->at[DNN_W] = at + 4096;
  c->at[DNN_BIAS] = r->bias ? at + 8192 : NULL;
  c->at[DNN_RESIDUAL] = r->residual ? at + 12288 : NULL;
  c->at[DNN_Y] = c->at[DNN_Y_AGAIN] = at + 16384;
}

static void print(const Record *r, const dnn_call *call, int ok)
{
  const o2c_cuda_conv_p *p = &r->p;
  int i;
  printf("%s type %d, [%d, %d", ok ? "ok" : "NO", (int)p->dtype, (int)p->n,
         (int)p->c);
  for (i = 0; i < p->rank; i++)
    printf(", %d", (int)p->in[i]);
  printf("] by %d filters", (int)p->k);
  for (i = 0; i < p->rank; i++)
    printf("%s%d", i ? "x" : " of ", (int)p->kernel[i]);
  printf(", %d groups%s%s, clamp %g to %g: ", (int)p->groups,
         r->bias ? ", bias" : "", r->residual ? ", residual" : "",
         (double)p->lo, (double)p->hi);
  if (ok)
    printf("%d graphs\n", call->n);
  else
    printf("%s: %s\n", call->graph[0].call, call->graph[0].why);
}

/* 1 if there is a plan. */
static int plan(const Record *r, dnn_conv *c)
{
  static o2c_cuda none;
  dnn_call call;
  int i, ok;
  memset(&call, 0, sizeof call);
  call.hi = r->p.hi;
  describe(c, &r->p);
  ok = plan_conv(&none, &call, c, r->p.dtype == O2C_F32 && !r->p.fast, 1);
  print(r, &call, ok);
  for (i = 0; i < DNN_STAGES; i++)
    o2c_dnn_clear(&call.graph[i]);
  return ok;
}

int main(int argc, char **argv)
{
  static o2c_cuda_key seen[KINDS];
  int n = 0, missing = 0, code, i;
  Record r;
  FILE *f;
  if (argc != 3)
    return fail("usage", "plans GPU.json CALLS");
  if ((code = read_gpu(argv[1])) != 0)
    return code;
  if ((f = fopen(argv[2], "rb")) == NULL)
    return fail(argv[2], "can't be read");
  while (fread(&r.p, sizeof r.p, 1, f) == 1 &&
         fread(&r.bias, sizeof r.bias, 1, f) == 1 &&
         fread(&r.residual, sizeof r.residual, 1, f) == 1) {
    dnn_conv c;
    o2c_cuda_key key;
    place(&c, &r);
    memset(&key, 0, sizeof key);
    if (!type_of(r.p.dtype, &c.type))
      return fail(argv[2], "a type that cuDNN does not get");
    conv_key(&key, &r.p, c.at);
    for (i = 0; i < n && memcmp(&seen[i], &key, sizeof key); i++)
      ;
    if (i < n)
      continue;
    if (n == KINDS)
      return fail(argv[2], "too many different convolutions");
    seen[n++] = key;
    missing += !plan(&r, &c);
  }
  fclose(f);
  cudnnBackendDestroyDescriptor(gpu);
  printf("%d convolutions, %d without a plan\n", n, missing);
  return missing > 0 || n == 0;
}
