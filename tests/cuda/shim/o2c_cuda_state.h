/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_cuda_state.h: a context of the shim, its stream, and the register of
 * device memory, which the runtime's calls in o2c_cuda_shim.cpp, the libraries'
 * in o2c_cuda_calls.cpp and CUDA's own in o2c_cuda_api.cpp have in common. */
#ifndef O2C_CUDA_STATE_H
#define O2C_CUDA_STATE_H
#include "shim.h"

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace o2c_shim {

typedef std::function<void()> work;
typedef std::vector<work> works;
typedef std::lock_guard<std::mutex> guard;

/* Process-wide; `lock` guards it. */
struct device_state {
  std::mutex lock;
  std::map<uintptr_t, size_t> blocks; /* device memory: where, how much */
  std::map<CUstream_st *, bool> streams;
  long contexts, launches, replays;
  cudaError_t last;
};
device_state &device();

[[noreturn]] void fail(const char *format, ...)
  __attribute__((format(printf, 1, 2)));

/* The block of device memory that p lies in, and its bytes from p on; or 0. */
uintptr_t block_of(const void *p, size_t *left);
/* Ends the program where a range is not on one side from begin to end. */
void check_range(const char *call, const char *what, const void *p,
                 size_t bytes, bool *is_device);
void *device_alloc(size_t bytes);
bool device_free(void *p); /* false: it was not allocated there */

CUstream_st *stream_new();
bool stream_known(CUstream_st *s);
bool stream_delete(CUstream_st *s);

/* What was recorded under a key. */
struct recorded {
  std::string key;
  bool ready;
  std::shared_ptr<works> steps;
};

} // namespace o2c_shim

/* A stream: what is still to be done on it. */
struct CUstream_st {
  o2c_shim::works queue;
  bool late;

  void add(o2c_shim::work w);
  void flush();
};

struct o2c_cuda {
  CUstream_st *stream;
  bool own_stream, own_arena, own_weights, graphs, fill, pointers;
  unsigned char *arena, *weights;
  size_t arena_size; /* without the scratch */
  int *fault, fault_seen;
  bool forget; /* the fault, when the next run begins */
  unsigned nregion, nlibrary;
  uint64_t waits;
  o2c_status status;
  std::string message, launch_error;
  o2c_shim::order_mode order;
  long launches, libraries, fail_launch, fail_library;
  /* Of each region, the one used last comes first. */
  std::vector<std::list<o2c_shim::recorded>> regions;
  long open_region; /* -1: none */
  std::shared_ptr<o2c_shim::works> recording;

  o2c_status keep(o2c_status s, const std::string &text);
  void add(o2c_shim::work w);
  /* Ends the program where a region is open. */
  void outside(const char *call) const;
};

#endif
