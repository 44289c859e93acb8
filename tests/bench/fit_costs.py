#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the rows of codegen/cpu/costs.def on this machine.

    fit_costs.py --onnx2c FILE [--cc CC] MODEL...

Profiles every model at each x86-64 level, and prints for each template the
multiplications a nanosecond of its steps that have many for each byte, and the
bytes a nanosecond of those that have few: the work of all such steps over
their time. 0 multiplications: the template's steps are not counted in any.
Look at the rows before they go into the file: few steps tell little.
"""
import argparse
import collections
import json
import pathlib
import subprocess

LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
INTENSE = 2.0  # multiplications a byte; below, memory is what counts


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def steps_of(args, path, level):
    flags = ["--target", level]
    if level == "x86-64-v4":
        flags.append("--cflags=-mavx512vnni")
    if args.cc:
        flags += ["--cc", args.cc]
    known = {s["name"]: s
             for s in call(args.onnx2c, "info", "--json", path)["steps"]}
    report = call(args.onnx2c, "bench", "--profile", "--json", *flags, path)
    for row in report["steps"]:
        step = known.get(row["step"])
        if step and "bytes" in step and row["min_ns"] > 0:
            yield step["template"], step["macs"], step["bytes"], row["min_ns"]


def rates(rows):
    work = [(m, ns) for m, b, ns in rows if m >= INTENSE * b]
    move = [(b, ns) for m, b, ns in rows if m < INTENSE * b]
    return [sum(n for n, _ in part) / sum(ns for _, ns in part) if part else 0
            for part in (work, move)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--cc")
    p.add_argument("models", nargs="+", type=pathlib.Path)
    args = p.parse_args()
    seen = {level: collections.defaultdict(list) for level in LEVELS}
    for path in args.models:
        for level in LEVELS:
            for template, macs, size, ns in steps_of(args, path, level):
                seen[level][template].append((macs, size, ns))
    every = {level: [r for rows in seen[level].values() for r in rows
                     if not r[0]] for level in LEVELS}
    table = {"OTHER": [rates(every[level]) for level in LEVELS]}
    for template in sorted({t for level in LEVELS for t in seen[level]}):
        table[template] = [rates(seen[level][template]) for level in LEVELS]
    for template, row in table.items():
        numbers = [f"{r[k]:.3g}" for k in (0, 1) for r in row]
        print(f"COST({template}, {', '.join(numbers)})")


if __name__ == "__main__":
    main()
