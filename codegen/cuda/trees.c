/* SPDX-License-Identifier: Apache-2.0 */
/* Ensembles of trees: a thread walks one tree for one row and notes its leaf;
 * then a thread for each row adds what the leaves say, in the order of the
 * trees, and makes scores or classes of it. Tables are the record's.
 */
#include "cuda.h"

#include <string.h>

/* trees: x node value root target weight y has, rows columns features trees
 * targets kind; then tree_scores or tree_classes. */
static bool find_calls(const Plan *p, const Node *n, Call *call)
{
  if (strcmp(n->domain, "ai.onnx.ml") != 0 ||
      strncmp(n->op_type, "TreeEnsemble", 12) != 0)
    return false;
  for (int i = 0; i < n->nout; i++)
    if (!n->out[i] || n->out[i]->dtype == DT_STR)
      return false;
  return node_calls(p, n, call, 2) == 2 && !strcmp(call->kernel, "trees") &&
         call->arg[0].v == n->in[0] &&
         call->arg[6].v == n->out[n->nout - 1];
}

bool cuda_takes_trees(const Plan *p, const Node *n)
{
  Call call[2];
  return find_calls(p, n, call);
}

/* The call of one row, of the step's pointers; `rows` is the argument that
 * counts them. */
static void put_finish(Step *s, const Call *c, bool classes)
{
  StrBuf b;
  int rows = classes ? 5 : 3;
  sb_init(&b, s->plan->a);
  sb_printf(&b, "o2c_ref_%s_%s(row, is, %s", c->kernel,
            dtype_info(c->type)->name, c->arg[2].v ? "base" : "NULL");
  if (classes)
    sb_puts(&b, ", labels, number + i");
  sb_puts(&b, ", 1");
  for (int i = rows + 1; i < c->narg; i++)
    sb_printf(&b, ", %s", step_dim_text(s, c->arg[i].dim[0]));
  step_text(s, "FINISH", "%.*s);", (int)b.n, b.s);
  sb_free(&b);
}

void cuda_lower_trees(Plan *p, Node *n)
{
  static const char *const name[] = { "x", "node", "value", "root", "target",
                                      "weight" };
  static const char *const key[] = { "", "COLUMNS", "FEATURES", "TREES",
                                     "TARGETS", "WAY" };
  DimPool *d = &p->m->dims;
  Call call[2];
  find_calls(p, n, call);
  const Call *c = &call[0], *end = &call[1];
  bool classes = !strcmp(end->kernel, "tree_classes");
  Step *s = device_step(p, n, "CUDA_TREES");
  for (int i = 0; i < COUNT(name); i++)
    step_in(s, name[i], c->arg[i].v);
  if (end->arg[2].v)
    step_in(s, "base", end->arg[2].v);
  if (classes)
    step_in(s, "labels", end->arg[3].v);
  for (int i = 1; i < COUNT(key); i++)
    step_dim(s, key[i], c->arg[8 + i].dim[0]);
  cuda_put_least(s, "ROWS", c->arg[8].dim[0]);
  step_dim(s, "COUNT", c->arg[8].dim[0]);
  if (classes)
    step_out(s, "number", n->out[0]);
  step_out(s, "y", c->arg[6].v);
  const Dim *rows = c->arg[8].dim[0];
  const Dim *leaves = dim_mul(d, rows, c->arg[11].dim[0]);
  step_scratch(s, "leaf", DT_I32, leaves);
  step_scratch(s, "has", DT_U8, dim_mul(d, rows, c->arg[12].dim[0]));
  step_text(s, "TYPE", "%s", dtype_info(c->type)->name);
  step_text(s, "T", "%s", dtype_info(c->type)->c);
  put_finish(s, end, classes);
  step_ref(s, "trees", c->type);
  device_index(s, dim_max(d, leaves, dim_max(d, value_numel(n->in[0]),
                                             value_numel(c->arg[6].v))));
  cuda_put_unused(s);
  s->kernel_note = "cuda trees";
}
