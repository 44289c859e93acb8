/* SPDX-License-Identifier: 0BSD */
/* Scaled dot-product attention as ref/attention.h has it, a warp for each
 * query of each head: its lanes take keys for the scores, which lie in global
 * memory, and columns for the result. Neighbouring warps take neighbouring
 * queries, which read the same keys. */
#ifndef O2C_CUDA_ATTENTION_H
#define O2C_CUDA_ATTENTION_H
#include "block.h"
#include "type.h"

typedef struct {
  int64_t n, h, g, s, t, d, v; /* images, heads, of keys, queries, keys, .. */
  int64_t mask_keys, past;
  int64_t qs[4], ks[4], vs[4]; /* from image to image, head, row, column */
  int64_t ys[3], ms[4];        /* of the mask: image, head, query, key */
  int64_t causal, left, right, mode, wide, zero;
  double scale, softcap;
} o2c_attend_p;

O2C_INLINE float o2c_attend_tanh(float v) { return tanhf(v); }
O2C_INLINE double o2c_attend_tanh(double v) { return tanh(v); }

/* The keys that query i of an image may see; the last one is returned. */
O2C_DEVICE int64_t o2c_attend_keys(
  const o2c_attend_p &p, int64_t i, const int64_t *valid, int64_t *first)
{
  const int64_t at = i + (valid ? *valid - p.s : p.past);
  int64_t last = p.t - 1;
  *first = p.left >= 0 ? at - p.left : 0;
  if (p.causal && at < last)
    last = at;
  if (p.right >= 0 && last - at > p.right)
    last = at + p.right;
  return valid && *valid - 1 < last ? *valid - 1 : last;
}

/* What is added to the score of key j: the mask's row has it; -INFINITY, where
 * it or the key's place hides the key. */
template <class E>
O2C_DEVICE typename E::A o2c_attend_add(
  int64_t j, int open, const uint8_t *allow, const typename E::T *bias,
  const o2c_attend_p &p)
{
  typedef typename E::A A;
  if (!open || ((allow || bias) && j >= p.mask_keys))
    return -(A)INFINITY;
  if (allow)
    return allow[j * p.ms[3]] ? (A)0 : -(A)INFINITY;
  return bias ? E::load(bias[j * p.ms[3]]) : (A)0;
}

/* Scores of a query, every 32nd from `lane` on; *most: the largest. Does the
 * mask leave one of them? */
template <class E>
O2C_DEVICE int o2c_attend_scores(
  const typename E::T *q, const typename E::T *k, const uint8_t *allow,
  const typename E::T *bias, typename E::T *qk, typename E::A *row,
  const o2c_attend_p &p, int64_t first, int64_t last, int lane,
  typename E::A *most)
{
  typedef typename E::A A;
  const o2c_extreme<A, false> larger = { -(A)INFINITY };
  int seen = 0;
  *most = larger.none();
  for (int64_t j = lane; j < p.t; j += 32) {
    const typename E::T *const key = k + j * p.ks[2];
    const A add = o2c_attend_add<E>(j, j >= first && j <= last, allow, bias, p);
    A s = 0;
    for (int64_t d = 0; d < p.d; d++)
      s += E::load(q[d * p.qs[3]]) * E::load(key[d * p.ks[3]]);
    s *= (A)p.scale;
    if (qk && p.mode == 0)
      qk[j] = E::store(s);
    if (p.softcap > 0)
      s = (A)p.softcap * o2c_attend_tanh(s / (A)p.softcap);
    if (qk && p.mode == 1)
      qk[j] = E::store(s);
    seen |= add != -(A)INFINITY;
    row[j] = s + add;
    if (qk && p.mode == 2)
      qk[j] = E::store(row[j]);
    *most = larger.join(*most, row[j]);
  }
  *most = o2c_all<32>(*most, larger);
  return __any_sync(0xffffffffu, seen);
}

/* Scores to probabilities; V: what their exponentials are summed in. */
template <class E, class V>
O2C_DEVICE void o2c_attend_softmax(
  typename E::A *row, typename E::T *qk, const o2c_attend_p &p, int lane,
  typename E::A most, int blocked)
{
  V sum = 0;
  for (int64_t j = lane; j < p.t; j += 32)
    sum += o2c_exp((V)row[j] - (V)most);
  sum = o2c_all<32>(sum, o2c_adds<V>());
  for (int64_t j = lane; j < p.t; j += 32) {
    typename E::A v = (typename E::A)(o2c_exp((V)row[j] - (V)most) / sum);
    if (blocked || (p.zero == 2 && v != v))
      v = 0;
    row[j] = v;
    if (qk && p.mode == 3)
      qk[j] = E::store(v);
  }
}

/* scores: room for all of them. */
template <class E>
static __global__ void o2c_attend(
  const typename E::T *q, const typename E::T *k, const typename E::T *v,
  const uint8_t *allow, const typename E::T *bias, const int64_t *valid,
  typename E::T *y, typename E::T *qk, typename E::A *scores,
  const o2c_attend_p p)
{
  typedef typename E::A A;
  const int lane = (int)threadIdx.x % 32;
  const int64_t rows = p.n * p.h * p.s, warps = o2c_threads() / 32;
  for (int64_t w = o2c_thread() / 32; w < rows; w += warps) {
    const int64_t i = w % p.s, head = w / p.s % p.h, image = w / p.s / p.h;
    const int64_t group = head / (p.h / p.g);
    const int64_t at = image * p.ms[0] + head * p.ms[1] + i * p.ms[2];
    const typename E::T *const value = v + image * p.vs[0] + group * p.vs[1];
    typename E::T *const shown = qk ? qk + w * p.t : qk;
    A *const row = scores + w * p.t;
    A most;
    int64_t first;
    const int64_t last = o2c_attend_keys(p, i, valid ? valid + image : valid,
                                         &first);
    const int seen = o2c_attend_scores<E>(
      q + image * p.qs[0] + head * p.qs[1] + i * p.qs[2],
      k + image * p.ks[0] + group * p.ks[1], allow ? allow + at : allow,
      bias ? bias + at : bias, shown, row, p, first, last, lane, &most);
    const int blocked = p.zero == 0 && (!seen || most == -(A)INFINITY);
    if (p.wide)
      o2c_attend_softmax<E, double>(row, shown, p, lane, most, blocked);
    else
      o2c_attend_softmax<E, A>(row, shown, p, lane, most, blocked);
    __syncwarp();
    for (int64_t c = lane; c < p.v; c += 32) {
      A sum = 0;
      for (int64_t j = 0; j < p.t; j++)
        sum += row[j] * E::load(value[j * p.vs[2] + c * p.vs[3]]);
      y[image * p.ys[0] + head * p.ys[1] + i * p.ys[2] + c] = E::store(sum);
    }
  }
}
#endif
