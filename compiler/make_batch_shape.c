/* SPDX-License-Identifier: Apache-2.0 */
/* --make-batch: operands of nodes that hold the 1 of the batch.
 *
 * The targets of Reshape and Expand, the lists of Slice, the sizes of Resize
 * and its kin. A target is rewritten with 0 and -1 where that says it; else it
 * is put together of the old one and of the size of an input. What replaces an
 * operand is made of plain ONNX nodes, so that it can go back into a file.
 */
#include "make_batch.h"
#include <string.h>

/* --- Trying --------------------------------------------------------------- */

/* The text of an error, without the model and the node. */
static const char *bare(const char *text)
{
  const char *at = strstr(text, "): ");
  return at ? at + 3 : text;
}

const char *rebatch_try(Node *n, void (*infer)(Node *n))
{
  Model *m = n->g->m;
  Diag *last = m->diag_last;
  int nerror = m->nerror, nwarning = m->nwarning;
  infer(n);
  if (m->nerror == nerror) return NULL;
  const char *why = NULL;
  for (Diag *d = last ? last->next : m->diags; d && !why; d = d->next)
    if (d->sev == SEV_ERROR) why = bare(d->text);
  m->diag_last = last;
  if (last) last->next = NULL;
  else m->diags = NULL;
  m->nerror = nerror;
  m->nwarning = nwarning;
  m->dims.told = false;
  n->bad = false;
  n->size = NULL;
  n->nsize = 0;
  for (int o = 0; o < n->nout; o++) {
    if (!n->out[o]) continue;
    n->out[o]->bad = n->out[o]->inferred = false;
    n->out[o]->rank = -1;
  }
  return why;
}

/* --- Pieces of shapes ----------------------------------------------------- */

static Value *ints(Rebatch *r, Graph *g, const int64_t *v, int n)
{
  Value *c = value_const_ints(g, "batch", v, n);
  rebatch_trace(r, c);
  return c;
}

static Value *part(Rebatch *r, Node *at, Value *v, int64_t from, int64_t to)
{
  int64_t zero = 0;
  Graph *g = at->g;
  return node_op(at, "Slice", 4, v, ints(r, g, &from, 1), ints(r, g, &to, 1),
                 ints(r, g, &zero, 1));
}

static Value *join(Node *at, Value *const *v, int n)
{
  if (n == 1) return v[0];
  Node *c = node_new(at->g, at, "Concat", n, 1, at);
  for (int i = 0; i < n; i++) node_set_input(c, i, v[i]);
  attr_set_int(c, "axis", 0);
  node_set_output(c, 0, value_tmp(at->g, "shape", NULL));
  infer_node(c);
  return c->out[0];
}

/* The number of samples, int64 [1]; one node for the whole graph. */
static Value *samples(Rebatch *r)
{
  if (r->size) return r->size;
  Graph *g = r->m->main;
  Value *x = r->source;
  int64_t axis = rebatch_trace(r, x)->at.axis;
  Node *n = node_new(g, g->first, "Shape", 1, 1, NULL);
  node_set_input(n, 0, x);
  node_set_output(n, 0, value_tmp(g, "samples", NULL));
  attr_set_int(n, "start", axis);
  attr_set_int(n, "end", axis + 1);
  infer_node(n);
  return r->size = n->out[0];
}

/* The list `old` of numbers, where number k is a multiple of the samples. */
static Value *patched(Rebatch *r, Node *at, Value *old, int k, int n)
{
  Value *v[3];
  int count = 0;
  if (old->dtype != DT_I64) old = node_cast(at, old, DT_I64);
  if (k) v[count++] = part(r, at, old, 0, k);
  v[count++] = node_op(at, "Mul", 2, part(r, at, old, k, k + 1), samples(r));
  if (k + 1 < n) v[count++] = part(r, at, old, k + 1, n);
  return join(at, v, count);
}

Value *rebatch_repeat(Rebatch *r, Node *at, Value *v, int k)
{
  int64_t one[MAX_RANK];
  Value *piece[3];
  int n = 0, rank = v->rank;
  for (int i = 0; i < rank; i++) one[i] = 1;
  if (k) piece[n++] = ints(r, at->g, one, k);
  piece[n++] = samples(r);
  if (k + 1 < rank) piece[n++] = ints(r, at->g, one, rank - k - 1);
  const char *op = dim_is(v->dim[k], 1) ? "Expand" : "Tile";
  return node_op(at, op, 2, v, join(at, piece, n));
}

void rebatch_note(Rebatch *r, const Node *n, BatchEdit e)
{
  e.node = n;
  e.op = n->origin ? n->origin->op : n->op_type;
  e.out = n->out[0] ? n->out[0]->name : "";
  r->edit = arena_grow(&r->m->arena, r->edit, r->nedit, sizeof *r->edit);
  r->edit[r->nedit++] = e;
}

/* Input `in` becomes these numbers. */
static void set_ints(Rebatch *r, Node *n, int in, const int64_t *v, int count)
{
  BatchEdit e = {.kind = BATCH_INTS, .in = in, .count = count};
  memcpy(e.v, v, sizeof *v * (size_t)count);
  rebatch_note(r, n, e);
  node_set_input(n, in, ints(r, n->g, v, count));
}

/* Number k of input `in` becomes a multiple of the samples. */
static void set_patched(Rebatch *r, Node *n, int in, int k, int count)
{
  Dtype t = n->in[in]->dtype;
  rebatch_note(r, n, (BatchEdit){.kind = BATCH_PATCH, .in = in, .k = k,
                                 .count = count});
  node_set_input(n, in, node_cast(n, patched(r, n, n->in[in], k, count), t));
}

/* --- Views ---------------------------------------------------------------- */

BatchPlace rebatch_view(const Rebatch *r, const Node *n, BatchPlace at)
{
  DimPool *p = &r->m->dims;
  const Value *x = n->in[0], *y = n->out[0];
  const Dim *outer = dim_mul(p, dim_prod(p, x->dim, at.axis), at.outer);
  const Dim *passed = dim_int(p, 1);
  BatchPlace none = {-1, passed};
  for (int i = 0; i < y->rank; i++) {
    if (!dim_has(p, y->dim[i], r->sym)) {
      passed = dim_mul(p, passed, y->dim[i]);
      continue;
    }
    const Dim *w = dim_div_exact(p, outer, passed);
    const Dim *per = dim_div_exact(p, y->dim[i], r->n);
    if (!w || !per || !dim_div_exact(p, per, w)) return none;
    return (BatchPlace){i, w};
  }
  return none;
}

typedef struct {
  Rebatch *r;
  Node *n;
  Value *x;
  BatchPlace at;              /* of x */
  int rank;
  const Dim *y[MAX_RANK];         /* the target, at batch 1 */
  const Dim *old[MAX_RANK];       /* what the operand says */
  BatchPlace way[2 * MAX_RANK];
  int ways;
} Target;

/* The shape that the operand means at batch 1; false: not known. */
static bool read_target(Target *t)
{
  DimPool *p = &t->r->m->dims;
  const Dim *const *s = infer_content(t->n, 1, &t->rank);
  const Dim *all = dim_int(p, 1), *rest = all;
  int hole = -1;
  if (!s || t->rank > MAX_RANK) return false;
  for (int i = 0; i < t->x->rank; i++)
    all = dim_mul(p, all, rebatch_one(t->r, t->x->dim[i]));
  for (int i = 0; i < t->rank; i++) {
    t->old[i] = s[i];
    t->y[i] = rebatch_one(t->r, s[i]);
    if (dim_is(s[i], -1)) {
      if (hole >= 0) return false;
      hole = i;
      continue;
    }
    if (dim_is(s[i], 0) && !attr_int(t->n, "allowzero", 0)) {
      if (i >= t->x->rank) return false;
      t->y[i] = rebatch_one(t->r, t->x->dim[i]);
    }
    rest = dim_mul(p, rest, t->y[i]);
  }
  if (hole < 0) return all == rest;
  if (dim_is(rest, 0)) return false;
  t->y[hole] = dim_div_exact(p, all, rest);
  return t->y[hole] != NULL;
}

static void add_way(Target *t, BatchPlace w)
{
  for (int i = 0; i < t->ways; i++)
    if (t->way[i].axis == w.axis && t->way[i].outer == w.outer) return;
  t->way[t->ways++] = w;
}

static bool has_way(const BatchPlace *w, int n, BatchPlace at)
{
  for (int i = 0; i < n; i++)
    if (w[i].axis == at.axis && w[i].outer == at.outer) return true;
  return false;
}

/* All axes that could be the batch: as many elements stand before. `plain` is
 * what the operand says as it is; axis -1: it does not fit. The likely ones
 * come first: the same axis, of the same size; a 1; what the operand says. */
static void find_ways(Target *t, BatchPlace plain)
{
  DimPool *p = &t->r->m->dims;
  const Dim *one = dim_int(p, 1), *passed = one;
  const Dim *outer = dim_mul(p, dim_prod(p, t->x->dim, t->at.axis),
                             t->at.outer);
  const Dim *own = rebatch_one(t->r, t->x->dim[t->at.axis]);
  BatchPlace all[MAX_RANK];
  int n = 0;
  for (int i = 0; i < t->rank; i++) {
    const Dim *w = dim_div_exact(p, outer, passed);
    if (!w || dim_is(passed, 0)) break;
    if (dim_div_exact(p, t->y[i], w)) all[n++] = (BatchPlace){i, w};
    passed = dim_mul(p, passed, t->y[i]);
  }
  for (int i = 0; i < n; i++)
    if (all[i].axis == t->at.axis && all[i].outer == t->at.outer &&
        t->y[all[i].axis] == own) add_way(t, all[i]);
  bool said = plain.axis >= 0 && has_way(all, n, plain);
  if (said && (plain.outer == one || t->rank < t->x->rank)) add_way(t, plain);
  for (int i = 0; i < n; i++)
    if (all[i].outer == one && dim_is(t->y[all[i].axis], 1)) add_way(t, all[i]);
  for (int i = 0; i < n; i++)
    if (all[i].outer == one) add_way(t, all[i]);
  if (said) add_way(t, plain);
  for (int i = 0; i < n; i++) add_way(t, all[i]);
}

/* The target with the batch in place `w`, by numbers, 0 and one -1. false: it
 * can't be said so. */
static bool plain_target(const Target *t, BatchPlace w, int64_t *v)
{
  DimPool *p = &t->r->m->dims;
  bool zero = !attr_int(t->n, "allowzero", 0);
  int hole = -1;
  for (int i = 0; i < t->rank; i++) {
    const Dim *d = i == w.axis ? dim_mul(p, t->y[i], t->r->n) : t->y[i];
    if (dim_is_int(d, &v[i]) && v[i] > 0) continue;
    if (dim_is(d, 0)) return false;
    bool copy = zero && i < t->x->rank && t->x->dim[i] == d;
    if (!copy && hole >= 0) return false;
    if (!copy) hole = i;
    v[i] = copy ? 0 : -1;
  }
  return true;
}

static void rewrite_reshape(Rebatch *r, Node *n, void (*infer)(Node *n))
{
  Target t = {.r = r, .n = n, .x = n->in[0],
              .at = rebatch_trace(r, n->in[0])->at};
  if (t.at.axis < 0 || !read_target(&t)) return;
  BatchPlace plain = {-1, NULL};
  if (!rebatch_try(n, infer)) plain = rebatch_view(r, n, t.at);
  find_ways(&t, plain);
  if (!t.ways) return;
  uint64_t used = 0;
  BatchPlace w = t.way[rebatch_choose(r, t.ways, n, &used)];
  rebatch_trace(r, n->out[0])->choices |= used;
  if (w.axis == plain.axis && w.outer == plain.outer) return;
  int64_t v[MAX_RANK];
  if (plain_target(&t, w, v)) set_ints(r, n, 1, v, t.rank);
  else set_patched(r, n, 1, w.axis, t.rank);
}

/* --- Other operands ------------------------------------------------------- */

/* The batch is broadcast to its own size: where the target holds that of one
 * sample, 1 says the same. */
static void rewrite_expand(Rebatch *r, Node *n)
{
  int count;
  const Value *x = n->in[0];
  BatchPlace at = rebatch_trace(r, x)->at;
  const Dim *const *s = infer_content(n, 1, &count);
  int to = s ? at.axis + count - x->rank : -1;
  if (at.axis < 0 || to < 0 || dim_is(s[to], 1) || s[to] == x->dim[at.axis] ||
      s[to] != rebatch_one(r, x->dim[at.axis])) return;
  set_patched(r, n, 1, to, count);
}

/* Numbers of a list; false: not known. */
static bool numbers(const Node *n, int in, int64_t *v, int *count)
{
  const Dim *const *s = infer_content(n, in, count);
  if (!s || *count > MAX_RANK) return false;
  for (int i = 0; i < *count; i++)
    if (!dim_is_int(s[i], &v[i])) return false;
  return true;
}

/* A cut that leaves a sample whole leaves all samples. */
static void rewrite_slice(Rebatch *r, Node *n)
{
  int64_t from[MAX_RANK], to[MAX_RANK], axis[MAX_RANK], step[MAX_RANK], k;
  int count, same, rank = n->in[0]->rank;
  BatchPlace at = rebatch_trace(r, n->in[0])->at;
  if (at.axis < 0 || !numbers(n, 1, from, &count) ||
      !numbers(n, 2, to, &same) ||
      !dim_is_int(rebatch_one(r, n->in[0]->dim[at.axis]), &k)) return;
  for (int i = 0; i < count; i++) axis[i] = i, step[i] = 1;
  if (same != count || (node_in(n, 3) && !numbers(n, 3, axis, &same)) ||
      (node_in(n, 4) && !numbers(n, 4, step, &same)) || same != count) return;
  bool some = false;
  for (int i = 0; i < count; i++) {
    bool own = axis[i] == at.axis || axis[i] + rank == at.axis;
    bool all = (from[i] == 0 || from[i] <= -k) && to[i] >= k && step[i] == 1;
    if (!own || !all) continue;
    from[i] = 0;
    to[i] = INT64_MAX;
    some = true;
  }
  if (!some) return;
  set_ints(r, n, 1, from, count);
  set_ints(r, n, 2, to, count);
  set_ints(r, n, 3, axis, count);
  set_ints(r, n, 4, step, count);
}

static void become_identity(Node *n)
{
  node_drop_inputs(n, 1);
  n->op_type = "Identity";
  n->op = op_find("", n->op_type);
  n->version = n->op->rows[n->op->nrow - 1].since;
  n->attr = NULL;
  n->nattr = 0;
}

/* All slices of a sample, in order. */
static void rewrite_gather(Rebatch *r, Node *n)
{
  int64_t v[MAX_RANK], k;
  int count;
  const Value *x = n->in[0];
  BatchPlace at = rebatch_trace(r, x)->at;
  int64_t own = attr_int(n, "axis", 0);
  if (own < 0) own += x->rank;
  if (at.axis < 0 || own != at.axis || n->in[1]->rank != 1 ||
      !numbers(n, 1, v, &count) ||
      !dim_is_int(rebatch_one(r, x->dim[own]), &k) || k != count) return;
  for (int i = 0; i < count; i++)
    if (v[i] != i && v[i] != i - k) return;
  rebatch_note(r, n, (BatchEdit){.kind = BATCH_IDENTITY});
  become_identity(n);
}

/* A list of sizes, input `in`, of all axes or of those that `axes` names. */
static void rewrite_sizes(Rebatch *r, Node *n, int in, int axis)
{
  int count, listed, k = axis;
  const Dim *const *s = infer_content(n, in, &count);
  const int64_t *axes = attr_ints(n, "axes", &listed);
  if (!s || axis < 0) return;
  for (int i = 0; axes && i < listed; i++) {
    if (!i) k = -1;
    if (axes[i] == axis || axes[i] + n->in[0]->rank == axis) k = i;
  }
  if (k < 0 || k >= count || s[k] != rebatch_one(r, n->in[0]->dim[axis]))
    return;
  set_patched(r, n, in, k, count);
}

void rebatch_rewrite(Rebatch *r, Node *n, void (*infer)(Node *n))
{
  rebatch_trace(r, n->out[0] ? n->out[0] : n->in[0]);
  if (!n->nout || !n->out[0] || r->done[n->out[0]->id] || !infer_ready(n))
    return;
  int id = n->out[0]->id, axis = rebatch_trace(r, n->in[0])->at.axis;
  if (node_is(n, "Reshape")) rewrite_reshape(r, n, infer);
  if (node_is(n, "Expand")) rewrite_expand(r, n);
  if (node_is(n, "Slice") && node_in(n, 2)) rewrite_slice(r, n);
  if (node_is(n, "Gather")) rewrite_gather(r, n);
  if (node_is(n, "Resize") && node_in(n, 3)) rewrite_sizes(r, n, 3, axis);
  if (node_is(n, "CenterCropPad")) rewrite_sizes(r, n, 1, axis);
  if (node_is(n, "AffineGrid")) rewrite_sizes(r, n, 1, axis);
  r->done[id] = true;
}
