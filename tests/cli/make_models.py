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
    return m


def two_inputs():
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    return model(nodes, [value("a", ["N", 3]), value("b", ["N", 3])],
                 [value("y", ["N", 3])])


def reference_only():
    """An operator that only a reference kernel runs."""
    nodes = [helper.make_node("Det", ["x"], ["y"])]
    return model(nodes, [value("x", [256, 8, 8])], [value("y", [256])])


KINDS = {f.__name__: f
         for f in (unknown_op, hostile, two_inputs, reference_only)}
onnx.save(KINDS[sys.argv[1]](), sys.argv[2])
