/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: LabelEncoder, CategoryMapper, OneHotEncoder. Elements become the
 * numbers of their keys (o2c.Lookup), and these pick values.
 */
#include "label.h"
#include <math.h>
#include <string.h>

/* --- o2c.Lookup ----------------------------------------------------------- */

static void infer_lookup(Node *n)
{
  const Value *x = node_in(n, 0);
  if (infer_ready(n)) infer_out(n, 0, DT_I32, x->rank, x->dim);
}

/* key: NULL where the table is of integers from `low` on. */
static void call_lookup(Lower *l, Node *n, Value *x, Value *key, Value *table,
                        Value *id, int64_t low, int64_t count, int64_t strict)
{
  int64_t size = table->data->n;
  if (key)
    lower_call(l, n, "lookup", x->dtype, "iiiodkkk", x, key, table, id,
               value_numel(x), count, size - 1, strict);
  else
    lower_call(l, n, "lookup_near", x->dtype, "iiodkkkk", x, table, id,
               value_numel(x), low, size, count, strict);
}

static void lower_lookup(Lower *l, Node *n)
{
  call_lookup(l, n, n->in[0], n->in[1], n->in[2], n->out[0],
              attr_int(n, "low", 0), attr_int(n, "count", 0),
              attr_int(n, "strict", 0));
}

static int axis_lookup(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 ? axis : AXIS_MIXES;
}

/* --- Tables --------------------------------------------------------------- */

/* Integers that lie near each other: a table by their distance from the least;
 * NULL where that is large. Of equal keys the first one counts. */
static Tensor *near_table(Arena *a, const Tensor *key, int64_t *low)
{
  int64_t high = INT64_MIN;
  *low = INT64_MAX;
  if (dtype_info(key->dtype)->cls != DC_INT || !key->n) return NULL;
  for (int64_t i = 0; i < key->n; i++) {
    int64_t v = tensor_i64(key, i);
    if (v < *low) *low = v;
    if (v > high) high = v;
  }
  uint64_t span = (uint64_t)high - (uint64_t)*low;
  if (span >= (uint64_t)key->n * 4 + 64) return NULL;
  int64_t size = (int64_t)span + 1;
  Tensor *t = tensor_new(a, DT_I32, 1, &size);
  for (int64_t i = 0; i < size; i++) tensor_set_i64(t, i, key->n);
  for (int64_t i = key->n; i-- > 0;)
    tensor_set_i64(t, tensor_i64(key, i) - *low, i);
  return t;
}

Tensor *slots_new(Model *m, const char *kernel, const Tensor *a,
                  const Tensor *b, int64_t count)
{
  int64_t size = 2, least = count > 256 ? 2 * count : 8 * count;
  int status, n = 0;
  while (size < least) size *= 2;
  Tensor *t = tensor_new(&m->arena, DT_I32, 1, &size);
  RefArgs args = {.d = {a->n, size - 1}};
  args.p[n++] = (void *)(uintptr_t)tensor_aligned(m, a);
  if (b) args.p[n++] = (void *)(uintptr_t)tensor_aligned(m, b);
  args.p[n] = (void *)(uintptr_t)t->data;
  if (!ref_run(kernel, b ? DT_F32 : a->dtype, &args, &status))
    model_panic(m, "no kernel %s", kernel);
  return t;
}

Tensor *lookup_slots(Model *m, const Tensor *key)
{
  return slots_new(m, "lookup_slots", key, NULL, key->n);
}

void lower_keys(Lower *l, Node *n, Value *x, const Tensor *key, Value *id)
{
  Graph *g = n->g;
  int64_t low;
  Tensor *near = near_table(&g->m->arena, key, &low);
  call_lookup(l, n, x, near ? NULL : value_const(g, "keys", key),
              value_const(g, "table", near ? near : lookup_slots(g->m, key)),
              id, low, key->n, 0);
}

/* The numbers of x's elements among the keys, in i32; key->n where they are
 * none, or an error at run time. */
static Value *lookup(Node *at, Value *x, const Tensor *key, bool strict)
{
  Graph *g = at->g;
  int64_t low;
  Node *n = node_new(g, at, "Lookup", 3, 1, at);
  Tensor *near = near_table(&g->m->arena, key, &low);
  n->domain = "o2c";
  n->version = 1;
  n->op = op_find("o2c", "Lookup");
  node_set_input(n, 0, x);
  if (near) attr_set_int(n, "low", low);
  else node_set_input(n, 1, value_const(g, "keys", key));
  node_set_input(n, 2, value_const(g, "table", near ? near
                                                    : lookup_slots(g->m, key)));
  attr_set_int(n, "count", key->n);
  attr_set_int(n, "strict", strict);
  node_set_output(n, 0, value_tmp(g, "id", NULL));
  infer_node(n);
  return n->out[0];
}

/* `n` becomes values[its number], or `other`: a tensor of one element. */
static void replace_by(Node *n, const Tensor *key, const Tensor *value,
                       const Tensor *other)
{
  int64_t count = key->n + 1;
  size_t size = (size_t)dtype_info(value->dtype)->size;
  if (value->dtype == DT_STR) size = sizeof(Str);
  char *data = arena_alloc(&n->g->m->arena, size * (size_t)count);
  if (key->n) memcpy(data, value->data, size * (size_t)key->n);
  memcpy(data + size * (size_t)key->n, other->data, size);
  Tensor *all = tensor_new(&n->g->m->arena, value->dtype, 1, &count);
  all->data = data;
  Node *pick = node_new(n->g, n, "Gather", 2, 1, n);
  node_set_input(pick, 0, value_const(n->g, "values", all));
  node_set_input(pick, 1, lookup(pick, n->in[0], key, false));
  node_set_output(pick, 0, value_tmp(n->g, "label", NULL));
  infer_node(pick);
  ml_replace(n, 0, pick->out[0]);
  node_remove(n);
}

/* --- LabelEncoder --------------------------------------------------------- */

/* Attributes that hold lists of a type. */
typedef struct { Dtype type; const char *word; } ListName;
static const ListName lists[] = {
  {DT_STR, "strings"}, {DT_I64, "int64s"}, {DT_F32, "floats"},
};

static const Tensor *list_tensor(Node *n, const Attr *a, Dtype t)
{
  int64_t count = a->n;
  if (a->type == AT_TENSOR) return a->t;
  Tensor *x = tensor_new(&n->g->m->arena, t, 1, &count);
  x->data = t == DT_STR ? (const void *)a->strs
          : t == DT_I64 ? (const void *)a->ints : (const void *)a->floats;
  return x;
}

/* "keys" or "values", as a tensor; NULL after a diagnostic. `want`: the type
 * that it must have, or DT_NONE. */
static const Tensor *list_of(Node *n, const char *what, Dtype want)
{
  Arena *a = &n->g->m->arena;
  const Tensor *found = NULL;
  int count = 0;
  for (int i = 0; i <= COUNT(lists); i++) {
    bool tensor = i == COUNT(lists);
    const char *name = arena_printf(a, "%s_%s", what,
                                    tensor ? "tensor" : lists[i].word);
    const Attr *attr = attr_get(n, name);
    if (!attr || (!tensor && !attr->n) || (tensor && !attr->t)) continue;
    found = list_tensor(n, attr, tensor ? DT_NONE : lists[i].type);
    count++;
  }
  if (count != 1) {
    fail_model(n, "has %d attributes %s_* (spec: one of %s_strings, _int64s, "
               "_floats and _tensor)", count, what, what);
    return NULL;
  }
  if (want != DT_NONE && found->dtype != want) {
    fail_model(n, "%s are %s, input X is %s (spec: of one type)", what,
               dtype_info(found->dtype)->onnx, dtype_info(want)->onnx);
    return NULL;
  }
  return found;
}

static bool encoder_lists(Node *n, const Tensor **key, const Tensor **value)
{
  *key = list_of(n, "keys", n->in[0]->dtype);
  *value = *key ? list_of(n, "values", DT_NONE) : NULL;
  if (!*value) return false;
  if ((*key)->n == (*value)->n) return true;
  fail_model(n, "has %lld keys and %lld values (spec: as many)",
             (long long)(*key)->n, (long long)(*value)->n);
  return false;
}

/* What stands for what is no key; NULL after a diagnostic. */
static const Tensor *default_of(Node *n, Dtype t)
{
  Arena *a = &n->g->m->arena;
  const Attr *whole = attr_get(n, "default_tensor");
  const Attr *text = attr_get(n, "default_string");
  if (whole && whole->t && whole->t->n) {
    if (whole->t->dtype == t) return whole->t;
    fail_model(n, "default_tensor is %s, values are %s (spec: of one type)",
               dtype_info(whole->t->dtype)->onnx, dtype_info(t)->onnx);
    return NULL;
  }
  Tensor *x = tensor_new(a, t, 0, NULL);
  if (t == DT_STR) {
    Str *s = NEW(a, Str, 1);
    *s = text ? text->s : (Str){"_Unused", 7};
    x->data = s;
  } else if (dtype_info(t)->cls == DC_FLOAT) {
    tensor_set_f64(x, 0, (double)attr_float(n, "default_float", -0.0f));
  } else {
    tensor_set_i64(x, 0, attr_int(n, "default_int64", -1));
  }
  return x;
}

static void infer_encoder(Node *n)
{
  const Value *x = node_in(n, 0);
  const Tensor *key, *value;
  if (infer_ready(n) && encoder_lists(n, &key, &value) &&
      default_of(n, value->dtype))
    infer_out(n, 0, value->dtype, x->rank, x->dim);
}

static void expand_encoder(Node *n)
{
  const Tensor *key, *value;
  if (encoder_lists(n, &key, &value))
    replace_by(n, key, value, default_of(n, value->dtype));
}

/* The same keys and values in reverse order: of equal keys the last one then
 * is the first. */
static Tensor *reversed_strings(Node *n, const Attr *a)
{
  int64_t count = a ? a->n : 0;
  Str *s = NEW(&n->g->m->arena, Str, count + 1);
  for (int64_t i = 0; i < count; i++) s[i] = a->strs[count - 1 - i];
  Tensor *t = tensor_new(&n->g->m->arena, DT_STR, 1, &count);
  t->data = s;
  return t;
}

static Tensor *reversed_ints(Node *n, const Attr *a, int64_t count)
{
  Tensor *t = tensor_new(&n->g->m->arena, DT_I64, 1, &count);
  for (int64_t i = 0; i < count; i++)
    tensor_set_i64(t, i, a ? a->ints[count - 1 - i] : count - 1 - i);
  return t;
}

/* ONNX LabelEncoder-1 numbers strings, or gives those of numbers. */
static void upgrade_classes(Node *n)
{
  const Attr *a = attr_get(n, "classes_strings");
  Tensor *text = reversed_strings(n, a);
  Tensor *number = reversed_ints(n, NULL, text->n);
  bool of_text = n->in[0]->dtype == DT_STR;
  attr_set_tensor(n, "keys_tensor", of_text ? text : number);
  attr_set_tensor(n, "values_tensor", of_text ? number : text);
  attr_remove(n, "classes_strings");
}

/* ONNX LabelEncoder-2: a key that is NaN is never found. */
static void upgrade_nan(Node *n)
{
  const Attr *a = attr_get(n, "keys_floats");
  const Tensor *key, *value;
  int64_t some = 0;
  for (int i = 0; a && i < a->n; i++) some += isnan(a->floats[i]) != 0;
  if (!some || !encoder_lists(n, &key, &value)) return;
  int64_t count = key->n - some, k = 0;
  size_t size = value->dtype == DT_STR ? sizeof(Str)
              : (size_t)dtype_info(value->dtype)->size;
  Tensor *to = tensor_new(&n->g->m->arena, DT_F32, 1, &count);
  Tensor *as = tensor_new(&n->g->m->arena, value->dtype, 1, &count);
  char *data = arena_alloc(&n->g->m->arena, size * (size_t)(count + 1));
  for (int64_t i = 0; i < key->n; i++) {
    if (isnan(a->floats[i])) continue;
    tensor_set_f64(to, k, (double)a->floats[i]);
    memcpy(data + size * (size_t)k++,
           (const char *)value->data + size * (size_t)i, size);
  }
  as->data = data;
  static const char *const old[] = {"keys_floats", "values_strings",
                                    "values_int64s", "values_floats"};
  for (int i = 0; i < COUNT(old); i++) attr_remove(n, old[i]);
  attr_set_tensor(n, "keys_tensor", to);
  attr_set_tensor(n, "values_tensor", as);
}

/* --- CategoryMapper ------------------------------------------------------- */

static void infer_mapper(Node *n)
{
  const Value *x = node_in(n, 0);
  const Attr *ints = attr_get(n, "cats_int64s");
  const Attr *strings = attr_get(n, "cats_strings");
  int a = ints ? ints->n : 0, b = strings ? strings->n : 0;
  if (!infer_ready(n)) return;
  if (a != b || !a)
    fail_model(n, "cats_int64s has %d categories, cats_strings %d (spec: "
               "parallel)", a, b);
  else
    infer_out(n, 0, x->dtype == DT_STR ? DT_I64 : DT_STR, x->rank, x->dim);
}

static void expand_mapper(Node *n)
{
  const Attr *ints = attr_get(n, "cats_int64s");
  Tensor *text = reversed_strings(n, attr_get(n, "cats_strings"));
  Tensor *number = reversed_ints(n, ints, ints->n);
  bool of_text = n->in[0]->dtype == DT_STR;
  replace_by(n, of_text ? text : number, of_text ? number : text,
             default_of(n, of_text ? DT_I64 : DT_STR));
}

/* --- OneHotEncoder -------------------------------------------------------- */

static bool categories(Node *n, MlLabels *l)
{
  bool text = n->in[0]->dtype == DT_STR;
  if (!ml_labels(n, "cats_int64s", "cats_strings", l)) return false;
  if (l->n && text == (l->type == DT_STR)) return true;
  fail_model(n, "input X is %s, which needs the attribute %s",
             dtype_info(n->in[0]->dtype)->onnx,
             text ? "cats_strings" : "cats_int64s");
  return false;
}

static void infer_one_hot(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK + 1];
  MlLabels l;
  if (!infer_ready(n) || !categories(n, &l)) return;
  if (x->rank == MAX_RANK) {
    fail_unsupported(n, "the output has rank %d (onnx2c: at most %d)",
                     x->rank + 1, MAX_RANK);
    return;
  }
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  dim[x->rank] = dim_int(node_dims(n), l.n);
  infer_out(n, 0, DT_F32, x->rank + 1, dim);
}

/* The last one of equal categories counts; those before have no column of
 * ones. */
static void expand_one_hot(Node *n)
{
  MlLabels l;
  const float values[] = {0, 1};
  if (!categories(n, &l)) return;
  Tensor *key = l.type == DT_STR ? reversed_strings(n, l.strings)
                                 : reversed_ints(n, l.ints, l.n);
  Tensor *column = reversed_ints(n, NULL, l.n + 1);
  for (int64_t i = 0; i < l.n; i++) tensor_set_i64(column, i, l.n - 1 - i);
  tensor_set_i64(column, l.n, l.n);
  Value *x = l.type == DT_STR ? n->in[0] : node_cast(n, n->in[0], DT_I64);
  Value *id = lookup(n, x, key, !attr_int(n, "zeros", 1));
  Node *hot = node_new(n->g, n, "OneHot", 3, 1, n);
  node_set_input(hot, 0, node_op(hot, "Gather", 2,
                                 value_const(n->g, "column", column), id));
  node_set_input(hot, 1, value_const_ints(n->g, "depth",
                                          &(int64_t){l.n}, 1));
  node_set_input(hot, 2, ml_numbers(n, "values", values, 2));
  node_set_output(hot, 0, value_tmp(n->g, "one_hot", NULL));
  infer_node(hot);
  ml_replace(n, 0, hot->out[0]);
  node_remove(n);
}

#define DEFAULTS "default_float:f default_int64:i default_string:s "
#define LISTS "keys_floats:F keys_int64s:I keys_strings:S values_floats:F " \
  "values_int64s:I values_strings:S"
static const OpRow encoder_rows[] = {
  {1, "X:T -> Y:V", "T=str i64; V=str i64",
   "classes_strings:S default_int64:i default_string:s", upgrade_classes},
  {2, NULL, "T=str i64 f32; V=str i64 f32", DEFAULTS LISTS, upgrade_nan},
  {4, NULL, "T=str i64 f32 i32 i16 f64; V=str i64 f32 i32 i16 f64",
   DEFAULTS "default_tensor:t keys_tensor:t values_tensor:t " LISTS, NULL},
};
static const OpRow mapper_rows[] = {
  {1, "X:T -> Y:V", "T=str i64; V=str i64",
   "cats_int64s:I cats_strings:S default_int64:i default_string:s", NULL},
};
static const OpRow one_hot_rows[] = {
  {1, "X:T -> Y:f32", "T=str i64 i32 f32 f64",
   "cats_int64s:I cats_strings:S zeros:i", NULL},
};
static const OpRow lookup_rows[] = {
  {1, "X:T K:T? S:i32 -> Y:i32", "T=str i64 f32 i32 i16 f64",
   "count:i strict:i low:i", NULL},
};
static const OpDef defs[] = {
  {.name = "LabelEncoder", .domain = "ai.onnx.ml", .rows = encoder_rows,
   .nrow = COUNT(encoder_rows), .infer = infer_encoder,
   .expand = expand_encoder},
  {.name = "CategoryMapper", .domain = "ai.onnx.ml", .rows = mapper_rows,
   .nrow = COUNT(mapper_rows), .infer = infer_mapper, .expand = expand_mapper},
  {.name = "OneHotEncoder", .domain = "ai.onnx.ml", .rows = one_hot_rows,
   .nrow = COUNT(one_hot_rows), .infer = infer_one_hot,
   .expand = expand_one_hot},
  {.name = "Lookup", .domain = "o2c", .rows = lookup_rows,
   .nrow = COUNT(lookup_rows), .infer = infer_lookup, .lower = lower_lookup,
   .axis = axis_lookup, .flags = OP_INTERNAL},
};
OPS_DEFINE(label, defs)
