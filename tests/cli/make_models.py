#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small models for the command-line tests.

    make_models.py KIND FILE
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HOSTILE = ["*/ int x; /*", "m4_syscmd(touch pwned)", 'say "hi"', "a\nb",
           "while", "über", "m4_define(T, U)", "T", "G_LOOP", "%s%n", "<%",
           "%>", "a\\", "??/", "$1", "__FILE__", "int", "x" * 3000, "\u202e"]


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs, outputs, weights=(), name="g", opset=17):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(weights))
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid("x.y", 1)])


def unknown_op():
    node = helper.make_node("NoSuchOperator", ["x"], ["y"], domain="x.y")
    return model([node], [value("x", [2])], [value("y", [2])])


def hostile():
    """A chain of nodes whose names, and whose tensors', are attacks."""
    nodes, x = [], HOSTILE[0]
    for i, name in enumerate(HOSTILE):
        y = f"{name} out" if i + 1 < len(HOSTILE) else "*/ #error \"y\" /*"
        nodes.append(helper.make_node("Relu", [x], [y], name=name))
        nodes[-1].doc_string = "*/ #error doc /*"
        x = y
    w = numpy_helper.from_array(np.ones(3, np.float32), "m4_esyscmd(ls)")
    nodes.append(helper.make_node("Add", [x, w.name], ["/*"], name="*/"))
    m = model(nodes, [value(HOSTILE[0], ["*/ N", 3])],
              [value("/*", ["*/ N", 3])], [w], name="*/ m4_syscmd(ls)")
    m.producer_name = "*/ #error producer /*"
    m.metadata_props.add(key='"*/', value='\\"\n*/ #error meta')
    m.metadata_props.add(key='long', value='\u00e9\n' * 2500)
    return m


def two_inputs():
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    return model(nodes, [value("a", ["N", 3]), value("b", ["N", 3])],
                 [value("y", ["N", 3])])


def reference_only():
    """An operator that only a reference kernel runs."""
    nodes = [helper.make_node("Det", ["x"], ["y"])]
    return model(nodes, [value("x", [256, 8, 8])], [value("y", [256])])


def convolution(nodes, weights, x, shape, **attributes):
    """Appends a Conv with random weights and a Clip; its result's name."""
    k = len(nodes)
    random = np.random.default_rng(k)
    for name, dims in ((f"w{k}", shape), (f"b{k}", shape[:1])):
        data = random.standard_normal(dims).astype(np.float32)
        weights.append(numpy_helper.from_array(
            data / np.sqrt(np.prod(dims[1:])).astype(np.float32), name))
    nodes.append(helper.make_node("Conv", [x, f"w{k}", f"b{k}"], [f"c{k}"],
                                  **attributes))
    nodes.append(helper.make_node("Clip", [f"c{k}", "lo", "hi"], [f"a{k}"]))
    return f"a{k}"


def strips(keep=False):
    """Large maps with one reader each; with `keep`, they are outputs too."""
    weights = [numpy_helper.from_array(np.float32(v), n)
               for n, v in (("lo", 0), ("hi", 1))]
    nodes, x = [], "x"
    for shape, attributes in (
            ((24, 3, 3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
            ((24, 1, 3, 3), {"group": 24, "pads": [1, 1, 1, 1]}),
            ((40, 24, 1, 1), {}),
            ((40, 1, 5, 5), {"group": 40, "strides": [2, 1],
                             "pads": [1, 2, 2, 3]}),
            ((40, 1, 3, 3), {"group": 40, "dilations": [2, 1],
                             "pads": [2, 0, 0, 1]}),
            ((33, 40, 1, 1), {})):
        x = convolution(nodes, weights, x, shape, **attributes)
    maps = [n.output[0] for n in nodes[1:-1:2]]
    nodes[-1] = helper.make_node("Add", [nodes[-2].output[0], "r"], ["y"])
    return model(nodes, [value("x", ["N", 3, 181, 190]),
                         value("r", ["N", 33, 43, 95])],
                 [value("y", None)] + [value(m, None) for m in maps if keep],
                 weights)


def strips_apart():
    return strips(keep=True)


KINDS = {f.__name__: f
         for f in (unknown_op, hostile, two_inputs, reference_only, strips,
                   strips_apart)}
onnx.save(KINDS[sys.argv[1]](), sys.argv[2])
