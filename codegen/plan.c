/* SPDX-License-Identifier: Apache-2.0 */
/* Steps and the plan: the graph, lowered to a list of C functions.
 *
 * plan_make takes the optimized graph through the batch law, lowering by the
 * providers, and the memory plan. The Step constructors here are what a
 * provider's lowering writes with.
 */
#include "target.h"

#include <string.h>

static const char *mangle(Arena *a, const char *s, int limit)
{
  char *out = arena_alloc(a, (size_t)limit + 1);
  int n = 0;
  for (; *s && n < limit; s++) {
    bool ok = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
              (*s >= '0' && *s <= '9');
    if (ok)
      out[n++] = *s;
    else if (n > 0 && out[n - 1] != '_')
      out[n++] = '_';
  }
  while (n > 0 && out[n - 1] == '_')
    n--;
  out[n] = 0;
  return out;
}

/* n12_conv1: the node's place in the file, and its name or operator. */
static const char *step_name(Plan *p, const Node *n)
{
  int index = n->origin ? n->origin->index : 0;
  const char *label = n->origin ? mangle(p->a, n->origin->name, 24) : "";
  if (!*label)
    label = mangle(p->a, n->op_type, 24);
  char *base = arena_printf(p->a, "n%d_%s", index, label);
  char *name = base;
  for (int k = 2;; k++) {
    bool taken = false;
    for (Step *s = p->first; s && !taken; s = s->next)
      taken = !strcmp(s->name, name);
    if (!taken)
      return name;
    name = arena_printf(p->a, "%s_%d", base, k);
  }
}

Step *step_new(Plan *p, Node *n, const char *macro)
{
  Step *s = NEW(p->a, Step, 1);
  s->plan = p;
  s->node = n;
  s->guard = p->guard;
  s->depth = p->depth;
  s->macro = macro;
  s->name = step_name(p, n);
  s->kernel_note = "ref";
  if (p->last)
    p->last->next = s;
  else
    p->first = s;
  p->last = s;
  p->nstep++;
  return s;
}

static StepPtr *step_ptr(Step *s, StepPtrKind kind, const char *name)
{
  s->ptr = arena_grow(s->plan->a, s->ptr, s->nptr, sizeof *s->ptr);
  StepPtr *ptr = &s->ptr[s->nptr++];
  *ptr = (StepPtr){ .kind = kind, .name = name, .over = -1 };
  return ptr;
}

void step_in(Step *s, const char *name, Value *v)
{
  StepPtr *ptr = step_ptr(s, SP_IN, name);
  ptr->v = v;
  ptr->dtype = v->dtype;
}

void step_out(Step *s, const char *name, Value *v)
{
  StepPtr *ptr = step_ptr(s, SP_OUT, name);
  ptr->v = v;
  ptr->dtype = v->dtype;
}

/* The sizes that the text, or room, will need keep their steps alive. */
static void read_sizes(Step *s, const Dim *d)
{
  const DimPool *p = &s->plan->m->dims;
  for (int k = 0; k < p->nsym; k++)
    if (p->sym[k].kind == SYM_CAPACITY && dim_has(p, d, k)) {
      s->sizes = arena_grow(s->plan->a, s->sizes, s->nsizes,
                            sizeof *s->sizes);
      s->sizes[s->nsizes++] = k;
    }
}

void step_scratch(Step *s, const char *name, Dtype t, const Dim *elements)
{
  read_sizes(s, elements);
  StepPtr *ptr = step_ptr(s, SP_SCRATCH, name);
  ptr->dtype = t;
  ptr->elements = elements;
}

void step_text(Step *s, const char *key, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  const char *text = arena_vprintf(s->plan->a, fmt, ap);
  va_end(ap);
  s->var = arena_grow(s->plan->a, s->var, s->nvar, sizeof *s->var);
  s->var[s->nvar++] = (StepVar){ key, text };
}

const char *step_var(const Step *s, const char *key)
{
  for (int i = 0; i < s->nvar; i++)
    if (!strcmp(s->var[i].key, key))
      return s->var[i].text;
  return "";
}

void step_int(Step *s, const char *key, int64_t v)
{
  step_text(s, key, "%lld", (long long)v);
}

void step_float(Step *s, const char *key, double v)
{
  StrBuf b;
  sb_init(&b, s->plan->a);
  sb_float(&b, v, true);
  step_text(s, key, "%.*s", (int)b.n, b.s);
  sb_free(&b);
}

const char *step_dim_text(Step *s, const Dim *d)
{
  int64_t v;
  if (!dim_is_int(d, &v)) {
    s->symbols = true;
    read_sizes(s, d);
  }
  StrBuf b;
  sb_init(&b, s->plan->a);
  dim_print(&b, &s->plan->m->dims, d, "s->");
  const char *text = arena_strn(s->plan->a, b.s, b.n);
  sb_free(&b);
  return text;
}

void step_dim(Step *s, const char *key, const Dim *d)
{
  step_text(s, key, "%s", step_dim_text(s, d));
}

void step_kernel(Step *s, const char *file)
{
  for (int i = 0; i < s->nkernel; i++)
    if (!strcmp(s->kernel[i], file))
      return;
  s->kernel = arena_grow(s->plan->a, s->kernel, s->nkernel,
                         sizeof *s->kernel);
  s->kernel[s->nkernel++] = file;
}

void step_ref(Step *s, const char *file, Dtype t)
{
  for (int i = 0; i < s->nref; i++)
    if (s->ref[i].type == t && !strcmp(s->ref[i].file, file))
      return;
  s->ref = arena_grow(s->plan->a, s->ref, s->nref, sizeof *s->ref);
  s->ref[s->nref++] = (RefUse){ file, t };
}

static int find_ptr(const Step *s, const char *name)
{
  for (int i = 0; i < s->nptr; i++)
    if (!strcmp(s->ptr[i].name, name))
      return i;
  return -1;
}

void step_in_place(Step *s, const char *out, const char *in)
{
  s->ptr[find_ptr(s, out)].over = find_ptr(s, in);
}

void step_keeps_up(Step *s, const char *in)
{
  s->ptr[find_ptr(s, in)].keeps_up = true;
}

/* The ABI's shapes, kept before the batch symbol is given its block value. */
static const Dim ***port_dims(Plan *p, Value **v, int n)
{
  const Dim ***all = NEW(p->a, const Dim **, n);
  for (int i = 0; i < n; i++) {
    all[i] = NEW(p->a, const Dim *, v[i]->rank + 1);
    for (int k = 0; k < v[i]->rank; k++)
      all[i][k] = v[i]->dim[k];
  }
  return all;
}

static void add_args(Plan *p, const Dim *d)
{
  for (int s = 0; s < p->m->dims.nsym; s++) {
    if (p->m->dims.sym[s].kind != SYM_ARG || !dim_has(&p->m->dims, d, s))
      continue;
    bool known = false;
    for (int i = 0; i < p->narg; i++)
      known |= p->args[i] == s;
    if (known)
      continue;
    p->args = arena_grow(p->a, p->args, p->narg, sizeof *p->args);
    p->args[p->narg++] = s;
  }
}

static void read_ports(Plan *p)
{
  Graph *g = p->g;
  p->in = g->in;
  p->out = g->out;
  p->in_field = emit_fields(p, g->in_name, g->nin);
  p->out_field = emit_fields(p, g->out_name, g->nout);
  p->in_dim = port_dims(p, g->in, g->nin);
  p->out_dim = port_dims(p, g->out, g->nout);
  for (int i = 0; i < g->nin; i++)
    for (int k = 0; k < g->in[i]->rank; k++)
      add_args(p, g->in[i]->dim[k]);
}

/* What codegen can pass across the ABI; one diagnostic for each that it can't,
 * and for every shape that inference left open. */
static void check_values(Plan *p)
{
  Graph *g = p->g;
  for (int i = 0; i < g->nin + g->nout; i++) {
    Value *v = i < g->nin ? g->in[i] : g->out[i - g->nin];
    bool tensor = v->kind == VK_TENSOR;
    if (!tensor && !v->bad && !type_crosses(v->declared))
      diag_model(p->m, SEV_ERROR, EXIT_UNSUPPORTED,
                 "%s %s is of type %s; tensors, sparse tensors, maps to single "
                 "elements, and sequences and optional values of tensors and "
                 "maps are what can cross the interface",
                 i < g->nin ? "input" : "output",
                 quote(p->a, v->name), type_text(p->a, v->declared));
    else if (tensor && (v->rank < 0 || v->dtype == DT_NONE) && !v->bad)
      diag_model(p->m, SEV_ERROR, EXIT_UNSUPPORTED,
                 "%s %s: its type or shape is not known; state it in the model",
                 i < g->nin ? "input" : "output",
                 quote(p->a, v->name));
  }
  for (Node *n = g->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++) {
      Value *v = n->out[i];
      if (v && v->kind == VK_TENSOR && !v->bad &&
          (v->rank < 0 || v->dtype == DT_NONE)) {
        fail_unsupported(n, "the shape of output %d depends on data, which "
                         "this version does not compile", i);
        break;
      }
    }
}

/* A graph output must be written by a step of its own: not a graph input, a
 * constant (inference may have computed a node's), a view of either, or the
 * same value as another output. */
static bool needs_copy(const Graph *g, int k)
{
  const Value *v = g->out[k];
  for (int i = 0; i < k; i++)
    if (g->out[i] == v)
      return true;
  while (v->def && op_is_view(v->def))
    v = v->def->in[0];
  if (!v->def || v->data)
    return true;
  for (int i = 0; i < g->nout; i++) {
    const Value *o = g->out[i];
    while (o != v && o->def && op_is_view(o->def))
      o = o->def->in[0];
    if (o == v && i != k && (i < k || g->out[i] == v))
      return true;
  }
  return false;
}

/* What is no tensor has no shape; as an output it is stored as bytes. */
static void shape_values(Plan *p)
{
  Graph *g = p->g;
  for (int k = 0; k < g->nin; k++)
    if (g->in[k]->kind != VK_TENSOR && g->in[k]->kind != VK_SPARSE) {
      g->in[k]->dtype = DT_U8;
      value_set_shape(g->in[k], 0, NULL);
    }
  for (int k = 0; k < g->nout; k++)
    if (g->out[k]->kind != VK_TENSOR) {
      const Dim *room = value_room(p, g->out[k]->def, g->out_name[k]);
      g->out[k]->dtype = DT_U8;
      value_set_shape(g->out[k], 1, &room);
    }
}

/* The type-erased calls need to know where the values of maps end. */
static void check_zips(Plan *p)
{
  for (int k = 0; k < p->g->nout; k++)
    if (graph_zip(p->g, k) && out_is_value(p, k))
      diag_model(p->m, SEV_ERROR, EXIT_UNSUPPORTED, "output %s: how many maps "
                 "it has only the run tells; let the model give ZipMap's input "
                 "instead", quote(p->a, p->g->out_name[k]));
}

static void copy_outputs(Plan *p)
{
  Graph *g = p->g;
  for (int k = 0; k < g->nout; k++) {
    if (!needs_copy(g, k))
      continue;
    Value *from = g->out[k];
    Node *n = node_new(g, NULL, "Copy", 1, 1, from->def);
    n->domain = "o2c";
    n->op = op_find("o2c", "Copy");
    Value *to = value_tmp(g, "copy", from);
    to->declared = from->declared;
    same_take(to, from);
    node_set_input(n, 0, from);
    node_set_output(n, 0, to);
    to->is_output = true;
    g->out[k] = to;
  }
}

Plan *plan_make(Model *m)
{
  if (m->nerror)
    return NULL;
  Plan *p = NEW(&m->arena, Plan, 1);
  p->m = m;
  p->a = &m->arena;
  p->g = m->main;
  p->name = plan_prefix(m);
  check_values(p);
  if (m->nerror)
    return NULL;
  copy_outputs(p);
  same_outputs(p->g);
  shape_values(p);
  read_ports(p);
  plan_tune(p);
  plan_loops(p);
  plan_sizes(p);
  check_zips(p);
  if (m->nerror)
    return NULL;
  plan_device(p);
  plan_batch(p);
  lower_graph(p);
  if (m->nerror)
    return NULL;
  plan_levels(p);
  plan_memory(p);
  plan_room(p);
  plan_taps(p);
  return m->nerror ? NULL : p;
}
