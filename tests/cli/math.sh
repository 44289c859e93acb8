#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --math fast: products in bfloat16, within its own tolerance and outside of the
# exact one; rows stay equal; exact output does not change.
. "$(dirname "$0")/lib.sh"

expect 0 "$ONNX2C" verify --rows -v --cc gcc --math fast \
  "$zoo/tiny_resnet8" "$zoo/lstm_tagger" "$zoo/tiny_ad"
says "(--math fast)"
says "3 passed"
expect 0 "$ONNX2C" verify --cc clang --math fast "$zoo/tiny_resnet8"
# The paths without instructions for it.
expect 0 "$ONNX2C" verify --rows --cc gcc --target x86-64-v3 --math fast \
  "$zoo/tiny_resnet8"
expect 0 "$ONNX2C" verify --rows --cc gcc --target x86-64 --math fast \
  "$zoo/tiny_resnet8"
if have aarch64-linux-gnu-gcc; then
  expect 0 "$ONNX2C" verify --cc aarch64-linux-gnu-gcc --math fast \
    "$zoo/tiny_ad"
fi
# It does round: the logits are farther off than f32 would be.
expect 4 "$ONNX2C" verify --cc gcc --math fast --rtol 1e-6 --atol 1e-6 \
  "$zoo/tiny_ad"

expect 0 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o fast.c --bundle --math fast
grep -q o2c_conv_bf16 fast.c || fail "fast.c has no product in bfloat16"
# shellcheck disable=SC2086
expect 0 gcc $STRICT -O2 -c fast.c -o fast.o
# shellcheck disable=SC2086
expect 0 clang $STRICT -O2 -march=x86-64-v4 -mavx512bf16 -c fast.c -o fast.o
expect 0 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o exact.c --math exact
! grep -q o2c_conv_bf16 exact.c || fail "exact.c has a product in bfloat16"
expect 1 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o x.c --math loose
says "--math takes exact|fast"
