/* SPDX-License-Identifier: 0BSD */
/* Square roots that set no errno, so that loops of them become vector code; a
 * file of its own, as it must not come once for each instruction set. */
#ifndef O2C_SQRT_H
#define O2C_SQRT_H
#include <math.h>
#if defined __GNUC__ && !defined __cplusplus
extern __attribute__((const)) float sqrtf(float);
extern __attribute__((const)) double sqrt(double);
#endif
#endif
