#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# info --html: the page in a real browser; and --times.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/page_models.py" .
net=$zoo/tiny_resnet8
for kind in hostile nested large; do
  expect 0 "$ONNX2C" info page_$kind.onnx --html $kind.html
done
expect 0 "$ONNX2C" bench "$net" --profile --json --runs 3
cp log times.json
expect 0 "$ONNX2C" info "$net/model.onnx" --html net.html --times times.json
expect 0 "$ONNX2C" info "$net/model.onnx" --times times.json
says "measured"
# Twice the same bytes; to stdout too.
"$ONNX2C" info page_nested.onnx --html - >again.html
cmp nested.html again.html || fail "--html - differs"

# What is no report, one of another model, a file that is not there.
echo '{"steps": [{"step": "n0", "min_ns": 1}' >broken.json
expect 1 "$ONNX2C" info "$net/model.onnx" --times broken.json
says "is no report of steps"
expect 1 "$ONNX2C" info page_nested.onnx --times times.json
says "which this model does not have"
expect 5 "$ONNX2C" info "$net/model.onnx" --times none.json
says "can't be read"
expect 5 "$ONNX2C" info "$net/model.onnx" --html none/page.html
says "can't write"
expect 1 "$ONNX2C" "$net/model.onnx" -o net.c --html net.html
says "are for onnx2c info"

PYTHONPATH=$ROOT/tests/tools "$PYTHON" "$ROOT/tests/cli/page_check.py" .
