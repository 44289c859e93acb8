/* SPDX-License-Identifier: Apache-2.0 */
/* fake_cuda.cpp: CUDA's runtime. Device memory is the heap's, and registered;
 * it comes filled with 0xff. A stream is a list of what is still to be done. */
#include "fake.h"

namespace o2c_fake {

world_state &world()
{
  static world_state w = {};
  return w;
}

void misuse(const char *format, ...)
{
  va_list list;
  va_start(list, format);
  fputs("o2c_fake: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  fflush(stderr);
  va_end(list);
  abort();
}

bool trip()
{
  guard g(world().lock);
  return ++world().calls == world().fail_at;
}

void born(void)
{
  guard g(world().lock);
  world().objects++;
}

void died(void)
{
  guard g(world().lock);
  if (--world().objects < 0)
    misuse("something is destroyed twice");
}

side side_of(const char *call, const void *p, size_t bytes)
{
  guard g(world().lock);
  uintptr_t at = (uintptr_t)p;
  auto i = world().blocks.upper_bound(at);
  if (i != world().blocks.end() && i->first - at < bytes)
    misuse("%s: a range runs into a block", call);
  if (i == world().blocks.begin())
    return side_host;
  --i;
  size_t size = i->second.first;
  if (at - i->first >= size)
    return side_host;
  if (at - i->first + bytes > size)
    misuse("%s: %zu bytes, but the block has %zu", call, bytes,
           size - (at - i->first));
  return i->second.second;
}

void enqueue(const char *call, cudaStream_t stream, work w)
{
  guard g(world().lock);
  if (!stream || !world().streams.count(stream))
    misuse("%s: no such stream", call);
  if (stream->records)
    stream->recorded.push_back(std::move(w));
  else
    stream->queue.push_back(std::move(w));
}

void outside(const char *call)
{
  guard g(world().lock);
  for (auto &s : world().streams)
    if (s.first->records)
      misuse("%s while a stream records", call);
}

size_t element_size(element e)
{
  return e == f32 || e == i32 ? 4 : e == boolean ? 1 : 2;
}

static double f16_value(uint16_t h)
{
  int exponent = h >> 10 & 31;
  double v = h & 1023;
  if (exponent == 31)
    v = v ? NAN : INFINITY;
  else
    v = exponent ? ldexp(v + 1024, exponent - 25) : ldexp(v, -24);
  return h >> 15 ? -v : v;
}

static uint16_t f16_bits(double v)
{
  uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  double a = fabs(v);
  int exponent;
  if (a != a)
    return 0x7e00;
  if (a >= 65520)
    return (uint16_t)(sign | 0x7c00);
  if (a < ldexp(1, -14))
    return (uint16_t)(sign | (int)nearbyint(ldexp(a, 24)));
  frexp(a, &exponent);
  int mantissa = (int)nearbyint(ldexp(a, 11 - exponent));
  return (uint16_t)(sign | (((exponent + 14) << 10) + mantissa - 1024));
}

double load(element e, const void *p, int64_t i)
{
  uint16_t h;
  uint32_t bits;
  float f;
  int32_t k;
  switch (e) {
  case f32:
    memcpy(&f, (const char *)p + 4 * i, sizeof f);
    return f;
  case i32:
    memcpy(&k, (const char *)p + 4 * i, sizeof k);
    return k;
  case boolean:
    return ((const char *)p)[i];
  case f16:
    memcpy(&h, (const char *)p + 2 * i, sizeof h);
    return f16_value(h);
  default:
    memcpy(&h, (const char *)p + 2 * i, sizeof h);
    bits = (uint32_t)h << 16;
    memcpy(&f, &bits, sizeof f);
    return f;
  }
}

void store(element e, void *p, int64_t i, double v)
{
  char *to = (char *)p + (int64_t)element_size(e) * i;
  float f = (float)v;
  int32_t k = (int32_t)(e == i32 ? v : 0);
  uint32_t bits;
  uint16_t h;
  switch (e) {
  case f32:
    memcpy(to, &f, sizeof f);
    break;
  case i32:
    memcpy(to, &k, sizeof k);
    break;
  case boolean:
    *to = v != 0;
    break;
  case f16:
    h = f16_bits(v);
    memcpy(to, &h, sizeof h);
    break;
  default:
    memcpy(&bits, &f, sizeof bits);
    h = (uint16_t)(f != f ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    memcpy(to, &h, sizeof h);
  }
}

double rounded(element e, double v)
{
  char at[4];
  store(e, at, 0, v);
  return load(e, at, 0);
}

namespace {

cudaError_t noted(cudaError_t e)
{
  guard g(world().lock);
  if (e != cudaSuccess)
    world().last = e;
  return e;
}

const size_t filled = 1 << 20; /* all of it would take too long */

cudaError_t take(void **p, size_t bytes, side where)
{
  size_t size = bytes ? bytes : 1;
  outside("an allocation");
  if (trip() || size > (size_t)1 << 40 || posix_memalign(p, 256, size) != 0)
    return noted(cudaErrorMemoryAllocation);
  memset(*p, 0xff, size < filled ? size : filled);
  guard g(world().lock);
  world().blocks[(uintptr_t)*p] = { size, where };
  return cudaSuccess;
}

cudaError_t give(void *p, side where)
{
  if (!p)
    return cudaSuccess;
  outside("freeing memory");
  {
    guard g(world().lock);
    auto i = world().blocks.find((uintptr_t)p);
    if (i == world().blocks.end() || i->second.second != where)
      misuse("memory is freed that is not there");
    world().blocks.erase(i);
  }
  free(p);
  return cudaSuccess;
}

void flush(cudaStream_t s)
{
  works all;
  all.swap(s->queue);
  for (work &w : all)
    w();
}

/* A stream of ours, or 0 for the default one, which nothing waits for. */
bool known(cudaStream_t s)
{
  guard g(world().lock);
  return world().streams.count(s) != 0;
}

} // namespace
} // namespace o2c_fake

using namespace o2c_fake;

/* ---- devices and errors ---- */

cudaError_t cudaDriverGetVersion(int *version)
{
  *version = CUDART_VERSION;
  return trip() ? noted(cudaErrorInvalidValue) : cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *n)
{
  *n = world().devices;
  return trip() ? noted(cudaErrorNoDevice) : cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
  *device = world().device;
  return trip() ? noted(cudaErrorInitializationError) : cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
  if (device < 0 || device >= world().devices)
    return noted(cudaErrorInvalidDevice);
  world().device = device;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attr, int device)
{
  *value = attr == cudaDevAttrComputeCapabilityMajor ? 9 : 0;
  if (device >= world().devices)
    return noted(cudaErrorInvalidDevice);
  return trip() ? noted(cudaErrorInvalidValue) : cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int device)
{
  memset(prop, 0, sizeof *prop);
  snprintf(prop->name, sizeof prop->name, "Fake %d", device);
  return trip() ? noted(cudaErrorInvalidValue) : cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
  guard g(world().lock);
  cudaError_t e = world().last;
  world().last = cudaSuccess;
  return e;
}

cudaError_t cudaPeekAtLastError(void)
{
  guard g(world().lock);
  return world().last;
}

const char *cudaGetErrorString(cudaError_t error)
{
  static char text[64];
  snprintf(text, sizeof text, "CUDA's error %d", (int)error);
  return text;
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **p, size_t bytes)
{
  return take(p, bytes, side_device);
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
  return take(p, bytes, side_pinned);
}

/* It waits for the device. */
cudaError_t cudaFree(void *p)
{
  cudaDeviceSynchronize();
  return give(p, side_device);
}

cudaError_t cudaFreeHost(void *p)
{
  return give(p, side_pinned);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes,
                       cudaMemcpyKind kind)
{
  (void)kind;
  outside("cudaMemcpy");
  side_of("cudaMemcpy", to, bytes);
  side_of("cudaMemcpy", from, bytes);
  memmove(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream)
{
  side a = side_of("cudaMemcpyAsync", to, bytes);
  side b = side_of("cudaMemcpyAsync", from, bytes);
  if (kind != cudaMemcpyDefault)
    misuse("cudaMemcpyAsync: which side is told by pointers");
  if (trip())
    return noted(cudaErrorInvalidValue);
  if (known(stream) && stream->records && (a == side_host || b == side_host))
    misuse("cudaMemcpyAsync of pageable memory while the stream records");
  enqueue("cudaMemcpyAsync", stream, [=] { memmove(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *p, int byte, size_t bytes,
                            cudaStream_t stream)
{
  if (side_of("cudaMemsetAsync", p, bytes) == side_host)
    misuse("cudaMemsetAsync of the host's memory");
  if (trip())
    return noted(cudaErrorInvalidValue);
  enqueue("cudaMemsetAsync", stream, [=] { memset(p, byte, bytes); });
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *at, const void *p)
{
  side s = side_of("cudaPointerGetAttributes", p, 1);
  memset(at, 0, sizeof *at);
  if (trip())
    return noted(cudaErrorInvalidValue);
  at->type = s == side_device   ? cudaMemoryTypeDevice
             : s == side_pinned ? cudaMemoryTypeHost
                                : cudaMemoryTypeUnregistered;
  at->device = s == side_host ? -2 : 0;
  return cudaSuccess;
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
  (void)flags;
  outside("cudaStreamCreateWithFlags");
  if (trip())
    return noted(cudaErrorMemoryAllocation);
  *stream = new CUstream_st();
  guard g(world().lock);
  world().streams[*stream] = true;
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
  if (!known(stream))
    misuse("cudaStreamDestroy of no stream");
  flush(stream);
  {
    guard g(world().lock);
    world().streams.erase(stream);
  }
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
  outside("cudaStreamSynchronize");
  if (!known(stream))
    return noted(cudaErrorInvalidResourceHandle);
  if (trip())
    return noted(cudaErrorLaunchFailure);
  flush(stream);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void)
{
  std::vector<cudaStream_t> all;
  outside("cudaDeviceSynchronize");
  {
    guard g(world().lock);
    for (auto &s : world().streams)
      all.push_back(s.first);
  }
  for (cudaStream_t s : all)
    flush(s);
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream,
                                  cudaStreamCaptureStatus *status)
{
  if (trip() || !known(stream))
    return noted(cudaErrorInvalidResourceHandle);
  *status = stream->records ? cudaStreamCaptureStatusActive
                            : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream,
                                   cudaStreamCaptureMode mode)
{
  (void)mode;
  if (!known(stream) || stream->records)
    misuse("cudaStreamBeginCapture: no stream, or one that records");
  if (trip())
    return noted(cudaErrorStreamCaptureUnsupported);
  stream->records = true;
  stream->recorded.clear();
  return cudaSuccess;
}

/* Where it fails the stream records no more, and there is no graph. */
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
  *graph = NULL;
  if (!known(stream) || !stream->records)
    misuse("cudaStreamEndCapture: the stream does not record");
  stream->records = false;
  if (trip() || world().bad_recordings-- > 0)
    return noted(cudaErrorStreamCaptureInvalidated);
  born();
  *graph = new CUgraph_st();
  (*graph)->steps.swap(stream->recorded);
  return cudaSuccess;
}

/* ---- graphs ---- */

static cudaError_t instantiate(cudaGraphExec_t *exec, cudaGraph_t graph)
{
  outside("cudaGraphInstantiate");
  if (trip())
    return noted(cudaErrorMemoryAllocation);
  born();
  *exec = new CUgraphExec_st();
  (*exec)->steps = std::make_shared<works>(graph->steps);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph,
                                 unsigned long long flags)
{
  (void)flags;
  return instantiate(exec, graph);
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *exec,
                                          cudaGraph_t graph,
                                          unsigned long long flags)
{
  (void)flags;
  return instantiate(exec, graph);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
  if (trip())
    return noted(cudaErrorLaunchFailure);
  std::shared_ptr<works> steps = exec->steps;
  enqueue("cudaGraphLaunch", stream, [steps] {
    for (work &w : *steps)
      w();
  });
  guard g(world().lock);
  world().replays++;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
  delete graph;
  died();
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
  delete exec;
  died();
  return cudaSuccess;
}

/* ---- events ---- */

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
  if (trip())
    return noted(cudaErrorMemoryAllocation);
  *event = new CUevent_st();
  born();
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
  delete event;
  died();
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
  if (trip())
    return noted(cudaErrorInvalidResourceHandle);
  event->recorded = true;
  enqueue("cudaEventRecord", stream, [] {});
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
  outside("cudaEventSynchronize");
  if (trip() || !event->recorded)
    return noted(cudaErrorInvalidResourceHandle);
  return cudaDeviceSynchronize();
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t begin, cudaEvent_t end)
{
  if (trip() || !begin->recorded || !end->recorded)
    return noted(cudaErrorInvalidResourceHandle);
  *ms = (float)(world().calls % 7 + 1);
  return cudaSuccess;
}

/* ---- for tests ---- */

void o2c_fake_fail(long k)
{
  world().calls = 0;
  world().fail_at = k;
}

void o2c_fake_fail_recordings(int n)
{
  world().bad_recordings = n;
}

long o2c_fake_calls(void)
{
  return world().calls;
}

void o2c_fake_devices(int n)
{
  world().devices = n;
}

int o2c_fake_current(int device)
{
  if (device >= 0)
    world().device = device;
  return world().device;
}

void o2c_fake_last_error(int error)
{
  world().last = (cudaError_t)error;
}

long o2c_shim_live(void)
{
  guard g(world().lock);
  return world().objects + (long)world().blocks.size() +
         (long)world().streams.size();
}

long o2c_shim_launches(void)
{
  return world().launches;
}

long o2c_shim_replays(void)
{
  return world().replays;
}

/* Of fake_launch.cpp, which runs kernels: 0: the launch is to fail. */
extern "C" int o2c_fake_launch(void *stream, const char *name,
                               const std::function<void()> *run)
{
  if (trip()) {
    noted(cudaErrorLaunchFailure);
    return 0;
  }
  {
    guard g(world().lock);
    world().launches++;
  }
  enqueue(name, (cudaStream_t)stream, *run);
  return 1;
}
