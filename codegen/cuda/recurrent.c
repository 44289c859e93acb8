/* SPDX-License-Identifier: Apache-2.0 */
/* RNN, GRU and LSTM, as the file has them or with the product of their inputs
 * apart (o2c.Recurrent). A row of a direction never meets another one: a block
 * takes it through all its steps, with states and gates in shared memory, a
 * thread for each gate of a unit. Constant weights are turned, so that threads
 * read neighbouring ones.
 */
#include "cuda.h"
#include "../cpu/cpu.h"

#include <math.h>
#include <string.h>

enum { SHARED = 49152, THREADS = 512 };

static int gates_of(const Node *n)
{
  int kind = recurrent_kind(n);
  return kind == 2 ? 4 : kind == 1 ? 3 : 1;
}

bool cuda_takes_recurrent(const Plan *p, const Node *n)
{
  int64_t hidden, in, v[2 * RECURRENT_PER_DIR] = { 0 };
  (void)p;
  if (!node_is(n, "RNN") && !node_is(n, "GRU") && !node_is(n, "LSTM") &&
      !node_is_internal(n, "Recurrent"))
    return false;
  Dtype t = n->in[0]->dtype;
  if ((t != DT_F32 && t != DT_F64) ||
      !dim_is_int(recurrent_hidden(n), &hidden) || hidden < 1 ||
      !dim_is_int(n->in[0]->dim[2], &in) || in < 1)
    return false;
  return (gates_of(n) + 2) * hidden * dtype_info(t)->size <= SHARED &&
         recurrent_functions((Node *)(uintptr_t)n, v);
}

/* [rows, columns] for each direction, turned: a column a part. */
static void make_turned(const Packing *k, int64_t part, void *to)
{
  int64_t rows = k->arg[0], columns = k->arg[1];
  size_t size = (size_t)k->arg[2];
  const char *from = k->from->data;
  from += (part / columns * rows * columns + part % columns) * k->arg[2];
  for (int64_t i = 0; i < rows; i++)
    memcpy((char *)to + i * k->arg[2], from + i * columns * k->arg[2], size);
}

/* The operand W or R, [directions, gates, k], and its steps. */
static void put_weights(Step *s, Value *w, const char *name, const char *key,
                        int64_t k)
{
  int64_t gates = 0;
  bool turned = w->data != NULL;
  dim_is_int(w->dim[1], &gates);
  if (turned) {
    Packing made = { .make = make_turned, .from = w->data,
                     .parts = w->data->dim[0] * k,
                     .arg = { gates, k, dtype_info(w->dtype)->size } };
    w = value_packed(s->node, arena_printf(s->plan->a, "%s_turned", name),
                     w->dtype, w->data->n, made);
  }
  step_in(s, name, w);
  step_int(s, arena_printf(s->plan->a, "%s_GATE", key), turned ? 1 : k);
  step_int(s, arena_printf(s->plan->a, "%s_K", key), turned ? gates : 1);
}

/* Three functions of each direction; those of the first for both, where they
 * are the same. */
static void put_functions(Step *s, Node *n, int dirs)
{
  int64_t v[2 * RECURRENT_PER_DIR] = { 0 };
  const char *text = "";
  recurrent_functions(n, v);
  bool same = dirs == 1 || !memcmp(v, v + RECURRENT_PER_DIR,
                                   RECURRENT_PER_DIR * sizeof *v);
  for (int i = 0; i < (same ? 1 : 2) * RECURRENT_PER_DIR; i++)
    text = arena_printf(s->plan->a, "%s%s%lld", text, i ? ", " : "",
                        (long long)v[i]);
  step_text(s, "FUNCTIONS", "%s", text);
  step_text(s, "ACT", same ? "functions" : "(functions + d * %d)",
            RECURRENT_PER_DIR);
}

static void put_numbers(Step *s, Node *n)
{
  Dtype t = n->in[0]->dtype;
  int layout = attr_int(n, "layout", 0) != 0, kind = recurrent_kind(n);
  int64_t hidden = 0, gates = gates_of(n);
  double clip = (double)attr_float(n, "clip", INFINITY);
  dim_is_int(recurrent_hidden(n), &hidden);
  bool reverse = !strcmp(attr_str(n, "direction", ""), "reverse");
  step_text(s, "T", "%s", dtype_info(t)->c);
  step_text(s, "TYPE", "%s", dtype_info(t)->name);
  step_int(s, "KIND", kind);
  step_int(s, "HIDDEN", hidden);
  step_int(s, "GATES", gates * hidden);
  step_int(s, "DIRS", recurrent_dirs(n));
  step_text(s, "BACK", "%s", reverse ? "1" : "d == 1");
  step_text(s, "FLAG", "%s",
            attr_int(n, kind == 1 ? "linear_before_reset" : "input_forget",
                     0) ? "1" : "");
  step_dim(s, "STEPS", n->in[0]->dim[layout]);
  step_dim(s, "ROWS", n->in[0]->dim[1 - layout]);
  step_float(s, "CLIP", clip);
  int64_t threads = (gates * hidden + 31) / 32 * 32;
  step_int(s, "THREADS", threads > THREADS ? THREADS : threads);
}

void cuda_lower_recurrent(Plan *p, Node *n)
{
  int64_t hidden = 0, in = 0;
  Value *w = node_in(n, 1), *peep = node_in(n, 7);
  DimPool *d = &p->m->dims;
  Step *s = device_step(p, n, "CUDA_RECURRENT");
  dim_is_int(recurrent_hidden(n), &hidden);
  dim_is_int(n->in[0]->dim[2], &in);
  step_in(s, "x", n->in[0]);
  if (w)
    put_weights(s, w, "w", "W", in);
  step_text(s, "W", w ? "1" : "");
  put_weights(s, n->in[2], "r", "R", hidden);
  step_text(s, "PEEP", peep ? "1" : "");
  if (peep)
    step_in(s, "peep", peep);
  step_int(s, "INPUTS", in);
  recurrent_put_operands(s, n);
  recurrent_put_strides(s, n);
  put_functions(s, n, recurrent_dirs(n));
  put_numbers(s, n);
  step_ref(s, "recurrent", n->in[0]->dtype);
  device_index(s, dim_max(d, value_numel(n->in[0]),
                          dim_mul(d, value_numel(n->in[0]),
                                  dim_int(d, 4 * hidden))));
  cuda_put_unused(s);
  s->kernel_note = "cuda recurrent";
}
