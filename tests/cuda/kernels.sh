#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kernels that no case of the corpus is large enough for: packs of elements,
# rows in registers, the first ones of long rows. Threads in two orders.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
export NVCC="${NVCC:-$ROOT/tests/cuda/nvcc_shim}"
for kind in packs orders finds draws; do
  "$PYTHON" "$ROOT/tests/cuda/make_models.py" $kind $kind
done
for order in 0 2; do
  # Halves may round to the next one.
  O2C_SHIM_ORDER=$order SHIM_FLAGS=-O1 expect 0 "$ONNX2C" verify packs \
    orders finds --provider cuda --cflags=-O1 --rtol 2e-3
  says "3 passed"
done
# Against the reference kernels, whose draws they are.
O2C_SHIM_ORDER=2 SHIM_FLAGS=-O1 expect 0 "$ONNX2C" verify draws \
  --provider cuda --cflags=-O1
says "1 passed"
"$ONNX2C" packs/model.onnx --provider cuda -o packs.c
"$ONNX2C" orders/model.onnx --provider cuda -o orders.c
# Halves that are rounded only where they are stored.
mkdir -p half
"$ONNX2C" edit "$zoo/tiny_resnet8/model.onnx" -o half/model.onnx float16
cp -R "$zoo/tiny_resnet8/test_data_set_0" half/
SHIM_FLAGS=-O1 expect 0 "$ONNX2C" verify half --provider cuda --cflags=-O1
"$ONNX2C" edit "$zoo/squeezenet/model.onnx" -o joins.onnx float16
for model in half/model joins; do
  "$ONNX2C" $model.onnx --provider cuda,cpu --weights file -o half.c
  [ "$(grep -c '; cuda elementwise' half.cu)" = 2 ] ||
    fail "more than the casts of input and output are steps of their own"
done
[ "$(grep -c '_then(float sum)' packs.cu)" = 2 ] ||
  fail "what follows convolutions is no part of them"
"$PYTHON" "$ROOT/tests/cuda/make_models.py" island island
"$ONNX2C" island/model.onnx --provider cuda -o island.c
grep -q 'O2C_F32, 0,' island.cu || fail "weights of f32 became halves"
grep -q 'o2c_pack<uint16_t, 4> to' packs.cu || fail "halves are no packs"
grep -q 'o2c_layer_norm_held<o2c_of_f16, .*, 32, 3, 1>' packs.cu ||
  fail "rows of halves are not"
grep -q 'o2c_layer_norm_held<o2c_of_f32, o2c_of_f32, int32_t, 32, 3, 1>' \
  packs.cu || fail "rows are not held"
