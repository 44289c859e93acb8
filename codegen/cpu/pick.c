/* SPDX-License-Identifier: Apache-2.0 */
/* Pad, Gather, CumSum and what else is a single call of a reference kernel for
 * which there is better code: the operator's record makes the call, and its
 * arguments are those of the step.
 */
#include "cpu.h"

#include <string.h>

static const char *list_text(Step *s, const Dim *const *dim, int n)
{
  const char *text = "";
  for (int i = 0; i < n; i++)
    text = arena_printf(s->plan->a, "%s%s%s", text, i ? ", " : "",
                        step_dim_text(s, dim[i]));
  return text;
}

void pad_axes(DimPool *d, const Call *c, bool constant, Padded *v)
{
  int n = 0, rank = c->arg[5].n;
  for (int i = 0; i < rank; i++) {
    const Dim *dim = c->arg[5].dim[i];
    const Dim *begin = c->arg[6].dim[i], *end = c->arg[7].dim[i];
    bool still = dim_is(begin, 0) && dim_is(end, 0);
    bool joins = n > 0 && still && (constant || (dim_is(v->begin[n - 1], 0) &&
                                                 dim_is(v->end[n - 1], 0)));
    if (joins) {
      v->dim[n - 1] = dim_mul(d, v->dim[n - 1], dim);
      v->begin[n - 1] = dim_mul(d, v->begin[n - 1], dim);
      v->end[n - 1] = dim_mul(d, v->end[n - 1], dim);
      continue;
    }
    v->dim[n] = dim;
    v->begin[n] = begin;
    v->end[n++] = end;
  }
  v->unit = dim_int(d, 1);
  if (n > 1 && dim_is(v->begin[n - 1], 0) && dim_is(v->end[n - 1], 0))
    v->unit = v->dim[--n];
  v->rank = n;
}

/* pad: x value y, rank mode, dim begin end */
static bool take_pad(Plan *p, Node *n, const Call *c)
{
  DimPool *d = &p->m->dims;
  Padded v;
  int64_t mode, unit, fixed, size = dtype_info(c->arg[0].v->dtype)->size;
  dim_is_int(c->arg[4].dim[0], &mode);
  if (!c->arg[5].n)
    return false;
  pad_axes(d, c, mode == 0, &v);
  if (!dim_is_int(v.unit, &unit) || unit == 0)
    return false;
  Step *s = step_new(p, n, "PADDED");
  step_in(s, "x", c->arg[0].v);
  if (c->arg[1].v)
    step_in(s, "value", c->arg[1].v);
  step_out(s, "y", c->arg[2].v);
  step_text(s, "VALUE", c->arg[1].v ? "value" : "NULL");
  step_int(s, "RANK", v.rank);
  step_int(s, "MODE", mode);
  step_int(s, "SIZE", size);
  step_int(s, "UNIT", unit * size);
  step_text(s, "DIMS", "%s", list_text(s, v.dim, v.rank));
  step_text(s, "BEGIN", "%s", list_text(s, v.begin, v.rank));
  step_text(s, "END", "%s", list_text(s, v.end, v.rank));
  bool known = true;
  for (int i = 0; i < v.rank; i++)
    known = known && dim_is_int(v.dim[i], &fixed) &&
            dim_is_int(v.begin[i], &fixed) && dim_is_int(v.end[i], &fixed);
  step_text(s, "CONST", known ? "static const" : "const");
  s->kernel_note = "pad";
  step_kernel(s, "pad.h");
  return true;
}

/* gather: x index y, width outer n inner count */
static bool take_gather(Plan *p, Node *n, const Call *c)
{
  int64_t inner, size = dtype_info(c->arg[0].v->dtype)->size;
  bool fixed = dim_is_int(c->arg[6].dim[0], &inner);
  bool few = fixed && inner * size <= 64;
  if (fixed && inner == 0)
    return false;
  Step *s = step_new(p, n, "GATHER");
  step_in(s, "x", c->arg[0].v);
  if (c->arg[1].v != c->arg[0].v)
    step_in(s, "index", c->arg[1].v);
  step_out(s, "y", c->arg[2].v);
  step_dim(s, "OUTER", c->arg[4].dim[0]);
  step_dim(s, "N", c->arg[5].dim[0]);
  step_dim(s, "INNER", c->arg[6].dim[0]);
  step_dim(s, "COUNT", c->arg[7].dim[0]);
  step_int(s, "SIZE", size);
  step_int(s, "FEW", few ? inner * size : 0);
  step_int(s, "ONE", few && inner == 1);
  s->status = true;
  s->kernel_note = "gather";
  step_kernel(s, "move.h");
  return true;
}

/* cumulate: x axis y, width product reverse exclusive rank, dim */
static bool take_cumulate(Plan *p, Node *n, const Call *c)
{
  static const char *const past = "y[past * inner + k]";
  Value *x = c->arg[0].v;
  DimPool *d = &p->m->dims;
  const Tensor *axis = c->arg[1].v->data;
  int64_t product, reverse, exclusive;
  /* Types that the reference computes in themselves and that may overflow. */
  bool plain = x->dtype == DT_F32 || x->dtype == DT_F64 ||
               x->dtype == DT_U32 || x->dtype == DT_U64;
  if (!axis || !plain)
    return false;
  int64_t at = tensor_i64(axis, 0);
  int own = (int)(at < 0 ? at + x->rank : at);
  dim_is_int(c->arg[4].dim[0], &product);
  dim_is_int(c->arg[5].dim[0], &reverse);
  dim_is_int(c->arg[6].dim[0], &exclusive);
  const char *op = product ? "*" : "+";
  Step *s = step_new(p, n, "CUMULATE");
  step_in(s, "x", x);
  step_out(s, "y", c->arg[2].v);
  step_dim(s, "OUTER", dim_prod(d, x->dim, own));
  step_dim(s, "N", x->dim[own]);
  step_dim(s, "INNER", dim_prod(d, x->dim + own + 1, x->rank - own - 1));
  step_text(s, "AT", reverse ? "n - 1 - i" : "i");
  step_text(s, "PAST", reverse ? "at + 1" : "at - 1");
  if (exclusive)
    step_int(s, "FIRST", product);
  else
    step_text(s, "FIRST", "x[at * inner + k]");
  step_text(s, "NEXT", "%s %s x[%s * inner + k]", past, op,
            exclusive ? "past" : "at");
  s->kernel_note = "cumulate";
  step_kernel(s, "ew.h");
  return true;
}

/* arg_extreme: x y, outer n inner least last */
static bool take_arg_extreme(Plan *p, Node *n, const Call *c)
{
  const Value *x = c->arg[0].v;
  DtypeClass cls = dtype_info(x->dtype)->cls;
  int64_t least, last;
  bool plain = x->dtype == DT_F32 || x->dtype == DT_F64 ||
               ((cls == DC_INT || cls == DC_UINT) &&
                dtype_info(x->dtype)->bits >= 8);
  if (!plain)
    return false;
  dim_is_int(c->arg[5].dim[0], &least);
  dim_is_int(c->arg[6].dim[0], &last);
  Step *s = step_new(p, n, "ARG_EXTREME");
  step_in(s, "x", c->arg[0].v);
  step_out(s, "y", c->arg[1].v);
  step_dim(s, "OUTER", c->arg[2].dim[0]);
  step_dim(s, "N", c->arg[3].dim[0]);
  step_dim(s, "INNER", c->arg[4].dim[0]);
  step_text(s, "T", "%s", dtype_info(x->dtype)->c);
  step_text(s, "MORE", "%s%s ", least ? "<" : ">", last ? "=" : "");
  s->kernel_note = "arg_extreme";
  step_kernel(s, "ew.h");
  return true;
}

/* one_hot: x values y, width outer depth inner */
static bool take_one_hot(Plan *p, Node *n, const Call *c)
{
  Value *x = c->arg[0].v, *v = c->arg[1].v;
  DtypeClass cls = dtype_info(v->dtype)->cls;
  bool plain = v->dtype == DT_F32 || v->dtype == DT_F64 ||
               ((cls == DC_INT || cls == DC_UINT) &&
                dtype_info(v->dtype)->bits >= 8);
  if (!plain || (x->dtype != DT_I32 && x->dtype != DT_I64) || x == v)
    return false;
  Step *s = step_new(p, n, "ONE_HOT");
  step_in(s, "x", c->arg[0].v);
  step_in(s, "v", c->arg[1].v);
  step_out(s, "y", c->arg[2].v);
  step_dim(s, "OUTER", c->arg[4].dim[0]);
  step_dim(s, "DEPTH", c->arg[5].dim[0]);
  step_dim(s, "INNER", c->arg[6].dim[0]);
  step_text(s, "T", "%s", dtype_info(v->dtype)->c);
  s->kernel_note = "one_hot";
  step_kernel(s, "ew.h");
  return true;
}

bool lower_pick(Plan *p, Node *n)
{
  static const struct {
    const char *kernel;
    bool (*take)(Plan *p, Node *n, const Call *c);
  } known[] = {
    { "pad", take_pad }, { "gather", take_gather },
    { "cumulate", take_cumulate }, { "arg_extreme", take_arg_extreme },
    { "one_hot", take_one_hot },
  };
  Call c;
  static const char *const name[] = {
    "ArgMax", "ArgMin", "CumProd", "CumSum", "Gather", "OneHot", "Pad"
  };
  bool wanted = false;
  for (int i = 0; i < COUNT(name); i++)
    wanted = wanted || node_is(n, name[i]);
  if (!wanted || node_calls(p, n, &c, 1) != 1)
    return false;
  for (int i = 0; i < COUNT(known); i++)
    if (!strcmp(c.kernel, known[i].kernel))
      return known[i].take(p, n, &c);
  return false;
}
