/* SPDX-License-Identifier: Apache-2.0 */
/* Constant tensors: creation, and elements as numbers of any type.
 *
 * The narrow floats are converted by the functions that generated code uses,
 * so that folding and running agree. */
#include "ir.h"
#include <stdlib.h>
#include <string.h>
#include "o2c.h"
#include "ref/base.h"
#include "ref/convert.h"

Tensor *tensor_new(Arena *a, Dtype t, int rank, const int64_t *dim)
{
  Tensor *x = NEW(a, Tensor, 1);
  x->dtype = t;
  x->rank = rank;
  x->n = 1;
  for (int i = 0; i < rank; i++) {
    x->dim[i] = dim[i];
    if (dim[i] < 0 || (dim[i] && x->n > INT64_MAX / dim[i])) x->n = -1;
    if (x->n < 0) break;
    x->n *= dim[i];
  }
  /* A negative count is out of memory, as a huge one is. */
  if (x->n < 0 || (uint64_t)x->n > SIZE_MAX) x->n = INT64_MAX;
  x->data = arena_array(a, (size_t)dtype_info(t)->size, (size_t)x->n);
  return x;
}

/* A model's weights lie in the mapped file at any address. */
#define LOADER(T) \
  static T load_##T(const void *p, int64_t i) \
  { \
    T v; memcpy(&v, (const char *)p + (size_t)i * sizeof v, sizeof v); \
    return v; }
LOADER(float) LOADER(double)
LOADER(int8_t) LOADER(int16_t) LOADER(int32_t) LOADER(int64_t)
LOADER(uint8_t) LOADER(uint16_t) LOADER(uint32_t) LOADER(uint64_t)

double tensor_f64(const Tensor *t, int64_t i)
{
  const void *p = t->data;
  switch (t->dtype) {
  case DT_F32: return (double)load_float(p, i);
  case DT_F64: return load_double(p, i);
  case DT_F16: return (double)o2c_f16_to_f32(load_uint16_t(p, i));
  case DT_BF16: return (double)o2c_bf16_to_f32(load_uint16_t(p, i));
  case DT_F8E4M3FN:
    return (double)o2c_f8e4m3fn_to_f32(load_uint8_t(p, i));
  case DT_F8E4M3FNUZ:
    return (double)o2c_f8e4m3fnuz_to_f32(load_uint8_t(p, i));
  case DT_F8E5M2: return (double)o2c_f8e5m2_to_f32(load_uint8_t(p, i));
  case DT_F8E5M2FNUZ:
    return (double)o2c_f8e5m2fnuz_to_f32(load_uint8_t(p, i));
  case DT_F4E2M1: return (double)o2c_f4e2m1_to_f32(load_uint8_t(p, i));
  case DT_F6E2M3: return (double)o2c_f6e2m3_to_f32(load_uint8_t(p, i));
  case DT_F6E3M2: return (double)o2c_f6e3m2_to_f32(load_uint8_t(p, i));
  case DT_F8E8M0: return (double)o2c_f8e8m0_to_f32(load_uint8_t(p, i));
  case DT_U64: return (double)load_uint64_t(p, i);
  default: return (double)tensor_i64(t, i);
  }
}

/* Saturates, as nothing but the value of a well-formed size matters. */
static int64_t to_i64(double v)
{
  if (isnan(v)) return 0;
  if (v >= 9223372036854775808.0) return INT64_MAX;
  if (v <= -9223372036854775808.0) return INT64_MIN;
  return (int64_t)v;
}

int64_t tensor_i64(const Tensor *t, int64_t i)
{
  const void *p = t->data;
  switch (t->dtype) {
  case DT_BOOL: case DT_U8: case DT_U4: case DT_U2:
    return load_uint8_t(p, i);
  case DT_I8: case DT_I4: case DT_I2: return load_int8_t(p, i);
  case DT_U16: return load_uint16_t(p, i);
  case DT_I16: return load_int16_t(p, i);
  case DT_U32: return load_uint32_t(p, i);
  case DT_I32: return load_int32_t(p, i);
  case DT_I64: return load_int64_t(p, i);
  case DT_U64: {
    uint64_t u = load_uint64_t(p, i);
    return u > INT64_MAX ? INT64_MAX : (int64_t)u;
  }
  case DT_NONE: case DT_STR: case DT_C64: case DT_C128: return 0;
  default: return to_i64(tensor_f64(t, i));
  }
}

void tensor_set_f64(Tensor *t, int64_t i, double v)
{
  union { const void *c; void *p; } u = {t->data};
  uint8_t *b = (uint8_t *)u.p + i;
  switch (t->dtype) {
  case DT_F32: ((float *)u.p)[i] = (float)v; break;
  case DT_F64: ((double *)u.p)[i] = v; break;
  case DT_F16: ((uint16_t *)u.p)[i] = o2c_f64_to_f16(v); break;
  case DT_BF16: ((uint16_t *)u.p)[i] = o2c_f64_to_bf16(v); break;
  case DT_F8E4M3FN: *b = o2c_f64_to_f8e4m3fn(v, 1); break;
  case DT_F8E4M3FNUZ: *b = o2c_f64_to_f8e4m3fnuz(v, 1); break;
  case DT_F8E5M2: *b = o2c_f64_to_f8e5m2(v, 1); break;
  case DT_F8E5M2FNUZ: *b = o2c_f64_to_f8e5m2fnuz(v, 1); break;
  case DT_F4E2M1: *b = o2c_f64_to_f4e2m1(v); break;
  case DT_F6E2M3: *b = o2c_f64_to_f6e2m3(v); break;
  case DT_F6E3M2: *b = o2c_f64_to_f6e3m2(v); break;
  case DT_F8E8M0: *b = o2c_f64_to_f8e8m0(v, 1); break;
  case DT_U64:
    ((uint64_t *)u.p)[i] = v >= 18446744073709551616.0 ? UINT64_MAX :
                           v > 0 ? (uint64_t)v : 0;
    break;
  default: tensor_set_i64(t, i, to_i64(v)); break;
  }
}

void tensor_set_i64(Tensor *t, int64_t i, int64_t v)
{
  union { const void *c; void *p; } u = {t->data};
  switch (t->dtype) {
  case DT_BOOL: ((uint8_t *)u.p)[i] = v != 0; break;
  case DT_U8: ((uint8_t *)u.p)[i] = (uint8_t)v; break;
  case DT_U4: ((uint8_t *)u.p)[i] = (uint8_t)(v & 15); break;
  case DT_U2: ((uint8_t *)u.p)[i] = (uint8_t)(v & 3); break;
  case DT_I8: ((int8_t *)u.p)[i] = (int8_t)v; break;
  case DT_I4: ((int8_t *)u.p)[i] = (int8_t)(((v & 15) ^ 8) - 8); break;
  case DT_I2: ((int8_t *)u.p)[i] = (int8_t)(((v & 3) ^ 2) - 2); break;
  case DT_U16: ((uint16_t *)u.p)[i] = (uint16_t)v; break;
  case DT_I16: ((int16_t *)u.p)[i] = (int16_t)v; break;
  case DT_U32: ((uint32_t *)u.p)[i] = (uint32_t)v; break;
  case DT_I32: ((int32_t *)u.p)[i] = (int32_t)v; break;
  case DT_I64: ((int64_t *)u.p)[i] = v; break;
  case DT_U64: ((uint64_t *)u.p)[i] = (uint64_t)v; break;
  case DT_NONE: case DT_STR: case DT_C64: case DT_C128: break;
  default: tensor_set_f64(t, i, (double)v); break;
  }
}

int64_t tensor_bits(const Tensor *t)
{
  uint8_t b;
  uint16_t h;
  uint32_t w;
  uint64_t d;
  switch (dtype_info(t->dtype)->size) {
  case 1: memcpy(&b, t->data, 1); return b;
  case 2: memcpy(&h, t->data, 2); return h;
  case 4: memcpy(&w, t->data, 4); return w;
  default: memcpy(&d, t->data, 8); return (int64_t)d;
  }
}

typedef struct {
  Str text;
  int64_t number, at;
} Key;

static int by_key(const void *a, const void *b)
{
  const Key *x = a, *y = b;
  size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
  int c = n ? memcmp(x->text.p, y->text.p, n) : 0;
  if (c) return c;
  if (x->text.n != y->text.n) return x->text.n < y->text.n ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/* The elements of a list, in another order. */
static const Tensor *reordered(Arena *a, const Tensor *t, const Key *key)
{
  size_t size = (size_t)dtype_info(t->dtype)->size;
  Tensor *y = tensor_new(a, t->dtype, 1, &t->n);
  char *to = NEW(a, char, (size_t)t->n * size + 1);
  for (int64_t i = 0; i < t->n; i++)
    memcpy(to + (size_t)i * size, (const char *)t->data +
           (size_t)key[i].at * size, size);
  y->data = to;
  return y;
}

const Tensor *map_sorted(Arena *a, const Tensor *map, bool *twice)
{
  const Tensor *keys = map->item[0], *values = map->item[1];
  Key *key = NEW(a, Key, keys->n + 1);
  bool text = keys->dtype == DT_STR;
  for (int64_t i = 0; i < keys->n; i++) {
    key[i].at = i;
    if (text) key[i].text = ((const Str *)keys->data)[i];
    else key[i].number = tensor_i64(keys, i);
  }
  if (keys->n) qsort(key, (size_t)keys->n, sizeof *key, by_key);
  *twice = false;
  for (int64_t i = 1; i < keys->n; i++)
    *twice = *twice || !by_key(key + i - 1, key + i);
  Tensor *y = NEW(a, Tensor, 1);
  *y = *map;
  y->item = NEW(a, const Tensor *, 2);
  y->item[0] = reordered(a, keys, key);
  y->item[1] = reordered(a, values, key);
  return y;
}
