/* SPDX-License-Identifier: Apache-2.0 */
/* The trees of TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble
 * as tables, whatever the attributes that write them. Leaves are nodes too.
 * What the lists say is checked here, once for each node of the graph: their
 * lengths, that children exist and no path returns to where it was, and that
 * each leaf says something.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir.h"

typedef struct {
  Node *n;
  Arena *a;
  Forest *f;
  const int64_t *tree, *id; /* of each node, where nodes have names */
  int count;                /* of them */
  bool plain;               /* ids count from 0 in each tree, which are runs */
  int *order;               /* else: nodes by tree and id */
  int *run;                 /* first node of the run that a node stands in */
} Read;

/* The list `name` with as many entries as `like`; NULL after a diagnostic. */
static const Attr *list_of(Node *n, const char *name, int count,
                           const char *like)
{
  const Attr *x = attr_get(n, name);
  if (x && x->n == count) return x;
  fail_model(n, "%s has %d entries, %s %d (spec: parallel)", name,
             x ? x->n : 0, like, count);
  return NULL;
}

/* Numbers from a list of floats or from a tensor, <name>_as_tensor, as real
 * ones. *out is NULL where there are none; false after a diagnostic. */
static bool numbers_of(const Read *r, const char *name, const Tensor **out)
{
  const Attr *list = attr_get(r->n, name);
  const char *other = arena_printf(r->a, "%s_as_tensor", name);
  const Attr *tensor = attr_get(r->n, other);
  const Tensor *t = tensor ? tensor->t : NULL;
  int64_t count = list ? list->n : t ? t->n : 0;
  *out = NULL;
  if (list && list->n && t && t->n) {
    fail_model(r->n, "%s and %s are both given; keep one", name, other);
    return false;
  }
  if (t && t->dtype != DT_F32 && t->dtype != DT_F64) {
    fail_model(r->n, "%s is of type %s (spec: float or double)", other,
               dtype_info(t->dtype)->onnx);
    return false;
  }
  if (!count) return true;
  bool floats = list && list->n;
  int64_t made = floats && r->f->real == DT_F32 ? 0 : count;
  Tensor *to = tensor_new(r->a, r->f->real, 1, &made);
  for (int64_t i = 0; i < made; i++)
    tensor_set_f64(to, i, floats ? (double)list->floats[i] : tensor_f64(t, i));
  if (!made) to->data = list->floats;
  to->n = to->dim[0] = count;
  *out = to;
  return true;
}

/* The same from a tensor attribute of TreeEnsemble-5. */
static const Tensor *tensor_of(const Read *r, const char *name)
{
  const Attr *x = attr_get(r->n, name);
  if (x && x->t) return x->t;
  fail_model(r->n, "%s has no value", name);
  return NULL;
}

/* --- Nodes by name -------------------------------------------------------- */

static int by_name(const Read *r, int i, int64_t tree, int64_t id)
{
  if (r->tree[i] != tree) return r->tree[i] < tree ? -1 : 1;
  return r->id[i] < id ? -1 : r->id[i] > id;
}

/* A heap sort: qsort has no argument for what the indices mean. */
static void sift(const Read *r, int from, int n)
{
  int *v = r->order;
  for (int k; (k = 2 * from + 1) < n; from = k) {
    if (k + 1 < n && by_name(r, v[k], r->tree[v[k + 1]], r->id[v[k + 1]]) < 0)
      k++;
    if (by_name(r, v[from], r->tree[v[k]], r->id[v[k]]) >= 0) return;
    int held = v[from];
    v[from] = v[k];
    v[k] = held;
  }
}

static bool sort_names(Read *r)
{
  r->order = NEW(r->a, int, r->count);
  for (int i = 0; i < r->count; i++) r->order[i] = i;
  for (int i = r->count / 2; i-- > 0;) sift(r, i, r->count);
  for (int n = r->count; n-- > 1;) {
    int held = r->order[0];
    r->order[0] = r->order[n];
    r->order[n] = held;
    sift(r, 0, n);
  }
  for (int i = 1; i < r->count; i++) {
    int a = r->order[i - 1], b = r->order[i];
    if (by_name(r, a, r->tree[b], r->id[b])) continue;
    fail_model(r->n, "node %lld of tree %lld stands there twice",
               (long long)r->id[b], (long long)r->tree[b]);
    return false;
  }
  return true;
}

/* Trees are what stands together; a root is the first node of its tree. */
static bool read_names(Read *r)
{
  int start = 0;
  r->run = NEW(r->a, int, r->count);
  r->f->root = NEW(r->a, int32_t, r->count);
  r->plain = true;
  for (int i = 0; i < r->count; i++) {
    bool first = !i || r->tree[i] != r->tree[i - 1];
    if (first) start = r->f->root[r->f->trees++] = i;
    if (first && i && r->tree[i] < r->tree[i - 1]) r->plain = false;
    if (r->id[i] != i - start) r->plain = false;
    r->run[i] = start;
  }
  if (r->plain) return true;
  if (!sort_names(r)) return false;
  int trees = 0;
  for (int k = 0; k < r->count; k++)
    if (!k || r->tree[r->order[k]] != r->tree[r->order[k - 1]]) trees++;
  if (trees == r->f->trees) return true;
  fail_model(r->n, "the nodes of a tree do not stand together in "
             "nodes_treeids");
  return false;
}

static int find_node(const Read *r, int near, int64_t tree, int64_t id)
{
  if (r->plain && r->tree[near] == tree) {
    int64_t at = r->run[near] + id;
    return id >= 0 && at < r->count && r->tree[at] == tree ? (int)at : -1;
  }
  int lo = 0, hi = r->plain ? r->f->trees : r->count;
  while (lo < hi) {
    int mid = lo + (hi - lo) / 2;
    int at = r->plain ? r->f->root[mid] : r->order[mid];
    int c = r->plain ? by_name(r, at, tree, 0) : by_name(r, at, tree, id);
    if (!c && r->plain) return find_node(r, at, tree, id);
    if (!c) return at;
    if (c < 0) lo = mid + 1;
    else hi = mid;
  }
  return -1;
}

/* --- Classifier and regressor --------------------------------------------- */

static int mode_of(const Read *r, int i, Str s)
{
  static const char *const name[] = {
    "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ",
    "BRANCH_NEQ", "LEAF",
  };
  for (int k = 0; k < COUNT(name); k++)
    if (s.n == strlen(name[k]) && !memcmp(s.p, name[k], s.n)) return k;
  fail_model(r->n, "nodes_modes[%d] is %s (spec: BRANCH_LEQ, BRANCH_LT, "
             "BRANCH_GTE, BRANCH_GT, BRANCH_EQ, BRANCH_NEQ or LEAF)", i,
             quote(r->a, s.p));
  return -1;
}

static bool read_child(const Read *r, int i, const Attr *list, int32_t *child)
{
  int at = find_node(r, i, r->tree[i], list->ints[i]);
  *child = at;
  if (at < 0)
    fail_model(r->n, "%s[%d] is %lld, but tree %lld has no such node",
               list->name, i, (long long)list->ints[i],
               (long long)r->tree[i]);
  return at >= 0;
}

static bool read_nodes(Read *r)
{
  const char *like = "nodes_nodeids";
  const Attr *tree = list_of(r->n, "nodes_treeids", r->count, like);
  const Attr *feature = tree ? list_of(r->n, "nodes_featureids", r->count,
                                       like) : NULL;
  const Attr *mode = feature ? list_of(r->n, "nodes_modes", r->count, like)
                             : NULL;
  const Attr *yes = mode ? list_of(r->n, "nodes_truenodeids", r->count, like)
                         : NULL;
  const Attr *no = yes ? list_of(r->n, "nodes_falsenodeids", r->count, like)
                       : NULL;
  int tracks;
  const int64_t *track = attr_ints(r->n, "nodes_missing_value_tracks_true",
                                   &tracks);
  if (!no) return false;
  r->tree = tree->ints;
  if (!read_names(r)) return false;
  r->f->node = NEW(r->a, ForestNode, r->count);
  for (int i = 0; i < r->count; i++) {
    ForestNode *to = &r->f->node[i];
    int m = mode_of(r, i, mode->strs[i]);
    if (m < 0) return false;
    *to = (ForestNode){0, m, 0, 0};
    if (m == FOREST_LEAF) continue;
    if (feature->ints[i] < 0 || feature->ints[i] >= DIM_INFINITE) {
      fail_model(r->n, "nodes_featureids[%d] is %lld", i,
                 (long long)feature->ints[i]);
      return false;
    }
    to->feature = (int32_t)feature->ints[i];
    if (i < tracks && track[i] == 1) to->mode |= FOREST_TRACKS;
    if (!read_child(r, i, yes, &to->yes) || !read_child(r, i, no, &to->no))
      return false;
  }
  r->f->nodes = r->count;
  return true;
}

/* What leaves say, grouped by leaf in the order of the file. */
static bool read_weights(Read *r, const char *what)
{
  Forest *f = r->f;
  const char *names[3];
  const Attr *list[3];
  const Tensor *w;
  static const char *const part[] = {"ids", "treeids", "nodeids"};
  const Attr *first = attr_get(r->n, arena_printf(r->a, "%s_ids", what));
  int count = first ? first->n : 0;
  for (int k = 0; k < 3; k++) {
    names[k] = arena_printf(r->a, "%s_%s", what, part[k]);
    list[k] = list_of(r->n, names[k], count, arena_printf(r->a, "%s_ids",
                                                          what));
    if (!list[k]) return false;
  }
  const char *name = arena_printf(r->a, "%s_weights", what);
  if (!numbers_of(r, name, &w)) return false;
  if (!w || w->n != count) {
    fail_model(r->n, "%s has %lld entries, %s_ids %d (spec: parallel)", name,
               w ? (long long)w->n : 0, what, count);
    return false;
  }
  int *leaf = NEW(r->a, int, count), used = 0;
  for (int i = 0; i < count; i++) {
    int near = i ? leaf[i - 1] : 0;
    int at = find_node(r, near, list[1]->ints[i], list[2]->ints[i]);
    if (at < 0) {
      fail_model(r->n, "%s[%d] is %lld, but tree %lld has no such node",
                 names[2], i, (long long)list[2]->ints[i],
                 (long long)list[1]->ints[i]);
      return false;
    }
    if (list[0]->ints[i] < 0 || list[0]->ints[i] >= f->targets) {
      fail_model(r->n, "%s[%d] is %lld, of %d", names[0], i,
                 (long long)list[0]->ints[i], f->targets);
      return false;
    }
    leaf[i] = at;
    if (tensor_f64(w, i) < 0) f->negative = true;
    if (list[0]->ints[i] != list[0]->ints[0]) f->several = true;
    /* onnxruntime: weights of other nodes are ignored */
    if (f->node[at].mode == FOREST_LEAF) f->node[at].no++;
  }
  for (int i = 0; i < f->nodes; i++)
    if (f->node[i].mode == FOREST_LEAF) {
      f->node[i].yes = used;
      used += f->node[i].no;
      f->node[i].no = 0;
    }
  f->target = NEW(r->a, int32_t, used + 1);
  int64_t total = f->weights = used;
  f->weight = tensor_new(r->a, f->real, 1, &total);
  for (int i = 0; i < count; i++) {
    ForestNode *to = &f->node[leaf[i]];
    if (to->mode != FOREST_LEAF) continue;
    f->target[to->yes + to->no] = (int32_t)list[0]->ints[i];
    tensor_set_f64(f->weight, to->yes + to->no++, tensor_f64(w, i));
  }
  return true;
}

static int word_of(const Read *r, const char *name, const char *dflt,
                   const char *const *word, int count)
{
  const char *s = attr_str(r->n, name, dflt);
  for (int k = 0; k < count; k++)
    if (!strcmp(s, word[k])) return k;
  fail_model(r->n, "attribute %s is %s, which the specification does not "
             "know", name, quote(r->a, s));
  return -1;
}

static bool read_old(Read *r, const char *what)
{
  static const char *const post[] = {"NONE", "SOFTMAX", "LOGISTIC",
                                     "SOFTMAX_ZERO", "PROBIT"};
  static const char *const sum[] = {"AVERAGE", "SUM", "MIN", "MAX"};
  Forest *f = r->f;
  r->id = attr_ints(r->n, "nodes_nodeids", &r->count);
  f->post = word_of(r, "post_transform", "NONE", post, COUNT(post));
  f->aggregate = word_of(r, "aggregate_function", "SUM", sum, COUNT(sum));
  if (f->post < 0 || f->aggregate < 0 || !read_nodes(r) ||
      !numbers_of(r, "nodes_values", &f->value) ||
      !numbers_of(r, "base_values", &f->base))
    return false;
  if (!f->value || f->value->n != r->count) {
    fail_model(r->n, "nodes_values has %lld entries, nodes_nodeids %d (spec: "
               "parallel)", f->value ? (long long)f->value->n : 0, r->count);
    return false;
  }
  return read_weights(r, what);
}

/* --- TreeEnsemble-5 ------------------------------------------------------- */

/* A set is a chain of comparisons that share a child. Sets end at a NaN, and
 * belong to the nodes of mode BRANCH_MEMBER in their order. */
static bool write_sets(Read *r, Tensor *value)
{
  Forest *f = r->f;
  const Attr *x = attr_get(r->n, "membership_values");
  const Tensor *set = x ? x->t : NULL;
  int64_t at = 0, count = set ? set->n : 0;
  int nodes = f->nodes;
  for (int i = 0; i < nodes; i++) {
    if ((f->node[i].mode & 7) != FOREST_MEMBER) continue;
    int here = i;
    if (at >= count) {
      fail_model(r->n, "node %d has no set in membership_values", i);
      return false;
    }
    f->node[i].mode += FOREST_EQ - FOREST_MEMBER;
    tensor_set_f64(value, i, NAN);
    for (bool first = true; at < count && !isnan(tensor_f64(set, at));
         at++, first = false) {
      if (!first) {
        int next = f->nodes++;
        f->node[next] = f->node[here];
        f->node[here].no = next;
        here = next;
      }
      tensor_set_f64(value, here, tensor_f64(set, at));
    }
    at++;
  }
  return true;
}

static bool read_branch(const Read *r, int i, const Attr *child,
                        const Attr *leaf, int leaves, int32_t *to)
{
  bool ends = leaf->ints[i] != 0;
  int64_t at = child->ints[i];
  if (at < 0 || at >= (ends ? leaves : r->count)) {
    fail_model(r->n, "%s[%d] is %lld, of %d %s", child->name, i, (long long)at,
               ends ? leaves : r->count, ends ? "leaves" : "nodes");
    return false;
  }
  *to = (int32_t)(ends ? r->count + at : at);
  return true;
}

/* Leaves are the nodes after the others. */
static bool read_branches(Read *r, const Tensor *modes, int leaves)
{
  static const char *const name[] = {"nodes_truenodeids", "nodes_trueleafs",
    "nodes_falsenodeids", "nodes_falseleafs", "nodes_featureids"};
  const Attr *list[COUNT(name)];
  int tracks;
  const int64_t *track = attr_ints(r->n, "nodes_missing_value_tracks_true",
                                   &tracks);
  for (int k = 0; k < COUNT(name); k++)
    if (!(list[k] = list_of(r->n, name[k], r->count, "nodes_modes")))
      return false;
  for (int i = 0; i < r->count; i++) {
    ForestNode *to = &r->f->node[i];
    int64_t mode = tensor_i64(modes, i), feature = list[4]->ints[i];
    if (mode < 0 || mode > 6 || feature < 0 || feature >= DIM_INFINITE) {
      fail_model(r->n, "node %d has mode %lld and feature %lld", i,
                 (long long)mode, (long long)feature);
      return false;
    }
    to->feature = (int32_t)feature;
    to->mode = mode == 6 ? FOREST_MEMBER : (int32_t)mode;
    if (i < tracks && track[i] == 1) to->mode |= FOREST_TRACKS;
    if (!read_branch(r, i, list[0], list[1], leaves, &to->yes) ||
        !read_branch(r, i, list[2], list[3], leaves, &to->no))
      return false;
  }
  return true;
}

static bool read_leaves(Read *r, const Tensor *weight)
{
  Forest *f = r->f;
  int64_t leaves = weight->n;
  const Attr *target = list_of(r->n, "leaf_targetids", (int)leaves,
                               "leaf_weights");
  if (!target) return false;
  f->target = NEW(r->a, int32_t, leaves);
  f->weight = tensor_new(r->a, f->real, 1, &leaves);
  f->weights = (int)leaves;
  for (int i = 0; i < leaves; i++) {
    f->node[r->count + i] = (ForestNode){0, FOREST_LEAF, i, 1};
    f->target[i] = (int32_t)target->ints[i];
    tensor_set_f64(f->weight, i, tensor_f64(weight, i));
    if (target->ints[i] >= 0 && target->ints[i] < f->targets) continue;
    fail_model(r->n, "leaf_targetids[%d] is %lld, of %d", i,
               (long long)target->ints[i], f->targets);
    return false;
  }
  return true;
}

static bool read_new(Read *r)
{
  Forest *f = r->f;
  const Attr *sets = attr_get(r->n, "membership_values");
  const Tensor *modes = tensor_of(r, "nodes_modes");
  const Tensor *splits = tensor_of(r, "nodes_splits");
  const Tensor *weight = tensor_of(r, "leaf_weights");
  const int64_t *root = attr_ints(r->n, "tree_roots", &f->trees);
  /* onnxruntime has 1 and 2 the other way round than the specification */
  static const int posts[] = {FOREST_NONE, FOREST_LOGISTIC, FOREST_SOFTMAX,
                              FOREST_SOFTMAX_ZERO, FOREST_PROBIT};
  int64_t post = attr_int(r->n, "post_transform", 0);
  f->post = post < 0 || post > 4 ? -1 : posts[post];
  f->aggregate = (int)attr_int(r->n, "aggregate_function", 1);
  if (!modes || !splits || !weight) return false;
  if (f->post < 0 || f->aggregate < 0 || f->aggregate > 3) {
    fail_model(r->n, "post_transform is %lld, aggregate_function %d (spec: 0 "
               "to 4, 0 to 3)", (long long)post, f->aggregate);
    return false;
  }
  if (splits->n != modes->n || modes->n + weight->n > DIM_INFINITE) {
    fail_model(r->n, "nodes_splits has %lld entries, nodes_modes %lld (spec: "
               "parallel)", (long long)splits->n, (long long)modes->n);
    return false;
  }
  r->count = (int)modes->n;
  int64_t most = modes->n + weight->n + (sets && sets->t ? sets->t->n : 0);
  Tensor *value = tensor_new(r->a, f->real, 1, &most);
  f->node = NEW(r->a, ForestNode, most);
  f->nodes = r->count + (int)weight->n;
  f->value = value;
  for (int i = 0; i < r->count; i++)
    tensor_set_f64(value, i, tensor_f64(splits, i));
  f->root = NEW(r->a, int32_t, f->trees + 1);
  for (int i = 0; i < f->trees; i++) {
    f->root[i] = (int32_t)root[i];
    if (root[i] >= 0 && root[i] < r->count) continue;
    fail_model(r->n, "tree_roots[%d] is %lld, of %d nodes", i,
               (long long)root[i], r->count);
    return false;
  }
  return read_branches(r, modes, (int)weight->n) && read_leaves(r, weight) &&
         write_sets(r, value);
}

/* --- Both ----------------------------------------------------------------- */

/* Walks what can be reached; a node that is met below itself is a cycle. */
static bool no_cycles(const Read *r)
{
  enum { NEW_NODE, ABOVE, DONE };
  const Forest *f = r->f;
  bool down = true;
  for (int i = 0; i < f->nodes && down; i++)
    down = f->node[i].mode == FOREST_LEAF ||
           (f->node[i].yes > i && f->node[i].no > i);
  if (down) return true; /* children stand behind their parents */
  char *state = arena_alloc(r->a, (size_t)f->nodes);
  int32_t *stack = NEW(r->a, int32_t, f->nodes + 1);
  for (int t = 0; t < f->trees; t++) {
    int top = 0;
    stack[top++] = f->root[t];
    while (top) {
      int i = stack[top - 1];
      const ForestNode *n = &f->node[i];
      if (n->mode == FOREST_LEAF) state[i] = DONE;
      int next = state[i] == DONE ? -1 : state[n->yes] != DONE ? n->yes
               : state[n->no] != DONE ? n->no : -1;
      if (next < 0) {
        state[i] = DONE;
        top--;
        continue;
      }
      state[i] = ABOVE;
      if (state[next] == ABOVE) {
        fail_model(r->n, "a path of tree %d returns to a node that it has "
                   "passed", t);
        return false;
      }
      stack[top++] = next;
    }
  }
  return true;
}

static bool check_all(Read *r)
{
  Forest *f = r->f;
  if (!f->trees) {
    fail_model(r->n, "it has no trees");
    return false;
  }
  for (int i = 0; i < f->nodes; i++) {
    if (f->node[i].mode != FOREST_LEAF) {
      if (f->node[i].feature >= f->features)
        f->features = f->node[i].feature + 1;
    } else if (!f->node[i].no) {
      fail_model(r->n, "node %d is a leaf without a weight", i);
      return false;
    }
  }
  int64_t base = f->base ? f->base->n : 0;
  if (base > 1 && base != f->targets) {
    fail_model(r->n, "base_values has %lld entries, for %d targets or classes",
               (long long)base, f->targets);
    return false;
  }
  return no_cycles(r);
}

/* Classes, or targets; 0 after a diagnostic. */
static int targets_of(Node *n, Forest *f)
{
  const Attr *ints = attr_get(n, "classlabels_int64s");
  const Attr *text = attr_get(n, "classlabels_strings");
  int64_t count = attr_int(n, "n_targets", f->classes ? 0 : 1);
  if (!f->classes && (count < 1 || count > DIM_INFINITE)) {
    fail_model(n, "n_targets is %lld", (long long)count);
    return 0;
  }
  if (!f->classes) return (int)count;
  bool has_ints = ints && ints->n, has_text = text && text->n;
  if (has_ints == has_text) {
    fail_model(n, "classlabels_int64s and classlabels_strings are %s (spec: "
               "one of them)", has_ints ? "both there" : "both missing");
    return 0;
  }
  f->labels = has_ints ? ints : text;
  return f->labels->n;
}

const Forest *forest_of(Node *n)
{
  if (n->fused || n->bad) return n->fused;
  Arena *a = &n->g->m->arena;
  Forest *f = NEW(a, Forest, 1);
  Read r = {.n = n, .a = a, .f = f};
  f->real = real_of(n->in[0]->dtype);
  f->classes = !strcmp(n->op_type, "TreeEnsembleClassifier");
  f->targets = targets_of(n, f);
  if (!f->targets) return NULL;
  bool fine = !strcmp(n->op_type, "TreeEnsemble") ? read_new(&r)
            : read_old(&r, f->classes ? "class" : "target");
  if (!fine || !check_all(&r)) return NULL;
  n->fused = f;
  return f;
}
