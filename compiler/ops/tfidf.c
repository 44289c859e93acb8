/* SPDX-License-Identifier: Apache-2.0 */
/* TfIdfVectorizer. The pool of n-grams becomes its words, sorted, and a tree of
 * their numbers, breadth first, so that a node's children stand in a row; both
 * with tables to find them by; see kernels/tfidf_f32.h.
 */
#include <stdlib.h>
#include <string.h>
#include "label.h"

typedef struct {
  Node *n;
  const Attr *ints, *text;  /* the pool: one of them */
  const int64_t *begin, *out;
  int nbegin, nout, npool;
  int64_t size;             /* of a row of y */
} Pool;

/* n-grams of `length` stand from *from to *to. */
static void pool_part(const Pool *p, int length, int64_t *from, int64_t *to)
{
  *from = p->begin[length - 1];
  *to = length < p->nbegin ? p->begin[length] : p->npool;
}

static bool pool_parts_ok(const Pool *p)
{
  int64_t from, to, all = 0;
  for (int k = 1; k <= p->nbegin; k++) {
    pool_part(p, k, &from, &to);
    if (from < 0 || to < from || to > p->npool || (to - from) % k) {
      fail_model(p->n, "ngram_counts[%d] does not divide the pool of %d words "
                 "(spec: where n-grams of each length begin)", k - 1,
                 p->npool);
      return false;
    }
    all += (to - from) / k;
  }
  if (all == p->nout) return true;
  fail_model(p->n, "the pool has %lld n-grams, ngram_indexes %d entries "
             "(spec: parallel)", (long long)all, p->nout);
  return false;
}

static bool pool_of(Node *n, Pool *p)
{
  const Attr *weights = attr_get(n, "weights");
  bool text = n->in[0]->dtype == DT_STR;
  *p = (Pool){.n = n, .ints = attr_get(n, "pool_int64s"),
              .text = attr_get(n, "pool_strings")};
  p->begin = attr_ints(n, "ngram_counts", &p->nbegin);
  p->out = attr_ints(n, "ngram_indexes", &p->nout);
  if (!p->ints == !p->text || !p->text == text) {
    fail_model(n, "input X is %s, which needs the attribute %s alone",
               dtype_info(n->in[0]->dtype)->onnx,
               text ? "pool_strings" : "pool_int64s");
    return false;
  }
  p->npool = text ? p->text->n : p->ints->n;
  for (int i = 0; i < p->nout; i++) {
    if (p->out[i] < 0 || p->out[i] >= DIM_INFINITE) {
      fail_model(n, "ngram_indexes[%d] is %lld", i, (long long)p->out[i]);
      return false;
    }
    if (p->out[i] >= p->size) p->size = p->out[i] + 1;
  }
  if (weights && weights->n != p->nout) {
    fail_model(n, "weights has %d entries, ngram_indexes %d (spec: parallel)",
               weights->n, p->nout);
    return false;
  }
  return pool_parts_ok(p);
}

static bool tfidf_attrs_ok(Node *n)
{
  const char *mode = attr_str(n, "mode", "");
  int64_t min = attr_int(n, "min_gram_length", 1);
  int64_t max = attr_int(n, "max_gram_length", 1), count;
  int lengths;
  attr_ints(n, "ngram_counts", &lengths);
  count = attr_int(n, "max_skip_count", 0);
  if (strcmp(mode, "TF") != 0 && strcmp(mode, "IDF") != 0 &&
      strcmp(mode, "TFIDF") != 0)
    fail_model(n, "attribute mode is %s (spec: TF, IDF or TFIDF)",
               quote(&n->g->m->arena, mode));
  else if (min < 1 || max < min || max > lengths)
    fail_model(n, "n-grams have %lld to %lld words (spec: at least 1, at most "
               "the %d lengths of ngram_counts)", (long long)min,
               (long long)max, lengths);
  else if (count < 0)
    fail_model(n, "max_skip_count is %lld", (long long)count);
  else
    return true;
  return false;
}

static void infer_tfidf(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[2];
  Pool p;
  if (!infer_ready(n) || !tfidf_attrs_ok(n) || !pool_of(n, &p)) return;
  if (x->rank < 1 || x->rank > 2) {
    fail_model(n, "the input has rank %d (spec: [C] or [N, C])", x->rank);
    return;
  }
  dim[0] = x->dim[0];
  dim[x->rank - 1] = dim_int(node_dims(n), p.size);
  infer_out(n, 0, DT_F32, x->rank, dim);
}

static int by_int(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static int by_bytes(const void *a, const void *b)
{
  const Str *x = a, *y = b;
  size_t n = x->n < y->n ? x->n : y->n;
  int c = n ? memcmp(x->p, y->p, n) : 0;
  return c ? c : x->n < y->n ? -1 : x->n > y->n;
}

/* Integers as x has them, which all fit: the others can't be met. */
static Tensor *narrow_words(Arena *a, const int64_t *w, int64_t n)
{
  Tensor *t = tensor_new(a, DT_I32, 1, &n);
  for (int64_t i = 0; i < n; i++) tensor_set_i64(t, i, w[i]);
  return t;
}

/* The words of the pool, sorted, each once; id[i]: of word i of the pool, -1
 * where no x can be that word. */
static Tensor *sorted_words(const Pool *p, int32_t *id)
{
  bool narrow = p->n->in[0]->dtype == DT_I32;
  Arena *a = &p->n->g->m->arena;
  bool text = p->text != NULL;
  size_t each = text ? sizeof(Str) : sizeof(int64_t);
  int (*order)(const void *, const void *) = text ? by_bytes : by_int;
  const char *from = text ? (const char *)p->text->strs
                          : (const char *)p->ints->ints;
  char *w = arena_alloc(a, each * (size_t)p->npool + 1);
  int64_t n = 0;
  if (p->npool) memcpy(w, from, each * (size_t)p->npool);
  qsort(w, (size_t)p->npool, each, order);
  for (int i = 0; i < p->npool; i++) {
    const char *at = w + each * (size_t)i;
    const int64_t *v = (const int64_t *)(const void *)at;
    if (narrow && (*v < INT32_MIN || *v > INT32_MAX)) continue;
    if (n == 0 || order(at, w + each * (size_t)(n - 1)))
      memmove(w + each * (size_t)n++, at, each);
  }
  for (int i = 0; i < p->npool; i++) {
    const char *at = bsearch(from + each * (size_t)i, w, (size_t)n, each,
                             order);
    id[i] = at ? (int32_t)((size_t)(at - w) / each) : -1;
  }
  if (narrow) return narrow_words(a, (const int64_t *)(const void *)w, n);
  Tensor *t = tensor_new(a, text ? DT_STR : DT_I64, 1, &n);
  t->data = w;
  return t;
}

/* An n-gram of the pool. */
typedef struct {
  const int32_t *word;
  int n, index;
  int32_t out;
  float weight;
} Gram;

static int by_words(const void *a, const void *b)
{
  const Gram *x = a, *y = b;
  for (int i = 0; i < x->n && i < y->n; i++)
    if (x->word[i] != y->word[i]) return x->word[i] < y->word[i] ? -1 : 1;
  return x->n != y->n ? x->n - y->n : x->index - y->index;
}

static bool can_be_met(const int32_t *word, int n)
{
  for (int i = 0; i < n; i++)
    if (word[i] < 0) return false;
  return true;
}

static Gram *grams_of(Pool *p, const int32_t *id, int *count)
{
  const Attr *weights = attr_get(p->n, "weights");
  Gram *g = NEW(&p->n->g->m->arena, Gram, p->nout + 1);
  int64_t min = attr_int(p->n, "min_gram_length", 1), from, to;
  int64_t max = attr_int(p->n, "max_gram_length", 1);
  int index = 0;
  *count = 0;
  for (int k = 1; k <= p->nbegin; k++) {
    pool_part(p, k, &from, &to);
    for (; from < to; from += k, index++)
      if (k >= min && k <= max && can_be_met(id + from, k))
        g[(*count)++] = (Gram){id + from, k, index, (int32_t)p->out[index],
                               weights ? weights->floats[index] : 1};
  }
  qsort(g, (size_t)*count, sizeof *g, by_words);
  return g;
}

/* The tree, level by level: a node is a range of sorted n-grams which share
 * their first words. */
typedef struct { int from, to, depth; } Range;
typedef struct {
  int32_t *word, *first, *out;
  float *weight;
  int n;
} Tree;

static void grow_tree(Tree *t, Range *r, const Gram *g, int k)
{
  Range node = r[k];
  for (; node.from < node.to && g[node.from].n == node.depth; node.from++) {
    t->out[k] = g[node.from].out;
    t->weight[k] = g[node.from].weight;
  }
  t->first[k] = t->n;
  while (node.from < node.to) {
    int to = node.from + 1, d = node.depth;
    int32_t word = g[node.from].word[d];
    while (to < node.to && g[to].word[d] == word) to++;
    r[t->n] = (Range){node.from, to, d + 1};
    t->word[t->n++] = word;
    node.from = to;
  }
  t->first[k + 1] = t->n;
}

static Tensor *int_table(Node *n, const int32_t *v, int64_t count)
{
  Tensor *t = tensor_new(&n->g->m->arena, DT_I32, 1, &count);
  t->data = v;
  return t;
}

/* By words, and one more that is none of them: the node of a word alone. */
static Tensor *root_table(Node *n, const Tree *t, int64_t nword)
{
  int32_t *root = NEW(&n->g->m->arena, int32_t, nword + 1);
  memset(root, -1, (size_t)(nword + 1) * sizeof *root);
  for (int k = t->first[0]; k < t->first[1]; k++) root[t->word[k]] = k;
  return int_table(n, root, nword + 1);
}

/* NULL where they are all 1. */
static Value *weight_table(Node *n, const float *v, int64_t count)
{
  if (!attr_get(n, "weights") || !strcmp(attr_str(n, "mode", ""), "TF"))
    return NULL;
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &count);
  t->data = v;
  return value_const(n->g, "weights", t);
}

static void lower_tfidf(Lower *l, Node *n)
{
  Arena *a = &n->g->m->arena;
  const Value *x = n->in[0];
  const Dim *shape[7];
  Graph *g = n->g;
  Pool p;
  if (!pool_of(n, &p)) return;
  int32_t *id = NEW(a, int32_t, p.npool + 1);
  const Tensor *words = sorted_words(&p, id);
  int count, most = p.npool + 2;
  const Gram *grams = grams_of(&p, id, &count);
  Tree t = {NEW(a, int32_t, most), NEW(a, int32_t, most),
            NEW(a, int32_t, most), NEW(a, float, most), 1};
  Range *r = NEW(a, Range, most);
  r[0] = (Range){0, count, 0};
  memset(t.out, -1, (size_t)most * sizeof *t.out);
  for (int k = 0; k < t.n; k++) grow_tree(&t, r, grams, k);
  Value *ids = lower_scratch(l, n, DT_I32, value_numel(x));
  const Tensor *word = int_table(n, t.word, t.n);
  const Tensor *first = int_table(n, t.first, t.n + 1);
  const Tensor *slots = slots_new(g->m, "gram_slots", word, first, t.n);
  lower_keys(l, n, n->in[0], words, ids);
  shape[0] = x->rank == 2 ? x->dim[0] : dim_int(node_dims(n), 1);
  shape[1] = x->dim[x->rank - 1];
  shape[2] = dim_int(node_dims(n), p.size);
  shape[3] = dim_int(node_dims(n), attr_int(n, "min_gram_length", 1));
  shape[4] = dim_int(node_dims(n), attr_int(n, "max_gram_length", 1));
  shape[5] = dim_int(node_dims(n), attr_int(n, "max_skip_count", 0));
  shape[6] = dim_int(node_dims(n), words->n);
  lower_call(l, n, "tfidf", DT_F32, "iiiiiiiokkD", ids,
             value_const(g, "word", word), value_const(g, "first", first),
             value_const(g, "out", int_table(n, t.out, t.n)),
             value_const(g, "root", root_table(n, &t, words->n)),
             value_const(g, "slots", slots), weight_table(n, t.weight, t.n),
             n->out[0], (int64_t)!strcmp(attr_str(n, "mode", ""), "IDF"),
             slots->n - 1, shape, 7);
}

static int axis_tfidf(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  return n->in[0]->rank == 2 && axis == 0 ? 0 : AXIS_MIXES;
}

static const OpRow tfidf_rows[] = {
  {9, "X:T -> Y:T1", "T=str i32 i64; T1=f32",
   "mode:s! ngram_indexes:I! weights:F ngram_counts:I! pool_int64s:I "
   "pool_strings:S max_skip_count:i! min_gram_length:i! max_gram_length:i!",
   NULL},
};
static const OpDef defs[] = {
  {.name = "TfIdfVectorizer", .rows = tfidf_rows, .nrow = COUNT(tfidf_rows),
   .infer = infer_tfidf, .lower = lower_tfidf, .axis = axis_tfidf},
};
OPS_DEFINE(tfidf, defs)
