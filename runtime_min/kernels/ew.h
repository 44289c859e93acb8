/* SPDX-License-Identifier: 0BSD */
/* O2C_INDEPENDENT stands before a loop whose iterations touch element i of
 * each array and no other, so that it may become vector code even where the
 * output lies on an input. */
#ifndef O2C_EW_H
#define O2C_EW_H
#if defined __clang__
#define O2C_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed"
#elif defined __GNUC__
#define O2C_INDEPENDENT _Pragma("GCC ivdep")
#else
#define O2C_INDEPENDENT
#endif
#endif
