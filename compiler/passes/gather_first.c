/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a table that is computed from constants are taken before they are
 * computed:
 *
 *   Gather(Cast(q) * s, i)  ->  Cast(Gather(q, i)) * Gather(s, i)
 *
 * An embedding in 8 bits is larger as f32, so that folding leaves it alone; the
 * program would compute the whole table in each run. Along axis 0, for
 * elementwise operators and DequantizeLinear: what has no such axis, or one of
 * length 1, broadcasts to the rows as it did to the table. It runs after
 * folding.
 */
#include "../ir.h"

/* One scale for all, or one for each row, which then needs axes behind it. */
static bool is_dequantize(const Node *n, bool *rows)
{
  QuantSpan s;
  if (!node_is(n, "DequantizeLinear") || !quantize_span(n, &s) ||
      attr_int(n, "block_size", 0))
    return false;
  *rows = s.axis == 0;
  return s.axis <= 0;
}

/* Is v a table that constants give, with a node for each step? */
static bool is_table(const Value *v)
{
  bool rows;
  if (!v || !v->def || v->is_output || v->rank < 1 || v->nuse != 1 ||
      v->def->nout != 1 || !v->def->op)
    return false;
  if (!(v->def->op->flags & OP_ELEMENTWISE) && !is_dequantize(v->def, &rows))
    return false;
  for (int i = 0; i < v->def->nin; i++)
    if (v->def->in[i] && !v->def->in[i]->data && !is_table(v->def->in[i]))
      return false;
  return true;
}

static Value *rows_of(Node *at, Value *v, Value *index)
{
  Value *y = node_op(at, "Gather", 2, v, index);
  attr_set_int(y->def, "axis", 0);
  return y;
}

/* [r] as [r, 1, ..], `rank` axes: a scale for each row. */
static Value *as_column(Node *at, Value *v, int rank)
{
  int64_t dim[MAX_RANK] = { 0 };
  if (!v || v->rank != 1)
    return v;
  dim[0] = -1;
  for (int i = 1; i < rank; i++)
    dim[i] = 1;
  return node_op(at, "Reshape", 2, v,
                 value_const_ints(at->g, "rows", dim, rank));
}

/* (x - z) s in f32, whose scales are taken by row: DequantizeLinear knows no
 * scale for each of several axes. */
static Value *dequantized(Node *at, const Node *n, Value *index)
{
  int rank = n->in[0]->rank;
  Value *in[3];
  for (int i = 0; i < 3; i++) {
    in[i] = node_in(n, i);
    if (in[i])
      in[i] = rows_of(at, i ? as_column(at, in[i], rank) : in[i], index);
  }
  Value *x = node_op(at, "CastLike", 2, in[0], n->in[1]);
  if (in[2])
    x = node_op(at, "Sub", 2, x, node_op(at, "CastLike", 2, in[2], n->in[1]));
  return node_op(at, "Mul", 2, x, in[1]);
}

static Value *table_rows(Node *at, Value *table, Value *index)
{
  const Node *n = table->def;
  bool rows = false;
  if (table->data)
    return rows_of(at, table, index);
  if (is_dequantize(n, &rows) && rows)
    return dequantized(at, n, index);
  Value **in = NEW(&at->g->m->arena, Value *, n->nin + 1);
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    bool whole = v && v->rank == table->rank && !dim_is(v->dim[0], 1);
    in[i] = whole ? table_rows(at, v, index) : v;
  }
  Node *c = node_new(at->g, at, n->op_type, n->nin, 1, n);
  c->attr = n->attr;
  c->nattr = n->nattr;
  for (int i = 0; i < n->nin; i++)
    node_set_input(c, i, in[i]);
  node_set_output(c, 0, value_tmp(at->g, table->name, NULL));
  infer_node(c);
  return c->out[0];
}

static bool gather_first(Node *n)
{
  if (!node_is(n, "Gather") || attr_int(n, "axis", 0) != 0 ||
      !is_table(node_in(n, 0)) || n->in[1]->rank < 1 || n->in[1]->data)
    return false;
  /* A row of one element, or a table of one row, would broadcast. */
  if (dim_is(n->in[0]->dim[0], 1))
    return false;
  value_replace(n->out[0], table_rows(n, n->in[0], n->in[1]));
  node_remove(n);
  return true;
}

bool pass_gather_first(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= gather_first(n);
  }
  if (changed)
    dead_code(g);
  return changed;
}
