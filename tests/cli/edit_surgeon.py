#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ONNX GraphSurgeon's examples do, by `onnx2c edit`: one function for each
row of the table in compiler/edit/README.md, called as the row.

    edit_surgeon.py ONNX2C FOLDER
"""
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ONNX2C = sys.argv[1]
os.chdir(sys.argv[2])
node = helper.make_node
RNG = np.random.default_rng(5)


def edit(model, *steps, out="out.onnx"):
    """The result as a model, checked; steps are words."""
    p = subprocess.run([ONNX2C, "edit", model, "-o", out, *steps],
                       capture_output=True, text=True)
    assert p.returncode == 0, (steps, p.stderr)
    m = onnx.load(out)
    onnx.checker.check_model(m, full_check=True)
    return m


def run(m, **feeds):
    s = ort.InferenceSession(m.SerializeToString(),
                             providers=["CPUExecutionProvider"])
    return s.run(None, feeds)


def ops(m):
    return [n.op_type for n in m.graph.node]


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save(nodes, inputs, outputs, weights=(), path="in.onnx", domains=()):
    tensors = [numpy_helper.from_array(v, k) for k, v in dict(weights).items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    sets = [helper.make_opsetid("", 17)]
    sets += [helper.make_opsetid(d, 1) for d in domains]
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=sets), path)
    return path


def draw(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def creating_a_model():
    m = edit("new:17", "add-input", "X=float[1,3,5,5]",
             "add-node", "GlobalLpPool", "X:Y", "p=2",
             "add-output", "Y=float[1,3,1,1]")
    x = draw(1, 3, 5, 5)
    want = np.sqrt((x ** 2).sum((2, 3), keepdims=True))
    np.testing.assert_allclose(run(m, X=x)[0], want, 1e-5)


def creating_a_model_with_initializer():
    w = draw(5, 3, 3, 3)
    np.save("w.npy", w)
    m = edit("new:17", "add-input", "X=float[1,3,8,8]", "add-initializer",
             "W=w.npy", "add-node", "Conv", "X,W:Y", "add-output",
             "Y=float[1,5,6,6]")
    assert np.array_equal(numpy_helper.to_array(m.graph.initializer[0]), w)
    assert run(m, X=draw(1, 3, 8, 8))[0].shape == (1, 5, 6, 6)


def big():
    """y = relu((x0 * a + b) + x2), of GraphSurgeon's third and fourth."""
    return save([node("Identity", ["x0"], ["x1"], "id"),
                 node("Mul", ["x1", "a"], ["mul_out"], "mul"),
                 node("Add", ["mul_out", "b"], ["add_out"], "add"),
                 node("Sub", ["add_out", "x2"], ["y"], "sub")],
                [value("x0", [1, 3, 4]), value("x2", [1, 3, 4])],
                [value("y", [1, 3, 4])], {"a": draw(4), "b": draw(4)})


def isolating_a_subgraph():
    m = edit(big(), "extract", "x1:add_out")
    assert ops(m) == ["Mul", "Add"], ops(m)
    assert [i.name for i in m.graph.input] == ["x1"]
    x = draw(1, 3, 4)
    a, b = [numpy_helper.to_array(t) for t in m.graph.initializer]
    np.testing.assert_allclose(run(m, x1=x)[0], x * a + b, 1e-5, 1e-6)


def modifying_a_model():
    m = edit(big(), "replace", "add..add=LeakyRelu", "alpha=0.02",
             "insert", "Identity", "after", "y", "@name=last",
             "cleanup", "toposort")
    assert "Add" not in ops(m) and "LeakyRelu" in ops(m), ops(m)
    assert [t.name for t in m.graph.initializer] == ["a"]


def folding_constants():
    one = np.ones((1, 3), np.float32)
    path = save([node("Add", ["a", "b"], ["c"]),
                 node("Add", ["c", "d"], ["e"]),
                 node("Add", ["x", "e"], ["y"])], [value("x", [1, 3])],
                [value("y", [1, 3])], {"a": one, "b": one, "d": one})
    m = edit(path, "fold", "cleanup")
    assert ops(m) == ["Add"] and len(m.graph.initializer) == 1
    x = draw(1, 3)
    np.testing.assert_allclose(run(m, x=x)[0], x + 3, 1e-6)


def removing_nodes():
    path = save([node("Identity", ["x"], ["a"]),
                 node("FakeNodeToRemove", ["a"], ["b"], "fake", domain="my"),
                 node("Identity", ["b"], ["y"])], [value("x", [2])],
                [value("y", [2])], domains=["my"])
    m = edit(path, "bypass", "fake")
    assert ops(m) == ["Identity", "Identity"]
    x = draw(2)
    assert np.array_equal(run(m, x=x)[0], x)


def creating_a_model_with_the_layer_api():
    """A script is what functions around `layer` are there: steps to repeat."""
    for name in "ACD":
        np.save(name + ".npy", draw(4, 4))
    with open("layers.txt", "w") as f:
        f.write("add-input X=float[4,4]\n"
                "add-initializer A=A.npy C=C.npy D=D.npy B=float[1]:0.5\n"
                "# relu(A X^T + B) * C + D\n"
                "add-node Gemm A,X:axt transB=1\n"
                "add-node Add axt,B:sum\nadd-node Relu sum:dense\n"
                "add-node Mul dense,C:scaled\nadd-node Add scaled,D:out\n"
                "add-output out=float[4,4]\n")
    m = edit("new:11", "--script", "layers.txt")
    a, c, d = (np.load(n + ".npy") for n in "ACD")
    x = draw(4, 4)
    want = np.maximum(a @ x.T + 0.5, 0) * c + d
    np.testing.assert_allclose(run(m, X=x)[0], want, 1e-4, 1e-5)


def replacing_a_subgraph():
    path = save([node("Identity", ["x"], ["i"]),
                 node("Min", ["i", "hi"], ["m"]),
                 node("Max", ["m", "lo"], ["k"]),
                 node("Identity", ["k"], ["y"])],
                [value("x", [5])], [value("y", [5])],
                {"hi": np.float32(0.5), "lo": np.float32(-0.5)})
    m = edit(path, "replace", "i,lo,hi:k=Clip", "cleanup")
    assert "Clip" in ops(m) and "Min" not in ops(m) and "Max" not in ops(m)
    x = draw(5)
    assert np.array_equal(run(m, x=x)[0], np.clip(x, -0.5, 0.5))


def shape_operations_with_the_layer_api():
    m = edit("new:17", "add-input", "data=float[N,3,L,5]",
             "add-initializer", "nc=int64[2]:0,1", "hw=int64[2]:2,3",
             "add-node", "Shape", "data:shape",
             "add-node", "ReduceProd", "shape:volume", "axes=0,", "keepdims=1",
             "add-node", "Reshape", "data,volume:flattened",
             "add-node", "Gather", "shape,nc:first",
             "add-node", "Gather", "shape,hw:last",
             "add-node", "ReduceProd", "last:area", "axes=0,", "keepdims=1",
             "add-node", "Concat", "first,area:to", "axis=0",
             "add-node", "Reshape", "data,to:partially_flattened",
             "add-output", "flattened=float[F]",
             "partially_flattened=float[N,3,A]", "infer")
    x = draw(2, 3, 4, 5)
    flat, part = run(m, data=x)
    assert np.array_equal(flat, x.reshape(-1))
    assert np.array_equal(part, x.reshape(2, 3, 20))


def dynamic_batch_size():
    path = save([node("Reshape", ["x", "to"], ["r"]),
                 node("Relu", ["r"], ["y"])], [value("x", [1, 3, 4])],
                [value("y", [1, 12])], {"to": np.array([1, 12], np.int64)})
    m = edit(path, "set-initializer", "to=int64[2]:-1,12", "set-dim", "x:0=N")
    assert m.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    x = draw(7, 3, 4)
    want = np.maximum(x, 0).reshape(7, 12)
    assert np.array_equal(run(m, x=x)[0], want)
    m = edit(path, "set-batch=N")
    assert np.array_equal(run(m, x=x)[0], want)


def attention(path, e=4):
    """SelfAttention as a model of its own."""
    for name in ("Wq", "Wk", "Wv"):
        np.save(name + ".npy", draw(e, e))
    return edit("new:18", "add-input", f"input=float[B,S,{e}]",
                "add-initializer", "Wq=Wq.npy", "Wk=Wk.npy", "Wv=Wv.npy",
                "root=float:2.0",
                "add-node", "MatMul", "input,Wq:q",
                "add-node", "MatMul", "input,Wk:k",
                "add-node", "MatMul", "input,Wv:v",
                "add-node", "Transpose", "k:kt", "perm=0,2,1",
                "add-node", "MatMul", "q,kt:qk",
                "add-node", "Div", "qk,root:scaled",
                "add-node", "Softmax", "scaled:p",
                "add-node", "MatMul", "p,v:out",
                "add-output", f"out=float[B,S,{e}]", out=path)


def creating_a_local_function():
    one = attention("attention.onnx")
    m = edit("new:18", "add-input", "x=float[B,S,4]",
             "register", "my.SelfAttention=attention.onnx",
             "add-node", "my.SelfAttention", "x:a",
             "add-node", "Add", "x,a:b",
             "add-node", "my.SelfAttention", "b:c",
             "add-node", "Add", "b,c:y", "add-output", "y=float[B,S,4]")
    assert [f.name for f in m.functions] == ["SelfAttention"]
    x = draw(2, 3, 4)
    b = x + run(one, input=x)[0]
    want = b + run(one, input=b)[0]
    np.testing.assert_allclose(run(m, x=x)[0], want, 1e-4, 1e-5)
    flat = edit("out.onnx", "inline-functions", out="flat.onnx")
    assert not flat.functions and "SelfAttention" not in ops(flat)
    np.testing.assert_allclose(run(flat, x=x)[0], want, 1e-4, 1e-5)


def nested_functions():
    """A function that calls another one."""
    attention("attention.onnx")
    edit("new:18", "add-input", "v=float[B,S,4]",
         "register", "my.SelfAttention=attention.onnx",
         "add-node", "my.SelfAttention", "v:a", "add-node", "Relu", "a:r",
         "add-output", "r=float[B,S,4]", out="block.onnx")
    m = edit("new:18", "add-input", "x=float[B,S,4]", "register",
             "my.Block=block.onnx", "add-node", "my.Block", "x:y",
             "add-output", "y=float[B,S,4]")
    assert sorted(f.name for f in m.functions) == ["Block", "SelfAttention"]
    x = draw(1, 3, 4)
    flat = edit("out.onnx", "inline-functions", out="flat.onnx")
    np.testing.assert_allclose(run(flat, x=x)[0], run(m, x=x)[0], 1e-5, 1e-6)


def using_numpy_unsupported_dtypes():
    for kind in ("BFLOAT16", "FLOAT8E4M3FN"):
        t = helper.make_tensor("W", getattr(TensorProto, kind), [2, 3],
                               [0.5, 1, -2, 3, 0.25, 4])
        with open("w.pb", "wb") as f:
            f.write(t.SerializeToString())
        word = kind.lower()
        m = edit("new:19", "add-initializer", "W=w.pb", "add-input",
                 "x=float[2,3]", "add-node", "Cast", "W:w", "to=1",
                 "add-node", "Add", "x,w:y", "add-output", "y=float[2,3]")
        assert m.graph.initializer[0].data_type == t.data_type
        x = draw(2, 3)
        want = x + np.array([[0.5, 1, -2], [3, 0.25, 4]], np.float32)
        np.testing.assert_allclose(run(m, x=x)[0], want, 1e-6)
        m = edit("new:19", "add-input", f"x={word}[2,3]", "add-node", "Cast",
                 "x:y", "to=1", "add-output", "y=float[2,3]")
        assert m.graph.input[0].type.tensor_type.elem_type == t.data_type


def custom_op():
    path = save([node("Relu", ["x"], ["h"], "act"), node("Neg", ["h"], ["y"])],
                [value("x", [3])], [value("y", [3])])
    m = edit(path, "import-opset", "my.ops=2", "replace",
             "act..act=my.ops.Shrink", "limit=0.25")
    n = m.graph.node[0]
    assert (n.op_type, n.domain) == ("Shrink", "my.ops")
    assert n.attribute[0].f == 0.25
    assert {o.domain: o.version for o in m.opset_import}["my.ops"] == 2


def bool_initializer():
    m = edit("new:17", "add-input", "x=float[2]", "z=float[2]",
             "add-initializer", "flag=bool[2]:1,0",
             "add-node", "Where", "flag,x,z:y", "add-output", "y=float[2]")
    assert m.graph.initializer[0].data_type == TensorProto.BOOL
    x, z = draw(2), draw(2)
    assert np.array_equal(run(m, x=x, z=z)[0], [x[0], z[1]])


def multiple_outputs():
    m = edit("new:17", "add-input", "x=float[4,3]", "add-node", "Split",
             "x:a,b", "axis=0", "add-node", "Neg", "b:c", "add-output",
             "a=float[2,3]", "b=float[2,3]", "c=float[2,3]")
    x = draw(4, 3)
    a, b, c = run(m, x=x)
    assert np.array_equal(np.concatenate([a, b]), x) and np.array_equal(c, -b)
    m = edit("out.onnx", "remove-output", "b", out="less.onnx")
    assert [o.name for o in m.graph.output] == ["a", "c"]


bad = 0
for f in (creating_a_model, creating_a_model_with_initializer,
          isolating_a_subgraph, modifying_a_model, folding_constants,
          removing_nodes, creating_a_model_with_the_layer_api,
          replacing_a_subgraph, shape_operations_with_the_layer_api,
          dynamic_batch_size, creating_a_local_function,
          using_numpy_unsupported_dtypes, nested_functions, custom_op,
          bool_initializer, multiple_outputs):
    try:
        f()
    except Exception as problem: # of any kind: the others are tried as well
        print(f"FAILED: {f.__name__}: {problem}")
        bad += 1
sys.exit(bad > 0)
