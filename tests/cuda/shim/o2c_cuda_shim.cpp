/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_cuda_shim.cpp: o2c_cuda.h on the host, for tests. Device memory is the
 * heap's, and registered, so that every pointer can be asked what it is. What a
 * context is told goes through its stream as closures that hold their arguments
 * by value: done at once, or (O2C_SHIM_LATE) when someone waits; those of a
 * region are kept, and a replay does them again. Thus a step that depends on
 * what its region's key leaves out gives a wrong result here too.
 *
 * Environment, read by o2c_cuda_open:
 *   O2C_SHIM_ORDER=0|1|2   threads and blocks ascending, descending, at random
 *   O2C_SHIM_LATE=1        all work is done as late as possible
 *   O2C_SHIM_GRAPHS=0      regions are never recorded
 *   O2C_SHIM_FILL=1        each run finds an arena of 0xff, not only the first
 *   O2C_SHIM_FAIL=WHAT     device, driver, memory, weights; launch:K and
 *                          library:K: the context's K-th, from 1 on, fails
 *
 * Misuse that no status is for ends the program with a message. */
#include "o2c_cuda_state.h"

#if defined(__SANITIZE_ADDRESS__)
#define RUNTIME_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNTIME_ASAN 1
#endif
#endif
#ifdef RUNTIME_ASAN
#include <sanitizer/asan_interface.h>
#endif

using namespace o2c_shim;

o2c_status o2c_cuda::keep(o2c_status s, const std::string &text)
{
  if (status == O2C_OK) {
    status = s;
    message = text;
  }
  return status;
}

void o2c_cuda::add(work w)
{
  if (recording)
    recording->push_back(std::move(w));
  else
    stream->add(std::move(w));
}

void o2c_cuda::outside(const char *call) const
{
  if (open_region >= 0)
    fail("%s inside of region %ld", call, open_region);
}

namespace {

enum { region_keys = 72, key_bytes = 256 };

bool env_is(const char *name, const char *value)
{
  const char *v = getenv(name);
  return v && strcmp(v, value) == 0;
}

/* O2C_SHIM_FAIL=name:K. */
long env_fail(const char *name)
{
  const char *v = getenv("O2C_SHIM_FAIL");
  size_t n = strlen(name);
  return v && strncmp(v, name, n) == 0 && v[n] == ':' ? atol(v + n + 1) : 0;
}

/* Nothing but libraries may touch the scratch. Not of a caller's arena, whose
 * other contexts may have theirs elsewhere in it. */
void scratch_guard(o2c_cuda *cu, bool on)
{
#ifdef RUNTIME_ASAN
  if (on)
    __asan_poison_memory_region(cu->arena + cu->arena_size, O2C_CUDA_SCRATCH);
  else
    __asan_unpoison_memory_region(cu->arena + cu->arena_size,
                                  O2C_CUDA_SCRATCH);
#else
  (void)cu, (void)on;
#endif
}

o2c_status open_arena(o2c_cuda *cu, const o2c_device *d, const char **text)
{
  size_t left;
  if (d->arena_size < O2C_CUDA_SCRATCH) {
    *text = "the arena is smaller than the libraries' scratch";
    return O2C_E_WORKSPACE;
  }
  if (d->arena) {
    if (!block_of(d->arena, &left) || left < d->arena_size) {
      *text = "the arena is no device memory of that size";
      return O2C_E_ARG;
    }
    if ((uintptr_t)d->arena % 256) {
      *text = "the arena is not aligned to 256";
      return O2C_E_ALIGN;
    }
    cu->arena = (unsigned char *)d->arena;
  } else {
    if (env_is("O2C_SHIM_FAIL", "memory") ||
        !(cu->arena = (unsigned char *)device_alloc(d->arena_size))) {
      *text = "out of memory";
      return O2C_E_WORKSPACE;
    }
    cu->own_arena = true;
  }
  cu->arena_size = d->arena_size - O2C_CUDA_SCRATCH;
  memset(cu->arena, 0xff, d->arena_size);
  if (cu->own_arena)
    scratch_guard(cu, true);
  return O2C_OK;
}

o2c_status open_weights(o2c_cuda *cu, const o2c_cuda_setup *s,
                        const char **text)
{
  const o2c_device *d = s->cfg->device;
  size_t left;
  if (d->weights) {
    if (!block_of(d->weights, &left) || left < s->weight_bytes) {
      *text = "the weights are no device memory of their size";
      return O2C_E_ARG;
    }
    cu->weights = (unsigned char *)(uintptr_t)d->weights;
    return O2C_OK;
  }
  cu->weights = (unsigned char *)device_alloc(s->weight_bytes);
  if (!cu->weights) {
    *text = "out of memory";
    return O2C_E_WORKSPACE;
  }
  cu->own_weights = true;
  if (env_is("O2C_SHIM_FAIL", "weights")) {
    *text = "the weights could not be copied to the device";
    return O2C_E_DEVICE;
  }
  for (size_t i = 0; i < s->nweight; i++) {
    const o2c_cuda_weight *w = s->weight + i;
    if (w->at > s->weight_bytes || w->bytes > s->weight_bytes - w->at)
      fail("o2c_cuda_open: weight %zu ends behind weight_bytes", i);
    if (w->bytes && !w->from && !s->base)
      fail("o2c_cuda_open: weight %zu comes from nowhere", i);
    if (w->bytes)
      memcpy(cu->weights + w->at, w->from ? w->from : s->base + w->offset,
             w->bytes);
  }
  return O2C_OK;
}

o2c_status open_all(o2c_cuda *cu, const o2c_cuda_setup *s, const char **text)
{
  const o2c_config *cfg = s->cfg;
  o2c_status status;
  if (env_is("O2C_SHIM_FAIL", "device")) {
    *text = "no CUDA-capable device is detected";
    return O2C_E_DEVICE;
  }
  if (env_is("O2C_SHIM_FAIL", "driver")) {
    *text = "CUDA driver version is insufficient for CUDA runtime version";
    return O2C_E_DEVICE;
  }
  if (cfg->stream) {
    cu->stream = (CUstream_st *)cfg->stream;
    if (!stream_known(cu->stream)) {
      *text = "invalid resource handle";
      return O2C_E_DEVICE;
    }
  } else {
    cu->stream = stream_new();
    cu->own_stream = true;
  }
  status = open_arena(cu, cfg->device, text);
  if (status == O2C_OK)
    status = open_weights(cu, s, text);
  if (status == O2C_OK) {
    cu->fault = (int *)device_alloc(sizeof(int));
    if (!cu->fault) {
      *text = "out of memory";
      return O2C_E_WORKSPACE;
    }
    *cu->fault = 0;
  }
  return status;
}

} // namespace

o2c_status o2c_cuda_open(o2c_cuda **out, const o2c_cuda_setup *setup,
                         const char **text)
{
  const char *ignored, *order = getenv("O2C_SHIM_ORDER");
  if (!text)
    text = &ignored;
  *text = "";
  *out = nullptr;
  if (!setup->cfg || !setup->cfg->device ||
      setup->cfg->device->size < sizeof(o2c_device)) {
    *text = "the configuration has no device";
    return O2C_E_ARG;
  }
  o2c_cuda *cu = new o2c_cuda();
  {
    guard g(device().lock);
    device().contexts++;
  }
  cu->graphs = !env_is("O2C_SHIM_GRAPHS", "0");
  cu->fill = env_is("O2C_SHIM_FILL", "1");
  cu->pointers = (setup->cfg->flags & O2C_DEVICE_POINTERS) != 0;
  cu->order = !order || atoi(order) <= 0 ? order_ascending
              : atoi(order) == 1         ? order_descending
                                         : order_random;
  cu->fail_launch = env_fail("launch");
  cu->fail_library = env_fail("library");
  cu->nregion = setup->nregion;
  cu->nlibrary = setup->nlibrary;
  cu->regions.resize(setup->nregion);
  cu->open_region = -1;
  o2c_status status = open_all(cu, setup, text);
  if (status == O2C_OK)
    *out = cu;
  else
    o2c_cuda_close(cu);
  return status;
}

void o2c_cuda_close(o2c_cuda *cu)
{
  if (!cu)
    return;
  if (cu->own_stream)
    stream_delete(cu->stream);
  else if (stream_known(cu->stream))
    cu->stream->flush();
  if (cu->own_arena) {
    scratch_guard(cu, false);
    device_free(cu->arena);
  }
  if (cu->own_weights)
    device_free(cu->weights);
  device_free(cu->fault);
  delete cu;
  guard g(device().lock);
  device().contexts--;
}

unsigned char *o2c_cuda_arena(const o2c_cuda *cu) { return cu->arena; }

size_t o2c_cuda_arena_size(const o2c_cuda *cu) { return cu->arena_size; }

const unsigned char *o2c_cuda_weights(const o2c_cuda *cu)
{
  return cu->weights;
}

void *o2c_cuda_stream(const o2c_cuda *cu) { return cu->stream; }

const char *o2c_cuda_message(const o2c_cuda *cu)
{
  return cu->message.c_str();
}

uint64_t o2c_cuda_waits(const o2c_cuda *cu) { return cu->waits; }

int *o2c_cuda_fault(o2c_cuda *cu) { return cu->fault; }

/* A run that failed may have left a region open; what it recorded is lost. */
void o2c_cuda_start(o2c_cuda *cu)
{
  if (cu->status == O2C_OK)
    cu->outside("o2c_cuda_start");
  cu->open_region = -1;
  cu->recording.reset();
  cu->status = O2C_OK;
  cu->message.clear();
  cu->launch_error.clear();
  bool forget = cu->forget;
  cu->forget = false;
  cu->add([cu, forget] {
    if (forget)
      *cu->fault = 0;
    if (cu->fill)
      memset(cu->arena, 0xff, cu->arena_size);
  });
}

o2c_status o2c_cuda_room(o2c_cuda *cu, size_t bytes)
{
  if (cu->arena_size + O2C_CUDA_SCRATCH < bytes)
    cu->keep(O2C_E_WORKSPACE, "the arena is smaller than dimensions need");
  return cu->status;
}

o2c_status o2c_cuda_check(o2c_cuda *cu, const void *p)
{
  size_t left;
  if (cu->status != O2C_OK || !p || (block_of(p, &left) != 0) == cu->pointers)
    return cu->status;
  return cu->keep(O2C_E_ARG, cu->pointers
                               ? "a pointer is not to the device's memory"
                               : "a pointer is not to the host's memory");
}

o2c_status o2c_cuda_copy(o2c_cuda *cu, void *to, const void *from,
                         size_t bytes)
{
  bool to_device, from_device;
  if (cu->status != O2C_OK || bytes == 0)
    return cu->status;
  check_range("o2c_cuda_copy", "to", to, bytes, &to_device);
  check_range("o2c_cuda_copy", "from", from, bytes, &from_device);
  cu->add([=] { memmove(to, from, bytes); });
  return O2C_OK;
}

o2c_status o2c_cuda_put(o2c_cuda *cu, void *to, const void *from,
                        size_t bytes)
{
  bool to_device, from_device;
  if (cu->status != O2C_OK)
    return cu->status;
  cu->outside("o2c_cuda_put");
  if (bytes == 0)
    return O2C_OK;
  check_range("o2c_cuda_put", "to", to, bytes, &to_device);
  check_range("o2c_cuda_put", "from", from, bytes, &from_device);
  if (from_device)
    fail("o2c_cuda_put: not from the host");
  std::string kept((const char *)from, bytes);
  cu->add([=] { memcpy(to, kept.data(), kept.size()); });
  return O2C_OK;
}

o2c_status o2c_cuda_get(o2c_cuda *cu, void *to, const void *from,
                        size_t bytes)
{
  bool to_device, from_device;
  if (cu->status != O2C_OK)
    return cu->status;
  cu->outside("o2c_cuda_get");
  if (bytes == 0)
    return O2C_OK;
  check_range("o2c_cuda_get", "to", to, bytes, &to_device);
  check_range("o2c_cuda_get", "from", from, bytes, &from_device);
  if (to_device)
    fail("o2c_cuda_get: not to the host");
  if (from_device) { /* else it is the caller's, and there */
    cu->waits++;
    cu->stream->flush();
  }
  memcpy(to, from, bytes);
  return O2C_OK;
}

/* What a run found that failed is not for the next one. */
o2c_status o2c_cuda_finish(o2c_cuda *cu, o2c_status status)
{
  if (status == O2C_OK)
    status = cu->status;
  if (status != O2C_OK) {
    cu->forget = true;
    return status;
  }
  cu->outside("o2c_cuda_finish");
  cu->add([cu] { cu->fault_seen = *cu->fault; });
  return O2C_OK;
}

o2c_status o2c_cuda_wait(o2c_cuda *cu)
{
  if (cu->status == O2C_OK)
    cu->outside("o2c_cuda_wait");
  cu->waits++;
  cu->stream->flush();
  if (cu->fault_seen) {
    cu->keep((o2c_status)cu->fault_seen, "a kernel found wrong data");
    cu->fault_seen = 0;
    cu->forget = true;
  }
  return cu->status;
}

/* A key's first region runs plainly, the second is recorded, and from then on
 * it is replayed. */
int o2c_cuda_region(o2c_cuda *cu, unsigned region, const void *key,
                    size_t bytes)
{
  if (cu->status != O2C_OK)
    return 0;
  cu->outside("o2c_cuda_region");
  if (region >= cu->nregion)
    fail("o2c_cuda_region: %u, but there are %u", region, cu->nregion);
  if (bytes > key_bytes)
    fail("o2c_cuda_region: a key of %zu bytes", bytes);
  cu->open_region = region;
  if (!cu->graphs)
    return 1;
  std::list<recorded> &list = cu->regions[region];
  std::string name((const char *)(bytes ? key : ""), bytes);
  auto i = list.begin();
  while (i != list.end() && i->key != name)
    ++i;
  if (i == list.end()) {
    if (list.size() == region_keys)
      list.pop_back();
    list.push_front(recorded{ name, false, nullptr });
    return 1;
  }
  list.splice(list.begin(), list, i);
  if (!i->ready) {
    cu->recording = std::make_shared<works>();
    return 1;
  }
  cu->open_region = -1;
  {
    guard g(device().lock);
    device().replays++;
  }
  std::shared_ptr<works> steps = i->steps;
  cu->stream->add([steps] {
    for (work &w : *steps)
      w();
  });
  return 0;
}

o2c_status o2c_cuda_end(o2c_cuda *cu, unsigned region)
{
  if (cu->open_region < 0) /* replayed, or given up */
    return cu->status;
  if (cu->open_region != (long)region)
    fail("o2c_cuda_end: region %u, but %ld is open", region, cu->open_region);
  cu->open_region = -1;
  std::shared_ptr<works> steps = std::move(cu->recording);
  cu->recording.reset();
  if (cu->status != O2C_OK || !steps)
    return cu->status;
  recorded &r = cu->regions[region].front();
  r.steps = steps;
  r.ready = true;
  cu->stream->add([steps] {
    for (work &w : *steps)
      w();
  });
  return O2C_OK;
}

int o2c_cuda_again(o2c_cuda *cu)
{
  (void)cu;
  return 0;
}

void o2c_cuda_launched(o2c_cuda *cu)
{
  if (!cu->launch_error.empty())
    cu->keep(O2C_E_DEVICE, cu->launch_error);
  cu->launch_error.clear();
}

/* As the device's launch: the error is for o2c_cuda_launched to take. */
void o2c_shim::launch(o2c_cuda *cu, const char *name, dim3 grid, dim3 block,
                      std::function<void()> thread)
{
  uint64_t threads = (uint64_t)block.x * block.y * block.z;
  if (cu->status != O2C_OK)
    return;
  uint64_t seed;
  {
    guard g(device().lock);
    seed = (uint64_t)++device().launches;
  }
  if (++cu->launches == cu->fail_launch) {
    cu->launch_error = "unspecified launch failure";
    return;
  }
  if (threads == 0 || threads > 1024 || block.z > 64 || grid.x == 0 ||
      grid.y == 0 || grid.z == 0 || grid.x > 2147483647u ||
      grid.y > 65535 || grid.z > 65535) {
    cu->launch_error = "invalid configuration argument";
    return;
  }
  order_mode order = cu->order;
  cu->add([=] { run(name, grid, block, thread, order, seed); });
}
