/* SPDX-License-Identifier: 0BSD */
/* o2c_cpu(): what the processor can do, and the system keeps registers for;
 * bits O2C_CPU_*, 0 where there is no way to ask. O2C_CPU_V2 to V4 are the
 * levels of the x86-64 psABI. Asked for once, by <model>_init. */
#ifndef O2C_CPU_H
#define O2C_CPU_H
#include <stdint.h>

#define O2C_CPU_V2 1u         /* SSE4.2, POPCNT */
#define O2C_CPU_V3 2u         /* AVX2, FMA, BMI, F16C */
#define O2C_CPU_V4 4u         /* AVX-512 F, BW, CD, DQ, VL */
#define O2C_CPU_AVXVNNI 8u
#define O2C_CPU_AVX512VNNI 16u
#define O2C_CPU_AVX512BF16 32u
#define O2C_CPU_DOTPROD 64u   /* AArch64 */
#define O2C_CPU_I8MM 128u
#define O2C_CPU_AMX 256u      /* tiles of bytes, granted to this process */

#if defined __GNUC__ && defined __x86_64__
#include <cpuid.h>
/* AMX-TILE and AMX-INT8, which Linux (5.16 on) grants to a process that asks:
 * arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), as a system call, since
 * C libraries have no name for it. Only files with code for AMX ask: a grant
 * makes Linux refuse small alternate signal stacks. `state` is XCR0, `edx` of
 * leaf 7. */
static uint32_t o2c_cpu_amx(uint32_t state, uint32_t edx)
{
#if defined __linux__ && defined O2C_CPU_ASK_AMX
  long r = 158;
  if ((state & 0x60000u) != 0x60000u || (edx & 0x3000000u) != 0x3000000u)
    return 0;
  __asm__ __volatile__("syscall" : "+a"(r) : "D"(0x1023l), "S"(18l)
                       : "rcx", "r11", "memory");
  return r == 0 ? O2C_CPU_AMX : 0;
#else
  (void)state;
  (void)edx;
  return 0;
#endif
}

#define O2C_CPU_ALL(bits, want) (((bits) & (want)) == (want))
static inline uint32_t o2c_cpu(void)
{
  uint32_t a, b, c, d, most, has = 0, state = 0, base, wide, extended = 0;
  __cpuid(0, most, b, c, d);
  __cpuid(1, a, b, base, d);
  __cpuid(0x80000000u, a, b, c, d);
  if (a >= 0x80000001u)
    __cpuid(0x80000001u, a, b, extended, d);
  if (!O2C_CPU_ALL(base, 0x982201u) || !(extended & 1u))
    return 0; /* SSE3, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT; LAHF */
  has = O2C_CPU_V2;
  if (most < 7 || !O2C_CPU_ALL(base, 0x38401000u) || !(extended & 0x20u))
    return has; /* FMA, MOVBE, OSXSAVE, AVX, F16C; LZCNT */
  __asm__ __volatile__("xgetbv" : "=a"(state), "=d"(d) : "c"(0));
  __cpuid_count(7, 0, most, wide, c, d);
  if (!O2C_CPU_ALL(state, 6u) || !O2C_CPU_ALL(wide, 0x128u))
    return has; /* SSE and AVX registers; BMI1, AVX2, BMI2 */
  has |= O2C_CPU_V3;
  if (O2C_CPU_ALL(state, 0xe6u) && O2C_CPU_ALL(wide, 0xd0030000u))
    has |= O2C_CPU_V4 | (c & 0x800u ? O2C_CPU_AVX512VNNI : 0) |
           o2c_cpu_amx(state, d);
  if (most >= 1) {
    __cpuid_count(7, 1, a, b, c, d);
    has |= a & 0x10u ? O2C_CPU_AVXVNNI : 0;
    has |= has & O2C_CPU_V4 && a & 0x20u ? O2C_CPU_AVX512BF16 : 0;
  }
  return has;
}
#elif defined __aarch64__ && defined __linux__
#include <sys/auxv.h>
static inline uint32_t o2c_cpu(void)
{
  uint32_t has = getauxval(AT_HWCAP) & 1ul << 20 ? O2C_CPU_DOTPROD : 0;
  return has | (getauxval(AT_HWCAP2) & 1ul << 13 ? O2C_CPU_I8MM : 0);
}
#else
static inline uint32_t o2c_cpu(void)
{
  return 0;
}
#endif
#endif
