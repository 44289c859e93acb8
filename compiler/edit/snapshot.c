/* SPDX-License-Identifier: Apache-2.0 */
/* Things of a model (nodes, initializers, inputs, outputs, opsets, metadata)
 * by kind and key, each with a hash of what a file would hold of it and a text
 * for people. Two such lists are compared. */
#include "snapshot.h"
#include <string.h>

typedef struct {
  const char *kind, *name, *text;
  uint64_t hash;
} Thing;
struct Snapshot { Map things; };

static void add_thing(Edit *e, Snapshot *s, const char *where, Thing t)
{
  const char *key = arena_printf(e->a, "%s\1%s\1%s", t.kind, where, t.name);
  void **slot = map_at(&s->things, key, strlen(key));
  for (int k = 2; *slot; k++) { /* of several without a name */
    key = arena_printf(e->a, "%s\1%s\1%s\1%d", t.kind, where, t.name, k);
    slot = map_at(&s->things, key, strlen(key));
  }
  *slot = NEW(e->a, Thing, 1);
  *(Thing *)*slot = t;
}

static const char *names_text(Edit *e, char **name, size_t n)
{
  const char *s = "";
  for (size_t i = 0; i < n && i < 8; i++)
    s = arena_printf(e->a, "%s%s%s", s, i ? ", " : "", name[i]);
  return n > 8 ? arena_printf(e->a, "%s, .. (%zu)", s, n) : s;
}

static void add_nodes(Edit *e, Snapshot *s, const Body *b, const char *where)
{
  for (size_t i = 0; i < body_count(b); i++) {
    NodeProto *n = body_node(b, i);
    const char *name = n->name && *n->name ? n->name
                       : n->n_output ? n->output[0] : "";
    const char *text = arena_printf(e->a, "%s (%s) -> (%s)",
      n->op_type ? n->op_type : "", names_text(e, n->input, n->n_input),
      names_text(e, n->output, n->n_output));
    add_thing(e, s, where, (Thing){"node", name, text, msg_hash(e, n)});
  }
}

static const char *type_of(Edit *e, const ValueInfoProto *v)
{
  Place at = {e->im, NULL, "a value"};
  const Type *t = v->type ? import_type(&at, v->type) : NULL;
  if (!t) return "";
  const char *text = type_text(e->a, t);
  const Onnx__TypeProto__Tensor *tensor =
    v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
      ? v->type->tensor_type : NULL;
  if (!tensor || !tensor->shape) return text;
  const char *dims = "";
  for (size_t k = 0; k < tensor->shape->n_dim; k++) {
    const Onnx__TensorShapeProto__Dimension *d = tensor->shape->dim[k];
    const char *one = "?";
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
      one = arena_printf(e->a, "%lld", (long long)d->dim_value);
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
      one = d->dim_param;
    dims = arena_printf(e->a, "%s%s%s", dims, k ? "," : "", one);
  }
  return arena_printf(e->a, "%s [%s]", text, dims);
}

static void add_infos(Edit *e, Snapshot *s, const char *kind, const char *where,
                      ValueInfoProto **v, size_t n)
{
  for (size_t i = 0; i < n; i++)
    add_thing(e, s, where, (Thing){kind, v[i]->name ? v[i]->name : "",
                                   type_of(e, v[i]), msg_hash(e, v[i])});
}

static const char *tensor_text(Edit *e, const TensorProto *t)
{
  size_t n;
  const int64_t *dim = msg_ints(e, t, FIELD_T_DIMS, &n);
  const char *s = dtype_info((Dtype)t->data_type)->onnx;
  if (n > MAX_RANK) return arena_printf(e->a, "%s of rank %zu", s, n);
  for (size_t k = 0; k < n; k++)
    s = arena_printf(e->a, "%s%s%lld", s, k ? "," : " [", (long long)dim[k]);
  return n ? arena_printf(e->a, "%s]", s) : s;
}

static void add_body(Edit *e, Snapshot *s, const Body *b)
{
  const char *where = b->g == e->mp->graph ? "" : body_text(e, b);
  add_nodes(e, s, b, where);
  if (!b->g) return;
  GraphProto *g = b->g;
  add_infos(e, s, "input", where, g->input, g->n_input);
  add_infos(e, s, "output", where, g->output, g->n_output);
  add_infos(e, s, "value_info", where, g->value_info, g->n_value_info);
  for (size_t i = 0; i < g->n_initializer; i++) {
    TensorProto *t = g->initializer[i];
    add_thing(e, s, where, (Thing){"initializer", t->name ? t->name : "",
                                   tensor_text(e, t), msg_hash(e, t)});
  }
}

static void add_model(Edit *e, Snapshot *s)
{
  ModelProto *mp = e->mp;
  for (size_t i = 0; i < mp->n_opset_import; i++) {
    const char *domain = domain_name(mp->opset_import[i]->domain);
    add_thing(e, s, "", (Thing){"opset", *domain ? domain : "ai.onnx",
      arena_printf(e->a, "%lld", (long long)mp->opset_import[i]->version),
      msg_hash(e, mp->opset_import[i])});
  }
  for (size_t i = 0; i < mp->n_metadata_props; i++) {
    Onnx__StringStringEntryProto *p = mp->metadata_props[i];
    add_thing(e, s, "", (Thing){"metadata", p->key ? p->key : "",
                                p->value ? p->value : "", msg_hash(e, p)});
  }
  for (size_t i = 0; i < mp->n_functions; i++)
    add_thing(e, s, "", (Thing){"function", mp->functions[i]->name
      ? mp->functions[i]->name : "", "", 0});
}

Snapshot *snapshot_make(Edit *e)
{
  Snapshot *s = NEW(e->a, Snapshot, 1);
  int n;
  Body *all = edit_bodies(e, &n);
  map_init(&s->things, e->a);
  add_model(e, s);
  for (int i = 0; i < n; i++) add_body(e, s, &all[i]);
  return s;
}

typedef struct { int added, removed, changed; } Counts;

static void print_thing(Edit *e, char sign, const Thing *t, const Thing *was)
{
  const char *q = Q(e, t->name);
  printf("%c %s %s: ", sign, t->kind, q);
  if (was && strcmp(was->text, t->text) != 0) printf("%s => ", was->text);
  printf("%s\n", t->text);
}

void snapshot_print(Edit *e, const Snapshot *before)
{
  const Snapshot *after = snapshot_make(e);
  Counts c = {0};
  for (int i = 0; i < before->things.n; i++) {
    const struct MapSlot *x = &before->things.slot[i];
    const Thing *is = map_get(&after->things, x->key, x->len);
    const Thing *was = x->value;
    if (!is) {
      print_thing(e, '-', was, NULL);
      c.removed++;
    } else if (is->hash != was->hash) {
      print_thing(e, '~', is, was);
      c.changed++;
    }
  }
  for (int i = 0; i < after->things.n; i++) {
    const struct MapSlot *x = &after->things.slot[i];
    if (map_get(&before->things, x->key, x->len)) continue;
    print_thing(e, '+', x->value, NULL);
    c.added++;
  }
  printf("%d added, %d removed, %d changed\n", c.added, c.removed, c.changed);
}
