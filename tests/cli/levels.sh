# SPDX-License-Identifier: Apache-2.0
# Every -O level gives right answers; --dump-after prints every pass, and what
# it prints at -O2 has no layout transposes within a network.
. "$(dirname "$0")/lib.sh"
for level in -O0 -O1 -O2 -O3; do
  expect 0 "$ONNX2C" verify "$level" "$zoo/tiny_resnet8" "$zoo/squeezenet"
  # -O0 computes in float, where single steps of 1/255 may differ.
  expect 0 "$ONNX2C" verify "$level" --rtol 0 --atol 0.016 \
    "$zoo/tiny_resnet8-s8"
done
"$ONNX2C" --list-passes | sed 's/ .*//' | sort -u >passes
[ -s passes ] || fail "--list-passes prints nothing"
while read -r pass; do
  expect 0 "$ONNX2C" "$zoo/tiny_dscnn-s8/model.onnx" -o out.c \
    --dump-after "$pass"
  says "graph '"
done <passes
expect 1 "$ONNX2C" "$zoo/tiny_dscnn/model.onnx" -o out.c --dump-after nothing
says "no pass is called 'nothing'"

# One transpose at the door, and shufflenet's 16 shuffles of the last two axes.
for net in densenet121=1 shufflenet=17; do
  expect 0 "$ONNX2C" "$zoo/${net%=*}/model.onnx" -o out.c --weights file \
    --dump-after fuse_ew
  count=$(grep -c '= Transpose-' log)
  [ "$count" = "${net#*=}" ] || fail "$net: $count transposes"
done
