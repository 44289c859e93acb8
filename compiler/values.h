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

/* sparse.c: a node's sparse inputs become dense; an output of the graph that is
 * declared as sparse does; test data, to and fro (NULL: malformed). */
void sparse_inputs(Node *n);
void sparse_output(Graph *g, int out);
const Tensor *sparse_of(Arena *a, const Tensor *dense);
const Tensor *sparse_dense(Arena *a, const Tensor *sparse);

/* same.c: which value of the file a value is, for diff: ids below Model.nfile
 * are the file's, and passes tell what becomes of them. */
typedef struct Same {
  int id;                  /* -1: none of them */
  int rank;                /* of perm */
  const int *perm;         /* axis k is axis perm[k] of it; NULL: the same */
  bool flipped;            /* its int8 as uint8: 128 more */
} Same;
bool value_same(const Value *v, Same *s); /* false: it is none */
void same_take(Value *v, const Value *of);
void same_permuted(Value *v, const Value *of, const int64_t *perm);
void same_flipped(Value *v, const Value *of);
/* All that read `old` will read `by`. */
void same_replaced(Value *by, const Value *old);
void same_import(Model *m);         /* what is there now is the file's */
void same_outputs(Graph *g);        /* output k is output k of the file */

/* eval.c: where tensors go that n's evaluation makes: Model.work, or arena. */
Arena *work_arena(const Node *n);

/* zipmap.c: maps whose keys are constants, as a tensor of their values. */
typedef struct Zip { /* graph output `out` is one of floats, [rows, keys] or */
  int out;           /* [keys], and stands for what the file declares: */
  const Tensor *keys;
  const Type *type;
} Zip;
const Zip *graph_zip(const Graph *g, int out); /* NULL: it is no such one */
bool zip_is(const Value *v);
bool zip_takes(const Node *n);  /* it makes such maps, or works on them */
bool zip_inline(Node *n);       /* false after a diagnostic */
Value *zip_select(Node *at, Value *cond, Value *a, Value *b);
void zip_output(Graph *g, int out);
bool zip_refused(Node *n, const Value *v); /* true after a diagnostic */

#endif
