/* SPDX-License-Identifier: Apache-2.0 */
/* An interning map with string keys, a fast hash, and SHA-256 (FIPS 180-4).
 *
 * The slots stand in order of insertion, so walking them is deterministic;
 * the head of bucket k is kept in slot k, chains go through `next`. */
#include "ir.h"
#include <string.h>

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
  const unsigned char *s = p;
  uint64_t h = seed ^ 0x9e3779b97f4a7c15u ^ (uint64_t)n;
  for (; n >= 8; s += 8, n -= 8) {
    uint64_t w = 0;
    for (int i = 0; i < 8; i++) w |= (uint64_t)s[i] << (8 * i);
    h = (h ^ w) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
  }
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
    if (s->hash == hash && s->len == len && !memcmp(s->key, key, len))
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

static const uint32_t sha_k[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
  0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
  0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
  0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t ror(uint32_t x, int n)
{
  return x >> n | x << (32 - n);
}

static void sha_block(uint32_t h[8], const unsigned char *p)
{
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
           (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
           (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
  }
  memcpy(v, h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t a = v[0], e = v[4];
    uint32_t t = v[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
                 ((e & v[5]) ^ (~e & v[6])) + sha_k[i] + w[i];
    uint32_t u = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
                 ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t;
    v[0] = t + u;
  }
  for (int i = 0; i < 8; i++) h[i] += v[i];
}

void sha256_hex(const void *p, size_t n, char out[65])
{
  uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const unsigned char *s = p;
  size_t left = n;
  for (; left >= 64; s += 64, left -= 64) sha_block(h, s);
  unsigned char tail[128] = {0};
  if (left) memcpy(tail, s, left);
  tail[left] = 0x80;
  size_t size = left < 56 ? 64 : 128;
  for (int i = 0; i < 8; i++)
    tail[size - 1 - (size_t)i] = (unsigned char)((uint64_t)n * 8 >> (8 * i));
  sha_block(h, tail);
  if (size == 128) sha_block(h, tail + 64);
  for (int i = 0; i < 64; i++)
    out[i] = "0123456789abcdef"[h[i / 8] >> (28 - 4 * (i % 8)) & 15];
  out[64] = 0;
}
