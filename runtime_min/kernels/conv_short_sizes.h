/* SPDX-License-Identifier: 0BSD */
/* The sizes of filters that conv_short_f32.h has code for, and that lowering
   may choose: X(taps, inputs of a tap), of one row, three or five; no more than
   27 products, so that weights leave room for sums in 32 vectors. */
#ifndef O2C_CONV_SHORT_SIZES_H
#define O2C_CONV_SHORT_SIZES_H

#define O2C_SHORT_SIZES(X) X(1, 4) X(1, 6) X(1, 8) X(1, 9) X(1, 10) X(1, 12) \
  X(1, 14) X(1, 15) X(1, 16) X(1, 18) X(1, 20) X(1, 21) X(1, 24) X(1, 27) \
  X(3, 3) X(3, 6) X(3, 9) X(5, 5)

#endif
