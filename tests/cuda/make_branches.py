#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models of partition.sh, with onnxruntime's answers.

    make_branches.py KIND FOLDER

`branches`: an If over convolutions, and a number that a shape tells, which is
data to what follows. `labels`: trees whose classes have names.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper
import onnxruntime

from make_models import RNG, model, node, save, value, weight, whole


def branch(name, *nodes):
    return helper.make_graph(list(nodes), name, [], [
        value(nodes[-1].output[0], None)])


def branches():
    then = branch("then", node("Conv", ["x", "w1"], "t1", pads=[1] * 4),
                  node("Relu", ["t1"], "t2"))
    other = branch("other", node("Conv", ["x", "w2"], "e1", pads=[1] * 4),
                   node("Sigmoid", ["e1"], "e2"), node("Neg", ["e2"], "e3"))
    nodes = [node("If", ["which"], "a", then_branch=then, else_branch=other),
             node("Conv", ["a", "w3"], "b", pads=[1] * 4),
             node("Shape", ["b"], "sizes"),
             node("Gather", ["sizes", "first"], "batch"),
             node("Cast", ["batch"], "count", to=TensorProto.FLOAT),
             node("Div", ["b", "count"], "c"),
             node("Conv", ["c", "w3"], "y", pads=[1] * 4)]
    shape = ["N", 8, 16, 16]
    return model(nodes, [value("x", shape),
                         value("which", [], TensorProto.BOOL)],
                 [value("a", shape), value("y", shape)],
                 [weight(f"w{i}", (8, 8, 3, 3)) for i in (1, 2, 3)] +
                 [whole("first", [0])])


def labels(trees=500, depth=6, columns=16):
    """Full trees, whose nodes and leaves are numbered row by row."""
    inner, size = 2 ** depth - 1, 2 ** (depth + 1) - 1
    k = np.tile(np.arange(size), trees)
    leaf = k >= inner
    n = trees * size
    first = {"nodes_treeids": np.repeat(np.arange(trees), size),
             "nodes_nodeids": k,
             "nodes_featureids": RNG.integers(0, columns, n),
             "nodes_truenodeids": np.where(leaf, 0, 2 * k + 1),
             "nodes_falsenodeids": np.where(leaf, 0, 2 * k + 2),
             "class_treeids": np.repeat(np.arange(trees), size - inner),
             "class_nodeids": k[leaf],
             "class_ids": RNG.integers(0, 3, leaf.sum())}
    tree = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["y", "z"], domain="ai.onnx.ml",
        nodes_modes=["LEAF" if v else "BRANCH_LEQ" for v in leaf],
        nodes_values=RNG.standard_normal(n).astype(np.float32).tolist(),
        class_weights=RNG.random(leaf.sum()).astype(np.float32).tolist(),
        classlabels_strings=["ash", "beech", "oak"], post_transform="SOFTMAX",
        **{name: v.tolist() for name, v in first.items()})
    m = model([tree], [value("x", ["N", columns])],
              [value("y", ["N"], TensorProto.STRING), value("z", ["N", 3])],
              [])
    m.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    return m


def main():
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    m = {"branches": branches, "labels": labels}[kind]()
    onnx.checker.check_model(m)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(m, folder / "model.onnx")
    session = onnxruntime.InferenceSession(m.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    for k, batch in enumerate((1, 3, 130)):
        data = folder / f"test_data_set_{k}"
        data.mkdir(exist_ok=True)
        shape = [d.dim_value or batch
                 for d in m.graph.input[0].type.tensor_type.shape.dim]
        given = {"x": RNG.standard_normal(shape).astype(np.float32)}
        if kind == "branches":
            given["which"] = np.array(k != 1)
        for i, (name, array) in enumerate(given.items()):
            save(data / f"input_{i}.pb", name, array)
        for i, array in enumerate(session.run(None, given)):
            save(data / f"output_{i}.pb", session.get_outputs()[i].name, array)


if __name__ == "__main__":
    main()
