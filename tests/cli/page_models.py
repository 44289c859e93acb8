# SPDX-License-Identifier: Apache-2.0
"""Models for page.sh: hostile text in every place that a page shows; nested
control flow; thousands of nodes.

    page_models.py FOLDER
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# What breaks out of markup, of attributes, of scripts, of the template, and
# what reorders or hides text.
HOSTILE = [
    "<script>window.hit=1</script>", "</script><script>window.hit=2</script>",
    "<img src=x onerror=window.hit=3>", "\"'><svg onload=window.hit=4>",
    "<!--<script>", "-->", "]]>", "@@REPORT@@", "@@SCRIPT@@", "${window.hit=5}",
    "javascript:window.hit=6", "\u202egnp.exe\u202c", "a\u2066b\u2069\u200f",
    "\u2028window.hit=7//", "\\u003c/script\\u003e", "\\\"};window.hit=8;{\\\"",
    "&lt;b&gt;", "tab\there\nline\x01\x7f", "__proto__", "constructor",
    "\u00e9\U0001f600" * 40,
]


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, weights=(), name="g"):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(weights))
    return helper.make_model(graph, ir_version=8, producer_name=HOSTILE[0],
                             opset_imports=[helper.make_opsetid("", 17)])


def hostile():
    nodes, x = [], HOSTILE[1] + " in"
    for i, name in enumerate(HOSTILE):
        y = name + " out"
        w = numpy_helper.from_array(np.full(3, i, np.float32), name + " w")
        nodes.append(helper.make_node("Constant", [], [name + " c"],
                                      name=name + " constant", value=w))
        nodes.append(helper.make_node("Mul", [x, name + " c"], [y],
                                      name=name))
        x = y
    text = helper.make_node("Constant", [], ["text"], name="strings",
                            value_strings=[b"a\0b"] +
                            [t.encode() for t in HOSTILE])
    size = helper.make_node("Size", ["text"], [HOSTILE[3]])
    return model(nodes + [text, size], [value(HOSTILE[1] + " in", ["N", 3])],
                 [value(x, [HOSTILE[0], 3]),
                  value(HOSTILE[3], [], TensorProto.INT64)],
                 name=HOSTILE[1])


def branch(depth, name):
    """A body: two operators, and inside of it another If."""
    nodes = [helper.make_node("Relu", ["x"], [name + "r"], name=name + "relu")]
    last = name + "r"
    if depth:
        nodes.append(choice(depth - 1, name, [last]))
        last = name + "y"
    nodes.append(helper.make_node("Neg", [last], [name + "z"],
                                  name=name + "neg"))
    return helper.make_graph(nodes, name, [], [value(name + "z", None)])


def choice(depth, name, _):
    return helper.make_node(
        "If", ["c"], [name + "y"], name=name + "if",
        then_branch=branch(depth, name + "t"),
        else_branch=branch(depth, name + "e"))


def nested():
    first = helper.make_node("Exp", ["a"], ["x"], name="first")
    last = helper.make_node("Abs", ["y"], ["out"], name="last")
    return model([first, choice(1, "", ["x"]), last],
                 [value("a", ["N", 4]), value("c", [1], TensorProto.BOOL)],
                 [value("out", ["N", 4])])


def large():
    """2,400 nodes: blocks of branches, and one edge over all of them."""
    nodes, x = [], "x"
    ops = ("Relu", "Sigmoid", "Tanh", "Neg", "Abs")
    for i in range(300):
        for k in range(6):
            nodes.append(helper.make_node(ops[k % 5], [x if k < 3 else
                         f"b{i}_{k - 3}"], [f"b{i}_{k}"], name=f"block{i}/{k}"))
        nodes.append(helper.make_node("Sum", [f"b{i}_{k}" for k in (3, 4, 5)],
                                      [f"s{i}"], name=f"block{i}/sum"))
        nodes.append(helper.make_node("Add", [f"s{i}", "x"], [f"y{i}"],
                                      name=f"block{i}/add"))
        x = f"y{i}"
    return model(nodes, [value("x", [1, 8])], [value(x, [1, 8])])


folder = pathlib.Path(sys.argv[1])
for make in (hostile, nested, large):
    onnx.save(make(), folder / f"page_{make.__name__}.onnx")
