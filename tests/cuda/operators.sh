#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every operator of the networks is claimed, by a node case of the corpus
# (claimed.txt) or by a case of operators.txt, which runs here by --provider
# cuda alone; or the host's, with a reason.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
export NVCC="${NVCC:-$ROOT/tests/cuda/nvcc_shim}"
expect 0 "$PYTHON" "$ROOT/tests/cuda/operators.py" "$DATA" cases
cat log
expect 0 "$ONNX2C" verify --provider cuda --cc gcc --cflags=-O1 cases
says " passed"
