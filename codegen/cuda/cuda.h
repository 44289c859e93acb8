/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA provider: what its lowerings share, and their list. */
#ifndef O2C_CUDA_LOWER_H
#define O2C_CUDA_LOWER_H
#include "../target.h"
#include "ops.h"

/* A kind of node that the GPU runs: whether it takes this one, whose shapes and
 * types are known, and its steps. lowerings.def lists them. */
typedef struct {
  const char *name;
  bool (*takes)(const Plan *p, const Node *n);
  void (*lower)(Plan *p, Node *n);
} DeviceLowering;
#define LOWERING(name) \
  bool cuda_takes_##name(const Plan *p, const Node *n); \
  void cuda_lower_##name(Plan *p, Node *n);
#include "lowerings.def"
#undef LOWERING

/* "O2C_F32": the o2c_dtype of a float type. */
const char *cuda_dtype(Dtype t);
bool cuda_float_type(Dtype t);        /* f32, f64, f16 or bf16 */
/* T, A, LOAD(x), STORE(x), F, LEAST: such a float, i8 or u8, as
 * templates/cuda/window.m4 says. */
void cuda_put_type(Step *s, Dtype t);
/* Every tensor that the node reads or writes has a type of `types`, a list
 * that DT_NONE ends. */
bool cuda_all_types(const Node *n, const Dtype *types);
/* G_<key>: the class of kernels/cuda/type.h for elements of this type. */
void cuda_put_class(Step *s, const char *key, Dtype t);
/* C text of where element number `e` of a shape lies, for strides of its axes;
 * it casts `e` to void where it does not ask for it. */
const char *cuda_offset(Step *s, const char *e, int n, const Dim *const *dim,
                        const Dim *const *stride);
/* C text of n dimensions, with commas; "0" for none. */
const char *cuda_list(Step *s, int n, const Dim *const *dim);
/* G_SHARE: how many threads share a row of so many elements. */
void cuda_put_share(Step *s, const Dim *length);
/* text.c: the C type of a word of so many bytes: 1, 2, 4, 8, 16. */
const char *cuda_word(int bytes);
/* Appends lines that declare <name>0, <name>1, .., the indices in a tensor of
 * such sizes of element number `from`, a name. */
void cuda_put_indices(Step *s, StrBuf *b, const Dim *const *n, int axes,
                      const char *name, const char *from);
/* A constant of type double. */
void cuda_put_real(Step *s, const char *key, double v);
/* C text of the number that `pointer`, to a float of type t, points to. */
const char *cuda_load(Step *s, const char *pointer, Dtype t);
/* What its elements are counted in; where 0, 1, so that nothing divides
 * by 0. */
void cuda_put_least(Step *s, const char *key, const Dim *d);
/* G_UNUSED: an expression with all operands, and `s` where earlier text reads
 * sizes, of which a kernel may leave some unread. */
void cuda_put_unused(Step *s);
/* find.c: Target.finds. */
bool cuda_finds(const Plan *p, const Node *n, Dtype *t, const Dim **elements);
/* conv.c: what follows convolutions becomes part of their kernels. */
void cuda_join(Plan *p);
/* pick.c: the node is a single call of a reference kernel, and one before it
 * that checks, at most; the step that checks. */
bool cuda_one_call(const Plan *p, const Node *n, Call *c);
void cuda_put_checks(Plan *p, Node *n);
/* How element e of a tensor of shape `out` finds its row in one of shape
 * `dim`, where axis `axis` is at the index `at`: G_INDICES, G_PLACE, G_OUTSIDE,
 * G_N. */
void cuda_put_axes(Step *s, const Dim *const *dim, const Dim *const *out,
                   int rank, int axis);
/* G_TUPLE, G_RANK: from a tuple of indices to a block's number. */
void cuda_put_tuple(Step *s, const Dim *const *dim, int rank);
/* G_WORD, G_WORDS of a tensor of `numel` elements, and G_INNER, the words of a
 * run of `inner` in it: the widest of which runs have whole ones. */
void cuda_put_words(Step *s, Dtype t, const Dim *inner, const Dim *numel);

/* window.c: variables of templates/cuda/window.m4. */
enum { CUDA_AXES = 3 };               /* of an image, at most */
/* Of so many axes, and not known to be empty, as kernels divide by sizes. */
bool cuda_window_fits(const ConvGeom *g);
/* As step_dim, fit for products and quotients. */
void cuda_put_dim(Step *s, const char *key, const Dim *d);
void cuda_put_window(Step *s, const ConvGeom *g);
void cuda_put_strides(Step *s, const ConvGeom *g);
/* product.c: what a step reads for `v`, and its strides in the axes of v: what
 * a Transpose on the GPU made `v` of, else v itself. */
Value *cuda_operand(const Plan *p, Value *v, const Dim **stride);
/* tile.c: G_TILE, the tile of kernels/cuda/tile.h for `groups` products of
 * `rows` by `columns`; G_BIG, one for `most` rows, which the step takes where
 * that makes at least G_ENOUGH tiles; empty: none. 0: not known. */
void cuda_put_tiles(Step *s, int64_t rows, int64_t most, int64_t columns,
                    int64_t groups);
#endif
