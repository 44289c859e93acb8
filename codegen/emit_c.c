/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a model's C file: steps, the rows function that calls them,
 * checks, tables. The skeleton around them is templates/file.c.m4. */
#include "emit_rows.h"

#include <string.h>

/* The steps' views of a value may have another element type than it has. */
static const char *step_type(const StepPtr *ptr)
{
  return ptr->v->kind != VK_TENSOR ? value_c_type(ptr->v)
                                   : dtype_info(ptr->dtype)->c;
}

/* A pointer parameter's declaration. */
void emit_param(StrBuf *b, const StepPtr *ptr)
{
  sb_printf(b, "%s%s *%s", ptr->kind == SP_IN ? "const " : "",
            ptr->kind == SP_SCRATCH ? dtype_info(ptr->dtype)->c
                                    : step_type(ptr), ptr->name);
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
    emit_param(&one, &s->ptr[i]);
    sb_printf(b, "%s", sep);
    one.s[one.n] = 0;
    emit_wrapped(b, &line, one.s, 4);
    sb_free(&one);
    sep = ", ";
  }
  if (s->symbols) {
    sb_puts(b, sep);
    emit_wrapped(b, &line, arena_printf(s->plan->a, "%s%s *s",
                                       s->nfinds ? "" : "const ",
                                       sizes_type(s->plan)), 4);
  }
  if (!s->nptr && !s->symbols)
    sb_puts(b, "void");
  sb_puts(b, ")");
}

void emit_banner(const Step *s, StrBuf *b)
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
  emit_banner(s, &b);
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
  emit_set(plan, "DEVICE", p->device ? "1" : "");
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
    if (!s->device && !s->transfer)
      step_plan(s, plan);
  rows_body(p, plan, f);
  dims_check(p, plan);
  emit_set(plan, "WORKSPACE_EXPR", emit_workspace(p, "d->"));
  emit_set(plan, "FURTHER", p->block ? "n" : emit_room(p, "d->"));
  emit_set(plan, "PARALLEL", !plan_threads(p) ? "none" :
           "cfg->par && cfg->par->workers > 0 ? *cfg->par : none");
  init_weights(p, plan, f);
  emit_run(p, plan);
  emit_device(p, plan, f);
  emit_tables(p, plan, f);
  sb_puts(plan, "G_FILE_END");
}
