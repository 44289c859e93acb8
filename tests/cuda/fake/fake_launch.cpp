/* SPDX-License-Identifier: Apache-2.0 */
/* fake_launch.cpp: launches of kernels go to the fake's streams and run in the
 * shim, shim.cpp. A unit of its own, as the shim's header of CUDA's runtime is
 * not the real one. */
#include "../shim/shim.cpp"

extern "C" int o2c_fake_launch(void *stream, const char *name,
                               const std::function<void()> *run);

void o2c_shim::launch(o2c_cuda *cu, const char *name, dim3 grid, dim3 block,
                      std::function<void()> thread)
{
  const char *order = getenv("O2C_SHIM_ORDER");
  order_mode mode = (order_mode)(order ? atoi(order) % 3 : 0);
  std::function<void()> all = [=] { run(name, grid, block, thread, mode, 1); };
  uint64_t threads = (uint64_t)block.x * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || !grid.x || !grid.y ||
      !grid.z || grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535) {
    fprintf(stderr, "o2c_fake: %s: a launch of a size that no GPU has\n", name);
    abort();
  }
  o2c_fake_launch(o2c_cuda_stream(cu), name, &all);
}
