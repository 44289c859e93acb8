#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# onnx2c edit to-opset: small models in both directions, against the ONNX
# checker and the reference evaluator; refusals name node and reason.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/edit_opset.py" "$ONNX2C" .

net=$zoo/tiny_dscnn/model.onnx
expect 1 "$ONNX2C" edit "$net" -o o.onnx to-opset=99
says "'99' is no version of ai.onnx; it has 1 to"
expect 1 "$ONNX2C" edit "$net" -o o.onnx to-opset=my.domain:2
says "no operators of domain 'my.domain' are known"
expect 2 "$ONNX2C" edit "$net" -o o.onnx to-opset=ai.onnx.ml:3
says "the model does not import domain 'ai.onnx.ml'"
[ ! -e o.onnx ] || fail "a refused conversion wrote a file"

# A converted network compiles and gives the answers of its data.
expect 0 "$ONNX2C" edit "$net" -o o.onnx to-opset=newest
mkdir new
mv o.onnx new/model.onnx
ln -s "$zoo/tiny_dscnn/test_data_set_0" new/
expect 0 "$ONNX2C" verify --cflags=-O1 new
