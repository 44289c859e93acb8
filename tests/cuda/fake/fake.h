/* SPDX-License-Identifier: Apache-2.0 */
/* fake.h: CUDA's runtime, cuBLASLt and cuDNN on the host, as far as the real
 * runtime of models (runtime_min/o2c_cuda.c) calls them, so that it is run and
 * not replaced. The headers are the real ones. Calls are held against the
 * documents: what is forbidden while a stream records, sides of pointers,
 * types of attributes, alignments promised to an algorithm. What no status is
 * for ends the program. Work is done as late as it may be: when someone waits.
 *
 * Environment:
 *   O2C_FAKE_OPS=N   cuDNN has no engine for graphs of more than N operations
 */
#ifndef O2C_FAKE_H
#define O2C_FAKE_H
#include <cuda_runtime_api.h>
#include <cublasLt.h>
#include <cudnn.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fake_test.h"

namespace o2c_fake {

typedef std::function<void()> work;
typedef std::vector<work> works;
typedef std::lock_guard<std::recursive_mutex> guard;

enum side { side_host, side_pinned, side_device };

/* Process-wide; `lock` guards it. */
struct world_state {
  std::recursive_mutex lock;
  std::map<uintptr_t, std::pair<size_t, side>> blocks;
  std::map<cudaStream_t, bool> streams;
  long objects; /* of any other kind: events, graphs, descriptors, handles */
  long calls, fail_at, launches, replays;
  int device, devices = 1, bad_recordings;
  cudaError_t last;
};
world_state &world();

[[noreturn]] void misuse(const char *format, ...)
  __attribute__((format(printf, 1, 2)));

/* Counts a call; true: it is to fail. */
bool trip();
/* An object more, or less. */
void born(void);
void died(void);
/* Where p lies; ends the program if bytes do not all lie there. */
side side_of(const char *call, const void *p, size_t bytes);
/* To a stream, or into what it records. */
void enqueue(const char *call, cudaStream_t stream, work w);
/* Ends the program where this thread records. */
void outside(const char *call);

/* Elements of CUDA_R_32F, CUDA_R_16F and CUDA_R_16BF as numbers. */
enum element { f32, f16, bf16, i32, boolean };
size_t element_size(element e);
double load(element e, const void *p, int64_t i);
void store(element e, void *p, int64_t i, double v);
double rounded(element e, double v);

} // namespace o2c_fake

struct CUstream_st {
  o2c_fake::works queue, recorded;
  bool records, broken;
};
struct CUgraph_st {
  o2c_fake::works steps;
};
struct CUgraphExec_st {
  std::shared_ptr<o2c_fake::works> steps;
};
struct CUevent_st {
  bool recorded;
};

#endif
