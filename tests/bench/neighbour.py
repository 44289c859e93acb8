#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What another busy process on the same cores costs us, and onnxruntime.

    neighbour.py --onnx2c FILE [--cc CC] [--rounds R] [--runs K] MODEL...

With T threads on T cores (all that this process may use) and one process beside
them that never sleeps, T + 1 threads want T cores. A fair share is then T / (T +
1) of a core for each of our threads: T * T / (T + 1) cores, so a run should take
as long as one thread alone, divided by that. Prints medians in milliseconds of
one thread alone, T alone, T beside the neighbour, and the last one over the fair
share: 1.00 is ideal, and what is above it is lost by waiting for each other.
The four kinds of runs take turns.
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
                if threads > 1:
                    took.setdefault((name, threads, 1), []).extend(
                        c.times()[0])
        finally:
            busy.kill()
            busy.wait()
    return {k: statistics.median(t) for k, t in took.items()}


def main():
    args = bench.arguments()
    argv = ["--onnx2c", args.onnx2c, "--cc", args.cc[0], "--runs",
            str(args.runs)]
    print(f"{'ms, ' + str(CORES) + ' cores':24}{'':8}{'1 thread':>12}"
          f"{str(CORES) + ' threads':>12}{'neighbour':>12}{'over fair':>12}")
    with tempfile.TemporaryDirectory() as root:
        bench.Onnxruntime.build(args, pathlib.Path(root))
        for path in args.models:
            path = path / "model.onnx" if path.is_dir() else path
            with tempfile.TemporaryDirectory() as tmp:
                t = medians(argv, path, pathlib.Path(tmp), args.rounds)
            for name in ("onnx2c", "ort"):
                one, all_, near = (t[name, 1, 0], t[name, CORES, 0],
                                   t[name, CORES, 1])
                fair = one * (CORES + 1) / CORES**2
                print(f"{path.parent.name:24}{name:8}{one:12.3f}{all_:12.3f}"
                      f"{near:12.3f}{near / fair:12.2f}", flush=True)


if __name__ == "__main__":
    main()
