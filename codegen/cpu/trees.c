/* SPDX-License-Identifier: Apache-2.0 */
/* Ensembles of trees over f32 by trees_f32.h. All comparisons become "greater
 * than the threshold goes to the second child": < and >= compare with the key
 * below, > >= != exchange the children. Children stand beside each other, and a
 * node's four grandchildren behind them, so that two levels share a cache line.
 * A leaf holds its value where all leaves of its tree speak of one target, else
 * the number of a row of numbers for all targets; equal rows are one.
 */
#include "cpu.h"

#include <math.h>
#include <string.h>

/* A node is copied for each node that has it as a child; where that makes many
 * more of them than there are, the reference kernel walks the graph. */
#define MOST_COPIES 2
#define ROW_ELEMENTS 65536 /* of rows of leaves that may be mostly zeros */

typedef struct {
  Plan *p;
  Node *n;
  const Forest *f;
  uint32_t *node, *tree;
  uint8_t *always;          /* a byte a target */
  int64_t nnode, most;      /* made, and room for */
  uint32_t mask, columns;
  int shift;
  bool wide, by_node, equal, bits, ranked;
  TreeRanks ranks;
  uint32_t *test;           /* where trees are small */
  int64_t ntest;
  Map rows;                 /* of leaves: number + 1 */
  float *leaf;
  int nleaf;
} Build;

typedef struct { int32_t from; int64_t to; } Todo;

/* Do all leaves of each tree speak of one target? */
static bool is_narrow(const Build *b)
{
  const Forest *f = b->f;
  if (f->targets == 1) return true;
  int32_t *stack = NEW(b->p->a, int32_t, f->nodes + 1);
  int64_t seen = 0;
  for (int t = 0; t < f->trees; t++) {
    int top = 0;
    int32_t target = -1;
    stack[top++] = f->root[t];
    while (top) {
      const ForestNode *n = &f->node[stack[--top]];
      if (++seen > MOST_COPIES * (int64_t)f->nodes) return false;
      if (n->mode != FOREST_LEAF) {
        stack[top++] = n->no;
        stack[top++] = n->yes;
        if (top + 2 > f->nodes) return false;
      } else if (n->no != 1 ||
                 (target >= 0 && f->target[n->yes] != target)) {
        return false;
      } else {
        target = f->target[n->yes];
      }
    }
    b->tree[2 * t + 1] = (uint32_t)target;
    b->always[target] = 1;
  }
  return true;
}

/* The number of the row that says what the leaf does; -1: the row can't. */
static int64_t leaf_row(Build *b, const ForestNode *n)
{
  const Forest *f = b->f;
  float *row = b->leaf + (int64_t)b->nleaf * f->targets;
  size_t bytes = (size_t)f->targets * sizeof *row;
  uint64_t said[4] = {0};
  memset(row, 0, bytes);
  for (int k = n->yes; k < n->yes + n->no; k++) {
    int32_t to = f->target[k];
    if (said[to / 64] >> to % 64 & 1) return -1;
    said[to / 64] |= (uint64_t)1 << to % 64;
    row[to] = (float)tensor_f64(f->weight, k);
  }
  for (int k = 0; k < f->targets; k++)
    if (!(said[k / 64] >> k % 64 & 1)) {
      if (f->aggregate >= FOREST_MIN) return -1;
      b->always[k] = 2; /* not by this one */
    }
  int64_t *at = (int64_t *)map_at(&b->rows, (const char *)row, bytes);
  if (!*at) *at = ++b->nleaf;
  return *at - 1;
}

static bool put_leaf(Build *b, const ForestNode *n, int64_t to)
{
  float v = (float)tensor_f64(b->f->weight, n->yes);
  int64_t row = b->wide ? leaf_row(b, n) : 0;
  uint32_t number = (uint32_t)row;
  b->node[2 * to] = b->columns;
  memcpy(&b->node[2 * to + 1], b->wide ? (void *)&number : (void *)&v,
         sizeof v);
  return row >= 0;
}

/* Of the order of o2c_tree_key. */
static int32_t key_of(float x)
{
  int32_t b;
  x += 0.0f;
  memcpy(&b, &x, sizeof b);
  return b < 0 ? b ^ INT32_MAX : b;
}

/* Threshold and flags, and which child is the first; false: not possible. */
static bool put_test(Build *b, int32_t at, int64_t to, bool *swap)
{
  const ForestNode *n = &b->f->node[at];
  bool tracks = n->mode & FOREST_TRACKS, nan_right;
  int mode = n->mode & 7;
  float t = (float)tensor_f64(b->f->value, at);
  if (isnan(t)) return false;
  int32_t key = key_of(t) - (mode == FOREST_LT || mode == FOREST_GTE);
  *swap = mode == FOREST_GT || mode == FOREST_GTE || mode == FOREST_NEQ;
  nan_right = *swap ? tracks || mode == FOREST_NEQ : !tracks;
  bool equal = mode == FOREST_EQ || mode == FOREST_NEQ;
  b->node[2 * to] = (uint32_t)n->feature |
                    (uint32_t)!nan_right << (b->shift - 2) |
                    (uint32_t)equal << (b->shift - 1);
  b->by_node |= !nan_right;
  b->equal |= equal;
  b->node[2 * to + 1] = (uint32_t)key;
  return true;
}

/* Node `from` at place `to`: its pair of children goes to the end. */
static bool put_node(Build *b, Todo at, Todo child[2], int *children)
{
  const ForestNode *n = &b->f->node[at.from];
  bool swap;
  *children = 0;
  if (n->mode == FOREST_LEAF) return put_leaf(b, n, at.to);
  int64_t pair = b->nnode;
  if (!put_test(b, at.from, at.to, &swap) || pair + 2 > b->most ||
      (pair - at.to) >> (32 - b->shift))
    return false;
  b->node[2 * at.to] |= (uint32_t)(pair - at.to) << b->shift;
  b->nnode += 2;
  child[0] = (Todo){swap ? n->no : n->yes, pair};
  child[1] = (Todo){swap ? n->yes : n->no, pair + 1};
  *children = 2;
  return true;
}

static bool put_tree(Build *b, int t, Todo *stack)
{
  int top = 0, count, more;
  b->tree[2 * t] = (uint32_t)b->nnode;
  stack[top++] = (Todo){b->f->root[t], b->nnode++};
  while (top) {
    Todo child[2], grand[2];
    if (!put_node(b, stack[--top], child, &count)) return false;
    for (int k = count; k-- > 0;) {
      if (!put_node(b, child[k], grand, &more)) return false;
      while (more-- > 0) stack[top++] = grand[more];
    }
  }
  return true;
}

static bool build(Build *b)
{
  const Forest *f = b->f;
  Arena *a = b->p->a;
  int bits = b->columns < 256 ? 8 : 16; /* one instruction takes so many */
  b->mask = ((uint32_t)1 << bits) - 1;
  b->shift = bits + 2;
  b->most = MOST_COPIES * (int64_t)f->nodes + 2;
  if (b->columns > b->mask || b->most > INT32_MAX) return false;
  b->tree = NEW(a, uint32_t, 2 * f->trees);
  b->always = NEW(a, uint8_t, f->targets);
  b->wide = !is_narrow(b);
  if (b->wide) {
    memset(b->always, 1, (size_t)f->targets);
    map_init(&b->rows, a);
    if (f->targets > 256 ||
        (int64_t)f->nodes * f->targets >
        4 * (int64_t)f->weights + ROW_ELEMENTS)
      return false;
    b->leaf = NEW(a, float, (int64_t)(f->nodes + 1) * f->targets);
  } else if (f->targets == 1) {
    b->always[0] = 1;
  }
  b->node = NEW(a, uint32_t, 2 * b->most);
  Todo *stack = NEW(a, Todo, b->most + 4);
  for (int t = 0; t < f->trees; t++)
    if (b->nnode >= b->most || !put_tree(b, t, stack)) return false;
  for (int k = 0; b->wide && k < f->targets; k++)
    if (b->always[k] == 2) return false; /* leaves differ in what they say */
  return true;
}

/* Comparisons of a tree and masks of what its first children lead to; returns
 * how many leaves it has, more than 32: too many. Leaves are numbered in order:
 * first children first. */
static int put_bits(Build *b, int64_t at, int *leaf, float *value)
{
  uint32_t m = b->node[2 * at];
  if (!(m >> b->shift)) {
    if (*leaf < 32) memcpy(&value[*leaf], &b->node[2 * at + 1], sizeof *value);
    return ++*leaf;
  }
  int64_t child = at + (m >> b->shift);
  int begin = *leaf;
  uint32_t *test = b->test + b->ntest;
  b->ntest += 3;
  if (put_bits(b, child, leaf, value) > 31) return 33;
  test[0] = m & b->mask;
  test[1] = b->node[2 * at + 1];
  test[2] = ~((((uint32_t)1 << (*leaf - begin)) - 1) << begin);
  return put_bits(b, child + 1, leaf, value);
}

/* Small trees as lists of comparisons, which all rows make; see trees_f32.h. */
static void build_bits(Build *b)
{
  const Forest *f = b->f;
  if (b->wide || b->equal || f->aggregate >= FOREST_MIN ||
      b->nnode > 63 * (int64_t)f->trees)
    return;
  for (int t = 0; t < f->trees; t++) {
    int64_t end = t + 1 < f->trees ? b->tree[2 * t + 2] : b->nnode;
    if (end - b->tree[2 * t] > 63) return;
  }
  b->test = NEW(b->p->a, uint32_t, f->trees + 1 + 3 * b->nnode);
  b->leaf = NEW(b->p->a, float, 32 * (int64_t)f->trees);
  b->nleaf = 32 * f->trees;
  b->ntest = f->trees + 1;
  b->bits = true;
  for (int t = 0; t < f->trees; t++) {
    int leaf = 0;
    b->test[t] = (uint32_t)b->ntest;
    put_bits(b, b->tree[2 * t], &leaf, b->leaf + 32 * t);
  }
  b->test[f->trees] = (uint32_t)b->ntest;
}

static Value *table(const Build *b, const char *name, Dtype t, int64_t count,
                    const void *data)
{
  Tensor *to = tensor_new(&b->n->g->m->arena, t, 1, &(int64_t){0});
  to->n = to->dim[0] = count;
  to->data = data;
  return value_const(b->n->g, name, to);
}

/* The calls that make classes of the sums. */
static void end_classes(Step *s, Node *n, const Forest *f)
{
  Value *label = node_out(n, 0);
  const char *to = label ? "label + first" : "number";
  if (label) step_out(s, "label", label);
  else
    step_scratch(s, "number", DT_I64, n->in[0]->rank == 2 ? n->in[0]->dim[0]
                 : dim_int(&s->plan->m->dims, 1));
  StrBuf b;
  sb_init(&b, s->plan->a);
  sb_printf(&b, "  o2c_ref_tree_classes_f32(%s, is, %s, labels, %s, rows, %d, "
            "%d, %d,\n    %d, %d);\n", step_var(s, "SUMS"),
            f->base ? "base" : "NULL", to, f->targets,
            f->base ? (int)f->base->n : 0, f->post, !f->several,
            !f->negative);
  step_text(s, "ENDING", "%.*s", (int)b.n, b.s);
  sb_free(&b);
}

/* onnxruntime: one for a single target, or one for each. */
static const char *base_name(const Forest *f)
{
  return f->base ? "base" : "NULL";
}

static void end_scores(Step *s, const Forest *f)
{
  step_text(s, "ENDING", "  o2c_ref_tree_scores_f32(%s, is, %s, rows, %d, %d, "
            "%d, %d);\n", step_var(s, "SUMS"), base_name(f), f->targets,
            f->base ? (int)f->base->n : 0,
            f->aggregate == FOREST_AVERAGE ? f->trees : 0, f->post);
}

static void put_nodes(Step *s, const Build *b)
{
  step_in(s, "node", table(b, "node", DT_U32, 2 * b->nnode, b->node));
  step_in(s, "tree", table(b, "tree", DT_U32, 2 * b->f->trees, b->tree));
  if (b->bits) step_in(s, "test", table(b, "test", DT_U32, b->ntest, b->test));
  step_text(s, "TEST", b->bits ? "test" : "NULL");
  step_text(s, "PART", b->bits ? "part" : "NULL");
}

/* Numbers of a row of leaves: whole vectors. */
static int64_t row_of(const Build *b)
{
  int64_t n = b->f->targets;
  int64_t of = !b->ranked ? 1 : n > 8 ? 16 : n > 4 ? 8 : 4;
  return (n + of - 1) / of * of;
}

static const float *leaf_rows(const Build *b)
{
  int64_t n = b->f->targets, row = row_of(b);
  if (b->bits || row == n) return b->leaf;
  float *to = NEW(b->p->a, float, b->nleaf * row);
  for (int64_t i = 0; i < b->nleaf; i++)
    memcpy(to + i * row, b->leaf + i * n, (size_t)n * sizeof *to);
  return to;
}

static void put_ranks(Step *s, const Build *b)
{
  const TreeRanks *r = &b->ranks;
  step_in(s, "node", table(b, "node", DT_U32, r->nodes, r->node));
  step_in(s, "tree", table(b, "tree", DT_U32, 4 * b->f->trees, r->tree));
  step_in(s, "limit", table(b, "limit", DT_I32, r->limits, r->limit));
  step_in(s, "test", table(b, "test", DT_U32, r->tests, r->test));
  step_in(s, "last", table(b, "last", DT_U32, r->lasts, r->last));
}

static void put_tables(Step *s, const Build *b)
{
  Node *n = b->n;
  const Forest *f = b->f;
  step_in(s, "x", n->in[0]);
  if (b->ranked) put_ranks(s, b);
  else put_nodes(s, b);
  step_in(s, "always", table(b, "always", DT_U8, f->targets, b->always));
  if (b->wide || b->bits)
    step_in(s, "leaf", table(b, "leaf", DT_F32, b->bits ? b->nleaf
                             : b->nleaf * row_of(b), leaf_rows(b)));
  step_text(s, "LEAF", b->wide || b->bits ? "leaf" : "NULL");
  if (f->base) step_in(s, "base", value_const(n->g, "base", f->base));
  if (f->classes) step_in(s, "labels", forest_labels(n, f));
}

static void put_numbers(Step *s, const Build *b, int64_t columns)
{
  const Forest *f = b->f;
  step_int(s, "COLUMNS", columns);
  step_int(s, "TREE_COUNT", f->trees);
  step_int(s, "TARGETS", f->targets);
  step_int(s, "MASK", b->mask);
  step_int(s, "SHIFT", b->shift);
  step_int(s, "BY_NODE", b->by_node);
  step_int(s, "EQUAL", b->equal);
  step_int(s, "KIND", f->aggregate < FOREST_MIN ? 1 : f->aggregate);
  step_int(s, "WIDE", b->wide ? b->ranked ? row_of(b) : 1 : 0);
  step_int(s, "BITS", b->bits);
  if (b->ranked) step_int(s, "TESTS", b->ranks.tests / b->f->trees);
}

/* Comparisons on a row's way to all leaves, if trees are balanced. */
static int64_t ticks_of(const Build *b)
{
  int64_t each = b->nnode / b->f->trees, depth = 1;
  while (each >> depth) depth++;
  return (depth * 50 + b->f->targets * 5) * b->f->trees;
}

static bool build_ranks(Build *b)
{
  const TreeNodes from = {b->p->a, b->node, b->tree, b->nnode, b->f->trees,
                          b->shift, b->mask, b->columns};
  return !b->equal && !b->bits && trees_rank(&from, &b->ranks);
}

static void put_scratch(Step *s, const Build *b, int64_t columns)
{
  DimPool *d = &s->plan->m->dims;
  if (b->ranked) {
    step_scratch(s, "row", DT_U16, /* O2C_RANK_ROW */
                 dim_int(d, 64 * (columns + 1)));
    step_scratch(s, "room", DT_U8, /* O2C_RANK_ROOM */
                 dim_int(d, 128 * (columns + 3)));
    step_text(s, "PART", b->wide ? "part" : "NULL");
    if (b->wide)
      step_scratch(s, "part", DT_F32, dim_int(d, 128 * row_of(b)));
    return;
  }
  step_scratch(s, "key", DT_I32, /* O2C_TREES_ROOM */
               dim_int(d, 64 * (columns + 1)));
  if (b->bits)
    step_scratch(s, "part", DT_F32, dim_int(d, 16 * b->f->targets));
}

/* The kernel, and what --report says of it. */
static void put_kernel(Step *s, const Build *b)
{
  const TreeRanks *r = &b->ranks;
  step_kernel(s, b->ranked ? "trees_rank.h" : "trees_f32.h");
  if (b->ranked)
    s->kernel_note = arena_printf(
      s->plan->a, "trees_rank, %lld bytes of nodes, %lld of tests",
      (long long)(4 * (r->nodes + r->lasts)), (long long)(4 * r->tests));
  else
    s->kernel_note = arena_printf(s->plan->a, "trees_f32, %lld bytes of nodes",
                                  (long long)(8 * b->nnode));
}

bool lower_trees(Plan *p, Node *n)
{
  int64_t columns;
  DimPool *d = &p->m->dims;
  Build b = {.p = p, .n = n};
  if (strncmp(n->op_type, "TreeEnsemble", 12) != 0 ||
      strcmp(n->domain, "ai.onnx.ml") != 0 || n->in[0]->dtype != DT_F32)
    return false;
  const Value *x = n->in[0];
  b.f = forest_of(n);
  if (!b.f || !dim_is_int(x->dim[x->rank - 1], &columns) || columns < 1 ||
      columns > UINT16_MAX)
    return false;
  b.columns = (uint32_t)columns;
  if (!build(&b)) return false;
  build_bits(&b);
  b.ranked = build_ranks(&b);
  const Dim *rows = x->rank == 2 ? x->dim[0] : dim_int(d, 1);
  const Dim *size = dim_mul(d, rows, dim_int(d, b.f->targets));
  Value *y = node_out(n, b.f->classes ? 1 : 0);
  Step *s = step_new(p, n, b.ranked ? "TREES_RANK" : "TREES");
  put_tables(s, &b);
  if (y) step_out(s, "y", y);
  else step_scratch(s, "y", DT_F32, size);
  step_scratch(s, "is", DT_U8, size);
  put_scratch(s, &b, columns);
  put_numbers(s, &b, columns);
  step_ref(s, "trees", DT_F32);
  put_kernel(s, &b);
  step_split(s, rows, b.ranked ? 32 : 8, dim_int(d, ticks_of(&b)));
  step_text(s, "FIRST", s->split ? "from" : "0");
  step_text(s, "ROWS", "%s", s->split ? "to - from" : step_dim_text(s, rows));
  step_text(s, "SUMS", !y ? "y" : arena_printf(p->a, "y + first * %d",
                                               b.f->targets));
  if (b.f->classes) end_classes(s, n, b.f);
  else end_scores(s, b.f);
  return true;
}
