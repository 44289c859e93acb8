/* SPDX-License-Identifier: 0BSD */
/* Start-up and services of a Cortex-M with a debugger attached (or QEMU). */
#include "board.h"

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;
int main(int argc, char **argv); /* one without arguments will do */
void reset(void);
void fault(void);
void tick(void);
/* Where a program is linked with newlib's rdimon: opens its stdout. */
__attribute__((weak)) void initialise_monitor_handles(void);

#define REG(address) (*(volatile uint32_t *)(address))
#define CPACR REG(0xE000ED88u)
#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)
#define SYST_MAX 0xFFFFFFu

static volatile uint32_t wraps;

static uint32_t semihost(uint32_t call, const void *arg)
{
  register uint32_t r0 __asm__("r0") = call;
  register const void *r1 __asm__("r1") = arg;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void put_text(const char *s) { (void)semihost(0x04, s); } /* SYS_WRITE0 */

void put_padded(const char *s, int width)
{
  const int left = width < 0;
  int n = left ? -width : width;
  const char *p;
  for (p = s; *p; ++p)
    --n;
  if (left)
    put_text(s);
  for (; n > 0; --n)
    put_text(" ");
  if (!left)
    put_text(s);
}

void put_fixed(uint32_t v, int digits, int width)
{
  char text[16], *p = text + sizeof text - 1;
  int n = 0;
  *p = 0;
  do {
    if (n && n == digits)
      *--p = '.';
    *--p = (char)('0' + v % 10);
    v /= 10;
    ++n;
  } while (v || n <= digits);
  put_padded(p, width);
}

void put_column(uint32_t v, int width) { put_fixed(v, 0, width); }

void put_number(uint32_t v) { put_fixed(v, 0, 0); }

void put_line(const char *name, uint32_t v, const char *unit)
{
  put_text(name);
  put_text(" ");
  put_number(v);
  put_text(" ");
  put_text(unit);
  put_text("\n");
}

/* SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit. */
void finish(int status)
{
  const uint32_t arg[2] = {0x20026u, (uint32_t)status};
  (void)semihost(0x20, arg);
  for (;;) {
  }
}

void fault(void)
{
  put_text("fault\n");
  finish(99);
}

void tick(void) { ++wraps; }

void count_start(void)
{
  SYST_CSR = 0;
  SYST_RVR = SYST_MAX;
  SYST_CVR = 0;
  wraps = 0;
  SYST_CSR = 7; /* processor clock, interrupt at zero, on */
}

uint64_t count_stop(void)
{
  const uint32_t now = SYST_CVR;
  SYST_CSR = 0;
  /* Zero: not yet loaded, or just wrapped and counted. */
  return (uint64_t)wraps * (SYST_MAX + 1u) + (now ? SYST_MAX + 1u - now : 0);
}

uint32_t count_scale(void)
{
  uint32_t loops = 1000000, ticks;
  count_start();
  __asm__ volatile("1: subs %0, #1\n\tbne 1b" : "+r"(loops) : : "cc");
  ticks = (uint32_t)count_stop();
  return ticks < 100000 ? (2000000 + ticks / 2) / ticks : 1;
}

uint32_t flash_used(void)
{
  return (uint32_t)&data_load + ((uint32_t)&data_end - (uint32_t)&data_start);
}

uint32_t ram_used(void) { return (uint32_t)&bss_end - (uint32_t)&data_start; }

/* 64 KB below the stack pointer: enough to see how deep the calls go. */
#define PAINT_WORDS 16384
#define PAINT 0xA5A5A5A5u

static uint32_t stack_pointer(void)
{
  uint32_t sp;
  __asm__ volatile("mov %0, sp" : "=r"(sp));
  return sp;
}

void stack_paint(void)
{
  volatile uint32_t *p = (volatile uint32_t *)(stack_pointer() - 16);
  uint32_t n = PAINT_WORDS;
  for (; n > 0; --n)
    *--p = PAINT;
}

uint32_t stack_used(void)
{
  const uint32_t top = stack_pointer() - 16;
  uint32_t p = top - 4 * PAINT_WORDS;
  while (p < top && REG(p) == PAINT)
    p += 4;
  return top - p + 16;
}

void reset(void)
{
  uint32_t *to = &data_start;
  const uint32_t *from = &data_load;
  CPACR |= 0xF00000u; /* the floating-point unit, before any use of it */
  __asm__ volatile("dsb\n\tisb");
  while (to < &data_end)
    *to++ = *from++;
  for (to = &bss_start; to < &bss_end; ++to)
    *to = 0;
  if (initialise_monitor_handles)
    initialise_monitor_handles();
  finish(main(0, 0));
}

typedef union {
  const void *stack;
  void (*handler)(void);
} Vector;
#define V(f) {.handler = f}
__attribute__((section(".vectors"), used)) static const Vector vectors[16] = {
    {.stack = &stack_top}, V(reset), V(fault), V(fault), V(fault),
    V(fault), V(fault), V(0), V(0), V(0), V(0), V(fault), V(fault), V(0),
    V(fault), V(tick)};
