#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/maps: what it prints, with sanitizers too, and as C++; info; an empty
# batch and bad calls of a model whose output is maps; keys of hostile text;
# maps and sparse tensors that do not fit the model; maps that are made up.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/examples/maps/make_model.py"
expect 0 "$ONNX2C" info mail.onnx
says 'seq(map(string,tensor(float))) of 2 constant keys, values float [1, 2]'
says 'map(string,tensor(float))'
expect 0 "$ONNX2C" mail.onnx -o mail.c
sed -n '/^```$/,/^```$/p' "$ROOT/examples/maps/README.md" | grep -v '```' >want

"$PYTHON" - <<'END'
from onnx import parser
model = parser.parse_model('''<ir_version: 8,
  opset_import: ["" : 17, "ai.onnx.ml" : 1]>
g (float[N,3] x) => (seq(map(string,float)) y, map(string,float) one) {
  y = ai.onnx.ml.ZipMap<classlabels_strings = ["a", "b", "c"]>(x)
  i = Constant<value_int = 0>()
  one = SequenceAt(y, i)
}''')
labels = model.graph.node[0].attribute[0].strings
labels[0] = b'*/ "G_NAME m4_define <%\0%>'
labels[1] = "ü\n".encode()
open("zip.onnx", "wb").write(model.SerializeToString())
model = parser.parse_model('''<ir_version: 8,
  opset_import: ["" : 17, "ai.onnx.ml" : 1]>
g (map(int64,float) x, map(string,float) words, sparse_tensor(float[2,2]) s)
  => (float[1,K] dense, float[1,4] sparse, float[1,2] dict, float[2,2] sum)
<float one = {1}> {
  dense = ai.onnx.ml.CastMap (x)
  sparse = ai.onnx.ml.CastMap<map_form = "SPARSE", max_map = 4>(x)
  dict = ai.onnx.ml.DictVectorizer<string_vocabulary = ["a", "b"]>(words)
  sum = Add (s, one)
}''')
open("cast.onnx", "wb").write(model.SerializeToString())
model = parser.parse_model('''<ir_version: 8,
  opset_import: ["" : 17, "ai.onnx.ml" : 1]>
g (map(string,float) row, map(int64,float) more) => (float[1,3] y, float[1,2] z)
{
  y = ai.onnx.ml.DictVectorizer<string_vocabulary = ["a", "b", "c"]>(row)
  z = ai.onnx.ml.DictVectorizer<int64_vocabulary = [7, -7]>(more)
}''')
open("dict.onnx", "wb").write(model.SerializeToString())
END
# Without data beside the model maps are made: of words that the model knows.
expect 0 "$ONNX2C" verify --cc gcc dict.onnx
says "output 1 'z': ok"
expect 0 "$ONNX2C" bench --cc gcc --runs 2 dict.onnx
"$ONNX2C" run -q --cc gcc dict.onnx >seeded
grep -q "^'y' float.1,3.: .*[1-9].* 0 .*[1-9]" seeded ||
  fail "no two of three words have numbers"
expect 0 "$ONNX2C" zip.onnx -o zip.c
expect 0 "$ONNX2C" cast.onnx -o cast.c
sed -n 's/^  int64_t \([a-z_0-9]*\); .*room.*/\1/p' cast.h >room
for cc in $(compilers | grep -v -e '-'); do
  for flags in "-O2" "-O1 -g -fsanitize=address,undefined"; do
    # shellcheck disable=SC2086
    expect 0 "$cc" $STRICT $flags -I"$ROOT/runtime_min" -I. mail.c \
      "$ROOT/examples/maps/main.c" -lm -o mail
    ./mail >got
    cmp want got || fail "examples/maps prints something else"
    # shellcheck disable=SC2086
    expect 0 "$cc" $STRICT $flags -I"$ROOT/runtime_min" -I. zip.c \
      "$ROOT/tests/cli/maps.c" -lm -o zip
    expect 0 ./zip
    # shellcheck disable=SC2086
    expect 0 "$cc" $STRICT $flags -I"$ROOT/runtime_min" -I. cast.c \
      -DCAST_ROOM="$(cat room)" "$ROOT/tests/cli/maps_in.c" -lm -o cast
    expect 0 ./cast
  done
  # shellcheck disable=SC2086
  expect 0 "$cc" -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Wshadow -Werror \
    -I"$ROOT/runtime_min" -I. -c "$ROOT/tests/cli/maps.c" -o zip.o
done
