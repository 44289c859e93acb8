/* SPDX-License-Identifier: 0BSD */
/* What the example needs of a board, without a C library: text through the
 * debugger (semihosting), exit, and a counter.
 *
 * The counter is SysTick. On hardware it counts cycles. QEMU run with
 * `-icount shift=0` takes one nanosecond for each instruction, and SysTick of
 * the mps2-an386 runs at 25 MHz: 40 instructions a tick, always the same. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void put_text(const char *s);
/* Right-aligned in `width` characters, left-aligned in -width. */
void put_padded(const char *s, int width);
void put_fixed(uint32_t v, int digits, int width); /* v / 10^digits */
void put_column(uint32_t v, int width);
void put_number(uint32_t v);
void put_line(const char *name, uint32_t v, const char *unit);
void finish(int status);

void count_start(void);
uint64_t count_stop(void); /* SysTick ticks since count_start */
/* Instructions per tick under QEMU, found by a loop of known length; 1 on
 * hardware, where a tick is a cycle. */
uint32_t count_scale(void);

uint32_t flash_used(void); /* bytes of code, constants, initial data */
uint32_t ram_used(void);   /* bytes of .data and .bss */
void stack_paint(void);
uint32_t stack_used(void); /* deepest since stack_paint */

#ifdef __cplusplus
}
#endif
#endif
