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
/* T, LOAD(x) and STORE(x): a float type in memory, and to and from float. */
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
/* G_SHARE: how many threads share a row of so many elements. */
void cuda_put_share(Step *s, const Dim *length);
#endif
