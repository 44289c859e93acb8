/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes past reshapes, for passes/layout.c.
 *
 *   x0 -Transpose-> x -Reshape-> y   becomes   x0 -Reshape-> y0 -Transpose-> y
 *
 * A reshape is a row of runs: neighbouring axes of x whose elements become
 * those of neighbouring axes of y. Where the axes of each run are neighbours in
 * x0 too, and in order, y0 has the runs of y in the order of x0. Where they are
 * neighbours out of order, as in the channel shuffle of ShuffleNet, they are
 * put in order by a Transpose of their own, if what is left of the other leads
 * back from channels-last. Axes of size 1 stand anywhere.
 */
#include "../ir.h"

typedef struct {
  int x, nx, y, ny; /* first axis and how many, of x and of y */
  int key;          /* its least place in x0 */
} Run;

typedef struct {
  Value *x0, *x, *y;
  const int64_t *perm;
  Run run[2 * MAX_RANK];
  int nrun;
  bool sorted;              /* the axes of each run are in order in x0 */
} View;

/* 1: x needs another axis to be as large as y; -1: y does; 0: not known. */
static int shorter(DimPool *p, const Dim *x, const Dim *y)
{
  int64_t a, b;
  if (dim_is_int(x, &a) && dim_is_int(y, &b))
    return a < b ? 1 : -1;
  return dim_div_exact(p, x, y) ? -1 : dim_div_exact(p, y, x) ? 1 : 0;
}

static bool find_run(View *v, Run *r)
{
  DimPool *p = &v->x->g->m->dims;
  const Dim *x = dim_int(p, 1), *y = x;
  bool begun = false;
  while (!begun || x != y) {
    int more = begun ? shorter(p, x, y) : r->x < v->x->rank ? 1 : -1;
    if (more > 0 && r->x + r->nx < v->x->rank)
      x = dim_mul(p, x, v->x->dim[r->x + r->nx++]);
    else if (more < 0 && r->y + r->ny < v->y->rank)
      y = dim_mul(p, y, v->y->dim[r->y + r->ny++]);
    else
      return false;
    begun = true;
  }
  return true;
}

static bool find_runs(View *v)
{
  Run r = { 0, 0, 0, 0, 0 };
  for (int i = 0; i < v->x->rank; i++)
    if (dim_is(v->x->dim[i], 0))
      return false;
  for (v->nrun = 0; r.x < v->x->rank || r.y < v->y->rank; v->nrun++) {
    if (!find_run(v, &r))
      return false;
    v->run[v->nrun] = r;
    r = (Run){ r.x + r.nx, 0, r.y + r.ny, 0, 0 };
  }
  return true;
}

/* Are its axes neighbours in x0? Also says whether they are in order. */
static bool is_run(View *v, Run *r)
{
  bool mine[MAX_RANK] = { false };
  int least = MAX_RANK, low = MAX_RANK, high = -1;
  for (int k = r->x; k < r->x + r->nx; k++) {
    int at = (int)v->perm[k];
    mine[at] = true;
    least = at < least ? at : least;
    if (dim_is(v->x->dim[k], 1))
      continue;
    v->sorted = v->sorted && at > high;
    low = at < low ? at : low;
    high = at > high ? at : high;
  }
  for (int i = low; i < high; i++)
    if (!mine[i] && !dim_is(v->x0->dim[i], 1))
      return false;
  r->key = high >= 0 ? low : least;
  return true;
}

static void sort_runs(View *v)
{
  for (int i = 1; i < v->nrun; i++)
    for (int k = i; k > 0 && v->run[k].key < v->run[k - 1].key; k--) {
      Run r = v->run[k];
      v->run[k] = v->run[k - 1];
      v->run[k - 1] = r;
    }
}

/* The axes of x0, run by run; and where the axes of y stand in y0. */
static void orders(const View *v, int64_t *gather, int64_t *back)
{
  int n = 0, at = 0;
  for (int i = 0; i < v->nrun; i++) {
    for (int k = 0; k < v->run[i].nx; k++)
      gather[n++] = v->perm[v->run[i].x + k];
    for (int k = 0; k < v->run[i].ny; k++)
      back[v->run[i].y + k] = at++;
  }
}

/* The shape as Reshape takes it; false where it can't say it. */
static bool shape_of(const Dim *const *from, int nfrom, const Dim *const *dim,
                     int rank, int64_t *shape)
{
  int holes = 0;
  for (int i = 0; i < rank; i++) {
    if (dim_is_int(dim[i], &shape[i]))
      continue;
    bool copied = i < nfrom && from[i] == dim[i];
    shape[i] = copied ? 0 : -1;
    holes += !copied;
  }
  return holes <= 1;
}

static Node *put(Node *at, const char *op, Value *x, int rank,
                 const Dim *const *dim)
{
  Node *n = node_new(at->g, at, op, 1, 1, at);
  node_set_input(n, 0, x);
  node_set_output(n, 0, value_new(at->g, x->name, x->dtype, rank, dim));
  return n;
}

static bool is_identity(const int64_t *perm, int rank)
{
  for (int i = 0; i < rank; i++)
    if (perm[i] != i)
      return false;
  return true;
}

/* From channels-last: 0, rank - 1, 1, 2, .. */
static bool leads_first(const int64_t *perm, int rank)
{
  for (int i = 0; i < rank; i++)
    if (perm[i] != (i == 0 ? 0 : i == 1 ? rank - 1 : i - 1))
      return false;
  return rank > 2;
}

/* The Reshape, and what turns its result into y. */
static void put_view(Node *n, View *v, Node *r, const int64_t *shape,
                     const int64_t *back)
{
  int rank = v->y->rank;
  int64_t order[MAX_RANK];
  for (int i = 0; i < rank; i++)
    order[back[i]] = i;
  same_permuted(r->out[0], v->y, order);
  node_set_input(r, 1, value_const_ints(n->g, "shape", shape, rank));
  if (is_identity(back, rank) && !v->y->is_output) {
    value_replace(v->y, r->out[0]);
    return;
  }
  Node *t = node_new(n->g, n, "Transpose", 1, 1, n);
  attr_set_ints(t, "perm", back, rank);
  node_set_input(t, 0, r->out[0]);
  node_set_output(t, 0, v->y);
}

static bool move(Node *n, View *v)
{
  int64_t gather[MAX_RANK], back[MAX_RANK], shape[MAX_RANK];
  const Dim *dim[MAX_RANK], *from[MAX_RANK];
  Value *x = v->x0;
  orders(v, gather, back);
  if (!v->sorted && (!leads_first(back, v->y->rank) || v->y->is_output))
    return false;
  for (int i = 0; i < v->y->rank; i++)
    dim[back[i]] = v->y->dim[i];
  for (int i = 0; i < x->rank; i++)
    from[i] = x->dim[v->sorted ? i : gather[i]];
  if (!shape_of(from, x->rank, dim, v->y->rank, shape))
    return false;
  if (!v->sorted) {
    Node *t = put(n, "Transpose", x, x->rank, from);
    attr_set_ints(t, "perm", gather, x->rank);
    x = t->out[0];
  }
  put_view(n, v, put(n, "Reshape", x, v->y->rank, dim), shape, back);
  node_remove(n);
  return true;
}

bool layout_sink_view(Node *n)
{
  View v = { .x = node_in(n, 0), .y = node_out(n, 0), .sorted = true };
  Node *t;
  int count;
  if (!op_is_view(n) || !v.y || !match_op(v.x, "Transpose", &t) ||
      v.x->rank < 1 || v.y->rank < 1 || n->nout > 1)
    return false;
  v.x0 = t->in[0];
  v.perm = attr_ints(t, "perm", &count);
  if (!find_runs(&v))
    return false;
  for (int i = 0; i < v.nrun; i++)
    if (!is_run(&v, &v.run[i]))
      return false;
  sort_runs(&v);
  return move(n, &v);
}
