/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of strings, keys and maps (lookup.h, dict.h, text.h, tfidf_f32.h)
 * against the reference kernels of the same names, on tables that these fill:
 * strings of all lengths in buffers of their size, so that the address
 * sanitizer sees what is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime_min/kernels/dict.h"
#include "../../runtime_min/kernels/lookup.h"
#include "../../runtime_min/kernels/text.h"
#include "../../runtime_min/kernels/tfidf_f32.h"

#include "../../runtime_min/kernels/ref/type_str.h"
#include "../../runtime_min/kernels/ref/lookup.h"
#include "../../runtime_min/kernels/ref/map.h"
#include "../../runtime_min/kernels/ref/string.h"
#include "../../runtime_min/kernels/ref/token.h"
#include "../../runtime_min/kernels/ref/type_end.h"
#include "../../runtime_min/kernels/ref/type_i64.h"
#include "../../runtime_min/kernels/ref/lookup.h"
#include "../../runtime_min/kernels/ref/type_end.h"
#include "../../runtime_min/kernels/ref/type_f32.h"
#include "../../runtime_min/kernels/ref/lookup.h"
#include "../../runtime_min/kernels/ref/tfidf.h"
#include "../../runtime_min/kernels/ref/type_end.h"
#include "../../runtime_min/kernels/ref/type_u32.h"
#include "../../runtime_min/kernels/ref/map.h"
#include "../../runtime_min/kernels/ref/type_end.h"

enum { N = 200, KEYS = 40, MASK = 127 };

static int failures;
static uint32_t seed = 12345;

static uint32_t rnd(uint32_t n)
{
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % n;
}

static void expect(int ok, const char *what)
{
  if (ok)
    return;
  printf("%s\n", what);
  failures++;
}

/* Few characters, so that strings are alike; some of several bytes, some that
 * are no UTF-8, in a buffer of the string's size. */
static o2c_str draw(size_t most)
{
  static const char *const part[] = {
    "a", "B", "_", " ", "z", "Z", "@", "[", "`", "{", "\n", "7", "\xc3\x84",
    "\xe2\x84\xaa", "\xc8\xba", "\xff", "\xd0\xb6"
  };
  const uint32_t kinds = rnd(3) ? 12 : 17;
  o2c_str s;
  char *p;
  size_t n = 0, len = most ? rnd((uint32_t)most + 1) : 0;
  p = (char *)malloc(len + 4);
  while (p && n < len) {
    const char *c = part[rnd(kinds)];
    memcpy(p + n, c, strlen(c));
    n += strlen(c);
  }
  s.p = (char *)malloc(n ? n : 1);
  if (!p || !s.p)
    exit(2);
  memcpy((char *)(uintptr_t)s.p, p, n);
  s.len = n;
  free(p);
  return s;
}

static o2c_str twin(o2c_str s)
{
  char *p = (char *)malloc(s.len ? s.len : 1);
  if (!p)
    exit(2);
  if (s.len)
    memcpy(p, s.p, s.len);
  s.p = p;
  return s;
}

static void forget(o2c_str *s, int n)
{
  for (int i = 0; i < n; i++)
    free((char *)(uintptr_t)s[i].p);
}

static int same(o2c_str a, o2c_str b)
{
  return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

static void test_o2c_lookup_str(void)
{
  static const size_t sizes[] = { 2, 5, 9, 17, 40 };
  o2c_str key[KEYS], x[N];
  int32_t slots[MASK + 1], a[N], b[N];
  for (int k = 0; k < 5; k++) {
    for (int i = 0; i < KEYS; i++)
      key[i] = draw(sizes[k]);
    for (int i = 0; i < N; i++)
      x[i] = rnd(2) ? twin(key[rnd(KEYS)]) : draw(sizes[k]);
    o2c_ref_lookup_slots_str(key, slots, KEYS, MASK);
    expect(o2c_lookup_str(x, key, slots, a, N, KEYS, MASK, 0) == O2C_OK &&
           o2c_ref_lookup_str(x, key, slots, b, N, KEYS, MASK, 0) == O2C_OK &&
           !memcmp(a, b, sizeof a), "lookup_str");
    for (int i = 0; i < N; i++)
      expect(a[i] == KEYS || same(key[a[i]], x[i]), "lookup_str: a wrong key");
    expect(o2c_lookup_str(x, key, slots, a, N, KEYS, MASK, 1) ==
           o2c_ref_lookup_str(x, key, slots, b, N, KEYS, MASK, 1),
           "lookup_str, strict");
    forget(key, KEYS), forget(x, N);
  }
}

typedef struct { int32_t slots[MASK + 1], a[N], b[N]; } Ids;

static void expect_ids(const Ids *v, o2c_status a, o2c_status b)
{
  expect(a == b && (a != O2C_OK || !memcmp(v->a, v->b, sizeof v->a)),
         "lookup of numbers");
}

#define LOOKUP_ONE(name, strict) expect_ids(&v, \
  o2c_lookup_##name(x, key, v.slots, v.a, N, KEYS, MASK, strict), \
  o2c_ref_lookup_##name(x, key, v.slots, v.b, N, KEYS, MASK, strict))
#define LOOKUP(name, T, value) \
  static void test_o2c_lookup_##name(void) \
  { \
    T key[KEYS], x[N]; Ids v; \
    for (int i = 0; i < KEYS; i++) key[i] = (T)value; \
    for (int i = 0; i < N; i++) x[i] = rnd(2) ? key[rnd(KEYS)] : (T)value; \
    o2c_ref_lookup_slots_##name(key, v.slots, KEYS, MASK); \
    LOOKUP_ONE(name, 0); LOOKUP_ONE(name, 1); \
  }
LOOKUP(i64, int64_t, (INT64_C(-99) + rnd(200)) * (INT64_C(1) << rnd(40)))
LOOKUP(f32, float, (rnd(9) == 0 ? NAN : rnd(9) == 0 ? -0.0f
                                : (float)rnd(100) - 50.0f))

static void test_o2c_lookup_near_i64(void)
{
  int32_t table[50], a[N], b[N];
  int64_t x[N];
  for (int i = 0; i < 50; i++)
    table[i] = (int32_t)rnd(KEYS + 1);
  for (int i = 0; i < N; i++)
    x[i] = rnd(9) ? 5 + (int64_t)rnd(70) : rnd(2) ? INT64_MIN : INT64_MAX;
  for (int strict = 0; strict < 2; strict++)
    expect(o2c_lookup_near_i64(x, table, a, N, 10, 50, KEYS, strict) ==
           o2c_ref_lookup_near_i64(x, table, b, N, 10, 50, KEYS, strict) &&
           (strict || !memcmp(a, b, sizeof a)), "lookup_near");
}

static o2c_value entries(int32_t dtype, int64_t n, void *data)
{
  o2c_value v;
  o2c_tensor_set(&v, dtype, data, 1, &n);
  return v;
}

/* Words that ascend, two of them twice; keys of which some are no words, and
 * now and then one stands there twice. */
static void test_o2c_dict_u32(void)
{
  int64_t word[20], at[20], key[8];
  int32_t slots[64];
  uint32_t value[8], a[20], b[20];
  unsigned char seen[20];
  o2c_value item[2], map;
  for (int i = 0; i < 20; i++) {
    word[i] = (i < 2 ? 0 : i) * 3 - 20;
    at[i] = 19 - i;
  }
  word[11] = word[10];
  o2c_ref_lookup_slots_i64(word, slots, 20, 63);
  for (int round = 0; round < 100; round++) {
    o2c_status want;
    const int64_t n = rnd(9);
    for (int64_t i = 0; i < n; i++) {
      key[i] = (int64_t)rnd(80) - 30;
      value[i] = rnd(1000) + 1;
    }
    item[0] = entries(O2C_I64, n, key);
    item[1] = entries(round % 10 ? O2C_F32 : O2C_F64, n, value);
    memset(&map, 0, sizeof map);
    map.kind = O2C_MAP;
    map.item = item;
    map.count = n;
    want = o2c_ref_dict_u32(&map, word, slots, at, b, seen, 20, 63, O2C_I64,
                            O2C_F32);
    expect(o2c_dict_u32(&map, word, slots, at, a, seen, 20, 63, O2C_I64,
                        O2C_F32) == want, "dict_u32: status");
    expect(want != O2C_OK || !memcmp(a, b, sizeof a), "dict_u32");
  }
}

static int64_t longest(const o2c_str *s, int n)
{
  int64_t most = 0;
  for (int i = 0; i < n; i++)
    if ((int64_t)s[i].len > most)
      most = (int64_t)s[i].len;
  return most;
}

static int by_bytes(const void *a, const void *b)
{
  const o2c_str *x = (const o2c_str *)a, *y = (const o2c_str *)b;
  const size_t n = x->len < y->len ? x->len : y->len;
  const int c = n ? memcmp(x->p, y->p, n) : 0;
  return c ? c : (x->len > y->len) - (x->len < y->len);
}

/* Stop words in the case `fold`, sorted. */
static void stop_words(o2c_str *stop, int n, int fold)
{
  for (int i = 0; i < n; i++) {
    const o2c_str s = draw(6);
    char *to = (char *)malloc(s.len * 2 + 4);
    if (!to)
      exit(2);
    stop[i].len = o2c_ref_change_case_str(s, fold, to);
    stop[i].p = to;
    free((char *)(uintptr_t)s.p);
  }
  qsort(stop, (size_t)n, sizeof *stop, by_bytes);
}

static void normal_check(const o2c_str *x, const o2c_str *stop, int64_t nstop,
                         int fold, int mode)
{
  int32_t slots[MASK + 1];
  int64_t size[2], want[2];
  const int64_t most = longest(stop, (int)nstop);
  o2c_str a[N], b[N];
  char *ra, *rb;
  o2c_ref_stop_slots_str(stop, slots, nstop, MASK);
  o2c_ref_size_normal_str(x, stop, slots, N, nstop, MASK, most, fold, mode,
                          want);
  o2c_size_normal(x, stop, slots, N, nstop, MASK, most, fold, mode, size);
  expect(size[0] == want[0] && size[1] == want[1], "size_normal");
  ra = (char *)malloc((size_t)want[1] + 1);
  rb = (char *)malloc((size_t)want[1] + 1);
  if (!ra || !rb)
    exit(2);
  o2c_ref_normal_str(x, stop, slots, b, rb, N, nstop, MASK, most, fold, mode);
  o2c_normal(x, stop, slots, a, ra, N, nstop, MASK, most, fold, mode);
  for (int64_t i = 0; i < want[0]; i++)
    expect(same(a[i], b[i]), "normal");
  free(ra), free(rb);
}

static void test_o2c_normal(void)
{
  o2c_str x[N], stop[KEYS];
  for (int i = 0; i < N; i++)
    x[i] = draw(i < 100 ? 5 : 90);
  for (int mode = 0; mode < 3; mode++)
    for (int fold = 0; fold < 3; fold++) {
      stop_words(stop, KEYS, fold);
      normal_check(x, stop, KEYS, fold, mode);
      normal_check(x, stop, 0, fold, mode);
      forget(stop, KEYS);
    }
  forget(x, N);
}

/* As o2c_set_tokens wants it. */
static void make_set(uint8_t *set, const char *of, int others)
{
  memset(set, others, 256);
  memset(set + 256, 0, 16);
  for (; *of; of++)
    set[(unsigned char)*of] = !others;
  for (int b = 0; b < 128; b++)
    if (set[b])
      set[256 + b % 16] |= (uint8_t)(1 << b / 16);
}

static void test_o2c_set_tokens(void)
{
  static const char *const sets[] = { "aBz7_", " ", " \n[" };
  static o2c_str a[N * 160], b[N * 160];
  const o2c_str pad = { "#", 1 };
  o2c_str x[N];
  uint8_t set[272];
  for (int i = 0; i < N; i++)
    x[i] = draw(i < 100 ? 20 : 150);
  for (int k = 0; k < 3; k++)
    for (int64_t least = 1; least < 4; least++)
      for (int64_t mark = 0; mark < 2; mark++) {
        int64_t most, want;
        make_set(set, sets[k], k > 0);
        o2c_ref_size_set_tokens_str(x, set, N, least, mark, &want);
        o2c_size_set_tokens(x, set, N, least, mark, &most);
        expect(most == want && most < 160, "size_set_tokens");
        o2c_ref_set_tokens_str(x, set, &pad, b, N, least, mark, want);
        o2c_set_tokens(x, set, &pad, a, N, least, mark, want);
        for (int64_t i = 0; i < N * want; i++)
          expect(same(a[i], b[i]), "set_tokens");
      }
  forget(x, N);
}

/* A tree of words 0 to 4 and none: 0, 2, 4 count alone, some go on to another,
 * 2 3 to a third. Breadth first: root, its children, theirs. */
static void test_o2c_tfidf_f32(void)
{
  static const int32_t word[] = { 0, 0, 2, 3, 4, 1, 3, 4, 0 };
  static const int32_t first[] = { 1, 5, 6, 8, 8, 8, 8, 9, 9, 9 };
  static const int32_t out[] = { -1, 3, 0, -1, 1, 2, 4, 5, 6 };
  static const int32_t root[] = { 1, -1, 2, 3, 4, -1 };
  static const float weight[] = { 0, 2, 3, 4, 5, 6, 7, 8, 9 };
  int32_t slots[16], x[4 * 30];
  float a[4 * 7], b[4 * 7];
  o2c_ref_gram_slots_f32(word, first, slots, 9, 15);
  for (int round = 0; round < 100; round++) {
    const int64_t low = 1 + rnd(3);
    const int64_t shape[] = { 4, 1 + (int64_t)rnd(30), 7, low,
                              low + (int64_t)rnd(3), (int64_t)rnd(3), 5 };
    const float *const w = rnd(2) ? weight : NULL;
    const int64_t once = w ? rnd(2) : 0;
    for (int i = 0; i < 4 * 30; i++)
      x[i] = (int32_t)rnd(6);
    o2c_ref_tfidf_f32(x, word, first, out, root, slots, w, b, once, 15, shape);
    o2c_tfidf_f32(x, word, first, out, root, slots, w, a, once, 15, shape);
    expect(!memcmp(a, b, sizeof a), "tfidf_f32");
  }
}

int main(void)
{
#define TEST_f32(function)
#define TEST_u8(function)
#define TEST_str(function) test_##function();
#define KERNEL(function, type, file, what) TEST_##type(function)
#include "../../runtime_min/kernels/kernels.def"
#undef KERNEL
  printf("%d failures\n", failures);
  return failures != 0;
}
