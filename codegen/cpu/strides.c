/* SPDX-License-Identifier: Apache-2.0 */
/* Operands that do not stand in one dense run: pieces of another value
 * (../piece.c), and images with a border (halo.c). Which steps can read and
 * write them, and the numbers that those need. */
#include "cpu.h"

#include <string.h>

/* Does the node use `v` as inputs of `ins` (a bit each) and output 0 alone? */
static bool only_as(const Node *n, const Value *v, unsigned ins)
{
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] == v && (i > 31 || !(ins >> i & 1)))
      return false;
  for (int i = 1; i < n->nout; i++)
    if (n->out[i] == v)
      return false;
  return true;
}

/* The axis of dense `v` along which a move steps by `s` for `n` elements, and
 * how many of its elements at a time; -1: along none. */
static int axis_of(const Value *v, const Dim *const *dense, const Dim *n,
                   const Dim *s, int64_t *times)
{
  int64_t step, own, count, size;
  for (int i = v->rank - 1; i >= 0; i--) {
    if (dim_is(v->dim[i], 1))
      continue;
    if (s == dense[i] && n == v->dim[i]) {
      *times = 1;
      return i;
    }
    if (!dim_is_int(s, &step) || !dim_is_int(dense[i], &own) || own <= 0 ||
        step % own || !dim_is_int(n, &count) ||
        !dim_is_int(v->dim[i], &size))
      continue;
    *times = step / own;
    int64_t reach = (count - 1) * (*times < 0 ? -*times : *times);
    if (*times && reach < size)
      return i;
  }
  return -1;
}

/* One side of a move, as its value is stored. */
static bool stored_side(const Plan *p, Move *m, bool out)
{
  DimPool *d = &p->m->dims;
  Value *v = out ? m->y : m->x;
  const Dim *dense[MAX_RANK], *stored[MAX_RANK];
  const Dim **off = out ? &m->yoff : &m->xoff;
  int64_t at, size, to = 0, step;
  value_strides(v, dense);
  stored_strides(p, v, stored);
  for (int i = 0; i < m->rank; i++) {
    MoveAxis *a = &m->axis[i];
    const Dim **s = out ? &a->ys : &a->xs;
    int64_t times;
    if (dim_is(a->n, 1) || dim_is(*s, 0))
      continue;
    int axis = axis_of(v, dense, a->n, *s, &times);
    if (axis < 0)
      return false;
    *s = dim_mul(d, stored[axis], dim_int(d, times));
  }
  if (dim_is(*off, 0))
    return true;
  if (!dim_is_int(*off, &at))
    return false;
  for (int i = 0; i < v->rank; i++) {
    if (!dim_is_int(dense[i], &size) || size <= 0 ||
        !dim_is_int(stored[i], &step))
      return false;
    to += at / size * step;
    at %= size;
  }
  *off = dim_int(d, to);
  return true;
}

bool is_strided(const Plan *p, Value *v)
{
  return stored_pitch(p, v) || halo_find(p, v);
}

bool stored_move(const Plan *p, Move *m)
{
  return (!is_strided(p, m->x) || stored_side(p, m, false)) &&
         (!is_strided(p, m->y) || stored_side(p, m, true));
}

/* Can the node's moves of `v` be said in steps along its axes? */
static bool moves_take(const Plan *p, Node *n, const Value *v)
{
  MoveList m;
  if (!moves_of(n, &m))
    return false;
  for (int i = 0; i < m.n; i++) {
    Move one = m.move[i];
    if (one.x == v && !stored_side(p, &one, false))
      return false;
    one = m.move[i];
    if (one.y == v && !stored_side(p, &one, true))
      return false;
  }
  return true;
}

static bool conv_takes(Node *n, const Value *v, bool border)
{
  ConvGeom g;
  bool f32 = node_is_internal(n, "FusedConv");
  return conv_geometry(n, &g) && (g.n == 2 || !border) &&
         only_as(n, v, f32 ? 1 | 8 : 1);
}

bool cpu_takes_strides(const Plan *p, Node *n, const Value *v, bool border)
{
  if (!n->op || op_is_view(n) || n->nsize)
    return false;
  if (node_is_internal(n, "FusedConv") || node_is_internal(n, "QConv"))
    return conv_takes(n, v, border);
  if (node_is_internal(n, "FusedGemm"))
    return !border && only_as(n, v, 1 | 8);
  if (node_is_internal(n, "QGemm"))
    return !border && only_as(n, v, 1);
  if (pool_takes(n))
    return only_as(n, v, 1);
  if (n->op->flags & OP_MOVES)
    return moves_take(p, n, v);
  return ew_takes(n) && !table_takes(n);
}

const Dim *stored_row(const Plan *p, Value *v)
{
  const Dim *stride[MAX_RANK];
  stored_strides(p, v, stride);
  return stride[v->rank - 3];
}

const Dim *stored_image(const Plan *p, Value *v)
{
  const Dim *stride[MAX_RANK];
  stored_strides(p, v, stride);
  return stride[0];
}

const char *step_past(Step *s, const char *name, const Dim *d)
{
  int64_t fixed;
  const char *text = dim_is(d, 0) ? NULL : step_dim_text(s, d);
  return !text ? name
    : arena_printf(s->plan->a, dim_is_int(d, &fixed) ? "%s + %s" : "%s + (%s)",
                   name, text);
}

const char *stored_pixels(Step *s, const char *name, Value *v)
{
  return step_past(s, name, halo_start(s->plan, v));
}
