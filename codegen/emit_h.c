/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a model's header: fields, sizes, notes. */
#include "target.h"

#include <ctype.h>
#include <string.h>

const char *upper_text(Arena *a, const char *text)
{
  char *s = arena_str(a, text);
  for (char *c = s; *c; c++)
    *c = (char)toupper((unsigned char)*c);
  return s;
}

const char *emit_upper(const Plan *p)
{
  return upper_text(p->a, p->name);
}

void emit_set(StrBuf *plan, const char *key, const char *text)
{
  sb_printf(plan, "G_SET(<%%%s%%>, <%%", key);
  sb_puts(plan, text);
  sb_puts(plan, "%>)m4_dnl\n");
}

void emit_set_buf(StrBuf *plan, const char *key, StrBuf *text)
{
  sb_write(text, "", 1);
  emit_set(plan, key, text->s);
  sb_free(text);
}

/* A comment may hold no end of comment, and m4 must see no quote of its own
 * and no macro's name: anything else than plain text becomes '?'. */
const char *emit_safe(const Plan *p, const char *s)
{
  char *out = arena_str(p->a, s);
  for (char *c = out; *c; c++) {
    bool plain = isalnum((unsigned char)*c) || strchr("._-:+= ,", *c);
    bool macro = (c == out || !isalnum((unsigned char)c[-1])) &&
                 (!strncmp(c, "G_", 2) || !strncmp(c, "m4_", 3));
    if (!plain || macro)
      *c = '?';
  }
  if (strlen(out) > 60)
    strcpy(out + 57, "...");
  return out;
}

const char *emit_shape(const Plan *p, int rank, const Dim *const *dim)
{
  StrBuf b;
  sb_init(&b, p->a);
  sb_puts(&b, "[");
  for (int i = 0; i < rank; i++)
    sb_printf(&b, "%s%s", i ? "," : "", dim_text(&p->m->dims, dim[i]));
  sb_puts(&b, "]");
  const char *text = emit_safe(p, arena_strn(p->a, b.s + 1, b.n - 2));
  sb_free(&b);
  return arena_printf(p->a, "[%s]", text);
}

/* Public names of ports as C fields, unique among `n` before it. */
static const char *field_name(Plan *p, const char *name, const char *const *had,
                              int n)
{
  const char *base = c_identifier(p->a, name, "x"), *s = base;
  for (int t = 2;; t++) {
    bool taken = false;
    for (int i = 0; i < n && !taken; i++)
      taken = !strcmp(had[i], s);
    if (!taken)
      return s;
    s = arena_printf(p->a, "%s_%d", base, t);
  }
}

const char **emit_fields(Plan *p, const char *const *names, int n)
{
  const char **out = NEW(p->a, const char *, n + 1);
  for (int i = 0; i < n; i++)
    out[i] = field_name(p, names[i], out, i);
  return out;
}

/* The type of an output as the file has it. */
static const char *out_type(Plan *p, int k)
{
  const Zip *z = graph_zip(p->g, k);
  return z ? type_text(p->a, z->type) : emit_type(p, p->g->out[k]);
}

/* "seq(tensor(float))", whose parentheses emit_safe would not let through. */
const char *emit_type(Plan *p, const Value *v)
{
  return v->kind == VK_TENSOR || type_crosses(v->declared)
           ? value_type(p, v) : "?";
}

const char *emit_fields_text(Plan *p, bool inputs)
{
  StrBuf b;
  sb_init(&b, p->a);
  int n = inputs ? p->g->nin : p->g->nout;
  for (int i = 0; i < n; i++) {
    const Value *v = inputs ? p->g->in[i] : p->g->out[i];
    bool value = !inputs && out_is_value(p, i);
    if (v->kind != VK_TENSOR) {
      sb_printf(&b, "  %so2c_value *%s; /* %s */\n", inputs ? "const " : "",
                inputs ? p->in_field[i] : p->out_field[i],
                emit_type(p, v));
      continue;
    }
    const char *maps = inputs || !graph_zip(p->g, i) ? ""
      : arena_printf(p->a, "%s to the keys %s_%s_keys",
                     v->rank > 1 ? ": a row for each map," : ": a map,",
                     p->name, p->out_field[i]);
    sb_printf(&b, "  %s%s *%s; /* %s%s */\n", inputs ? "const " : "",
              value ? "o2c_value" : value_c_type(v),
              inputs ? p->in_field[i] : p->out_field[i],
              emit_shape(p, v->rank,
                         inputs ? p->in_dim[i] : p->out_dim[i]), maps);
  }
  if (n == 0)
    sb_puts(&b, "  char unused_;\n");
  const char *text = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return text;
}

static const char *dim_fields(Plan *p)
{
  StrBuf b;
  sb_init(&b, p->a);
  for (int i = 0; i < p->narg; i++) {
    const Sym *s = &p->m->dims.sym[p->args[i]];
    bool room = s->kind == SYM_CAPACITY;
    sb_printf(&b, "  int64_t %s; /* %s%s */\n", s->c_name,
              room ? "room for what the data shows: " : "",
              emit_safe(p, s->name));
  }
  if (p->narg == 0)
    sb_puts(&b, "  char unused_;\n");
  const char *text = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return text;
}

/* The largest of n sizes; halved, since a macro repeats its arguments. */
void emit_slot_bytes(Plan *p, StrBuf *b, const Dim **bytes, int n,
                     const char *pre)
{
  if (n == 1) {
    dim_print(b, &p->m->dims, bytes[0], pre);
    return;
  }
  sb_puts(b, "O2C_MAX(");
  emit_slot_bytes(p, b, bytes, n / 2, pre);
  sb_puts(b, ", ");
  emit_slot_bytes(p, b, bytes + n / 2, n - n / 2, pre);
  sb_puts(b, ")");
}

int64_t plan_workspace(const Plan *p)
{
  int64_t n = p->arena_bytes + p->head_bytes;
  return n > 0 ? n : 64;
}

/* Of n sizes, for as many samples as a block may have. */
static const Dim **block_bytes(Plan *p, const Dim **bytes, int n)
{
  DimPool *d = &p->m->dims;
  if (p->block <= 1)
    return bytes;
  const Dim *samples = dim_min(d, dim_sym(d, p->batch), p->rows);
  const Dim **most = NEW(p->a, const Dim *, n);
  for (int i = 0; i < n; i++)
    most[i] = dim_subst(d, bytes[i], p->batch, samples);
  return most;
}

void emit_slots(Plan *p, StrBuf *b, bool device, const char *pre)
{
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (s->unit || s->device != device)
      continue;
    sb_puts(b, " + O2C_ALIGN_UP(");
    emit_slot_bytes(p, b, block_bytes(p, s->bytes, s->nbytes), s->nbytes, pre);
    sb_puts(b, ", 64)");
  }
}

/* The workspace in bytes as an expression of the dims; `pre` as dim_print. */
const char *emit_workspace(Plan *p, const char *pre)
{
  /* Never 0, which is workspace_size's word for "out of range". */
  if (p->arena_static)
    return arena_printf(p->a, "INT64_C(%lld)", (long long)
                        plan_workspace(p));
  StrBuf b;
  sb_init(&b, p->a);
  sb_puts(&b, "(INT64_C(64)");
  emit_slots(p, &b, false, pre);
  sb_puts(&b, ")");
  const char *text = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return text;
}

/* Macro parameters: the symbols' names; they are parenthesised in the text by
 * casting each one first. */
static void workspace_macros(Plan *p, StrBuf *b)
{
  StrBuf args;
  sb_init(&args, p->a);
  for (int i = 0; i < p->narg; i++)
    sb_printf(&args, "%s%s", i ? ", " : "",
              p->m->dims.sym[p->args[i]].c_name);
  sb_write(&args, "", 1);
  const char *upper = emit_upper(p);
  sb_printf(b, "#define %s_WORKSPACE_SIZE(%s) \\\n  ((size_t)%s)\n", upper,
            args.s, emit_workspace(p, "(int64_t)("));
  sb_printf(b, "#define %s_WORKSPACE_SIZE_MT(%s%sWORKERS) \\\n"
            "  (%s%s_WORKSPACE_SIZE(%s)", upper, args.s,
            p->narg ? ", " : "", p->block ? "(size_t)(WORKERS) * " : "",
            upper, args.s);
  if (!p->block && p->nroom)
    sb_printf(b, " + \\\n   ((size_t)(WORKERS) - 1) * (size_t)%s",
              emit_room(p, "(int64_t)("));
  sb_puts(b, ")\n");
  sb_free(&args);
}

static void port_notes(Plan *p, StrBuf *b)
{
  for (int i = 0; i < p->g->nin + p->g->nout; i++) {
    bool in = i < p->g->nin;
    int k = in ? i : i - p->g->nin;
    const Value *v = in ? p->g->in[k] : p->g->out[k];
    sb_printf(b, "%s *   %-6s %s: %s %s, in ONNX %s", i ? "\n" : "",
              in ? "input" : "output", in ? p->in_field[k] : p->out_field[k],
              in ? emit_type(p, v) : out_type(p, k),
              v->kind != VK_TENSOR ? "" :
              emit_shape(p, v->rank, in ? p->in_dim[k] : p->out_dim[k]),
              emit_safe(p, in ? p->g->in_name[k] : p->g->out_name[k]));
  }
  int k = 0; /* for O2C_LEVEL, from 1 on in each architecture */
  for (int i = 0; i < p->nlevel; i++) {
    k = i > 0 && p->level[i - 1]->arch == p->level[i]->arch ? k + 1 : 1;
    sb_printf(b, "\n *   target %d: %s", k, p->level[i]->name);
  }
}

/* The options that shape the output, so that it can be made again. */
static const char *options_note(const Plan *p)
{
  const Options *o = p->m->opt;
  const struct { const char *key, *value; } text[] = {
    { "name", o->name }, { "target", o->target }, { "provider", o->provider },
    { "weights", o->weights }, { "math", o->math },
    { "section", o->section }, { "threads", o->threads },
    { "tune", o->tune ? last_component(o->tune) : NULL },
  };
  StrBuf b;
  sb_init(&b, p->a);
  sb_printf(&b, "-O%d", o->level);
  for (int i = 0; i < COUNT(text); i++)
    if (text[i].value)
      sb_printf(&b, " --%s %s", text[i].key, text[i].value);
  for (int i = 0; i < o->ndim; i++)
    sb_printf(&b, " --dim %s=%lld", o->dim[i].name, (long long)o->dim[i].v);
  if (o->workers)
    sb_printf(&b, " --threads %d", o->workers);
  if (o->batch > 0)
    sb_printf(&b, " --batch %lld", (long long)o->batch);
  const char *note = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return emit_safe(p, note);
}

const char *emit_provenance(Plan *p)
{
  return arena_printf(p->a,
    " * Written by onnx2c %s with the options '%s';\n"
    " * model SHA-256 %s.\n"
    " * This file is yours: 0BSD, no notice needs to be kept.",
    O2C_VERSION, options_note(p), p->m->sha256);
}

static const char *simple_decl(Plan *p)
{
  if (!p->m->opt->simple)
    return "";
  return arena_printf(p->a,
    "\n/* One call, with a workspace of its own: not for two threads. */\n"
    "%s;\n", emit_simple_signature(p));
}

/* No parameter hides one of the model's own names, <model>_in and the like, or
 * a local variable of the function. */
const char *emit_parameter(Plan *p, const char *field, const char *suffix)
{
  static const char *const local[] = {"room", "ws", "ctx", "d", "i", "o", "cfg",
                                      "status", "mem"};
  const char *s = arena_printf(p->a, "%s%s", field, suffix);
  size_t n = strlen(p->name);
  bool own = !strncmp(s, p->name, n) && (!s[n] || s[n] == '_');
  for (int i = 0; i < COUNT(local); i++)
    own |= !strcmp(s, local[i]);
  return own ? arena_printf(p->a, "%s_", s) : s;
}

const char *emit_simple_signature(Plan *p)
{
  StrBuf b;
  sb_init(&b, p->a);
  sb_printf(&b, "o2c_status %s(", p->name);
  const char *sep = "";
  for (int i = 0; i < p->g->nin; i++, sep = ", ")
    sb_printf(&b, "%sconst %s *%s", sep, value_c_type(p->g->in[i]),
              emit_parameter(p, p->in_field[i], ""));
  for (int i = 0; i < p->g->nout; i++, sep = ", ")
    sb_printf(&b, "%s%s *%s", sep, out_is_value(p, i)
              ? "o2c_value" : dtype_info(p->g->out[i]->dtype)->c,
              emit_parameter(p, p->out_field[i], "_out"));
  for (int i = 0; i < p->narg; i++, sep = ", ")
    sb_printf(&b, "%sint64_t dim_%s", sep,
              p->m->dims.sym[p->args[i]].c_name);
  sb_puts(&b, *sep ? ")" : "void)");
  const char *text = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return text;
}

void emit_names(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  emit_set(plan, "NAME", p->name);
  emit_set(plan, "UPPER", emit_upper(p));
  emit_set(plan, "HEADER_FILE", f->header_name);
  emit_set(plan, "SOURCE_FILE", f->source_name);
  emit_set(plan, "DEVICE_FILE", f->device_name);
  emit_set(plan, "MODEL_FILE", emit_safe(p, p->m->file));
  emit_set(plan, "PROVENANCE", emit_provenance(p));
  /* The context ends with the dims that <model>_need gives. */
  emit_set(plan, "CTX_SIZE",
           arena_printf(p->a, "%d", 128 + (p->nfound ? 8 * p->narg : 0)));
}

void emit_header_plan(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  StrBuf b;
  emit_names(p, plan, f);
  sb_init(&b, p->a);
  port_notes(p, &b);
  emit_set_buf(plan, "PORT_NOTES", &b);
  emit_set(plan, "DIM_FIELDS", dim_fields(p));
  emit_set(plan, "IN_FIELDS", emit_fields_text(p, true));
  emit_set(plan, "OUT_FIELDS", emit_fields_text(p, false));
  sb_init(&b, p->a);
  emit_keys(p, &b);
  emit_set_buf(plan, "KEY_TABLES", &b);
  sb_init(&b, p->a);
  workspace_macros(p, &b);
  emit_set_buf(plan, "WORKSPACE_MACROS", &b);
  emit_set(plan, "DEVICE", p->device ? "1" : "");
  emit_set(plan, "WEIGHTS_MACROS", f->mode == WM_FILE
    ? arena_printf(p->a, "#define %s_WEIGHTS_SIZE %lldu /* of the file that "
                   "init needs */\n", emit_upper(p),
                   (long long)p->weight_bytes + WEIGHTS_HEADER) : "");
  emit_set(plan, "SIMPLE_DECL", simple_decl(p));
  sb_puts(plan, "G_FILE_H\n");
}
