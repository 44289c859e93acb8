/* SPDX-License-Identifier: Apache-2.0 */
/* freeze and unfreeze: what a caller gives, and what the model holds.
 *
 * freeze takes initializers from the graph's inputs, where ONNX calls them
 * defaults that a caller may replace. unfreeze makes an initializer an input
 * that the caller must give. Before IR version 4 every initializer had to be
 * an input too, so such a file becomes one of IR version 4. */
#include "steps.h"
#include <string.h>

static TensorProto *initializer(const GraphProto *g, const char *name)
{
  for (size_t i = 0; i < g->n_initializer; i++)
    if (!strcmp(g->initializer[i]->name, name)) return g->initializer[i];
  return NULL;
}

static bool asked(const EditStep *s, const char *name)
{
  for (int k = 0; k < s->n; k++)
    if (edit_match(s->arg[k], name)) return true;
  return !s->n;
}

static bool found(Edit *e, const EditStep *s, int count, const char *what)
{
  const char *all = "";
  for (int k = 0; k < s->n; k++)
    all = arena_printf(e->a, "%s%s%s", all, k ? ", " : "", Q(e, s->arg[k]));
  if (count || !s->n) return true;
  return edit_fail(e, EXIT_USAGE, "no %s is called %s; onnx2c info lists the "
                   "inputs", what, all);
}

bool step_freeze(Edit *e, const EditStep *s)
{
  GraphProto *g = e->mp->graph;
  size_t k = 0;
  int count = 0;
  names_fill(e);
  for (size_t i = 0; i < g->n_input; i++) {
    const char *name = g->input[i]->name;
    if (asked(s, name) && initializer(g, name)) count++;
    else g->input[k++] = g->input[i];
  }
  g->n_input = k;
  if (count && e->mp->ir_version < 4) e->mp->ir_version = 4;
  edit_note(e, "%d inputs are constants now", count);
  return found(e, s, count, "input with an initializer");
}

static ValueInfoProto *info_of(Edit *e, const TensorProto *t)
{
  const char *dim[MAX_RANK];
  const Tensor *x = tensor_read(e, t);
  if (!x) return NULL;
  for (int k = 0; k < x->rank; k++)
    dim[k] = arena_printf(e->a, "%lld", (long long)x->dim[k]);
  return edit_info(e, t->name, x->dtype, x->rank, dim);
}

static bool is_input(const GraphProto *g, const char *name)
{
  for (size_t i = 0; i < g->n_input; i++)
    if (!strcmp(g->input[i]->name, name)) return true;
  return false;
}

bool step_unfreeze(Edit *e, const EditStep *s)
{
  GraphProto *g = e->mp->graph;
  size_t k = 0;
  int count = 0;
  names_fill(e);
  for (size_t i = 0; i < g->n_initializer; i++) {
    TensorProto *t = g->initializer[i];
    if (!asked(s, t->name)) {
      g->initializer[k++] = t;
      continue;
    }
    ValueInfoProto *v = is_input(g, t->name) ? NULL : info_of(e, t);
    if (v) LIST_ADD(e, g, input, v);
    else if (!is_input(g, t->name)) return false;
    count++;
  }
  g->n_initializer = k;
  edit_note(e, "%d initializers are inputs now", count);
  return found(e, s, count, "initializer");
}
