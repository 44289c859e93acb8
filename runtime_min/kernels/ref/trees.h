/* SPDX-License-Identifier: 0BSD */
/* Ensembles of trees: what the leaves that rows reach say, summed for each
 * target in the order of the trees, and then made scores or classes of, as
 * onnxruntime does.
 *
 * node has four numbers a node: feature, mode, child where the comparison
 * holds, other child. mode: 0 <= 1 < 2 >= 3 > 4 == 5 != 6 a leaf; 8 more where
 * a NaN goes to the first child. A leaf has weights first to first + count - 1
 * as its last two numbers; of weight w, target[w] says whose it is. */
#if T_IS_FLOAT && T_BITS >= 32
/* What x does at a node with threshold v. */
O2C_UNUSED static int NAME(tree_holds)(T x, T v, int32_t mode) {
  if ((mode & 8) && x != x) return 1;
  switch (mode & 7) {
  case 0: return x <= v;
  case 1: return x < v;
  case 2: return x >= v;
  case 3: return x > v;
  case 4: return x == v;
  default: return x != v;
  }
}

/* The leaf that row x reaches from a root. */
O2C_UNUSED static int32_t NAME(tree_leaf)(const T *x, const int32_t *node,
                                          const T *value, int32_t root) {
  int32_t k = root;
  while (node[4 * (int64_t)k + 1] != 6) {
    const int32_t *at = node + 4 * (int64_t)k;
    k = at[NAME(tree_holds)(x[at[0]], value[k], at[1]) ? 2 : 3];
  }
  return k;
}

/* What a leaf, four numbers of the nodes, says is added to a row. */
O2C_UNUSED static void NAME(tree_add)(const int32_t *leaf,
                                      const int32_t *target, const T *weight,
                                      T *y, unsigned char *is, int64_t ntarget,
                                      int64_t kind) {
  int64_t k;
  for (k = leaf[2]; k < leaf[2] + (ntarget == 1 ? 1 : leaf[3]); k++) {
    const int32_t to = target[k];
    const T w = weight[k];
    if (kind < 2)
      y[to] += w;
    else if (!is[to] || (kind == 2 ? w < y[to] : w > y[to]))
      y[to] = w;
    is[to] = 1;
  }
}

/* kind: 0, 1 sum, 2 least, 3 greatest. y is [n, targets], has as well: does
 * any leaf of the row say something of the target? `features` columns of x are
 * needed. A single target takes the first weight of a leaf. */
O2C_UNUSED static o2c_status NAME(trees)(const T *x, const void *nodes,
                                         const T *value, const void *roots,
                                         const void *targets, const T *weight,
                                         T *y, void *has, int64_t n,
                                         int64_t columns, int64_t features,
                                         int64_t trees, int64_t ntarget,
                                         int64_t kind) {
  const int32_t *node = (const int32_t *)nodes;
  const int32_t *root = (const int32_t *)roots;
  const int32_t *target = (const int32_t *)targets;
  unsigned char *is = (unsigned char *)has;
  int64_t i, t;
  if (columns < features) return O2C_E_SHAPE;
  for (i = 0; i < n * ntarget; i++) {
    y[i] = 0;
    is[i] = 0;
  }
  for (i = 0; i < n; i++, x += columns, y += ntarget, is += ntarget)
    for (t = 0; t < trees; t++)
      NAME(tree_add)(node + 4 * (int64_t)NAME(tree_leaf)(x, node, value,
                                                         root[t]),
                     target, weight, y, is, ntarget, kind);
  return O2C_OK;
}

O2C_UNUSED static T NAME(tree_logistic)(T x) {
  const float a = x < 0 ? -(float)x : (float)x, v = 1 / (1 + expf(-a));
  return x < 0 ? 1 - v : v;
}

/* sqrt(2) times an approximation of the inverse of erf. */
O2C_UNUSED static T NAME(tree_probit)(T y) {
  const float x = 2 * (float)y - 1, l = logf((1 - x) * (1 + x));
  const float v = 2 / (3.14159f * 0.147f) + 0.5f * l;
  const float w = sqrtf(-v + sqrtf(v * v - 1 / 0.147f * l));
  return 1.41421356f * (x < 0 ? -w : w);
}

/* post: 0 none, 1 softmax, 2 logistic, 3 softmax without zeros, 4 probit. */
O2C_UNUSED static void NAME(tree_post)(T *y, int64_t n, int64_t post) {
  T most = y[0], sum = 0;
  int64_t k;
  for (k = 0; k < n; k++) {
    if (post == 2) y[k] = NAME(tree_logistic)(y[k]);
    if (post == 4) y[k] = NAME(tree_probit)(y[k]);
    if (y[k] > most) most = y[k];
  }
  if (post != 1 && post != 3) return;
  for (k = 0; k < n; k++) {
    const int zero = post == 3 && y[k] <= K(1e-7) && y[k] >= K(-1e-7);
    if (zero) y[k] *= M(exp)(-most);
    if (zero) continue;
    y[k] = M(exp)(y[k] - most);
    sum += y[k];
  }
  for (k = 0; k < n; k++) y[k] /= sum;
}

/* The scores of a regressor, in place; base: one for each target, one for a
 * single one, or NULL. onnxruntime: of a single target only probit is made, and
 * of several one that no leaf speaks of is 0, whatever its base is. */
O2C_UNUSED static void NAME(tree_scores)(T *y, const void *has, const T *base,
                                         int64_t n, int64_t ntarget,
                                         int64_t nbase, int64_t trees,
                                         int64_t post) {
  const unsigned char *is = (const unsigned char *)has;
  int64_t i, k;
  for (i = 0; i < n; i++, y += ntarget, is += ntarget) {
    for (k = 0; k < ntarget; k++) {
      if (trees) y[k] /= (T)trees;
      if (nbase == ntarget && (ntarget == 1 || is[k])) y[k] += base[k];
    }
    if (ntarget > 1 || post == 4) NAME(tree_post)(y, ntarget, post);
  }
}

/* Two classes, by the weights of one (one_id), or of both: the label. */
O2C_UNUSED static int64_t NAME(tree_pair)(T score, const int64_t *label,
                                          int64_t one_id, int64_t positive) {
  const int yes = one_id && positive ? score > K(0.5) : score > 0;
  return one_id ? label[yes] : yes;
}

/* A lone score becomes two: what is left to 1, its negative, or nothing. */
O2C_UNUSED static void NAME(tree_second)(T *y, int rest, int64_t post) {
  const T s = y[0];
  y[1] = 0;
  if (post == 4) {
    y[0] = NAME(tree_probit)(s);
  } else if (rest == 0) {
    y[0] = 1 - s;
    y[1] = s;
  } else if (rest == 1) {
    y[0] = post == 2 ? NAME(tree_logistic)(-s) : -s;
    y[1] = post == 2 ? NAME(tree_logistic)(s) : s;
  }
}

/* Classes, in place: label of [n], y of [n, classes]. one_id: all weights are
 * of one class; positive: none is below 0. */
O2C_UNUSED static void NAME(tree_classes)(T *y, const void *has,
                                          const T *base, const void *labels,
                                          void *out, int64_t n,
                                          int64_t classes, int64_t nbase,
                                          int64_t post, int64_t one_id,
                                          int64_t positive) {
  const unsigned char *is = (const unsigned char *)has;
  const int64_t *label = (const int64_t *)labels;
  int64_t *to = (int64_t *)out, i, k;
  for (i = 0; i < n; i++, y += classes, is += classes) {
    int64_t best = -1;
    const int rest = one_id ? !positive : nbase ? 2 : 1;
    int pair = 1;
    if (classes > 2) {
      for (k = 0; k < nbase; k++) y[k] += base[k];
      for (k = 0; k < classes; k++)
        if ((is[k] || k < nbase) && (best < 0 || y[k] > y[best])) best = k;
      to[i] = label[best < 0 ? 0 : best];
    } else if (classes == 1) {
      if (nbase) y[0] += base[0];
      to[i] = y[0] > 0;
    } else {
      if (nbase == 2 && is[1]) {
        y[1] = base[1] + y[0];
        y[0] = -y[1];
      } else {
        for (k = 0; k < nbase; k++) y[k] += base[k];
        pair = nbase == 2 || is[1];
      }
      /* onnxruntime: a score without a leaf is 0, whatever its base is */
      for (k = 0; k < 2; k++)
        if (!is[k]) y[k] = 0;
      to[i] = NAME(tree_pair)(is[1] ? y[1] : y[0], label, one_id, positive);
    }
    if (classes == 2 && !pair)
      NAME(tree_second)(y, rest, post);
    else if (classes > 1 || post == 4)
      NAME(tree_post)(y, classes, post);
  }
}
#endif
