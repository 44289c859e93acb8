/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_device.c: the GPU as a generated model sees it: memory and a stream
 * there, copies, errors that stay, and regions of steps that are recorded as
 * CUDA graphs and replayed. All is taken at init, as a run must not allocate
 * memory of the device. */
#include "o2c_cuda_own.h"

#include <stdlib.h>
#include <string.h>

#define STAGE 65536u /* bytes that o2c_cuda_put keeps for the device */
/* Keys of a region that are kept: a block's every number of samples. */
#define RECORDS 72
#define TRIES 3 /* recordings of a key that may fail */

/* What the oldest GPU is that this version of CUDA has code for. */
#if CUDART_VERSION >= 13000
#define OLDEST 75
#define OLDEST_TEXT "the GPU is older than compute capability 7.5"
#else
#define OLDEST 50
#define OLDEST_TEXT "the GPU is older than compute capability 5.0"
#endif

/* ---- errors ---- */

static size_t put_text(char *to, size_t size, size_t at, const char *text)
{
  while (*text && at + 1 < size) {
    to[at++] = *text == '\n' ? ' ' : *text;
    text++;
  }
  to[at] = 0;
  return at;
}

void o2c_cuda_fail(o2c_cuda *cu, o2c_status status, const char *call,
                   const char *why)
{
  size_t at;
  if (cu->status != O2C_OK)
    return;
  cu->status = status;
  at = put_text(cu->message, sizeof cu->message, 0, call ? call : "");
  at = put_text(cu->message, sizeof cu->message, at, ": ");
  put_text(cu->message, sizeof cu->message, at, why);
}

int o2c_cuda_failed(o2c_cuda *cu, cudaError_t e, const char *call)
{
  if (e == cudaSuccess)
    return 0;
  cudaGetLastError(); /* else the next launch would seem to have failed */
  o2c_cuda_fail(cu,
                e == cudaErrorMemoryAllocation ? O2C_E_WORKSPACE : O2C_E_DEVICE,
                call, cudaGetErrorString(e));
  return 1;
}

/* ---- regions ---- */

static void drop_record(o2c_cuda_record *r)
{
  if (r->graph) /* one that runs is freed by CUDA when it is done */
    cudaGraphExecDestroy(r->graph);
  free(r);
}

/* Leaves a recording that will not be used. */
static void stop_recording(o2c_cuda *cu)
{
  cudaGraph_t graph = NULL;
  if (!cu->recording)
    return;
  cu->recording = 0;
  if (cudaStreamEndCapture(cu->stream, &graph) != cudaSuccess)
    cudaGetLastError();
  if (graph)
    cudaGraphDestroy(graph);
}

void o2c_cuda_forget_records(o2c_cuda *cu)
{
  unsigned i;
  stop_recording(cu);
  cu->open = NULL;
  for (i = 0; cu->record && i < cu->nregion; i++)
    while (cu->record[i]) {
      o2c_cuda_record *r = cu->record[i];
      cu->record[i] = r->next;
      drop_record(r);
    }
}

int o2c_cuda_records(const o2c_cuda *cu)
{
  enum cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cu->recording ||
         cudaStreamIsCapturing(cu->stream, &status) != cudaSuccess ||
         status != cudaStreamCaptureStatusNone;
}

/* The record of a key, put first; a new one if there is none, in place of the
 * one that was not used for longest; NULL: no memory. */
static o2c_cuda_record *find_record(o2c_cuda *cu, unsigned region,
                                    const void *key, size_t bytes)
{
  o2c_cuda_record **link = &cu->record[region], *r;
  unsigned n = 0;
  while ((r = *link) != NULL &&
         (r->bytes != bytes || memcmp(r->key, key, bytes) != 0)) {
    if (++n == RECORDS) {
      *link = r->next; /* NULL */
      drop_record(r);
      r = NULL;
      break;
    }
    link = &r->next;
  }
  if (r) {
    *link = r->next;
  } else {
    r = (o2c_cuda_record *)calloc(1, sizeof *r);
    if (!r)
      return NULL;
    r->life = O2C_CUDA_NEW;
    r->bytes = bytes;
    if (bytes)
      memcpy(r->key, key, bytes);
  }
  r->next = cu->record[region];
  cu->record[region] = r;
  return r;
}

/* Libraries prepare calls and CUDA loads code at their first use, which a
 * recording forbids: so the first run of a key is a plain one. */
int o2c_cuda_region(o2c_cuda *cu, unsigned region, const void *key,
                    size_t bytes)
{
  o2c_cuda_record *r;
  if (cu->status != O2C_OK)
    return 0;
  if (cu->open || cu->hooks || region >= cu->nregion ||
      bytes > sizeof cu->open->key || o2c_cuda_records(cu))
    return 1;
  r = find_record(cu, region, key, bytes);
  if (!r)
    return 1;
  if (r->life == O2C_CUDA_RECORDED) {
    o2c_cuda_failed(cu, cudaGraphLaunch(r->graph, cu->stream),
                    "cudaGraphLaunch");
    return 0;
  }
  if (r->life == O2C_CUDA_PLAIN) {
    if (r->failed < TRIES) /* the next run tries once more */
      r->life = O2C_CUDA_SEEN;
    return 1;
  }
  if (r->life == O2C_CUDA_SEEN) {
    if (cudaStreamBeginCapture(cu->stream, cudaStreamCaptureModeThreadLocal) !=
        cudaSuccess) {
      cudaGetLastError();
      r->failed = TRIES;
      r->life = O2C_CUDA_PLAIN;
      return 1;
    }
    cu->recording = 1;
  }
  cu->open = r;
  cu->open_region = region;
  return 1;
}

/* The steps of a recording have not run. Where it fails, for a call that can't
 * be recorded or since another thread frees memory, they run without. */
static void launch_recording(o2c_cuda *cu, o2c_cuda_record *r)
{
  cudaGraph_t graph = NULL;
  cu->recording = 0;
  if (!o2c_cuda_failed(cu, cudaStreamEndCapture(cu->stream, &graph),
                       "cudaStreamEndCapture") &&
      cu->status == O2C_OK &&
      !o2c_cuda_failed(cu, cudaGraphInstantiateWithFlags(&r->graph, graph, 0),
                       "cudaGraphInstantiateWithFlags") &&
      !o2c_cuda_failed(cu, cudaGraphLaunch(r->graph, cu->stream),
                       "cudaGraphLaunch"))
    r->life = O2C_CUDA_RECORDED;
  if (graph)
    cudaGraphDestroy(graph);
  if (r->life == O2C_CUDA_RECORDED)
    return;
  if (r->graph)
    cudaGraphExecDestroy(r->graph);
  r->graph = NULL;
  r->life = O2C_CUDA_PLAIN; /* this time at least */
  r->failed++;
  cu->again = 1;
  cu->status = O2C_OK;
  cu->message[0] = 0;
}

o2c_status o2c_cuda_end(o2c_cuda *cu, unsigned region)
{
  o2c_cuda_record *r = cu->open;
  if (!r || cu->open_region != region)
    return cu->status;
  cu->open = NULL;
  if (cu->recording)
    launch_recording(cu, r);
  else if (cu->status == O2C_OK)
    r->life = O2C_CUDA_SEEN;
  return cu->status;
}

int o2c_cuda_again(o2c_cuda *cu)
{
  int again = cu->again;
  cu->again = 0;
  return again;
}

/* ---- copies ---- */

/* The device has done all that it was given: nothing is staged any more. */
static int wait_for_stream(o2c_cuda *cu)
{
  cu->waits++;
  if (o2c_cuda_failed(cu, cudaStreamSynchronize(cu->stream),
                      "cudaStreamSynchronize"))
    return 0;
  cu->staged = 0;
  return 1;
}

o2c_status o2c_cuda_copy(o2c_cuda *cu, void *to, const void *from, size_t bytes)
{
  if (cu->status == O2C_OK && bytes)
    o2c_cuda_failed(cu, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault,
                                        cu->stream), "cudaMemcpyAsync");
  return cu->status;
}

/* Whether an asynchronous copy is done with the host's memory when it returns
 * depends on whether that is pinned, and on whether the device can read pages
 * by itself. So what is small goes through pinned memory of the runtime's own,
 * which is free again after each wait; what is large is waited for. */
o2c_status o2c_cuda_put(o2c_cuda *cu, void *to, const void *from, size_t bytes)
{
  if (cu->status != O2C_OK || bytes == 0)
    return cu->status;
  if (bytes > STAGE) {
    if (o2c_cuda_copy(cu, to, from, bytes) == O2C_OK)
      wait_for_stream(cu);
    return cu->status;
  }
  if (bytes > STAGE - cu->staged && !wait_for_stream(cu))
    return cu->status;
  memcpy(cu->stage + cu->staged, from, bytes);
  o2c_cuda_copy(cu, to, cu->stage + cu->staged, bytes);
  cu->staged = O2C_MIN(O2C_ALIGN_UP(cu->staged + bytes, 16), STAGE);
  return cu->status;
}

/* What a caller has in the host's memory is there already. */
o2c_status o2c_cuda_get(o2c_cuda *cu, void *to, const void *from, size_t bytes)
{
  int ours = (uintptr_t)from - (uintptr_t)cu->arena < cu->arena_size;
  if (cu->status == O2C_OK && bytes && !ours &&
      !(cu->flags & O2C_DEVICE_POINTERS))
    memcpy(to, from, bytes);
  else if (o2c_cuda_copy(cu, to, from, bytes) == O2C_OK && bytes)
    wait_for_stream(cu);
  return cu->status;
}

/* ---- runs ---- */

/* Threads have a device of their own that is current; launches need the
 * context's. An error that the caller left would seem to be a launch's. */
void o2c_cuda_start(o2c_cuda *cu)
{
  int device = -1;
  stop_recording(cu); /* of a run that gave up within a region */
  cu->open = NULL;
  cu->again = 0;
  cu->status = O2C_OK;
  cu->message[0] = 0;
  cu->other = -1;
  cudaGetLastError();
  if (o2c_cuda_failed(cu, cudaGetDevice(&device), "cudaGetDevice"))
    return;
  if (device != cu->device) {
    if (o2c_cuda_failed(cu, cudaSetDevice(cu->device), "cudaSetDevice"))
      return;
    cu->other = device;
  }
  if (cu->dirty && !o2c_cuda_failed(cu, cudaMemsetAsync(cu->fault, 0,
                                                        sizeof *cu->fault,
                                                        cu->stream),
                                    "cudaMemsetAsync"))
    cu->dirty = 0;
}

o2c_status o2c_cuda_room(o2c_cuda *cu, size_t bytes)
{
  if (cu->arena_size + O2C_CUDA_SCRATCH < bytes)
    o2c_cuda_fail(cu, O2C_E_WORKSPACE, "the GPU's arena",
                  "it is smaller than these dimensions need");
  return cu->status;
}

o2c_status o2c_cuda_check(o2c_cuda *cu, const void *p)
{
  struct cudaPointerAttributes at;
  int device;
  if (cu->status != O2C_OK || !p)
    return cu->status;
  if (o2c_cuda_failed(cu, cudaPointerGetAttributes(&at, p),
                      "cudaPointerGetAttributes"))
    return cu->status;
  device = at.type == cudaMemoryTypeDevice;
  if (at.type == cudaMemoryTypeManaged)
    return O2C_OK; /* of both */
  if (!(cu->flags & O2C_DEVICE_POINTERS) && device)
    o2c_cuda_fail(cu, O2C_E_ARG, "a pointer to a device's memory",
                  "O2C_DEVICE_POINTERS was not among the flags");
  if (cu->flags & O2C_DEVICE_POINTERS && (!device || at.device != cu->device))
    o2c_cuda_fail(cu, O2C_E_ARG, "a pointer that is not to the device's memory",
                  "O2C_DEVICE_POINTERS was among the flags");
  return cu->status;
}

o2c_status o2c_cuda_finish(o2c_cuda *cu, o2c_status status)
{
  if (status == O2C_OK)
    status = o2c_cuda_copy(cu, cu->found, cu->fault, sizeof *cu->found);
  if (status == O2C_OK)
    cu->finished = 1;
  else
    cu->dirty = 1; /* what its kernels stored is not for the next run */
  if (cu->other >= 0)
    cudaSetDevice(cu->other);
  cu->other = -1;
  return status;
}

/* Waits even after an error: kernels that were launched before may still use
 * the caller's memory. */
o2c_status o2c_cuda_wait(o2c_cuda *cu)
{
  if (cu->recording) { /* its steps have not run */
    stop_recording(cu);
    o2c_cuda_fail(cu, O2C_E_DEVICE, "recording a region", "it was not ended");
  }
  if (!wait_for_stream(cu) || !cu->finished)
    return cu->status;
  cu->finished = 0;
  if (*cu->found != O2C_OK) {
    cu->dirty = 1;
    o2c_cuda_fail(cu, (o2c_status)*cu->found, "a kernel",
                  "a value in the data does not fit");
  }
  return cu->status;
}

int *o2c_cuda_fault(o2c_cuda *cu)
{
  return cu->fault;
}

void o2c_cuda_launched(o2c_cuda *cu)
{
  o2c_cuda_failed(cu, cudaPeekAtLastError(), "a kernel's launch");
}

/* ---- the device ---- */

unsigned char *o2c_cuda_arena(const o2c_cuda *cu)
{
  return cu->arena;
}

size_t o2c_cuda_arena_size(const o2c_cuda *cu)
{
  return cu->arena_size;
}

void *o2c_cuda_scratch(const o2c_cuda *cu)
{
  return cu->arena + cu->arena_size;
}

const unsigned char *o2c_cuda_weights(const o2c_cuda *cu)
{
  return cu->weights;
}

void *o2c_cuda_stream(const o2c_cuda *cu)
{
  return (void *)cu->stream;
}

const char *o2c_cuda_message(const o2c_cuda *cu)
{
  return cu->message;
}

uint64_t o2c_cuda_waits(const o2c_cuda *cu)
{
  return cu->waits;
}

static int library_failed(o2c_cuda *cu, const char *call, const char *why)
{
  cu->library_text = why;
  o2c_cuda_fail(cu, O2C_E_DEVICE, call, why);
  return 0;
}

int o2c_cuda_blas(o2c_cuda *cu)
{
  cublasStatus_t status;
  if (cu->blas)
    return 1;
  status = cublasLtCreate(&cu->blas);
  if (status == CUBLAS_STATUS_SUCCESS)
    return 1;
  cu->blas = NULL;
  return library_failed(cu, "cublasLtCreate", cublasLtGetStatusString(status));
}

int o2c_cuda_dnn(o2c_cuda *cu)
{
  cudnnStatus_t status;
  if (cu->dnn)
    return 1;
  if (cudnnGetVersion() / 10000 != CUDNN_MAJOR)
    return library_failed(cu, "cuDNN", "cuDNN is of another major version");
  status = cudnnCreate(&cu->dnn);
  if (status != CUDNN_STATUS_SUCCESS) {
    cu->dnn = NULL;
    return library_failed(cu, "cudnnCreate", cudnnGetErrorString(status));
  }
  status = cudnnSetStream(cu->dnn, cu->stream);
  if (status == CUDNN_STATUS_SUCCESS)
    return 1;
  cudnnDestroy(cu->dnn);
  cu->dnn = NULL;
  return library_failed(cu, "cudnnSetStream", cudnnGetErrorString(status));
}

/* What is wrong with a failed open. */
typedef struct {
  o2c_status status;
  const char *text;
} open_error;

static int wrong(open_error *e, o2c_status status, const char *text)
{
  e->status = status;
  e->text = text;
  return 0;
}

/* 1 if the call went well; text NULL: CUDA's own. */
static int ok(open_error *e, cudaError_t result, const char *text)
{
  if (result == cudaSuccess)
    return 1;
  cudaGetLastError();
  return wrong(e, result == cudaErrorMemoryAllocation ? O2C_E_WORKSPACE
                                                      : O2C_E_DEVICE,
               text ? text : cudaGetErrorString(result));
}

static int find_device(o2c_cuda *cu, open_error *e)
{
  int n = 0, driver = 0, major = 0, minor = 0;
  cudaError_t result = cudaDriverGetVersion(&driver);
  if (result == cudaSuccess && driver == 0)
    return wrong(e, O2C_E_DEVICE, "there is no driver for a GPU");
  if (result == cudaSuccess && driver / 1000 < CUDART_VERSION / 1000)
    return wrong(e, O2C_E_DEVICE, "the GPU's driver is too old for CUDA");
  result = cudaGetDeviceCount(&n);
  if (result == cudaErrorNoDevice || (result == cudaSuccess && n == 0)) {
    cudaGetLastError();
    return wrong(e, O2C_E_DEVICE, "there is no GPU");
  }
  if (!ok(e, result, result == cudaErrorInsufficientDriver
                       ? "the GPU's driver is too old for CUDA" : NULL) ||
      !ok(e, cudaGetDevice(&cu->device), NULL) ||
      !ok(e, cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor,
                                    cu->device), NULL) ||
      !ok(e, cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor,
                                    cu->device), NULL))
    return 0;
  return 10 * major + minor >= OLDEST || wrong(e, O2C_E_DEVICE, OLDEST_TEXT);
}

static int take_memory(o2c_cuda *cu, const o2c_device *d, open_error *e)
{
  void *p = NULL;
  cu->arena_size = (d->arena_size - O2C_CUDA_SCRATCH) & ~(size_t)255;
  cu->arena = (unsigned char *)d->arena;
  if (!cu->arena) {
    if (!ok(e, cudaMalloc(&cu->own_arena, d->arena_size),
            "the GPU has no memory for the arena"))
      return 0;
    cu->arena = (unsigned char *)cu->own_arena;
  }
  if (!ok(e, cudaMalloc(&p, sizeof *cu->fault), "the GPU has no memory"))
    return 0;
  cu->fault = (int *)p;
  cu->dirty = 1;
  if (!ok(e, cudaMallocHost(&p, sizeof *cu->found),
          "the host has no memory that can be pinned"))
    return 0;
  cu->found = (int *)p;
  *cu->found = O2C_OK;
  if (!ok(e, cudaMallocHost(&p, STAGE),
          "the host has no memory that can be pinned"))
    return 0;
  cu->stage = (unsigned char *)p;
  return 1;
}

/* Bytes of the weights from number i to before *next, which lie on the device
 * as they do in the file: one copy instead of hundreds. */
static size_t together(const o2c_cuda_setup *setup, size_t i, size_t *next)
{
  const o2c_cuda_weight *w = &setup->weight[i], *v;
  size_t bytes = w->bytes;
  for (*next = i + 1; !w->from && *next < setup->nweight; ++*next) {
    v = &setup->weight[*next];
    if (v->from || v->at < w->at + bytes ||
        v->offset - w->offset != v->at - w->at)
      break;
    bytes = v->at - w->at + v->bytes;
  }
  return bytes;
}

static int take_weights(o2c_cuda *cu, const o2c_cuda_setup *setup,
                        open_error *e)
{
  size_t i, next;
  cu->weights = (unsigned char *)(uintptr_t)setup->cfg->device->weights;
  if (cu->weights || setup->weight_bytes == 0)
    return 1;
  if (!ok(e, cudaMalloc(&cu->own_weights, setup->weight_bytes),
          "the GPU has no memory for the weights"))
    return 0;
  cu->weights = (unsigned char *)cu->own_weights;
  for (i = 0; i < setup->nweight; i = next) {
    const o2c_cuda_weight *w = &setup->weight[i];
    size_t bytes = together(setup, i, &next);
    if (bytes &&
        !ok(e, cudaMemcpyAsync(cu->weights + w->at,
                               w->from ? w->from : setup->base + w->offset,
                               bytes, cudaMemcpyDefault, cu->stream), NULL))
      return 0;
  }
  return ok(e, cudaStreamSynchronize(cu->stream), NULL);
}

static int start_libraries(o2c_cuda *cu, const o2c_cuda_setup *setup,
                           open_error *e)
{
  const char *no_memory = "the host has no memory";
  const unsigned which = setup->libraries;
  cu->nregion = setup->nregion;
  cu->record = (o2c_cuda_record **)calloc(cu->nregion + (size_t)1,
                                          sizeof *cu->record);
  if (!cu->record)
    return wrong(e, O2C_E_WORKSPACE, no_memory);
  if (setup->nlibrary == 0)
    return 1;
  cu->nplan = setup->nlibrary;
  cu->plan = (o2c_cuda_plan **)calloc(cu->nplan, sizeof *cu->plan);
  if (!cu->plan)
    return wrong(e, O2C_E_WORKSPACE, no_memory);
  if ((which & O2C_CUDA_BLAS && !o2c_cuda_blas(cu)) ||
      (which & O2C_CUDA_DNN && !o2c_cuda_dnn(cu)))
    return wrong(e, cu->status, cu->library_text);
  return !setup->cfg->device->tuned ||
         o2c_cuda_tuned_open(cu, setup->cfg->device->tuned) ||
         wrong(e, O2C_E_WORKSPACE, no_memory);
}

static int open_all(o2c_cuda *cu, const o2c_cuda_setup *setup, open_error *e)
{
  if (!find_device(cu, e))
    return 0;
  cu->stream = (cudaStream_t)setup->cfg->stream;
  if (!cu->stream) {
    if (!ok(e, cudaStreamCreateWithFlags(&cu->stream, cudaStreamNonBlocking),
            NULL))
      return 0;
    cu->own_stream = (void *)cu->stream;
  }
  return take_memory(cu, setup->cfg->device, e) &&
         take_weights(cu, setup, e) && start_libraries(cu, setup, e);
}

o2c_status o2c_cuda_open(o2c_cuda **cu, const o2c_cuda_setup *setup,
                         const char **text)
{
  const o2c_device *d = setup->cfg->device;
  open_error e;
  e.status = O2C_OK;
  e.text = "";
  *cu = NULL;
  if (!d || d->size < sizeof *d)
    wrong(&e, O2C_E_ARG, "the configuration has no device");
  else if (d->arena_size < O2C_CUDA_SCRATCH)
    wrong(&e, O2C_E_WORKSPACE, "the arena is smaller than the scratch");
  else if ((uintptr_t)d->arena % 256)
    wrong(&e, O2C_E_ALIGN, "the arena is not aligned to 256");
  else if ((*cu = (o2c_cuda *)calloc(1, sizeof **cu)) == NULL)
    wrong(&e, O2C_E_WORKSPACE, "the host has no memory");
  if (*cu) {
    (*cu)->device = (*cu)->other = -1;
    (*cu)->flags = setup->cfg->flags;
    (*cu)->hooks = setup->cfg->hooks && setup->cfg->hooks->node;
    if (!open_all(*cu, setup, &e)) {
      o2c_cuda_close(*cu);
      *cu = NULL;
    }
  }
  if (text)
    *text = e.text;
  return e.status;
}

void o2c_cuda_close(o2c_cuda *cu)
{
  int device = -1, moved = 0;
  if (!cu)
    return;
  /* What was made on a device is freed there. */
  if (cu->device >= 0 && cudaGetDevice(&device) == cudaSuccess &&
      device != cu->device)
    moved = cudaSetDevice(cu->device) == cudaSuccess;
  if (cu->record)
    o2c_cuda_forget_records(cu);
  if (cu->fault) /* kernels may run that use what goes */
    cudaStreamSynchronize(cu->stream);
  o2c_cuda_plans_close(cu);
  free(cu->record);
  if (cu->dnn)
    cudnnDestroy(cu->dnn);
  if (cu->blas)
    cublasLtDestroy(cu->blas);
  if (cu->stage)
    cudaFreeHost(cu->stage);
  if (cu->found)
    cudaFreeHost(cu->found);
  if (cu->fault)
    cudaFree(cu->fault);
  if (cu->own_weights)
    cudaFree(cu->own_weights);
  if (cu->own_arena)
    cudaFree(cu->own_arena);
  if (cu->own_stream)
    cudaStreamDestroy(cu->stream);
  if (moved)
    cudaSetDevice(device);
  if (cu->device >= 0)
    cudaGetLastError();
  free(cu);
}
