/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_tile.cu: the instruction of kernels/cuda/mma.h, and the tiles that
 * tile.h makes of it, against plain loops, in all types and sizes that matter:
 * less than a tile, several, none. */
#include <cuda_runtime.h>

#include "o2c_cuda.h"
#include "cuda/tile.h"

#include <vector>

static int failures;
static uint64_t seed = 1;

static int draw(int from, int to)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return from + (int)((seed >> 33) % (uint64_t)(to - from + 1));
}

/* a [16, 32], b [32, 8], c [16, 8], dense. */
template <class A, class B>
static __global__ void one_mma(const A *a, const B *b, int *c)
{
  const int g = (int)threadIdx.x / 4, t = (int)threadIdx.x % 4;
  int sum[4];
  unsigned left[4] = {}, right[2] = {};
  for (int i = 0; i < 16; i++)
    left[i / 4] |= (unsigned)(uint8_t)a[(g + i / 4 % 2 * 8) * 32 + 4 * t +
                                        i % 4 + i / 8 * 16] << i % 4 * 8;
  for (int i = 0; i < 8; i++)
    right[i / 4] |= (unsigned)(uint8_t)b[(4 * t + i % 4 + i / 4 * 16) * 8 + g]
                    << i % 4 * 8;
  for (int i = 0; i < 4; i++)
    sum[i] = c[(g + i / 2 * 8) * 8 + 2 * t + i % 2];
  o2c_mma<(A)-1 < (A)0, (B)-1 < (B)0>(sum, left, right);
  for (int i = 0; i < 4; i++)
    c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

struct sizes {
  int m, n, k;
};

template <class V>
O2C_DEVICE o2c_four sixteen(const V *from, int step, int have)
{
  o2c_four v = {};
  for (int i = 0; i < 16 && i < have; i++)
    v.v[i / 4] |= (unsigned)(uint8_t)from[i * step] << i % 4 * 8;
  return v;
}

/* Sums of products, then of rows, then of columns. */
template <class T, class A, class B>
static __global__ void __launch_bounds__(T::THREADS)
product(const A *a, const B *b, int *y, const sizes p)
{
  __shared__ o2c_four room[T::ROOM];
  o2c_tile_sums<T, (A)-1 < (A)0, (B)-1 < (B)0, true, true> sums;
  const int across = (p.n + T::N - 1) / T::N, down = (p.m + T::M - 1) / T::M;
  for (int t = (int)blockIdx.x; t < across * down; t += (int)gridDim.x) {
    const int i0 = t / across * T::M, j0 = t % across * T::N;
    const auto left = [&](int h, int k) {
      const int i = i0 + o2c_left_row<T, false>(h);
      return i < p.m ? sixteen(a + i * p.k + k, 1, p.k - k) : o2c_four{};
    };
    const auto right = [&](int h, int k) {
      const int j = j0 + o2c_right_row<T, true>(h);
      return j < p.n ? sixteen(b + k * p.n + j, p.n, p.k - k) : o2c_four{};
    };
    o2c_tile_multiply<false, true>(sums, room, p.k, left, right);
    const auto begin = [&](int j) { return j0 + j; };
    o2c_tile_each(sums, begin, [&](int i, int j, int column_at, int sum,
                                   int row, int column) {
      const int at = (i0 + i) * p.n + j0 + j;
      if (i0 + i < p.m && column_at < p.n) {
        y[at] = sum;
        y[p.m * p.n + at] = row;
        y[2 * p.m * p.n + at] = column;
      }
    });
  }
}

/* A tile's bytes, each its place modulo 251, to y [m, n]. */
template <class T, int WIDE>
static __global__ void __launch_bounds__(T::THREADS)
copy(uint8_t *y, const sizes p)
{
  __shared__ o2c_four room[T::ROOM];
  uint8_t *const from = (uint8_t *)room;
  for (int e = (int)threadIdx.x; e < T::M * T::N; e += T::THREADS)
    from[e / T::N * T::PITCH + e % T::N] =
      (uint8_t)((e / T::N * p.n + e % T::N) % 251);
  __syncthreads();
  o2c_tile_copy<T, WIDE>(from, y, p.n, p.m, p.n);
}

template <class V> static std::vector<V> bytes(int n)
{
  std::vector<V> v((size_t)n);
  for (V &b : v)
    b = (V)draw(0, 255);
  return v;
}

template <class A, class B>
static std::vector<int> expected(const std::vector<A> &a,
                                 const std::vector<B> &b, const sizes &p)
{
  std::vector<int> y;
  for (int what = 0; what < 3; what++)
    for (int e = 0; e < p.m * p.n; e++) {
      int sum = 0;
      for (int k = 0; k < p.k; k++)
        sum += (what == 2 ? 1 : a[(size_t)(e / p.n * p.k + k)]) *
               (what == 1 ? 1 : b[(size_t)(k * p.n + e % p.n)]);
      y.push_back(sum);
    }
  return y;
}

template <class A, class B> static void test_mma(o2c_cuda *cu)
{
  const sizes p = { 16, 8, 32 };
  std::vector<A> a = bytes<A>(512);
  std::vector<B> b = bytes<B>(256);
  std::vector<int> y(128, 2147483647), z = expected(a, b, p);
  O2C_LAUNCH(cu, (one_mma<A, B>), 1, 32, a.data(), b.data(), y.data());
  for (size_t i = 0; i < 128; i++)
    if (y[i] != (int)((unsigned)z[i] + 2147483647u)) {
      printf("mma: element %d is wrong\n", (int)i);
      failures++;
    }
}

template <class T, class A, class B>
static void test_tile(o2c_cuda *cu, int m, int n, int k)
{
  const sizes p = { m, n, k };
  std::vector<A> a = bytes<A>(m * k);
  std::vector<B> b = bytes<B>(k * n);
  std::vector<int> y((size_t)(m * n * 3));
  O2C_LAUNCH(cu, (product<T, A, B>), 2, T::THREADS, a.data(), b.data(),
             y.data(), p);
  if (y != expected(a, b, p)) {
    printf("tile %d %d: %d x %d x %d is wrong\n", T::M, T::N, m, n, k);
    failures++;
  }
}

template <class T, int WIDE> static void test_copy(o2c_cuda *cu, int m, int n)
{
  const sizes p = { m, n, 0 };
  std::vector<uint8_t> y((size_t)(m * n) + 64);
  uint8_t *const at = (uint8_t *)(((uintptr_t)y.data() + 15) & ~(uintptr_t)15);
  O2C_LAUNCH(cu, (copy<T, WIDE>), 1, T::THREADS, at, p);
  for (int e = 0; e < m * n; e++)
    if (at[e] != e % 251) {
      printf("copy %d %d: %d x %d is wrong\n", T::M, T::N, m, n);
      failures++;
      return;
    }
}

template <class T> static void test_sizes(o2c_cuda *cu)
{
  test_tile<T, uint8_t, int8_t>(cu, T::M, T::N, 16 * T::PARTS);
  test_tile<T, int8_t, uint8_t>(cu, 1, 1, 1);
  test_tile<T, int8_t, int8_t>(cu, T::M + 3, T::N + 1, draw(1, 300));
  test_tile<T, uint8_t, uint8_t>(cu, 5, T::N - 3, draw(1, 300));
  test_tile<T, uint8_t, int8_t>(cu, 7, 9, 0);
  test_copy<T, 1>(cu, T::M, T::N - 1);
  test_copy<T, 4>(cu, T::M - 5, T::N - 4);
  test_copy<T, 16>(cu, 3, T::N);
}

int test_tiles()
{
  o2c_device dev = {};
  o2c_config cfg = {};
  o2c_cuda_setup setup = {};
  o2c_cuda *cu;
  dev.size = sizeof dev;
  dev.arena_size = O2C_CUDA_SCRATCH;
  cfg.size = sizeof cfg;
  cfg.device = &dev;
  setup.cfg = &cfg;
  if (o2c_cuda_open(&cu, &setup, nullptr) != O2C_OK)
    abort();
  test_mma<int8_t, int8_t>(cu);
  test_mma<int8_t, uint8_t>(cu);
  test_mma<uint8_t, int8_t>(cu);
  test_mma<uint8_t, uint8_t>(cu);
  test_sizes<o2c_tile_128x128>(cu);
  test_sizes<o2c_tile_128x64>(cu);
  test_sizes<o2c_tile_128x32>(cu);
  test_sizes<o2c_tile_64x64>(cu);
  test_sizes<o2c_tile_32x32>(cu);
  test_sizes<o2c_tile_16x32>(cu);
  o2c_cuda_close(cu);
  return failures;
}
