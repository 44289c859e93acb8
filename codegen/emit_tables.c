/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind <model>_model(): ports, dimension names, metadata, and the
 * type-erased adaptor's assignments. Names of the model are hostile text:
 * here, and only here, they reach the output, as escaped string literals. */
#include "target.h"

#include <ctype.h>
#include <string.h>

/* A C string literal of any bytes, free of words that m4 would expand. */
static void put_literal(StrBuf *b, const char *s)
{
  sb_puts(b, "\"");
  bool octal = false;
  for (const char *c = s; *c; c++) {
    unsigned char u = (unsigned char)*c;
    bool plain = u < 128 && (isalnum(u) || strchr(" .,:;/()[]+*-=!&|#@", u));
    bool word = u < 128 && isalnum(u);
    bool quote = *c == '/' || *c == '*'; /* no comment ends in a literal */
    plain = plain && !quote && !(octal && isdigit(u));
    /* m4 expands words: split the two prefixes that are ours. */
    if (word && (!strncmp(c, "G_", 2) || !strncmp(c, "m4_", 3)))
      plain = false;
    if (plain)
      sb_write(b, c, 1);
    else
      sb_printf(b, "\\%03o", u);
    octal = false;
  }
  sb_puts(b, "\"");
}

static void put_port(Plan *p, StrBuf *b, bool in, int k)
{
  const Value *v = in ? p->in[k] : p->out[k];
  const Dim **dim = in ? p->in_dim[k] : p->out_dim[k];
  sb_printf(b, "static const o2c_dim %s_dim%d[] = {", in ? "in" : "out", k);
  for (int i = 0; i < v->rank; i++) {
    int64_t n = 0;
    int sym = -1;
    for (int j = 0; j < p->narg; j++)
      if (dim[i] == dim_sym(&p->m->dims, p->args[j]))
        sym = j;
    if (!dim_is_int(dim[i], &n) && sym < 0)
      sym = -2;
    sb_printf(b, "%s { %d, %lld }", i ? "," : "", sym, (long long)n);
  }
  sb_puts(b, v->rank ? " };\n" : " { -1, 0 } };\n");
}

static void put_ports(Plan *p, StrBuf *b, bool in)
{
  int n = in ? p->g->nin : p->g->nout;
  if (n == 0)
    return;
  for (int k = 0; k < n; k++)
    put_port(p, b, in, k);
  sb_printf(b, "static const o2c_port %s_ports[] = {\n", in ? "in" : "out");
  for (int k = 0; k < n; k++) {
    const Value *v = in ? p->in[k] : p->out[k];
    bool tensor = v->kind == VK_TENSOR;
    sb_puts(b, "  { ");
    put_literal(b, in ? p->g->in_name[k] : p->g->out_name[k]);
    sb_printf(b, ", \"%s\", %d, %d, %d, 0, %s_dim%d, %s, %d },\n",
              in ? p->in_field[k] : p->out_field[k],
              tensor ? (int)v->dtype : 0, dtype_info(v->dtype)->size, v->rank,
              in ? "in" : "out", k, value_kind(v),
              !tensor || (!in && out_is_value(p, k)));
  }
  sb_puts(b, "};\n");
}

static void put_names(Plan *p, StrBuf *b)
{
  if (p->narg) {
    sb_puts(b, "static const char *const dim_names[] = {\n");
    for (int i = 0; i < p->narg; i++) {
      sb_puts(b, "  ");
      put_literal(b, p->m->dims.sym[p->args[i]].name);
      sb_puts(b, ",\n");
    }
    sb_puts(b, "};\n");
  }
  if (p->m->nmeta) {
    sb_puts(b, "static const o2c_meta meta[] = {\n");
    for (int i = 0; i < p->m->nmeta; i++) {
      sb_puts(b, "  { ");
      put_literal(b, p->m->meta[i].key);
      sb_puts(b, ",\n    ");
      put_literal(b, p->m->meta[i].value);
      sb_puts(b, " },\n");
    }
    sb_puts(b, "};\n");
  }
}

static void erased(Plan *p, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, p->a);
  for (int i = 0; i < p->narg; i++)
    sb_printf(&b, "  d.%s = dim[%d];\n",
              p->m->dims.sym[p->args[i]].c_name, i);
  if (!p->narg)
    sb_puts(&b, "  (void)dim;\n  d.unused_ = 0;\n");
  emit_set_buf(plan, "ERASED_DIMS", &b);
  sb_init(&b, p->a);
  for (int i = 0; i < p->g->nin; i++)
    sb_printf(&b, "  i.%s = (const %s *)in[%d];\n", p->in_field[i],
              value_c_type(p->in[i]), i);
  if (!p->g->nin)
    sb_puts(&b, "  (void)in;\n  i.unused_ = 0;\n");
  for (int i = 0; i < p->g->nout; i++)
    sb_printf(&b, "  o.%s = (%s *)out[%d];\n", p->out_field[i],
              out_is_value(p, i) ? "o2c_value"
                                 : dtype_info(p->out[i]->dtype)->c, i);
  if (!p->g->nout)
    sb_puts(&b, "  (void)out;\n  o.unused_ = 0;\n");
  emit_set_buf(plan, "ERASED_PORTS", &b);
  sb_init(&b, p->a);
  for (int i = 0; i < p->narg && p->nfound; i++)
    sb_printf(&b, "  dim[%d] = c->need.%s;\n", i,
              p->m->dims.sym[p->args[i]].c_name);
  emit_set_buf(plan, "ERASED_NEED", &b);
}

static void shapes(Plan *p, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, p->a);
  for (int k = 0; k < p->g->nout; k++) {
    sb_printf(&b, "  case %d:\n", k);
    for (int i = 0; i < p->out[k]->rank; i++) {
      sb_printf(&b, "    shape[%d] = ", i);
      dim_print(&b, &p->m->dims, dim_upper(&p->m->dims, p->out_dim[k][i]),
                "d->");
      sb_puts(&b, ";\n");
    }
    sb_puts(&b, "    break;\n");
  }
  emit_set_buf(plan, "OUT_SHAPES", &b);
}

/* --simple: the context and workspace of one caller, in static memory. */
static void simple_call(Plan *p, StrBuf *plan)
{
  if (!p->m->opt->simple) {
    emit_set(plan, "SIMPLE_CALL", "");
    return;
  }
  StrBuf b;
  sb_init(&b, p->a);
  const char *up = emit_upper(p);
  sb_printf(&b, "\n%s\n{\n"
    "  static union { unsigned char b[%s_CTX_SIZE]; double align; void *p; "
    "int64_t i; } room;\n"
    "  static unsigned char ws[%lld + 64];\n"
    "  %s_ctx *ctx;\n  %s_dims d;\n  %s_in i;\n  %s_out o;\n"
    "  o2c_config cfg;\n  o2c_status status;\n"
    "  void *mem = room.b + (16 - (uintptr_t)room.b %% 16) %% 16;\n",
    emit_simple_signature(p), up,
    (long long)plan_workspace(p), p->name, p->name, p->name,
    p->name);
  sb_puts(&b, "  memset(&cfg, 0, sizeof cfg);\n  cfg.size = sizeof cfg;\n"
    "  cfg.workspace = ws + (64 - (uintptr_t)ws % 64) % 64;\n"
    "  cfg.workspace_size = sizeof ws - 64;\n");
  for (int k = 0; k < p->narg; k++)
    sb_printf(&b, "  d.%s = dim_%s;\n",
              p->m->dims.sym[p->args[k]].c_name,
              p->m->dims.sym[p->args[k]].c_name);
  if (!p->narg)
    sb_puts(&b, "  d.unused_ = 0;\n");
  for (int k = 0; k < p->g->nin; k++)
    sb_printf(&b, "  i.%s = %s;\n", p->in_field[k],
              emit_parameter(p, p->in_field[k], ""));
  for (int k = 0; k < p->g->nout; k++)
    sb_printf(&b, "  o.%s = %s;\n", p->out_field[k],
              emit_parameter(p, p->out_field[k], "_out"));
  if (!p->g->nin)
    sb_puts(&b, "  i.unused_ = 0;\n");
  if (!p->g->nout)
    sb_puts(&b, "  o.unused_ = 0;\n");
  sb_printf(&b, "  status = %s_init(mem, sizeof(struct %s_ctx), &cfg, &ctx);\n"
    "  return status == O2C_OK ? %s_run(ctx, &d, &i, &o) : status;\n}\n",
    p->name, p->name, p->name);
  emit_set_buf(plan, "SIMPLE_CALL", &b);
}

void emit_tables(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  StrBuf b;
  erased(p, plan);
  shapes(p, plan);
  sb_init(&b, p->a);
  put_ports(p, &b, true);
  put_ports(p, &b, false);
  put_names(p, &b);
  emit_set_buf(plan, "PORT_TABLES", &b);
  emit_set(plan, "SHA256", p->m->sha256);
  sb_init(&b, p->a);
  put_literal(&b, p->m->file);
  emit_set_buf(plan, "FILE_STRING", &b);
  const struct { const char *key; int n; } counts[] = {
    { "NIN", p->g->nin }, { "NOUT", p->g->nout }, { "NDIM", p->narg },
    { "NMETA", p->m->nmeta },
  };
  for (int i = 0; i < COUNT(counts); i++)
    emit_set(plan, counts[i].key, arena_printf(p->a, "%d", counts[i].n));
  emit_set(plan, "IN_TABLE", p->g->nin ? "in_ports" : "NULL");
  emit_set(plan, "OUT_TABLE", p->g->nout ? "out_ports" : "NULL");
  emit_set(plan, "DIM_TABLE", p->narg ? "dim_names" : "NULL");
  emit_set(plan, "META_TABLE", p->m->nmeta ? "meta" : "NULL");
  emit_set(plan, "WEIGHTS_FILE_SIZE", arena_printf(p->a, "%lld",
    f->mode == WM_FILE ? (long long)p->weight_bytes + WEIGHTS_HEADER : 0ll));
  simple_call(p, plan);
}
