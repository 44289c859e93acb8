/* SPDX-License-Identifier: Apache-2.0 */
/* ScatterElements and ScatterND, whose results never depend on which thread
 * comes first. Without a reduction each place remembers the last update that
 * names it, an integer maximum, and is then made of that one. With one the
 * updates of a line, that is, those that differ along the indexed axis alone,
 * meet nothing of other lines, and go in the order of the file: by one thread
 * where lines are many, else by a block whose threads share the places.
 */
#include "cuda.h"

#include <string.h>

static bool is_elements(const Call *c)
{
  return !strcmp(c->kernel, "scatter_elements");
}

static bool find_call(const Plan *p, const Node *n, Call *c)
{
  return (node_is(n, "ScatterElements") || node_is(n, "ScatterND")) &&
         cuda_one_call(p, n, c) &&
         (is_elements(c) || !strcmp(c->kernel, "scatter_nd"));
}

bool cuda_takes_scatter(const Plan *p, const Node *n)
{
  Call c;
  return find_call(p, n, &c);
}

static const char *operand(Step *s, const char *name, Value *v)
{
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].v == v)
      return s->ptr[i].name;
  step_in(s, name, v);
  return name;
}

/* By last updates. */
static void lower_last(Step *s, const Call *c)
{
  DimPool *d = &s->plan->m->dims;
  const Value *x = c->arg[0].v;
  const Dim *one = dim_int(d, 1), *slots = value_numel(x), *inner = one;
  const Dim *updates = value_numel(c->arg[1].v);
  int64_t axis = 0;
  if (is_elements(c)) {
    dim_is_int(c->arg[7].dim[0], &axis);
    cuda_put_axes(s, c->arg[8].dim, c->arg[9].dim, c->arg[8].n, (int)axis);
  } else {
    inner = c->arg[7].dim[0];
    slots = dim_prod(d, c->arg[8].dim, c->arg[8].n);
    updates = c->arg[5].dim[0];
    cuda_put_tuple(s, c->arg[8].dim, c->arg[8].n);
  }
  bool small = !strcmp(step_var(s, "INDEX"), "int32_t");
  step_scratch(s, "last", small ? DT_I32 : DT_I64, slots);
  step_dim(s, "SLOTS", slots);
  step_dim(s, "UPDATES", updates);
  cuda_put_words(s, x->dtype, inner, value_numel(x));
}

/* Where a line lies, and how its updates and places follow. */
static void lower_lines(Step *s, const Call *c)
{
  DimPool *d = &s->plan->m->dims;
  Arena *a = s->plan->a;
  const Value *x = c->arg[0].v;
  const Dim *lines, *from[MAX_RANK], *to[MAX_RANK], *n[MAX_RANK];
  const char *of_u = "0", *of_y = "0";
  if (!is_elements(c)) {
    const Dim *inner = c->arg[7].dim[0];
    step_dim(s, "LINES", inner);
    step_text(s, "INDICES", "%s", "");
    step_text(s, "OUTSIDE", "%s", "");
    step_text(s, "OF_UPDATES", "l");
    step_text(s, "OF_PLACES", "l");
    step_dim(s, "STEP", inner);
    step_dim(s, "PITCH", inner);
    step_dim(s, "N", dim_prod(d, c->arg[8].dim, c->arg[8].n));
    step_dim(s, "UPDATES", c->arg[5].dim[0]);
    cuda_put_tuple(s, c->arg[8].dim, c->arg[8].n);
    cuda_put_words(s, x->dtype, dim_int(d, 1), value_numel(x));
    return;
  }
  int rank = c->arg[8].n, k = 0;
  int64_t axis = 0;
  dim_is_int(c->arg[7].dim[0], &axis);
  const Dim *u = dim_int(d, 1), *y = dim_int(d, 1);
  for (int i = rank - 1; i >= 0; i--) {
    from[i] = u;
    to[i] = y;
    u = dim_mul(d, u, c->arg[9].dim[i]);
    y = dim_mul(d, y, c->arg[8].dim[i]);
  }
  const char *outside = "";
  for (int i = 0; i < rank; i++) {
    if (i == axis)
      continue;
    n[k] = c->arg[9].dim[i];
    of_u = arena_printf(a, "%s + i%d * (%s)", of_u, k,
                        step_dim_text(s, from[i]));
    of_y = arena_printf(a, "%s + i%d * (%s)", of_y, k,
                        step_dim_text(s, to[i]));
    if (c->arg[8].dim[i] != n[k])
      outside = arena_printf(a, "%s%si%d >= %s", outside,
                             *outside ? " || " : "", k,
                             step_dim_text(s, c->arg[8].dim[i]));
    k++;
  }
  lines = dim_prod(d, n, k);
  StrBuf b;
  sb_init(&b, a);
  cuda_put_indices(s, &b, n, k, "i", "l");
  step_text(s, "INDICES", "%.*s", (int)b.n, b.s ? b.s : "");
  sb_free(&b);
  step_dim(s, "LINES", lines);
  step_text(s, "OF_UPDATES", "%s", of_u);
  step_text(s, "OF_PLACES", "%s", of_y);
  step_text(s, "OUTSIDE", "%s", outside);
  step_dim(s, "STEP", from[axis]);
  step_dim(s, "PITCH", to[axis]);
  step_dim(s, "N", c->arg[8].dim[axis]);
  step_dim(s, "UPDATES", c->arg[9].dim[axis]);
  cuda_put_words(s, x->dtype, dim_int(d, 1), value_numel(x));
}

/* scatter_elements: x index updates y, width op rank axis, dim out;
 * scatter_nd: x index updates y, op count rank inner, dim */
void cuda_lower_scatter(Plan *p, Node *n)
{
  DimPool *d = &p->m->dims;
  Call c;
  int64_t op = 0;
  find_call(p, n, &c);
  dim_is_int(c.arg[is_elements(&c) ? 5 : 4].dim[0], &op);
  Step *s = device_step(p, n, op ? "CUDA_SCATTER_LINES" : "CUDA_SCATTER_LAST");
  step_in(s, "x", c.arg[0].v);
  step_text(s, "AT", "%s", operand(s, "index", c.arg[1].v));
  step_text(s, "FROM", "%s", operand(s, "u", c.arg[2].v));
  step_out(s, "y", c.arg[3].v);
  step_text(s, "ELEMENTS", is_elements(&c) ? "1" : "");
  step_text(s, "TYPE", "%s", dtype_info(c.type)->name);
  step_int(s, "OP", op);
  device_index(s, dim_max(d, value_numel(c.arg[0].v),
                          dim_max(d, value_numel(c.arg[1].v),
                                  value_numel(c.arg[2].v))));
  if (op) {
    step_ref(s, "scatter", c.type);
    lower_lines(s, &c);
  } else {
    lower_last(s, &c);
  }
  cuda_put_unused(s);
  step_kernel(s, "cuda/pick.h");
  s->kernel_note = op ? "cuda scatter, by lines" : "cuda scatter";
}
