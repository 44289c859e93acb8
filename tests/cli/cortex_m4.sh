#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/cortex_m4 in QEMU: the 8-bit networks of MLPerf Tiny give
# onnxruntime's answers within 2 instructions for each multiplication on each
# of its cores, 0.75 with MVE, and their objects want nothing of a system.
# Generated code compiles without a warning for other Cortex-M cores.
. "$(dirname "$0")/lib.sh"
if ! have arm-none-eabi-gcc || ! have qemu-system-arm; then
  [ -n "${O2C_LEAN:-}" ] || fail "no arm-none-eabi-gcc or qemu-system-arm"
  exit 0
fi

# example FLAG... TARGET...: make in the example's folder.
example() {
  make -C "$ROOT/examples/cortex_m4" ONNX2C="$ONNX2C" ZOO="$zoo" "$@"
}

# board OPT CORE [LIMIT]
board() {
  expect 0 example BUILD="$WORK/board$1$2" OPT="$1" CORE="$2" \
    LIMIT="${3:-200}" run check
  echo "$2 $1"
  grep -E '^(network|tiny|the program)' log
  for name in tiny_dscnn-s8 tiny_resnet8-s8 tiny_vww-s8 tiny_ad-s8; do
    says $name
  done
}

opt=-O3
board $opt cortex-m4
for core in cortex-m4 cortex-m7 cortex-m33; do
  board -O2 $core
done
board -O2 cortex-m55 75 # MVE
# The test can fail: a budget that cannot be met, an answer that is wrong.
built=board${opt}cortex-m4
rm "$built/board.elf"
expect 2 example BUILD="$WORK/$built" OPT=$opt LIMIT=50 run
says FAIL
rm "$built/board.elf"
sed -i 's/\(tiny_dscnn_s8_output\[\] = {\)/\1 1,/' "$built/nets.h"
expect 2 example BUILD="$WORK/$built" OPT=$opt run
says FAIL

for name in tiny_dscnn-s8 tiny_resnet8-s8 tiny_dscnn; do
  expect 0 "$ONNX2C" "$zoo/$name/model.onnx" --name net --weights string \
    -o net.c
  for core in cortex-m0plus cortex-m33 "cortex-m4 -mfloat-abi=soft" \
      "cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16"; do
    for opt in -O2 -Os; do
      # shellcheck disable=SC2086
      expect 0 arm-none-eabi-gcc $STRICT $opt -mthumb -mcpu=$core \
        -Wframe-larger-than=1024 -I"$ROOT/runtime_min" -c net.c -o net.o
    done
  done
done
