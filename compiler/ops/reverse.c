/* SPDX-License-Identifier: Apache-2.0 */
/* ReverseSequence, BitCast, Det. */
#include "../ir.h"

/* The two axes are the first two, in either order; -1 after a diagnostic. */
static int time_axis(Node *n)
{
  int64_t batch = attr_int(n, "batch_axis", 1);
  int64_t time = attr_int(n, "time_axis", 0);
  if ((batch == 0 || batch == 1) && time == 1 - batch) return (int)time;
  fail_model(n, "batch_axis is %lld, time_axis %lld (spec: 0 and 1, or 1 and "
                "0)", (long long)batch, (long long)time);
  return -1;
}

static void infer_reverse(Node *n)
{
  const Value *x = node_in(n, 0), *length = node_in(n, 1);
  int time;
  if (!infer_ready(n) || (time = time_axis(n)) < 0) return;
  if (x->rank < 2 || length->rank != 1) {
    fail_model(n, "input has rank %d, sequence_lens %d (spec: at least 2, and "
                  "1)", x->rank, length->rank);
    return;
  }
  if (infer_equal(n, x->dim[1 - time], length->dim[0],
                  "batch of input, sequence_lens"))
    infer_same(n, 0, 0);
}

static void lower_reverse(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "reverse_sequence", dtype_carrier(x->dtype), "iiokddd",
             n->in[0], n->in[1], n->out[0],
             (int64_t)(attr_int(n, "time_axis", 0) == 0), x->dim[0], x->dim[1],
             dim_prod(node_dims(n), x->dim + 2, x->rank - 2));
}

static int axis_reverse(const Node *n, int in, int axis, int out)
{
  int64_t time = attr_int(n, "time_axis", 0);
  (void)out;
  if (in == 1) return (int)(1 - time);
  return axis != time ? axis : AXIS_MIXES;
}

static void infer_bitcast(Node *n)
{
  const Value *x = node_in(n, 0);
  int64_t to = attr_int(n, "to", 0);
  if (!infer_ready(n)) return;
  if (to <= DT_NONE || to >= DT_COUNT || to == DT_STR) {
    fail_model(n, "to is %lld (spec: a type other than string)", (long long)to);
    return;
  }
  /* A bool crosses as a byte: ONNX's own test makes it uint8. */
  int from = x->dtype == DT_BOOL ? 8 : dtype_info(x->dtype)->bits;
  if (from != (to == DT_BOOL ? 8 : dtype_info((Dtype)to)->bits)) {
    fail_model(n, "%s has %d bits, %s %d (spec: equal)",
               dtype_info(x->dtype)->onnx, from, dtype_info((Dtype)to)->onnx,
               dtype_info((Dtype)to)->bits);
    return;
  }
  infer_out(n, 0, (Dtype)to, x->rank, x->dim);
}

static void lower_bitcast(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  const DtypeInfo *t = dtype_info(y->dtype);
  const Dim *one = dim_int(node_dims(n), 1), *all = value_numel(x);
  int bits = y->dtype == DT_BOOL ? 1 : t->bits;
  if (bits >= 8) {
    Block b = {.rank = 1, .dim = {all}, .xs = {one}, .ys = {one}};
    lower_block(l, n, x, y, &b);
    return;
  }
  lower_call(l, n, "bitcast_narrow", DT_U8, "iodkk", x, y, all, (int64_t)bits,
             (int64_t)(t->cls == DC_INT));
}

static int axis_same(const Node *n, int in, int axis, int out)
{
  (void)n, (void)in, (void)out;
  return axis;
}

static void infer_det(Node *n)
{
  const Value *x = node_in(n, 0);
  if (!infer_ready(n)) return;
  if (x->rank < 2) {
    fail_model(n, "the input has rank %d (spec: at least 2)", x->rank);
    return;
  }
  if (infer_equal(n, x->dim[x->rank - 2], x->dim[x->rank - 1],
                  "rows and columns of a matrix"))
    infer_out(n, 0, x->dtype, x->rank - 2, x->dim);
}

static void lower_det(Lower *l, Node *n)
{
  Value *x = n->in[0];
  DimPool *p = node_dims(n);
  const Dim *size = x->dim[x->rank - 1];
  Value *room = lower_scratch(l, n, DT_F64, dim_mul(p, size, size));
  lower_call(l, n, "det", x->dtype, "ioodd", x, n->out[0], room,
             dim_prod(p, x->dim, x->rank - 2), size);
}

static int axis_det(const Node *n, int in, int axis, int out)
{
  (void)out;
  return axis < n->in[in]->rank - 2 ? axis : AXIS_MIXES;
}

static const OpRow reverse_rows[] = {
  {10, "input:T sequence_lens:i64 -> Y:T", "T=all",
   "batch_axis:i time_axis:i", NULL},
  {28, NULL, "T=all13", NULL, NULL},
};
static const OpRow bitcast_rows[] = {
  {26, "input:T -> output:*", "T=num bool c64 c128 bf16 f8 u4 i4 f4e2m1 f8e8m0 "
   "u2 i2", "to:i!", NULL},
};
static const OpRow det_rows[] = {
  {11, "X:T -> Y:T", "T=float", "", NULL},
  {22, NULL, "T=float bf16", NULL, NULL},
};
static const OpDef defs[] = {
  {.name = "ReverseSequence", .rows = reverse_rows,
   .nrow = COUNT(reverse_rows), .infer = infer_reverse, .lower = lower_reverse,
   .axis = axis_reverse},
  {.name = "BitCast", .rows = bitcast_rows, .nrow = COUNT(bitcast_rows),
   .infer = infer_bitcast, .lower = lower_bitcast, .axis = axis_same},
  {.name = "Det", .rows = det_rows, .nrow = COUNT(det_rows),
   .infer = infer_det, .lower = lower_det, .axis = axis_det},
};
OPS_DEFINE(reverse, defs)
