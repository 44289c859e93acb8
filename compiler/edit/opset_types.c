/* SPDX-License-Identifier: Apache-2.0 */
/* Types, shapes and contents of the names of a file, by the compiler's own
 * import and inference.
 *
 * Inference rewrites the model while it goes: bodies are copied, operators
 * become others. So it shows each value to a watcher as soon as it is known,
 * and the watcher keeps what stands under a name of the file. Where one name
 * was seen with different types (trips of a loop, two branches), only what
 * they share is known. Errors of that model are silent: who edits a model that
 * can't be compiled knows less of it, and steps that need more refuse. */
#include "opset.h"
#include <string.h>

static void note(NameType *x, const Value *v)
{
  *x = (NameType){.dtype = v->dtype, .rank = v->rank, .v = v};
  for (int k = 0; k < v->rank; k++)
    if (!dim_is_int(v->dim[k], &x->dim[k])) x->dim[k] = -1;
}

static void see(void *user, const Value *v)
{
  NameTypes *t = user;
  if (!v->file || v->kind != VK_TENSOR) return;
  NameType **at = (NameType **)map_at(&t->names, v->name, strlen(v->name));
  NameType x, *o = *at;
  note(&x, v);
  if (!o) o = *at = NEW(&t->m->arena, NameType, 1);
  if (!o->dtype || o->v == v) *o = x;
  if (o->v == v) return;
  o->v = NULL;
  if (o->dtype != x.dtype) o->dtype = DT_NONE;
  if (o->rank != x.rank) o->rank = -1;
  for (int k = 0; k < o->rank; k++)
    if (o->dim[k] != x.dim[k]) o->dim[k] = -1;
}

NameTypes *types_empty(Edit *e)
{
  Model *m = model_new(e->m->opt, e->m->path);
  if (!m) model_panic(e->m, "no memory for types");
  NameTypes *t = NEW(&m->arena, NameTypes, 1);
  t->m = m;
  map_init(&t->names, &m->arena);
  return t;
}

NameTypes *types_read(Edit *e)
{
  static const Options none = {.command = "edit", .quiet = true};
  Model *m = import_message(&none, e->m->path, e->pb, e->mp);
  NameTypes *volatile t = NULL;
  if (!MODEL_EDGE(m)) {
    t = NEW(&m->arena, NameTypes, 1);
    t->m = m;
    map_init(&t->names, &m->arena);
    m->watch = see;
    m->watcher = t;
    if (!m->nerror) {
      schema_check(m->main);
      infer_graph(m->main);
    }
  }
  m->watch = NULL;
  m->arena.panic = NULL;
  if (t) return t;
  model_free(m);
  return types_empty(e);
}

void types_add_const(NameTypes *t, const char *name, const Tensor *x)
{
  NameType *nt = NEW(&t->m->arena, NameType, 1);
  nt->v = value_const(t->m->main, name, x);
  *map_at(&t->names, name, strlen(name)) = nt;
}

void types_free(NameTypes *t)
{
  model_free(t->m);
}

const NameType *types_find(const NameTypes *t, const char *name)
{
  NameType *x = t && *name ? map_get(&t->names, name, strlen(name)) : NULL;
  if (x && x->v) note(x, x->v); /* sizes may have been found equal since */
  return x;
}

const Tensor *types_const(const NameTypes *t, const char *name)
{
  const NameType *x = types_find(t, name);
  return x && x->v ? x->v->data : NULL;
}

const int64_t *types_ints(const NameTypes *t, const char *name, Arena *a,
                          int *count)
{
  const NameType *x = types_find(t, name);
  *count = 0;
  if (!x || !x->v || x->v->bad) return NULL;
  const Dim *const *d = value_content(x->v, count);
  if (!d) return NULL;
  int64_t *r = NEW(a, int64_t, *count + 1);
  for (int i = 0; i < *count; i++)
    if (!dim_is_int(d[i], &r[i])) return NULL;
  return r;
}
