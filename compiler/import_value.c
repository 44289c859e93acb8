/* SPDX-License-Identifier: Apache-2.0 */
/* Test data of values that are no tensors: SequenceProto, OptionalProto,
 * MapProto and SparseTensorProto files, read as the model's type of the value
 * tells, and written. */
#include "import.h"
#include <string.h>

/* Numbers of onnx.proto: SequenceProto and OptionalProto share them, but for
 * the fields of an item. */
enum { F_NAME = 1, F_ELEM_TYPE = 2 };
enum { F_KEY_TYPE = 2, F_KEYS = 3, F_STRING_KEYS = 4, F_VALUES = 5 }; /* map */
/* elem_type: 1 tensor, 2 sparse tensor, 3 sequence, 4 map, 5 optional. The
 * field of an item is 2 more in a SequenceProto and in an OptionalProto. */
static int elem_type(ValueKind kind)
{
  static const int type[] = {[VK_TENSOR] = 1, [VK_SPARSE] = 2, [VK_SEQ] = 3,
                             [VK_MAP] = 4, [VK_OPTIONAL] = 5};
  return type[kind];
}

/* Keys are integers or strings, each value is one element. */
static bool map_crosses(const Type *t)
{
  const Type *e = t->elem;
  if (!t->dtype || !e || e->kind != VK_TENSOR || !e->dtype) return false;
  for (int i = 0; i < e->rank; i++)
    if (!e->dim[i] || !dim_is(e->dim[i], 1)) return false;
  const DtypeInfo *key = dtype_info(t->dtype);
  return key->cls == DC_STR || ((key->cls == DC_INT || key->cls == DC_UINT) &&
                                key->bits >= 8);
}

bool type_crosses(const Type *t)
{
  int depth = 0;
  if (t && t->kind == VK_SPARSE) return t->dtype && t->rank >= 0;
  for (; t && (t->kind == VK_SEQ || t->kind == VK_OPTIONAL); t = t->elem)
    depth++;
  if (t && t->kind == VK_MAP && map_crosses(t)) return depth < MAX_VALUE_DEPTH;
  return depth <= MAX_VALUE_DEPTH && t && t->kind == VK_TENSOR;
}

static bool wrong_kind(const Place *at, const Type *t)
{
  place_fail(at, EXIT_MODEL, "does not hold what the model has there, a %s; "
             "give it the data of this model",
             type_text(&at->im->m->arena, t));
  return false;
}

/* --- Reading -------------------------------------------------------------- */

static Tensor *value_of(const Place *at, ValueKind kind, const char *name)
{
  Tensor *v = NEW(&at->im->m->arena, Tensor, 1);
  v->kind = kind;
  v->name = name;
  return v;
}

/* NULL: nothing, or a diagnostic. */
static bool add_item(const Place *at, Tensor *to, const Tensor *item)
{
  if (!item) return false;
  to->item = arena_grow(&at->im->m->arena, to->item, (int)to->n,
                        sizeof *to->item);
  to->item[to->n++] = item;
  return true;
}

static const Tensor *read_tensor(const Place *at, const Pb *pb,
                                 const Onnx__TensorProto *tp)
{
  const Tensor *t = tp->segment ? NULL : import_tensor(at, pb, tp);
  if (t) tensor_aligned(at->im->m, t); /* the file aligns nothing */
  return t;
}

static bool map_wrong(const Place *at, const char *what)
{
  place_fail(at, EXIT_MODEL, "holds a map %s", what);
  return false;
}

static bool read_keys(const Place *at, const Pb *pb,
                      const Onnx__MapProto *mp, Tensor *t)
{
  bool text = t->dtype == DT_STR;
  PbIter it = pb_iter(pb, mp, text ? F_STRING_KEYS : F_KEYS);
  PbItem x;
  Str *s = NEW(&at->im->m->arena, Str, t->n + 1);
  for (int64_t i = 0; i < t->n && pb_next(&it, &x); i++) {
    if (text) {
      s[i] = x.s;
      continue;
    }
    tensor_set_i64(t, i, (int64_t)x.u);
    if (tensor_i64(t, i) != (int64_t)x.u)
      return map_wrong(at, "with a key out of the range of its type");
  }
  if (text) t->data = s;
  return true;
}

static bool read_values(const Place *at, const Pb *pb, const Type *t,
                        const Onnx__SequenceProto *sp, Tensor *to)
{
  size_t size = (size_t)dtype_info(to->dtype)->size;
  for (int64_t i = 0; i < to->n; i++) {
    int errors = at->im->m->nerror;
    const Tensor *x = read_tensor(at, pb, sp->tensor_values[i]);
    if (at->im->m->nerror != errors) return false;
    if (!x || x->n != 1 || x->dtype != t->elem->dtype)
      return map_wrong(at, arena_printf(&at->im->m->arena, "with a value that "
                                        "is no single %s",
                                        dtype_info(to->dtype)->onnx));
    memcpy((char *)(uintptr_t)to->data + (size_t)i * size, x->data, size);
  }
  return true;
}

static const Tensor *read_map(const Place *at, const Pb *pb, const Type *t,
                              const Onnx__MapProto *mp)
{
  Arena *a = &at->im->m->arena;
  const Onnx__SequenceProto *sp = mp->values;
  bool text = t->dtype == DT_STR, twice = false;
  int64_t n = (int64_t)pb_count(pb, mp, text ? F_STRING_KEYS : F_KEYS);
  int64_t others = (int64_t)pb_count(pb, mp, text ? F_KEYS : F_STRING_KEYS);
  if ((mp->key_type && mp->key_type != (int32_t)t->dtype) || others)
    return wrong_kind(at, t), NULL;
  if (sp && (sp->n_sparse_tensor_values || sp->n_map_values ||
             sp->n_sequence_values || sp->n_optional_values))
    return wrong_kind(at, t), NULL;
  if (n != (sp ? (int64_t)sp->n_tensor_values : 0))
    return map_wrong(at, "whose keys and values are not as many"), NULL;
  Tensor *keys = tensor_new(a, t->dtype, 1, &n);
  Tensor *values = tensor_new(a, t->elem->dtype, 1, &n);
  if (!read_keys(at, pb, mp, keys) ||
      (n && !read_values(at, pb, t, sp, values)))
    return NULL;
  Tensor *v = value_of(at, VK_MAP, mp->name);
  add_item(at, v, keys);
  add_item(at, v, values);
  const Tensor *sorted = map_sorted(a, v, &twice);
  if (twice) return map_wrong(at, "with a key that stands there twice"), NULL;
  return sorted;
}

static const Tensor *read_sequence(const Place *at, const Pb *pb,
                                   const Type *t,
                                   const Onnx__SequenceProto *sp);

static const Tensor *read_optional(const Place *at, const Pb *pb,
                                   const Type *t,
                                   const Onnx__OptionalProto *op)
{
  const Type *e = t->elem;
  Tensor *v = value_of(at, VK_OPTIONAL, op->name);
  int errors = at->im->m->nerror;
  const Tensor *x = NULL;
  bool other = op->sparse_tensor_value ||
               (op->map_value && e->kind != VK_MAP) ||
               (op->tensor_value && e->kind != VK_TENSOR) ||
               (op->sequence_value && e->kind != VK_SEQ) ||
               (op->optional_value && e->kind != VK_OPTIONAL);
  if (other) return wrong_kind(at, t), NULL;
  if (op->tensor_value) x = read_tensor(at, pb, op->tensor_value);
  if (op->sequence_value) x = read_sequence(at, pb, e, op->sequence_value);
  if (op->optional_value) x = read_optional(at, pb, e, op->optional_value);
  if (op->map_value) x = read_map(at, pb, e, op->map_value);
  if (x) add_item(at, v, x);
  return at->im->m->nerror == errors ? v : NULL;
}

static const Tensor *read_sequence(const Place *at, const Pb *pb,
                                   const Type *t,
                                   const Onnx__SequenceProto *sp)
{
  const Type *e = t->elem;
  Tensor *v = value_of(at, VK_SEQ, sp->name);
  bool other = sp->n_sparse_tensor_values ||
               (sp->n_map_values && e->kind != VK_MAP) ||
               (sp->n_tensor_values && e->kind != VK_TENSOR) ||
               (sp->n_sequence_values && e->kind != VK_SEQ) ||
               (sp->n_optional_values && e->kind != VK_OPTIONAL);
  if (other) return wrong_kind(at, t), NULL;
  bool ok = true;
  for (size_t i = 0; ok && i < sp->n_tensor_values; i++)
    ok = add_item(at, v, read_tensor(at, pb, sp->tensor_values[i]));
  for (size_t i = 0; ok && i < sp->n_sequence_values; i++)
    ok = add_item(at, v, read_sequence(at, pb, e, sp->sequence_values[i]));
  for (size_t i = 0; ok && i < sp->n_optional_values; i++)
    ok = add_item(at, v, read_optional(at, pb, e, sp->optional_values[i]));
  for (size_t i = 0; ok && i < sp->n_map_values; i++)
    ok = add_item(at, v, read_map(at, pb, e, sp->map_values[i]));
  return ok ? v : NULL;
}

static const Tensor *read_sparse(const Place *at, const Pb *pb,
                                 const Type *t,
                                 const Onnx__SparseTensorProto *sp)
{
  const Tensor *x = import_sparse(at, pb, sp);
  if (x && x->dtype != t->dtype) return wrong_kind(at, t), NULL;
  return x ? sparse_of(&at->im->m->arena, x) : NULL;
}

const Tensor *import_value_file(Model *m, const char *path, const Type *type)
{
  Import *im = import_state(m);
  const char *why = NULL;
  const char *quoted = quote(&m->arena, path);
  if (!type || type->kind == VK_TENSOR) return import_tensor_file(m, path);
  Place at = {im, NULL, arena_printf(&m->arena, "test data %s", quoted)};
  if (!type_crosses(type)) {
    place_fail(&at, EXIT_UNSUPPORTED, "is of type %s; data of sparse tensors "
               "in others, deep nesting and maps to more than one element is "
               "not read", type_text(&m->arena, type));
    return NULL;
  }
  const FileMap *f = file_map(im, path, &why);
  if (!f) {
    diag_model(m, SEV_ERROR, EXIT_USAGE, "%s cannot be read: %s", quoted, why);
    return NULL;
  }
  Pb pb = {.m = m, .tmp = &m->arena, .p = f->p, .n = f->n};
  int errors = m->nerror;
  const void *p = pb_read(&pb, type->kind == VK_SEQ
                                 ? &onnx__sequence_proto__descriptor
                             : type->kind == VK_MAP
                                 ? &onnx__map_proto__descriptor
                             : type->kind == VK_SPARSE
                                 ? &onnx__sparse_tensor_proto__descriptor
                                 : &onnx__optional_proto__descriptor);
  if (!p) {
    if (m->nerror == errors) wrong_kind(&at, type);
    return NULL;
  }
  const Tensor *v = type->kind == VK_SEQ ? read_sequence(&at, &pb, type, p)
                  : type->kind == VK_MAP ? read_map(&at, &pb, type, p)
                  : type->kind == VK_SPARSE ? read_sparse(&at, &pb, type, p)
                                         : read_optional(&at, &pb, type, p);
  return m->nerror == errors ? v : NULL;
}

/* --- Writing -------------------------------------------------------------- */

static void export_value(StrBuf *b, const Tensor *v);

static void export_item(StrBuf *b, int field, const Tensor *x)
{
  StrBuf one;
  sb_init(&one, b->a);
  export_value(&one, x);
  pb_put_bytes(b, (uint32_t)field, one.s, one.n);
  sb_free(&one);
}

/* One value as a tensor without dimensions. */
static void export_entry(StrBuf *b, const Tensor *values, int64_t i)
{
  size_t size = (size_t)dtype_info(values->dtype)->size;
  Tensor x = {.dtype = values->dtype, .n = 1};
  x.data = (const char *)values->data + (size_t)i * size;
  export_item(b, 2 + elem_type(VK_TENSOR), &x);
}

static void export_map(StrBuf *b, const Tensor *v)
{
  const Tensor *keys = v->item[0], *values = v->item[1];
  StrBuf seq;
  pb_put_int(b, F_KEY_TYPE, (uint64_t)keys->dtype);
  for (int64_t i = 0; i < keys->n; i++) {
    const Str *s = (const Str *)keys->data + i;
    if (keys->dtype == DT_STR) pb_put_bytes(b, F_STRING_KEYS, s->p, s->n);
    else pb_put_int(b, F_KEYS, (uint64_t)tensor_i64(keys, i));
  }
  sb_init(&seq, b->a);
  pb_put_int(&seq, F_ELEM_TYPE, (uint64_t)elem_type(VK_TENSOR));
  for (int64_t i = 0; i < values->n; i++) export_entry(&seq, values, i);
  pb_put_bytes(b, F_VALUES, seq.s, seq.n);
  sb_free(&seq);
}

/* Fields 1 values, whose name is the tensor's, 2 indices, 3 dims. */
static void export_sparse(StrBuf *b, const Tensor *v)
{
  Tensor x = *v->item[0];
  x.name = v->name;
  export_item(b, 1, &x);
  export_item(b, 2, v->item[1]);
  for (int64_t i = 0; i < v->item[2]->n; i++)
    pb_put_int(b, 3, (uint64_t)tensor_i64(v->item[2], i));
}

static void export_value(StrBuf *b, const Tensor *v)
{
  if (v->kind == VK_TENSOR) {
    export_tensor(b, v);
    return;
  }
  if (v->kind == VK_SPARSE) {
    export_sparse(b, v);
    return;
  }
  if (v->name && *v->name) pb_put_bytes(b, F_NAME, v->name, strlen(v->name));
  if (v->kind == VK_MAP) {
    export_map(b, v);
    return;
  }
  const Tensor *x = v->n ? v->item[0] : NULL;
  if (x) pb_put_int(b, F_ELEM_TYPE, (uint64_t)elem_type(x->kind));
  for (int64_t i = 0; i < v->n; i++)
    export_item(b, 2 + elem_type(x->kind), v->item[i]);
}

bool export_value_file(const char *path, const Tensor *v)
{
  StrBuf b;
  sb_init(&b, NULL);
  export_value(&b, v);
  FILE *f = fopen(path, "wb");
  bool ok = f && (!b.n || fwrite(b.s, 1, b.n, f) == b.n);
  if (f && fclose(f)) ok = false;
  sb_free(&b);
  return ok;
}
