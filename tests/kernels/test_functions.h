/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c: the functions of one argument, over bit patterns spread
   through all floats (or all of them), against double. */
#include "../../runtime_min/o2c.h"
#include "../../runtime_min/kernels/ew_math.h"

#define BLOCK 4099 /* so that a vector loop over it has a tail */
#ifndef STEP
#define STEP 997 /* between bit patterns; more for machines that emulate */
#endif

typedef struct {
  const char *name;
  void (*loop)(const float *x, float *y);
  float (*one)(float);
  double (*want)(double);
  double limit;
} Function;

/* The largest error seen, printed at the end of each. */
static double worst;
static float worst_at;

static float silu(float x) { return o2c_swishf(x, 1.0f); }
static float quick_gelu(float x) { return o2c_swishf(x, 1.702f); }
static double silu_ref(double x) { return o2c_swish(x, 1.0); }
static double quick_gelu_ref(double x)
{
  return o2c_swish(x, (double)1.702f);
}

static void function_block(const Function *f, const float *x)
{
  static float y[BLOCK];
  f->loop(x, y);
  for (int i = 0; i < BLOCK; i++) {
    const double e = ulps(y[i], f->want((double)x[i]));
    float one;
    if (e > worst) {
      worst = e;
      worst_at = x[i];
    }
    if (!(e <= f->limit)) {
      char why[96];
      snprintf(why, sizeof why, "%g ULP at %a", e, (double)x[i]);
      fail(f->name, why);
    }
    if (i % 61 && i < BLOCK - 16)
      continue;
    one = f->one(x[i]);
    if (!same(&one, y + i, 1))
      fail(f->name, "a tail or a single value has other bits");
  }
}

static void function_check(const Function *f)
{
  static float x[BLOCK];
  static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, 1e-45f,
                                  -1e-45f, 1.17549435e-38f, 1.0f, -1.0f,
                                  3.4028235e38f, -3.4028235e38f, 88.722839f,
                                  88.72284f, -103.97208f, -103.97209f, NAN};
  const uint64_t step = full ? 1 : STEP;
  uint64_t u = 0;
  worst = 0;
  memset(x, 0, sizeof x);
  memcpy(x, special, sizeof special);
  function_block(f, x);
  while (u < (uint64_t)1 << 32) {
    for (int i = 0; i < BLOCK; i++, u += step) {
      const uint32_t bits = (uint32_t)u;
      memcpy(x + i, &bits, sizeof bits);
    }
    function_block(f, x);
  }
  printf("%s: %.2f ULP at %.9g\n", f->name, worst, (double)worst_at);
}

#define FUNCTION(f, ref, limit) \
  static void loop_##f(const float *x, float *y) \
  { for (int i = 0; i < BLOCK; i++) y[i] = f(x[i]); } \
  static float one_##f(float x) { return f(x); } \
  static void test_##f(void) \
  { const Function t = {#f, loop_##f, one_##f, ref, limit}; \
    function_check(&t); }
#ifdef O2C_HAS_FMA
#define FUSED_2 2.0
#else
#define FUSED_2 3.0
#endif
FUNCTION(o2c_expf, exp, 1.0)
FUNCTION(o2c_logf, log, 1.0)
FUNCTION(o2c_tanhf, tanh, 2.0)
FUNCTION(o2c_sigmoidf, o2c_sigmoid, 3.0)
FUNCTION(o2c_erff, erf, 2.0)
FUNCTION(o2c_expm1f, expm1, 2.0)
FUNCTION(o2c_softplusf, o2c_softplus, 2.0)
FUNCTION(o2c_geluf, o2c_gelu, 4.0)
FUNCTION(o2c_gelu_tanhf, o2c_gelu_tanh, FUSED_2)
FUNCTION(o2c_mishf, o2c_mish, FUSED_2)
FUNCTION(o2c_sinf, sin, 2.0)
FUNCTION(o2c_cosf, cos, 2.0)
FUNCTION(silu, silu_ref, 4.0)
FUNCTION(quick_gelu, quick_gelu_ref, FUSED_2)

static void test_o2c_swishf(void)
{
  test_silu();
  test_quick_gelu();
}
