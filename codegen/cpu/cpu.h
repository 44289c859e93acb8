/* SPDX-License-Identifier: Apache-2.0 */
/* What the CPU's lowerings share: the shape of a convolution as its kernels
 * see it, and prototypes by file. */
#ifndef O2C_CPU_H
#define O2C_CPU_H
#include "../target.h"

/* shape.c: spatial axes as rows and columns; a single axis is the columns. */
typedef struct {
  Plan *p;
  Step *s;
  Node *n;
  Value *x;                     /* the input, or its padded copy */
  DimPool *d;
  ConvGeom g;
  int64_t c, oc, cg, og;        /* channels; per group */
  int64_t kh, kw, sh, sw, dh, dw;
  const Dim *h, *w, *oh, *ow;   /* spatial extents; 1-D has one row */
  const Dim *top, *bottom, *left, *right;
  const Dim *wp;                /* width with padding */
  bool pad;                     /* a copy with a border is needed */
  Dtype padded;                 /* of that copy */
  const Halo *hx;               /* the border is there */
  int64_t xc, yc;               /* elements from pixel to pixel, as stored */
} Conv;

bool conv_shape(Plan *p, Node *n, Conv *v); /* false: not of this kind */
const Dim *conv_times(const Conv *v, const Dim *a, int64_t k);
/* A whole row of the kernel is one tap: kw * C inputs that lie together. */
bool conv_row_taps(const Conv *v);
/* TAPS, NTAP, KC: offsets of the taps in the padded image. */
void conv_put_taps(Conv *v);
/* x, y and the image with its border in scratch; PAD, IMAGES and the like. */
void conv_put_image(Conv *v);
/* r and what the kernel needs of it, after y; RESIDUAL is NULL without. */
void conv_put_residual(Conv *v);
/* conv.c: those, weights, bias, residual and clamp of an f32 convolution. */
void conv_put_operands(Conv *v, Value *w);
void gemm_put_operands(Step *s, Node *n); /* but x and the weights */
/* panels.c: [N, K] in memory, and those? else [K, N] */
bool gemm_is_turned(const Node *n, int64_t *k, int64_t *columns);
Value *gemm_pack_panels(Node *n);         /* a product's weights */
/* [group][ceil(rows/16)][area][k][16], zero where there is no filter, of w
 * [groups * rows, k, area]. */
Value *panels_of_filters(Node *n, const Tensor *w, int64_t groups,
                         int64_t area);
/* strides.c: what a step needs to know of an operand that may be a piece or
 * have a border. */
bool cpu_takes_strides(const Plan *p, Node *n, const Value *v, bool border);
bool is_strided(const Plan *p, Value *v); /* not one dense run */
const char *step_past(Step *s, const char *name, const Dim *d); /* "x + 8" */
const char *stored_pixels(Step *s, const char *name, Value *v); /* the first */
const Dim *stored_row(const Plan *p, Value *v);   /* of [N, H, W, C] */
const Dim *stored_image(const Plan *p, Value *v);
/* A move as its sides are stored; false: that can't be said. */
bool stored_move(const Plan *p, Move *m);
void halo_put_border(Step *s, const char *name, Value *y); /* halo.c */
bool pool_takes(Node *n);                 /* pool.c: lower_pool_tuned will */
bool table_takes(Node *n);                /* quantize.c: lower_table_u8 may */
/* shape.c: where the work is worth dividing among threads, the padded copy is
 * a step of its own. To be called before the convolution's step is made. */
void conv_pad_first(Conv *v, int ticks);
/* share.c */
typedef struct {
  const Dim *pixels;            /* rows of the product */
  const Dim *x_bytes;
  int64_t columns, k;           /* output channels; products of an element */
  int64_t unit;                 /* pixels */
  int ticks, w_size;            /* of a product; bytes of a weight */
} Share;
/* Divides the step. PART and RANGE: the kernel's ending and last arguments;
 * BY_PIXELS, BY_COLUMNS: whether so. */
void share_product(Step *s, const Share *h);
void share_conv(Conv *v, const Share *h); /* that, of one image */
void share_rows(Conv *v, int ticks);      /* by output rows */
bool share_by_columns(const Plan *p, const Share *h);
bool share_conv_pays(const Conv *v, int ticks);
/* matmul.c */
/* What the Transpose that made `v` reads; `v` itself where there is none, or
 * the image in memory has a border. */
Value *operand_stored(const Plan *p, Value *v, const int64_t **perm);
/* Kernels count in 32 bits; an extent of 0 is left to the reference. */
bool dim_counts(const Dim *d);
bool transpose_to_last(const Node *n); /* [N,C,H,W] to [N,H,W,C] */
void step_i32(Step *s, const char *key, const Dim *d); /* cast if symbolic */
/* recurrent.c: what kernels of recurrent layers are told alike. */
void recurrent_put_strides(Step *s, const Node *n);
void recurrent_put_operands(Step *s, const Node *n);

/* trees_rank.c: nodes of trees_f32.h, two words each, and of each tree root and
 * target, as tables of trees_rank.h; false: not possible, or of no use. */
typedef struct {
  Arena *a;
  const uint32_t *node, *tree;
  int64_t nodes;
  int trees, shift;
  uint32_t mask, columns;
} TreeNodes;
typedef struct {
  uint32_t *node, *tree, *test, *last;
  int32_t *limit;
  int64_t nodes, tests, lasts, limits;
} TreeRanks;
bool trees_rank(const TreeNodes *f, TreeRanks *to);
#endif
