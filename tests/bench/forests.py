#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forests beside treelite's C code (tl2cgen), interleaved in one run.

    forests.py [what bench.py takes] MODEL...

Each MODEL is one TreeEnsembleClassifier of sums. treelite's builder gets its
trees, tl2cgen writes C, and the first CC compiles that; its `predict` takes a
row, so rows are a loop around it. Before each line of bench.py's table come
the KB of its C and the seconds to write and to compile it. Needs treelite and
tl2cgen (PyPI) beside what bench.py needs.
"""
import time

import onnx
import tl2cgen
from treelite.model_builder import (Metadata, ModelBuilder, PostProcessorFunc,
                                    TreeAnnotation)

import bench

LOOP = """
#include <stdint.h>
void peer_net(const float *x, int64_t *label, float *y)
{{
  static union Entry row[{features}];
  for (int i = 0; i < {rows}; i++, x += {features}, y += {outputs}) {{
    for (int k = 0; k < {features}; k++) row[k].fvalue = x[k];
    for (int k = 0; k < {outputs}; k++) y[k] = 0.0f; /* it adds */
    predict(row, 0, y);
    label[i] = 0;
  }}
}}
"""


def trees(a):
    """Of each tree its nodes: (id, feature, threshold, yes, no, weights)."""
    said = {}
    for tree, node, target, w in zip(a["class_treeids"], a["class_nodeids"],
                                     a["class_ids"], a["class_weights"]):
        said.setdefault((tree, node), {})[target] = w
    found = {}
    for row in zip(a["nodes_treeids"], a["nodes_nodeids"],
                   a["nodes_featureids"], a["nodes_values"],
                   a["nodes_truenodeids"], a["nodes_falsenodeids"],
                   a["nodes_modes"]):
        if row[6] not in (b"LEAF", b"BRANCH_LEQ"):
            raise SystemExit(f"a node of mode {row[6]}")
        weights = said.get(row[:2]) if row[6] == b"LEAF" else None
        found.setdefault(row[0], []).append((*row[1:6], weights))
    return list(found.values())


def treelite_model(path):
    """The model, and its features and outputs."""
    model = onnx.load(path)
    features = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    a = {x.name: onnx.helper.get_attribute_value(x)
         for x in model.graph.node[0].attribute}
    targets = max(a["class_ids"]) + 1
    forest = trees(a)
    b = ModelBuilder(
        threshold_type="float32", leaf_output_type="float32",
        metadata=Metadata(
            num_feature=features, average_tree_output=False, num_target=1,
            task_type="kMultiClf" if targets > 1 else "kBinaryClf",
            num_class=[targets], leaf_vector_shape=(1, targets)),
        tree_annotation=TreeAnnotation(
            num_tree=len(forest), target_id=[0] * len(forest),
            class_id=[-1 if targets > 1 else 0] * len(forest)),
        postprocessor=PostProcessorFunc(
            "identity_multiclass" if targets > 1 else "sigmoid"),
        base_scores=list(a.get("base_values", [0.0] * targets)))
    for nodes in forest:
        b.start_tree()
        for at, feature, value, yes, no, weights in nodes:
            b.start_node(at)
            if weights is None:
                b.numerical_test(feature, value, default_left=False,
                                 opname="<=", left_child_key=yes,
                                 right_child_key=no)
            else:
                w = [weights.get(k, 0.0) for k in range(targets)]
                b.leaf(w if targets > 1 else w[0])
            b.end_node()
        b.end_tree()
    return b.commit(), features, targets


class Treelite(bench.Peer):
    name, entry = "treelite", "peer_net"

    def write(self):
        begin = time.time()
        model, features, outputs = treelite_model(self.path)
        tl2cgen.generate_c_code(model, dirpath=self.folder, params={})
        code = (self.folder / "main.c").read_text()
        self.written = time.time() - begin
        self.bytes = [8 * self.args.batch, 4 * self.args.batch * outputs]
        loop = LOOP.format(features=features, rows=self.args.batch,
                           outputs=outputs)
        (self.folder / "peer_code.c").write_text(code + loop)
        self.kilobytes = len(code) // 1000
        return True

    def build(self):
        begin = time.time()
        done = super().build()
        took = time.time() - begin - self.written
        print(f"treelite: {self.kilobytes} KB of C, written in "
              f"{self.written:.1f} s, compiled in {took:.1f} s"
              f"{'' if done else ': refused'}")
        return done


def arguments(argv=None, of=bench.arguments):
    args = of(argv)
    args.others.append(Treelite)
    return args


if __name__ == "__main__":
    bench.arguments = arguments
    bench.main()
