#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The inner loops of the tiles must keep their sums in registers: compiles
# conv_f32.h with gcc and clang for AVX-512 and AVX2, and conv_u8.h for AVX-512
# with VNNI, disassembles it, and fails if an innermost loop with multiply-adds
# or dot products in it moves a vector to or from the stack.
# Winograd's transforms too, where there are 32 registers: they need 20.
# Usage: check_spills.sh [compiler...]
# 77 (skipped) where the machine has none of the tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../runtime_min/kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- gcc clang
command -v objdump >/dev/null || exit 77
[ "$(uname -m)" = x86_64 ] || exit 77

cat >"$work/use.c" <<'USE'
#if !defined(__AVX512VNNI__)
#include "winograd_f32.h"
#ifdef __AVX512F__
void use_winograd(const float *x, float *y, const o2c_winograd_f32_p *p);
void use_winograd(const float *x, float *y, const o2c_winograd_f32_p *p)
{
  o2c_winograd_f32(x, x, x, x, y, y, p);
}
#endif
void use(const float *x, float *y, const o2c_conv_f32_p *p);
void use(const float *x, float *y, const o2c_conv_f32_p *p)
{
  o2c_conv_f32(x, x, x, x, y, p);
}
#else
#include "conv_u8.h"
void use(const uint8_t *x, const int8_t *w, const int32_t *bias,
         const float *scale, uint8_t *y, const o2c_conv_u8_p *p);
void use(const uint8_t *x, const int8_t *w, const int32_t *bias,
         const float *scale, uint8_t *y, const o2c_conv_u8_p *p)
{
  o2c_conv_u8(x, w, bias, scale, y, p);
}
#endif
USE

# Lines of `objdump -d`: a function's name, then address, tab, instruction.
cat >"$work/scan.awk" <<'SCAN'
function hex(s,   i, n) {
  n = 0
  for (i = 1; i <= length(s); i++)
    n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
  return n
}
function finish(   i, j, k, inner, fma, bad) {
  for (i = 1; i <= loops; i++) {
    inner = 1
    for (j = 1; j <= loops; j++)
      if (j != i && from[j] >= from[i] && to[j] <= to[i] &&
          (from[j] > from[i] || to[j] < to[i]))
        inner = 0
    if (!inner)
      continue
    fma = 0
    bad = ""
    for (k = 1; k <= count; k++)
      if (at[k] >= from[i] && at[k] <= to[i]) {
        if (text[k] ~ /vfmadd|vpdpbusd/)
          fma++
        if (text[k] ~ /[xyz]mm/ && text[k] !~ /broadcast/ &&
            (text[k] ~ /\(%rsp/ || (frame && text[k] ~ /\(%rbp/)))
          bad = text[k]
      }
    if (fma)
      seen++
    if (fma && bad != "") {
      print "spill in " name ": " bad
      failed = 1
    }
  }
  loops = count = frame = 0
}
/^[0-9a-f]+ <.*>:$/ { finish(); name = $2; next }
/^ *[0-9a-f]+:\t/ {
  split($0, part, "\t")
  gsub(/[ :]/, "", part[1])
  at[++count] = hex(part[1])
  text[count] = part[2]
  if (part[2] ~ /mov +%rsp,%rbp/)
    frame = 1
  if (part[2] ~ /^j[a-z]+ +[0-9a-f]+ /) {
    split(part[2], word, " ")
    if (hex(word[2]) <= at[count]) {
      from[++loops] = hex(word[2])
      to[loops] = at[count]
    }
  }
}
END {
  finish()
  print seen " loops"
  exit failed || seen < 10
}
SCAN

status=77
for cc in "$@"; do
  command -v "$cc" >/dev/null || continue
  [ $status -ne 77 ] || status=0
  for arch in x86-64-v4 x86-64-v3 cascadelake; do
    "$cc" -std=c99 -O3 -march=$arch -I"$kernels" -c "$work/use.c" \
      -o "$work/use.o"
    objdump -d --no-show-raw-insn "$work/use.o" >"$work/use.s"
    echo "$cc $arch"
    awk -f "$work/scan.awk" "$work/use.s" || status=1
  done
done
exit $status
