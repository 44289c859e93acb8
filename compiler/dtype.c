/* SPDX-License-Identifier: Apache-2.0 */
/* Element types and named sets of them.
 *
 * The words of OpRow.types, beside the names in the table:
 *   float   f16 f32 f64 (bf16 is always named by itself)
 *   int     i8 i16 i32 i64          uint   u8 u16 u32 u64
 *   num     float int uint: ONNX's numeric types without bf16
 *   num32   float i32 i64 u32 u64: ONNX's "high precision numeric"
 *   f8      the four float8 types of opset 19
 *   f6      the two float6 types of opset 28
 *   all     num bool str c64 c128: every type of opset 1
 *   all13 all19 all21 all23 all24 all25   the same, by the opset in which
 *           types came: bf16; f8; u4 i4; f4e2m1; f8e8m0; u2 i2 */
#include "ir.h"
#include <string.h>

static const DtypeInfo infos[DT_COUNT] = {
  [DT_NONE] = {"none", "undefined", "void", 0, 0, DC_NONE},
  [DT_F32] = {"f32", "float", "float", 4, 32, DC_FLOAT},
  [DT_U8] = {"u8", "uint8", "uint8_t", 1, 8, DC_UINT},
  [DT_I8] = {"i8", "int8", "int8_t", 1, 8, DC_INT},
  [DT_U16] = {"u16", "uint16", "uint16_t", 2, 16, DC_UINT},
  [DT_I16] = {"i16", "int16", "int16_t", 2, 16, DC_INT},
  [DT_I32] = {"i32", "int32", "int32_t", 4, 32, DC_INT},
  [DT_I64] = {"i64", "int64", "int64_t", 8, 64, DC_INT},
  [DT_STR] = {"str", "string", "o2c_str", 16, 0, DC_STR},
  [DT_BOOL] = {"bool", "bool", "uint8_t", 1, 8, DC_BOOL},
  [DT_F16] = {"f16", "float16", "uint16_t", 2, 16, DC_FLOAT},
  [DT_F64] = {"f64", "double", "double", 8, 64, DC_FLOAT},
  [DT_U32] = {"u32", "uint32", "uint32_t", 4, 32, DC_UINT},
  [DT_U64] = {"u64", "uint64", "uint64_t", 8, 64, DC_UINT},
  [DT_C64] = {"c64", "complex64", "o2c_c64", 8, 64, DC_COMPLEX},
  [DT_C128] = {"c128", "complex128", "o2c_c128", 16, 128, DC_COMPLEX},
  [DT_BF16] = {"bf16", "bfloat16", "uint16_t", 2, 16, DC_FLOAT},
  [DT_F8E4M3FN] = {"f8e4m3fn", "float8e4m3fn", "uint8_t", 1, 8, DC_FLOAT},
  [DT_F8E4M3FNUZ] = {"f8e4m3fnuz", "float8e4m3fnuz", "uint8_t", 1, 8,
                     DC_FLOAT},
  [DT_F8E5M2] = {"f8e5m2", "float8e5m2", "uint8_t", 1, 8, DC_FLOAT},
  [DT_F8E5M2FNUZ] = {"f8e5m2fnuz", "float8e5m2fnuz", "uint8_t", 1, 8,
                     DC_FLOAT},
  [DT_U4] = {"u4", "uint4", "uint8_t", 1, 4, DC_UINT},
  [DT_I4] = {"i4", "int4", "int8_t", 1, 4, DC_INT},
  [DT_F4E2M1] = {"f4e2m1", "float4e2m1", "uint8_t", 1, 4, DC_FLOAT},
  [DT_F8E8M0] = {"f8e8m0", "float8e8m0", "uint8_t", 1, 8, DC_FLOAT},
  [DT_U2] = {"u2", "uint2", "uint8_t", 1, 2, DC_UINT},
  [DT_I2] = {"i2", "int2", "int8_t", 1, 2, DC_INT},
  [DT_F6E2M3] = {"f6e2m3", "float6e2m3", "uint8_t", 1, 6, DC_FLOAT},
  [DT_F6E3M2] = {"f6e3m2", "float6e3m2", "uint8_t", 1, 6, DC_FLOAT},
};

#define SET_FLOAT (DT_BIT(DT_F16) | DT_BIT(DT_F32) | DT_BIT(DT_F64))
#define SET_INT \
  (DT_BIT(DT_I8) | DT_BIT(DT_I16) | DT_BIT(DT_I32) | DT_BIT(DT_I64))
#define SET_UINT \
  (DT_BIT(DT_U8) | DT_BIT(DT_U16) | DT_BIT(DT_U32) | DT_BIT(DT_U64))
#define SET_NUM (SET_FLOAT | SET_INT | SET_UINT)
#define SET_NUM32 (SET_FLOAT | DT_BIT(DT_I32) | DT_BIT(DT_I64) | \
                   DT_BIT(DT_U32) | DT_BIT(DT_U64))
#define SET_F8 (DT_BIT(DT_F8E4M3FN) | DT_BIT(DT_F8E4M3FNUZ) | \
                DT_BIT(DT_F8E5M2) | DT_BIT(DT_F8E5M2FNUZ))
#define SET_F6 (DT_BIT(DT_F6E2M3) | DT_BIT(DT_F6E3M2))
#define SET_ALL (SET_NUM | DT_BIT(DT_BOOL) | DT_BIT(DT_STR) | \
                 DT_BIT(DT_C64) | DT_BIT(DT_C128))
#define SET_ALL13 (SET_ALL | DT_BIT(DT_BF16))
#define SET_ALL19 (SET_ALL13 | SET_F8)
#define SET_ALL21 (SET_ALL19 | DT_BIT(DT_U4) | DT_BIT(DT_I4))
#define SET_ALL23 (SET_ALL21 | DT_BIT(DT_F4E2M1))
#define SET_ALL24 (SET_ALL23 | DT_BIT(DT_F8E8M0))
#define SET_ALL25 (SET_ALL24 | DT_BIT(DT_U2) | DT_BIT(DT_I2))

static const struct { const char *name; TypeSet set; } sets[] = {
  {"float", SET_FLOAT}, {"int", SET_INT}, {"uint", SET_UINT},
  {"num", SET_NUM}, {"num32", SET_NUM32}, {"f8", SET_F8}, {"f6", SET_F6},
  {"all", SET_ALL},
  {"all13", SET_ALL13}, {"all19", SET_ALL19}, {"all21", SET_ALL21},
  {"all23", SET_ALL23}, {"all24", SET_ALL24}, {"all25", SET_ALL25},
};

const DtypeInfo *dtype_info(Dtype t)
{
  return &infos[(unsigned)t < DT_COUNT ? t : DT_NONE];
}

static bool same(const char *name, const char *s, size_t n)
{
  return strlen(name) == n && !memcmp(name, s, n);
}

Dtype dtype_by_name(const char *name, size_t n)
{
  for (int t = 1; t < DT_COUNT; t++)
    if (same(infos[t].name, name, n)) return (Dtype)t;
  return DT_NONE;
}

Dtype dtype_carrier(Dtype t)
{
  switch (dtype_info(t)->size) {
  case 1: return DT_U8;
  case 2: return DT_U16;
  case 4: return DT_U32;
  case 8: return DT_U64;
  case 16: return t == DT_C128 ? DT_C128 : DT_STR; /* 8 bytes on 32 bits */
  default: return DT_NONE;
  }
}

static TypeSet word_set(const char *s, size_t n)
{
  for (int i = 0; i < COUNT(sets); i++)
    if (same(sets[i].name, s, n)) return sets[i].set;
  Dtype t = dtype_by_name(s, n);
  return t ? DT_BIT(t) : 0;
}

/* 0: a word is not known (the unit test of the records looks for that). */
TypeSet typeset_parse(const char *words, size_t n)
{
  TypeSet set = 0;
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && words[end] != ' ') end++;
    if (end > i) {
      TypeSet one = word_set(words + i, end - i);
      if (!one) return 0;
      set |= one;
    }
    i = end + 1;
  }
  return set;
}
