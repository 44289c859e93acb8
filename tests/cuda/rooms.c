/* SPDX-License-Identifier: Apache-2.0 */
/* A model of which the run tells how many rows it makes, in room that the
 * caller gives, run again and again with as many rows in other rooms: a
 * recorded region must not be replayed where the room moves its tensors. Ends
 * with status 1 at the first wrong number. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 96, WIDE = 256 };

static float y[MOST * WIDE], right[MOST * WIDE];

static net_ctx *open_it(unsigned char *work, size_t work_size)
{
  static unsigned char mem[NET_CTX_SIZE + 64];
  const size_t off = (size_t)(-(uintptr_t)mem & 63);
  net_dims most = { MOST };
  o2c_device gpu;
  o2c_config cfg;
  net_ctx *ctx = NULL;
  memset(&gpu, 0, sizeof gpu);
  memset(&cfg, 0, sizeof cfg);
  gpu.size = sizeof gpu;
  gpu.arena_size = net_device_size(&most);
  cfg.size = sizeof cfg;
  cfg.workspace = work;
  cfg.workspace_size = work_size;
  cfg.device = &gpu;
  return net_init(mem + off, NET_CTX_SIZE, &cfg, &ctx) == O2C_OK ? ctx : NULL;
}

/* The rows for `count`, in `d` as it is now. */
static int run(net_ctx *ctx, const net_dims *d, float count, float *to)
{
  o2c_value value;
  net_in in;
  net_out out;
  memset(&value, 0, sizeof value);
  memset(to, 0xff, MOST * WIDE * sizeof *to);
  value.data = to;
  value.size = MOST * WIDE * sizeof *to;
  in.count = &count;
  out.y = &value;
  return net_run(ctx, d, &in, &out) == O2C_OK && net_wait(ctx) == O2C_OK &&
         value.dim[0] == (int64_t)count;
}

int main(void)
{
  static const int64_t room[] = { 40, 40, 40, 40, 96, 96, 7, 40, 96, 7, 7 };
  net_dims d = { MOST };
  const size_t size = net_workspace_size(&d, 1);
  unsigned char *work = (unsigned char *)aligned_alloc(64, (size + 63) & ~63u);
  net_ctx *ctx = work ? open_it(work, size) : NULL;
  int ok = ctx && run(ctx, &d, 5, right);
  for (unsigned i = 0; ok && i < sizeof room / sizeof *room; i++) {
    d.range_0 = room[i];
    ok = run(ctx, &d, 5, y) && !memcmp(y, right, 5 * WIDE * sizeof *y);
    if (!ok)
      printf("run %u, in room for %d rows, differs\n", i, (int)room[i]);
  }
  /* Row i is sin(i) times row 1 over sin(1), as no bias is added: where sin(i)
   * has the sign of sin(1). */
  for (int j = 0; ok && j < WIDE; j++) {
    const double want = right[WIDE + j] * 0.9092974268256817 / 0.8414709848;
    const double off = right[2 * WIDE + j] - want;
    ok = right[j] == 0 && off < 1e-4 && off > -1e-4;
    if (!ok)
      printf("column %d of row 2 is %g, not %g\n", j, right[2 * WIDE + j],
             want);
  }
  net_deinit(ctx);
  free(work);
  return !ok;
}
