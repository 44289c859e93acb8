/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c diff: generated code tells what its steps write.
 *
 * Behind a step stands a call of o2c_tell (runtime_min/o2c_tap.h) for each of
 * its outputs that is a tensor of the file's graph, maybe with its axes in
 * another order. The text says where the elements are: a tensor may have a
 * border around its images, or be a piece of another one. Steps in branches and
 * loops, which run any number of times, tell nothing, nor do those on a GPU. */
#include "target.h"

/* Is it the last step that writes v? Several may fill parts of one tensor. */
static bool writes_last(const Step *s, const Value *v)
{
  for (const Step *t = s->next; t; t = t->next)
    for (int i = 0; i < t->nptr; i++)
      if (t->ptr[i].kind == SP_OUT && t->ptr[i].v == v)
        return false;
  return true;
}

static bool tells(const Plan *p, const Step *s, const StepPtr *ptr, Same *same)
{
  const Value *v = ptr->v;
  if (s->device || s->guard || s->depth || ptr->kind != SP_OUT ||
      v->kind != VK_TENSOR || v->rank < 0 || ptr->dtype != v->dtype ||
      value_on_device(p, v))
    return false;
  return value_same(v, same) && writes_last(s, v);
}

void plan_taps(Plan *p)
{
  Tap t = { .step = NULL };
  if (!p->m->opt->tap)
    return;
  for (const Step *s = p->first; s; s = s->next)
    for (int i = 0; i < s->nptr; i++) {
      if (!tells(p, s, &s->ptr[i], &t.same))
        continue;
      t.step = s;
      t.ptr = i;
      p->tap = arena_grow(p->a, p->tap, p->ntap, sizeof t);
      p->tap[p->ntap++] = t;
    }
}

static void put_list(const Plan *p, const char *name, int rank,
                     const Dim *const *dim, StrBuf *b)
{
  sb_printf(b, "    const int64_t %s[] = { ", name);
  for (int i = 0; i < rank; i++) {
    if (i)
      sb_puts(b, ", ");
    dim_print(b, &p->m->dims, dim[i], "s->");
  }
  sb_puts(b, rank ? " };\n" : "0 };\n");
}

static void put_tap(const Plan *p, int number, const char *at, StrBuf *b)
{
  const Tap *t = &p->tap[number];
  Value *v = t->step->ptr[t->ptr].v;
  const Dim *stride[MAX_RANK];
  stored_strides(p, v, stride);
  sb_puts(b, "  {\n");
  put_list(p, "dim", v->rank, (const Dim *const *)v->dim, b);
  put_list(p, "by", v->rank, stride, b);
  sb_printf(b, "    o2c_tell(%d, first, %s%s, %s + ", number,
            p->block ? "s->" : "-1",
            p->block ? p->m->dims.sym[p->batch].c_name : "", at);
  dim_print(b, &p->m->dims, halo_start(p, v), "s->");
  sb_printf(b, ",\n            %d, %d, dim, by);\n  }\n", (int)v->dtype,
            v->rank);
}

void tap_text(const Plan *p, const Step *s, const char *const *at, StrBuf *b)
{
  for (int k = 0; k < p->ntap; k++)
    if (p->tap[k].step == s)
      put_tap(p, k, at[p->tap[k].ptr], b);
}
