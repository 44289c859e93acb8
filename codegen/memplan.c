/* SPDX-License-Identifier: Apache-2.0 */
/* Storage: which buffer each value of the plan lives in.
 *
 * Views share their root's bytes, and a step that may work in place shares
 * its input's where that input dies there. What is left are tensors with a
 * life in step numbers, and scratch that lives for one step. Where all sizes
 * are constants place.c packs them into one arena; else tensors whose lives
 * do not meet share memory as far as their sizes compare (colour.c), and the
 * generated code adds the slots' sizes up at entry.
 */
#include "target.h"

#include <string.h>

Value *storage_root(const Plan *p, Value *v)
{
  for (;;) {
    v = stored_in(p, v);
    Value *next = p->in_place[v->id];
    if (!next)
      return v;
    v = next;
  }
}

Store store_of(const Plan *p, Value *v)
{
  return p->store[storage_root(p, v)->id];
}

/* Values that stand outside the arena. */
static void place_ports(Plan *p)
{
  for (int i = 0; i < p->g->nout; i++) {
    Value *v = stored_in(p, p->g->out[i]);
    p->store[v->id] = (Store){ ST_OUTPUT, i };
  }
  for (int i = 0; i < p->g->nin; i++)
    p->store[p->g->in[i]->id] = (Store){ ST_INPUT, i };
}

static void place_weight(Plan *p, Value *v)
{
  if (p->store[v->id].kind == ST_WEIGHT)
    return;
  p->store[v->id] = (Store){ ST_WEIGHT, weights_add(p, v) };
}

/* Step number of the last read of each root, as if nothing worked in place. */
static int *last_reads(Plan *p)
{
  int *last = NEW(p->a, int, p->m->nvalue + 1);
  int *first = NEW(p->a, int, p->m->nvalue + 1);
  int k = 0;
  for (int i = 0; i < p->m->nvalue; i++)
    first[i] = p->nstep;
  for (Step *s = p->first; s; s = s->next, k++) {
    for (int i = 0; i < s->nptr; i++)
      if (s->ptr[i].kind != SP_SCRATCH) {
        int id = stored_in(p, s->ptr[i].v)->id;
        last[id] = k;
        if (first[id] > k)
          first[id] = k;
      }
    for (const Guard *g = s->guard; g; g = g->up)
      last[stored_in(p, g->cond)->id] = k;
  }
  loops_extend(p, p->m->nvalue, first, last, NULL);
  return last;
}

static const Dim *value_bytes(const Plan *p, const Value *v)
{
  DimPool *d = &p->m->dims;
  const Halo *h = halo_find(p, v);
  const Dim *n = h ? halo_elements(p, h, v) : value_numel(v);
  return dim_mul(d, n, dim_int(d, dtype_info(v->dtype)->size));
}

/* Through how many parameters a step reads a root. */
static int reads_of(const Plan *p, const Step *s, const Value *root)
{
  int n = 0;
  for (int i = 0; i < s->nptr; i++)
    n += s->ptr[i].kind == SP_IN && stored_in(p, s->ptr[i].v) == root;
  return n;
}

/* Joins outputs with the inputs that they may overwrite: not where another
 * parameter is the same tensor, as a convolution of its own residual. */
static void join_in_place(Plan *p)
{
  int *last = last_reads(p);
  int k = 0;
  for (Step *s = p->first; s; s = s->next, k++)
    for (int i = 0; i < s->nptr; i++) {
      StepPtr *out = &s->ptr[i];
      if (out->kind != SP_OUT || out->over < 0)
        continue;
      Value *from = value_root(s->ptr[out->over].v);
      Value *to = value_root(out->v);
      bool arena = p->store[storage_root(p, from)->id].kind == ST_NONE &&
                   p->store[to->id].kind == ST_NONE && !from->data;
      if (arena && last[from->id] == k && from != to && !p->in_place[to->id] &&
          reads_of(p, s, from) == 1 && !piece_find(p, from) &&
          !piece_find(p, to) && halo_find(p, from) == halo_find(p, to) &&
          value_bytes(p, from) == value_bytes(p, to))
        p->in_place[to->id] = from;
    }
}

/* One loop: its steps, [open, close]. */
typedef struct {
  const Step *open, *close;
} Trip;

static bool reads_storage(const Plan *p, const Step *s, const Value *root)
{
  for (const Guard *g = s->guard; g; g = g->up)
    if (storage_root(p, g->cond) == root)
      return true;
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].kind == SP_IN && storage_root(p, s->ptr[i].v) == root)
      return true;
  return false;
}

static const StepPtr *touches_storage(const Plan *p, const Step *s,
                                      const Value *root)
{
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].kind != SP_SCRATCH &&
        storage_root(p, s->ptr[i].v) == root)
      return &s->ptr[i];
  return NULL;
}

/* May `to`, which the step is the first to write, stand where `from` is? */
static bool writes_over(const Plan *p, const Step *s, const StepPtr *to,
                        const Value *from)
{
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].kind == SP_IN && storage_root(p, s->ptr[i].v) == from &&
        !s->ptr[i].keeps_up)
      return false;
  return to->kind == SP_OUT && !s->guard;
}

/* What a trip makes of a carried value can stand where that is, if nothing
 * reads the old one from its first writing on, and no step outside the loop, or
 * in one inside, has to do with it. */
static bool carried_fits(const Plan *p, const Trip *t, const Value *made,
                         const Value *old)
{
  int depth = 0;
  bool begun = false;
  for (const Step *s = p->first; s && s != t->open; s = s->next)
    if (touches_storage(p, s, made))
      return false;
  for (const Step *s = t->close->next; s; s = s->next)
    if (touches_storage(p, s, made))
      return false;
  if (touches_storage(p, t->open, made))
    return false;
  for (const Step *s = t->open->next; s != t->close; s = s->next) {
    const StepPtr *ptr = touches_storage(p, s, made);
    depth += s->loop == LOOP_OPEN;
    if (ptr && depth)
      return false;
    if (begun && reads_storage(p, s, old))
      return false;
    if (ptr && !begun && !writes_over(p, s, ptr, old))
      return false;
    begun = begun || ptr;
    depth -= s->loop == LOOP_CLOSE;
  }
  return begun && !reads_storage(p, t->close, old);
}

/* Carried values: no copy at the end of a trip where none is needed. */
static void join_carried(Plan *p, const Trip *t)
{
  const Node *n = t->close->node;
  int carried = (int)attr_int(n, "carried", 0);
  for (int i = 0; i < carried; i++) {
    Value *old = storage_root(p, n->in[4 + i]);
    Value *made = storage_root(p, n->in[4 + carried + i]);
    if (old == made || made->data || made->dtype != old->dtype ||
        p->store[old->id].kind != ST_NONE ||
        p->store[made->id].kind != ST_NONE || piece_find(p, old) ||
        piece_find(p, made) || halo_find(p, old) || halo_find(p, made) ||
        value_bytes(p, old) != value_bytes(p, made) ||
        !carried_fits(p, t, made, old))
      continue;
    p->in_place[made->id] = old;
  }
}

static void join_loops(Plan *p)
{
  const Step **open = NEW(p->a, const Step *, p->nstep + 1);
  int depth = 0;
  for (const Step *s = p->first; s; s = s->next) {
    if (s->loop == LOOP_OPEN)
      open[depth++] = s;
    if (s->loop == LOOP_CLOSE)
      join_carried(p, &(Trip){open[--depth], s});
  }
}

static int new_slot(Plan *p, const Dim *bytes, int step, bool device)
{
  p->slot = arena_grow(p->a, p->slot, p->nslot, sizeof *p->slot);
  Slot *s = &p->slot[p->nslot];
  *s = (Slot){ .nbytes = 1, .first = step, .last = step,
               .device = device };
  s->bytes = NEW(p->a, const Dim *, 1);
  s->bytes[0] = dim_upper(&p->m->dims, bytes);
  return p->nslot++;
}

static void touch(Plan *p, Value *v, int step)
{
  Value *r = storage_root(p, v);
  if (r->data) {
    place_weight(p, r);
    return;
  }
  Store *st = &p->store[r->id];
  if (st->kind == ST_NONE)
    *st = (Store){ ST_ARENA, new_slot(p, value_bytes(p, r), step,
                                      value_on_device(p, r)) };
  if (st->kind == ST_ARENA)
    p->slot[st->index].last = step;
}

static void make_slots(Plan *p)
{
  int k = 0;
  DimPool *d = &p->m->dims;
  for (Step *s = p->first; s; s = s->next, k++) {
    for (const Guard *g = s->guard; g; g = g->up)
      touch(p, g->cond, k);
    for (int i = 0; i < s->nptr; i++) {
      StepPtr *ptr = &s->ptr[i];
      if (ptr->kind == SP_SCRATCH) {
        const Dim *size = dim_int(d, dtype_info(ptr->dtype)->size);
        ptr->slot = new_slot(p, dim_mul(d, ptr->elements, size), k,
                             s->device);
        if (ptr->lasts)
          p->slot[ptr->slot].last = p->nstep - 1;
      } else {
        touch(p, ptr->v, k);
      }
    }
  }
}

/* A loop's trips need what they find again; see loop.c. */
static void loop_lives(Plan *p)
{
  int *first = NEW(p->a, int, p->nslot + 1), *last = NEW(p->a, int,
                                                        p->nslot + 1);
  for (int i = 0; i < p->nslot; i++) {
    first[i] = p->slot[i].first;
    last[i] = p->slot[i].last;
  }
  loops_extend(p, p->nslot, first, last, first);
  for (int i = 0; i < p->nslot; i++) {
    p->slot[i].first = first[i];
    p->slot[i].last = last[i];
  }
}

static bool all_constant(const Plan *p)
{
  int64_t v;
  for (int i = 0; i < p->nslot; i++)
    if (!dim_is_int(p->slot[i].bytes[0], &v))
      return false;
  return true;
}

/* A block's samples stand for the batch symbol in every size, where that makes
 * all of them constant; else sizes are those of the samples that a block has
 * (emit_workspace: how many that may be). */
static void resolve_sizes(Plan *p)
{
  DimPool *d = &p->m->dims;
  const Dim **own = NEW(p->a, const Dim *, p->nslot + 1);
  for (int i = 0; i < p->nslot; i++) {
    own[i] = p->slot[i].bytes[0];
    if (p->block > 1)
      p->slot[i].bytes[0] = dim_subst(d, own[i], p->batch, p->rows);
  }
  p->arena_static = all_constant(p);
  for (int i = 0; i < p->nslot; i++)
    if (p->arena_static)
      dim_is_int(p->slot[i].bytes[0], &p->slot[i].max);
    else
      p->slot[i].bytes[0] = own[i];
}

/* Largest sum of what lives at once: the least any arena can be. */
void plan_bound(Plan *p)
{
  for (int k = 0; k < p->nstep; k++) {
    int64_t live = 0;
    for (int i = 0; i < p->nslot; i++)
      if (p->slot[i].first <= k && k <= p->slot[i].last)
        live += O2C_SLOT_BYTES(p->slot[i].max);
    if (live > p->arena_bound)
      p->arena_bound = live;
  }
}

/* Slots of constant sizes, of the workspace or of the device's arena. */
static void place_some(Plan *p, bool device, int64_t *bytes, int64_t *bound)
{
  Plan part = *p;
  int *member = NEW(p->a, int, p->nslot + 1);
  part.slot = NEW(p->a, Slot, p->nslot + 1);
  part.nslot = 0;
  part.arena_bound = 0;
  for (int i = 0; i < p->nslot; i++)
    if (p->slot[i].device == device) {
      member[part.nslot] = i;
      part.slot[part.nslot++] = p->slot[i];
    }
  plan_bound(&part);
  place_slots(&part);
  for (int i = 0; i < part.nslot; i++)
    p->slot[member[i]] = part.slot[i];
  *bytes = part.arena_bytes;
  *bound = part.arena_bound;
}

/* Weights that steps of a GPU read lie one behind the other there. */
static void place_device_weights(Plan *p)
{
  p->device_weight = NEW(p->a, int64_t, p->nweight + 1);
  for (int k = 0; k < p->nweight; k++)
    p->device_weight[k] = -1;
  for (const Step *s = p->first; s; s = s->next)
    for (int i = 0; s->device && i < s->nptr; i++) {
      if (s->ptr[i].kind != SP_IN)
        continue;
      Store st = store_of(p, s->ptr[i].v);
      if (st.kind != ST_WEIGHT || p->device_weight[st.index] >= 0)
        continue;
      const Tensor *t = p->weight[st.index]->data;
      p->device_weight[st.index] = p->device_weight_bytes;
      p->device_weight_bytes +=
        (t->n * dtype_info(t->dtype)->size + 255) / 256 * 256;
    }
}

void plan_memory(Plan *p)
{
  p->store = NEW(p->a, Store, p->m->nvalue + 1);
  p->in_place = NEW(p->a, Value *, p->m->nvalue + 1);
  for (const Step *s = p->first; s; s = s->next)
    if (s->status)
      p->head_bytes = 64;
  place_ports(p);
  join_loops(p);
  join_in_place(p);
  make_slots(p);
  place_device_weights(p);
  loop_lives(p);
  resolve_sizes(p);
  if (p->arena_static) {
    place_some(p, false, &p->arena_bytes, &p->arena_bound);
    place_some(p, true, &p->device_bytes, &p->device_bound);
  } else {
    share_slots(p);
  }
}
