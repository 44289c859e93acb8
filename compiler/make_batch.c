/* SPDX-License-Identifier: Apache-2.0 */
/* --make-batch: inputs, choices, and the law that each node must keep.
 * See make_batch.h.
 */
#include "make_batch.h"
#include "control.h"
#include <string.h>

/* --- Traces --------------------------------------------------------------- */

Trace *rebatch_trace(Rebatch *r, const Value *v)
{
  if (v->id >= r->ntrace) {
    int n = r->ntrace, more = 2 * v->id + 64;
    Trace *t = NEW(&r->m->arena, Trace, more);
    bool *done = NEW(&r->m->arena, bool, more);
    if (n) memcpy(t, r->trace, sizeof *t * (size_t)n);
    if (n) memcpy(done, r->done, sizeof *done * (size_t)n);
    for (int i = n; i < more; i++) t[i].at.axis = -1;
    r->trace = t;
    r->done = done;
    r->ntrace = more;
  }
  return &r->trace[v->id];
}

const Dim *rebatch_one(const Rebatch *r, const Dim *d)
{
  DimPool *p = &r->m->dims;
  return dim_subst(p, d, r->sym, dim_int(p, 1));
}

/* --- Inputs --------------------------------------------------------------- */

#define NOT_GIVEN (-2)
#define NO_BATCH (-1)

/* What --batch-axis says of an input. */
static int given_axis(const Model *m, const char *name)
{
  const Options *o = m->opt;
  for (int i = 0; i < o->nbatch_axis; i++)
    if (!strcmp(o->batch_axis[i].name, name)) return (int)o->batch_axis[i].v;
  return NOT_GIVEN;
}

static bool is_port(const Value *v)
{
  return v->kind == VK_TENSOR && !v->data && v->rank > 0;
}

static bool check_names(Model *m)
{
  for (int i = 0; i < m->opt->nbatch_axis; i++) {
    const NameInt *x = &m->opt->batch_axis[i];
    bool found = false;
    for (int k = 0; k < m->main->nin && !found; k++) {
      const Value *v = m->main->in[k];
      found = is_port(v) && !strcmp(v->name, x->name);
      if (found && x->v >= 0 && (x->v >= v->rank || !dim_is(v->dim[x->v], 1)))
      {
        diag_model(m, SEV_ERROR, EXIT_MODEL, "--batch-axis %s=%lld: the shape "
                   "of that input is %s; the batch must be an axis of size 1",
                   quote(&m->arena, x->name), (long long)x->v,
                   value_shape_text(v));
        return false;
      }
    }
    if (found) continue;
    diag_model(m, SEV_ERROR, EXIT_MODEL, "--batch-axis %s: the model has no "
               "input of this name that is a tensor with axes",
               quote(&m->arena, x->name));
    return false;
  }
  return true;
}

/* Is there an input whose batch is plain? Tells why not. */
static bool find_batch(Model *m)
{
  const Value *open = NULL, *fixed = NULL;
  int64_t k;
  bool found = false;
  for (int i = 0; i < m->main->nin; i++) {
    const Value *v = m->main->in[i];
    if (!is_port(v)) continue;
    int given = given_axis(m, v->name);
    if (given == NO_BATCH) continue;
    if (given >= 0 || dim_is(v->dim[0], 1)) found = true;
    else if (!dim_is_int(v->dim[0], &k)) open = open ? open : v;
    else fixed = fixed ? fixed : v;
  }
  if (found && (!open || m->opt->nbatch_axis)) return true;
  if (open)
    diag_model(m, SEV_ERROR, EXIT_MODEL, "--make-batch: the first dimension of "
               "input %s is %s, a symbol, already: there is nothing to make; "
               "leave the option out (or say by --batch-axis IN=K which axis "
               "of which input is the batch)", quote(&m->arena, open->name),
               quote(&m->arena, dim_text(&m->dims, open->dim[0])));
  else if (fixed)
    diag_model(m, SEV_ERROR, EXIT_MODEL, "--make-batch: the first dimension of "
               "input %s is %s, and no input has 1 there; only a batch of 1 "
               "can be made dynamic: if another axis is the batch, say so by "
               "--batch-axis IN=K", quote(&m->arena, fixed->name),
               dim_text(&m->dims, fixed->dim[0]));
  else
    diag_model(m, SEV_ERROR, EXIT_MODEL, "--make-batch: the model has no input "
               "with a batch");
  return false;
}

/* The first input whose first dimension is 1 has the batch there. Others, as
 * states, may have it elsewhere; and one of one number, or whose 1 does not
 * stand first, may be the same for all samples: that is tried last. */
static int choose_axis(Rebatch *r, const Value *v, uint64_t *used)
{
  int axis[MAX_RANK + 1], n = 0, given = given_axis(r->m, v->name);
  if (given != NOT_GIVEN) return given;
  bool first = dim_is(v->dim[0], 1);
  if (first && r->source == v) return 0;
  for (int k = 0; k < v->rank; k++)
    if (dim_is(v->dim[k], 1)) axis[n++] = k;
  if (!first || v->rank == 1) axis[n++] = NO_BATCH;
  return axis[rebatch_choose(r, n, NULL, used)];
}

/* The input that tells how many samples there are: one that was named, else
 * the first that has axes besides, else the first. */
static Value *find_source(const Model *m)
{
  Value *best = NULL;
  for (int pass = 0; pass < 3 && !best; pass++)
    for (int i = 0; i < m->main->nin && !best; i++) {
      Value *v = m->main->in[i];
      if (!is_port(v)) continue;
      int given = given_axis(m, v->name);
      bool first = given == NOT_GIVEN && dim_is(v->dim[0], 1);
      if (!pass ? given >= 0 : first && (pass > 1 || v->rank > 1)) best = v;
    }
  return best;
}

static void open_inputs(Rebatch *r)
{
  Graph *g = r->m->main;
  r->source = find_source(r->m);
  for (int i = 0; i < g->nin; i++) {
    Value *v = g->in[i];
    uint64_t used = 0;
    if (!is_port(v)) continue;
    int axis = choose_axis(r, v, &used);
    Trace *t = rebatch_trace(r, v);
    t->choices = used;
    if (axis < 0) continue;
    const Dim *dim[MAX_RANK];
    memcpy(dim, v->dim, sizeof *dim * (size_t)v->rank);
    dim[axis] = r->n;
    value_set_shape(v, v->rank, dim);
    t->at = (BatchPlace){axis, dim_int(&r->m->dims, 1)};
  }
}

bool rebatch_begin(Model *m, BatchChoices *c)
{
  static const char *const name[] = {"N", "batch", "batch_size"};
  if (!check_names(m) || !find_batch(m)) return false;
  int k = 0;
  while (k + 1 < COUNT(name) && dims_known(&m->dims, name[k])) k++;
  Rebatch *r = NEW(&m->arena, Rebatch, 1);
  r->m = m;
  r->choices = c;
  r->n = dim_new(&m->dims, SYM_ARG, name[k]);
  r->sym = dim_symbol(r->n);
  c->at = 0;
  c->blame = 0;
  dead_code(m->main);
  open_inputs(r);
  m->rebatch = r;
  return true;
}

/* --- The law -------------------------------------------------------------- */

static bool is_loop(const Node *n)
{
  return node_is_internal(n, "LoopBegin") || node_is_internal(n, "LoopEnd");
}

/* Why input i does not keep its samples apart at some output. */
static const char *mixed(const Node *n, int i, BatchPlace at)
{
  Arena *a = &n->g->m->arena;
  const char *name = quote(a, n->in[i]->name);
  bool choice = node_is_internal(n, "Select") || node_is_internal(n, "Require");
  if ((choice && i == 0) || (is_loop(n) && i < 2))
    return arena_printf(a, "what decides here, %s, is computed from the "
                        "samples, and each may decide otherwise", name);
  if (n->op && n->op->flags & OP_VIEW)
    return arena_printf(a, "the batch, axis %d of %s, is no axis of the result "
                        "%s, nor the first part of one", at.axis, name,
                        value_shape_text(n->out[0]));
  return arena_printf(a, "samples meet: the batch is axis %d of %s, shape %s",
                      at.axis, name, value_shape_text(n->in[i]));
}

static BatchPlace moved(const Rebatch *r, const Node *n, int i, int o,
                        BatchPlace at)
{
  if (n->op && n->op->flags & OP_VIEW && !i && !o)
    return rebatch_view(r, n, at);
  at.axis = node_axis(n, i, at.axis, o);
  return at;
}

/* Is `at` the one place of the batch in v? */
static bool fits(const Rebatch *r, const Value *v, BatchPlace at)
{
  DimPool *p = &r->m->dims;
  for (int k = 0; k < v->rank; k++)
    if (k != at.axis && dim_has(p, v->dim[k], r->sym)) return false;
  if (at.axis >= v->rank) return false;
  const Dim *per = dim_div_exact(p, v->dim[at.axis], r->n);
  if (per && !dim_is(at.outer, 1)) per = dim_div_exact(p, per, at.outer);
  return per && !dim_has(p, per, r->sym);
}

/* Some nodes make samples of shapes alone. */
static BatchPlace made_place(const Rebatch *r, const Node *n, const Value *v)
{
  BatchPlace at = {-1, dim_int(&r->m->dims, 1)};
  if (!node_is(n, "Expand") && !node_is(n, "ConstantOfShape") &&
      !node_is(n, "Tile")) return at;
  for (int k = 0; k < v->rank && at.axis < 0; k++)
    if (dim_has(&r->m->dims, v->dim[k], r->sym)) at.axis = k;
  return at;
}

/* Does the node keep samples apart? Fills the places of its outputs; returns
 * why not, or NULL. */
static const char *judge(Rebatch *r, const Node *n, BatchPlace *out)
{
  Arena *a = &r->m->arena;
  bool known = true;
  for (int o = 0; o < n->nout; o++) {
    out[o].axis = -1;
    known = known && (!n->out[o] || n->out[o]->sym || n->out[o]->data);
  }
  if (random_draws(n))
    return "it draws random numbers, and a sample's would depend on its place";
  if (known) return NULL;
  const char *why;
  if (rebatch_place_numbers(r, n, out, &why))
    return why || fits(r, n->out[0], out[0]) ? why : mixed(n, 1, out[0]);
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (!v) continue;
    if (content_has(v, r->sym) && !node_reads_shape(n))
      return arena_printf(a, "its result depends on how many samples there "
                          "are, by input %s", quote(a, v->name));
    BatchPlace at = rebatch_trace(r, v)->at;
    for (int o = 0; at.axis >= 0 && o < n->nout; o++) {
      if (!n->out[o] || n->out[o]->data || n->out[o]->kind != VK_TENSOR)
        continue;
      BatchPlace to = moved(r, n, i, o, at);
      if (to.axis == AXIS_APART) continue;
      if (to.axis < 0 || !fits(r, n->out[o], to)) return mixed(n, i, at);
      if (out[o].axis >= 0 &&
          (out[o].axis != to.axis || out[o].outer != to.outer))
        return arena_printf(a, "its inputs have the batch along different axes "
                            "of the result, %d and %d", out[o].axis, to.axis);
      out[o] = to;
    }
  }
  for (int o = 0; o < n->nout; o++) {
    const Value *v = n->out[o];
    if (!v || out[o].axis >= 0 || !value_has(v, r->sym)) continue;
    out[o] = made_place(r, n, v);
    if (out[o].axis < 0 || !fits(r, v, out[o]))
      return arena_printf(a, "it makes a tensor of shape %s of the number of "
                          "samples", value_shape_text(v));
  }
  return NULL;
}

/* --- Nodes ---------------------------------------------------------------- */

static bool is_bad(const Node *n)
{
  bool bad = n->bad || !n->op;
  for (int i = 0; i < n->nin; i++) bad = bad || (n->in[i] && n->in[i]->bad);
  for (int i = 0; i < n->nout; i++) bad = bad || (n->out[i] && n->out[i]->bad);
  return bad;
}

static bool reads_batch(Rebatch *r, const Node *n)
{
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && rebatch_trace(r, n->in[i])->at.axis >= 0) return true;
  return false;
}

static uint64_t used_by(Rebatch *r, const Node *n)
{
  uint64_t used = 0;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i]) used |= rebatch_trace(r, n->in[i])->choices;
  for (int o = 0; o < n->nout; o++)
    if (n->out[o]) used |= rebatch_trace(r, n->out[o])->choices;
  return used;
}

/* Input i has no samples. The axis of it that must have them, as input k has:
 * the one that comes out where the batch does, of the size of one sample. */
static int lacking(Rebatch *r, const Node *n, int i, int k)
{
  const Value *v = n->in[i], *w = n->in[k];
  BatchPlace at = rebatch_trace(r, w)->at;
  if (at.axis < 0 || !dim_is(at.outer, 1) || v->kind != VK_TENSOR) return -1;
  const Dim *one = rebatch_one(r, w->dim[at.axis]);
  for (int o = 0; o < n->nout; o++) {
    if (!n->out[o] || n->out[o]->rank < 0) continue;
    int to = node_axis(n, k, at.axis, o);
    for (int b = 0; to >= 0 && b < v->rank; b++)
      if (v->dim[b] == one && node_axis(n, i, b, o) == to) return b;
  }
  bool same = v->rank == w->rank && v->dim[at.axis] == one;
  return same ? at.axis : -1;
}

/* Repeats operands that have no samples for all of them; false: none. */
static bool repeat_operands(Rebatch *r, Node *n)
{
  bool some = false;
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (!v || v->rank < 1 || rebatch_trace(r, v)->at.axis >= 0) continue;
    int axis = -1;
    for (int k = 0; k < n->nin && axis < 0; k++)
      if (n->in[k]) axis = lacking(r, n, i, k);
    if (axis < 0) continue;
    rebatch_note(r, n, (BatchEdit){.kind = BATCH_REPEAT, .in = i, .k = axis,
                                   .count = v->rank,
                                   .tile = !dim_is(v->dim[axis], 1)});
    node_set_input(n, i, rebatch_repeat(r, n, v, axis));
    some = true;
  }
  return some;
}

/* Branches whose results differ in size are no error to inference. */
static bool repeats_first(Rebatch *r, const Node *n)
{
  const Value *a = node_in(n, 1), *b = node_in(n, 2);
  if (!node_is_internal(n, "Select") || a->rank != b->rank) return false;
  bool first = rebatch_trace(r, a)->at.axis >= 0;
  return first != (rebatch_trace(r, b)->at.axis >= 0);
}

void rebatch_node(Node *n, void (*infer)(Node *n))
{
  Rebatch *r = n->g->m->rebatch;
  BatchPlace *out = NEW(&r->m->arena, BatchPlace, n->nout + 1), *again = NULL;
  if (is_bad(n)) {
    infer(n);
    r->choices->blame |= used_by(r, n);
    return;
  }
  bool reads = reads_batch(r, n);
  if (reads) rebatch_rewrite(r, n, infer);
  if (reads && repeats_first(r, n)) repeat_operands(r, n);
  if (!reads) {
    infer(n);
    r->choices->blame |= n->bad ? used_by(r, n) : 0;
  }
  const char *why = reads ? rebatch_try(n, infer) : NULL;
  if (!why && !n->bad) why = judge(r, n, out);
  if (why && reads && n->nin > 1 && repeat_operands(r, n)) {
    again = NEW(&r->m->arena, BatchPlace, n->nout + 1);
    const char *still = rebatch_try(n, infer);
    if (!still) still = judge(r, n, again);
    if (!still) out = again;
    why = still ? why : NULL;
  }
  uint64_t used = used_by(r, n);
  if (why) {
    r->choices->blame |= used;
    fail_unsupported(n, "--make-batch: %s", why);
    return;
  }
  for (int o = 0; o < n->nout; o++) {
    if (!n->out[o]) continue;
    Trace *t = rebatch_trace(r, n->out[o]);
    t->at = out[o];
    t->choices = used;
    t->holds = o ? NUMBERS_NONE : rebatch_numbers(r, n);
  }
}

/* --- Loops ---------------------------------------------------------------- */

static int missing(Rebatch *r, const Value *v, const Value *w)
{
  BatchPlace at = rebatch_trace(r, w)->at;
  bool lacks = rebatch_trace(r, v)->at.axis < 0 && at.axis >= 0 &&
               dim_is(at.outer, 1) && v->rank == w->rank;
  return lacks && v->dim[at.axis] == rebatch_one(r, w->dim[at.axis]) ? at.axis
                                                                     : -1;
}

/* The file's Loop or Scan takes the repeated value as an input. */
static void note_carried(Rebatch *r, const Value *v, const Node *loop, int axis)
{
  BatchEdit e = {.kind = BATCH_INNER, .k = axis, .count = v->rank,
                 .tile = !dim_is(v->dim[axis], 1)};
  for (int i = 0; i < loop->nin; i++) {
    if (loop->in[i] != v) continue;
    e.kind = BATCH_REPEAT;
    e.in = i;
  }
  rebatch_note(r, loop, e);
}

bool rebatch_carried(Value **initial, Node *first, Value **made, Node *end)
{
  Rebatch *r = end->g->m->rebatch;
  if (!r) return false;
  int in = missing(r, *initial, *made), out = missing(r, *made, *initial);
  if (out >= 0) rebatch_note(r, end, (BatchEdit){.kind = BATCH_INNER});
  if (in >= 0) note_carried(r, *initial, end, in);
  if (out >= 0) *made = rebatch_repeat(r, end, *made, out);
  if (in < 0) return false;
  *initial = rebatch_repeat(r, first, *initial, in);
  return true;
}

/* --- The end -------------------------------------------------------------- */

/* --batch: the symbol becomes that number, and all is inferred again. */
static void pin(Rebatch *r)
{
  Model *m = r->m;
  DimPool *p = &m->dims;
  (void)dims_unify(p, r->n, dim_int(p, m->opt->batch), true);
  dims_settle(p);
  for (Node *n = m->main->first; n; n = n->next) infer_node(n);
}

/* What was found out, and might be meant otherwise. */
static void tell_input(const Rebatch *r, const Value *v, int axis)
{
  Model *m = r->m;
  if (!is_port(v) || m->nerror || given_axis(m, v->name) != NOT_GIVEN) return;
  const char *name = quote(&m->arena, v->name);
  if (axis > 0)
    diag_model(m, SEV_WARNING, EXIT_OK, "--make-batch: the batch of input %s "
               "is taken to be axis %d; --batch-axis IN=K says another", name,
               axis);
  for (int k = 0; axis < 0 && k < v->rank; k++)
    if (dim_is(v->dim[k], 1)) {
      diag_model(m, SEV_WARNING, EXIT_OK, "--make-batch: input %s is taken to "
                 "be the same for all samples; --batch-axis IN=K says where "
                 "its batch is", name);
      return;
    }
}

/* The callers must see the batch as one axis of an output. */
static bool check_output(Rebatch *r, const Value *v)
{
  Model *m = r->m;
  const Trace *t = rebatch_trace(r, v);
  bool counts = content_has(v, r->sym) || t->holds;
  if (!counts && (t->at.axis < 0 || dim_is(t->at.outer, 1))) return true;
  r->choices->blame |= t->choices;
  const char *name = quote(&m->arena, v->name);
  if (counts || !v->def)
    diag_model(m, SEV_ERROR, EXIT_UNSUPPORTED, "--make-batch: output %s is "
               "computed from the number of samples alone", name);
  else
    fail_unsupported(v->def, "--make-batch: axis %d of output %s, of shape %s, "
                     "would not have the samples one after the other",
                     t->at.axis, name, value_shape_text(v));
  return false;
}

static BatchPort port_of(Rebatch *r, const Value *v)
{
  DimPool *p = &r->m->dims;
  BatchPlace at = rebatch_trace(r, v)->at;
  BatchPort port = {at.axis, 1};
  if (at.axis < 0) return port;
  const Dim *of = dim_div_exact(p, v->dim[at.axis], dim_mul(p, r->n, at.outer));
  if (!of || !dim_is_int(of, &port.inner)) port.inner = 0;
  return port;
}

void rebatch_end(Model *m)
{
  Rebatch *r = m->rebatch;
  Graph *g = m->main;
  r->over = true;
  r->in = NEW(&m->arena, BatchPort, g->nin + 1);
  r->out = NEW(&m->arena, BatchPort, g->nout + 1);
  for (int i = 0; i < g->nin; i++) {
    r->in[i] = port_of(r, g->in[i]);
    tell_input(r, g->in[i], r->in[i].axis);
  }
  for (int i = 0; i < g->nout && !m->nerror; i++) {
    r->out[i] = port_of(r, g->out[i]);
    if (!check_output(r, g->out[i])) break;
    if (r->out[i].axis > 0) r->open |= rebatch_trace(r, g->out[i])->choices;
  }
  bool bench = !strcmp(m->opt->command, "bench");
  if (!m->nerror && m->opt->batch && !bench) pin(r);
}
