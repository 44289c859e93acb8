#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Models in a user's program: two in one, two contexts of one in two threads,
# and every error that the API promises to report.
. "$(dirname "$0")/lib.sh"
cp "$ROOT/runtime_min/o2c.h" .
expect 0 "$ONNX2C" "$zoo/tiny_dscnn/model.onnx" -o dscnn.c --name dscnn
expect 0 "$ONNX2C" "$zoo/tiny_ad-s8/model.onnx" -o ad.c --name ad
for cc in gcc clang; do
  for flags in -O2 "-O1 -g -fsanitize=address,undefined" \
      "-O1 -g -fsanitize=thread"; do
    expect 0 $cc $STRICT $flags -c dscnn.c -o dscnn.o
    expect 0 $cc $STRICT $flags -c ad.c -o ad.o
    expect 0 $cc $STRICT -D_POSIX_C_SOURCE=200809L $flags -I. \
      "$ROOT/tests/cli/programs.c" dscnn.o ad.o -o programs -lm -pthread
    expect 0 ./programs
    says "all right"
  done
done
