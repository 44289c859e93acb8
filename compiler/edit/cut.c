/* SPDX-License-Identifier: Apache-2.0 */
/* delete, bypass, extract: nodes go, and what hung on them is put right. */
#include "attrs.h"
#include <string.h>

void nodes_add(Edit *e, Nodes *all, NodeProto *n)
{
  all->n = arena_grow(e->a, all->n, all->count, sizeof *all->n);
  all->n[all->count++] = n;
}

static bool nodes_have(const Nodes *all, const NodeProto *n)
{
  for (int i = 0; i < all->count; i++)
    if (all->n[i] == n) return true;
  return false;
}

static bool is_dead(const Index *x, const NodeProto *n)
{
  for (size_t k = 0; k < n->n_output; k++) {
    const Named *t = *n->output[k] ? index_get(x, n->output[k]) : NULL;
    if (t && (t->uses || t->is_output)) return false;
  }
  return true;
}

static void drop_info(const Body *b, const char *name)
{
  ValueInfoProto **v = b->g ? b->g->value_info : b->f->value_info;
  size_t n = b->g ? b->g->n_value_info : b->f->n_value_info;
  for (size_t i = n; i-- > 0;) {
    if (!v[i]->name || strcmp(v[i]->name, name) != 0) continue;
    if (b->g) LIST_DROP(b->g, value_info, i);
    else LIST_DROP(b->f, value_info, i);
  }
}

int remove_dead(Edit *e, const Body *b, const Nodes *among)
{
  int gone = 0;
  Index *x = body_index(e, b);
  for (bool again = true; again;) {
    again = false;
    for (size_t i = body_count(b); i-- > 0;) {
      NodeProto *n = body_node(b, i);
      if ((among && !nodes_have(among, n)) || !is_dead(x, n)) continue;
      for (size_t k = 0; k < n->n_output; k++) drop_info(b, n->output[k]);
      index_drop(e, x, n);
      body_remove(b, i);
      gone++;
      again = true;
    }
  }
  return gone;
}

static bool is_inside(const Body *x, const Body *b)
{
  for (x = x->outer; x; x = x->outer)
    if (x->g == b->g && x->f == b->f) return true;
  return false;
}

Map *inner_names(Edit *e, const Body *b)
{
  Map *own = NEW(&e->scratch, Map, 1);
  int n;
  Body *all = edit_bodies(e, &n);
  map_init(own, &e->scratch);
  for (int i = 0; i < n; i++) {
    if (!is_inside(&all[i], b)) continue;
    Index *x = body_index(e, &all[i]);
    for (int k = 0; k < x->map.n; k++) {
      const Named *t = x->map.slot[k].value;
      if (t->maker || t->init || t->is_input)
        *map_at(own, x->map.slot[k].key, x->map.slot[k].len) = own;
    }
  }
  return own;
}

/* --- delete --------------------------------------------------------------- */

static bool collect_glob(Edit *e, const char *glob, Body *all, int n,
                         Nodes *found)
{
  int hits = found->count;
  for (int i = 0; i < n; i++)
    for (size_t k = 0; k < body_count(&all[i]); k++) {
      NodeProto *np = body_node(&all[i], k);
      if (np->name && edit_match(glob, np->name)) nodes_add(e, found, np);
    }
  return found->count > hits ||
         edit_fail(e, EXIT_USAGE, "no node's name matches %s", Q(e, glob));
}

static bool check_unread(Edit *e, const Body *b, const NodeProto *n)
{
  Index *x = body_index(e, b);
  for (size_t k = 0; k < n->n_output; k++) {
    const Named *t = *n->output[k] ? index_get(x, n->output[k]) : NULL;
    if (!t || (!t->uses && !t->is_output)) continue;
    return edit_fail(e, EXIT_USAGE, "%s makes %s, which %s: bypass it, or "
                     "delete what reads it too", node_text(e, n),
                     Q(e, n->output[k]), t->is_output ? "is an output"
                     : "other nodes read");
  }
  return true;
}

/* All go first, so that a chain may be deleted in any order. */
bool step_delete(Edit *e, const EditStep *s)
{
  Nodes gone = {0};
  int n;
  Body *all = edit_bodies(e, &n), *b;
  size_t at;
  for (int i = 0; i < s->n; i++) {
    if (edit_is_glob(s->arg[i])) {
      if (!collect_glob(e, s->arg[i], all, n, &gone)) return false;
    } else {
      if (!edit_find_node(e, s->arg[i], &b, &at)) return false;
      nodes_add(e, &gone, body_node(b, at));
    }
  }
  for (int i = 0; i < n; i++) {
    Nodes here = {0};
    for (size_t k = body_count(&all[i]); k-- > 0;) {
      NodeProto *np = body_node(&all[i], k);
      if (!nodes_have(&gone, np)) continue;
      nodes_add(e, &here, np);
      body_remove(&all[i], k);
    }
    for (int k = 0; k < here.count; k++) {
      if (!check_unread(e, &all[i], here.n[k])) return false;
      for (size_t j = 0; j < here.n[k]->n_output; j++)
        drop_info(&all[i], here.n[k]->output[j]);
    }
  }
  return true;
}

/* --- bypass --------------------------------------------------------------- */

static bool only_first_used(Edit *e, const Index *x, const NodeProto *n)
{
  for (size_t k = 1; k < n->n_output; k++) {
    const Named *t = *n->output[k] ? index_get(x, n->output[k]) : NULL;
    if (t && (t->uses || t->is_output))
      return edit_fail(e, EXIT_USAGE, "%s makes %s too, which is read: what "
                       "stands in for it is not known", node_text(e, n),
                       Q(e, n->output[k]));
  }
  return true;
}

/* A graph's output keeps its name: what makes the input takes it. */
static bool take_name(Edit *e, const Body *b, const Index *x, const char *in,
                      const char *out)
{
  const Named *t = index_get(x, in);
  if (!t || !t->maker || t->is_output) return false;
  drop_info(b, in);
  body_rename(e, b, in, out);
  return true;
}

bool bypass_node(Edit *e, const Body *b, size_t at, const char *in)
{
  NodeProto *n = body_node(b, at);
  Index *x = body_index(e, b);
  const Named *t = index_get(x, n->output[0]);
  char *out = n->output[0];
  if (!t || !t->is_output) {
    body_remove(b, at);
    drop_info(b, out);
    body_redirect(e, b, out, in, NULL);
    return true;
  }
  body_remove(b, at);
  if (take_name(e, b, x, in, out)) return true;
  body_insert(e, b, at, n);
  return false;
}

static bool bypass_one(Edit *e, const char *name)
{
  Body *b;
  size_t at;
  if (!edit_find_node(e, name, &b, &at)) return false;
  NodeProto *n = body_node(b, at);
  if (!n->n_input || !n->n_output || !*n->output[0] || !*n->input[0])
    return edit_fail(e, EXIT_USAGE, "%s has no first input and output to be "
                     "joined", node_text(e, n));
  if (!only_first_used(e, body_index(e, b), n)) return false;
  if (map_get(inner_names(e, b), n->input[0], strlen(n->input[0])))
    return edit_fail(e, EXIT_UNSUPPORTED, "%s is made in an inner graph too; "
                     "rename one of them first", Q(e, n->input[0]));
  if (bypass_node(e, b, at, n->input[0])) return true;
  /* From an input, a constant or another output to an output. */
  n->op_type = edit_str(e, "Identity");
  n->domain = NULL;
  n->n_input = n->n_output = 1;
  n->n_attribute = 0;
  edit_note(e, "%s joins what may not become one, and is an Identity now",
            node_text(e, n));
  return true;
}

bool step_bypass(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++)
    if (!bypass_one(e, s->arg[i])) return false;
  return true;
}

/* --- extract -------------------------------------------------------------- */

typedef struct { const char **in, **out; int nin, nout; } Ends;

static bool all_known(Edit *e, const Index *x, const char *const *name, int n,
                      bool tell)
{
  Body *b;
  Named *t;
  for (int i = 0; i < n; i++) {
    const Named *is = index_get(x, name[i]);
    if (is && (is->maker || is->input || is->init)) continue;
    if (!tell) return false;
    if (!edit_find_tensor(e, name[i], &b, &t)) return false;
    return edit_fail(e, EXIT_USAGE, "%s is a tensor of %s; only the main graph "
                     "can be cut", Q(e, name[i]), body_text(e, b));
  }
  return true;
}

/* Names may hold colons: the one that leaves known names is meant. */
bool parse_ends(Edit *e, const char *text, const char **in, const char **out)
{
  Index *x = body_index(e, edit_main(e));
  const char *first = strchr(text, ':');
  if (!first)
    return edit_fail(e, EXIT_USAGE, "%s is not IN1,IN2:OUT1,OUT2", Q(e, text));
  for (const char *c = first; c; c = strchr(c + 1, ':')) {
    int n, k;
    *in = arena_strn(e->a, text, (size_t)(c - text));
    *out = c + 1;
    const char **a = edit_split(e, *in, ',', &n);
    const char **b = edit_split(e, *out, ',', &k);
    if (all_known(e, x, a, n, false) && all_known(e, x, b, k, false))
      return true;
  }
  *in = arena_strn(e->a, text, (size_t)(first - text));
  *out = first + 1;
  return true;
}

static bool listed(const char *const *name, int n, const char *s)
{
  for (int i = 0; i < n; i++)
    if (!strcmp(name[i], s)) return true;
  return false;
}

/* Marks what `name` needs, back to the new inputs. */
static void need(Edit *e, const Index *x, const Ends *ends, const char *name,
                 Map *needed)
{
  const char **todo = NULL;
  int n = 0;
  todo = arena_grow(e->a, todo, n, sizeof *todo);
  todo[n++] = name;
  while (n) {
    const char *s = todo[--n];
    void **seen = *s ? map_at(needed, s, strlen(s)) : NULL;
    if (!seen || *seen) continue;
    *seen = needed;
    const Named *t = index_get(x, s);
    if (listed(ends->in, ends->nin, s) || !t || !t->maker) continue;
    int count;
    const char **in = node_reads(e, t->maker, &count);
    for (int i = 0; i < count; i++) {
      todo = arena_grow(e->a, todo, n, sizeof *todo);
      todo[n++] = in[i];
    }
  }
}

static bool is_needed(const Map *needed, const char *s)
{
  return s && *s && map_get(needed, s, strlen(s));
}

/* A node stays if one of its outputs is needed and is no new input. */
static void keep_needed(const Body *b, const Ends *ends, const Map *needed)
{
  for (size_t i = body_count(b); i-- > 0;) {
    NodeProto *n = body_node(b, i);
    bool keep = false;
    for (size_t k = 0; k < n->n_output; k++)
      keep |= is_needed(needed, n->output[k]) &&
              !listed(ends->in, ends->nin, n->output[k]);
    if (!keep) body_remove(b, i);
  }
  GraphProto *g = b->g;
  for (size_t i = g->n_initializer; i-- > 0;)
    if (!is_needed(needed, g->initializer[i]->name) ||
        listed(ends->in, ends->nin, g->initializer[i]->name))
      LIST_DROP(g, initializer, i);
  for (size_t i = g->n_sparse_initializer; i-- > 0;) {
    TensorProto *t = g->sparse_initializer[i]->values;
    if (!t || !is_needed(needed, t->name))
      LIST_DROP(g, sparse_initializer, i);
  }
  for (size_t i = g->n_value_info; i-- > 0;)
    if (!is_needed(needed, g->value_info[i]->name))
      LIST_DROP(g, value_info, i);
  for (size_t i = g->n_quantization_annotation; i-- > 0;)
    if (!is_needed(needed, g->quantization_annotation[i]->tensor_name))
      LIST_DROP(g, quantization_annotation, i);
}

/* What is needed and neither made nor given: inputs that were forgotten. */
static bool check_complete(Edit *e, const Index *x, const Ends *ends,
                           const Map *needed)
{
  for (int i = 0; i < needed->n; i++) {
    const char *s = needed->slot[i].key;
    const Named *t = index_get(x, s);
    if (!t || !t->input || t->init || listed(ends->in, ends->nin, s)) continue;
    return edit_fail(e, EXIT_USAGE, "the outputs need input %s too: add it to "
                     "the inputs", Q(e, s));
  }
  for (int i = 0; i < ends->nin; i++)
    if (!is_needed(needed, ends->in[i]))
      return edit_fail(e, EXIT_USAGE, "no output needs %s: leave it out",
                       Q(e, ends->in[i]));
  return true;
}

static ValueInfoProto *end_info(Edit *e, const char *name)
{
  ValueInfoProto *v = edit_value_info(e, name);
  if (!v)
    edit_fail(e, EXIT_USAGE, "the type of %s is not known, and inputs and "
              "outputs need one: give it by the step add-output NAME=TYPE "
              "first", Q(e, name));
  return v;
}

static bool new_ends(Edit *e, const Ends *ends, const Map *needed)
{
  GraphProto *g = e->mp->graph;
  ValueInfoProto **in = NULL, **out = NULL;
  size_t nin = 0, nout = 0;
  for (int i = 0; i < ends->nin; i++) {
    ValueInfoProto *v = end_info(e, ends->in[i]);
    if (!v) return false;
    in = list_put(e->a, in, &nin, nin, v);
  }
  for (int i = 0; i < ends->nout; i++) {
    ValueInfoProto *v = end_info(e, ends->out[i]);
    if (!v) return false;
    out = list_put(e->a, out, &nout, nout, v);
  }
  /* ONNX IR-3: initializers are inputs, too. */
  Index *x = body_index(e, edit_main(e));
  for (size_t i = 0; i < g->n_input; i++) {
    const Named *t = index_get(x, g->input[i]->name);
    if (t && t->init && is_needed(needed, g->input[i]->name) &&
        !listed(ends->in, ends->nin, g->input[i]->name))
      in = list_put(e->a, in, &nin, nin, g->input[i]);
  }
  g->input = in;
  g->n_input = nin;
  g->output = out;
  g->n_output = nout;
  return true;
}

bool step_extract(Edit *e, const EditStep *s)
{
  Ends ends = {0};
  const char *in, *out;
  if (s->n == 2) {
    in = s->arg[0];
    out = s->arg[1];
  } else if (!parse_ends(e, s->arg[0], &in, &out)) {
    return false;
  }
  ends.in = edit_split(e, in, ',', &ends.nin);
  ends.out = edit_split(e, out, ',', &ends.nout);
  if (!ends.nout)
    return edit_fail(e, EXIT_USAGE, "it names no output");
  Body *b = edit_main(e);
  Index *x = body_index(e, b);
  if (!all_known(e, x, ends.in, ends.nin, true) ||
      !all_known(e, x, ends.out, ends.nout, true))
    return false;
  Map needed;
  map_init(&needed, e->a);
  for (int i = 0; i < ends.nout; i++) need(e, x, &ends, ends.out[i], &needed);
  if (!check_complete(e, x, &ends, &needed)) return false;
  if (!new_ends(e, &ends, &needed)) return false;
  keep_needed(b, &ends, &needed);
  for (int i = 0; i < ends.nin; i++) drop_info(b, ends.in[i]);
  for (int i = 0; i < ends.nout; i++) drop_info(b, ends.out[i]);
  if (e->mp->n_training_info)
    edit_warn(e, "training_info speaks of the whole graph, and is dropped");
  e->mp->n_training_info = 0;
  return true;
}
