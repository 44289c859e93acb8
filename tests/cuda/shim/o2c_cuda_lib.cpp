/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_cuda_lib.cpp: convolution, matrix product and attention as cuDNN and
 * cuBLASLt would give them, in plain loops. Products are packed into panels of
 * four rows and four columns as doubles, so that one small loop does them all
 * and the result is close to exact; an element is rounded once, at the end. */
#include "shim.h"
#include "cuda_bf16.h"
#include "cuda_fp16.h"

#include <vector>

namespace o2c_shim {
namespace {

constexpr int64_t lanes = 4;
typedef double pair __attribute__((vector_size(16)));
typedef std::vector<double> panel;

/* c = a^T b of panels [depth, 4]. */
void product(const double *a, const double *b, int64_t depth,
             double c[lanes][lanes])
{
  pair r[lanes][2] = {};
  for (; depth > 0; depth--, a += lanes, b += lanes) {
    pair b0 = { b[0], b[1] }, b1 = { b[2], b[3] };
    pair a0 = { a[0], a[0] }, a1 = { a[1], a[1] };
    pair a2 = { a[2], a[2] }, a3 = { a[3], a[3] };
    r[0][0] += a0 * b0;
    r[0][1] += a0 * b1;
    r[1][0] += a1 * b0;
    r[1][1] += a1 * b1;
    r[2][0] += a2 * b0;
    r[2][1] += a2 * b1;
    r[3][0] += a3 * b0;
    r[3][1] += a3 * b1;
  }
  for (int i = 0; i < lanes; i++)
    for (int j = 0; j < lanes; j++)
      c[i][j] = r[i][j / 2][j % 2];
}

/* NaN stays NaN. */
template <class E> E result(double v, float lo, float hi)
{
  float f = (float)v;
  return (E)(f < lo ? lo : f > hi ? hi : f);
}

template <class E> double number(E e) { return (double)(float)e; }

/* A convolution with the axes that are missing made 1. */
struct conv_dims {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], before[3];
  int64_t cg, kg, depth, pixels; /* channels of a group; sum; of an image */
};

conv_dims conv_dims_of(const o2c_cuda_conv_p &p)
{
  conv_dims d;
  d.pixels = 1;
  d.cg = p.c / p.groups;
  d.kg = p.k / p.groups;
  d.depth = d.cg;
  for (int i = 0; i < 3; i++) {
    int a = i - (3 - p.rank);
    d.in[i] = a < 0 ? 1 : p.in[a];
    d.out[i] = a < 0 ? 1 : p.out[a];
    d.kernel[i] = a < 0 ? 1 : p.kernel[a];
    d.stride[i] = a < 0 ? 1 : p.stride[a];
    d.dilation[i] = a < 0 ? 1 : p.dilation[a];
    d.before[i] = a < 0 ? 0 : p.before[a];
    d.depth *= d.kernel[i];
    d.pixels *= d.out[i];
  }
  return d;
}

/* What the output at `pixel` sees of an image, to lane `lane` of the panel. */
template <class E>
void conv_gather(const o2c_cuda_conv_p &p, const conv_dims &d, const E *image,
                 int64_t pixel, double *to)
{
  int64_t o[3] = { pixel / d.out[2] / d.out[1], pixel / d.out[2] % d.out[1],
                   pixel % d.out[2] };
  int64_t k[3], at[3];
  for (k[0] = 0; k[0] < d.kernel[0]; k[0]++)
    for (k[1] = 0; k[1] < d.kernel[1]; k[1]++)
      for (k[2] = 0; k[2] < d.kernel[2]; k[2]++) {
        bool inside = true;
        for (int i = 0; i < 3; i++) {
          at[i] = o[i] * d.stride[i] - d.before[i] + k[i] * d.dilation[i];
          inside = inside && at[i] >= 0 && at[i] < d.in[i];
        }
        const E *from = image;
        if (inside)
          from += ((at[0] * d.in[1] + at[1]) * d.in[2] + at[2]) * p.c;
        for (int64_t c = 0; c < d.cg; c++, to += lanes)
          *to = inside ? number(from[c]) : 0;
      }
}

/* One group of one image: all its pixels by all its outputs. */
template <class E>
void conv_group(const o2c_cuda_conv_p &p, const conv_dims &d, const panel &w,
                int64_t group, const E *x, const E *bias, const E *residual,
                E *y)
{
  panel a((size_t)(d.depth * lanes));
  double c[lanes][lanes];
  for (int64_t m = 0; m < d.pixels; m += lanes) {
    int64_t rows = d.pixels - m < lanes ? d.pixels - m : lanes;
    for (int64_t i = 0; i < rows; i++)
      conv_gather(p, d, x + group * d.cg, m + i, a.data() + i);
    for (int64_t k = 0; k < d.kg; k += lanes) {
      product(a.data(), w.data() + k * d.depth, d.depth, c);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < lanes && k + j < d.kg; j++) {
          int64_t out = group * d.kg + k + j, at = (m + i) * p.k + out;
          double v = c[i][j];
          if (bias)
            v += number(bias[out]);
          if (residual)
            v += number(residual[at]);
          y[at] = result<E>(v, p.lo, p.hi);
        }
    }
  }
}

template <class E>
void conv_of(const o2c_cuda_conv_p &p, const void *x, const void *w,
             const void *bias, const void *residual, void *y)
{
  conv_dims d = conv_dims_of(p);
  int64_t pixels_in = d.in[0] * d.in[1] * d.in[2];
  for (int64_t g = 0; g < p.groups; g++) {
    panel packed((size_t)((d.kg + lanes - 1) / lanes * lanes * d.depth));
    for (int64_t k = 0; k < d.kg; k++) {
      const E *from = (const E *)w + (g * d.kg + k) * d.depth;
      double *to = packed.data() + k / lanes * lanes * d.depth + k % lanes;
      for (int64_t i = 0; i < d.depth; i++)
        to[i * lanes] = number(from[i]);
    }
    for (int64_t n = 0; n < p.n; n++) {
      int64_t at = n * d.pixels * p.k;
      conv_group(p, d, packed, g, (const E *)x + n * pixels_in * p.c,
                 (const E *)bias, residual ? (const E *)residual + at : nullptr,
                 (E *)y + at);
    }
  }
}

/* Vectors of a matrix into panels: element i of vector v is at from[v * vector
 * + i * step]. */
template <class E>
void pack(panel &to, const E *from, int64_t vectors, int64_t depth,
          int64_t vector, int64_t step)
{
  to.assign((size_t)((vectors + lanes - 1) / lanes * lanes * depth), 0);
  for (int64_t v = 0; v < vectors; v++)
    for (int64_t i = 0; i < depth; i++)
      to[(size_t)((v / lanes * depth + i) * lanes + v % lanes)] =
        number(from[v * vector + i * step]);
}

template <class E>
void matmul_of(const o2c_cuda_matmul_p &p, const void *x, const void *w,
               const void *bias, const void *residual, void *y)
{
  panel a, b;
  double c[lanes][lanes];
  for (int64_t batch = 0; batch < p.batch; batch++) {
    const E *residual_at = (const E *)residual + (residual ? batch * p.y_batch
                                                           : 0);
    E *y_at = (E *)y + batch * p.y_batch;
    if (batch == 0 || p.x_batch)
      pack(a, (const E *)x + batch * p.x_batch, p.m, p.k,
           p.x_turned ? 1 : p.x_row, p.x_turned ? p.x_row : 1);
    if (batch == 0 || p.w_batch)
      pack(b, (const E *)w + batch * p.w_batch, p.n, p.k,
           p.w_turned ? p.w_row : 1, p.w_turned ? 1 : p.w_row);
    for (int64_t m = 0; m < p.m; m += lanes)
      for (int64_t n = 0; n < p.n; n += lanes) {
        product(a.data() + m * p.k, b.data() + n * p.k, p.k, c);
        for (int64_t i = m; i < p.m && i < m + lanes; i++)
          for (int64_t j = n; j < p.n && j < n + lanes; j++) {
            double v = (double)p.alpha * c[i - m][j - n];
            if (bias)
              v += number(((const E *)bias)[j]);
            if (residual)
              v += (double)p.beta * number(residual_at[i * p.y_row + j]);
            y_at[i * p.y_row + j] = result<E>(v, p.lo, p.hi);
          }
      }
  }
}

/* One row of attention: weights of all columns that it sees, then their sum of
 * v. A row that sees none gets NaN, as 0 / 0. */
template <class E>
void sdpa_row(const o2c_cuda_sdpa_p &p, int64_t sees, const E *q, const E *k,
              const E *v, const E *mask, E *y, panel &score, panel &sum)
{
  double top = -INFINITY, total = 0;
  for (int64_t j = 0; j < sees; j++) {
    double s = 0;
    for (int64_t i = 0; i < p.d; i++)
      s += number(q[i]) * number(k[j * p.k[2] + i]);
    s *= (double)p.scale;
    if (mask)
      s += number(mask[j]);
    score[(size_t)j] = s;
    top = s > top ? s : top;
  }
  sum.assign((size_t)p.dv, 0);
  for (int64_t j = 0; j < sees; j++) {
    double e = exp(score[(size_t)j] - top);
    total += e;
    for (int64_t i = 0; i < p.dv; i++)
      sum[(size_t)i] += e * number(v[j * p.v[2] + i]);
  }
  for (int64_t i = 0; i < p.dv; i++)
    y[i] = (E)(float)(sum[(size_t)i] / total);
}

template <class E>
void sdpa_of(const o2c_cuda_sdpa_p &p, const void *q, const void *k,
             const void *v, const void *mask, void *y)
{
  panel score((size_t)p.t), sum;
  for (int64_t b = 0; b < p.b; b++)
    for (int64_t h = 0; h < p.h; h++)
      for (int64_t i = 0; i < p.s; i++) {
        int64_t hk = h / (p.h / p.hk), sees = p.t;
        if (p.causal && i + p.t - p.s + 1 < sees)
          sees = i + p.t - p.s + 1 < 0 ? 0 : i + p.t - p.s + 1;
        sdpa_row<E>(p, sees,
                    (const E *)q + b * p.q[0] + h * p.q[1] + i * p.q[2],
                    (const E *)k + b * p.k[0] + hk * p.k[1],
                    (const E *)v + b * p.v[0] + hk * p.v[1],
                    mask ? (const E *)mask + b * p.mask[0] + h * p.mask[1] +
                             i * p.mask[2]
                         : nullptr,
                    (E *)y + b * p.y[0] + h * p.y[1] + i * p.y[2], score, sum);
      }
}

} // namespace

void conv(const o2c_cuda_conv_p &p, const void *x, const void *w,
          const void *bias, const void *residual, void *y)
{
  if (p.dtype == O2C_F32)
    conv_of<float>(p, x, w, bias, residual, y);
  else if (p.dtype == O2C_F16)
    conv_of<__half>(p, x, w, bias, residual, y);
  else
    conv_of<__nv_bfloat16>(p, x, w, bias, residual, y);
}

void matmul(const o2c_cuda_matmul_p &p, const void *x, const void *w,
            const void *bias, const void *residual, void *y)
{
  if (p.dtype == O2C_F32)
    matmul_of<float>(p, x, w, bias, residual, y);
  else if (p.dtype == O2C_F16)
    matmul_of<__half>(p, x, w, bias, residual, y);
  else
    matmul_of<__nv_bfloat16>(p, x, w, bias, residual, y);
}

void sdpa(const o2c_cuda_sdpa_p &p, const void *q, const void *k,
          const void *v, const void *mask, void *y)
{
  if (p.dtype == O2C_F16)
    sdpa_of<__half>(p, q, k, v, mask, y);
  else
    sdpa_of<__nv_bfloat16>(p, q, k, v, mask, y);
}

} // namespace o2c_shim
