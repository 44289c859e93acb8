/* SPDX-License-Identifier: Apache-2.0 */
/* insert, add-node, replace: a new node among the old ones. */
#include "attrs.h"
#include <string.h>

static NodeProto *new_node(Edit *e, const char *op, const char *const *word,
                           int n, NodeProto *into)
{
  NodeProto *np = into ? into : node_parse(e, op);
  if (!node_words(e, np, word, n)) return NULL;
  if (!np->name) np->name = edit_str(e, edit_fresh(e, np->op_type));
  return np;
}

/* --- insert --------------------------------------------------------------- */

/* The new node reads the tensor, and all that read it read the new one. An
 * output of the graph keeps its name: the new node makes it. */
static bool insert_after(Edit *e, const Body *b, const Named *t,
                         NodeProto *np)
{
  const char *name = t->name;
  size_t at = t->maker ? body_find(b, t->maker) + 1 : 0;
  const char *other = edit_fresh(e, arena_printf(e->a, "%s_%s", name,
                                                 np->op_type));
  if (t->is_output && t->maker) {
    if (!np->n_output) node_add_output(e, np, name);
    const char *out = arena_str(e->a, np->output[0]);
    if (strcmp(out, name) != 0)
      return edit_fail(e, EXIT_USAGE, "%s is an output of the graph, which the "
                       "new node must make: leave @out away", Q(e, name));
    for (size_t k = 0; k < t->maker->n_output; k++)
      if (!strcmp(t->maker->output[k], name))
        t->maker->output[k] = edit_str(e, other);
    np->input = list_put(e->a, np->input, &np->n_input, 0,
                         edit_str(e, other));
    body_insert(e, b, at, np);
    return true;
  }
  if (t->is_output)
    return edit_fail(e, EXIT_UNSUPPORTED, "%s is an input and an output of the "
                     "graph: no node can stand between", Q(e, name));
  if (!np->n_output) node_add_output(e, np, other);
  body_redirect(e, b, name, np->output[0], NULL);
  np->input = list_put(e->a, np->input, &np->n_input, 0, edit_str(e, name));
  body_insert(e, b, at, np);
  return true;
}

/* What made the tensor makes another one, from which the new node makes it. */
static bool insert_before(Edit *e, const Body *b, const Named *t,
                          NodeProto *np)
{
  if (!t->maker)
    return edit_fail(e, EXIT_USAGE, "no node makes %s, so none can stand "
                     "before it; insert it after", Q(e, t->name));
  if (np->n_output)
    return edit_fail(e, EXIT_USAGE, "the new node makes %s: leave @out away",
                     Q(e, t->name));
  const char *other = edit_fresh(e, arena_printf(e->a, "%s_before_%s", t->name,
                                                 np->op_type));
  t->maker->output[t->out] = edit_str(e, other);
  np->input = list_put(e->a, np->input, &np->n_input, 0, edit_str(e, other));
  node_add_output(e, np, t->name);
  body_insert(e, b, body_find(b, t->maker) + 1, np);
  return true;
}

bool step_insert(Edit *e, const EditStep *s)
{
  Body *b;
  Named *t;
  bool after = !strcmp(s->arg[1], "after");
  if (!after && strcmp(s->arg[1], "before") != 0)
    return edit_fail(e, EXIT_USAGE, "insert OP before|after TENSOR: %s is "
                     "neither", Q(e, s->arg[1]));
  if (!edit_find_tensor(e, s->arg[2], &b, &t)) return false;
  NodeProto *np = new_node(e, s->arg[0], s->arg + 3, s->n - 3, NULL);
  if (!np) return false;
  domain_import(e, b, np->domain);
  return after ? insert_after(e, b, t, np) : insert_before(e, b, t, np);
}

/* --- add-node ------------------------------------------------------------- */

/* Behind the last node that makes one of its inputs. */
static size_t place_of(const Body *b, const Index *x, const NodeProto *np)
{
  size_t at = 0;
  for (size_t i = 0; i < np->n_input; i++) {
    const Named *t = *np->input[i] ? index_get(x, np->input[i]) : NULL;
    if (!t || !t->maker) continue;
    size_t k = body_find(b, t->maker) + 1;
    if (k > at) at = k;
  }
  return at;
}

static bool check_new_names(Edit *e, const Body *b, const NodeProto *np)
{
  const Index *x = body_index(e, b);
  for (size_t k = 0; k < np->n_output; k++) {
    const Named *t = *np->output[k] ? index_get(x, np->output[k]) : NULL;
    if (t && (t->maker || t->is_input || t->init))
      return edit_fail(e, EXIT_USAGE, "%s is made already; give another name",
                       Q(e, np->output[k]));
  }
  for (size_t k = 0; k < np->n_input; k++) {
    Body *where;
    Named *t;
    if (*np->input[k] && !edit_find_tensor(e, np->input[k], &where, &t))
      return false;
  }
  return true;
}

static void add_names(Edit *e, NodeProto *np, const char *in, const char *out)
{
  int n;
  const char **part = edit_split(e, in, ',', &n);
  for (int i = 0; i < n; i++) node_add_input(e, np, part[i]);
  part = edit_split(e, out, ',', &n);
  for (int i = 0; i < n; i++) node_add_output(e, np, part[i]);
}

bool step_add_node(Edit *e, const EditStep *s)
{
  Body *b = edit_main(e);
  NodeProto *np = node_parse(e, s->arg[0]);
  const char *colon = strrchr(s->arg[1], ':');
  if (!colon || !colon[1])
    return edit_fail(e, EXIT_USAGE, "%s is not IN1,IN2:OUT1,OUT2",
                     Q(e, s->arg[1]));
  add_names(e, np, arena_strn(e->a, s->arg[1], (size_t)(colon - s->arg[1])),
            colon + 1);
  if (!check_new_names(e, b, np) ||
      !new_node(e, NULL, s->arg + 2, s->n - 2, np))
    return false;
  domain_import(e, b, np->domain);
  body_insert(e, b, place_of(b, body_index(e, b), np), np);
  return true;
}

/* --- replace -------------------------------------------------------------- */

/* Nodes from which `to` can be reached, of those that `from` reaches. */
static void between(Edit *e, const Body *b, NodeProto *from, NodeProto *to,
                    Nodes *set)
{
  Index *x = body_index(e, b);
  size_t first = body_find(b, from), last = body_find(b, to);
  size_t n = body_count(b);
  bool *down = NEW(e->a, bool, n), *up = NEW(e->a, bool, n);
  down[first] = up[last] = true;
  for (size_t i = first + 1; i < n; i++) { /* nodes stand in order */
    int count;
    const char **in = node_reads(e, body_node(b, i), &count);
    for (int k = 0; k < count; k++) {
      const Named *t = index_get(x, in[k]);
      if (t && t->maker && down[body_find(b, t->maker)]) down[i] = true;
    }
  }
  for (size_t i = last + 1; i-- > 0;) {
    int count;
    if (!up[i]) continue;
    const char **in = node_reads(e, body_node(b, i), &count);
    for (int k = 0; k < count; k++) {
      const Named *t = index_get(x, in[k]);
      if (t && t->maker) up[body_find(b, t->maker)] = true;
    }
  }
  for (size_t i = 0; i < n; i++)
    if (down[i] && up[i]) nodes_add(e, set, body_node(b, i));
}

static bool in_set(const Nodes *set, const NodeProto *n)
{
  for (int i = 0; i < set->count; i++)
    if (set->n[i] == n) return true;
  return false;
}

static bool has_name(char **name, size_t n, const char *s)
{
  for (size_t i = 0; i < n; i++)
    if (!strcmp(name[i], s)) return true;
  return false;
}

static bool is_constant(const Named *t)
{
  return (t->init && !t->is_input) ||
         (t->maker && t->maker->op_type &&
          !strcmp(t->maker->op_type, "Constant"));
}

/* Inputs of the set are the new node's, but for constants; so are the outputs
 * that are read outside. */
static void ends_of(Edit *e, const Body *b, const Nodes *set, NodeProto *np)
{
  Index *x = body_index(e, b);
  for (int i = 0; i < set->count; i++) {
    int count;
    const char **in = node_reads(e, set->n[i], &count);
    for (int k = 0; k < count; k++) {
      const Named *t = index_get(x, in[k]);
      if (t && ((t->maker && in_set(set, t->maker)) || is_constant(t)))
        continue;
      if (!has_name(np->input, np->n_input, in[k]))
        node_add_input(e, np, in[k]);
    }
  }
  Map read;
  map_init(&read, e->a);
  for (size_t i = 0; i < body_count(b); i++) {
    int count;
    if (in_set(set, body_node(b, i))) continue;
    const char **in = node_reads(e, body_node(b, i), &count);
    for (int k = 0; k < count; k++)
      *map_at(&read, in[k], strlen(in[k])) = set->n;
  }
  for (int i = 0; i < set->count; i++)
    for (size_t k = 0; k < set->n[i]->n_output; k++) {
      const char *s = set->n[i]->output[k];
      const Named *t = *s ? index_get(x, s) : NULL;
      if (t && (t->is_output || map_get(&read, s, strlen(s))))
        node_add_output(e, np, s);
    }
}

static bool replace_nodes(Edit *e, const EditStep *s, const char *range,
                          const char *op)
{
  const char *dots = strstr(range, "..");
  const char *from = dots ? arena_strn(e->a, range, (size_t)(dots - range))
                          : range;
  Body *b, *b2;
  size_t i, k;
  Nodes set = {0};
  if (!edit_find_node(e, from, &b, &i) ||
      !edit_find_node(e, dots ? dots + 2 : range, &b2, &k))
    return false;
  if (b->g != b2->g || b->f != b2->f)
    return edit_fail(e, EXIT_USAGE, "the two nodes stand in %s and %s",
                     body_text(e, b), body_text(e, b2));
  between(e, b, body_node(b, i), body_node(b, k), &set);
  if (!set.count)
    return edit_fail(e, EXIT_USAGE, "no way leads from %s to %s",
                     node_text(e, body_node(b, i)),
                     node_text(e, body_node(b, k)));
  NodeProto *np = node_parse(e, op);
  ends_of(e, b, &set, np);
  if (!new_node(e, NULL, s->arg + 1, s->n - 1, np)) return false;
  domain_import(e, b, np->domain);
  body_insert(e, b, k + 1, np);
  for (size_t j = body_count(b); j-- > 0;)
    if (in_set(&set, body_node(b, j))) body_remove(b, j);
  return true;
}

/* The makers of the outputs make others, which nobody reads; what only they
 * needed goes. */
static bool replace_tensors(Edit *e, const EditStep *s, const char *ends,
                            const char *op)
{
  const char *in, *out;
  Body *b = edit_main(e);
  if (!parse_ends(e, ends, &in, &out)) return false;
  NodeProto *np = node_parse(e, op);
  add_names(e, np, in, out);
  Index *x = body_index(e, b);
  Nodes among = {0};
  size_t at = 0;
  for (size_t k = 0; k < np->n_output; k++) {
    const Named *t = index_get(x, np->output[k]);
    if (!t || !t->maker)
      return edit_fail(e, EXIT_USAGE, "no node makes %s", Q(e, np->output[k]));
    size_t place = body_find(b, t->maker);
    if (place > at) at = place;
    t->maker->output[t->out] =
      edit_str(e, edit_fresh(e, arena_printf(e->a, "%s_old", t->name)));
  }
  for (size_t k = 0; k < np->n_input; k++) {
    Body *where;
    Named *t;
    if (!edit_find_tensor(e, np->input[k], &where, &t)) return false;
  }
  if (!new_node(e, NULL, s->arg + 1, s->n - 1, np)) return false;
  domain_import(e, b, np->domain);
  for (size_t i = 0; i <= at; i++) nodes_add(e, &among, body_node(b, i));
  body_insert(e, b, at + 1, np);
  remove_dead(e, b, &among);
  return true;
}

bool step_replace(Edit *e, const EditStep *s)
{
  const char *eq = strrchr(s->arg[0], '=');
  if (!eq || eq == s->arg[0] || !eq[1])
    return edit_fail(e, EXIT_USAGE, "%s is not NODE..NODE=OP or IN:OUT=OP",
                     Q(e, s->arg[0]));
  const char *what = arena_strn(e->a, s->arg[0], (size_t)(eq - s->arg[0]));
  bool tensors = strchr(what, ':') && !strstr(what, "..");
  return tensors ? replace_tensors(e, s, what, eq + 1)
                 : replace_nodes(e, s, what, eq + 1);
}
