#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same input and options give the same bytes, whatever the folder, locale,
# time zone, umask, load and time.
. "$(dirname "$0")/lib.sh"

for name in tiny_dscnn tiny_resnet8-s8 squeezenet; do
  net=$zoo/$name/model.onnx
  mkdir -p "a/$name" "b/deeper down/$name" "c/$name"
  expect 0 env LC_ALL=C TZ=UTC "$ONNX2C" "$net" -o "a/$name/net.c"
  # Several at once, elsewhere, from a copy of another name's folder.
  mkdir -p copy
  cp "$net" copy/model.onnx
  for i in 1 2 3; do
    (umask 077
     cd "b/deeper down/$name"
     mkdir -p $i
     LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8 TZ=Asia/Tokyo TMPDIR="$WORK/c" \
       "$ONNX2C" "$WORK/copy/model.onnx" -o $i/net.c >/dev/null) &
    eval "job$i=\$!"
  done
  wait "$job1" && wait "$job2" && wait "$job3" || fail "compiling $name"
  for i in 1 2 3; do
    for file in "a/$name"/*; do
      cmp "$file" "b/deeper down/$name/$i/$(basename "$file")" ||
        fail "$name: other bytes"
    done
  done
done
