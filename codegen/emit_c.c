/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a model's C file: steps, the rows function that calls them,
 * checks, tables. The skeleton around them is templates/file.c.m4. */
#include "target.h"

#include <string.h>

/* The steps' views of a value may have another element type than it has. */
static const char *step_type(const StepPtr *ptr)
{
  return ptr->v->kind != VK_TENSOR ? value_c_type(ptr->v)
                                   : dtype_info(ptr->dtype)->c;
}

/* A pointer parameter's declaration. */
static void put_param(StrBuf *b, const StepPtr *ptr)
{
  sb_printf(b, "%s%s *%s", ptr->kind == SP_IN ? "const " : "",
            ptr->kind == SP_SCRATCH ? dtype_info(ptr->dtype)->c
                                    : step_type(ptr), ptr->name);
}

/* Appends `text` to a line that started at `*line`, wrapped at column 78. */
static void put_wrapped(StrBuf *b, size_t *line, const char *text, int indent)
{
  if (b->n - *line + strlen(text) > 78) {
    while (b->n > 0 && b->s[b->n - 1] == ' ')
      b->n--;
    sb_printf(b, "\n%*s", indent, "");
    *line = b->n - (size_t)indent;
  }
  sb_puts(b, text);
}

static const char *step_storage(const Step *s)
{
  return s->small ? "SMALL_STEP" : "STEP";
}

static void function_text(const Step *s, StrBuf *b)
{
  size_t line = 0;
  line -= strlen(step_storage(s)) + (s->status ? 12 : 6);
  sb_printf(b, "%s(", s->name);
  const char *sep = "";
  if (s->split) {
    sb_puts(b, "const o2c_share *its, int64_t from, int64_t to,\n    "
            "unsigned worker)");
    return;
  }
  for (int i = 0; i < s->nptr; i++) {
    StrBuf one;
    sb_init(&one, s->plan->a);
    put_param(&one, &s->ptr[i]);
    sb_printf(b, "%s", sep);
    one.s[one.n] = 0;
    put_wrapped(b, &line, one.s, 4);
    sb_free(&one);
    sep = ", ";
  }
  if (s->symbols) {
    sb_puts(b, sep);
    put_wrapped(b, &line, arena_printf(s->plan->a, "%s%s *s",
                                       s->nfinds ? "" : "const ",
                                       sizes_type(s->plan)), 4);
  }
  if (!s->nptr && !s->symbols)
    sb_puts(b, "void");
  sb_puts(b, ")");
}

static void banner(const Step *s, StrBuf *b)
{
  Plan *p = s->plan;
  const Node *n = s->node;
  sb_printf(b, "/* ");
  for (const Origin *o = n->origin; o; o = o->next)
    sb_printf(b, "node %d %s-%d%s", o->index, emit_safe(p, o->op), o->version,
              o->next ? ", " : "");
  if (!n->origin)
    sb_puts(b, emit_safe(p, n->op_type));
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].kind == SP_OUT && s->ptr[i].v->rank >= 0) {
      Value *v = s->ptr[i].v;
      sb_printf(b, "\n *   -> %s %s", emit_type(p, v),
                emit_shape(p, v->rank, v->dim));
    }
  if (s->macs)
    sb_printf(b, ", %lld MAC", (long long)s->macs);
  sb_printf(b, "; %s */", s->kernel_note);
}

static void step_plan(const Step *s, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, s->plan->a);
  banner(s, &b);
  emit_set_buf(plan, "BANNER", &b);
  sb_init(&b, s->plan->a);
  function_text(s, &b);
  emit_set_buf(plan, "FUNCTION", &b);
  emit_set(plan, "INLINE", step_storage(s));
  emit_set(plan, "RESULT", s->status ? "o2c_status" : "void");
  emit_set(plan, "RETURN", s->status ? "  return O2C_OK;\n" : "");
  emit_set(plan, "SPLIT", s->split ? "1" : "");
  sb_init(&b, s->plan->a);
  if (s->split)
    emit_split_open(s, &b);
  emit_set_buf(plan, "OPEN", &b);
  for (int i = 0; i < s->nvar; i++)
    emit_set(plan, s->var[i].key, s->var[i].text);
  sb_printf(plan, "G_STEP(<%%G_%s%%>)m4_dnl\n", s->macro);
  for (int i = 0; i < s->nvar; i++)
    sb_printf(plan, "G_UNSET(<%%%s%%>)m4_dnl\n", s->var[i].key);
}

typedef struct {
  Plan *p;
  const EmitFiles *f;
  StrBuf b;
  bool *declared;     /* slots' or values' local pointers */
} Rows;

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
  if (p->arena_static)
    return arena_printf(p->a, "(%s *)(void *)(ws + %lld)", type,
                        (long long)p->slot[slot].offset + p->head_bytes);
  const Slot *s = &p->slot[slot];
  if (s->unit && s->offset)
    return arena_printf(p->a, "(%s *)(void *)(ws + o%d + %lld * unit)", type,
                        s->whole, (long long)s->offset);
  return arena_printf(p->a, "(%s *)(void *)(ws + o%d)", type,
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

static const char *pointer(Rows *r, const StepPtr *ptr)
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
    put_wrapped(&r->b, &line, arena_printf(r->p->a, "(void *)(%s)%s", arg[i],
                                           i + 1 < s->nptr ? ", " : ""), 6);
  sb_printf(&r->b, " };\n    o2c_share_out(&its, %s, at, %s, %lld, %s, %lld);"
              "\n  }\n", s->name, s->total, (long long)s->unit, s->grain,
            (long long)s->good);
}

static void call_text(Rows *r, const Step *s)
{
  const char **arg = NEW(r->p->a, const char *, s->nptr + 1);
  for (int i = 0; i < s->nptr; i++)
    arg[i] = pointer(r, &s->ptr[i]);
  hook_text(r, s, 0);
  if (s->split) {
    share_text(r, s, arg);
    hook_text(r, s, 1);
    return;
  }
  sb_puts(&r->b, s->status ? "  status = " : "  ");
  size_t line = r->b.n - (s->status ? 11 : 2);
  sb_printf(&r->b, "%s(", s->name);
  for (int i = 0; i < s->nptr; i++)
    put_wrapped(&r->b, &line,
                arena_printf(r->p->a, "%s%s", arg[i],
                             i + 1 < s->nptr || s->symbols ? ", " : ""), 4);
  sb_puts(&r->b, s->symbols ? "s);\n" : ");\n");
  hook_text(r, s, 1);
  if (s->status)
    sb_puts(&r->b, "  if (status != O2C_OK)\n    return status;\n");
}

static const char *cond_text(Rows *r, const Guard *g)
{
  const StepPtr cond = { .kind = SP_IN, .v = g->cond, .dtype = DT_BOOL };
  return arena_printf(r->p->a, "*(%s)", pointer(r, &cond));
}

/* The braces of a loop. */
static void loop_text(Rows *r, const Step *s)
{
  if (s->loop == LOOP_OPEN) {
    const StepPtr go = { .kind = SP_IN, .v = s->node->out[1],
                         .dtype = DT_BOOL };
    sb_printf(&r->b, "  while (*(%s)) {\n", pointer(r, &go));
  }
  if (s->loop == LOOP_CLOSE)
    sb_puts(&r->b, "  }\n");
}

/* Tensors of the steps from `s` on that run in branches and loops are declared
 * before the first of these. */
static void declare_guarded(Rows *r, const Step *s)
{
  for (; s && (s->guard || s->depth); s = s->next) {
    for (int i = 0; i < s->nptr; i++)
      pointer(r, &s->ptr[i]);
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

/* Where each slot begins: behind the one before; those of proportional sizes
 * lie within another one. */
static void slot_offsets(Rows *r)
{
  Plan *p = r->p;
  const char *pre = p->nfound ? "d->" : "s->";
  const Dim *unit = NULL;
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (s->unit) {
      unit = s->unit;
      continue;
    }
    sb_printf(&r->b, "  const int64_t o%d = ", i);
    if (i == 0) {
      sb_printf(&r->b, "%d;\n", p->head_bytes);
      continue;
    }
    sb_printf(&r->b, "o%d + O2C_ALIGN_UP(", i - 1);
    emit_slot_bytes(p, &r->b, s[-1].bytes, s[-1].nbytes, pre);
    sb_puts(&r->b, ", 64);\n");
  }
  if (unit) {
    sb_puts(&r->b, "  const int64_t unit = ");
    dim_print(&r->b, &p->m->dims, unit, pre);
    sb_puts(&r->b, ";\n  (void)unit;\n");
  } else if (p->nslot) {
    sb_printf(&r->b, "  (void)o%d;\n", p->nslot - 1);
  }
}

static void rows_body(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  Rows r = { .p = p, .f = f, .declared = NEW(p->a, bool, p->m->nvalue + 1) };
  sb_init(&r.b, p->a);
  sizes_begin(p, &r.b);
  sb_puts(&r.b, "  (void)ctx, (void)ws, (void)s, (void)in, (void)out, "
                "(void)first;\n");
  if (!p->arena_static)
    slot_offsets(&r);
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
  for (const Step *s = p->first; s; now = s->guard, s = s->next) {
    if (!inside && (s->guard || s->depth))
      declare_guarded(&r, s);
    inside = s->guard || s->depth;
    if (s->guard != now)
      change_guard(&r, now, s);
    call_text(&r, s);
    loop_text(&r, s);
  }
  if (now)
    change_guard(&r, now, NULL);
  sizes_end(p, &r.b);
  emit_set_buf(plan, "ROWS_BODY", &r.b);
}

/* The largest value that all dims may take at once without overflow. */
static int64_t dims_limit(Plan *p)
{
  DimPool *d = &p->m->dims;
  int64_t *sym = NEW(p->a, int64_t, d->nsym + 1);
  int64_t limit = (int64_t)1 << 40;
  for (; limit > 1; limit /= 2) {
    for (int i = 0; i < d->nsym; i++)
      sym[i] = limit;
    bool ok = true;
    for (int i = 0; ok && i < p->nslot; i++)
      for (int k = 0; ok && k < p->slot[i].nbytes; k++)
        ok = dim_eval(d, p->slot[i].bytes[k], sym) >= 0 &&
             dim_eval(d, p->slot[i].bytes[k], sym) < (int64_t)1 << 46;
    for (int i = 0; ok && i < p->g->nin + p->g->nout; i++) {
      bool in = i < p->g->nin;
      int k = in ? i : i - p->g->nin;
      const Dim *n = in ? dim_prod(d, p->in_dim[k], p->in[k]->rank)
                        : dim_prod(d, p->out_dim[k], p->out[k]->rank);
      ok = dim_eval(d, n, sym) >= 0;
    }
    if (ok)
      break;
  }
  return limit;
}

/* What inference took for granted; see unify.c. */
static void dims_equal(Plan *p, StrBuf *b)
{
  DimPool *d = &p->m->dims;
  for (int i = 0; i < d->nequal; i++) {
    if (d->equal[i].a == d->equal[i].b)
      continue;
    sb_puts(b, "  if (");
    dim_print(b, d, d->equal[i].a, "d->");
    sb_puts(b, " != ");
    dim_print(b, d, d->equal[i].b, "d->");
    sb_puts(b, ")\n    return 0;\n");
  }
}

static void dims_check(Plan *p, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, p->a);
  if (!p->narg) {
    sb_puts(&b, "  (void)d;\n  return 1;\n");
  } else {
    int64_t limit = dims_limit(p);
    sb_puts(&b, "  if (!d)\n    return 0;\n");
    for (int i = 0; i < p->narg; i++) {
      const Sym *s = &p->m->dims.sym[p->args[i]];
      int64_t max = s->max > 0 && s->max < limit ? s->max : limit;
      sb_printf(&b, "  if (d->%s < 0 || d->%s > INT64_C(%lld))\n"
                "    return 0;\n", s->c_name, s->c_name, (long long)max);
    }
    dims_equal(p, &b);
    for (int i = 0; i < p->g->nout; i++)
      for (int k = 0; k < p->out[i]->rank; k++) {
        int64_t v;
        if (dim_is_int(p->out_dim[i][k], &v) || out_is_value(p, i))
          continue;
        sb_puts(&b, "  if ((");
        dim_print(&b, &p->m->dims, p->out_dim[i][k], "d->");
        sb_puts(&b, ") < 0)\n    return 0;\n");
      }
    sb_puts(&b, "  return 1;\n");
  }
  emit_set_buf(plan, "DIMS_CHECK", &b);
}

static void init_weights(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  const char *text = "  c->weights = NULL;\n";
  if (f->mode == WM_OBJECT || f->mode == WM_INCBIN)
    text = arena_printf(p->a, "  c->weights = %s_weights;\n", p->name);
  if (f->mode == WM_FILE) {
    StrBuf b;
    sb_init(&b, p->a);
    sb_printf(&b, "  {\n    static const unsigned char id[16] = {\n"
              "      'O', '2', 'C', 'W', 0, 0, 0, 0, ");
    uint64_t h = weights_hash(p);
    for (int i = 0; i < 8; i++)
      sb_printf(&b, "%s%u", i ? ", " : "", (unsigned)(h >> (8 * i)) & 255u);
    sb_printf(&b, "\n    };\n"
      "    if (!cfg->weights || cfg->weights_size != %lld ||\n"
      "        memcmp(cfg->weights, id, sizeof id) != 0)\n"
      "      return O2C_E_WEIGHTS;\n"
      "    if ((uintptr_t)cfg->weights %% 64)\n"
      "      return O2C_E_ALIGN;\n"
      "    c->weights = (const unsigned char *)cfg->weights;\n  }\n",
      (long long)p->weight_bytes + WEIGHTS_HEADER);
    text = arena_strn(p->a, b.s, b.n);
    sb_free(&b);
  }
  emit_set(plan, "INIT_WEIGHTS", text);
}

static void law_note(Plan *p, StrBuf *plan)
{
  const char *text;
  if (p->block == 1)
    text = " * Batch: one row of the network at a time; the workspace does not "
           "grow\n * with the batch.";
  else if (p->block && p->arena_static)
    text = arena_printf(p->a, " * Batch: %d rows at a time; the workspace does "
                        "not grow with the batch.", p->block);
  else if (p->block)
    text = arena_printf(p->a, " * Batch: as many samples at a time as make "
                        "about %d rows of products, at\n * least one; the "
                        "workspace is that of those.", p->block);
  else
    text = " * Batch: all at once; the workspace grows with the run-time "
           "dimensions.";
  emit_set(plan, "LAW_NOTE", text);
  emit_set(plan, "ROWS_NOTE", p->block == 1
    ? "/* The network for row `first` of the batch. */"
    : p->block ? "/* The network for s's rows of the batch, from `first`. */"
               : "/* The network. */");
}

void emit_source_plan(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  emit_names(p, plan, f);
  emit_set(plan, "MAGIC", arena_printf(p->a, "0x%08x", (unsigned)
           (hash_bytes(p->m->sha256, 64, 1) & 0xffffffffu)));
  law_note(p, plan);
  emit_set(plan, "HOOKS", p->m->opt->hooks ? "1" : "");
  StrBuf sizes;
  sb_init(&sizes, p->a);
  sizes_struct(p, &sizes);
  emit_set_buf(plan, "SIZES", &sizes);
  emit_set(plan, "NEED", p->nfound ? "1" : "");
  emit_set(plan, "LEVELS", p->nlevel ? "1" : "");
  emit_set(plan, "ROWS_DIMS", p->nfound ? "d" : "s");
  emit_fits(p, plan);
  emit_set(plan, "CALL_ROWS", p->nlevel ? "ctx->run" : "run_rows");
  emit_split_types(p, plan);
  sb_puts(plan, "G_FILE_TOP<%%>m4_dnl\n");
  for (const Step *s = p->first; s; s = s->next)
    step_plan(s, plan);
  rows_body(p, plan, f);
  dims_check(p, plan);
  emit_set(plan, "WORKSPACE_EXPR", emit_workspace(p, "d->"));
  emit_set(plan, "FURTHER", p->block ? "n" : emit_room(p, "d->"));
  emit_set(plan, "PARALLEL", !plan_threads(p) ? "none" :
           "cfg->par && cfg->par->workers > 0 ? *cfg->par : none");
  init_weights(p, plan, f);
  emit_run(p, plan);
  emit_tables(p, plan, f);
  sb_puts(plan, "G_FILE_END");
}
