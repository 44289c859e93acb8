/* SPDX-License-Identifier: Apache-2.0 */
/* What a model should compute: the graph as imported, its inputs made
 * constants, evaluated node by node with the reference kernels. No pass runs
 * and no target is asked, so what it agrees with is onnx2c's own reading of the
 * operators: it finds faults of passes, plans and fast kernels, and proves
 * nothing about the reference kernels.
 *
 * A node goes when it is done, and a tensor when its last reader has gone, so
 * memory holds no more than what is still needed (of graphs of numbers; where
 * there are sequences or strings, which point into one another, all stays). */
#include "host.h"
#include <string.h>

/* The tensors that one node made; they go together. */
typedef struct Hold {
  struct Hold *next;       /* of all that there were */
  Arena a;
  int live;
} Hold;

static void feed(Value *v, const Tensor *t)
{
  DimPool *p = &v->g->m->dims;
  const Dim *dim[MAX_RANK];
  v->data = t;
  if (t->kind != VK_TENSOR) return;
  for (int i = 0; i < t->rank; i++) dim[i] = dim_int(p, t->dim[i]);
  value_set_shape(v, t->rank, dim);
}

/* --- What the generic evaluation can't do --------------------------------- */

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

/* --- Memory --------------------------------------------------------------- */

static Hold *hold_new(Reference *r)
{
  Hold *h = NEW(&r->m->arena, Hold, 1);
  h->next = r->holds;
  h->a.panic = r->m->arena.panic;
  return r->holds = h;
}

static Hold **hold_at(Reference *r, const Value *v)
{
  while (r->nhold <= v->id) {
    r->hold = arena_grow(&r->m->arena, r->hold, r->nhold, sizeof *r->hold);
    r->hold[r->nhold++] = NULL;
  }
  return &r->hold[v->id];
}

static void release(Reference *r, Value *v)
{
  Hold **h = hold_at(r, v);
  if (!*h) return;
  v->data = NULL;
  if (!--(*h)->live && !r->keeps) arena_free(&(*h)->a);
  *h = NULL;
}

/* Does a later node, or who asks for values, still want it? */
static bool is_wanted(const Reference *r, const Value *v)
{
  Same s;
  if (v->nuse || v->is_output) return true;
  bool known = value_same(v, &s);
  return (known && r->wanted && r->wanted[s.id] > 0) ||
         (v->id < r->m->nfile && r->wanted && r->wanted[v->id] > 0);
}

void reference_settle(Reference *r, Value *v)
{
  if (v && !r->keeps && !is_wanted(r, v)) release(r, v);
}

void reference_put(Reference *r, Value *v, const Tensor *t, Arena *a)
{
  Hold *h = hold_new(r);
  h->a = *a;
  h->live = 1;
  release(r, v);
  if (v->bad || v->rank < 0) {
    v->bad = false;
    v->dtype = t->dtype;
    feed(v, t);
  }
  v->data = t;
  *hold_at(r, v) = h;
  reference_settle(r, v);
}

/* --- One node ------------------------------------------------------------- */

/* Weights lie in the file at any address; those of one node are aligned for as
 * long as it is evaluated. */
static void align_inputs(Node *n, Arena *a, const Tensor **was)
{
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    was[i] = v ? v->data : NULL;
    if (!was[i] || was[i]->kind != VK_TENSOR || was[i]->dtype == DT_STR ||
        !was[i]->data || (uintptr_t)was[i]->data % 16 == 0)
      continue;
    Tensor *t = NEW(a, Tensor, 1);
    size_t bytes = (size_t)was[i]->n *
                   (size_t)dtype_info(was[i]->dtype)->size;
    char *p = arena_alloc(a, bytes + 1);
    memcpy(p, was[i]->data, bytes);
    *t = *was[i];
    t->data = p;
    v->data = t;
  }
}

static bool evaluate(Reference *r, Node *n)
{
  Hold *h = hold_new(r);
  Arena aligned = {.panic = r->m->arena.panic};
  const Tensor **was = NEW(&r->m->arena, const Tensor *, n->nin + 1);
  align_inputs(n, &aligned, was);
  r->m->work = &h->a;
  bool ok = eval_node(n);
  r->m->work = NULL;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i]) n->in[i]->data = was[i];
  arena_free(&aligned);
  if (!ok && !strcmp(n->op_type, "DictVectorizer")) ok = evaluate_dict(n);
  for (int i = 0; ok && h->a.used && i < n->nout; i++)
    if (n->out[i]) {
      *hold_at(r, n->out[i]) = h;
      h->live++;
    }
  if (!h->live) arena_free(&h->a);
  return ok;
}

static void note(Reference *r, Value *v)
{
  Same s;
  if (v->kind != VK_TENSOR || v->dtype == DT_STR) r->keeps = true;
  if (v->id < r->m->nfile) r->at[v->id] = v;
  if (value_same(v, &s) && !s.perm && !s.flipped) r->at[s.id] = v;
}

/* The file's graph goes on where inference has no way on: what could not be
 * computed has no data, and no type until somebody gives it one. */
static bool missed(Reference *r, Node *n)
{
  r->node = n;
  r->known = false;
  if (!r->why) r->why = n->op_type;
  r->next = n->next;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i]) note(r, n->out[i]);
  return true;
}

/* The node has gone by; nothing reads through it any more. */
static void pass_by(Reference *r, Node *n, bool ok)
{
  int nin = n->nin, nout = n->nout;
  Value **in = NEW(&r->m->arena, Value *, nin + 1);
  for (int i = 0; i < nin; i++) in[i] = n->in[i];
  for (int i = 0; i < nout; i++)
    if (n->out[i]) note(r, n->out[i]);
  if (!ok || r->keeps) return;
  node_remove(n);
  for (int i = 0; i < nin; i++) reference_settle(r, in[i]);
  for (int i = 0; i < nout; i++) reference_settle(r, n->out[i]);
}

bool reference_step(Reference *r)
{
  Graph *g = r->m->main;
  Node *n = r->next, *before = n ? n->prev : NULL;
  if (!n || r->failed) return false;
  int errors = r->m->nerror;
  upgrade_node(n);
  Node *made = before ? before->next : g->first;
  if (made == n) {
    infer_node(n);
    if (r->m->nerror > errors) return missed(r, n);
    made = expand(g, n);
  }
  if (made != n) {
    r->next = made;
    return true;
  }
  r->node = n;
  r->known = evaluate(r, n);
  if (!r->known && !r->why) r->why = n->op_type;
  r->next = n->next;
  pass_by(r, n, r->known);
  return true;
}

Value *reference_value(Reference *r, int id)
{
  while (!r->at[id] && reference_step(r)) continue;
  return r->at[id];
}

/* --- The whole graph ------------------------------------------------------ */

bool reference_open(Reference *r, const Options *opt, const char *path,
                    const Tensor *const *in, int nin)
{
  Ports mine;
  memset(r, 0, sizeof *r);
  Model *m = r->m = import_file(opt, path);
  ports_find(&mine, m);
  r->failed = diag_worst(m) != EXIT_OK || mine.nin != nin;
  if (r->failed) return false;
  r->at = NEW(&m->arena, Value *, m->nfile + 1);
  for (int i = 0; i < nin; i++)
    if (in[i]) feed(mine.in[i], in[i]);
  for (int i = 0; i < m->main->nin; i++) note(r, m->main->in[i]);
  return true;
}

bool reference_begin(Reference *r)
{
  schema_check(r->m->main);
  r->failed = diag_worst(r->m) != EXIT_OK;
  r->next = r->m->main->first;
  return !r->failed;
}

void reference_close(Reference *r)
{
  for (Hold *h = r->holds; h; h = h->next) arena_free(&h->a);
  model_free(r->m);
}

const Tensor *tensor_copy(Arena *a, const Tensor *t)
{
  if (t->kind != VK_TENSOR) return t;
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
    s->want[i] = tensor_copy(a, v->data);
  }
  return true;
}

bool reference_run(const Options *opt, const char *path, const Ports *p,
                   DataSet *s, const char **why)
{
  Arena *a = &p->m->arena;
  Reference r;
  bool ok = reference_open(&r, opt, path, s->in, p->nin);
  r.m->arena.panic = a->panic;
  if (ok) {
    ok = reference_begin(&r);
    while (ok && !r.why && reference_step(&r)) continue;
    ok = ok && !r.failed && !r.why;
  }
  *why = r.why ? r.why : "import";
  ok = ok && collect(a, p, r.m->main, s, why);
  *why = arena_str(a, *why);
  reference_close(&r);
  return ok;
}
