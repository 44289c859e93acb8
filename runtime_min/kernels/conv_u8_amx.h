/* SPDX-License-Identifier: 0BSD */
/* The tile of conv_u8.h in AMX's tile registers: 32 pixels by two panels.
 *
 * A tile register holds 16 rows of 64 bytes: of A 16 pixels by the bytes of up
 * to 16 groups, of B the same groups of a panel, just as it is packed, of C 16
 * pixels by 16 sums. kc is cut into equal parts of whole groups, one a tile, so
 * that one configuration does for the whole convolution.
 *
 * Pixels are counted as they lie: a row of output, then (`pitch` > cols) those
 * between it and the next one, which are computed and dropped, as a row of 14
 * fills no tile. The last 16 pixels begin within the tile before, where they
 * are no multiple of 16, and only the new ones are stored. What this does not
 * take (see o2c_u8_amx_plan_make) goes to o2c_u8_tile. The sums are exact, so
 * they are the same.
 *
 * An operating system gives the registers to processes that ask: cpu.h does.
 * Every call configures them and releases them, as they are the thread's. */
#ifndef O2C_CONV_U8_AMX_H
#define O2C_CONV_U8_AMX_H

#ifndef O2C_CPU_ASK_AMX
#define O2C_CPU_ASK_AMX 1
#endif
#include "cpu.h"

/* <model>_init sees to it, where the compiler's flags alone say AMX. */
#define O2C_NEEDS_AMX 1

/* Tests bring their own of these, in plain C. gcc's intrinsics do not tell that
 * they read memory. */
#ifndef O2C_AMX_DOT
#define O2C_AMX_CONFIGURE(p) \
  __asm__ volatile("ldtilecfg %0" : : "m"(*(p)) : "memory")
#define O2C_AMX_RELEASE() __asm__ volatile("tilerelease" : : : "memory")
#define O2C_AMX_ZERO(t) \
  __asm__ volatile("{tilezero %%tmm" #t "|tilezero tmm" #t "}" : :)
#define O2C_AMX_LOAD(t, p, stride)                        \
  __asm__ volatile("{tileloadd (%0,%1,1), %%tmm" #t       \
                   "|tileloadd tmm" #t ", [%0+%1*1]}"     \
                   :                                      \
                   : "r"(p), "r"((int64_t)(stride))       \
                   : "memory")
#define O2C_AMX_STORE(t, p, stride)                       \
  __asm__ volatile("{tilestored %%tmm" #t ", (%0,%1,1)"   \
                   "|tilestored [%0+%1*1], tmm" #t "}"    \
                   :                                      \
                   : "r"(p), "r"((int64_t)(stride))       \
                   : "memory")
/* c += a b: bytes of a without sign, of b with it. */
#define O2C_AMX_DOT(c, a, b)                                              \
  __asm__ volatile("{tdpbusd %%tmm" #b ", %%tmm" #a ", %%tmm" #c          \
                   "|tdpbusd tmm" #c ", tmm" #a ", tmm" #b "}" : :)
#endif

enum { O2C_AMX_ROWS = 16 };

typedef struct {
  uint8_t palette, start, reserved[14];
  uint16_t bytes[16]; /* of a row, by register */
  uint8_t rows[16];
} o2c_amx_config;

typedef struct {
  int64_t n;      /* pixels, those between rows too */
  int64_t cols;   /* of a row of output */
  int64_t pitch;  /* from one to the next */
  int64_t rows;   /* that are done one by one: 1 where they are joined */
  int32_t parts;  /* of kc */
  int32_t bytes;  /* of a part, of one pixel */
} o2c_amx_plan;

/* How kc is cut, in bytes of a part; 0: not by AMX. Parts of less than four
 * groups are no faster than vectors. */
O2C_U8_INLINE int32_t o2c_u8_amx_part(int32_t kc)
{
  const int32_t ng = kc / 4;
  int32_t parts;
  if (kc % 4)
    return 0;
  for (parts = (ng + 15) / 16; parts * 4 <= ng; ++parts)
    if (ng % parts == 0)
      return kc / parts;
  return 0;
}

/* That of a convolution; not for few pixels. */
O2C_U8_INLINE int32_t o2c_u8_amx_bytes_of(const o2c_conv_u8_p *p)
{
  return (int64_t)p->oh * p->ow < O2C_AMX_ROWS ? 0 : o2c_u8_amx_part(p->kc);
}

/* false: left to vectors. */
O2C_U8_INLINE int o2c_u8_amx_plan_make(const o2c_conv_u8_p *p,
                                       const int64_t *size, o2c_amx_plan *a)
{
  const int64_t rows = size[0], cols = size[1];
  const int64_t pitch = rows > 1 && p->x_pix > 0 && p->x_row % p->x_pix == 0
                            ? p->x_row / p->x_pix
                            : 0;
  const int64_t joined = pitch >= cols ? (rows - 1) * pitch + cols : 0;
  const int64_t apart = (cols + 15) / 16 * rows;
  a->bytes = o2c_u8_amx_bytes_of(p);
  if (!a->bytes)
    return 0;
  a->parts = p->kc / a->bytes;
  a->pitch = pitch;
  a->n = joined;
  a->cols = cols;
  a->rows = 1;
  if (joined < 16 || (cols >= 16 && apart <= (joined + 15) / 16)) {
    a->n = a->pitch = cols;
    a->rows = rows;
  }
  return a->n >= 16 && a->n <= 4 * rows * cols;
}

/* The registers for a convolution, and an end to them. */
O2C_U8_INLINE void o2c_u8_amx_open(const o2c_conv_u8_p *p)
{
  const int32_t bytes = o2c_u8_amx_bytes_of(p);
  o2c_amx_config c;
  int i;
  if (!bytes)
    return;
  memset(&c, 0, sizeof c);
  c.palette = 1;
  for (i = 0; i < 8; ++i) {
    c.bytes[i] = (uint16_t)(i == 4 || i == 5 ? bytes : 64);
    c.rows[i] = (uint8_t)(i == 6 || i == 7 ? bytes / 4 : O2C_AMX_ROWS);
  }
  O2C_AMX_CONFIGURE(&c);
}

O2C_U8_INLINE void o2c_u8_amx_close(const o2c_conv_u8_p *p)
{
  if (o2c_u8_amx_bytes_of(p))
    O2C_AMX_RELEASE();
}

/* The sums of 32 (or, !two, 16) pixels by two panels (or one) to `sum`, tile by
 * tile: registers 0 and 1 hold the first 16 pixels, 2 and 3 the others. */
O2C_U8_INLINE void o2c_u8_amx_sums(const o2c_u8_job *j, const o2c_amx_plan *a,
                                   const uint8_t *x, const uint8_t *x2,
                                   const int8_t *w, int32_t *sum,
                                   const int two, const int np)
{
  const int64_t s = j->p->x_pix;
  int32_t t, k;
  O2C_AMX_ZERO(0);
  O2C_AMX_ZERO(1);
  O2C_AMX_ZERO(2);
  O2C_AMX_ZERO(3);
  for (t = 0; t < j->p->ntap; ++t) {
    int64_t at = j->p->tap[t];
    for (k = 0; k < a->parts; ++k, at += a->bytes, w += 16 * a->bytes) {
      O2C_AMX_LOAD(4, x + at, s);
      O2C_AMX_LOAD(6, w, 64);
      O2C_AMX_DOT(0, 4, 6);
      if (two) {
        O2C_AMX_LOAD(5, x2 + at, s);
        O2C_AMX_DOT(2, 5, 6);
      }
      if (np > 1) {
        O2C_AMX_LOAD(7, w + j->panel, 64);
        O2C_AMX_DOT(1, 4, 7);
        if (two)
          O2C_AMX_DOT(3, 5, 7);
      }
    }
  }
  O2C_AMX_STORE(0, sum, 64);
  O2C_AMX_STORE(1, sum + 256, 64);
  if (two) {
    O2C_AMX_STORE(2, sum + 512, 64);
    O2C_AMX_STORE(3, sum + 768, 64);
  }
}

/* Vector v of a pixel's sums, with the bias. */
O2C_U8_INLINE __m512i o2c_u8_amx_vec(const o2c_u8_job *j, const int32_t *sum,
                                     int v)
{
  return o2c_u8_lanes_add(o2c_u8_lanes_load(sum + 256 * v), O2C_U8_FIRST(j, v));
}

/* Two pixels of two panels to bytes at y and z. */
O2C_U8_INLINE void o2c_u8_amx_put2(const o2c_u8_job *j, const int32_t *a,
                                   const int32_t *b, uint8_t *y, uint8_t *z)
{
  const __m512i v =
      o2c_u8_bytes(j, o2c_u8_amx_vec(j, a, 0), o2c_u8_amx_vec(j, a, 1),
                   o2c_u8_amx_vec(j, b, 0), o2c_u8_amx_vec(j, b, 1), 1);
  o2c_u8_store2(j, v, y, z - y);
}

/* The pixels from `first` on, of the 16 that begin at `begin`. */
O2C_U8_INLINE void o2c_u8_amx_out(const o2c_u8_job *j, const o2c_amx_plan *a,
                                  const int32_t *sum, int64_t begin,
                                  int64_t first, void *y, const int np,
                                  const int kind)
{
  const int twos = np == 2 && kind == O2C_U8_TO_U8 && j->fits;
  const int64_t end = begin + O2C_AMX_ROWS;
  int64_t row = first / a->pitch, col = first % a->pitch, v;
  const int32_t *wait = 0; /* a pixel, for the next one to join it */
  void *to = y;
  for (v = first, sum += 16 * (first - begin); v < end; ++v, sum += 16) {
    void *const at =
        o2c_u8_at(y, row * j->p->y_row + col * j->p->y_pix, kind);
    const int valid = col < a->cols;
    if (++col == a->pitch)
      col = 0, ++row;
    if (!valid)
      continue;
    if (!twos) {
      o2c_u8_put(j, o2c_u8_amx_vec(j, sum, 0), 0, at, kind);
      if (np > 1)
        o2c_u8_put(j, o2c_u8_amx_vec(j, sum, 1), 16, at, kind);
    } else if (wait) {
      o2c_u8_amx_put2(j, wait, sum, (uint8_t *)to, (uint8_t *)at);
      wait = 0;
    } else {
      wait = sum;
      to = at;
    }
  }
  if (wait) {
    o2c_u8_put(j, o2c_u8_amx_vec(j, wait, 0), 0, to, kind);
    o2c_u8_put(j, o2c_u8_amx_vec(j, wait, 1), 16, to, kind);
  }
}

/* Where the 16 pixels with the first one not done begin. */
O2C_U8_INLINE int64_t o2c_u8_amx_begin(const o2c_amx_plan *a, int64_t done)
{
  return done + O2C_AMX_ROWS > a->n ? a->n - O2C_AMX_ROWS : done;
}

O2C_U8_INLINE void o2c_u8_amx_run(const o2c_u8_job *j, const o2c_amx_plan *a,
                                  const uint8_t *x, const int8_t *w, void *y,
                                  const int np, const int kind)
{
  int32_t sum[4 * 256] __attribute__((aligned(64)));
  const int64_t s = j->p->x_pix;
  int64_t done = 0;
  while (done < a->n) {
    const int64_t one = o2c_u8_amx_begin(a, done);
    const int64_t next = one + O2C_AMX_ROWS;
    const int64_t other = next < a->n ? o2c_u8_amx_begin(a, next) : one;
    if (next < a->n) {
      o2c_u8_amx_sums(j, a, x + one * s, x + other * s, w, sum, 1, np);
      o2c_u8_amx_out(j, a, sum, one, done, y, np, kind);
      o2c_u8_amx_out(j, a, sum + 512, other, next, y, np, kind);
    } else {
      o2c_u8_amx_sums(j, a, x + one * s, x + one * s, w, sum, 0, np);
      o2c_u8_amx_out(j, a, sum, one, done, y, np, kind);
    }
    done = other + O2C_AMX_ROWS;
  }
}

/* Their frames are the tile's 4 KB: such machines have stacks. */
O2C_U8_NOINLINE void o2c_u8_amx_bytes(const o2c_u8_job *j,
                                      const o2c_amx_plan *a, const uint8_t *x,
                                      const int8_t *w, void *y)
{
  o2c_u8_amx_run(j, a, x, w, y, 2, O2C_U8_TO_U8);
}

O2C_U8_NOINLINE void o2c_u8_amx_any(const o2c_u8_job *j, const o2c_amx_plan *a,
                                    const uint8_t *x, const int8_t *w, void *y,
                                    int np, int kind)
{
  o2c_u8_amx_run(j, a, x, w, y, np, kind);
}

/* What o2c_u8_rows does, as planned. */
O2C_U8_INLINE void o2c_u8_amx_rows(const o2c_u8_job *j, const o2c_amx_plan *a,
                                   const uint8_t *x, const int8_t *w, void *y,
                                   const int np, const int kind)
{
  int64_t i;
  for (i = 0; i < a->rows; ++i) {
    if (np == 2 && kind == O2C_U8_TO_U8)
      o2c_u8_amx_bytes(j, a, x, w, y);
    else
      o2c_u8_amx_any(j, a, x, w, y, np, kind);
    x += j->p->x_row;
    y = o2c_u8_at(y, j->p->y_row, kind);
  }
}

#endif
