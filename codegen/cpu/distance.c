/* SPDX-License-Identifier: Apache-2.0 */
/* o2c.Distance in f32 by distance_f32.h, for the powers 1 and 2; the rows of a
 * constant B are packed when compiling. */
#include "cpu.h"

static void put_constant(Step *s, Node *n)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *const *dim = n->in[1]->dim;
  step_in(s, "panels", panels_of_filters(n, n->in[1]->data, 1, 1));
  step_out(s, "y", n->out[0]);
  step_split(s, n->in[0]->dim[0], 1,
             dim_mul(d, dim_mul(d, dim[0], dim[1]), dim_int(d, TICKS_MAC)));
}

/* O2C_MATMUL_PANELS of matmul_f32.h. */
static void put_rows(Step *s, Node *n)
{
  DimPool *d = &s->plan->m->dims;
  const Value *v = n->in[1];
  const Dim *panel = dim_int(d, 16);
  const Dim *whole = dim_mul(d, dim_ceil_div(d, v->dim[0], panel), panel);
  step_in(s, "v", n->in[1]);
  step_out(s, "y", n->out[0]);
  step_scratch(s, "panels", DT_F32,
               dim_mul(d, v->dim[1], dim_min(d, whole, dim_int(d, 256))));
}

bool lower_distance_f32(Plan *p, Node *n)
{
  double power = (double)attr_float(n, "p", 2);
  if (!node_is_internal(n, "Distance") || n->in[0]->dtype != DT_F32 ||
      (power != 1 && power != 2))
    return false;
  const Value *v = n->in[1];
  bool constant = v->data && v->data->n > 0;
  Step *s = step_new(p, n, constant ? "DISTANCE" : "DISTANCE_ROWS");
  step_in(s, "x", n->in[0]);
  step_dim(s, "ROWS", n->in[0]->dim[0]);
  step_dim(s, "COLUMNS", v->dim[0]);
  step_dim(s, "FEATURES", v->dim[1]);
  step_int(s, "POWER", (int64_t)power);
  if (constant)
    put_constant(s, n);
  else
    put_rows(s, n);
  s->kernel_note = "distance_f32";
  step_kernel(s, "distance_f32.h");
  return true;
}
