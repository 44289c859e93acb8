/* SPDX-License-Identifier: Apache-2.0 */
/* LinearAttention: columns of a state know nothing of each other, so a few
 * threads keep one in registers over all tokens. */
#include "cuda.h"

enum { LANES = 8, COLUMNS = 256 / LANES, MOST_KEYS = 512, ROOM = 10240 };

/* Keys that registers hold, and queries that shared memory does. */
static bool fits(const LinearShape *r, int64_t *keys, int64_t *shared)
{
  int64_t heads, groups;
  if (!dim_is_int(r->keys, keys) || !dim_is_int(r->heads, &heads) ||
      !dim_is_int(r->groups, &groups))
    return false;
  *shared = heads / groups;
  return *keys > 0 && *keys <= MOST_KEYS && (*shared + 2) * *keys <= ROOM;
}

bool cuda_takes_linear(const Plan *p, const Node *n)
{
  LinearShape r;
  int64_t keys, shared;
  (void)p;
  return node_is(n, "LinearAttention") && node_out(n, 0) &&
         linear_shape((Node *)(uintptr_t)n, &r) && fits(&r, &keys, &shared);
}

void cuda_lower_linear(Plan *p, Node *n)
{
  static const char *const name[] = { "q", "k", "v", "past", "decay", "beta" };
  LinearShape r;
  DimPool *d = &p->m->dims;
  int64_t keys = 0, shared = 0;
  Value *present = node_out(n, 1);
  linear_shape(n, &r);
  fits(&r, &keys, &shared);
  Step *s = device_step(p, n, "CUDA_LINEAR");
  const char *own[6];
  for (int i = 0; i < 6; i++) {
    Value *v = node_in(n, i);
    own[i] = v ? name[i] : "";
    if (v)
      step_in(s, name[i], v);
  }
  step_out(s, "y", n->out[0]);
  if (present)
    step_out(s, "present", present);
  step_text(s, "PAST", "%s", own[3]);
  step_text(s, "DECAY", "%s", own[4]);
  step_text(s, "BETA", "%s", own[5]);
  step_text(s, "PRESENT", present ? "1" : "");
  step_int(s, "LANES", LANES);
  step_int(s, "KEYS", keys);
  step_int(s, "SHARED", shared);
  step_dim(s, "HEADS", r.heads);
  step_dim(s, "GROUPS", r.groups);
  cuda_put_dim(s, "N", r.n);
  cuda_put_dim(s, "T", r.t);
  cuda_put_dim(s, "WIDE", r.wide);
  cuda_put_dim(s, "PARTS", dim_ceil_div(d, r.wide, dim_int(d, COLUMNS)));
  step_text(s, "PER_KEY", r.per_key ? "1" : "");
  step_text(s, "PER_HEAD", r.per_head ? "1" : "");
  cuda_put_real(s, "SCALE", r.scale);
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  const Value *state = present ? present : node_in(n, 3);
  cuda_put_class(s, "STATE", state ? state->dtype : DT_F32);
  step_kernel(s, "cuda/type.h");
  step_kernel(s, "cuda/block.h");
  s->kernel_note = "cuda linear attention";
}
