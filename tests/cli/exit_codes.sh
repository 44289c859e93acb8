#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every exit code of the command, and no output file after any error.
. "$(dirname "$0")/lib.sh"
net=$zoo/tiny_dscnn/model.onnx

no_output() {
  [ -z "$(ls out 2>/dev/null)" ] || fail "an output file after: $1"
}

mkdir out
expect 1 "$ONNX2C"
expect 1 "$ONNX2C" --no-such-option
expect 1 "$ONNX2C" "$net" -o out/net.c --no-such-option
expect 1 "$ONNX2C" "$net" -o out/net.c --name while
expect 1 "$ONNX2C" "$net" -o out/net.c --name "a b"
expect 1 "$ONNX2C" "$net" -o out/net.c --name g
# Names of files that can't be prefixes as they are.
for name in g:model_g double:model_double _x__y-z:x_y_z 9a:model_9a; do
  expect 0 "$ONNX2C" "$net" -o "out/${name%:*}.c"
  grep -q " ${name#*:}_run(" "out/${name%:*}.h" || fail "prefix of $name"
done
rm -f out/*.[ch]
no_output usage

printf 'not a model' >junk.onnx
expect 2 "$ONNX2C" junk.onnx -o out/net.c
says junk.onnx
head -c 50000 "$net" >cut.onnx
expect 2 "$ONNX2C" cut.onnx -o out/net.c
says cut.onnx
expect 2 "$ONNX2C" check cut.onnx
expect 2 "$ONNX2C" verify cut.onnx
no_output "bad models"

"$PYTHON" "$ROOT/tests/cli/make_models.py" unknown_op unknown.onnx
expect 3 "$ONNX2C" unknown.onnx -o out/net.c
says NoSuchOperator
expect 3 "$ONNX2C" check unknown.onnx
expect 3 "$ONNX2C" verify unknown.onnx
says "0 passed, 0 failed, 1 unsupported"
no_output "an unknown operator"

expect 5 env M4=/no/such/m4 "$ONNX2C" "$net" -o out/net.c
expect 5 "$ONNX2C" verify --cc /no/such/cc "$net"
expect 5 "$ONNX2C" "$net" -o out/no/such/folder/net.c
expect 5 sh -c '"$1" "$2" -o - >/dev/full' sh "$ONNX2C" "$net"
no_output "a poor environment"

expect 0 "$ONNX2C" "$net" -o out/net.c
[ -s out/net.c ] && [ -s out/net.h ] || fail "no output files"
[ "$(ls out | wc -l)" = 2 ] || fail "stray files: $(ls out)"
expect 0 "$ONNX2C" check "$net"
expect 0 "$ONNX2C" --version
expect 0 "$ONNX2C" --help
