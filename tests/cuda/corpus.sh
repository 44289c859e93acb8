#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Node cases of the ONNX corpus by `--provider cuda` alone, their CUDA run by
# the shim. A case whose node CUDA has no kernel for is counted as refused;
# claimed.txt says which operators must not be. Takes run_corpus.py's options:
# --share 12, say, or --renew, which writes claimed.txt anew by what
# `onnx2c check` does not refuse.
set -eu
: "${ONNX2C:?}" "${DATA:?}" "${ROOT:?}"
NVCC=${NVCC:-$ROOT/tests/cuda/nvcc_shim}
SHIM_FLAGS="-O1 ${SHIM_FLAGS:-}"
export NVCC SHIM_FLAGS
exec "$DATA/venv/bin/python" "$ROOT/tests/onnx/run_corpus.py" \
  --onnx2c "$ONNX2C" --corpus "$DATA/corpus" --kind node --cc gcc \
  --cflags=-O1 --provider cuda --claimed "$ROOT/tests/cuda/claimed.txt" "$@"
