#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random ensembles of trees against onnxruntime.

    fuzz_trees.py ONNX2C [SEED] [COUNT]

Draws TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble nodes of
all modes, aggregates, post-transforms, labels and types, writes each with what
onnxruntime answers for 1, 7 and 300 rows, and lets `onnx2c verify` compare all
in one call. Thresholds are few, so that comparisons are often between equal
numbers; some inputs are NaN. What onnxruntime refuses is drawn anew.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ",
         "BRANCH_NEQ"]
POSTS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
SUMS = ["AVERAGE", "SUM", "MIN", "MAX"]
TYPES = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE,
         np.int64: TensorProto.INT64, np.int32: TensorProto.INT32}
ML = "ai.onnx.ml"


class Draw:
    def __init__(self, seed):
        self.r = np.random.default_rng(seed)
        self.features = int(self.r.integers(1, 40))
        self.depth = int(self.r.integers(1, 9))
        self.balance = self.r.choice([0.0, 0.2, 0.4])
        plain = self.r.random() < 0.5
        self.modes = [self.pick(MODES)] if plain else MODES
        self.tracks = self.r.random() < 0.5

    def pick(self, items):
        return items[int(self.r.integers(len(items)))]

    def chance(self, p):
        return bool(self.r.random() < p)

    def value(self):
        return float(np.float32(self.r.integers(-8, 9) / 4))

    def tree(self):
        """Nodes in order: (feature, value, mode, track, yes, no) or None."""
        nodes = []

        def grow(depth):
            at = len(nodes)
            nodes.append(None)
            leaf = depth == 0 or (at and self.chance(self.balance))
            if not leaf:
                yes = grow(depth - 1)
                no = grow(depth - 1)
                nodes[at] = (int(self.r.integers(self.features)), self.value(),
                             self.pick(self.modes),
                             int(self.tracks and self.chance(0.5)), yes, no)
            return at

        grow(self.depth)
        return nodes

    def rows(self, dtype, n):
        x = self.r.integers(-9, 10, (n, self.features)) / 4
        if np.issubdtype(dtype, np.floating) and self.chance(0.5):
            x[self.r.random(x.shape) < 0.1] = np.nan
        return x.astype(dtype)


def old_lists(d, trees, what, targets, per_leaf):
    """The attributes of classifier and regressor."""
    a = {k: [] for k in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values",
        "nodes_modes", "nodes_missing_value_tracks_true",
        "nodes_truenodeids", "nodes_falsenodeids")}
    ids, nodeids, treeids, weights = [], [], [], []
    low = -1.0 if d.chance(0.5) else 0.0
    first = 10 if d.chance(0.2) else 0
    for t, nodes in enumerate(trees):
        one = int(d.r.integers(targets))
        for i, node in enumerate(nodes):
            f, v, mode, track, yes, no = node or (0, 0.0, "LEAF", 0, 0, 0)
            for key, x in zip(a, (t, i + first, f, v, mode, track,
                                  yes + first, no + first)):
                a[key].append(x)
            if node:
                continue
            chosen = [one] if per_leaf == "tree" else [0] \
                if per_leaf == "zero" else range(targets) \
                if per_leaf == "all" else sorted(set(
                    int(k) for k in d.r.integers(0, targets, 2)))
            for k in chosen:
                ids.append(k)
                nodeids.append(i + first)
                treeids.append(t)
                weights.append(float(np.float32(d.r.uniform(low, 1)
                                                / len(trees))))
    a[what + "_ids"], a[what + "_nodeids"] = ids, nodeids
    a[what + "_treeids"], a[what + "_weights"] = treeids, weights
    return a


def base_values(d, targets):
    if d.chance(0.5):
        return []
    n = targets if d.chance(0.7) else 1
    return [float(np.float32(x)) for x in d.r.uniform(-0.5, 0.5, n)]


def draw_old(d, op, dtype):
    classes = op == "TreeEnsembleClassifier"
    targets = int(d.pick([2, 2, 3, 5, 11] if classes else [1, 1, 2, 4]))
    per_leaf = d.pick(["tree", "zero", "all", "some"])
    trees = [d.tree() for _ in range(int(d.r.integers(1, 30)))]
    a = old_lists(d, trees, "class" if classes else "target", targets,
                  per_leaf)
    # onnxruntime leaves the second score of a pair as memory has it
    a["post_transform"] = d.pick(POSTS[:4] if classes and targets == 2
                                 else POSTS)
    if base := base_values(d, targets):
        a["base_values"] = base
    if classes:
        names = [f"c{k}" for k in range(targets)]
        strings = d.chance(0.3)
        if strings:
            a["classlabels_strings"] = names
        else:
            a["classlabels_int64s"] = list(range(targets))
        outputs = [helper.make_tensor_value_info(
            "y", TensorProto.STRING if strings else TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("z", TensorProto.FLOAT,
                                          ["N", targets])]
    else:
        a["n_targets"] = targets
        a["aggregate_function"] = d.pick(SUMS)
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT,
                                                 ["N", targets])]
    if dtype == np.float64:
        for key in ["nodes_values", "base_values", "class_weights",
                    "target_weights"]:
            if key in a:
                a[key + "_as_tensor"] = numpy_helper.from_array(
                    np.array(a.pop(key), dtype))
    return helper.make_node(op, ["x"], [o.name for o in outputs], domain=ML,
                            **a), outputs


def draw_new(d, dtype):
    targets = int(d.pick([1, 1, 2, 4]))
    trees = [d.tree() for _ in range(int(d.r.integers(1, 20)))]
    roots, rows, leaves = [], [], []
    sets = []
    for nodes in trees:
        inner = [i for i, n in enumerate(nodes) if n]
        outer = [i for i, n in enumerate(nodes) if not n]
        at = {i: len(rows) + k for k, i in enumerate(inner)}
        leaf = {i: len(leaves) + k for k, i in enumerate(outer)}
        roots.append(len(rows))
        leaves += [(int(d.r.integers(targets)), d.r.uniform(-1, 1))
                   for _ in outer]
        for i in inner:
            f, v, mode, track, yes, no = nodes[i]
            kind = MODES.index(mode)
            if d.tracks and d.chance(0.1):
                kind = 6
                sets += [d.value() for _ in range(int(d.r.integers(1, 5)))]
                sets.append(np.nan)
            rows.append((f, v, kind, track,
                         at.get(yes, leaf.get(yes)), int(yes in leaf),
                         at.get(no, leaf.get(no)), int(no in leaf)))
    columns = list(zip(*rows))
    a = dict(
        tree_roots=roots, n_targets=targets,
        nodes_featureids=list(columns[0]),
        nodes_splits=numpy_helper.from_array(np.array(columns[1], dtype)),
        nodes_modes=numpy_helper.from_array(np.array(columns[2], np.uint8)),
        nodes_missing_value_tracks_true=list(columns[3]),
        nodes_truenodeids=list(columns[4]), nodes_trueleafs=list(columns[5]),
        nodes_falsenodeids=list(columns[6]),
        nodes_falseleafs=list(columns[7]),
        leaf_targetids=[t for t, _ in leaves],
        leaf_weights=numpy_helper.from_array(
            np.array([w for _, w in leaves], dtype)),
        aggregate_function=int(d.r.integers(4)),
        post_transform=int(d.r.integers(5)))
    if sets:
        a["membership_values"] = numpy_helper.from_array(
            np.array(sets, dtype))
    out = helper.make_tensor_value_info("y", TYPES[dtype], ["N", targets])
    return helper.make_node("TreeEnsemble", ["x"], ["y"], domain=ML, **a), [out]


def write(folder, d):
    op = d.pick(["TreeEnsembleClassifier", "TreeEnsembleRegressor",
                 "TreeEnsemble"])
    dtype = d.pick(list(TYPES)[:2] if op == "TreeEnsemble" else list(TYPES))
    if op == "TreeEnsembleRegressor" and dtype in (np.int32, np.int64):
        dtype = np.float32  # onnxruntime has no kernel
    node, outputs = draw_new(d, dtype) if op == "TreeEnsemble" \
        else draw_old(d, op, dtype)
    x = helper.make_tensor_value_info("x", TYPES[dtype], ["N", d.features])
    version = 5 if op == "TreeEnsemble" else 3 if dtype == np.float64 else 1
    model = helper.make_model(
        helper.make_graph([node], "trees", [x], outputs), ir_version=9,
        opset_imports=[helper.make_opsetid("", 13),
                       helper.make_opsetid(ML, version)])
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    s = ort.InferenceSession(model.SerializeToString(), options,
                             providers=["CPUExecutionProvider"])
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for k, n in enumerate((1, 7, 300)):
        data = folder / f"test_data_set_{k}"
        data.mkdir()
        rows = d.rows(dtype, n)
        answer = s.run(None, {"x": rows})
        tensors = [("input_0", "x", rows)] + [
            (f"output_{i}", o.name, v)
            for i, (o, v) in enumerate(zip(outputs, answer))]
        for file, name, v in tensors:
            (data / (file + ".pb")).write_bytes(
                numpy_helper.from_array(np.array(v), name).SerializeToString())
    # near 0.5 an ULP of a logarithm counts a thousand times
    post = next(helper.get_attribute_value(a) for a in node.attribute
                if a.name == "post_transform")
    (folder / "tolerance.txt").write_text(
        "2e-3 2e-3\n" if post in (b"PROBIT", 4) else "1e-5 1e-6\n")


def main():
    onnx2c, seed, count = sys.argv[1], 1, 60
    if len(sys.argv) > 2:
        seed = int(sys.argv[2])
    if len(sys.argv) > 3:
        count = int(sys.argv[3])
    with tempfile.TemporaryDirectory() as tmp:
        folders, tried = [], 0
        while len(folders) < count and tried < 4 * count:
            number = seed * 100000 + tried
            tried += 1
            folder = pathlib.Path(tmp) / f"draw{number}"
            try:
                write(folder, Draw(number))
            except (ort.capi.onnxruntime_pybind11_state.Fail,
                    ort.capi.onnxruntime_pybind11_state.NotImplemented,
                    ort.capi.onnxruntime_pybind11_state.InvalidGraph,
                    ort.capi.onnxruntime_pybind11_state.RuntimeException):
                continue
            folders.append(str(folder))
        done = subprocess.run([onnx2c, "verify", *folders], text=True,
                              capture_output=True)
        lines = (done.stdout + done.stderr).splitlines()
        bad = [s for s in lines if "FAILED" in s or "UNSUPPORTED" in s
               or "error" in s]
        print("\n".join(bad[:40] + lines[-3:]))
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
