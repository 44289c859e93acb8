/* SPDX-License-Identifier: 0BSD */
/* Attention whose scores stay on chip (FlashAttention, arXiv 2205.14135): of
 * each query, what its keys so far have given is scaled down whenever a larger
 * score comes. Sums are float. Rows of D elements; what is longer in a tile
 * than in memory is 0.
 *
 * o2c_attend_tiles: a block for QUERIES neighbours of one head; 16 threads
 * share 4 of its rows. o2c_attend_few: a block for each query, where these are
 * few, as when a text is written word by word. */
#ifndef O2C_ATTENTION_TILES_H
#define O2C_ATTENTION_TILES_H
#include "attention.h"
#include "window.h"

/* Over G neighbour lanes. */
template <int G> O2C_DEVICE float o2c_lane_sum(float v)
{
  for (int w = G / 2; w > 0; w >>= 1)
    v += o2c_lane_xor(v, w);
  return v;
}

/* exp(score - most): 0 where no score was finite yet. */
O2C_INLINE float o2c_attend_exp(float score, float most)
{
  return most == -INFINITY && score == most ? 0 : expf(score - most);
}

/* By the sum of the exponentials; what rows are that have none: see `zero`. */
O2C_INLINE float o2c_attend_end(float v, float sum, const o2c_attend_p &p)
{
  if (sum == 0 && (p.zero != 1 || p.t == 0))
    return 0;
  return p.zero == 2 && sum != sum ? 0 : v / sum;
}

template <class E>
O2C_DEVICE float o2c_attend_score(
  float s, int64_t j, int open, const uint8_t *allow,
  const typename E::T *bias, const o2c_attend_p &p)
{
  s *= (float)p.scale;
  if (p.softcap > 0)
    s = (float)p.softcap * tanhf(s / (float)p.softcap);
  return s + o2c_attend_add<E>(j, open, allow, bias, p);
}

/* ROWS rows of D elements, each in D + 4 floats, so that threads which read
 * neighbour rows take different banks. Neighbour threads read neighbours. */
template <class E, int D, int ROWS, int THREADS>
O2C_DEVICE void o2c_attend_load(
  float *to, const typename E::T *from, int64_t line, int64_t step,
  int64_t lines, int64_t deep)
{
  for (int e = (int)threadIdx.x; e < ROWS * D; e += THREADS) {
    const int i = step == 1 ? e / D : e % ROWS;
    const int d = step == 1 ? e % D : e / ROWS;
    to[i * (D + 4) + d] =
      i < lines && d < deep ? E::load(from[i * line + d * step]) : 0;
  }
}

/* What a thread has of its four rows. */
template <int D> struct o2c_attend_rows {
  float most[4], sum[4], y[4][D / 16];
  int64_t first[4], last[4]; /* keys that are seen */
};

/* Of 4 rows and every 16th key, the products. */
template <int D, int KEYS>
O2C_DEVICE void o2c_attend_products(
  const float *query, const float *key, float (*s)[KEYS / 16])
{
  typedef o2c_pack<float, 4> Four;
  O2C_UNROLL
  for (int i = 0; i < 4; i++)
    O2C_UNROLL
    for (int j = 0; j < KEYS / 16; j++)
      s[i][j] = 0;
  for (int d = 0; d < D; d += 4) {
    Four a[4];
    O2C_UNROLL
    for (int i = 0; i < 4; i++)
      a[i] = *(const Four *)(query + i * (D + 4) + d);
    O2C_UNROLL
    for (int j = 0; j < KEYS / 16; j++) {
      const Four b = *(const Four *)(key + 16 * j * (D + 4) + d);
      O2C_UNROLL
      for (int i = 0; i < 4; i++)
        O2C_UNROLL
        for (int c = 0; c < 4; c++)
          s[i][j] += a[i].v[c] * b.v[c];
    }
  }
}

/* Scores of a tile of keys to exponentials; what was summed so far is scaled
 * to the new largest one. */
template <int D, int KEYS>
O2C_DEVICE void o2c_attend_raise(
  float (*s)[KEYS / 16], float *part, o2c_attend_rows<D> *r)
{
  O2C_UNROLL
  for (int i = 0; i < 4; i++) {
    float most = r->most[i], less;
    O2C_UNROLL
    for (int j = 0; j < KEYS / 16; j++)
      most = fmaxf(most, s[i][j]);
    for (int w = 8; w > 0; w >>= 1)
      most = fmaxf(most, o2c_lane_xor(most, w));
    less = o2c_attend_exp(r->most[i], most);
    r->most[i] = most;
    r->sum[i] *= less;
    O2C_UNROLL
    for (int c = 0; c < D / 16; c++)
      r->y[i][c] *= less;
    O2C_UNROLL
    for (int j = 0; j < KEYS / 16; j++) {
      const float e = o2c_attend_exp(s[i][j], most);
      part[i * (KEYS + 4) + 16 * j] = e;
      r->sum[i] += e;
    }
  }
}

/* Columns of a thread: groups of `wide` neighbours, 16 * wide apart. */
template <int D> struct o2c_attend_columns {
  static const int wide = D < 64 ? D / 16 : 4;
  static __device__ __forceinline__ int at(int c, int tx)
  {
    return (c / wide * 16 + tx) * wide + c % wide;
  }
};

/* Adds the exponentials times the values of a tile. */
template <int D, int KEYS>
O2C_DEVICE void o2c_attend_values(
  const float *part, const float *value, int tx, o2c_attend_rows<D> *r)
{
  typedef o2c_pack<float, 4> Four;
  typedef o2c_attend_columns<D> Columns;
  typedef o2c_pack<float, Columns::wide> Wide;
  for (int j = 0; j < KEYS; j += 4) {
    Four e[4];
    O2C_UNROLL
    for (int i = 0; i < 4; i++)
      e[i] = *(const Four *)(part + i * (KEYS + 4) + j);
    O2C_UNROLL
    for (int k = 0; k < 4; k++)
      O2C_UNROLL
      for (int g = 0; g < D / 16; g += Columns::wide) {
        const Wide v =
          *(const Wide *)(value + (j + k) * (D + 4) + Columns::at(g, tx));
        O2C_UNROLL
        for (int i = 0; i < 4; i++)
          O2C_UNROLL
          for (int c = 0; c < Columns::wide; c++)
            r->y[i][g + c] += e[i].v[k] * v.v[c];
      }
  }
}

/* The queries of a block: `rows` neighbours from i0 on, of one head. */
typedef struct {
  int64_t image, head, group, i0, rows;
  const int64_t *valid;
} o2c_attend_place;

template <int QUERIES>
O2C_DEVICE o2c_attend_place o2c_attend_find(
  int64_t b, const int64_t *valid, const o2c_attend_p &p)
{
  const int64_t across = (p.s + QUERIES - 1) / QUERIES;
  o2c_attend_place at;
  at.i0 = b % across * QUERIES;
  at.head = b / across % p.h;
  at.image = b / across / p.h;
  at.group = at.head / (p.h / p.g);
  at.rows = p.s - at.i0 < QUERIES ? p.s - at.i0 : QUERIES;
  at.valid = valid ? valid + at.image : valid;
  return at;
}

template <int D>
O2C_DEVICE void o2c_attend_begin(
  o2c_attend_rows<D> *r, const o2c_attend_place &at, int row,
  const o2c_attend_p &p)
{
  O2C_UNROLL
  for (int i = 0; i < 4; i++) {
    r->most[i] = -INFINITY;
    r->sum[i] = 0;
    r->last[i] = o2c_attend_keys(p, at.i0 + row + i, at.valid, &r->first[i]);
    if (row + i >= at.rows)
      r->last[i] = -1;
    O2C_UNROLL
    for (int c = 0; c < D / 16; c++)
      r->y[i][c] = 0;
  }
}

/* Products with keys j, j + 16, .. to scores. */
template <class E, int D, int KEYS>
O2C_DEVICE void o2c_attend_mask(
  float (*s)[KEYS / 16], const o2c_attend_rows<D> &r,
  const o2c_attend_place &at, int row, int64_t j, const uint8_t *allow,
  const typename E::T *bias, const o2c_attend_p &p)
{
  O2C_UNROLL
  for (int i = 0; i < 4; i++) {
    const int64_t m = at.image * p.ms[0] + at.head * p.ms[1] +
                      (at.i0 + row + i) * p.ms[2];
    O2C_UNROLL
    for (int c = 0; c < KEYS / 16; c++) {
      const int64_t key = j + 16 * c;
      s[i][c] = o2c_attend_score<E>(
        s[i][c], key, key >= r.first[i] && key <= r.last[i],
        allow ? allow + m : allow, bias ? bias + m : bias, p);
    }
  }
}

template <class E, int D>
O2C_DEVICE void o2c_attend_store(
  typename E::T *y, const o2c_attend_rows<D> &r, const o2c_attend_place &at,
  int row, int tx, const o2c_attend_p &p)
{
  O2C_UNROLL
  for (int i = 0; i < 4; i++) {
    const float sum = o2c_lane_sum<16>(r.sum[i]);
    typename E::T *const to = y + at.image * p.ys[0] + at.head * p.ys[1] +
                              (at.i0 + row + i) * p.ys[2];
    O2C_UNROLL
    for (int c = 0; c < D / 16; c++) {
      const int column = o2c_attend_columns<D>::at(c, tx);
      if (row + i < at.rows && column < p.v)
        to[column] = E::store(o2c_attend_end(r.y[i][c], sum, p));
    }
  }
}

template <class E, int D, int QUERIES, int KEYS>
static __global__ void __launch_bounds__(4 * QUERIES) o2c_attend_tiles(
  const typename E::T *q, const typename E::T *k, const typename E::T *v,
  const uint8_t *allow, const typename E::T *bias, const int64_t *valid,
  typename E::T *y, const o2c_attend_p p)
{
  enum { THREADS = 4 * QUERIES };
  alignas(16) __shared__ float query[QUERIES * (D + 4)];
  alignas(16) __shared__ float other[KEYS * (D + 4)]; /* keys, then values */
  alignas(16) __shared__ float part[QUERIES * (KEYS + 4)];
  const int tx = (int)threadIdx.x % 16, row = (int)threadIdx.x / 16 * 4;
  const int64_t blocks = p.n * p.h * ((p.s + QUERIES - 1) / QUERIES);
  for (int64_t b = blockIdx.x; b < blocks; b += gridDim.x) {
    const o2c_attend_place at = o2c_attend_find<QUERIES>(b, valid, p);
    const typename E::T *const keys = k + at.image * p.ks[0] +
                                      at.group * p.ks[1];
    const typename E::T *const values = v + at.image * p.vs[0] +
                                        at.group * p.vs[1];
    o2c_attend_rows<D> r;
    int64_t begin, unused;
    const int64_t end = o2c_attend_keys(p, at.i0 + at.rows - 1, at.valid,
                                        &unused);
    o2c_attend_keys(p, at.i0, at.valid, &begin);
    o2c_attend_begin(&r, at, row, p);
    o2c_attend_load<E, D, QUERIES, THREADS>(
      query, q + at.image * p.qs[0] + at.head * p.qs[1] + at.i0 * p.qs[2],
      p.qs[2], p.qs[3], at.rows, p.d);
    for (int64_t j0 = begin < 0 ? 0 : begin; j0 <= end; j0 += KEYS) {
      float s[4][KEYS / 16];
      __syncthreads(); /* the last tile's values were read */
      o2c_attend_load<E, D, KEYS, THREADS>(
        other, keys + j0 * p.ks[2], p.ks[2], p.ks[3], p.t - j0, p.d);
      __syncthreads();
      o2c_attend_products<D, KEYS>(query + row * (D + 4), other + tx * (D + 4),
                                   s);
      o2c_attend_mask<E, D, KEYS>(s, r, at, row, j0 + tx, allow, bias, p);
      o2c_attend_raise<D, KEYS>(s, part + row * (KEYS + 4) + tx, &r);
      __syncthreads(); /* the keys were read, the exponentials are there */
      o2c_attend_load<E, D, KEYS, THREADS>(
        other, values + j0 * p.vs[2], p.vs[2], p.vs[3], p.t - j0, p.v);
      __syncthreads();
      o2c_attend_values<D, KEYS>(part + row * (KEYS + 4), other, tx, &r);
    }
    o2c_attend_store<E, D>(y, r, at, row, tx, p);
    __syncthreads(); /* the queries were read */
  }
}

/* 256 threads: 8 share a key's product, WIDE take a row of values. */
template <class E, int WIDE>
static __global__ void __launch_bounds__(256) o2c_attend_few(
  const typename E::T *q, const typename E::T *k, const typename E::T *v,
  const uint8_t *allow, const typename E::T *bias, const int64_t *valid,
  typename E::T *y, const o2c_attend_p p)
{
  enum { THREADS = 256, PARTS = THREADS / WIDE };
  __shared__ float query[WIDE], part[THREADS];
  const int me = (int)threadIdx.x, column = me % WIDE;
  const o2c_extreme<float, false> larger = { -INFINITY };
  for (int64_t w = blockIdx.x; w < p.n * p.h * p.s; w += gridDim.x) {
    const int64_t i = w % p.s, head = w / p.s % p.h, image = w / p.s / p.h;
    const int64_t group = head / (p.h / p.g);
    const int64_t at = image * p.ms[0] + head * p.ms[1] + i * p.ms[2];
    const typename E::T *const keys = k + image * p.ks[0] + group * p.ks[1];
    const typename E::T *const values =
      v + image * p.vs[0] + group * p.vs[1] + column * p.vs[3];
    int64_t first;
    const int64_t last = o2c_attend_keys(p, i, valid ? valid + image : valid,
                                         &first);
    float most = -INFINITY, sum = 0, mine = 0;
    if (me < p.d)
      query[me] = E::load(q[image * p.qs[0] + head * p.qs[1] + i * p.qs[2] +
                            me * p.qs[3]]);
    __syncthreads();
    for (int64_t j0 = first < 0 ? 0 : first; j0 <= last; j0 += THREADS) {
      for (int g = me / 8; g < THREADS; g += THREADS / 8) {
        const int64_t j = j0 + g;
        float s = 0;
        for (int d = me % 8; d < p.d && j <= last; d += 8)
          s += query[d] * E::load(keys[j * p.ks[2] + d * p.ks[3]]);
        s = o2c_lane_sum<8>(s);
        if (me % 8 == 0)
          part[g] = o2c_attend_score<E>(s, j, j <= last,
                                        allow ? allow + at : allow,
                                        bias ? bias + at : bias, p);
      }
      __syncthreads();
      const float score = part[me];
      const float now = o2c_all<THREADS>(fmaxf(score, most), larger);
      const float e = o2c_attend_exp(score, now);
      const float less = o2c_attend_exp(most, now);
      part[me] = e;
      sum = sum * less + o2c_all_sum<THREADS>(e); /* all see `part` then */
      mine *= less;
      most = now;
      for (int j = me / WIDE; j < THREADS && j0 + j <= last; j += PARTS)
        if (column < p.v)
          mine += part[j] * E::load(values[(j0 + j) * p.vs[2]]);
      __syncthreads();
    }
    part[me] = mine;
    __syncthreads();
    if (me < p.v && me < WIDE) {
      for (int other = 1; other < PARTS; other++)
        mine += part[me + other * WIDE];
      y[image * p.ys[0] + head * p.ys[1] + i * p.ys[2] + me] =
        E::store(o2c_attend_end(mine, sum, p));
    }
    __syncthreads();
  }
}

/* By the kernel that suits the sizes: rows have at most D elements, which is
 * 32, 64, 128 or 256. Few and short queries take smaller tiles, so that more
 * blocks share the work. */
template <class E, int D>
static void o2c_attend_call(
  o2c_cuda *cu, const typename E::T *q, const typename E::T *k,
  const typename E::T *v, const uint8_t *allow, const typename E::T *bias,
  const int64_t *valid, typename E::T *y, const o2c_attend_p &p)
{
  enum {
    QUERIES = D <= 64 ? 64 : D == 128 ? 32 : 16,
    KEYS = D == 32 ? 64 : D == 256 ? 16 : 32,
    BUSY = 264 /* blocks that fill a GPU: two for each of 132 processors */
  };
  const int64_t heads = p.n * p.h;
  const int64_t tiles = heads * ((p.s + QUERIES - 1) / QUERIES);
  if (heads * p.s == 0)
    return;
  if (p.s < 8)
    O2C_LAUNCH(cu, (o2c_attend_few<E, D>), o2c_blocks(heads * p.s, 1), 256, q,
               k, v, allow, bias, valid, y, p);
  else if (tiles < BUSY)
    O2C_LAUNCH(cu, (o2c_attend_tiles<E, D, 16, KEYS>),
               o2c_blocks(heads * ((p.s + 15) / 16), 1), 64, q, k, v, allow,
               bias, valid, y, p);
  else
    O2C_LAUNCH(cu, (o2c_attend_tiles<E, D, QUERIES, KEYS>),
               o2c_blocks(tiles, 1), 4 * QUERIES, q, k, v, allow, bias, valid,
               y, p);
}
#endif
