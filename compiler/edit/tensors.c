/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and tensors of messages: making, finding, reading. */
#include "edit.h"
#include <string.h>

AttributeProto *node_attr(const NodeProto *n, const char *name)
{
  for (size_t i = 0; i < n->n_attribute; i++)
    if (n->attribute[i]->name && !strcmp(n->attribute[i]->name, name))
      return n->attribute[i];
  return NULL;
}

AttributeProto *node_attr_set(Edit *e, NodeProto *n, const char *name,
                              Onnx__AttributeProto__AttributeType t)
{
  AttributeProto *a = NEW(e->a, AttributeProto, 1);
  onnx__attribute_proto__init(a);
  a->name = edit_str(e, name);
  a->has_type = true;
  a->type = t;
  for (size_t i = 0; i < n->n_attribute; i++)
    if (n->attribute[i]->name && !strcmp(n->attribute[i]->name, name))
      return n->attribute[i] = a;
  LIST_ADD(e, n, attribute, a);
  return a;
}

void node_attr_drop(NodeProto *n, const char *name)
{
  for (size_t i = n->n_attribute; i-- > 0;)
    if (n->attribute[i]->name && !strcmp(n->attribute[i]->name, name))
      LIST_DROP(n, attribute, i);
}

void node_attr_int(Edit *e, NodeProto *n, const char *name, int64_t v)
{
  AttributeProto *a =
    node_attr_set(e, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
  a->has_i = true;
  a->i = v;
}

void node_attr_float(Edit *e, NodeProto *n, const char *name, float v)
{
  AttributeProto *a =
    node_attr_set(e, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
  a->has_f = true;
  a->f = v;
}

void node_attr_str(Edit *e, NodeProto *n, const char *name, const char *v)
{
  AttributeProto *a =
    node_attr_set(e, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
  msg_set_bytes(e, a, FIELD_A_S, v, strlen(v));
}

void node_attr_ints(Edit *e, NodeProto *n, const char *name, const int64_t *v,
                    size_t count)
{
  AttributeProto *a =
    node_attr_set(e, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
  msg_set_ints(e, a, FIELD_A_INTS, v, count);
}

void node_attr_tensor(Edit *e, NodeProto *n, const char *name, TensorProto *t)
{
  node_attr_set(e, n, name,
                ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = t;
}

int64_t node_attr_get_int(const NodeProto *n, const char *name, int64_t dflt)
{
  const AttributeProto *a = node_attr(n, name);
  return a && a->has_i ? a->i : dflt;
}

/* --- Tensors -------------------------------------------------------------- */

TensorProto *tensor_make(Edit *e, const char *name, Dtype t, int rank,
                         const int64_t *dim, const void *data, size_t size)
{
  TensorProto *tp = NEW(e->a, TensorProto, 1);
  onnx__tensor_proto__init(tp);
  if (name) tp->name = edit_str(e, name);
  tp->has_data_type = true;
  tp->data_type = (int32_t)t;
  msg_set_ints(e, tp, FIELD_T_DIMS, dim, (size_t)rank);
  msg_set_place(e, tp, FIELD_T_RAW, (Str){arena_strn(e->a, data, size), size});
  return tp;
}

/* As the file has them: types of 2, 4 and 6 bits without gaps. */
static Str packed(Edit *e, const Tensor *t)
{
  int bits = dtype_info(t->dtype)->bits;
  size_t size = ((size_t)t->n * (size_t)bits + 7) / 8;
  if (bits >= 8) return (Str){t->data, size};
  uint8_t *p = arena_alloc(e->a, size);
  const uint8_t *x = t->data;
  for (int64_t i = 0; i < t->n; i++) {
    unsigned v = x[i] & ((1u << bits) - 1);
    int64_t at = i * bits;
    p[at / 8] = (uint8_t)(p[at / 8] | v << at % 8);
    if (at % 8 + bits > 8)
      p[at / 8 + 1] = (uint8_t)(p[at / 8 + 1] | v >> (8 - at % 8));
  }
  return (Str){(const char *)p, size};
}

TensorProto *tensor_write(Edit *e, const char *name, const Tensor *t)
{
  if (t->dtype != DT_STR) {
    Str s = packed(e, t);
    return tensor_make(e, name, t->dtype, t->rank, t->dim, s.p, s.n);
  }
  TensorProto *tp = tensor_make(e, name, t->dtype, t->rank, t->dim, "", 0);
  pb_clear(e->pb, tp, FIELD_T_RAW);
  const Str *s = t->data;
  for (int64_t i = 0; i < t->n; i++)
    msg_add_bytes(e, tp, FIELD_T_STRING, s[i].p, s[i].n);
  return tp;
}

const Tensor *tensor_read(Edit *e, const TensorProto *t)
{
  Place at = {e->im, NULL, arena_printf(e->a, "%s%stensor %s",
                                        e->step ? e->step : "",
                                        e->step ? ": " : "", Q(e, t->name))};
  return import_tensor(&at, e->pb, t);
}

bool tensor_raw(Edit *e, const TensorProto *t, Str *raw)
{
  Place at = {e->im, NULL, arena_printf(e->a, "tensor %s", Q(e, t->name))};
  if (t->has_data_location &&
      t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    return import_external(&at, t, raw);
  if (pb_last(e->pb, t, FIELD_T_RAW, raw)) return true;
  const Tensor *x = tensor_read(e, t);
  if (!x) return false;
  if (x->dtype == DT_STR)
    return edit_fail(e, EXIT_UNSUPPORTED, "tensor %s holds strings, which have "
                     "no raw form", Q(e, t->name));
  *raw = packed(e, x);
  return true;
}

void body_add_initializer(Edit *e, const Body *b, TensorProto *t)
{
  const char *dim[MAX_RANK] = {NULL};
  LIST_ADD(e, b->g, initializer, t);
  if (e->mp->ir_version >= 4 || b->g != e->mp->graph) return;
  /* ONNX IR-3: an initializer is an input, too. */
  for (size_t i = 0; i < b->g->n_input; i++)
    if (!strcmp(b->g->input[i]->name, t->name)) return;
  size_t rank;
  const int64_t *d = msg_ints(e, t, FIELD_T_DIMS, &rank);
  for (size_t k = 0; k < rank && k < MAX_RANK; k++)
    dim[k] = arena_printf(e->a, "%lld", (long long)d[k]);
  LIST_ADD(e, b->g, input, edit_info(e, t->name, (Dtype)t->data_type,
                                     (int)rank, dim));
}

static const Tensor *constant_node(Edit *e, const NodeProto *n)
{
  if (!n->op_type || strcmp(n->op_type, "Constant") != 0 ||
      *domain_name(n->domain))
    return NULL;
  const AttributeProto *a = node_attr(n, "value");
  if (a && a->t) return tensor_read(e, a->t);
  if ((a = node_attr(n, "value_int"))) {
    Tensor *t = tensor_new(e->a, DT_I64, 0, NULL);
    tensor_set_i64(t, 0, a->i);
    return t;
  }
  if ((a = node_attr(n, "value_float"))) {
    Tensor *t = tensor_new(e->a, DT_F32, 0, NULL);
    tensor_set_f64(t, 0, (double)a->f);
    return t;
  }
  if (!(a = node_attr(n, "value_ints"))) return NULL;
  size_t count;
  const int64_t *v = msg_ints(e, a, FIELD_A_INTS, &count);
  Tensor *t = tensor_new(e->a, DT_I64, 1, &(int64_t){(int64_t)count});
  for (size_t i = 0; i < count; i++) tensor_set_i64(t, (int64_t)i, v[i]);
  return t;
}

const Tensor *body_constant(Edit *e, const Body *b, const char *name)
{
  for (; b && *name; b = b->outer) {
    const Named *t = index_get(body_index(e, b), name);
    if (!t || (!t->maker && !t->is_input && !t->init)) continue;
    if (t->init) return tensor_read(e, t->init);
    return t->maker ? constant_node(e, t->maker) : NULL;
  }
  return NULL;
}

int64_t edit_opset(const Edit *e, const Body *b, const char *domain)
{
  const Body *top = b;
  while (top && top->outer) top = top->outer;
  bool f = top && top->f;
  size_t n = f ? top->f->n_opset_import : e->mp->n_opset_import;
  Onnx__OperatorSetIdProto **o =
    f ? top->f->opset_import : e->mp->opset_import;
  for (size_t i = 0; i < n; i++)
    if (!strcmp(domain_name(o[i]->domain), domain_name(domain)))
      return o[i]->version;
  return 0;
}
