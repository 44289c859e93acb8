/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c: times of C code that another tool wrote, whose function PEER (a
 * macro) takes pointers to the inputs, then to the outputs.
 *
 *   peer JOBS RESULTS RUNS LIMIT_NS BYTES...
 *
 * PEER_LOAD and PEER_WEIGHTS, where given, are a function of that code which
 * reads its weights, and their file. JOBS and RESULTS as in job.h; BYTES are
 * the sizes of the outputs. */
#define _POSIX_C_SOURCE 200809L
#include "job.h"

enum { MOST = 8 };

void PEER(); /* its parameters are PEER's own: all are pointers */
#ifdef PEER_LOAD
_Bool PEER_LOAD(const char *path);
#endif

static void *p[MOST];
static size_t count;

static void call(void)
{
  switch (count) {
    case 2: PEER(p[0], p[1]); break;
    case 3: PEER(p[0], p[1], p[2]); break;
    case 4: PEER(p[0], p[1], p[2], p[3]); break;
    case 5: PEER(p[0], p[1], p[2], p[3], p[4]); break;
    case 6: PEER(p[0], p[1], p[2], p[3], p[4], p[5]); break;
    case 7: PEER(p[0], p[1], p[2], p[3], p[4], p[5], p[6]); break;
    case 8: PEER(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]); break;
    default: die("from 2 to 8 inputs and outputs");
  }
}

int main(int argc, char **argv)
{
  size_t n, i;
  if (argc < 6) die("usage: peer JOBS RESULTS RUNS LIMIT_NS BYTES...");
#ifdef PEER_LOAD
  if (!PEER_LOAD(PEER_WEIGHTS)) die("can't read weights");
#endif
  n = open_job(argv[1]);
  count = n + (size_t)argc - 5;
  if (count > MOST) die("from 2 to 8 inputs and outputs");
  for (i = 0; i < n; i++) {
    Tensor t = next_input();
    if (t.dtype == O2C_STR) die("inputs must be tensors of numbers");
    p[i] = (void *)(uintptr_t)t.payload;
  }
  for (; i < count; i++)
    p[i] = need((size_t)strtoll(argv[5 + i - n], NULL, 10));
  return time_calls(call, strtoll(argv[3], NULL, 10),
                    strtoll(argv[4], NULL, 10), argv[2]);
}
