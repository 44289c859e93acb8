/* SPDX-License-Identifier: Apache-2.0 */
/* o2c.Attention in f32 by attention_f32.h. Scores as an output, and a softmax
 * in double, are left to the reference kernel. Transposes of the operands that
 * only it reads are not run: operands are read where they stand, by strides. */
#include "cpu.h"

#include <math.h>

static void put_strides(Step *s, const char *letter, const Dim *const *step,
                        int n)
{
  static const char *const name[] = { "IMAGE", "HEAD", "ROW", "COL" };
  for (int i = 0; i < n; i++)
    step_dim(s, arena_printf(s->plan->a, "%s_%s", letter, name[i]), step[i]);
}

/* Operand `in` as [image, head, row, column]; rows of q are contiguous. */
static void put_operand(Step *s, int in, const char *name, const char *letter)
{
  const Dim *stride[MAX_RANK], *step[4];
  const int64_t *perm;
  Value *v = s->node->in[in], *from = operand_stored(s->plan, v, &perm);
  if (perm && in == 0 && perm[3] != 3) {
    from = v;
    perm = NULL;
  }
  value_strides(from, stride);
  for (int i = 0; i < 4; i++) step[i] = stride[perm ? perm[i] : i];
  step_in(s, name, from);
  put_strides(s, letter, step, in == 0 ? 3 : 4);
}

static void put_mask(Step *s, const AttentionShape *a)
{
  Value *mask = node_in(s->node, 3), *valid = node_in(s->node, 4);
  bool allow = mask && mask->dtype == DT_BOOL;
  if (mask) step_in(s, "mask", mask);
  if (valid) step_in(s, "valid", valid);
  step_text(s, "ALLOW", allow ? "mask" : "NULL");
  step_text(s, "BIAS", mask && !allow ? "mask" : "NULL");
  step_text(s, "VALID", valid ? "valid" : "NULL");
  put_strides(s, "M", a->mask, 4);
  step_i32(s, "MASK_KEYS", a->mask_keys);
}

/* O2C_ATTENTION_ROOM. */
static void put_room(Step *s, const AttentionShape *a)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *panel = dim_int(d, 16), *rows = dim_int(d, 24);
  const Dim *keys = dim_mul(d, dim_ceil_div(d, a->t, panel), panel);
  const Dim *wide = dim_mul(d, dim_ceil_div(d, a->v, panel), panel);
  step_scratch(s, "room", DT_F32,
               dim_add(d, dim_mul(d, keys, a->d),
                       dim_mul(d, a->t, dim_add(d, wide, rows))));
}

static void put_sizes(Step *s, const AttentionShape *a)
{
  const Node *n = s->node;
  DimPool *d = &s->plan->m->dims;
  int64_t macs;
  step_i32(s, "IMAGES", a->n);
  step_i32(s, "HEADS", a->h);
  step_i32(s, "GROUPS", a->g);
  step_i32(s, "ROWS", a->s);
  step_i32(s, "KEYS", a->t);
  step_i32(s, "SIZE", a->d);
  step_i32(s, "WIDE", a->v);
  step_dim(s, "PAST", a->past);
  step_int(s, "LEFT", attr_int(n, "left", -1));
  step_int(s, "RIGHT", attr_int(n, "right", -1));
  step_int(s, "CAUSAL", attr_int(n, "causal", 0));
  step_int(s, "ZERO", attr_int(n, "zero", 0));
  const Dim *scores = dim_mul(d, dim_mul(d, a->n, a->h),
                              dim_mul(d, a->s, a->t));
  if (dim_is_int(dim_mul(d, scores, dim_add(d, a->d, a->v)), &macs))
    s->macs = macs;
}

bool lower_attention_f32(Plan *p, Node *n)
{
  AttentionShape a;
  const Dim *own[MAX_RANK], *step[3];
  int64_t size;
  if (!node_is_internal(n, "Attention") || n->in[0]->dtype != DT_F32 ||
      node_out(n, 1) || attr_int(n, "wide", 0))
    return false;
  attention_shape(n, &a);
  if (!a.has_scale) {
    if (!dim_is_int(a.d, &size) || size < 1) return false;
    a.scale = 1 / sqrt((double)size);
  }
  const Dim *counted[] = { a.n, a.h, a.g, a.s, a.t, a.d, a.v, a.mask_keys };
  for (int i = 0; i < COUNT(counted); i++)
    if (!dim_counts(counted[i])) return false;
  Step *s = step_new(p, n, "ATTENTION");
  put_operand(s, 0, "q", "Q");
  put_operand(s, 1, "k", "K");
  put_operand(s, 2, "v", "V");
  put_mask(s, &a);
  step_out(s, "y", n->out[0]);
  put_room(s, &a);
  put_sizes(s, &a);
  bool last = attr_int(n, "heads_last", 0) != 0;
  value_strides(n->out[0], own);
  step[0] = own[0];
  step[1] = own[last ? 2 : 1];
  step[2] = own[last ? 1 : 2];
  put_strides(s, "Y", step, 3);
  step_float(s, "SCALE", (double)(float)a.scale);
  step_float(s, "SOFTCAP", a.softcap);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  /* Heads that share keys and values stay together, where that is known. */
  DimPool *d = &p->m->dims;
  int64_t heads, groups, unit = 1;
  if (dim_is_int(a.h, &heads) && dim_is_int(a.g, &groups) && groups > 0)
    unit = heads / groups;
  const Dim *scores = dim_mul(d, a.s, a.t);
  const Dim *macs = dim_mul(d, dim_add(d, a.d, a.v), dim_int(d, TICKS_MAC));
  step_split(s, dim_mul(d, a.n, a.h), unit, dim_mul(d, scores,
             dim_add(d, macs, dim_int(d, TICKS_EXP))));
  step_text(s, "KERNEL", "o2c_attention_f32%s", s->split ? "_heads" : "");
  s->kernel_note = "attention_f32";
  step_kernel(s, "attention_f32.h");
  return true;
}
