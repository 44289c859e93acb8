/* SPDX-License-Identifier: Apache-2.0 */
/* If, Loop, Scan and Gradient, which inference turns into nodes of their graph
 * (control.c, gradient.c), and what these become, of domain o2c. Select: y is a
 * where the condition holds, else b; only the chosen operand is computed.
 * Require: y is x, and a condition that is not as `on` says ends the run in
 * O2C_E_SHAPE. LoopBegin, LoopEnd: see control_loop.c. */
#include "../ir.h"

static void infer_control(Node *n)
{
  if (n->g->m->nerror) return; /* told why it stayed */
  fail_unsupported(n, "this form of %s is not supported", n->op_type);
}

/* The sizes of both; one that they do not share is found at run time. */
static void infer_select(Node *n)
{
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK], *bound[MAX_RANK];
  if (!infer_ready(n)) return;
  const Value *a = n->in[1], *b = n->in[2];
  if (!dim_is(value_numel(n->in[0]), 1)) {
    fail_model(n, "the condition has shape %s (spec: one element)",
               value_shape_text(n->in[0]));
    return;
  }
  if (a->dtype != b->dtype) {
    fail_model(n, "the branches give %s and %s (spec: one type)",
               dtype_info(a->dtype)->onnx, dtype_info(b->dtype)->onnx);
    return;
  }
  if (a->rank != b->rank) {
    fail_unsupported(n, "the branches give shapes of different rank, %s and "
                     "%s, by a condition that is only known at run time; fix "
                     "the sizes that it depends on with --dim",
                     value_shape_text(a), value_shape_text(b));
    return;
  }
  bool same = true;
  for (int i = 0; i < a->rank; i++) {
    dim[i] = a->dim[i] == b->dim[i] ? a->dim[i] : NULL;
    bound[i] = dim_max(p, dim_upper(p, a->dim[i]), dim_upper(p, b->dim[i]));
    same = same && dim[i];
  }
  if (!same && !infer_sizes(n, a->rank, bound, dim)) return;
  infer_out(n, 0, a->dtype, a->rank, dim);
}

static void sizes_select(Lower *l, Node *n)
{
  const Value *a = n->in[1], *b = n->in[2];
  lower_call(l, n, "size_choose", DT_U8, "iDDkS", n->in[0], a->dim, a->rank,
             b->dim, b->rank, (int64_t)a->rank);
}

static void lower_select(Lower *l, Node *n)
{
  lower_call(l, n, "choose", dtype_carrier(n->in[1]->dtype), "iiiodd",
             n->in[0], n->in[1], n->in[2], n->out[0], value_numel(n->in[1]),
             value_numel(n->in[2]));
}

static int axis_select(const Node *n, int in, int axis, int out)
{
  (void)out;
  return in && !n->nsize ? axis : AXIS_MIXES;
}

static void infer_require(Node *n)
{
  infer_same(n, 0, 1);
}

static void lower_require(Lower *l, Node *n)
{
  const Value *x = n->in[1];
  lower_call(l, n, "require", dtype_carrier(x->dtype), "iiodk", n->in[0],
             n->in[1], n->out[0], value_numel(x), attr_int(n, "on", 1));
}

/* Carried values keep their axes from trip to trip. */
static int axis_begin(const Node *n, int in, int axis, int out)
{
  (void)n;
  if (in < 2) return AXIS_MIXES;
  return in == out ? axis : AXIS_APART;
}

static int axis_end(const Node *n, int in, int axis, int out)
{
  int carried = (int)attr_int(n, "carried", 0);
  if (in < 4) return AXIS_MIXES;
  int of = in < 4 + carried ? in - 4 : in - 4 - carried;
  if (of != out) return AXIS_APART;
  return out < carried ? axis : axis + 1; /* of all trips, put together */
}

/* Attribute `growing` lists carried values and axes whose sizes trips change:
 * sizes that LoopBegin finds, and each LoopEnd anew. */
static void infer_loop_begin(Node *n)
{
  int count;
  const int64_t *growing = attr_ints(n, "growing", &count);
  const Dim *dim[MAX_RANK];
  if (!infer_ready(n)) return;
  infer_out(n, 0, DT_I64, 0, NULL);
  infer_out(n, 1, DT_BOOL, 0, NULL);
  if (growing && !n->size) {
    n->nsize = count / 2;
    n->size = NEW(&n->g->m->arena, const Dim *, count);
    for (int k = 0; k < n->nsize; k++)
      n->size[k] = infer_size_symbol(n, k, n->nsize, NULL);
  }
  for (int i = 2; i < n->nin; i++) {
    const Value *x = n->in[i];
    for (int k = 0; k < x->rank; k++) dim[k] = x->dim[k];
    for (int k = 0; growing && k < count / 2; k++)
      if (growing[2 * k] == i - 2) dim[growing[2 * k + 1]] = n->size[k];
    infer_out(n, i, x->dtype, x->rank, dim);
  }
}

static bool is_growing(const Node *end, int i, int axis)
{
  int count;
  const int64_t *growing = attr_ints(end->in[2]->def, "growing", &count);
  for (int k = 0; growing && k < count; k += 2)
    if (growing[k] == i && growing[k + 1] == axis) return true;
  return false;
}

/* A carried value, and what a trip makes of it. */
static bool carried_alike(Node *n, int i, const Value *v, const Value *w)
{
  bool same = v->dtype == w->dtype && v->rank == w->rank;
  for (int k = 0; same && k < v->rank; k++)
    same = v->dim[k] == w->dim[k] || is_growing(n, i, k) ||
           dims_unify(node_dims(n), v->dim[k], w->dim[k], false);
  if (!same)
    fail_unsupported(n, "carried value %d is %s %s before a trip and %s %s "
                     "after it; in a loop whose trips only the run tells its "
                     "type and rank must stay: collect it as a scan output, "
                     "or make the trips a constant", i,
                     dtype_info(v->dtype)->onnx, value_shape_text(v),
                     dtype_info(w->dtype)->onnx, value_shape_text(w));
  return same;
}

static void infer_loop_end(Node *n)
{
  const Dim *dim[MAX_RANK + 1];
  int carried = (int)attr_int(n, "carried", 0);
  if (!infer_ready(n)) return;
  for (int i = 0; i < carried; i++) {
    if (!carried_alike(n, i, n->in[4 + i], n->in[4 + carried + i])) return;
    infer_same(n, i, 4 + i);
  }
  for (int i = carried; i < n->nout; i++) {
    const Value *e = n->in[4 + carried + i];
    dim[0] = n->size[0];
    for (int k = 0; k < e->rank; k++) dim[1 + k] = e->dim[k];
    infer_out(n, i, e->dtype, e->rank + 1, dim);
  }
}

static const OpRow if_rows[] = {
  {1, "cond:B -> outputs:*...", "B=bool", "then_branch:g! else_branch:g!",
   NULL},
  {11, NULL, NULL, NULL, NULL}, {13, NULL, NULL, NULL, NULL},
  {16, NULL, NULL, NULL, NULL}, {19, NULL, NULL, NULL, NULL},
  {21, NULL, NULL, NULL, NULL}, {23, NULL, NULL, NULL, NULL},
  {24, NULL, NULL, NULL, NULL}, {25, NULL, NULL, NULL, NULL},
};
static const OpRow loop_rows[] = {
  {1, "M:I? cond:B? v_initial:*...? -> v_final_and_scan_outputs:*...",
   "I=i64; B=bool", "body:g!", NULL},
  {11, NULL, NULL, NULL, NULL}, {13, NULL, NULL, NULL, NULL},
  {16, NULL, NULL, NULL, NULL}, {19, NULL, NULL, NULL, NULL},
  {21, NULL, NULL, NULL, NULL}, {23, NULL, NULL, NULL, NULL},
  {24, NULL, NULL, NULL, NULL}, {25, NULL, NULL, NULL, NULL},
};
static const OpRow scan_rows[] = {
  {8, "sequence_lens:I? initial_state_and_scan_inputs:*... -> "
   "final_state_and_scan_outputs:*...", "I=i64",
   "body:g! num_scan_inputs:i! directions:I", NULL},
  /* ONNX Scan-8, whose batch and directions are read when it is inlined: "If
   * omitted, all scan_input tensors will be scanned in the forward
   * direction" */
  {9, "initial_state_and_scan_inputs:*... -> "
   "final_state_and_scan_outputs:*...", "",
   "body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I "
   "scan_output_axes:I scan_output_directions:I", NULL},
  {11, NULL, NULL, NULL, NULL}, {16, NULL, NULL, NULL, NULL},
  {19, NULL, NULL, NULL, NULL}, {21, NULL, NULL, NULL, NULL},
  {23, NULL, NULL, NULL, NULL}, {24, NULL, NULL, NULL, NULL},
  {25, NULL, NULL, NULL, NULL},
};
static const OpRow select_rows[] = {
  {1, "cond:B a:* b:* -> y:*", "B=bool", "", NULL}
};
static const OpRow require_rows[] = {
  {1, "cond:B x:* -> y:*", "B=bool", "on:i!", NULL}
};
static const OpRow begin_rows[] = {
  {1, "M:I? cond:B? v_initial:*...? -> it:I go:B v:*...?", "I=i64; B=bool", "",
   NULL}
};
static const OpRow end_rows[] = {
  {1, "M:I? cond:B it:I go:B values:*...? -> results:*...?", "I=i64; B=bool",
   "carried:i! backward:I", NULL}
};
static const OpRow gradient_rows[] = {
  {1, "Inputs:*... -> Outputs:*...", "", "xs:S! zs:S y:s!", NULL},
};

static const OpDef defs[] = {
  {.name = "Gradient", .domain = "ai.onnx.preview.training",
   .rows = gradient_rows, .nrow = 1, .infer = infer_control},
  {.name = "If", .rows = if_rows, .nrow = COUNT(if_rows),
   .infer = infer_control},
  {.name = "Loop", .rows = loop_rows, .nrow = COUNT(loop_rows),
   .infer = infer_control},
  {.name = "Scan", .rows = scan_rows, .nrow = COUNT(scan_rows),
   .infer = infer_control},
  {.name = "Select", .domain = "o2c", .rows = select_rows, .nrow = 1,
   .infer = infer_select, .lower = lower_select, .sizes = sizes_select,
   .axis = axis_select, .flags = OP_INTERNAL},
  {.name = "Require", .domain = "o2c", .rows = require_rows, .nrow = 1,
   .infer = infer_require, .lower = lower_require, .axis = axis_select,
   .flags = OP_INTERNAL},
  {.name = "LoopBegin", .domain = "o2c", .rows = begin_rows, .nrow = 1,
   .infer = infer_loop_begin, .axis = axis_begin,
   .flags = OP_INTERNAL | OP_RANDOM},
  {.name = "LoopEnd", .domain = "o2c", .rows = end_rows, .nrow = 1,
   .infer = infer_loop_end, .axis = axis_end,
   .flags = OP_INTERNAL | OP_RANDOM},
};
OPS_DEFINE(control, defs)
