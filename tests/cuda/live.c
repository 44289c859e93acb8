/* SPDX-License-Identifier: Apache-2.0 */
/* live.c: on a GPU, what errors.c asks the shim for: whether something stays
 * allocated. Of that a device only says how much memory is free, and libraries
 * keep some: so many contexts that stay would show. */
#include <cuda_runtime_api.h>

long o2c_shim_live(void);
long o2c_shim_replays(void);

long o2c_shim_live(void)
{
  static size_t at_first;
  const size_t slack = (size_t)256 << 20;
  size_t free_bytes = 0, total = 0;
  if (cudaMemGetInfo(&free_bytes, &total) != cudaSuccess)
    return -1;
  if (!at_first)
    at_first = free_bytes;
  return free_bytes + slack < at_first;
}

long o2c_shim_replays(void)
{
  return 0;
}
