#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names that try to leave comments, strings, C or m4 stay names.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/make_models.py" hostile 'net; $(x) *.onnx'
expect 0 "$ONNX2C" 'net; $(x) *.onnx' -o net.c --name net
cp "$ROOT/runtime_min/o2c.h" .
for cc in $(compilers); do
  expect 0 $cc $STRICT -c net.c -o net.o
done
[ ! -e pwned ] || fail "m4 ran a command of the model"
expect 0 "$ONNX2C" verify 'net; $(x) *.onnx'
