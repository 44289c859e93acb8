/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes do to the axes of their inputs: the hook of the operator's record,
 * and what is told of all operators alike. */
#include <string.h>
#include "ir.h"

bool value_has(const Value *v, int sym)
{
  for (int k = 0; v && k < v->rank; k++)
    if (dim_has(&v->g->m->dims, v->dim[k], sym)) return true;
  return false;
}

bool content_has(const Value *v, int sym)
{
  int64_t n;
  if (!v || !v->sym || v->data) return false;
  if (!dim_is_int(value_numel(v), &n)) return true;
  for (int64_t i = 0; i < n; i++)
    if (v->sym[i] && dim_has(&v->g->m->dims, v->sym[i], sym)) return true;
  return false;
}

bool node_shape_only(const Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && !n->out[i]->sym) return false;
  return true;
}

bool node_reads_shape(const Node *n)
{
  static const char *const name[] = {
    "AffineGrid", "CenterCropPad", "Col2Im", "ConstantOfShape", "Expand", "Pad",
    "Resize", "Slice", "Split", "Tile",
  };
  for (int i = 0; i < COUNT(name); i++)
    if (node_is(n, name[i])) return true;
  return op_is_view(n);
}

int node_axis(const Node *n, int in, int axis, int out)
{
  if (n->op && n->op->axis) return n->op->axis(n, in, axis, out);
  if (!n->op || !(n->op->flags & OP_ELEMENTWISE)) return AXIS_MIXES;
  return axis + n->out[out]->rank - n->in[in]->rank;
}
