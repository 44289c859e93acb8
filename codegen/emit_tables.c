/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind <model>_model(): ports, dimension names, metadata, and the
 * type-erased adaptor's assignments. Names of the model are hostile text:
 * here, and only here, they reach the output, as escaped string literals. */
#include "target.h"

#include <ctype.h>
#include <string.h>

/* A C string literal of n bytes, free of words that m4 would expand. */
static void put_bytes(StrBuf *b, const char *s, size_t n)
{
  sb_puts(b, "\"");
  bool octal = false;
  for (const char *c = s; c < s + n; c++) {
    unsigned char u = (unsigned char)*c;
    bool plain = u && u < 128 &&
                 (isalnum(u) || strchr(" .,:;/()[]+*-=!&|#@", u));
    bool word = u < 128 && isalnum(u);
    bool quote = *c == '/' || *c == '*'; /* no comment ends in a literal */
    plain = plain && !quote && !(octal && isdigit(u));
    /* m4 expands words: split the two prefixes that are ours. */
    size_t left = (size_t)(s + n - c);
    if (word && ((left > 1 && !memcmp(c, "G_", 2)) ||
                 (left > 2 && !memcmp(c, "m4_", 3))))
      plain = false;
    if (plain)
      sb_write(b, c, 1);
    else
      sb_printf(b, "\\%03o", u);
    octal = false;
  }
  sb_puts(b, "\"");
}

static void put_literal(StrBuf *b, const char *s)
{
  put_bytes(b, s, strlen(s));
}

/* The keys of outputs that are maps with constant keys, for the header. */
void emit_keys(Plan *p, StrBuf *b)
{
  for (int i = 0; i < p->g->nzip; i++) {
    const Tensor *t = p->g->zip[i].keys;
    const char *field = p->out_field[p->g->zip[i].out];
    bool text = t->dtype == DT_STR;
    sb_printf(b, "\n/* What the columns of `%s` are the values of. */\n"
              "#define %s_%s_KEYS %lld\n"
              "static const %s %s_%s_keys[] = {", field, emit_upper(p),
              upper_text(p->a, field), (long long)t->n,
              text ? "o2c_str" : "int64_t", p->name, field);
    for (int64_t k = 0; k < t->n; k++) {
      const Str *s = (const Str *)t->data + k;
      sb_puts(b, k ? ",\n  " : "\n  ");
      if (!text) {
        dim_print(b, &p->m->dims, dim_int(&p->m->dims, tensor_i64(t, k)), "");
        continue;
      }
      sb_puts(b, "{ ");
      put_bytes(b, s->p, s->n);
      sb_printf(b, ", %zu }", s->n);
    }
    sb_puts(b, "\n};\n");
  }
}

/* Of a type-erased output that is maps: the values, and descriptions behind
 * them (o2c_zip). `pre` as dim_print. */
static void zip_sizes(Plan *p, int k, const char *pre, const char **values,
                      const char **rows)
{
  DimPool *d = &p->m->dims;
  const Dim *n = dim_prod(d, p->out_dim[k], p->out[k]->rank);
  StrBuf b;
  sb_init(&b, p->a);
  dim_print(&b, d, dim_mul(d, n, dim_int(d, 4)), pre);
  *values = arena_printf(p->a, "O2C_ALIGN_UP(%.*s, 16)", (int)b.n, b.s);
  b.n = 0;
  dim_print(&b, d, p->out[k]->rank > 1 ? p->out_dim[k][0] : dim_int(d, 1), pre);
  *rows = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
}

/* Values that describe them: a pair for a map; of a sequence, maps too. */
static const char *zip_room(Plan *p, int k, const char *rows)
{
  return p->out[k]->rank > 1
    ? arena_printf(p->a, "O2C_ZIP_ROOM(%s)", rows) : "2";
}

/* The storage's head receives the values. */
static void zip_begin(Plan *p, StrBuf *b, int k)
{
  const char *values, *rows;
  zip_sizes(p, k, "d.", &values, &rows);
  sb_printf(b,
    "  if (!out[%d])\n    return O2C_E_ARG;\n"
    "  if (%s_workspace_size(&d, 1) == 0)\n    return O2C_E_DIMS;\n"
    "  o.%s = (float *)((o2c_value *)out[%d])->data;\n"
    "  if ((uintptr_t)o.%s %% 16)\n    return O2C_E_ALIGN;\n"
    "  if (((o2c_value *)out[%d])->size < (size_t)(%s))\n"
    "    return O2C_E_ARG;\n",
    k, p->name, p->out_field[k], k, p->out_field[k], k, values);
}

/* Maps where there is room for what describes them, else the rows. */
static void zip_end(Plan *p, StrBuf *b, int k)
{
  const Zip *z = graph_zip(p->g, k);
  const char *values, *rows, *f = p->out_field[k];
  bool sequence = p->out[k]->rank > 1;
  long long keys = (long long)z->keys->n;
  zip_sizes(p, k, "d.", &values, &rows);
  sb_printf(b,
    "  {\n    o2c_value *const v = (o2c_value *)out[%d];\n"
    "    unsigned char *const data = (unsigned char *)v->data;\n"
    "    const size_t size = v->size, head = (size_t)(%s);\n"
    "    o2c_value *const room = (o2c_value *)(void *)(data + head);\n"
    "    const int64_t shape[] = { %s%s%lld };\n"
    "    if (size - head < (size_t)(%s) * sizeof *v)\n"
    "      o2c_tensor_set(v, O2C_F32, data, %d, shape);\n    else\n",
    k, values, sequence ? rows : "", sequence ? ", " : "", keys,
    zip_room(p, k, rows), p->out[k]->rank);
  if (sequence)
    sb_printf(b, "      o2c_zip(v, room, %s, %d, %s_%s_keys, %lld, o.%s);\n",
              rows, (int)z->keys->dtype, p->name, f, keys, f);
  else
    sb_printf(b, "      o2c_map_set(v, room, %d, %s_%s_keys, O2C_F32, o.%s, "
              "%lld);\n", (int)z->keys->dtype, p->name, f, f, keys);
  sb_puts(b, "    v->data = data;\n    v->size = size;\n  }\n");
}

static void put_port(Plan *p, StrBuf *b, bool in, int k)
{
  const Value *v = in ? p->in[k] : p->out[k];
  if (!in && graph_zip(p->g, k)) { /* as many bytes as out_shape says */
    sb_printf(b, "static const o2c_dim out_dim%d[] = { { -2, 0 } };\n", k);
    return;
  }
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
    if (!in && graph_zip(p->g, k)) {
      sb_printf(b, ", \"%s\", 0, 1, 1, 0, out_dim%d, %s, 1 },\n",
                p->out_field[k], k, v->rank > 1 ? "O2C_SEQUENCE" : "O2C_MAP");
      continue;
    }
    sb_printf(b, ", \"%s\", %d, %d, %d, 0, %s_dim%d, %s, %d },\n",
              in ? p->in_field[k] : p->out_field[k],
              tensor || (in && v->kind == VK_SPARSE) ? (int)v->dtype : 0,
              dtype_info(v->dtype)->size, v->rank,
              in ? "in" : "out", k, value_kind(v),
              !tensor || (!in && out_is_value(p, k)));
  }
  sb_puts(b, "};\n");
}

/* C99 promises no longer literals. */
static bool is_long(const char *text)
{
  return strlen(text) > 4000;
}

/* The text as an array, number k of such; bytes past 127 are written so that
 * they fit a char which has a sign, too. */
static void put_long_text(StrBuf *b, int k, const char *text)
{
  const unsigned char *c = (const unsigned char *)text;
  sb_printf(b, "static const char meta_text%d[] = {", k);
  for (int i = 0; c[i]; i++) {
    sb_puts(b, i % 12 ? " " : "\n  ");
    if (c[i] < 128)
      sb_printf(b, "%d,", c[i]);
    else
      sb_printf(b, "'\\%o',", c[i]);
  }
  sb_puts(b, "\n  0\n};\n");
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
  for (int i = 0; i < p->m->nmeta; i++)
    if (is_long(p->m->meta[i].value))
      put_long_text(b, i, p->m->meta[i].value);
  if (p->m->nmeta) {
    sb_puts(b, "static const o2c_meta meta[] = {\n");
    for (int i = 0; i < p->m->nmeta; i++) {
      sb_puts(b, "  { ");
      put_literal(b, p->m->meta[i].key);
      sb_puts(b, ",\n    ");
      if (is_long(p->m->meta[i].value))
        sb_printf(b, "meta_text%d", i);
      else
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
    if (graph_zip(p->g, i))
      zip_begin(p, &b, i);
    else
      sb_printf(&b, "  o.%s = (%s *)out[%d];\n", p->out_field[i],
                out_is_value(p, i) ? "o2c_value"
                                   : dtype_info(p->out[i]->dtype)->c, i);
  if (!p->g->nout)
    sb_puts(&b, "  (void)out;\n  o.unused_ = 0;\n");
  emit_set_buf(plan, "ERASED_PORTS", &b);
  sb_init(&b, p->a);
  if (p->g->nzip)
    sb_puts(&b, "  if (status != O2C_OK)\n    return status;\n");
  for (int i = 0; i < p->g->nzip; i++)
    zip_end(p, &b, p->g->zip[i].out);
  emit_set_buf(plan, "ERASED_MAPS", &b);
  sb_init(&b, p->a);
  for (int i = 0; i < p->narg && p->nfound; i++)
    sb_printf(&b, "  dim[%d] = c->need.%s;\n", i,
              p->m->dims.sym[p->args[i]].c_name);
  if (!p->narg)
    sb_puts(&b, "  (void)c;\n  (void)dim;\n");
  emit_set_buf(plan, "ERASED_NEED", &b);
}

static void shapes(Plan *p, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, p->a);
  for (int k = 0; k < p->g->nout; k++) {
    sb_printf(&b, "  case %d:\n", k);
    if (graph_zip(p->g, k)) {
      const char *values, *rows;
      zip_sizes(p, k, "d->", &values, &rows);
      sb_printf(&b, "    shape[0] = %s + %s *\n      "
                "(int64_t)sizeof(o2c_value);\n    break;\n", values,
                zip_room(p, k, rows));
      continue;
    }
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
