#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# -o NAME.o, .a and .so with weights linked in; weights as objects of other
# machines, which their linkers take; --section.
. "$(dirname "$0")/lib.sh"
net=$zoo/tiny_dscnn/model.onnx
cp "$ROOT/runtime_min/o2c.h" .
cat >main.c <<'END'
#include "net.h"
#include <stdio.h>
static float in[490], out[12];
static union { double align; unsigned char b[NET_CTX_SIZE + 16]; } mem;
static unsigned char work[NET_WORKSPACE_SIZE(1) + 64];
int main(void)
{
  net_dims d = { 1 };
  net_in i = { in };
  net_out o = { out };
  o2c_config cfg = { sizeof cfg, NULL, sizeof work - 64, NULL, 0, NULL, NULL,
                     NULL, NULL, 0 };
  net_ctx *ctx;
  int k;
  cfg.workspace = work + (64 - (uintptr_t)work % 64) % 64;
  for (k = 0; k < 490; k++) in[k] = (float)(k % 13) / 7.0f - 1.0f;
  if (net_init(mem.b + (16 - (uintptr_t)mem.b % 16) % 16, NET_CTX_SIZE, &cfg,
               &ctx) != O2C_OK || net_run(ctx, &d, &i, &o) != O2C_OK)
    return 1;
  for (k = 0; k < 12; k++) printf("%.9g\n", (double)out[k]);
  return 0;
}
END
for cc in gcc clang; do
  rm -f want
  for mode in object string incbin; do
    for kind in o a so; do
      rm -f net.*
      expect 0 "$ONNX2C" "$net" -o "net.$kind" --weights $mode --cc $cc
      [ "$(ls net.* | wc -l)" = 2 ] || fail "files: $(ls net.*)"
      expect 0 $cc main.c "./net.$kind" -lm -o program
      ./program >got
      [ -s want ] || cp got want
      cmp got want || fail "$cc, $mode, $kind: another result"
    done
  done
done
# LLVM bitcode comes from clang only.
expect 0 "$ONNX2C" "$net" -o net.bc --cc clang
[ "$(head -c 2 net.bc)" = BC ] || fail "net.bc is no bitcode"
expect 5 "$ONNX2C" "$net" -o other.bc --cc gcc
[ ! -e other.bc ] || fail "gcc left other.bc"
expect 0 "$ONNX2C" "$net" -o net.a --weights file --bundle --header inc.h
[ -s net.weights ] && [ -s inc.h ] || fail "no weights or header"
rm -f net.*
expect 5 "$ONNX2C" "$net" -o net.o --cflags=--no-such-flag
expect 2 "$ONNX2C" main.c -o net.o
[ -z "$(ls net.* 2>/dev/null)" ] || fail "files after an error: $(ls net.*)"

# object MACHINE LINKER...: the linker takes it, and keeps section and symbol.
object() {
  expect 0 "$ONNX2C" "$net" -o w.c --weights object --weights-for "$1" \
    --section .model
  shift
  if have "$1"; then
    expect 0 "$@" -r w.weights.o -o joined.o
    expect 0 readelf -SsW joined.o
    says .model
    says w_weights
  fi
}
object x86-64 ld
object i386 ld -m elf_i386
object aarch64 aarch64-linux-gnu-ld
object arm arm-none-eabi-ld
object riscv64 riscv64-linux-gnu-ld
expect 1 "$ONNX2C" "$net" -o z.c --weights object --weights-for z80
expect 1 "$ONNX2C" "$net" -o z.c --section 'x") int y; //'
[ ! -e z.c ] || fail "a file after an error"
expect 0 "$ONNX2C" "$net" -o w.c --weights string --section .model
expect 0 gcc $STRICT -c w.c -o w.o
expect 0 readelf -SW w.o
says .model
