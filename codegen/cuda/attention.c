/* SPDX-License-Identifier: Apache-2.0 */
/* o2c.Attention of every type by kernels/cuda/attention.h: ai.onnx's, those of
 * com.microsoft and those that were written out all become it. Transposes of
 * its operands are not waited for: they are read by strides. */
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

void cuda_lower_attention(Plan *p, Node *n)
{
  AttentionShape a;
  DimPool *d = &p->m->dims;
  StrBuf b;
  int64_t macs;
  Value *mask = node_in(n, 3), *valid = node_in(n, 4), *qk = node_out(n, 1);
  Dtype type = n->in[0]->dtype;
  bool allow = mask && mask->dtype == DT_BOOL;
  attention_shape(n, &a);
  Step *s = device_step(p, n, "CUDA_ATTENTION");
  sb_init(&b, p->a);
  put_operands(s, &b, &a);
  put_sizes(s, &b, &a);
  if (mask)
    step_in(s, "mask", mask);
  if (valid)
    step_in(s, "valid", valid);
  step_out(s, "y", n->out[0]);
  if (qk)
    step_out(s, "qk", qk);
  const Dim *rows = dim_mul(d, dim_mul(d, a.n, a.h), a.s);
  const Dim *scores = dim_mul(d, rows, a.t);
  step_scratch(s, "scores", type == DT_F64 ? DT_F64 : DT_F32, scores);
  step_text(s, "SHAPE", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_dim(s, "ROWS", rows);
  step_text(s, "TYPE", "%s", dtype_info(type)->name);
  step_text(s, "ALLOW", allow ? "mask" : "NULL");
  step_text(s, "BIAS", mask && !allow ? "mask" : "NULL");
  step_text(s, "VALID", valid ? "valid" : "NULL");
  step_text(s, "QK", qk ? "qk" : "NULL");
  step_kernel(s, "cuda/attention.h");
  s->kernel_note = "cuda attention";
  if (dim_is_int(dim_mul(d, scores, dim_add(d, a.d, a.v)), &macs))
    s->macs = macs;
}
