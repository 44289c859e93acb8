/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler's own inference tells of the model, by the file's names:
 * the messages are imported as they are now, and inferred. Errors of that
 * import are no errors of the step: they say what is not known. */
#include "steps.h"
#include <string.h>

/* The values of the main graph, before inference makes others. */
static void note(Look *l, Value *v)
{
  if (v && v->file) *map_at(&l->value, v->name, strlen(v->name)) = v;
}

static void note_values(Look *l, const Graph *g)
{
  for (int i = 0; i < g->nin; i++) note(l, g->in[i]);
  for (const Node *n = g->first; n; n = n->next) {
    for (int i = 0; i < n->nin; i++) note(l, n->in[i]);
    for (int i = 0; i < n->nout; i++) note(l, n->out[i]);
  }
}

/* Types of all names, in bodies too, as inference comes by. -1: it is not known
 * which of two. */
static void see(void *watcher, const Value *v)
{
  Look *l = watcher;
  if (!v->file || (v->kind == VK_TENSOR && !v->dtype)) return;
  intptr_t *t = (intptr_t *)map_at(&l->type, v->name, strlen(v->name));
  intptr_t is = v->kind == VK_TENSOR ? (intptr_t)v->dtype : DT_COUNT;
  *t = !*t || *t == is ? is : -1;
}

bool look_open(Edit *e, const ModelProto *mp, Look *l)
{
  static const Options none = {.command = "edit", .quiet = true};
  Model *m = l->m = import_message(&none, e->m->path, e->pb, mp);
  map_init(&l->value, e->a);
  map_init(&l->type, e->a);
  l->e = e;
  l->fine = false;
  if (!MODEL_EDGE(m) && !m->nerror) {
    m->watch = see;
    m->watcher = l;
    note_values(l, m->main);
    schema_check(m->main);
    infer_graph(m->main);
    l->fine = true;
  }
  m->watch = NULL;
  m->arena.panic = NULL;
  return l->fine;
}

void look_close(Look *l)
{
  if (l->m) model_free(l->m);
  l->m = NULL;
}

const Value *look_at(const Look *l, const char *name)
{
  const Value *v = map_get(&l->value, name, strlen(name));
  return v && !v->bad ? v : NULL;
}

/* What the file declares of a name, anywhere. */
static int declared(Edit *e, const char *name)
{
  int n;
  Body *all = edit_bodies(e, &n);
  for (int i = 0; i < n; i++) {
    const GraphProto *g = all[i].g;
    for (size_t k = 0; g && k < g->n_initializer; k++)
      if (!strcmp(g->initializer[k]->name, name))
        return g->initializer[k]->data_type;
    const ValueInfoProto *v = g ? body_info(&all[i], name) : NULL;
    if (!v || !v->type) continue;
    if (v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
      return v->type->tensor_type->elem_type;
    return v->type->value_case ? DT_COUNT : -1;
  }
  return -1;
}

int look_type(const Look *l, const char *name)
{
  const Value *v = look_at(l, name);
  if (v && v->kind == VK_TENSOR && v->dtype) return (int)v->dtype;
  intptr_t t = (intptr_t)map_get(&l->type, name, strlen(name));
  return t > 0 ? (int)t : declared(l->e, name);
}

const char *look_why(Edit *e, const Look *l)
{
  for (const Diag *d = l->m ? l->m->diags : NULL; d; d = d->next)
    if (d->sev == SEV_ERROR) return edit_str(e, d->text);
  return "nothing is known of it";
}
