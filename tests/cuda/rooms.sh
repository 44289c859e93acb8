#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rooms.c: one number of rows in rooms of several sizes, with recordings.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
shim=$ROOT/tests/cuda/nvcc_shim
"$PYTHON" "$ROOT/tests/cuda/make_models.py" rooms .
expect 0 "$ONNX2C" model.onnx --provider cuda,cpu --bundle -o net.c
grep -q o2c_cuda_region net.cu || fail "nothing runs on the GPU"
expect 0 env SHIM_FLAGS="-O1 -g -fsanitize=address,undefined" "$shim" -I. \
  "$ROOT/tests/cuda/rooms.c" net.c net.cu o2c_cuda.c -lm -o rooms
expect 0 ./rooms
expect 0 env O2C_SHIM_LATE=1 ./rooms
