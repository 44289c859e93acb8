/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the Calls that a record's lower function asks for. All arguments are
 * copied to the arena, so callers may pass lists from their stack. */
#include <string.h>
#include "ir.h"

static void add_list(Call *c, const Dim *const *dim, int n)
{
  CallArg *arg = &c->arg[c->narg++];
  arg->kind = 'D';
  arg->dim = dim;
  arg->n = n;
}

static void add_dims(Lower *l, Call *c, const Dim *const *dim, int n)
{
  const Dim **copy = NEW(&l->m->arena, const Dim *, n);
  for (int i = 0; i < n; i++) copy[i] = dim[i];
  add_list(c, copy, n);
}

static void add_ints(Lower *l, Call *c, const int64_t *v, int n)
{
  const Dim **copy = NEW(&l->m->arena, const Dim *, n);
  for (int i = 0; i < n; i++) copy[i] = dim_int(&l->m->dims, v[i]);
  add_list(c, copy, n);
}

static void add_dim(Lower *l, Call *c, const Dim *d)
{
  add_dims(l, c, &d, 1);
  c->arg[c->narg - 1].kind = 'd';
}

static void add_value(Call *c, char kind, Value *v)
{
  CallArg *arg = &c->arg[c->narg++];
  arg->kind = kind;
  arg->v = v;
}

void lower_call(Lower *l, Node *n, const char *kernel, Dtype t,
                const char *fmt, ...)
{
  Call c = {.node = n, .kernel = kernel, .type = t};
  const Dim *const *dim;
  const int64_t *v;
  va_list ap;
  va_start(ap, fmt);
  for (; *fmt && c.narg < COUNT(c.arg); fmt++) switch (*fmt) {
    case 'i': case 'o': add_value(&c, *fmt, va_arg(ap, Value *)); break;
    case 'd': add_dim(l, &c, va_arg(ap, const Dim *)); break;
    case 'k': add_dim(l, &c, dim_int(&l->m->dims, va_arg(ap, int64_t))); break;
    case 'D':
      dim = va_arg(ap, const Dim *const *);
      add_dims(l, &c, dim, va_arg(ap, int));
      break;
    case 'K':
      v = va_arg(ap, const int64_t *);
      add_ints(l, &c, v, va_arg(ap, int));
      break;
    case 'S':
      add_list(&c, (const Dim *const *)n->size, n->nsize);
      c.arg[c.narg - 1].kind = 'S';
      break;
    case 'f':
      c.arg[c.narg].kind = 'f';
      c.arg[c.narg++].f = va_arg(ap, double);
      break;
    default: model_panic(l->m, "lower_call %s: letter %c", kernel, *fmt);
    }
  va_end(ap);
  l->emit(l, &c);
}

Value *lower_scratch(Lower *l, Node *n, Dtype t, const Dim *elements)
{
  return value_new(n->g, arena_printf(&l->m->arena, "scratch_%d", l->m->nvalue),
                   t, 1, &elements);
}

bool op_is_view(const Node *n)
{
  if (!n->op || !(n->op->flags & OP_VIEW)) return false;
  for (int i = 1; i < n->nout; i++)
    if (n->out[i]) return false;
  if (attr_int(n, ".count", 0)) return false; /* it compares */
  /* A shape that is known at run time only has to be checked. */
  for (int i = 1, count; i < n->nin; i++)
    if (n->in[i] && !n->in[i]->data && !value_content(n->in[i], &count))
      return false;
  return true;
}

void lower_block(Lower *l, Node *n, Value *x, Value *y, const Block *b)
{
  const Dim *zero = dim_int(&l->m->dims, 0);
  lower_call(l, n, "strided", dtype_carrier(y->dtype), "iokddDDD", x, y,
             (int64_t)b->rank, b->xoff ? b->xoff : zero,
             b->yoff ? b->yoff : zero, b->dim, b->rank, b->xs, b->rank, b->ys,
             b->rank);
}

void value_strides(const Value *v, const Dim **stride)
{
  DimPool *p = &v->g->m->dims;
  const Dim *s = dim_int(p, 1);
  for (int i = v->rank - 1; i >= 0; i--) {
    stride[i] = s;
    s = dim_mul(p, s, v->dim[i]);
  }
}
