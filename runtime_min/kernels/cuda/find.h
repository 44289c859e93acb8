/* SPDX-License-Identifier: 0BSD */
/* Elements picked by what they are, in their order: chunks of 4096 are counted,
 * the counts summed up, and then each chunk knows where its own begin. And
 * NonMaxSuppression, as ref/nms.h. Blocks of 256 threads. */
#ifndef O2C_CUDA_FIND_H
#define O2C_CUDA_FIND_H
#include "block.h"
#include "type.h"

enum { O2C_CHUNK = 4096 };

/* How many threads of the block before this one say yes; *all: of the block. */
O2C_DEVICE int o2c_rank_of(bool yes, int *all)
{
  __shared__ int of_warp[8];
  const int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32;
  const unsigned votes = __ballot_sync(0xffffffffu, yes);
  int before = __popc(votes & ((1u << lane) - 1));
  if (lane == 0)
    of_warp[warp] = __popc(votes);
  __syncthreads();
  *all = 0;
  for (int i = 0; i < 8; i++) {
    before += i < warp ? of_warp[i] : 0;
    *all += of_warp[i];
  }
  __syncthreads(); /* before of_warp is written again */
  return before;
}

/* found[c]: of chunk c. `is(i)`: is element i one? */
template <class Is>
O2C_DEVICE void o2c_find_count(int64_t n, int64_t *found, const Is &is)
{
  for (int64_t c = blockIdx.x; c * O2C_CHUNK < n; c += gridDim.x) {
    int64_t count = 0;
    for (int k = (int)threadIdx.x; k < O2C_CHUNK; k += 256) {
      const int64_t i = c * O2C_CHUNK + k;
      count += i < n && is(i);
    }
    count = o2c_all_sum<256>(count);
    if (threadIdx.x == 0)
      found[c] = count;
  }
}

/* One block: of all chunks before; the sum is *total. */
O2C_DEVICE void o2c_find_sum(int64_t chunks, int64_t *found, int64_t *total)
{
  __shared__ int64_t part[256];
  int64_t before = 0;
  for (int64_t from = 0; from < chunks; from += 256) {
    const int64_t c = from + (int64_t)threadIdx.x;
    const int64_t own = c < chunks ? found[c] : 0;
    part[threadIdx.x] = own;
    for (unsigned d = 1; d < 256; d *= 2) {
      __syncthreads();
      const int64_t left = threadIdx.x >= d ? part[threadIdx.x - d] : 0;
      __syncthreads();
      part[threadIdx.x] += left;
    }
    __syncthreads();
    if (c < chunks)
      found[c] = before + part[threadIdx.x] - own;
    before += part[255];
    __syncthreads();
  }
  if (threadIdx.x == 0)
    *total = before;
}

/* put(k, i): number k of those found is element i. */
template <class Is, class Put>
O2C_DEVICE void o2c_find_put(int64_t n, const int64_t *found, const Is &is,
                             const Put &put)
{
  for (int64_t c = blockIdx.x; c * O2C_CHUNK < n; c += gridDim.x) {
    int64_t before = found[c];
    for (int from = 0; from < O2C_CHUNK; from += 256) {
      const int64_t i = c * O2C_CHUNK + from + (int64_t)threadIdx.x;
      const bool yes = i < n && is(i);
      int all;
      const int rank = o2c_rank_of(yes, &all);
      if (yes)
        put(before + rank, i);
      before += all;
    }
  }
}

/* The better box: of the higher score, then the lower number. */
struct o2c_better {
  __device__ o2c_found<float> none() const
  {
    return o2c_found<float>{ 0, -1 };
  }
  __device__ o2c_found<float> join(o2c_found<float> a,
                                   o2c_found<float> b) const
  {
    if (a.at < 0 || b.at < 0)
      return a.at < 0 ? b : a;
    if (a.v != b.v)
      return a.v > b.v ? a : b;
    return a.at < b.at ? a : b;
  }
};

/* One class of n boxes, by a block: `list` has those that are left, of which a
 * pick strikes out what overlaps it. overlap(a, b): do boxes a and b? Returns
 * how many were picked. */
template <class Overlap>
O2C_DEVICE int64_t o2c_nms(const float *score, const float *least,
                           int64_t n, int64_t most, int32_t *list,
                           int32_t *pick, const Overlap &overlap)
{
  const o2c_better better = {};
  int64_t left = 0, picked = 0;
  for (int64_t from = 0; from < n; from += 256) {
    const int64_t i = from + (int64_t)threadIdx.x;
    const bool yes =
      i < n && (least ? score[i] > *least : score[i] == score[i]);
    int all;
    const int rank = o2c_rank_of(yes, &all);
    if (yes)
      list[left + rank] = (int32_t)i;
    left += all;
  }
  __syncthreads();
  for (int64_t last = -1; picked < most; picked++) {
    o2c_found<float> best = better.none();
    for (int64_t k = threadIdx.x; k < left; k += 256) {
      const int32_t i = list[k];
      if (i < 0)
        continue;
      if (last >= 0 && (i == last || overlap(i, last)))
        list[k] = -1;
      else
        best = better.join(best, o2c_found<float>{ score[i], i });
    }
    best = o2c_all<256>(best, better);
    if (best.at < 0)
      break;
    last = best.at;
    if (threadIdx.x == 0)
      pick[picked] = (int32_t)last;
  }
  return picked;
}
#endif
