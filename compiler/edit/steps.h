/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps share that change values, or bring in other graphs. */
#ifndef O2C_EDIT_STEPS_H
#define O2C_EDIT_STEPS_H
#include "edit.h"

/* graft.c: nodes of one graph in another one. A Map of names holds the new
 * name (char *) of each name that changes. */
/* Missing names are empty ones from here on, so that nobody has to ask. */
void names_fill(Edit *e);
/* How many graphs and functions make each name, as (uintptr_t). */
void names_count(Edit *e, Map *count);
/* Names that nodes make, in their bodies too; the value is not NULL. */
void names_made(Edit *e, NodeProto *const *n, size_t count, Map *made);
void names_of_graph(Edit *e, const GraphProto *g, Map *made);
void names_change(Edit *e, NodeProto **n, size_t count, const Map *to);
void names_change_graph(Edit *e, GraphProto *g, const Map *to);
/* What reads a name of the map reads the new one, also in bodies that don't
 * make a value of that name themselves. */
void names_redirect(Edit *e, NodeProto **n, size_t count, const Map *to);
/* The nodes of `branch`, a body of the If `n`, stand at `at` of g, and make
 * what `n` did; how many they are. */
size_t graft_branch(Edit *e, GraphProto *g, size_t at, const NodeProto *n,
                    GraphProto *branch);

/* inline.c: another operator set; it is not there yet. */
bool model_import_opset(Edit *e, const char *domain, int64_t version);

/* merge.c */
/* Another model, as messages of this Edit; NULL after a diagnostic. */
ModelProto *edit_read(Edit *e, const char *path);
/* By domain, name and overload. */
bool function_same(const FunctionProto *a, const FunctionProto *b);

/* look.c */
typedef struct {
  Model *m;              /* owns the values */
  Map value;             /* name of the main graph -> Value */
  Map type;              /* any name -> its type, -1 where there are two */
  Edit *e;
  bool fine;             /* import and inference came to an end */
} Look;
bool look_open(Edit *e, const ModelProto *mp, Look *l); /* l->fine */
void look_close(Look *l);
const Value *look_at(const Look *l, const char *name); /* NULL: not known */
/* Dtype; DT_COUNT: no tensor; -1: not known. Of bodies' names too. */
int look_type(const Look *l, const char *name);
const char *look_why(Edit *e, const Look *l); /* its first error */

/* "64K", "3M", "2G" or a number. */
bool edit_size(const char *s, int64_t *v);
#endif
