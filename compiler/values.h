/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of ir.h: values that are no tensors. */
#ifndef O2C_VALUES_H
#define O2C_VALUES_H

/* import_value.c: test data of any type; `type` NULL: a tensor. */
const Tensor *import_value_file(Model *m, const char *path, const Type *type);
bool export_value_file(const char *path, const Tensor *t);
/* Can a value of this type cross the interface? Sequences and optional values
 * of tensors, of each other and of maps can; maps of integers or strings to
 * single elements. */
bool type_crosses(const Type *t);

/* tensor.c */
/* Test data that is a map, by ascending keys; *twice: a key comes again. */
const Tensor *map_sorted(Arena *a, const Tensor *map, bool *twice);

#endif
