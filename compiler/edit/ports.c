/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and outputs of the main graph come and go. A tensor between nodes may
 * become either. */
#include "attrs.h"
#include <string.h>

/* "NAME=TYPE", "NAME"; a name may hold '='. */
static ValueInfoProto *port(Edit *e, const char *text)
{
  const char *eq = strrchr(text, '=');
  if (eq) {
    const char *name = arena_strn(e->a, text, (size_t)(eq - text));
    return edit_parse_type(e, name, eq + 1);
  }
  ValueInfoProto *v = edit_value_info(e, text);
  if (v) return v;
  Body *b;
  Named *t;
  if (edit_find_tensor(e, text, &b, &t))
    edit_fail(e, EXIT_USAGE, "the type of %s is not known: write "
              "%s=float[N,3,224,224]", Q(e, text), text);
  return NULL;
}

static bool find_port(ValueInfoProto **v, size_t n, const char *name,
                      size_t *at)
{
  for (size_t i = 0; i < n; i++)
    if (v[i]->name && !strcmp(v[i]->name, name)) {
      *at = i;
      return true;
    }
  return false;
}

static bool no_port(Edit *e, const char *what, ValueInfoProto **v, size_t n,
                    const char *name)
{
  const char **names = NEW(e->a, const char *, n + 1);
  for (size_t i = 0; i < n; i++) names[i] = v[i]->name ? v[i]->name : "";
  return edit_fail(e, EXIT_USAGE, "the graph has no %s %s%s", what, Q(e, name),
                   edit_near(e, name, names, (int)n));
}

/* What made the tensor makes another one, or nothing is left of it. */
static void cut_maker(Edit *e, const Body *b, const Named *t)
{
  if (t->init) {
    for (size_t i = b->g->n_initializer; i-- > 0;)
      if (b->g->initializer[i] == t->init) LIST_DROP(b->g, initializer, i);
    for (size_t i = b->g->n_sparse_initializer; i-- > 0;)
      if (b->g->sparse_initializer[i] == t->sparse)
        LIST_DROP(b->g, sparse_initializer, i);
  }
  if (!t->maker) return;
  t->maker->output[t->out] = edit_str(e, "");
  bool empty = true;
  for (size_t k = 0; k < t->maker->n_output; k++)
    empty &= !*t->maker->output[k];
  if (!empty) return;
  Nodes one = {0};
  nodes_add(e, &one, t->maker);
  remove_dead(e, b, &one);
}

bool step_add_input(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    Body *b = edit_main(e);
    ValueInfoProto *v = port(e, s->arg[i]);
    if (!v) return false;
    Named *t = index_get(body_index(e, b), v->name);
    if (t && t->is_input)
      return edit_fail(e, EXIT_USAGE, "%s is an input already", Q(e, v->name));
    if (t && t->is_output && t->maker)
      return edit_fail(e, EXIT_USAGE, "%s is an output: it can't become an "
                       "input too", Q(e, v->name));
    if (t) cut_maker(e, b, t);
    LIST_ADD(e, b->g, input, v);
    for (size_t k = b->g->n_value_info; k-- > 0;)
      if (b->g->value_info[k]->name &&
          !strcmp(b->g->value_info[k]->name, v->name))
        LIST_DROP(b->g, value_info, k);
  }
  return true;
}

bool step_remove_input(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    Body *b = edit_main(e);
    size_t at;
    if (!find_port(b->g->input, b->g->n_input, s->arg[i], &at))
      return no_port(e, "input", b->g->input, b->g->n_input, s->arg[i]);
    const Named *t = index_get(body_index(e, b), s->arg[i]);
    if (!t->init && (t->uses || t->is_output))
      return edit_fail(e, EXIT_USAGE, "input %s is read: give it a value by "
                       "add-initializer first, or delete what reads it",
                       Q(e, s->arg[i]));
    LIST_DROP(b->g, input, at);
  }
  return true;
}

bool step_add_output(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    Body *b = edit_main(e);
    ValueInfoProto *v = port(e, s->arg[i]);
    if (!v) return false;
    Named *t = index_get(body_index(e, b), v->name);
    if (!t || (!t->maker && !t->is_input && !t->init)) {
      Body *other;
      if (edit_find_tensor(e, v->name, &other, &t))
        edit_fail(e, EXIT_USAGE, "%s is a tensor of %s: only the main graph's "
                  "can be outputs", Q(e, v->name), body_text(e, other));
      return false;
    }
    size_t at;
    if (find_port(b->g->output, b->g->n_output, v->name, &at))
      return edit_fail(e, EXIT_USAGE, "%s is an output already",
                       Q(e, v->name));
    LIST_ADD(e, b->g, output, v);
    for (size_t k = b->g->n_value_info; k-- > 0;)
      if (b->g->value_info[k]->name &&
          !strcmp(b->g->value_info[k]->name, v->name))
        LIST_DROP(b->g, value_info, k);
  }
  return true;
}

bool step_remove_output(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    Body *b = edit_main(e);
    size_t at;
    if (!find_port(b->g->output, b->g->n_output, s->arg[i], &at))
      return no_port(e, "output", b->g->output, b->g->n_output, s->arg[i]);
    LIST_DROP(b->g, output, at);
  }
  return true;
}
