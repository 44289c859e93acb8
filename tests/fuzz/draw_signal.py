# SPDX-License-Identifier: Apache-2.0
"""Draws of windows and transforms, random numbers whose outcome is certain,
linear attention, and steps of training."""
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from draw import FLOATS, Skip, generator, is_float, is_int, numpy_type, \
    onnx_type


@generator("HannWindow", "HammingWindow", "BlackmanWindow")
def window(d):
    """No single sample: 0/0 where it is not periodic. Of integers none in the
    middle: a value that is nearly whole may be cut to either side."""
    size = d.int(2, 40)
    d.attr(0.5, periodic=d.int(0, 1))
    if d.chance(0.5):
        t = d.type("T2")
        if is_int(t):
            size += (size + d.attrs.get("periodic", 1)) % 2
        d.attr(output_datatype=onnx_type(t))
    d.add(np.array(size, d.type(0)), 0.7)


@generator("MelWeightMatrix")
def mel(d):
    t, u = d.type(0), d.type(3)
    # What is half of it has to be a number of the type.
    rate = d.pick([8000, 16000, 22050] if u.itemsize >= 4 else [8000, 16000])
    for v in (d.int(1, 12), d.pick([16, 32, 64, 100]), rate):
        d.add(np.array(v, t), 0.8)
    d.add(np.array(d.pick([0, 20, 300])).astype(u), 0.8)
    d.add(np.array(d.pick([rate / 2, rate / 4])).astype(u), 0.8)
    d.attr(0.4, output_datatype=onnx_type(d.type("T3")))


@generator("DFT")
def dft(d):
    t, n = d.type(0), d.int(1, 24)
    shape = d.full(1, 3, 3)
    axis = d.int(0, len(shape) - 1)
    shape[axis] = n
    inverse, onesided = d.int(0, 1), d.int(0, 1)
    parts = 2 if inverse and not onesided else d.pick([1, 2])
    if onesided:
        parts = 1
        if inverse:
            raise Skip  # "onesided and inverse": other halves of the spectrum
    d.add(d.array(t, shape + [parts]))
    d.attr(inverse or 0.3, inverse=inverse)
    d.attr(onesided or 0.3, onesided=onesided)
    name = axis - len(shape) - 1 if d.chance(0.3) else axis
    if d.chance(0.4):
        d.add(np.array(d.int(1, 30), d.type(1)), 0.7)
    elif d.since >= 20:
        d.add(None)
    if d.since >= 20:
        if axis != len(shape) - 1 or d.chance(0.5):
            d.add(np.array(name, np.int64), 0.7)
    else:
        d.attr(axis=name)


@generator("STFT")
def stft(d):
    t, u = d.type(0), d.type(1)
    length, onesided = d.int(2, 12), d.int(0, 1)
    parts = 1 if onesided else d.pick([1, 2])
    d.add(d.array(t, [d.int(1, 2), d.int(length, 40), parts]))
    d.add(np.array(d.int(1, 6), u), 0.8)
    if d.chance(0.6):
        d.add(d.array(t, [length], 0, 1), 0.6)
        if d.chance(0.6):
            d.add(np.array(length, u), 0.8)
    else:
        d.add(None)
        d.add(np.array(length, u), 0.8)
    d.attr(0.7 if onesided else 1, onesided=onesided)


# Random numbers: no spread, or all of the probability in one place.

def random_type(d):
    return d.type("T2" if "T2" in d.allowed else "T", among=is_float)


@generator("RandomNormal", "RandomUniform", "RandomNormalLike",
           "RandomUniformLike")
def random_(d):
    like = d.name.endswith("Like")
    shape, value = d.shape(0 if like else 1, 3), d.int(-8, 8) / 4
    t = random_type(d)
    if like:
        kept = d.chance(0.4)
        source = d.type(0, among=(lambda s: s in FLOATS) if kept else
                        None)
        if kept and source not in FLOATS:
            raise Skip
        d.add(d.array(source, shape))
        if kept:
            t = source
        else:
            d.attr(dtype=onnx_type(t))
    else:
        d.attr(shape=shape)
        d.attr(t != np.float32 or 0.5, dtype=onnx_type(t))
    if "Normal" in d.name:
        d.attr(mean=value, scale=0.0)
    else:
        d.attr(low=value, high=value)
    d.attr(0.3, seed=1.5)
    d.made = [np.full(shape, value).astype(t)]


@generator("Bernoulli")
def bernoulli(d):
    t = d.type(0)
    x = (d.rng.random(d.shape(0, 3)) < 0.5).astype(t)
    d.add(np.asarray(x))
    if d.chance(0.6):
        t = d.type("T2")
        d.attr(dtype=onnx_type(t))
    d.attr(0.3, seed=2.5)
    d.made = [np.asarray(x).astype(np.float32).astype(t)]


@generator("Multinomial")
def multinomial(d):
    """"unnormalized log-probabilities" """
    n, c, k = d.int(1, 3), d.int(1, 5), d.int(1, 4)
    t = d.type(0)
    at = d.rng.integers(0, c, n)
    x = np.full([n, c], -1e4)
    x[np.arange(n), at] = 1
    d.add(x.astype(t))
    d.attr(sample_size=k)
    kind = np.dtype(np.int32)
    if d.chance(0.6):
        kind = d.type("T2")
        d.attr(dtype=onnx_type(kind))
    d.attr(0.3, seed=0.5)
    d.made = [np.repeat(at[:, None], k, 1).astype(kind)]


@generator("LinearAttention")
def linear_attention(d):
    b, s, kv, rep, k, v = d.int(1, 2), d.int(1, 5), d.int(1, 2), d.int(1, 2), \
        d.int(1, 4), d.int(1, 4)
    t, q = d.type(0), kv * rep
    rule = d.pick(["linear", "gated", "delta", "gated_delta"])
    d.attr(q_num_heads=q, kv_num_heads=kv, update_rule=rule)
    d.attr(0.4, scale=0.5)
    d.attr(0.3, chunk_size=d.pick([1, 2, 16, 64]))
    for heads, size in ((q, k), (kv, k), (kv, v)):
        d.add(d.array(t, [b, s, heads * size], -1, 1))
    state = d.type("S")
    d.add(d.array(state, [b, kv, k, v], -1, 1) if d.chance(0.5) else None)
    if "gated" in rule:
        d.add(d.array(t, [b, s, kv * d.pick([1, k])], -1, 0))
    elif "delta" in rule:
        d.add(None)
    if "delta" in rule:
        d.add(d.array(t, [b, s, d.pick([kv, 1])], 0, 1))
    d.nout = 2


@generator("CausalConvWithState")
def causal_conv(d):
    b, c, s, k = d.int(1, 2), d.int(1, 5), d.int(1, 6), d.int(1, 4)
    t = d.type(0)
    d.add(d.array(t, [b, c, s]))
    d.add(d.array(t, [c, 1, k], -1, 1), 0.6)
    d.add(d.array(t, [c]) if d.chance(0.6) else None, 0.6)
    if d.chance(0.6):
        d.add(d.array(t, [b, c, k - 1]) if k > 1 else None)
    d.attr(0.6, activation=d.pick(["none", "silu", "swish"]))
    d.nout = 2


@generator("FlexAttention")
def flex(d):
    b, kv, rep, s, k, h, v = d.int(1, 2), d.int(1, 2), d.int(1, 2), \
        d.int(1, 4), d.int(1, 5), d.int(1, 4), d.int(1, 4)
    t = d.type(0)
    for heads, length, size in ((kv * rep, s, h), (kv, k, h), (kv, k, v)):
        d.add(d.array(t, [b, heads, length, size]))
    d.attr(0.4, scale=0.4)
    kind = t if t.itemsize >= 4 else np.dtype(np.float32)
    d.attr(0.2, softmax_precision=onnx_type(kind))
    for name in ("score_mod", "prob_mod"):
        d.attr(0.4, **{name: modifier(d, name, kind)})


def modifier(d, name, t):
    """A graph from scores to scores."""
    op = d.pick(["Tanh", "Add", "Mul", "Identity"])
    c = float(d.int(1, 4)) / 4

    def make(prefix):
        x, y, k = (f"{prefix}{name}_{n}" for n in "xyk")
        kind = onnx_type(t)
        two = op in ("Add", "Mul")
        shape = [None, None, None, None]
        return helper.make_graph(
            [helper.make_node(op, [x, k] if two else [x], [y])], name,
            [helper.make_tensor_value_info(x, kind, shape)],
            [helper.make_tensor_value_info(y, kind, shape)],
            [helper.make_tensor(k, kind, [], [c])] if two else [])
    return make


# Training: ai.onnx.preview.training.

@generator("Adagrad", "Adam", "Momentum")
def optimizer(d):
    n, parts = d.int(1, 2), {"Adagrad": 3, "Adam": 4, "Momentum": 3}[d.name]
    d.add(np.array(d.int(1, 8) / 16, d.type(0)), 0.5)
    d.add(np.array(d.pick([0, 1, 7]), np.int64), 0.5)
    t = d.type(2)
    shapes = [d.full(0, 3, 4) for _ in range(n)]
    for p in range(parts):
        for s in shapes:
            # Sums of squares are not negative.
            low = 0 if p >= 2 and d.name == "Adagrad" or p == 3 else -2
            d.add(d.array(t, s, low, 2))
    d.nout = n * (parts - 1)
    if d.name == "Adagrad":
        d.nout = 2 * n
        d.attr(0.5, decay_factor=0.1)
    elif d.name == "Adam":
        d.nout = 3 * n
        d.attr(0.5, alpha=0.8, beta=0.95)
        d.attr(0.3, norm_coefficient_post=0.01)
    else:
        d.attr(alpha=0.9, beta=d.pick([0.5, 1.0]),
               mode=d.pick(["standard", "nesterov"]), norm_coefficient=0.01)
    if d.name != "Momentum":
        d.attr(0.5, norm_coefficient=0.01)
        d.attr(0.5, epsilon=1e-2)


SMOOTH = ["Sin", "Cos", "Tanh", "Sigmoid", "Exp", "Softplus", "Neg", "Softsign",
          "Erf", "Identity"]


@generator("Gradient")
def gradient(d):
    """Of a chain of smooth operators, against central differences of it by
    onnxruntime in double."""
    t = np.dtype(d.pick([np.float32, np.float64]))
    other = d.allowed["T1"][0] if d.force and d.force[0] == "T1" else None
    if d.force and not other:
        t = d.type("T2")
    elif other and numpy_type(other) in (np.float16, np.float32, np.float64):
        t, other = numpy_type(other), None
    rows, inner, cols = d.ints(3, 1, 4)
    a, b = d.array(t, [rows, inner], -1, 1), d.array(t, [inner, cols], -1, 1)
    d.add(a, 0)
    d.add(b, 0)
    steps = [("MatMul", ["i0", "i1"], ["v0"], {})]
    if d.chance(0.4):
        steps = [(d.pick(["Add", "Mul", "Sub"]), ["i0", "i1"], ["v0"], {})]
        d.inputs[1] = d.array(t, d.broadcast([rows, inner]), -1, 1)
    for k in range(d.int(1, 4)):
        last = f"v{k}"
        kind = d.pick(["smooth", "smooth", "softmax", "reduce", "square",
                       "turn"])
        op, ins, attrs = d.pick(SMOOTH), [last], {}
        if kind == "softmax":
            op, attrs = d.pick(["Softmax", "LogSoftmax"]), dict(axis=-1)
        elif kind == "reduce":
            op = d.pick(["ReduceMean", "ReduceSum", "ReduceLogSumExp"])
            attrs = dict(keepdims=1)
        elif kind == "square":
            op, ins = d.pick(["Mul", "Add"]), [last, d.pick([last, "v0"])]
        elif kind == "turn":
            op, attrs = "Flatten", dict(axis=1)
        steps.append((op, ins, [f"v{k + 1}"], attrs))
    y = steps[-1][2][0]
    xs = d.pick([[0], [1], [0, 1], [1, 0]])
    d.made = differences(d, steps, y, xs)
    if other:  # what is no float may say how much only
        d.add(d.array(numpy_type(other), [d.int(1, 3)]), 0)
        steps += [("Size", ["i2"], ["n"], {}),
                  ("Cast", ["n"], ["share"], dict(to=onnx_type(t))),
                  ("Mul", [y, "share"], ["z"], {})]
        y = "z"
        d.made = [x * d.inputs[2].size for x in d.made]
    d.before, d.ins, d.nout = steps, [f"i{k}" for k in xs], len(xs)
    d.met = True
    if other:
        d.ins.append("i2")
        d.attr(zs=lambda p: [f"{p}i2"])
    d.attr(xs=lambda p: [f"{p}i{k}" for k in xs], y=lambda p: p + y)


def differences(d, steps, y, xs, step=1e-4):
    graph = helper.make_graph(
        [helper.make_node(op, i, o, **a) for op, i, o, a in steps] +
        [helper.make_node("ReduceSum", [y], ["sum"], keepdims=0)], "g",
        [helper.make_tensor_value_info(f"i{k}", TensorProto.DOUBLE,
                                       list(x.shape))
         for k, x in enumerate(d.inputs)],
        [helper.make_tensor_value_info("sum", TensorProto.DOUBLE, [])])
    model = helper.make_model(graph, ir_version=11, opset_imports=[
        helper.make_opsetid("", 21)])
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"])
        feed = {f"i{k}": x.astype(np.float64)
                for k, x in enumerate(d.inputs)}
        found = []
        for k in xs:
            x = feed[f"i{k}"]
            slope = np.zeros(x.shape)
            for at in np.ndindex(*x.shape):
                ends = []
                for sign in (1, -1):
                    moved = x.copy()
                    moved[at] += sign * step
                    ends.append(session.run(None, {
                        **feed, f"i{k}": moved})[0])
                slope[at] = (ends[0] - ends[1]) / (2 * step)
            found.append(slope.astype(d.inputs[k].dtype))
        return found
    except Exception:
        raise Skip from None  # onnxruntime has not all of them in double
