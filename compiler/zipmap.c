/* SPDX-License-Identifier: Apache-2.0 */
/* ZipMap, and the maps that it makes.
 *
 * Their keys are constants of the model, so a sequence of such maps is nothing
 * but its input, a row of values for each map (List.zip). An output of the
 * graph is that tensor itself: Graph.zip keeps the keys and the type, from
 * which the header and the type-erased calls make maps again.
 */
#include "control.h"
#include <string.h>

bool zip_is(const Value *v)
{
  return v && v->list && v->list->zip;
}

const Zip *graph_zip(const Graph *g, int out)
{
  for (int i = 0; i < g->nzip; i++)
    if (g->zip[i].out == out) return &g->zip[i];
  return NULL;
}

bool zip_refused(Node *n, const Value *v)
{
  if (v->kind == VK_MAP && !zip_is(v)) {
    fail_unsupported(n, "a map of the interface can be passed on, or given to "
                     "DictVectorizer or CastMap, no more");
    return true;
  }
  if (!zip_is(v)) return false;
  fail_unsupported(n, "maps that ZipMap made can be outputs of the model, be "
                   "counted, taken from their sequence and chosen by If; let "
                   "other nodes work on ZipMap's input");
  return true;
}

static bool is_zipmap(const Node *n)
{
  return !strcmp(n->op_type, "ZipMap") && !strcmp(n->domain, "ai.onnx.ml");
}

bool zip_takes(const Node *n)
{
  if (is_zipmap(n)) return true;
  if (node_is(n, "Identity")) return false;
  bool holds = node_is(n, "SequenceConstruct") || node_is(n, "Optional");
  for (int i = 0; i < n->nin; i++)
    if (zip_is(n->in[i]) || (holds && n->in[i] && n->in[i]->kind == VK_MAP))
      return true;
  return false;
}

static void give(Node *n, ValueKind kind, Value *rows, const Tensor *keys)
{
  Value *y = node_out(n, 0);
  if (!y) return;
  List *l = NEW(&n->g->m->arena, List, 1);
  l->n = -1;
  l->zip = rows;
  l->keys = keys;
  y->list = l;
  y->kind = kind;
  y->inferred = true;
}

/* The keys of a ZipMap; NULL after a diagnostic. */
static Tensor *keys_of(Node *n)
{
  const Attr *text = attr_get(n, "classlabels_strings");
  const Attr *number = attr_get(n, "classlabels_int64s");
  const Attr *a = text && text->n ? text : number;
  if (!a || !a->n || (text && text->n && number && number->n)) {
    fail_model(n, "it has %s classlabels_strings and classlabels_int64s "
               "(spec: one of them)", a && a->n ? "both" : "neither of");
    return NULL;
  }
  int64_t count = a->n;
  Tensor *t = tensor_new(&n->g->m->arena, a == text ? DT_STR : DT_I64, 1,
                         &count);
  if (a == text) t->data = a->strs;
  else t->data = a->ints;
  return t;
}

/* Where a key stands several times, its last column counts. */
static const Tensor *distinct(Node *n, const Tensor *keys, Value **x)
{
  Arena *a = &n->g->m->arena;
  int64_t count = 0, dim = keys->n;
  Tensor *at = tensor_new(a, DT_I64, 1, &dim);
  for (int64_t i = 0; i < keys->n; i++) tensor_set_i64(at, i, i);
  const Tensor *pair[2] = {keys, at};
  const Tensor map = {.kind = VK_MAP, .n = 2, .item = pair};
  bool twice;
  const Tensor *sorted = map_sorted(a, &map, &twice);
  if (!twice) return keys;
  const Tensor *key = sorted->item[0], *from = sorted->item[1];
  const Str *text = key->data;
  int64_t *pick = NEW(a, int64_t, keys->n);
  Str *s = NEW(a, Str, keys->n);
  for (int64_t i = 0; i < keys->n; i++) {
    bool same = !i ? false : key->dtype == DT_STR
      ? text[i].n == s[count - 1].n &&
        !memcmp(text[i].p, s[count - 1].p, text[i].n)
      : tensor_i64(key, i) == tensor_i64(keys, pick[count - 1]);
    int64_t column = tensor_i64(from, i);
    if (!same) pick[count++] = column;
    else if (column > pick[count - 1]) pick[count - 1] = column;
    if (key->dtype == DT_STR) s[count - 1] = text[i];
  }
  Tensor *y = tensor_new(a, key->dtype, 1, &count);
  for (int64_t i = 0; i < count && key->dtype != DT_STR; i++)
    tensor_set_i64(y, i, tensor_i64(keys, pick[i]));
  if (key->dtype == DT_STR) y->data = s;
  *x = control_op2(n, "Gather", *x,
                   value_const_ints(n->g, "columns", pick, (int)count));
  attr_set_int((*x)->def, "axis", 1);
  return y;
}

static bool do_zipmap(Node *n)
{
  Value *x = node_in(n, 0);
  int64_t zero = 0;
  if (!schema_types(n)) return false;
  if (!x || x->kind != VK_TENSOR || x->rank < 1 || x->rank > 2) {
    fail_model(n, "the input has rank %d (spec: [N, C] or [C])",
               x ? x->rank : -1);
    return false;
  }
  const Tensor *keys = keys_of(n);
  if (!keys || !infer_equal(n, x->dim[x->rank - 1],
                            dim_int(node_dims(n), keys->n),
                            "columns of the input, keys")) return false;
  if (x->rank == 1)
    x = control_op2(n, "Unsqueeze", x,
                    value_const_ints(n->g, "axis", &zero, 1));
  keys = distinct(n, keys, &x);
  give(n, VK_SEQ, x, keys);
  return true;
}

/* A position as int64 []. */
static Value *position(Node *n)
{
  Value *at = control_op(n, "Cast", 1, n->in + 1);
  attr_set_int(at->def, "to", DT_I64);
  return control_op2(n, "Reshape", at, value_const_ints(n->g, "none", NULL, 0));
}

bool zip_inline(Node *n)
{
  if (is_zipmap(n)) return do_zipmap(n);
  const List *l = n->nin && zip_is(n->in[0]) ? n->in[0]->list : NULL;
  bool maps = l && n->in[0]->kind == VK_SEQ;
  if (maps && node_is(n, "SequenceLength")) {
    Value *rows = l->zip;
    Value *zero = value_const_scalar(n->g, "zero", DT_I64, 0);
    control_give(n, 0, control_op2(n, "Gather",
                                   control_op(n, "Shape", 1, &rows), zero));
    return true;
  }
  if (maps && node_is(n, "SequenceAt") && node_in(n, 1)) {
    give(n, VK_MAP, control_op2(n, "Gather", l->zip, position(n)), l->keys);
    return true;
  }
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && zip_refused(n, n->in[i])) break;
  return false;
}

static bool same_keys(const Tensor *a, const Tensor *b)
{
  bool same = a->dtype == b->dtype && a->n == b->n;
  for (int64_t i = 0; same && i < a->n; i++) {
    const Str *s = (const Str *)a->data + i, *t = (const Str *)b->data + i;
    same = a->dtype == DT_STR ? s->n == t->n && !memcmp(s->p, t->p, s->n)
                              : tensor_i64(a, i) == tensor_i64(b, i);
  }
  return same;
}

Value *zip_select(Node *at, Value *cond, Value *a, Value *b)
{
  if (!zip_is(a) || !zip_is(b) || a->kind != b->kind ||
      !same_keys(a->list->keys, b->list->keys)) {
    fail_unsupported(at, "which map is meant is only known at run time, and "
                     "their keys differ; let both branches end in ZipMaps with "
                     "the same keys");
    return a;
  }
  Value *y = value_tmp(at->g, "select", NULL);
  List *l = NEW(&at->g->m->arena, List, 1);
  *l = *a->list;
  l->zip = control_select(at, cond, a->list->zip, b->list->zip);
  y->kind = a->kind;
  y->list = l;
  y->inferred = true;
  return y;
}

void zip_output(Graph *g, int out)
{
  Value *v = g->out[out];
  const List *l = v->list;
  const Type *t = v->declared, *map = t && v->kind == VK_SEQ ? t->elem : t;
  if (!t || t->kind != v->kind || !map || map->kind != VK_MAP ||
      map->dtype != l->keys->dtype || !map->elem ||
      map->elem->kind != VK_TENSOR || map->elem->dtype != DT_F32) {
    diag_model(g->m, SEV_ERROR, EXIT_MODEL, "output %s is declared as %s, but "
               "is %s from %s to float; correct the model",
               quote(&g->m->arena, v->name), type_text(&g->m->arena, t),
               v->kind == VK_SEQ ? "a sequence of maps" : "a map",
               dtype_info(l->keys->dtype)->onnx);
    return;
  }
  g->zip = arena_grow(&g->m->arena, g->zip, g->nzip, sizeof *g->zip);
  g->zip[g->nzip++] = (Zip){out, l->keys, t};
  v->is_output = false;
  g->out[out] = l->zip;
  l->zip->is_output = true;
}
