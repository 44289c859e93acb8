#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models of a few steps each, large enough to be divided among threads.

    make_split_models.py FOLDER     writes FOLDER/<name>.onnx
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)


def weight(name, *shape):
    w = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)
    return numpy_helper.from_array(w.astype(np.float32), name)


def save(folder, name, nodes, x, y, weights=(), opset=17):
    def port(key, shape):
        return helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
    inputs = x if isinstance(x, dict) else {"x": x}
    graph = helper.make_graph(
        [helper.make_node(op, ins, outs, **attrs)
         for op, ins, outs, attrs in nodes], name,
        [port(k, v) for k, v in inputs.items()], [port("y", y)],
        list(weights))
    m = helper.make_model(graph, ir_version=8,
                          opset_imports=[helper.make_opsetid("", opset)])
    onnx.checker.check_model(m)
    onnx.save(m, pathlib.Path(folder) / f"{name}.onnx")


def convolutions(folder):
    same = {"pads": [1, 1, 1, 1]}
    # Many pixels: borders, a residual, strides, a pool before the padding,
    # groups, channels last.
    save(folder, "pixels", [
        ("Conv", ["x", "w", "b"], ["a"], same),
        ("Relu", ["a"], ["r"], {}),
        ("Conv", ["r", "v"], ["c"], same),
        ("Add", ["c", "r"], ["s"], {}),
        ("MaxPool", ["s"], ["p"], {"kernel_shape": [3, 3],
                                   "strides": [2, 2], **same}),
        ("Conv", ["p", "u"], ["g"], {"group": 2, **same}),
        ("LRN", ["g"], ["y"], {"size": 5}),
    ], ["N", 5, 81, 83], ["N", 66, 41, 42],
         [weight("w", 36, 5, 3, 3), weight("b", 36), weight("v", 36, 36, 3, 3),
          weight("u", 66, 18, 3, 3)])
    save(folder, "pool", [
        ("MaxPool", ["x"], ["p"], {"kernel_shape": [3, 3], "strides": [2, 1],
                                   **same}),
        ("Conv", ["p", "w"], ["y"], {}),
    ], ["N", 64, 81, 83], ["N", 24, 41, 83], [weight("w", 24, 64, 1, 1)])
    # Few pixels and many weights.
    save(folder, "columns", [
        ("Conv", ["x", "w"], ["a"], same), ("Relu", ["a"], ["r"], {}),
        ("Flatten", ["r"], ["f"], {}), ("Gemm", ["f", "v"], ["y"], {}),
    ], ["N", 192, 5, 5], ["N", 333],
         [weight("w", 200, 192, 3, 3), weight("v", 5000, 333)])
    # A step between them, or they would be one chain by strips.
    save(folder, "depthwise", [
        ("Conv", ["x", "w"], ["a"], {"group": 80, **same}),
        ("Abs", ["a"], ["b"], {}),
        ("Clip", ["b", "lo", "hi"], ["c"], {}),
        ("Conv", ["c", "v"], ["y"], {"group": 80, "pads": [2, 2, 2, 2],
                                     "strides": [2, 2]}),
    ], ["N", 80, 71, 73], ["N", 80, 36, 37],
         [weight("w", 80, 1, 3, 3), weight("v", 80, 1, 5, 5),
          numpy_helper.from_array(np.float32(0), "lo"),
          numpy_helper.from_array(np.float32(6), "hi")])


def rows(folder):
    # Constant sizes.
    save(folder, "rows", [
        ("Gemm", ["x", "w", "b"], ["h"], {}),
        ("Softmax", ["h"], ["s"], {"axis": -1}),
        ("LayerNormalization", ["s", "g", "b"], ["n"], {"axis": -1}),
        ("Mul", ["n", "b"], ["m"], {}),
        ("Add", ["m", "z"], ["y"], {}),
    ], {"x": [700, 150], "z": [700, 310]}, [700, 310],
         [weight("w", 150, 310), weight("b", 310), weight("g", 310)])
    # Sizes of the run.
    save(folder, "symbols", [
        ("MatMul", ["x", "w"], ["h"], {}),
        ("LogSoftmax", ["h"], ["s"], {"axis": -1}),
        ("Sigmoid", ["s"], ["y"], {}),
    ], ["N", "M", 600], ["N", "M", 700], [weight("w", 600, 700)])


for make in (convolutions, rows):
    make(sys.argv[1])
