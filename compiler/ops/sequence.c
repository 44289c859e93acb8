/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences and optional values: sequence.c replaces what inference can. What
 * stays looks at a value of the interface; Pack (of domain o2c) makes one. */
#include "../ir.h"

static void infer_open(Node *n)
{
  if (n->g->m->nerror) return; /* told why it stayed */
  fail_unsupported(n, "how many items it works on is only known at run time; "
                   "make the sequence in the model, or pass tensors");
}

static void infer_has(Node *n)
{
  infer_out(n, 0, DT_BOOL, 0, NULL);
}

static void lower_has(Lower *l, Node *n)
{
  lower_call(l, n, "has_item", DT_U8, "io", n->in[0], n->out[0]);
}

/* A tensor whose shape the optional value's type states. */
static void infer_get(Node *n)
{
  const Type *t = n->in[0]->declared ? n->in[0]->declared->elem : NULL;
  bool known = t && t->kind == VK_TENSOR && t->rank >= 0;
  for (int i = 0; known && i < t->rank; i++) known = t->dim[i] != NULL;
  if (known) infer_out(n, 0, t->dtype, t->rank, t->dim);
  else infer_open(n);
}

static void lower_get(Lower *l, Node *n)
{
  const Value *y = n->out[0];
  lower_call(l, n, "get_item", dtype_carrier(y->dtype), "iokkD", n->in[0],
             n->out[0], (int64_t)y->dtype, (int64_t)y->rank, y->dim, y->rank);
}

/* Its output's type and shape are set where it is made. */
static void infer_pack(Node *n) { (void)n; }

/* Both sizes are found; see sequence_open.c for the form. */
static void infer_unpack(Node *n)
{
  const Dim *dim[2] = {NULL, NULL};
  if (!infer_sizes(n, 2, NULL, dim)) return;
  infer_out(n, 0, (Dtype)attr_int(n, "dtype", 0), 1, dim + 1);
  const Dim *rows[2] = {dim[0], dim_int(node_dims(n), 1 + MAX_RANK)};
  infer_out(n, 1, DT_I64, 2, rows);
}

static void sizes_unpack(Lower *l, Node *n)
{
  lower_call(l, n, "size_items", DT_U8, "ikkS", n->in[0],
             attr_int(n, "dtype", 0), attr_int(n, "tensor", 0));
}

static void lower_unpack(Lower *l, Node *n)
{
  lower_call(l, n, "items", dtype_carrier(n->out[0]->dtype), "iook", n->in[0],
             n->out[0], n->out[1], attr_int(n, "tensor", 0));
}

/* As the interface's type states it. */
static void infer_densify(Node *n)
{
  const Value *x = n->in[0];
  infer_out(n, 0, x->dtype, x->rank, x->dim);
}

static void lower_densify(Lower *l, Node *n)
{
  const Value *y = n->out[0];
  lower_call(l, n, "densify", dtype_carrier(y->dtype), "iokkD", n->in[0],
             n->out[0], (int64_t)y->dtype, (int64_t)y->rank, y->dim, y->rank);
}

static const OpRow construct_rows[] = {
  {11, "inputs:*... -> output_sequence:*", "", "", NULL}
};
static const OpRow empty_rows[] = {{11, "-> output:*", "", "dtype:i", NULL}};
static const OpRow length_rows[] = {
  {11, "input_sequence:* -> length:I", "I=i64", "", NULL}
};
static const OpRow at_rows[] = {
  {11, "input_sequence:* position:I -> tensor:*", "I=i32 i64", "", NULL}
};
static const OpRow erase_rows[] = {
  {11, "input_sequence:* position:I? -> output_sequence:*", "I=i32 i64", "",
   NULL}
};
static const OpRow insert_rows[] = {
  {11, "input_sequence:* tensor:* position:I? -> output_sequence:*",
   "I=i32 i64", "", NULL}
};
static const OpRow concat_rows[] = {
  {11, "input_sequence:* -> concat_result:*", "", "axis:i! new_axis:i", NULL}
};
static const OpRow split_rows[] = {
  {11, "input:* split:I? -> output_sequence:*", "I=i32 i64",
   "axis:i keepdims:i", NULL},
  {24, NULL, NULL, NULL, NULL},
};
static const OpRow map_rows[] = {
  {17, "input_sequence:* additional_inputs:*...? -> out_sequence:*...", "",
   "body:g!", NULL}
};
static const OpRow optional_rows[] = {
  {15, "input:*? -> output:*", "", "type:y", NULL}, {28, NULL, NULL, NULL, NULL}
};
static const OpRow has_rows[] = {
  {15, "input:* -> output:B", "B=bool", "", NULL},
  /* ONNX OptionalHasElement-18: "(2) the input is a tensor or sequence type" */
  {18, "input:*? -> output:B", NULL, NULL, NULL},
  {28, NULL, NULL, NULL, NULL},
};
static const OpRow get_rows[] = {
  {15, "input:* -> output:*", "", "", NULL}, {18, NULL, NULL, NULL, NULL},
  {28, NULL, NULL, NULL, NULL},
};
static const OpRow pack_rows[] = {
  {1, "items:*...? -> value:*", "", "tree:I!", NULL}
};
static const OpRow unpack_rows[] = {
  {1, "value:* -> flat:* rows:*", "", "dtype:i! tensor:i", NULL}
};
static const OpRow form_rows[] = {{1, "x:* -> y:*", "", "", NULL}};
static const OpRow repack_rows[] = {
  {1, "flat:* rows:* has:*? -> value:*", "", "tensor:i", NULL}
};

#define OPEN(op, r) {.name = op, .rows = r, .nrow = COUNT(r), \
                     .infer = infer_open}
static const OpDef defs[] = {
  OPEN("SequenceConstruct", construct_rows), OPEN("SequenceEmpty", empty_rows),
  OPEN("SequenceLength", length_rows), OPEN("SequenceAt", at_rows),
  OPEN("SequenceErase", erase_rows), OPEN("SequenceInsert", insert_rows),
  OPEN("ConcatFromSequence", concat_rows), OPEN("SplitToSequence", split_rows),
  OPEN("SequenceMap", map_rows), OPEN("Optional", optional_rows),
  {.name = "OptionalHasElement", .rows = has_rows, .nrow = COUNT(has_rows),
   .infer = infer_has, .lower = lower_has},
  {.name = "OptionalGetElement", .rows = get_rows, .nrow = COUNT(get_rows),
   .infer = infer_get, .lower = lower_get},
  {.name = "Unpack", .domain = "o2c", .rows = unpack_rows, .nrow = 1,
   .infer = infer_unpack, .lower = lower_unpack, .sizes = sizes_unpack,
   .flags = OP_INTERNAL},
  {.name = "Densify", .domain = "o2c", .rows = form_rows, .nrow = 1,
   .infer = infer_densify, .lower = lower_densify, .flags = OP_INTERNAL},
  {.name = "Sparsify", .domain = "o2c", .rows = form_rows, .nrow = 1,
   .infer = infer_pack, .flags = OP_INTERNAL | OP_RANDOM},
  {.name = "Repack", .domain = "o2c", .rows = repack_rows, .nrow = 1,
   .infer = infer_pack, .flags = OP_INTERNAL | OP_RANDOM},
  {.name = "Pack", .domain = "o2c", .rows = pack_rows, .nrow = 1,
   .infer = infer_pack, .flags = OP_INTERNAL | OP_RANDOM},
};
OPS_DEFINE(sequence, defs)
