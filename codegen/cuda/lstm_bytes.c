/* SPDX-License-Identifier: Apache-2.0 */
/* o2c.LstmOfBytes, the steps of com.microsoft's DynamicQuantizeLSTM, by
 * kernels/cuda/lstm_bytes.h: where the recurrent weights, their scales and zero
 * points are constants, which lie as its blocks read them.
 */
#include "cuda.h"
#include "../cpu/cpu.h"

#include <string.h>

enum { IN_R = 2, IN_P = 7, R_SCALE = 10, R_ZERO = 11 };
/* Of the call lstm_bytes of ref/recurrent.h. */
enum { ARG_REVERSE = 17, ARG_COUPLED, ARG_SIGNED, ARG_AT, ARG_ACT, ARG_CLIP };
enum { UNITS = 16, COLUMNS = 4 * UNITS, WIDE = 4,
       MOST = 32768 /* units, so that sums of products fit 32 bits */ };

bool cuda_takes_lstm_bytes(const Plan *p, const Node *n)
{
  (void)p;
  if (!node_is_internal(n, "LstmOfBytes") || !n->in[IN_R]->data ||
      !n->in[R_SCALE]->data || !n->in[R_ZERO]->data)
    return false;
  const Tensor *r = n->in[IN_R]->data;
  return r->dim[1] > 0 && r->dim[1] <= MOST;
}

static int64_t parts_of(const Tensor *r)
{
  return (r->dim[1] + UNITS - 1) / UNITS;
}

/* What bytes lose to be signed. */
static int64_t less(const Tensor *r)
{
  return r->dtype == DT_U8 ? 128 : 0;
}

/* The weight's column in the file of column c of part `part`, which has some
 * of each gate; -1: past the last unit. */
static int64_t column_of(const Tensor *r, int64_t part, int64_t c)
{
  int64_t unit = part % parts_of(r) * UNITS + c % UNITS;
  return unit < r->dim[1] ? c / UNITS * r->dim[1] + unit : -1;
}

static int64_t weight(const Tensor *r, int64_t d, int64_t k, int64_t column)
{
  if (column < 0 || k >= r->dim[1])
    return 0;
  int64_t at = (d * r->dim[1] + k) * r->dim[2] + column;
  return tensor_i64(r, at) - less(r);
}

/* Word w of all columns of a part of 16 units: number `part` of both. */
static void make_words(const Packing *k, int64_t part, void *to)
{
  const Tensor *r = k->from;
  int64_t deep = k->arg[0], own = part / deep, w = part % deep;
  int8_t *word = to;
  for (int64_t c = 0; c < COLUMNS; c++)
    for (int64_t i = 0; i < WIDE; i++)
      *word++ = (int8_t)weight(r, own / parts_of(r), w * WIDE + i,
                               column_of(r, own, c));
}

static Value *words_of(Node *n)
{
  const Tensor *r = n->in[IN_R]->data;
  int64_t deep = (r->dim[1] + WIDE - 1) / WIDE;
  Packing k = { .make = make_words, .from = r,
                .parts = r->dim[0] * parts_of(r) * deep, .arg = { deep } };
  return value_packed(n, "r_words", DT_I8, k.parts * COLUMNS * WIDE, k);
}

/* Sums, zero points and scales of columns, as the parts have them. */
static void put_columns(Step *s, Node *n)
{
  const Tensor *r = n->in[IN_R]->data, *zero = n->in[R_ZERO]->data;
  const Tensor *scale = n->in[R_SCALE]->data;
  Arena *a = s->plan->a;
  int64_t parts = r->dim[0] * parts_of(r), all = parts * COLUMNS;
  Tensor *sums = tensor_new(a, DT_I32, 1, &all);
  Tensor *zeros = tensor_new(a, DT_I32, 1, &all);
  Tensor *scales = tensor_new(a, DT_F32, 1, &all);
  bool some = false;
  for (int64_t e = 0; e < all; e++) {
    int64_t part = e / COLUMNS, d = part / parts_of(r), sum = 0;
    int64_t column = column_of(r, part, e % COLUMNS);
    if (column < 0)
      continue;
    for (int64_t k = 0; k < r->dim[1]; k++)
      sum += weight(r, d, k, column);
    int64_t at = d * r->dim[2] + column, z = tensor_i64(zero, at) - less(r);
    tensor_set_i64(sums, e, sum);
    tensor_set_i64(zeros, e, z);
    tensor_set_f64(scales, e, tensor_f64(scale, at));
    some = some || z != 0;
  }
  step_in(s, "sums", value_const(n->g, "r_sums", sums));
  if (some)
    step_in(s, "zero", value_const(n->g, "r_zeros", zeros));
  step_text(s, "ZERO", some ? "zero" : "NULL");
  step_in(s, "scale", value_const(n->g, "r_scales", scales));
}

static void put_scratch(Step *s, const Tensor *r, const Dim *rows)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *states = dim_mul(d, rows, dim_int(d, r->dim[0] * r->dim[1]));
  step_scratch(s, "states", DT_F32, dim_mul(d, states, dim_int(d, 2)));
  step_scratch(s, "cells", DT_F32, states);
  step_scratch(s, "range", DT_F32,
               dim_mul(d, rows, dim_int(d, 4 * r->dim[0] * parts_of(r))));
}

/* Three functions of each direction; those of the first for both, where they
 * are the same, so that nothing is left to choose at run time. */
static void put_functions(Step *s, const CallArg *act, int64_t dirs)
{
  const Dim *const *f = act->dim;
  bool same = dirs == 1 ||
    !memcmp(f, f + RECURRENT_PER_DIR, RECURRENT_PER_DIR * sizeof *f);
  step_text(s, "FUNCTIONS", "%s",
            cuda_list(s, (same ? 1 : 2) * RECURRENT_PER_DIR, f));
  step_text(s, "ACT", same ? "0" : "9 * d");
}

void cuda_lower_lstm_bytes(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  const Tensor *r = n->in[IN_R]->data;
  Value *peep = node_in(n, IN_P);
  Call c;
  node_calls(p, n, &c, 1);
  Step *s = device_step(p, n, "CUDA_LSTM_BYTES");
  step_in(s, "x", n->in[0]);
  step_in(s, "words", words_of(n));
  put_columns(s, n);
  if (peep)
    step_in(s, "peep", peep);
  step_text(s, "PEEP", peep ? "peep" : "NULL");
  recurrent_put_operands(s, n);
  put_scratch(s, r, x->dim[1]);
  step_dim(s, "STEPS", x->dim[0]);
  step_dim(s, "ROWS", x->dim[1]);
  step_int(s, "HIDDEN", r->dim[1]);
  step_int(s, "DIRS", r->dim[0]);
  step_dim(s, "REVERSE", c.arg[ARG_REVERSE].dim[0]);
  step_dim(s, "COUPLED", c.arg[ARG_COUPLED].dim[0]);
  step_text(s, "AT", "%s", cuda_list(s, c.arg[ARG_AT].n, c.arg[ARG_AT].dim));
  put_functions(s, &c.arg[ARG_ACT], r->dim[0]);
  step_float(s, "CLIP", c.arg[ARG_CLIP].f);
  step_kernel(s, "cuda/lstm_bytes.h");
  step_ref(s, "recurrent", DT_F32);
  s->kernel_note = "cuda dp4a LSTM";
  int64_t times;
  if (dim_is_int(dim_mul(&p->m->dims, x->dim[0], x->dim[1]), &times))
    s->macs = times * r->dim[0] * r->dim[1] * r->dim[2];
}
