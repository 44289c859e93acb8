/* SPDX-License-Identifier: 0BSD */
/* An operator that ONNX does not have, for `onnx2c --custom`:
 *
 *   onnx2c vocoder.onnx -o vocoder.c --custom com.example.Snake=snake.h
 *
 * Snake is the periodic activation of audio vocoders, x + sin(a x)^2 / a, with
 * an a for each channel (Ziyin, Hartwig, Ueda, 2020).
 *
 * The next two lines tell the compiler of a function each: types, sizes,
 * attributes. It gets the inputs (NULL where one is left out), the outputs, the
 * sizes in the order in which they are first named, then the attributes.
 *
 *   onnx2c: snake_channels(float x[N, C, L], float a[C]) -> float y[N, C, L]
 *   onnx2c: snake_all(float x[n...]; float alpha = 1) -> float y[n...]
 */
#include <math.h>

static o2c_status snake_channels(const float *x, const float *a, float *y,
                                 int64_t N, int64_t C, int64_t L)
{
  for (int64_t i = 0; i < N * C; i++)
    for (int64_t k = 0; k < L; k++) {
      const float s = sinf(a[i % C] * x[i * L + k]);
      y[i * L + k] = x[i * L + k] + s * s / a[i % C];
    }
  return O2C_OK;
}

static o2c_status snake_all(const float *x, float *y, int64_t n, double alpha)
{
  for (int64_t i = 0; i < n; i++) {
    const float s = sinf((float)alpha * x[i]);
    y[i] = x[i] + s * s / (float)alpha;
  }
  return O2C_OK;
}
