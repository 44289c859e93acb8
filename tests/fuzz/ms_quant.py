#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quantised operators of com.microsoft against onnxruntime.

    ms_quant.py --onnx2c FILE [--seed S] [--rounds N] [--op NAME...]

A round draws each operator with random types, shapes, attributes and optional
inputs. The draws of an operator are one model for `onnx2c run`; expected are
the answers of onnxruntime, for each draw alone. QLinear operators may
differ by one step, where onnxruntime multiplies by quotients of scales. Exit
code 1 after a mismatch.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft"
U8, I8 = np.uint8, np.int8


class Draws:
    """What one round draws from."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def bytes(self, kind, *shape):
        low = 0 if kind == U8 else -128
        return self.rng.integers(low, low + 256, shape).astype(kind)

    def scale(self, *shape):
        return self.rng.uniform(0.005, 0.05, shape).astype(np.float32)

    def floats(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]


def binary(d, kind):
    a, b = d.pick(((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 9)))
    return [d.bytes(kind, *a), d.scale(), d.bytes(kind), d.bytes(kind, *b),
            d.scale(), d.bytes(kind), d.scale(), d.bytes(kind)], {}


def unary(d, kind):
    return [d.bytes(kind, 3, 20), d.scale(), d.bytes(kind), d.scale(),
            d.bytes(kind)], {}


def leaky(d, kind):
    return unary(d, kind)[0], {"alpha": d.pick(0.01, 0.3)}


def softmax(d, kind):
    low = np.array(0 if kind == U8 else -128, kind)
    return ([d.bytes(kind, 2, 3, 5), d.scale(), d.bytes(kind),
             np.float32(d.pick(1 / 256, 0.013)), low],
            {"opset": d.pick(11, 13), "axis": d.pick(-1, 1, 2)})


def where(d, kind):
    return [d.rng.random((2, 1)) < 0.5, d.bytes(kind, 2, 3), d.scale(),
            d.bytes(kind), d.bytes(kind, 3), d.scale(), d.bytes(kind),
            d.scale(), d.bytes(kind)], {}


def concat(d, kind):
    return [d.scale(), d.bytes(kind), d.bytes(kind, 2, 3), d.scale(),
            d.bytes(kind), d.bytes(kind, 2, 5), d.scale(), d.bytes(kind)], {
                "axis": d.pick(1, -1)}


def image(d, kind, last):
    return d.bytes(kind, *((2, 7, 6, 5) if last else (2, 5, 7, 6)))


def average(d, kind):
    last = d.pick(0, 1)
    more = d.pick({}, {"pads": [1, 0, 1, 1], "strides": [2, 2]},
                  {"pads": [1, 1, 1, 1], "count_include_pad": 1},
                  {"strides": [2, 2], "ceil_mode": 1})
    return [image(d, kind, last), d.scale(), d.bytes(kind), d.scale(),
            d.bytes(kind)], {"channels_last": last, "kernel_shape": [3, 2],
                             **more}


def global_average(d, kind):
    last = d.pick(0, 1)
    return [image(d, kind, last), d.scale(), d.bytes(kind), d.scale(),
            d.bytes(kind)], {"channels_last": last}


def conv(d, kind):
    last = d.pick(0, 1)
    return [image(d, U8, last), d.scale(), d.bytes(U8),
            d.bytes(I8, 4, 5, 3, 3), d.scale(), np.int8(0), np.float32(5),
            d.bytes(U8), d.rng.integers(-999, 999, 4).astype(np.int32)], {
                "channels_last": last, "pads": [1, 1, 1, 1]}


def to_float(d, kind):
    a, b = d.pick(((3, 20), (20, 7)), ((2, 3, 20), (20, 7)),
                  ((2, 3, 20), (2, 20, 7)))
    return [d.bytes(U8, *a), d.bytes(kind, *b), d.scale(), d.scale(),
            d.pick(None, d.bytes(U8)), d.pick(None, d.bytes(kind)),
            d.pick(None, d.floats(7))], {}


def dynamic(d, kind):
    return [d.floats(2, 3, 20), d.bytes(kind, 20, 7),
            d.pick(d.scale(), d.scale(7)), None,
            d.pick(None, d.floats(7))], {}


def gemm(d, kind):
    ta, tb, many = d.pick(0, 1), d.pick(0, 1), d.pick(0, 1)
    bias = d.pick(None, (9,), (1, 9), (6, 1), (6, 9))
    y = d.pick(0, 1)
    return [d.bytes(U8, *((20, 6) if ta else (6, 20))), d.scale(),
            d.bytes(U8), d.bytes(kind, *((9, 20) if tb else (20, 9))),
            d.scale(9) if many else d.scale(),
            d.bytes(kind, 9) if many else d.bytes(kind),
            bias and d.rng.integers(-999, 999, bias).astype(np.int32),
            np.float32(1.5) if y else None, d.bytes(U8) if y else None], {
                "transA": ta, "transB": tb, "alpha": d.pick(1.0, 0.5)}


def nbits(d, kind):
    bits, k, n, block = d.pick(2, 4, 8), d.pick(32, 50), 9, d.pick(16, 32)
    blocks = -(-k // block)
    zero = d.pick(None, d.bytes(U8, n * -(-blocks * bits // 8)))
    return [d.floats(2, 3, k), d.bytes(U8, n, blocks, block * bits // 8),
            d.scale(n * blocks), zero, None, d.pick(None, d.floats(n))], {
                "K": k, "N": n, "bits": bits, "block_size": block}


def linear(d, kind):
    kind = d.pick(U8, I8, np.uint16, np.int16)
    return [d.floats(3, 9), d.scale(3), np.array([1, 2, 3], kind)], {"axis": 0}


def lstm(d, kind):
    dirs, n, k, h = d.pick(1, 2), d.pick(1, 3), 5, d.pick(3, 16)
    way = "bidirectional" if dirs == 2 else d.pick("forward", "reverse")
    columns = (dirs, 4 * h) if d.pick(0, 1) else (dirs,)
    zero = np.full(columns, 0 if kind == I8 else 128, kind)
    lens = d.pick(None, d.rng.integers(0, 5, n).astype(np.int32))
    state = d.pick((None, None), (d.floats(dirs, n, h), d.floats(dirs, n, h)))
    return [d.floats(4, n, k), d.bytes(kind, dirs, k, 4 * h),
            d.bytes(kind, dirs, h, 4 * h),
            d.pick(None, d.floats(dirs, 8 * h)), lens, *state,
            d.pick(None, d.floats(dirs, 3 * h)), d.scale(*columns) / 4, zero,
            d.scale(*columns) / 4, zero], {"direction": way, "hidden_size": h}


# Operator: what draws it, and how far its results may be: bytes are compared
# by steps, floats relative to the largest.
OPERATORS = {
    "QLinearAdd": (binary, 1), "QLinearMul": (binary, 1),
    "QLinearSigmoid": (unary, 1), "QLinearLeakyRelu": (leaky, 1),
    "QLinearSoftmax": (softmax, 1), "QLinearWhere": (where, 1),
    "QLinearConcat": (concat, 1), "QLinearAveragePool": (average, 1),
    "QLinearGlobalAveragePool": (global_average, 1), "QLinearConv": (conv, 0),
    "MatMulIntegerToFloat": (to_float, 1e-5),
    "DynamicQuantizeMatMul": (dynamic, 1e-5), "QGemm": (gemm, 1e-5),
    "MatMulNBits": (nbits, 1e-4), "QuantizeLinear": (linear, 0),
    "DynamicQuantizeLSTM": (lstm, 1e-5),
}


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        ["CPUExecutionProvider"])


def model_of(nodes, inputs, constants, outputs):
    infos = [helper.make_tensor_value_info(
        k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for k, v in inputs.items()]
    graph = helper.make_graph(nodes, "g", infos, outputs, [
        numpy_helper.from_array(v, k) for k, v in constants.items()])
    return helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)])


def draw(op, d, prefix):
    """A node, its inputs, constants, outputs and onnxruntime's answers."""
    values, attrs = OPERATORS[op][0](d, d.pick(U8, I8))
    names = ["" if v is None else f"{prefix}i{k}"
             for k, v in enumerate(values)]
    while not names[-1]:
        names.pop()
    given = {n: np.asarray(v) for n, v in zip(names, values) if n}
    data = [n for k, n in enumerate(names)
            if n and (k == 0 or (op == "QLinearConcat" and k % 3 == 2) or
                      (op == "DynamicQuantizeLSTM" and k in (4, 5, 6)))]
    data = data[1:] if op == "QLinearConcat" else data
    inputs = {n: given.pop(n) for n in data}
    count = 3 if op == "DynamicQuantizeLSTM" else 1
    outs = [f"{prefix}y{k}" for k in range(count)]
    node = helper.make_node(op, names, outs, domain=DOMAIN, **attrs)
    infos = [helper.make_empty_tensor_value_info(o) for o in outs]
    try:
        want = session(model_of([node], inputs, given, infos)).run(None, inputs)
    except Exception: # types that its CPU provider lacks
        return None
    return node, inputs, given, outs, want


def write_case(folder, model, inputs, want):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for kind, arrays in (("input", inputs), ("output", want)):
        for i, array in enumerate(arrays):
            (data / f"{kind}_{i}.pb").write_bytes(
                numpy_helper.from_array(array).SerializeToString())


def outputs_of(args, folder):
    """What the compiled model makes of the folder's inputs; None: refused."""
    out = folder / "out"
    out.mkdir()
    run = subprocess.run([args.onnx2c, "run", folder / "model.onnx", "--data",
                          folder / "test_data_set_0", "--save", out, "-q"],
                         capture_output=True, text=True)
    if run.returncode:
        print(run.stdout, run.stderr, sep="\n")
        return None
    made = sorted(out.glob("output_*.pb"), key=lambda p: int(p.stem[7:]))
    return [numpy_helper.to_array(TensorProto.FromString(p.read_bytes()))
            for p in made]


def far(got, want, most):
    if got.dtype != want.dtype or got.shape != want.shape:
        return True
    if not got.size:
        return False
    apart = np.abs(got.astype(np.float64) - want.astype(np.float64)).max()
    if want.dtype == np.float32:
        return apart > most * max(1e-3, float(np.abs(want).max()))
    return apart > int(most)


def check(args, op, root):
    d = Draws([args.seed, sorted(OPERATORS).index(op)])
    nodes, inputs, constants, outs, answers = [], {}, {}, [], []
    for k in range(args.rounds):
        drawn = draw(op, d, f"d{k}")
        if not drawn:
            continue
        node, given, fixed, names, want = drawn
        nodes.append(node)
        inputs.update(given)
        constants.update(fixed)
        answers += want
        outs += [helper.make_tensor_value_info(
            o, helper.np_dtype_to_tensor_dtype(w.dtype), w.shape)
            for o, w in zip(names, want)]
    folder = root / op
    write_case(folder, model_of(nodes, inputs, constants, outs),
               inputs.values(), answers)
    got = outputs_of(args, folder)
    bad = 0 if got else 1
    for info, g, w in zip(outs, got or [], answers):
        if far(g, w, OPERATORS[op][1]):
            bad += 1
            print(f"{op}: {info.name} differs: got {g.ravel()[:8]}, "
                  f"want {w.ravel()[:8]}")
    print(f"{op}: {len(nodes)} draws, {bad} bad", flush=True)
    return bad


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rounds", type=int, default=12)
    p.add_argument("--op", nargs="*", default=sorted(OPERATORS))
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        bad = sum(check(args, op, pathlib.Path(tmp)) for op in args.op)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
