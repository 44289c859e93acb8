/* SPDX-License-Identifier: 0BSD */
/* O2C_INDEPENDENT stands before a loop whose iterations touch element i of
 * each array and no other, so that it may become vector code even where the
 * output lies on an input. gcc makes vectors of choices and of sqrt only where
 * it need not mind flags of exceptions and errno; no value depends on that. */
#ifndef O2C_EW_H
#define O2C_EW_H
#include "sqrt.h"
#if defined __clang__
#define O2C_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed"
#elif defined __GNUC__
#define O2C_INDEPENDENT _Pragma("GCC ivdep")
#pragma GCC optimize("no-trapping-math", "no-math-errno")
#else
#define O2C_INDEPENDENT
#endif
#endif
