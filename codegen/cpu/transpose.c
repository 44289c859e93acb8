/* SPDX-License-Identifier: Apache-2.0 */
/* The Transpose of an image to channels-last whose reader wants a border
 * around it. Others are moves: move.c. */
#include "cpu.h"

/* [1, C, H, W] to [1, H, W, C] with a border: a matrix for each image row. */
static void put_bordered(Step *s, Value *y, const Halo *h)
{
  int64_t rows, cols, c, size = dtype_info(y->dtype)->size;
  dim_is_int(y->dim[1], &rows);
  dim_is_int(y->dim[2], &cols);
  dim_is_int(y->dim[3], &c);
  int64_t wide = (cols + h->left + h->right) * c;
  step_int(s, "MATRICES", rows);
  step_int(s, "SIZE", size);
  step_int(s, "ROWS", c);
  step_int(s, "COLS", cols);
  step_int(s, "X_NEXT", cols);
  step_int(s, "X_ROW", rows * cols);
  step_int(s, "Y_NEXT", wide);
  step_int(s, "Y_ROW", c);
  step_text(s, "Y", "%s", stored_pixels(s, "y", y));
  halo_put_border(s, "y", y);
}

/* The image's Transpose to channels-last, for a border; see halo.c. */
bool transpose_to_last(const Node *n)
{
  int count;
  const int64_t *perm = attr_ints(n, "perm", &count);
  return node_is(n, "Transpose") && perm && count == 4 && perm[0] == 0 &&
         perm[1] == 2 && perm[2] == 3 && perm[3] == 1;
}

bool lower_transpose(Plan *p, Node *n)
{
  const Halo *h = node_is(n, "Transpose") ? halo_find(p, n->out[0]) : NULL;
  if (!h || stored_pitch(p, n->out[0]) || is_strided(p, n->in[0]) ||
      !value_static(n->out[0]))
    return false;
  Step *s = step_new(p, n, "TRANSPOSE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  put_bordered(s, n->out[0], h);
  s->kernel_note = "transpose, with a border";
  step_kernel(s, "move.h");
  return true;
}
