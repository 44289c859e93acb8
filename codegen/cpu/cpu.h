/* SPDX-License-Identifier: Apache-2.0 */
/* What the CPU's lowerings share: the shape of a convolution as its kernels
 * see it, and prototypes by file. */
#ifndef O2C_CPU_H
#define O2C_CPU_H
#include "../target.h"

/* shape.c: spatial axes as rows and columns; a single axis is the columns. */
typedef struct {
  Step *s;
  Node *n;
  DimPool *d;
  ConvGeom g;
  int64_t c, oc, cg, og;        /* channels; per group */
  int64_t kh, kw, sh, sw, dh, dw;
  const Dim *h, *w, *oh, *ow;   /* spatial extents; 1-D has one row */
  const Dim *top, *bottom, *left, *right;
  const Dim *wp;                /* width with padding */
  bool pad;                     /* a copy with a border is needed */
  const Halo *hx, *hy;          /* the border is there; y has one */
} Conv;

bool conv_shape(Plan *p, Node *n, Conv *v); /* false: not of this kind */
const Dim *conv_times(const Conv *v, const Dim *a, int64_t k);
/* A whole row of the kernel is one tap: kw * C inputs that lie together. */
bool conv_row_taps(const Conv *v);
/* TAPS, NTAP, KC: offsets of the taps in the padded image. */
void conv_put_taps(Conv *v);
/* x, y and the image with its border in scratch; PAD, IMAGES and the like. */
void conv_put_image(Conv *v);
const char *conv_pixels(const Conv *v, const char *name, const Halo *h);
const Dim *conv_row(const Conv *v, const Halo *h); /* elements of y's rows */
/* halo.c: the call that fills y's border; `pixel` in bytes; h may be NULL. */
void halo_put_border(Step *s, const Halo *h, int64_t rows, int64_t cols,
                     int64_t pixel);
/* matmul.c */
/* What the Transpose that made `v` reads; `v` itself where there is none, or
 * the image in memory has a border. */
Value *operand_stored(const Plan *p, Value *v, const int64_t **perm);
/* Kernels count in 32 bits; an extent of 0 is left to the reference. */
bool dim_counts(const Dim *d);
bool transpose_to_last(const Node *n); /* [N,C,H,W] to [N,H,W,C] */
void step_i32(Step *s, const char *key, const Dim *d); /* cast if symbolic */
#endif
