/* SPDX-License-Identifier: 0BSD */
/* Tiles of products of bytes: a block has M rows of the left side by N columns
 * of the right one, as WM by WN warps, and does the product 64 WK bytes of k at
 * a time, of which each of WK such sets of warps has 64. While one step is
 * multiplied, the loads of the AHEAD next ones are under way.
 *
 * Both sides lie in shared memory by rows of 64 bytes. Which bytes along k an
 * instruction of mma.h takes together does not matter, as long as both sides
 * agree: lane t of four has 16 neighbours, for two instructions. So it reads 16
 * bytes at once. Which 16 bytes of a row stand where depends on the row, so
 * that neither these reads nor writes of a column meet in a bank. */
#ifndef O2C_TILE_H
#define O2C_TILE_H
#include "mma.h"
#include "window.h"

typedef o2c_pack<unsigned, 4> o2c_four; /* 16 bytes along k */

template <int M_, int N_, int WM_, int WN_, int WK_, int AHEAD_>
struct o2c_tile {
  static const int M = M_, N = N_, WM = WM_, WN = WN_, WK = WK_;
  static const int AHEAD = AHEAD_;
  static const int SET = 32 * WM * WN, THREADS = SET * WK;
  static const int MI = M / WM / 16, NI = N / WN / 8; /* of a warp */
  static const int PARTS = 4 * WK;                    /* of 16 bytes */
  static const int LEFT = (M * PARTS + THREADS - 1) / THREADS;
  static const int RIGHT = (N * PARTS + THREADS - 1) / THREADS;
  static const int ROOM = 2 * (M + N) * PARTS;
  static const int PITCH = N + 16;                    /* of bytes to be put */
};

/* From large outputs to small ones. */
typedef o2c_tile<128, 128, 2, 4, 1, 1> o2c_tile_128x128;
typedef o2c_tile<128, 64, 4, 2, 1, 1> o2c_tile_128x64;
typedef o2c_tile<64, 64, 2, 2, 2, 1> o2c_tile_64x64;
typedef o2c_tile<128, 32, 4, 1, 2, 1> o2c_tile_128x32;
typedef o2c_tile<32, 32, 1, 2, 4, 2> o2c_tile_32x32;
typedef o2c_tile<16, 32, 1, 1, 8, 2> o2c_tile_16x32;

/* Tiles of m by n elements. */
template <class T>
O2C_UNUSED static int64_t o2c_tile_count(int64_t m, int64_t n)
{
  return (m + T::M - 1) / T::M * ((n + T::N - 1) / T::N);
}

/* What a thread sums: [mi][ni] as instructions have it, and, if ROWS or
 * COLUMNS, the sums of the left side's rows or of the right one's columns.
 * A, B: these sides are signed. */
template <class Tile, bool A, bool B, bool ROWS, bool COLUMNS>
struct o2c_tile_sums {
  typedef Tile T;
  static const bool LEFT_SIGNED = A, RIGHT_SIGNED = B;
  static const bool HAS_ROWS = ROWS, HAS_COLUMNS = COLUMNS;
  static const int ROW = T::MI * T::NI, COLUMN = ROW + (ROWS ? T::MI : 0);
  static const int COUNT = COLUMN + (COLUMNS ? T::NI : 0);
  int v[COUNT][4];
};

/* Part number h of this thread: its row and which 16 bytes of a step. Threads
 * next to each other have neighbours along k, or (ACROSS) along the rows. */
template <class T, int ROWS, bool ACROSS>
O2C_DEVICE int o2c_tile_row(int h)
{
  const int e = (int)threadIdx.x + h * T::THREADS;
  return ACROSS ? e % ROWS : e / T::PARTS;
}
template <class T, int ROWS, bool ACROSS>
O2C_DEVICE int o2c_tile_part(int h)
{
  const int e = (int)threadIdx.x + h * T::THREADS;
  return ACROSS ? e / ROWS : e % T::PARTS;
}
template <class T, bool ACROSS> O2C_DEVICE int o2c_left_row(int h)
{
  return o2c_tile_row<T, T::M, ACROSS>(h);
}
template <class T, bool ACROSS> O2C_DEVICE int o2c_right_row(int h)
{
  return o2c_tile_row<T, T::N, ACROSS>(h);
}

/* Where in a set's part of a buffer the 16 bytes number `part` of 4 stand. Rows
 * of odd sets change places with their neighbours, as what is written at once
 * may be a row of two sets. */
O2C_DEVICE int o2c_tile_at(int row, int part)
{
  return row * 4 + (part ^ (row >> 1 & 3));
}

template <class T, int ROWS, bool ACROSS, int MANY>
O2C_DEVICE void o2c_tile_keep(o2c_four *buffer, int first,
                              const o2c_four (&from)[MANY])
{
  O2C_UNROLL
  for (int h = 0; h < MANY; h++) {
    const int row = o2c_tile_row<T, ROWS, ACROSS>(h);
    const int part = o2c_tile_part<T, ROWS, ACROSS>(h);
    if (ROWS * T::PARTS % T::THREADS == 0 || (row < ROWS && part < T::PARTS))
      buffer[part / 4 * (T::M + T::N) * 4 +
             o2c_tile_at(first + (row ^ (part / 4 & 1)), part % 4)] = from[h];
  }
}

/* One step, of one buffer. */
template <class S> O2C_DEVICE void o2c_tile_step(S &s, const o2c_four *buffer)
{
  typedef typename S::T T;
  const int me = (int)threadIdx.x, lane = me % 32, warp = me % T::SET / 32;
  const int g = lane / 4 ^ (me / T::SET & 1), t = lane % 4;
  const int i0 = warp / T::WN * (T::M / T::WM) + g;
  const int j0 = T::M + warp % T::WN * (T::N / T::WN) + g;
  const unsigned ones[4] = { 0x01010101u, 0x01010101u, 0x01010101u,
                             0x01010101u };
  const unsigned one[2] = { 0x01010101u, 0x01010101u };
  o2c_four right[T::NI];
  buffer += me / T::SET * (T::M + T::N) * 4;
  O2C_UNROLL
  for (int j = 0; j < T::NI; j++)
    right[j] = buffer[o2c_tile_at(j0 + 8 * j, t)];
  O2C_UNROLL
  for (int i = 0; i < T::MI; i++) {
    const o2c_four top = buffer[o2c_tile_at(i0 + 16 * i, t)];
    const o2c_four low = buffer[o2c_tile_at(i0 + 16 * i + 8, t)];
    O2C_UNROLL
    for (int h = 0; h < 4; h += 2) {
      const unsigned a[4] = { top.v[h], low.v[h], top.v[h + 1], low.v[h + 1] };
      O2C_UNROLL
      for (int j = 0; j < T::NI; j++) {
        const unsigned b[2] = { right[j].v[h], right[j].v[h + 1] };
        o2c_mma<S::LEFT_SIGNED, S::RIGHT_SIGNED>(s.v[i * T::NI + j], a, b);
        if constexpr (S::HAS_COLUMNS)
          if (i == 0)
            o2c_mma<S::LEFT_SIGNED, S::RIGHT_SIGNED>(s.v[S::COLUMN + j], ones,
                                                     b);
      }
      if constexpr (S::HAS_ROWS)
        o2c_mma<S::LEFT_SIGNED, S::RIGHT_SIGNED>(s.v[S::ROW + i], a, one);
    }
  }
}

/* The sums of all sets of warps, in those of the first. */
template <class S> O2C_DEVICE void o2c_tile_join(S &s, int *room)
{
  typedef typename S::T T;
  const int me = (int)threadIdx.x % T::SET, set = (int)threadIdx.x / T::SET;
  static_assert((T::WK - 1) * S::COUNT * 4 * T::SET <= T::ROOM * 4,
                "the sums have room");
  if (set > 0) {
    O2C_UNROLL
    for (int e = 0; e < S::COUNT * 4; e++)
      room[((set - 1) * S::COUNT * 4 + e) * T::SET + me] = s.v[e / 4][e % 4];
  }
  __syncthreads();
  for (int other = 0; set == 0 && other < T::WK - 1; other++) {
    O2C_UNROLL
    for (int e = 0; e < S::COUNT * 4; e++)
      s.v[e / 4][e % 4] = (int)((unsigned)s.v[e / 4][e % 4] +
        (unsigned)room[(other * S::COUNT * 4 + e) * T::SET + me]);
  }
  __syncthreads();
}

template <class T, bool LEFT_ACROSS, bool RIGHT_ACROSS, class I, class L,
          class R>
O2C_DEVICE void o2c_tile_load(o2c_four (&a)[T::LEFT], o2c_four (&b)[T::RIGHT],
                              I k0, const L &left, const R &right)
{
  O2C_UNROLL
  for (int h = 0; h < T::LEFT; h++)
    a[h] = left(h, k0 + 16 * o2c_tile_part<T, T::M, LEFT_ACROSS>(h));
  O2C_UNROLL
  for (int h = 0; h < T::RIGHT; h++)
    b[h] = right(h, k0 + 16 * o2c_tile_part<T, T::N, RIGHT_ACROSS>(h));
}

/* s = left right, over k bytes. left(h, k) is part number h of this thread of
 * the row o2c_left_row<T, LEFT_ACROSS>(h), from byte k on; 0 past the end.
 * `room` is the block's, T::ROOM long, and free afterwards. */
template <bool LEFT_ACROSS, bool RIGHT_ACROSS, class S, class I, class L,
          class R>
O2C_DEVICE void o2c_tile_multiply(S &s, o2c_four *room, I k, const L &left,
                                  const R &right)
{
  typedef typename S::T T;
  const int half = T::ROOM / 2, deep = 16 * T::PARTS;
  int turn = 0;
  o2c_four a[T::AHEAD][T::LEFT], b[T::AHEAD][T::RIGHT];
  O2C_UNROLL
  for (int e = 0; e < S::COUNT * 4; e++)
    s.v[e / 4][e % 4] = 0;
  for (I first = -T::AHEAD * deep; first < k; first += T::AHEAD * deep) {
    O2C_UNROLL
    for (int u = 0; u < T::AHEAD; u++, turn = 1 - turn) {
      const I k0 = first + u * deep, ahead = k0 + T::AHEAD * deep;
      if (ahead < k)
        o2c_tile_load<T, LEFT_ACROSS, RIGHT_ACROSS>(a[u], b[u], ahead, left,
                                                    right);
      if (k0 >= 0 && k0 + (int)threadIdx.x / T::SET * 64 < k)
        o2c_tile_step(s, room + (1 - turn) * half);
      if (k0 + deep >= 0 && k0 + deep < k) {
        o2c_four *const next = room + turn * half;
        o2c_tile_keep<T, T::M, LEFT_ACROSS>(next, 0, a[(u + 1) % T::AHEAD]);
        o2c_tile_keep<T, T::N, RIGHT_ACROSS>(next, T::M,
                                             b[(u + 1) % T::AHEAD]);
      }
      __syncthreads();
    }
  }
  if constexpr (T::WK > 1)
    o2c_tile_join(s, (int *)room);
}

/* begin(column) for each column that this thread has of the tile; then, for
 * each element, put(row, column, what begin gave, sum, sum of the row, sum of
 * the column), where the last two are 0 if there are none. */
template <class S, class B, class F>
O2C_DEVICE void o2c_tile_each(const S &s, const B &begin, const F &put)
{
  typedef typename S::T T;
  const int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32;
  const int i0 = warp / T::WN * (T::M / T::WM) + lane / 4;
  const int j0 = warp % T::WN * (T::N / T::WN) + lane % 4 * 2;
  if (threadIdx.x >= T::SET)
    return;
  O2C_UNROLL
  for (int j = 0; j < T::NI; j++) {
    const auto even = begin(j0 + 8 * j), odd = begin(j0 + 8 * j + 1);
    O2C_UNROLL
    for (int i = 0; i < T::MI; i++)
      O2C_UNROLL
      for (int e = 0; e < 4; e++) {
        int row = 0, column = 0;
        if constexpr (S::HAS_ROWS)
          row = s.v[S::ROW + i][e & 2];
        if constexpr (S::HAS_COLUMNS)
          column = s.v[S::COLUMN + j][e & 1];
        put(i0 + 16 * i + e / 2 * 8, j0 + 8 * j + e % 2, e % 2 ? odd : even,
            s.v[i * T::NI + j][e], row, column);
      }
  }
}

/* Bytes [M, PITCH] of a tile, WIDE at a time, to rows `pitch` apart. */
template <class T, int WIDE, class B>
O2C_DEVICE void o2c_tile_copy(const B *from, B *to, int64_t pitch, int64_t rows,
                              int64_t columns)
{
  typedef o2c_pack<B, WIDE> word;
  const int across = T::N / WIDE;
  for (int e = (int)threadIdx.x; e < T::M * across; e += T::THREADS) {
    const int row = e / across, column = e % across * WIDE;
    if (row < rows && column < columns)
      *(word *)(to + row * pitch + column) =
        *(const word *)(from + row * T::PITCH + column);
  }
}
#endif
