#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/resnet_batch: one generated source at three batch sizes, threads of
# the caller, the same bits for each image.
. "$(dirname "$0")/lib.sh"

expect 0 "$ONNX2C" "$zoo/resnet50/model.onnx" --name net -o net.c
# shellcheck disable=SC2086
expect 0 gcc $STRICT -O3 -march=native -I"$ROOT/runtime_min" -I. \
  "$ROOT/examples/resnet_batch/main.c" net.c net.weights.o -lm -pthread -o run
expect 0 ./run
says "      2      8"
cat log
