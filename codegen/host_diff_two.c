/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c diff A.onnx B.onnx: the first tensor in which two models differ.
 *
 * Both go by the reference kernels, on the same inputs, A's nodes in order and
 * B as far as the tensor of the same name. Where names differ, a tensor belongs
 * to that of the same place, if both models have the same operators one by one;
 * outputs of the graph belong together by their place in any case. B goes on
 * with A's tensor, so that one difference does not hide the next. Floats of
 * different widths are compared by value, as halves are. */
#include "host_diff.h"
#include <string.h>

#define MIXED 2e-2 /* rtol, and atol's share of the largest */

typedef struct {
  const char *name, *op;   /* of the tensor; of its node */
  int id, twin;            /* in A and in B; twin -1: B has none */
} Pair;
typedef struct {
  Host *h;
  Reference a, b;
  Pair *pair;
  int n, compared, wrong, alone;
  bool mixed;              /* floats of different widths met */
  Rule rule;
  const char *why;
} Two;

/* t, or the same numbers as floats of type `as`. */
static const Tensor *as_float(Arena *a, const Tensor *t, Dtype as)
{
  if (!t || t->kind != VK_TENSOR || t->dtype == as ||
      dtype_info(t->dtype)->cls != DC_FLOAT || dtype_info(as)->cls != DC_FLOAT)
    return t;
  Tensor *y = tensor_new(a, as, t->rank, t->dim);
  for (int64_t i = 0; i < t->n; i++) tensor_set_f64(y, i, tensor_f64(t, i));
  return y;
}

static bool is_like(const Tensor *x, const Tensor *y)
{
  bool same = x->dtype == y->dtype && x->rank == y->rank;
  for (int i = 0; same && i < x->rank; i++) same = x->dim[i] == y->dim[i];
  return same;
}

static bool same_operators(const Graph *a, const Graph *b)
{
  const Node *x = a->first, *y = b->first;
  for (; x && y; x = x->next, y = y->next)
    if (strcmp(x->op_type, y->op_type) || x->nout != y->nout) return false;
  return !x && !y;
}

static int output_twin(const Graph *a, const Graph *b, const Value *v)
{
  for (int k = 0; k < a->nout && a->nout == b->nout; k++)
    if (a->out[k] == v) return b->out[k]->id;
  return -1;
}

static void find_pairs(Two *t)
{
  const Graph *a = t->a.m->main, *b = t->b.m->main;
  bool placed = same_operators(a, b);
  const Node *y = b->first;
  int most = 0;
  Map names;
  map_init(&names, &t->h->a);
  for (const Node *n = b->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++)
      if (n->out[i])
        *map_at(&names, n->out[i]->name, strlen(n->out[i]->name)) = n->out[i];
  for (const Node *n = a->first; n; n = n->next) most += n->nout;
  t->pair = NEW(&t->h->a, Pair, most + 1);
  for (const Node *n = a->first; n; n = n->next, y = placed ? y->next : NULL)
    for (int i = 0; i < n->nout; i++) {
      const Value *v = n->out[i], *w;
      if (!v) continue;
      w = map_get(&names, v->name, strlen(v->name));
      int twin = w ? w->id : output_twin(a, b, v);
      if (twin < 0 && placed && y->out[i]) twin = y->out[i]->id;
      t->pair[t->n++] = (Pair){quote(&t->h->a, v->name),
                               arena_str(&t->h->a, n->op_type), v->id, twin};
    }
}

static void want_pairs(Two *t)
{
  t->a.wanted = NEW(&t->a.m->arena, int, t->a.m->nfile + 1);
  t->b.wanted = NEW(&t->b.m->arena, int, t->b.m->nfile + 1);
  for (int i = 0; i < t->n; i++)
    if (t->pair[i].twin >= 0) {
      t->a.wanted[t->pair[i].id]++;
      t->b.wanted[t->pair[i].twin]++;
    }
}

/* Beside wider floats halves round at each step; that stays in what follows. */
static Diff compare(Two *t, Arena *a, const Tensor *got, const Tensor *want)
{
  Rule r = t->rule;
  const Tensor *same = want->kind == VK_TENSOR
                           ? as_float(a, got, want->dtype) : got;
  t->mixed = t->mixed || same != got;
  if (t->mixed && !r.fixed) {
    r.rtol = r.rtol > MIXED ? r.rtol : MIXED;
    r.share = r.share > MIXED ? r.share : MIXED;
  }
  return tensor_compare(a, &r, same, want);
}

/* False: there is no need to go on. */
static bool compare_pair(Two *t, const Pair *p)
{
  Value *x = reference_value(&t->a, p->id), *y = NULL;
  bool ok = true;
  if (p->twin < 0) {
    t->alone++;
    return true;
  }
  y = reference_value(&t->b, p->twin);
  t->a.wanted[p->id]--;
  t->b.wanted[p->twin]--;
  if (x && y && x->data && y->data && x->data->kind == VK_TENSOR) {
    Arena a = {.panic = &t->h->panic};
    Diff d = compare(t, &a, y->data, x->data);
    DiffLine line = {p->op, "", "", p->name, 24, 0, y->data, x->data, &d};
    t->compared++;
    diff_line(t->h, &line);
    ok = d.ok;
    if (!ok) {
      t->wrong++;
      if (!t->why)
        t->why = arena_printf(&t->h->a, "%s of %s: %s", p->name, p->op, d.why);
      diff_save(t->h, arena_printf(&t->h->a, "tensor_%d", p->id), &line);
    }
    const Tensor *like = as_float(&a, x->data, y->data->dtype);
    if (!ok && is_like(like, y->data))
      reference_put(&t->b, y, tensor_copy(&a, like), &a);
    else
      arena_free(&a);
  }
  if (x) reference_settle(&t->a, x);
  if (y) reference_settle(&t->b, y);
  return ok || t->h->opt->all;
}

/* B's inputs: A's of the same name, else of the same place. */
static const Tensor **inputs_of(Host *h, const Ports *a, const Ports *b,
                                const Tensor *const *in)
{
  const Tensor **to = NEW(&h->a, const Tensor *, b->nin + 1);
  for (int i = 0; i < b->nin; i++) {
    to[i] = i < a->nin ? in[i] : NULL;
    for (int k = 0; k < a->nin; k++)
      if (!strcmp(a->in[k]->name, b->in[i]->name)) to[i] = in[k];
    to[i] = as_float(&h->a, to[i], b->in[i]->dtype);
  }
  return to;
}

static ExitCode refuse(const Model *m, const char *path)
{
  diag_print(m, stderr, SEV_ERROR);
  fprintf(stderr, "onnx2c: %s: it can't be compared\n", path);
  return diag_worst(m) == EXIT_OK ? EXIT_MODEL : diag_worst(m);
}

static ExitCode run_set(Two *t, const char *const *path, const Ports *a,
                        const Ports *b, const DataSet *s)
{
  const Tensor **in = inputs_of(t->h, a, b, s->in);
  ExitCode code = EXIT_OK;
  bool one = reference_open(&t->a, t->h->opt, path[0], s->in, a->nin);
  bool two = reference_open(&t->b, t->h->opt, path[1], in, b->nin);
  t->a.m->arena.panic = t->b.m->arena.panic = &t->h->panic;
  t->n = 0;
  if (one && two) find_pairs(t);
  if (!one || !reference_begin(&t->a)) code = refuse(t->a.m, path[0]);
  else if (!two || !reference_begin(&t->b)) code = refuse(t->b.m, path[1]);
  else want_pairs(t);
  for (int i = 0; code == EXIT_OK && i < t->n && !t->h->stop; i++)
    if (!compare_pair(t, &t->pair[i])) break;
  reference_close(&t->a);
  reference_close(&t->b);
  return code;
}

static ExitCode compare_models(Host *h, const char *const *path, Ports *a,
                               Ports *b)
{
  Two t = {.h = h};
  int n = 0;
  ExitCode code = EXIT_OK;
  if (a->nin != b->nin) {
    fprintf(stderr, "onnx2c: diff: the models have %d and %d inputs\n", a->nin,
            b->nin);
    return EXIT_MODEL;
  }
  const DataSet *s = data_load(a, h->opt, &n);
  if (!n) {
    s = data_seeded(a, NULL, 0, (uint64_t)(h->opt->seed ? h->opt->seed : 1));
    n = 1;
  }
  if (diag_worst(a->m) != EXIT_OK) return refuse(a->m, path[0]);
  t.rule = rule_choose(&h->a, h->opt, a->m);
  for (int i = 0; i < n && code == EXIT_OK && (!t.wrong || h->opt->all); i++)
    if (!s[i].status) code = run_set(&t, path, a, b, &s[i]);
  if (code != EXIT_OK) return code;
  if (!t.compared) {
    fprintf(stderr, "onnx2c: diff: the models have no tensor in common\n");
    return EXIT_MODEL;
  }
  FILE *f = h->opt->json ? stderr : stdout;
  if (t.why) fprintf(f, "first difference: %s\n", t.why);
  fprintf(f, "%d tensors compared, %d differ, %d in one model only\n",
          t.compared, t.wrong, t.alone);
  return t.wrong ? EXIT_VERIFY : EXIT_OK;
}

ExitCode diff_two(Host *h, const char *const *path)
{
  Ports a, b;
  Model *m = import_file(h->opt, path[0]), *k = import_file(h->opt, path[1]);
  ExitCode code;
  m->arena.panic = k->arena.panic = &h->panic;
  ports_find(&a, m);
  ports_find(&b, k);
  if (m->nerror) code = refuse(m, path[0]);
  else if (k->nerror) code = refuse(k, path[1]);
  else code = compare_models(h, path, &a, &b);
  model_free(m);
  model_free(k);
  return code;
}
