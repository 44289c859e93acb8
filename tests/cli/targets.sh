#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --target LIST: one file for several instruction sets, compiled without -m
# flags. Each set that the machine has gives the bits of a file compiled for it
# alone; other machines fall back; lists are checked.
. "$(dirname "$0")/lib.sh"
cp "$ROOT/runtime_min/o2c.h" .
all=x86-64-v4,x86-64,amx,x86-64-v2,x86-64-v3 # in any order
arm=arm64,arm64-dotprod,arm64-i8mm

expect 0 "$ONNX2C" --list-targets
says x86-64-v4-vnni
expect 1 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o net.c --target x86-64-v9
says "no target is called 'x86-64-v9'"
expect 1 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o net.c \
  --target x86-64-v3,native
says "stands alone"

# flags TARGET: gcc's and clang's flags for it.
flags() {
  case $1 in
  x86-64-v3-vnni) echo "-march=x86-64-v3 -mavxvnni" ;;
  x86-64-v4-vnni) echo "-march=x86-64-v4 -mavx512vnni" ;;
  amx)
    echo "-march=x86-64-v4 -mavx512vnni -mavx512bf16 -mamx-tile -mamx-int8" ;;
  arm64) echo "" ;;
  arm64-dotprod) echo "-march=armv8.2-a+dotprod" ;;
  arm64-i8mm) echo "-march=armv8.2-a+dotprod+i8mm" ;;
  *) echo "-march=$1" ;;
  esac
}

# result FILE CC FLAGS COUNT: hashes of the model's outputs.
result() {
  # shellcheck disable=SC2086
  expect 0 $2 -O3 $3 -c "$1.c" -o "$1.o"
  # shellcheck disable=SC2086
  expect 0 $2 -std=c99 -DMODEL="$1_model" -I. -I"$ROOT/tests" \
    "$ROOT/tests/cli/targets.c" \
    "$1.o" -o "$1.bin" -lm $link
  # shellcheck disable=SC2086
  expect 0 $runner "./$1.bin" "$4" 2
}

# same CC MODEL TARGETS: each of the model's sets against a build for it alone.
same() {
  expect 0 "$ONNX2C" "$zoo/$2/model.onnx" -o fat.c --target "$3" \
    --weights string
  sed -n "s/^ \*   target [0-9]*: \($arch\).*/\1/p" fat.h >names
  result fat "$1" "$STRICT" "$(($(wc -l <names) + 1))"
  cp log fat
  expect 0 "$ONNX2C" "$zoo/$2/model.onnx" -o one.c --weights string
  n=0
  best=
  while read -r target; do
    n=$((n + 1))
    hash=$(sed -n "s/^$n //p" fat)
    [ "$hash" != -9 ] || continue # O2C_E_DEVICE: not on this machine
    result one "$1" "-std=c99 $(flags "$target")" 0
    [ "0 $hash" = "$(cat log)" ] ||
      fail "$2, $1, $target: not the bits of $(flags "$target")"
    best=$hash
    echo "$2, $1, $target: ok"
  done <names
  [ "0 $best" = "$(sed -n 1p fat)" ] || fail "$2, $1: not the best set"
  [ "$((n + 1)) -9" = "$(sed -n "$((n + 2))p" fat)" ] ||
    fail "$2, $1: a set that is not there"
}

arch="x86[-a-z0-9]*\|amx"
runner=
link=
if [ "$(uname -m)" = x86_64 ]; then
  for model in tiny_dscnn-s8 tiny_resnet8 lstm_tagger; do
    same gcc $model $all,$arm
  done
  same clang tiny_dscnn-s8 $all,$arm
  expect 0 gcc $STRICT -O1 -march=native -c fat.c -o fat.o
  echo '#include "fat.h"' >fat.cpp
  expect 0 g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only fat.cpp
  # Only code for AMX asks the system for its registers.
  for list in x86-64-v3,x86-64-v4 x86-64-v3,x86-64-v4,amx; do
    expect 0 "$ONNX2C" "$zoo/tiny_dscnn-s8/model.onnx" -o fat.c --target $list
    expect 0 gcc $STRICT -c fat.c -o fat.o
    objdump -d fat.o >code
    [ "$list:$(grep -cw syscall code)" = "${list%,amx}:0" ] ||
      [ "$list:$(grep -cw syscall code)" = "${list%,amx},amx:1" ] ||
      fail "$list: $(grep -cw syscall code) system calls"
  done
  # One set: the text as it is without --target, and no flags needed.
  same gcc tiny_resnet8 x86-64-v3
  grep -q o2c_conv_f32_v3 fat.c && fail "names changed for one set"
  for list in x86-64-v3 "$all"; do
    expect 0 "$ONNX2C" verify "$zoo/tiny_resnet8-s8" "$zoo/squeezenet" \
      --target "$list"
  done
fi

# Elsewhere: one file for both architectures, and the text without levels.
if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
  arch="arm[-a-z0-9]*"
  link=-static
  runner="qemu-aarch64 -cpu max"
  same aarch64-linux-gnu-gcc tiny_dscnn-s8 $all,$arm
  runner="qemu-aarch64 -cpu cortex-a53"
  same aarch64-linux-gnu-gcc tiny_dscnn-s8 $all,$arm
  grep -q -- "^2 -9" fat || fail "SDOT on a Cortex-A53"
  expect 0 "$ONNX2C" "$zoo/tiny_dscnn-s8/model.onnx" -o fat.c --target $all
  result fat aarch64-linux-gnu-gcc "$STRICT" 1
  [ "$(sed -n 's/^0 //p' log)" = "$(sed -n 's/^1 //p' fat)" ] ||
    fail "x86 levels on AArch64: not the bits of plain code"
fi
