#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Start-up of generated programs, beside onnxruntime's.

    startup.py --onnx2c ONNX2C [--cc CC] [--rounds N] MODEL.onnx...

For onnx2c: from the start of the process (fork and exec of it included) to its
first output, less the least time of a later run. For onnxruntime: making the
session and its first run, less the least time of a later run; not the import of
Python modules. The files are in the page cache. Prints the median and the least
of the rounds, in milliseconds.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ORT = """
import sys, time
import numpy as np
import onnxruntime as ort
o = ort.SessionOptions()
o.intra_op_num_threads = o.inter_op_num_threads = 1
begin = time.perf_counter()
s = ort.InferenceSession(sys.argv[1], o, providers=["CPUExecutionProvider"])
types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
feed = {i.name: np.zeros([d if isinstance(d, int) else 1 for d in i.shape],
                         types.get(i.type, np.uint8)) for i in s.get_inputs()}
s.run(None, feed)
first = time.perf_counter() - begin
least = first
for _ in range(5):
    begin = time.perf_counter()
    s.run(None, feed)
    least = min(least, time.perf_counter() - begin)
print((first - least) * 1e3)
"""


def build(args, model, folder):
    """The program of a model."""
    subprocess.run([args.onnx2c, model, "-o", folder / "net.c", "--bundle",
                    "-q"], check=True)
    weights = [w for w in [folder / "net.weights.o"] if w.exists()]
    program = folder / "net"
    subprocess.run([args.cc, "-std=c99", "-O3", "-march=native",
                    "-DMODEL=net_model", f"-I{folder}", f"-I{ROOT / 'tests'}",
                    HERE / "startup.c", folder / "net.c", *weights, "-lm",
                    "-o", program], check=True)
    return program


def ours(program):
    begin = time.monotonic_ns()
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    first, least = map(int, done.stdout.split())
    return (first - begin - least) / 1e6


def theirs(model):
    done = subprocess.run([sys.executable, "-c", ORT, model], check=True,
                          capture_output=True, text=True)
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--onnx2c", required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    for model in args.models:
        with tempfile.TemporaryDirectory() as name:
            program = build(args, model, pathlib.Path(name))
            ours(program)
            a = [ours(program) for _ in range(args.rounds)]
            b = [theirs(model) for _ in range(min(args.rounds, 3))]
        print(f"{model}: onnx2c {statistics.median(a):.2f} ms (least "
              f"{min(a):.2f}), onnxruntime {statistics.median(b):.2f} ms",
              flush=True)


if __name__ == "__main__":
    main()
