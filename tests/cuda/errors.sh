#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# errors.c, which misuses a model for a GPU in the shim: at once, as late as
# can be, and under the sanitizers.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
shim=$ROOT/tests/cuda/nvcc_shim
"$PYTHON" "$ROOT/tests/cuda/make_models.py" net .
expect 0 "$ONNX2C" model.onnx --provider cuda,cpu --bundle -o net.c
expect 0 "$ONNX2C" model.onnx -o cpu.c

# run FLAGS: builds and runs it.
run() {
  expect 0 env SHIM_FLAGS="-O1 -g $1" "$shim" -I. \
    -I"$ROOT/tests/cuda" "$ROOT/tests/cuda/errors.c" net.c net.cu cpu.c \
    o2c_cuda.c -lcudnn -lcublasLt -lm -o errors
  expect 0 ./errors
  expect 0 env O2C_SHIM_LATE=1 O2C_SHIM_ORDER=1 ./errors
}
run ""
expect 0 env O2C_SHIM_GRAPHS=0 O2C_SHIM_FILL=1 O2C_SHIM_ORDER=2 ./errors
run "-fsanitize=address,undefined -fno-sanitize-recover=all"
