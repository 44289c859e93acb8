/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_cuda_api.cpp: the few calls of CUDA's own runtime that a test needs to
 * hand a model memory and a stream, the shim's streams and its register of
 * device memory, and its counts. Device memory comes filled with 0xff. */
#include "o2c_cuda_state.h"

#include <cstdarg>

namespace o2c_shim {

device_state &device()
{
  static device_state d;
  return d;
}

void fail(const char *format, ...)
{
  va_list list;
  va_start(list, format);
  fputs("o2c_shim: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  fflush(stderr);
  va_end(list);
  abort();
}

uintptr_t block_of(const void *p, size_t *left)
{
  guard g(device().lock);
  uintptr_t at = (uintptr_t)p;
  auto i = device().blocks.upper_bound(at);
  if (i == device().blocks.begin())
    return 0;
  --i;
  if (at - i->first >= i->second)
    return 0;
  *left = i->second - (at - i->first);
  return i->first;
}

void check_range(const char *call, const char *what, const void *p,
                 size_t bytes, bool *is_device)
{
  size_t left = 0;
  *is_device = block_of(p, &left) != 0;
  if (*is_device && bytes > left)
    fail("%s: %s: %zu bytes, but the device's memory there has %zu", call,
         what, bytes, left);
  if (*is_device)
    return;
  guard g(device().lock);
  auto i = device().blocks.lower_bound((uintptr_t)p);
  if (i != device().blocks.end() && i->first - (uintptr_t)p < bytes)
    fail("%s: %s: a range of the host's that runs into the device's", call,
         what);
}

void *device_alloc(size_t bytes)
{
  size_t size = bytes ? bytes : 1;
  void *p = nullptr;
  if (size > PTRDIFF_MAX / 2 || posix_memalign(&p, 256, size) != 0)
    return nullptr;
  memset(p, 0xff, size);
  guard g(device().lock);
  device().blocks[(uintptr_t)p] = size;
  return p;
}

bool device_free(void *p)
{
  if (!p)
    return true;
  {
    guard g(device().lock);
    if (!device().blocks.erase((uintptr_t)p))
      return false;
  }
  free(p);
  return true;
}

CUstream_st *stream_new()
{
  const char *late = getenv("O2C_SHIM_LATE");
  CUstream_st *s = new CUstream_st();
  s->late = late && strcmp(late, "1") == 0;
  guard g(device().lock);
  device().streams[s] = true;
  return s;
}

bool stream_known(CUstream_st *s)
{
  guard g(device().lock);
  return device().streams.count(s) != 0;
}

bool stream_delete(CUstream_st *s)
{
  if (!stream_known(s))
    return false;
  s->flush();
  {
    guard g(device().lock);
    device().streams.erase(s);
  }
  delete s;
  return true;
}

/* Of an error, cudaGetLastError tells too. */
static cudaError_t noted(cudaError_t e)
{
  guard g(device().lock);
  if (e != cudaSuccess)
    device().last = e;
  return e;
}

/* Whether the sides are as `kind` says. */
static bool sides(const void *to, const void *from, size_t bytes,
                  cudaMemcpyKind kind)
{
  bool to_device, from_device;
  check_range("cudaMemcpy", "to", to, bytes, &to_device);
  check_range("cudaMemcpy", "from", from, bytes, &from_device);
  return kind == cudaMemcpyDefault ||
         (to_device == (kind == cudaMemcpyHostToDevice ||
                        kind == cudaMemcpyDeviceToDevice) &&
          from_device == (kind == cudaMemcpyDeviceToHost ||
                          kind == cudaMemcpyDeviceToDevice));
}

} // namespace o2c_shim

void CUstream_st::add(o2c_shim::work w)
{
  if (late)
    queue.push_back(std::move(w));
  else
    w();
}

void CUstream_st::flush()
{
  o2c_shim::works all;
  all.swap(queue);
  for (o2c_shim::work &w : all)
    w();
}

using namespace o2c_shim;

cudaError_t cudaMalloc(void **p, size_t bytes)
{
  *p = device_alloc(bytes);
  return noted(*p ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void *p)
{
  return noted(device_free(p) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
  *p = malloc(bytes ? bytes : 1);
  return noted(*p ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void *p)
{
  free(p);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes,
                       cudaMemcpyKind kind)
{
  if (bytes == 0)
    return cudaSuccess;
  if (!sides(to, from, bytes, kind))
    return noted(cudaErrorInvalidValue);
  memmove(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream)
{
  if (!stream)
    return cudaMemcpy(to, from, bytes, kind);
  if (!stream_known(stream))
    return noted(cudaErrorInvalidResourceHandle);
  if (bytes == 0)
    return cudaSuccess;
  if (!sides(to, from, bytes, kind))
    return noted(cudaErrorInvalidValue);
  stream->add([=] { memmove(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemset(void *p, int byte, size_t bytes)
{
  bool is_device = false;
  if (bytes == 0)
    return cudaSuccess;
  check_range("cudaMemset", "to", p, bytes, &is_device);
  if (!is_device)
    return noted(cudaErrorInvalidValue);
  memset(p, byte, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
  *stream = stream_new();
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
  return noted(stream_delete(stream) ? cudaSuccess
                                      : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
  if (!stream_known(stream))
    return noted(cudaErrorInvalidResourceHandle);
  stream->flush();
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void)
{
  std::vector<CUstream_st *> all;
  {
    guard g(device().lock);
    for (auto &s : device().streams)
      all.push_back(s.first);
  }
  for (CUstream_st *s : all)
    s->flush();
  return cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
  guard g(device().lock);
  cudaError_t e = device().last;
  device().last = cudaSuccess;
  return e;
}

const char *cudaGetErrorString(cudaError_t error)
{
  switch (error) {
  case cudaSuccess:
    return "no error";
  case cudaErrorInvalidValue:
    return "invalid argument";
  case cudaErrorMemoryAllocation:
    return "out of memory";
  case cudaErrorInvalidResourceHandle:
    return "invalid resource handle";
  }
  return "unrecognized error code";
}

long o2c_shim_live(void)
{
  guard g(device().lock);
  return device().contexts + (long)device().blocks.size() +
         (long)device().streams.size();
}

long o2c_shim_launches(void)
{
  guard g(device().lock);
  return device().launches;
}

long o2c_shim_replays(void)
{
  guard g(device().lock);
  return device().replays;
}
