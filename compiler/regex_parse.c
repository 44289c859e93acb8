/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a regular expression in the syntax of RE2 (its options as by default,
 * without captures, as only a full match is asked for), and writes the program
 * from its end to its start, so that what follows is always known. Sets of code
 * points become ranges of bytes of UTF-8, which share their endings.
 */
#include "regex.h"

#include <string.h>

#define LAST_CODE 0x10ffff
#define MOST_DEPTH 250
#define MOST_REPEAT 1000 /* as in RE2 */
#define MOST_INST 100000

typedef enum { RX_SET, RX_BYTE, RX_CAT, RX_ALT, RX_REPEAT, RX_ASSERT } RxKind;
typedef struct Rx {
  RxKind kind;
  struct Rx *kid, *last, *next; /* CAT, ALT; REPEAT: one */
  int min, max;                 /* REPEAT, max -1: no end; ASSERT: min */
  RxSet set;
} Rx;
typedef struct {
  Arena *a;
  const unsigned char *s, *end;
  const char *error;
  bool fold, dot_line, lines, quoted;
  int depth;
} Parser;

static Rx *rx_new(Parser *p, RxKind kind)
{
  Rx *x = NEW(p->a, Rx, 1);
  x->kind = kind;
  x->set.a = p->a;
  return x;
}

static void rx_push(Rx *list, Rx *x)
{
  if (list->last) list->last->next = x;
  else list->kid = x;
  list->last = x;
}

static bool fail(Parser *p, const char *what)
{
  if (!p->error) p->error = what;
  p->s = p->end;
  return false;
}

static bool begins(const Parser *p, const char *text)
{
  size_t n = strlen(text);
  return (size_t)(p->end - p->s) >= n && !memcmp(p->s, text, n);
}

static bool take(Parser *p, const char *text)
{
  if (!begins(p, text)) return false;
  p->s += strlen(text);
  return true;
}

static int take_code(Parser *p)
{
  static const int first[] = {0, 0, 0xc0, 0xe0, 0xf0};
  size_t n = p->s < p->end ? utf8_size(p->s) : 0;
  int c;
  if (n == 0 || n > (size_t)(p->end - p->s)) {
    fail(p, "it ends too early, or is no UTF-8");
    return 0;
  }
  c = p->s[0] - first[n];
  for (size_t i = 1; i < n; i++) c = c << 6 | (p->s[i] & 0x3f);
  p->s += n;
  return c;
}

static int digit_of(int c, int base)
{
  int d = c >= '0' && c <= '9' ? c - '0'
        : c >= 'a' && c <= 'f' ? c - 'a' + 10
        : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
  return d < base ? d : -1;
}

/* At most `most` digits; -1: none. */
static int take_number(Parser *p, int base, int most)
{
  int v = -1, d;
  for (int i = 0; i < most && p->s < p->end; i++) {
    if ((d = digit_of(*p->s, base)) < 0) break;
    v = v < 0 ? d : v * base + d;
    p->s++;
  }
  return v;
}

static int take_hexadecimal(Parser *p)
{
  int v;
  if (take(p, "{")) {
    v = take_number(p, 16, 6);
    if (!take(p, "}")) v = -1;
  } else {
    const unsigned char *from = p->s;
    v = take_number(p, 16, 2);
    if (p->s - from != 2) v = -1;
  }
  if (v < 0 || v > LAST_CODE)
    fail(p, "\\x wants two digits, or a code in braces");
  return v;
}

/* Of one character, behind the backslash. */
static int take_escape(Parser *p)
{
  static const char name[] = "afnrtv", code[] = "\a\f\n\r\t\v";
  int c = take_code(p);
  const char *at = c > 0 && c < 128 ? strchr(name, c) : NULL;
  if (p->error) return 0;
  if (at) return code[at - name];
  if (c == 'x') return take_hexadecimal(p);
  if (c >= '0' && c <= '7') {
    const unsigned char *from = p->s;
    int more = take_number(p, 8, 2), digits = (int)(p->s - from);
    if (c != '0' && digits == 0) fail(p, "RE2 has no back references");
    return digits ? (c - '0') * (digits == 1 ? 8 : 64) + more : c - '0';
  }
  if (c >= 128 || (digit_of(c, 10) >= 0) || (c >= 'A' && c <= 'Z') ||
      (c >= 'a' && c <= 'z'))
    fail(p, "RE2 does not know one of its escapes, as \\k, \\Z, \\G");
  return c;
}

static void put_set(const Parser *p, RxSet *to, RxSet *s, bool negate)
{
  if (p->fold) rx_fold(s);
  if (negate) rx_negate(s);
  rx_union(to, s);
}

/* \pL, \p{Lu}, \P{^L}: behind the p. */
static bool take_property(Parser *p, RxSet *to, bool negate)
{
  char name[16] = "";
  size_t n = 0;
  RxSet s = {.a = p->a};
  if (!take(p, "{")) {
    if (p->s < p->end) name[n++] = (char)*p->s++;
  } else {
    if (take(p, "^")) negate = !negate;
    while (p->s < p->end && *p->s != '}' && n < sizeof name - 1)
      name[n++] = (char)*p->s++;
    if (!take(p, "}")) name[0] = 0;
  }
  if (!rx_named(&s, name) || name[0] < 'A' || name[0] > 'Z')
    return fail(p, "\\p takes a general category, as Lu or L; onnx2c does not "
                "know scripts");
  put_set(p, to, &s, negate);
  return true;
}

/* A class that begins with a backslash, as \d; false: none begins here. */
static bool take_class_escape(Parser *p, RxSet *to)
{
  RxSet s = {.a = p->a};
  char name[2] = "";
  int c = p->end - p->s >= 2 && p->s[0] == '\\' ? p->s[1] : 0;
  if (c == 'p' || c == 'P') {
    p->s += 2;
    take_property(p, to, c == 'P');
    return true;
  }
  if (!c || !strchr("dDsSwW", c)) return false;
  p->s += 2;
  name[0] = (char)(c | 0x20);
  rx_named(&s, name);
  put_set(p, to, &s, c < 'a');
  return true;
}

/* [:alpha:], [:^alpha:] inside of a class. */
static bool take_posix(Parser *p, RxSet *to)
{
  char name[16] = "";
  size_t n = 0;
  bool negate;
  RxSet s = {.a = p->a};
  if (!take(p, "[:")) return false;
  negate = take(p, "^");
  while (p->s < p->end && *p->s >= 'a' && *p->s <= 'z' && n < sizeof name - 1)
    name[n++] = (char)*p->s++;
  if (!take(p, ":]") || n < 2 || !rx_named(&s, name))
    fail(p, "it has a class [:name:] that RE2 does not know");
  put_set(p, to, &s, negate);
  return true;
}

static int take_class_code(Parser *p)
{
  return take(p, "\\") ? take_escape(p) : take_code(p);
}

static Rx *take_class(Parser *p)
{
  Rx *x = rx_new(p, RX_SET);
  bool negate = take(p, "^");
  for (bool first = true; !p->error && (first || !begins(p, "]"));
       first = false) {
    RxSet s = {.a = p->a};
    int lo, hi;
    if (p->s == p->end) {
      fail(p, "a class has no ]");
      break;
    }
    if (take_posix(p, &x->set) || take_class_escape(p, &x->set)) continue;
    lo = hi = take_class_code(p);
    if (begins(p, "-") && p->end - p->s > 1 && p->s[1] != ']') {
      p->s++;
      hi = take_class_code(p);
    }
    if (hi < lo) fail(p, "a class has a range that ends before it begins");
    rx_add(&s, lo, hi);
    put_set(p, &x->set, &s, false);
  }
  if (!take(p, "]")) fail(p, "a class has no ]");
  if (negate) rx_negate(&x->set);
  return x;
}

static Rx *rx_assert(Parser *p, RxAssert what)
{
  Rx *x = rx_new(p, RX_ASSERT);
  x->min = (int)what;
  return x;
}

static Rx *rx_code(Parser *p, int c)
{
  Rx *x = rx_new(p, RX_SET);
  rx_add(&x->set, c, c);
  if (p->fold) rx_fold(&x->set);
  return x;
}

static Rx *take_backslash(Parser *p)
{
  Rx *x = rx_new(p, RX_SET);
  if (take_class_escape(p, &x->set)) return x;
  p->s++;
  if (take(p, "A")) return rx_assert(p, RA_TEXT_BEGIN);
  if (take(p, "z")) return rx_assert(p, RA_TEXT_END);
  if (take(p, "b")) return rx_assert(p, RA_WORD);
  if (take(p, "B")) return rx_assert(p, RA_NO_WORD);
  if (take(p, "C")) return rx_new(p, RX_BYTE);
  if (take(p, "Q")) {
    p->quoted = true;
    return rx_new(p, RX_CAT);
  }
  return rx_code(p, take_escape(p));
}

static Rx *take_alternatives(Parser *p);

/* Behind "(?": flags up to : or ). true: a group begins. */
static bool take_flags(Parser *p)
{
  bool on = true;
  while (p->s < p->end) {
    int c = *p->s++;
    switch (c) {
    case 'i': p->fold = on; break;
    case 's': p->dot_line = on; break;
    case 'm': p->lines = on; break;
    case 'U': break; /* which match is longer: a full match is the same */
    case '-':
      if (!on) return fail(p, "flags of a group have two signs");
      on = false;
      break;
    case ':': return true;
    case ')': return false;
    default: return fail(p, "RE2 knows (?:x), (?P<name>x), (?<name>x) and the "
                         "flags i m s U, no other (?..): no lookaround");
    }
  }
  return fail(p, "a group has no )");
}

static bool take_name(Parser *p)
{
  const unsigned char *from = p->s;
  while (p->s < p->end &&
         (*p->s == '_' || digit_of(*p->s, 10) >= 0 ||
          ((*p->s | 0x20) >= 'a' && (*p->s | 0x20) <= 'z')))
    p->s++;
  if (p->s == from || !take(p, ">"))
    return fail(p, "a group's name is not of letters, digits and _");
  return true;
}

static Rx *take_group(Parser *p)
{
  Parser before = *p;
  Rx *x;
  bool group = true;
  if (take(p, "?P<") || (begins(p, "?<") && p->end - p->s > 2 &&
                         p->s[2] != '=' && p->s[2] != '!' && take(p, "?<")))
    group = take_name(p);
  else if (take(p, "?"))
    group = take_flags(p);
  if (!group || p->error) return rx_new(p, RX_CAT);
  if (++p->depth > MOST_DEPTH) fail(p, "its groups are too deep");
  x = take_alternatives(p);
  p->depth--;
  if (!take(p, ")")) fail(p, "a group has no )");
  p->fold = before.fold;
  p->dot_line = before.dot_line;
  p->lines = before.lines;
  return x;
}

static Rx *take_dot(Parser *p)
{
  Rx *x = rx_new(p, RX_SET);
  if (!p->dot_line) rx_add(&x->set, '\n', '\n');
  rx_negate(&x->set);
  return x;
}

/* {n}, {n,} or {n,m}; false, and nothing taken, where it is none of them. */
static bool take_counts(Parser *p, int *min, int *max)
{
  const unsigned char *from = p->s;
  bool ok = take(p, "{");
  *min = ok ? take_number(p, 10, 5) : -1;
  *max = *min;
  if (*min >= 0 && take(p, ",")) *max = take_number(p, 10, 5);
  ok = *min >= 0 && take(p, "}");
  if (!ok) p->s = from;
  else if (*min > MOST_REPEAT || *max > MOST_REPEAT ||
           (*max >= 0 && *max < *min))
    fail(p, "a counted repetition is over 1000, or ends before it begins");
  return ok;
}

static bool take_repeat(Parser *p, int *min, int *max)
{
  *min = 0;
  *max = -1;
  if (take(p, "*")) return true;
  if (take(p, "?")) {
    *max = 1;
    return true;
  }
  if (take(p, "+")) {
    *min = 1;
    return true;
  }
  return take_counts(p, min, max);
}

static Rx *take_atom(Parser *p)
{
  int min, max;
  if (p->quoted) return rx_code(p, take_code(p));
  if (begins(p, "\\")) return take_backslash(p);
  if (take(p, "[")) return take_class(p);
  if (take(p, "(")) return take_group(p);
  if (take(p, ".")) return take_dot(p);
  if (take(p, "^"))
    return rx_assert(p, p->lines ? RA_LINE_BEGIN : RA_TEXT_BEGIN);
  if (take(p, "$")) return rx_assert(p, p->lines ? RA_LINE_END : RA_TEXT_END);
  if (take_repeat(p, &min, &max)) {
    fail(p, "a repetition has nothing before it, or follows another one");
    return rx_new(p, RX_CAT);
  }
  return rx_code(p, take_code(p));
}

static Rx *take_sequence(Parser *p)
{
  Rx *list = rx_new(p, RX_CAT);
  while (!p->error && p->s < p->end) {
    Rx *x, *r;
    if (p->quoted && take(p, "\\E")) {
      p->quoted = false;
      continue;
    }
    if (!p->quoted && (*p->s == '|' || *p->s == ')')) break;
    x = take_atom(p);
    if (!p->quoted || begins(p, "\\E")) {
      bool quoted = p->quoted && take(p, "\\E");
      if (quoted) p->quoted = false;
      r = rx_new(p, RX_REPEAT);
      if (take_repeat(p, &r->min, &r->max)) {
        take(p, "?");
        r->kid = x;
        x = r;
      }
    }
    rx_push(list, x);
  }
  return list;
}

static Rx *take_alternatives(Parser *p)
{
  Rx *list = rx_new(p, RX_ALT);
  do rx_push(list, take_sequence(p));
  while (!p->error && take(p, "|"));
  return list;
}

/* --- The program ---------------------------------------------------------- */

typedef struct { RxProgram *p; Map shared; const char *error; } Writer;

static int put_inst(Writer *w, RxOp op, int out, int alt)
{
  RxProgram *p = w->p;
  if (p->n >= MOST_INST) {
    w->error = "it is too large; use fewer or smaller counted repetitions";
    return 0;
  }
  p->inst = arena_grow(p->a, p->inst, p->n, sizeof *p->inst);
  p->inst[p->n] = (RxInst){.op = op, .out = out, .alt = alt};
  return p->n++;
}

static int put_byte(Writer *w, int lo, int hi, int out)
{
  int key[3] = {lo, hi, out};
  void **at = map_at(&w->shared, (const char *)key, sizeof key);
  if (*at) return (int)(uintptr_t)*at - 1;
  int i = put_inst(w, RI_BYTE, out, 0);
  w->p->inst[i].lo = lo;
  w->p->inst[i].hi = hi;
  *at = (void *)(uintptr_t)(i + 1);
  return i;
}

static int either(Writer *w, int a, int b)
{
  return a < 0 ? b : put_inst(w, RI_SPLIT, a, b);
}

static int utf8_bytes(int c, unsigned char *to)
{
  int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (int i = n - 1; i > 0; i--, c >>= 6)
    to[i] = (unsigned char)(0x80 | (c & 0x3f));
  to[0] = (unsigned char)(n == 1 ? c : (0xf00 >> n & 0xff) | c);
  return n;
}

/* `at`, or else [lo, hi] and then `out`: cut so that in each piece every byte
 * has a range of its own. */
static int put_range(Writer *w, int lo, int hi, int out, int at)
{
  static const int ends[] = {0x7f, 0x7ff, 0xffff};
  unsigned char a[4], b[4];
  for (int i = 0; i < COUNT(ends); i++)
    if (lo <= ends[i] && hi > ends[i])
      return put_range(w, ends[i] + 1, hi, out,
                       put_range(w, lo, ends[i], out, at));
  for (int i = 1; i < 4 && hi >= 0x80; i++) {
    int low = (1 << 6 * i) - 1;
    if ((lo | low) == (hi | low)) break;
    if (lo & low)
      return put_range(w, (lo | low) + 1, hi, out,
                       put_range(w, lo, lo | low, out, at));
    if ((hi & low) != low)
      return put_range(w, hi & ~low, hi, out,
                       put_range(w, lo, (hi & ~low) - 1, out, at));
  }
  int n = utf8_bytes(lo, a);
  utf8_bytes(hi, b);
  for (int i = n - 1; i >= 0; i--) out = put_byte(w, a[i], b[i], out);
  return either(w, at, out);
}

static int put_set_of(Writer *w, const RxSet *s, int out)
{
  int at = -1;
  for (int i = 0; i < s->n && !w->error; i++)
    at = put_range(w, s->r[2 * i], s->r[2 * i + 1], out, at);
  /* No character: an edge that is never passed. */
  return at < 0 ? put_byte(w, 1, 0, out) : at;
}

static int put(Writer *w, const Rx *x, int out);

static int put_repeat(Writer *w, const Rx *x, int out)
{
  int at = out;
  if (x->max < 0) {
    at = put_inst(w, RI_SPLIT, out, out);
    int body = put(w, x->kid, at);
    w->p->inst[at].alt = body;
  }
  for (int i = x->min; i < x->max && !w->error; i++)
    at = put_inst(w, RI_SPLIT, put(w, x->kid, at), out);
  for (int i = 0; i < x->min && !w->error; i++) at = put(w, x->kid, at);
  return at;
}

static int put_sequence(Writer *w, const Rx *x, int out)
{
  int n = 0;
  for (const Rx *k = x->kid; k; k = k->next) n++;
  const Rx **kid = NEW(w->p->a, const Rx *, n + 1);
  n = 0;
  for (const Rx *k = x->kid; k; k = k->next) kid[n++] = k;
  while (n > 0 && !w->error) out = put(w, kid[--n], out);
  return out;
}

static int put(Writer *w, const Rx *x, int out)
{
  int at = -1;
  if (w->error) return 0;
  switch (x->kind) {
  case RX_SET: return put_set_of(w, &x->set, out);
  case RX_BYTE: return put_byte(w, 0, 255, out);
  case RX_CAT: return put_sequence(w, x, out);
  case RX_REPEAT: return put_repeat(w, x, out);
  case RX_ASSERT:
    w->p->asserts = true;
    at = put_inst(w, RI_ASSERT, out, 0);
    w->p->inst[at].lo = x->min;
    return at;
  default:
    for (const Rx *k = x->kid; k && !w->error; k = k->next)
      at = either(w, at, put(w, k, out));
    return at;
  }
}

const char *rx_parse(RxProgram *p, Arena *a, const char *pattern, size_t n)
{
  Parser in = {.a = a};
  Writer w = {.p = p};
  in.s = (const unsigned char *)arena_strn(a, pattern, n); /* ends in NUL */
  in.end = in.s + n;
  Rx *x = take_alternatives(&in);
  if (!in.error && in.s < in.end) fail(&in, "it has a ) without a (");
  if (in.error) return in.error;
  p->a = a;
  map_init(&w.shared, a);
  p->start = put(&w, x, put_inst(&w, RI_MATCH, 0, 0));
  return w.error;
}
