/* SPDX-License-Identifier: Apache-2.0 */
/* f32 ReduceSum, ReduceMean, ReduceMax, ReduceMin and pools of all of an image
 * by reduce_f32.h: neighbouring axes at once, and other groups of them one
 * after the other, the last first. Norms, products and logarithms of sums of
 * one group are those of norms_f32.h. Others go to the reference kernels. */
#include "cpu.h"
#include "ops.h"

/* Axes that are reduced, or kept, together. */
typedef struct {
  int n;
  bool gone[MAX_RANK];
  const Dim *dim[MAX_RANK];
} Groups;

static bool is_global(const Node *n)
{
  return node_is(n, "GlobalMaxPool") || node_is(n, "GlobalAveragePool");
}

static bool axes_of(const Node *n, bool gone[MAX_RANK])
{
  const Value *x = n->in[0];
  if (!is_global(n))
    return reduce_axes(n, gone);
  int first = attr_int(n, "channels_last", 0) ? 1 : 2;
  for (int i = 0; i < x->rank; i++)
    gone[i] = i >= first && i < first + x->rank - 2;
  return true;
}

static bool groups_of(const Node *n, Groups *g)
{
  const Value *x = n->in[0];
  DimPool *d = &n->g->m->dims;
  bool gone[MAX_RANK], any = false;
  g->n = 0;
  if (!axes_of(n, gone))
    return false;
  for (int i = 0; i < x->rank; i++) {
    if (dim_is(x->dim[i], 1))
      continue;
    any = any || gone[i];
    if (g->n && g->gone[g->n - 1] == gone[i]) {
      const Dim **last = &g->dim[g->n - 1];
      *last = dim_mul(d, *last, x->dim[i]);
      continue;
    }
    g->gone[g->n] = gone[i];
    g->dim[g->n++] = x->dim[i];
  }
  return any;
}

typedef struct {
  const char *kernel;
  bool mean;
  double factor;          /* of a step that does not end a mean */
} Reduce;

/* The call for group k, whose successors are reduced already. */
static const char *stage_text(Step *s, const Groups *g, int k, const Reduce *r,
                              const char *from, const char *to, bool last)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *inner = dim_int(d, 1), *all = inner;
  const char *factor = r->factor < 0 ? "-1.0f" : "1.0f";
  for (int i = k + 1; i < g->n; i++)
    if (!g->gone[i])
      inner = dim_mul(d, inner, g->dim[i]);
  for (int i = 0; i < g->n; i++)
    if (g->gone[i])
      all = dim_mul(d, all, g->dim[i]);
  if (last && r->mean)
    factor = arena_printf(s->plan->a, "(float)(%s)", step_dim_text(s, all));
  return arena_printf(s->plan->a, "  %s(%s, %s, %s, %s, %s, %s);\n", r->kernel,
                      from, to, step_dim_text(s, dim_prod(d, g->dim, k)),
                      step_dim_text(s, g->dim[k]), step_dim_text(s, inner),
                      factor);
}

static void put_stages(Step *s, const Groups *g, const Reduce *r)
{
  Arena *a = s->plan->a;
  DimPool *d = &s->plan->m->dims;
  const char *from = "x", *text = "";
  int left = 0;
  for (int i = 0; i < g->n; i++)
    left += g->gone[i];
  for (int k = g->n - 1; left > 0; k--) {
    if (!g->gone[k])
      continue;
    const char *to = --left ? arena_printf(a, "part%d", left) : "y";
    if (left) {
      const Dim *size = dim_prod(d, g->dim, k);
      for (int i = k + 1; i < g->n; i++)
        if (!g->gone[i])
          size = dim_mul(d, size, g->dim[i]);
      step_scratch(s, to, DT_F32, size);
    }
    text = arena_printf(a, "%s%s", text,
                        stage_text(s, g, k, r, from, to, !left));
    from = to;
  }
  step_text(s, "BODY", "%s", text);
}

/* What norms_f32.h calls the operator; NULL: it has no such one. */
static const char *norm_of(const Node *n)
{
  static const struct { const char *op, *of; } known[] = {
    { "ReduceL1", "L1" }, { "ReduceL2", "L2" }, { "ReduceProd", "PROD" },
    { "ReduceSumSquare", "SUM_SQUARE" }, { "ReduceLogSum", "LOG_SUM" },
    { "ReduceLogSumExp", "LOG_SUM_EXP" },
  };
  for (int i = 0; i < COUNT(known); i++)
    if (node_is(n, known[i].op))
      return known[i].of;
  return NULL;
}

static bool lower_norms(Plan *p, Node *n, const char *of)
{
  DimPool *d = &p->m->dims;
  Groups g;
  int k = 0, gone = 0;
  if (n->in[0]->dtype != DT_F32 || !groups_of(n, &g))
    return false;
  for (int i = 0; i < g.n; i++)
    if (g.gone[i]) {
      k = i;
      gone++;
    }
  if (gone != 1)
    return false;
  Step *s = step_new(p, n, "NORMS");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_dim(s, "OUTER", dim_prod(d, g.dim, k));
  step_dim(s, "LENGTH", g.dim[k]);
  step_dim(s, "INNER", dim_prod(d, g.dim + k + 1, g.n - k - 1));
  step_text(s, "OF", "O2C_OF_%s", of);
  s->kernel_note = "norms_f32";
  step_kernel(s, "norms_f32.h");
  return true;
}

bool lower_reduce_f32(Plan *p, Node *n)
{
  if (norm_of(n))
    return lower_norms(p, n, norm_of(n));
  bool mean = node_is(n, "ReduceMean") || node_is(n, "GlobalAveragePool");
  bool sum = mean || node_is(n, "ReduceSum"), least = node_is(n, "ReduceMin");
  bool most = node_is(n, "ReduceMax") || node_is(n, "GlobalMaxPool");
  Groups g;
  if ((!sum && !least && !most) || n->in[0]->dtype != DT_F32 ||
      !groups_of(n, &g))
    return false;
  Reduce r = { sum ? "o2c_reduce_sum_f32" : "o2c_reduce_max_f32", mean,
               least ? -1 : 1 };
  Step *s = step_new(p, n, "REDUCE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  put_stages(s, &g, &r);
  s->kernel_note = "reduce_f32";
  step_kernel(s, "reduce_f32.h");
  return true;
}
