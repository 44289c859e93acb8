#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A Loop and a Scan whose bodies are an LSTM's cell: no trip copies the state,
# as the new one is written where the old one stood. Values that each other's
# next ones need are copied, and right.
. "$(dirname "$0")/lib.sh"

cat >make.py <<'END_PY'
import pathlib
import numpy as np
import onnxruntime
from onnx import numpy_helper, parser

CELL = '''
      gates = MatMul(xt, W)
      before = MatMul(hp, R)
      sum = Add(gates, before)
      biased = Add(sum, b)
      gi, gf, gg, gt = Split <axis = 1> (biased)
      si = Sigmoid(gi)
      sf = Sigmoid(gf)
      tg = Tanh(gg)
      so = Sigmoid(gt)
      keep = Mul(sf, cp)
      more = Mul(si, tg)
      cn = Add(keep, more)
      tc = Tanh(cn)
      hn = Mul(so, tc)
      o = Identity(hn)
    }> '''
STATE = "float[1,32] hp, float[1,32] cp"
HEAD = '''<ir_version: 8, opset_import: ["" : 17]>
g (float[T,1,16] x, float[1,32] h0, float[1,32] c0)
    => (float[1,32] h, float[1,32] c, float[T,1,32] y) {'''
MODELS = {
    "loop": HEAD + '''
  s = Shape(x)
  axis = Constant <value_int = 0> ()
  t = Gather(s, axis)
  yes = Constant <value = bool {1}> ()
  h, c, y = Loop <body = k (int64 it, bool go, ''' + STATE + ''')
        => (bool on, float[1,32] hn, float[1,32] cn, float[1,32] o) {
      on = Identity(go)
      xt = Gather(x, it)''' + CELL + "(t, yes, h0, c0)\n}",
    "scan": HEAD + '''
  h, c, y = Scan <num_scan_inputs = 1, body = k (''' + STATE + ''',
        float[1,16] xt)
        => (float[1,32] hn, float[1,32] cn, float[1,32] o) {''' + CELL +
            "(h0, c0, x)\n}",
    "swap": HEAD.replace(" {", "") + ''' {
  h, c, y = Scan <num_scan_inputs = 1, body = k (''' + STATE + ''',
        float[1,16] xt)
        => (float[1,32] hn, float[1,32] cn, float[1,32] o) {
      hn = Identity(cp)
      part = ReduceSum <keepdims = 0> (xt)
      cn = Add(hp, part)
      o = Sub(hp, cn)
    }> (h0, c0, x)
}''',
}
rng = np.random.default_rng(1)
for name, text in MODELS.items():
    model = parser.parse_model(text)
    bodies = [a.g for n in model.graph.node for a in n.attribute if a.g.node]
    if name != "swap":
        for key, shape in ("W", (16, 128)), ("R", (32, 128)), ("b", (128,)):
            value = rng.standard_normal(shape).astype(np.float32) * 0.3
            model.graph.initializer.append(numpy_helper.from_array(value, key))
    data = pathlib.Path(name) / "test_data_set_0"
    data.mkdir(parents=True)
    (data.parent / "model.onnx").write_bytes(model.SerializeToString())
    ins = {"x": (9, 1, 16), "h0": (1, 32), "c0": (1, 32)}
    ins = {k: rng.standard_normal(v).astype(np.float32)
           for k, v in ins.items()}
    want = onnxruntime.InferenceSession(
        model.SerializeToString(),
        providers=["CPUExecutionProvider"]).run(None, ins)
    for what, values in ("input", ins.values()), ("output", want):
        for i, v in enumerate(values):
            (data / f"{what}_{i}.pb").write_bytes(
                numpy_helper.from_array(v).SerializeToString())
END_PY
"$PYTHON" make.py

# How many carried values the end of a trip copies: those whose two pointers,
# the last of its call, differ.
copies() {
  expect 0 "$ONNX2C" "$1/model.onnx" -o "$1/net.c"
  "$PYTHON" - "$1/net.c" <<'END_PY'
import re
import sys
text = open(sys.argv[1]).read()
call = re.search(r"^  \w+LoopEnd\((.*)\);\n  }", text, re.M)[1]
v = [w.strip() for w in call.split(",") if w.strip() != "s"][-4:]
print(sum(v[i] != v[i + 1] for i in (0, 2)))
END_PY
}
for name in loop scan; do
  [ "$(copies $name)" = 0 ] || fail "$name copies its state in each trip"
done
[ "$(copies swap)" != 0 ] || fail "values that are swapped need a copy"
for cc in $(compilers | grep -v -e '-'); do
  expect 0 "$ONNX2C" verify --cc "$cc" loop scan swap \
    --cflags="$STRICT -O1 -g -fsanitize=address,undefined"
done
