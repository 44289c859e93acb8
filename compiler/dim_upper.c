/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes that data tells: how much storage is enough.
 *
 * A capacity lies between 0 and its bound, or what the caller has room for. A
 * polynomial of such symbols is at most the sum of its terms at their largest:
 * positive ones with every symbol at its most, negative ones at its least.
 * Sizes that a Reshape finds are each at most the number of elements; so is
 * their product, which a joint bound says. */
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

void dims_joint(DimPool *p, const Dim *const *dim, int n, const Dim *most)
{
  int *sym = NEW(&p->m->arena, int, n + 1), count = 0;
  for (int i = 0; i < n; i++) {
    int s = dim_symbol(dim[i]);
    if (s >= 0 && p->sym[s].kind == SYM_CAPACITY) sym[count++] = s;
  }
  for (int i = 0; i < p->njoint; i++)
    if (p->joint[i].n == count && count && p->joint[i].sym[0] == sym[0]) return;
  if (count < 2) return;
  p->joint = arena_grow(&p->m->arena, p->joint, p->njoint, sizeof *p->joint);
  p->joint[p->njoint++] = (Joint){sym, count, most};
}

/* Takes the symbols of `j` out of s[n], once each, if all stand there. */
static bool take_joint(const Joint *j, int *s, int *n)
{
  int left[MAX_RANK * 4], count = *n;
  if (count > COUNT(left)) return false;
  for (int i = 0; i < count; i++) left[i] = s[i];
  for (int k = 0; k < j->n; k++) {
    int at = 0;
    while (at < count && left[at] != j->sym[k]) at++;
    if (at == count) return false;
    left[at] = left[--count];
  }
  for (int i = 0; i < count; i++) s[i] = left[i];
  *n = count;
  return true;
}

/* The most that a term's symbols make together. */
static const Dim *product_upper(DimPool *p, const Term *t)
{
  const Dim *d = dim_int(p, 1);
  int *s = NEW(&p->m->arena, int, t->n + 1), n = t->n;
  for (int i = 0; i < n; i++) s[i] = t->s[i];
  for (int k = 0; k < p->njoint; k++) {
    const Dim *most = p->joint[k].most;
    if (take_joint(&p->joint[k], s, &n)) d = dim_mul(p, d, dim_upper(p, most));
  }
  for (int i = 0; i < n; i++) d = dim_mul(p, d, sym_upper(p, s[i]));
  return d;
}

static const Dim *product_lower(DimPool *p, const Term *t)
{
  const Dim *d = dim_int(p, 1);
  for (int i = 0; i < t->n; i++) d = dim_mul(p, d, sym_lower(p, t->s[i]));
  return d;
}

static const Dim *bound(DimPool *p, const Dim *d, bool most)
{
  if (d->bad || !dim_has_capacity(p, d)) return d;
  const Dim *sum = dim_int(p, 0);
  for (int i = 0; i < d->n; i++) {
    const Term *t = &d->t[i];
    const Dim *part = (t->k > 0) == most ? product_upper(p, t)
                                         : product_lower(p, t);
    sum = dim_add(p, sum, dim_mul(p, dim_int(p, t->k), part));
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
