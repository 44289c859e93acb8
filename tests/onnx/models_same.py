# SPDX-License-Identifier: Apache-2.0
"""Does a converted model give the answers of the one that it was made of?

onnxruntime runs both, where it knows the new operator set; else `onnx2c verify`
compares the new one with the test data of the old one.
"""
import subprocess

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(str(path), options,
                                        ["CPUExecutionProvider"])


def feeds_of(folder, names):
    feeds = {}
    for i, name in enumerate(names):
        path = folder / "test_data_set_0" / f"input_{i}.pb"
        feeds[name] = numpy_helper.to_array(onnx.load_tensor(path))
    return feeds


def verified(onnx2c, to):
    done = subprocess.run([onnx2c, "verify", "--cflags=-O1", str(to)],
                          capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    lines = (done.stdout + done.stderr).strip().splitlines()
    return f"verify: {lines[-1] if lines else done.returncode}"


def compare(onnx2c, folder, to):
    """None, or how they differ."""
    old = session(folder / "model.onnx")
    try:
        new = session(to / "model.onnx")
    except Exception:  # onnxruntime has no kernel of this version
        return verified(onnx2c, to)
    feeds = feeds_of(folder, [i.name for i in old.get_inputs()])
    for x, y, out in zip(old.run(None, feeds), new.run(None, feeds),
                         old.get_outputs()):
        if not isinstance(x, np.ndarray):
            if repr(x) != repr(y):
                return f"{out.name} differs"
            continue
        if x.shape != y.shape or x.dtype != y.dtype:
            return f"{out.name}: {y.dtype}{y.shape}, not {x.dtype}{x.shape}"
        if x.dtype.kind == "f":
            most = float(np.nanmax(np.abs(x), initial=0))
            if not np.allclose(y, x, rtol=1e-4, atol=1e-5 * most,
                               equal_nan=True):
                worst = float(np.nanmax(np.abs(x.astype("f8") - y)))
                return f"{out.name} is off by {worst:.3g} of {most:.3g}"
        elif (x != y).any():
            return f"{out.name} differs"
    return None
