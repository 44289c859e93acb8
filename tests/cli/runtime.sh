#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Generated code at run time: several workers, also under ThreadSanitizer;
# --max-batch, --simple, --bundle, O2C_FLUSH.
. "$(dirname "$0")/lib.sh"
expect 0 "$ONNX2C" "$zoo/tiny_resnet8/model.onnx" -o conv.c --max-batch 8 \
  --bundle
cmp o2c.h "$ROOT/runtime_min/o2c.h" || fail "--bundle writes another o2c.h"
expect 0 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o prod.c
expect 0 "$ONNX2C" "$zoo/tiny_dscnn/model.onnx" -o one.c --simple
"$PYTHON" "$ROOT/tests/cli/make_models.py" two_inputs add.onnx
expect 0 "$ONNX2C" add.onnx -o add.c
input=$(sed -n 's/^  const float \*\([a-z_0-9]*\);.*/\1/p' conv.h)

# build CC FLAGS: the models, and the program.
build() {
  for model in conv prod one add; do
    # shellcheck disable=SC2086
    expect 0 $1 $STRICT $2 -c $model.c -o $model.o
  done
  # shellcheck disable=SC2086
  expect 0 $1 $STRICT -D_POSIX_C_SOURCE=200809L -DCONV_IN="$input" $2 -I. \
    "$ROOT/tests/cli/runtime.c" conv.o prod.o one.o add.o -o runtime \
    -lm -pthread $3
}

while read -r cc flags; do
  build "$cc" "$flags" ""
  expect 0 ./runtime
  says "all right"
done <<END
gcc -O3 -march=native
clang -O3 -march=native
gcc -O1 -g -fsanitize=thread
clang -O1 -g -fsanitize=address,undefined
END
if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
  build aarch64-linux-gnu-gcc -O2 -static
  expect 0 qemu-aarch64 ./runtime
  says "all right"
fi
expect 0 "$ONNX2C" "$zoo/tiny_dscnn/model.onnx" -o limit.c \
  --max-dim N=5
grep -q 'd->N > INT64_C(5)' limit.c || fail "--max-dim does not bound N"
