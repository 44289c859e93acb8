/* SPDX-License-Identifier: Apache-2.0 */
/* Dimensions as text: C expressions, and what people read in messages. */
#include "ir.h"
#include <string.h>

/* `pre` NULL: for people, who know the name that the model gives. */
static void print_sym(StrBuf *b, const DimPool *p, int sym, const char *pre)
{
  const Sym *s = &p->sym[sym];
  if (!s->a) {
    size_t n = pre ? strlen(pre) : 0;
    if (!pre) sb_puts(b, c_valid(s->name) ? s->name : s->c_name);
    else
      sb_printf(b, "%s%s%s", pre, s->c_name, n && pre[n - 1] == '(' ? ")" : "");
    return;
  }
  sb_puts(b, "(");
  dim_print(b, p, s->a, pre);
  if (s->kind != SYM_DIV) {
    sb_puts(b, s->kind == SYM_MIN ? " < " : " > ");
    dim_print(b, p, s->b, pre);
    sb_puts(b, " ? ");
    dim_print(b, p, s->a, pre);
    sb_puts(b, " : ");
    dim_print(b, p, s->b, pre);
  } else if (dim_nonneg(p, s->a) && dim_nonneg(p, s->b)) {
    sb_puts(b, " / ");
    dim_print(b, p, s->b, pre);
  } else { /* C truncates: a/b less one where a remainder has b's other sign */
    sb_puts(b, " / ");
    dim_print(b, p, s->b, pre);
    sb_puts(b, " - (");
    dim_print(b, p, s->a, pre);
    sb_puts(b, " % ");
    dim_print(b, p, s->b, pre);
    sb_puts(b, " * ");
    dim_print(b, p, s->b, pre);
    sb_puts(b, " < 0)");
  }
  sb_puts(b, ")");
}

static void print_int(StrBuf *b, int64_t v)
{
  if (v == INT64_MIN) sb_puts(b, "(-9223372036854775807 - 1)");
  else sb_printf(b, "%lld", (long long)v);
}

/* The term without its sign, except for a coefficient of INT64_MIN. */
static void print_term(StrBuf *b, const DimPool *p, const Term *t,
                       const char *pre)
{
  int64_t k = t->k < 0 && t->k != INT64_MIN ? -t->k : t->k;
  for (int i = 0; i < t->n; i++) {
    if (i) sb_puts(b, "*");
    print_sym(b, p, t->s[i], pre);
  }
  if (t->n && k == 1) return;
  if (t->n) sb_puts(b, "*");
  print_int(b, k);
}

void dim_print(StrBuf *b, const DimPool *p, const Dim *d, const char *pre)
{
  if (d->bad || !d->n) {
    sb_puts(b, d->bad ? "0 /* absurd */" : "0");
    return;
  }
  bool bare = d->n == 1 && d->t[0].k > 0 &&
    (!d->t[0].n || (d->t[0].n == 1 && d->t[0].k == 1));
  if (!bare) sb_puts(b, "(");
  for (int i = 0; i < d->n; i++) {
    bool minus = d->t[i].k < 0 && d->t[i].k != INT64_MIN;
    if (i) sb_puts(b, minus ? " - " : " + ");
    else if (minus) sb_puts(b, "-");
    print_term(b, p, &d->t[i], pre);
  }
  if (!bare) sb_puts(b, ")");
}

const char *dim_text(DimPool *p, const Dim *d)
{
  StrBuf b;
  if (d->bad) return "?";
  sb_init(&b, &p->m->arena);
  dim_print(&b, p, d, NULL);
  bool wrapped = b.n > 1 && b.s[0] == '(' && d->n >= 1 &&
    !(d->n == 1 && d->t[0].k == 1 && d->t[0].n == 1);
  char *s = wrapped ? arena_strn(&p->m->arena, b.s + 1, b.n - 2)
                    : arena_strn(&p->m->arena, b.s, b.n);
  sb_free(&b);
  return s;
}
