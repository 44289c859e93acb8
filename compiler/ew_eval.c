/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise nodes and chains on constants: the folder, and the oracle of the
 * generated loops.
 *
 * The expressions of elementwise.def are compiled once for each type. A chain
 * runs in pieces: every step is a loop over some elements, whose operands and
 * result stand in buffers, half types as float. */
#include <string.h>
#include "ir.h"
#include "../runtime_min/o2c.h"
#include "../runtime_min/kernels/cast.h"
#include "../runtime_min/kernels/ew_math.h"
#include "../runtime_min/kernels/ref/convert.h"

#if defined __GNUC__
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif

#define PIECE 256
typedef union { double f64[PIECE]; unsigned char b[16 * PIECE]; } Piece;
typedef struct {
  const void *x, *y, *z;
  void *r;
  int n;
  const double *par;
} EwArgs;
typedef void (*EwFn)(const EwArgs *a);

#define P(i) ((T)a->par[i])
#define PICK(i, a0, b) (a->par[i] == 0 ? (a0) : (b))
#define NONE
#define NUM(...)
#define CHOICE(words)
#define VIA_F64
#define INT(e) SIGNED(e) UNSIGNED(e)
#define ALL(e) FLOAT(e) SIGNED(e) UNSIGNED(e)
#define EW_STORE(e) rs[i] = (R)(e);
#define EW_OPERANDS(X, RESULT)    \
  typedef RESULT R;               \
  const X *xs = a->x;             \
  const T *ys = a->y, *zs = a->z; \
  R *rs = a->r;
#define EW_ELEMENT(X)           \
  const X x = xs[i];            \
  const T y = ys[i], z = zs[i]; \
  (void)x; (void)y; (void)z;
#define EW_EACH(X, bodies) \
  for (int i = 0; rs && i < a->n; i++) { EW_ELEMENT(X) bodies }
#define EW_FN(name, X, RESULT, bodies)             \
  static void name(const EwArgs *a)                \
  {                                                \
    EW_OPERANDS(X, RESULT) EW_EACH(X, bodies)      \
  }

#define W uint32_t
#include "../runtime_min/kernels/ref/type_f32.h"
#include "ew_type.inc"
#define W uint64_t
#include "../runtime_min/kernels/ref/type_f64.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_i8.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_i16.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_i32.h"
#include "ew_type.inc"
#define W uint64_t
#include "../runtime_min/kernels/ref/type_i64.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_u8.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_u16.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_u32.h"
#include "ew_type.inc"
#define W uint64_t
#include "../runtime_min/kernels/ref/type_u64.h"
#include "ew_type.inc"
#define W uint32_t
#include "../runtime_min/kernels/ref/type_bool.h"
#include "ew_type.inc"
#define W uint64_t
#include "../runtime_min/kernels/ref/type_c64.h"
#include "ew_type.inc"
#define W uint64_t
#include "../runtime_min/kernels/ref/type_c128.h"
#include "ew_type.inc"
#define W uint64_t
#include "../runtime_min/kernels/ref/type_str.h"
#include "ew_type.inc"

static const EwFn *const tables[DT_COUNT] = {
  [DT_F32] = o2c_ref_ew_table_f32, [DT_F64] = o2c_ref_ew_table_f64,
  [DT_I8] = o2c_ref_ew_table_i8, [DT_I16] = o2c_ref_ew_table_i16,
  [DT_I32] = o2c_ref_ew_table_i32, [DT_I64] = o2c_ref_ew_table_i64,
  [DT_U8] = o2c_ref_ew_table_u8, [DT_U16] = o2c_ref_ew_table_u16,
  [DT_U32] = o2c_ref_ew_table_u32, [DT_U64] = o2c_ref_ew_table_u64,
  [DT_BOOL] = o2c_ref_ew_table_bool, [DT_STR] = o2c_ref_ew_table_str,
  [DT_C64] = o2c_ref_ew_table_c64, [DT_C128] = o2c_ref_ew_table_c128
};

/* A float rounded to a type that is computed as float. */
static float round_to(Dtype t, float v)
{
  switch (t) {
  case DT_F16: return o2c_f16_to_f32(o2c_f32_to_f16(v));
  case DT_BF16: return o2c_bf16_to_f32(o2c_f32_to_bf16(v));
  default: return v;
  }
}

static double value_f64(Dtype t, const Piece *p, int i)
{
  switch (ew_compute(t)) {
  case DT_F32: return ((const float *)p)[i];
  case DT_F64: return p->f64[i];
  case DT_U64: return (double)((const uint64_t *)p)[i];
  case DT_I64: return (double)((const int64_t *)p)[i];
  case DT_U32: return ((const uint32_t *)p)[i];
  case DT_I32: return ((const int32_t *)p)[i];
  case DT_U16: return ((const uint16_t *)p)[i];
  case DT_I16: return ((const int16_t *)p)[i];
  case DT_I8: return ((const int8_t *)p)[i];
  default: return ((const uint8_t *)p)[i];
  }
}

static int64_t value_i64(Dtype t, const Piece *p, int i)
{
  switch (ew_compute(t)) {
  case DT_U64: case DT_I64: return ((const int64_t *)p)[i];
  case DT_U32: return ((const uint32_t *)p)[i];
  case DT_I32: return ((const int32_t *)p)[i];
  case DT_U16: return ((const uint16_t *)p)[i];
  case DT_I16: return ((const int16_t *)p)[i];
  case DT_I8: return ((const int8_t *)p)[i];
  default: return ((const uint8_t *)p)[i];
  }
}

/* What is stored of a double in a float of 16 bits or fewer, as a float. */
static float narrow(Dtype t, double v, const double *par)
{
  int saturate = par[0] != 0, mode = (int)par[1];
  switch (t) {
  case DT_F16: return o2c_f16_to_f32(o2c_f64_to_f16(v));
  case DT_BF16: return o2c_bf16_to_f32(o2c_f64_to_bf16(v));
  case DT_F8E4M3FN:
    return o2c_f8e4m3fn_to_f32(o2c_f64_to_f8e4m3fn(v, saturate));
  case DT_F8E4M3FNUZ:
    return o2c_f8e4m3fnuz_to_f32(o2c_f64_to_f8e4m3fnuz(v, saturate));
  case DT_F8E5M2: return o2c_f8e5m2_to_f32(o2c_f64_to_f8e5m2(v, saturate));
  case DT_F8E5M2FNUZ:
    return o2c_f8e5m2fnuz_to_f32(o2c_f64_to_f8e5m2fnuz(v, saturate));
  case DT_F4E2M1: return o2c_f4e2m1_to_f32(o2c_f64_to_f4e2m1(v));
  case DT_F6E2M3: return o2c_f6e2m3_to_f32(o2c_f64_to_f6e2m3(v));
  case DT_F6E3M2: return o2c_f6e3m2_to_f32(o2c_f64_to_f6e3m2(v));
  case DT_F8E8M0:
    return o2c_f8e8m0_to_f32(o2c_f64_to_f8e8m0_mode(v, saturate, mode));
  default: return (float)v;
  }
}

/* An integer of at most 8 bits that its type can hold. */
static int32_t wrap(Dtype t, int64_t v)
{
  int bits = dtype_info(t)->bits;
  if (ew_class(t) == EC_SIGNED) return o2c_low_bits((int32_t)(v & 255), bits);
  return (int32_t)(v & ((1 << bits) - 1));
}

static void range_of(Dtype t, int32_t *lo, int32_t *hi)
{
  int bits = dtype_info(t)->bits;
  bool is_signed = ew_class(t) == EC_SIGNED;
  *lo = is_signed ? -(1 << (bits - 1)) : 0;
  *hi = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

static void put_small(Dtype t, Piece *r, int i, int32_t v)
{
  switch (ew_compute(t)) {
  case DT_I16: ((int16_t *)r)[i] = (int16_t)v; break;
  case DT_U16: ((uint16_t *)r)[i] = (uint16_t)v; break;
  default: r->b[i] = (unsigned char)v;
  }
}

static void cast_int_to_int(Dtype t, int64_t v, Piece *r, int i)
{
  switch (t) {
  case DT_I32: case DT_U32: ((uint32_t *)r)[i] = (uint32_t)v; break;
  case DT_I64: case DT_U64: ((int64_t *)r)[i] = v; break;
  case DT_I16: case DT_U16: ((uint16_t *)r)[i] = (uint16_t)v; break;
  default: r->b[i] = (unsigned char)wrap(t, v);
  }
}

static void cast_float_to_int(Dtype t, double v, Piece *r, int i)
{
  switch (t) {
  case DT_U32: ((uint32_t *)r)[i] = o2c_f64_to_u32(v); break;
  case DT_I64: ((int64_t *)r)[i] = o2c_f64_to_i64(v); break;
  case DT_U64: ((uint64_t *)r)[i] = o2c_f64_to_u64(v); break;
  default: cast_int_to_int(t, o2c_f64_to_i32(v), r, i);
  }
}

static void cast_one(const EwStep *s, const Piece *x, Piece *r, int i)
{
  bool from_float = ew_class(s->type) == EC_FLOAT;
  double v = value_f64(s->type, x, i);
  if (s->out == DT_BOOL)
    r->b[i] = v != 0;
  else if (s->out == DT_F64)
    r->f64[i] = v;
  else if (s->out == DT_F32 && (s->type == DT_I64 || s->type == DT_U64))
    ((float *)r)[i] = s->type == DT_I64 ? (float)((const int64_t *)x)[i]
                                        : (float)((const uint64_t *)x)[i];
  else if (ew_class(s->out) == EC_FLOAT)
    ((float *)r)[i] = narrow(s->out, v, s->par);
  else if (from_float)
    cast_float_to_int(s->out, v, r, i);
  else
    cast_int_to_int(s->out, value_i64(s->type, x, i), r, i);
}

typedef struct {
  Node *n;
  const EwChain *c;
  const int64_t *dim;         /* of the output */
  int rank;
  int64_t stride[64][MAX_RANK];
  Piece *in, *mid;
  Piece zero;
} Run;

static const Piece *operand(const Run *r, int ref)
{
  return ref == EW_ABSENT ? &r->zero : ref >= 0 ? &r->in[ref] : &r->mid[~ref];
}

static void run_quantize(const Run *r, const EwStep *s, Piece *to, int n)
{
  const Piece *x = operand(r, s->arg[0]), *z = operand(r, s->arg[2]);
  const float *scale = (const float *)operand(r, s->arg[1]);
  bool down = s->kind == ES_QUANTIZE;
  Dtype q = down ? s->out : s->type;
  int32_t lo, hi;
  for (int i = 0; i < n; i++) {
    int32_t zero = (int32_t)value_i64(q, z, i);
    if (!down) {
      ((float *)to)[i] = o2c_dequantize_f32((int32_t)value_i64(q, x, i),
                                            scale[i], zero);
      continue;
    }
    range_of(q, &lo, &hi);
    put_small(q, to, i, o2c_quantize_f32(((const float *)x)[i], scale[i], zero,
                                         lo, hi));
  }
}

static void run_step(Run *r, int k, int n)
{
  const EwStep *s = &r->c->step[k];
  const EwOp *first = (const EwOp *)ew_at(0);
  Piece *to = &r->mid[k];
  if (s->kind == ES_OP) {
    EwArgs a = {operand(r, s->arg[0]), operand(r, s->arg[1]),
                operand(r, s->arg[2]), to, n, s->par};
    tables[ew_compute(s->type)][s->op - first](&a);
  } else if (s->kind == ES_CAST && s->type == s->out) {
    memcpy(to, operand(r, s->arg[0]), sizeof *to);
  } else if (s->kind == ES_CAST) {
    for (int i = 0; i < n; i++) cast_one(s, operand(r, s->arg[0]), to, i);
  } else {
    run_quantize(r, s, to, n);
  }
  if (s->round && ew_compute(s->out) == DT_F32 && s->out != DT_F32)
    for (int i = 0; i < n; i++)
      ((float *)to)[i] = round_to(s->out, ((float *)to)[i]);
}

/* Elements [from, from + n) of an input, broadcast. */
static void gather(Run *r, int k, int64_t from, int n)
{
  const Tensor *t = r->n->in[k]->data;
  size_t size = (size_t)dtype_info(t->dtype)->size;
  bool wide = ew_compute(t->dtype) == DT_F32 && t->dtype != DT_F32;
  for (int i = 0; i < n; i++) {
    int64_t at = 0, rest = from + i;
    for (int d = r->rank - 1; d >= 0; d--) {
      at += rest % r->dim[d] * r->stride[k][d];
      rest /= r->dim[d];
    }
    if (wide)
      ((float *)&r->in[k])[i] = (float)tensor_f64(t, at);
    else
      memcpy(r->in[k].b + (size_t)i * size,
             (const char *)t->data + (size_t)at * size, size);
  }
}

/* A value that the type has, so nothing saturates here. */
static void put_narrow(Dtype t, char *to, int64_t i, float v)
{
  uint16_t *half = (uint16_t *)(void *)to;
  uint8_t *byte = (uint8_t *)to;
  switch (t) {
  case DT_F16: half[i] = o2c_f32_to_f16(v); break;
  case DT_BF16: half[i] = o2c_f32_to_bf16(v); break;
  case DT_F8E4M3FN: byte[i] = o2c_f32_to_f8e4m3fn(v, 0); break;
  case DT_F8E4M3FNUZ: byte[i] = o2c_f32_to_f8e4m3fnuz(v, 0); break;
  case DT_F8E5M2: byte[i] = o2c_f32_to_f8e5m2(v, 0); break;
  case DT_F8E5M2FNUZ: byte[i] = o2c_f32_to_f8e5m2fnuz(v, 0); break;
  case DT_F6E2M3: byte[i] = o2c_f32_to_f6e2m3(v); break;
  case DT_F6E3M2: byte[i] = o2c_f32_to_f6e3m2(v); break;
  case DT_F8E8M0: byte[i] = o2c_f32_to_f8e8m0(v, 0); break;
  default: byte[i] = o2c_f32_to_f4e2m1(v);
  }
}

static void scatter(const Run *r, Tensor *out, char *to, int64_t from, int n)
{
  const Piece *p = &r->mid[r->c->n - 1];
  size_t size = (size_t)dtype_info(out->dtype)->size;
  if (ew_compute(out->dtype) != DT_F32 || out->dtype == DT_F32)
    memcpy(to + (size_t)from * size, p, (size_t)n * size);
  else
    for (int i = 0; i < n; i++)
      put_narrow(out->dtype, to, from + i, ((const float *)p)[i]);
}

static void set_strides(Run *r, int k)
{
  const Tensor *t = r->n->in[k]->data;
  int64_t stride = 1;
  for (int d = t->rank - 1; d >= 0; d--) {
    r->stride[k][d + r->rank - t->rank] = t->dim[d] == 1 ? 0 : stride;
    stride *= t->dim[d];
  }
}

static bool reads_input(const EwChain *c, int k)
{
  for (int i = 0; i < c->n; i++)
    for (int j = 0; j < 3; j++)
      if (c->step[i].arg[j] == k) return true;
  return false;
}

bool ew_eval(Node *n)
{
  Arena *a = work_arena(n);
  Value *out = node_out(n, 0);
  Run *r = NEW(a, Run, 1);
  int64_t dim[MAX_RANK];
  Tensor *t;
  r->n = n;
  if (!out || out->bad || out->rank < 0 || n->nin > COUNT(r->stride))
    return false;
  for (int i = 0; i < out->rank; i++)
    if (!dim_is_int(out->dim[i], &dim[i])) return false;
  r->c = ew_chain(n);
  if (!r->c) return false;
  r->dim = dim;
  r->rank = out->rank;
  r->in = NEW(a, Piece, n->nin + 1);
  r->mid = NEW(a, Piece, r->c->n);
  for (int k = 0; k < n->nin; k++) {
    if (!reads_input(r->c, k)) continue;
    if (!n->in[k]->data) return false;
    set_strides(r, k);
  }
  t = tensor_new(a, out->dtype, out->rank, dim);
  t->name = out->name;
  char *to;
  memcpy(&to, &t->data, sizeof to);
  for (int64_t i = 0; i < t->n; i += PIECE) {
    int count = t->n - i < PIECE ? (int)(t->n - i) : PIECE;
    for (int k = 0; k < n->nin; k++)
      if (reads_input(r->c, k)) gather(r, k, i, count);
    for (int k = 0; k < r->c->n; k++) run_step(r, k, count);
    scatter(r, t, to, i, count);
  }
  out->data = t;
  return true;
}
