# SPDX-License-Identifier: Apache-2.0
"""The structural steps of `onnx2c edit` on small models made here.

    edit_core.py ONNX2C FOLDER

Each result passes ONNX's checker, and onnxruntime gives what is expected of
it. Errors are looked at by their code and text.
"""
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
from google.protobuf import json_format
from onnx import TensorProto, helper, numpy_helper

ONNX2C, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
FLOAT = TensorProto.FLOAT
X = np.array([[-1, 2, -3, 4], [0.5, -0.25, 8, -9]], np.float32)


def edit(model, *steps, code=0, out="out.onnx", says=""):
    """Applies the steps; the result, checked, or the text of the errors."""
    path = WORK / "in.onnx"
    if isinstance(model, onnx.ModelProto):
        onnx.save(model, path)
    else:
        path = model
    run = subprocess.run([ONNX2C, "edit", path, "-o", WORK / out, *steps],
                         capture_output=True, text=True)
    text = run.stdout + run.stderr
    assert run.returncode == code, (steps, run.returncode, text)
    assert says in text, (steps, says, text)
    if code:
        return text
    onnx.checker.check_model(str(WORK / out), full_check=True)
    return onnx.load(WORK / out)


def run(path="out.onnx", **feeds):
    options = ort.SessionOptions()
    options.graph_optimization_level = \
        ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(WORK / path, options,
                                   providers=["CPUExecutionProvider"])
    return session.run(None, feeds or {"x": X})


def same(got, *want):
    assert len(got) == len(want)
    for g, w in zip(got, want):
        np.testing.assert_allclose(g, w, rtol=1e-6)


def info(name, dims=("N", 4)):
    return helper.make_tensor_value_info(name, FLOAT, dims)


def model(nodes, inits=(), inputs=("x",), outputs=("y",), **more):
    graph = helper.make_graph(
        nodes, "g", [info(i) for i in inputs], [info(o) for o in outputs],
        [numpy_helper.from_array(v, k) for k, v in dict(inits).items()])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
        producer_name="test", **more)


W = np.array([1, 2, 3, 4], np.float32)
NODES = [helper.make_node("Mul", ["x", "w"], ["a"], "mul", doc_string="twice"),
         helper.make_node("Relu", ["a"], ["b"], "relu"),
         helper.make_node("Add", ["b", "w2"], ["c"], "add"),
         helper.make_node("Abs", ["c"], ["y"], "abs")]
M = model(NODES, {"w": W, "w2": W * 2})


def ops(m):
    return [n.op_type for n in m.graph.node]


def test_rename():
    m = edit(M, "rename", "x=input", "b=c", "c=b", "rename-node", "*=n_*")
    assert m.graph.input[0].name == "input"
    assert [n.name for n in m.graph.node] == ["n_mul", "n_relu", "n_add",
                                              "n_abs"]
    assert m.graph.node[2].input[0] == "c" and m.graph.node[2].output[0] == "b"
    same(run(input=X), np.abs(np.maximum(X * W, 0) + 2 * W))
    m = edit(M, "rename=w*=weight*")
    assert {i.name for i in m.graph.initializer} == {"weight", "weight2"}
    same(run(), np.abs(np.maximum(X * W, 0) + 2 * W))
    edit(M, "rename", "a=c", code=1, says="'a' can't become 'c'")
    edit(M, "rename", "ww=c", code=1, says="near names: 'w', 'w2'")
    edit(M, "rename", "a=q", "b=q", code=1, says="both")
    edit(M, "renam", "a=q", code=1, says="near names: 'rename'")


def body_model():
    """An If whose branches read outer names, and make names of their own."""
    then = helper.make_graph(
        [helper.make_node("Mul", ["a", "w"], ["t"]),
         helper.make_node("Identity", ["t"], ["t2"])], "then", [],
        [info("t2")])
    other = helper.make_graph([helper.make_node("Neg", ["a"], ["e"])], "else",
                              [], [info("e")])
    nodes = [helper.make_node("Relu", ["x"], ["a"], "relu"),
             helper.make_node("ReduceSum", ["a"], ["s"], "sum", keepdims=0),
             helper.make_node("Greater", ["s", "zero"], ["cond"], "gt"),
             helper.make_node("If", ["cond"], ["y"], "if", then_branch=then,
                              else_branch=other)]
    return model(nodes, {"w": W, "zero": np.array(0, np.float32)})


def branch(m):
    return next(a.g for n in m.graph.node for a in n.attribute
                if a.name == "then_branch")


def test_bodies():
    want = np.maximum(X, 0) * W
    m = edit(body_model(), "rename", "a=q", "t=inner")
    then = branch(m)
    assert then.node[0].input[0] == "q" and then.node[0].output[0] == "inner"
    same(run(), want)
    m = edit(body_model(), "rename=*=p/*")
    assert branch(m).node[0].input[0] == "p/a"
    same(run(**{"p/x": X}), want)
    m = edit(body_model(), "cleanup")
    assert len(branch(m).node) == 1
    same(run(), want)
    edit(body_model(), "delete", "relu", code=1, says="'a'")
    m = edit(body_model(), "insert", "Abs", "after", "a", "name-nodes")
    assert all(n.name for n in branch(m).node)
    same(run(), want)
    shuffled = body_model()
    nodes = list(shuffled.graph.node)[::-1]
    del shuffled.graph.node[:]
    shuffled.graph.node.extend(nodes)
    m = edit(shuffled, "toposort")
    assert ops(m) == ["Relu", "ReduceSum", "Greater", "If"]
    same(run(), want)


def test_nodes():
    full = np.abs(np.maximum(X * W, 0) + 2 * W)
    m = edit(M, "bypass", "relu")
    assert ops(m) == ["Mul", "Add", "Abs"]
    same(run(), np.abs(X * W + 2 * W))
    edit(M, "bypass", "abs")
    same(run(), np.maximum(X * W, 0) + 2 * W)
    m = edit(M, "bypass", "mul", "relu", "add", "abs")
    assert ops(m) == ["Identity"]
    same(run(), X)
    m = edit(M, "add-output", "a", "remove-output", "y", "delete", "abs",
             "add", "relu", "cleanup")
    assert ops(m) == ["Mul"] and len(m.graph.initializer) == 1
    same(run(), X * W)
    edit(M, "delete", "relu", code=1, says="bypass it")
    edit(M, "delete", "rely", code=1, says="near names: 'relu'")
    m = edit(M, "insert", "Neg", "after", "a", "insert", "LeakyRelu", "before",
             "c", "alpha=0.5", "@name=leaky")
    assert m.graph.node[4].name == "leaky"
    leaky = np.maximum(-X * W, 0) + 2 * W
    same(run(), np.abs(np.where(leaky < 0, leaky * 0.5, leaky)))
    edit(M, "insert", "Neg", "after", "y")
    same(run(), -full)
    edit(M, "insert", "Neg", "after", "x")
    same(run(), np.abs(np.maximum(-X * W, 0) + 2 * W))
    edit(M, "insert Sub after a @in=w2")
    same(run(), np.abs(np.maximum(X * W - 2 * W, 0) + 2 * W))
    edit(M, "insert", "Neg", "before", "x", code=1, says="after")
    m = edit(M, "replace", "relu..add=Neg")
    assert ops(m) == ["Mul", "Neg", "Abs"]
    same(run(), np.abs(X * W))
    m = edit(M, "replace", "relu=LeakyRelu", "alpha=0.25", "@name=l")
    same(run(), np.abs(np.where(X < 0, X * W / 4, X * W) + 2 * W))
    m = edit(M, "replace", "x:c=Neg", "cleanup")
    assert ops(m) == ["Neg", "Abs"] and not m.graph.initializer
    same(run(), np.abs(X))
    edit(M, "add-node", "Add", "a,c:d", "@name=more", "add-output", "d")
    same(run(), full, X * W + np.maximum(X * W, 0) + 2 * W)


def test_extract():
    m = edit(M, "extract", "a:c")
    assert ops(m) == ["Relu", "Add"] and len(m.graph.initializer) == 1
    assert m.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    same(run(a=X), np.maximum(X, 0) + 2 * W)
    edit(M, "extract", "b,w2:c")
    same(run(b=X, w2=W), X + W)
    edit(M, "extract", "b:y,a", code=1, says="'x'")
    edit(M, "extract", "y:a", code=1)
    named = edit(M, "rename", "a=a:0", "c=c:0")
    onnx.save(named, WORK / "named.onnx")
    edit(WORK / "named.onnx", "extract", "a:0:c:0")
    same(run(**{"a:0": X}), np.maximum(X, 0) + 2 * W)


def test_ports():
    m = edit(M, "add-input", "b", "cleanup")
    assert [i.name for i in m.graph.input] == ["x", "b"]
    m = edit(M, "add-input", "b", "cleanup", "remove-input", "x")
    assert [i.name for i in m.graph.input] == ["b"]
    same(run(b=X), np.abs(X + 2 * W))
    edit(M, "add-input", "w=float[4]")
    same(run(x=X, w=W * 3), np.abs(np.maximum(X * W * 3, 0) + 2 * W))
    edit(M, "remove-input", "x", code=1, says="add-initializer")
    edit(M, "add-initializer", "x=float[2,4]:1")
    same(WORK and run_none(), np.abs(np.maximum(W * np.ones_like(X), 0) +
                                     2 * W))
    edit(M, "remove-output", "z", code=1, says="no output 'z'")


def run_none():
    session = ort.InferenceSession(WORK / "out.onnx",
                                   providers=["CPUExecutionProvider"])
    return session.run(None, {})


def test_values():
    np.save(WORK / "w.npy", W * 5)
    edit(M, "set-initializer", f"w={WORK}/w.npy")
    same(run(), np.abs(np.maximum(X * W * 5, 0) + 2 * W))
    np.save(WORK / "f.npy", np.asfortranarray(np.outer(W[:2], W)))
    edit(M, "set-initializer", f"w2={WORK}/f.npy", says="shape")
    same(run(), np.abs(np.maximum(X * W, 0) + np.outer(W[:2], W)))
    (WORK / "w.pb").write_bytes(
        numpy_helper.from_array(W * 7, "other").SerializeToString())
    edit(M, "set-initializer", f"w={WORK}/w.pb")
    same(run(), np.abs(np.maximum(X * W * 7, 0) + 2 * W))
    edit(M, "set-initializer", "w=float[4]:9,8,7,6")
    same(run(), np.abs(np.maximum(X * [9, 8, 7, 6], 0) + 2 * W))
    edit(M, "set-initializer", "w=float[4]:9,8,7", code=1, says="4 values")
    edit(M, "set-initializer", "w=no.npy", code=1, says="no.npy")
    flag = model([helper.make_node("Where", ["f", "x", "w"], ["y"], "pick")],
                 {"w": W, "f": np.array([True] * 4)})
    edit(flag, "set-initializer", "f=bool[4]:true,false,1,0")
    same(run(), np.where([True, False, True, False], X, W))


def test_attributes():
    m = edit(M, "set-op", "relu=LeakyRelu", "set-attr", "relu.alpha=0.5")
    assert m.graph.node[1].attribute[0].type == onnx.AttributeProto.FLOAT
    same(run(), np.abs(np.where(X < 0, X * W / 2, X * W) + 2 * W))
    edit(M, "set-op", "relu=LeakyRelu", "set-attr", "relu.alpha=0.5",
         "delete-attr", "relu.alpha")
    same(run(), np.abs(np.where(X < 0, X * W * 0.01, X * W) + 2 * W))
    edit(M, "delete-attr", "relu.alpha", code=1, says="no attribute")
    edit(M, "set-op", "relu=Elu", "set-attr", "relu.alpha=x", code=1,
         says="a number")
    path = WORK / "in.onnx"
    subprocess.run([ONNX2C, "edit", path, "-o", WORK / "c.onnx", "set-op",
                    "relu=com.acme.Gelu", "set-attr", "relu.k=1,2",
                    "relu.s=abc", "relu.f=0.5,1", "relu.i=3"], check=True)
    m = onnx.load(WORK / "c.onnx")
    assert m.opset_import[1].domain == "com.acme"
    got = {a.name: helper.get_attribute_value(a)
           for a in m.graph.node[1].attribute}
    assert got == {"k": [1, 2], "s": b"abc", "f": [0.5, 1.0], "i": 3}, got


def test_model():
    m = edit(M, "metadata", "k=v", "l=w=x", "rename-model", "net", "set-model",
             "producer_name=me", "model_version=7", "doc_string=d",
             "import-opset", "com.acme=3", "strip-doc")
    assert m.graph.name == "net" and m.producer_name == "me"
    assert {p.key: p.value for p in m.metadata_props} == {"k": "v",
                                                          "l": "w=x"}
    assert m.model_version == 7 and not m.doc_string
    assert not m.graph.node[0].doc_string
    assert m.opset_import[1].version == 3
    edit(M, "import-opset", "ai.onnx=18", code=1, says="to-opset")
    edit(M, "set-model", "procer_name=a", code=1, says="near")


def test_cleanup():
    nodes = [helper.make_node("Identity", ["x"], ["i"], "id"),
             helper.make_node("Identity", ["i"], ["i2"], "id2"),
             helper.make_node("Mul", ["i2", "w"], ["a"], "mul"),
             helper.make_node("Add", ["a", "v"], ["b"], "add"),
             helper.make_node("Neg", ["a"], ["dead"], "neg"),
             helper.make_node("Abs", ["dead"], ["dead2"], "abs"),
             helper.make_node("Identity", ["b"], ["y"], "id3")]
    m = edit(model(nodes, {"w": W, "v": W.copy(), "unused": W * 3}), "cleanup")
    assert ops(m) == ["Mul", "Add"]
    assert [i.name for i in m.graph.initializer] == ["w"]
    same(run(), X * W + W)


def test_json():
    onnx.save(M, WORK / "in.onnx")
    text = subprocess.run([ONNX2C, "edit", WORK / "in.onnx", "json"],
                          check=True, capture_output=True, text=True).stdout
    json.loads(text)
    assert json_format.Parse(text, onnx.ModelProto()) == M


def test_dry_run():
    run = subprocess.run(
        [ONNX2C, "edit", WORK / "in.onnx", "--dry-run", "bypass", "relu",
         "add-output", "a", "rename", "w=v"], check=True, capture_output=True,
        text=True)
    for line in ("- node 'relu': Relu (a) -> (b)", "+ output 'a': ",
                 "+ initializer 'v': float [4]", "- initializer 'w'",
                 "~ node 'add': Add (b, w2) -> (c) => Add (a, w2) -> (c)",
                 "2 added, 2 removed, 2 changed"):
        assert line in run.stdout, (line, run.stdout)


def test_script():
    (WORK / "steps.txt").write_text(
        "# a comment\n\nrename 'x=in put'\n  insert Neg after a # no comment\n")
    edit(M, "--script", WORK / "steps.txt", code=1, says="line 4")
    (WORK / "steps.txt").write_text(
        "# a comment\n\nrename 'x=in put'\n  insert Neg after a\n")
    edit(M, "--script", WORK / "steps.txt", "rename", "y=z")
    same(run(**{"in put": X}), np.abs(np.maximum(-X * W, 0) + 2 * W))


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name)


main()
