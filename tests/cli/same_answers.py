#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do two models give the same answers in onnxruntime? Both must pass the ONNX
checker.

    same_answers.py A B [--rtol R] [--atol A] [--dim NAME=N]... [--data DIR]
    same_answers.py LIST       a line of LIST: the arguments of one comparison

Inputs are drawn, or read from DIR/input_<i>.pb. Symbolic dimensions are 3, or
what --dim says. `atol` is a part of the largest value. Outputs are compared in
order; names may differ.
"""
import argparse
import os
import re
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

ap = argparse.ArgumentParser()
ap.add_argument("a")
ap.add_argument("b")
ap.add_argument("--rtol", type=float, default=2e-5)
ap.add_argument("--atol", type=float, default=2e-6)
ap.add_argument("--dim", action="append", default=[])
ap.add_argument("--data")


def draw(x, rng, dims):
    shape = [d if isinstance(d, int) else dims.get(d, 3) for d in x.shape]
    word = re.match(r"tensor\((\w+)\)", x.type).group(1)
    if word == "string":
        return np.full(shape, "text", object)
    if word in ("float", "double", "float16"):
        kind = {"float": np.float32, "double": np.float64}.get(word, np.float16)
        return rng.standard_normal(shape).astype(kind)
    return rng.integers(0, 2, shape).astype(np.dtype(word))


def feeds(session, opt):
    rng = np.random.default_rng(7)
    inputs = session.get_inputs()
    dims = {d.split("=")[0]: int(d.split("=")[1]) for d in opt.dim}
    if not opt.data:
        return [draw(x, rng, dims) for x in inputs]
    read = []
    for i in range(len(inputs)):
        with open(os.path.join(opt.data, f"input_{i}.pb"), "rb") as f:
            read.append(numpy_helper.to_array(
                onnx.TensorProto.FromString(f.read())))
    return read


def run(path, opt, given=None):
    onnx.checker.check_model(path)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    s = ort.InferenceSession(path, options,
                             providers=["CPUExecutionProvider"])
    given = feeds(s, opt) if given is None else given
    names = [x.name for x in s.get_inputs()]
    return s.run(None, dict(zip(names, given))), given


def flat(values):
    """The numbers and words of maps and lists of maps, in order."""
    out = []
    for v in values:
        if isinstance(v, list):
            out += flat(v)
        elif isinstance(v, dict):
            out += [np.array(list(v.keys())), np.array(list(v.values()))]
        else:
            out.append(v)
    return out


def compare(words):
    """True where they differ."""
    opt = ap.parse_args(words)
    want, given = run(opt.a, opt)
    got, _ = run(opt.b, opt, given)
    want, got = flat(want), flat(got)
    bad = len(want) != len(got)
    worst = 0.0
    for w, g in zip(want, got):
        if w.shape != g.shape or w.dtype != g.dtype:
            print(f"{w.dtype} {w.shape} and {g.dtype} {g.shape}")
            bad = True
        elif w.dtype.kind == "f" and w.size:
            top = np.max(np.abs(w[np.isfinite(w)]), initial=0)
            ok = np.isclose(g, w, opt.rtol, opt.atol * top, equal_nan=True)
            off = float(np.nanmax(np.abs(g - w)))
            worst = max(worst, off / max(top, 1e-30))
            bad |= not ok.all()
        else:
            bad |= not np.array_equal(w, g)
    print(f"{opt.b}: {'DIFFERS' if bad else 'same'}, {worst:.2e} of the "
          "largest")
    return bad


if len(sys.argv) > 2:
    sys.exit(compare(sys.argv[1:]))
with open(sys.argv[1]) as f:
    sys.exit(any([compare(line.split()) for line in f]))
