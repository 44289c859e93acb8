/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison of verify: what passes, what does not, and what it says. */
#include "host.h"
#include <math.h>
#include "irbuild.h"

static Arena arena;

static Tensor floats(const float *p, int64_t n)
{
  return (Tensor){.dtype = DT_F32, .rank = 1, .dim = {n}, .n = n, .data = p};
}

static Diff compare(const Rule *r, const float *g, const float *w, int64_t n)
{
  Tensor got = floats(g, n), want = floats(w, n);
  return tensor_compare(&arena, r, &got, &want);
}

static void test_floats(void)
{
  const Rule r = {1e-3, 1e-7, 0, "test", false, false, 0};
  const Rule share = {0, 0, 1e-2, "test", false, false, 0};
  const float w[4] = {1, -100, 0, 5};
  const float near[4] = {1.0009f, -100.09f, 0, 5};
  const float far[4] = {1.0011f, -100, 0, 5.1f};
  const float tiny[4] = {1, -100, 0.9f, 5};
  CHECK(compare(&r, w, w, 4).ok);
  CHECK(compare(&r, near, w, 4).ok);
  Diff d = compare(&r, far, w, 4);
  CHECK(!d.ok);
  CHECK_INT(d.bad, 2);
  CHECK_INT(d.at, 0);
  CHECK(fabs(d.max_abs - 0.1) < 1e-6);
  CHECK(strstr(d.why, "2 of 4 wrong, first at 0: got 1.001") != NULL);
  CHECK(!compare(&r, tiny, w, 4).ok);
  CHECK(compare(&share, tiny, w, 4).ok);
}

static void test_specials(void)
{
  const Rule r = {1e-3, 1e-7, 0, "test", false, false, 0};
  const Rule wide = {1, 1e30, 0, "test", false, false, 0};
  const float w[3] = {NAN, INFINITY, -INFINITY};
  const float one[1] = {1}, nan[1] = {NAN}, inf[1] = {INFINITY};
  const float minus[1] = {-INFINITY};
  CHECK(compare(&r, w, w, 3).ok);
  CHECK(!compare(&wide, nan, one, 1).ok);
  CHECK(!compare(&wide, one, nan, 1).ok);
  CHECK(!compare(&wide, inf, one, 1).ok);
  CHECK(!compare(&wide, one, inf, 1).ok);
  CHECK(!compare(&wide, minus, inf, 1).ok);
  CHECK(compare(&r, one, one, 0).ok);
}

static void test_ulps(void)
{
  const Rule r = {1, 1, 0, "test", false, false, 0};
  float w[2] = {1, -0.0f}, g[2] = {nextafterf(1, 2), 0};
  CHECK(compare(&r, g, w, 2).max_ulp == 1);
  g[1] = nextafterf(0, 1);
  w[1] = nextafterf(0, -1);
  CHECK(compare(&r, g, w, 2).max_ulp == 2);
}

static void test_exact(void)
{
  const Rule r = {1, 1000, 0, "test", false, false, 0};
  const int64_t a[2] = {1, 2}, b[2] = {1, 3};
  const Str s[1] = {{"ab", 2}}, t[1] = {{"ac", 2}};
  Tensor x = {.dtype = DT_I64, .rank = 1, .dim = {2}, .n = 2, .data = a};
  Tensor y = x;
  y.data = b;
  CHECK(tensor_compare(&arena, &r, &x, &x).ok);
  Diff d = tensor_compare(&arena, &r, &x, &y);
  CHECK(!d.ok);
  CHECK_INT(d.at, 1);
  Tensor u = {.dtype = DT_STR, .rank = 0, .n = 1, .data = s}, v = u;
  v.data = t;
  CHECK(tensor_compare(&arena, &r, &u, &u).ok);
  CHECK(!tensor_compare(&arena, &r, &u, &v).ok);
}

static void test_shapes(void)
{
  const Rule r = {1, 1000, 0, "test", false, false, 0};
  const float w[4] = {1, 2, 3, 4};
  Tensor a = floats(w, 4), b = floats(w, 4);
  b.rank = 2;
  b.dim[0] = b.dim[1] = 2;
  Diff d = tensor_compare(&arena, &r, &a, &b);
  CHECK(!d.ok);
  CHECK_STR(d.why, "got float[4], want float[2,2]");
  b = a;
  b.dtype = DT_I32;
  CHECK(!tensor_compare(&arena, &r, &a, &b).ok);
  d = tensor_compare(&arena, &r, NULL, &a);
  CHECK_STR(d.why, "got nothing, want float[4]");
}

/* Kinds and counts are exact, tensors follow the rule. */
static void test_items(void)
{
  const Rule r = {1e-3, 0, 0, "test", false, false, 0};
  const float w[2] = {1, 2}, near[2] = {1.0001f, 2}, far[2] = {1, 3};
  Tensor a = floats(w, 2), b = floats(near, 2), c = floats(far, 2);
  const Tensor *want[2] = {&a, &a}, *good[2] = {&a, &b}, *bad[2] = {&b, &c};
  Tensor x = {.kind = VK_SEQ, .n = 2, .item = want}, y = x, z = x;
  y.item = good;
  z.item = bad;
  Diff d = tensor_compare(&arena, &r, &y, &x);
  CHECK(d.ok && d.numeric && d.max_abs > 0);
  d = tensor_compare(&arena, &r, &z, &x);
  CHECK(!d.ok && strstr(d.why, "item 1: 1 of 2 wrong"));
  y.n = 1;
  d = tensor_compare(&arena, &r, &y, &x);
  CHECK_STR(d.why, "got a sequence of 1, want a sequence of 2");
  y = x;
  y.kind = VK_OPTIONAL;
  CHECK(!tensor_compare(&arena, &r, &y, &x).ok);
  d = tensor_compare(&arena, &r, &a, &x);
  CHECK_STR(d.why, "got float[2], want a sequence of 2");
  CHECK(!tensor_compare(&arena, &r, &x, &a).ok);
  CHECK(!tensor_compare(&arena, &r, NULL, &x).ok);
}

/* Two steps, unless an option says what is allowed; other halves none. */
static void test_bfloat16(void)
{
  const Rule r = {1e-3, 1e-7, 0, "test", false, false, 0};
  const Rule option = {1e-3, 1e-7, 0, "options", true, false, 0};
  const uint16_t w[1] = {0x3f80}, near[1] = {0x3f82}, far[1] = {0x3f83};
  Tensor want = {.dtype = DT_BF16, .n = 1, .data = w}, got = want;
  got.data = near;
  CHECK(tensor_compare(&arena, &r, &got, &want).ok);
  CHECK(!tensor_compare(&arena, &option, &got, &want).ok);
  got.data = far;
  CHECK(!tensor_compare(&arena, &r, &got, &want).ok);
  got.dtype = want.dtype = DT_F16;
  got.data = near;
  CHECK(!tensor_compare(&arena, &r, &got, &want).ok);
}

static Rule rule_of(const char *op, const Options *opt)
{
  m = model_new(NULL, "m");
  build_node(op, "8", "", 1);
  Rule r = rule_choose(&arena, opt, m);
  model_free(m);
  return r;
}

/* One operator has the corpus' tolerance; of sums of all inputs, such as
 * transforms, what cancels is compared by the size of the others. */
static void test_rules(void)
{
  Options o = {.rtol = -1, .atol = -1}, strict = {.rtol = -1, .atol = 1e-9};
  Rule r = rule_of("Relu", &o);
  CHECK(r.rtol == 1e-3 && r.atol == 1e-7 && r.share == 0 && !r.fixed);
  CHECK(rule_of("DFT", &o).share == 1e-6);
  CHECK(rule_of("STFT", &o).share == 1e-6);
  CHECK(rule_of("DFT", &strict).share == 0);
  CHECK(rule_of("Cast", &o).fixed);
}

/* Maps are equal in any order of their entries; keys are exact. */
static void test_maps(void)
{
  const Rule r = {1e-3, 1e-7, 0, "test", false, false, 0};
  const int64_t up[2] = {1, 2}, down[2] = {2, 1}, same[2] = {1, 1};
  const float a[2] = {3, 4}, b[2] = {4, 3};
  Tensor k = {.dtype = DT_I64, .rank = 1, .dim = {2}, .n = 2, .data = up};
  Tensor v = {.dtype = DT_F32, .rank = 1, .dim = {2}, .n = 2, .data = a};
  Tensor l = k, w = v;
  const Tensor *x[2] = {&k, &v}, *y[2] = {&l, &w};
  Tensor want = {.kind = VK_MAP, .n = 2, .item = x};
  Tensor got = {.kind = VK_MAP, .n = 2, .item = y};
  l.data = down;
  w.data = b;
  CHECK(tensor_compare(&arena, &r, &got, &want).ok);
  w.data = a;
  CHECK(!tensor_compare(&arena, &r, &got, &want).ok);
  l.data = same;
  CHECK(strstr(tensor_compare(&arena, &r, &got, &want).why, "keys"));
  k.data = same;
  CHECK(strstr(tensor_compare(&arena, &r, &got, &want).why, "twice"));
}

/* By their elements, wherever they stand in the file. */
static void test_sparse(void)
{
  const Rule r = {1e-3, 1e-7, 0, "test", false, false, 0};
  const float a[3] = {0, 2, 0}, b[3] = {0, 0, 2};
  Tensor d = {.dtype = DT_F32, .rank = 1, .dim = {3}, .n = 3, .data = a};
  Tensor e = d;
  e.data = b;
  const Tensor *x = sparse_of(&arena, &d), *y = sparse_of(&arena, &e);
  CHECK(tensor_compare(&arena, &r, x, x).ok);
  CHECK(!tensor_compare(&arena, &r, x, y).ok);
  CHECK(!tensor_compare(&arena, &r, &d, x).ok);
  tensor_set_i64((Tensor *)(uintptr_t)y->item[1], 0, -1);
  CHECK(strstr(tensor_compare(&arena, &r, y, x).why, "outside"));
}

int main(void)
{
  test_sparse();
  test_maps();
  test_rules();
  test_bfloat16();
  test_items();
  test_floats();
  test_specials();
  test_ulps();
  test_exact();
  test_shapes();
  arena_free(&arena);
  return test_end();
}
