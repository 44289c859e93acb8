/* SPDX-License-Identifier: Apache-2.0 */
/* The convolutions and attentions of models, as the shim noted them: whether
 * cuDNN has a plan for each on a GPU that is only described. No GPU is needed,
 * and nothing runs.
 *
 *   plans GPU.json CALLS
 *
 * CALLS holds records: an int32_t, 'c' or 'a', the o2c_cuda_conv_p or
 * o2c_cuda_sdpa_p, and two int32_t: has a bias, has a residual; has a mask, 0.
 * An attention without a plan is run by a kernel of ours: it is told, and no
 * failure. Exit code: 0, 1 if a plan is missing, 77 if this cuDNN (before 9.8)
 * takes no description. */
#include <cudnn.h>
#include <stdio.h>

/* What o2c_cuda_graph.c plans for instead of a handle's GPU. */
static cudnnBackendDescriptor_t gpu;
#define O2C_CUDA_DESCRIBED gpu
#include "o2c_cuda.c"

#define KINDS 1000 /* different calls at most */

typedef struct {
  int32_t kind;
  union {
    o2c_cuda_conv_p conv;
    o2c_cuda_sdpa_p sdpa;
  } p;
  int32_t with[2];
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

/* 1: read; 0: the end. */
static int next(FILE *f, Record *r)
{
  size_t size;
  memset(r, 0, sizeof *r);
  if (fread(&r->kind, sizeof r->kind, 1, f) != 1)
    return 0;
  size = r->kind == 'a' ? sizeof r->p.sdpa : sizeof r->p.conv;
  return fread(&r->p, size, 1, f) == 1 &&
         fread(r->with, sizeof r->with, 1, f) == 1;
}

/* Tensors that are aligned as cudaMalloc aligns; nothing reads them. */
static void place(const Record *r, const void **at)
{
  static const int conv[] = { DNN_X, DNN_W, DNN_Y, DNN_BIAS, DNN_RESIDUAL };
  static const int sdpa[] = { DNN_Q, DNN_K, DNN_V, DNN_Y, DNN_MASK };
  int i;
  memset(at, 0, DNN_UIDS * sizeof *at);
  for (i = 0; i < 5; i++) {
    const void *p = (char *)4096 + 4096 * i;
    if (r->kind == 'a' && (i < 4 || r->with[0]))
      at[sdpa[i]] = p;
    else if (r->kind != 'a' && (i < 3 || r->with[i - 3]))
      at[conv[i]] = p;
  }
  if (r->kind != 'a')
    at[DNN_Y_AGAIN] = at[DNN_Y];
}

static void print_sizes(const char *before, int n, const int64_t *size)
{
  int i;
  for (i = 0; i < n; i++)
    printf("%s%d", i ? "x" : before, (int)size[i]);
}

static void print_conv(const Record *r)
{
  const o2c_cuda_conv_p *p = &r->p.conv;
  printf("type %d, [%d, %d", (int)p->dtype, (int)p->n, (int)p->c);
  print_sizes(", ", p->rank, p->in);
  printf("] by %d filters", (int)p->k);
  print_sizes(" of ", p->rank, p->kernel);
  printf(", %d groups%s%s, clamp %g to %g", (int)p->groups,
         r->with[0] ? ", bias" : "", r->with[1] ? ", residual" : "",
         (double)p->lo, (double)p->hi);
}

static void print_sdpa(const Record *r)
{
  const o2c_cuda_sdpa_p *p = &r->p.sdpa;
  printf("attention, type %d, ", (int)p->dtype);
  printf("%d images, %d heads of %d, %d queries, %d keys, %d to %d%s%s",
         (int)p->b, (int)p->h, (int)p->hk, (int)p->s, (int)p->t, (int)p->d,
         (int)p->dv, r->with[0] ? ", mask" : "", p->causal ? ", causal" : "");
}

/* 1 if there is a plan. */
static int plan(const Record *r, const void *const *at)
{
  static o2c_cuda none;
  const int attends = r->kind == 'a';
  cudnnDataType_t type;
  dnn_call call;
  int i, ok;
  memset(&call, 0, sizeof call);
  if (!type_of(attends ? r->p.sdpa.dtype : r->p.conv.dtype, &type))
    return fail("a call", "a type that cuDNN does not get") - 1;
  if (attends) {
    ok = plan_sdpa(&none, &call, &r->p.sdpa, type, at, 1);
  } else {
    dnn_conv c;
    memset(&c, 0, sizeof c);
    memcpy(c.at, at, sizeof c.at);
    c.type = type;
    call.hi = r->p.conv.hi;
    describe(&c, &r->p.conv);
    ok = plan_conv(&none, &call, &c, type == CUDNN_DATA_FLOAT &&
                   !r->p.conv.fast, 1);
  }
  printf("%s ", ok ? "ok" : attends ? "own" : "NO");
  (attends ? print_sdpa : print_conv)(r);
  if (ok)
    printf(": %d graphs\n", call.n);
  else
    printf(": %s: %s\n", call.graph[0].call, call.graph[0].why);
  for (i = 0; i < DNN_STAGES; i++)
    o2c_dnn_clear(&call.graph[i]);
  return ok;
}

int main(int argc, char **argv)
{
  static o2c_cuda_key seen[KINDS];
  int n = 0, missing = 0, attentions = 0, own = 0, code, i;
  const void *at[DNN_UIDS];
  Record r;
  FILE *f;
  if (argc != 3)
    return fail("usage", "plans GPU.json CALLS");
  if ((code = read_gpu(argv[1])) != 0)
    return code;
  if ((f = fopen(argv[2], "rb")) == NULL)
    return fail(argv[2], "can't be read");
  while (next(f, &r)) {
    o2c_cuda_key key;
    memset(&key, 0, sizeof key);
    place(&r, at);
    if (r.kind == 'a')
      sdpa_key(&key, &r.p.sdpa, at);
    else
      conv_key(&key, &r.p.conv, at);
    for (i = 0; i < n && memcmp(&seen[i], &key, sizeof key); i++)
      ;
    if (i < n)
      continue;
    if (n == KINDS)
      return fail(argv[2], "too many different calls");
    seen[n++] = key;
    code = plan(&r, at);
    attentions += r.kind == 'a';
    own += r.kind == 'a' && !code;
    missing += r.kind != 'a' && !code;
  }
  fclose(f);
  cudnnBackendDestroyDescriptor(gpu);
  printf("%d convolutions, %d without a plan; %d attentions, %d by a kernel of "
         "ours\n", n - attentions, missing, attentions, own);
  return missing > 0 || n == 0;
}
