#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small models through `onnx2c edit to-opset`; part of edit_opset.sh.

    edit_opset.py ONNX2C FOLDER

A row of GOOD is a graph in ONNX's text, its operator set, the one to go to, and
the operators that come out (None: any); constants; and what it computes, where
onnx's reference evaluator doesn't know the old version. The result must pass
the checker, and give these answers there. A row of BAD is refused, with these
words.
"""
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser
from onnx.reference import ReferenceEvaluator

ONE = "(float[2,3,4] x) => (float[2,3,4] y)"
FUNCTION = """<ir_version: 9, opset_import: ["" : 12, "my" : 1]>
g (float[2,3,4] x) => (float[2,4] y) { y = my.first(x) }
<domain: "my", opset_import: ["" : 12]> first (x) => (y)
{ s, t, u = Split<axis=1>(x) y = Squeeze<axes=[1]>(s) }"""
GOOD = [
    # Attributes and inputs.
    (f"{ONE} {{ s = Squeeze<axes=[0]>(a) y = Add(x, s) }}", 11, 13,
     "Constant Squeeze Add", {"a": np.ones((1, 4), "f4")}),
    ("(float[2,3,4] x) => (float[2,1,4] y) {"
     " y = ReduceMean<axes=[-2]>(x) }", 13, 18, "Constant ReduceMean"),
    ("(float[2,3,4] x) => (float[2,1,4] y) {"
     " a = Constant<value_ints=[1]>() y = ReduceMean(x, a) }", 18, 9,
     "Constant ReduceMean"),
    (f"{ONE} {{ y = Clip<min=-0.5, max=0.25>(x) }}", 6, 28,
     "Constant Constant Clip"),
    (f"{ONE} {{ lo = Constant<value_float=-0.5>() y = Clip(x, lo) }}", 13, 8,
     "Constant Clip"),
    ("(float[2,3,4] x) => (float[2,3,2] y) {"
     " y = Slice<axes=[2], starts=[-2], ends=[99]>(x) }", 9, 13, None),
    ("(float[2,3,4] x) => (float[2,3,6] y) {"
     " y = Pad<pads=[0,0,1,0,0,1], value=2.0>(x) }", 10, 21, None),
    ("(float[2,3,4] x) => (float[2,3,2] y, float[2,3,2] z) {"
     " y, z = Split<axis=2>(x) }", 11, 18, "Split"),
    ("(float[2,3,4] x) => (float[2,2,4] y, float[2,1,4] z) {"
     " y, z = Split<axis=1, num_outputs=2>(x) }", 18, 11, None),
    (f"{ONE} {{ y = Dropout<ratio=0.25>(x) }}", 10, 13, "Constant Dropout"),
    # Broadcasting by axis.
    (f"{ONE} {{ y = Add<broadcast=1, axis=1>(x, a) }}", 6, 17,
     "Constant Unsqueeze Add", {"a": np.arange(3, dtype="f4")},
     lambda x: x + np.arange(3, dtype="f4")[:, None]),
    # Another meaning.
    (f"{ONE} {{ y = Softmax(x) }}", 11, 13, "Shape Flatten Softmax Reshape",
     None, lambda x: np.exp(x) / np.exp(x).sum((1, 2), keepdims=True)),
    (f"{ONE} {{ y = Softmax<axis=1>(x) }}", 13, 12,
     "Transpose Softmax Transpose"),
    ("(float[1,1,2,2] x) => (float[1,1,4,4] y) { y = Upsample"
     "<mode=\"nearest\", scales=[1.0,1.0,2.0,2.0]>(x) }", 7, 13, None, None,
     lambda x: x.repeat(2, 2).repeat(2, 3)),
    # New operators.
    (f"{ONE} {{ y = HardSwish(x) }}", 14, 13, "HardSigmoid Mul"),
    (f"{ONE} {{ y = Gelu<approximate=\"tanh\">(x) }}", 20, 13, None),
    (f"{ONE} {{ y = LayerNormalization<axis=1>(x, w) }}", 17, 13, None,
     {"w": np.linspace(0, 1, 12, dtype="f4").reshape(3, 4)}),
    ("(float[2,4,3] x) => (float[2,4,3] y) {"
     " y = GroupNormalization<num_groups=2>(x, w, w) }", 21, 17, None,
     {"w": np.linspace(0, 1, 4, dtype="f4")}),
    ("(float[2,4,3,8] q, float[2,2,5,8] k, float[2,2,5,8] v) =>"
     " (float[2,4,3,8] y) { y = Attention<is_causal=1>(q, k, v) }", 23, 17,
     None),
    ("(float[2,3,8] q, float[2,5,8] k, float[2,5,8] v, bool[3,5] m) =>"
     " (float[2,3,8] y) { y = Attention<q_num_heads=2, kv_num_heads=2>"
     "(q, k, v, m) }", 23, 13, None),
    (f"{ONE} {{ k = Constant<value_int=1>() y = Trilu<upper=0>(x, k) }}", 14,
     13, None),
    # Types: int8 is new for Max in version 12.
    ("(int8[4] x) => (int8[4] y) { y = Max(x, x) }", 12, 8, None),
    # Bodies.
    ("(float[2,3,4] x) => (float[2,3,4] y) { c = Constant<value = bool {1}>()"
     " y = If<then_branch = t () => (float[2,3,4] u) { u = Mish(x) },"
     " else_branch = e () => (float[2,3,4] v) { v = Neg(x) }>(c) }", 18, 17,
     "Constant If"),
    (FUNCTION, 12, 18, "first"),
]
BAD = [
    (f"{ONE} {{ y = Einsum<equation=\"abc->abc\">(x) }}", 12, 11,
     "node 0 'n0' (Einsum-12) can't be converted to version 11: the operator "
     "came with version 12"),
    ("(float[2,3,4] x, int64[1] a) => (float y) { y = ReduceMean(x, a) }", 18,
     13, "but the run computes input 1"),
    ("(float[1,1,8,8] x) => (float[1,1,6,6] y) { y = AveragePool"
     "<kernel_shape=[2,2], dilations=[2,2]>(x) }", 19, 18,
     "attribute dilations is new in version 19"),
    ("(int64[4] x) => (int64[4] y) { y = Relu(x) }", 14, 13,
     "does not take input 0 of type int64, and no Cast would keep its results"),
    ("(float16[2] x) => (float[2] y) { y = QuickGelu(x) }", 14, 13,
     "the operator is not known"),
]


def model_of(text, opset, constants):
    if text == FUNCTION:
        return parser.parse_model(text)
    graph = parser.parse_graph("g " + text)
    for name, v in (constants or {}).items():
        graph.initializer.append(numpy_helper.from_array(v, name))
    for i, n in enumerate(graph.node):
        n.name = f"n{i}"
    return helper.make_model(graph, ir_version=8,
                             opset_imports=[helper.make_opsetid("", opset)])


def feeds_of(model):
    rng, feeds = np.random.default_rng(1), {}
    for x in model.graph.input:
        t = x.type.tensor_type
        shape = [d.dim_value for d in t.shape.dim]
        v = rng.standard_normal(shape) * 2
        if t.elem_type == onnx.TensorProto.BOOL:
            v = v > -2
        feeds[x.name] = v.astype(helper.tensor_dtype_to_np_dtype(t.elem_type))
    return feeds


def edit(onnx2c, folder, model, to):
    onnx.save(model, folder / "in.onnx")
    return subprocess.run([onnx2c, "edit", folder / "in.onnx", "-o",
                           folder / "out.onnx", f"to-opset={to}"],
                          capture_output=True, text=True, check=False)


def good(onnx2c, folder, text, opset, to, want, constants=None, answer=None):
    model = model_of(text, opset, constants)
    done = edit(onnx2c, folder, model, to)
    if done.returncode:
        return done.stderr
    new = onnx.load(folder / "out.onnx")
    onnx.checker.check_model(new, full_check=True)
    if new.opset_import[0].version != to:
        return f"opset {new.opset_import[0].version}"
    got = " ".join(n.op_type for n in new.graph.node)
    if want and got != want:
        return f"has the nodes {got}"
    feeds = feeds_of(model)
    wanted = [answer(*feeds.values())] if answer else \
        ReferenceEvaluator(model).run(None, feeds)
    for x, y in zip(wanted, ReferenceEvaluator(new).run(None, feeds)):
        if x.shape != y.shape or not np.allclose(x, y, rtol=1e-5, atol=1e-6):
            return f"gives {y}, not {x}"
    return None


def bad(onnx2c, folder, text, opset, to, want):
    done = edit(onnx2c, folder, model_of(text, opset, None), to)
    if done.returncode != 3:
        return f"exit code {done.returncode}: {done.stderr}"
    return None if want in done.stderr else done.stderr


def main():
    onnx2c, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    wrong = 0
    for row in GOOD:
        why = good(onnx2c, folder, *row)
        if why:
            wrong += 1
            print(f"{row[0]}\n  {row[1]} to {row[2]}: {why}")
    for row in BAD:
        why = bad(onnx2c, folder, *row)
        if why:
            wrong += 1
            print(f"{row[0]}\n  {row[1]} to {row[2]}, refused: {why}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
