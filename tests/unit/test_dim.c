/* SPDX-License-Identifier: Apache-2.0 */
/* Dimensions: normal forms, substitution, bounds, and that what is printed as
 * C has the value that the expression was built with. */
#include "ir.h"
#include "o2ctest.h"

static Model *m;
static DimPool *p;

static const Dim *num(int64_t v)
{
  return dim_int(p, v);
}

static void test_polynomials(void)
{
  const Dim *n = dim_named(p, "N"), *s = dim_named(p, "S");
  CHECK(num(3) == num(3) && num(0) == dim_sub(p, n, n));
  CHECK(dim_named(p, "N") == n && n != s);
  const Dim *a = dim_mul(p, dim_add(p, n, s), dim_sub(p, n, s));
  const Dim *b = dim_sub(p, dim_mul(p, n, n), dim_mul(p, s, s));
  CHECK(a == b);
  CHECK(dim_div_exact(p, a, dim_add(p, n, s)) == dim_sub(p, n, s));
  CHECK(dim_div_exact(p, dim_mul(p, n, num(6)), num(4)) == NULL);
  CHECK(dim_div_exact(p, n, s) == NULL);
  CHECK(dim_div_exact(p, dim_mul(p, n, num(6)), n) == num(6));
  CHECK_STR(dim_text(p, dim_add(p, dim_mul(p, n, num(3)), num(-1))),
            "N*3 - 1");
  CHECK_STR(dim_text(p, num(-4)), "-4");
  CHECK_STR(dim_text(p, n), "N");
  const Dim *shape[] = {n, num(3), s};
  CHECK(dim_prod(p, shape, 3) == dim_mul(p, dim_mul(p, n, s), num(3)));
  CHECK(dim_prod(p, NULL, 0) == num(1));
}

static void test_division(void)
{
  const Dim *n = dim_named(p, "N"), *h = dim_named(p, "H");
  const Dim *three = dim_mul(p, n, num(3));
  const Dim *half = dim_div(p, dim_add(p, n, num(1)), num(2));
  CHECK(dim_div(p, dim_add(p, three, num(1)), num(2)) == dim_add(p, n, half));
  CHECK(dim_div(p, num(-7), num(2)) == num(-4));
  CHECK(dim_div(p, num(7), num(-2)) == num(-4));
  CHECK(dim_mod(p, num(-7), num(4)) == num(1));
  CHECK(dim_ceil_div(p, num(7), num(2)) == num(4));
  CHECK(dim_div(p, dim_mul(p, n, num(6)), num(3)) == dim_mul(p, n, num(2)));
  CHECK(dim_mod(p, dim_mul(p, n, num(8)), num(4)) == num(0));
  /* Two strided convolutions: ((H - 1)/2 + 1 - 1)/2 + 1. */
  const Dim *one = num(1), *x = h;
  for (int i = 0; i < 2; i++)
    x = dim_add(p, dim_div(p, dim_sub(p, x, one), num(2)), one);
  CHECK(x == dim_add(p, dim_div(p, dim_sub(p, h, one), num(4)), one));
  CHECK(dim_div(p, dim_add(p, dim_mul(p, n, h), num(5)), n) ==
        dim_add(p, h, dim_div(p, num(5), n)));
  CHECK(dim_div(p, n, n) == one);
}

static void test_min_max(void)
{
  const Dim *n = dim_named(p, "N"), *s = dim_named(p, "S");
  CHECK(dim_min(p, num(3), num(5)) == num(3));
  CHECK(dim_max(p, num(0), n) == n);
  CHECK(dim_min(p, n, dim_add(p, n, num(5))) == n);
  CHECK(dim_min(p, n, num(INT64_MAX)) == n);
  CHECK(dim_max(p, n, num(INT64_MIN)) == n);
  CHECK(dim_max(p, num(0), dim_add(p, n, num(INT64_MIN))) == num(0));
  CHECK(dim_max(p, num(0), dim_sub(p, n, num(INT64_MAX))) == num(0));
  CHECK(dim_min(p, n, s) == dim_min(p, s, n));
  CHECK(dim_min(p, dim_min(p, n, s), n) == dim_min(p, n, s));
  CHECK(dim_max(p, dim_min(p, n, s), num(0)) == dim_min(p, n, s));
  CHECK(!p->told);
}

static void test_subst(void)
{
  const Dim *n = dim_named(p, "N"), *h = dim_named(p, "H");
  int sym = -1;
  for (int i = 0; i < p->nsym; i++)
    if (dim_sym(p, i) == h) sym = i;
  const Dim *d = dim_mul(p, n, dim_div(p, dim_sub(p, h, num(1)), num(2)));
  CHECK(dim_has(p, d, sym));
  CHECK(dim_subst(p, d, sym, num(7)) == dim_mul(p, n, num(3)));
  CHECK(dim_subst(p, n, sym, num(7)) == n);
  d = dim_max(p, dim_sub(p, h, num(4)), num(0));
  CHECK(dim_subst(p, d, sym, num(9)) == num(5));
  CHECK(dim_subst(p, d, sym, num(1)) == num(0));
}

/* A reader of what dim_print prints; words end in the number of a symbol. */
typedef struct { const char *s; const int64_t *v; } Reader;
static int64_t expression(Reader *r);

static int64_t primary(Reader *r)
{
  int64_t x = 0;
  while (*r->s == ' ') r->s++;
  if (*r->s == '-') {
    r->s++;
    return -primary(r);
  }
  if (*r->s == '(') {
    r->s++;
    x = expression(r);
    r->s++;
    return x;
  }
  if (*r->s == 'v') {
    x = r->v[r->s[1] - '0'];
    r->s += 2;
    return x;
  }
  while (*r->s >= '0' && *r->s <= '9') x = x * 10 + (*r->s++ - '0');
  return x;
}

static char operator(Reader *r)
{
  while (*r->s == ' ') r->s++;
  return *r->s;
}

static int64_t product(Reader *r)
{
  int64_t x = primary(r);
  for (char c; (c = operator(r)) == '*' || c == '/' || c == '%';) {
    r->s++;
    int64_t y = primary(r);
    x = c == '*' ? x * y : c == '/' ? x / y : x % y;
  }
  return x;
}

static int64_t sum(Reader *r)
{
  int64_t x = product(r);
  for (char c; (c = operator(r)) == '+' || c == '-';) {
    r->s++;
    int64_t y = product(r);
    x = c == '+' ? x + y : x - y;
  }
  return x;
}

static int64_t expression(Reader *r)
{
  int64_t x = sum(r), y, z;
  char c = operator(r);
  if (c == '<' || c == '>') {
    r->s++;
    y = sum(r);
    x = c == '<' ? x < y : x > y;
  }
  if (operator(r) != '?') return x;
  r->s++;
  y = expression(r);
  operator(r);
  r->s++;
  z = expression(r);
  return x ? y : z;
}

static unsigned seed = 1;
static int chance(int n)
{
  seed = seed * 1103515245u + 12345u;
  return (int)(seed >> 16) % n;
}

static int64_t floored(int64_t a, int64_t b)
{
  int64_t q = a / b;
  return a % b && (a < 0) != (b < 0) ? q - 1 : q;
}

/* A random expression, as a dimension and as its value. */
static const Dim *grow(const Dim *const *sym, const int64_t *v, int depth,
                       int64_t *r)
{
  int64_t a, b;
  if (!depth || !chance(5)) {
    int k = chance(5);
    *r = k < 3 ? v[k] : chance(9) - 4;
    return k < 3 ? sym[k] : num(*r);
  }
  const Dim *x = grow(sym, v, depth - 1, &a);
  const Dim *y = grow(sym, v, depth - 1, &b);
  int64_t k = chance(6) + 1;
  switch (chance(8)) {
  case 0: *r = a + b; return dim_add(p, x, y);
  case 1: *r = a - b; return dim_sub(p, x, y);
  case 2: *r = a * k; return dim_mul(p, x, num(k));
  case 3: *r = floored(a, k); return dim_div(p, x, num(k));
  case 4: *r = -floored(-a, k); return dim_ceil_div(p, x, num(k));
  case 5: *r = a < b ? a : b; return dim_min(p, x, y);
  case 6: *r = a > b ? a : b; return dim_max(p, x, y);
  default: *r = a - floored(a, k) * k; return dim_mod(p, x, num(k));
  }
}

static void test_random(void)
{
  Model *m2 = model_new(NULL, "x");
  DimPool *keep = p;
  p = &m2->dims;
  const Dim *sym[3] = {dim_named(p, "v0"), dim_named(p, "v1"),
                       dim_named(p, "v2")};
  for (int i = 0; i < 5000; i++) {
    int64_t v[3] = {chance(20), chance(20), chance(20)}, want;
    const Dim *d = grow(sym, v, 5, &want);
    if (dim_bad(d)) continue;
    int64_t *at = NEW(&m2->arena, int64_t, p->nsym + 1);
    memcpy(at, v, sizeof v);
    CHECK(dim_eval(p, d, at) == want);
    if (dim_nonneg(p, d)) CHECK(want >= 0);
    StrBuf b;
    sb_init(&b, NULL);
    dim_print(&b, p, d, "");
    Reader r = {b.s, v};
    CHECK(expression(&r) == want && !*r.s);
    sb_free(&b);
    for (int k = 0; k < 3; k++) d = dim_subst(p, d, k, num(v[k]));
    CHECK(dim_is(d, want));
  }
  model_free(m2);
  p = keep;
}

static void test_absurd(void)
{
  const Dim *n = dim_named(p, "N"), *big = num(INT64_MAX);
  int64_t zero[8] = {0};
  CHECK(m->nerror == 0);
  CHECK(dim_eval(p, dim_div(p, num(5), n), zero) == INT64_MIN);
  const Dim *bad = dim_mul(p, dim_mul(p, n, big), num(2));
  CHECK(dim_bad(bad) && bad == p->bad && m->nerror == 1);
  CHECK(diag_worst(m) == EXIT_MODEL);
  CHECK(dim_bad(dim_add(p, bad, n)) && dim_bad(dim_max(p, n, bad)));
  CHECK(dim_bad(dim_add(p, big, num(1))));
  CHECK(dim_bad(dim_div(p, n, num(0))));
  CHECK(!dim_is(bad, 0));
  const Dim *d = n;
  for (int i = 0; i < 100; i++) d = dim_mul(p, d, n);
  CHECK(dim_bad(d));
  /* Nesting without end would print without end. */
  d = n;
  for (int i = 0; i < 100; i++)
    d = dim_div(p, dim_add(p, dim_mul(p, d, d), num(1)), num(3));
  CHECK(dim_bad(d) && m->nerror == 1);
}

static void test_options(void)
{
  Options o;
  NameInt fixed = {"seq", 128}, most = {"batch", 16};
  options_default(&o);
  o.dim = &fixed;
  o.max_dim = &most;
  o.ndim = o.nmax_dim = 1;
  Model *x = model_new(&o, "x");
  CHECK(dim_is(dim_named(&x->dims, "seq"), 128));
  const Dim *b = dim_named(&x->dims, "batch");
  CHECK(x->dims.sym[0].max == 16);
  CHECK(dim_min(&x->dims, b, dim_int(&x->dims, 20)) == b);
  CHECK(dims_known(&x->dims, "seq") && !dims_known(&x->dims, "s"));
  /* Two hostile names that look the same in C. */
  dim_named(&x->dims, "a b");
  dim_named(&x->dims, "a/b");
  CHECK_STR(x->dims.sym[1].c_name, "a_b");
  CHECK_STR(x->dims.sym[2].c_name, "a_b_2");
  StrBuf t;
  sb_init(&t, NULL);
  dim_print(&t, &x->dims, dim_mul(&x->dims, b, b), "(int64_t)(");
  CHECK_STR(t.s, "((int64_t)(batch)*(int64_t)(batch))");
  sb_free(&t);
  model_free(x);
}

int main(void)
{
  m = model_new(NULL, "net.onnx");
  p = &m->dims;
  test_polynomials();
  test_division();
  test_min_max();
  test_subst();
  test_random();
  test_absurd();
  test_options();
  model_free(m);
  return test_end();
}
