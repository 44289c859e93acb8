/* SPDX-License-Identifier: Apache-2.0 */
/* amx_shim.h: AMX's tile registers in plain C, by Intel's description of
 * LDTILECFG, TILELOADD, TILESTORED and TDPBUSD, so that kernels for them are
 * tested on machines without. To be included before any kernel:
 * -include amx_shim.h. What hardware would refuse ends the program. */
#ifndef AMX_SHIM_H
#define AMX_SHIM_H
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* as the files that follow may want it */
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define O2C_HAVE_AMX 1
#define O2C_CPU_H
#define O2C_CPU_AMX 1u

static inline uint32_t o2c_cpu(void)
{
  return O2C_CPU_AMX;
}

static struct {
  int on, bytes[8], rows[8];
  uint8_t tile[8][16][64];
} shim;

static inline void shim_want(int ok)
{
  if (!ok)
    abort();
}

static inline void shim_configure(const void *config)
{
  const uint8_t *c = (const uint8_t *)config;
  int i;
  shim_want(c[0] == 1);
  for (i = 0; i < 8; ++i) {
    shim.bytes[i] = c[16 + 2 * i] + 256 * c[17 + 2 * i];
    shim.rows[i] = c[48 + i];
    shim_want(shim.bytes[i] <= 64 && shim.rows[i] <= 16 && shim.bytes[i] > 0 &&
              shim.rows[i] > 0);
  }
  memset(shim.tile, 0, sizeof shim.tile);
  shim.on = 1;
}

static inline void shim_release(void)
{
  shim.on = 0;
}

static inline void shim_zero(int t)
{
  shim_want(shim.on);
  memset(shim.tile[t], 0, sizeof shim.tile[t]);
}

static inline void shim_load(int t, const void *p, int64_t stride)
{
  int i;
  shim_want(shim.on);
  memset(shim.tile[t], 0, sizeof shim.tile[t]);
  for (i = 0; i < shim.rows[t]; ++i)
    memcpy(shim.tile[t][i], (const uint8_t *)p + i * stride,
           (size_t)shim.bytes[t]);
}

static inline void shim_store(int t, void *p, int64_t stride)
{
  int i;
  shim_want(shim.on);
  for (i = 0; i < shim.rows[t]; ++i)
    memcpy((uint8_t *)p + i * stride, shim.tile[t][i], (size_t)shim.bytes[t]);
}

static inline void shim_dot(int c, int a, int b)
{
  int m, n, k, i;
  shim_want(shim.on && shim.rows[c] == shim.rows[a] &&
            shim.bytes[c] == shim.bytes[b] &&
            shim.bytes[a] == 4 * shim.rows[b]);
  for (m = 0; m < shim.rows[c]; ++m)
    for (n = 0; n < shim.bytes[c] / 4; ++n) {
      uint32_t sum;
      memcpy(&sum, &shim.tile[c][m][4 * n], 4);
      for (k = 0; k < shim.rows[b]; ++k)
        for (i = 0; i < 4; ++i)
          sum += (uint32_t)(shim.tile[a][m][4 * k + i] *
                            (int8_t)shim.tile[b][k][4 * n + i]);
      memcpy(&shim.tile[c][m][4 * n], &sum, 4);
    }
}

#define O2C_AMX_CONFIGURE(p) shim_configure(p)
#define O2C_AMX_RELEASE() shim_release()
#define O2C_AMX_ZERO(t) shim_zero(t)
#define O2C_AMX_LOAD(t, p, stride) shim_load(t, p, stride)
#define O2C_AMX_STORE(t, p, stride) shim_store(t, p, stride)
#define O2C_AMX_DOT(c, a, b) shim_dot(c, a, b)
#endif
