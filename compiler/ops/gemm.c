/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm: Y = alpha A' B' + beta C. */
#include "ir.h"

typedef struct { const Dim *m, *n, *k, *kb; } GemmShape;

static void gemm_shape(const Node *n, GemmShape *s)
{
  const Value *a = node_in(n, 0), *b = node_in(n, 1);
  int ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
  s->m = a->dim[ta];
  s->k = a->dim[1 - ta];
  s->kb = b->dim[tb];
  s->n = b->dim[1 - tb];
}

/* C broadcasts to [m, n], not the other way round. */
static bool addend_fits(Node *n, const Value *c, const GemmShape *s)
{
  const Dim *to[2] = { s->m, s->n };
  if (c->rank > 2) {
    fail_model(n, "C is rank %d (spec: at most 2)", c->rank);
    return false;
  }
  for (int i = 0; i < c->rank; i++) {
    int axis = 2 - c->rank + i;
    if (!dim_is(c->dim[i], 1) &&
        !infer_equal(n, c->dim[i], to[axis],
                     axis ? "columns of C and of Y" : "rows of C and of Y"))
      return false;
  }
  return true;
}

static void infer_gemm(Node *n)
{
  GemmShape s;
  const Value *a = node_in(n, 0), *b = node_in(n, 1), *c = node_in(n, 2);
  if (!infer_ready(n) || !a || !b)
    return;
  if (a->rank != 2 || b->rank != 2) {
    fail_model(n, "A is rank %d, B rank %d (spec: 2)", a->rank, b->rank);
    return;
  }
  gemm_shape(n, &s);
  if (!infer_equal(n, s.k, s.kb, "columns of A, rows of B") ||
      (c && !addend_fits(n, c, &s)))
    return;
  infer_out(n, 0, a->dtype, 2, (const Dim *[]){ s.m, s.n });
}

static void lower_gemm(Lower *l, Node *n)
{
  GemmShape s;
  Value *a = node_in(n, 0), *b = node_in(n, 1), *c = node_in(n, 2);
  bool ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
  const Dim *one = dim_int(node_dims(n), 1), *zero = dim_int(node_dims(n), 0);
  gemm_shape(n, &s);
  const Dim *cm = zero, *cn = zero;
  if (c && c->rank == 2 && !dim_is(c->dim[0], 1))
    cm = c->dim[1];
  if (c && c->rank > 0 && !dim_is(c->dim[c->rank - 1], 1))
    cn = one;
  lower_call(l, n, "gemm", a->dtype, "iiiodddddddddff", a, b, c,
             node_out(n, 0), s.m, s.n, s.k, ta ? one : s.k, ta ? s.m : one,
             tb ? one : s.n, tb ? s.k : one, cm, cn,
             (double)attr_float(n, "alpha", 1),
             (double)attr_float(n, "beta", 1));
}

static int axis_gemm(const Node *n, int in, int axis, int out)
{
  (void)out;
  int ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
  if (in == 0)
    return axis == ta ? 0 : AXIS_MIXES;
  if (in == 1)
    return axis == 1 - tb ? 1 : AXIS_MIXES;
  return axis + 2 - n->in[2]->rank;
}

/* ONNX Gemm-7 broadcasts C without being asked. */
static void upgrade_broadcast(Node *n)
{
  attr_remove(n, "broadcast");
}

#define ATTRS "alpha:f beta:f transA:i transB:i"

static const OpRow rows[] = {
  { 1, "A:T B:T C:T -> Y:T", "T=float", ATTRS " broadcast:i",
    upgrade_broadcast },
  { 6, NULL, NULL, NULL, upgrade_broadcast },
  { 7, NULL, NULL, ATTRS, NULL },
  { 9, NULL, "T=num32", NULL, NULL },
  /* ONNX Gemm-11: "as if C is a scalar 0" */
  { 11, "A:T B:T C:T? -> Y:T", NULL, NULL, NULL },
  { 13, NULL, "T=num32 bf16", NULL, NULL },
};

static const OpDef defs[] = {
  { .name = "Gemm", .rows = rows, .nrow = COUNT(rows), .infer = infer_gemm,
    .lower = lower_gemm, .axis = axis_gemm },
};

OPS_DEFINE(gemm, defs)
