/* SPDX-License-Identifier: Apache-2.0 */
/* What info says of memory: the map of the workspace (and of a GPU's arena),
 * with each piece's place, size, life in step numbers and tensors; weights; and
 * the size of the workspace as a formula over the run-time dimensions. Sizes
 * are of one worker and, where the batch runs in blocks, of one block. */
#include "target.h"
#include <string.h>

static const char *text_of(Arena *a, StrBuf *b)
{
  const char *s = arena_strn(a, b->s ? b->s : "", b->n);
  sb_free(b);
  return s;
}

/* "N*1024", or "max(N*1024, M*512)" where sizes don't compare. */
static void put_size(StrBuf *b, Plan *p, const Slot *s)
{
  if (s->nbytes > 1)
    sb_puts(b, "max(");
  for (int i = 0; i < s->nbytes; i++)
    sb_printf(b, "%s%s", i ? ", " : "", dim_text(&p->m->dims, s->bytes[i]));
  if (s->nbytes > 1)
    sb_puts(b, ")");
}

static bool is_aligned(const Slot *s)
{
  return s->nbytes == 1 && dim_content(s->bytes[0]) % 64 == 0;
}

/* Sizes that are multiples of 64 bytes are added up, the others follow. */
const char *info_formula(Plan *p)
{
  DimPool *d = &p->m->dims;
  if (p->arena_static)
    return arena_printf(p->a, "%lld", (long long)plan_workspace(p));
  const Dim *sum = dim_int(d, 64);
  StrBuf rest;
  sb_init(&rest, p->a);
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (s->unit || s->device)
      continue;
    if (is_aligned(s)) {
      sum = dim_add(d, sum, s->bytes[0]);
    } else {
      sb_puts(&rest, " + up64(");
      put_size(&rest, p, s);
      sb_puts(&rest, ")");
    }
  }
  return arena_printf(p->a, "%s%s", dim_text(d, sum), text_of(p->a, &rest));
}

/* "1024" or "N*1024"; of a group of slots, what it takes of the group. */
static const char *slot_bytes(Plan *p, const Slot *s)
{
  DimPool *d = &p->m->dims;
  if (s->unit)
    return dim_text(d, dim_mul(d, s->unit, dim_int(d, s->max)));
  if (p->arena_static)
    return arena_printf(p->a, "%lld", (long long)s->max);
  StrBuf b;
  sb_init(&b, p->a);
  put_size(&b, p, s);
  return text_of(p->a, &b);
}

static const char *slot_place(Plan *p, const Slot *s)
{
  DimPool *d = &p->m->dims;
  if (s->unit)
    return arena_printf(p->a, "%d + %s", s->whole,
                        dim_text(d, dim_mul(d, s->unit,
                                            dim_int(d, s->offset))));
  return p->arena_static ? arena_printf(p->a, "%lld", (long long)s->offset)
                         : "";
}

/* By slot, what stands in it: tensors that steps write, and their scratch. */
static const char **slot_names(Plan *p)
{
  const char **name = NEW(p->a, const char *, p->nslot + 1);
  int *more = NEW(p->a, int, p->nslot + 1);
  for (const Step *s = p->first; s; s = s->next)
    for (int i = 0; i < s->nptr; i++) {
      const StepPtr *x = &s->ptr[i];
      if (x->kind == SP_IN)
        continue;
      Store st = { ST_ARENA, x->slot };
      if (x->kind == SP_OUT)
        st = store_of(p, x->v);
      if (st.kind != ST_ARENA)
        continue;
      const char *text = x->kind == SP_SCRATCH
        ? arena_printf(p->a, "scratch of %s", s->name)
        : quote(p->a, x->v->name);
      if (name[st.index] && strcmp(name[st.index], text))
        more[st.index]++;
      else
        name[st.index] = text;
    }
  for (int i = 0; i < p->nslot; i++)
    if (more[i])
      name[i] = arena_printf(p->a, "%s and %d more", name[i], more[i]);
    else if (!name[i])
      name[i] = "(pieces that are multiples of one size)";
  return name;
}

static void text_slots(StrBuf *b, Plan *p, bool device)
{
  enum { COLUMNS = 3, WIDEST = 32 };
  const char **name = slot_names(p);
  const char *head[COLUMNS] = { "piece", "offset", "bytes" };
  int width[COLUMNS] = { 5, 6, 5 }, count = 0;
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (s->device != device)
      continue;
    int n[COLUMNS] = { 0, (int)strlen(slot_place(p, s)),
                       (int)strlen(slot_bytes(p, s)) };
    for (int k = 0; k < COLUMNS; k++)
      width[k] = n[k] > width[k] && n[k] <= WIDEST ? n[k] : width[k];
    count++;
  }
  if (!count)
    return;
  sb_printf(b, "\nmemory map of the %s, %d piece%s; life in step numbers\n",
            device ? "GPU" : "workspace", count, count == 1 ? "" : "s");
  for (int k = 0; k < COLUMNS; k++)
    sb_printf(b, "  %*s", width[k], head[k]);
  sb_puts(b, "   life        tensors\n");
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (s->device != device)
      continue;
    const char *life = arena_printf(p->a, "%d..%d", s->first, s->last);
    sb_printf(b, "  %*d  %*s  %*s   %-10s  %s\n", width[0], i, width[1],
              slot_place(p, s), width[2], slot_bytes(p, s), life, name[i]);
  }
}

void info_memory_text(StrBuf *b, Plan *p)
{
  text_slots(b, p, false);
  text_slots(b, p, true);
}

static void json_slots(StrBuf *b, Plan *p)
{
  sb_puts(b, "\"slots\": [");
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    sb_printf(b, "%s\n  {", i ? "," : "");
    if (p->arena_static)
      sb_printf(b, "\"offset\": %lld, \"bytes\": %lld", (long long)s->offset,
                (long long)s->max);
    else if (s->unit)
      sb_printf(b, "\"whole\": %d, \"unit\": \"%s\", \"offset\": %lld, "
                "\"units\": %lld", s->whole, dim_text(&p->m->dims, s->unit),
                (long long)s->offset, (long long)s->max);
    else
      sb_printf(b, "\"size\": \"%s\"", slot_bytes(p, s));
    sb_printf(b, ", \"first\": %d, \"last\": %d, \"place\": \"%s\"}",
              s->first, s->last, s->device ? "device" : "workspace");
  }
  sb_puts(b, "]");
}

static void json_tensor(StrBuf *b, const Value *v)
{
  int64_t size;
  DimPool *d = &v->g->m->dims;
  sb_puts(b, "{\"name\": ");
  sb_json(b, v->name);
  sb_printf(b, ", \"type\": \"%s\", \"shape\": ",
            v->kind == VK_TENSOR ? dtype_info(v->dtype)->onnx : "value");
  if (v->kind != VK_TENSOR || v->rank < 0) {
    sb_puts(b, "null");
    return;
  }
  sb_puts(b, "[");
  for (int k = 0; k < v->rank; k++) {
    sb_puts(b, k ? ", " : "");
    if (dim_is_int(v->dim[k], &size))
      sb_printf(b, "%lld", (long long)size);
    else
      sb_json(b, dim_text(d, v->dim[k]));
  }
  sb_puts(b, "]");
}

void info_memory_json(StrBuf *b, Plan *p)
{
  sb_puts(b, ",\n\"memory\": {\"formula\": ");
  sb_json(b, info_formula(p));
  sb_printf(b, ", \"head\": %d,\n", p->arena_static ? p->head_bytes : 64);
  json_slots(b, p);
  sb_puts(b, ",\n\"weights\": [");
  for (int i = 0; i < p->nweight; i++) {
    const Value *v = p->weight[i];
    sb_puts(b, i ? ",\n  " : "\n  ");
    json_tensor(b, v);
    sb_printf(b, ", \"bytes\": %lld}",
              (long long)(v->data->n * dtype_info(v->dtype)->size));
  }
  sb_puts(b, "]}");
}

/* Where what the parameter points to stands. */
static void json_store(StrBuf *b, Plan *p, const StepPtr *x)
{
  static const char *const word[] = { "none", "input", "output", "weight",
                                      "slot" };
  Store st = store_of(p, x->v);
  json_tensor(b, x->v);
  if (st.kind == ST_NONE)
    sb_puts(b, "}");
  else
    sb_printf(b, ", \"%s\": %d}", word[st.kind], st.index);
}

void info_memory_json_step(StrBuf *b, Plan *p, const Step *s)
{
  static const char *const key[] = { "reads", "writes", "scratch" };
  for (int kind = SP_IN; kind <= SP_SCRATCH; kind++) {
    bool first = true;
    sb_printf(b, ", \"%s\": [", key[kind]);
    for (int i = 0; i < s->nptr; i++) {
      const StepPtr *x = &s->ptr[i];
      if ((int)x->kind != kind)
        continue;
      sb_puts(b, first ? "" : ", ");
      first = false;
      if (kind == SP_SCRATCH)
        sb_printf(b, "%d", x->slot);
      else
        json_store(b, p, x);
    }
    sb_puts(b, "]");
  }
}

const char *info_room_text(Plan *p)
{
  StrBuf b;
  DimPool *d = &p->m->dims;
  sb_init(&b, p->a);
  if (p->block > 1 && !p->arena_static)
    sb_printf(&b, ", %s being the samples of a block",
              dim_text(d, dim_sym(d, p->batch)));
  if (strstr(info_formula(p), "up64("))
    sb_puts(&b, " (up64: rounded up to 64)");
  if (p->block)
    sb_puts(&b, ", for each worker");
  const Dim *most = NULL;
  for (int i = 0; !p->block && i < p->nroom; i++)
    most = most ? dim_max(d, most, p->room[i]) : p->room[i];
  if (most)
    sb_printf(&b, ", and %s for each further worker", dim_text(d, most));
  return text_of(p->a, &b);
}
