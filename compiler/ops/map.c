/* SPDX-License-Identifier: Apache-2.0 */
/* ZipMap, DictVectorizer and CastMap of ai.onnx.ml. ZipMap is gone after
 * inference, see zipmap.c; the others read a map of the interface.
 */
#include <stdlib.h>
#include <string.h>
#include "label.h"

#define ML "ai.onnx.ml"

/* infer_nodes takes them out before. */
static void infer_zipmap(Node *n)
{
  if (!n->g->m->nerror)
    fail_unsupported(n, "maps are made by generated code, not by the "
                     "reference evaluation; give it test data");
}

/* The type of input 0, a map of the interface; NULL after a diagnostic. */
static const Type *map_type(Node *n)
{
  const Value *x = node_in(n, 0);
  if (!x || (zip_is(x) && zip_refused(n, x))) return NULL;
  if (x->kind == VK_MAP && x->declared && type_crosses(x->declared))
    return x->declared;
  fail_model(n, "input 0 is no map (spec: a map to numbers or strings)");
  return NULL;
}

static const Attr *vocabulary(Node *n, const Type *t)
{
  bool text = t->dtype == DT_STR;
  const char *name = text ? "string_vocabulary" : "int64_vocabulary";
  const Attr *a = attr_get(n, name);
  if (a && a->n) return a;
  fail_model(n, "it has no attribute %s, but keys of type %s", name,
             dtype_info(t->dtype)->onnx);
  return NULL;
}

/* ONNX DictVectorizer-1: "Any keys not present in the input dictionary, will be
 * zero in the output array"; keys that it does not have are left out, as
 * onnxruntime does, whose output has the shape [1, vocabulary]. */
static void infer_dict(Node *n)
{
  const Type *t = map_type(n);
  if (!t) return;
  TypeSet values = DT_BIT(DT_I64) | DT_BIT(DT_F32) | DT_BIT(DT_F64) |
                   DT_BIT(DT_STR);
  if ((t->dtype != DT_I64 && t->dtype != DT_STR) ||
      t->elem->dtype == t->dtype || !(values & DT_BIT(t->elem->dtype))) {
    fail_model(n, "input 0 is a %s (spec: from int64 to string, float or "
               "double, or from string to int64, float or double)",
               type_text(&n->g->m->arena, t));
    return;
  }
  const Attr *a = vocabulary(n, t);
  if (!a) return;
  const Dim *dim[2] = {dim_int(node_dims(n), 1), dim_int(node_dims(n), a->n)};
  infer_out(n, 0, t->elem->dtype, 2, dim);
}

static void lower_dict(Lower *l, Node *n)
{
  Arena *arena = &n->g->m->arena;
  const Type *t = n->in[0]->declared;
  const Attr *a = vocabulary(n, t);
  int64_t count = a ? a->n : 0;
  Tensor *keys = tensor_new(arena, t->dtype, 1, &count);
  Tensor *at = tensor_new(arena, DT_I64, 1, &count);
  if (!a) return;
  if (t->dtype == DT_STR) keys->data = a->strs;
  else keys->data = a->ints;
  for (int64_t i = 0; i < count; i++) tensor_set_i64(at, i, i);
  const Tensor *pair[2] = {keys, at};
  const Tensor map = {.kind = VK_MAP, .n = 2, .item = pair};
  bool twice;
  const Tensor *sorted = map_sorted(arena, &map, &twice);
  const Tensor *slots = lookup_slots(n->g->m, sorted->item[0]);
  lower_call(l, n, "dict", dtype_carrier(t->elem->dtype), "iiiiookkkk",
             n->in[0], value_const(n->g, "words", sorted->item[0]),
             value_const(n->g, "slots", slots),
             value_const(n->g, "places", sorted->item[1]), n->out[0],
             lower_scratch(l, n, DT_I8, dim_int(node_dims(n), count)), count,
             slots->n - 1, (int64_t)t->dtype, (int64_t)t->elem->dtype);
}

/* CastMap's attributes; -1 after a diagnostic. */
static int is_dense(Node *n)
{
  const char *form = attr_str(n, "map_form", "DENSE");
  if (!strcmp(form, "DENSE")) return 1;
  if (strcmp(form, "SPARSE"))
    fail_model(n, "attribute map_form is %s (spec: DENSE or SPARSE)",
               quote(&n->g->m->arena, form));
  else if (attr_int(n, "max_map", 1) < 1)
    fail_model(n, "attribute max_map is %lld (spec: above 0 for SPARSE)",
               (long long)attr_int(n, "max_map", 1));
  else
    return 0;
  return -1;
}

static Dtype cast_to(Node *n)
{
  const char *to = attr_str(n, "cast_to", "TO_FLOAT");
  if (!strcmp(to, "TO_FLOAT")) return DT_F32;
  if (!strcmp(to, "TO_STRING")) return DT_STR;
  if (!strcmp(to, "TO_INT64")) return DT_I64;
  fail_model(n, "attribute cast_to is %s (spec: TO_FLOAT, TO_STRING or "
             "TO_INT64)", quote(&n->g->m->arena, to));
  return DT_NONE;
}

static void infer_cast(Node *n)
{
  const Type *t = map_type(n);
  DimPool *p = node_dims(n);
  Dtype to = cast_to(n);
  int dense = is_dense(n);
  if (!t || !to || dense < 0) return;
  if (t->dtype != DT_I64 ||
      (t->elem->dtype != DT_F32 && t->elem->dtype != DT_STR)) {
    fail_model(n, "input 0 is a %s (spec: from int64 to string or float)",
               type_text(&n->g->m->arena, t));
    return;
  }
  const Dim *dim[2] = {dim_int(p, 1), NULL};
  if (!dense) dim[1] = dim_int(p, attr_int(n, "max_map", 1));
  else if (!infer_sizes(n, 1, NULL, dim + 1)) return;
  infer_out(n, 0, to, 2, dim);
}

static void sizes_cast(Lower *l, Node *n)
{
  lower_call(l, n, "size_map", DT_I64, "ikS", n->in[0],
             (int64_t)n->in[0]->declared->elem->dtype);
}

static void lower_cast(Lower *l, Node *n)
{
  const Dim *count = n->out[0]->dim[1];
  Dtype from = n->in[0]->declared->elem->dtype, to = n->out[0]->dtype;
  Value *order = lower_scratch(l, n, DT_I64, count), *room = NULL;
  lower_call(l, n, "map_order", DT_I64, "iodkk", n->in[0], order, count,
             (int64_t)from, (int64_t)(is_dense(n) == 1));
  if (to != DT_STR) {
    lower_call(l, n, to == DT_F32 ? "map_floats" : "map_ints", to, "iiod",
               n->in[0], order, n->out[0], count);
    return;
  }
  if (from != DT_STR)
    room = lower_scratch(l, n, DT_U8, dim_mul(node_dims(n), count,
                                              dim_int(node_dims(n), 48)));
  lower_call(l, n, "map_texts", DT_STR, "iiood", n->in[0], order, n->out[0],
             room, count);
}

static const OpRow zip_rows[] = {
  {1, "X:T -> Z:*", "T=f32", "classlabels_int64s:I classlabels_strings:S",
   NULL}
};
static const OpRow dict_rows[] = {
  {1, "X:* -> Y:T2", "T2=i64 f32 f64 str",
   "int64_vocabulary:I string_vocabulary:S", NULL}
};
static const OpRow cast_rows[] = {
  {1, "X:* -> Y:T2", "T2=str f32 i64", "max_map:i map_form:s cast_to:s", NULL}
};
static const OpDef defs[] = {
  {.name = "ZipMap", .domain = ML, .rows = zip_rows, .nrow = 1,
   .infer = infer_zipmap},
  {.name = "DictVectorizer", .domain = ML, .rows = dict_rows, .nrow = 1,
   .infer = infer_dict, .lower = lower_dict},
  {.name = "CastMap", .domain = ML, .rows = cast_rows, .nrow = 1,
   .infer = infer_cast, .lower = lower_cast, .sizes = sizes_cast},
};
OPS_DEFINE(map, defs)
