/* SPDX-License-Identifier: Apache-2.0 */
/* to-opset: nodes from one version of their domain's operators to another.
 *
 * A conversion goes version by version. opset.def has a row for each version of
 * an operator that changes more than its types: `up` brings a node of the
 * version before to it, `down` back. Steps see one node at a time, in `c->n`;
 * nodes that they make go before or after it, are of the version that the step
 * leads to, and are converted on from there. */
#ifndef O2C_EDIT_OPSET_H
#define O2C_EDIT_OPSET_H
#include "edit.h"

/* edit/opset_types.c: what the compiler's own inference tells of names. */
typedef struct {
  Dtype dtype;               /* DT_NONE: not known */
  int rank;                  /* -1: not known */
  int64_t dim[MAX_RANK];     /* -1: not a number */
  const Value *v;            /* for its content; NULL: several, or made */
} NameType;
typedef struct {
  Model *m;                  /* the inferred model; owns all of this */
  Map names;                 /* -> NameType */
} NameTypes;
NameTypes *types_read(Edit *e);  /* of the model as it is now */
NameTypes *types_empty(Edit *e); /* where nothing is known, as in functions */
void types_add_const(NameTypes *t, const char *name, const Tensor *x);
void types_free(NameTypes *t);
const NameType *types_find(const NameTypes *t, const char *name);
/* Integers that a value is known to hold; NULL: not known. */
const int64_t *types_ints(const NameTypes *t, const char *name, Arena *a,
                          int *count);
/* The constant of a name; NULL: none. */
const Tensor *types_const(const NameTypes *t, const char *name);

typedef struct {
  NodeProto **node;
  int n;
} NodeList;

/* One conversion of one domain. */
typedef struct Convert {
  Edit *e;
  NameTypes *types;
  const char *domain;        /* "" or another */
  int to;
  int refused;
  const char *where;         /* of a function: its name; else NULL */
  GraphProto *g;       /* innermost graph; NULL: in a function */
  bool body;                 /* it is not the main graph */
  /* Of the step that runs: */
  NodeProto *n;
  const char *origin;        /* how messages call the node */
  int step;                  /* the version of its row */
  bool up, drop, failed;     /* drop: the node itself goes */
  NodeList before, after;
  int form;                  /* version of what the step makes */
  Dtype literal;             /* type of 1.5f; DT_NONE: that of input 0 */
  struct { const char *word, *name; } local[64]; /* of opset_text */
  int nlocal;
} Convert;

typedef void OpsetStep(Convert *c);

/* edit/opset_node.c: what steps are made of. */
void opset_refuse(Convert *c, const char *fmt, ...) PRINTF(2, 3);
const char *opset_in(const Convert *c, int k);   /* "": absent */
const char *opset_out(const Convert *c, int k);
void opset_set_in(Convert *c, int k, const char *name);
void opset_set_out(Convert *c, int k, const char *name);
void opset_trim(Convert *c);                     /* absent last inputs go */
const char *opset_name(Convert *c, const char *hint);
/* Attributes; one that is a function's parameter refuses. */
bool opset_has(Convert *c, const char *name);
int64_t opset_int(Convert *c, const char *name, int64_t none);
double opset_num(Convert *c, const char *name, double none);
const char *opset_word(Convert *c, const char *name, const char *none);
const int64_t *opset_list(Convert *c, const char *name, int *count);
const float *opset_nums(Convert *c, const char *name, int *count);
void opset_drop_attr(Convert *c, const char *name);
void opset_put_int(Convert *c, const char *name, int64_t v);
void opset_put_num(Convert *c, const char *name, double v);
void opset_put_word(Convert *c, const char *name, const char *v);
void opset_put_list(Convert *c, const char *name, const int64_t *v, int n);
void opset_put_nums(Convert *c, const char *name, const float *v, int n);
/* Constants: content of input k, and new ones. */
const int64_t *opset_ints(Convert *c, int k, int *count);
const Tensor *opset_const(Convert *c, int k);
const char *opset_new_ints(Convert *c, const int64_t *v, int n);
const char *opset_new_int(Convert *c, int64_t v);          /* rank 0 */
const char *opset_new_num(Convert *c, Dtype t, double v);  /* rank 0 */
const char *opset_new_nums(Convert *c, const float *v, int n);
/* Types of names. */
Dtype opset_dtype(const Convert *c, const char *name);
int opset_rank(const Convert *c, const char *name);
int64_t opset_dim(const Convert *c, const char *name, int k); /* -1: unknown */
void opset_say(Convert *c, const char *name, Dtype t, int rank);
bool opset_same_shape(const Convert *c, const char *a, const char *b);
NodeProto *opset_node_new(Convert *c, const char *op, int nin, int nout);
void opset_add(Convert *c, NodeList *to, NodeProto *n);

/* edit/opset_text.c: nodes from text, before the node:
 *   "t = ReduceMean<axes=[1,2], keepdims=1>($0); @0 = Sub($0, t)"
 * $k and @k are inputs and outputs of the node, words are new values, _ is an
 * absent input, 1.5f a constant of the type of input 0, 3 and [1,2] of int64.
 * A statement for outputs that nobody names is left out. Words are known until
 * the step ends. */
void opset_text(Convert *c, const char *fmt, ...) PRINTF(2, 3);
void opset_replace(Convert *c, const char *fmt, ...) PRINTF(2, 3); /* + drop */
void opset_alias(Convert *c, const char *word, const char *name);

#define OPSET(op, version, up, down) OpsetStep up, down;
#define OPSET_UP(op, version, up) OpsetStep up;
#define OPSET_DOWN(op, version, down) OpsetStep down;
#define OPSET_ATTR(op, version, name, value)
#include "opset.def"
#undef OPSET
#undef OPSET_UP
#undef OPSET_DOWN
#undef OPSET_ATTR
#endif
