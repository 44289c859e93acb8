#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Convolutions and products of bytes on the GPU, all kernels that there are,
# bit for bit, threads in any order; and nothing of it is left to the CPU.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
export NVCC="${NVCC:-$ROOT/tests/cuda/nvcc_shim}"
"$PYTHON" "$ROOT/tests/cuda/make_bytes.py" bytes
O2C_SHIM_ORDER=2 O2C_SHIM_FILL=1 SHIM_FLAGS="${SHIM_FLAGS:--O1}" \
  expect 0 "$ONNX2C" verify bytes --provider cuda --cflags=-O1 --rtol 0 --atol 0
says "1 passed"
