# SPDX-License-Identifier: Apache-2.0
# A chain of convolutions over large maps becomes one step by strips of rows,
# needs less workspace, and gives the bits that whole maps give: those of the
# same model where every map is an output as well.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/make_models.py" strips strips.onnx
"$PYTHON" "$ROOT/tests/cli/make_models.py" strips_apart apart.onnx
mkdir data
"$PYTHON" -c '
import numpy, onnx.numpy_helper
random = numpy.random.default_rng(7)
for k, shape in enumerate(((3, 3, 181, 190), (3, 33, 43, 95))):
    t = random.standard_normal(shape).astype(numpy.float32)
    with open(f"data/input_{k}.pb", "wb") as f:
        f.write(onnx.numpy_helper.from_array(t, "xr"[k]).SerializeToString())'

expect 0 "$ONNX2C" info strips.onnx
says "short_f32_3x9, dw_f32, short_f32_1x24, dw_f32, 4 rows at a time"
says "  dw_f32, conv_f32, 8 rows at a time"
cp log strips.info
expect 0 "$ONNX2C" info apart.onnx
if grep -q "rows at a time" log; then fail "strips, though maps are outputs"; fi
bytes() { sed -n 's/^workspace  *\([0-9]*\) .*/\1/p' "$1"; }
[ "$(bytes strips.info)" -lt "$(bytes log)" ] || fail "the same workspace"

for cc in gcc clang; do
  for isa in x86-64 x86-64-v3 native; do
    for net in strips apart; do
      expect 0 "$ONNX2C" run "$net.onnx" --data data --save "$net.out" \
        --cc $cc --cflags=-march=$isa
    done
    cmp strips.out/output_0.pb apart.out/output_0.pb ||
      fail "$cc -march=$isa: other bits than whole maps"
  done
done
expect 0 "$ONNX2C" strips.onnx -o strips.c --name net
# shellcheck disable=SC2086
expect 0 gcc $STRICT -O2 -I"$ROOT/runtime_min" -c strips.c -o strips.o
expect 0 "$ONNX2C" run strips.onnx --data data --save san.out --cc gcc \
  --cflags="-fsanitize=address,undefined -fno-sanitize-recover=all"
