/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a conversion are made of: ports, attributes, constants and
 * types of one node, in protobuf-c's messages. Payloads of the file (lists,
 * strings) are read where they stand; new ones stand in the messages. */
#include "opset.h"
#include <string.h>

static Arena *arena_of(const Convert *c) { return c->e->a; }

void opset_refuse(Convert *c, const char *fmt, ...)
{
  va_list ap;
  if (c->failed) return; /* one reason a node */
  va_start(ap, fmt);
  const char *text = arena_vprintf(arena_of(c), fmt, ap);
  va_end(ap);
  edit_fail(c->e, EXIT_UNSUPPORTED, "%s can't be converted to version %d: %s%s",
            c->origin, c->to, text, c->where ? "; types are not known in "
            "functions: run the step inline-functions first" : "");
  c->failed = true;
  c->refused++;
}

/* --- Ports ---------------------------------------------------------------- */

const char *opset_in(const Convert *c, int k)
{
  return k < (int)c->n->n_input ? c->n->input[k] : "";
}

const char *opset_out(const Convert *c, int k)
{
  return k < (int)c->n->n_output ? c->n->output[k] : "";
}

static char *copy(Convert *c, const char *s)
{
  return arena_str(arena_of(c), s);
}

static void set_port(Convert *c, char ***list, size_t *n, int k,
                     const char *name)
{
  if ((size_t)k >= *n) {
    char **grown = NEW(arena_of(c), char *, k + 1);
    for (size_t i = 0; i <= (size_t)k; i++)
      grown[i] = i < *n ? (*list)[i] : copy(c, "");
    *list = grown;
    *n = (size_t)k + 1;
  }
  (*list)[k] = copy(c, name);
}

void opset_set_in(Convert *c, int k, const char *name)
{
  set_port(c, &c->n->input, &c->n->n_input, k, name);
}

void opset_set_out(Convert *c, int k, const char *name)
{
  set_port(c, &c->n->output, &c->n->n_output, k, name);
}

void opset_trim(Convert *c)
{
  NodeProto *n = c->n;
  while (n->n_input && !*n->input[n->n_input - 1]) n->n_input--;
}

const char *opset_name(Convert *c, const char *hint)
{
  const char *base = *opset_out(c, 0) ? opset_out(c, 0) : c->n->name;
  return edit_fresh(c->e, arena_printf(arena_of(c), "%s/%s", base ? base : "",
                                       hint));
}

/* --- Attributes ----------------------------------------------------------- */

static AttributeProto *find(Convert *c, const char *name)
{
  AttributeProto *a = node_attr(c->n, name);
  if (a && a->ref_attr_name && *a->ref_attr_name)
    opset_refuse(c, "attribute %s is a parameter of the function", name);
  return a;
}

bool opset_has(Convert *c, const char *name) { return find(c, name); }

int64_t opset_int(Convert *c, const char *name, int64_t none)
{
  const AttributeProto *a = find(c, name);
  return a && a->has_i ? a->i : none;
}

double opset_num(Convert *c, const char *name, double none)
{
  const AttributeProto *a = find(c, name);
  return a && a->has_f ? (double)a->f : none;
}

const char *opset_word(Convert *c, const char *name, const char *none)
{
  const AttributeProto *a = find(c, name);
  return a ? msg_text(c->e, a, FIELD_A_S) : none;
}

const int64_t *opset_list(Convert *c, const char *name, int *count)
{
  const AttributeProto *a = find(c, name);
  size_t n = 0;
  const int64_t *v = a ? msg_ints(c->e, a, FIELD_A_INTS, &n) : NULL;
  *count = (int)n;
  return v;
}

const float *opset_nums(Convert *c, const char *name, int *count)
{
  const AttributeProto *a = find(c, name);
  *count = 0;
  if (!a) return NULL;
  uint64_t n = pb_count(c->e->pb, a, FIELD_A_FLOATS);
  float *v = NEW(arena_of(c), float, n + 1);
  PbIter it = pb_iter(c->e->pb, a, FIELD_A_FLOATS);
  for (PbItem x; (uint64_t)*count < n && pb_next(&it, &x);) {
    uint32_t bits = (uint32_t)x.u;
    memcpy(&v[(*count)++], &bits, sizeof bits);
  }
  return v;
}

void opset_drop_attr(Convert *c, const char *name)
{
  if (find(c, name)) node_attr_drop(c->n, name);
}

void opset_put_int(Convert *c, const char *name, int64_t v)
{
  opset_drop_attr(c, name);
  node_attr_int(c->e, c->n, name, v);
}

void opset_put_num(Convert *c, const char *name, double v)
{
  opset_drop_attr(c, name);
  node_attr_float(c->e, c->n, name, (float)v);
}

void opset_put_word(Convert *c, const char *name, const char *v)
{
  opset_drop_attr(c, name);
  node_attr_str(c->e, c->n, name, v);
}

void opset_put_list(Convert *c, const char *name, const int64_t *v, int n)
{
  opset_drop_attr(c, name);
  node_attr_ints(c->e, c->n, name, v, (size_t)n);
}

void opset_put_nums(Convert *c, const char *name, const float *v, int n)
{
  opset_drop_attr(c, name);
  AttributeProto *a = node_attr_set(c->e, c->n, name,
    ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
  msg_set_floats(c->e, a, FIELD_A_FLOATS, v, (size_t)n);
}

/* --- Types ---------------------------------------------------------------- */

Dtype opset_dtype(const Convert *c, const char *name)
{
  const NameType *x = types_find(c->types, name);
  return x ? x->dtype : DT_NONE;
}

int opset_rank(const Convert *c, const char *name)
{
  const NameType *x = types_find(c->types, name);
  return x ? x->rank : -1;
}

int64_t opset_dim(const Convert *c, const char *name, int k)
{
  const NameType *x = types_find(c->types, name);
  return x && k >= 0 && k < x->rank ? x->dim[k] : -1;
}

void opset_say(Convert *c, const char *name, Dtype t, int rank)
{
  if (!c->types) return;
  NameType *x = NEW(&c->types->m->arena, NameType, 1);
  *x = (NameType){.dtype = t, .rank = rank};
  for (int k = 0; k < rank; k++) x->dim[k] = -1;
  *map_at(&c->types->names, name, strlen(name)) = x;
}

bool opset_same_shape(const Convert *c, const char *a, const char *b)
{
  const NameType *x = types_find(c->types, a), *y = types_find(c->types, b);
  if (!x || !y || x->rank < 0 || x->rank != y->rank) return false;
  if (x->v && y->v) return value_same_shape(x->v, y->v);
  for (int k = 0; k < x->rank; k++)
    if (x->dim[k] < 0 || x->dim[k] != y->dim[k]) return false;
  return true;
}

/* --- Nodes and constants -------------------------------------------------- */

void opset_add(Convert *c, NodeList *to, NodeProto *n)
{
  to->node = arena_grow(arena_of(c), to->node, to->n, sizeof *to->node);
  to->node[to->n++] = n;
}

NodeProto *opset_node_new(Convert *c, const char *op, int nin, int nout)
{
  NodeProto *n = edit_node(c->e, op, "");
  for (int i = 0; i < nin; i++) node_add_input(c->e, n, "");
  for (int i = 0; i < nout; i++) node_add_output(c->e, n, "");
  return n;
}

const int64_t *opset_ints(Convert *c, int k, int *count)
{
  return types_ints(c->types, opset_in(c, k), arena_of(c), count);
}

const Tensor *opset_const(Convert *c, int k)
{
  return types_const(c->types, opset_in(c, k));
}

/* ONNX Constant-1 makes floats only: before version 9 integers are
 * initializers, which IR version 3 wants among the inputs too. */
static void add_initializer(Convert *c, TensorProto *t, const Tensor *x)
{
  const char *dim[MAX_RANK];
  if (!c->g || c->body) {
    opset_refuse(c, "it needs a constant of integers in a body or function, "
                 "and Constant before version 9 makes floats only");
    return;
  }
  for (int k = 0; k < x->rank; k++)
    dim[k] = arena_printf(arena_of(c), "%lld", (long long)x->dim[k]);
  LIST_ADD(c->e, c->g, initializer, t);
  LIST_ADD(c->e, c->g, input, edit_info(c->e, t->name, x->dtype, x->rank, dim));
}

static const char *new_const(Convert *c, const char *hint, const Tensor *x)
{
  const char *name = opset_name(c, hint);
  bool real = x->dtype == DT_F32 || x->dtype == DT_F64 || x->dtype == DT_F16;
  size_t size = (size_t)(x->n * dtype_info(x->dtype)->size);
  types_add_const(c->types, name, x);
  TensorProto *t = tensor_make(c->e, c->to < 9 && !real ? name : "", x->dtype,
                               x->rank, x->dim, x->data, size);
  if (c->to < 9 && !real) {
    add_initializer(c, t, x);
    return name;
  }
  NodeProto *n = opset_node_new(c, "Constant", 0, 1);
  n->output[0] = copy(c, name);
  node_attr_tensor(c->e, n, "value", t);
  opset_add(c, &c->before, n);
  return name;
}

const char *opset_new_ints(Convert *c, const int64_t *v, int n)
{
  int64_t count = n;
  Tensor *t = tensor_new(arena_of(c), DT_I64, 1, &count);
  for (int i = 0; i < n; i++) tensor_set_i64(t, i, v[i]);
  return new_const(c, "ints", t);
}

const char *opset_new_int(Convert *c, int64_t v)
{
  Tensor *t = tensor_new(arena_of(c), DT_I64, 0, NULL);
  tensor_set_i64(t, 0, v);
  return new_const(c, "int", t);
}

const char *opset_new_num(Convert *c, Dtype type, double v)
{
  Tensor *t = tensor_new(arena_of(c), type, 0, NULL);
  tensor_set_f64(t, 0, v);
  return new_const(c, "number", t);
}

const char *opset_new_nums(Convert *c, const float *v, int n)
{
  int64_t count = n;
  Tensor *t = tensor_new(arena_of(c), DT_F32, 1, &count);
  for (int i = 0; i < n; i++) tensor_set_f64(t, i, (double)v[i]);
  return new_const(c, "numbers", t);
}
