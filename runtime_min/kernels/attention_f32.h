/* SPDX-License-Identifier: 0BSD */
/* f32 scaled dot-product attention in one go: the scores of a few queries at a
   time, never of all of them.

     y[b, h, i] = sum_j softmax_j(scale q[b, h, i] . k[b, h', j] + mask) v[j]

   static void o2c_attention_f32(const float *q, const float *k,
                                 const float *v, const uint8_t *allow,
                                 const float *bias, const int64_t *valid,
                                 float *y, float *room,
                                 const o2c_attention_f32_p *p);
   static void o2c_attention_f32_heads(.., int64_t from, int64_t to);

   h' = h / (heads / groups). A mask is bytes (0: not seen) or numbers to add;
   keys from mask_keys on are not seen where there is one. valid: keys of each
   image that count, the queries being the last of them. allow, bias and valid
   may be NULL. softcap c > 0: c tanh(score / c) before the mask. zero says what
   a row is whose probabilities are NaN: 0, zero if the mask leaves no key; 1,
   NaN; 2, zero. A row of q and of y is contiguous; y overlaps nothing. room:
   O2C_ATTENTION_ROOM(keys, d, v) floats.

   One sum, one order: scores and sums over keys are each one chain of (fused)
   multiply-adds, then scaled by one over the sum of exponentials, whose order
   depends on the number of keys that a block of rows can see. Blocks begin at
   multiples of O2C_ATTENTION_ROWS, so neither batch nor threads matter. Keys
   that a block can't see by causal order, windows or valid are not read. */
#ifndef O2C_ATTENTION_F32_H
#define O2C_ATTENTION_F32_H

#include "matmul_f32.h"
#include "softmax_f32.h"

#define O2C_ATTENTION_ROWS 24
#define O2C_ATTENTION_ROOM(keys, d, v) \
  (((keys) + 15) / 16 * 16 * (d) + (keys) * (((v) + 15) / 16 * 16) + \
   O2C_ATTENTION_ROWS * (keys))

typedef struct {
  int32_t images, heads, groups, rows, keys, d, v, mask_keys;
  int64_t q_image, q_head, q_row;
  int64_t k_image, k_head, k_row, k_col;
  int64_t v_image, v_head, v_row, v_col;
  int64_t y_image, y_head, y_row;
  int64_t m_image, m_head, m_row, m_col; /* of the mask; 0: broadcast */
  int64_t past;           /* keys before those of the first query */
  int64_t left, right;    /* windows; negative: none */
  int32_t causal, zero;
  float scale, softcap;
} o2c_attention_f32_p;

/* What the rows of a block share. */
typedef struct {
  const o2c_attention_f32_p *p;
  const float *keys, *values; /* panels */
  const uint8_t *allow;       /* of this image and head; row 0, key 0 */
  const float *bias;
  float *scores;
  int64_t at;                 /* position of query 0 */
  int64_t valid;              /* keys that count */
} o2c_attention_f32_t;

O2C_INLINE int64_t o2c_att_first(const o2c_attention_f32_t *a, int64_t i)
{
  const int64_t first = a->at + i - a->p->left;
  return a->p->left >= 0 && first > 0 ? first : 0;
}

/* One past the last key that row i may see. */
O2C_INLINE int64_t o2c_att_end(const o2c_attention_f32_t *a, int64_t i)
{
  const int64_t at = a->at + i + 1, right = a->p->right;
  int64_t end = a->valid;
  if (a->p->causal && at < end)
    end = at;
  if (right >= 0 && end - at > right)
    end = at + right;
  return end > 0 ? end : 0;
}

/* s = s * scale + bias, and the largest; b is NULL, or moves along. */
O2C_INLINE float o2c_att_scale(float *s, const float *b, ptrdiff_t n,
                               float scale)
{
  const o2c_v by = o2c_vset1(scale);
  const ptrdiff_t whole = n - n % O2C_LANES;
  o2c_v top = o2c_vset1(-INFINITY);
  float m;
  for (ptrdiff_t j = 0; j < whole; j += O2C_LANES) {
    const o2c_v v = o2c_vld(s + j);
    const o2c_v r = b ? o2c_vfma(v, by, o2c_vld(b + j)) : o2c_vmul(v, by);
    o2c_vst(s + j, r);
    top = o2c_vmax(r, top);
  }
  m = o2c_vmaxlane(top);
  for (ptrdiff_t j = whole; j < n; j++) {
    s[j] = b ? O2C_FMAF(s[j], scale, b[j]) : s[j] * scale;
    m = s[j] > m ? s[j] : m;
  }
  return m;
}

/* Rules that are not a row of numbers: a softcap, bytes, one number for all. */
O2C_NOINLINE float o2c_att_rules(float *s, const uint8_t *allow,
                                 const float *bias, ptrdiff_t n,
                                 const o2c_attention_f32_p *p)
{
  const ptrdiff_t step = (ptrdiff_t)p->m_col;
  float scale = p->scale;
  if (p->softcap > 0.0f) {
    const float by = p->scale / p->softcap;
    for (ptrdiff_t j = 0; j < n; j++)
      s[j] = o2c_tanhf(s[j] * by);
    scale = p->softcap;
  }
  o2c_att_scale(s, NULL, n, scale);
  for (ptrdiff_t j = 0; allow && j < n; j++)
    s[j] = allow[j * step] ? s[j] : -INFINITY;
  for (ptrdiff_t j = 0; bias && j < n; j++)
    s[j] += bias[j * step];
  return o2c_max_f32(s, n);
}

/* Does the mask leave no key of these? */
O2C_NOINLINE int o2c_att_blocked(const uint8_t *allow, const float *bias,
                                 ptrdiff_t n, ptrdiff_t step)
{
  for (ptrdiff_t j = 0; j < n; j++)
    if (allow ? allow[j * step] != 0 : !bias || bias[j * step] != -INFINITY)
      return 0;
  return 1;
}

/* exp(x) of a score less the largest of its row; 0 where that is no normal
   number, as sums of its products with values would take several times as
   long. */
O2C_INLINE float o2c_att_exp(float x)
{
  const int far = x < -87.0f;
  const o2c_exp_f32 e = o2c_exp_normal(o2c_select_f32(far, -87.0f, x));
  return o2c_select_f32(far, 0.0f, (e.q + 1.0f) * e.s);
}

/* Scores of row i, of keys from `start` on, to exponentials; one over their
   sum comes back. What lies outside of the row's keys becomes 0. */
O2C_INLINE float o2c_att_row(const o2c_attention_f32_t *a, float *s, int64_t i,
                             int64_t start, int64_t count)
{
  const o2c_attention_f32_p *const p = a->p;
  const int64_t first = o2c_att_first(a, i), m = i * p->m_row;
  int64_t end = o2c_att_end(a, i), skip;
  const uint8_t *allow = a->allow ? a->allow + m + first * p->m_col : NULL;
  const float *bias = a->bias ? a->bias + m + first * p->m_col : NULL;
  float max, sum;
  ptrdiff_t n;
  if ((allow || bias) && end > p->mask_keys)
    end = p->mask_keys;
  n = end > first ? (ptrdiff_t)(end - first) : 0;
  skip = n ? first - start : 0;
  for (int64_t j = 0; j < skip; j++)
    s[j] = 0.0f;
  for (int64_t j = skip + n; j < count; j++)
    s[j] = 0.0f;
  s += skip;
  if (allow || p->softcap > 0.0f || (bias && p->m_col != 1))
    max = o2c_att_rules(s, allow, bias, n, p);
  else
    max = o2c_att_scale(s, bias, n, p->scale);
  for (ptrdiff_t j = 0; j < n; j++)
    s[j] = o2c_att_exp(s[j] - max);
  sum = o2c_sum_f32(s, n);
  if (sum > 0.0f || p->zero == 1)
    return 1.0f / sum;
  if (n == 0 || p->zero == 2 || max == -INFINITY ||
      o2c_att_blocked(allow, bias, n, (ptrdiff_t)p->m_col)) {
    memset(s, 0, (size_t)n * sizeof *s);
    return 0.0f;
  }
  return sum;
}

O2C_INLINE o2c_conv_f32_p o2c_att_product(int64_t rows, int64_t cols,
                                          int64_t k, int64_t x_pix,
                                          int64_t y_pix)
{
  static const int32_t tap[] = {0};
  o2c_conv_f32_p q;
  memset(&q, 0, sizeof q);
  q.oh = 1;
  q.ow = (int32_t)rows;
  q.oc = (int32_t)cols;
  q.ntap = 1;
  q.kc = (int32_t)k;
  q.tap = tap;
  q.x_pix = x_pix;
  q.y_pix = y_pix;
  q.lo = -INFINITY;
  q.hi = INFINITY;
  return q;
}

/* y = scores x values, of `count` keys from `start` on. Panels of values hold
   all keys: where some are left out, one panel is taken at a time. */
O2C_INLINE void o2c_att_values(const o2c_attention_f32_t *a, float *y,
                               int64_t rows, int64_t start, int64_t count)
{
  const o2c_attention_f32_p *const p = a->p;
  const int32_t wide = count == p->keys ? p->v : 16;
  for (int32_t d = 0; d < p->v; d += wide) {
    const int32_t cols = p->v - d < wide ? p->v - d : wide;
    const o2c_conv_f32_p q = o2c_att_product(rows, cols, count, p->keys,
                                             p->y_row);
    o2c_conv_f32(a->scores, a->values + (int64_t)d * p->keys + start * 16,
                 NULL, NULL, y + d, &q);
  }
}

/* Rows i to i + rows - 1. */
O2C_NOINLINE void o2c_att_block(const o2c_attention_f32_t *a, const float *q,
                                float *y, int64_t i, int64_t rows)
{
  const o2c_attention_f32_p *const p = a->p;
  float by[O2C_ATTENTION_ROWS];
  int64_t start = o2c_att_first(a, i) / 16 * 16;
  int64_t count = o2c_att_end(a, i + rows - 1) - start;
  if (count < 0)
    count = 0;
  if (count > 0) {
    const o2c_conv_f32_p c = o2c_att_product(rows, count, p->d, p->q_row,
                                             p->keys);
    o2c_conv_f32(q, a->keys + start * p->d, NULL, NULL, a->scores, &c);
  }
  for (int64_t r = 0; r < rows; r++)
    by[r] = o2c_att_row(a, a->scores + r * p->keys, i + r, start, count);
  if (count > 0)
    o2c_att_values(a, y, rows, start, count);
  for (int64_t r = 0; r < rows; r++, y += p->y_row)
    for (int32_t d = 0; d < p->v; d++)
      y[d] = count > 0 ? y[d] * by[r] : 0.0f;
}

/* A head of queries. */
O2C_INLINE void o2c_att_head(const o2c_attention_f32_t *a, const float *q,
                             float *y)
{
  const o2c_attention_f32_p *const p = a->p;
  for (int64_t i = 0; i < p->rows; i += O2C_ATTENTION_ROWS)
    o2c_att_block(a, q + i * p->q_row, y + i * p->y_row, i,
                  p->rows - i < O2C_ATTENTION_ROWS ? p->rows - i
                                                   : O2C_ATTENTION_ROWS);
}

/* Heads [from, to) of those of all images. */
O2C_NOINLINE void o2c_attention_f32_heads(const float *q, const float *k,
                                          const float *v, const uint8_t *allow,
                                          const float *bias,
                                          const int64_t *valid, float *y,
                                          float *room,
                                          const o2c_attention_f32_p *p,
                                          int64_t from, int64_t to)
{
  const int32_t each = p->groups > 0 ? p->heads / p->groups : 0;
  float *const values = room + (int64_t)(p->keys + 15) / 16 * 16 * p->d;
  o2c_attention_f32_t a;
  a.p = p;
  a.keys = room;
  a.values = values;
  a.scores = values + (int64_t)p->keys * ((p->v + 15) / 16 * 16);
  for (int64_t t = from; t < to; t++) {
    const int64_t b = t / p->heads, h = t % p->heads, g = h / each;
    const int64_t m = b * p->m_image + h * p->m_head;
    a.valid = valid && valid[b] < p->keys ? valid[b] : p->keys;
    a.at = valid ? valid[b] - p->rows : p->past;
    a.allow = allow ? allow + m : NULL;
    a.bias = bias ? bias + m : NULL;
    if (h % each == 0 || t == from) {
      o2c_pack_panels_f32(k + b * p->k_image + g * p->k_head, room, p->d,
                          p->keys, p->k_col, p->k_row);
      o2c_pack_panels_f32(v + b * p->v_image + g * p->v_head, values,
                          p->keys, p->v, p->v_row, p->v_col);
    }
    o2c_att_head(&a, q + b * p->q_image + h * p->q_head,
                 y + b * p->y_image + h * p->y_head);
  }
}

O2C_UNUSED static void o2c_attention_f32(
    const float *q, const float *k, const float *v, const uint8_t *allow,
    const float *bias, const int64_t *valid, float *y, float *room,
    const o2c_attention_f32_p *p)
{
  o2c_attention_f32_heads(q, k, v, allow, bias, valid, y, room, p, 0,
                          (int64_t)p->images * p->heads);
}

#endif
