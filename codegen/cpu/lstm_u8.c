/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an LSTM by bytes, by lstm_u8.h: where its recurrent weights and
 * their scales are constants, s8 holds each weight less its zero point, and
 * gates and states have their usual functions. */
#include "cpu.h"
#include "../../runtime_min/kernels/pack_u8.h"

#include <string.h>

enum { IN_R = 2, R_SCALE = 10, R_ZERO = 11 };

typedef struct {
  int64_t dirs, hidden, gates, wide; /* wide: O2C_LSTM_U8_WIDE */
  Tensor *r, *sums, *scale;
} Bytes;

/* Weight (k, column) of direction d, less its zero point. */
static int64_t weight(const Tensor *r, const Tensor *zero, const Bytes *b,
                      int64_t d, int64_t k, int64_t column)
{
  int64_t at = (d * b->hidden + k) * b->gates + column;
  return tensor_i64(r, at) - tensor_i64(zero, d * b->gates + column);
}

/* Column c of a gate's order, where the panels have it. */
static int64_t panel_column(const Bytes *b, int64_t c)
{
  int64_t gate = c / b->hidden, unit = c % b->hidden;
  return unit / 16 * 64 + gate * 16 + unit % 16;
}

static bool pack(const Node *n, Bytes *b)
{
  Arena *a = &n->g->m->arena;
  const Tensor *r = n->in[IN_R]->data, *zero = n->in[R_ZERO]->data;
  const Tensor *scale = n->in[R_SCALE]->data;
  int64_t panels = (int64_t)o2c_pack_u8_size((int32_t)b->wide, 1,
                                             (int32_t)b->hidden);
  int64_t size = panels * b->dirs, all = b->wide * b->dirs;
  int8_t *w = NEW(a, int8_t, b->wide * b->hidden);
  b->r = tensor_new(a, DT_I8, 1, &size);
  b->sums = tensor_new(a, DT_I32, 1, &all);
  b->scale = tensor_new(a, DT_F32, 1, &all);
  for (int64_t d = 0; d < b->dirs; d++) {
    for (int64_t c = 0; c < b->gates; c++) {
      int64_t sum = 0, to = panel_column(b, c);
      for (int64_t k = 0; k < b->hidden; k++) {
        int64_t v = weight(r, zero, b, d, k, c);
        if (v < -128 || v > 127)
          return false;
        w[to * b->hidden + k] = (int8_t)v;
        sum += v;
      }
      tensor_set_i64(b->sums, d * b->wide + to, sum);
      tensor_set_f64(b->scale, d * b->wide + to,
                     tensor_f64(scale, d * b->gates + c));
    }
    o2c_pack_u8((int8_t *)(uintptr_t)b->r->data + d * panels, w,
                (int32_t)b->wide, 1, (int32_t)b->hidden);
  }
  return true;
}

bool lower_lstm_u8(Plan *p, Node *n)
{
  DimPool *d = &p->m->dims;
  if (!node_is_internal(n, "LstmOfBytes") || !n->in[IN_R]->data ||
      !n->in[R_SCALE]->data || !n->in[R_ZERO]->data || !recurrent_usual(n))
    return false;
  const Tensor *r = n->in[IN_R]->data;
  const Value *x = n->in[0];
  Bytes b = { .dirs = r->dim[0], .hidden = r->dim[1], .gates = r->dim[2],
              .wide = (r->dim[1] + 15) / 16 * 64 };
  if (!pack(n, &b))
    return false;
  const Dim *rows = x->dim[1];
  const Dim *states = dim_mul(d, rows, dim_int(d, b.hidden));
  Step *s = step_new(p, n, "LSTM_U8");
  step_in(s, "x", n->in[0]);
  step_in(s, "r", value_const(n->g, "r_panels", b.r));
  step_in(s, "sums", value_const(n->g, "r_sums", b.sums));
  step_in(s, "scale", value_const(n->g, "r_scale", b.scale));
  recurrent_put_operands(s, n);
  recurrent_put_strides(s, n);
  step_scratch(s, "work", DT_F32, /* O2C_LSTM_U8_ROOM */
               dim_mul(d, rows, dim_int(d, b.hidden * 2 + 64)));
  step_scratch(s, "bytes", DT_U8, states);
  step_scratch(s, "pixels", DT_I16, dim_int(d, (b.hidden + 3) / 4 * 12));
  step_int(s, "KIND", 2);
  step_int(s, "HIDDEN", b.hidden);
  step_int(s, "DIRS", b.dirs);
  step_int(s, "LINEAR", 0);
  step_int(s, "REVERSE", !strcmp(attr_str(n, "direction", ""), "reverse"));
  step_i32(s, "STEPS", x->dim[0]);
  step_i32(s, "ROWS", rows);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  s->status = node_in(n, 4) != NULL;
  step_int(s, "CHECKED", s->status);
  s->kernel_note = "lstm_u8, panel-16 weights";
  step_kernel(s, "lstm_u8.h");
  int64_t times;
  if (dim_is_int(dim_mul(d, rows, x->dim[0]), &times))
    s->macs = times * b.dirs * b.gates * b.hidden;
  return true;
}
