/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that only move elements: Concat, Split, Slice, Transpose, Expand, Tile
 * and whatever else the reference kernel `strided` would do. The operator's
 * record tells which blocks it copies; all of them are one launch, a row of
 * the grid for each.
 *
 * Neighbouring threads write neighbouring elements. Runs that are contiguous
 * on both sides, and whose every place allows it, move in words of up to 16
 * bytes; where the input is contiguous along another axis than the output, the
 * two are a matrix that goes through tiles in shared memory. Select and Require
 * copy.
 */
#include "cuda.h"

enum { MOST_MOVES = 256, TILE = 32, WORD = 16 };

bool cuda_takes_move(const Plan *p, const Node *n)
{
  MoveList m;
  (void)p;
  if (!n->op || !n->op->lower || op_is_view(n))
    return false;
  return moves_checked((Node *)(uintptr_t)n, &m) && m.n <= MOST_MOVES;
}

typedef struct {
  Plan *p;
  Step *s;
  MoveList all;
  StrBuf body;
  const Dim *most;    /* turns of a thread that the largest move takes */
  bool tiles, runs;   /* some move goes by tiles; not by them */
} Moves;

static bool is_empty(const Move *v)
{
  for (int i = 0; i < v->rank; i++)
    if (dim_is(v->axis[i].n, 0))
      return true;
  return false;
}

static bool divides(int k, const Dim *d)
{
  return dim_is(d, 0) || dim_content(d) % k == 0;
}

/* May it move `k` elements at a time? */
static bool in_words(const Move *v, int k)
{
  const MoveAxis *last = &v->axis[v->rank - 1];
  if (!v->rank || !dim_is(last->xs, 1) || !dim_is(last->ys, 1) ||
      !divides(k, last->n) || !divides(k, v->xoff) || !divides(k, v->yoff))
    return false;
  for (int i = 0; i < v->rank - 1; i++)
    if (!divides(k, v->axis[i].xs) || !divides(k, v->axis[i].ys))
      return false;
  return true;
}

static const Dim *share(DimPool *d, const Dim *v, int k)
{
  return k > 1 ? dim_div(d, v, dim_int(d, k)) : v;
}

/* Counts in words instead of elements; their size. */
static int put_words(DimPool *d, Move *v)
{
  int size = dtype_info(v->x->dtype)->size, k = WORD / size;
  while (k > 1 && !in_words(v, k))
    k /= 2;
  if (k <= 1)
    return size;
  for (int i = 0; i < v->rank - 1; i++) {
    v->axis[i].xs = share(d, v->axis[i].xs, k);
    v->axis[i].ys = share(d, v->axis[i].ys, k);
  }
  v->axis[v->rank - 1].n = share(d, v->axis[v->rank - 1].n, k);
  v->xoff = share(d, v->xoff, k);
  v->yoff = share(d, v->yoff, k);
  return size * k;
}

static bool is_long(const Dim *d)
{
  int64_t n;
  return !dim_is_int(d, &n) || n >= TILE / 4;
}

/* Puts the axis along which the input is contiguous last but one, where the
 * output is contiguous along the last: the two are a matrix to turn. */
static bool put_matrix_last(Move *v)
{
  int at = v->rank - 2, last = v->rank - 1;
  if (at < 0 || !dim_is(v->axis[last].ys, 1) || dim_is(v->axis[last].xs, 0) ||
      dim_is(v->axis[last].xs, 1) || !is_long(v->axis[last].n))
    return false;
  while (at >= 0 && !dim_is(v->axis[at].xs, 1))
    at--;
  if (at < 0 || !is_long(v->axis[at].n))
    return false;
  MoveAxis a = v->axis[at];
  for (; at < last - 1; at++)
    v->axis[at] = v->axis[at + 1];
  v->axis[last - 1] = a;
  return true;
}

/* The place of the element whose indices are i0, i1, .. */
static const char *place(Step *s, const Move *v, bool out, const char *word)
{
  Arena *a = s->plan->a;
  const Value *base = out ? v->y : v->x;
  const Dim *off = out ? v->yoff : v->xoff;
  const char *text = "";
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].v == base)
      text = s->ptr[i].name;
  text = arena_printf(a, "((%s%s *)%s)[", out ? "" : "const ", word, text);
  const char *plus = "";
  if (!dim_is(off, 0) || !v->rank) {
    text = arena_printf(a, "%s%s", text, step_dim_text(s, off));
    plus = " + ";
  }
  for (int i = 0; i < v->rank; i++) {
    const Dim *step = out ? v->axis[i].ys : v->axis[i].xs;
    if (dim_is(step, 0))
      continue;
    text = arena_printf(a, "%s%si%d", text, plus, i);
    plus = " + ";
    if (!dim_is(step, 1))
      text = arena_printf(a, "%s * %s", text, step_dim_text(s, step));
  }
  return arena_printf(a, "%s%s]", text, *plus ? "" : "0");
}

static const Dim *count_of(Plan *p, const Move *v, int axes)
{
  const Dim *n = dim_int(&p->m->dims, 1);
  for (int i = 0; i < axes; i++)
    n = dim_mul(&p->m->dims, n, v->axis[i].n);
  return n;
}

static void put_indices(Moves *m, const Move *v, int axes, const char *from)
{
  const Dim *n[2 * MAX_RANK];
  for (int i = 0; i < axes; i++)
    n[i] = v->axis[i].n;
  cuda_put_indices(m->s, &m->body, n, axes, "i", from);
}

static void put_run(Moves *m, Move *v, int number)
{
  DimPool *d = &m->p->m->dims;
  const char *word = cuda_word(put_words(d, v));
  const Dim *count = count_of(m->p, v, v->rank);
  m->most = dim_max(d, m->most, count);
  m->runs = true;
  sb_printf(&m->body, "G_CUDA_MOVE_ONE(%d, <%%%s%%>,\n<%%", number,
            step_dim_text(m->s, count));
  put_indices(m, v, v->rank, "e");
  sb_printf(&m->body, "%%>, <%%%s%%>, <%%%s%%>)m4_dnl\n",
            place(m->s, v, true, word), place(m->s, v, false, word));
}

static void put_tiles(Moves *m, Move *v, int number)
{
  DimPool *d = &m->p->m->dims;
  const Dim *side = dim_int(d, TILE);
  const char *word = cuda_word(dtype_info(v->x->dtype)->size);
  int lead = v->rank - 2;
  const Dim *cols = v->axis[lead + 1].n, *rows = v->axis[lead].n;
  const Dim *wide = dim_ceil_div(d, cols, side);
  const Dim *high = dim_ceil_div(d, rows, side);
  const Dim *tiles = dim_mul(d, count_of(m->p, v, lead),
                             dim_mul(d, wide, high));
  m->most = dim_max(d, m->most, dim_mul(d, tiles, dim_int(d, 256)));
  m->tiles = true;
  sb_printf(&m->body,
            "G_CUDA_MOVE_TILES(%d, <%%%s%%>, <%%%s%%>, <%%%s%%>,\n<%%", number,
            step_dim_text(m->s, tiles), step_dim_text(m->s, wide),
            step_dim_text(m->s, high));
  put_indices(m, v, lead, "image");
  sb_printf(&m->body, "%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>, %d, %d)"
            "m4_dnl\n", step_dim_text(m->s, rows), step_dim_text(m->s, cols),
            place(m->s, v, true, word), place(m->s, v, false, word), lead,
            lead + 1);
  step_text(m->s, "WORD", "%s", word);
}

static void add_operands(Step *s, const MoveList *all, Node *n)
{
  for (int k = 0; k < all->n; k++) {
    bool seen = false;
    for (int i = 0; i < s->nptr; i++)
      seen |= s->ptr[i].v == all->move[k].x;
    if (!seen)
      step_in(s, arena_printf(s->plan->a, "x%d", k), all->move[k].x);
  }
  for (int i = 0; i < n->nout; i++)
    if (n->out[i])
      step_out(s, arena_printf(s->plan->a, "y%d", i), n->out[i]);
}

void cuda_lower_move(Plan *p, Node *n)
{
  DimPool *d = &p->m->dims;
  Moves m = { .p = p, .most = dim_int(d, 1) };
  moves_checked(n, &m.all);
  cuda_put_checks(p, n);
  m.s = device_step(p, n, "CUDA_MOVE");
  add_operands(m.s, &m.all, n);
  sb_init(&m.body, p->a);
  int rows = 0;
  for (int k = 0; k < m.all.n; k++) {
    Move *v = &m.all.move[k];
    if (is_empty(v))
      continue;
    move_tidy(d, v);
    if (put_matrix_last(v))
      put_tiles(&m, v, rows++);
    else
      put_run(&m, v, rows++);
  }
  step_dim(m.s, "COUNT", m.most);
  /* Offsets of a side can be larger than the number of elements moved. */
  for (int i = 0; i < m.s->nptr; i++)
    m.most = dim_max(d, m.most, value_numel(m.s->ptr[i].v));
  step_text(m.s, "BODY", "%.*s", (int)m.body.n, m.body.s ? m.body.s : "");
  step_int(m.s, "MOVES", rows ? rows : 1);
  step_text(m.s, "TILES", m.tiles ? "1" : "");
  device_index(m.s, m.most);
  m.s->kernel_note = m.tiles ? "cuda move, in tiles" : "cuda move";
  sb_free(&m.body);
}

static void put_copy(Step *s, Value *x, Value *y)
{
  step_in(s, "x", x);
  step_out(s, "y", y);
  cuda_put_words(s, y->dtype, value_numel(y), value_numel(y));
  device_index(s, value_numel(y));
  s->kernel_note = "cuda copy";
}

/* Its operand, and O2C_E_SHAPE where the condition is not as it must be. */
bool cuda_takes_require(const Plan *p, const Node *n)
{
  (void)p;
  return node_is_internal(n, "Require");
}

void cuda_lower_require(Plan *p, Node *n)
{
  Step *s = device_step(p, n, "CUDA_REQUIRE");
  step_in(s, "cond", n->in[0]);
  put_copy(s, n->in[1], n->out[0]);
  step_int(s, "ON", attr_int(n, "on", 1) != 0);
}

/* The operand that the condition chooses: which of them is computed, the host
 * has decided by its own copy (device.c); input 3 is the GPU's. */
bool cuda_takes_select(const Plan *p, const Node *n)
{
  (void)p;
  return node_is_internal(n, "Select") && !n->nsize;
}

void cuda_lower_select(Plan *p, Node *n)
{
  Step *s = device_step(p, n, "CUDA_SELECT");
  step_in(s, "cond", n->in[3]);
  step_in(s, "other", n->in[2]);
  put_copy(s, n->in[1], n->out[0]);
}
