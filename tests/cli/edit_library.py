# SPDX-License-Identifier: Apache-2.0
"""Results of the library's examples against onnxruntime.

    edit_library.py BEFORE.onnx AFTER.onnx NEW.onnx
"""
import sys

import numpy as np
import onnx
import onnxruntime as ort


def run(path, x):
    onnx.checker.check_model(path, full_check=True)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


before, after, new = sys.argv[1:]
m = onnx.load(after)
clips = [n for n in m.graph.node if n.op_type == "Clip"]
relus = [n for n in onnx.load(before).graph.node if n.op_type == "Relu"]
assert len(clips) == len(relus) > 1
wanted = onnx.load(before)
for n in [n for n in wanted.graph.node if n.op_type == "Relu"]:
    i = list(wanted.graph.node).index(n)
    clip = onnx.helper.make_node("Clip", [n.output[0] + "_r", "lo", "hi"],
                                 [n.output[0]])
    n.output[0] += "_r"
    wanted.graph.node.insert(i + 1, clip)
for name, v in (("lo", 0), ("hi", 6)):
    wanted.graph.initializer.append(onnx.numpy_helper.from_array(
        np.array(v, np.float32), name))
onnx.save(wanted, "wanted.onnx")
dims = m.graph.input[0].type.tensor_type.shape.dim
shape = [d.dim_value or 2 for d in dims]
x = np.random.default_rng(0).standard_normal(shape).astype(np.float32) * 9
np.testing.assert_array_equal(run(after, x), run("wanted.onnx", x))
assert not np.array_equal(run(after, x), run(before, x))

x = np.array([[1, 2, 3], [-1, 0, 1]], np.float32)
y = np.maximum(x @ np.arange(1, 7, dtype=np.float32).reshape(3, 2) +
               np.array([-10, 0.5], np.float32), 0)
np.testing.assert_allclose(run(new, x), y)
