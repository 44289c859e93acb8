# SPDX-License-Identifier: Apache-2.0
"""Networks drawn at random, for random_models.py: a Net collects the nodes and
their shapes; a block adds some behind a tensor and returns what it made, or
None where it does not fit there; grow() makes a whole network of blocks, and
finish() an ONNX model of that. Everything comes from the Net's own generator.
"""
import numpy as np
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
