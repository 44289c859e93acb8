#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# onnx2c diff: layer by layer against the reference kernels. Faults are put into
# the generated code by a compiler that changes it first.
. "$(dirname "$0")/lib.sh"
O1=--cflags=-O1

# wrong SCRIPT: ./cc is a compiler whose first net0.c has gone through sed.
wrong() {
  cat >cc <<END
#!/bin/sh
for a; do
  case \$a in
  */net0.c) sed -i "$1" "\$a" ;;
  esac
done
exec gcc "\$@"
END
  chmod +x cc
}

# All layers, each row of a batch, borders and other orders of axes included.
expect 0 "$ONNX2C" diff $O1 "$zoo/tiny_resnet8"
says "'relu_25' f32 [1, 16, 32, 32]"
says "row 2 of the batch"
says "13 steps, 52 tensors compared, 0 differ"
# 8-bit: int8 that is uint8 in the code.
expect 0 "$ONNX2C" diff $O1 "$zoo/tiny_resnet8-s8" \
  --data "$zoo/tiny_resnet8-s8/test_data_set_0"
says "'relu_25_QuantizeLinear_Output' i8 [1, 16, 32, 32]"
says "19 steps, 19 tensors compared, 0 differ"

# A fault in the middle is found where it is, and only there; no further row.
net=$zoo/mlp_32_64_64_8
"$ONNX2C" "$net/model.onnx" -o net.c
out=$(sed -n 's/^  n2_Gemm_7(.*, \(t[0-9]*\));$/\1/p' net.c)
[ -n "$out" ] || fail "net.c has another text"
wrong "s/^  n2_Gemm_7(.*);\$/&\\n  $out[3] += 1;/"
expect 4 "$ONNX2C" diff $O1 --cc ./cc "$net" --save saved
says "first difference: n2_Gemm_7 (node 2 'Gemm_7' (Gemm-13) + 3 'Relu_8' (R"
says "1 of 64 wrong, first at 3"
says "2 tensors compared, 1 differ"
"$PYTHON" - "$PWD/saved" <<'END'
import sys
import numpy, onnx
from onnx import numpy_helper
got, want = (numpy_helper.to_array(onnx.load_tensor(
    f"{sys.argv[1]}/n2_Gemm_7_{x}.pb")) for x in ("got", "want"))
off = numpy.abs(got - want).reshape(-1) > 0.5
assert list(numpy.flatnonzero(off)) == [3], off
END
# --all: the layers behind it are right for what they were given.
expect 4 "$ONNX2C" diff $O1 --cc ./cc "$net" --all
says "12 tensors compared, 4 differ"
expect 4 "$ONNX2C" diff $O1 --cc ./cc "$net" --json
"$PYTHON" -c '
import json, sys
rows = [json.loads(x) for x in open(sys.argv[1]) if x.startswith("{")]
assert [r["status"] for r in rows] == ["equal", "differs"], rows
assert rows[1]["step"] == "n2_Gemm_7" and rows[1]["max_abs"] > 0.5, rows' log

# A crash is told with the last step that ended.
wrong "s/^  n2_Gemm_7(.*);\$/  __builtin_trap();/"
expect 4 "$ONNX2C" diff $O1 --cc ./cc "$net"
says "crashed: signal 4, after n0_Gemm_3"

# Other draws, and a tolerance that nothing meets.
cp "$net/model.onnx" .
expect 0 "$ONNX2C" diff $O1 model.onnx
cp log first
expect 0 "$ONNX2C" diff $O1 model.onnx --seed 7
if cmp -s log first; then fail "--seed draws the same"; fi
expect 4 "$ONNX2C" diff $O1 model.onnx --rtol 0 --atol 0

# Two models: a bias that differs, in a graph whose names differ too.
"$PYTHON" - "$net/model.onnx" <<'END'
import sys
import numpy as np, onnx
from onnx import numpy_helper
m = onnx.load(sys.argv[1])
second = [n for n in m.graph.node if n.op_type == "Gemm"][1]
for n in m.graph.node:
    if n.output[0] != m.graph.output[0].name:
        old, new = n.output[0], n.output[0] + "_new"
        n.output[0] = new
        for k in m.graph.node:
            k.input[:] = [new if x == old else x for x in k.input]
onnx.save(m, "renamed.onnx")
for w in m.graph.initializer:
    if w.name == second.input[2]:
        a = numpy_helper.to_array(w).copy()
        a.flat[5] += 1
        w.CopyFrom(numpy_helper.from_array(a, w.name))
onnx.save(m, "other.onnx")
END
expect 0 "$ONNX2C" diff model.onnx renamed.onnx
says "6 tensors compared, 0 differ"
expect 4 "$ONNX2C" diff model.onnx other.onnx --all
says "first difference: 'gemm_7' of Gemm: 1 of 64 wrong"
expect 2 "$ONNX2C" diff model.onnx "$zoo/lstm_tagger/model.onnx"
# Halves beside floats: by value; and what is wrong among them.
for m in model other; do
  expect 0 "$ONNX2C" edit $m.onnx -o half_$m.onnx float16 io
done
expect 0 "$ONNX2C" diff model.onnx half_model.onnx
says "6 tensors compared, 0 differ"
expect 4 "$ONNX2C" diff half_model.onnx other.onnx --all
says "first difference: 'gemm_7' of Gemm: 1 of 64 wrong"
says "6 tensors compared, 1 differ"

# What it refuses.
expect 1 "$ONNX2C" diff $O1 model.onnx --threads 2
expect 1 "$ONNX2C" diff nosuch.onnx
expect 5 "$ONNX2C" diff $O1 model.onnx --data nosuch
