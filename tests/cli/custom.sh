#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Operators of the user, by --custom: the example, sizes that are computed,
# absent inputs, a status that stops the run, and what is refused.
. "$(dirname "$0")/lib.sh"

cat >make.py <<'END'
import pathlib
import numpy as np
from onnx import numpy_helper, parser

HEAD = '<ir_version: 9, opset_import: ["" : 20, "com.example" : 1]>\n'


def save(name, text, inputs, outputs):
    folder = pathlib.Path(name, "test_data_set_0")
    folder.mkdir(parents=True)
    model = parser.parse_model(HEAD + text)
    pathlib.Path(name, "model.onnx").write_bytes(model.SerializeToString())
    for what, arrays in ("input", inputs), ("output", outputs):
        for i, v in enumerate(arrays):
            (folder / f"{what}_{i}.pb").write_bytes(
                numpy_helper.from_array(v).SerializeToString())


rng = np.random.default_rng(1)
x = rng.standard_normal((2, 3, 5)).astype(np.float32)
a = np.array([0.5, 1, 2], np.float32)
by = a[:, None]
z = x + np.sin(by * x) ** 2 / by
save("snake", """g (float[N,3,L] x, float[3] a) => (float[N,3,L] y)
{ z = com.example.Snake (x, a)
  t = com.example.Snake <alpha = 0.5> (z)
  y = Relu (t) }""", [x, a],
     [np.maximum(z + np.sin(0.5 * z) ** 2 / 0.5, 0).astype(np.float32)])
x = rng.integers(-9, 9, (3, 7))
b = np.arange(3, dtype=np.int64)
save("every", """g (int64[N,K] x, int64[N] b) => (int64[N,D] y, int64[N,2] z)
{ y = com.example.Every <step = 3> (x, b)
  t = com.example.Every <step = 4> (x)
  z = Identity (t) }""", [x, b],
     [x[:, ::3] + b[:, None], x[:, ::4]])
save("zero", """g (int64[N,K] x) => (int64[N,D] y)
{ y = com.example.Every <step = 0> (x) }""", [x], [x])
save("long", """g (int64[N,K] x) => (int64[N,D] y)
{ y = com.example.Every <step = 2> (x) }""", [x[[0, 1, 2, 0]]], [x])
save("floats", """g (float[N] x) => (float[N] y)
{ y = com.example.Every <step = 2> (x) }""", [a], [a])
END
"$PYTHON" make.py

# Every step-th column, and b, where there is one, added to each row.
cat >every.h <<'END'
/* onnx2c: every(int64 x[N, K], int64 b[N]?; int step)
       -> int64 y[N, M / step + 1] */
static o2c_status every(const int64_t *x, const int64_t *b, int64_t *y,
                        int64_t N, int64_t K, int64_t step)
{
  for (int64_t i = 0; i < N; i++)
    for (int64_t k = 0; k < K; k += step)
      *y++ = x[i * K + k] + (b ? b[i] : 0);
  return N > 3 ? O2C_E_DATA : O2C_OK;
}
END
expect 2 "$ONNX2C" check every/model.onnx --custom com.example.Every=every.h
says "does not say what M / step + 1 of output y is"
sed 's|M / step|(K / step)|' every.h >wrong.h
expect 1 "$ONNX2C" check every/model.onnx --custom com.example.Every=wrong.h
says "wants a size before '(K / step) + 1] */'"
sed -i 's|M / step|K / step|' every.h
expect 2 "$ONNX2C" check zero/model.onnx --custom com.example.Every=every.h
says "does not say what"
expect 2 "$ONNX2C" check floats/model.onnx --custom com.example.Every=every.h
says "no signature in 'every.h' takes float of rank 1"
expect 4 "$ONNX2C" verify long --custom com.example.Every=every.h
says "O2C_E_DATA"

for cc in $(compilers | grep -v -e '-'); do
  expect 0 "$ONNX2C" verify --cc "$cc" --cflags="$STRICT" every \
    --custom com.example.Every=every.h
  expect 0 "$ONNX2C" verify --cc "$cc" --cflags="$STRICT" snake \
    --custom com.example.Snake="$ROOT/examples/custom_op/snake.h"
done
expect 0 "$ONNX2C" verify snake --target x86-64,x86-64-v3 --cflags="-O1" \
  --custom com.example.Snake="$ROOT/examples/custom_op/snake.h"
expect 0 "$ONNX2C" info snake/model.onnx \
  --custom com.example.Snake="$ROOT/examples/custom_op/snake.h"
says "snake_channels"

expect 3 "$ONNX2C" check snake/model.onnx
says "--custom adds your own"
expect 1 "$ONNX2C" check snake/model.onnx --custom com.example.Snake
says "wants Domain.Op=FILE"
expect 1 "$ONNX2C" check snake/model.onnx --custom com.example.Snake=none.h
says "can't read 'none.h'"
expect 1 "$ONNX2C" check snake/model.onnx --custom Relu=every.h
says "already an operator"
echo 'int x;' >empty.h
expect 1 "$ONNX2C" check snake/model.onnx --custom com.example.Snake=empty.h
says "has no signature"
