/* SPDX-License-Identifier: 0BSD */
/* The pixels along an axis that make one of a resized image, and their weights:
 * what the reference kernels compute, a thread's at a time. */
#ifndef O2C_CUDA_RESIZE_SPAN_H
#define O2C_CUDA_RESIZE_SPAN_H
#include "device.h"
#include "ref/resize_at.h"

typedef struct {
  float at;
  int64_t first, last;
  double s, total;       /* steps of weights; by what they are divided */
} o2c_resize_span;

O2C_DEVICE o2c_resize_span o2c_resize_span_of(
  float at, float scale, int64_t n, bool cubic, bool antialias, bool exclude,
  double a)
{
  o2c_resize_span r;
  r.at = at;
  r.s = antialias && scale < 1 ? (double)scale : 1.0;
  r.first = (int64_t)floor((double)at - (cubic ? 2 : 1) / r.s) + 1;
  r.last = (int64_t)ceil((double)at + (cubic ? 2 : 1) / r.s) - 1;
  r.total = 0;
  if (antialias || exclude)
    for (int64_t j = r.first; j <= r.last; j++)
      if (!exclude || (j >= 0 && j < n))
        r.total += o2c_resize_weight(((double)j - (double)at) * r.s, cubic, a);
  if (r.total == 0)
    r.total = 1;
  return r;
}

/* The weight of pixel j; `plain`: linear between two neighbours. */
template <typename A>
O2C_DEVICE A o2c_resize_share(const o2c_resize_span &r, int64_t j, bool cubic,
                              bool plain, double a)
{
  if (plain && sizeof(A) == sizeof(float)) {
    const float t = 1.0f - fabsf((float)j - r.at);
    return t > 0 ? (A)t : 0;
  }
  return (A)(o2c_resize_weight(((double)j - (double)r.at) * r.s, cubic, a) /
             r.total);
}
#endif
