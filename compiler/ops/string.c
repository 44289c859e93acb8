/* SPDX-License-Identifier: Apache-2.0 */
/* StringConcat, StringSplit, StringNormalizer, RegexFullMatch.
 *
 * How many characters a node makes only the data tells: a size as any other
 * (infer_sizes), which is the room for them; it has no bound, so the caller
 * gives one, or --max-dim. Characters outlive the node, so blocks of rows would
 * overwrite those of the block before: these nodes mix samples.
 */
#include <stdlib.h>
#include <string.h>
#include "../regex.h"
#include "label.h"

/* Along the axes of y: 0 where v is broadcast. */
static void broadcast_strides(const Value *v, const Value *y,
                              const Dim **stride)
{
  const Dim *own[MAX_RANK], *zero = dim_int(&y->g->m->dims, 0);
  int more = y->rank - v->rank;
  value_strides(v, own);
  for (int i = 0; i < y->rank; i++)
    stride[i] = i < more || (v->dim[i - more] != y->dim[i] &&
                             dim_is(v->dim[i - more], 1))
      ? zero : own[i - more];
}

static void infer_concat(Node *n)
{
  const Dim *room = NULL;
  if (!infer_ready(n) || !infer_broadcast(n, 2, DT_STR)) return;
  if (n->out[0]) infer_sizes(n, 1, NULL, &room);
}

static void sizes_concat(Lower *l, Node *n)
{
  const Dim *xs[MAX_RANK], *ys[MAX_RANK];
  const Value *z = n->out[0];
  broadcast_strides(n->in[0], z, xs);
  broadcast_strides(n->in[1], z, ys);
  lower_call(l, n, "size_concat_text", DT_STR, "iikDDDS", n->in[0], n->in[1],
             (int64_t)z->rank, z->dim, z->rank, xs, z->rank, ys, z->rank);
}

static void lower_concat(Lower *l, Node *n)
{
  const Dim *xs[MAX_RANK], *ys[MAX_RANK];
  Value *z = n->out[0];
  broadcast_strides(n->in[0], z, xs);
  broadcast_strides(n->in[1], z, ys);
  lower_call(l, n, "concat_text", DT_STR, "iiookDDD", n->in[0], n->in[1], z,
             lower_scratch(l, n, DT_U8, n->size[0]), (int64_t)z->rank, z->dim,
             z->rank, xs, z->rank, ys, z->rank);
}

static Value *words(Node *n, const char *name, const Str *s, int count)
{
  int64_t dim = count;
  Tensor *t = tensor_new(&n->g->m->arena, DT_STR, 1, &dim);
  t->data = s;
  return value_const(n->g, name, t);
}

static Value *delimiter(Node *n)
{
  const Attr *a = attr_get(n, "delimiter");
  Str *s = NEW(&n->g->m->arena, Str, 1);
  *s = a ? a->s : (Str){"", 0};
  return words(n, "delimiter", s, 1);
}

static void infer_split(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK + 1], *bound;
  int64_t most = attr_int(n, "maxsplit", -1);
  if (!infer_ready(n)) return;
  if (x->rank == MAX_RANK) {
    fail_unsupported(n, "the output has rank %d (onnx2c: at most %d)",
                     x->rank + 1, MAX_RANK);
    return;
  }
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  dim[x->rank] = NULL;
  bound = most < 0 || most >= DIM_INFINITE ? NULL
                                           : dim_int(node_dims(n), most + 1);
  if (!infer_sizes(n, 1, &bound, dim + x->rank)) return;
  infer_out(n, 0, DT_STR, x->rank + 1, dim);
  infer_out(n, 1, DT_I64, x->rank, dim);
}

static void sizes_split(Lower *l, Node *n)
{
  lower_call(l, n, "size_split_text", DT_STR, "iidkS", n->in[0], delimiter(n),
             value_numel(n->in[0]), attr_int(n, "maxsplit", -1));
}

static void lower_split(Lower *l, Node *n)
{
  const Dim *all = value_numel(n->in[0]);
  lower_call(l, n, "split_text", DT_STR, "iioodkd", n->in[0], delimiter(n),
             n->out[0], n->out[1], all, attr_int(n, "maxsplit", -1),
             n->size[0]);
}

/* StringNormalizer: 0 NONE, 1 LOWER, 2 UPPER; -1: no such action. */
static int normal_mode(const Node *n)
{
  const char *s = attr_str(n, "case_change_action", "NONE");
  return !strcmp(s, "NONE") ? 0 : !strcmp(s, "LOWER") ? 1
       : !strcmp(s, "UPPER") ? 2 : -1;
}

/* In which case stop words are compared. */
static int normal_fold(const Node *n)
{
  int mode = normal_mode(n);
  return attr_int(n, "is_case_sensitive", 0) ? 0 : mode == 2 ? 2 : 1;
}

static void infer_normal(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Attr *stop = attr_get(n, "stopwords");
  const Dim *dim[2], *size[2], *bound[2];
  int mode = normal_mode(n);
  if (!infer_ready(n)) return;
  if (mode < 0) {
    fail_model(n, "attribute case_change_action is %s (spec: LOWER, UPPER or "
               "NONE)", quote(&n->g->m->arena,
                              attr_str(n, "case_change_action", "")));
    return;
  }
  if (x->rank < 1 || x->rank > 2) {
    fail_model(n, "the input has rank %d (spec: [C] or [1, C])", x->rank);
    return;
  }
  if (x->rank == 2 && !infer_equal(n, x->dim[0], dim_int(p, 1), "rows, one"))
    return;
  bound[0] = value_numel(x);
  bound[1] = NULL;
  size[0] = bound[0];
  if (stop && stop->n) { /* ONNX StringNormalizer-10: "all .. are dropped" */
    bound[0] = dim_max(p, value_numel(x), dim_int(p, 1));
    size[0] = NULL;
  }
  size[1] = mode ? NULL : dim_int(p, 0);
  if (!infer_sizes(n, 2, bound, size)) return;
  dim[0] = dim_int(p, 1);
  dim[x->rank - 1] = size[0];
  infer_out(n, 0, DT_STR, x->rank, dim);
}

static int by_bytes(const void *a, const void *b)
{
  const Str *x = a, *y = b;
  size_t n = x->n < y->n ? x->n : y->n;
  int c = n ? memcmp(x->p, y->p, n) : 0;
  return c ? c : x->n < y->n ? -1 : x->n > y->n;
}

typedef struct { Value *words, *slots; int64_t n, mask, longest; } Stop;

/* Sorted, in the case in which they are compared. */
static Stop stop_words(Node *n)
{
  Arena *a = &n->g->m->arena;
  const Attr *stop = attr_get(n, "stopwords");
  int count = stop ? stop->n : 0;
  Stop made = {.n = count};
  Str *s = NEW(a, Str, count + 1);
  for (int i = 0; i < count; i++) {
    s[i] = str_case(a, stop->strs[i], normal_fold(n));
    if ((int64_t)s[i].n > made.longest) made.longest = (int64_t)s[i].n;
  }
  qsort(s, (size_t)count, sizeof *s, by_bytes);
  made.words = words(n, "stopwords", s, count);
  const Tensor *slots = slots_new(n->g->m, "stop_slots", made.words->data,
                                  NULL, count);
  made.slots = value_const(n->g, "slots", slots);
  made.mask = slots->n - 1;
  return made;
}

static void sizes_normal(Lower *l, Node *n)
{
  const Stop stop = stop_words(n);
  lower_call(l, n, "size_normal", DT_STR, "iiidkkkkkS", n->in[0], stop.words,
             stop.slots, value_numel(n->in[0]), stop.n, stop.mask,
             stop.longest, (int64_t)normal_fold(n), (int64_t)normal_mode(n));
}

static void lower_normal(Lower *l, Node *n)
{
  const Stop stop = stop_words(n);
  lower_call(l, n, "normal", DT_STR, "iiioodkkkkk", n->in[0], stop.words,
             stop.slots, n->out[0], lower_scratch(l, n, DT_U8, n->size[1]),
             value_numel(n->in[0]), stop.n, stop.mask, stop.longest,
             (int64_t)normal_fold(n), (int64_t)normal_mode(n));
}

/* Its automaton goes to n->fused, so that it is made once. */
static const RxTable *pattern_table(Node *n)
{
  Arena *a = &n->g->m->arena;
  const Attr *pattern = attr_get(n, "pattern");
  RxProgram program = {0};
  if (n->fused) return n->fused;
  RxTable *t = NEW(a, RxTable, 1);
  const char *error = pattern && pattern->type == AT_STR
    ? rx_parse(&program, a, pattern->s.p, pattern->s.n)
    : "it is missing";
  if (!error) error = rx_table(t, &program, false);
  if (error) {
    fail_model(n, "attribute pattern: %s", error);
    return NULL;
  }
  n->fused = t;
  return t;
}

static void infer_match(Node *n)
{
  const Value *x = node_in(n, 0);
  if (infer_ready(n) && pattern_table(n))
    infer_out(n, 0, DT_BOOL, x->rank, x->dim);
}

static Value *table_of(Node *n, const char *name, Dtype t, const void *data,
                       int64_t count)
{
  Tensor *u = tensor_new(&n->g->m->arena, t, 1, &count);
  u->data = data;
  return value_const(n->g, name, u);
}

static void lower_match(Lower *l, Node *n)
{
  const RxTable *t = pattern_table(n);
  if (!t) return;
  lower_call(l, n, "full_match", DT_STR, "iiiodkkk", n->in[0],
             table_of(n, "classes", DT_U8, t->byte_class, 256),
             table_of(n, "states", DT_U16, t->next,
                      (int64_t)t->nstate * t->nclass),
             n->out[0], value_numel(n->in[0]), (int64_t)t->nclass,
             (int64_t)t->start[0], (int64_t)t->accept);
}

static int axis_match(const Node *n, int in, int axis, int out)
{
  (void)n, (void)in, (void)out;
  return axis;
}

static const OpRow concat_rows[] = {{20, "X:str Y:str -> Z:str", "", "", NULL}};
static const OpRow split_rows[] = {
  {20, "X:str -> Y:str Z:i64", "", "maxsplit:i delimiter:s", NULL},
};
static const OpRow normal_rows[] = {
  {10, "X:str -> Y:str", "", "stopwords:S locale:s is_case_sensitive:i "
   "case_change_action:s", NULL},
};
static const OpRow match_rows[] = {
  {20, "X:str -> Y:bool", "", "pattern:s", NULL},
};
static const OpDef defs[] = {
  {.name = "StringConcat", .rows = concat_rows, .nrow = COUNT(concat_rows),
   .infer = infer_concat, .lower = lower_concat, .sizes = sizes_concat},
  {.name = "StringSplit", .rows = split_rows, .nrow = COUNT(split_rows),
   .infer = infer_split, .lower = lower_split, .sizes = sizes_split},
  {.name = "StringNormalizer", .rows = normal_rows, .nrow = COUNT(normal_rows),
   .infer = infer_normal, .lower = lower_normal, .sizes = sizes_normal},
  {.name = "RegexFullMatch", .rows = match_rows, .nrow = COUNT(match_rows),
   .infer = infer_match, .lower = lower_match, .axis = axis_match},
};
OPS_DEFINE(string, defs)
