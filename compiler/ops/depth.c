/* SPDX-License-Identifier: Apache-2.0 */
/* DepthToSpace and SpaceToDepth: blocks of b x b pixels become channels, or
 * channels become them. One strided copy, for either direction, between
 *   deep  [N, C b b, H, W]     and     wide  [N, C, H b, W b]
 * where the channels of `deep` are [b, b, C] (mode DCR) or [C, b, b] (CRD). */
#include <string.h>
#include "../ir.h"

#define BLOCK_MAX (1 << 20) /* so that its square is no overflow */

static bool depth_attrs(Node *n, int64_t *block, bool *crd)
{
  const char *mode = attr_str(n, "mode", "DCR");
  *block = attr_int(n, "blocksize", 0);
  *crd = !strcmp(mode, "CRD");
  if (*block < 1 || *block > BLOCK_MAX)
    fail_model(n, "blocksize is %lld (spec: at least 1; onnx2c: at most %d)",
               (long long)*block, BLOCK_MAX);
  else if (!*crd && strcmp(mode, "DCR"))
    fail_model(n, "mode is %s (spec: DCR or CRD)",
               quote(&n->g->m->arena, mode));
  else
    return true;
  return false;
}

/* d / by; NULL after a diagnostic. */
static const Dim *depth_part(Node *n, const Dim *d, int64_t by,
                             const char *what)
{
  DimPool *p = node_dims(n);
  const Dim *part = dim_div_exact(p, d, dim_int(p, by));
  int64_t v;
  if (part) return part;
  if (dim_is_int(d, &v))
    fail_model(n, "%s is %lld (spec: a multiple of %lld)", what, (long long)v,
               (long long)by);
  else
    fail_unsupported(n, "%s is %s, which is not known to be a multiple of "
                        "%lld; fix it with --dim", what, dim_text(p, d),
                     (long long)by);
  return NULL;
}

static void infer_depth(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  bool to_space = node_is(n, "DepthToSpace"), crd;
  const Dim *dim[4];
  int64_t b;
  if (!infer_ready(n) || !depth_attrs(n, &b, &crd)) return;
  if (x->rank != 4) {
    fail_model(n, "input has rank %d (spec: 4)", x->rank);
    return;
  }
  dim[0] = x->dim[0];
  dim[1] = to_space ? depth_part(n, x->dim[1], b * b, "the number of channels")
                    : dim_mul(p, x->dim[1], dim_int(p, b * b));
  for (int i = 2; i < 4 && dim[1]; i++) {
    dim[i] = to_space ? dim_mul(p, x->dim[i], dim_int(p, b))
                      : depth_part(n, x->dim[i], b,
                                   i == 2 ? "the height" : "the width");
    if (!dim[i]) return;
  }
  if (dim[1]) infer_out(n, 0, x->dtype, 4, dim);
}

/* The axes of the copy are N, C, H, row in block, W, column in block. */
static void lower_depth(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  DimPool *p = node_dims(n);
  bool to_space = node_is(n, "DepthToSpace"), crd;
  const Value *deep = to_space ? x : y, *wide = to_space ? y : x;
  const Dim *ds[MAX_RANK], *ws[MAX_RANK];
  int64_t b;
  Block c = {.rank = 6};
  if (!depth_attrs(n, &b, &crd)) return;
  const Dim *block = dim_int(p, b), *one = dim_int(p, 1);
  const Dim *inner = crd ? one : wide->dim[1]; /* channels in a column's step */
  value_strides(deep, ds);
  value_strides(wide, ws);
  const Dim *size[] = {deep->dim[0], wide->dim[1], deep->dim[2], block,
                       deep->dim[3], block};
  const Dim *column = dim_mul(p, ds[1], inner);
  const Dim *deep_step[] = {
    ds[0], dim_mul(p, ds[1], dim_int(p, crd ? b * b : 1)), ds[2],
    dim_mul(p, column, block), ds[3], column};
  const Dim *wide_step[] = {ws[0], ws[1], dim_mul(p, ws[2], block), ws[2],
                            dim_mul(p, ws[3], block), ws[3]};
  for (int i = 0; i < 6; i++) {
    c.dim[i] = size[i];
    c.xs[i] = (to_space ? deep_step : wide_step)[i];
    c.ys[i] = (to_space ? wide_step : deep_step)[i];
  }
  lower_block(l, n, x, y, &c);
}

static int axis_depth(const Node *n, int in, int axis, int out)
{
  (void)n, (void)in, (void)out;
  return axis == 0 ? 0 : AXIS_MIXES;
}

#define SIG "input:T -> output:T"
#define WITH_MODE "mode:s blocksize:i!"
static const OpRow to_space_rows[] = {
  /* ONNX DepthToSpace-11: "DCR (default)" */
  {1, SIG, "T=all", "blocksize:i!", NULL}, {11, NULL, NULL, WITH_MODE, NULL},
  {13, NULL, "T=all13", NULL, NULL}, {28, NULL, NULL, NULL, NULL},
};
static const OpRow to_depth_rows[] = {
  {1, SIG, "T=all", "blocksize:i!", NULL}, {13, NULL, "T=all13", NULL, NULL},
  /* ONNX SpaceToDepth-28: "DCR (default)" */
  {28, NULL, NULL, WITH_MODE, NULL},
};

static const OpDef defs[] = {
  {.name = "DepthToSpace", .rows = to_space_rows, .nrow = COUNT(to_space_rows),
   .infer = infer_depth, .lower = lower_depth, .axis = axis_depth,
   .flags = OP_MOVES},
  {.name = "SpaceToDepth", .rows = to_depth_rows, .nrow = COUNT(to_depth_rows),
   .infer = infer_depth, .lower = lower_depth, .axis = axis_depth,
   .flags = OP_MOVES},
};
OPS_DEFINE(depth, defs)
