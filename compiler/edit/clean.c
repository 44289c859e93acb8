/* SPDX-License-Identifier: Apache-2.0 */
/* cleanup, toposort. */
#include "attrs.h"
#include <string.h>

/* --- cleanup -------------------------------------------------------------- */

static bool is_identity(const NodeProto *n)
{
  return n->op_type && !strcmp(n->op_type, "Identity") &&
         !*domain_name(n->domain) && n->n_input == 1 && n->n_output == 1 &&
         *n->input[0] && *n->output[0];
}

/* What a name stands for in the end. */
static const char *resolved(const Map *to, const char *s)
{
  const char *next;
  while ((next = map_get(to, s, strlen(s)))) s = next;
  return s;
}

/* Those that make no output: all at once. */
static int drop_inner_ones(Edit *e, const Body *b, const Map *inner)
{
  Map to, last;
  Index *x = body_index(e, b);
  map_init(&to, &e->scratch);
  map_init(&last, &e->scratch);
  for (size_t i = 0; i < body_count(b); i++) {
    NodeProto *n = body_node(b, i);
    const Named *t = is_identity(n) ? index_get(x, n->output[0]) : NULL;
    /* An inner graph that makes this name would take what is meant. */
    if (!t || t->is_output || t->maker != n ||
        map_get(inner, n->input[0], strlen(n->input[0])) ||
        !strcmp(resolved(&to, n->input[0]), n->output[0]))
      continue;
    *map_at(&to, n->output[0], strlen(n->output[0])) = n->input[0];
  }
  for (int i = 0; i < to.n; i++)
    *map_at(&last, to.slot[i].key, to.slot[i].len) =
      edit_str(e, resolved(&to, to.slot[i].key));
  if (!to.n) return 0;
  body_redirect_all(e, b, &last, NULL);
  for (size_t i = body_count(b); i-- > 0;) {
    NodeProto *n = body_node(b, i);
    if (is_identity(n) && map_get(&to, n->output[0], strlen(n->output[0])))
      body_remove(b, i);
  }
  return to.n;
}

static int drop_identities(Edit *e, const Body *b)
{
  Map *inner = inner_names(e, b);
  int gone = drop_inner_ones(e, b, inner);
  for (size_t i = body_count(b); i-- > 0;) {
    NodeProto *n = body_node(b, i);
    if (!is_identity(n) || map_get(inner, n->input[0], strlen(n->input[0])))
      continue;
    Index *x = body_index(e, b);
    const Named *t = index_get(x, n->input[0]);
    if (t && t->maker && index_get(x, n->output[0])->is_output &&
        bypass_node(e, b, i, n->input[0]))
      gone++;
  }
  return gone;
}

/* Shape and elements of two tensors, as the file has them. */
static bool same_payload(Edit *e, const TensorProto *a, const TensorProto *b)
{
  Str x, y;
  size_t n, k;
  const int64_t *d = msg_ints(e, a, FIELD_T_DIMS, &n);
  const int64_t *g = msg_ints(e, b, FIELD_T_DIMS, &k);
  if (n != k || (n && memcmp(d, g, n * sizeof *d) != 0)) return false;
  bool raw = pb_last(e->pb, a, FIELD_T_RAW, &x) &&
             pb_last(e->pb, b, FIELD_T_RAW, &y);
  if (raw) return x.n == y.n && !memcmp(x.p, y.p, x.n);
  PbRun **r = pb_runs(e->pb, a), **s = pb_runs(e->pb, b);
  const PbRun *p = r ? *r : NULL, *q = s ? *s : NULL;
  for (; p && q; p = p->next, q = q->next)
    if (p->field != q->field || p->to - p->from != q->to - q->from ||
        p->bare != q->bare ||
        memcmp(p->p + p->from, q->p + q->from, p->to - p->from) != 0)
      return false;
  return !p && !q;
}

static bool same_location(const TensorProto *a, const TensorProto *b)
{
  if (a->n_external_data != b->n_external_data) return false;
  for (size_t i = 0; i < a->n_external_data; i++) {
    const Onnx__StringStringEntryProto *x = a->external_data[i];
    const Onnx__StringStringEntryProto *y = b->external_data[i];
    if (!x->key || !y->key || !x->value || !y->value ||
        strcmp(x->key, y->key) != 0 || strcmp(x->value, y->value) != 0)
      return false;
  }
  return true;
}

/* Equal tensors have equal keys; the first bytes tell most others apart. */
static const char *tensor_key(Edit *e, const TensorProto *t)
{
  size_t n;
  const int64_t *d = msg_ints(e, t, FIELD_T_DIMS, &n);
  uint64_t shape = hash_bytes(d, n * sizeof *d, n);
  Str raw = {"", 0};
  pb_last(e->pb, t, FIELD_T_RAW, &raw);
  uint64_t h = hash_bytes(raw.p, raw.n < 256 ? raw.n : 256, raw.n);
  return arena_printf(e->a, "%d:%llx:%llx", (int)t->data_type,
                      (unsigned long long)shape, (unsigned long long)h);
}

typedef struct Double { struct Double *next; TensorProto *t; } Double;

static TensorProto *known_equal(Edit *e, Map *seen, TensorProto *t)
{
  const char *key = tensor_key(e, t);
  void **slot = map_at(seen, key, strlen(key));
  for (const Double *s = *slot; s; s = s->next)
    if (same_location(s->t, t) && same_payload(e, s->t, t)) return s->t;
  Double *s = NEW(e->a, Double, 1);
  *s = (Double){*slot, t};
  *slot = s;
  return NULL;
}

static int merge_duplicates(Edit *e, const Body *b)
{
  int gone = 0;
  Map seen, *inner = inner_names(e, b), to;
  map_init(&seen, &e->scratch);
  map_init(&to, e->a);
  Index *x = body_index(e, b);
  for (size_t i = 0; i < b->g->n_initializer; i++) {
    TensorProto *t = b->g->initializer[i];
    const Named *is = index_get(x, t->name);
    if (!is || is->is_input || is->is_output ||
        map_get(inner, t->name, strlen(t->name)))
      continue;
    TensorProto *same = known_equal(e, &seen, t);
    if (!same) continue;
    *map_at(&to, t->name, strlen(t->name)) = same->name;
    LIST_DROP(b->g, initializer, i--);
    gone++;
  }
  if (to.n) body_redirect_all(e, b, &to, NULL);
  return gone;
}

static int drop_initializers(Edit *e, const Body *b)
{
  int gone = 0;
  Index *x = body_index(e, b);
  for (size_t i = b->g->n_initializer; i-- > 0;) {
    const Named *t = index_get(x, b->g->initializer[i]->name);
    if (!t || t->uses || t->is_output || t->is_input) continue;
    LIST_DROP(b->g, initializer, i);
    gone++;
  }
  for (size_t i = b->g->n_sparse_initializer; i-- > 0;) {
    const TensorProto *v = b->g->sparse_initializer[i]->values;
    const Named *t = v ? index_get(x, v->name) : NULL;
    if (!t || t->uses || t->is_output || t->is_input) continue;
    LIST_DROP(b->g, sparse_initializer, i);
    gone++;
  }
  return gone;
}

/* What is said of tensors that are gone, or said again of inputs. */
static void drop_infos(Edit *e, const Body *b)
{
  Index *x = body_index(e, b);
  for (size_t i = b->g->n_value_info; i-- > 0;) {
    const Named *t = index_get(x, b->g->value_info[i]->name);
    if (!t || (!t->maker && !t->init)) LIST_DROP(b->g, value_info, i);
  }
  for (size_t i = b->g->n_quantization_annotation; i-- > 0;) {
    const Named *t =
      index_get(x, b->g->quantization_annotation[i]->tensor_name);
    if (!t || (!t->maker && !t->init && !t->is_input))
      LIST_DROP(b->g, quantization_annotation, i);
  }
}

bool step_cleanup(Edit *e, const EditStep *s)
{
  int nodes = 0, same = 0, tensors = 0;
  (void)s;
  for (int now = 1; now;) {
    int n;
    Body *all = edit_bodies(e, &n);
    now = 0;
    for (int i = n - 1; i >= 0 && !now; i--) { /* bodies may vanish */
      now = drop_identities(e, &all[i]) + remove_dead(e, &all[i], NULL);
      nodes += now;
    }
  }
  int n;
  Body *all = edit_bodies(e, &n);
  for (int i = n - 1; i >= 0; i--) {
    if (!all[i].g) continue;
    same += merge_duplicates(e, &all[i]);
    tensors += drop_initializers(e, &all[i]);
    drop_infos(e, &all[i]);
  }
  edit_note(e, "%d nodes, %d unused and %d double initializers went", nodes,
            tensors, same);
  return true;
}

/* --- toposort ------------------------------------------------------------- */

typedef struct {
  NodeProto **node, **sorted;
  size_t n, done;
  uint8_t *state;        /* 0: not seen, 1: in work, 2: done */
  Map maker;             /* name -> 1 + index */
} Sort;

typedef struct { size_t node; int at, n; const char **in; } Visit;

/* Depth first without recursion: chains are as long as networks deep. */
static bool sort_from(Edit *e, Sort *s, size_t root)
{
  Visit *stack = NULL;
  int depth = 0;
  stack = arena_grow(e->a, stack, depth, sizeof *stack);
  stack[depth++] = (Visit){.node = root, .n = -1};
  while (depth) {
    Visit *v = &stack[depth - 1];
    if (v->n < 0) {
      v->in = node_reads(e, s->node[v->node], &v->n);
      s->state[v->node] = 1;
    }
    if (v->at == v->n) {
      s->state[v->node] = 2;
      s->sorted[s->done++] = s->node[v->node];
      depth--;
      continue;
    }
    const char *in = v->in[v->at++];
    size_t k = (size_t)(uintptr_t)map_get(&s->maker, in, strlen(in));
    if (!k || s->state[k - 1] == 2) continue;
    if (s->state[k - 1] == 1)
      return edit_fail(e, EXIT_MODEL, "%s is part of a cycle, through %s",
                       node_text(e, s->node[k - 1]), Q(e, in));
    stack = arena_grow(e->a, stack, depth, sizeof *stack);
    stack[depth++] = (Visit){.node = k - 1, .n = -1};
  }
  return true;
}

/* Nodes that stand in order already keep their order. */
static bool sort_body(Edit *e, const Body *b)
{
  Sort s = {.n = body_count(b)};
  s.node = NEW(e->a, NodeProto *, s.n);
  s.sorted = NEW(e->a, NodeProto *, s.n + 1);
  s.state = NEW(e->a, uint8_t, s.n);
  map_init(&s.maker, e->a);
  for (size_t i = 0; i < s.n; i++) {
    s.node[i] = body_node(b, i);
    for (size_t k = 0; k < s.node[i]->n_output; k++) {
      const char *out = s.node[i]->output[k];
      if (*out) *map_at(&s.maker, out, strlen(out)) =
        (void *)(uintptr_t)(i + 1);
    }
  }
  for (size_t i = 0; i < s.n; i++)
    if (!s.state[i] && !sort_from(e, &s, i)) return false;
  if (b->g) b->g->node = s.sorted;
  else b->f->node = s.sorted;
  return true;
}

bool step_toposort(Edit *e, const EditStep *s)
{
  int n;
  Body *all = edit_bodies(e, &n);
  (void)s;
  for (int i = 0; i < n; i++)
    if (!sort_body(e, &all[i])) return false;
  return true;
}
