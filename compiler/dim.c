/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic dimensions: integer polynomials over symbols, hash-consed.
 *
 * A Dim is a sum of terms, each a coefficient times a sorted list of symbols
 * (repeated for powers), in graded lexicographic order; equal polynomials are
 * one object. What is no polynomial (floor division, minimum, maximum) becomes
 * a symbol defined by its operands, after everything that can be split off has
 * been, so that equal sizes computed in different ways mostly meet again:
 * (3N+1)/2 is N + (N+1)/2, ((H-1)/2 + 1 - 1)/2 is (H-1)/4.
 *
 * Symbols stand for sizes, so they are >= 0. Numerators over a constant end up
 * with coefficients in [0, divisor), hence C's division is floor division.
 * Sums beyond 64 bits, or too long to be written out, give the pool's `bad`
 * dimension and one diagnostic. */
#include "ir.h"
#include <stdlib.h>
#include <string.h>

#define MAX_TERMS 256
#define MAX_DEGREE 16
#define MAX_SIZE 20000 /* symbols, when definitions are written out */

typedef struct { Term *t; int n; bool bad; } Poly; /* not yet normal */

static const Dim *absurd(DimPool *p)
{
  if (p->trying) return p->bad;
  if (!p->told)
    diag_model(p->m, SEV_ERROR, EXIT_MODEL, "absurd dimension: a size "
               "computed from shapes or attributes overflows 64 bits");
  p->told = true;
  return p->bad;
}

static bool add_ok(int64_t a, int64_t b, int64_t *r)
{
  if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b) return false;
  *r = a + b;
  return true;
}

static bool mul_ok(int64_t a, int64_t b, int64_t *r)
{
  *r = 0;
  if (!a || !b) return true;
  if ((a == -1 && b == INT64_MIN) || (b == -1 && a == INT64_MIN)) return false;
  if (a > 0 ? (b > 0 ? a > INT64_MAX / b : b < INT64_MIN / a)
            : (b > 0 ? a < INT64_MIN / b : a < INT64_MAX / b)) return false;
  *r = a * b;
  return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
  int64_t q = a / b;
  return a % b && (a < 0) != (b < 0) ? q - 1 : q;
}

/* Graded lexicographic: negative where `a` comes first. */
static int term_order(const Term *a, const Term *b)
{
  if (a->n != b->n) return b->n - a->n;
  for (int i = 0; i < a->n; i++)
    if (a->s[i] != b->s[i]) return a->s[i] - b->s[i];
  return 0;
}

static int term_compare(const void *a, const void *b)
{
  return term_order(a, b);
}

static Poly poly_new(DimPool *p, int most)
{
  Poly r = {NULL, 0, most > 16 * MAX_TERMS};
  if (!r.bad) r.t = NEW(&p->m->arena, Term, most);
  return r;
}

static void poly_add(Poly *r, int64_t k, int n, const int *s)
{
  if (r->bad || !k) return;
  r->t[r->n++] = (Term){k, n, s};
}

/* The symbols of two terms, merged. */
static const int *merge(DimPool *p, const Term *a, const Term *b)
{
  int *s = NEW(&p->m->arena, int, a->n + b->n + 1);
  for (int i = 0, j = 0; i + j < a->n + b->n;)
    if (j == b->n || (i < a->n && a->s[i] <= b->s[j])) {
      s[i + j] = a->s[i];
      i++;
    } else {
      s[i + j] = b->s[j];
      j++;
    }
  return s;
}

static void poly_mul_add(DimPool *p, Poly *r, const Term *a, const Term *b)
{
  int64_t k = 0;
  if (r->bad || !mul_ok(a->k, b->k, &k) || a->n + b->n > MAX_DEGREE) {
    r->bad = true;
    return;
  }
  const int *s = !b->n ? a->s : !a->n ? b->s : merge(p, a, b);
  poly_add(r, k, a->n + b->n, s);
}

/* Sorts, merges equal terms, drops zeros. */
static void poly_normal(Poly *r)
{
  if (r->bad) return;
  int n = 0;
  if (r->n > 1) qsort(r->t, (size_t)r->n, sizeof *r->t, term_compare);
  for (int i = 0; i < r->n; i++)
    if (n && !term_order(&r->t[n - 1], &r->t[i])) {
      if (!add_ok(r->t[n - 1].k, r->t[i].k, &r->t[n - 1].k)) r->bad = true;
    } else {
      if (n && !r->t[n - 1].k) n--;
      r->t[n++] = r->t[i];
    }
  if (n && !r->t[n - 1].k) n--;
  r->n = n;
  if (n > MAX_TERMS) r->bad = true;
}

static const Dim *intern(DimPool *p, Poly *r)
{
  poly_normal(r);
  if (r->bad) return absurd(p);
  char key[1 + MAX_TERMS * (sizeof(int64_t) + sizeof(int) * (MAX_DEGREE + 1))];
  size_t n = 0;
  int64_t size = 0;
  key[n++] = 't';
  for (int i = 0; i < r->n; i++) {
    const Term *t = &r->t[i];
    memcpy(key + n, &t->k, sizeof t->k);
    memcpy(key + (n += sizeof t->k), &t->n, sizeof t->n);
    n += sizeof t->n;
    if (t->n) memcpy(key + n, t->s, sizeof(int) * (size_t)t->n);
    n += sizeof(int) * (size_t)t->n;
    for (int j = 0; j < t->n; j++) size += p->sym[t->s[j]].size;
  }
  if (size > MAX_SIZE) return absurd(p);
  void **at = map_at(&p->map, key, n);
  if (!*at) {
    Dim *d = arena_alloc(&p->m->arena,
                         sizeof *d + sizeof(Term) * (size_t)r->n);
    d->id = p->ndim++;
    d->n = r->n;
    d->size = (int)size + 1;
    if (r->n) memcpy(d->t, r->t, sizeof(Term) * (size_t)r->n);
    *at = d;
  }
  return *at;
}

void dims_init(DimPool *p, Model *m)
{
  memset(p, 0, sizeof *p);
  p->m = m;
  map_init(&p->map, &m->arena);
  Dim *bad = arena_alloc(&m->arena, sizeof *bad);
  bad->bad = true;
  bad->id = p->ndim++;
  p->bad = bad;
}

const Dim *dim_int(DimPool *p, int64_t v)
{
  Term t = {v, 0, NULL};
  Poly r = {&t, v != 0, false};
  return intern(p, &r);
}

const Dim *dim_sym(DimPool *p, int sym)
{
  int *s = NEW(&p->m->arena, int, 1);
  *s = sym;
  Term t = {1, 1, s};
  Poly r = {&t, 1, false};
  return intern(p, &r);
}

static Sym *sym_add(DimPool *p, SymKind kind)
{
  p->sym = arena_grow(&p->m->arena, p->sym, p->nsym, sizeof *p->sym);
  Sym *s = &p->sym[p->nsym++];
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->size = 1;
  s->hi = INT64_MAX;
  return s;
}

/* A C identifier that no other symbol has. */
static const char *field_name(DimPool *p, const char *name)
{
  Arena *a = &p->m->arena;
  const char *base = c_identifier(a, name, "d");
  const char *c = base;
  for (int i = 2;; i++) {
    char *key = arena_printf(a, "c%s", c);
    void **at = map_at(&p->map, key, strlen(key));
    if (!*at) {
      *at = key;
      return c;
    }
    c = arena_printf(a, "%s_%d", base, i);
  }
}

const Dim *dim_new(DimPool *p, SymKind kind, const char *name)
{
  const char *field = field_name(p, name);
  Sym *s = sym_add(p, kind);
  s->name = arena_str(&p->m->arena, name);
  s->c_name = field;
  return dim_sym(p, p->nsym - 1);
}

/* --dim makes a name a constant; bench gives the value at run time instead. */
static const Dim *named_new(DimPool *p, const char *name)
{
  const Options *o = p->m->opt;
  bool bench = o && o->command && !strcmp(o->command, "bench");
  for (int i = 0; o && !bench && i < o->ndim; i++)
    if (!strcmp(o->dim[i].name, name)) return dim_int(p, o->dim[i].v);
  const Dim *d = dim_new(p, SYM_ARG, name);
  for (int i = 0; o && i < o->nmax_dim; i++)
    if (!strcmp(o->max_dim[i].name, name))
      p->sym[p->nsym - 1].max = o->max_dim[i].v;
  return d;
}

const Dim *dim_named(DimPool *p, const char *name)
{
  char *key = arena_printf(&p->m->arena, "n%s", name);
  void *at = map_get(&p->map, key, strlen(key));
  if (at) return at;
  const Dim *d = named_new(p, name);
  /* The map holds no const: nobody writes through it. */
  memcpy(map_at(&p->map, key, strlen(key)), &d, sizeof d);
  return d;
}

const Dim *dim_unnamed(DimPool *p, const char *made_name)
{
  const Dim *d = dim_named(p, made_name);
  int sym = dim_symbol(d);
  if (sym >= 0) p->sym[sym].made = true;
  return d;
}

bool dims_known(const DimPool *p, const char *name)
{
  char *key = arena_printf(&p->m->arena, "n%s", name);
  return map_get(&p->map, key, strlen(key)) != NULL;
}

int dim_symbol(const Dim *d)
{
  return d->n == 1 && d->t[0].n == 1 && d->t[0].k == 1 ? d->t[0].s[0] : -1;
}

bool dim_is_int(const Dim *d, int64_t *v)
{
  if (d->bad || d->n > 1 || (d->n && d->t[0].n)) return false;
  *v = d->n ? d->t[0].k : 0;
  return true;
}

bool dim_is(const Dim *d, int64_t v)
{
  int64_t k;
  return dim_is_int(d, &k) && k == v;
}

bool dim_bad(const Dim *d)
{
  return d->bad;
}

static const Dim *add_scaled(DimPool *p, const Dim *a, const Dim *b, int64_t k)
{
  if (a->bad || b->bad) return p->bad;
  Poly r = poly_new(p, a->n + b->n);
  Term scale = {k, 0, NULL};
  for (int i = 0; i < a->n; i++) poly_add(&r, a->t[i].k, a->t[i].n, a->t[i].s);
  for (int i = 0; i < b->n; i++) poly_mul_add(p, &r, &b->t[i], &scale);
  return intern(p, &r);
}

const Dim *dim_add(DimPool *p, const Dim *a, const Dim *b)
{
  return add_scaled(p, a, b, 1);
}

const Dim *dim_sub(DimPool *p, const Dim *a, const Dim *b)
{
  return add_scaled(p, a, b, -1);
}

const Dim *dim_mul(DimPool *p, const Dim *a, const Dim *b)
{
  if (a->bad || b->bad) return p->bad;
  if (dim_is(a, 1)) return b;
  if (dim_is(b, 1)) return a;
  Poly r = poly_new(p, a->n * b->n);
  for (int i = 0; i < a->n; i++)
    for (int j = 0; j < b->n; j++) poly_mul_add(p, &r, &a->t[i], &b->t[j]);
  return intern(p, &r);
}

const Dim *dim_prod(DimPool *p, const Dim *const *d, int n)
{
  const Dim *r = dim_int(p, 1);
  for (int i = 0; i < n; i++) r = dim_mul(p, r, d[i]);
  return r;
}

/* Bounds. INT64_MIN and INT64_MAX stand for the infinities. */
typedef struct { int64_t lo, hi; } Range;

static int64_t sat_mul(int64_t a, int64_t b) /* a, b >= 0 */
{
  int64_t r;
  if (!a || !b) return 0;
  return a != INT64_MAX && b != INT64_MAX && mul_ok(a, b, &r) ? r : INT64_MAX;
}

static int64_t sat_neg(int64_t a)
{
  return a == INT64_MIN ? INT64_MAX : a == INT64_MAX ? INT64_MIN : -a;
}

static int64_t sat_add(int64_t a, int64_t b, int64_t infinite)
{
  int64_t r;
  return a != infinite && b != infinite && add_ok(a, b, &r) ? r : infinite;
}

static Range sym_range(const Sym *s)
{
  Range r = {s->lo, s->hi};
  if (s->max) r.hi = s->max;
  return r;
}

static Range term_range(const DimPool *p, const Term *t)
{
  Range r = {1, 1}, none = {INT64_MIN, INT64_MAX};
  for (int i = 0; i < t->n; i++) {
    Range s = sym_range(&p->sym[t->s[i]]);
    if (s.lo < 0) return none;
    r.lo = sat_mul(r.lo, s.lo);
    r.hi = sat_mul(r.hi, s.hi);
  }
  if (t->k == INT64_MIN) return none;
  r.lo = sat_mul(r.lo, t->k < 0 ? -t->k : t->k);
  r.hi = sat_mul(r.hi, t->k < 0 ? -t->k : t->k);
  if (t->k > 0) return r;
  return (Range){sat_neg(r.hi), sat_neg(r.lo)};
}

static Range dim_range(const DimPool *p, const Dim *d)
{
  Range r = {0, 0};
  for (int i = 0; i < d->n; i++) {
    Range t = term_range(p, &d->t[i]);
    r.lo = sat_add(r.lo, t.lo, INT64_MIN);
    r.hi = sat_add(r.hi, t.hi, INT64_MAX);
  }
  return r;
}

bool dim_nonneg(const DimPool *p, const Dim *d)
{
  return !d->bad && dim_range(p, d).lo >= 0;
}

static void sym_set_range(const DimPool *p, Sym *s)
{
  Range a = dim_range(p, s->a), b = dim_range(p, s->b);
  s->lo = INT64_MIN;
  s->hi = INT64_MAX;
  if (s->kind == SYM_MIN) {
    s->lo = a.lo < b.lo ? a.lo : b.lo;
    s->hi = a.hi < b.hi ? a.hi : b.hi;
  } else if (s->kind == SYM_MAX) {
    s->lo = a.lo > b.lo ? a.lo : b.lo;
    s->hi = a.hi > b.hi ? a.hi : b.hi;
  } else if (a.lo >= 0 && b.lo >= 1) {
    s->lo = b.hi == INT64_MAX ? 0 : a.lo / b.hi;
    s->hi = a.hi == INT64_MAX ? INT64_MAX : a.hi / b.lo;
  } else if (a.lo >= 0 && b.lo >= 0) { /* x/0 is an error before it matters */
    s->lo = 0;
    s->hi = a.hi;
  }
}

/* The symbol that is `a` kind `b`; one for each such pair. */
static const Dim *defined(DimPool *p, SymKind kind, const Dim *a, const Dim *b)
{
  char key[64];
  int n = snprintf(key, sizeof key, "s%d %d %d", (int)kind, a->id, b->id);
  int *at = map_get(&p->map, key, (size_t)n);
  if (at) return dim_sym(p, *at);
  /* As text: operands of min and max stand there twice. */
  int64_t size = ((int64_t)a->size + b->size) * 2;
  if (size > MAX_SIZE) return absurd(p);
  Sym *s = sym_add(p, kind);
  s->a = a;
  s->b = b;
  s->size = (int)size;
  sym_set_range(p, s);
  at = NEW(&p->m->arena, int, 1);
  *at = p->nsym - 1;
  *map_at(&p->map, key, (size_t)n) = at;
  return dim_sym(p, *at);
}

/* a/b of terms; false: b's symbols are not all in a, or k does not divide. */
static bool term_div(DimPool *p, const Term *a, const Term *b, Term *q)
{
  if (a->k % b->k || (b->k == -1 && a->k == INT64_MIN)) return false;
  int *s = NEW(&p->m->arena, int, a->n + 1);
  int n = 0, j = 0;
  for (int i = 0; i < a->n; i++)
    if (j < b->n && a->s[i] == b->s[j]) j++;
    else s[n++] = a->s[i];
  *q = (Term){a->k / b->k, n, s};
  return j == b->n;
}

const Dim *dim_div_exact(DimPool *p, const Dim *a, const Dim *b)
{
  if (a->bad || b->bad) return p->bad;
  if (!b->n) return NULL;
  const Dim *quotient = dim_int(p, 0);
  /* Long division: each step removes the leading term. */
  p->trying++;
  for (int step = 0; a->n && quotient; step++) {
    Term q;
    if (a->bad || step > MAX_TERMS ||
        !term_div(p, &a->t[0], &b->t[0], &q)) {
      quotient = NULL;
      break;
    }
    Poly r = {&q, 1, false};
    const Dim *one = intern(p, &r);
    quotient = dim_add(p, quotient, one);
    a = dim_sub(p, a, dim_mul(p, one, b));
  }
  p->trying--;
  return quotient && !a->bad && !quotient->bad ? quotient : NULL;
}

static int64_t gcd(int64_t a, int64_t b)
{
  while (b) {
    int64_t t = a % b;
    a = b;
    b = t;
  }
  return a < 0 ? -a : a;
}

int64_t dim_content(const Dim *d)
{
  int64_t g = 0;
  for (int i = 0; i < d->n; i++) g = gcd(g, d->t[i].k);
  return g;
}

static const Dim *scaled_down(DimPool *p, const Dim *d, int64_t g)
{
  Poly r = poly_new(p, d->n);
  for (int i = 0; i < d->n; i++)
    poly_add(&r, floor_div(d->t[i].k, g), d->t[i].n, d->t[i].s);
  return intern(p, &r);
}

/* floor(d / k), k > 1, of a d whose coefficients are in [0, k). */
static const Dim *div_reduced(DimPool *p, const Dim *d, int64_t k)
{
  int64_t g = k, v;
  if (dim_is_int(d, &v)) return dim_int(p, v / k);
  /* Only the constant may not be a multiple of g: floor(floor(x/g)/(k/g)). */
  for (int i = 0; i < d->n; i++)
    if (d->t[i].n) g = gcd(g, d->t[i].k);
  if (g > 1)
    return dim_div(p, scaled_down(p, d, g), dim_int(p, k / g));
  /* (floor(x/j) + c) / k = (x + c j) / (j k) */
  const Term *t = &d->t[0];
  const Sym *s = t->n == 1 ? &p->sym[t->s[0]] : NULL;
  int64_t c = d->n == 2 ? d->t[1].k : 0, j, jk, cj;
  bool plain = d->n == 1 || (d->n == 2 && !d->t[1].n);
  if (plain && s && s->kind == SYM_DIV && t->k == 1 && dim_is_int(s->b, &j) &&
      j > 0 && mul_ok(j, k, &jk) && mul_ok(c, j, &cj))
    return dim_div(p, dim_add(p, s->a, dim_int(p, cj)), dim_int(p, jk));
  return defined(p, SYM_DIV, d, dim_int(p, k));
}

static const Dim *div_const(DimPool *p, const Dim *a, int64_t k)
{
  if (k < 0) {
    if (k == INT64_MIN) return absurd(p);
    return div_const(p, dim_sub(p, dim_int(p, 0), a), -k);
  }
  if (a->bad || k == 1) return a;
  Poly out = poly_new(p, a->n), rest = poly_new(p, a->n);
  for (int i = 0; i < a->n; i++) {
    const Term *t = &a->t[i];
    int64_t q = floor_div(t->k, k);
    poly_add(&out, q, t->n, t->s);
    poly_add(&rest, t->k - q * k, t->n, t->s);
  }
  const Dim *whole = intern(p, &out);
  return dim_add(p, whole, div_reduced(p, intern(p, &rest), k));
}

const Dim *dim_div(DimPool *p, const Dim *a, const Dim *b)
{
  int64_t k;
  if (a->bad || b->bad) return p->bad;
  if (!b->n) return absurd(p);
  if (!a->n) return a;
  if (dim_is_int(b, &k)) return div_const(p, a, k);
  const Dim *q = dim_div_exact(p, a, b);
  if (q) return q;
  if (b->n > 1) return defined(p, SYM_DIV, a, b);
  /* One term below: the terms above that it divides come out. */
  Poly out = poly_new(p, a->n), rest = poly_new(p, a->n);
  for (int i = 0; i < a->n; i++) {
    Term t;
    if (term_div(p, &a->t[i], &b->t[0], &t)) poly_add(&out, t.k, t.n, t.s);
    else poly_add(&rest, a->t[i].k, a->t[i].n, a->t[i].s);
  }
  const Dim *whole = intern(p, &out), *left = intern(p, &rest);
  if (left->bad) return left;
  return dim_add(p, whole, defined(p, SYM_DIV, left, b));
}

const Dim *dim_ceil_div(DimPool *p, const Dim *a, const Dim *b)
{
  return dim_div(p, dim_add(p, a, dim_sub(p, b, dim_int(p, 1))), b);
}

const Dim *dim_mod(DimPool *p, const Dim *a, const Dim *b)
{
  return dim_sub(p, a, dim_mul(p, b, dim_div(p, a, b)));
}

static int64_t const_term(const Dim *d)
{
  return d->n && !d->t[d->n - 1].n ? d->t[d->n - 1].k : 0;
}

/* -1: a <= b for all values of the symbols, 1: a >= b, 0: not known. */
static int dim_order(DimPool *p, const Dim *a, const Dim *b)
{
  int64_t x, y;
  if (dim_is_int(a, &x) && dim_is_int(b, &y)) return x <= y ? -1 : 1;
  /* "To the end" may have had sizes added: N - 2^63 is below all. */
  x = const_term(a);
  y = const_term(b);
  int ends = (x >= DIM_INFINITE) - (x <= -DIM_INFINITE) -
             (y >= DIM_INFINITE) + (y <= -DIM_INFINITE);
  if (ends) return ends < 0 ? -1 : 1;
  p->trying++;
  const Dim *diff = dim_sub(p, a, b);
  p->trying--;
  if (diff->bad) return 0;
  Range r = dim_range(p, diff);
  return r.hi <= 0 ? -1 : r.lo >= 0 ? 1 : 0;
}

static const Dim *min_max(DimPool *p, const Dim *a, const Dim *b, SymKind kind)
{
  if (a->bad || b->bad) return p->bad;
  int order = dim_order(p, a, b);
  if (order) return (order < 0) == (kind == SYM_MIN) ? a : b;
  /* min(min(x, y), y) */
  for (int i = 0; i < 2; i++) {
    const Dim *x = i ? b : a, *y = i ? a : b;
    const Sym *s = dim_symbol(x) < 0 ? NULL : &p->sym[dim_symbol(x)];
    if (s && s->kind == kind && (s->a == y || s->b == y)) return x;
  }
  return a->id < b->id ? defined(p, kind, a, b) : defined(p, kind, b, a);
}

const Dim *dim_min(DimPool *p, const Dim *a, const Dim *b)
{
  return min_max(p, a, b, SYM_MIN);
}

const Dim *dim_max(DimPool *p, const Dim *a, const Dim *b)
{
  return min_max(p, a, b, SYM_MAX);
}

static bool sym_has(const DimPool *p, int s, int sym)
{
  const Sym *q = &p->sym[s];
  return s == sym || (q->a && (dim_has(p, q->a, sym) || dim_has(p, q->b, sym)));
}

bool dim_has(const DimPool *p, const Dim *d, int sym)
{
  for (int i = 0; i < d->n; i++)
    for (int j = 0; j < d->t[i].n; j++)
      if (sym_has(p, d->t[i].s[j], sym)) return true;
  return false;
}

static const Dim *sym_subst(DimPool *p, int s, int sym, const Dim *by)
{
  if (s == sym) return by;
  if (!sym_has(p, s, sym)) return dim_sym(p, s);
  /* Copied: the table may move. */
  Sym q = p->sym[s];
  const Dim *a = dim_subst(p, q.a, sym, by), *b = dim_subst(p, q.b, sym, by);
  return q.kind == SYM_DIV ? dim_div(p, a, b) : min_max(p, a, b, q.kind);
}

const Dim *dim_subst(DimPool *p, const Dim *d, int sym, const Dim *by)
{
  if (d->bad || !dim_has(p, d, sym)) return d;
  const Dim *sum = dim_int(p, 0);
  for (int i = 0; i < d->n; i++) {
    const Dim *t = dim_int(p, d->t[i].k);
    for (int j = 0; j < d->t[i].n; j++)
      t = dim_mul(p, t, sym_subst(p, d->t[i].s[j], sym, by));
    sum = dim_add(p, sum, t);
  }
  return sum;
}

static bool sym_eval(const DimPool *p, int s, const int64_t *v, int64_t *r)
{
  const Sym *q = &p->sym[s];
  *r = q->a ? 0 : v[s];
  if (!q->a) return true;
  int64_t a = dim_eval(p, q->a, v), b = dim_eval(p, q->b, v);
  if (a == INT64_MIN || b == INT64_MIN) return false;
  if (q->kind == SYM_DIV && !b) return false;
  *r = q->kind == SYM_DIV ? floor_div(a, b) :
       (a < b) == (q->kind == SYM_MIN) ? a : b;
  return true;
}

int64_t dim_eval(const DimPool *p, const Dim *d, const int64_t *sym)
{
  int64_t sum = 0;
  if (d->bad) return INT64_MIN;
  for (int i = 0; i < d->n; i++) {
    int64_t k = d->t[i].k, v;
    for (int j = 0; j < d->t[i].n; j++)
      if (!sym_eval(p, d->t[i].s[j], sym, &v) || !mul_ok(k, v, &k))
        return INT64_MIN;
    if (!add_ok(sum, k, &sum)) return INT64_MIN;
  }
  return sum;
}
