/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces: values that stand in the storage of another one, so that a Concat,
 * Split or Slice has nothing to move.
 *
 * Its record's `strided` calls tell what it moves. Where all of a Concat's
 * input goes to one place of the output, the input's own step can write there:
 * anywhere if the place is contiguous; else the input's runs along its last
 * axis lie `pitch` elements apart, and its writer and all its readers must be
 * steps that take strides. Likewise what all of an output of Split or Slice
 * comes from. A Concat's result may be a piece of a further one. What can't be
 * a piece is moved as ever, into the piece's place or out of it.
 */
#include "target.h"

#include <string.h>

/* BitCast only names what it moves differently. */
static bool alike(const MoveList *m, Dtype a, Dtype b)
{
  return a == b || (m->checked && dtype_info(a)->size == dtype_info(b)->size);
}

/* A call of the record; see lower_block. */
static void collect(Lower *l, const Call *c)
{
  MoveList *m = l->user;
  if (m->checked && !c->custom && !strncmp(c->kernel, "check_", 6))
    return;
  if (strcmp(c->kernel, "strided") ||
      !alike(m, c->arg[0].v->dtype, c->arg[1].v->dtype)) {
    m->other = true;
    return;
  }
  m->move = arena_grow(&l->m->arena, m->move, m->n, sizeof *m->move);
  Move *v = &m->move[m->n++];
  *v = (Move){ .x = c->arg[0].v, .y = c->arg[1].v, .xoff = c->arg[3].dim[0],
               .yoff = c->arg[4].dim[0], .rank = c->arg[5].n };
  for (int i = 0; i < v->rank; i++)
    v->axis[i] = (MoveAxis){ c->arg[5].dim[i], c->arg[6].dim[i],
                             c->arg[7].dim[i] };
}

static bool belongs(const Node *n, const Value *v)
{
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] == v)
      return true;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] == v)
      return true;
  return false;
}

static bool collect_moves(Node *n, MoveList *m, bool checked)
{
  Lower l = { .m = n->g->m, .emit = collect, .user = m };
  *m = (MoveList){ .checked = checked };
  if (!n->op || !n->op->lower || !(checked || n->op->flags & OP_MOVES))
    return false;
  n->op->lower(&l, n);
  for (int i = 0; i < m->n; i++)
    if (!belongs(n, m->move[i].x) || !belongs(n, m->move[i].y))
      return false;
  return !m->other && m->n > 0;
}

bool moves_of(Node *n, MoveList *m)
{
  return collect_moves(n, m, false);
}

bool moves_checked(Node *n, MoveList *m)
{
  return collect_moves(n, m, true);
}

static bool stands_before(const MoveAxis *a, const MoveAxis *b)
{
  int64_t x, y;
  return dim_is_int(a->ys, &x) && dim_is_int(b->ys, &y) && x > y;
}

void move_tidy(DimPool *d, Move *v)
{
  int n = 0;
  for (int i = 0; i < v->rank; i++) {
    MoveAxis a = v->axis[i];
    if (dim_is(a.n, 1))
      continue;
    int k = n++;
    for (; k > 0 && stands_before(&a, &v->axis[k - 1]); k--)
      v->axis[k] = v->axis[k - 1];
    v->axis[k] = a;
  }
  v->rank = n;
  n = 0;
  for (int i = 0; i < v->rank; i++) {
    const MoveAxis *b = &v->axis[i];
    MoveAxis *a = n ? &v->axis[n - 1] : NULL;
    if (a && a->xs == dim_mul(d, b->xs, b->n) &&
        a->ys == dim_mul(d, b->ys, b->n))
      *a = (MoveAxis){ dim_mul(d, a->n, b->n), b->xs, b->ys };
    else
      v->axis[n++] = *b;
  }
  v->rank = n;
}

static int64_t last_dim(const Value *v)
{
  int64_t n;
  return v->rank && dim_is_int(v->dim[v->rank - 1], &n) ? n : -1;
}

/* Is the move's side `part` all of that value, and the other side a run, or
 * runs along the last axis at its places in `whole`? */
static bool piece_of(Plan *p, const Move *move, bool part_is_x, Piece *piece)
{
  Move m = *move;
  DimPool *d = &p->m->dims;
  Value *part = part_is_x ? m.x : m.y, *whole = part_is_x ? m.y : m.x;
  const Dim *n = dim_int(d, 1);
  move_tidy(d, &m);
  if (m.rank > 2 || !dim_is(part_is_x ? m.xoff : m.yoff, 0) ||
      !dim_is_int(part_is_x ? m.yoff : m.xoff, &piece->offset))
    return false;
  piece->whole = whole;
  piece->pitch = 0;
  for (int i = m.rank - 1; i >= 0; i--) {
    const Dim *own = part_is_x ? m.axis[i].xs : m.axis[i].ys;
    const Dim *there = part_is_x ? m.axis[i].ys : m.axis[i].xs;
    if (own != n)
      return false;
    if (there != n) {
      int64_t width;
      if (i != 0 || m.rank != 2 || !dim_is_int(m.axis[1].n, &width) ||
          width != last_dim(part) || !dim_is_int(there, &piece->pitch) ||
          piece->pitch != last_dim(whole) || piece->offset < 0 ||
          piece->offset + width > piece->pitch)
        return false;
    }
    n = dim_mul(d, n, m.axis[i].n);
  }
  return n == value_numel(part);
}

typedef struct {
  Plan *p;
  int *number;           /* of the node that makes a value, plus 1 */
  const Guard **guard;
  int *home;
  bool *firm;            /* holds contiguous pieces: not to be strided */
} Pieces;

static bool plain_value(const Value *v)
{
  return v->kind == VK_TENSOR && v->dtype != DT_STR && !v->data;
}

/* May all steps around `v` find it with strides? */
static bool takes_strides(const Pieces *s, Value *v)
{
  if (v->is_output || s->firm[v->id] || !v->def || v->rank < 2)
    return false;
  for (int i = -1; i < v->nuse; i++) {
    Node *n = i < 0 ? v->def : v->use[i];
    const Target *t = target_of(s->p, n);
    if (!t || !t->takes_strides || !t->takes_strides(s->p, n, v, false))
      return false;
  }
  return true;
}

static bool has_output(const Plan *p, const Value *root)
{
  for (int i = 0; i < p->g->nout; i++)
    if (value_root(p->g->out[i]) == root)
      return true;
  return false;
}

/* In no loop, and in the same branch as node number `k`. */
static bool runs_with(const Pieces *s, const Node *n, int k)
{
  int own = -1;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i])
      own = s->number[n->out[i]->id] - 1;
  return own >= 0 && s->home[own] < 0 && s->home[k] < 0 &&
         s->guard[own] == s->guard[k] && !n->nsize &&
         !node_is_internal(n, "LoopEnd");
}

static void keep(Pieces *s, Value *v, const Piece *piece)
{
  Piece *kept = NEW(s->p->a, Piece, 1);
  *kept = *piece;
  s->p->piece[v->id] = kept;
  if (!piece->pitch)
    s->firm[piece->whole->id] = s->firm[value_root(piece->whole)->id] = true;
}

/* An input that is stored in the output from the start. */
static void join_input(Pieces *s, const Move *m, int k)
{
  Piece piece;
  Value *root = value_root(m->x);
  if (!plain_value(root) || !root->def || s->p->piece[root->id] ||
      root->is_input || has_output(s->p, root) || root->rank < 0 ||
      !runs_with(s, root->def, k) || !piece_of(s->p, m, true, &piece) ||
      (piece.pitch && (root != m->x || !takes_strides(s, root))) ||
      (!piece.pitch && stored_pitch(s->p, m->y)))
    return;
  keep(s, root, &piece);
}

/* An output that is read where it stands in the input: not a small part of
 * one that would have to be kept for it. */
static void join_output(Pieces *s, const Move *m)
{
  Piece piece;
  int64_t part, whole;
  Value *y = m->y, *x = m->x;
  if (!plain_value(x) || has_output(s->p, y) || s->p->piece[y->id] ||
      !piece_of(s->p, m, false, &piece) ||
      (dim_is_int(value_numel(y), &part) &&
       dim_is_int(value_numel(x), &whole) && part < whole / 8) ||
      (piece.pitch && !takes_strides(s, y)) ||
      (!piece.pitch && stored_pitch(s->p, x)))
    return;
  keep(s, y, &piece);
}

static void join_node(Pieces *s, Node *n, int k)
{
  MoveList m;
  bool joins = node_is(n, "Concat");
  if ((!joins && !node_is(n, "Split") && !node_is(n, "Slice")) || n->nsize ||
      s->home[k] >= 0 || !moves_of(n, &m))
    return;
  for (int i = 0; i < m.n; i++)
    if (joins)
      join_input(s, &m.move[i], k);
    else
      join_output(s, &m.move[i]);
}

void plan_pieces(Plan *p, const Guard **guard)
{
  Pieces s = { .p = p, .guard = guard };
  int n = 0;
  p->piece_values = p->m->nvalue;
  p->piece = NEW(p->a, const Piece *, p->piece_values + 1);
  p->bordered = NEW(p->a, bool, p->piece_values + 1);
  s.number = NEW(p->a, int, p->piece_values + 1);
  s.firm = NEW(p->a, bool, p->piece_values + 1);
  for (const Node *x = p->g->first; x; x = x->next, n++)
    for (int i = 0; i < x->nout; i++)
      if (x->out[i])
        s.number[x->out[i]->id] = n + 1;
  s.home = plan_homes(p, n);
  n = 0;
  for (Node *x = p->g->first; x; x = x->next)
    if (!p->device) /* a piece and its whole might lie apart */
      join_node(&s, x, n++);
}

/* Values made after plan_pieces are none. */
const Piece *piece_find(const Plan *p, const Value *v)
{
  return p->piece && v->id < p->piece_values ? p->piece[v->id] : NULL;
}

bool piece_stands(const Plan *p, const Move *m)
{
  int64_t at;
  const Piece *in = piece_find(p, value_root(m->x)), *out;
  if (in && in->whole == m->y && dim_is_int(m->yoff, &at) && at == in->offset)
    return true;
  out = piece_find(p, m->y);
  return out && out->whole == m->x;
}

Value *stored_in(const Plan *p, Value *v)
{
  for (;;) {
    v = value_root(v);
    const Piece *piece = piece_find(p, v);
    if (!piece)
      return v;
    v = piece->whole;
  }
}

int64_t stored_at(const Plan *p, Value *v)
{
  int64_t at = 0;
  for (;;) {
    v = value_root(v);
    const Piece *piece = piece_find(p, v);
    if (!piece)
      return at;
    at += piece->offset;
    v = piece->whole;
  }
}

int64_t stored_pitch(const Plan *p, Value *v)
{
  int64_t pitch = 0;
  for (;;) {
    v = value_root(v);
    const Piece *piece = piece_find(p, v);
    if (!piece)
      return pitch;
    if (piece->pitch)
      pitch = piece->pitch;
    v = piece->whole;
  }
}

int64_t stored_pixel(const Plan *p, Value *v)
{
  int64_t pitch = stored_pitch(p, v);
  return pitch ? pitch : last_dim(v);
}

void stored_strides(const Plan *p, Value *v, const Dim **stride)
{
  DimPool *d = &p->m->dims;
  int64_t pitch = stored_pitch(p, v);
  const Halo *h = halo_find(p, v);
  value_strides(v, stride);
  if (!pitch && !h)
    return;
  const Dim *s = pitch ? dim_int(d, pitch) : v->dim[v->rank - 1];
  for (int i = v->rank - 2; i >= 0; i--) {
    const Dim *n = v->dim[i];
    stride[i] = s;
    if (h && i == 2)
      n = dim_add(d, n, dim_int(d, h->left + h->right));
    if (h && i == 1)
      n = dim_add(d, n, dim_int(d, h->top + h->bottom));
    s = dim_mul(d, s, n);
  }
}
