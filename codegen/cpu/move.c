/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that only move elements: Concat, Split, Slice, Transpose, Expand, Tile
 * and whatever else the reference kernel `strided` would do.
 *
 * The operator's own record tells which blocks it copies, as calls of that
 * kernel; each becomes loops written out for its layouts. Axes that lie in one
 * piece on both sides become one. If the last axis is contiguous on both, it is
 * a memcpy; if the input is contiguous along another one, the two are a matrix
 * that move.h transposes; else elements are moved one by one. Any element type
 * will do, and sizes that only the run tells.
 */
#include "cpu.h"

#include <string.h>

typedef struct {
  Plan *p;
  Step *s;
  MoveList all;
  const Dim *held[64];    /* sizes in local variables */
  int nheld;
  const char *note;
  StrBuf head, body;
} Moves;

static void move_axis(Move *v, int from, int to)
{
  MoveAxis a = v->axis[from];
  for (; from < to; from++)
    v->axis[from] = v->axis[from + 1];
  v->axis[to] = a;
}

/* Puts an axis with the step 1 of the output last, and one with that of the
 * input last but one, if it can't be the same. */
static void choose_inner(Move *v)
{
  int last = v->rank - 1;
  for (int i = 0; i < last && !dim_is(v->axis[last].ys, 1); i++)
    if (dim_is(v->axis[i].ys, 1))
      move_axis(v, i, last);
  if (last < 1 || dim_is(v->axis[last].xs, 0))
    return;
  for (int i = 0; i < last && !dim_is(v->axis[last].xs, 1); i++)
    if (dim_is(v->axis[i].xs, 1)) {
      move_axis(v, i, last - 1);
      return;
    }
}

static bool is_long(const Dim *d)
{
  int64_t v;
  return !dim_is_int(d, &v) || v >= 8;
}

static bool is_run(const Move *v)
{
  const MoveAxis *a = &v->axis[v->rank - 1];
  return v->rank && dim_is(a->xs, 1) && dim_is(a->ys, 1);
}

static bool is_matrix(const Move *v)
{
  const MoveAxis *a = &v->axis[v->rank - 1];
  int size = dtype_info(v->x->dtype)->size;
  if (v->rank < 2 || dim_is(a->xs, 0) || !dim_is(a->ys, 1) ||
      !dim_is(a[-1].xs, 1) || !is_long(a[-1].n))
    return false;
  bool planes = size == 4 && dim_is(a->n, 3) && dim_is(a[-1].ys, 3);
  return (planes || is_long(a->n)) &&
         (size == 1 || size == 2 || size == 4 || size == 8);
}

/* A size for use within loops: a number, or a local variable. */
static const char *size_text(Moves *m, const Dim *d)
{
  int64_t v;
  int i = 0;
  if (dim_is_int(d, &v))
    return arena_printf(m->p->a, "%lld", (long long)v);
  while (i < m->nheld && m->held[i] != d)
    i++;
  if (i == COUNT(m->held))
    return step_dim_text(m->s, d);
  if (i == m->nheld) {
    m->held[m->nheld++] = d;
    sb_printf(&m->head, "G_MOVE_HOLD(<%%n%d%%>, <%%%s%%>)m4_dnl\n", i,
              step_dim_text(m->s, d));
  }
  return arena_printf(m->p->a, "n%d", i);
}

static const char *place_name(const Moves *m, const Value *v)
{
  for (int i = 0; i < m->s->nptr; i++)
    if (m->s->ptr[i].v == v)
      return m->s->ptr[i].name;
  return NULL;
}

/* "x0 + 64 + i0 * 128 + i1": where the first `loops` axes lead, and `at`
 * steps along the one behind them. */
static const char *place_text(Moves *m, const Move *v, bool out, int loops,
                              int64_t at)
{
  Arena *a = m->p->a;
  const Dim *off = out ? v->yoff : v->xoff;
  Value *base = out ? v->y : v->x;
  const char *text = place_name(m, base);
  off = dim_add(&m->p->m->dims, off, halo_start(m->p, base));
  if (at)
    off = dim_add(&m->p->m->dims, off,
                  dim_mul(&m->p->m->dims, dim_int(&m->p->m->dims, at),
                          out ? v->axis[loops].ys : v->axis[loops].xs));
  if (!dim_is(off, 0))
    text = arena_printf(a, "%s + %s", text, size_text(m, off));
  for (int i = 0; i < loops; i++) {
    const Dim *s = out ? v->axis[i].ys : v->axis[i].xs;
    if (dim_is(s, 1))
      text = arena_printf(a, "%s + i%d", text, i);
    else if (!dim_is(s, 0))
      text = arena_printf(a, "%s + i%d * %s", text, i, size_text(m, s));
  }
  return text;
}

/* `free`: nothing but elements moves in them. */
static void put_loops(Moves *m, const Move *v, int loops, bool free)
{
  for (int i = 0; i < loops; i++) {
    if (free && i == loops - 1)
      sb_printf(&m->body, "G_MOVE_FREE(<%%%*s%%>)m4_dnl\n", 2 * i + 2, "");
    sb_printf(&m->body, "G_MOVE_FOR(<%%%*s%%>, <%%i%d%%>, <%%%s%%>)m4_dnl\n",
              2 * i + 2, "", i, size_text(m, v->axis[i].n));
  }
}

/* What stands in the loops: a macro, and its first three arguments. */
static void put_inner(Moves *m, const Move *v, const char *macro, int loops,
                      int64_t at)
{
  sb_printf(&m->body, "%s(<%%%*s%%>, <%%%s%%>, <%%%s%%>", macro,
            2 * loops + 2, "", place_text(m, v, true, loops, at),
            place_text(m, v, false, loops, at));
}

/* A short last axis is written out. */
static void put_elements(Moves *m, const Move *v)
{
  int64_t n = 0;
  bool few = v->rank && dim_is_int(v->axis[v->rank - 1].n, &n) && n < 8;
  int loops = v->rank - few;
  put_loops(m, v, loops, !few);
  if (few && loops)
    sb_printf(&m->body, "G_MOVE_OPEN(<%%%*s%%>)m4_dnl\n", 2 * loops, "");
  for (int64_t i = 0; i < (few ? n : 1); i++) {
    put_inner(m, v, "G_MOVE_ONE", loops, i);
    sb_puts(&m->body, ")m4_dnl\n");
  }
  if (few && loops)
    sb_printf(&m->body, "G_MOVE_CLOSE(<%%%*s%%>)m4_dnl\n", 2 * loops, "");
}

static void put_run(Moves *m, const Move *v)
{
  DimPool *d = &m->p->m->dims;
  int loops = v->rank - 1, size = dtype_info(v->x->dtype)->size;
  const Dim *bytes = dim_mul(d, v->axis[loops].n, dim_int(d, size));
  int64_t fixed;
  const char *text = size_text(m, bytes);
  bool few = dim_is_int(bytes, &fixed) && fixed <= 64;
  put_loops(m, v, loops, false);
  put_inner(m, v, few ? "G_MOVE_RUN" : "G_MOVE_COPY", loops, 0);
  sb_printf(&m->body, ", <%%%s%%>)m4_dnl\n", text);
}

/* Rows are along the output's last axis: they lie apart in the input. */
static void put_matrix(Moves *m, const Move *v)
{
  int loops = v->rank - 2;
  const MoveAxis *c = &v->axis[loops], *r = c + 1;
  put_loops(m, v, loops, false);
  put_inner(m, v, "G_MOVE_TILES", loops, 0);
  sb_printf(&m->body, ", <%%%d%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>)"
            "m4_dnl\n", dtype_info(v->x->dtype)->size, size_text(m, r->n),
            size_text(m, c->n), size_text(m, r->xs), size_text(m, c->ys));
}

static bool is_empty(const Move *v)
{
  for (int i = 0; i < v->rank; i++)
    if (dim_is(v->axis[i].n, 0))
      return true;
  return false;
}

static void put_move(Moves *m, Move *v)
{
  if (is_empty(v))
    return;
  move_tidy(&m->p->m->dims, v);
  choose_inner(v);
  if (is_run(v)) {
    put_run(m, v);
  } else if (is_matrix(v)) {
    put_matrix(m, v);
    m->note = "move, in tiles";
  } else {
    put_elements(m, v);
  }
}

/* Is nothing ever written to y? */
static bool is_idle(const Moves *m, const Value *y)
{
  for (int k = 0; k < m->all.n; k++)
    if (m->all.move[k].y == y && !is_empty(&m->all.move[k]))
      return false;
  return true;
}

/* Parameters x0, x1, .. and y0, .., one for each value that moves; an output of
 * no elements is one too. */
static void put_pointers(Moves *m, bool out)
{
  int n = 0;
  for (int k = 0; k < m->all.n; k++) {
    Value *v = out ? m->all.move[k].y : m->all.move[k].x;
    bool known = false;
    for (int i = 0; i < m->s->nptr; i++)
      known = known || m->s->ptr[i].v == v;
    if (known || (!out && is_empty(&m->all.move[k])))
      continue;
    const char *name = arena_printf(m->p->a, "%c%d", out ? 'y' : 'x', n++);
    if (!out)
      step_in(m->s, name, v);
    else
      step_out(m->s, name, v);
    if (out && is_idle(m, v))
      sb_printf(&m->head, "  (void)%s;\n", name);
  }
}

/* What is left to be moved, in terms of how it is stored. */
static bool stored_moves(Plan *p, MoveList *all)
{
  int n = 0;
  for (int k = 0; k < all->n; k++) {
    Move *v = &all->move[k];
    if (piece_stands(p, v))
      continue;
    all->move[n++] = *v;
    if (!stored_move(p, &all->move[n - 1]))
      return false;
  }
  all->n = n;
  return true;
}

/* Images with a border begin behind it. */
static void put_borders(Moves *m, const Node *n)
{
  step_int(m->s, "BORDER", 0);
  for (int i = 0; i < n->nout; i++)
    for (int k = 0; k < m->all.n; k++)
      if (n->out[i] && m->all.move[k].y == n->out[i] &&
          halo_find(m->p, n->out[i])) {
        halo_put_border(m->s, place_name(m, n->out[i]), n->out[i]);
        return;
      }
}

bool lower_move(Plan *p, Node *n)
{
  Moves m = { .p = p, .note = "move" };
  if (!moves_of(n, &m.all) || !stored_moves(p, &m.all))
    return false;
  if (!m.all.n)
    return true;
  m.s = step_new(p, n, "MOVE");
  step_kernel(m.s, "ew.h");
  step_kernel(m.s, "move.h");
  sb_init(&m.head, p->a);
  sb_init(&m.body, p->a);
  put_pointers(&m, false);
  put_pointers(&m, true);
  put_borders(&m, n);
  for (int k = 0; k < m.all.n; k++)
    put_move(&m, &m.all.move[k]);
  step_text(m.s, "BODY", "%.*s%.*s", (int)m.head.n, m.head.n ? m.head.s : "",
            (int)m.body.n, m.body.n ? m.body.s : "");
  m.s->kernel_note = m.note;
  sb_free(&m.head);
  sb_free(&m.body);
  return true;
}
