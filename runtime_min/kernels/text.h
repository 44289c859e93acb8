/* SPDX-License-Identifier: 0BSD */
/* StringNormalizer, and the Tokenizer whose tokens are runs of characters.

     static void o2c_size_normal(const o2c_str *x, const o2c_str *stop,
                                 const void *slots, int64_t n, int64_t nstop,
                                 int64_t mask, int64_t longest, int64_t fold,
                                 int64_t mode, int64_t *size);
     static void o2c_normal(const o2c_str *x, const o2c_str *stop,
                            const void *slots, o2c_str *y, void *room,
                            int64_t n, int64_t nstop, int64_t mask,
                            int64_t longest, int64_t fold, int64_t mode);
     static void o2c_size_set_tokens(const o2c_str *x, const void *set,
                                     int64_t n, int64_t least, int64_t mark,
                                     int64_t *size);
     static void o2c_set_tokens(const o2c_str *x, const void *set,
                                const o2c_str *pad, o2c_str *y, int64_t n,
                                int64_t least, int64_t mark, int64_t most);

   Their semantics are those of the reference kernels of the same names. mode,
   fold: 0 as it is, 1 lower case, 2 upper case. slots[mask + 1]: a table with
   open addresses of the stop words, in the case in which they are compared, by
   o2c_hash_bytes; -1: free. `longest`: bytes of the longest of them. set: which
   bytes are a run's, 256 flags, those above 127 all alike; then 16 bytes, where
   bit h of byte l says whether character 16 h + l is.

   Text is mostly ASCII, and short: eight bytes change their case as one word;
   characters of several bytes go one by one. */
#ifndef O2C_TEXT_H
#define O2C_TEXT_H

#include "o2c.h"
#include "ref/hash.h"
#include "ref/unicode.h"
#include "simd.h"

#define O2C_EACH_BYTE UINT64_C(0x0101010101010101)
#define O2C_HIGH_BITS UINT64_C(0x8080808080808080)

/* Eight ASCII characters in another case. */
O2C_INLINE uint64_t o2c_case8(uint64_t w, int mode)
{
  const uint64_t from = mode == 1 ? 'A' : 'a';
  const uint64_t least = w + (0x80 - from) * O2C_EACH_BYTE;
  const uint64_t above = w + (0x7f - (from + 25)) * O2C_EACH_BYTE;
  return mode ? w ^ (((least ^ above) & O2C_HIGH_BITS) >> 2) : w;
}

/* The last n < 8 bytes of a word. */
O2C_INLINE void o2c_put_part(char *to, uint64_t w, size_t n)
{
  if (n >= 4) {
    const uint32_t low = (uint32_t)w, high = (uint32_t)(w >> 8 * (n - 4));
    memcpy(to, &low, 4);
    memcpy(to + n - 4, &high, 4);
  } else if (n) {
    to[0] = (char)(unsigned char)w;
    to[n / 2] = (char)(unsigned char)(w >> 8 * (n / 2));
    to[n - 1] = (char)(unsigned char)(w >> 8 * (n - 1));
  }
}

/* How many of the first bytes are ASCII, up to the word with one that isn't. */
O2C_INLINE size_t o2c_ascii(o2c_str s)
{
  size_t i = 0;
  uint64_t w;
  for (; s.len - i >= 8; i += 8) {
    memcpy(&w, s.p + i, 8);
    if (w & O2C_HIGH_BITS)
      return i;
  }
  return o2c_head8(s.p + i, s.len - i) & O2C_HIGH_BITS ? i : s.len;
}

/* The characters of s in another case, to `to` if that is not NULL. */
O2C_NOINLINE size_t o2c_change_case(o2c_str s, int mode, char *to)
{
  size_t n = 0;
  while (s.len) {
    const size_t ascii = o2c_ascii(s);
    size_t i, used;
    uint64_t w;
    char c[4];
    for (i = 0; to && ascii - i >= 8; i += 8) {
      memcpy(&w, s.p + i, 8);
      w = o2c_case8(w, mode);
      memcpy(to + n + i, &w, 8);
    }
    if (to && i < ascii)
      o2c_put_part(to + n + i, o2c_case8(o2c_head8(s.p + i, ascii - i), mode),
                   ascii - i);
    s.p += ascii;
    s.len -= ascii;
    n += ascii;
    /* Eight bytes or fewer, of which one is not ASCII. */
    for (i = 0; s.len && i < 8; i += used) {
      const uint32_t code = o2c_utf8_get(s.p, s.len, &used);
      n += o2c_utf8_put(to ? to + n : c, o2c_case(code, mode));
      s.p += used;
      s.len -= used;
    }
  }
  return n;
}

/* One character of s in another case, which goes from s. */
O2C_INLINE size_t o2c_fold_one(o2c_str *s, int mode, char *to)
{
  size_t used = 1, n = 1;
  const unsigned char c = (unsigned char)s->p[0];
  if (c < 0x80)
    to[0] = (char)o2c_case8(c, mode);
  else
    n = o2c_utf8_put(to, o2c_case(o2c_utf8_get(s->p, s->len, &used), mode));
  s->p += used;
  s->len -= used;
  return n;
}

O2C_INLINE int o2c_folds_to(o2c_str s, o2c_str w, int mode)
{
  char c[4];
  while (s.len) {
    const size_t n = o2c_fold_one(&s, mode, c);
    if (n > w.len || memcmp(c, w.p, n))
      return 0;
    w.p += n;
    w.len -= n;
  }
  return !w.len;
}

/* Is s a stop word? Most texts are longer than all of them. */
O2C_NOINLINE int o2c_is_stop(o2c_str s, const o2c_str *stop,
                             const int32_t *slot, int64_t mask,
                             int64_t longest, int mode)
{
  uint64_t hash = 0;
  int64_t n = 0, h;
  o2c_str t = s;
  char c[4];
  while (t.len) {
    const size_t one = o2c_fold_one(&t, mode, c);
    n += (int64_t)one;
    if (n > longest)
      return 0;
    hash = o2c_hash_bytes(hash, c, one);
  }
  for (h = (int64_t)((hash ^ hash >> 32) & (uint64_t)mask); slot[h] >= 0;
       h = (h + 1) & mask)
    if (o2c_folds_to(s, stop[slot[h]], mode))
      return 1;
  return 0;
}

O2C_UNUSED static void o2c_size_normal(const o2c_str *x, const o2c_str *stop,
                                       const void *slots, int64_t n,
                                       int64_t nstop, int64_t mask,
                                       int64_t longest, int64_t fold,
                                       int64_t mode, int64_t *size)
{
  const int32_t *slot = (const int32_t *)slots;
  int64_t stay = 0, bytes = 0;
  for (int64_t i = 0; i < n; i++) {
    if (nstop && o2c_is_stop(x[i], stop, slot, mask, longest, (int)fold))
      continue;
    stay++;
    if (mode)
      bytes += (int64_t)(o2c_ascii(x[i]) == x[i].len
                           ? x[i].len
                           : o2c_change_case(x[i], (int)mode, NULL));
  }
  size[0] = stay || !n ? stay : 1;
  size[1] = bytes;
}

O2C_UNUSED static void o2c_normal(const o2c_str *x, const o2c_str *stop,
                                  const void *slots, o2c_str *y, void *room,
                                  int64_t n, int64_t nstop, int64_t mask,
                                  int64_t longest, int64_t fold, int64_t mode)
{
  const int32_t *slot = (const int32_t *)slots;
  char *at = (char *)room;
  int64_t k = 0;
  if (n) {
    y[0].p = "";
    y[0].len = 0;
  }
  for (int64_t i = 0; i < n; i++) {
    if (nstop && o2c_is_stop(x[i], stop, slot, mask, longest, (int)fold))
      continue;
    y[k] = x[i];
    if (mode) {
      y[k].p = at;
      y[k].len = o2c_change_case(x[i], (int)mode, at);
      at += y[k].len;
    }
    k++;
  }
}

/* ---- runs ----------------------------------------------------------------
 */

/* Bit i: is byte i of the first n <= 64 one of a run? */
#if defined(O2C_HAVE_AVX512BW)
O2C_INLINE uint64_t o2c_run_mask(const char *p, size_t n, const uint8_t *set)
{
  const __mmask64 all = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
  const __m512i x = _mm512_maskz_loadu_epi8(all, p);
  const __m512i low = _mm512_broadcast_i32x4(
    _mm_loadu_si128((const __m128i *)(const void *)(set + 256)));
  const __m512i bit = _mm512_set1_epi64(INT64_C(0x8040201008040201));
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(x, 4),
                                        _mm512_set1_epi8(15));
  const __mmask64 m = _mm512_test_epi8_mask(
    _mm512_shuffle_epi8(low, _mm512_and_si512(
      x, _mm512_set1_epi8((char)0x8f))), _mm512_shuffle_epi8(bit, high));
  return (m | (set[128] ? _mm512_movepi8_mask(x) : 0)) & all;
}
#else
#if defined(O2C_HAVE_AVX2)
O2C_INLINE uint64_t o2c_run_mask32(const char *p, const uint8_t *set)
{
  const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)p);
  const __m256i low = _mm256_broadcastsi128_si256(
    _mm_loadu_si128((const __m128i *)(const void *)(set + 256)));
  const __m256i bit = _mm256_set1_epi64x(INT64_C(0x8040201008040201));
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4),
                                        _mm256_set1_epi8(15));
  const __m256i m = _mm256_and_si256(
    _mm256_shuffle_epi8(low, _mm256_and_si256(
      x, _mm256_set1_epi8((char)0x8f))), _mm256_shuffle_epi8(bit, high));
  const __m256i none = _mm256_cmpeq_epi8(m, _mm256_setzero_si256());
  const uint32_t above = set[128] ? (uint32_t)_mm256_movemask_epi8(x) : 0;
  return ~(uint32_t)_mm256_movemask_epi8(none) | above;
}
#endif
O2C_INLINE uint64_t o2c_run_mask(const char *p, size_t n, const uint8_t *set)
{
  uint64_t m = 0;
  size_t i = 0;
#if defined(O2C_HAVE_AVX2)
  for (; i + 32 <= n; i += 32)
    m |= o2c_run_mask32(p + i, set) << i;
#endif
  for (; i < n; i++)
    m |= (uint64_t)set[(unsigned char)p[i]] << i;
  return m;
}
#endif

/* The least bit of b, which is not 0. */
O2C_INLINE size_t o2c_least_bit(uint64_t b)
{
#if defined(__GNUC__)
  return (size_t)__builtin_ctzll(b);
#else
  size_t n = 0;
  for (; !(b & 1); b >>= 1)
    n++;
  return n;
#endif
}

/* A run from `begin` to `end` is token n, if it has `least` characters. */
O2C_INLINE int64_t o2c_put_run(o2c_str s, size_t begin, size_t end,
                               int64_t least, o2c_str *y, int64_t n)
{
  if (least > 1) {
    int64_t chars = 0;
    for (size_t i = begin; i < end; i++)
      chars += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    if (chars < least)
      return n;
  }
  if (y) {
    y[n].p = s.p + begin;
    y[n].len = end - begin;
  }
  return n + 1;
}

/* The runs of s, to y if that is not NULL; how many. Each set bit of `turn` is
   where one begins or ends. */
O2C_INLINE int64_t o2c_runs(o2c_str s, const uint8_t *set, int64_t least,
                            o2c_str *y)
{
  int64_t n = 0;
  size_t begin = 0;
  int open = 0;
  for (size_t at = 0; at < s.len; at += 64) {
    const size_t left = s.len - at;
    const uint64_t m = o2c_run_mask(s.p + at, left < 64 ? left : 64, set);
    uint64_t turn = m ^ (m << 1 | (uint64_t)open);
    for (; turn; turn &= turn - 1) {
      const size_t to = at + o2c_least_bit(turn);
      if (open)
        n = o2c_put_run(s, begin, to, least, y, n);
      begin = to;
      open = !open;
    }
  }
  return open ? o2c_put_run(s, begin, s.len, least, y, n) : n;
}

O2C_UNUSED static void o2c_size_set_tokens(const o2c_str *x, const void *set,
                                           int64_t n, int64_t least,
                                           int64_t mark, int64_t *size)
{
  int64_t most = 0;
  for (int64_t i = 0; i < n; i++) {
    const int64_t k = o2c_runs(x[i], (const uint8_t *)set, least, NULL);
    if (k > most)
      most = k;
  }
  size[0] = most ? most + 2 * mark : 0;
}

O2C_UNUSED static void o2c_set_tokens(const o2c_str *x, const void *set,
                                      const o2c_str *pad, o2c_str *y, int64_t n,
                                      int64_t least, int64_t mark, int64_t most)
{
  for (int64_t i = 0; most && i < n; i++, y += most) {
    int64_t k = o2c_runs(x[i], (const uint8_t *)set, least, y + mark);
    if (mark) {
      y[0].p = "\002";
      y[++k].p = "\003";
      y[0].len = y[k++].len = 1;
    }
    for (; k < most; k++)
      y[k] = *pad;
  }
}
#endif
