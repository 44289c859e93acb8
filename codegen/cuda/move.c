/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that only move elements: Concat, Split, Slice, Transpose, Expand, Tile
 * and whatever else the reference kernel `strided` would do. The operator's
 * record tells which blocks it copies; all of them are one launch, a row of
 * the grid for each. */
#include "cuda.h"

enum { MOST_MOVES = 64 };

bool cuda_takes_move(const Plan *p, const Node *n)
{
  MoveList m;
  (void)p;
  if (!n->op || !n->op->lower || op_is_view(n))
    return false;
  return moves_of((Node *)(uintptr_t)n, &m) && m.n > 0 && m.n <= MOST_MOVES &&
         !m.other;
}

/* The place of the element whose indices are i0, i1, .. */
static const char *place(Step *s, const Move *v, bool out)
{
  Arena *a = s->plan->a;
  const Value *base = out ? v->y : v->x;
  const Dim *off = out ? v->yoff : v->xoff;
  const char *text = "";
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].v == base)
      text = s->ptr[i].name;
  if (!dim_is(off, 0))
    text = arena_printf(a, "%s + %s", text, step_dim_text(s, off));
  for (int i = 0; i < v->rank; i++) {
    const Dim *step = out ? v->axis[i].ys : v->axis[i].xs;
    if (dim_is(step, 1))
      text = arena_printf(a, "%s + i%d", text, i);
    else if (!dim_is(step, 0))
      text = arena_printf(a, "%s + i%d * %s", text, i,
                          step_dim_text(s, step));
  }
  return text;
}

static const Dim *move_count(Plan *p, const Move *v)
{
  const Dim *n = dim_int(&p->m->dims, 1);
  for (int i = 0; i < v->rank; i++)
    n = dim_mul(&p->m->dims, n, v->axis[i].n);
  return n;
}

static void put_move(Step *s, StrBuf *b, const Move *v, int number)
{
  Arena *a = s->plan->a;
  const char *rest = "e";
  sb_printf(b, "G_CUDA_MOVE_ONE(%d, <%%%s%%>,\n<%%", number,
            step_dim_text(s, move_count(s->plan, v)));
  for (int i = v->rank - 1; i >= 0; i--) {
    const char *n = step_dim_text(s, v->axis[i].n);
    sb_printf(b, "G_CUDA_MOVE_INDEX(<%%i%d%%>, <%%%s%%>)", i,
              i ? arena_printf(a, "%s %% %s", rest, n) : rest);
    if (i > 1)
      sb_printf(b, "G_CUDA_MOVE_INDEX(<%%r%d%%>, <%%%s / %s%%>)", i, rest, n);
    rest = i > 1 ? arena_printf(a, "r%d", i)
                 : arena_printf(a, "%s / %s", rest, n);
  }
  sb_printf(b, "%%>, <%%%s%%>, <%%%s%%>)m4_dnl\n", place(s, v, true),
            place(s, v, false));
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
  MoveList all;
  StrBuf b;
  DimPool *d = &p->m->dims;
  moves_of(n, &all);
  Step *s = device_step(p, n, "CUDA_MOVE");
  add_operands(s, &all, n);
  const Dim *most = dim_int(d, 0);
  sb_init(&b, p->a);
  for (int k = 0; k < all.n; k++) {
    Move *v = &all.move[k];
    move_tidy(d, v);
    most = dim_max(d, most, move_count(p, v));
    put_move(s, &b, v, k);
  }
  step_dim(s, "COUNT", most);
  /* Offsets of a side can be larger than the number of elements moved. */
  for (int i = 0; i < s->nptr; i++)
    most = dim_max(d, most, value_numel(s->ptr[i].v));
  step_text(s, "BODY", "%.*s", (int)b.n, b.s);
  step_int(s, "MOVES", all.n);
  device_index(s, most);
  s->kernel_note = "cuda move";
  sb_free(&b);
}
