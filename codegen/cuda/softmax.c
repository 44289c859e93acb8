/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax, LogSoftmax and Hardmax by kernels/cuda/softmax.h. A row whose
 * elements follow each other is a warp's, or a block's if it is long; where the
 * run tells how long, it chooses. Elements are kept in registers where their
 * number is constant and not too large. Other axes go column by column. */
#include "cuda.h"

enum { LONG = 512, MOST_HELD = 16 };

static const Dtype floats[] = { DT_F32, DT_F64, DT_F16, DT_BF16, DT_NONE };

static const char *kind_of(const Node *n)
{
  return node_is(n, "Softmax")      ? "O2C_SOFTMAX"
         : node_is(n, "LogSoftmax") ? "O2C_LOG_SOFTMAX"
         : node_is(n, "Hardmax")    ? "O2C_HARDMAX"
                                    : NULL;
}

bool cuda_takes_softmax(const Plan *p, const Node *n)
{
  (void)p;
  return kind_of(n) && cuda_all_types(n, floats);
}

static void put_rows(Step *s, const Dim *length)
{
  int64_t n, held = 0, share = 256;
  if (dim_is_int(length, &n)) {
    share = n <= LONG ? 32 : 256;
    held = (n + share - 1) / share;
    held = held <= MOST_HELD ? held : 0;
  }
  step_int(s, "SHARE", share);
  step_int(s, "HELD", held);
  step_text(s, "SHORT", dim_is_int(length, &n) ? "" : "1");
}

void cuda_lower_softmax(Plan *p, Node *n)
{
  const Dim *span[3];
  int64_t size;
  softmax_span(n, span);
  bool rows = dim_is(span[2], 1) && !(dim_is_int(span[1], &size) && size <= 8);
  Step *s = device_step(p, n, rows ? "CUDA_SOFTMAX" : "CUDA_SOFTMAX_COLUMNS");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_text(s, "KIND", "%s", kind_of(n));
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  step_dim(s, "OUTER", span[0]);
  step_dim(s, "LENGTH", span[1]);
  step_dim(s, "INNER", span[2]);
  if (rows)
    put_rows(s, span[1]);
  step_kernel(s, "cuda/softmax.h");
  device_index(s, span[1]);
  s->kernel_note = "cuda softmax";
}
