/* SPDX-License-Identifier: Apache-2.0 */
/* Steps whose work is divided among the caller's threads.
 *
 * A lowering says by step_split into how many elements a step's work divides
 * (pixels, columns, rows, heads), how many of them make a unit, and what one
 * costs. The step's function then takes a range of elements, and the kernel is
 * called on that; an element's bits never depend on the range. Steps that are
 * done sooner than threads meet stay whole: here where the sizes are constant,
 * at run time else, since no range is smaller than `grain` units.
 *
 * Each split step is a region of its own (o2c_parallel.parallel_for), as the
 * caller's threads need not run at the same time. Scratch of a split step is
 * each worker's own: the first one's stands in the arena, the others' behind
 * it.
 */
#include "target.h"

#include <string.h>

/* In ticks, of which a core of today makes some hundred in a nanosecond. */
#define LEAST_TICKS 5000000 /* a step that is worth dividing: 50 us */
#define GRAIN_TICKS 2500000 /* a range that is worth a call */

bool plan_threads(const Plan *p)
{
  const char *t = p->m->opt->threads;
  return !t || strcmp(t, "none") != 0;
}

int split_workers(const Plan *p)
{
  return p->m->opt->workers ? p->m->opt->workers : 4;
}

/* Elements of a worth-while range, as C text, in units. */
static const char *grain_text(Step *s, int64_t unit, const Dim *ticks)
{
  int64_t each;
  Arena *a = s->plan->a;
  if (dim_is_int(ticks, &each))
    return arena_printf(a, "%lld", (long long)(1 + GRAIN_TICKS /
                                               (each * unit + 1)));
  return arena_printf(a, "1 + %d / (1 + %lld * (%s))", GRAIN_TICKS,
                      (long long)unit, step_dim_text(s, ticks));
}

bool split_pays(Plan *p, const Dim *total, const Dim *ticks)
{
  int64_t all;
  DimPool *d = &p->m->dims;
  const Dim *most = dim_mul(d, total, ticks);
  if (p->block > 1)
    most = dim_subst(d, most, p->batch, dim_int(d, p->block));
  return plan_threads(p) && !p->undivided &&
         (!dim_is_int(most, &all) || all >= LEAST_TICKS);
}

void step_split(Step *s, const Dim *total, int64_t unit, const Dim *ticks)
{
  int64_t n;
  if (!split_pays(s->plan, total, ticks) || s->status || s->nfinds ||
      (dim_is_int(total, &n) && n <= unit))
    return;
  s->split = true;
  s->total = step_dim_text(s, total);
  s->grain = grain_text(s, unit, ticks);
  s->unit = unit;
  s->plan->splits = true;
}

void step_split_rows(Step *s, const Dim *rows, const Dim *row, int ticks)
{
  DimPool *d = &s->plan->m->dims;
  step_split(s, rows, 1, dim_mul(d, row, dim_int(d, ticks)));
  step_dim(s, "ROW", row);
}

/* Bytes of one worker's scratch of the step, before its pointer `end`. */
const Dim *split_room(const Step *s, int end)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *sum = dim_int(d, 0), *line = dim_int(d, 64);
  for (int i = 0; i < end; i++) {
    const StepPtr *ptr = &s->ptr[i];
    if (ptr->kind != SP_SCRATCH)
      continue;
    const Dim *size = dim_int(d, dtype_info(ptr->dtype)->size);
    const Dim *bytes = dim_mul(d, ptr->elements, size);
    sum = dim_add(d, sum, dim_mul(d, dim_ceil_div(d, bytes, line), line));
  }
  return sum;
}

/* The largest scratch of a split step: what each further worker takes. */
void plan_room(Plan *p)
{
  DimPool *d = &p->m->dims;
  for (const Step *s = p->first; s; s = s->next) {
    if (!s->split)
      continue;
    const Dim *bytes = dim_upper(d, split_room(s, s->nptr));
    if (p->block > 1)
      bytes = dim_subst(d, bytes, p->batch, dim_int(d, p->block));
    bool seen = dim_is(bytes, 0);
    for (int i = 0; i < p->nroom; i++)
      seen |= p->room[i] == bytes;
    if (seen)
      continue;
    p->room = arena_grow(p->a, p->room, p->nroom, sizeof *p->room);
    p->room[p->nroom++] = bytes;
  }
}

/* Do the split steps hold most of the work? */
bool split_most(const Plan *p)
{
  int64_t all = 0, split = 0;
  for (const Step *s = p->first; s; s = s->next) {
    all += s->macs;
    split += s->split ? s->macs : 0;
  }
  return split >= all / 4 * 3;
}
