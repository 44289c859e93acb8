/* SPDX-License-Identifier: Apache-2.0 */
/* Lowering by reference kernels: any operator, any type, on every target.
 *
 * The operator's record makes Calls (compiler/lower.c); here each becomes a
 * line of C in the step's body, and the kernel's text is noted for amalgam.c.
 * On a GPU one thread makes the calls, of nodes that are small enough.
 */
#include "target.h"

#include <string.h>

typedef struct {
  Call *call;
  int n, most;
} Calls;

static void keep_call(Lower *l, const Call *c)
{
  Calls *v = l->user;
  if (v->n < v->most)
    v->call[v->n] = *c;
  v->n++;
}

int node_calls(const Plan *p, const Node *n, Call *call, int most)
{
  Calls v = { .call = call, .most = most };
  Lower l = { .m = p->m, .emit = keep_call, .user = &v };
  if (n->op && n->op->lower && !op_is_view(n))
    n->op->lower(&l, (Node *)(uintptr_t)n);
  return v.n;
}

typedef struct {
  Plan *plan;
  Step *step;
  StrBuf lists;     /* local arrays, before the calls */
  StrBuf calls;
  bool checks;      /* only calls that check */
  int nlist;
} RefText;

/* The characters of the strings that the node makes: its readers, and the
 * caller, point to them. */
static bool is_text(const Node *n, const Value *v)
{
  return v->dtype == DT_U8 && n->nout > 0 && n->out[0] &&
         n->out[0]->dtype == DT_STR;
}

/* The number of characters of all trips, where scratch `v` is for those. */
static const Sym *total_of(const Plan *p, const Value *v)
{
  int k = v->rank == 1 ? dim_symbol(v->dim[0]) : -1;
  const Sym *s = k < 0 ? NULL : &p->m->dims.sym[k];
  return s && s->kind == SYM_CAPACITY && s->total && !v->def ? s : NULL;
}

/* Characters that a node makes in a loop stand behind those of the trips before
 * it: the size that says how many there are counts all. It is that one among
 * the node's sizes which is in no shape. */
static void mark_total(Plan *p, const Node *n)
{
  DimPool *d = &p->m->dims;
  if (!p->depth || !n->nout || !n->out[0] || n->out[0]->dtype != DT_STR)
    return;
  for (int i = 0; i < n->nsize; i++) {
    int k = dim_symbol(n->size[i]);
    bool shape = false;
    for (int o = 0; o < n->nout; o++)
      for (int j = 0; n->out[o] && j < n->out[o]->rank; j++)
        shape = shape || dim_has(d, n->out[o]->dim[j], k);
    if (k >= 0 && d->sym[k].kind == SYM_CAPACITY && !shape)
      d->sym[k].total = true;
  }
}

/* The parameter that stands for `v`, made on first use. */
static const StepPtr *pointer(RefText *r, Value *v, bool written)
{
  Step *s = r->step;
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].v == v)
      return &s->ptr[i];
  Node *n = s->node;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] == v) {
      step_in(s, arena_printf(r->plan->a, "in%d", i), v);
      return &s->ptr[s->nptr - 1];
    }
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] == v) {
      step_out(s, arena_printf(r->plan->a, "out%d", i), v);
      return &s->ptr[s->nptr - 1];
    }
  const char *name = arena_printf(r->plan->a, "tmp%d", s->nptr);
  if (!written && v->data) {
    step_in(s, name, v);
  } else {
    step_scratch(s, name, v->dtype, value_numel(v));
    s->ptr[s->nptr - 1].v = v;
    s->ptr[s->nptr - 1].lasts = is_text(n, v);
    if (is_text(n, v) && r->plan->depth > 0 && !total_of(r->plan, v))
      fail_unsupported(n, "it makes strings in a loop, for which there is room "
                       "for one trip only");
  }
  return &s->ptr[s->nptr - 1];
}

static void put_pointer(RefText *r, const Call *c, const CallArg *arg)
{
  if (!arg->v) {
    sb_puts(&r->calls, "NULL");
    return;
  }
  const StepPtr *p = pointer(r, arg->v, arg->kind == 'o');
  bool same = c->custom || !strcmp(dtype_info(p->dtype)->c,
                                   dtype_info(c->type)->c);
  const char *cast = same ? "" : r->step->device ? "(o2c_any)"
                   : arg->kind == 'o' ? "(void *)" : "(const void *)";
  const Sym *total = arg->kind == 'o' ? total_of(r->plan, arg->v) : NULL;
  if (!total) {
    sb_printf(&r->calls, "%s%s", cast, p->name);
    return;
  }
  sb_printf(&r->calls, "%s(%s + s->%s_from)", cast, p->name, total->c_name);
  r->step->symbols = true;
}

static void put_list(RefText *r, const CallArg *arg)
{
  bool fixed = true;
  int64_t v;
  for (int i = 0; i < arg->n; i++)
    fixed = fixed && dim_is_int(arg->dim[i], &v);
  sb_printf(&r->lists, "  %sconst int64_t l%d[] = { ",
            fixed && !r->step->device ? "static " : "", r->nlist);
  for (int i = 0; i < arg->n; i++)
    sb_printf(&r->lists, "%s%s", i ? ", " : "",
              step_dim_text(r->step, arg->dim[i]));
  sb_puts(&r->lists, arg->n ? " };\n" : "0 };\n");
  sb_printf(&r->calls, "l%d", r->nlist++);
}

/* A tuned kernel with the parameters of a reference kernel takes its place. */
typedef struct {
  const char *kernel, *function, *file, *note;
  Dtype type;
} Better;
static const Better betters[] = {
#define BETTER(kernel, dtype, function, file) \
  { #kernel, #function, #file ".h", #file, DT_##dtype },
#include "better.def"
#undef BETTER
};

static const Better *better_than(const char *kernel, Dtype t)
{
  for (int i = 0; i < COUNT(betters); i++)
    if (betters[i].type == t && !strcmp(betters[i].kernel, kernel))
      return &betters[i];
  return NULL;
}

/* What the call begins with: "status = f(". Has it a status? */
static bool put_function(RefText *r, const Call *c)
{
  const RefInfo *info = c->custom ? NULL : ref_find(c->kernel);
  const Better *better = c->custom || r->step->device
    ? NULL : better_than(c->kernel, c->type);
  bool status = info ? info->status : true;
  if (c->custom) {
    r->step->custom = c->custom;
    r->step->kernel_note = arena_printf(r->plan->a, "--custom %s", c->kernel);
  } else if (!info) {
    model_panic(r->plan->m, "no reference kernel '%s'", c->kernel);
  } else if (better) {
    step_kernel(r->step, better->file);
    r->step->kernel_note = better->note;
  } else {
    step_ref(r->step, info->file, c->type);
  }
  sb_puts(&r->calls, status ? "  status = " : "  ");
  if (better)
    sb_printf(&r->calls, "%s(", better->function);
  else if (info)
    sb_printf(&r->calls, "o2c_ref_%s_%s(", c->kernel,
              dtype_info(c->type)->name);
  else
    sb_printf(&r->calls, "%s(", c->kernel);
  r->step->status = r->step->status || status;
  return status;
}

static void put_call(Lower *l, const Call *c)
{
  RefText *r = l->user;
  if (r->checks && (c->custom || strncmp(c->kernel, "check_", 6) != 0))
    return;
  bool status = put_function(r, c);
  for (int i = 0; i < c->narg; i++) {
    const CallArg *arg = &c->arg[i];
    if (i)
      sb_puts(&r->calls, ", ");
    if (arg->kind == 'i' || arg->kind == 'o')
      put_pointer(r, c, arg);
    else if (arg->kind == 'd')
      sb_puts(&r->calls, step_dim_text(r->step, arg->dim[0]));
    else if (arg->kind == 'D')
      put_list(r, arg);
    else if (arg->kind == 'S')
      sb_puts(&r->calls, "found");
    else
      sb_float(&r->calls, arg->f, false);
  }
  sb_puts(&r->calls, ");\n");
  if (status)
    sb_puts(&r->calls, r->step->device
      ? "  if (status != O2C_OK) {\n    *fault = (int)status;\n"
        "    return;\n  }\n"
      : "  if (status != O2C_OK)\n    return status;\n");
}

/* Inputs first, then outputs, then scratch. */
static void order_pointers(Step *s)
{
  StepPtr *sorted = NEW(s->plan->a, StepPtr, s->nptr + 1);
  int n = 0;
  for (int kind = SP_IN; kind <= SP_SCRATCH; kind++)
    for (int i = 0; i < s->nptr; i++)
      if ((int)s->ptr[i].kind == kind)
        sorted[n++] = s->ptr[i];
  s->ptr = sorted;
}

/* The calls that `lower` makes, as the body of a step; `sizes`: they fill
 * `found`. */
static void ref_body(Step *s, void (*lower)(Lower *, Node *), bool sizes)
{
  Plan *p = s->plan;
  Node *n = s->node;
  RefText r = { .plan = p, .step = s, .checks = s->checks };
  sb_init(&r.lists, p->a);
  sb_init(&r.calls, p->a);
  if (sizes)
    sb_printf(&r.lists, "  int64_t found[%d];\n", n->nsize);
  Lower l = { .m = p->m, .emit = put_call, .user = &r };
  lower(&l, n);
  for (int i = 0; sizes && i < n->nsize; i++)
    step_take_size(r.step, &r.calls, n->size[i],
                   arena_printf(p->a, "found[%d]", i));
  const char *status = r.step->status ? "  o2c_status status = O2C_OK;\n" : "";
  step_text(r.step, "BODY", "%s%.*s%.*s", status, (int)r.lists.n,
            r.lists.s ? r.lists.s : "", (int)r.calls.n,
            r.calls.s ? r.calls.s : "");
  if (!r.step->custom && r.step->nkernel && !r.step->nref)
    r.step->macro = "CALLS";
  order_pointers(r.step);
  sb_free(&r.lists);
  sb_free(&r.calls);
}

void lower_ref(Plan *p, Node *n)
{
  if (!n->op || !n->op->lower) {
    fail_unsupported(n, "no code for this operator in this version");
    return;
  }
  ref_body(step_new(p, n, "REF"), n->op->lower, false);
}

void lower_sizes(Plan *p, Node *n)
{
  mark_total(p, n);
  ref_body(step_new(p, n, "REF"), n->op->sizes, true);
}

/* Does a GPU's thread make the calls in passable time and room? */
typedef struct {
  int n;
  bool no;
} ThreadCheck;

enum { THREAD_ELEMENTS = 2048, THREAD_SCRATCH = 65536 };

static void check_call(Lower *l, const Call *c)
{
  /* They count on, or decode: a good many steps an element. */
  static const char *const not[] = {
    "bernoulli", "dropout", "image", "multinomial", "random_normal",
    "random_uniform",
  };
  ThreadCheck *k = l->user;
  int64_t elements;
  k->n++;
  k->no = k->no || c->custom || c->type == DT_STR;
  for (int i = 0; i < COUNT(not) && !c->custom; i++)
    k->no = k->no || !strcmp(c->kernel, not[i]);
  for (int i = 0; i < c->narg; i++) {
    const CallArg *arg = &c->arg[i];
    if (arg->kind == 'S')
      k->no = true;
    if ((arg->kind == 'i' || arg->kind == 'o') && arg->v &&
        (!dim_is_int(value_numel(arg->v), &elements) ||
         elements > THREAD_SCRATCH))
      k->no = true;
  }
}

bool ref_fits_thread(const Plan *p, Node *n)
{
  ThreadCheck k = { .n = 0 };
  Lower l = { .m = p->m, .emit = check_call, .user = &k };
  int64_t all = 0, elements;
  bool shape = node_is(n, "Shape") || node_is(n, "Size"); /* reads no data */
  if (!n->op || !n->op->lower || n->nsize || op_is_view(n) || p->depth)
    return false;
  for (int i = shape ? n->nin : 0; i < n->nin + n->nout; i++) {
    const Value *v = i < n->nin ? n->in[i] : n->out[i - n->nin];
    if (!v)
      continue;
    if (v->rank < 0 || !dim_is_int(value_numel(v), &elements) ||
        elements > THREAD_ELEMENTS)
      return false;
    all += elements;
  }
  if (all > THREAD_ELEMENTS)
    return false;
  n->op->lower(&l, n);
  return k.n > 0 && !k.no;
}

void lower_ref_thread(Plan *p, Node *n)
{
  Step *s = device_step(p, n, "CUDA_REF");
  ref_body(s, n->op->lower, false);
  s->status = false; /* the kernel stores it */
  step_kernel(s, "cuda/any.h");
  s->kernel_note = "cuda, one thread";
}

void lower_checks_thread(Plan *p, Node *n)
{
  Step *s = device_step(p, n, "CUDA_REF");
  s->checks = true;
  ref_body(s, n->op->lower, false);
  s->status = false;
  step_kernel(s, "cuda/any.h");
  s->kernel_note = "cuda check";
}
