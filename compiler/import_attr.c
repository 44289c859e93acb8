/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes, types and dimensions of the file.
 *
 * Graph inputs get type and shape from here; all else only has what the file
 * declares noted, as a claim: inference computes the truth. A dimension that
 * a main input names is a symbol of the model. One without a name gets one,
 * <input>_d<k>. Names that stand only elsewhere ("s0 + 1" of PyTorch) are
 * consequences of those, and stay open. */
#include "import.h"
#include <string.h>

#define TYPE(t) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##t
#define MAX_NUMEL (INT64_MAX / 64) /* bits of any tensor fit in 64 bits */

typedef Onnx__AttributeProto AttrProto;
typedef Onnx__TensorShapeProto__Dimension DimProto;

void place_fail(const Place *at, ExitCode c, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  const char *text = arena_vprintf(&at->im->tmp, fmt, ap);
  va_end(ap);
  if (at->n) diag(at->n, SEV_ERROR, c, "%s %s", at->what, text);
  else diag_model(at->im->m, SEV_ERROR, c, "%s %s", at->what, text);
}

/* --- Types ---------------------------------------------------------------- */

/* The name of a dimension, or NULL: exporters write none in several ways. */
static const char *dim_name(const DimProto *d)
{
  static const char *const none[] = {"", "?", "-1"};
  if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM ||
      !d->dim_param)
    return NULL;
  for (int i = 0; i < COUNT(none); i++)
    if (!strcmp(d->dim_param, none[i])) return NULL;
  return d->dim_param;
}

static const Dim *import_dim(const Place *at, const DimProto *d, size_t k)
{
  Import *im = at->im;
  const char *name = dim_name(d);
  if (name && map_get(&im->symbols, name, strlen(name)))
    return dim_named(&im->m->dims, arena_str(&im->m->arena, name));
  if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
    return NULL;
  if (d->dim_value >= 0) return dim_int(&im->m->dims, d->dim_value);
  if (d->dim_value < -1)
    place_fail(at, EXIT_MODEL, "has dimension %zu of %lld; it can't be "
               "negative (write a name for one that is not known)", k,
               (long long)d->dim_value);
  return NULL;
}

/* The product of the dims that are numbers must be a sane one. */
static void check_numel(const Place *at, const Type *t)
{
  int64_t n = 1, v;
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] && dim_is_int(t->dim[k], &v) && !v) return;
  for (int k = 0; k < t->rank; k++) {
    if (!t->dim[k] || !dim_is_int(t->dim[k], &v)) continue;
    if (n > MAX_NUMEL / v) {
      place_fail(at, EXIT_MODEL, "has more elements than 64 bits count; check "
                 "its dimensions");
      return;
    }
    n *= v;
  }
}

static void import_shape(const Place *at, Type *t,
                         const Onnx__TensorShapeProto *sp)
{
  t->rank = -1;
  if (!sp) return;
  if (sp->n_dim > MAX_RANK) {
    place_fail(at, EXIT_UNSUPPORTED, "has %zu dimensions; %d is the most",
               sp->n_dim, MAX_RANK);
    return;
  }
  t->rank = (int)sp->n_dim;
  t->dim = NEW(&at->im->m->arena, const Dim *, sp->n_dim);
  for (size_t k = 0; k < sp->n_dim; k++)
    t->dim[k] = import_dim(at, sp->dim[k], k);
  check_numel(at, t);
}

const Type *import_type(const Place *at, const Onnx__TypeProto *tp)
{
  if (!tp) return NULL;
  Type *t = NEW(&at->im->m->arena, Type, 1);
  t->rank = -1;
  switch (tp->value_case) {
  case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
    t->dtype = import_dtype(at, tp->tensor_type->elem_type);
    import_shape(at, t, tp->tensor_type->shape);
    return t;
  case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
    t->kind = VK_SPARSE;
    t->dtype = import_dtype(at, tp->sparse_tensor_type->elem_type);
    import_shape(at, t, tp->sparse_tensor_type->shape);
    return t;
  case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
    t->kind = VK_SEQ;
    t->elem = import_type(at, tp->sequence_type->elem_type);
    return t;
  case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
    t->kind = VK_OPTIONAL;
    t->elem = import_type(at, tp->optional_type->elem_type);
    return t;
  case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
    t->kind = VK_MAP;
    t->dtype = import_dtype(at, tp->map_type->key_type);
    t->elem = import_type(at, tp->map_type->value_type);
    return t;
  case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
    place_fail(at, EXIT_UNSUPPORTED, "is of an opaque type; only tensors, "
               "sequences, maps and optionals are supported");
    return NULL;
  default:
    return NULL;
  }
}

/* Symbols are the names in shapes of tensors that the caller gives: all of
 * them are known before the first shape is read. */
static const Onnx__TensorShapeProto *input_shape(const Onnx__TypeProto *tp)
{
  while (tp && tp->value_case == ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE)
    tp = tp->optional_type->elem_type;
  if (!tp || tp->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return NULL;
  return tp->tensor_type->shape;
}

void import_symbols(Import *im, const Onnx__GraphProto *gp)
{
  for (size_t i = 0; i < gp->n_input; i++) {
    const Onnx__TensorShapeProto *sp = input_shape(gp->input[i]->type);
    for (size_t k = 0; sp && k < sp->n_dim; k++) {
      const char *name = dim_name(sp->dim[k]);
      if (name) *map_at(&im->symbols, name, strlen(name)) = im;
    }
  }
}

static Place value_place(Import *im, const char *kind, const Value *v)
{
  return (Place){im, NULL, arena_printf(&im->tmp, "%s %s", kind,
                                        quote(&im->tmp, v->name))};
}

static void declare(const Place *at, Value *v, const Onnx__ValueInfoProto *vi)
{
  const Type *t = import_type(at, vi->type);
  if (!t) return;
  v->declared = t;
  v->kind = t->kind;
}

void import_declared(Import *im, Value *v, const Onnx__ValueInfoProto *vi)
{
  Place at = value_place(im, "value", v);
  declare(&at, v, vi);
}

/* A made name: <input>_d<k>, with as many u as make it new. */
static const Dim *unnamed_dim(Import *im, const Value *v, int k)
{
  const char *name = arena_printf(&im->m->arena, "%s_d%d", v->name, k);
  while (map_get(&im->symbols, name, strlen(name)))
    name = arena_printf(&im->m->arena, "%su", name);
  *map_at(&im->symbols, name, strlen(name)) = im;
  return dim_unnamed(&im->m->dims, name);
}

void import_input(Import *im, Value *v, const Onnx__ValueInfoProto *vi)
{
  Place at = value_place(im, "graph input", v);
  int errors = im->m->nerror;
  declare(&at, v, vi);
  const Type *t = v->declared;
  for (; t && t->kind == VK_OPTIONAL; t = t->elem) {}
  if (im->m->nerror != errors) v->bad = true;
  else if (!t)
    place_fail(&at, EXIT_MODEL, "has no type; write one to the model, as ONNX "
               "demands");
  if (!t || t->kind == VK_SEQ || t->kind == VK_MAP || v->bad) return;
  v->dtype = t->dtype;
  if (!t->dtype)
    place_fail(&at, EXIT_MODEL, "has no element type; write one to the model");
  if (t->rank < 0) {
    place_fail(&at, EXIT_MODEL, "has no shape; write one to the model, with "
               "names for dimensions that are not known");
    v->bad = true;
    return;
  }
  for (int k = 0; k < t->rank; k++)
    if (!t->dim[k]) t->dim[k] = unnamed_dim(im, v, k);
  value_set_shape(v, t->rank, t->dim);
}

/* --- Attributes ----------------------------------------------------------- */

static const int64_t *read_ints(Import *im, const AttrProto *ap, int *n)
{
  int64_t *v = NEW(&im->m->arena, int64_t, pb_count(&im->pb, ap, 8));
  PbIter it = pb_iter(&im->pb, ap, 8);
  PbItem x;
  while (pb_next(&it, &x)) v[(*n)++] = (int64_t)x.u;
  return v;
}

static const float *read_floats(Import *im, const AttrProto *ap, int *n)
{
  float *v = NEW(&im->m->arena, float, pb_count(&im->pb, ap, 7));
  PbIter it = pb_iter(&im->pb, ap, 7);
  PbItem x;
  while (pb_next(&it, &x)) {
    uint32_t bits = (uint32_t)x.u;
    memcpy(&v[(*n)++], &bits, sizeof bits);
  }
  return v;
}

/* Texts of attributes are NUL-terminated copies: attr_str gives them out. */
static Str read_str(Import *im, Str s)
{
  return (Str){arena_strn(&im->m->arena, s.p, s.n), s.n};
}

static const Str *read_strs(Import *im, const AttrProto *ap, int *n)
{
  Str *v = NEW(&im->m->arena, Str, pb_count(&im->pb, ap, 9));
  PbIter it = pb_iter(&im->pb, ap, 9);
  PbItem x;
  while (pb_next(&it, &x)) v[(*n)++] = read_str(im, x.s);
  return v;
}

/* ONNX IR-1 wrote no types of attributes: what is there tells. */
static int attr_type(Import *im, const AttrProto *ap)
{
  Str s;
  if (ap->has_type && ap->type) return (int)ap->type;
  if (ap->has_f) return TYPE(FLOAT);
  if (ap->has_i) return TYPE(INT);
  if (ap->t) return TYPE(TENSOR);
  if (ap->g) return TYPE(GRAPH);
  if (ap->sparse_tensor) return TYPE(SPARSE_TENSOR);
  if (ap->tp) return TYPE(TYPE_PROTO);
  if (pb_count(&im->pb, ap, 7)) return TYPE(FLOATS);
  if (pb_count(&im->pb, ap, 8)) return TYPE(INTS);
  if (pb_count(&im->pb, ap, 9)) return TYPE(STRINGS);
  return pb_last(&im->pb, ap, 4, &s) ? TYPE(STRING) : TYPE(UNDEFINED);
}

static bool read_message(const Place *at, Scope *sc, const AttrProto *ap,
                         Attr *x)
{
  Import *im = at->im;
  int errors = im->m->nerror;
  switch (x->type) {
  case AT_TENSOR:
    if (ap->t) x->t = import_tensor(at, &im->pb, ap->t);
    else if (ap->sparse_tensor)
      x->t = import_sparse(at, &im->pb, ap->sparse_tensor);
    break;
  case AT_GRAPH:
    if (ap->g) x->g = import_graph(im, ap->g, sc);
    break;
  default:
    x->type_proto = import_type(at, ap->tp);
  }
  if (x->t || x->g || x->type_proto) return true;
  if (im->m->nerror == errors)
    place_fail(at, EXIT_MODEL, "has no value; remove it or give it one");
  return false;
}

static bool read_value(const Place *at, Scope *sc, const AttrProto *ap, Attr *x)
{
  Import *im = at->im;
  Str s = {"", 0};
  switch (attr_type(im, ap)) {
  case TYPE(FLOAT):
    x->type = AT_FLOAT;
    x->f = ap->f;
    break;
  case TYPE(INT):
    x->type = AT_INT;
    x->i = ap->i;
    break;
  case TYPE(STRING):
    x->type = AT_STR;
    pb_last(&im->pb, ap, 4, &s);
    x->s = read_str(im, s);
    break;
  case TYPE(FLOATS):
    x->type = AT_FLOATS;
    x->floats = read_floats(im, ap, &x->n);
    break;
  case TYPE(INTS):
    x->type = AT_INTS;
    x->ints = read_ints(im, ap, &x->n);
    break;
  case TYPE(STRINGS):
    x->type = AT_STRS;
    x->strs = read_strs(im, ap, &x->n);
    break;
  case TYPE(TENSOR): case TYPE(SPARSE_TENSOR):
    x->type = AT_TENSOR;
    return read_message(at, sc, ap, x);
  case TYPE(GRAPH):
    x->type = AT_GRAPH;
    return read_message(at, sc, ap, x);
  case TYPE(TYPE_PROTO):
    x->type = AT_TYPE;
    return read_message(at, sc, ap, x);
  case TYPE(TENSORS): case TYPE(GRAPHS): case TYPE(SPARSE_TENSORS):
  case TYPE(TYPE_PROTOS):
    x->type = AT_OTHER; /* no operator of ONNX has one */
    break;
  default:
    place_fail(at, EXIT_MODEL, "has neither type nor value; remove it");
    return false;
  }
  return true;
}

/* ONNX: inside a function an attribute may stand for one of the call's; where
 * that is neither given nor has a default, it is absent. */
static const AttrProto *resolve(const Place *at, Scope **sc,
                                const AttrProto *ap)
{
  while (ap && ap->ref_attr_name && *ap->ref_attr_name) {
    const char *ref = ap->ref_attr_name;
    const ActualAttr *x = !(*sc)->actual ? NULL
      : map_get((*sc)->actual, ref, strlen(ref));
    if (!(*sc)->actual)
      place_fail(at, EXIT_MODEL, "refers to attribute %s of a function, but "
                 "stands in none", quote(&at->im->tmp, ref));
    ap = x ? x->p : NULL;
    if (x) *sc = x->scope;
  }
  return ap;
}

void import_attrs(Import *im, Scope *sc, Node *n, const Onnx__NodeProto *np)
{
  Arena *a = &im->m->arena;
  n->attr = NEW(a, Attr, np->n_attribute);
  for (size_t i = 0; i < np->n_attribute; i++) {
    const AttrProto *ap = np->attribute[i];
    const char *name = ap->name ? ap->name : "";
    Place at = {im, n, arena_printf(&im->tmp, "attribute %s",
                                    quote(&im->tmp, name))};
    if (!*name) place_fail(&at, EXIT_MODEL, "%zu has no name; name it", i);
    if (attr_get(n, name)) {
      place_fail(&at, EXIT_MODEL, "stands there twice; keep one");
      continue;
    }
    Scope *from = sc;
    ap = resolve(&at, &from, ap);
    Attr x = {.name = arena_str(a, name)};
    if (ap && read_value(&at, from, ap, &x)) n->attr[n->nattr++] = x;
  }
}
