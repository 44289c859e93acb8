#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/cortex_m4 in QEMU: two 8-bit networks give the reference answers,
# within a budget of instructions, and their objects want nothing of a system.
. "$(dirname "$0")/lib.sh"
if ! have arm-none-eabi-gcc || ! have qemu-system-arm; then
  [ -n "${O2C_LEAN:-}" ] || fail "no arm-none-eabi-gcc or qemu-system-arm"
  exit 0
fi

# board NAME FOLDER MOST: no more than MOST instructions.
board() {
  expect 0 make -C "$ROOT/examples/cortex_m4" ONNX2C="$ONNX2C" \
    BUILD="$WORK/$1" ONNX="$zoo/$2/model.onnx" \
    DATA="$zoo/$2/test_data_set_0" MODEL="$1" run
  says ok
  grep -E '^(stack|workspace|data|flash|run|difference)' log
  count=$(awk '$1 == "run" {print $2}' log)
  [ "$count" -le "$3" ] || fail "$2: $count instructions, not $3"
  expect 0 arm-none-eabi-gcc -std=c99 -O3 -mcpu=cortex-m4 -mthumb \
    -I"$ROOT/runtime_min" -c "$1/$1.c" -o net.o
  arm-none-eabi-nm -u net.o | awk '{print $NF}' |
    grep -E '^(malloc|calloc|realloc|free|s?n?printf|puts|fopen|abort|exit)' \
    >wanted || true
  [ ! -s wanted ] || fail "$2 wants $(cat wanted)"
}

# Four instructions for each of 12.5 million products.
board resnet8 tiny_resnet8-s8 50000000
board dscnn tiny_dscnn-s8 16000000
