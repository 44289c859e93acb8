/* SPDX-License-Identifier: Apache-2.0 */
/* Test data of values that are no tensors: SequenceProto and OptionalProto
 * files, read as the model's type of the value tells, and written. */
#include "import.h"
#include <string.h>

/* Numbers of onnx.proto: SequenceProto and OptionalProto share them, but for
 * the fields of an item. */
enum { F_NAME = 1, F_ELEM_TYPE = 2 };
enum { E_TENSOR = 1, E_SEQUENCE = 3, E_OPTIONAL = 5 }; /* elem_type */

bool type_crosses(const Type *t)
{
  int depth = 0;
  for (; t && (t->kind == VK_SEQ || t->kind == VK_OPTIONAL); t = t->elem)
    depth++;
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
  bool other = op->sparse_tensor_value || op->map_value ||
               (op->tensor_value && e->kind != VK_TENSOR) ||
               (op->sequence_value && e->kind != VK_SEQ) ||
               (op->optional_value && e->kind != VK_OPTIONAL);
  if (other) return wrong_kind(at, t), NULL;
  if (op->tensor_value) x = read_tensor(at, pb, op->tensor_value);
  if (op->sequence_value) x = read_sequence(at, pb, e, op->sequence_value);
  if (op->optional_value) x = read_optional(at, pb, e, op->optional_value);
  if (x) add_item(at, v, x);
  return at->im->m->nerror == errors ? v : NULL;
}

static const Tensor *read_sequence(const Place *at, const Pb *pb,
                                   const Type *t,
                                   const Onnx__SequenceProto *sp)
{
  const Type *e = t->elem;
  Tensor *v = value_of(at, VK_SEQ, sp->name);
  bool other = sp->n_sparse_tensor_values || sp->n_map_values ||
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
  return ok ? v : NULL;
}

const Tensor *import_value_file(Model *m, const char *path, const Type *type)
{
  Import *im = import_state(m);
  const char *why = NULL;
  const char *quoted = quote(&m->arena, path);
  if (!type || type->kind == VK_TENSOR) return import_tensor_file(m, path);
  Place at = {im, NULL, arena_printf(&m->arena, "test data %s", quoted)};
  if (!type_crosses(type)) {
    place_fail(&at, EXIT_UNSUPPORTED, "is of type %s; data of maps, sparse "
               "tensors and deep nesting is not read",
               type_text(&m->arena, type));
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
                                 : &onnx__optional_proto__descriptor);
  if (!p) {
    if (m->nerror == errors) wrong_kind(&at, type);
    return NULL;
  }
  const Tensor *v = type->kind == VK_SEQ ? read_sequence(&at, &pb, type, p)
                                         : read_optional(&at, &pb, type, p);
  return m->nerror == errors ? v : NULL;
}

/* --- Writing -------------------------------------------------------------- */

static void export_value(StrBuf *b, const Tensor *v);

/* An item as a field: of a SequenceProto tensors are 3, sequences 5, optional
 * values 7; of an OptionalProto 3, 5 and 7 as well. */
static void export_item(StrBuf *b, const Tensor *x)
{
  StrBuf one;
  sb_init(&one, b->a);
  export_value(&one, x);
  pb_put_bytes(b, x->kind == VK_TENSOR ? 3 : x->kind == VK_SEQ ? 5 : 7, one.s,
               one.n);
  sb_free(&one);
}

static void export_value(StrBuf *b, const Tensor *v)
{
  if (v->kind == VK_TENSOR) {
    export_tensor(b, v);
    return;
  }
  if (v->name && *v->name) pb_put_bytes(b, F_NAME, v->name, strlen(v->name));
  const Tensor *x = v->n ? v->item[0] : NULL;
  if (x)
    pb_put_int(b, F_ELEM_TYPE, x->kind == VK_TENSOR ? E_TENSOR
                             : x->kind == VK_SEQ ? E_SEQUENCE : E_OPTIONAL);
  for (int64_t i = 0; i < v->n; i++) export_item(b, v->item[i]);
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
