/* SPDX-License-Identifier: Apache-2.0 */
/* What control.c and control_loop.c share: bodies, and nodes in their place. */
#ifndef O2C_CONTROL_H
#define O2C_CONTROL_H
#include "ir.h"

/* control.c */
Graph *control_body(const Node *n, const char *name); /* NULL: no such one */
/* The body before `at`; in[] are its inputs, out[] receives its outputs.
 * `trips`: of several copies; the shapes that it declares are of one only. */
void control_copy(Node *at, const Graph *body, Value *const *in, int nin,
                  Value **out, bool trips);
Graph *control_clone(Node *at, const Graph *body); /* for another node */
/* Nodes before `at`, of ai.onnx; not inferred yet. */
Value *control_op(Node *at, const char *op, int nin, Value *const *in);
Value *control_op2(Node *at, const char *op, Value *a, Value *b);
/* a where cond holds, else b; items of lists one by one. */
Value *control_select(Node *at, Value *cond, Value *a, Value *b);
/* x, under a condition that must be as `on` says. */
Value *control_require(Node *at, Value *cond, bool on, Value *x);
void control_drop(Graph *g); /* a body that has been copied */
/* Output i of n is `v`, by an Identity, which keeps name and declaration. */
void control_give(Node *n, int i, Value *v);
bool control_infer(Node *from, const Node *to); /* false: there are errors */
Node *control_first(const Node *n, const Node *before); /* after `before` */
bool control_scalar(Value *v, int64_t *x); /* false: not known */
int64_t control_list(const Node *n, const char *name, int i); /* or 0 */
/* The values of one scan output, put together along a new axis. */
Value *control_stack(Node *n, Value **v, int64_t trips, int64_t axis);
/* Has each trip an element of the same shape? Tells where not. */
bool control_alike(Node *n, int scan, Value **v, int64_t trips);

/* ops/random.c: nodes of [from, to), and of their bodies, stand in a loop of
 * the run (`.looped`); those that draw do so anew in each trip. Before
 * inference. */
void random_trips(Node *from, const Node *to, Value *trip);
bool random_draws(const Node *n); /* a node of ops/random.c */
/* Of nodes whose output has the name that n's has, how many stand before. */
int64_t random_copy(Node *n);

bool flex_inline(Node *n); /* ops/flex.c: a FlexAttention, in the same way */
bool gradient_inline(Node *n); /* gradient.c: a Gradient */

/* sequence_open.c: sequences whose length only the run tells. */
bool open_is(const Value *v);
/* Any sequence as one of those: nodes before `at`; NULL after a diagnostic. */
const List *open_list(Node *at, Value *v);
/* An optional value, or a sequence that stands for one, in that form. */
const List *open_optional(Node *at, Value *v);
bool open_is_optional(const Value *v);
bool open_get(Node *n); /* OptionalGetElement */
Value *open_made(Node *n, Value *v, ValueKind kind); /* v as this kind */
const List *open_empty(Node *at, Dtype type);
const List *open_append(Node *at, const List *l, Value *item);
Value *open_value(Graph *g, const List *l); /* optional: where it has `has` */
/* Items of l, and others of this rank and shape: what holds for all. */
void open_meet(List *l, int rank, const Dim *const *dim);
bool open_same(const List *a, const List *b); /* the same is known of both */
bool open_split(Node *n); /* SplitToSequence by sizes of the run */
bool open_inline(Node *n); /* an operator on one; false after a diagnostic */
Node *open_pack(Graph *g, const List *l);

/* control_loop.c: trips that fill() writes: from the number of the trip and the
 * carried values v[] it makes next[]; all may grow along axis 0. What is left
 * in v[] is what they are after the last trip. */
typedef bool (*LoopFill)(Node *n, void *ctx, Value *trip, Value *const *v,
                         Value **next);
bool control_repeat(Node *n, Value *trips, Value **v, int carried,
                    LoopFill fill, void *ctx);
/* control_loop.c: the node as a loop of the generated code, between a
 * LoopBegin and a LoopEnd of domain o2c. false after a diagnostic. */
bool control_loop(Node *n, const Graph *body, int carried, int scans);
bool control_scan(Node *n, const Graph *body, int nscan, const int64_t *axis);
/* control_distance.c: a Scan for distances as one node; false: it is none. */
bool control_distance(Node *n, const Graph *body);
/* ONNX Scan-8: one Scan-9 for each sample. */
bool control_scan8(Node *n, const Graph *body, int nscan);
#endif
