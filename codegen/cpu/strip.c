/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of convolutions by strips of rows (strip.h).
 *
 * Where a map is larger than what the second-level cache holds, has one reader
 * and both ends of it are convolutions that work row by row (1x1, depthwise,
 * or at the beginning one with a stride), they become one step: a strip of rows
 * goes through all of them before the next one. The map between is never
 * whole, so it costs neither memory traffic nor workspace. The stages are
 * lowered as if they stood alone; their variables get the stage's number.
 */
#include "cpu.h"

#include <string.h>

/* Bytes: of a map that is worth it; of a strip's windows and weights, which is
 * half of a second-level cache of a megabyte. */
#define STRIP_MAP (512 * 1024)
#define STRIP_ROOM (512 * 1024)
#define STRIP_STEP 8

typedef struct {
  Conv conv;
  int64_t rows, row;       /* of its output, bytes with borders */
  int64_t weights;         /* bytes */
} Stage;

typedef struct Strip {
  Node *node[STRIP_STAGES];
  int n;
  int step;                /* rows of the last stage's output */
  int64_t room[STRIP_STAGES]; /* rows of each stage's window; none of stage 0 */
} Strip;

static bool is_depthwise(const Conv *v)
{
  return v->g.group == v->c && v->oc == v->c && v->c > 1;
}

/* Is it a convolution that strips know how to run? */
static bool stage_of(Plan *p, Node *n, bool head, Stage *s)
{
  Conv *v = &s->conv;
  int64_t h, w;
  if (!node_is_internal(n, "FusedConv") || !conv_shape(p, n, v) || v->pad ||
      v->g.n != 2 || !dim_is(v->g.batch, 1) || !dim_is_int(v->h, &h) ||
      !dim_is_int(v->w, &w) || !dim_is_int(v->oh, &s->rows) ||
      !dim_is_int(v->ow, &w) || s->rows < 1)
    return false;
  bool point = v->g.group == 1 && v->kh == 1 && v->kw == 1;
  bool wide = head && v->g.group == 1 && v->sh > 1;
  bool depthwise = is_depthwise(v) && !node_in(n, 3);
  const Halo *halo = halo_find(p, n->out[0]);
  int64_t border = halo ? halo->left + halo->right : 0;
  s->row = (w + border) * v->oc * 4;
  s->weights = n->in[1]->data->n * 4;
  return (point || wide || depthwise) && (v->kh - 1) * v->dh + 1 >= v->sh;
}

/* The node that reads n's map, if it is the only one and the map is large. */
static Node *reader_of(const Plan *p, const Node *n, const Stage *s)
{
  Value *y = n->out[0];
  if (y->nuse != 1 || y->is_output || s->rows * s->row < STRIP_MAP ||
      y->use[0]->in[0] != y || stored_in(p, y) != y)
    return NULL;
  return y->use[0];
}

/* Rows of the windows for strips of `step` rows; bytes of all of them. */
static int64_t put_rooms(Strip *t, const Stage *s, int64_t step)
{
  int64_t bytes = 0;
  for (int i = t->n - 1; i > 0; i--) {
    const Conv *v = &s[i].conv;
    step = (step - 1) * v->sh + (v->kh - 1) * v->dh + 1;
    t->room[i] = step;
    bytes += step * s[i - 1].row;
  }
  return bytes;
}

/* The most rows a strip has room for; 0: not two. */
static int strip_step(Strip *t, const Stage *s)
{
  int64_t weights = 0;
  for (int i = 0; i < t->n; i++)
    weights += s[i].weights;
  for (int step = STRIP_STEP; step > 1; step /= 2)
    if (step <= s[t->n - 1].rows &&
        put_rooms(t, s, step) + weights <= STRIP_ROOM)
      return step;
  return 0;
}

/* The chain from n on, as long as a strip has room. */
static void strip_from(Plan *p, Node *n)
{
  Stage s[STRIP_STAGES];
  Strip t = { .n = 1 };
  if (!stage_of(p, n, true, &s[0]))
    return;
  t.node[0] = n;
  bool residual = node_in(n, 3) != NULL;
  while (t.n < STRIP_STAGES) {
    n = reader_of(p, t.node[t.n - 1], &s[t.n - 1]);
    if (!n || !stage_of(p, n, false, &s[t.n]) || (residual && node_in(n, 3)))
      break;
    residual |= node_in(n, 3) != NULL;
    t.node[t.n++] = n;
    if (!strip_step(&t, s)) {
      t.n--;
      break;
    }
  }
  bool depthwise = false;
  for (int i = 0; i < t.n; i++)
    depthwise |= is_depthwise(&s[i].conv);
  t.step = strip_step(&t, s);
  if (t.n < 2 || !depthwise || !t.step)
    return;
  Strip *kept = NEW(p->a, Strip, 1);
  *kept = t;
  for (int i = 0; i < t.n; i++)
    p->strip[t.node[i]->out[0]->id] = kept;
}

void plan_strips(Plan *p)
{
  p->strip_values = p->m->nvalue;
  p->strip = NEW(p->a, const Strip *, p->strip_values + 1);
  if (math_is_fast(p))
    return; /* kernels of bfloat16 take the convolutions */
  for (Node *n = p->g->first; n; n = n->next)
    if (node_is_internal(n, "LoopBegin"))
      return; /* a chain could reach into a loop */
  for (Node *n = p->g->first; n; n = n->next)
    if (n->nout && n->out[0] && !p->strip[n->out[0]->id])
      strip_from(p, n);
}

/* Weights and bias of each stage; x of the first, y of the last, and r of the
 * only one that may have it, are the step's. */
static void put_ptr(Step *s, const StepPtr *ptr, int k)
{
  const char *name = ptr->name;
  if (!strcmp(name, "w") || !strcmp(name, "b"))
    name = arena_printf(s->plan->a, "%s_%d", name, k);
  if (ptr->kind == SP_IN)
    step_in(s, name, ptr->v);
  else
    step_out(s, name, ptr->v);
  if (ptr->kind == SP_OUT && ptr->over >= 0)
    step_in_place(s, "y", "r");
}

static void put_window(Step *s, const Strip *t, int k)
{
  Plan *p = s->plan;
  DimPool *d = &p->m->dims;
  Conv v;
  int64_t top, left, wide;
  conv_shape(p, t->node[k], &v);
  dim_is_int(v.top, &top);
  dim_is_int(v.left, &left);
  dim_is_int(v.wp, &wide);
  step_int(s, arena_printf(p->a, "EXTENT%d", k), (v.kh - 1) * v.dh + 1);
  step_int(s, arena_printf(p->a, "STRIDE%d", k), v.sh);
  step_int(s, arena_printf(p->a, "ABOVE%d", k), top);
  step_int(s, arena_printf(p->a, "BESIDE%d", k), left * v.c * 4);
  step_int(s, arena_printf(p->a, "BYTES%d", k), wide * v.xc * 4);
  step_int(s, arena_printf(p->a, "ROOM%d", k), t->room[k]);
  step_text(s, arena_printf(p->a, "WINDOW%d", k), k ? "m_%d" : "NULL", k);
  if (k)
    step_scratch(s, arena_printf(p->a, "m_%d", k), DT_F32,
                 dim_int(d, t->room[k] * wide * v.c));
}

/* Stage k, lowered by itself, put into the step with k behind its names. */
static const char *put_stage(Step *s, const Strip *t, int k)
{
  Plan *p = s->plan;
  p->undivided = true;
  lower_conv_f32(p, t->node[k]);
  p->undivided = false;
  const Step *part = p->last;
  p->last = s;
  s->next = NULL;
  p->nstep--;
  s->macs += part->macs;
  for (int i = 0; i < part->nkernel; i++)
    step_kernel(s, part->kernel[i]);
  for (int i = 0; i < part->nvar; i++)
    step_text(s, arena_printf(p->a, "%s%d", part->var[i].key, k), "%s",
              part->var[i].text);
  for (int i = 0; i < part->nptr; i++) {
    bool between = (k > 0 && !strcmp(part->ptr[i].name, "x")) ||
                   (k + 1 < t->n && part->ptr[i].kind == SP_OUT);
    if (!between)
      put_ptr(s, &part->ptr[i], k);
  }
  put_window(s, t, k);
  return part->macro;
}

bool lower_strip(Plan *p, Node *n)
{
  const Value *y = n->nout ? n->out[0] : NULL;
  if (!y || y->id >= p->strip_values || !p->strip[y->id])
    return false;
  const Strip *t = p->strip[y->id];
  const char *params = "", *stages = "", *what = "";
  if (t->node[t->n - 1] != n)
    return true; /* with the last one */
  Step *s = step_new(p, n, "STRIP_F32");
  for (int k = 0; k < t->n; k++) {
    const char *kind = put_stage(s, t, k);
    const char *few = step_var(s, arena_printf(p->a, "SHORT%d", k));
    const char *run = strcmp(kind, "CONV_F32") ? "dw_f32"
                      : *few ? few : "conv_f32";
    params = arena_printf(p->a, "%sG_STRIP_%s(%d)", params, kind, k);
    stages = arena_printf(p->a, "%sG_STRIP_STAGE(%d, o2c_strip_%s)", stages, k,
                          run);
    what = arena_printf(p->a, "%s%s%s", what, k ? ", " : "", run);
    if (k + 1 < t->n)
      node_add_origin(n, t->node[k]);
  }
  step_text(s, "PARAMS", "%s", params);
  step_text(s, "STAGES", "%s", stages);
  step_text(s, "END", "G_STRIP_END(%d)", t->n - 1);
  step_int(s, "COUNT", t->n);
  step_int(s, "STEP_ROWS", t->step);
  step_kernel(s, "strip_f32.h");
  s->kernel_note = arena_printf(p->a, "%s, %d rows at a time", what, t->step);
  return true;
}
