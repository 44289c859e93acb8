/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels that move data, through ref_run, against loops that spell the
 * definition out; random shapes, all carriers; and what they refuse. */
#include <stdint.h>
#include <stdlib.h>
#include "ir.h"
#include "o2c.h"
#include "o2ctest.h"

enum { MOST = 4096 };
static const Dtype carriers[] = {DT_U8, DT_U16, DT_U32, DT_U64, DT_STR,
                                 DT_C128};
static uint32_t seed = 1;

static int64_t draw(int64_t lo, int64_t hi)
{
  seed = seed * 1664525u + 1013904223u;
  return lo + (int64_t)(seed >> 8) % (hi - lo + 1);
}

static size_t size_of(Dtype t) { return (size_t)dtype_info(t)->size; }

/* Element i gets a pattern of its own. */
static void number(unsigned char *p, Dtype t, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    for (size_t k = 0; k < size_of(t); k++)
      p[(size_t)i * size_of(t) + k] = (unsigned char)(i * 7 + (int64_t)k * 13);
}

static void expect(Dtype t, const unsigned char *y, const unsigned char *x,
                   const int64_t *from, int64_t n)
{
  static const unsigned char zero[16];
  for (int64_t i = 0; i < n; i++) {
    const unsigned char *want = from[i] < 0 ? zero
                                            : x + (size_t)from[i] * size_of(t);
    if (!memcmp(y + (size_t)i * size_of(t), want, size_of(t))) continue;
    printf("%s: element %lld\n", dtype_info(t)->name, (long long)i);
    CHECK(0);
    return;
  }
  CHECK(1);
}

static int run(const char *kernel, Dtype t, const RefArgs *a)
{
  int status = 99;
  CHECK(ref_run(kernel, t, a, &status));
  return status;
}

static unsigned char X[MOST * 16], Y[MOST * 16];
static int64_t from[MOST];

/* Position in `dim` of element i of `out`, by a function of each index. */
typedef int64_t (*Index)(int axis, int64_t i);
static int64_t p_start[4], p_step[4], p_begin[4], p_dim[4], p_end[4];
static int p_mode;

static void positions(int rank, const int64_t *dim, const int64_t *out,
                      Index index)
{
  int64_t n = 1;
  for (int j = 0; j < rank; j++) n *= out[j];
  for (int64_t i = 0; i < n; i++) {
    int64_t rest = i, pos = 0, scale = 1;
    for (int j = rank - 1; j >= 0; j--) {
      int64_t k = index(j, rest % out[j]);
      if (k < 0) pos = -1;
      if (pos >= 0) pos += k * scale;
      scale *= dim[j];
      rest /= out[j];
    }
    from[i] = pos;
  }
}

static int64_t slice_index(int a, int64_t i)
{
  return p_start[a] + i * p_step[a];
}

static void test_slice(Dtype t)
{
  int64_t dim[3], out[3], total = 1, s[3], e[3], steps[3];
  for (int j = 0; j < 3; j++) {
    dim[j] = draw(1, 6);
    s[j] = draw(-8, 8);
    e[j] = draw(-8, 8);
    steps[j] = draw(0, 1) ? draw(1, 3) : draw(-3, -1);
    out[j] = 0;
    /* Python's definition, one element at a time. */
    int64_t lo = steps[j] > 0 ? 0 : -1, hi = steps[j] > 0 ? dim[j] : dim[j] - 1;
    int64_t b = s[j] < 0 ? s[j] + dim[j] : s[j];
    int64_t c = e[j] < 0 ? e[j] + dim[j] : e[j];
    b = b < lo ? lo : b > hi ? hi : b;
    c = c < lo ? lo : c > hi ? hi : c;
    p_start[j] = b;
    p_step[j] = steps[j];
    for (; steps[j] > 0 ? b < c : b > c; b += steps[j]) out[j]++;
    total *= out[j];
  }
  number(X, t, dim[0] * dim[1] * dim[2]);
  positions(3, dim, out, slice_index);
  RefArgs a = {.p = {X, s, e, NULL, steps, Y}, .d = {8, 3, 3}, .L = {dim, out}};
  CHECK_INT(run("slice", t, &a), O2C_OK);
  expect(t, Y, X, from, total);
  out[draw(0, 2)] += 1;
  CHECK_INT(run("slice", t, &a), O2C_E_SHAPE);
}

static int64_t pad_index(int a, int64_t i)
{
  int64_t lo = p_begin[a] < 0 ? -p_begin[a] : 0;
  int64_t n = p_dim[a] - lo - (p_end[a] < 0 ? -p_end[a] : 0);
  i -= p_begin[a] + lo;
  if (p_mode == 0) return i < 0 || i >= n ? -1 : i + lo;
  if (p_mode == 2) return (i < 0 ? 0 : i >= n ? n - 1 : i) + lo;
  while (i < 0 || i >= n) {
    if (p_mode == 3) i += i < 0 ? n : -n;
    else if (n == 1) i = 0;
    else i = i < 0 ? -i : 2 * (n - 1) - i;
  }
  return i + lo;
}

static void test_pad(Dtype t, int mode)
{
  int64_t out[2], pads[4];
  p_mode = mode;
  for (int j = 0; j < 2; j++) {
    p_dim[j] = draw(3, 5);
    p_begin[j] = pads[j] = draw(-1, 7);
    p_end[j] = pads[2 + j] = draw(-1, 7);
    out[j] = p_dim[j] + p_begin[j] + p_end[j];
  }
  number(X, t, p_dim[0] * p_dim[1]);
  positions(2, p_dim, out, pad_index);
  RefArgs a = {.p = {X, NULL, Y}, .d = {2, mode}, .L = {p_dim, p_begin, p_end}};
  CHECK_INT(run("pad", t, &a), O2C_OK);
  expect(t, Y, X, from, out[0] * out[1]);
  RefArgs b = {.p = {X, NULL, pads, NULL, Y}, .d = {8, 2, mode, 2},
               .L = {p_dim, out}};
  memset(Y, 1, sizeof Y);
  CHECK_INT(run("pad_data", t, &b), O2C_OK);
  expect(t, Y, X, from, out[0] * out[1]);
  pads[0]++;
  CHECK_INT(run("pad_data", t, &b), O2C_E_SHAPE);
}

static void test_transpose(Dtype t)
{
  int64_t dim[3], out[3], xs[3], ys[3], stride[3];
  int perm[3] = {0, 1, 2};
  for (int j = 0; j < 3; j++) dim[j] = draw(1, 5);
  for (int j = 2; j > 0; j--) {
    int k = (int)draw(0, j), swap = perm[j];
    perm[j] = perm[k];
    perm[k] = swap;
  }
  stride[2] = 1;
  stride[1] = dim[2];
  stride[0] = dim[1] * dim[2];
  for (int j = 0; j < 3; j++) {
    out[j] = dim[perm[j]];
    xs[j] = stride[perm[j]];
  }
  ys[2] = 1;
  ys[1] = out[2];
  ys[0] = out[1] * out[2];
  int64_t n = 0;
  for (int64_t i = 0; i < out[0]; i++)
    for (int64_t j = 0; j < out[1]; j++)
      for (int64_t k = 0; k < out[2]; k++)
        from[n++] = i * xs[0] + j * xs[1] + k * xs[2];
  number(X, t, n);
  RefArgs a = {.p = {X, Y}, .d = {3}, .L = {out, xs, ys}};
  run("strided", t, &a);
  expect(t, Y, X, from, n);
}

static void test_gather(Dtype t)
{
  int32_t small[] = {2, -1, 0};
  int64_t wide[] = {2, -1, 0}, dim[] = {2, 3}, out[] = {1, 3};
  number(X, t, 12);
  RefArgs a = {.p = {X, wide, Y}, .d = {8, 2, 3, 2, 3}};
  int64_t want[] = {4, 5, 4, 5, 0, 1, 10, 11, 10, 11, 6, 7};
  CHECK_INT(run("gather", t, &a), O2C_OK);
  expect(t, Y, X, want, 12);
  a.p[1] = small;
  a.d[0] = 4;
  CHECK_INT(run("gather", t, &a), O2C_OK);
  expect(t, Y, X, want, 12);
  small[1] = 3;
  CHECK_INT(run("gather", t, &a), O2C_E_DATA);
  small[1] = -4;
  CHECK_INT(run("gather", t, &a), O2C_E_DATA);

  RefArgs b = {.p = {X, wide, Y}, .d = {8, 2, 1}, .L = {dim, out}};
  int64_t row[] = {2, 2, 0};
  CHECK_INT(run("gather_elements", t, &b), O2C_OK);
  expect(t, Y, X, row, 3);
  wide[0] = 3;
  CHECK_INT(run("gather_elements", t, &b), O2C_E_DATA);

  int64_t tuples[] = {1, 0, 0, -1};
  int64_t blocks[] = {6, 7, 4, 5};
  RefArgs c = {.p = {X, tuples, Y}, .d = {1, 2, 2, 2}, .L = {dim}};
  CHECK_INT(run("gather_nd", t, &c), O2C_OK);
  expect(t, Y, X, blocks, 4);
  tuples[0] = 2;
  CHECK_INT(run("gather_nd", t, &c), O2C_E_DATA);
}

static int check(const char *kernel, int64_t *v, const int64_t *d,
                 const int64_t *x, const int64_t *y)
{
  RefArgs a = {.p = {v}, .d = {d[0], d[1], d[2]}, .L = {x, y}};
  return run(kernel, DT_I64, &a);
}

static void test_shape_checks(void)
{
  int64_t x[] = {2, 3, 4}, y[] = {2, 12}, zero[] = {0, 3}, wide[] = {1, 3, 1};
  CHECK_INT(check("check_reshape", (int64_t[]){0, -1}, (int64_t[]){2, 0, 3}, x,
                  y), O2C_OK);
  CHECK_INT(check("check_reshape", (int64_t[]){2, 12}, (int64_t[]){2, 0, 3}, x,
                  y), O2C_OK);
  CHECK_INT(check("check_reshape", (int64_t[]){-1, -1}, (int64_t[]){2, 0, 3}, x,
                  y), O2C_E_SHAPE);
  CHECK_INT(check("check_reshape", (int64_t[]){3, -1}, (int64_t[]){2, 0, 3}, x,
                  y), O2C_E_SHAPE);
  CHECK_INT(check("check_reshape", zero, (int64_t[]){2, 1, 2}, zero, zero),
            O2C_OK);
  CHECK_INT(check("check_axes", (int64_t[]){0, -1}, (int64_t[3]){2, 3}, wide,
                  (int64_t[]){3}), O2C_OK);
  CHECK_INT(check("check_axes", (int64_t[]){0, 0}, (int64_t[3]){2, 3}, wide,
                  (int64_t[]){3}), O2C_E_SHAPE);
  CHECK_INT(check("check_axes", (int64_t[]){0, 1}, (int64_t[3]){2, 3}, wide,
                  (int64_t[]){3}), O2C_E_SHAPE);
  CHECK_INT(check("check_axes", (int64_t[]){0, 3}, (int64_t[3]){2, 3}, wide,
                  (int64_t[]){3}), O2C_E_SHAPE);
  CHECK_INT(check("check_expand", (int64_t[]){5, 1, 4}, (int64_t[]){3, 2, 3},
                  (int64_t[]){3, 1}, (int64_t[]){5, 3, 4}), O2C_OK);
  CHECK_INT(check("check_expand", (int64_t[]){5, 2, 4}, (int64_t[]){3, 2, 3},
                  (int64_t[]){3, 1}, (int64_t[]){5, 3, 4}), O2C_E_SHAPE);
  CHECK_INT(check("check_list", x, (int64_t[3]){3}, x, NULL), O2C_OK);
  CHECK_INT(check("check_list", x, (int64_t[3]){2}, y, NULL), O2C_E_SHAPE);
}

static void test_range(void)
{
  float f[] = {1, 2.1f, 0.5f}, yf[3];
  int32_t i[] = {10, 3, -3}, yi[3];
  RefArgs a = {.p = {&f[0], &f[1], &f[2], yf}, .d = {3}};
  CHECK_INT(run("range_data", DT_F32, &a), O2C_OK);
  CHECK(yf[0] == 1 && yf[1] == 1.5f && yf[2] == 2);
  a.d[0] = 2;
  CHECK_INT(run("range_data", DT_F32, &a), O2C_E_SHAPE);
  f[2] = 0;
  CHECK_INT(run("range_data", DT_F32, &a), O2C_E_SHAPE);
  RefArgs b = {.p = {&i[0], &i[1], &i[2], yi}, .d = {3}};
  CHECK_INT(run("range_data", DT_I32, &b), O2C_OK);
  CHECK(yi[0] == 10 && yi[1] == 7 && yi[2] == 4);
  int64_t wide[] = {INT64_MIN, INT64_MAX, INT64_MAX}, yw[3];
  RefArgs c = {.p = {&wide[0], &wide[1], &wide[2], yw}, .d = {3}};
  CHECK_INT(run("range_data", DT_I64, &c), O2C_OK);
  CHECK(yw[1] == -1 && yw[2] == INT64_MAX - 1);
}

static void test_rows(void)
{
  RefArgs a = {.d = {0}};
  int status;
  CHECK(!ref_find("no_such_kernel"));
  CHECK(!ref_run("no_such_kernel", DT_F32, &a, &status));
  CHECK_STR(ref_find("gather_nd")->file, "gather");
  CHECK(ref_find("gather")->status && !ref_find("strided")->status);
  CHECK(!ref_run("strided", DT_F32, &a, &status));
  CHECK(!ref_run("range", DT_STR, &a, &status));
  for (int t = 1; t < DT_COUNT; t++) {
    Dtype c = dtype_carrier((Dtype)t);
    CHECK(size_of(c) == size_of((Dtype)t) && dtype_carrier(c) == c);
  }
}

/* Indices that are larger than the data off the axis, or not in it. */
static void test_elements(void)
{
  static const int64_t d[] = {2, 3};
  int64_t out[] = {3, 2}, index[6] = {0};
  RefArgs a = {.p = {X, index, Y}, .d = {8, 2, 1}, .L = {d, out}};
  CHECK(run("gather_elements", DT_U32, &a) == O2C_E_SHAPE);
  out[0] = 2;
  out[1] = 3;
  CHECK(run("gather_elements", DT_U32, &a) == O2C_OK);
  index[5] = 3;
  CHECK(run("gather_elements", DT_U32, &a) == O2C_E_DATA);
  RefArgs s = {.p = {X, index, X + MOST, Y}, .d = {8, 0, 2, 1}, .L = {d, out}};
  CHECK(run("scatter_elements", DT_U32, &s) == O2C_E_DATA);
  index[5] = -3;
  CHECK(run("scatter_elements", DT_U32, &s) == O2C_OK);
  out[0] = 3;
  out[1] = 2;
  CHECK(run("scatter_elements", DT_U32, &s) == O2C_E_SHAPE);
}

int main(void)
{
  test_rows();
  test_elements();
  for (int c = 0; c < COUNT(carriers); c++) {
    for (int i = 0; i < 50; i++) test_transpose(carriers[c]);
    for (int i = 0; i < 200; i++) test_slice(carriers[c]);
    for (int i = 0; i < 200; i++) test_pad(carriers[c], i % 4);
    test_gather(carriers[c]);
  }
  test_shape_checks();
  test_range();
  return test_end();
}
