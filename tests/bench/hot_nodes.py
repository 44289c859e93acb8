#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nodes that run on a reference kernel and take too much of a model's time.

    hot_nodes.py --onnx2c FILE [--limit SHARE] [--runs K] [--cc CC]
                 [--dim S=V]... [--set N] [--allow OPERATOR]... MODEL...

MODEL is a .onnx file or a folder with model.onnx; where test_data_set_0 lies
beside it, its inputs are used, or with --set those of test_data_set_N.
A line for each model says how long it takes, how much of that on reference
kernels, and its hottest such node. Below stand the nodes over --limit (0.05 of
the model's time); with any, the exit code is 1.
Operators named by --allow may be slow. A model that onnx2c does not support is
named and skipped; any other failure ends with exit code 2.
"""
import argparse
import json
import pathlib
import subprocess
import sys

UNSUPPORTED = 3  # exit code of onnx2c


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--limit", type=float, default=0.05)
    p.add_argument("--runs", type=int, default=20)
    p.add_argument("--cc")
    p.add_argument("--dim", action="append", default=[], metavar="S=V")
    p.add_argument("--set", type=int, default=0, metavar="N")
    p.add_argument("--allow", action="append", default=[], metavar="OPERATOR")
    p.add_argument("models", nargs="+", type=pathlib.Path)
    return p.parse_args()


def profile(args, path):
    """What bench --profile says; None: not supported."""
    command = [args.onnx2c, "bench", str(path), "--profile", "--json",
               "--runs", str(args.runs)]
    data = path.parent / f"test_data_set_{args.set}"
    if data.is_dir():
        command += ["--data", str(data)]
    if args.cc:
        command += ["--cc", args.cc]
    for dim in args.dim:
        command += ["--dim", dim]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == UNSUPPORTED:
        return None
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        sys.exit(2)
    return json.loads(done.stdout)


def reference_steps(args, steps):
    return [s for s in steps
            if s["reference"] and s["operator"] not in args.allow]


def print_model(name, result, slow):
    total = result["min_ns"] / 1e6
    share = sum(s["share"] for s in slow)
    first = slow[0] if slow else None
    hottest = (f"{first['share']:6.1%} {first['operator']} "
               f"({first['kernel']}) {first['step']}" if first else "")
    print(f"{name:42} {total:10.3f} ms {share:6.1%} {hottest}", flush=True)


def main():
    args = arguments()
    hot = []
    for path in args.models:
        if path.is_dir():
            path = path / "model.onnx"
        name = path.parent.name if path.name == "model.onnx" else path.stem
        result = profile(args, path)
        if result is None:
            print(f"{name:42} is not supported", flush=True)
            continue
        slow = reference_steps(args, result["steps"])
        print_model(name, result, slow)
        hot += [(name, s) for s in slow if s["share"] > args.limit]
    print(f"\n{len(hot) or 'no'} node{'' if len(hot) == 1 else 's'} on a "
          f"reference kernel over {args.limit:.0%} of a model's time")
    for name, s in hot:
        print(f"  {name}: node {s['node']} {s['operator']} ({s['kernel']}), "
              f"{s['share']:.1%}, {s['min_ns'] / 1e6:.4f} ms, {s['output']}")
    sys.exit(1 if hot else 0)


if __name__ == "__main__":
    main()
