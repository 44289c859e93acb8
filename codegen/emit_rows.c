/* SPDX-License-Identifier: Apache-2.0 */
/* The body of the rows function: the calls of the steps, with the pointers
 * that they get, in their branches and loops. Steps of a GPU that follow each
 * other are one call, of a region (emit_cu.c). */
#include "emit_rows.h"

#include <string.h>

void emit_wrapped(StrBuf *b, size_t *line, const char *text, int indent)
{
  if (b->n - *line + strlen(text) > 78) {
    while (b->n > 0 && b->s[b->n - 1] == ' ')
      b->n--;
    sb_printf(b, "\n%*s", indent, "");
    *line = b->n - (size_t)indent;
  }
  sb_puts(b, text);
}

/* Elements of a port's block before row `first`: rows x elements of a row. */
static const char *port_offset(Plan *p, int rank, const Dim *const *dim)
{
  if (!p->block)
    return "";
  DimPool *d = &p->m->dims;
  const Dim *n = dim_prod(d, dim, rank);
  const Dim *row = dim_subst(d, n, p->batch, dim_int(d, 1));
  if (!dim_has(d, n, p->batch))
    return "";
  StrBuf b;
  sb_init(&b, p->a);
  sb_puts(&b, " + first * ");
  dim_print(&b, d, row, "s->");
  const char *text = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return text;
}

static const char *arena_pointer(Rows *r, int slot, const char *type)
{
  Plan *p = r->p;
  const Slot *s = &p->slot[slot];
  const char *base = s->device ? "dev" : "ws";
  int head = s->device ? 0 : p->head_bytes;
  if (p->arena_static)
    return arena_printf(p->a, "(%s *)(void *)(%s + %lld)", type, base,
                        (long long)s->offset + head);
  if (s->unit && s->offset)
    return arena_printf(p->a, "(%s *)(void *)(%s + o%d + %lld * unit)", type,
                        base, s->whole, (long long)s->offset);
  return arena_printf(p->a, "(%s *)(void *)(%s + o%d)", type, base,
                      s->unit ? s->whole : slot);
}

/* Where the storage of a pointer's value begins, as C text; declares tensors
 * on first use. */
static const char *storage_pointer(Rows *r, const StepPtr *ptr)
{
  Plan *p = r->p;
  const char *type = dtype_info(ptr->dtype)->c;
  if (ptr->kind == SP_SCRATCH)
    return arena_pointer(r, ptr->slot, type);
  Store st = store_of(p, ptr->v);
  if (st.kind == ST_WEIGHT && r->device)
    return arena_printf(p->a, "(const %s *)(const void *)(w + %lld)", type,
                        (long long)p->device_weight[st.index]);
  if (st.kind == ST_WEIGHT)
    return weights_expr(p, r->f->mode, st.index);
  if (st.kind == ST_INPUT)
    return arena_printf(p->a, "in->%s%s", p->in_field[st.index],
                        port_offset(p, p->in[st.index]->rank,
                                    p->in_dim[st.index]));
  if (st.kind == ST_OUTPUT && ptr->v->kind != VK_TENSOR)
    return arena_printf(p->a, "out->%s", p->out_field[st.index]);
  if (st.kind == ST_OUTPUT)
    return out_is_value(p, st.index)
      ? arena_printf(p->a, "(%s *)out->%s->data", type,
                     p->out_field[st.index])
      : arena_printf(p->a, "out->%s%s", p->out_field[st.index],
                        port_offset(p, p->out[st.index]->rank,
                                    p->out_dim[st.index]));
  Value *root = storage_root(p, ptr->v);
  if (!r->declared[root->id]) {
    r->declared[root->id] = true;
    sb_printf(&r->b, "  %s *const t%d = %s; /* %s */\n",
              dtype_info(root->dtype)->c, root->id,
              arena_pointer(r, st.index, dtype_info(root->dtype)->c),
              emit_shape(p, root->rank, root->dim));
  }
  if (root->dtype != ptr->dtype)
    return arena_printf(p->a, "(%s *)(void *)t%d", type, root->id);
  return arena_printf(p->a, "t%d", root->id);
}

const char *rows_pointer(Rows *r, const StepPtr *ptr)
{
  const char *text = storage_pointer(r, ptr);
  int64_t at = ptr->kind == SP_SCRATCH ? 0 : stored_at(r->p, ptr->v);
  return at ? arena_printf(r->p->a, "%s + %lld", text, (long long)at) : text;
}

/* --hooks: tells the caller of the step's begin or end. */
static void hook_text(Rows *r, const Step *s, int end)
{
  if (r->p->m->opt->hooks)
    sb_printf(&r->b, "  hook(ctx, %d, \"%s\", %d);\n",
              s->node->origin ? s->node->origin->index : 0, s->name, end);
}

/* A step that is divided: its pointers in an array. */
static void share_text(Rows *r, const Step *s, const char **arg)
{
  sb_puts(&r->b, "  {\n");
  size_t line = r->b.n;
  sb_puts(&r->b, "    void *const at[] = { ");
  for (int i = 0; i < s->nptr; i++)
    emit_wrapped(&r->b, &line, arena_printf(r->p->a, "(void *)(%s)%s", arg[i],
                                           i + 1 < s->nptr ? ", " : ""), 6);
  sb_printf(&r->b, " };\n    o2c_share_out(&its, %s, at, %s, %lld, %s, %lld);"
              "\n  }\n", s->name, s->total, (long long)s->unit, s->grain,
            (long long)s->good);
}

/* A copy to the device, from it, or to the caller, who may have it there. */
static void transfer_text(Rows *r, const Step *s, const char **arg)
{
  Plan *p = r->p;
  StoreKind from = store_of(p, s->ptr[0].v).kind;
  StoreKind to = store_of(p, s->ptr[1].v).kind;
  bool up = value_on_device(p, s->ptr[1].v);
  bool device = value_on_device(p, s->ptr[0].v) || from == ST_INPUT;
  const char *how = !up && to != ST_OUTPUT ? "get" : device ? "copy" : "put";
  sb_printf(&r->b, "  status = o2c_cuda_%s(ctx->cuda, ", how);
  size_t line = r->b.n - 34;
  emit_wrapped(&r->b, &line, arena_printf(p->a, "%s, ", arg[1]), 4);
  emit_wrapped(&r->b, &line, arena_printf(p->a, "%s, ", arg[0]), 4);
  emit_wrapped(&r->b, &line, arena_printf(p->a, "(size_t)(%s));\n",
                                          step_var(s, "BYTES")), 4);
  sb_puts(&r->b, "  if (status != O2C_OK)\n    return status;\n");
}

static void one_call(Rows *r, const Step *s, const char **arg)
{
  hook_text(r, s, 0);
  if (s->transfer) {
    transfer_text(r, s, arg);
    hook_text(r, s, 1);
    return;
  }
  if (s->split) {
    share_text(r, s, arg);
    hook_text(r, s, 1);
    return;
  }
  sb_puts(&r->b, s->status ? "  status = " : "  ");
  size_t line = r->b.n - (s->status ? 11 : 2);
  sb_printf(&r->b, "%s(", s->name);
  for (int i = 0; i < s->nptr; i++)
    emit_wrapped(&r->b, &line,
                arena_printf(r->p->a, "%s%s", arg[i],
                             i + 1 < s->nptr || s->symbols ? ", " : ""), 4);
  sb_puts(&r->b, s->symbols ? "s);\n" : ");\n");
  hook_text(r, s, 1);
  if (s->status)
    sb_puts(&r->b, "  if (status != O2C_OK)\n    return status;\n");
}

static void call_text(Rows *r, const Step *s)
{
  const char **arg = NEW(r->p->a, const char *, s->nptr + 1);
  for (int i = 0; i < s->nptr; i++)
    arg[i] = rows_pointer(r, &s->ptr[i]);
  one_call(r, s, arg);
  tap_text(r->p, s, arg, &r->b);
}

static const char *cond_text(Rows *r, const Guard *g)
{
  const StepPtr cond = { .kind = SP_IN, .v = g->cond, .dtype = DT_BOOL };
  return arena_printf(r->p->a, "*(%s)", rows_pointer(r, &cond));
}

/* The braces of a loop. */
static void loop_text(Rows *r, const Step *s)
{
  if (s->loop == LOOP_OPEN) {
    const StepPtr go = { .kind = SP_IN, .v = s->node->out[1],
                         .dtype = DT_BOOL };
    sb_printf(&r->b, "  while (*(%s)) {\n", rows_pointer(r, &go));
  }
  if (s->loop == LOOP_CLOSE)
    sb_puts(&r->b, "  }\n");
}

/* Tensors of the steps from `s` on that run in branches and loops are declared
 * before the first of these. */
static void declare_guarded(Rows *r, const Step *s)
{
  for (; s && (s->guard || s->depth); s = s->next) {
    for (int i = 0; i < s->nptr && !s->device; i++)
      rows_pointer(r, &s->ptr[i]);
    for (const Guard *g = s->guard; g; g = g->up)
      cond_text(r, g);
  }
}

static void open_guards(Rows *r, const Guard *g, const Guard *from)
{
  if (g == from)
    return;
  open_guards(r, g->up, from);
  sb_printf(&r->b, "  if (%s%s) {\n", g->on ? "" : "!", cond_text(r, g));
}

/* Closes and opens branches, from those of `now` to those of step `s`. */
static void change_guard(Rows *r, const Guard *now, const Step *s)
{
  const Guard *to = s ? s->guard : NULL, *both = to;
  for (; both; both = both->up) {
    const Guard *g = now;
    while (g && g != both)
      g = g->up;
    if (g)
      break;
  }
  for (; now != both; now = now->up)
    sb_puts(&r->b, "  }\n");
  open_guards(r, to, both);
}

/* Behind the one before, of the same memory; those of proportional sizes lie
 * within another one. */
void rows_slots(Rows *r, bool device, const char *pre)
{
  Plan *p = r->p;
  const Dim *unit = NULL;
  int before = -1;
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (s->device != device)
      continue;
    if (s->unit) {
      unit = s->unit;
      continue;
    }
    sb_printf(&r->b, "  const int64_t o%d = ", i);
    if (before < 0) {
      sb_printf(&r->b, "%d;\n", device ? 0 : p->head_bytes);
    } else {
      sb_printf(&r->b, "o%d + O2C_ALIGN_UP(", before);
      emit_slot_bytes(p, &r->b, p->slot[before].bytes, p->slot[before].nbytes,
                      pre);
      sb_puts(&r->b, ", 64);\n");
    }
    before = i;
  }
  if (unit) {
    sb_puts(&r->b, "  const int64_t unit = ");
    dim_print(&r->b, &p->m->dims, unit, pre);
    sb_puts(&r->b, ";\n  (void)unit;\n");
  } else if (before >= 0) {
    sb_printf(&r->b, "  (void)o%d;\n", before);
  }
}

void rows_body(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  Rows r = { .p = p, .f = f, .declared = NEW(p->a, bool, p->m->nvalue + 1) };
  sb_init(&r.b, p->a);
  sizes_begin(p, &r.b);
  sb_puts(&r.b, "  (void)ctx, (void)ws, (void)s, (void)in, (void)out, "
                "(void)first;\n");
  if (p->ntap)
    sb_puts(&r.b, "  extern void o2c_tell(int64_t id, int64_t first, int64_t "
            "rows, const void *p,\n                      int32_t dtype, "
            "int32_t rank, const int64_t *dim,\n                      "
            "const int64_t *by);\n");
  if (!p->arena_static) {
    rows_slots(&r, false, p->nfound ? "d->" : "s->");
    rows_slots(&r, true, p->nfound ? "d->" : "s->");
  }
  if (p->device)
    sb_puts(&r.b, "  unsigned char *const dev = o2c_cuda_arena(ctx->cuda);\n"
                  "  (void)dev;\n");
  if (p->head_bytes)
    sb_puts(&r.b, "  o2c_status status = O2C_OK;\n");
  if (p->splits)
    sb_printf(&r.b, "  o2c_share its = {\n    ctx, s, ws + %s, (size_t)%s, "
              "alone, NULL, NULL, 0, 0\n  };\n",
              emit_workspace(p, p->nfound ? "d->" : "s->"),
              p->block ? emit_workspace(p, p->nfound ? "d->" : "s->")
                       : emit_room(p, p->nfound ? "d->" : "s->"));
  const Guard *now = NULL;
  bool inside = false;
  for (Step *s = p->first; s; now = s->guard, s = s->next) {
    if (!inside && (s->guard || s->depth))
      declare_guarded(&r, s);
    inside = s->guard || s->depth;
    if (s->guard != now)
      change_guard(&r, now, s);
    if (s->device)
      region_call(&r, s, &s);
    else
      call_text(&r, s);
    loop_text(&r, s);
  }
  if (now)
    change_guard(&r, now, NULL);
  sizes_end(p, &r.b);
  emit_set_buf(plan, "ROWS_BODY", &r.b);
}

