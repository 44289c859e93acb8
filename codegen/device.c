/* SPDX-License-Identifier: Apache-2.0 */
/* What runs on the GPU, and the copies in between.
 *
 * Every node has a time on either side, and a value that is made on one side
 * and read on the other the time of a copy; the division that takes the least
 * in sum is a cut of the graph (cut.c). Strings, sequences, loops, conditions,
 * nodes whose sizes it can't find (device_sizes.c), and what the GPU's provider
 * has no kernel for, stay on the CPU. Copies become nodes o2c.Transfer, each
 * value's once, right behind what makes it. Inputs and outputs of the model are
 * copied too, as the caller may keep them on either side; outputs at the end.
 *
 * Times are rough, for a server's CPU and GPU of 2023, with run-time
 * dimensions taken for TYPICAL, FINE where they count pixels or samples: what
 * matters is that a copy with the wait for it costs as much as a good deal of
 * arithmetic.
 */
#include "target.h"
#include "ops.h"

#include <string.h>

enum { TYPICAL = 16, FINE = 320 };
#define LAUNCH_NS 3000.0      /* of a kernel */
#define STEP_NS 100.0         /* of a step on the CPU */
#define COPY_NS 12000.0       /* of a copy and the wait for it */
#define DEVICE_BYTES 1500.0   /* in a nanosecond */
#define HOST_BYTES 10.0
#define COPY_BYTES 12.0
#define DEVICE_MACS 8000.0    /* in a nanosecond */
#define HOST_MACS 25.0        /* of f32 and bytes, by tuned kernels */
#define REF_MACS 1.0          /* of other types there */
#define COMPARE_NS 1.0        /* in a tree */
#define COMPARES 200.0        /* how many of those at a time there */
#define MISS_NS 500.0         /* of a load from memory there */
#define THREAD_NS 50.0        /* of an element or product by one thread there */
#define NEVER 1e13

typedef struct {
  Plan *p;
  const Target *gpu;
  Node **node;         /* those that compute */
  double *trips;       /* of the loops around each */
  int n;
  int *number;         /* by Value.id: of the node that makes it; -1: none */
  int64_t *sym;        /* what run-time dimensions are taken for */
  Cut *cut;
} Split;

/* The node computes nothing: a view of its first operand. */
static bool computes(const Node *n)
{
  return !op_is_view(n);
}

static bool crosses(const Value *v)
{
  return v->kind == VK_TENSOR && v->dtype != DT_STR && v->dtype != DT_NONE &&
         v->rank >= 0;
}

static bool is_control(const Node *n)
{
  return node_is_internal(n, "Select") || node_is_internal(n, "LoopBegin") ||
         node_is_internal(n, "LoopEnd");
}

/* Operand i is read by the host, wherever the node runs: it is a condition. */
static bool is_condition(const Node *n, int i)
{
  return node_is_internal(n, "Select") && i == 0;
}

bool node_measures(const Node *n)
{
  return node_is(n, "Shape") || node_is(n, "Size");
}

/* May input i have to be copied for it? */
static bool reads(const Node *n, int i)
{
  return n->in[i] && !n->in[i]->data && !node_measures(n);
}

static const char cheaper[] = "the CPU is cheaper", no_kernel[] = "no kernel";

/* Why the GPU may not run it; NULL: it may. */
static const char *held_back(const Split *s, const Node *n)
{
  bool ok = true;
  if (is_control(n) && (n->nsize || !s->gpu->supports(s->p, n)))
    return "control flow";
  if (n->nsize && !device_may_size(s->p, n))
    return "it finds sizes";
  for (int i = 0; i < n->nin; i++)
    ok &= !n->in[i] || crosses(n->in[i]);
  for (int i = 0; i < n->nout; i++)
    ok &= !n->out[i] || crosses(n->out[i]);
  if (!ok)
    return "strings, sequences or optional values";
  return n->op && s->gpu->supports(s->p, n) ? NULL : no_kernel;
}

/* What the pass narrow made: the CPU has no kernel for it. */
bool needs_device(const Node *n)
{
  return (node_is_internal(n, "FusedConv") ||
          node_is_internal(n, "FusedGemm")) && n->in[0]->dtype != DT_F32;
}

static double number(const Split *s, const Dim *d)
{
  int64_t v = dim_eval(&s->p->m->dims, d, s->sym);
  return v > 0 ? (double)v : 0;
}

static double bytes_of(const Split *s, const Value *v)
{
  if (!v || v->kind != VK_TENSOR || v->rank < 0 || v->dtype == DT_NONE)
    return 0;
  return number(s, value_numel(v)) * dtype_info(v->dtype)->size;
}

/* Of a recurrent layer, which go one after the other; 0: it is none. */
static double steps_of(const Split *s, const Node *n)
{
  if (!node_is(n, "RNN") && !node_is(n, "GRU") && !node_is(n, "LSTM") &&
      !node_is_internal(n, "Recurrent") && !node_is_internal(n, "LstmOfBytes"))
    return 0;
  return number(s, n->in[0]->dim[attr_int(n, "layout", 0) != 0]);
}

/* Multiplications, as far as the shapes of products tell. */
static double macs_of(const Split *s, const Node *n)
{
  if (node_is_internal(n, "Attention")) {
    AttentionShape a;
    attention_shape(n, &a);
    return number(s, a.n) * number(s, a.h) * number(s, a.s) *
           number(s, a.t) * (number(s, a.d) + number(s, a.v));
  }
  if (steps_of(s, n) > 0)
    return steps_of(s, n) * number(s, value_numel(n->in[2])) *
           number(s, n->in[0]->dim[attr_int(n, "layout", 0) == 0]);
  const Value *w = n->nin > 1 ? n->in[1] : NULL;
  const Value *y = n->nout > 0 ? n->out[0] : NULL;
  if (!w || !y || !crosses(w) || !crosses(y) || !w->rank)
    return 0;
  double out = bytes_of(s, y) / dtype_info(y->dtype)->size;
  double in = bytes_of(s, w) / dtype_info(w->dtype)->size;
  if (strstr(n->op_type, "Conv") && w->rank > 2)
    return out * in / (double)dim_eval(&s->p->m->dims, w->dim[0], s->sym);
  if ((strstr(n->op_type, "MatMul") || strstr(n->op_type, "Gemm")) &&
      w->rank > 1 && n->in[0]->rank > 0) {
    const Value *x = n->in[0];
    return out * (double)dim_eval(&s->p->m->dims, x->dim[x->rank - 1], s->sym);
  }
  return 0;
}

/* A row's way through each tree: comparisons on the host, which are waits for
 * memory on the GPU, of all trees at once. */
static void tree_times(const Split *s, Node *n, double *host, double *device)
{
  const Forest *f = strncmp(n->op_type, "TreeEnsemble", 12) ? NULL
                                                            : forest_of(n);
  const Value *x = n->in[0];
  double depth = 1;
  if (!f || f->trees < 1)
    return;
  for (int k = f->nodes / f->trees; k > 1; k /= 2)
    depth++;
  double rows = x->rank == 2 ? number(s, x->dim[0]) : 1;
  *host += rows * f->trees * depth * COMPARE_NS;
  *device += LAUNCH_NS + depth * MISS_NS +
             rows * f->trees * (depth * COMPARE_NS / COMPARES);
}

static void node_times(const Split *s, const Node *n, double *host,
                       double *device)
{
  double bytes = 0, elements = 0, macs = macs_of(s, n);
  for (int i = node_measures(n) ? n->nin : 0; i < n->nin + n->nout; i++) {
    const Value *v = i < n->nin ? n->in[i] : n->out[i - n->nin];
    double size = bytes_of(s, v);
    bytes += size;
    elements += size > 0 ? size / dtype_info(v->dtype)->size : 0;
  }
  bool tuned = n->nin > 0 && n->in[0] &&
    (n->in[0]->dtype == DT_F32 || dtype_info(n->in[0]->dtype)->size == 1);
  *host = STEP_NS + bytes / HOST_BYTES + macs / (tuned ? HOST_MACS : REF_MACS);
  *device = LAUNCH_NS * (1 + steps_of(s, n)) + bytes / DEVICE_BYTES +
            macs / DEVICE_MACS;
  if (n->nsize) /* they are copied to the CPU, which waits */
    *device += COPY_NS;
  if (s->gpu->by_one && s->gpu->by_one(s->p, n))
    *device += (elements + macs) * THREAD_NS;
  tree_times(s, (Node *)(uintptr_t)n, host, device);
}

static int maker(const Split *s, const Value *v)
{
  return s->number[value_root((Value *)(uintptr_t)v)->id];
}

/* The value's copies: in either direction once, whoever reads it there. What
 * shapes alone tell stands in the readers' code. */
static void put_value(Split *s, Value *v, int from, int aux)
{
  int count;
  double ns = COPY_NS + bytes_of(s, v) / COPY_BYTES;
  if (from >= 0) {
    ns *= s->trips[from];
    cut_edge(s->cut, 2 + from, aux, value_content(v, &count) ? 0 : ns);
    cut_edge(s->cut, aux + 1, 2 + from, ns);
  }
  for (int i = 0; i < s->n; i++)
    for (int k = 0; k < s->node[i]->nin; k++) {
      if (!reads(s->node[i], k) || value_root(s->node[i]->in[k]) != v)
        continue;
      if (is_condition(s->node[i], k)) {
        cut_edge(s->cut, 0, aux + 1, NEVER);
        continue;
      }
      cut_edge(s->cut, aux, 2 + i, NEVER);
      cut_edge(s->cut, 2 + i, aux + 1, NEVER);
      break;
    }
}

static void divide(Split *s)
{
  double host, device;
  int values = 0, aux;
  for (int i = 0; i < s->n; i++)
    values += s->node[i]->nout;
  aux = 2 + s->n;
  s->cut = cut_new(s->p->a, aux + 2 * values);
  for (int i = 0; i < s->n; i++) {
    node_times(s, s->node[i], &host, &device);
    host *= s->trips[i];
    device *= s->trips[i];
    const char *why = held_back(s, s->node[i]);
    s->node[i]->stays = why ? why : cheaper;
    if (!provider_has(s->p->m->opt, "cpu"))
      host = NEVER / 100; /* it is refused afterwards, if it stays */
    if (needs_device(s->node[i]))
      host = NEVER;
    cut_edge(s->cut, 0, 2 + i, why ? NEVER : device);
    cut_edge(s->cut, 2 + i, 1, host);
    for (int k = 0; k < s->node[i]->nout; k++, aux += 2)
      if (s->node[i]->out[k])
        put_value(s, s->node[i]->out[k], i, aux);
  }
  cut_solve(s->cut);
  for (int i = 0; i < s->n; i++)
    s->node[i]->device = s->node[i]->stays == cheaper &&
                         cut_side(s->cut, 2 + i);
}

static void number_nodes(Split *s)
{
  s->number = NEW(s->p->a, int, s->p->m->nvalue + 1);
  for (int i = 0; i < s->p->m->nvalue; i++)
    s->number[i] = -1;
  double trips = 1;
  for (Node *n = s->p->g->first; n; n = n->next) {
    if (node_is_internal(n, "LoopBegin"))
      trips *= TYPICAL;
    if (node_is_internal(n, "LoopEnd"))
      trips /= TYPICAL;
    if (!computes(n))
      continue;
    s->node = arena_grow(s->p->a, s->node, s->n, sizeof *s->node);
    s->trips = arena_grow(s->p->a, s->trips, s->n, sizeof *s->trips);
    s->trips[s->n] = trips;
    for (int i = 0; i < n->nout; i++)
      if (n->out[i])
        s->number[n->out[i]->id] = s->n;
    s->node[s->n++] = n;
  }
}

/* Does axis k of an input count pixels, or samples of a signal? */
static bool is_fine(const Value *v, int k)
{
  return v->kind == VK_TENSOR && dtype_info(v->dtype)->cls == DC_FLOAT &&
         k > 0 && (v->rank == 4 || k == v->rank - 1);
}

/* What run-time dimensions are taken for. */
static void guess_sizes(Split *s)
{
  const DimPool *d = &s->p->m->dims;
  const Graph *g = s->p->g;
  s->sym = NEW(s->p->a, int64_t, d->nsym + 1);
  for (int i = 0; i < d->nsym; i++)
    s->sym[i] = TYPICAL;
  for (int i = 0; i < g->nin; i++)
    for (int k = 0; k < g->in[i]->rank; k++)
      for (int j = 0; j < d->nsym && is_fine(g->in[i], k); j++)
        if (dim_has(d, g->in[i]->dim[k], j))
          s->sym[j] = FINE;
  for (int i = 0; i < d->nsym; i++)
    if (d->sym[i].max > 0 && d->sym[i].max < s->sym[i])
      s->sym[i] = d->sym[i].max;
}

/* Where v lies: with what made its storage. */
static bool lies_on_device(const Split *s, const Value *v)
{
  int k = maker(s, v);
  return k >= 0 && s->node[k]->device;
}

Value *transfer_new(Plan *p, Value *v, bool device)
{
  Node *at = v->def ? v->def->next : p->g->first;
  Node *n = node_new(p->g, at, "Transfer", 1, 1, v->def);
  n->domain = "o2c";
  n->op = op_find("o2c", "Transfer");
  Value *to = value_tmp(p->g, "moved", v);
  same_take(to, v);
  to->declared = v->declared;
  to->sym = v->sym;
  node_set_input(n, 0, v);
  node_set_output(n, 0, to);
  n->device = device;
  return to;
}

/* v where that side reads it: all readers of the model's inputs get copies. */
static Value *copy_of(Split *s, Value ***moved, Value *v, bool device)
{
  bool input = value_root(v)->is_input && maker(s, v) < 0;
  if (lies_on_device(s, v) == device && !input)
    return v;
  if (!moved[device][v->id])
    moved[device][v->id] = transfer_new(s->p, v, device);
  return moved[device][v->id];
}

/* A view that nothing reads any more goes with dead steps. A Select on the GPU
 * gets its condition a second time, there. */
static void copy_for(Split *s, Value ***moved, Node *n)
{
  int nin = n->nin;
  for (int i = 0; i < nin; i++) {
    Value *v = n->in[i];
    bool both = n->device && is_condition(n, i);
    if (!reads(n, i) || !crosses(v) || value_root(v)->data)
      continue;
    if (both)
      node_set_input(n, nin, copy_of(s, moved, v, true));
    node_set_input(n, i, copy_of(s, moved, v, n->device && !both));
  }
}

static void copy_outputs(Split *s)
{
  Graph *g = s->p->g;
  for (int k = 0; k < g->nout; k++) {
    Value *v = g->out[k];
    if (!crosses(v) || v->kind != VK_TENSOR)
      continue;
    Value *to = transfer_new(s->p, v, false);
    node_move_before(to->def, NULL);
    v->is_output = false;
    to->is_output = true;
    g->out[k] = to;
  }
}

static void mark_values(Plan *p)
{
  p->device_values = p->m->nvalue;
  p->on_device = NEW(p->a, bool, p->m->nvalue + 1);
  for (Node *n = p->g->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++)
      if (n->out[i] && !n->out[i]->is_output)
        p->on_device[n->out[i]->id] = computes(n) ? n->device
                                                  : p->on_device[n->in[0]->id];
}

bool value_on_device(const Plan *p, const Value *v)
{
  v = value_root((Value *)(uintptr_t)v);
  return p->device && v->id < p->device_values && p->on_device[v->id];
}

void plan_device(Plan *p)
{
  Split s = { .p = p, .gpu = target_find("cuda") };
  if (!provider_has(p->m->opt, "cuda"))
    return;
  number_nodes(&s);
  guess_sizes(&s);
  divide(&s);
  for (int i = 0; i < s.n; i++)
    p->device |= s.node[i]->device;
  if (!p->device)
    return;
  int count = p->m->nvalue;
  Value **moved[2] = { NEW(p->a, Value *, count + 1),
                       NEW(p->a, Value *, count + 1) };
  for (int i = 0; i < s.n; i++)
    if (s.node[i]->device && s.node[i]->nsize)
      copy_for(&s, moved, device_sizes(p, s.node[i]));
  for (int i = 0; i < s.n; i++)
    copy_for(&s, moved, s.node[i]);
  for (int i = 0; i < s.n; i++)
    if (s.node[i]->device && s.node[i]->nsize)
      device_sizes_end(p, s.node[i]);
  copy_outputs(&s);
  if (s.gpu->join)
    s.gpu->join(p);
  device_order(p);
  mark_values(p);
}

bool lower_transfer(Plan *p, Node *n)
{
  if (!node_is_internal(n, "Transfer"))
    return false;
  DimPool *d = &p->m->dims;
  Step *s = step_new(p, n, "TRANSFER");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_dim(s, "BYTES", dim_mul(d, value_numel(n->in[0]),
                               dim_int(d, dtype_info(n->in[0]->dtype)->size)));
  s->transfer = s->status = true;
  s->kernel_note = n->device ? "to the device" : n->out[0]->is_output
    ? "to the caller" : "from the device";
  return true;
}

/* Is a step before s, which the GPU does not run, of the same node of the
 * file? */
static bool is_told(const Plan *p, const Step *s)
{
  const Origin *of = s->node->origin;
  for (const Step *t = p->first; t != s; t = t->next)
    if (!t->device && !t->transfer && !t->sizing &&
        (t->node == s->node || (of && t->node->origin &&
                                t->node->origin->id == of->id)))
      return true;
  return false;
}

void device_only(Plan *p)
{
  if (!provider_has(p->m->opt, "cuda") || provider_has(p->m->opt, "cpu"))
    return;
  for (Step *s = p->first; s; s = s->next) {
    if (s->device || s->transfer || s->sizing || is_told(p, s))
      continue;
    const char *why = s->node->stays;
    fail_unsupported(s->node, "CUDA has no kernel for it here%s: let "
                     "--provider cuda,cpu run it on the CPU",
                     !why || why == no_kernel ? ""
                     : arena_printf(p->a, " (%s)", why));
  }
}
