/* SPDX-License-Identifier: 0BSD */
/* Packs weights for conv_u8.h; used by the compiler and by tests, never by
 * generated code. */
#ifndef O2C_PACK_U8_H
#define O2C_PACK_U8_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline size_t o2c_pack_u8_size(int32_t oc, int32_t ntap, int32_t kc)
{
  return ((size_t)oc + 15) / 16 * (size_t)ntap * (((size_t)kc + 3) / 4) * 64;
}

/* w [oc][ntap][kc] to out [ceil(oc/16)][ntap][ceil(kc/4)][16][4]. Group g
 * begins at k = 4g, but the last one no later than kc - 4 (if kc > 4), with
 * zeros in place of what the group before it holds. */
static inline void o2c_pack_u8(int8_t *out, const int8_t *w, int32_t oc,
                               int32_t ntap, int32_t kc)
{
  const int32_t ng = (kc + 3) / 4;
  int32_t o, t, k;
  memset(out, 0, o2c_pack_u8_size(oc, ntap, kc));
  for (o = 0; o < oc; ++o)
    for (t = 0; t < ntap; ++t)
      for (k = 0; k < kc; ++k) {
        const int32_t g = k / 4;
        const int32_t at = g == ng - 1 && kc > 4 ? kc - 4 : 4 * g;
        const size_t to =
            (((size_t)(o / 16) * (size_t)ntap + (size_t)t) * (size_t)ng +
             (size_t)g) *
                64 +
            (size_t)(o % 16) * 4 + (size_t)(k - at);
        out[to] =
            w[((size_t)o * (size_t)ntap + (size_t)t) * (size_t)kc + (size_t)k];
      }
}

#endif /* O2C_PACK_U8_H */
