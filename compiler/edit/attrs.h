/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes, attributes and tensors that are written as text in steps. */
#ifndef O2C_EDIT_ATTRS_H
#define O2C_EDIT_ATTRS_H
#include "edit.h"

/* attrs.c; the bools are false after a diagnostic. */
bool attr_write(Edit *e, NodeProto *n, const char *name, const char *text);
NodeProto *node_parse(Edit *e, const char *text); /* "Op", "Domain.Op" */
bool node_words(Edit *e, NodeProto *n, const char *const *word, int count);
void domain_import(Edit *e, const Body *b, const char *domain);

/* files.c */
/* A .pb or .npy file, or "int64[2]:3,4"; NULL after a diagnostic. */
TensorProto *edit_tensor_text(Edit *e, const char *name, const char *text);

/* cut.c: removes nodes whose outputs nobody reads, among those that `seeds`
 * and what they read come from; returns how many went. */
typedef struct { NodeProto **n; int count; } Nodes;
void nodes_add(Edit *e, Nodes *all, NodeProto *n);
int remove_dead(Edit *e, const Body *b, const Nodes *among);
/* The node at `at` goes, and what reads its first output reads `in`; false: it
 * stays, as the output is one of the graph and can't be `in`. */
bool bypass_node(Edit *e, const Body *b, size_t at, const char *in);
/* "in1,in2:out1,out2" in two; false after a diagnostic. */
bool parse_ends(Edit *e, const char *text, const char **in, const char **out);
/* Names that bodies inside of `b` make: a redirected name must not be one. */
Map *inner_names(Edit *e, const Body *b);
#endif
