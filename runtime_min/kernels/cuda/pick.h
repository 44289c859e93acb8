/* SPDX-License-Identifier: 0BSD */
/* Indices that the data names. */
#ifndef O2C_PICK_H
#define O2C_PICK_H
#include "ref/base.h"

/* Index i of n elements, negative ones from the end; -1: out of range, which
 * the run is told of. */
O2C_DEVICE int64_t o2c_pick(int64_t i, int64_t n, int *fault)
{
  if (i < 0)
    i += n;
  if (i >= 0 && i < n)
    return i;
  *fault = (int)O2C_E_DATA;
  return -1;
}

/* The greater number stays, whichever thread comes first. */
O2C_DEVICE void o2c_last(int32_t *to, int32_t k)
{
  atomicMax((int *)to, (int)k);
}
O2C_DEVICE void o2c_last(int64_t *to, int64_t k)
{
  atomicMax((long long *)to, (long long)k);
}
#endif
