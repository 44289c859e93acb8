#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The inner loops of the tiles must keep their sums in registers: compiles
# conv_f32.h with gcc and clang for AVX-512 and AVX2, and conv_u8.h for AVX-512
# with VNNI, and both for AArch64, disassembles them, and fails if an innermost
# loop with multiply-adds or dot products in it moves a vector to or from the
# stack. Of the loop that takes the fewest instructions for each product, prints
# how many.
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
#if !defined(__AVX512VNNI__) && !defined(__ARM_FEATURE_DOTPROD)
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
function close_loop(address) {
  if (hex(address) <= at[count]) {
    from[++loops] = hex(address)
    to[loops] = at[count]
  }
}
# Products of an instruction; 0 if it is another one.
function products(s,   lanes) {
  lanes = s ~ /[0-9]ss/ ? 1 : s ~ /zmm/ ? 16 : s ~ /ymm/ ? 8 : 4
  if (s ~ /vfmadd/)
    return lanes
  if (s ~ /vpdpbusd/)
    return 4 * lanes
  return s ~ /^usmmla/ ? 32 : s ~ /^[us]*dot\t/ ? 16 : s ~ /^fmla/ ? 4 : 0
}
function finish(   i, j, k, inner, fma, size, bad) {
  for (i = 1; i <= loops; i++) {
    inner = 1
    for (j = 1; j <= loops; j++)
      if (j != i && from[j] >= from[i] && to[j] <= to[i] &&
          (from[j] > from[i] || to[j] < to[i]))
        inner = 0
    if (!inner)
      continue
    fma = size = 0
    bad = ""
    for (k = 1; k <= count; k++)
      if (at[k] >= from[i] && at[k] <= to[i]) {
        fma += products(text[k])
        size++
        if (text[k] ~ /^(ld|st)[rp]\tq.*\[sp/)
          bad = text[k]
        if (text[k] ~ /[xyz]mm/ && text[k] !~ /broadcast/ &&
            (text[k] ~ /\(%rsp/ || (frame && text[k] ~ /\(%rbp/)))
          bad = text[k]
      }
    if (fma)
      seen++
    if (fma && (!best || size / fma < best)) {
      best = size / fma
      shape = size " instructions for " fma " products"
    }
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
  text[count] = part[2] "\t" part[3]
  if (part[2] ~ /mov +%rsp,%rbp/)
    frame = 1
  if (part[2] ~ /^j[a-z]+ +[0-9a-f]+ /) {
    split(part[2], word, " ")
    close_loop(word[2])
  }
  if (part[2] ~ /^(b\.[a-z]+|cbn?z|tbn?z)$/) {
    sub(/ <.*/, "", part[3])
    sub(/.*, /, "", part[3])
    close_loop(part[3])
  }
}
END {
  finish()
  print seen " loops, the best with " shape
  exit failed || seen < least
}
SCAN

status=77
# scan LEAST-LOOPS OBJDUMP ARCH COMPILER...
scan() {
  least=$1
  dump=$2
  arch=$3
  shift 3
  "$@" -std=c99 -O3 -march="$arch" -I"$kernels" -c "$work/use.c" \
    -o "$work/use.o"
  "$dump" -d --no-show-raw-insn "$work/use.o" >"$work/use.s"
  echo "$1 $arch"
  awk -v least="$least" -f "$work/scan.awk" "$work/use.s" || status=1
}

for cc in "$@"; do
  command -v "$cc" >/dev/null || continue
  [ $status -ne 77 ] || status=0
  for arch in x86-64-v4 x86-64-v3 cascadelake; do
    scan 10 objdump $arch "$cc"
  done
done
cross=aarch64-linux-gnu
if command -v $cross-gcc >/dev/null && command -v $cross-objdump >/dev/null
then
  for arch in armv8-a armv8.2-a+dotprod armv8.2-a+dotprod+i8mm; do
    scan 5 $cross-objdump $arch $cross-gcc
    ! command -v clang >/dev/null || scan 5 $cross-objdump $arch \
      clang --target=$cross -isystem /usr/$cross/include
  done
else
  echo "aarch64: no cross compiler, left out"
fi
exit $status
