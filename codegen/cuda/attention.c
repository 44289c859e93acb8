/* SPDX-License-Identifier: Apache-2.0 */
/* o2c.Attention of every type by kernels/cuda/attention*.h: ai.onnx's, those of
 * com.microsoft and those that were written out all become it. Transposes of
 * its operands are not waited for: they are read by strides. Half types go to
 * cuDNN, where it does what the node says and has a kernel for its sizes. */
#include "cuda.h"

#include <math.h>

/* o2c.Attention-1. */
bool cuda_takes_attention(const Plan *p, const Node *n)
{
  static const Dtype types[] = { DT_F32, DT_F64, DT_F16, DT_BF16, DT_NONE };
  (void)p;
  if (!node_is_internal(n, "Attention") || !node_out(n, 0))
    return false;
  const Value *mask = node_in(n, 3);
  if (mask && mask->dtype != DT_BOOL && mask->dtype != n->in[0]->dtype)
    return false;
  for (const Dtype *t = types; *t != DT_NONE; t++)
    if (*t == n->in[0]->dtype)
      return true;
  return false;
}

static void put_steps(Step *s, StrBuf *b, const char *key, int count,
                      const Dim *const *step)
{
  for (int i = 0; i < count; i++)
    sb_printf(b, "  p.%s[%d] = %s;\n", key, i, step_dim_text(s, step[i]));
}

static void put_operands(Step *s, StrBuf *b, const AttentionShape *a)
{
  static const char *const name[] = { "q", "k", "v" };
  static const char *const key[] = { "qs", "ks", "vs" };
  Node *n = s->node;
  const Dim *step[MAX_RANK], *own[3];
  bool last = attr_int(n, "heads_last", 0) != 0;
  for (int i = 0; i < 3; i++) {
    step_in(s, name[i], cuda_operand(s->plan, n->in[i], step));
    put_steps(s, b, key[i], 4, step);
  }
  value_strides(n->out[0], step);
  own[0] = step[0];
  own[1] = step[last ? 2 : 1];
  own[2] = step[last ? 1 : 2];
  put_steps(s, b, "ys", 3, own);
  put_steps(s, b, "ms", 4, a->mask);
}

static void put_sizes(Step *s, StrBuf *b, const AttentionShape *a)
{
  const Node *n = s->node;
  const struct { const char *key; const Dim *dim; } size[] = {
    { "n", a->n }, { "h", a->h }, { "g", a->g }, { "s", a->s }, { "t", a->t },
    { "d", a->d }, { "v", a->v }, { "mask_keys", a->mask_keys },
    { "past", a->past }
  };
  const struct { const char *key; int64_t value; } rule[] = {
    { "causal", attr_int(n, "causal", 0) }, { "left", attr_int(n, "left", -1) },
    { "right", attr_int(n, "right", -1) }, { "mode", attr_int(n, "mode", 0) },
    { "wide", attr_int(n, "wide", 0) }, { "zero", attr_int(n, "zero", 0) }
  };
  for (int i = 0; i < COUNT(size); i++)
    sb_printf(b, "  p.%s = %s;\n", size[i].key,
              step_dim_text(s, size[i].dim));
  for (int i = 0; i < COUNT(rule); i++)
    sb_printf(b, "  p.%s = %lld;\n", rule[i].key, (long long)rule[i].value);
  if (a->has_scale)
    sb_printf(b, "  p.scale = %.17g;\n", a->scale);
  else
    sb_puts(b, "  p.scale = p.d > 0 ? 1 / sqrt((double)p.d) : 1;\n");
  sb_printf(b, "  p.softcap = %.17g;\n", a->softcap);
}

/* Elements that a row's room in a tile has; 0: rows are too long, or the scores
 * themselves are asked for. */
static int tile_width(const Node *n, const AttentionShape *a)
{
  int64_t d, v;
  if (n->in[0]->dtype == DT_F64 || node_out(n, 1) || attr_int(n, "wide", 0) ||
      !dim_is_int(a->d, &d) || !dim_is_int(a->v, &v))
    return 0;
  for (int wide = 32; wide <= 256; wide *= 2)
    if (d <= wide && v <= wide)
      return wide;
  return 0;
}

/* Rows that a mask hides whole have no score in cuDNN's kernels: the node must
 * not say what becomes of them, or have none. */
static bool by_library(const Node *n, const AttentionShape *a)
{
  Dtype type = n->in[0]->dtype;
  const Value *mask = node_in(n, 3);
  return (type == DT_F16 || type == DT_BF16) && !node_in(n, 4) &&
         a->softcap <= 0 && attr_int(n, "left", -1) < 0 &&
         attr_int(n, "right", -1) < 0 &&
         (!mask || (mask->dtype == type && attr_int(n, "zero", 0) == 1));
}

/* Scores on chip. */
static void put_tiles(Step *s, const AttentionShape *a, int wide)
{
  Plan *p = s->plan;
  bool library = by_library(s->node, a);
  step_int(s, "WIDE", wide);
  step_text(s, "LIBRARY", library ? "1" : "");
  step_kernel(s, "cuda/attention_tiles.h");
  if (library) {
    p->uses_dnn = true;
    step_int(s, "PLAN", p->nlibrary++);
    step_text(s, "DTYPE", "%s", cuda_dtype(s->node->in[0]->dtype));
    step_kernel(s, "cuda/attention_call.h");
  }
  s->kernel_note = library ? "cuDNN attention, or by tiles"
                           : "cuda attention by tiles";
}

/* Scores in memory. */
static void put_whole(Step *s, const Dim *rows, const Dim *scores)
{
  Node *n = s->node;
  bool f64 = n->in[0]->dtype == DT_F64;
  Value *qk = node_out(n, 1);
  if (qk)
    step_out(s, "qk", qk);
  step_scratch(s, "scores", f64 ? DT_F64 : DT_F32, scores);
  step_dim(s, "ROWS", rows);
  step_text(s, "QK", qk ? "qk" : "NULL");
  step_kernel(s, "cuda/attention.h");
  s->kernel_note = "cuda attention";
}

void cuda_lower_attention(Plan *p, Node *n)
{
  AttentionShape a;
  DimPool *d = &p->m->dims;
  StrBuf b;
  int64_t macs;
  Value *mask = node_in(n, 3), *valid = node_in(n, 4);
  bool allow = mask && mask->dtype == DT_BOOL;
  attention_shape(n, &a);
  int wide = tile_width(n, &a);
  Step *s = device_step(p, n, wide ? "CUDA_ATTENTION_TILES" : "CUDA_ATTENTION");
  sb_init(&b, p->a);
  put_operands(s, &b, &a);
  put_sizes(s, &b, &a);
  if (mask)
    step_in(s, "mask", mask);
  if (valid)
    step_in(s, "valid", valid);
  step_out(s, "y", n->out[0]);
  step_text(s, "SHAPE", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_text(s, "TYPE", "%s", dtype_info(n->in[0]->dtype)->name);
  step_text(s, "ALLOW", allow ? "mask" : "NULL");
  step_text(s, "BIAS", mask && !allow ? "mask" : "NULL");
  step_text(s, "VALID", valid ? "valid" : "NULL");
  const Dim *rows = dim_mul(d, dim_mul(d, a.n, a.h), a.s);
  const Dim *scores = dim_mul(d, rows, a.t);
  if (wide)
    put_tiles(s, &a, wide);
  else
    put_whole(s, rows, scores);
  if (dim_is_int(dim_mul(d, scores, dim_add(d, a.d, a.v)), &macs))
    s->macs = macs;
}
