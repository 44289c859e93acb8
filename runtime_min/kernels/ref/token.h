/* SPDX-License-Identifier: 0BSD */
/* Tokenizer of com.microsoft: strings in pieces by regular expressions, which
 * are tables of states as regex_dfa.c makes them for searching. A rule is eight
 * numbers: where its states begin; its classes, the last of which is the end of
 * the text; four states to start in by the byte before (none, the end of a
 * line, one of a word, another); the first state that says "a match ended
 * before this byte"; where its classes of bytes begin. The leftmost match
 * counts, and the longest there. */
#include "utf8.h"
#if T_IS_STR
#ifndef O2C_TOKEN_RULES
#define O2C_TOKEN_RULES 16 /* at most, one after the other */
#define O2C_TOKEN_RULE 8   /* numbers */
#endif

/* Bytes of the character at `at`, at least one. */
O2C_UNUSED static size_t NAME(token_step)(T s, size_t at) {
  size_t used = 1;
  if (at < s.len) (void)o2c_utf8_get(s.p + at, s.len - at, &used);
  return used ? used : 1;
}

O2C_UNUSED static int64_t NAME(token_chars)(T s) {
  int64_t n = 0;
  size_t i;
  for (i = 0; i < s.len; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
  return n;
}

O2C_UNUSED static T NAME(token_part)(T s, size_t from, size_t to) {
  s.p += from;
  s.len = to - from;
  return s;
}

/* Which of the four kinds the byte before `at` is. */
O2C_UNUSED static int NAME(token_kind)(T s, size_t at) {
  char c;
  if (!at) return 0;
  c = s.p[at - 1];
  if (c == '\n') return 1;
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z') || c == '_' ? 2 : 3;
}

/* The longest match of a rule that begins at `at`: 0, or 1 and its end. */
O2C_UNUSED static int NAME(token_match)(T s, size_t at, const uint8_t *classes,
                                        const uint16_t *next,
                                        const int64_t *rule, size_t *end) {
  const size_t width = (size_t)rule[1];
  size_t state = (size_t)rule[2 + NAME(token_kind)(s, at)];
  int found = 0;
  classes += rule[7];
  next += rule[0];
  for (; state && at <= s.len; at++) {
    const size_t c = at < s.len ? classes[(unsigned char)s.p[at]] : width - 1;
    state = next[state * width + c];
    if (state < (size_t)rule[6]) continue;
    *end = at;
    found = 1;
  }
  return found;
}

/* The leftmost match from *at on; *at becomes where it begins. */
O2C_UNUSED static int NAME(token_find)(T s, size_t *at, const uint8_t *classes,
                                       const uint16_t *next,
                                       const int64_t *rule, size_t *end) {
  for (; *at <= s.len; *at += NAME(token_step)(s, *at))
    if (NAME(token_match)(s, *at, classes, next, rule, end)) return 1;
  return 0;
}

/* What matches the rule, to y if that is not NULL; how many. A match with fewer
 * characters than `least` is passed over by its first one. */
O2C_UNUSED static int64_t NAME(token_matches)(T s, const uint8_t *classes,
                                              const uint16_t *next,
                                              const int64_t *rule,
                                              int64_t least, T *y) {
  size_t at = 0, end = 0;
  int64_t n = 0;
  while (NAME(token_find)(s, &at, classes, next, rule, &end)) {
    const T part = NAME(token_part)(s, at, end);
    if (NAME(token_chars)(part) < least) {
      at += NAME(token_step)(s, at);
      continue;
    }
    if (y) y[n] = part;
    n++;
    at = end;
  }
  return n;
}

/* The piece of s from *at to the next separator, behind which *at goes; 0 where
 * it is the last. */
O2C_UNUSED static int NAME(token_gap)(T s, size_t *at, const uint8_t *classes,
                                      const uint16_t *next,
                                      const int64_t *rule, T *piece) {
  size_t begin = *at, end = 0;
  if (!NAME(token_find)(s, &begin, classes, next, rule, &end)) {
    *piece = NAME(token_part)(s, *at, s.len);
    return 0;
  }
  *piece = NAME(token_part)(s, *at, begin);
  *at = end > begin ? end : begin + NAME(token_step)(s, begin);
  return *at <= s.len;
}

/* The pieces of s between what matches the first rule, those between what
 * matches the second in them, and so on, if they have `least` characters. */
O2C_UNUSED static int64_t NAME(token_pieces)(T s, const uint8_t *classes,
                                             const uint16_t *next,
                                             const int64_t *rules,
                                             int64_t nrule, int64_t least,
                                             T *y) {
  T text[O2C_TOKEN_RULES], piece;
  size_t at[O2C_TOKEN_RULES];
  unsigned char more[O2C_TOKEN_RULES];
  int64_t depth = 0, n = 0;
  text[0] = s;
  at[0] = 0;
  more[0] = 1;
  while (depth >= 0) {
    if (!more[depth]) {
      depth--;
      continue;
    }
    more[depth] = (unsigned char)NAME(token_gap)(
      text[depth], at + depth, classes, next, rules + O2C_TOKEN_RULE * depth,
      &piece);
    if (NAME(token_chars)(piece) < least) continue;
    if (depth + 1 < nrule) {
      depth++;
      text[depth] = piece;
      at[depth] = 0;
      more[depth] = 1;
      continue;
    }
    if (y) y[n] = piece;
    n++;
  }
  return n;
}

/* nrule 0: what matches the one rule; else what separators leave. */
O2C_UNUSED static int64_t NAME(tokens_of)(T s, const uint8_t *classes,
                                          const uint16_t *next,
                                          const int64_t *rules, int64_t nrule,
                                          int64_t least, T *y) {
  return nrule ? NAME(token_pieces)(s, classes, next, rules, nrule, least, y)
               : NAME(token_matches)(s, classes, next, rules, least, y);
}

/* The most tokens of a string, two more with marks; 0 where none has any. */
O2C_UNUSED static void NAME(size_tokens)(const T *x, const void *classes,
                                         const void *next, const void *rules,
                                         int64_t n, int64_t nrule,
                                         int64_t least, int64_t mark,
                                         int64_t *size) {
  int64_t i, most = 0;
  for (i = 0; i < n; i++) {
    const int64_t k = NAME(tokens_of)(
      x[i], (const uint8_t *)classes, (const uint16_t *)next,
      (const int64_t *)rules, nrule, least, NULL);
    if (k > most) most = k;
  }
  size[0] = most ? most + 2 * mark : 0;
}

/* y[n][most]: tokens, then `pad`; with marks, STX (2) and ETX (3) stand before
 * and behind the tokens. */
O2C_UNUSED static void NAME(tokens)(const T *x, const void *classes,
                                    const void *next, const void *rules,
                                    const T *pad, T *y, int64_t n,
                                    int64_t nrule, int64_t least, int64_t mark,
                                    int64_t most) {
  int64_t i, k;
  for (i = 0; most && i < n; i++, y += most) {
    k = NAME(tokens_of)(x[i], (const uint8_t *)classes, (const uint16_t *)next,
                        (const int64_t *)rules, nrule, least, y + mark);
    if (mark) {
      y[0].p = "\002";
      y[++k].p = "\003";
      y[0].len = y[k++].len = 1;
    }
    for (; k < most; k++) y[k] = *pad;
  }
}

/* The runs of bytes that `set` has a flag for, of at least `least` characters,
 * to y if that is not NULL; how many. What most expressions for tokens, and
 * most separators, mean. */
O2C_UNUSED static int64_t NAME(token_runs)(T s, const uint8_t *set,
                                           int64_t least, T *y) {
  int64_t n = 0;
  size_t at = 0, end;
  for (; at < s.len; at = end + 1) {
    for (end = at; end < s.len && set[(unsigned char)s.p[end]];) end++;
    if (end > at && NAME(token_chars)(NAME(token_part)(s, at, end)) >= least) {
      if (y) y[n] = NAME(token_part)(s, at, end);
      n++;
    }
  }
  return n;
}

O2C_UNUSED static void NAME(size_set_tokens)(const T *x, const void *set,
                                             int64_t n, int64_t least,
                                             int64_t mark, int64_t *size) {
  int64_t i, most = 0;
  for (i = 0; i < n; i++) {
    const int64_t k = NAME(token_runs)(x[i], (const uint8_t *)set, least, NULL);
    if (k > most) most = k;
  }
  size[0] = most ? most + 2 * mark : 0;
}

O2C_UNUSED static void NAME(set_tokens)(const T *x, const void *set,
                                        const T *pad, T *y, int64_t n,
                                        int64_t least, int64_t mark,
                                        int64_t most) {
  int64_t i, k;
  for (i = 0; most && i < n; i++, y += most) {
    k = NAME(token_runs)(x[i], (const uint8_t *)set, least, y + mark);
    if (mark) {
      y[0].p = "\002";
      y[++k].p = "\003";
      y[0].len = y[k++].len = 1;
    }
    for (; k < most; k++) y[k] = *pad;
  }
}
#endif
