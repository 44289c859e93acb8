/* SPDX-License-Identifier: Apache-2.0 */
/* A program of byte ranges becomes a table: one state for each set of places
 * where matching can stand, fewest first, bytes that no place tells apart as
 * one class. Assertions are resolved when the next byte is known; a state then
 * also tells what kind of byte came before it. A table for searching has the
 * end of the text as one more class, and says of a match when the byte behind
 * it was read: whether it is one can depend on that byte.
 */
#include "regex.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STATES 16384
#define MOST_WORK ((int64_t)400000000)
#define LATE RX_STARTS /* of a state's key: beyond all kinds */

typedef enum { KIND_EDGE, KIND_LINE, KIND_WORD, KIND_OTHER } Kind;
typedef struct { int kind, n; const int *at; bool accept; } State;
typedef struct {
  const RxProgram *p;
  Arena *a;
  bool search;
  uint8_t cls[256];
  int byte[257], nclass;    /* byte: one of each class; -1: the end */
  Map ids;
  State *state;
  int nstate;
  int start[RX_STARTS];     /* by kind */
  int *next;                /* [nstate][nclass] */
  int *mark, round;         /* of instructions: seen in this round */
  int *list, *todo, *key;
  int64_t work;
} Build;

static Kind kind_of(int byte)
{
  bool word = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= 'a' && byte <= 'z') || byte == '_';
  return byte < 0 ? KIND_EDGE : byte == '\n' ? KIND_LINE
       : word ? KIND_WORD : KIND_OTHER;
}

static bool holds(RxAssert what, Kind before, Kind after)
{
  bool word = (before == KIND_WORD) != (after == KIND_WORD);
  switch (what) {
  case RA_TEXT_BEGIN: return before == KIND_EDGE;
  case RA_TEXT_END: return after == KIND_EDGE;
  case RA_LINE_BEGIN: return before == KIND_EDGE || before == KIND_LINE;
  case RA_LINE_END: return after == KIND_EDGE || after == KIND_LINE;
  case RA_WORD: return word;
  default: return !word;
  }
}

static void find_classes(Build *b)
{
  bool begins[257] = {false};
  for (int i = 0; i < b->p->n; i++)
    if (b->p->inst[i].op == RI_BYTE) {
      begins[b->p->inst[i].lo] = true;
      begins[b->p->inst[i].hi + 1] = true;
    }
  for (int c = 1; b->p->asserts && c < 256; c++)
    if (kind_of(c) != kind_of(c - 1)) begins[c] = true;
  for (int c = 0; c < 256; c++) {
    if (c == 0 || begins[c]) b->byte[b->nclass++] = c;
    b->cls[c] = (uint8_t)(b->nclass - 1);
  }
  if (b->search) b->byte[b->nclass++] = -1;
}

/* Adds what can be reached from `from` without a byte to list[0..n); where
 * `known`, through the assertions that hold. */
static int reach(Build *b, int from, int n, bool known, const Kind *around)
{
  int todo = 0;
  if (b->mark[from] == b->round) return n;
  b->mark[from] = b->round;
  b->todo[todo++] = from;
  while (todo) {
    int i = b->todo[--todo], to[2], nto = 0;
    const RxInst *inst = &b->p->inst[i];
    b->work++;
    if (inst->op == RI_SPLIT) {
      to[nto++] = inst->out;
      to[nto++] = inst->alt;
    } else if (inst->op != RI_ASSERT || !known) {
      b->list[n++] = i;
    } else if (holds((RxAssert)inst->lo, around[0], around[1])) {
      to[nto++] = inst->out;
    }
    for (int k = 0; k < nto; k++)
      if (b->mark[to[k]] != b->round) {
        b->mark[to[k]] = b->round;
        b->todo[todo++] = to[k];
      }
  }
  return n;
}

static int by_number(const void *a, const void *b)
{
  int x = *(const int *)a, y = *(const int *)b;
  return x < y ? -1 : x > y;
}

/* The number of the state of list[0..n); `late`: a match ended a byte ago. */
static int take_state(Build *b, int n, Kind before, bool late)
{
  qsort(b->list, (size_t)n, sizeof *b->list, by_number);
  b->key[0] = (n && b->p->asserts ? (int)before : 0) + (late ? LATE : 0);
  memcpy(b->key + 1, b->list, (size_t)n * sizeof *b->list);
  void **id = map_at(&b->ids, (const char *)b->key,
                     (size_t)(n + 1) * sizeof *b->key);
  if (*id) return (int)(uintptr_t)*id - 1;
  int *at = NEW(b->a, int, n + 1);
  memcpy(at, b->list, (size_t)n * sizeof *at);
  b->state = arena_grow(b->a, b->state, b->nstate, sizeof *b->state);
  b->state[b->nstate] = (State){.kind = b->key[0] % LATE, .n = n, .at = at,
                                .accept = late};
  *id = (void *)(uintptr_t)(b->nstate + 1);
  return b->nstate++;
}

/* list: where matching stands before a byte of this kind; -1: the end. */
static int resolve(Build *b, const State *s, int byte)
{
  Kind around[2] = {(Kind)s->kind, kind_of(byte)};
  int n = 0;
  b->round++;
  for (int i = 0; i < s->n; i++) n = reach(b, s->at[i], n, true, around);
  return n;
}

static bool has_match(const Build *b, int n)
{
  for (int i = 0; i < n; i++)
    if (b->p->inst[b->list[i]].op == RI_MATCH) return true;
  return false;
}

static int step(Build *b, int id, int byte)
{
  int n = resolve(b, &b->state[id], byte), m = 0;
  bool late = b->search && has_match(b, n);
  int *from = b->key;
  memcpy(from, b->list, (size_t)n * sizeof *from);
  b->round++;
  for (int i = 0; i < n; i++) {
    const RxInst *inst = &b->p->inst[from[i]];
    b->work++;
    if (inst->op == RI_BYTE && byte >= inst->lo && byte <= inst->hi)
      m = reach(b, inst->out, m, false, NULL);
  }
  return take_state(b, m, kind_of(byte), late);
}

/* false: too many. State 0 is where nothing can match any more; those to begin
 * with come next. */
static bool find_states(Build *b)
{
  take_state(b, 0, KIND_EDGE, false);
  for (int kind = KIND_EDGE; kind <= KIND_OTHER; kind++) {
    b->round++;
    b->start[kind] = take_state(b, reach(b, b->p->start, 0, false, NULL),
                                (Kind)kind, false);
    if (!b->search) break;
  }
  for (int s = 0; s < b->nstate; s++) {
    if (b->nstate > MOST_STATES || b->work > MOST_WORK) return false;
    if (!b->search)
      b->state[s].accept = has_match(b, resolve(b, &b->state[s], -1));
    for (int c = 0; c < b->nclass; c++) {
      int to = step(b, s, b->byte[c]), at = s * b->nclass + c;
      b->next = arena_grow(b->a, b->next, at, sizeof *b->next);
      b->next[at] = to;
    }
  }
  return true;
}

typedef struct {
  const Build *b;
  const int *group;
  int *slot, nslot;
} Groups;

static bool same_row(const Groups *g, int s, int t)
{
  const int *x = g->b->next + s * g->b->nclass;
  const int *y = g->b->next + t * g->b->nclass;
  if (g->group[s] != g->group[t]) return false;
  for (int c = 0; c < g->b->nclass; c++)
    if (g->group[x[c]] != g->group[y[c]]) return false;
  return true;
}

/* The slot of a state like s: empty, or 1 + that state. */
static int *find_row(const Groups *g, int s)
{
  const int *x = g->b->next + s * g->b->nclass;
  uint64_t h = (uint64_t)g->group[s];
  for (int c = 0; c < g->b->nclass; c++)
    h = (h ^ (uint64_t)g->group[x[c]]) * 0x9e3779b97f4a7c15u;
  int at = (int)((h >> 32) % (uint64_t)g->nslot);
  while (g->slot[at] && !same_row(g, s, g->slot[at] - 1))
    at = (at + 1) % g->nslot;
  return &g->slot[at];
}

/* group[s]: states that no text tells apart, split until that is so. Where it
 * takes too long, each state stays its own. The number of groups. */
static int find_groups(Build *b, int *group)
{
  int n = 0, before = -1, *fresh = NEW(b->a, int, b->nstate + 1);
  Groups g = {b, group, NULL, 2 * b->nstate + 1};
  g.slot = NEW(b->a, int, g.nslot);
  for (int s = 0; s < b->nstate; s++) group[s] = b->state[s].accept;
  for (int64_t work = 0; n != before; work += (int64_t)b->nstate * b->nclass) {
    before = n;
    n = 0;
    memset(g.slot, 0, (size_t)g.nslot * sizeof *g.slot);
    for (int s = 0; s < b->nstate; s++) {
      int *slot = find_row(&g, s);
      fresh[s] = *slot ? fresh[*slot - 1] : n++;
      if (!*slot) *slot = s + 1;
    }
    memcpy(group, fresh, (size_t)b->nstate * sizeof *fresh);
    if (work < MOST_WORK) continue;
    for (int s = 0; s < b->nstate; s++) group[s] = s;
    return b->nstate;
  }
  return n;
}

/* Groups in order of their first state, but accepting ones last; 0 is first,
 * as it never accepts. */
static void write_table(Build *b, RxTable *t)
{
  int *group = NEW(b->a, int, b->nstate + 1), *as;
  int n = find_groups(b, group), k = 0;
  as = NEW(b->a, int, n + 1);
  memset(as, -1, (size_t)n * sizeof *as);
  for (int accept = 0; accept < 2; accept++) {
    if (accept) t->accept = k;
    for (int s = 0; s < b->nstate; s++)
      if (b->state[s].accept == accept && as[group[s]] < 0) as[group[s]] = k++;
  }
  t->nstate = n;
  t->nclass = b->nclass;
  for (int kind = 0; kind < RX_STARTS; kind++)
    t->start[kind] = as[group[b->start[kind]]];
  memcpy(t->byte_class, b->cls, sizeof t->byte_class);
  t->next = NEW(b->a, uint16_t, n * b->nclass);
  for (int s = 0; s < b->nstate; s++)
    for (int c = 0; c < b->nclass; c++)
      t->next[as[group[s]] * b->nclass + c] =
        (uint16_t)as[group[b->next[s * b->nclass + c]]];
}

const char *rx_table(RxTable *t, const RxProgram *p, bool search)
{
  Build b = {.p = p, .a = p->a, .search = search};
  map_init(&b.ids, p->a);
  b.mark = NEW(p->a, int, p->n + 1);
  b.list = NEW(p->a, int, p->n + 1);
  b.todo = NEW(p->a, int, p->n + 1);
  b.key = NEW(p->a, int, p->n + 2);
  find_classes(&b);
  if (!find_states(&b))
    return "its automaton has too many states; use fewer or smaller counted "
           "repetitions";
  write_table(&b, t);
  return NULL;
}
