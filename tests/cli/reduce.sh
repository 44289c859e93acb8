#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# onnx2c reduce: the smallest part of a model on which a command fails as it
# does on the whole; 300 nodes with one fault in the middle, and parts that need
# constants, graphs in attributes, several nodes.
. "$(dirname "$0")/lib.sh"

cat >make.py <<'END'
import sys
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

def layers(count, odd, alpha=0.25):
    """Conv, Relu, Add, Tanh again and again; layer `odd` has an Elu."""
    rng = np.random.default_rng(0)
    nodes, weights, x = [], [], "x"
    for i in range(count):
        w = rng.standard_normal((8, 8, 3, 3)).astype(np.float32) / 30
        weights.append(numpy_helper.from_array(w, f"w{i}"))
        nodes.append(helper.make_node("Conv", [x, f"w{i}"], [f"c{i}"],
                                      pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Elu", [f"c{i}"], [f"r{i}"], alpha=alpha)
                     if i == odd else
                     helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        nodes.append(helper.make_node("Add", [x, f"r{i}"], [f"a{i}"]))
        nodes.append(helper.make_node("Tanh", [f"a{i}"], [f"t{i}"]))
        x = f"t{i}"
    return nodes, weights, x

def branches():
    """An If on data whose branches read a tensor from outside, behind a
    reshape by a computed shape."""
    part = [helper.make_graph(
        [helper.make_node(op, ["h"], ["o"])], op, [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)])
        for op in ("Sinh", "Cosh")]
    nodes, weights, x = layers(4, 9)
    nodes += [helper.make_node("Shape", [x], ["s"]),
              helper.make_node("Slice", ["s", "one", "three"], ["cut"]),
              helper.make_node("Concat", ["n", "cut", "minus"], ["shape"],
                               axis=0),
              helper.make_node("Reshape", [x, "shape"], ["h"]),
              helper.make_node("ReduceMax", ["h"], ["m"], keepdims=0),
              helper.make_node("Greater", ["m", "zero"], ["c"]),
              helper.make_node("If", ["c"], ["f"], then_branch=part[0],
                               else_branch=part[1]),
              helper.make_node("Neg", ["f"], ["y"])]
    for name, v in (("one", [1]), ("three", [3]), ("n", [0]), ("minus", [-1])):
        weights.append(numpy_helper.from_array(np.array(v, np.int64), name))
    weights.append(numpy_helper.from_array(np.float32(0), "zero"))
    return nodes, weights, "y"

kind, path = sys.argv[1:3]
nodes, weights, y = branches() if kind == "branches" else \
    layers(int(kind), int(kind) * 5 // 8)
graph = helper.make_graph(
    nodes, "g", [helper.make_tensor_value_info("x", 1, ["N", 8, 8, 8])],
    [helper.make_tensor_value_info(y, 1, None)], weights)
m = helper.make_model(graph, ir_version=8,
                      opset_imports=[helper.make_opsetid("", 17)])
onnx.save_model(m, path, save_as_external_data="external" in sys.argv,
                size_threshold=100)
END
# left FILE NODES OPERATOR...: a valid model of these, and no more inputs than
# they read.
left() {
  "$PYTHON" - "$@" <<'END'
import sys
import onnx
m = onnx.load(sys.argv[1])
onnx.checker.check_model(m, full_check=True)
ops = [n.op_type for n in m.graph.node]
assert len(ops) <= int(sys.argv[2]) and set(sys.argv[3:]) <= set(ops), ops
read = {x for n in m.graph.node for x in n.input}
read |= {x for n in m.graph.node for a in n.attribute
         for k in a.g.node for x in k.input}
given = {x.name for x in m.graph.input} | {x.name for x in m.graph.initializer}
assert given <= read, given - read
END
}

# 300 nodes; the fault is one operator with one attribute.
"$PYTHON" make.py 75 long.onnx
cat >fault <<END
#!/bin/sh
"$ONNX2C" "\$1" -o fault.c || exit 9
! grep -q 'Elu-6' fault.c
END
chmod +x fault
expect 0 "$ONNX2C" reduce long.onnx --fails './fault {}' -o small.onnx
says "small.onnx: 1 of 300 nodes: 'Elu'"
says "300 nodes, the command ends with 1"
left small.onnx 1 Elu

# A fault that takes three nodes which are fused.
cat >fault <<END
#!/bin/sh
"$ONNX2C" "\$1" -o fault.c || exit 9
! grep -q 'Tanh-13, .*Add-14, .*Elu-6' fault.c
END
expect 0 "$ONNX2C" reduce long.onnx --fails './fault {}' -o small.onnx -q
left small.onnx 3 Elu Add Tanh

# What verify finds: a compiler that gets Elu wrong.
"$PYTHON" make.py 6 net.onnx external
cat >cc <<'END'
#!/bin/sh
for a; do
  case $a in
  */net0.c) sed -i 's/0\.25f \* o2c_expm1f/0.75f * o2c_expm1f/' "$a" ;;
  esac
done
exec gcc "$@"
END
chmod +x cc
expect 0 "$ONNX2C" reduce net.onnx -o small.onnx \
  --fails "'$ONNX2C' verify --cflags=-O0 --cc ./cc {}"
says "24 nodes, the command ends with 4"
left small.onnx 3 Elu
expect 4 "$ONNX2C" verify --cflags=-O0 --cc ./cc small.onnx
expect 0 "$ONNX2C" verify --cflags=-O0 --cc gcc small.onnx

# An If keeps its branches, and constants stay constants.
"$PYTHON" make.py branches net.onnx
cat >fault <<END
#!/bin/sh
"$ONNX2C" "\$1" -o fault.c || exit 9
! grep -q 'Cosh-9' fault.c
END
expect 0 "$ONNX2C" reduce net.onnx --fails './fault {}' -o small.onnx
left small.onnx 1 If
cat >fault <<END
#!/bin/sh
"$ONNX2C" check "\$1" --dump-after import >graph 2>&1 || exit 9
! grep -q "Reshape-25" graph
END
expect 0 "$ONNX2C" reduce net.onnx --fails './fault {}' -o small.onnx
left small.onnx 1 Reshape

# What it refuses.
expect 1 "$ONNX2C" reduce net.onnx --fails 'true {}' -o x.onnx
says "it must fail there"
expect 1 "$ONNX2C" reduce net.onnx --fails true -o x.onnx
says "where {} becomes the file"
expect 1 "$ONNX2C" reduce net.onnx -o x.onnx
expect 1 "$ONNX2C" reduce nosuch.onnx --fails 'false {}' -o x.onnx
echo garbage >bad.onnx
expect 2 "$ONNX2C" reduce bad.onnx --fails 'false {}' -o x.onnx
[ ! -e x.onnx ] || fail "a file without a result"
