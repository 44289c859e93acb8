# SPDX-License-Identifier: Apache-2.0
"""Steps of `onnx2c edit` on whole networks.

    edit_sweep.py ONNX2C [--steps 'cleanup'] FOLDER...

A folder holds model.onnx and test_data_set_0. The result passes ONNX's checker
where the network itself does, and onnxruntime gives the same bits for both.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = \
        ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(path, options,
                                providers=["CPUExecutionProvider"])


def feeds(folder, inputs):
    data = sorted(folder.glob("test_data_set_*"))[0]
    result = {}
    for i, x in enumerate(inputs):
        t = onnx.TensorProto()
        t.ParseFromString((data / f"input_{i}.pb").read_bytes())
        result[x.name] = numpy_helper.to_array(t)
    return result


def checked(path):
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as e:  # of several kinds
        return str(e).split("\n", maxsplit=1)[0][:200] or "refused"
    return None


def same(a, b):
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a == b
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and \
        np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def try_folder(onnx2c, folder, steps):
    model = next(iter(sorted(folder.glob("*.onnx"))))
    with tempfile.TemporaryDirectory() as work:
        out = pathlib.Path(work) / "out.onnx"
        start = time.time()
        run = subprocess.run([onnx2c, "edit", model, "-o", out, "-v", *steps],
                             capture_output=True, text=True)
        took = time.time() - start
        if run.returncode:
            return run.stderr.strip()
        before = checked(model)
        after = checked(out)
        if after and not before:
            return after
        try:
            old = session(model)
        except Exception:  # operators of nobody's
            return None
        x = feeds(folder, old.get_inputs())
        want = old.run(None, x)
        got = session(out).run(None, x)
    print(f"{folder.name}: {took:.2f} s, {run.stderr.strip()[-90:]}"
          f"{' (checker: ' + before + ')' if before else ''}", flush=True)
    return None if same(want, got) else "other outputs"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("onnx2c")
    args.add_argument("folder", nargs="+", type=pathlib.Path)
    args.add_argument("--steps", default="cleanup")
    args = args.parse_args()
    bad = 0
    for folder in args.folder:
        why = try_folder(args.onnx2c, folder, args.steps.split())
        if why:
            bad += 1
            print(f"{folder.name}: FAILED: {why}", flush=True)
    print(f"{len(args.folder)} networks, {bad} failures")
    sys.exit(bad > 0)


main()
