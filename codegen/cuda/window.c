/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels over images share: the variables of templates/cuda/window.m4,
 * which stand for a window, a layout and an element type. */
#include "cuda.h"

bool cuda_window_fits(const ConvGeom *g)
{
  bool some = !dim_is(g->channels, 0) && !dim_is(g->filters, 0);
  for (int i = 0; i < g->n; i++)
    some = some && !dim_is(g->out[i], 0);
  return some && g->n >= 1 && g->n <= CUDA_AXES;
}

void cuda_put_dim(Step *s, const char *key, const Dim *d)
{
  int64_t v;
  step_text(s, key, dim_is_int(d, &v) ? "%s" : "(%s)", step_dim_text(s, d));
}

void cuda_put_window(Step *s, const ConvGeom *g)
{
  Arena *m = s->plan->a;
  DimPool *d = &s->plan->m->dims;
  const Dim *one = dim_int(d, 1), *zero = dim_int(d, 0);
  for (int i = 0; i < CUDA_AXES; i++) {
    int a = i - (CUDA_AXES - g->n); /* leading ones are missing */
    cuda_put_dim(s, arena_printf(m, "IN%d", i), a < 0 ? one : g->in[a]);
    cuda_put_dim(s, arena_printf(m, "OUT%d", i), a < 0 ? one : g->out[a]);
    cuda_put_dim(s, arena_printf(m, "BEFORE%d", i), a < 0 ? zero : g->begin[a]);
    cuda_put_dim(s, arena_printf(m, "AFTER%d", i), a < 0 ? zero : g->end[a]);
    step_int(s, arena_printf(m, "KERNEL%d", i), a < 0 ? 1 : g->kernel[a]);
    step_int(s, arena_printf(m, "STRIDE%d", i), a < 0 ? 1 : g->stride[a]);
    step_int(s, arena_printf(m, "DILATION%d", i), a < 0 ? 1 : g->dilation[a]);
  }
  step_kernel(s, "cuda/window.h");
}

/* Elements from neighbour to neighbour along the axes of x, batch first. */
void cuda_put_strides(Step *s, const ConvGeom *g)
{
  Arena *m = s->plan->a;
  DimPool *d = &s->plan->m->dims;
  bool last = g->channels_last;
  const Dim *step = last ? g->channels : dim_int(d, 1);
  for (int a = g->n - 1; a >= 0; a--) {
    cuda_put_dim(s, arena_printf(m, "X%d", a + CUDA_AXES - g->n), step);
    step = dim_mul(d, step, g->in[a]);
  }
  for (int i = 0; i < CUDA_AXES - g->n; i++)
    step_int(s, arena_printf(m, "X%d", i), 0);
  cuda_put_dim(s, "X_C", last ? dim_int(d, 1) : step);
  cuda_put_dim(s, "X_N", last ? step : dim_mul(d, step, g->channels));
  step_text(s, "LAST", last ? "1" : "");
}
