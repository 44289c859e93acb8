/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse tensors as inputs and outputs of the graph.
 *
 * No operator of ONNX has a sparse form, so one that reads a sparse input gets
 * a dense one, made once, by Densify; an output that is declared as sparse and
 * is not goes through Sparsify. Both are of domain o2c. In test data a sparse
 * tensor has three items: its elements, their indices [count, rank], its sizes.
 */
#include "ir.h"
#include <string.h>

static Node *node_before(Graph *g, Node *at, const char *op, Value *x,
                         Value *y)
{
  Node *n = node_new(g, at, op, 1, 1, NULL);
  n->domain = "o2c";
  n->op = op_find("o2c", op);
  n->version = 1;
  node_set_input(n, 0, x);
  node_set_output(n, 0, y);
  return n;
}

/* The dense form of a sparse input; NULL after a diagnostic. */
static Value *dense(Node *at, Value *v)
{
  Graph *g = at->g;
  while (v->def && node_is(v->def, "Identity")) v = v->def->in[0];
  for (int i = 0; i < v->nuse; i++)
    if (node_is_internal(v->use[i], "Densify")) return v->use[i]->out[0];
  if (v->def || !v->is_input || v->g != g) {
    fail_unsupported(at, "a sparse tensor that is no input of the model");
    return NULL;
  }
  Node *n = node_before(g, g->first, "Densify", v,
                        value_tmp(g, "dense", NULL));
  infer_node(n);
  return n->out[0];
}

void sparse_inputs(Node *n)
{
  if (!n->op || n->bad || node_is(n, "Identity") ||
      node_is_internal(n, "Densify")) return;
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (!v || v->bad || v->kind != VK_SPARSE) continue;
    Value *x = dense(n, v);
    if (x) node_set_input(n, i, x);
  }
}

void sparse_output(Graph *g, int out)
{
  Value *v = g->out[out];
  const Type *t = v->declared;
  if (v->bad || v->kind != VK_TENSOR || !t || t->kind != VK_SPARSE ||
      !v->dtype || v->rank < 0) return;
  if (t->dtype && t->dtype != v->dtype) {
    diag_model(g->m, SEV_ERROR, EXIT_MODEL, "output %s is declared as %s, but "
               "has elements of type %s; correct the model",
               quote(&g->m->arena, v->name), type_text(&g->m->arena, t),
               dtype_info(v->dtype)->onnx);
    return;
  }
  Value *y = value_tmp(g, "sparse", NULL);
  y->kind = VK_SPARSE;
  y->declared = t;
  y->inferred = true;
  node_before(g, NULL, "Sparsify", v, y);
  value_set_shape(y, 0, NULL);
  v->is_output = false;
  y->is_output = true;
  g->out[out] = y;
}

const Tensor *sparse_of(Arena *a, const Tensor *t)
{
  size_t size = (size_t)dtype_info(t->dtype)->size;
  int64_t count = 0, dim[2] = {0, t->rank}, rank = t->rank;
  const char *x = t->data;
  bool *some = NEW(a, bool, t->n + 1);
  for (int64_t i = 0; i < t->n; i++) {
    const Str *s = (const Str *)t->data + i;
    if (t->dtype == DT_STR) some[i] = s->n > 0;
    else
      for (size_t k = 0; k < size; k++) some[i] |= x[(size_t)i * size + k] != 0;
    count += some[i];
  }
  dim[0] = count;
  Tensor *y = NEW(a, Tensor, 1), *item[3] = {tensor_new(a, t->dtype, 1, dim),
    tensor_new(a, DT_I64, 2, dim), tensor_new(a, DT_I64, 1, &rank)};
  char *to = NEW(a, char, (size_t)count * size + 1);
  item[0]->data = to;
  for (int64_t i = 0, k = 0; i < t->n; i++) {
    if (!some[i]) continue;
    memcpy(to + (size_t)k * size, x + (size_t)i * size, size);
    int64_t left = i;
    for (int j = t->rank - 1; j >= 0; left /= t->dim[j], j--)
      tensor_set_i64(item[1], k * rank + j, left % t->dim[j]);
    k++;
  }
  for (int j = 0; j < t->rank; j++) tensor_set_i64(item[2], j, t->dim[j]);
  y->kind = VK_SPARSE;
  y->name = t->name;
  y->n = 3;
  y->item = NEW(a, const Tensor *, 3);
  for (int k = 0; k < 3; k++) y->item[k] = item[k];
  return y;
}

/* Where element k stands; -1: outside of the tensor. */
static int64_t position(const Tensor *at, const Tensor *dense, int64_t k)
{
  int64_t p = at->rank == 1 ? tensor_i64(at, k) : 0;
  for (int j = 0; at->rank == 2 && j < dense->rank; j++) {
    int64_t x = tensor_i64(at, k * dense->rank + j);
    if (x < 0 || x >= dense->dim[j]) return -1;
    p = p * dense->dim[j] + x;
  }
  return p < dense->n ? p : -1;
}

const Tensor *sparse_dense(Arena *a, const Tensor *t)
{
  const Tensor *x = t->item[0], *at = t->item[1];
  int64_t dim[MAX_RANK], n = 1;
  int rank = (int)t->item[2]->n;
  size_t size = (size_t)dtype_info(x->dtype)->size;
  for (int j = 0; j < rank; j++) {
    dim[j] = tensor_i64(t->item[2], j);
    if (dim[j] < 0 || (dim[j] && n > INT32_MAX / dim[j])) return NULL;
    n *= dim[j];
  }
  Tensor *y = tensor_new(a, x->dtype, rank, dim);
  char *to = NEW(a, char, (size_t)n * size + 1);
  y->data = to;
  for (int64_t k = 0; k < x->n; k++) {
    int64_t p = position(at, y, k);
    if (p < 0) return NULL;
    memcpy(to + (size_t)p * size, (const char *)x->data + (size_t)k * size,
           size);
  }
  return y;
}
