/* SPDX-License-Identifier: Apache-2.0 */
/* Every TensorProto of a model: initializers, parts of sparse ones, tensors in
 * attributes, also of functions and their defaults. */
#include "edit.h"

static void add_tensor(Edit *e, Tensors *all, TensorProto *t)
{
  if (!t) return;
  all->t = arena_grow(e->a, all->t, all->n, sizeof *all->t);
  all->t[all->n++] = t;
}

static void add_sparse(Edit *e, Tensors *all, Onnx__SparseTensorProto *s)
{
  if (!s) return;
  add_tensor(e, all, s->values);
  add_tensor(e, all, s->indices);
}

static void add_attr(Edit *e, Tensors *all, AttributeProto *a)
{
  add_tensor(e, all, a->t);
  add_sparse(e, all, a->sparse_tensor);
  for (size_t i = 0; i < a->n_tensors; i++) add_tensor(e, all, a->tensors[i]);
  for (size_t i = 0; i < a->n_sparse_tensors; i++)
    add_sparse(e, all, a->sparse_tensors[i]);
}

Tensors edit_tensors(Edit *e)
{
  Tensors all = {0};
  int n;
  Body *b = edit_bodies(e, &n);
  for (int i = 0; i < n; i++) {
    for (size_t k = 0; k < body_count(&b[i]); k++) {
      NodeProto *np = body_node(&b[i], k);
      for (size_t j = 0; j < np->n_attribute; j++)
        add_attr(e, &all, np->attribute[j]);
    }
    for (size_t k = 0; b[i].f && k < b[i].f->n_attribute_proto; k++)
      add_attr(e, &all, b[i].f->attribute_proto[k]);
    GraphProto *g = b[i].g;
    for (size_t k = 0; g && k < g->n_initializer; k++)
      add_tensor(e, &all, g->initializer[k]);
    for (size_t k = 0; g && k < g->n_sparse_initializer; k++)
      add_sparse(e, &all, g->sparse_initializer[k]);
  }
  return all;
}
