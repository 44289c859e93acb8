/* SPDX-License-Identifier: Apache-2.0 */
/* Which value of the file a value of the optimised graph is.
 *
 * onnx2c diff compares what generated code computes with what the file's graph
 * gives, tensor by tensor, so it must know which tensors are the same. The
 * values that import makes are the file's, and stay so. What a pass puts in the
 * place of one (value_replace) is that one from then on; what it gives another
 * order of axes, or makes unsigned, it tells here. A value of which nothing is
 * known is compared by what is computed from it. */
#include <string.h>
#include "ir.h"

static const Same nothing = {.id = -1};

bool value_same(const Value *v, Same *s)
{
  if (v->same) *s = *v->same;
  else *s = (Same){.id = v->id < v->g->m->nfile ? v->id : -1};
  return s->id >= 0;
}

static void set(Value *v, const Same *s)
{
  Same *mine = NEW(&v->g->m->arena, Same, 1);
  *mine = *s;
  v->same = mine;
}

void same_take(Value *v, const Value *of)
{
  Same s;
  if (value_same(of, &s)) set(v, &s);
  else v->same = &nothing;
}

/* Axis k of v is axis perm[k] of `of`, whose own may be in another order. */
void same_permuted(Value *v, const Value *of, const int64_t *perm)
{
  Same s;
  v->same = &nothing;
  if (!value_same(of, &s) || (s.perm && s.rank != of->rank) || of->rank < 1)
    return;
  int *p = NEW(&v->g->m->arena, int, of->rank);
  bool identity = true;
  for (int k = 0; k < of->rank; k++) {
    p[k] = s.perm ? s.perm[perm[k]] : (int)perm[k];
    identity = identity && p[k] == k;
  }
  s.rank = identity ? 0 : of->rank;
  s.perm = identity ? NULL : p;
  set(v, &s);
}

void same_flipped(Value *v, const Value *of)
{
  Same s;
  v->same = &nothing;
  if (!value_same(of, &s) || s.flipped) return;
  s.flipped = true;
  set(v, &s);
}

/* Where only the use changes, as that of an operand that broadcasts anyway,
 * `by` stays what it was. */
void same_replaced(Value *by, const Value *old)
{
  if (by->kind != old->kind) return;
  if (by->rank >= 0 && old->rank >= 0 &&
      (by->dtype != old->dtype || !value_same_shape(by, old)))
    return;
  same_take(by, old);
}

void same_import(Model *m)
{
  m->nfile = m->nvalue;
  m->file_out = NEW(&m->arena, int, m->main->nout + 1);
  for (int k = 0; k < m->main->nout; k++)
    m->file_out[k] = m->main->out[k]->id;
}

/* Whatever the passes have told of it. */
void same_outputs(Graph *g)
{
  for (int k = 0; g->m->file_out && k < g->nout; k++)
    if (g->out[k]->kind == VK_TENSOR)
      set(g->out[k], &(Same){.id = g->m->file_out[k]});
}
