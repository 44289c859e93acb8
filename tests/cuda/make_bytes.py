#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Convolutions and products of bytes, every way that a GPU computes them.

    make_bytes.py FOLDER

FOLDER/model.onnx and a data set, whose outputs are computed here as the
specification says: sums in int32, scales in float32. Nothing may be off.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

RNG = np.random.default_rng(8)
TYPES = {"u": np.uint8, "s": np.int8}


class Builder:
    """Nodes of one graph: what the run gives, constants, and outputs."""

    def __init__(self):
        self.nodes, self.weights = [], []
        self.given, self.made = {}, {}

    def put(self, array, const):
        """A constant or an input of the graph; its name."""
        name = f"v{len(self.weights) + len(self.given)}"
        if const:
            self.weights.append(numpy_helper.from_array(array, name))
        else:
            self.given[name] = array
        return name

    def node(self, op, inputs, *results, **attributes):
        """inputs: pairs of an array and whether it is constant"""
        names = [self.put(a, c) for a, c in inputs]
        made = [f"y{len(self.made) + k}" for k in range(len(results))]
        self.nodes.append(helper.make_node(op, names, made, **attributes))
        self.made.update(zip(made, results))


def draw(sign, *shape):
    kind = TYPES[sign]
    info = np.iinfo(kind)
    return RNG.integers(info.min, info.max + 1, shape).astype(kind)


def scales(*shape):
    return RNG.uniform(0.01, 0.02, shape).astype(np.float32)


def requantised(total, scale, zero, kind):
    info = np.iinfo(kind)
    v = total.astype(np.float32) * scale
    v = np.rint(v) + np.float32(zero)
    return np.clip(v, info.min, info.max).astype(kind)


def windows(x, w, x_zero, w_zero, group, pads, stride, dilation):
    """The sums of a convolution of two axes, in int32."""
    n, c, h, width = x.shape
    k, cg, kh, kw = w.shape
    shifted = np.pad(x.astype(np.int64) - int(x_zero),
                     ((0, 0), (0, 0), pads, pads))
    w = w.astype(np.int64) - np.reshape(w_zero, (-1, 1, 1, 1)).astype(np.int64)
    oh = (h + sum(pads) - (kh - 1) * dilation - 1) // stride + 1
    ow = (width + sum(pads) - (kw - 1) * dilation - 1) // stride + 1
    y = np.zeros((n, group, k // group, oh, ow))
    for i in range(kh):
        for j in range(kw):
            part = shifted[:, :, i * dilation:, j * dilation:]
            part = part[:, :, :(oh - 1) * stride + 1:stride,
                        :(ow - 1) * stride + 1:stride]
            part = part.reshape(n, group, c // group, oh * ow)
            taps = w[:, :, i, j].reshape(group, k // group, cg)
            y += (taps.astype(float) @ part.astype(float)).reshape(y.shape)
    return y.reshape(n, k, oh, ow).astype(np.int64).astype(np.int32)


def conv(b, signs, x, w, const=True, linear=True, many=True, zeros=True,
         group=1, pads=(0, 0), stride=1, dilation=1):
    """A convolution; const: all but x; many: scales and zeros by filter."""
    x, w = draw(signs[0], *x), draw(signs[1], *w)
    k = w.shape[0] if many else 1
    x_zero = draw(signs[0], 1)[0] if zeros else TYPES[signs[0]](0)
    w_zero = draw(signs[1], k) // 32 if zeros and not const \
        else np.zeros(k, TYPES[signs[1]])
    sums = windows(x, w, x_zero, w_zero, group, pads, stride, dilation)
    attributes = {"group": group, "pads": [pads[0]] * 2 + [pads[1]] * 2,
                  "strides": [stride] * 2, "dilations": [dilation] * 2}
    if not many:
        w_zero = w_zero.reshape(())
    if not linear:
        b.node("ConvInteger", [(x, False), (w, True), (x_zero, const),
                               (w_zero, True)], sums, **attributes)
        return
    bias = RNG.integers(-999, 999, w.shape[0]).astype(np.int32)
    xs, ws, ys = scales(1)[0], scales(k), scales(1)[0] * np.float32(30)
    y_zero = draw(signs[0], 1)[0]
    by = np.reshape(xs * ws / ys, (-1, 1, 1))
    y = requantised(sums + bias.reshape(-1, 1, 1), by, y_zero,
                    TYPES[signs[0]])
    b.node("QLinearConv",
           [(x, False), (np.array(xs), const), (x_zero, const), (w, const),
            (ws if many else ws.reshape(()), const), (w_zero, const),
            (np.array(ys), const), (y_zero, const), (bias, const)], y,
           **attributes)


def product(b, signs, x, w, const=False, linear=True, many=False):
    """A product; const: all but the left side; many: of rows and columns."""
    x, w = draw(signs[0], *x), draw(signs[1], *w)
    rows, columns = (x.shape[-2], w.shape[-1]) if many else (1, 1)
    x_zero = draw(signs[0], rows if many and linear else 1)
    w_zero = draw(signs[1], columns)
    sums = ((x.astype(float) - x_zero.reshape(-1, 1)) @
            (w.astype(float) - w_zero)).astype(np.int64).astype(np.int32)
    if not many or not linear:
        x_zero = x_zero.reshape(())
    if not many:
        w_zero = w_zero.reshape(())
    if not linear:
        b.node("MatMulInteger", [(x, False), (w, const), (x_zero, False),
                                 (w_zero, const)], sums)
        return
    xs, ws, ys = scales(rows), scales(columns), scales(rows) * np.float32(50)
    y_zero = draw(signs[0], rows)
    y = requantised(sums, xs.reshape(-1, 1) * ws / ys.reshape(-1, 1),
                    y_zero.reshape(-1, 1), TYPES[signs[0]])
    if not many:
        xs, ws, ys, y_zero = (v.reshape(()) for v in (xs, ws, ys, y_zero))
    b.node("QLinearMatMul",
           [(x, False), (xs, const), (x_zero, const), (w, const), (ws, const),
            (w_zero, const), (ys, const), (y_zero, const)], y)


def dynamic(b, n):
    """DynamicQuantizeLinear of n numbers."""
    x = RNG.standard_normal(n).astype(np.float32)
    low, high = min(x.min(), np.float32(0)), max(x.max(), np.float32(0))
    scale = (high - low) / np.float32(255)
    zero = np.clip(np.rint(-low / scale), 0, 255)
    y = np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8)
    b.node("DynamicQuantizeLinear", [(x, False)], y, np.array(scale),
           np.array(zero.astype(np.uint8)))


def build():
    b = Builder()
    same = {"pads": (1, 1)}
    # Constant weights: tiles by channels and filters, of every size.
    conv(b, "us", (2, 16, 9, 7), (24, 16, 3, 3), **same)
    conv(b, "us", (1, 3, 21, 17), (5, 3, 7, 7), pads=(3, 2), stride=2)
    conv(b, "ss", (1, 8, 6, 6), (32, 4, 3, 3), group=2, many=False, **same)
    conv(b, "us", (3, 40, 1, 1), (70, 40, 1, 1))
    conv(b, "us", (1, 20, 112, 112), (32, 20, 1, 1))
    conv(b, "us", (1, 16, 80, 80), (260, 16, 1, 1))
    conv(b, "us", (1, 16, 80, 80), (192, 16, 1, 1))
    conv(b, "us", (1, 32, 40, 80), (128, 32, 1, 1))
    conv(b, "us", (4, 12, 20, 20), (64, 12, 1, 1))
    # Each channel by itself.
    conv(b, "us", (2, 20, 9, 11), (20, 1, 3, 3), group=20, **same)
    conv(b, "us", (1, 8, 12, 12), (8, 1, 5, 5), group=8, stride=2, pads=(1, 2))
    conv(b, "us", (1, 5, 8, 8), (5, 1, 3, 3), group=5, dilation=2, **same)
    # What the run gives.
    conv(b, "us", (1, 16, 8, 8), (20, 16, 3, 3), False, linear=False, **same)
    conv(b, "su", (2, 6, 8, 8), (10, 3, 3, 3), False, linear=False, group=2,
         many=False, stride=2, **same)
    conv(b, "uu", (1, 6, 8, 8), (7, 6, 3, 3), False, **same)
    conv(b, "ss", (1, 16, 5, 5), (16, 16, 1, 1), False, many=False,
         zeros=False)
    conv(b, "us", (1, 6, 8, 8), (6, 1, 3, 3), False, group=6, **same)
    product(b, "us", (5, 70), (70, 33), linear=False)
    product(b, "uu", (3, 1, 17, 64), (2, 64, 20), linear=False, many=True)
    product(b, "ss", (2, 40, 36), (2, 36, 24))
    product(b, "us", (19, 50), (50, 40), many=True)
    product(b, "us", (4, 9, 48), (48, 100), const=True)
    product(b, "us", (2, 100, 21), (2, 21, 390))
    for n in (3, 1024, 70001):
        dynamic(b, n)
    return b


def tensor(name, array):
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def save(folder, kind, arrays):
    for k, (name, array) in enumerate(arrays.items()):
        t = numpy_helper.from_array(np.asarray(array), name)
        (folder / f"{kind}_{k}.pb").write_bytes(t.SerializeToString())


def main():
    folder = pathlib.Path(sys.argv[1])
    b = build()
    graph = helper.make_graph(
        b.nodes, "g", [tensor(n, a) for n, a in b.given.items()],
        [tensor(n, a) for n, a in b.made.items()], b.weights)
    m = helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 17)])
    onnx.checker.check_model(m)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    onnx.save(m, folder / "model.onnx")
    save(data, "input", b.given)
    save(data, "output", b.made)


if __name__ == "__main__":
    main()
