#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What another busy process on the same cores costs us, and onnxruntime.

    neighbour.py --onnx2c FILE [--cc CC] [--rounds R] [--runs K] MODEL...

T is the number of cores that this process may use. One process beside it never
sleeps. Prints medians in milliseconds of one thread alone, T alone, one and T
beside the neighbour, and what T threads took there over two fair shares:

    process   two processes want T cores: T / 2 cores for us
    thread    T + 1 threads want T cores: T * T / (T + 1) cores for us

1.00 is ideal, and what is above it is lost by waiting for each other. The kinds
of runs take turns.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import bench

BUSY = [sys.executable, "-c", "while True: pass"]
CORES = len(os.sched_getaffinity(0))


def contestants(argv, path, tmp):
    """By name: one thread, and as many as there are cores."""
    for threads in (1, CORES):
        args = bench.arguments([*argv, "--threads", str(threads), str(path)])
        folder = tmp / str(threads)
        ours = bench.Ours(args, path, args.cc[0], folder)
        yield "onnx2c", threads, ours
        yield "ort", threads, bench.Onnxruntime(args, path,
                                                folder / "bench.job")


def medians(argv, path, tmp, rounds):
    took = {}
    runs = list(contestants(argv, path, tmp))
    for _ in range(rounds):
        for name, threads, c in runs:
            took.setdefault((name, threads, 0), []).extend(c.times()[0])
        busy = subprocess.Popen(BUSY)
        try:
            for name, threads, c in runs:
                took.setdefault((name, threads, 1), []).extend(c.times()[0])
        finally:
            busy.kill()
            busy.wait()
    return {k: statistics.median(t) for k, t in took.items()}


def main():
    args = bench.arguments()
    argv = ["--onnx2c", args.onnx2c, "--cc", args.cc[0], "--runs",
            str(args.runs)]
    heads = ["1 alone", f"{CORES} alone", "1 beside", f"{CORES} beside",
             "process", "thread"]
    print(f"{'ms, threads':24}{'':8}", *(f"{h:>10}" for h in heads))
    with tempfile.TemporaryDirectory() as root:
        bench.Onnxruntime.build(args, pathlib.Path(root))
        for path in args.models:
            path = path / "model.onnx" if path.is_dir() else path
            with tempfile.TemporaryDirectory() as tmp:
                t = medians(argv, path, pathlib.Path(tmp), args.rounds)
            for name in ("onnx2c", "ort"):
                ms = [t[name, threads, near] for near in (0, 1)
                      for threads in (1, CORES)]
                over = [ms[3] / ms[0] * cores
                        for cores in (CORES / 2, CORES**2 / (CORES + 1))]
                print(f"{path.parent.name:24}{name:8}",
                      *(f"{v:10.3f}" for v in ms),
                      *(f"{v:10.2f}" for v in over), flush=True)


if __name__ == "__main__":
    main()
