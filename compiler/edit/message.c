/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and their payloads: lists of pointers as protobuf-c has them, new
 * messages, copies, and payload fields, whose records are made in memory and
 * hung on the message as runs, so that they read and save as those of the
 * file do. */
#include "edit.h"
#include <string.h>

void *list_put(Arena *a, void *list, size_t *n, size_t at, void *item)
{
  char *p = arena_grow(a, list, (int)*n, sizeof(void *));
  char *slot = p + at * sizeof(void *);
  memmove(slot + sizeof(void *), slot, (*n - at) * sizeof(void *));
  memcpy(slot, &item, sizeof item);
  ++*n;
  return p;
}

void list_drop(void *list, size_t *n, size_t at)
{
  char *slot = (char *)list + at * sizeof(void *);
  --*n;
  memmove(slot, slot + sizeof(void *), (*n - at) * sizeof(void *));
}

char *edit_str(Edit *e, const char *s)
{
  return arena_str(e->a, s ? s : "");
}

/* --- Copies --------------------------------------------------------------- */

/* One element of a field: a pointer to a message or to text, or a number. */
static void clone_item(Edit *e, const ProtobufCFieldDescriptor *f, char *to,
                       const char *from)
{
  void *p;
  memcpy(&p, from, sizeof p);
  if (!p) return;
  if (f->type == PROTOBUF_C_TYPE_MESSAGE) p = edit_clone(e, p);
  else p = edit_str(e, p);
  memcpy(to, &p, sizeof p);
}

static void clone_field(Edit *e, const ProtobufCFieldDescriptor *f, char *to,
                        const char *from)
{
  bool pointer = f->type == PROTOBUF_C_TYPE_MESSAGE ||
                 f->type == PROTOBUF_C_TYPE_STRING;
  if (!pointer) return;
  if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
    uint32_t is;
    memcpy(&is, from + f->quantifier_offset, sizeof is);
    if (is != f->id) return;
  }
  if (f->label != PROTOBUF_C_LABEL_REPEATED) {
    clone_item(e, f, to + f->offset, from + f->offset);
    return;
  }
  size_t n;
  memcpy(&n, from + f->quantifier_offset, sizeof n);
  if (!n) return;
  char *items, *mine = (char *)NEW(e->a, void *, n);
  memcpy(&items, from + f->offset, sizeof items);
  for (size_t i = 0; i < n; i++)
    clone_item(e, f, mine + i * sizeof(void *), items + i * sizeof(void *));
  memcpy(to + f->offset, &mine, sizeof mine);
}

void *edit_clone(Edit *e, const void *msg)
{
  const ProtobufCMessage *from = msg;
  const ProtobufCMessageDescriptor *d = from->descriptor;
  ProtobufCMessage *to = arena_alloc(e->a, d->sizeof_message);
  memcpy(to, from, d->sizeof_message);
  to->n_unknown_fields = 0;
  to->unknown_fields = NULL;
  for (unsigned i = 0; i < d->n_fields; i++)
    clone_field(e, &d->fields[i], (char *)to, (const char *)from);
  PbRun **runs = pb_runs(e->pb, from);
  for (const PbRun *r = runs ? *runs : NULL; r; r = r->next)
    pb_add_run(e->pb, to, r);
  return to;
}

/* --- Payloads ------------------------------------------------------------- */

static void add_records(Edit *e, void *msg, uint32_t field, StrBuf *b,
                        size_t count)
{
  PbRun run = {.field = field, .to = b->n, .count = count,
               .p = (const uint8_t *)arena_strn(e->a, b->n ? b->s : "", b->n)};
  pb_add_run(e->pb, msg, &run);
  sb_free(b);
}

static bool is_packed(const void *msg, uint32_t field)
{
  const ProtobufCMessage *m = msg;
  const ProtobufCFieldDescriptor *f =
    protobuf_c_message_descriptor_get_field(m->descriptor, field);
  return f && f->flags & PROTOBUF_C_FIELD_FLAG_PACKED;
}

void msg_set_ints(Edit *e, void *msg, uint32_t field, const int64_t *v,
                  size_t n)
{
  StrBuf b, list;
  sb_init(&b, e->a);
  sb_init(&list, e->a);
  bool packed = is_packed(msg, field);
  pb_clear(e->pb, msg, field);
  for (size_t i = 0; i < n; i++)
    if (packed) pb_put_varint(&list, (uint64_t)v[i]);
    else pb_put_int(&b, field, (uint64_t)v[i]);
  if (packed && n) pb_put_bytes(&b, field, list.s, list.n);
  sb_free(&list);
  if (n) add_records(e, msg, field, &b, n);
}

void msg_set_floats(Edit *e, void *msg, uint32_t field, const float *v,
                    size_t n)
{
  StrBuf b;
  sb_init(&b, e->a);
  bool packed = is_packed(msg, field);
  pb_clear(e->pb, msg, field);
  if (packed && n) pb_put_bytes(&b, field, v, n * sizeof *v);
  for (size_t i = 0; i < n && !packed; i++) {
    pb_put_varint(&b, (uint64_t)field << 3 | 5);
    sb_write(&b, &v[i], sizeof v[i]);
  }
  if (n) add_records(e, msg, field, &b, n);
}

void msg_add_bytes(Edit *e, void *msg, uint32_t field, const void *p,
                   size_t n)
{
  StrBuf b;
  sb_init(&b, e->a);
  pb_put_bytes(&b, field, p, n);
  add_records(e, msg, field, &b, 1);
}

void msg_set_bytes(Edit *e, void *msg, uint32_t field, const void *p,
                   size_t n)
{
  pb_clear(e->pb, msg, field);
  msg_add_bytes(e, msg, field, p, n);
}

void msg_set_place(Edit *e, void *msg, uint32_t field, Str bytes)
{
  PbRun run = {.field = field, .bare = true, .p = (const uint8_t *)bytes.p,
               .to = bytes.n, .count = 1};
  pb_clear(e->pb, msg, field);
  if (bytes.n) pb_add_run(e->pb, msg, &run);
  else msg_add_bytes(e, msg, field, "", 0);
}

const int64_t *msg_ints(Edit *e, const void *msg, uint32_t field, size_t *n)
{
  *n = (size_t)pb_count(e->pb, msg, field);
  int64_t *v = NEW(e->a, int64_t, *n);
  PbIter it = pb_iter(e->pb, msg, field);
  PbItem x;
  for (size_t i = 0; i < *n && pb_next(&it, &x); i++) v[i] = (int64_t)x.u;
  return v;
}

const char *msg_text(Edit *e, const void *msg, uint32_t field)
{
  Str s;
  return pb_last(e->pb, msg, field, &s) ? arena_strn(e->a, s.p, s.n) : "";
}

/* --- New messages --------------------------------------------------------- */

NodeProto *edit_node(Edit *e, const char *op, const char *domain)
{
  NodeProto *n = NEW(e->a, NodeProto, 1);
  onnx__node_proto__init(n);
  n->op_type = edit_str(e, op);
  if (domain && *domain) n->domain = edit_str(e, domain);
  return n;
}

void node_add_input(Edit *e, NodeProto *n, const char *name)
{
  LIST_ADD(e, n, input, edit_str(e, name));
}

void node_add_output(Edit *e, NodeProto *n, const char *name)
{
  LIST_ADD(e, n, output, edit_str(e, name));
}

static Onnx__TensorShapeProto *make_shape(Edit *e, int rank,
                                          const char *const *dim)
{
  Onnx__TensorShapeProto *s = NEW(e->a, Onnx__TensorShapeProto, 1);
  onnx__tensor_shape_proto__init(s);
  for (int k = 0; k < rank; k++) {
    Onnx__TensorShapeProto__Dimension *d =
      NEW(e->a, Onnx__TensorShapeProto__Dimension, 1);
    onnx__tensor_shape_proto__dimension__init(d);
    if (edit_int(dim[k], &d->dim_value)) {
      d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    } else if (*dim[k] && strcmp(dim[k], "?") != 0) {
      d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
      d->dim_param = edit_str(e, dim[k]);
    }
    LIST_ADD(e, s, dim, d);
  }
  return s;
}

ValueInfoProto *edit_info(Edit *e, const char *name, Dtype t, int rank,
                          const char *const *dim)
{
  ValueInfoProto *v = NEW(e->a, ValueInfoProto, 1);
  onnx__value_info_proto__init(v);
  v->name = edit_str(e, name);
  if (t == DT_NONE) return v;
  v->type = NEW(e->a, Onnx__TypeProto, 1);
  onnx__type_proto__init(v->type);
  v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  Onnx__TypeProto__Tensor *tensor = NEW(e->a, Onnx__TypeProto__Tensor, 1);
  onnx__type_proto__tensor__init(tensor);
  v->type->tensor_type = tensor;
  tensor->has_elem_type = true;
  tensor->elem_type = (int32_t)t;
  if (rank >= 0) tensor->shape = make_shape(e, rank, dim);
  return v;
}
