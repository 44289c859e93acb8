/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4): what a generated file says about its model.
 *
 * Models reach hundreds of megabytes and the portable loop does some 200 MB a
 * second, so x86 processors with instructions for it use them. */
#include "ir.h"
#include <string.h>
#if defined __x86_64__ && defined __GNUC__
#define SHA_NI 1
#include <cpuid.h>
#include <immintrin.h>
#endif

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

static void block_portable(uint32_t *s, const unsigned char *p)
{
  uint32_t w[64];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
           (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (ror(x, 7) ^ ror(x, 18) ^ x >> 3) +
           (ror(y, 17) ^ ror(y, 19) ^ y >> 10);
  }
  uint32_t a = s[0], b = s[1], c = s[2], d = s[3];
  uint32_t e = s[4], f = s[5], g = s[6], h = s[7];
  for (int i = 0; i < 64; i++) {
    uint32_t t = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
                 ((e & f) ^ (~e & g)) + sha_k[i] + w[i];
    uint32_t u = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
                 ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t;
    d = c, c = b, b = a, a = t + u;
  }
  s[0] += a, s[1] += b, s[2] += c, s[3] += d;
  s[4] += e, s[5] += f, s[6] += g, s[7] += h;
}

#ifdef SHA_NI
static bool has_sha(void)
{
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 9 & c >> 19 & 1)) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

/* The instructions want the state as a b e f and c d g h, high word first. */
__attribute__((target("sha,ssse3,sse4.1")))
static void block_sha(uint32_t *s, const unsigned char *p)
{
  const __m128i swap = _mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607,
                                     0x00010203);
  __m128i abef = _mm_set_epi32((int)s[0], (int)s[1], (int)s[4], (int)s[5]);
  __m128i cdgh = _mm_set_epi32((int)s[2], (int)s[3], (int)s[6], (int)s[7]);
  __m128i x = abef, y = cdgh, w[4];
  for (int i = 0; i < 4; i++)
    w[i] = _mm_shuffle_epi8(
      _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    const void *key = sha_k + 4 * i;
    __m128i *w0 = &w[i & 3], w1 = w[(i + 1) & 3], w2 = w[(i + 2) & 3];
    __m128i w3 = w[(i + 3) & 3];
    __m128i t = _mm_add_epi32(*w0, _mm_loadu_si128(key));
    y = _mm_sha256rnds2_epu32(y, x, t);
    x = _mm_sha256rnds2_epu32(x, y, _mm_shuffle_epi32(t, 0x0e));
    t = _mm_add_epi32(_mm_sha256msg1_epu32(*w0, w1),
                      _mm_alignr_epi8(w3, w2, 4));
    *w0 = _mm_sha256msg2_epu32(t, w3);
  }
  uint32_t v[8];
  _mm_storeu_si128((__m128i *)(void *)v, _mm_add_epi32(x, abef));
  _mm_storeu_si128((__m128i *)(void *)(v + 4), _mm_add_epi32(y, cdgh));
  s[0] = v[3], s[1] = v[2], s[4] = v[1], s[5] = v[0];
  s[2] = v[7], s[3] = v[6], s[6] = v[5], s[7] = v[4];
}
#endif

void sha256_init(Sha256 *x)
{
  static const uint32_t start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memset(x, 0, sizeof *x);
  memcpy(x->h, start, sizeof start);
  x->block = block_portable;
#ifdef SHA_NI
  if (has_sha()) x->block = block_sha;
#endif
}

void sha256_add(Sha256 *x, const void *p, size_t n)
{
  const unsigned char *s = p;
  x->total += n;
  if (x->n) {
    size_t k = sizeof x->part - x->n < n ? sizeof x->part - x->n : n;
    memcpy(x->part + x->n, s, k);
    x->n += k;
    s += k;
    n -= k;
    if (x->n < sizeof x->part) return;
    x->block(x->h, x->part);
    x->n = 0;
  }
  for (; n >= sizeof x->part; s += sizeof x->part, n -= sizeof x->part)
    x->block(x->h, s);
  if (n) memcpy(x->part, s, n);
  x->n = n;
}

void sha256_end(Sha256 *x, char out[65])
{
  unsigned char tail[128] = {0};
  memcpy(tail, x->part, x->n);
  tail[x->n] = 0x80;
  size_t size = x->n < 56 ? 64 : 128;
  for (int i = 0; i < 8; i++)
    tail[size - 1 - (size_t)i] = (unsigned char)(x->total * 8 >> (8 * i));
  x->block(x->h, tail);
  if (size == 128) x->block(x->h, tail + 64);
  for (int i = 0; i < 64; i++)
    out[i] = "0123456789abcdef"[x->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
  out[64] = 0;
}

void sha256_hex(const void *p, size_t n, char out[65])
{
  Sha256 x;
  sha256_init(&x);
  sha256_add(&x, p, n);
  sha256_end(&x, out);
}
