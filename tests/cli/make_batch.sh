#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --make-batch on small models: what is kept apart, and each kind of mixing that
# is refused; and how it goes with other options.
. "$(dirname "$0")/lib.sh"

"$PYTHON" "$ROOT/tests/cli/make_batch_models.py" "$ONNX2C" || fail "models"

# A number in place of the symbol; the symbol's name, and bounds.
expect 0 "$ONNX2C" info kept/heads/model.onnx --make-batch --batch 4
says "[4, S, 4]"
expect 0 "$ONNX2C" info kept/heads/model.onnx --make-batch
says "[N, S, 4]"
expect 0 "$ONNX2C" verify kept/heads --make-batch --max-batch 7 --cflags=-O0
expect 0 "$ONNX2C" verify kept/reshape --make-batch --batch 1 --cflags=-O0

# What is found out is told; what can't be meant is an error.
expect 0 "$ONNX2C" check --make-batch kept/found_axis/model.onnx
says "the batch of input 's' is taken to be axis 1"
expect 2 "$ONNX2C" check --make-batch --batch-axis x=1 kept/heads/model.onnx
says "the batch must be an axis of size 1"
expect 2 "$ONNX2C" check --make-batch --batch-axis z=0 kept/heads/model.onnx
says "no input of this name"
