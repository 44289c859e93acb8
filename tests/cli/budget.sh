#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A network of 102 MB: onnx2c within 230 MB, then the C compiler within 500 MB,
# in the default mode of weights, for 100 KB of code. One of 575 MB in little
# more memory than the file. Seconds are twice what the command may take on a
# free machine (1.1 and 1.57; 10 of the C compiler), to find what got slow.
. "$(dirname "$0")/lib.sh"
budget=$ROOT/tests/cli/budget.py
expect 0 python3 "$budget" 2.2 230 "$ONNX2C" "$zoo/resnet50/model.onnx" -o net.c
cat log
# Huge pages at start-up ask for an alignment of 2 MB.
expect 0 readelf -SW net.weights.o
grep -q "\.rodata\.o2c .* 2097152$" log || fail "weights are not aligned"
cp "$ROOT/runtime_min/o2c.h" .
for cc in gcc clang; do
  expect 0 python3 "$budget" 20 500 $cc -std=c99 -O3 -march=native -c net.c \
    -o net.o
  cat log
  $cc -std=c99 -O3 -march=x86-64-v4 -c net.c -o net.o # the same everywhere
  text=$(size -A net.o | sed -n 's/^\.text *\([0-9]*\).*/\1/p')
  [ "$text" -le 102400 ] || fail "$cc makes $text bytes of code"
done
[ -d "$zoo/vgg19" ] || exit 0 # only where all tests run
expect 0 python3 "$budget" 3.2 620 "$ONNX2C" "$zoo/vgg19/model.onnx" -o vgg.c
cat log
