/* SPDX-License-Identifier: 0BSD */
/* Matrices transposed, of elements of 1, 2, 4 or 8 bytes.

     static void o2c_transpose(const void *x, void *y, int64_t size,
       int64_t rows, int64_t cols, int64_t x_row, int64_t y_row);

   y[c * y_row + r] = x[r * x_row + c]; `size` is an element's bytes, rows of
   both lie x_row and y_row elements apart. x and y do not overlap.

   A line of the cache of each row of x at a time, in square tiles that stay in
   registers. Three rows of floats, the planes of a colour image, have a way of
   their own. */
#ifndef O2C_MOVE_H
#define O2C_MOVE_H

#include "simd.h"

typedef unsigned char o2c_mem;
typedef void o2c_turn_fn(const o2c_mem *x, o2c_mem *y, ptrdiff_t xr,
                      ptrdiff_t yr);

/* A run of n bytes, none where n < 0. Not inlined: where n is a constant, gcc
   would make a string instruction of it, which takes longer to start. */
O2C_NOINLINE void o2c_copy(void *y, const void *x, int64_t n)
{
  if (n > 0)
    memcpy(y, x, (size_t)n);
}

/* Rows [r, r_end) and columns [c, c_end), one by one. */
O2C_INLINE void o2c_transpose_rest(const o2c_mem *x, o2c_mem *y,
                                   ptrdiff_t size, ptrdiff_t r,
                                   ptrdiff_t r_end, ptrdiff_t c,
                                   ptrdiff_t c_end, ptrdiff_t xr, ptrdiff_t yr)
{
  for (; c < c_end; c++)
    for (ptrdiff_t i = r; i < r_end; i++)
      memcpy(y + c * yr + i * size, x + i * xr + c * size, (size_t)size);
}

/* Tiles of side x side; xr and yr are bytes from row to row. */
O2C_INLINE void o2c_transpose_by(const o2c_mem *x, o2c_mem *y,
                                 ptrdiff_t size, ptrdiff_t side,
                                 o2c_turn_fn *tile, ptrdiff_t rows,
                                 ptrdiff_t cols, ptrdiff_t xr, ptrdiff_t yr)
{
  const ptrdiff_t line = 64 / size, whole = rows - rows % side;
  for (ptrdiff_t c = 0; c < cols; c += line) {
    const ptrdiff_t end = cols - c < line ? cols : c + line;
    const ptrdiff_t last = end - (end - c) % side;
    for (ptrdiff_t r = 0; r < whole; r += side) {
      for (ptrdiff_t k = c; k < last; k += side)
        tile(x + r * xr + k * size, y + k * yr + r * size, xr, yr);
      o2c_transpose_rest(x, y, size, r, r + side, last, end, xr, yr);
    }
    o2c_transpose_rest(x, y, size, whole, rows, c, end, xr, yr);
  }
}

#if defined(O2C_AVX512) || defined(O2C_AVX2) || defined(O2C_SSE2)

#define O2C_MOVE_LD64(p) _mm_loadl_epi64((const __m128i *)(const void *)(p))
#define O2C_MOVE_LD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define O2C_MOVE_ST64(p, v) _mm_storel_epi64((__m128i *)(void *)(p), v)
#define O2C_MOVE_ST(p, v) _mm_storeu_si128((__m128i *)(void *)(p), v)

/* Eight rows of eight bytes. */
O2C_INLINE void o2c_turn_1(const o2c_mem *x, o2c_mem *y, ptrdiff_t xr,
                           ptrdiff_t yr)
{
  __m128i a[4], b[4];
  for (int i = 0; i < 4; i++)
    a[i] = _mm_unpacklo_epi8(O2C_MOVE_LD64(x + 2 * i * xr),
                             O2C_MOVE_LD64(x + (2 * i + 1) * xr));
  b[0] = _mm_unpacklo_epi16(a[0], a[1]);
  b[1] = _mm_unpackhi_epi16(a[0], a[1]);
  b[2] = _mm_unpacklo_epi16(a[2], a[3]);
  b[3] = _mm_unpackhi_epi16(a[2], a[3]);
  a[0] = _mm_unpacklo_epi32(b[0], b[2]);
  a[1] = _mm_unpackhi_epi32(b[0], b[2]);
  a[2] = _mm_unpacklo_epi32(b[1], b[3]);
  a[3] = _mm_unpackhi_epi32(b[1], b[3]);
  for (int i = 0; i < 4; i++) {
    O2C_MOVE_ST64(y + 2 * i * yr, a[i]);
    O2C_MOVE_ST64(y + (2 * i + 1) * yr, _mm_unpackhi_epi64(a[i], a[i]));
  }
}

/* Eight rows of eight. */
O2C_INLINE void o2c_turn_2(const o2c_mem *x, o2c_mem *y, ptrdiff_t xr,
                           ptrdiff_t yr)
{
  __m128i a[8], b[8];
  for (int i = 0; i < 4; i++) {
    const __m128i p = O2C_MOVE_LD(x + 2 * i * xr);
    const __m128i q = O2C_MOVE_LD(x + (2 * i + 1) * xr);
    a[i] = _mm_unpacklo_epi16(p, q);
    a[i + 4] = _mm_unpackhi_epi16(p, q);
  }
  for (int i = 0; i < 8; i += 4) {
    b[i] = _mm_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm_unpackhi_epi32(a[i], a[i + 1]);
    b[i + 2] = _mm_unpacklo_epi32(a[i + 2], a[i + 3]);
    b[i + 3] = _mm_unpackhi_epi32(a[i + 2], a[i + 3]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int k = 0; k < 2; k++) {
      O2C_MOVE_ST(y + (i + 2 * k) * yr,
                _mm_unpacklo_epi64(b[i + k], b[i + k + 2]));
      O2C_MOVE_ST(y + (i + 2 * k + 1) * yr,
                _mm_unpackhi_epi64(b[i + k], b[i + k + 2]));
    }
}

O2C_INLINE void o2c_turn_4(const o2c_mem *x, o2c_mem *y, ptrdiff_t xr,
                           ptrdiff_t yr)
{
  const __m128i a = O2C_MOVE_LD(x), b = O2C_MOVE_LD(x + xr);
  const __m128i c = O2C_MOVE_LD(x + 2 * xr), d = O2C_MOVE_LD(x + 3 * xr);
  const __m128i e = _mm_unpacklo_epi32(a, b), f = _mm_unpacklo_epi32(c, d);
  const __m128i g = _mm_unpackhi_epi32(a, b), h = _mm_unpackhi_epi32(c, d);
  O2C_MOVE_ST(y, _mm_unpacklo_epi64(e, f));
  O2C_MOVE_ST(y + yr, _mm_unpackhi_epi64(e, f));
  O2C_MOVE_ST(y + 2 * yr, _mm_unpacklo_epi64(g, h));
  O2C_MOVE_ST(y + 3 * yr, _mm_unpackhi_epi64(g, h));
}

O2C_INLINE void o2c_turn_8(const o2c_mem *x, o2c_mem *y, ptrdiff_t xr,
                           ptrdiff_t yr)
{
  const __m128i a = O2C_MOVE_LD(x), b = O2C_MOVE_LD(x + xr);
  O2C_MOVE_ST(y, _mm_unpacklo_epi64(a, b));
  O2C_MOVE_ST(y + yr, _mm_unpackhi_epi64(a, b));
}

#define O2C_TURN_1 8
#define O2C_TURN_2 8
#define O2C_TURN_4 4
#define O2C_TURN_8 2

#else

/* Four rows of four, as the compiler likes. */
#define O2C_TURN(size) \
  O2C_INLINE void o2c_turn_##size(const o2c_mem *x, o2c_mem *y, \
                                  ptrdiff_t xr, ptrdiff_t yr) \
  { o2c_transpose_rest(x, y, size, 0, 4, 0, 4, xr, yr); }
O2C_TURN(1)
O2C_TURN(2)
O2C_TURN(4)
O2C_TURN(8)
#define O2C_TURN_1 4
#define O2C_TURN_2 4
#define O2C_TURN_4 4
#define O2C_TURN_8 4

#endif

#if defined(O2C_AVX512) || defined(O2C_AVX2) || defined(O2C_SSE2)
/* Pixels of three planes of floats, side by side. A pixel is written together
   with a float that the next one overwrites, so that the last are left. */
O2C_INLINE ptrdiff_t o2c_planes(const o2c_mem *x, o2c_mem *y, ptrdiff_t cols,
                                ptrdiff_t xr)
{
  ptrdiff_t c = 0;
  for (; c + 4 < cols; c += 4) {
    const o2c_mem *from = x + 4 * c;
    o2c_mem *to = y + 12 * c;
    const __m128i p = O2C_MOVE_LD(from), q = O2C_MOVE_LD(from + xr);
    const __m128i r = O2C_MOVE_LD(from + 2 * xr);
    const __m128i e = _mm_unpacklo_epi32(p, q), f = _mm_unpackhi_epi32(p, q);
    const __m128i g = _mm_unpacklo_epi32(r, r), h = _mm_unpackhi_epi32(r, r);
    O2C_MOVE_ST(to, _mm_unpacklo_epi64(e, g));
    O2C_MOVE_ST(to + 12, _mm_unpackhi_epi64(e, g));
    O2C_MOVE_ST(to + 24, _mm_unpacklo_epi64(f, h));
    O2C_MOVE_ST(to + 36, _mm_unpackhi_epi64(f, h));
  }
  return c;
}
#else
O2C_INLINE ptrdiff_t o2c_planes(const o2c_mem *x, o2c_mem *y, ptrdiff_t cols,
                                ptrdiff_t xr)
{
  (void)x, (void)y, (void)cols, (void)xr;
  return 0;
}
#endif

#if defined(O2C_AVX512) || defined(O2C_AVX2)
/* Eight rows of eight floats: pairs of 4 x 4, whose halves are swapped. */
O2C_INLINE void o2c_turn_wide(const o2c_mem *x, o2c_mem *y, ptrdiff_t xr,
                              ptrdiff_t yr)
{
  for (int half = 0; half < 2; half++) {
    __m256i v[4];
    for (int i = 0; i < 4; i++) {
      const o2c_mem *from = x + 16 * half + i * xr;
      v[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(O2C_MOVE_LD(from)),
                                     O2C_MOVE_LD(from + 4 * xr), 1);
    }
    const __m256i e = _mm256_unpacklo_epi32(v[0], v[1]);
    const __m256i f = _mm256_unpacklo_epi32(v[2], v[3]);
    const __m256i g = _mm256_unpackhi_epi32(v[0], v[1]);
    const __m256i h = _mm256_unpackhi_epi32(v[2], v[3]);
    o2c_mem *to = y + 4 * half * yr;
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_unpacklo_epi64(e, f));
    _mm256_storeu_si256((__m256i *)(void *)(to + yr),
                        _mm256_unpackhi_epi64(e, f));
    _mm256_storeu_si256((__m256i *)(void *)(to + 2 * yr),
                        _mm256_unpacklo_epi64(g, h));
    _mm256_storeu_si256((__m256i *)(void *)(to + 3 * yr),
                        _mm256_unpackhi_epi64(g, h));
  }
}
#undef O2C_TURN_4
#define O2C_TURN_4 8
#define o2c_turn_4s o2c_turn_wide
#else
#define o2c_turn_4s o2c_turn_4
#endif

O2C_NOINLINE void o2c_transpose(const void *x, void *y, int64_t size,
                                int64_t rows, int64_t cols, int64_t x_row,
                                int64_t y_row)
{
  const o2c_mem *from = (const o2c_mem *)x;
  o2c_mem *to = (o2c_mem *)y;
  const ptrdiff_t r = (ptrdiff_t)rows, c = (ptrdiff_t)cols;
  const ptrdiff_t xr = (ptrdiff_t)(x_row * size);
  const ptrdiff_t yr = (ptrdiff_t)(y_row * size);
  if (size == 1)
    o2c_transpose_by(from, to, 1, O2C_TURN_1, o2c_turn_1, r, c, xr, yr);
  else if (size == 2)
    o2c_transpose_by(from, to, 2, O2C_TURN_2, o2c_turn_2, r, c, xr, yr);
  else if (size == 4 && r == 3 && yr == 12)
    o2c_transpose_rest(from, to, 4, 0, 3, o2c_planes(from, to, c, xr), c, xr,
                       12);
  else if (size == 4)
    o2c_transpose_by(from, to, 4, O2C_TURN_4, o2c_turn_4s, r, c, xr, yr);
  else
    o2c_transpose_by(from, to, 8, O2C_TURN_8, o2c_turn_8, r, c, xr, yr);
}

#endif
