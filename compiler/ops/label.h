/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of constant keys, for operators beside those of label.c. */
#ifndef O2C_LABEL_H
#define O2C_LABEL_H
#include "../ir.h"

/* id becomes the numbers of x among the keys, key->n where they are none. */
void lower_keys(Lower *l, Node *n, Value *x, const Tensor *key, Value *id);
/* A table with open addresses (kernels/lookup.h) of the keys' numbers. */
Tensor *lookup_slots(Model *m, const Tensor *key);
/* One of the `count` things that reference kernel `kernel` finds in a and b,
 * which may be NULL: at most half of it is taken, an eighth of a small one, as
 * each collision is a branch that can't be foreseen. */
Tensor *slots_new(Model *m, const char *kernel, const Tensor *a,
                  const Tensor *b, int64_t count);
#endif
