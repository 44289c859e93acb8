#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""RNN, GRU and LSTM against the equations of the ONNX operators.

    recurrent.py ONNX2C

Networks of one operator for each direction, layout, with and without lengths,
biases, states, peepholes, clip and other activations, weights baked in or
given at run time; and LSTM of one row, in blocks of steps. The outputs are
computed here, in double, step by step.
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUTS = 3
SIZES = 5, 18      # steps, hidden units
BLOCKS = 40, 32    # for lstm_f32.h
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softsign(x):
    return x / (1 + abs(x))


class Cell:
    """One direction; `d` picks its part of each operand."""

    def __init__(self, op, attrs, v, d):
        self.op, self.attrs = op, attrs
        self.w, self.r = v["W"][d], v["R"][d]
        b = v.get("B")
        self.wb, self.rb = (0, 0) if b is None else np.split(b[d], 2)
        self.p = v["P"][d].reshape(3, -1) if "P" in v else np.zeros((3, 1))
        self.clip = attrs.get("clip", np.inf)
        odd = "activations" in attrs
        self.f = softsign if odd else sigmoid
        self.g = np.tanh

    def act(self, f, x):
        return f(np.clip(x, -self.clip, self.clip))

    def step(self, x, h, c):
        wx, rh = self.w @ x + self.wb, self.r @ h + self.rb
        if self.op == "RNN":
            return self.act(self.g, wx + rh), c
        if self.op == "GRU":
            return self.gru(wx, rh, h), c
        i, o, f, g = np.split(wx + rh, 4)
        i = self.act(self.f, i + self.p[0] * c)
        f = self.act(self.f, f + self.p[2] * c)
        c = f * c + i * self.act(self.g, g)
        return self.act(self.f, o + self.p[1] * c) * self.act(self.g, c), c

    def gru(self, wx, rh, h):
        n = len(h)
        z = self.act(self.f, wx[:n] + rh[:n])
        r = self.act(self.f, wx[n:2 * n] + rh[n:2 * n])
        if self.attrs.get("linear_before_reset"):
            hidden = r * rh[2 * n:]
        else:
            rb = self.rb[2 * n:] if np.ndim(self.rb) else 0
            hidden = self.r[2 * n:] @ (r * h) + rb
        return (1 - z) * self.act(self.g, wx[2 * n:] + hidden) + z * h


def answer(op, attrs, v):
    """Y [steps, dirs, rows, H], Y_h and Y_c [dirs, rows, H]; layout 0."""
    x = v["X"].astype(np.float64)
    v = {k: a.astype(np.float64) if k != "lens" else a for k, a in v.items()}
    dirs, (steps, rows), hidden = len(v["W"]), x.shape[:2], v["R"].shape[2]
    y = np.zeros((steps, dirs, rows, hidden))
    yh, yc = np.zeros((2, dirs, rows, hidden))
    for d, i in itertools.product(range(dirs), range(rows)):
        cell = Cell(op, attrs, v, d)
        h = v["h0"][d, i] if "h0" in v else np.zeros(hidden)
        c = v["c0"][d, i] if "c0" in v else np.zeros(hidden)
        n = v["lens"][i] if "lens" in v else steps
        back = attrs["direction"] == "reverse" or d
        for t in reversed(range(n)) if back else range(n):
            h, c = cell.step(x[t, i], h, c)
            y[t, d, i] = h
        yh[d, i], yc[d, i] = h, c
    return y, yh, yc


def operands(op, rng, dirs, rows, parts, sizes):
    steps, hidden = sizes
    gh = GATES[op] * hidden

    def noise(*shape):
        return (rng.standard_normal(shape) * 0.5).astype(np.float32)
    v = {"X": noise(steps, rows, INPUTS), "W": noise(dirs, gh, INPUTS),
         "R": noise(dirs, gh, hidden)}
    if "B" in parts:
        v["B"] = noise(dirs, 2 * gh)
    if "lens" in parts:
        v["lens"] = rng.integers(0, steps + 1, rows).astype(np.int32)
    if "state" in parts:
        v["h0"] = noise(dirs, rows, hidden)
        if op == "LSTM":
            v["c0"] = noise(dirs, rows, hidden)
    if "P" in parts and op == "LSTM":
        v["P"] = noise(dirs, 3 * hidden)
    return v


def write(folder, op, attrs, v, outputs, baked):
    names = ["X", "W", "R", "B", "lens", "h0", "c0", "P"]
    if op != "LSTM":
        names = names[:6]
    if attrs.get("layout"):
        turn = {"X": v["X"].swapaxes(0, 1)}
        turn |= {k: v[k].swapaxes(0, 1) for k in ("h0", "c0") if k in v}
        v = v | turn
        outputs = [outputs[0].transpose(2, 0, 1, 3),
                   *(o.swapaxes(0, 1) for o in outputs[1:])]
    fixed = [k for k in ("W", "R", "B", "P") if k in v and baked]
    fed = [k for k in names if k in v and k not in fixed]
    result = ["Y", "Y_h", "Y_c"][:len(outputs)]
    node = helper.make_node(op, [k if k in v else "" for k in names], result,
                            hidden_size=v["R"].shape[2], **attrs)

    def info(name, a):
        kind = TensorProto.INT32 if name == "lens" else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, a.shape)
    graph = helper.make_graph(
        [node], op, [info(k, v[k]) for k in fed],
        [info(k, a) for k, a in zip(result, outputs)],
        [numpy_helper.from_array(v[k], k) for k in fixed])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for what, pairs in (("input", [(k, v[k]) for k in fed]),
                        ("output", list(zip(result, outputs)))):
        for j, (name, a) in enumerate(pairs):
            a = np.ascontiguousarray(a if name == "lens"
                                     else a.astype(np.float32))
            (data / f"{what}_{j}.pb").write_bytes(
                numpy_helper.from_array(a, name).SerializeToString())


def cases():
    parts = ((), ("B",), ("B", "lens", "state"), ("B", "state", "P"))
    for op, direction, layout, have, baked in itertools.product(
            GATES, ("forward", "reverse", "bidirectional"), (0, 1), parts,
            (True, False)):
        attrs = {"direction": direction}
        if layout:
            attrs["layout"] = 1
        for linear in (0, 1) if op == "GRU" else (0,):
            if linear:
                attrs = attrs | {"linear_before_reset": 1}
            yield op, attrs, have, baked, SIZES
    for op in GATES:
        yield op, {"direction": "forward", "clip": 0.3}, ("B",), True, SIZES
    dirs = {"direction": "bidirectional"}
    yield "GRU", dirs | {"activations": ["Softsign", "Tanh"] * 2}, \
        ("B",), True, SIZES
    yield "LSTM", dirs | {"activations": ["Softsign", "Tanh", "Tanh"] * 2}, \
        ("B",), True, SIZES
    for direction, layout, have in itertools.product(
            ("forward", "reverse", "bidirectional"), (0, 1), parts[:3]):
        yield "LSTM", {"direction": direction, "layout": layout}, have, True, \
            BLOCKS


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as root:
        folders = []
        for i, (op, attrs, have, baked, sizes) in enumerate(cases()):
            dirs = 2 if attrs["direction"] == "bidirectional" else 1
            v = operands(op, rng, dirs, (1, 4)[i % 2 and sizes == SIZES],
                         have, sizes)
            outputs = answer(op, attrs, v)[:3 if op == "LSTM" else 2]
            folders.append(pathlib.Path(root) / f"{op}_{i}")
            write(folders[-1], op, attrs, v, outputs, baked)
        done = subprocess.run([sys.argv[1], "verify", "--rtol", "1e-4",
                               "--atol", "1e-5", "--cflags=-O2", *folders])
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
