#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `onnx2c edit`: structural steps, external data, models of 4 GB, exit codes.
. "${0%/*}/lib.sh"

"$PYTHON" "$ROOT/tests/cli/edit_core.py" "$ONNX2C" "$WORK" 2>log ||
  { cat log >&2; fail "a structural step"; }
"$PYTHON" "$ROOT/tests/cli/edit_large.py" "$ONNX2C" "$WORK" >log 2>&1 ||
  { cat log >&2; fail "external data"; }
cat log

# A step that changes nothing writes the file as it was.
for net in tiny_dscnn squeezenet; do
  "$ONNX2C" edit "$zoo/$net/model.onnx" -o same.onnx rename-node '*=*'
  cmp "$zoo/$net/model.onnx" same.onnx || fail "$net is not the same"
done

# Damaged files; for more of them, see tools/mutate_edit.py.
expect 0 "$PYTHON" "$ROOT/tests/tools/mutate_edit.py" "$ONNX2C" 150 1 \
  "$zoo/tiny_vww-s8/model.onnx" \
  "$DATA/models/silero-vad__silero_vad_op18_ifless/model.onnx" \
  "$DATA/models/pipecat-ai__silero_vad/model.onnx"

# Exit codes; what failed leaves nothing.
model=$zoo/tiny_dscnn/model.onnx
rm -f out.onnx
expect 1 "$ONNX2C" edit "$model" -o out.onnx frobnicate
says "there is no step 'frobnicate'"
expect 1 "$ONNX2C" edit "$model" -o out.onnx rename
says "it is written rename OLD=NEW"
expect 1 "$ONNX2C" edit "$model" cleanup
says "add -o OUT.onnx"
expect 1 "$ONNX2C" edit no.onnx -o out.onnx cleanup
head -c 3000 "$model" >cut.onnx
expect 2 "$ONNX2C" edit cut.onnx -o out.onnx cleanup
expect 5 "$ONNX2C" edit "$model" -o no/such/out.onnx cleanup
expect 5 "$ONNX2C" edit "$model" -o /dev/full cleanup
[ ! -e out.onnx ] || fail "an output was left"
ls | grep -q 'out.onnx\.' && fail "a temporary was left"

# In place.
cp "$model" own.onnx
"$ONNX2C" edit own.onnx -o own.onnx rename-model other
"$ONNX2C" edit own.onnx json | grep -q '"name": "other"' || fail "in place"
expect 0 "$ONNX2C" --list-steps
says "externalize"
