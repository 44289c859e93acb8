/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of the generated code.
 *
 * What stands between a LoopBegin and its LoopEnd (compiler/control_loop.c) is
 * a `while` around the calls of its steps. LoopBegin is a step that sets the
 * carried values; LoopEnd is one at the end of each trip, which stores rows of
 * scan outputs and takes the carried values over, and one after the loop.
 * Storage: carried values, scan outputs, and what a trip reads of the time
 * before live as long as the loop runs.
 */
#include "target.h"

static bool is_begin(const Node *n)
{
  return node_is_internal(n, "LoopBegin");
}

static bool is_end(const Node *n)
{
  return node_is_internal(n, "LoopEnd");
}

/* A trip's result that is another carried value gets storage of its own: the
 * step that takes the values over goes one by one. */
static void part_values(Node *end)
{
  const Node *begin = end->in[2]->def;
  int carried = (int)attr_int(end, "carried", 0);
  for (int i = 0; i < carried; i++) {
    Value *w = end->in[4 + carried + i], *root = value_root(w);
    if (root->def != begin || root == end->in[4 + i])
      continue;
    Node *n = node_new(end->g, end, "Copy", 1, 1, end);
    n->domain = "o2c";
    n->op = op_find("o2c", "Copy");
    node_set_input(n, 0, w);
    node_set_output(n, 0, value_tmp(end->g, "copy", w));
    node_set_input(end, 4 + carried + i, n->out[0]);
  }
}

void plan_loops(Plan *p)
{
  loops_hoist(p->g);
  for (Node *n = p->g->first; n; n = n->next)
    if (is_end(n))
      part_values(n);
}

int *plan_homes(Plan *p, int count)
{
  int *home = NEW(p->a, int, count + 1), *open = NEW(p->a, int, count + 1);
  int depth = 0, k = count;
  for (const Node *n = p->g->last; n; n = n->prev) {
    k--;
    home[k] = depth ? open[depth - 1] : -1;
    if (is_end(n))
      open[depth++] = k;
    if (is_begin(n))
      depth--;
  }
  return home;
}

static const char *name_of(Plan *p, const char *what, int i)
{
  return arena_printf(p->a, "%s%d", what, i);
}

/* A carried value, `count` elements, becomes what `from` holds. */
static void put_take(StrBuf *b, const char *to, const char *from,
                     const char *count)
{
  sb_printf(b, "  if (%s != %s)\n    memcpy(%s, %s, (size_t)(%s) * sizeof "
            "*%s);\n", to, from, to, from, count, to);
}

/* Pairs of carried value and axis whose sizes trips change, and how many. */
static const int64_t *growing(const Node *begin, int *count)
{
  const int64_t *list = attr_ints(begin, "growing", count);
  *count = list ? *count / 2 : 0;
  return list;
}

static bool grows(const Node *begin, int i)
{
  int count;
  const int64_t *list = growing(begin, &count);
  for (int k = 0; k < count; k++)
    if (list[2 * k] == i)
      return true;
  return false;
}

/* The sizes of what will be carried, before any of them changes. */
static void put_found(Step *s, StrBuf *b, const Node *begin,
                      Value *const *next)
{
  int count;
  const int64_t *list = growing(begin, &count);
  for (int k = 0; k < count; k++)
    sb_printf(b, "  const int64_t found%d = %s;\n", k,
              step_dim_text(s, next[list[2 * k]]->dim[list[2 * k + 1]]));
}

/* And how many elements that is, which the sizes won't tell any more. */
static void put_counts(Step *s, StrBuf *b, const Node *begin,
                       Value *const *next)
{
  for (int i = 0; i < begin->nin - 2; i++)
    if (grows(begin, i))
      sb_printf(b, "  const int64_t count%d = %s;\n", i,
                step_dim_text(s, value_numel(next[i])));
}

static void put_sizes(Step *s, StrBuf *b, const Node *begin)
{
  int count;
  (void)growing(begin, &count);
  for (int k = 0; k < count; k++)
    step_take_size(s, b, begin->size[k], name_of(s->plan, "found", k));
}

static void finish(Step *s, StrBuf *b)
{
  if (s->status) {
    StrBuf all;
    sb_init(&all, s->plan->a);
    sb_printf(&all, "  o2c_status status = O2C_OK;\n%.*s", (int)b->n, b->s);
    step_text(s, "BODY", "%.*s", (int)all.n, all.s);
    sb_free(&all);
  } else {
    step_text(s, "BODY", "%.*s", (int)b->n, b->n ? b->s : "");
  }
  sb_free(b);
}

static void lower_begin(Plan *p, Node *n)
{
  StrBuf b;
  p->depth++;
  Step *s = step_new(p, n, "REF");
  s->loop = LOOP_OPEN;
  s->kernel_note = "loop";
  sb_init(&b, p->a);
  if (n->in[0])
    step_in(s, "m", n->in[0]);
  if (n->in[1])
    step_in(s, "cond", n->in[1]);
  for (int i = 2; i < n->nin; i++)
    step_in(s, name_of(p, "first", i - 2), n->in[i]);
  step_out(s, "it", n->out[0]);
  step_out(s, "go", n->out[1]);
  sb_printf(&b, "  *it = 0;\n  *go = %s%s%s;\n", n->in[0] ? "*m > 0" : "",
            n->in[0] && n->in[1] ? " && " : "",
            n->in[1] ? "*cond != 0" : n->in[0] ? "" : "1");
  put_found(s, &b, n, n->in + 2);
  put_sizes(s, &b, n);
  for (int i = 2; i < n->nin; i++) {
    const char *v = name_of(p, "v", i - 2), *from = name_of(p, "first", i - 2);
    step_out(s, v, n->out[i]);
    if (!grows(n, i - 2))
      step_in_place(s, v, from);
    put_take(&b, v, from, step_dim_text(s, value_numel(n->in[i])));
  }
  finish(s, &b);
}

/* For how many rows there is room; NULL: for all. */
static const char *room_text(Step *s, const Node *n)
{
  DimPool *d = &s->plan->m->dims;
  if (!n->nsize)
    return NULL;
  int k = dim_symbol(n->size[0]);
  if (k < 0 || d->sym[k].kind != SYM_CAPACITY)
    return step_dim_text(s, n->size[0]);
  s->symbols = true;
  return d->sym[k].field
    ? arena_printf(s->plan->a, "s->room->%s", d->sym[k].c_name)
    : step_dim_text(s, dim_upper(d, d->sym[k].bound));
}

static void put_row(Step *s, StrBuf *b, const Node *n, int i, int carried)
{
  Plan *p = s->plan;
  int count;
  const Value *e = n->in[4 + 2 * carried + i];
  const int64_t *back = attr_ints(n, "backward", &count);
  const char *room = room_text(s, n);
  const char *to = name_of(p, "rows", i), *from = name_of(p, "row", i);
  const char *size = step_dim_text(s, value_numel(e));
  step_in(s, from, n->in[4 + 2 * carried + i]);
  step_out(s, to, n->out[carried + i]);
  if (room)
    sb_printf(b, "  if (*it < %s)\n  ", room);
  sb_printf(b, "  memcpy(%s + %s * %s, %s, (size_t)(%s) * sizeof *%s);\n", to,
            back && i < count && back[i] ? "(*m - 1 - *it)" : "*it", size,
            from, size, to);
}

static void lower_trip(Plan *p, Node *n, int carried)
{
  StrBuf b;
  Step *s = step_new(p, n, "REF");
  s->loop = LOOP_CLOSE;
  s->kernel_note = "end of a trip";
  sb_init(&b, p->a);
  if (n->in[0])
    step_in(s, "m", n->in[0]);
  step_in(s, "cond", n->in[1]);
  step_out(s, "it", n->in[2]);
  step_out(s, "go", n->in[3]);
  sb_puts(&b, "  const int more = *cond != 0;\n");
  put_found(s, &b, n->in[2]->def, n->in + 4 + carried);
  put_counts(s, &b, n->in[2]->def, n->in + 4 + carried);
  for (int i = 0; carried + i < n->nout; i++)
    put_row(s, &b, n, i, carried);
  put_sizes(s, &b, n->in[2]->def);
  for (int i = 0; i < carried; i++) {
    const char *v = name_of(p, "v", i), *next = name_of(p, "next", i);
    step_in(s, next, n->in[4 + carried + i]);
    step_out(s, v, n->in[4 + i]);
    put_take(&b, v, next, grows(n->in[2]->def, i) ? name_of(p, "count", i)
             : step_dim_text(s, value_numel(n->in[4 + i])));
  }
  sb_printf(&b, "  *it += 1;\n  *go = more%s;\n",
            n->in[0] ? " && *it < *m" : "");
  finish(s, &b);
}

static void lower_after(Plan *p, Node *n, int carried)
{
  StrBuf b;
  Step *s = step_new(p, n, "REF");
  s->kernel_note = "after the loop";
  sb_init(&b, p->a);
  for (int i = 0; i < carried; i++) {
    const char *y = name_of(p, "last", i), *v = name_of(p, "v", i);
    step_in(s, v, n->in[4 + i]);
    step_out(s, y, n->out[i]);
    step_in_place(s, y, v);
    put_take(&b, y, v, step_dim_text(s, value_numel(n->in[4 + i])));
  }
  if (n->nsize) {
    step_in(s, "it", n->in[2]);
    step_take_size(s, &b, n->size[0], "*it");
  }
  finish(s, &b);
}

bool lower_loop(Plan *p, Node *n)
{
  if (is_begin(n)) {
    lower_begin(p, n);
    return true;
  }
  if (!is_end(n))
    return false;
  int carried = (int)attr_int(n, "carried", 0);
  lower_trip(p, n, carried);
  p->depth--;
  if (carried || n->nsize)
    lower_after(p, n, carried);
  return true;
}

void loops_extend(Plan *p, int count, const int *first, int *last, int *begin)
{
  int *open = NEW(p->a, int, p->nstep + 1), depth = 0, k = 0;
  for (const Step *s = p->first; s; s = s->next, k++) {
    if (s->loop == LOOP_OPEN)
      open[depth++] = k;
    if (s->loop != LOOP_CLOSE)
      continue;
    int from = open[--depth];
    for (int i = 0; i < count; i++) {
      if (first[i] < from && last[i] >= from && last[i] < k)
        last[i] = k;
      if (begin && begin[i] > from && begin[i] <= k && last[i] > k)
        begin[i] = from;
    }
  }
}
