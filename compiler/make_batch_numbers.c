/* SPDX-License-Identifier: Apache-2.0 */
/* --make-batch: tensors that hold the samples' numbers.
 *
 * Exporters index masks by them: Range(batch), spread by Expand and joined to
 * tuples, is what GatherND gets, so that each sample picks out of itself. Such
 * numbers may be moved and joined, and may index the axis of the batch; what
 * else reads them computes from a sample's place.
 */
#include "make_batch.h"

static bool is_whole(const Value *v, int64_t want)
{
  int64_t n = 0;
  if (v->data) return tensor_f64(v->data, 0) == (double)want;
  return v->sym && v->sym[0] && dim_is_int(v->sym[0], &n) && n == want;
}

/* Range(0, samples, 1). */
static bool counts(const Rebatch *r, const Node *n)
{
  return node_is(n, "Range") && is_whole(n->in[0], 0) &&
         is_whole(n->in[2], 1) && n->in[1]->sym && n->in[1]->sym[0] == r->n;
}

/* The one input that holds numbers; -1: none, -2: several. */
static int holder(Rebatch *r, const Node *n)
{
  int found = -1;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && rebatch_trace(r, n->in[i])->holds)
      found = found == -1 ? i : -2;
  return found;
}

static bool only_casts(const Node *n)
{
  Dtype t = n->out[0] ? n->out[0]->dtype : DT_NONE;
  return node_is(n, "Identity") ||
         (node_is(n, "Cast") && (t == DT_I32 || t == DT_I64));
}

static bool only_moves(const Node *n)
{
  return op_is_view(n) || node_is(n, "Expand") || only_casts(n);
}

/* Numbers first, then other tensors, along a last axis of its own. */
static bool joins(Rebatch *r, const Node *n)
{
  const Value *v = n->in[0];
  int64_t axis = attr_int(n, "axis", 0);
  if (axis < 0) axis += v->rank;
  return node_is(n, "Concat") && axis == v->rank - 1 &&
         rebatch_trace(r, v)->at.axis != axis && dim_is(v->dim[axis], 1);
}

/* Broadcasting for the sake of the shape: nobody reads the elements. */
static bool only_shaped(const Node *n)
{
  const Value *v = n->out[0];
  bool only = n->nout == 1 && v->nuse > 0 && !v->is_output;
  for (int i = 0; only && i < v->nuse; i++)
    only = node_is(v->use[i], "Shape") || node_is(v->use[i], "Size");
  return only;
}

/* Does the node index the batch of its data by the numbers of input 1? */
static bool indexes(Rebatch *r, const Node *n, Numbers what)
{
  if (!node_is(n, "GatherND") && !node_is(n, "Gather")) return false;
  const Value *index = n->in[1];
  BatchPlace at = rebatch_trace(r, n->in[0])->at;
  if (at.axis != 0 || !dim_is(at.outer, 1) || n->in[0]->dim[0] != r->n)
    return false;
  if (node_is(n, "Gather"))
    return what == NUMBERS_ALONE && !attr_int(n, "axis", 0);
  return !attr_int(n, "batch_dims", 0) && index->rank > 0 &&
         (what == NUMBERS_FIRST || dim_is(index->dim[index->rank - 1], 1));
}

Numbers rebatch_numbers(Rebatch *r, const Node *n)
{
  if (counts(r, n)) return NUMBERS_ALONE;
  int i = holder(r, n);
  if (i) return NUMBERS_NONE;
  Numbers what = rebatch_trace(r, n->in[0])->holds;
  if (what == NUMBERS_FIRST)
    return only_casts(n) ? what : NUMBERS_NONE;
  if (joins(r, n)) return NUMBERS_FIRST;
  return only_moves(n) ? what : NUMBERS_NONE;
}

bool rebatch_place_numbers(Rebatch *r, const Node *n, BatchPlace *out,
                           const char **why)
{
  int i = holder(r, n);
  *why = NULL;
  if (counts(r, n)) {
    out[0] = (BatchPlace){0, dim_int(&r->m->dims, 1)};
    return true;
  }
  if (i == -1 || only_shaped(n) || rebatch_numbers(r, n)) return false;
  BatchPlace at = i == 1 ? rebatch_trace(r, n->in[1])->at
                         : (BatchPlace){-1, NULL};
  int to = at.axis < 0 ? -1 : node_axis(n, 1, at.axis, 0);
  if (to >= 0 && indexes(r, n, rebatch_trace(r, n->in[1])->holds)) {
    out[0] = (BatchPlace){to, at.outer};
    return true;
  }
  *why = "it computes from the numbers of the samples, so that a sample's "
         "result would depend on its place";
  return true;
}
