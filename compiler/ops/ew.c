/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operators that are no row of the table: Clip, whose bounds may
 * be absent, Cast and CastLike, whose result has another type, and the fused
 * chain. elementwise.c makes steps of all of them. */
#include "../ir.h"
#include <string.h>

#define O2C_TEXT_ROOM 24 /* as kernels/ref/decimal.h has it */

/* ONNX Clip-6 has its bounds as attributes. The type that they take as inputs
 * is known at inference only. */
static void upgrade_clip(Node *n)
{
  attr_remove(n, "consumed_inputs");
}

static void bound_to_input(Node *n, const char *name, int at, double open)
{
  const Attr *a = attr_get(n, name);
  double v = a ? (double)a->f : open;
  attr_remove(n, name);
  if (!a || v == open) return;
  node_set_input(n, at, value_const_scalar(n->g, name, n->in[0]->dtype, v));
}

static void infer_clip(Node *n)
{
  if (!infer_ready(n)) return;
  bound_to_input(n, "min", 1, (double)-3.402823466e+38f);
  bound_to_input(n, "max", 2, (double)3.402823466e+38f);
  for (int i = 1; i <= 2; i++) {
    const Value *v = node_in(n, i);
    if (!v || dim_is(value_numel(v), 1)) continue;
    fail_model(n, "input %s has the shape %s (spec: a scalar)",
               i == 1 ? "min" : "max", value_shape_text(v));
    return;
  }
  infer_same(n, 0, 0);
}

/* The bounds are scalars: nothing of them has to move. */
static bool permute_first(Node *n, const int *perm, int rank)
{
  (void)n, (void)perm, (void)rank;
  return true;
}

static int axis_first(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 ? axis : AXIS_MIXES;
}

/* ONNX Cast-1 spells the type as TensorProto's enumeration does: "FLOAT16". */
static void upgrade_cast(Node *n)
{
  static const char *const other = "abcdefghijklmnopqrstuvwxyz";
  const char *to = attr_str(n, "to", "");
  char *word = arena_str(&n->g->m->arena, to);
  for (char *s = word; *s; s++)
    if (*s >= 'A' && *s <= 'Z') *s = other[*s - 'A'];
  for (int t = 1; t < DT_COUNT; t++)
    if (!strcmp(dtype_info((Dtype)t)->onnx, word)) {
      attr_set_int(n, "to", t);
      return;
    }
  fail_model(n, "attribute to is %s (spec: the name of a type, as FLOAT)",
             quote(&n->g->m->arena, to));
}

static bool check_round_mode(Node *n)
{
  const char *mode = attr_str(n, "round_mode", "up");
  if (!strcmp(mode, "up") || !strcmp(mode, "down") || !strcmp(mode, "nearest"))
    return true;
  fail_model(n, "attribute round_mode is %s (spec: up, down or nearest)",
             quote(&n->g->m->arena, mode));
  return false;
}

static void infer_cast_to(Node *n, int64_t to)
{
  const Value *x = n->in[0];
  if (to <= DT_NONE || to >= DT_COUNT || to == DT_C64 || to == DT_C128) {
    fail_unsupported(n, "attribute to is %lld, a type that onnx2c does not "
                     "know", (long long)to);
    return;
  }
  if (!check_round_mode(n)) return;
  if (x->dtype == DT_STR && to == DT_F8E8M0 &&
      strcmp(attr_str(n, "round_mode", "up"), "up") != 0) {
    fail_unsupported(n, "strings become float8e8m0 with round_mode up only; "
                     "cast them to float first");
    return;
  }
  /* The characters of all trips need room, and how many trips there will be
   * nothing tells. */
  if (to == DT_STR && x->dtype != DT_STR && attr_get(n, ".looped") &&
      !x->data && !n->size) {
    n->size = NEW(&n->g->m->arena, const Dim *, 1);
    n->size[0] = infer_size_symbol(n, 0, 1, NULL);
    n->nsize = 1;
  }
  infer_out(n, 0, (Dtype)to, x->rank, x->dim);
}

static void infer_cast(Node *n)
{
  if (!infer_ready(n)) return;
  if (!attr_get(n, "to"))
    fail_model(n, "attribute to is missing (spec: the type of the output)");
  else
    infer_cast_to(n, attr_int(n, "to", 0));
}

static void infer_cast_like(Node *n)
{
  if (infer_ready(n)) infer_cast_to(n, n->in[1]->dtype);
}

static const Dim *text_room(const Node *n)
{
  DimPool *d = node_dims(n);
  return dim_mul(d, value_numel(n->in[0]), dim_int(d, O2C_TEXT_ROOM));
}

static void sizes_cast(Lower *l, Node *n)
{
  lower_call(l, n, "size_given", DT_I64, "dS", text_room(n));
}

/* Only between strings and numbers: elementwise.c has the others. */
static void lower_cast(Lower *l, Node *n)
{
  static const struct { Dtype t; int p, emin; } formats[] = {
    {DT_F64, 53, -1074}, {DT_F32, 24, -149}, {DT_F16, 11, -24},
    {DT_BF16, 8, -133}, {DT_F8E4M3FN, 4, -9}, {DT_F8E4M3FNUZ, 4, -10},
    {DT_F8E5M2, 3, -16}, {DT_F8E5M2FNUZ, 3, -17}, {DT_F4E2M1, 2, -1},
    {DT_F8E8M0, 1, -127}, {DT_F6E2M3, 4, -3}, {DT_F6E3M2, 3, -4},
  };
  Value *x = n->in[0], *y = n->out[0];
  const Dim *all = value_numel(x);
  int64_t p = 0, emin = 0;
  if (x->dtype == DT_STR) {
    lower_call(l, n, "from_text", y->dtype, "iodk", x, y, all,
               attr_int(n, "saturate", 1));
    return;
  }
  for (int i = 0; i < COUNT(formats); i++)
    if (formats[i].t == x->dtype) {
      p = formats[i].p;
      emin = formats[i].emin;
    }
  const Dim *bytes = n->nsize ? n->size[0] : text_room(n);
  Value *room = value_new(n->g, "text", DT_U8, 1, &bytes);
  lower_call(l, n, "to_text", x->dtype, "ioodkk", x, y, room, all, p, emin);
}

/* Blocks of rows would overwrite the characters of the block before. */
static int axis_cast(const Node *n, int in, int axis, int out)
{
  bool makes = n->out[0]->dtype == DT_STR && n->in[0]->dtype != DT_STR;
  return makes ? AXIS_MIXES : axis_first(n, in, axis, out);
}

static void infer_given(Node *n) { (void)n; }

static const OpRow clip_rows[] = {
  {1, "input:T -> output:T", "T=float", "min:f max:f consumed_inputs:I",
   upgrade_clip},
  {6, NULL, NULL, "min:f max:f", upgrade_clip},
  {11, "input:T min:T? max:T? -> output:T", "T=float", "", NULL},
  {12, NULL, "T=num", NULL, NULL},
  {13, NULL, "T=num bf16", NULL, NULL},
};
#define CAST19 "num bool str bf16 f8"
#define CAST25 CAST19 " u4 i4 f4e2m1 f8e8m0 u2 i2"
#define CAST(types) "T1=" types "; T2=" types
static const OpRow cast_rows[] = {
  {1, "input:T1 -> output:T2", CAST("num bool"), "to:s", upgrade_cast},
  {6, NULL, NULL, "to:i", NULL},
  {9, NULL, CAST("num bool str"), NULL, NULL},
  {13, NULL, CAST("num bool str bf16"), NULL, NULL},
  /* ONNX Cast-19: "It is true by default" */
  {19, NULL, CAST(CAST19), "to:i saturate:i", NULL},
  {21, NULL, CAST(CAST19 " u4 i4"), NULL, NULL},
  {23, NULL, CAST(CAST19 " u4 i4 f4e2m1"), NULL, NULL},
  /* ONNX Cast-24: "It only applies to casting to float8e8m0" */
  {24, NULL, CAST(CAST19 " u4 i4 f4e2m1 f8e8m0"),
   "to:i saturate:i round_mode:s", NULL},
  {25, NULL, CAST(CAST25), NULL, NULL},
  {28, NULL, CAST(CAST25 " f6"), NULL, NULL},
};
static const OpRow cast_like_rows[] = {
  {15, "input:T1 target_type:T2 -> output:T2", CAST("num bool str bf16"), "",
   NULL},
  /* ONNX CastLike-19: "It is true by default" */
  {19, NULL, CAST(CAST19), "saturate:i", NULL},
  {21, NULL, CAST(CAST19 " u4 i4"), NULL, NULL},
  {23, NULL, CAST(CAST19 " u4 i4 f4e2m1"), NULL, NULL},
  /* ONNX CastLike-24: "It only applies to casting to float8e8m0" */
  {24, NULL, CAST(CAST19 " u4 i4 f4e2m1 f8e8m0"), "saturate:i round_mode:s",
   NULL},
  {25, NULL, CAST(CAST25), NULL, NULL},
};
static const OpRow fused_rows[] = {{1, "x:*... -> y:*", "", "", NULL}};

static const OpDef defs[] = {
  {.name = "Clip", .rows = clip_rows, .nrow = COUNT(clip_rows),
   .infer = infer_clip, .axis = axis_first, .permute = permute_first,
   .flags = OP_ELEMENTWISE},
  {.name = "Cast", .rows = cast_rows, .nrow = COUNT(cast_rows),
   .infer = infer_cast, .lower = lower_cast, .sizes = sizes_cast,
   .axis = axis_cast,
   .permute = permute_first,
   .flags = OP_ELEMENTWISE},
  {.name = "CastLike", .rows = cast_like_rows, .nrow = COUNT(cast_like_rows),
   .infer = infer_cast_like, .lower = lower_cast, .sizes = sizes_cast,
   .axis = axis_cast,
   .permute = permute_first,
   .flags = OP_ELEMENTWISE},
  {.name = "Fused", .domain = "o2c", .rows = fused_rows, .nrow = 1,
   .infer = infer_given, .flags = OP_ELEMENTWISE | OP_INTERNAL},
};
OPS_DEFINE(ew, defs)
