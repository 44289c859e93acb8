/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise work on bytes by ew_u8.h: DynamicQuantizeLinear; sums of two
 * dequantised tensors that are quantised again, as residual connections are;
 * and chains from one byte to one byte with a function like exp in them, such
 * as a Gelu between two QDQ pairs: the compiler computes all 256 of it. Cheaper
 * chains, whose vector code is faster than a table, are left to ew.c. */
#include "cpu.h"

#include <math.h>
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

/* Q(clamp(DQ(a) + DQ(b))): what o2c_add_u8 wants to know. */
typedef struct {
  const Node *n;
  Value *x[2];
  float scale[3]; /* of a, b and the result */
  int zp[3];
  float low, high; /* bounds of the sum */
  int nx, last;    /* operands found; the step whose result goes on */
  bool added;
} Sum;

static bool sum_scalar(const Sum *m, int arg, double *v)
{
  const Tensor *t = arg >= 0 ? m->n->in[arg]->data : NULL;
  if (!t || t->n != 1)
    return false;
  *v = tensor_f64(t, 0);
  return true;
}

static bool sum_params(Sum *m, const EwStep *s, int k)
{
  double scale, zp = 0;
  if (!sum_scalar(m, s->arg[1], &scale) || !(scale > 0) ||
      (s->arg[2] != EW_ABSENT && !sum_scalar(m, s->arg[2], &zp)))
    return false;
  m->scale[k] = (float)scale;
  m->zp[k] = (int)zp;
  return isfinite(scale);
}

static bool sum_operand(Sum *m, const EwStep *s)
{
  Value *x = s->arg[0] >= 0 ? m->n->in[s->arg[0]] : NULL;
  if (m->nx == 2 || !x || x->dtype != DT_U8 || x->data || s->out != DT_F32 ||
      !value_same_shape(x, m->n->out[0]) || !sum_params(m, s, m->nx))
    return false;
  m->x[m->nx++] = x;
  return true;
}

/* Relu, AtLeast and AtMost move the bounds; the sum itself comes first. */
static bool sum_op(Sum *m, const EwStep *s, int at)
{
  const char *name = s->op->def.name;
  double v = 0;
  if (s->type != DT_F32)
    return false;
  if (!m->added) {
    m->added = m->nx == 2 && s->arg[0] + s->arg[1] == ~0 + ~1 &&
               s->arg[0] != s->arg[1] && s->arg[0] < 0 && s->arg[1] < 0 &&
               (!strcmp(name, "Add") || !strcmp(name, "Sum"));
    m->last = at;
    return m->added;
  }
  bool most = !strcmp(name, "AtMost");
  if (s->arg[0] != ~m->last ||
      (strcmp(name, "Relu") && ((!most && strcmp(name, "AtLeast")) ||
                                !sum_scalar(m, s->arg[1], &v))) || isnan(v))
    return false;
  m->low = most ? fminf(m->low, (float)v) : fmaxf(m->low, (float)v);
  m->high = most ? fminf(m->high, (float)v) : fmaxf(m->high, (float)v);
  m->last = at;
  return true;
}

static bool sum_match(Sum *m, const EwChain *c)
{
  if (!c || c->n < 4 || m->n->out[0]->dtype != DT_U8)
    return false;
  for (int i = 0; i < c->n; i++) {
    const EwStep *s = &c->step[i];
    bool end = i == c->n - 1, ok = false;
    if (s->kind == ES_DEQUANTIZE)
      ok = !m->added && sum_operand(m, s);
    else if (s->kind == ES_OP)
      ok = sum_op(m, s, i);
    else if (s->kind == ES_QUANTIZE)
      ok = end && m->added && s->arg[0] == ~m->last && sum_params(m, s, 2);
    if (!ok || (end && s->kind != ES_QUANTIZE))
      return false;
  }
  return true;
}

/* Rounding and division keep order, so bounds may be taken after them. */
static int sum_bound(const Sum *m, float v)
{
  float q = nearbyintf(v / m->scale[2]) + (float)m->zp[2];
  return q <= 0 ? 0 : q >= 255 ? 255 : (int)q;
}

/* Is one of a, b and y not dense? */
static bool sum_has_rows(const Plan *p, Value *const *v)
{
  return is_strided(p, v[0]) || is_strided(p, v[1]) || is_strided(p, v[2]);
}

/* Can rows say how they are stored? */
static bool sum_rows_fit(const Plan *p, Value *const *v)
{
  int64_t c;
  if (!sum_has_rows(p, v))
    return true;
  if (v[2]->rank != 4 || !dim_is(v[2]->dim[0], 1) ||
      !dim_is_int(v[2]->dim[3], &c))
    return false;
  return stored_pixel(p, v[0]) == c && stored_pixel(p, v[1]) == c &&
         stored_pixel(p, v[2]) == c;
}

/* Dense operands are one row; images with a border have rows of their own. */
static void sum_put_rows(const Sum *m, Step *s, Value *const *v)
{
  static const char *const name[] = { "a", "b", "y" };
  static const char *const at[] = { "A", "B", "Y" };
  static const char *const row[] = { "A_ROW", "B_ROW", "Y_ROW" };
  Plan *p = s->plan;
  const Value *y = m->n->out[0];
  DimPool *d = &p->m->dims;
  bool rows = sum_has_rows(p, v);
  step_dim(s, "ROWS", rows ? y->dim[1] : dim_int(d, 1));
  step_dim(s, "N", rows ? dim_mul(d, y->dim[2], y->dim[3]) : value_numel(y));
  for (int i = 0; i < 3; i++) {
    step_text(s, at[i], "%s", stored_pixels(s, name[i], v[i]));
    step_dim(s, row[i], rows ? stored_row(p, v[i]) : dim_int(d, 0));
  }
}

bool lower_add_u8(Plan *p, Node *n)
{
  static const char *const name[] = { "A", "B", "Y" };
  Sum m = { .n = n, .low = -INFINITY, .high = INFINITY };
  if (!n->op || n->nout < 1 || !n->out[0] || n->out[0]->rank < 1 ||
      !sum_match(&m, ew_chain(n)))
    return false;
  Value *const v[] = { m.x[0], m.x[1], n->out[0] };
  if (!sum_rows_fit(p, v))
    return false;
  Step *s = step_new(p, n, "ADD_U8");
  step_in(s, "a", m.x[0]);
  step_in(s, "b", m.x[1]);
  step_out(s, "y", n->out[0]);
  for (int i = 0; i < 2; i++)
    if (m.x[i]->nuse == 1 && !m.x[i]->is_input && !m.x[i]->is_output)
      step_in_place(s, "y", i ? "b" : "a");
  for (int i = 0; i < 3; i++) {
    step_float(s, arena_printf(p->a, "%s_SCALE", name[i]), (double)m.scale[i]);
    step_int(s, arena_printf(p->a, "%s_ZP", name[i]), m.zp[i]);
  }
  step_int(s, "LO", sum_bound(&m, m.low));
  step_int(s, "HI", sum_bound(&m, m.high));
  sum_put_rows(&m, s, v);
  halo_put_border(s, "y", n->out[0]);
  step_kernel(s, "ew_u8.h");
  s->kernel_note = "ew_u8, sum";
  return true;
}
