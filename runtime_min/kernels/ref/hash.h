/* SPDX-License-Identifier: 0BSD */
/* Hashes of constant keys: strings, integers and the bits of floats. Tables are
   filled when compiling, by reference kernels, and read by tuned ones; so both
   have them from here. A string's hash is made of words of 16 bytes, the last
   filled up with zeros: with the length, such a word tells short strings
   apart, and a masked load gets it without a branch. */
#ifndef O2C_HASH_H
#define O2C_HASH_H

#include "base.h"

#define O2C_HASH_ODD UINT64_C(0x9e3779b97f4a7c15)

/* Bytes of a string, the first in the least byte. */
typedef struct { uint64_t lo, hi; } o2c_word16;

/* The first min(n, 8) bytes, by loads that overlap. */
O2C_UNUSED static uint64_t o2c_head8(const char *p, size_t n)
{
  uint64_t w = 0;
  if (n >= 8) {
    memcpy(&w, p, 8);
  } else if (n >= 4) {
    uint32_t low, high;
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    w = low | (uint64_t)high << 8 * (n - 4);
  } else if (n) {
    w = (unsigned char)p[0] |
        (uint64_t)(unsigned char)p[n / 2] << 8 * (n / 2) |
        (uint64_t)(unsigned char)p[n - 1] << 8 * (n - 1);
  }
  return w;
}

/* The first min(n, 16) bytes. */
O2C_UNUSED static o2c_word16 o2c_head16(const char *p, size_t n)
{
  o2c_word16 w;
  w.lo = o2c_head8(p, n);
  w.hi = n > 8 ? o2c_head8(p + 8, n - 8) : 0;
  return w;
}

O2C_UNUSED static uint64_t o2c_hash_mix(uint64_t h, o2c_word16 w)
{
  h = ((h ^ w.lo) * O2C_HASH_ODD) ^ (w.hi * UINT64_C(0xd6e8feb86659fd93));
  return h ^ h >> 32;
}

/* Of a string whose first 16 bytes are `head`. */
O2C_UNUSED static uint64_t o2c_hash_text(const char *p, size_t n,
                                         o2c_word16 head)
{
  uint64_t h = o2c_hash_mix((uint64_t)n, head);
  while (n > 16) {
    p += 16;
    n -= 16;
    h = o2c_hash_mix(h * O2C_HASH_ODD, o2c_head16(p, n));
  }
  return h;
}

/* Of an integer, or the bits of a float. */
O2C_UNUSED static uint64_t o2c_hash_bits(uint64_t v)
{
  v *= O2C_HASH_ODD;
  return v ^ v >> 32;
}

/* Of bytes one by one, behind those whose hash is h. */
O2C_UNUSED static uint64_t o2c_hash_bytes(uint64_t h, const char *p, size_t n)
{
  size_t i;
  for (i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * O2C_HASH_ODD;
  return h;
}

/* Of the n-gram that goes on from a node of their tree by a word. */
O2C_UNUSED static uint64_t o2c_hash_gram(int32_t node, int32_t word)
{
  return o2c_hash_bits((uint64_t)(uint32_t)node << 32 | (uint32_t)word);
}
#endif
