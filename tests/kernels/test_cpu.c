/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_cpu() against the compiler's own way to ask, where there is one. */
#include "cpu.h"
#include "o2ctest.h"

#if defined __GNUC__ && defined __x86_64__
static int has(uint32_t bits)
{
  return (o2c_cpu() & bits) == bits;
}

static void test_features(void)
{
  const int v2 = __builtin_cpu_supports("sse4.2") != 0;
  const int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
                 && __builtin_cpu_supports("bmi2");
  const int v4 = __builtin_cpu_supports("avx512f") &&
                 __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl");
  CHECK(has(O2C_CPU_V2) == v2);
  CHECK(has(O2C_CPU_V3) == v3);
  CHECK(has(O2C_CPU_V4) == v4);
  CHECK(has(O2C_CPU_AVX512VNNI) ==
        (__builtin_cpu_supports("avx512vnni") != 0));
}
#else
static void test_features(void)
{
  CHECK((o2c_cpu() & ~(O2C_CPU_DOTPROD | O2C_CPU_I8MM)) == 0);
}
#endif

int main(void)
{
  test_features();
  return test_end();
}
