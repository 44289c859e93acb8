/* SPDX-License-Identifier: 0BSD */
/* Windows that slide over images. */
#ifndef O2C_CUDA_WINDOW_H
#define O2C_CUDA_WINDOW_H
#include "device.h"

/* The taps first .. end - 1 of a window of `taps` that begins at `at` lie
 * within 0 .. n - 1; `step` is from tap to tap. */
template <typename I>
O2C_DEVICE I o2c_first_tap(I at, I step)
{
  return at < 0 ? (step - 1 - at) / step : 0;
}
template <typename I>
O2C_DEVICE I o2c_end_tap(I at, I step, I n, I taps)
{
  const I end = at < n ? (n - at + step - 1) / step : 0;
  return end < taps ? end : taps;
}
#endif
