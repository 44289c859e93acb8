/* SPDX-License-Identifier: Apache-2.0 */
/* An interning map with string keys, and a fast hash.
 *
 * The slots stand in order of insertion, so walking them is deterministic;
 * the head of bucket k is kept in slot k, chains go through `next`. */
#include "ir.h"
#include <string.h>

/* Long inputs are hashed by lanes, whose multiplications overlap. */
#define LANES 4

static uint64_t word(const unsigned char *s)
{
  uint64_t w;
  memcpy(&w, s, sizeof w);
  return w;
}

static uint64_t mix(uint64_t h, uint64_t w)
{
  h = (h ^ w) * 0xff51afd7ed558ccdu;
  return h ^ h >> 32;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
  const unsigned char *s = p;
  uint64_t h = seed ^ 0x9e3779b97f4a7c15u ^ (uint64_t)n;
  if (n >= 4 * LANES * 8) {
    uint64_t lane[LANES];
    for (int i = 0; i < LANES; i++) lane[i] = h + (uint64_t)i;
    for (; n >= LANES * 8; s += LANES * 8, n -= LANES * 8)
      for (int i = 0; i < LANES; i++) lane[i] = mix(lane[i], word(s + 8 * i));
    for (int i = 0; i < LANES; i++) h = mix(h, lane[i]);
  }
  for (; n >= 8; s += 8, n -= 8) h = mix(h, word(s));
  for (; n; s++, n--) h = (h ^ *s) * 0x100000001b3u;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53u;
  return h ^ h >> 29;
}

void map_init(Map *m, Arena *a)
{
  memset(m, 0, sizeof *m);
  m->a = a;
}

static void map_link(Map *m, int i)
{
  int *head = &m->slot[m->slot[i].hash & (uint64_t)(m->cap - 1)].head;
  m->slot[i].next = *head;
  *head = i + 1;
}

static void map_rehash(Map *m)
{
  struct MapSlot *old = m->slot;
  m->cap = m->cap ? m->cap * 2 : 16;
  m->slot = NEW(m->a, struct MapSlot, m->cap);
  for (int i = 0; i < m->n; i++) {
    int head = m->slot[i].head;
    m->slot[i] = old[i];
    m->slot[i].head = head;
    map_link(m, i);
  }
}

static struct MapSlot *map_find(const Map *m, const char *key, size_t len,
                                uint64_t hash)
{
  if (!m->cap) return NULL;
  int i = m->slot[hash & (uint64_t)(m->cap - 1)].head;
  for (; i; i = m->slot[i - 1].next) {
    struct MapSlot *s = &m->slot[i - 1];
    if (s->hash == hash && s->len == len &&
        (!len || !memcmp(s->key, key, len)))
      return s;
  }
  return NULL;
}

void *map_get(const Map *m, const char *key, size_t len)
{
  struct MapSlot *s = map_find(m, key, len, hash_bytes(key, len, 0));
  return s ? s->value : NULL;
}

void **map_at(Map *m, const char *key, size_t len)
{
  uint64_t hash = hash_bytes(key, len, 0);
  struct MapSlot *s = map_find(m, key, len, hash);
  if (s) return &s->value;
  if (m->n == m->cap) map_rehash(m);
  s = &m->slot[m->n++];
  s->key = arena_strn(m->a, key, len);
  s->len = len;
  s->hash = hash;
  map_link(m, m->n - 1);
  return &s->value;
}
