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
  for (int i = 0; i < t->rank; i++) dim[i] = dim_int(p, t->dim[i]);
  value_set_shape(v, t->rank, dim);
  v->data = t;
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
    if (!eval_node(n)) {
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

static bool collect(Arena *a, const Ports *p, const Ports *mine, DataSet *s,
                    const char **why)
{
  for (int i = 0; i < p->nout && i < mine->nout; i++) {
    const Value *v = mine->out[i];
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
  ok = ok && collect(a, p, &mine, s, why);
  *why = arena_str(a, *why);
  model_free(m);
  return ok;
}
