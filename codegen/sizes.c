/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes that only the data tells, in generated code.
 *
 * Steps read run-time dimensions from `s`. Where a node finds sizes (see
 * infer_sizes), `s` is a struct of the program's own: the caller's dimensions,
 * and a field for each such size, assigned by the step that finds it. What a
 * size may be at most decides how large storage is: its bound, else a field of
 * <model>_dims by which the caller says how much room there is. Sizes of the
 * outputs are always the caller's. Too little room is O2C_E_CAPACITY, and
 * <model>_need tells how much it would have been.
 */
#include "target.h"

#include <string.h>

static void add_size(Plan *p, int sym)
{
  for (int i = 0; i < p->nfound; i++)
    if (p->found[i] == sym)
      return;
  p->found = arena_grow(p->a, p->found, p->nfound, sizeof *p->found);
  p->found[p->nfound++] = sym;
}

static void graph_sizes(Plan *p, const Graph *g)
{
  const DimPool *d = &p->m->dims;
  for (const Node *n = g->first; n; n = n->next) {
    for (int i = 0; i < n->nsize; i++) {
      int s = dim_symbol(n->size[i]);
      if (s >= 0 && d->sym[s].kind == SYM_CAPACITY)
        add_size(p, s);
    }
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].type == AT_GRAPH && n->attr[i].g)
        graph_sizes(p, n->attr[i].g);
  }
}

static bool in_output(const Plan *p, int sym)
{
  for (int k = 0; k < p->g->nout; k++)
    for (int i = 0; i < p->out[k]->rank; i++)
      if (dim_has(&p->m->dims, p->out_dim[k][i], sym))
        return true;
  return false;
}

void plan_sizes(Plan *p)
{
  graph_sizes(p, p->g);
  for (int i = 0; i < p->nfound; i++) {
    Sym *s = &p->m->dims.sym[p->found[i]];
    s->field = !s->bound || in_output(p, p->found[i]);
    if (!s->field)
      continue;
    p->args = arena_grow(p->a, p->args, p->narg, sizeof *p->args);
    p->args[p->narg++] = p->found[i];
  }
}

bool out_is_value(const Plan *p, int k)
{
  for (int i = 0; i < p->out[k]->rank; i++)
    if (dim_has_capacity(&p->m->dims, p->out_dim[k][i]))
      return true;
  return false;
}

const char *value_kind(const Value *v)
{
  static const char *const word[] = {
    [VK_TENSOR] = "O2C_TENSOR", [VK_SEQ] = "O2C_SEQUENCE",
    [VK_MAP] = "O2C_MAP", [VK_OPTIONAL] = "O2C_OPTIONAL",
    [VK_SPARSE] = "O2C_SPARSE",
  };
  return word[v->kind];
}

const char *value_c_type(const Value *v)
{
  return v->kind != VK_TENSOR ? "o2c_value" : dtype_info(v->dtype)->c;
}

const char *value_type(Plan *p, const Value *v)
{
  return v->kind != VK_TENSOR ? type_text(p->a, v->declared)
                              : dtype_info(v->dtype)->onnx;
}

const Dim *value_room(Plan *p, Node *n, const char *output)
{
  const char *name = arena_printf(p->a, "%s_bytes", output);
  n->size = NEW(p->a, const Dim *, 1);
  n->size[0] = dim_new(&p->m->dims, SYM_CAPACITY, name);
  n->nsize = 1;
  return n->size[0];
}

const char *sizes_type(const Plan *p)
{
  /* A name of the model's own: programs of several have one such type each. */
  return arena_printf(p->a, p->nfound ? "%s_sizes" : "%s_dims", p->name);
}

static bool is_found(const Plan *p, int sym)
{
  for (int i = 0; i < p->nfound; i++)
    if (p->found[i] == sym)
      return true;
  return false;
}

void sizes_struct(Plan *p, StrBuf *b)
{
  const Sym *sym = p->m->dims.sym;
  if (!p->nfound)
    return;
  sb_puts(b, "\n/* Run-time dimensions, and the sizes that steps find: each is "
             "assigned by\n * the step that finds it. */\ntypedef struct {\n");
  for (int i = 0; i < p->narg; i++)
    if (!is_found(p, p->args[i]))
      sb_printf(b, "  int64_t %s;\n", sym[p->args[i]].c_name);
  for (int i = 0; i < p->nfound; i++) {
    sb_printf(b, "  int64_t %s;\n", sym[p->found[i]].c_name);
    if (sym[p->found[i]].total) /* what the trips before this one found */
      sb_printf(b, "  int64_t %s_from;\n", sym[p->found[i]].c_name);
  }
  sb_printf(b,
    "  const %s_dims *room; /* as the caller gave them */\n"
    "  %s_dims *need;\n} %s_sizes;\n\n"
    "#ifndef O2C_UNUSED\n#if defined __GNUC__\n"
    "#define O2C_UNUSED __attribute__((unused))\n"
    "#else\n#define O2C_UNUSED\n#endif\n#endif\n"
    "#ifndef O2C_TAKE_SIZE\n#define O2C_TAKE_SIZE\n"
    "/* Where there is not room for a size, `need` says so. */\n"
    "static O2C_UNUSED o2c_status o2c_take_size(\n"
    "    int64_t found, int64_t room, int64_t *to, int64_t *need)\n{\n"
    "  if (found < 0)\n    return O2C_E_SHAPE;\n"
    "  *to = found;\n"
    "  if (found <= room)\n    return O2C_OK;\n"
    "  if (need)\n    *need = found;\n"
    "  return O2C_E_CAPACITY;\n}\n#endif\n",
    p->name, p->name, p->name);
}

void sizes_begin(Plan *p, StrBuf *b)
{
  const Sym *sym = p->m->dims.sym;
  if (!p->nfound)
    return;
  sb_printf(b, "  %s found, *const s = &found;\n"
            "  memset(&found, 0, sizeof found);\n", sizes_type(p));
  for (int i = 0; i < p->narg; i++)
    if (!is_found(p, p->args[i]))
      sb_printf(b, "  s->%s = d->%s;\n", sym[p->args[i]].c_name,
                sym[p->args[i]].c_name);
  sb_puts(b, "  s->room = d;\n  s->need = &ctx->need;\n  ctx->need = *d;\n");
}

/* Has an earlier step found it? Two sizes that must be equal are one symbol. A
 * loop finds those of its carried values anew in each trip. */
static bool found_before(const Step *s, int sym)
{
  if (s->loop != LOOP_NONE)
    return false;
  for (const Step *f = s->plan->first; f && f != s; f = f->next)
    for (int i = 0; i < f->nfinds; i++)
      if (f->finds[i] == sym)
        return true;
  return false;
}

void step_take_size(Step *s, StrBuf *b, const Dim *size, const char *found)
{
  DimPool *d = &s->plan->m->dims;
  int k = dim_symbol(size);
  s->symbols = s->status = true;
  if (k < 0 || d->sym[k].kind != SYM_CAPACITY || found_before(s, k)) {
    sb_printf(b, "  if (%s != %s)\n    return O2C_E_SHAPE;\n", found,
              step_dim_text(s, size));
    return;
  }
  const Sym *sym = &d->sym[k];
  const char *c = sym->c_name;
  if (sym->total) {
    sb_printf(b, "  s->%s_from = s->%s;\n", c, c);
    found = arena_printf(s->plan->a, "s->%s_from + %s", c, found);
  }
  s->finds = arena_grow(s->plan->a, s->finds, s->nfinds, sizeof *s->finds);
  s->finds[s->nfinds++] = k;
  sb_printf(b, "  status = o2c_take_size(%s, ", found);
  if (sym->field)
    sb_printf(b, "s->room->%s, &s->%s, &s->need->%s);\n", c, c, c);
  else
    sb_printf(b, "%s, &s->%s, NULL);\n",
              step_dim_text(s, dim_upper(d, sym->bound)), c);
  if (sym->total && sym->field) /* the trips to come want room, too */
    sb_printf(b, "  if (status == O2C_E_CAPACITY)\n    s->need->%s *= 2;\n",
              c);
  sb_puts(b, "  if (status != O2C_OK)\n    return status;\n");
}

/* The dims of outputs whose shape the run told, for the caller. */
void sizes_end(Plan *p, StrBuf *b)
{
  for (int k = 0; k < p->g->nout; k++) {
    const Value *v = p->out[k];
    const char *field = p->out_field[k];
    if (!out_is_value(p, k) || v->kind != VK_TENSOR)
      continue;
    sb_printf(b, "  out->%s->kind = O2C_TENSOR;\n  out->%s->dtype = %d;\n"
              "  out->%s->rank = %d;\n", field, field, (int)v->dtype, field,
              v->rank);
    for (int i = 0; i < v->rank; i++) {
      sb_printf(b, "  out->%s->dim[%d] = ", field, i);
      dim_print(b, &p->m->dims, p->out_dim[k][i], "s->");
      sb_puts(b, ";\n");
    }
  }
}
