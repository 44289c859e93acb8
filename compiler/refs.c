/* SPDX-License-Identifier: Apache-2.0 */
/* The reference kernels inside the compiler: every kernel of refs.def for every
 * element type of its class, found by name. The same text that generated code
 * gets pasted runs here, for constant folding and as the oracle of tests. */
#include <string.h>
#include "ir.h"
#include "../runtime_min/o2c.h"
#include "../runtime_min/kernels/ref/base.h"
#include "../runtime_min/kernels/ref/convert.h"

/* Kernels convert between numeric types freely, as generated code does. */
#if defined __GNUC__
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

typedef int (*RefFn)(const RefArgs *a);
#define P(i) a->p[i]
#define D(i) a->d[i]
#define L(i) a->L[i]
#define F(i) a->f[i]
#define CALL_VOID(call) call; return 0;
#define CALL_STATUS(call) return (int)call;
#define REF_WRAPPER(kernel, result, args)           \
  static int NAME(run_##kernel)(const RefArgs *a) { \
    CALL_##result(NAME(kernel) args)                \
  }
#define REF_NOTHING(kernel, result, args)
#define REF_ENTRY(kernel, result, args) NAME(run_##kernel),
#define REF_NULL(kernel, result, args) NULL,

#include "../runtime_min/kernels/ref/type_f32.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f64.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f16.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_bf16.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f8e4m3fn.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f8e4m3fnuz.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f8e5m2.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f8e5m2fnuz.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f8e8m0.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f4e2m1.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f6e2m3.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_f6e3m2.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_i8.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_i16.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_i32.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_i64.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_u8.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_u16.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_u32.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_u64.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_i4.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_u4.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_i2.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_u2.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_bool.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_str.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_c64.h"
#include "refs_type.inc"
#include "../runtime_min/kernels/ref/type_c128.h"
#include "refs_type.inc"

static const RefFn *const tables[DT_COUNT] = {
  [DT_F32] = o2c_ref_table_f32, [DT_F64] = o2c_ref_table_f64,
  [DT_F16] = o2c_ref_table_f16, [DT_BF16] = o2c_ref_table_bf16,
  [DT_F8E4M3FN] = o2c_ref_table_f8e4m3fn,
  [DT_F8E4M3FNUZ] = o2c_ref_table_f8e4m3fnuz,
  [DT_F8E5M2] = o2c_ref_table_f8e5m2,
  [DT_F8E5M2FNUZ] = o2c_ref_table_f8e5m2fnuz,
  [DT_F8E8M0] = o2c_ref_table_f8e8m0, [DT_F4E2M1] = o2c_ref_table_f4e2m1,
  [DT_F6E2M3] = o2c_ref_table_f6e2m3, [DT_F6E3M2] = o2c_ref_table_f6e3m2,
  [DT_I8] = o2c_ref_table_i8, [DT_I16] = o2c_ref_table_i16,
  [DT_I32] = o2c_ref_table_i32, [DT_I64] = o2c_ref_table_i64,
  [DT_U8] = o2c_ref_table_u8, [DT_U16] = o2c_ref_table_u16,
  [DT_U32] = o2c_ref_table_u32, [DT_U64] = o2c_ref_table_u64,
  [DT_I4] = o2c_ref_table_i4, [DT_U4] = o2c_ref_table_u4,
  [DT_I2] = o2c_ref_table_i2, [DT_U2] = o2c_ref_table_u2,
  [DT_BOOL] = o2c_ref_table_bool, [DT_STR] = o2c_ref_table_str,
  [DT_C64] = o2c_ref_table_c64, [DT_C128] = o2c_ref_table_c128,
};

#define STATUS_VOID false
#define STATUS_STATUS true
#define REF(cls, kernel, file, result, args) \
  {#kernel, #file, STATUS_##result},
static const RefInfo infos[] = {
#include "refs.def"
};
#undef REF

const RefInfo *ref_find(const char *kernel)
{
  for (int i = 0; i < COUNT(infos); i++)
    if (!strcmp(infos[i].kernel, kernel)) return &infos[i];
  return NULL;
}

bool ref_run(const char *kernel, Dtype t, const RefArgs *a, int *status)
{
  const RefInfo *info = ref_find(kernel);
  RefFn f = info && tables[t] ? tables[t][info - infos] : NULL;
  if (f) *status = f(a);
  return f != NULL;
}
