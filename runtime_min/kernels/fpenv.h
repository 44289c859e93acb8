/* SPDX-License-Identifier: 0BSD */
/* O2C_FLUSH: denormal numbers count as zero from o2c_flush_begin to
 * o2c_flush_end on this thread, where the machine can do so. The asm names
 * memory so that no computation moves across. */
#ifndef O2C_FPENV_H
#define O2C_FPENV_H
#include <stdint.h>

#if defined __GNUC__ && defined __SSE__
#define O2C_FLUSH_BITS 0x8040u /* FTZ, DAZ */
static uintptr_t o2c_fp_mode(void)
{
  uint32_t v;
  __asm__ __volatile__("stmxcsr %0" : "=m"(v) : : "memory");
  return v;
}
static void o2c_fp_set(uintptr_t mode)
{
  const uint32_t v = (uint32_t)mode;
  __asm__ __volatile__("ldmxcsr %0" : : "m"(v) : "memory");
}
#elif defined __GNUC__ && defined __aarch64__
#define O2C_FLUSH_BITS 0x1000000u /* FZ */
static uintptr_t o2c_fp_mode(void)
{
  uint64_t v;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(v) : : "memory");
  return v;
}
static void o2c_fp_set(uintptr_t mode)
{
  __asm__ __volatile__("msr fpcr, %0" : : "r"((uint64_t)mode) : "memory");
}
#elif defined __GNUC__ && defined __arm__ && defined __ARM_FP && \
    !defined __SOFTFP__
#define O2C_FLUSH_BITS 0x1000000u /* FZ */
static uintptr_t o2c_fp_mode(void)
{
  uint32_t v;
  __asm__ __volatile__("vmrs %0, fpscr" : "=r"(v) : : "memory");
  return v;
}
static void o2c_fp_set(uintptr_t mode)
{
  __asm__ __volatile__("vmsr fpscr, %0" : : "r"((uint32_t)mode) : "memory");
}
#else
#define O2C_FLUSH_BITS 0u
static uintptr_t o2c_fp_mode(void)
{
  return 0;
}
static void o2c_fp_set(uintptr_t mode)
{
  (void)mode;
}
#endif

/* The mode to give back to o2c_flush_end. */
static uintptr_t o2c_flush_begin(int on)
{
  const uintptr_t was = on ? o2c_fp_mode() : 0;
  if (on)
    o2c_fp_set(was | O2C_FLUSH_BITS);
  return was;
}

static void o2c_flush_end(int on, uintptr_t was)
{
  if (on)
    o2c_fp_set(was);
}
#endif
