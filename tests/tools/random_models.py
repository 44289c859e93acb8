#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random convolutional networks, with onnxruntime's answers.

    random_models.py OUT COUNT [--seed S] [--kind float|qdq|qlinear]

OUT/<kind>_<seed>/ has model.onnx, test_data_set_0.. and tolerance.txt. Model k
is made of seed S + k alone. A float network is a chain of random blocks with
branches: convolutions of one to three axes (groups, dilations, odd padding),
pools, normalisations, activations, concatenations, residuals, channel
shuffles, transposes, and a head. Some have symbolic extents, several outputs,
weights that are inputs too, or are used twice. `qdq` puts QuantizeLinear and
DequantizeLinear around the same networks; `qlinear` makes networks of
QLinearConv, ConvInteger and their kin.
"""
import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from random_net import (
    BLOCKS, F32, Net, QUANT_BLOCKS, border, finish, grow, shuffle, window)


def session(model):
    options = ort.SessionOptions()
    # Without VNNI its 8-bit sums saturate in pairs, unless asked not to.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.graph_optimization_level = \
        ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), options,
                                providers=["CPUExecutionProvider"])


def save(folder, model, sets, tolerance):
    """False where onnxruntime does not run it."""
    try:
        runner = session(model)
        answers = [runner.run(None, {"x": x}) for x in sets]
    except Exception as e:  # its errors are of many classes
        print(f"{folder.name}: onnxruntime: {str(e)[:150]}")
        return False
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "tolerance.txt").write_text(tolerance)
    names = [o.name for o in model.graph.output]
    for k, (x, want) in enumerate(zip(sets, answers)):
        data = folder / f"test_data_set_{k}"
        data.mkdir(exist_ok=True)
        put(data / "input_0.pb", x, "x")
        for j, y in enumerate(want):
            put(data / f"output_{j}.pb", y, names[j])
    return True


def put(path, array, name):
    path.write_bytes(
        numpy_helper.from_array(array, name).SerializeToString())


def float_model(out, seed):
    net = Net(seed)
    free = net.chance(0.15)
    dims, outputs = grow(net, [b for b in BLOCKS if not free or b not in
                               (shuffle, border)])
    shape = dims[1:]
    sets = [net.rng.standard_normal((n, *shape)) for n in (1, 3)]
    tied = any(n.op_type in ("Flatten", "Reshape") for n in net.nodes) or any(
        len(i.dims) and list(i.dims)[-1] in shape[1:] and i.data_type == F32
        for i in net.inits)
    if free and not tied:
        dims = ["N", shape[0]] + [f"S{k}" for k in range(len(shape) - 1)]
        sets.append(net.rng.standard_normal(
            (2, shape[0], *[d + 1 + k for k, d in enumerate(shape[1:])])))
    elif net.chance(0.15):
        dims = [2] + shape
        sets = [net.rng.standard_normal((2, *shape))]
    model = finish(net, dims, outputs)
    return save(out / f"float_{seed}", model,
                [s.astype(np.float32) for s in sets], "1e-3 2e-4")


# --- QDQ ---------------------------------------------------------------------

QUANTISED = {"Conv", "Gemm", "MatMul", "Add", "Mul", "Concat", "MaxPool",
             "AveragePool", "GlobalAveragePool", "Relu", "Clip", "Reshape",
             "Transpose", "Flatten", "LeakyRelu", "Sigmoid"}
KEEPS_SCALE = {"MaxPool", "Reshape", "Transpose", "Flatten"}


def ranges(model, net, sets):
    """Smallest and largest of every float value, by onnxruntime."""
    names = [o for n in model.graph.node if n.op_type != "Constant"
             for o in n.output]
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(
        helper.make_tensor_value_info(o, F32, None) for o in names)
    span = {"x": (min(s.min() for s in sets), max(s.max() for s in sets))}
    runner = session(probe)
    for s in sets:
        for name, y in zip(names, runner.run(None, {"x": s})):
            lo, hi = span.get(name, (0, 0))
            span[name] = (min(lo, y.min(initial=0)), max(hi, y.max(initial=0)))
    return span


class Quantiser:
    """Rewrites the nodes of a float network in QDQ form."""

    def __init__(self, net, span):
        self.net, self.span, self.nodes = net, span, []
        self.signed, self.per_channel = net.chance(0.5), net.chance(0.5)
        self.lazy_zero = net.chance(0.3)
        self.bias = net.pick("int32", "float", "float", "odd")
        self.param, self.done, self.same = {}, {}, {}
        self.const = {i.name: numpy_helper.to_array(i) for i in net.inits}

    def params(self, name):
        name = self.same.get(name, name)
        if name not in self.param:
            lo, hi = self.span[name]
            hi = max(hi, 0.01, -lo / 4)
            lo = min(lo, 0)
            scale = np.float32((hi - lo) / 255)
            zero = int(np.clip(round(-lo / scale), 0, 255))
            if self.lazy_zero and not self.signed and lo == 0:
                self.param[name] = scale, None
            else:
                kind = np.int8 if self.signed else np.uint8
                self.param[name] = scale, kind(zero - 128 * self.signed)
        return self.param[name]

    def add(self, op, inputs, **attrs):
        y = self.net.name(op.lower())
        self.nodes.append(helper.make_node(op, inputs, [y], **attrs))
        return y

    def new(self, array, hint):
        name = self.net.name(hint)
        self.net.inits.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def pair(self, name):
        """The value through Quantize- and DequantizeLinear."""
        if name not in self.done:
            scale, zero = self.params(name)
            more = [self.new(scale, "s")]
            if zero is not None:
                more.append(self.new(zero, "z"))
            q = self.add("QuantizeLinear", [name, *more])
            self.done[name] = self.add("DequantizeLinear", [q, *more])
        return self.done[name]

    def weight(self, w, axis):
        unsigned = self.net.chance(0.2)
        top = np.abs(w).max(
            axis=tuple(i for i in range(w.ndim) if i != axis)
            if self.per_channel else None)
        scale = np.maximum(top, 1e-3).astype(np.float32) / np.float32(127)
        shape = [1] * w.ndim
        if self.per_channel:
            shape[axis] = -1
        q = np.clip(np.rint(w / scale.reshape(shape) if self.per_channel
                            else w / scale), -127, 127)
        zero = np.zeros(scale.shape, np.int8)
        q = q.astype(np.int8)
        if unsigned:
            q = (q.astype(np.int16) + 128).astype(np.uint8)
            zero = np.full(scale.shape, 128, np.uint8)
        inputs = [self.new(q, "w"), self.new(scale, "s")]
        if unsigned or self.net.chance(0.7):
            inputs.append(self.new(zero, "z"))
        return self.add("DequantizeLinear", inputs, axis=axis), scale

    def bias_of(self, b, x_scale, w_scale):
        if self.bias == "float":
            return self.new(b.astype(np.float32), "b")
        step = (x_scale * w_scale * np.float32(
            1 if self.bias == "int32" else 3.7)).astype(np.float32)
        step = np.asarray(step)
        q = np.rint(b / step).astype(np.int32)
        return self.add("DequantizeLinear", [
            self.new(q, "b"), self.new(step, "s")], axis=0)

    def node(self, n):
        if n.op_type not in QUANTISED or self.net.chance(0.07):
            self.nodes.append(n)
            return
        inputs = [self.pair(i) if i in self.span else i for i in n.input]
        if n.op_type in ("Conv", "Gemm", "MatMul") and n.input[1] in \
                self.const:
            trans = any(a.name == "transB" and a.i for a in n.attribute)
            axis = 0 if n.op_type == "Conv" or trans else 1
            inputs[1], scale = self.weight(self.const[n.input[1]], axis)
            if len(inputs) > 2 and n.input[2] in self.const and \
                    self.const[n.input[2]].ndim == 1:
                inputs[2] = self.bias_of(self.const[n.input[2]],
                                         self.params(n.input[0])[0], scale)
        if n.op_type in KEEPS_SCALE:
            self.same[n.output[0]] = self.same.get(n.input[0], n.input[0])
        m = onnx.NodeProto()
        m.CopyFrom(n)
        del m.input[:]
        m.input.extend(inputs)
        self.nodes.append(m)


def qdq_model(out, seed):
    net = Net(seed)
    dims, outputs = grow(net, QUANT_BLOCKS)
    sets = [net.rng.standard_normal((n, *dims[1:])).astype(np.float32)
            for n in (1, 3)]
    model = finish(net, dims, outputs)
    outputs = [o.name for o in model.graph.output]
    try:
        span = ranges(model, net, sets)
    except Exception as e:
        print(f"qdq_{seed}: {str(e)[:150]}")
        return False
    q = Quantiser(net, span)
    for n in list(net.nodes):
        q.node(n)
    ends = [q.pair(o) if net.chance(0.7) else o for o in outputs]
    net.nodes = q.nodes
    model = finish(net, dims, ends)
    step = max(float(q.params(o)[0]) for o in outputs if o in span)
    return save(out / f"qdq_{seed}", model, sets, f"2e-2 {4 * step}")


# --- QLinear operators -------------------------------------------------------

class QLinear:
    """A chain of integer operators over one input, quantised at the door."""

    def __init__(self, net):
        self.net = net
        self.kind = net.pick(np.uint8, np.int8)

    def byte(self, shape, kind):
        info = np.iinfo(kind)
        return self.net.rng.integers(info.min, info.max + 1, shape).astype(
            kind)

    def scale(self, fan):
        return np.float32(self.net.rng.uniform(0.5, 1.5) / (fan ** 0.5 * 70))

    def weights(self, shape, axis):
        """w, scale, zero point: one, or one for each filter."""
        net = self.net
        kind = np.int8 if self.kind is np.int8 else net.pick(np.uint8, np.int8)
        m = shape[axis]
        fan = int(np.prod(shape)) // m
        w = net.const(self.byte(shape, kind), "w")
        many = net.chance(0.5)
        zero = (np.zeros(m if many else (), kind) if kind is np.int8 else
                self.byte((), kind) // 4 + kind(96))
        if kind is np.uint8:
            many = False
        s = self.scale(fan)
        scale = (s * net.rng.uniform(0.5, 1.5, m).astype(np.float32) if many
                 else s)
        return w, net.f32(scale), net.const(np.asarray(zero, kind), "z")

    def conv(self, x, p):
        net = self.net
        c, *size = net.shape[x]
        spec, outs = window(net, size, 3)
        if spec is None:
            return x, p
        group = net.pick(1, 1, c, 2)
        group = group if c % group == 0 else 1
        m = group * net.pick(1, 2, 5, 17)
        if m > 64:
            return x, p
        if group > 1:
            spec["group"] = group
        kernel = spec["kernel_shape"]
        w, ws, wz = self.weights([m, c // group, *kernel], 0)
        if net.chance(0.2):
            zeros = [p[1], wz] if net.chance(0.5) else [p[1]]
            y = net.op("ConvInteger", [x, w, *zeros], [m, *outs], **spec)
            f = net.op("Cast", [y], [m, *outs], to=F32)
            f = net.op("Mul", [f, net.f32(2e-4 / np.prod(kernel))], [m, *outs])
            return self.quantise(f)
        ys, yz = net.f32(net.rng.uniform(0.5, 1.5)), self.zero()
        ins = [x, *p, w, ws, wz, ys, yz]
        if net.chance(0.6):
            ins.append(net.const(net.rng.integers(-9999, 9999, m).astype(
                np.int32), "b"))
        return net.op("QLinearConv", ins, [m, *outs], **spec), (ys, yz)

    def zero(self):
        return self.net.const(self.byte((), self.kind), "z")

    def quantise(self, f):
        net = self.net
        p = net.f32(0.02), self.zero()
        return net.op("QuantizeLinear", [f, *p], net.shape[f]), p

    def product(self, x, p):
        net = self.net
        k, n = net.shape[x][-1], net.pick(1, 4, 10, 33)
        w, ws, wz = self.weights([k, n], 1)
        if net.chance(0.3):
            y = net.op("MatMulInteger", [x, w, p[1], wz],
                       [*net.shape[x][:-1], n])
            f = net.op("Cast", [y], net.shape[y], to=F32)
            f = net.op("Mul", [f, net.f32(2e-4)], net.shape[y])
            return self.quantise(f)
        ys, yz = net.f32(net.rng.uniform(0.5, 1.5)), self.zero()
        return net.op("QLinearMatMul", [x, *p, w, ws, wz, ys, yz],
                      [*net.shape[x][:-1], n]), (ys, yz)

    def body(self):
        net = self.net
        x, p = self.quantise("x")
        for _ in range(net.int(1, 4)):
            kind = net.int(0, 5)
            c, *size = net.shape[x]
            if kind < 4:
                x, p = self.conv(x, p)
            elif kind == 4 and min(size) > 2:
                x = net.op("MaxPool", [x], [c] + [d - 1 for d in size],
                           kernel_shape=[2] * len(size))
            else:
                x, p = self.product(x, p)
        if net.chance(0.5):
            c, *size = net.shape[x]
            x = net.op("Flatten", [x], [c * int(np.prod(size))])
            x, p = self.product(x, p)
        return x, p


def qlinear_model(out, seed):
    net = Net(seed)
    q = QLinear(net)
    axes = net.pick(2, 2, 2, 1)
    net.shape["x"] = (net.pick(1, 2, 3, 8),
                      *[net.int(4, 10) for _ in range(axes)])
    dims = ["N"] + list(net.shape["x"])
    y, p = q.body()
    sets = [net.rng.standard_normal((n, *dims[1:])).astype(np.float32)
            for n in (1, 3)]
    f = net.op("DequantizeLinear", [y, *p], net.shape[y])
    model = finish(net, dims, [f])
    if net.chance(0.5):
        model.graph.output.append(helper.make_tensor_value_info(
            y, TensorProto.UINT8 if q.kind is np.uint8 else TensorProto.INT8,
            None))
    return save(out / f"qlinear_{seed}", model, sets, "0 3.1")


KINDS = {"float": float_model, "qdq": qdq_model, "qlinear": qlinear_model}


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("count", type=int)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--kind", choices=KINDS)
    a = args.parse_args()
    for kind in [a.kind] if a.kind else KINDS:
        made = sum(KINDS[kind](a.out, a.seed + k) for k in range(a.count))
        print(f"{kind}: {made} of {a.count}")


if __name__ == "__main__":
    main()
