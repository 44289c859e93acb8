/* SPDX-License-Identifier: Apache-2.0 */
/* What gradient.c and the files of its rules share. */
#ifndef O2C_GRADIENT_H
#define O2C_GRADIENT_H
#include "control.h"

typedef struct {
  Node *at;          /* new nodes go before it */
  Value **of;        /* by id: the gradient of a value, as far as it is known */
  bool *active;      /* by id: does it depend on what is differentiated by? */
  int n;             /* ids that the two have */
} Grad;

/* The gradients of the inputs of `n`, whose output 0 has the gradient dy; NULL
 * where only others have one. false: not possible; a diagnostic may tell. */
typedef bool (*GradRule)(Grad *g, Node *n, Value *dy);
typedef struct { const char *op; GradRule rule; } GradRow;

/* gradient.c: nodes before g->at, inferred. */
Value *grad_op(Grad *g, const char *op, Value *a, Value *b, Value *c);
/* The same with an attribute that must be there for inference. */
Value *grad_op_int(Grad *g, const char *op, Value *a, Value *b,
                   const char *name, int64_t v);
Value *grad_number(Grad *g, const Value *like, double v);
Value *grad_cast(Grad *g, Value *v, Dtype t);
Value *grad_zeros(Grad *g, Value *like);
Value *grad_shaped(Grad *g, Value *v, Value *like); /* Reshape */
Value *grad_ints(Grad *g, const int64_t *v, int n);
/* v summed over the axes, which stay as ones. */
Value *grad_sum(Grad *g, Value *v, const int64_t *axes, int n);
bool grad_wanted(const Grad *g, const Node *n, int in);
/* Gradient `v` of input `in`, summed over axes that were broadcast. */
void grad_give(Grad *g, Node *n, int in, Value *v);
Value *grad_of(const Grad *g, const Value *v); /* NULL: none */
bool grad_refuse(Grad *g, Node *n, const char *why); /* false */

/* gradient_ew.c, _nn.c, _move.c, _window.c; op NULL ends them. */
extern const GradRow grad_rows_ew[], grad_rows_nn[], grad_rows_move[];
extern const GradRow grad_rows_window[];
#endif
