#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our time beside that of C which emx-onnx-cgen (PyPI) writes.

    peers.py --onnx2c FILE --emx FILE [--cc CC] [--target ARCH] [--runs K]
             MODEL...

Both are compiled for the same ARCH (x86-64: portable C) with -O3; all run-time
dimensions are 1. Prints least times in milliseconds, in turn, and theirs over
ours. Needs onnx and numpy. A model that the peer refuses is named.
"""
import argparse
import ctypes
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import onnx

NO_SIDE_FILE = str(1 << 40)  # bytes; weights stay in the C text


def pinned(path, to):
    model = onnx.load(path)
    graph = model.graph
    for v in [*graph.input, *graph.output, *graph.value_info]:
        for d in v.type.tensor_type.shape.dim:
            if d.dim_param:
                d.dim_value = 1
    onnx.save(model, to)
    return graph


def arrays(ports, rng):
    for p in ports:
        t = p.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(t.elem_type)
        shape = [d.dim_value for d in t.shape.dim]
        yield (10 * rng.standard_normal(shape)).astype(dtype)


def theirs(args, path, tmp):
    """A call of the peer's program, or None."""
    graph = pinned(path, tmp / "model.onnx")
    made = subprocess.run(
        [args.emx, "compile", "--large-weight-threshold", NO_SIDE_FILE,
         "--model-name", "peer", "model.onnx", "peer.c"],
        cwd=tmp, capture_output=True)
    built = made.returncode or subprocess.run(
        [args.cc, "-std=c99", "-O3", f"-march={args.target}", "-w", "-shared",
         "-fPIC", "peer.c", "-o", "peer.so", "-lm"], cwd=tmp).returncode
    if built:
        return None
    entry = ctypes.CDLL(str(tmp / "peer.so")).peer
    weights = {w.name for w in graph.initializer}
    inputs = [p for p in graph.input if p.name not in weights]
    data = list(arrays([*inputs, *graph.output], np.random.default_rng(1)))
    pointers = [d.ctypes.data_as(ctypes.c_void_p) for d in data]
    return lambda: entry(*pointers)


def least(call, runs):
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter_ns()
        call()
        best = min(best, time.perf_counter_ns() - start)
    return best / 1e6


def ours(args, path):
    done = subprocess.run(
        [args.onnx2c, "bench", "--json", "--cc", args.cc, "--target",
         args.target, "--runs", str(args.runs), str(path)],
        capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["min_ns"] / 1e6


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--emx", required=True)
    p.add_argument("--cc", default="gcc")
    p.add_argument("--target", default="x86-64")
    p.add_argument("--runs", type=int, default=20)
    p.add_argument("models", nargs="+", type=pathlib.Path)
    args = p.parse_args()
    print(f"{'ms, ' + args.target:24}{'onnx2c':>12}{'emx':>12}{'x':>8}")
    for path in args.models:
        path = path / "model.onnx" if path.is_dir() else path
        with tempfile.TemporaryDirectory() as tmp:
            call = theirs(args, path, pathlib.Path(tmp))
            if not call:
                print(f"{path.parent.name:24} the peer refuses it")
                continue
            best = [min(ours(args, path), ours(args, path)),
                    least(call, args.runs)]
            print(f"{path.parent.name:24}{best[0]:12.4f}{best[1]:12.4f}"
                  f"{best[1] / best[0]:8.1f}", flush=True)


if __name__ == "__main__":
    main()
