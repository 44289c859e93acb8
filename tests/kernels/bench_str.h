/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: lookup.h, dict.h, text.h and
 * tfidf_f32.h on 1,000 texts, words or numbers. */
#ifndef O2C_BENCH_STR_H
#define O2C_BENCH_STR_H
#include "../../runtime_min/kernels/dict.h"
#include "../../runtime_min/kernels/lookup.h"
#include "../../runtime_min/kernels/text.h"
#include "../../runtime_min/kernels/tfidf_f32.h"

enum { TEXTS = 1000, WORDS = 50, TEXT_MASK = 127 };

typedef struct {
  o2c_str word[WORDS], text[TEXTS], out[TEXTS * 16];
  char letters[WORDS][12], room[TEXTS * 48];
  int64_t number[WORDS], x[TEXTS], at[WORDS];
  float real[WORDS], xf[TEXTS], row[TEXTS * WORDS];
  int32_t slots[TEXT_MASK + 1], near[WORDS], id[TEXTS * 8];
  int32_t first[WORDS + 2], node[WORDS + 1], none[2];
  uint8_t set[272], seen[WORDS];
  o2c_value map, item[2];
} Texts;

static void fill_slots(Texts *v, int of)
{
  for (int i = 0; i <= TEXT_MASK; i++)
    v->slots[i] = -1;
  for (int i = 0; i < WORDS; i++) {
    const o2c_str s = v->word[i];
    int h = (int)((of == 0 ? o2c_hash_text(s.p, s.len, o2c_head16(s.p, s.len))
                 : of == 1 ? o2c_hash_bits((uint64_t)v->number[i])
                           : o2c_hash_bits(o2c_key_f32(v->real, i))) &
                  TEXT_MASK);
    while (v->slots[h] >= 0)
      h = (h + 1) & TEXT_MASK;
    v->slots[h] = i;
  }
}

static void fill_words(Texts *v)
{
  for (int i = 0; i < WORDS; i++) {
    const int n = 2 + i * 7 % 10;
    for (int k = 0; k < n; k++)
      v->letters[i][k] = (char)('a' + (i * 5 + k * 3) % 26);
    v->word[i].p = v->letters[i];
    v->word[i].len = (size_t)n;
    v->number[i] = i * INT64_C(1000003);
    v->real[i] = (float)i * 0.37f;
    v->near[i] = v->node[i] = i;
    v->at[i] = i;
    v->first[i] = WORDS + 1;
  }
  v->first[0] = 1;
  v->first[WORDS] = v->first[WORDS + 1] = WORDS + 1;
  v->node[WORDS] = WORDS;
}

/* 1,000 lines of 40 letters, and 1,000 of each key. */
static Texts *texts(void)
{
  static Texts v;
  uint32_t seed = 1;
  fill_words(&v);
  for (int i = 0; i < TEXTS; i++) {
    seed = seed * 1664525u + 1013904223u;
    v.x[i] = (int64_t)(seed >> 8) % WORDS;
    v.xf[i] = v.real[v.x[i]];
  }
  for (int c = 'a'; c <= 'z'; c++) {
    v.set[c] = 1;
    v.set[256 + c % 16] |= (uint8_t)(1 << c / 16);
  }
  return &v;
}

static void words_of(Texts *v)
{
  for (int i = 0; i < TEXTS; i++)
    v->text[i] = v->word[v->x[i]];
}

static void lines_of(Texts *v)
{
  static char line[48] = "The quick brown fox jumps over a lazy dog";
  for (int i = 0; i < TEXTS; i++) {
    v->text[i].p = line;
    v->text[i].len = 41;
  }
}

static void report_text(const char *name, Texts *v, void (*run)(void *),
                        double work)
{
  const Job job = {run, v, work, "Gitem/s"};
  if (strstr(name, only))
    report(name, &job);
}

#define STR_BENCH(function, name, work, prepare, call) \
  static void run_##function(void *arg) \
  { Texts *v = (Texts *)arg; call; } \
  static void bench_##function(void) \
  { \
    Texts *v = texts(); \
    prepare; \
    report_text(name, v, run_##function, work); \
  }
STR_BENCH(o2c_lookup_str, "lookup of 50 strings", TEXTS,
          words_of(v); fill_slots(v, 0),
          o2c_lookup_str(v->text, v->word, v->slots, v->id, TEXTS, WORDS,
                         TEXT_MASK, 0))
STR_BENCH(o2c_lookup_i64, "lookup of 50 integers", TEXTS, fill_slots(v, 1),
          o2c_lookup_i64(v->x, v->number, v->slots, v->id, TEXTS, WORDS,
                         TEXT_MASK, 0))
STR_BENCH(o2c_lookup_f32, "lookup of 50 floats", TEXTS, fill_slots(v, 2),
          o2c_lookup_f32(v->xf, v->real, v->slots, v->id, TEXTS, WORDS,
                         TEXT_MASK, 0))
STR_BENCH(o2c_lookup_near_i64, "lookup of near integers", TEXTS, (void)v,
          o2c_lookup_near_i64(v->x, v->near, v->id, TEXTS, 0, WORDS, WORDS, 0))
STR_BENCH(o2c_normal, "lower case of 41 letters", TEXTS, lines_of(v),
          o2c_normal(v->text, v->word, v->slots, v->out, v->room, TEXTS, 0,
                     TEXT_MASK, 0, 1, 1))
STR_BENCH(o2c_set_tokens, "9 tokens of 41 letters", TEXTS, lines_of(v),
          o2c_set_tokens(v->text, v->set, v->word, v->out, TEXTS, 1, 0, 9))

static void make_map(Texts *v)
{
  fill_slots(v, 1);
  memset(&v->map, 0, sizeof v->map);
  memset(v->item, 0, sizeof v->item);
  v->map.kind = O2C_MAP;
  v->map.item = v->item;
  v->map.count = 8;
  for (int i = 0; i < 2; i++) {
    v->item[i].dtype = i ? O2C_F32 : O2C_I64;
    v->item[i].rank = 1;
    v->item[i].dim[0] = 8;
    v->item[i].data = i ? (void *)v->real : (void *)(v->number + 20);
  }
}
STR_BENCH(o2c_dict_u32, "a map of 8 keys among 50", 1, make_map(v),
          o2c_dict_u32(&v->map, v->number, v->slots, v->at, v->row, v->seen,
                       WORDS, TEXT_MASK, O2C_I64, O2C_F32))

static void make_ids(Texts *v)
{
  for (int i = 0; i < TEXTS * 8; i++)
    v->id[i] = (int32_t)v->x[i % TEXTS];
  v->none[0] = v->none[1] = -1;
}
static const int64_t gram_shape[] = { TEXTS, 8, WORDS, 1, 2, 0, WORDS };
STR_BENCH(o2c_tfidf_f32, "8 words of 50 counted", TEXTS, make_ids(v),
          o2c_tfidf_f32(v->id, v->node, v->first, v->node, v->node, v->none,
                        NULL, v->row, 0, 1, gram_shape))
#endif
