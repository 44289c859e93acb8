/* SPDX-License-Identifier: 0BSD */
/* Steps of an LSTM whose recurrent weights are bytes: lstm_bytes of
 * ref/recurrent.h, bit for bit. Products are of integers, and nothing is fused
 * that is not fused there, since a last bit decides which byte a state becomes.
 *
 * A step quantises the states of all rows together, so its blocks have to know
 * all that the step before has made: each step is a launch. A block has 16
 * units of ROWS rows of a direction. It joins the ranges that the blocks of the
 * step before have left, makes bytes of its rows' states as it reads them,
 * multiplies four at a time by __dp4a, and leaves new states and their range.
 *
 * Bytes are signed: states, weights of u8 and their zero points lose 128. The
 * sum of (q - zq) (r - rz) is q r - zq sum(r) - rz sum(q) + H zq rz, exact as
 * all of it wraps. */
#ifndef O2C_CUDA_LSTM_BYTES_H
#define O2C_CUDA_LSTM_BYTES_H
#include "block.h"
#include "quantize.h"

enum { O2C_LSTM_UNITS = 16, O2C_LSTM_COLUMNS = 4 * O2C_LSTM_UNITS,
       O2C_LSTM_WORDS = 64 };

/* `part` is a group of 16 units of a direction; its columns are those of the
 * first gate, then of the second, and so on. */
typedef struct {
  const float *x;        /* what W made of the inputs */
  const int *words;      /* [dirs, parts, (H + 3) / 4, 64] of four weights */
  const int32_t *sums;   /* [dirs, parts, 64] of a column's weights; */
  const int32_t *zero;   /* their zero point, or NULL: all are 0; */
  const float *scale;    /* and scale */
  const float *bias, *peep, *h0, *c0; /* or NULL */
  const int32_t *lens;   /* or NULL */
  float *y, *yh, *yc;    /* or NULL */
  float *h, *c;          /* [2, dirs, rows, H], [dirs, rows, H] */
  float *range;          /* [2, dirs, 2, blocks] */
  int *fault;
  int64_t steps, rows, hidden, dirs;
  int64_t at[7];         /* as in ref/recurrent.h */
  int reverse, coupled;
  float clip;
} o2c_lstm_bytes_p;

/* What the states were quantised by; the zero point less 128. */
struct o2c_lstm_by {
  float scale;
  int zero;
};

O2C_INLINE int64_t o2c_lstm_parts(const o2c_lstm_bytes_p &p)
{
  return (p.hidden + O2C_LSTM_UNITS - 1) / O2C_LSTM_UNITS;
}
template <int ROWS>
O2C_INLINE int64_t o2c_lstm_blocks(const o2c_lstm_bytes_p &p)
{
  return o2c_lstm_parts(p) * ((p.rows + ROWS - 1) / ROWS);
}

/* The steps of row i; none where that is no number of steps. */
O2C_DEVICE int64_t o2c_lstm_steps(const o2c_lstm_bytes_p &p, int64_t i)
{
  const int64_t n = p.lens ? p.lens[i] : p.steps;
  if (n >= 0 && n <= p.steps)
    return n;
  *p.fault = (int)O2C_E_DATA;
  return 0;
}

/* Where block `at` of direction d leaves the range before step t: the least,
 * and `blocks` later the greatest. */
O2C_DEVICE float *o2c_lstm_range(const o2c_lstm_bytes_p &p, int64_t t,
                                 int64_t d, int64_t blocks)
{
  return p.range + ((t & 1) * p.dirs + d) * 2 * blocks;
}

/* All of a block of G threads come here. */
template <int G>
static __device__ void o2c_lstm_leave(float *to, int64_t at, int64_t blocks,
                                      float lo, float hi)
{
  const o2c_range_end low = { false }, high = { true };
  lo = o2c_all<G>(lo, low);
  hi = o2c_all<G>(hi, high);
  if (threadIdx.x == 0) {
    to[at] = lo;
    to[blocks + at] = hi;
  }
}

O2C_DEVICE o2c_lstm_by o2c_lstm_join(const float *range, int64_t blocks)
{
  const o2c_range_end low = { false }, high = { true };
  float lo = 0.0f, hi = 0.0f;
  for (int64_t i = threadIdx.x; i < blocks; i += 256) {
    lo = low.join(lo, range[i]);
    hi = high.join(hi, range[blocks + i]);
  }
  lo = o2c_all<256>(lo, low);
  hi = o2c_all<256>(hi, high);
  o2c_lstm_by by;
  by.scale = (hi - lo) / 255.0f;
  const float v = by.scale > 0 ? rintf(0 - lo / by.scale) : 0.0f;
  by.zero = (int)(v < 255 ? v : 255) - 128;
  return by;
}

O2C_DEVICE int o2c_lstm_byte(float h, o2c_lstm_by by)
{
  float v = by.scale > 0 ? rintf(h / by.scale) + (float)(by.zero + 128) : 0;
  v = v > 0 ? v : 0;
  return (int)(v < 255 ? v : 255) - 128;
}

/* Word w of row i: four states; 0 past the last one. */
O2C_DEVICE int o2c_lstm_word(const o2c_lstm_bytes_p &p, const float *h,
                             int64_t i, int64_t w, o2c_lstm_by by)
{
  unsigned v = 0;
  for (int k = 0; k < 4; k++)
    if (i < p.rows && 4 * w + k < p.hidden)
      v |= ((unsigned)o2c_lstm_byte(h[i * p.hidden + 4 * w + k], by) & 255u)
           << 8 * k;
  return (int)v;
}

/* The states before the first step, and their range. */
template <int ROWS>
static __global__ void o2c_lstm_bytes_begin(const o2c_lstm_bytes_p p)
{
  const int64_t d = blockIdx.y, parts = o2c_lstm_parts(p);
  const int64_t blocks = o2c_lstm_blocks<ROWS>(p);
  for (int64_t at = blockIdx.x; at < blocks; at += gridDim.x) {
    float lo = 0.0f, hi = 0.0f;
    for (int e = (int)threadIdx.x; e < ROWS * O2C_LSTM_UNITS; e += 128) {
      const int64_t i = at / parts * ROWS + e / O2C_LSTM_UNITS;
      const int64_t u = at % parts * O2C_LSTM_UNITS + e % O2C_LSTM_UNITS;
      if (i >= p.rows || u >= p.hidden)
        continue;
      const int64_t own = (d * p.rows + i) * p.hidden + u;
      const int64_t state = d * p.at[5] + i * p.at[6] + u;
      const float h = p.h0 ? p.h0[state] : 0.0f;
      const float c = p.c0 ? p.c0[state] : 0.0f;
      p.h[own] = h;
      p.c[own] = c;
      lo = h < lo ? h : lo;
      hi = h > hi ? h : hi;
      if (o2c_lstm_steps(p, i) > 0)
        continue;
      if (p.yh)
        p.yh[state] = p.lens ? 0.0f : h;
      if (p.yc)
        p.yc[state] = p.lens ? 0.0f : c;
    }
    o2c_lstm_leave<128>(o2c_lstm_range(p, 0, d, blocks), at, blocks, lo, hi);
  }
}

/* A unit of one row, from the sums of its gates, `step` apart: the new state;
 * *c is the cell. ACT::of(d, which, x, clip): a function of direction d. */
template <class ACT>
static __device__ float o2c_lstm_unit(const o2c_lstm_bytes_p &p, int64_t d,
                                      int64_t u, const float *gate, int step,
                                      float *c)
{
  const float *const peep = p.peep ? p.peep + d * 3 * p.hidden + u : NULL;
  const auto with = [=, &p](int k, int which, float cell) {
    const float v = gate[k * step];
    return peep ? __fadd_rn(v, __fmul_rn(peep[which * p.hidden], cell)) : v;
  };
  float cell = *c;
  const float in = ACT::of(d, 0, with(0, 0, cell), p.clip);
  const float forget = p.coupled ? __fsub_rn(1.0f, in)
    : ACT::of(d, 0, with(2, 2, cell), p.clip);
  const float fresh = ACT::of(d, 1, gate[3 * step], p.clip);
  cell = __fadd_rn(__fmul_rn(forget, cell), __fmul_rn(in, fresh));
  const float out = ACT::of(d, 0, with(1, 1, cell), p.clip);
  *c = cell;
  return __fmul_rn(out, ACT::of(d, 2, cell, INFINITY));
}

/* The units that a block has, from their sums; the states' range is left. */
template <int ROWS, class ACT>
static __device__ void o2c_lstm_units(const o2c_lstm_bytes_p &p, int64_t t,
                                      int64_t at,
                                      float (*gate)[O2C_LSTM_COLUMNS])
{
  const int64_t d = blockIdx.y, parts = o2c_lstm_parts(p);
  const int64_t states = p.dirs * p.rows * p.hidden;
  const int64_t blocks = o2c_lstm_blocks<ROWS>(p);
  float lo = 0.0f, hi = 0.0f;
  for (int e = (int)threadIdx.x; e < ROWS * O2C_LSTM_UNITS; e += 256) {
    const int64_t i = at / parts * ROWS + e / O2C_LSTM_UNITS;
    const int unit = e % O2C_LSTM_UNITS;
    const int64_t u = at % parts * O2C_LSTM_UNITS + unit;
    if (i >= p.rows || u >= p.hidden)
      continue;
    const int64_t own = (d * p.rows + i) * p.hidden + u;
    const int64_t state = d * p.at[5] + i * p.at[6] + u;
    const int64_t n = o2c_lstm_steps(p, i);
    const int64_t now = t < n && (p.reverse || d) ? n - 1 - t : t;
    float h = p.y ? 0.0f : p.h[(t & 1) * states + own];
    if (t < n)
      h = o2c_lstm_unit<ACT>(p, d, u, gate[e / O2C_LSTM_UNITS] + unit,
                             O2C_LSTM_UNITS, p.c + own);
    if (p.y)
      p.y[now * p.at[2] + d * p.at[3] + i * p.at[4] + u] = h;
    if (p.yh && t == n - 1)
      p.yh[state] = h;
    if (p.yc && t == n - 1)
      p.yc[state] = p.c[own];
    p.h[(~t & 1) * states + own] = h;
    lo = h < lo ? h : lo;
    hi = h > hi ? h : hi;
  }
  o2c_lstm_leave<256>(o2c_lstm_range(p, t + 1, d, blocks), at, blocks, lo, hi);
}

/* The sums of the gates that a block has, of what four threads have summed. */
template <int ROWS>
static __device__ void o2c_lstm_gates(const o2c_lstm_bytes_p &p, int64_t t,
                                      int64_t at, o2c_lstm_by by,
                                      const int (*dots)[ROWS][O2C_LSTM_COLUMNS],
                                      const int (*bytes)[ROWS],
                                      float (*gate)[O2C_LSTM_COLUMNS])
{
  const int64_t d = blockIdx.y, parts = o2c_lstm_parts(p);
  const int64_t i0 = at / parts * ROWS, part = d * parts + at % parts;
  for (int e = (int)threadIdx.x; e < ROWS * O2C_LSTM_COLUMNS; e += 256) {
    const int row = e / O2C_LSTM_COLUMNS, c = e % O2C_LSTM_COLUMNS;
    const int64_t i = i0 + row, k = part * O2C_LSTM_COLUMNS + c;
    const int64_t u = at % parts * O2C_LSTM_UNITS + c % O2C_LSTM_UNITS;
    const int64_t column_of = (d * 4 + c / O2C_LSTM_UNITS) * p.hidden + u;
    if (i >= p.rows || u >= p.hidden)
      continue;
    const int64_t n = o2c_lstm_steps(p, i);
    if (t >= n)
      continue;
    const int64_t now = p.reverse || d ? n - 1 - t : t;
    unsigned v = 0, q = 0;
    for (int s = 0; s < 4; s++) {
      v += (unsigned)dots[s][row][c];
      q += (unsigned)bytes[s][row];
    }
    v -= (unsigned)by.zero * (unsigned)p.sums[k];
    if (p.zero)
      v -= (unsigned)p.zero[k] * (q - (unsigned)by.zero *
                                      (unsigned)p.hidden);
    const float x = p.x[now * p.at[0] + i * p.at[1] + column_of];
    const float g = __fadd_rn(x, __fmul_rn((float)(int)v,
                                           __fmul_rn(by.scale, p.scale[k])));
    gate[row][c] = p.bias ? __fadd_rn(g, p.bias[column_of]) : g;
  }
}

/* Step t, by 256 threads: four for each column, which share k. */
template <int ROWS, class ACT>
static __global__ void o2c_lstm_bytes_step(const o2c_lstm_bytes_p p, int64_t t)
{
  __shared__ int word[ROWS][O2C_LSTM_WORDS];
  __shared__ int dots[4][ROWS][O2C_LSTM_COLUMNS], bytes[4][ROWS];
  __shared__ float gate[ROWS][O2C_LSTM_COLUMNS];
  const int me = (int)threadIdx.x, column = me % O2C_LSTM_COLUMNS;
  const int share = me / O2C_LSTM_COLUMNS;
  const int64_t d = blockIdx.y, parts = o2c_lstm_parts(p);
  const int64_t blocks = o2c_lstm_blocks<ROWS>(p), deep = (p.hidden + 3) / 4;
  const float *const h = p.h + ((t & 1) * p.dirs + d) * p.rows * p.hidden;
  const o2c_lstm_by by = o2c_lstm_join(o2c_lstm_range(p, t, d, blocks),
                                       blocks);
  for (int64_t at = blockIdx.x; at < blocks; at += gridDim.x) {
    const int64_t i0 = at / parts * ROWS, part = d * parts + at % parts;
    const int *const from = p.words + part * deep * O2C_LSTM_COLUMNS + column;
    int sum[ROWS] = {}, all[ROWS] = {};
    for (int64_t w0 = 0; w0 < deep; w0 += O2C_LSTM_WORDS) {
      for (int e = me; e < ROWS * O2C_LSTM_WORDS; e += 256)
        word[e / O2C_LSTM_WORDS][e % O2C_LSTM_WORDS] =
          o2c_lstm_word(p, h, i0 + e / O2C_LSTM_WORDS,
                        w0 + e % O2C_LSTM_WORDS, by);
      __syncthreads();
      for (int w = share; w < O2C_LSTM_WORDS && w0 + w < deep; w += 4) {
        const int r = from[(w0 + w) * O2C_LSTM_COLUMNS];
        O2C_UNROLL
        for (int i = 0; i < ROWS; i++) {
          sum[i] = __dp4a(word[i][w], r, sum[i]);
          if (p.zero)
            all[i] = __dp4a(word[i][w], 0x01010101, all[i]);
        }
      }
      __syncthreads();
    }
    O2C_UNROLL
    for (int i = 0; i < ROWS; i++) {
      dots[share][i][column] = sum[i];
      if (column == 0)
        bytes[share][i] = all[i];
    }
    __syncthreads();
    o2c_lstm_gates<ROWS>(p, t, at, by, dots, bytes, gate);
    __syncthreads();
    o2c_lstm_units<ROWS, ACT>(p, t, at, gate);
  }
}

template <int ROWS, class ACT>
static void o2c_lstm_bytes_rows(o2c_cuda *cu, const o2c_lstm_bytes_p &p)
{
  const dim3 grid(o2c_blocks(o2c_lstm_blocks<ROWS>(p), 1), (unsigned)p.dirs);
  O2C_LAUNCH(cu, o2c_lstm_bytes_begin<ROWS>, grid, 128, p);
  for (int64_t t = 0; t < p.steps; t++)
    O2C_LAUNCH(cu, (o2c_lstm_bytes_step<ROWS, ACT>), grid, 256, p, t);
}

template <class ACT>
static void o2c_lstm_bytes(o2c_cuda *cu, const o2c_lstm_bytes_p &p)
{
  if (p.rows == 1)
    o2c_lstm_bytes_rows<1, ACT>(cu, p);
  else if (p.rows > 0)
    o2c_lstm_bytes_rows<8, ACT>(cu, p);
}
#endif
