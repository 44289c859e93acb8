#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A network of 102 MB: onnx2c within 2 s and 400 MB, then the C compiler within
# 10 s and 600 MB, in the default mode of weights.
. "$(dirname "$0")/lib.sh"
budget=$ROOT/tests/cli/budget.py
expect 0 python3 "$budget" 2 400 "$ONNX2C" "$zoo/resnet50/model.onnx" -o net.c
cat log
cp "$ROOT/runtime_min/o2c.h" .
for cc in gcc clang; do
  expect 0 python3 "$budget" 10 600 $cc -std=c99 -O3 -march=native -c net.c \
    -o net.o
  cat log
done
