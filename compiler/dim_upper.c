/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes that data tells: how much storage is enough.
 *
 * A capacity lies between 0 and its bound, or what the caller has room for. A
 * polynomial of such symbols is at most the sum of its terms at their largest:
 * positive ones with every symbol at its most, negative ones at its least. */
#include "ir.h"

static const Dim *lower(DimPool *p, const Dim *d);

static bool sym_has_capacity(const DimPool *p, int s)
{
  const Sym *q = &p->sym[s];
  return q->kind == SYM_CAPACITY ||
         (q->a && (dim_has_capacity(p, q->a) || dim_has_capacity(p, q->b)));
}

bool dim_has_capacity(const DimPool *p, const Dim *d)
{
  for (int i = 0; i < d->n; i++)
    for (int j = 0; j < d->t[i].n; j++)
      if (sym_has_capacity(p, d->t[i].s[j])) return true;
  return false;
}

/* A quotient's divisor is 1 at least. */
static const Dim *quotient(DimPool *p, const Dim *a, const Dim *b)
{
  int64_t v;
  return dim_is_int(b, &v) && v > 0 ? dim_div(p, a, b) : a;
}

static const Dim *sym_upper(DimPool *p, int s)
{
  const Sym q = p->sym[s]; /* copied: the table may move */
  if (!sym_has_capacity(p, s)) return dim_sym(p, s);
  if (q.kind == SYM_CAPACITY)
    return q.field || !q.bound ? dim_sym(p, s) : dim_upper(p, q.bound);
  const Dim *a = dim_upper(p, q.a), *b = dim_upper(p, q.b);
  if (q.kind == SYM_MIN) return dim_min(p, a, b);
  return q.kind == SYM_MAX ? dim_max(p, a, b) : quotient(p, a, q.b);
}

static const Dim *sym_lower(DimPool *p, int s)
{
  const Sym q = p->sym[s];
  if (!sym_has_capacity(p, s)) return dim_sym(p, s);
  if (q.kind == SYM_CAPACITY || q.kind == SYM_DIV) return dim_int(p, 0);
  const Dim *a = lower(p, q.a), *b = lower(p, q.b);
  return q.kind == SYM_MIN ? dim_min(p, a, b) : dim_max(p, a, b);
}

static const Dim *bound(DimPool *p, const Dim *d, bool most)
{
  if (d->bad || !dim_has_capacity(p, d)) return d;
  const Dim *sum = dim_int(p, 0);
  for (int i = 0; i < d->n; i++) {
    const Dim *t = dim_int(p, d->t[i].k);
    for (int j = 0; j < d->t[i].n; j++)
      t = dim_mul(p, t, (d->t[i].k > 0) == most ? sym_upper(p, d->t[i].s[j])
                                                : sym_lower(p, d->t[i].s[j]));
    sum = dim_add(p, sum, t);
  }
  return sum;
}

static const Dim *lower(DimPool *p, const Dim *d)
{
  return bound(p, d, false);
}

const Dim *dim_upper(DimPool *p, const Dim *d)
{
  return bound(p, d, true);
}
