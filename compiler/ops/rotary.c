/* SPDX-License-Identifier: Apache-2.0 */
/* RotaryEmbedding: heads of [N, H, S, D], or rows of [N, S, H D]. */
#include "../ir.h"

typedef struct { const Dim *n, *h, *s, *d, *turned; } Rotary;

static bool read_sizes(Node *n, Rotary *r)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  int64_t heads = attr_int(n, "num_heads", 0), size;
  int64_t turned = attr_int(n, "rotary_embedding_dim", 0);
  if (x->rank != 3 && x->rank != 4) {
    fail_model(n, "X is rank %d (spec: 3 or 4)", x->rank);
    return false;
  }
  if (x->rank == 3 && heads < 1) {
    fail_model(n, "num_heads is %lld (spec: needed for X of rank 3)",
               (long long)heads);
    return false;
  }
  *r = (Rotary){ x->dim[0], x->dim[1], x->dim[2], NULL, NULL };
  if (x->rank == 4) {
    r->d = x->dim[3];
  } else {
    r->h = dim_int(p, heads);
    r->s = x->dim[1];
    r->d = dim_div_exact(p, x->dim[2], r->h);
  }
  if (!r->d) {
    fail_model(n, "%s elements are no multiple of %lld heads",
               dim_text(p, x->dim[2]), (long long)heads);
    return false;
  }
  r->turned = turned ? dim_int(p, turned) : r->d;
  if (dim_is_int(r->turned, &turned) &&
      (turned < 0 || turned % 2 ||
       (dim_is_int(r->d, &size) && turned > size))) {
    fail_model(n, "%lld elements can't be turned (spec: an even number, at "
               "most those of a head)", (long long)turned);
    return false;
  }
  return true;
}

/* Tables [rows, half] with position_ids, [N, S, half] without. */
static bool check_table(Node *n, const Value *v, const Rotary *r)
{
  bool placed = node_in(n, 3) != NULL;
  DimPool *p = node_dims(n);
  int rank = placed ? 2 : 3;
  if (v->rank != rank) {
    fail_model(n, "a table is rank %d (spec: %d %s position_ids)", v->rank,
               rank, placed ? "with" : "without");
    return false;
  }
  if (!infer_equal(n, v->dim[rank - 1],
                   dim_div(p, r->turned, dim_int(p, 2)),
                   "columns of a table, half of the elements turned"))
    return false;
  return placed || ((dim_is(v->dim[0], 1) ||
                     infer_equal(n, v->dim[0], r->n, "tables, batch of X")) &&
                    infer_equal(n, v->dim[1], r->s, "rows of a table, of X"));
}

static bool check_place(Node *n, const Value *v, const Rotary *r)
{
  const Value *cosines = n->in[1], *sines = n->in[2];
  if (!v) return infer_equal(n, value_numel(cosines), value_numel(sines),
                             "elements of cos_cache, of sin_cache");
  if (v->rank != 2) {
    fail_model(n, "position_ids is rank %d (spec: 2)", v->rank);
    return false;
  }
  return (dim_is(v->dim[0], 1) ||
          infer_equal(n, v->dim[0], r->n, "rows of position_ids, of X")) &&
         infer_equal(n, v->dim[1], r->s, "columns of position_ids, of X") &&
         infer_equal(n, cosines->dim[0], sines->dim[0],
                     "rows of cos_cache, of sin_cache");
}

static void infer_rotary(Node *n)
{
  Rotary r;
  if (infer_ready(n) && read_sizes(n, &r) && check_table(n, n->in[1], &r) &&
      check_table(n, n->in[2], &r) && check_place(n, node_in(n, 3), &r))
    infer_same(n, 0, 0);
}

static void lower_rotary(Lower *l, Node *n)
{
  Rotary r;
  const Value *x = n->in[0];
  Value *place = node_in(n, 3), *table = n->in[1];
  const Value *by = place ? place : table;
  DimPool *p = node_dims(n);
  if (!read_sizes(n, &r)) return;
  const Dim *one = dim_int(p, 1), *zero = dim_int(p, 0);
  bool flat = x->rank == 3;
  const Dim *row = flat ? dim_mul(p, r.h, r.d) : r.d;
  const Dim *head = flat ? r.d : dim_mul(p, r.s, r.d);
  const Dim *step[] = { dim_mul(p, dim_mul(p, r.h, r.s), r.d), head, row,
                        dim_is(by->dim[0], 1) ? zero : r.s, one };
  const Dim *dim[] = { r.n, r.h, r.s, r.d, r.turned, table->dim[0] };
  lower_call(l, n, "rotary", x->dtype, "iiiioDDk", n->in[0], table, n->in[2],
             place, n->out[0], dim, COUNT(dim), step, COUNT(step),
             (int64_t)(attr_int(n, "interleaved", 0) != 0));
}

/* Images stay apart; tables with position_ids are for all. */
static int axis_rotary(const Node *n, int in, int axis, int out)
{
  (void)out;
  bool own = in == 0 || in == 3 || !node_in(n, 3);
  return axis == 0 && own ? 0 : AXIS_MIXES;
}

static const OpRow rows[] = {
  { 23, "X:T cos_cache:T sin_cache:T position_ids:M? -> Y:T",
    "T=f32 f16 bf16; M=i64", "interleaved:i num_heads:i rotary_embedding_dim:i",
    NULL },
};

static const OpDef defs[] = {
  { .name = "RotaryEmbedding", .rows = rows, .nrow = COUNT(rows),
    .infer = infer_rotary, .lower = lower_rotary, .axis = axis_rotary },
};

OPS_DEFINE(rotary, defs)
