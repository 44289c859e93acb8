/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise work on bytes by ew_u8.h: DynamicQuantizeLinear, and chains from
 * one byte to one byte with a function like exp in them, such as a Gelu between
 * two QDQ pairs: the compiler computes all 256 of it. Cheaper chains, whose
 * vector code is faster than a table, are left to ew.c. */
#include "cpu.h"

#include <string.h>

bool lower_dynamic_quantize(Plan *p, Node *n)
{
  static const char *const name[] = { "y", "scale", "zero" };
  if (!node_is(n, "DynamicQuantizeLinear"))
    return false;
  for (int i = 0; i < 3; i++)
    if (!node_out(n, i))
      return false;
  Step *s = step_new(p, n, "DYNAMIC_QUANTIZE");
  step_in(s, "x", n->in[0]);
  for (int i = 0; i < 3; i++)
    step_out(s, name[i], n->out[i]);
  step_dim(s, "N", value_numel(n->in[0]));
  step_kernel(s, "ew_u8.h");
  s->kernel_note = "ew_u8";
  return true;
}

static bool is_byte(const Value *v)
{
  return v->dtype == DT_U8 || v->dtype == DT_I8;
}

/* Does the expression call more than what vectors have instructions for? */
static bool is_costly(const EwStep *s)
{
  static const char *const cheap[] = {
    "fabs", "sqrt", "o2c_clamp", "o2c_min", "o2c_max",
  };
  const char *text = s->kind == ES_OP ? s->op->text[ew_class(s->type)] : NULL;
  for (; text && (text = strstr(text, "M(")) != NULL; text += 2) {
    bool found = false;
    for (int i = 0; i < COUNT(cheap); i++)
      found = found || !strncmp(text + 2, cheap[i], strlen(cheap[i]));
    if (!found)
      return true;
  }
  return false;
}

/* The only operand that is no scalar constant, if it is bytes like the result;
 * its number, or -1. */
static int table_operand(const Node *n)
{
  int at = -1;
  for (int i = 0; i < n->nin; i++) {
    const Value *v = n->in[i];
    if (!v || (v->data && v->data->n == 1) || (at >= 0 && v == n->in[at]))
      continue;
    if (at >= 0 || v->data || !is_byte(v) || !value_same_shape(v, n->out[0]))
      return -1;
    at = i;
  }
  return at;
}

/* What the node makes of each byte, as a constant; NULL: not possible. */
static Value *table_of(Node *n, const Value *x)
{
  Graph *g = n->g;
  const Dim *dim[MAX_RANK];
  int64_t size[MAX_RANK];
  int rank = x->rank;
  for (int i = 0; i < rank; i++) {
    size[i] = i + 1 < rank ? 1 : 256;
    dim[i] = dim_int(&g->m->dims, size[i]);
  }
  Tensor *all = tensor_new(&g->m->arena, x->dtype, rank, size);
  for (int64_t i = 0; i < 256; i++)
    tensor_set_i64(all, i, x->dtype == DT_I8 && i > 127 ? i - 256 : i);
  Value *bytes = value_const(g, "bytes", all);
  Node *t = node_new(g, n, n->op_type, n->nin, 1, n);
  t->domain = n->domain;
  t->version = n->version;
  t->op = n->op;
  t->attr = n->attr;
  t->nattr = n->nattr;
  t->fused = n->fused;
  for (int i = 0; i < n->nin; i++)
    node_set_input(t, i, n->in[i] == x ? bytes : n->in[i]);
  node_set_output(t, 0, value_new(g, "table", n->out[0]->dtype, rank, dim));
  Value *y = ew_eval(t) ? value_const(g, "table", t->out[0]->data) : NULL;
  node_remove(t);
  return y;
}

bool table_takes(Node *n)
{
  if (!n->op || n->nout < 1 || !n->out[0] || n->out[0]->rank < 1 ||
      !is_byte(n->out[0]))
    return false;
  const EwChain *c = table_operand(n) >= 0 ? ew_chain(n) : NULL;
  for (int i = 0; c && i < c->n; i++)
    if (is_costly(&c->step[i]))
      return true;
  return false;
}

bool lower_table_u8(Plan *p, Node *n)
{
  Value *x = table_takes(n) ? n->in[table_operand(n)] : NULL;
  Value *table = x ? table_of(n, x) : NULL;
  if (!table)
    return false;
  Step *s = step_new(p, n, "TABLE_U8");
  step_in(s, "x", x);
  step_in(s, "table", table);
  step_out(s, "y", n->out[0]);
  if (x->dtype == n->out[0]->dtype && x->nuse == 1 && !x->is_input &&
      !x->is_output)
    step_in_place(s, "y", "x");
  step_dim(s, "N", value_numel(x));
  step_kernel(s, "ew_u8.h");
  s->kernel_note = "ew_u8, table";
  return true;
}
