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

F32, I64 = TensorProto.FLOAT, TensorProto.INT64


class Net:
    """A graph that grows; `shape` of a value leaves the batch out."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.inits, self.shape, self.serial = [], [], {}, 0

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    def chance(self, p):
        return self.rng.random() < p

    def int(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    def name(self, hint):
        self.serial += 1
        return f"{hint}{self.serial}"

    def const(self, array, hint="c"):
        name = self.name(hint)
        tensor = numpy_helper.from_array(np.asarray(array), name)
        if self.chance(0.1):
            self.nodes.append(helper.make_node("Constant", [], [name],
                                               value=tensor))
        else:
            self.inits.append(tensor)
        return name

    def f32(self, array, hint="c"):
        return self.const(np.asarray(array, np.float32), hint)

    def i64(self, *values):
        return self.const(np.array(values, np.int64), "i")

    def op(self, op, inputs, shape, **attrs):
        y = self.name(op.lower())
        self.nodes.append(helper.make_node(op, inputs, [y], **attrs))
        self.shape[y] = tuple(shape)
        return y


# --- Blocks: (net, value) -> value, or None where one does not fit -----------

def window(net, size, most):
    """Random kernel, stride, dilation, padding for each axis, that fit."""
    out, spec = [], {"kernel_shape": [], "strides": [], "dilations": []}
    begin, end = [], []
    for d in size:
        k = net.int(1, min(most, d))
        dil = net.int(1, 2) if (k - 1) * 2 + 1 <= d and net.chance(0.2) else 1
        extent = (k - 1) * dil + 1
        spec["kernel_shape"].append(k)
        spec["dilations"].append(dil)
        spec["strides"].append(net.pick(1, 1, 1, 2, 3))
        if net.chance(0.5):
            begin.append(extent // 2)
            end.append(extent // 2)
        else:
            begin.append(net.int(0, extent - 1))
            end.append(net.int(0, extent - 1))
    same = net.chance(0.25)
    if same and max(spec["dilations"]) == 1:
        spec["auto_pad"] = net.pick("SAME_UPPER", "SAME_LOWER")
        out = [-(-d // s) for d, s in zip(size, spec["strides"])]
        return spec, out
    if net.chance(0.1):
        spec["auto_pad"] = "VALID"
        begin, end = [0] * len(size), [0] * len(size)
    elif net.chance(0.8) or any(begin) or any(end):
        spec["pads"] = begin + end
    for i, d in enumerate(size):
        extent = (spec["kernel_shape"][i] - 1) * spec["dilations"][i] + 1
        room = d + begin[i] + end[i] - extent
        if room < 0:
            return None, None
        out.append(room // spec["strides"][i] + 1)
    if max(spec["dilations"]) == 1 and net.chance(0.5):
        del spec["dilations"]
    return spec, out


def conv(net, x, filters=None, one=False):
    c, *size = net.shape[x]
    spec, out = ({}, size) if one else window(net, size, 4)
    if spec is None:
        return None
    group = net.pick(1, 1, 1, c, 2, 4)
    if c % group:
        group = 1
    per = filters // group if filters and filters % group == 0 else None
    if filters and not per:
        group, per = 1, filters
    m = group * (per or net.pick(1, 1, 2, 3, 5, 8, 17))
    if m > 80:
        group, m = 1, 16
    kernel = spec.get("kernel_shape", [1] * len(size))
    shape = [m, c // group, *kernel]
    old = [i.name for i in net.inits if list(i.dims) == shape]
    fan = max(1, int(np.prod(shape[1:])))
    w = (net.pick(*old) if old and net.chance(0.3) else
         net.f32(net.rng.standard_normal(shape) * np.sqrt(1.5 / fan), "w"))
    inputs = [x, w]
    if net.chance(0.6):
        inputs.append(net.f32(net.rng.normal(0, 0.2, m), "b"))
    if group > 1:
        spec["group"] = group
    return net.op("Conv", inputs, [m, *out], **spec)


def norm(net, x):
    c, *size = net.shape[x]
    rng, tail = net.rng, [1] * len(size)
    kind = net.int(0, 4)
    if kind == 0:
        values = [rng.uniform(0.5, 1.5, c), rng.normal(0, 0.2, c),
                  rng.normal(0, 0.2, c), rng.uniform(0.5, 1.5, c)]
        return net.op("BatchNormalization", [x] + [net.f32(v) for v in values],
                      net.shape[x], epsilon=net.pick(1e-5, 1e-3))
    if kind == 4 and len(size) == 2:
        return net.op("LRN", [x], net.shape[x], size=net.pick(1, 3, 5))
    shape = net.pick([c, *tail], [1, c, *tail], [], [1], [1] + tail,
                     [c] + size, [size[-1]], [1, 1] + tail)
    pair = [x, net.f32(rng.uniform(0.5, 1.5, shape))]
    if net.chance(0.3):
        pair.reverse()
    return net.op(net.pick("Mul", "Add", "Sub"), pair, net.shape[x])


def act(net, x):
    op = net.pick("Relu", "Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh",
                  "HardSwish", "HardSigmoid", "Elu", "PRelu")
    inputs = [x]
    if op == "Clip":
        lo = net.pick("", net.f32(net.pick(-0.5, 0, 0.1)))
        hi = net.pick("", net.f32(net.pick(1, 6, -1)))
        inputs += [lo, hi] if hi else [lo] if lo else []
    if op == "PRelu":
        c, *size = net.shape[x]
        inputs.append(net.f32(net.rng.uniform(0, 0.3, [c] + [1] * len(size))))
    return net.op(op, inputs, net.shape[x])


def pool(net, x):
    c, *size = net.shape[x]
    spec, out = window(net, size, 3)
    if spec is None or len(size) > 2:
        return None
    op = net.pick("MaxPool", "AveragePool")
    spec.pop("dilations", None)
    # A window must not lie in the padding alone.
    spec["pads"] = [p for k in spec["kernel_shape"]
                    for p in [net.int(0, (k - 1) // 2)]] * 2
    spec.pop("auto_pad", None)
    if op == "AveragePool":
        spec["count_include_pad"] = net.int(0, 1)
    out = [(d + 2 * p - k) // s + 1 for d, p, k, s in
           zip(size, spec["pads"], spec["kernel_shape"], spec["strides"])]
    return net.op(op, [x], [c, *out], **spec)


def mates(net, x, axis=None):
    """Values of x's shape, or (with axis) equal but for that axis."""
    def key(s):
        return s if axis is None else s[:axis] + s[axis + 1:]
    want = net.shape[x]
    return [v for v, s in net.shape.items()
            if len(s) == len(want) and key(s) == key(want)]


def residual(net, x):
    if net.chance(0.3):
        y = conv(net, x, net.shape[x][0], one=True)
    else:
        y = net.pick(*mates(net, x))
    pair = [x, y]
    if net.chance(0.5):
        pair.reverse()
    y = net.op(net.pick("Add", "Add", "Add", "Mul", "Sub"), pair,
               net.shape[x])
    return act(net, y) if net.chance(0.5) else y


def concat(net, x):
    others = mates(net, x, 0)
    names = [x] + [net.pick(*others) for _ in range(net.int(1, 2))]
    c = sum(net.shape[v][0] for v in names)
    if c > 64:
        return None
    axis = net.pick(1, -len(net.shape[x]))
    return net.op("Concat", names, [c, *net.shape[x][1:]], axis=axis)


def shuffle(net, x):
    c, *size = net.shape[x]
    g = net.pick(2, 3, 4)
    if c % g:
        return None
    a = net.op("Reshape", [x, net.i64(0, g, c // g, *size)],
               [g, c // g, *size])
    perm = [0, 2, 1] + [i + 3 for i in range(len(size))]
    b = net.op("Transpose", [a], [c // g, g, *size], perm=perm)
    del net.shape[a], net.shape[b]
    return net.op("Reshape", [b, net.i64(-1, c, *size)], [c, *size])


def excite(net, x):
    c, *size = net.shape[x]
    p = net.op("GlobalAveragePool", [x], [c] + [1] * len(size))
    h = act(net, conv(net, p, 4, one=True))
    g = net.op("Sigmoid", [conv(net, h, c, one=True)], net.shape[p])
    return net.op("Mul", net.pick([x, g], [g, x]), net.shape[x])


def turn(net, x):
    shape = net.shape[x]
    perm = [0] + list(range(2, len(shape) + 1)) + [1]
    back = [perm.index(i) for i in range(len(perm))]
    y = net.op("Transpose", [x], shape[1:] + shape[:1], perm=perm)
    if net.chance(0.5):
        z = act(net, y) if net.chance(0.5) else net.op(
            "Add", [y, net.f32(net.rng.normal(0, 1, shape[0]))], net.shape[y])
        y = z
    z = net.op("Transpose", [y], shape, perm=back)
    for v in [v for v, s in net.shape.items() if s == net.shape[y]]:
        if v != z and net.shape[v] != shape:
            del net.shape[v]
    return z


def border(net, x):
    c, *size = net.shape[x]
    if net.chance(0.5):
        grow = [net.int(0, 2) for _ in range(2 * len(size))]
        n = len(size)
        pads = [0, 0] + grow[:n] + [0, 0] + grow[n:]
        out = [d + a + b for d, a, b in zip(size, grow[:n], grow[n:])]
        return net.op("Pad", [x, net.i64(*pads)], [c, *out])
    cut = net.int(0, size[0] - 1)
    return net.op("Slice", [x, net.i64(cut), net.i64(2 ** 31), net.i64(2)],
                  [c, size[0] - cut, *size[1:]])


def split(net, x):
    c, *size = net.shape[x]
    if c < 2:
        return None
    a = net.int(1, c - 1)
    names = [net.name("split"), net.name("split")]
    net.nodes.append(helper.make_node(
        "Split", [x, net.i64(a, c - a)], names, axis=1))
    net.shape[names[0]], net.shape[names[1]] = (a, *size), (c - a, *size)
    return net.pick(*names)


BLOCKS = [conv] * 7 + [norm] * 3 + [act] * 3 + [pool] * 2 + [residual] * 4 + [
    concat, concat, shuffle, excite, turn, border, split]
QUANT_BLOCKS = [conv] * 7 + [act] * 2 + [pool] * 2 + [residual] * 3 + [
    concat, concat, shuffle]


def head(net, x):
    c, *size = net.shape[x]
    kind = net.int(0, 4)
    if kind == 0:
        return x
    if kind == 1:
        x = net.op("GlobalAveragePool", [x], [c] + [1] * len(size))
        x = net.op("Flatten", [x], [c])
    elif kind == 2:
        axes = net.i64(*range(2, 2 + len(size)))
        x = net.op("ReduceMean", [x, axes], [c], keepdims=0)
    elif kind == 3:
        x = net.op("Flatten", [x], [c * int(np.prod(size))])
    else:
        x = net.op("Reshape", [x, net.i64(0, -1)], [c * int(np.prod(size))])
    for _ in range(net.int(1, 2)):
        x = dense(net, x)
    return net.op("Softmax", [x], net.shape[x]) if net.chance(0.3) else x


def dense(net, x):
    k, n = net.shape[x][0], net.pick(1, 3, 10, 17)
    w = net.rng.standard_normal((k, n)) / np.sqrt(k)
    if net.chance(0.5):
        spec = {}
        if net.chance(0.5):
            spec["transB"], w = 1, w.T
        if net.chance(0.2):
            spec["alpha"], spec["beta"] = 0.5, 1.5
        inputs = [x, net.f32(w)]
        if net.chance(0.7):
            shape = net.pick([n], [1, n], [1], [])
            inputs.append(net.f32(net.rng.normal(0, 0.3, shape)))
        y = net.op("Gemm", inputs, [n], **spec)
    else:
        y = net.op("MatMul", [x, net.f32(w)], [n])
        if net.chance(0.4):
            y = act(net, y)
        if net.chance(0.6):
            y = net.op("Add", [y, net.f32(net.rng.normal(0, 0.3, net.pick(
                [n], [1, n], [1], [])))], [n])
    return act(net, y) if net.chance(0.5) else y


# --- Whole networks ----------------------------------------------------------

def grow(net, blocks):
    """Input, blocks, head; returns the size of the input, and outputs."""
    axes = net.pick(2, 2, 2, 2, 2, 1, 3)
    size = [net.int(5, 12) for _ in range(axes)]
    net.shape["x"] = (net.pick(1, 2, 3, 4, 8), *size)
    x, outputs = "x", []
    for _ in range(net.int(3, 9)):
        block = net.pick(*blocks)
        if net.chance(0.1):
            x = net.pick(*[v for v, s in net.shape.items()
                           if len(s) == axes + 1])
        y = block(net, x)
        if y is None or int(np.prod(net.shape[y])) > 20000:
            continue
        x = y
        if net.chance(0.1):
            outputs.append(x)
    y = head(net, x)
    return ["N"] + list(net.shape["x"]), outputs + [y]


def finish(net, dims, outputs, opset=18):
    used = {i for n in net.nodes for i in n.input} | set(outputs)
    outputs = list(dict.fromkeys(o for o in outputs if o != "x"))
    if not outputs:
        outputs = [net.op("Relu", ["x"], net.shape["x"])]
    ins = [helper.make_tensor_value_info("x", F32, dims)]
    if net.chance(0.1) and net.inits:
        i = net.inits[net.int(0, len(net.inits) - 1)]
        ins.append(helper.make_tensor_value_info(i.name, i.data_type, i.dims))
    outs = [helper.make_tensor_value_info(o, F32, None) for o in outputs]
    graph = helper.make_graph(net.nodes, "random", ins, outs,
                              [i for i in net.inits if i.name in used])
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", opset)])


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
