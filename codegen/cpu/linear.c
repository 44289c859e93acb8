/* SPDX-License-Identifier: Apache-2.0 */
/* LinearAttention in f32 by linear_f32.h; heads of k divide it. */
#include "cpu.h"

static void put_optional(Step *s, int in, const char *name, const char *key)
{
  Value *v = node_in(s->node, in);
  if (v) step_in(s, name, v);
  step_text(s, key, "%s", v ? name : "NULL");
}

/* The state, where the node shows it; and the decay of some tokens. */
static void put_state(Step *s, const LinearShape *r)
{
  DimPool *d = &s->plan->m->dims;
  Value *present = node_out(s->node, 1);
  const Dim *one = dim_mul(d, r->keys, r->wide);
  if (present)
    step_out(s, "state", present);
  else
    step_scratch(s, "state", DT_F32,
                 dim_mul(d, dim_mul(d, r->n, r->groups), one));
  step_scratch(s, "room", DT_F32, /* O2C_LINEAR_ROOM */
               dim_mul(d, dim_int(d, 48), r->keys));
}

bool lower_linear_f32(Plan *p, Node *n)
{
  LinearShape r;
  DimPool *d = &p->m->dims;
  if (!node_is(n, "LinearAttention") || n->in[0]->dtype != DT_F32 ||
      (node_in(n, 3) && n->in[3]->dtype != DT_F32) || !n->out[0] ||
      !linear_shape(n, &r))
    return false;
  const Dim *counted[] = {r.n, r.t, r.heads, r.groups, r.keys, r.wide};
  for (int i = 0; i < COUNT(counted); i++)
    if (!dim_counts(counted[i])) return false;
  Step *s = step_new(p, n, "LINEAR");
  step_in(s, "q", n->in[0]);
  step_in(s, "k", n->in[1]);
  step_in(s, "v", n->in[2]);
  put_optional(s, 3, "past", "PAST");
  put_optional(s, 4, "decay", "DECAY");
  put_optional(s, 5, "beta", "BETA");
  step_out(s, "y", n->out[0]);
  put_state(s, &r);
  step_i32(s, "SAMPLES", r.n);
  step_i32(s, "TOKENS", r.t);
  step_i32(s, "HEADS", r.heads);
  step_i32(s, "GROUPS", r.groups);
  step_i32(s, "KEYS", r.keys);
  step_i32(s, "WIDE", r.wide);
  step_int(s, "PER_KEY", r.per_key);
  step_int(s, "PER_HEAD", r.per_head);
  step_float(s, "SCALE", (double)(float)r.scale);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  const Dim *ticks = dim_mul(d, dim_mul(d, r.keys, r.wide),
                             dim_mul(d, r.t, dim_int(d, 3 * TICKS_MAC)));
  step_split(s, dim_mul(d, r.n, r.groups), 1, ticks);
  step_text(s, "KERNEL", "o2c_linear_attention_f32%s",
            s->split ? "_heads" : "");
  s->kernel_note = "linear_f32";
  step_kernel(s, "linear_f32.h");
  return true;
}
