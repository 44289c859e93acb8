#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our time beside onnxruntime's, one thread, interleaved in one run.

    bench.py --onnx2c FILE [--cc CC]... [--cflags FLAGS] [--batch N]
             [--dim S=V]... [--data] [--rounds R] [--runs K]
             [--json FILE] [--svg FILE] MODEL...

MODEL is a .onnx file or a folder with model.onnx. Every round runs each
program, then onnxruntime, K times after a warm-up; the table shows the least
time of all rounds, in milliseconds, and onnxruntime's over ours: above 1 we
are faster. --json writes least and median of all runs, --svg draws the ratios.
Inputs are random, or with --data the first test data set beside
the model, which also says the sizes: what a model does may depend on them.
Needs onnx, onnxruntime and numpy (tests/requirements.txt).
"""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16,
         "tensor(int64)": np.int64, "tensor(bool)": np.bool_,
         "tensor(int32)": np.int32, "tensor(uint8)": np.uint8,
         "tensor(int8)": np.int8, "tensor(double)": np.float64}
WARM_UP = 0.2  # seconds, as the driver's


def first_set(path):
    return path.parent / "test_data_set_0"


def read_inputs(path, inputs):
    """The first data set's inputs by name; a file without one is input j."""
    for j, i in enumerate(inputs):
        tensor = onnx.load_tensor(first_set(path) / f"input_{j}.pb")
        yield tensor.name or i.name, onnx.numpy_helper.to_array(tensor)


class Ours:
    """The program that `onnx2c bench --save` leaves, and its job file."""

    def __init__(self, args, path, cc, folder):
        self.name, self.folder = cc or "onnx2c", folder
        command = [args.onnx2c, "bench", str(path), "--save", str(folder),
                   "--batch", str(args.batch), "--runs", str(args.runs)]
        command += ["--cc", cc] if cc else []
        command += [f"--cflags={args.cflags}"] if args.cflags else []
        command += ["--data", str(first_set(path))] if args.data else []
        done = subprocess.run(command + args.dim, capture_output=True,
                              text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")

    def times(self):
        out = self.folder / "times"
        subprocess.run([self.folder / "bench", self.folder / "bench.job", out],
                       check=True, stderr=subprocess.DEVNULL)
        data = out.read_bytes()
        kind, = struct.unpack_from("=q", data, 16)
        count, = struct.unpack_from("=q", data, 40)
        if data[:8] != b"O2CRSLT1" or kind or not count:
            sys.exit(f"{self.folder}/bench gave no times")
        return [t / 1e6 for t in struct.unpack_from(f"={count}q", data, 48)]


class Theirs:
    name = "onnxruntime"

    def __init__(self, args, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"])
        self.runs = args.runs
        self.binding = self.session.io_binding()
        inputs = self.session.get_inputs()
        pairs = read_inputs(path, inputs) if args.data \
            else self.random_inputs(args, inputs)
        for name, values in pairs:
            self.binding.bind_cpu_input(name, values)
        for o in self.session.get_outputs():
            self.binding.bind_output(o.name)

    @staticmethod
    def random_inputs(args, inputs):
        sizes = dict(d.split("=") for d in args.dim[1::2])
        rng = np.random.default_rng(1)
        for i in inputs:
            shape = [d if isinstance(d, int) else
                     int(sizes.get(d, args.batch if not k else 1))
                     for k, d in enumerate(i.shape)]
            dtype = TYPES[i.type]
            yield i.name, (rng.standard_normal(shape).astype(dtype)
                           if np.issubdtype(dtype, np.floating)
                           else rng.integers(0, 2, shape).astype(dtype))

    def times(self):
        end = time.monotonic() + WARM_UP
        while time.monotonic() < end:
            self.session.run_with_iobinding(self.binding)
        took = []
        for _ in range(self.runs):
            start = time.perf_counter_ns()
            self.session.run_with_iobinding(self.binding)
            took.append((time.perf_counter_ns() - start) / 1e6)
        return took


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--cc", action="append")
    p.add_argument("--cflags")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--dim", action="append", default=[], metavar="S=V")
    p.add_argument("--data", action="store_true")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--runs", type=int, default=20)
    p.add_argument("--json", type=pathlib.Path, metavar="FILE")
    p.add_argument("--svg", type=pathlib.Path, metavar="FILE")
    p.add_argument("models", nargs="+", type=pathlib.Path)
    args = p.parse_args()
    args.dim = [word for d in args.dim for word in ("--dim", d)]
    return args


def bench(args, path, tmp):
    name = path.parent.name if path.name == "model.onnx" else path.stem
    programs = [Ours(args, path, cc, tmp / f"{name}-{k}")
                for k, cc in enumerate(args.cc)]
    contestants = [*programs, Theirs(args, path)]
    times = [[] for _ in contestants]
    for _ in range(args.rounds):
        for t, c in zip(times, contestants):
            t += c.times()
    best = [min(t) for t in times]
    ratios = [best[-1] / b for b in best[:-1]]
    print(f"{name:24}", *(f"{b:12.4f}" for b in best),
          *(f"{r:10.2f}" for r in ratios), flush=True)
    return {"model": name, "batch": args.batch, "dims": args.dim[1::2],
            "ms": {c.name: {"min": min(t), "median": statistics.median(t),
                            "runs": len(t)}
                   for c, t in zip(contestants, times)},
            "ratio": dict(zip((c.name for c in programs), ratios))}


def svg(rows):
    """Bars of onnxruntime's time over ours; the line is where they are equal.
    """
    bars = [(r["model"], cc, x) for r in rows for cc, x in r["ratio"].items()]
    unit = 400 / max(2.0, *(x for _, _, x in bars))
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="660" '
           f'height="{18 * len(bars) + 10}" font-family="sans-serif" '
           'font-size="12">')
    for k, (model, cc, x) in enumerate(bars):
        y = 18 * k + 5
        colour = "#4a7" if x >= 1 else "#c64"
        yield (f'<text x="0" y="{y + 12}">{model}, {cc}</text>'
               f'<rect x="200" y="{y}" width="{x * unit:.1f}" height="14" '
               f'fill="{colour}"/>'
               f'<text x="{205 + x * unit:.1f}" y="{y + 12}">{x:.2f}</text>')
    yield (f'<line x1="{200 + unit:.1f}" x2="{200 + unit:.1f}" y1="0" '
           f'y2="{18 * len(bars) + 10}" stroke="black"/></svg>')


def main():
    args = arguments()
    args.cc = args.cc or ["gcc", "clang"]
    print(f"{'ms, batch ' + str(args.batch):24}",
          *(f"{c:>12}" for c in [*args.cc, "onnxruntime"]),
          *(f"{'x ' + c:>10}" for c in args.cc))
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for path in args.models:
            if path.is_dir():
                path = path / "model.onnx"
            rows.append(bench(args, path, pathlib.Path(tmp)))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    if args.svg:
        args.svg.write_text("\n".join(svg(rows)) + "\n")


if __name__ == "__main__":
    main()
