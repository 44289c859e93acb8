/* SPDX-License-Identifier: Apache-2.0 */
/* Text that several lowerings write. */
#include "cuda.h"

const char *cuda_word(int bytes)
{
  return bytes == 16 ? "uint4" : bytes == 8 ? "uint64_t"
       : bytes == 4 ? "uint32_t" : bytes == 2 ? "uint16_t" : "uint8_t";
}

void cuda_put_indices(Step *s, StrBuf *b, const Dim *const *n, int axes,
                      const char *name, const char *from)
{
  Arena *a = s->plan->a;
  const char *rest = from;
  for (int i = axes - 1; i >= 0; i--) {
    const char *size = step_dim_text(s, n[i]);
    bool one = dim_is(n[i], 1);
    sb_printf(b, "G_CUDA_INDEX(<%%%s%d%%>, <%%%s%%>)", name, i, one ? "0"
              : i ? arena_printf(a, "%s %% %s", rest, size) : rest);
    bool more = false; /* what is left is divided further */
    for (int j = 0; j < i; j++)
      more = more || !dim_is(n[j], 1);
    if (more && !one) {
      sb_printf(b, "G_CUDA_INDEX(<%%%s_over%d%%>, <%%%s / %s%%>)", name, i,
                rest, size);
      rest = arena_printf(a, "%s_over%d", name, i);
    }
  }
}

void cuda_put_real(Step *s, const char *key, double v)
{
  StrBuf b;
  sb_init(&b, s->plan->a);
  sb_float(&b, v, false);
  step_text(s, key, "%.*s", (int)b.n, b.s);
  sb_free(&b);
}

const char *cuda_load(Step *s, const char *pointer, Dtype t)
{
  Arena *a = s->plan->a;
  if (t != DT_F16 && t != DT_BF16)
    return arena_printf(a, "*%s", pointer);
  step_kernel(s, "ref/convert.h");
  return arena_printf(a, "o2c_%s_to_f32(*%s)", dtype_info(t)->name, pointer);
}
