/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the model MODEL on made-up inputs with the code for each of its
 * instruction sets, and prints for each of them "NUMBER HASH" of the outputs,
 * or "NUMBER status". Number 0 is the choice of <model>_init.
 *   targets COUNT DIM
 */
#include "model_io.h"

#include <stdio.h>

static uint64_t hash(uint64_t h, const void *from, size_t n)
{
  const unsigned char *p = from;
  while (n--)
    h = (h ^ *p++) * UINT64_C(1099511628211);
  return h;
}

int main(int argc, char **argv)
{
  model_io io;
  int k;
  const int count = argc > 1 ? atoi(argv[1]) : 0;
  model_io_open(&io, argc > 2 ? atoi(argv[2]) : 1);
  for (k = 0; k <= count; k++) {
    uint64_t h = UINT64_C(14695981039346656037);
    void *ctx = NULL;
    o2c_status status;
    uint32_t i;
    io.cfg.flags = O2C_LEVEL(k);
    status = io.m->init(io.mem, io.m->ctx_size, &io.cfg, &ctx);
    if (status == O2C_OK)
      status = io.m->run(ctx, io.dim, io.in, io.out);
    for (i = 0; i < io.m->n_out; i++)
      h = hash(h, io.out[i], io.size[i]);
    if (status == O2C_OK)
      printf("%d %016llx\n", k, (unsigned long long)h);
    else
      printf("%d %d\n", k, (int)status);
  }
  return 0;
}
