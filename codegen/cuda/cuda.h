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

/* Every tensor that the node reads or writes has a type of `types`, a list
 * that DT_NONE ends. */
bool cuda_all_types(const Node *n, const Dtype *types);
#endif
