/* SPDX-License-Identifier: 0BSD */
/* Strings: StringConcat, StringSplit, StringNormalizer, and the automaton of
 * RegexFullMatch. Kernels size_* find how many characters the strings made
 * have, which stand one after the other in `room`; parts of strings are not
 * copied, but point into those of the input. */
#include "hash.h"
#include "unicode.h"
#if T_IS_STR
/* x and y broadcast to `dim`: strides xs, ys. */
O2C_UNUSED static void NAME(size_concat_text)(const T *x, const T *y,
                                              int64_t rank, const int64_t *dim,
                                              const int64_t *xs,
                                              const int64_t *ys,
                                              int64_t *size) {
  const int64_t n = o2c_numel(rank, dim);
  int64_t i;
  size[0] = 0;
  for (i = 0; i < n; i++)
    size[0] += (int64_t)(x[o2c_offset(i, rank, dim, xs)].len +
                         y[o2c_offset(i, rank, dim, ys)].len);
}

O2C_UNUSED static void NAME(concat_text)(const T *x, const T *y, T *z,
                                         void *room, int64_t rank,
                                         const int64_t *dim, const int64_t *xs,
                                         const int64_t *ys) {
  const int64_t n = o2c_numel(rank, dim);
  char *at = (char *)room;
  int64_t i;
  for (i = 0; i < n; i++) {
    const T a = x[o2c_offset(i, rank, dim, xs)];
    const T b = y[o2c_offset(i, rank, dim, ys)];
    z[i].p = at;
    z[i].len = a.len + b.len;
    if (a.len) memcpy(at, a.p, a.len);
    if (b.len) memcpy(at + a.len, b.p, b.len);
    at += z[i].len;
  }
}

/* Bytes of the white space that s begins with; 0: another character. */
O2C_UNUSED static size_t NAME(space)(T s) {
  size_t used;
  uint32_t c;
  if (!s.len) return 0;
  c = o2c_utf8_get(s.p, s.len, &used);
  if ((c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 ||
      c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
      c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000)
    return used;
  return 0;
}

O2C_UNUSED static T NAME(behind)(T s, size_t n) {
  s.p += n;
  s.len -= n;
  return s;
}

/* Takes one part from *s, whose rest begins behind the delimiter; `last`: all
 * of it. Returns whether there is a rest. White space where by.len is 0. */
O2C_UNUSED static int NAME(split_part)(T *s, T by, int last, T *part) {
  size_t i = 0, gap = 0;
  *part = *s;
  if (last) return 0;
  for (; i < s->len && !gap; i += gap ? 0 : 1) {
    if (!by.len)
      gap = NAME(space)(NAME(behind)(*s, i));
    else if (s->len - i >= by.len && !memcmp(s->p + i, by.p, by.len))
      gap = by.len;
  }
  part->len = i;
  if (!gap) return 0;
  *s = NAME(behind)(*s, i + gap);
  return 1;
}

O2C_UNUSED static T NAME(split_trim)(T s, T by) {
  size_t gap;
  while (!by.len && (gap = NAME(space)(s)) > 0) s = NAME(behind)(s, gap);
  return s;
}

/* The parts of s; to: NULL, or room for them. maxsplit < 0: no limit. */
O2C_UNUSED static int64_t NAME(split_one)(T s, T by, int64_t maxsplit, T *to) {
  int64_t n = 0;
  int more = 1;
  while (more) {
    T part;
    s = NAME(split_trim)(s, by);
    if (!by.len && !s.len) break;
    more = NAME(split_part)(&s, by, n == maxsplit, &part);
    if (to) to[n] = part;
    n++;
  }
  return n;
}

/* The most parts that a string of x has. */
O2C_UNUSED static void NAME(size_split_text)(const T *x, const T *by,
                                             int64_t n, int64_t maxsplit,
                                             int64_t *size) {
  int64_t i, parts;
  size[0] = 0;
  for (i = 0; i < n; i++) {
    parts = NAME(split_one)(x[i], *by, maxsplit, NULL);
    if (parts > size[0]) size[0] = parts;
  }
}

/* y[n][most], empty where there are fewer parts. */
O2C_UNUSED static void NAME(split_text)(const T *x, const T *by, T *y,
                                        void *counts, int64_t n,
                                        int64_t maxsplit, int64_t most) {
  int64_t *z = (int64_t *)counts, i, parts;
  for (i = 0; i < n; i++, y += most) {
    parts = NAME(split_one)(x[i], *by, maxsplit, most ? y : NULL);
    z[i] = parts;
    for (; parts < most; parts++) {
      y[parts].p = "";
      y[parts].len = 0;
    }
  }
}

/* s, its case changed, against the word w: which comes first by its bytes. */
O2C_UNUSED static int NAME(compare_cased)(T s, T w, int mode) {
  while (s.len && w.len) {
    size_t used, size, most;
    char c[4];
    int order;
    const uint32_t code = o2c_utf8_get(s.p, s.len, &used);
    size = o2c_utf8_put(c, o2c_case(code, mode));
    most = size < w.len ? size : w.len;
    order = memcmp(c, w.p, most);
    if (order) return order;
    if (size > most) return 1;
    s = NAME(behind)(s, used);
    w = NAME(behind)(w, size);
  }
  return s.len ? 1 : w.len ? -1 : 0;
}

/* Is s, its case changed by `fold`, one of the sorted stop words? */
O2C_UNUSED static int NAME(is_stop)(T s, const T *stop, int64_t nstop,
                                    int fold) {
  int64_t lo = 0, hi = nstop;
  while (lo < hi) {
    const int64_t mid = (lo + hi) / 2;
    const int order = NAME(compare_cased)(s, stop[mid], fold);
    if (order == 0) return 1;
    if (order > 0)
      lo = mid + 1;
    else
      hi = mid;
  }
  return 0;
}

/* The characters of s in another case, to `to` if that is not NULL. */
O2C_UNUSED static size_t NAME(change_case)(T s, int mode, char *to) {
  size_t n = 0;
  while (s.len) {
    size_t used;
    char c[4];
    const uint32_t code = o2c_utf8_get(s.p, s.len, &used);
    n += o2c_utf8_put(to ? to + n : c, o2c_case(code, mode));
    s = NAME(behind)(s, used);
  }
  return n;
}

/* Fills slot[mask + 1], the table of stop words that text.h reads. */
O2C_UNUSED static void NAME(stop_slots)(const T *stop, void *slots, int64_t n,
                                        int64_t mask) {
  int32_t *slot = (int32_t *)slots;
  int64_t i;
  for (i = 0; i <= mask; i++) slot[i] = -1;
  for (i = 0; i < n; i++) {
    const uint64_t v = o2c_hash_bytes(0, stop[i].p, stop[i].len);
    int64_t h = (int64_t)((v ^ v >> 32) & (uint64_t)mask);
    while (slot[h] >= 0) h = (h + 1) & mask;
    slot[h] = (int32_t)i;
  }
}

/* size: strings that stay, but 1 where all were dropped, which are none of no
 * elements; their characters. */
O2C_UNUSED static void NAME(size_normal)(const T *x, const T *stop,
                                         const void *slots, int64_t n,
                                         int64_t nstop, int64_t mask,
                                         int64_t longest, int64_t fold,
                                         int64_t mode, int64_t *size) {
  int64_t i;
  (void)slots;
  (void)mask;
  (void)longest;
  size[0] = size[1] = 0;
  for (i = 0; i < n; i++) {
    if (NAME(is_stop)(x[i], stop, nstop, (int)fold)) continue;
    size[0]++;
    if (mode) size[1] += (int64_t)NAME(change_case)(x[i], (int)mode, NULL);
  }
  if (!size[0] && n) size[0] = 1;
}

O2C_UNUSED static void NAME(normal)(const T *x, const T *stop,
                                    const void *slots, T *y, void *room,
                                    int64_t n, int64_t nstop, int64_t mask,
                                    int64_t longest, int64_t fold,
                                    int64_t mode) {
  char *at = (char *)room;
  int64_t i, k = 0;
  (void)slots;
  (void)mask;
  (void)longest;
  if (n) {
    y[0].p = "";
    y[0].len = 0;
  }
  for (i = 0; i < n; i++) {
    if (NAME(is_stop)(x[i], stop, nstop, (int)fold)) continue;
    y[k] = x[i];
    if (mode) {
      y[k].p = at;
      y[k].len = NAME(change_case)(x[i], (int)mode, at);
      at += y[k].len;
    }
    k++;
  }
}

/* Does the automaton end in a state from `accept` on? Class of a byte, then
 * next[state][classes]; nothing leads out of state 0. */
O2C_UNUSED static void NAME(full_match)(const T *x, const void *byte_class,
                                        const void *next, void *y, int64_t n,
                                        int64_t classes, int64_t start,
                                        int64_t accept) {
  const uint8_t *cls = (const uint8_t *)byte_class;
  const uint16_t *to = (const uint16_t *)next;
  uint8_t *match = (uint8_t *)y;
  int64_t i;
  for (i = 0; i < n; i++) {
    size_t k, at = (size_t)start;
    for (k = 0; k < x[i].len && at; k++)
      at = to[at * (size_t)classes + cls[(unsigned char)x[i].p[k]]];
    match[i] = (int64_t)at >= accept;
  }
}
#endif
