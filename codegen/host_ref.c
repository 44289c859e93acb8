/* SPDX-License-Identifier: Apache-2.0 */
/* Expected outputs where a model has no test data: the graph as imported, its
 * inputs made constants, evaluated node by node with the reference kernels. No
 * pass runs and no target is asked, so what it agrees with is onnx2c's own
 * reading of the operators: it finds faults of passes, plans and fast kernels,
 * and proves nothing about the reference kernels. */
#include "host.h"
#include <string.h>

static void feed(Value *v, const Tensor *t)
{
  DimPool *p = &v->g->m->dims;
  const Dim *dim[MAX_RANK];
  v->data = t;
  if (t->kind != VK_TENSOR) return;
  for (int i = 0; i < t->rank; i++) dim[i] = dim_int(p, t->dim[i]);
  value_set_shape(v, t->rank, dim);
}

static const Attr *words_of(const Node *n)
{
  const Attr *a = attr_get(n, "string_vocabulary");
  return a && a->n ? a : attr_get(n, "int64_vocabulary");
}

/* Its kernel reads a map of the interface, which test data is not. */
static bool evaluate_dict(Node *n)
{
  const Tensor *map = n->in[0] ? n->in[0]->data : NULL;
  const Attr *a = words_of(n);
  if (!map || map->kind != VK_MAP || !a) return false;
  const Tensor *key = map->item[0], *x = map->item[1];
  size_t size = (size_t)dtype_info(x->dtype)->size;
  Tensor *y = tensor_new(&n->g->m->arena, x->dtype, 2,
                         (const int64_t[]){1, a->n});
  char *to = (char *)(uintptr_t)y->data;
  for (int i = 0; i < a->n; i++)
    for (int64_t j = 0; j < key->n; j++) {
      const Str *k = (const Str *)key->data + j;
      if (key->dtype == DT_STR
              ? k->n == a->strs[i].n && !memcmp(k->p, a->strs[i].p, k->n)
              : tensor_i64(key, j) == a->ints[i])
        memcpy(to + (size_t)i * size, (const char *)x->data + (size_t)j * size,
               size);
    }
  n->out[0]->data = y;
  return true;
}

/* A composite puts its parts in its place, or declines: then it stays. */
static Node *expand(Graph *g, Node *n)
{
  if (!n->op || !n->op->expand) return n;
  Node *before = n->prev;
  n->op->expand(n);
  return before ? before->next : g->first;
}

static bool evaluate(Model *m, const char **why)
{
  Graph *g = m->main;
  for (Node *n = g->first; n;) {
    Node *before = n->prev;
    upgrade_node(n);
    Node *made = before ? before->next : g->first;
    if (made != n) {
      n = made;
      continue;
    }
    infer_node(n);
    if (diag_worst(m) != EXIT_OK) return false;
    Node *first = expand(g, n);
    if (first != n) {
      n = first;
      continue;
    }
    if (!eval_node(n) &&
        (strcmp(n->op_type, "DictVectorizer") || !evaluate_dict(n))) {
      *why = n->op_type;
      return false;
    }
    n = n->next;
  }
  return true;
}

static const Tensor *copy_tensor(Arena *a, const Tensor *t)
{
  Tensor *c = tensor_new(a, t->dtype, t->rank, t->dim);
  size_t bytes = (size_t)t->n * (size_t)dtype_info(t->dtype)->size;
  char *p = arena_alloc(a, bytes + 1);
  if (bytes) memcpy(p, t->data, bytes);
  c->data = p;
  if (t->dtype == DT_STR)
    for (int64_t i = 0; i < t->n; i++) {
      Str *s = (Str *)(void *)p + i;
      s->p = arena_strn(a, s->p, s->n);
    }
  return c;
}

/* A composite's parts take the place of outputs too. */
static bool collect(Arena *a, const Ports *p, const Graph *g, DataSet *s,
                    const char **why)
{
  for (int i = 0; i < p->nout && i < g->nout; i++) {
    const Value *v = g->out[i];
    if (!v->data) {
      *why = v->name;
      return false;
    }
    s->want[i] = copy_tensor(a, v->data);
  }
  return true;
}

bool reference_run(const Options *opt, const char *path, const Ports *p,
                   DataSet *s, const char **why)
{
  Arena *a = &p->m->arena;
  Model *m = import_file(opt, path);
  Ports mine;
  *why = "import";
  ports_find(&mine, m);
  bool ok = diag_worst(m) == EXIT_OK && mine.nin == p->nin;
  for (int i = 0; ok && i < mine.nin; i++)
    if (s->in[i]) feed(mine.in[i], s->in[i]);
  m->arena.panic = a->panic;
  if (ok) {
    schema_check(m->main);
    ok = diag_worst(m) == EXIT_OK && evaluate(m, why);
  }
  ok = ok && collect(a, p, m->main, s, why);
  *why = arena_str(a, *why);
  model_free(m);
  return ok;
}
