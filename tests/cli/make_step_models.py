#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models for edit_steps.sh.

    make_step_models.py FOLDER      writes FOLDER/<kind>.onnx, one of each
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def const(name, data, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(data, dtype), name)


def model(nodes, inputs, outputs, weights=(), opset=17, ir=8, **more):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights),
                              **more)
    return helper.make_model(graph, ir_version=ir, opset_imports=[
        helper.make_opsetid("", opset)])


def sums():
    """y = x + ((a + b) + d), of which two nodes are constant."""
    w = [const(n, [[v, v, v]]) for n, v in (("a", 1), ("b", 2), ("d", 3))]
    return model([node("Add", ["a", "b"], ["c"]),
                  node("Add", ["c", "d"], ["e"]),
                  node("Add", ["x", "e"], ["y"])],
                 [value("x", [1, 3])], [value("y", [1, 3])], w)


def shapes(batch):
    """A Reshape by Shape, Gather, Concat."""
    w = [const("zero", 0, np.int64), const("one", 1, np.int64),
         const("axes", [0], np.int64), const("two", 2, np.int64)]
    return model(
        [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"]),
         node("Gather", ["s", "one"], ["c"]),
         node("Gather", ["s", "two"], ["l"]), node("Mul", ["c", "l"], ["cl"]),
         node("Unsqueeze", ["n", "axes"], ["n1"]),
         node("Unsqueeze", ["cl", "axes"], ["cl1"]),
         node("Concat", ["n1", "cl1"], ["to"], axis=0),
         node("Reshape", ["x", "to"], ["y"])],
        [value("x", [batch, 3, 4])], [value("y", [batch, 12])], w)


def shapes_static():
    return shapes(2)


def shapes_dynamic():
    return shapes("N")


def grows():
    """A megabyte out of one number: not folded without a limit."""
    w = [const("one", 1), const("to", [512, 512], np.int64)]
    return model([node("Expand", ["one", "to"], ["big"]),
                  node("Add", ["x", "big"], ["y"])],
                 [value("x", [512, 512])], [value("y", [512, 512])], w)


def quantised():
    """A weight that DequantizeLinear makes, and a constant sum beside it."""
    rng = np.random.default_rng(1)
    w = [const("wq", rng.integers(-127, 127, (4, 3)), np.int8),
         const("ws", 0.05), const("wz", 0, np.int8), const("p", [1, 2, 3]),
         const("q", [4, 5, 6])]
    return model([node("DequantizeLinear", ["wq", "ws", "wz"], ["w"]),
                  node("Add", ["p", "q"], ["pq"]),
                  node("MatMul", ["x", "w"], ["h"]),
                  node("Add", ["h", "pq"], ["y"])],
                 [value("x", ["N", 4])], [value("y", ["N", 3])], w)


def branch(name, op, w):
    g = helper.make_graph(
        [node("Add", [w, w], [name + "_ww"]),
         node(op, ["x", name + "_ww"], [name + "_out"])],
        name, [], [value(name + "_out", ["N", 3])])
    return g


def chooses():
    """An If on a constant, and one on the data; both have constant sums."""
    w = [const("w", [1, 2, 3]), const("yes", True, bool),
         const("ten", 10.0)]
    return model(
        [node("If", ["yes"], ["h"], then_branch=branch("t", "Add", "w"),
              else_branch=branch("e", "Mul", "w")),
         node("ReduceSum", ["x"], ["sum"], keepdims=0),
         node("Less", ["sum", "ten"], ["less"]),
         node("If", ["less"], ["k"], then_branch=branch("t2", "Add", "w"),
              else_branch=branch("e2", "Sub", "w")),
         node("Add", ["h", "k"], ["y"])],
        [value("x", ["N", 3])], [value("y", ["N", 3])], w)


def constants():
    """Constant nodes of several kinds; one output is a constant."""
    return model(
        [node("Constant", [], ["c"], value_floats=[1.0, 2.0, 3.0]),
         node("Constant", [], ["k"], value=const("v", [4.0, 5.0, 6.0])),
         node("Add", ["c", "k"], ["z"]), node("Add", ["x", "k"], ["y"])],
        [value("x", ["N", 3])], [value("y", ["N", 3]), value("z", [3])])


def old():
    """IR version 3: each initializer is an input too."""
    w = [const("a", [1, 2, 3]), const("b", [4, 5, 6])]
    return model([node("Add", ["a", "b"], ["c"]),
                  node("Mul", ["x", "c"], ["y"])],
                 [value("x", [2, 3]), value("a", [3]), value("b", [3])],
                 [value("y", [2, 3])], w, opset=7, ir=3)


def default():
    """An initializer that a caller may replace."""
    m = old()
    m.ir_version = 8
    return m


def net():
    """A small network: convolution, pooling, shape arithmetic, product."""
    rng = np.random.default_rng(3)

    def r(name, *shape):
        return const(name, rng.standard_normal(shape) / np.sqrt(shape[-1]))
    w = [r("w", 8, 3, 3, 3), r("b", 8), r("fc", 8, 5), const("eps", 1e-12),
         const("mask", [0, -3e38, 0, 0, 0]), const("to", [0, -1], np.int64)]
    return model(
        [node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1]),
         node("Relu", ["c"], ["r"]), node("GlobalAveragePool", ["r"], ["p"]),
         node("Reshape", ["p", "to"], ["f"]),
         node("MatMul", ["f", "fc"], ["m"], "head"),
         node("Add", ["m", "mask"], ["mm"]),
         node("Softmax", ["mm"], ["s"], "soft"),
         node("Add", ["s", "eps"], ["se"]), node("Sqrt", ["se"], ["y"])],
        [value("x", ["N", 3, 8, 8])], [value("y", ["N", 5])], w)


def front():
    return model([node("Relu", ["x"], ["h"], "act"),
                  node("Add", ["h", "w"], ["f"])],
                 [value("x", ["N", 3])], [value("f", ["N", 3])],
                 [const("w", [1, 2, 3])])


def back(opset=17):
    """Names of values and nodes as in `front`, with other contents."""
    return model([node("Mul", ["in", "w"], ["h"], "act"),
                  node("Sigmoid", ["h"], ["y"])],
                 [value("in", ["M", 3])], [value("y", ["M", 3])],
                 [const("w", [4, 5, 6])], opset=opset)


def back_older():
    return back(13)


def chain():
    """`front`, then `back`, as one model, for comparison."""
    return model([node("Relu", ["x"], ["h"]), node("Add", ["h", "w"], ["f"]),
                  node("Mul", ["f", "w2"], ["h2"]),
                  node("Sigmoid", ["h2"], ["y"])],
                 [value("x", ["N", 3])], [value("y", ["N", 3])],
                 [const("w", [1, 2, 3]), const("w2", [4, 5, 6])])


def functions():
    """A function that calls another one, with attributes by reference and a
    body that reads its values."""
    scale = helper.make_function(
        "my", "Scale", ["v"], ["r"],
        [node("Constant", [], ["k"]), node("Mul", ["v", "k"], ["r"])],
        [helper.make_opsetid("", 17)], attributes=["by"])
    scale.node[0].attribute.add(name="value_float", ref_attr_name="by",
                                type=onnx.AttributeProto.FLOAT)
    body = helper.make_graph([node("Add", ["twice", "v"], ["t"])], "then", [],
                             [value("t", None)])
    other = helper.make_graph([node("Neg", ["twice"], ["e"])], "else", [],
                              [value("e", None)])
    both = helper.make_function(
        "my", "Both", ["v", "flag"], ["a", "b"],
        [node("Scale", ["v"], ["twice"], "inner", domain="my", by=2.0),
         node("If", ["flag"], ["a"], then_branch=body, else_branch=other),
         node("Relu", ["twice"], ["b"])],
        [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)])
    m = model([node("Both", ["x", "flag"], ["p", "q"], "one", domain="my"),
               node("Both", ["p", "flag"], ["y", "r"], domain="my"),
               node("Scale", ["q"], ["z"], domain="my", by=3.0)],
              [value("x", ["N", 3]), value("flag", [], TensorProto.BOOL)],
              [value("y", ["N", 3]), value("z", ["N", 3])])
    m.opset_import.append(helper.make_opsetid("my", 1))
    m.functions.extend([scale, both])
    return m


def twins():
    """Equal nodes and equal weights."""
    return model([node("MatMul", ["x", "w"], ["a"]),
                  node("MatMul", ["x", "w2"], ["b"]),
                  node("Relu", ["a"], ["c"]), node("Relu", ["b"], ["d"]),
                  node("LeakyRelu", ["b"], ["e"], alpha=0.5),
                  node("Add", ["c", "d"], ["f"]),
                  node("Add", ["f", "e"], ["y"])],
                 [value("x", ["N", 3])], [value("y", ["N", 3])],
                 [const("w", np.eye(3)), const("w2", np.eye(3))])


def functions_older():
    """A Squeeze whose axes are an attribute, in a model of opset 17."""
    f = helper.make_function(
        "my", "Old", ["v"], ["r"], [node("Squeeze", ["v"], ["r"], axes=[1])],
        [helper.make_opsetid("", 12)])
    m = model([node("Old", ["x"], ["y"], domain="my")],
              [value("x", ["N", 1])], [value("y", ["N"])])
    m.opset_import.append(helper.make_opsetid("my", 1))
    m.functions.append(f)
    return m


def recursive():
    f = helper.make_function("my", "Again", ["v"], ["r"],
                             [node("Again", ["v"], ["r"], domain="my")],
                             [helper.make_opsetid("my", 1)])
    m = model([node("Again", ["x"], ["y"], domain="my")],
              [value("x", ["N"])], [value("y", ["N"])])
    m.opset_import.append(helper.make_opsetid("my", 1))
    m.functions.append(f)
    return m


KINDS = (sums, shapes_static, shapes_dynamic, grows, quantised, chooses,
         constants, old, default, net, front, back, back_older, chain,
         functions, twins, functions_older, recursive)
for f in KINDS:
    m = f()
    if f not in (recursive, functions_older):  # which it refuses
        onnx.checker.check_model(m)
    onnx.save(m, os.path.join(sys.argv[1], f.__name__ + ".onnx"))
