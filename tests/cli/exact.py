#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Outputs against the model's own numbers in double.

    exact.py SAVED FOLDER...

Where large numbers leave a small difference, onnxruntime's floats are further
from the truth than 1e-5, so its answers are no measure. The truth here is the
ONNX graph with its constants as they are and everything computed in double, by
onnx's reference evaluator (and below, where that computes in float). FOLDER is
a pipeline with data sets and onnxruntime's answers; SAVED/<its name> what
`verify --save` wrote. Labels must be equal. Of each tensor of scores the
error, in units of 1e-5 |truth| + 1e-6, may be 1, or what onnxruntime's own is,
and a tenth: the order of sums depends on the machine.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun


class Scaler(OpRun):
    op_domain = "ai.onnx.ml"

    def _run(self, x, offset=None, scale=None):
        return ((x - np.float64(offset)) * np.float64(scale),)


class SVMRegressor(OpRun):
    op_domain = "ai.onnx.ml"

    def _run(self, x, coefficients=None, kernel_params=None, kernel_type=None,
             n_supports=None, one_class=None, post_transform=None, rho=None,
             support_vectors=None):
        if kernel_type != "RBF" or one_class or post_transform != "NONE":
            raise NotImplementedError(kernel_type)
        v = np.float64(support_vectors).reshape(n_supports, -1)
        far = np.square(x[:, None] - v[None]).sum(2)
        k = np.exp(-np.float64(kernel_params[0]) * far)
        return ((k @ np.float64(coefficients) + rho[0])[:, None],)


def wide(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        array = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def widen(graph):
    """What is float becomes double."""
    for tensor in graph.initializer:
        wide(tensor)
    for v in [*graph.input, *graph.output, *graph.value_info]:
        if v.type.tensor_type.elem_type == TensorProto.FLOAT:
            v.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for a in node.attribute:
            if a.type == a.GRAPH:
                widen(a.g)
            elif a.type == a.TENSOR:
                wide(a.t)
            elif node.op_type == "Cast" and a.i == TensorProto.FLOAT:
                a.i = TensorProto.DOUBLE
    return graph


def load(path):
    tensor = onnx.TensorProto.FromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def error(got, truth):
    return np.max(np.abs(got - truth) / (1e-5 * np.abs(truth) + 1e-6))


def check(saved, folder):
    """The largest errors, ours and onnxruntime's; True: as they should be."""
    model = onnx.load(folder / "model.onnx")
    names = [v.name for v in model.graph.input]
    widen(model.graph)
    run = ReferenceEvaluator(model, new_ops=[Scaler, SVMRegressor]).run
    good, worst = True, [0, 0]
    for data in sorted(folder.glob("test_data_set_*")):
        feed = {name: load(data / f"input_{k}.pb").astype(np.float64)
                for k, name in enumerate(names)}
        for k, truth in enumerate(run(None, feed)):
            theirs = load(data / f"output_{k}.pb")
            ours = load(saved / data.name / f"output_{k}.pb")
            if theirs.dtype != np.float32:
                good &= np.array_equal(ours, truth.reshape(theirs.shape))
                continue
            both = [error(x, truth.reshape(x.shape)) for x in (ours, theirs)]
            good &= bool(both[0] <= max(1, 1.1 * both[1]))
            worst = np.maximum(worst, both)
    print(f"{folder.name}: {worst[0]:.3g}, onnxruntime {worst[1]:.3g} times "
          f"1e-5 of the truth{'' if good else ': WRONG'}")
    return good


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    saved = pathlib.Path(sys.argv[1])
    folders = [pathlib.Path(p) for p in sys.argv[2:]]
    good = [check(saved / folder.name, folder) for folder in folders]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
