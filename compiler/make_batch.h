/* SPDX-License-Identifier: Apache-2.0 */
/* --make-batch: a model of batch 1 becomes one of any batch. What the files
 * make_batch*.c share, and what import, inference and the driver ask them.
 *
 * The 1 of the batch becomes a symbol in the inputs' shapes, and inference goes
 * through the graph as always. Each node is looked at as it is inferred:
 * constants that hold the 1 are rewritten, constant operands that must have as
 * many samples are repeated, and then the operator's axis hook must say that
 * samples stay apart. Where a shape leaves open which of its ones is the batch,
 * a choice is made; if a later node refuses, the whole is tried again with the
 * next choice.
 */
#ifndef O2C_MAKE_BATCH_H
#define O2C_MAKE_BATCH_H
#include "ir.h"

/* The batch is a factor of axis `axis`, with `outer` of that axis before it:
 * 1 where it is the outermost factor, S where S rows and samples merged. */
typedef struct { int axis; const Dim *outer; } BatchPlace;

#define MAX_CHOICES 64
typedef struct {
  int count, taken;      /* ways, the one in use */
  Node *node;            /* a Reshape of the run; NULL: an input */
} BatchChoice;
typedef struct {
  BatchChoice c[MAX_CHOICES];
  int n, at;             /* known, made in this run */
  uint64_t blame;        /* bit k: choice k had to do with the error */
  int runs;
} BatchChoices;

/* Does a tensor hold the samples' numbers, 0 and up: nothing else, or in front
 * of others along its last axis? */
typedef enum { NUMBERS_NONE, NUMBERS_ALONE, NUMBERS_FIRST } Numbers;
typedef struct {
  BatchPlace at;         /* axis -1: no sample in it */
  uint64_t choices;      /* that it depends on */
  Numbers holds;
} Trace;
/* A tensor of the caller: samples have `inner` of axis `axis` each (0: only the
 * run tells); axis -1: it has no samples. */
typedef struct BatchPort { int axis; int64_t inner; } BatchPort;
/* What was changed at input `in` of a node, for writing it into the file: a
 * list of numbers in its place; number `k` of `count` times the samples; its
 * axis `k` of `count` repeated, of one element or (tile) several; the node
 * became an Identity; or something that has no place in the file. */
typedef enum { BATCH_INTS, BATCH_PATCH, BATCH_REPEAT, BATCH_IDENTITY,
               BATCH_INNER } BatchChange;
typedef struct {
  BatchChange kind;
  const Node *node;
  const char *op, *out;  /* as the file has them */
  int in, k, count;
  bool tile;
  int64_t v[MAX_RANK];
} BatchEdit;
typedef struct Rebatch {
  Model *m;
  BatchChoices *choices;
  int sym;
  const Dim *n;          /* that symbol */
  Value *source, *size;  /* an input with the batch; its size, int64 [1] */
  Trace *trace;          /* by id of a value */
  int ntrace;
  bool *done;            /* by id of a node's first output: is rewritten */
  bool over;             /* inference is through */
  BatchPort *in, *out;   /* of the main graph's inputs and outputs, then */
  BatchEdit *edit;
  int nedit;
  uint64_t open;         /* choices that outputs without leading batch need */
} Rebatch;

/* make_batch.c: for the driver. */
bool rebatch_begin(Model *m, BatchChoices *c);  /* false after a diagnostic */
void rebatch_end(Model *m);                /* after inference */
/* make_batch_search.c */
bool choices_next(BatchChoices *c);        /* false: there is no other way */
/* A new model by these choices, inferred; *ok: without errors. */
typedef Model *(*BatchTry)(void *ctx, BatchChoices *c, bool *ok);
/* The first that is right, and is the only one; where none is, the first of
 * all. Without --make-batch, one try. */
Model *rebatch_search(BatchTry try_one, void *ctx, bool *ok);

/* For inference: `infer` infers one node. */
void rebatch_node(Node *n, void (*infer)(Node *n));
/* For loops: a carried value as it comes into the first trip, and what a trip
 * makes of it. One that has no samples is repeated, by nodes before `first` or
 * before `end`. true: *initial is another one, so the body is, too. */
bool rebatch_carried(Value **initial, Node *first, Value **made, Node *end);

/* Trace of a value; never NULL. */
Trace *rebatch_trace(Rebatch *r, const Value *v);
const Dim *rebatch_one(const Rebatch *r, const Dim *d); /* at batch 1 */
int rebatch_choose(Rebatch *r, int count, Node *n, uint64_t *used);
/* make_batch_shape.c: constants that hold the 1. */
void rebatch_rewrite(Rebatch *r, Node *n, void (*infer)(Node *n));
/* Where the batch of a view's input comes out; axis -1: samples meet. */
BatchPlace rebatch_view(const Rebatch *r, const Node *n, BatchPlace at);
/* v, whose axis k is repeated for each sample: nodes before `at`. */
Value *rebatch_repeat(Rebatch *r, Node *at, Value *v, int k);
void rebatch_note(Rebatch *r, const Node *n, BatchEdit e);
/* Runs `infer`; what went wrong, or NULL. Nothing is left of an error. */
const char *rebatch_try(Node *n, void (*infer)(Node *n));
/* make_batch_numbers.c: what the first output holds; where a node that has to
 * do with numbers puts the batch (false: they are moved, or there are none). */
Numbers rebatch_numbers(Rebatch *r, const Node *n);
bool rebatch_place_numbers(Rebatch *r, const Node *n, BatchPlace *out,
                           const char **why);
#endif
