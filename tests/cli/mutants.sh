# SPDX-License-Identifier: Apache-2.0
# Mutated models are compiled or refused, and no more happens; for more of
# them, see tools/mutate_models.py.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/tools/random_models.py" nets 8 --seed 40 >log ||
  { cat log >&2; fail "random_models.py"; }
expect 0 "$PYTHON" "$ROOT/tests/tools/mutate_models.py" "$ONNX2C" 300 1 \
  "$zoo/tiny_dscnn/model.onnx" "$zoo/tiny_dscnn-s8/model.onnx" \
  "$zoo/tiny_resnet8-s8/model.onnx" nets/*/model.onnx
