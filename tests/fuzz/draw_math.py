# SPDX-License-Identifier: Apache-2.0
"""Draws of elementwise operators, reductions and products."""
import numpy as np

from draw import Skip, generator, int_range, is_float, is_int, onnx_type
from draw_move import axis_of

WIDE = "Abs Neg Sign Ceil Floor Round Relu LeakyRelu Elu Selu Celu Shrink " \
    "ThresholdedRelu HardSigmoid HardSwish Sigmoid Tanh Softplus Softsign " \
    "Erf Gelu Mish Swish Sin Cos Tan Atan Sinh Cosh Asinh Exp IsNaN IsInf " \
    "Reciprocal Not BitwiseNot"
# At -infinity the formulas of Gelu, Mish and Swish give 0 * infinity, and
# implementations differ; ours gives the limit, see tests/cases/activation.
SPECIAL = set(WIDE.split()) - {"Tan", "Gelu", "Mish", "Swish", "HardSwish",
                               "Softsign"}
RANGES = {"Sqrt": (0, 9), "Log": (0.01, 9), "Asin": (-1, 1), "Acos": (-1, 1),
          "Atanh": (-0.99, 0.99), "Acosh": (1, 9), "Tan": (-1.4, 1.4),
          "Sinh": (-4, 4), "Cosh": (-4, 4), "Exp": (-6, 6)}
NUMBERS = {"LeakyRelu": ["alpha"], "Elu": ["alpha"], "Celu": ["alpha"],
           "Selu": ["alpha", "gamma"], "ThresholdedRelu": ["alpha"],
           "HardSigmoid": ["alpha", "beta"], "Shrink": ["bias", "lambd"],
           "Swish": ["alpha"], "SwiGLU": ["alpha"]}


def numbers(d):
    for name in NUMBERS.get(d.name, ()):
        d.attr(0.6, **{name: d.pick([0.1, 0.25, 0.5, 1.0, 1.5, 2.0])})


@generator(*WIDE.split(), *RANGES)
def unary(d):
    t = d.type(0)
    low, high = RANGES.get(d.name, (-6, 6))
    shape = d.shape(0, 4) if d.chance(0.8) else [d.int(30, 90)]
    x = d.array(t, shape, low, high,
                special=d.name in SPECIAL)
    if d.name == "Reciprocal":
        x = d.nonzero(t, shape)
    if d.name == "Erf" and is_int(t):
        x = np.zeros_like(x)  # below one there is nothing whole but 0
    d.add(x)
    numbers(d)
    if d.name == "Shrink" and np.dtype(t).kind == "u":
        d.attrs.pop("bias", None)  # below 0 there is nothing
    if d.name == "Gelu":
        d.attr(0.7, approximate=d.pick(["none", "tanh"]))
    if d.name == "IsInf":
        d.attr(0.5, detect_negative=d.int(0, 1), detect_positive=d.int(0, 1))


def pair(d):
    """Two shapes that broadcast; before opset 7 by attributes."""
    shape = d.shape(0, 4)
    if d.since >= 7:
        a, b = d.broadcast(shape), d.broadcast(shape)
        return (shape, b) if d.chance(0.5) else (a, shape)
    if d.chance(0.4):
        return shape, shape
    rank = len(shape)
    first = d.int(0, rank)
    last = d.int(first, rank)
    d.attr(broadcast=1)
    if last != rank or d.chance(0.3) and first < last:
        d.attr(axis=first)
    return shape, shape[first:last]


@generator("Add", "Sub", "Mul", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr",
           "BitwiseXor", "Equal", "Greater", "GreaterOrEqual", "Less",
           "LessOrEqual")
def binary(d):
    a, b = pair(d)
    t = d.type(0)
    logic = d.name.startswith("Bitwise") or is_int(t) and d.chance(0.3)
    for s in (a, b):
        d.add(d.array(t, s, special=d.name[:4] in ("Equa", "Less", "Grea"),
                      whole=logic))


@generator("Div", "Mod")
def divide(d):
    a, b = pair(d)
    t = d.type(0)
    whole = is_int(t) and d.chance(0.3)
    d.add(d.array(t, a, -9, 9, whole=whole))
    d.add(d.nonzero(t, b))
    if whole and np.dtype(t).kind == "i" and \
            np.any(d.inputs[0] == int_range(t)[0]):
        raise Skip  # the least by -1 has no quotient
    if d.name == "Mod":
        if is_float(t):
            d.attr(fmod=1)
        else:
            d.attr(0.5, fmod=d.int(0, 1))


@generator("Pow")
def power(d):
    a, b = pair(d)
    t, e = d.type(0), d.type(1)
    if is_int(t):
        d.add(d.array(t, a, -3, 3))
        d.add(np.round(d.rng.uniform(0, 3, b)).astype(e))
    elif d.chance(0.5):
        d.add(d.array(t, a, 0.1, 3))
        d.add(d.array(e, b, 0 if np.dtype(e).kind == "u" else -2, 3))
    else:
        d.add(d.array(t, a))
        d.add(np.round(d.rng.uniform(0, 3, b)).astype(e), 0.6)


@generator("BitShift")
def shift(d):
    a, b = pair(d)
    t = d.type(0)
    d.attr(direction=d.pick(["LEFT", "RIGHT"]))
    d.add(d.array(t, a, whole=True))
    d.add(d.array(t, b, 0, 8 * np.dtype(t).itemsize - 1))


@generator("PRelu")
def prelu(d):
    t, shape = d.type(0), d.shape(1 if d.since >= 7 else 2, 4)
    d.add(d.array(t, shape))
    if d.since < 7:
        d.add(d.array(t, [shape[1]] if d.chance(0.7) else [1]))
    else:
        d.add(d.array(t, d.broadcast(shape)), 0.6)


@generator("SwiGLU")
def swiglu(d):
    t, shape = d.type(0), d.shape(1, 4)
    d.add(d.array(t, shape))
    d.add(d.array(t, shape))
    numbers(d)


@generator("Min", "Max", "Sum", "Mean")
def variadic(d):
    t, shape = d.type(0), d.shape(0, 4)
    for k in range(d.int(1, 4)):
        s = d.broadcast(shape) if k and d.since >= 8 else shape
        d.add(d.array(t, s, special=d.name in ("Min", "Max")))


@generator("Where")
def where(d):
    shape, t = d.shape(0, 4), d.type(1)
    shapes = [d.broadcast(shape) for _ in range(3)]
    shapes[d.int(0, 2)] = shape
    d.add(d.rng.random(shapes[0]) < 0.5)
    d.add(d.array(t, shapes[1]))
    d.add(d.array(t, shapes[2]))


@generator("Clip")
def clip(d):
    t = d.type(0)
    d.add(d.array(t, d.shape(0, 4), -9, 9))
    low, high = sorted(d.ints(2, -5, 5))
    if d.since < 11:
        d.attr(0.7, min=float(low))
        d.attr(0.7, max=float(high))
        return
    if int_range(t)[0] == 0 if is_int(t) else False:
        low, high = abs(low), abs(high) + abs(low)
    if d.chance(0.1):
        low, high = high, low  # "output is max where min > max"
        if d.since < 13:
            raise Skip
    d.add(np.array(low, t) if d.chance(0.7) else None, 0.7)
    if d.chance(0.7):
        d.add(np.array(high, t), 0.7)


@generator("Dropout")
def dropout(d):
    t = d.type(0)
    d.add(d.array(t, d.shape(1, 4)))
    if d.since < 7:
        d.attr(is_test=1)
    if d.since < 12:
        d.attr(0.5, ratio=0.3)
    else:
        if d.chance(0.5):
            d.add(np.array(0.3, d.type(1)), 0.8)
            if d.chance(0.5):
                d.add(np.array(False), 0.8)
    d.nout = 2 if d.chance(0.5) and d.since >= 10 else 1


@generator("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd",
           "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
           "ReduceSumSquare")
def reduce(d):
    t = d.type("T")
    shape = d.full(1, 4)
    low = 0.2 if d.name == "ReduceLogSum" else -3
    if d.name == "ReduceLogSum" and is_int(t):
        low = 1
    d.add(d.array(t, shape, low, 3))
    d.attr(0.5, keepdims=d.int(0, 1))
    by_input = d.since >= (13 if d.name == "ReduceSum" else 18)
    negative = d.since >= 11
    axes = d.rng.permutation(len(shape))[:d.int(1, len(shape))].tolist()
    axes = [a - len(shape) if negative and d.chance(0.3) else a for a in axes]
    if by_input:
        d.attr(0.3, noop_with_empty_axes=d.int(0, 1))
        if d.chance(0.7):
            d.add_ints(axes if d.chance(0.9) else [])
    else:
        d.attr(0.7, axes=axes)
    if d.name[:9] == "ReduceLog" and is_int(t):
        # A logarithm that is nearly whole may fall to either side.
        x = d.inputs[0].astype(np.float64)
        if len(d.inputs) < 2 and "axes" not in d.attrs or not axes or \
                len(d.inputs) > 1 and not d.inputs[1].size:
            axes = range(x.ndim)
        y = np.sum(np.exp(x) if d.name[-3:] == "Exp" else x, tuple(axes))
        y = np.log(y)
        if np.any(abs(y - np.round(y)) < 1e-3) or np.any(y < 0):
            raise Skip


@generator("ArgMax", "ArgMin")
def arg(d):
    t, shape = d.type(0), d.full(1, 4)
    d.add(d.array(t, shape, -4, 4))
    axis = axis_of(d, len(shape), d.since >= 11)
    d.attr(axis == 0 or 1, axis=axis)
    d.attr(0.5, keepdims=d.int(0, 1))
    if d.since >= 12:
        d.attr(0.5, select_last_index=d.int(0, 1))


@generator("CumSum", "CumProd")
def cumulate(d):
    t, shape = d.type(0), d.full(1, 4)
    d.add(d.array(t, shape))
    d.add(np.array(axis_of(d, len(shape)), d.type(1)), 0.8)
    d.attr(0.5, exclusive=d.int(0, 1))
    d.attr(0.5, reverse=d.int(0, 1))


@generator("Softmax", "LogSoftmax", "Hardmax")
def softmax(d):
    shape = d.full(2 if d.since < 13 else 1, 4)
    d.add(d.array(d.type(0), shape))
    d.attr(0.7, axis=d.int(-len(shape) if d.since >= 11 else 0,
                           len(shape) - 1))


@generator("Det")
def det(d):
    shape = d.full(2, 4, 4)
    d.add(d.array(d.type(0), shape[:-1] + [shape[-2]]))


@generator("MatMul")
def matmul(d):
    t, a, b = d.type(0), *product(d)
    d.add(d.array(t, a))
    d.add(d.array(t, b), 0.5)


def product(d):
    m, k, n = d.ints(3, 1, 20 if d.chance(0.3) else 5)
    outer = d.full(0, 2, 3)
    a, b = d.broadcast(outer) + [m, k], outer + [k, n]
    if d.chance(0.5):
        a, b = outer + [m, k], d.broadcast(outer) + [k, n]
    if d.chance(0.15):
        a = [k]
    if d.chance(0.15):
        b = [k]
    return a, b


@generator("MatMulInteger")
def matmul_integer(d):
    a, b = product(d)
    ta, tb = d.type(0), d.type(1)
    d.add(d.array(ta, a, whole=True))
    d.add(d.array(tb, b, whole=True), 0.5)
    if d.chance(0.7):
        d.add(d.array(ta, [], whole=True), 0.8)
        if d.chance(0.6):
            d.add(d.array(tb, [], whole=True), 0.8)


@generator("Gemm")
def gemm(d):
    m, k, n = d.ints(3, 1, 20 if d.chance(0.3) else 6)
    t = d.type(0)
    ta, tb = d.int(0, 1), d.int(0, 1)
    d.attr(ta or 0.3, transA=ta)
    d.attr(tb or 0.3, transB=tb)
    if is_float(t):
        d.attr(0.4, alpha=0.5)
        d.attr(0.4, beta=0.25)
    d.add(d.array(t, [k, m] if ta else [m, k]))
    d.add(d.array(t, [n, k] if tb else [k, n]), 0.5)
    if d.since >= 11 and d.chance(0.2):
        return
    c = [m, n]
    if d.since < 7:
        if d.chance(0.5):
            d.attr(broadcast=1)
            c = d.pick([[n], [1], [1, n], [m, 1], []][:2 if d.since < 6
                                                      else 3])
    else:
        c = d.broadcast(c)
    d.add(d.array(t, c), 0.5)


@generator("Einsum")
def einsum(d):
    equation = d.pick(["ij,jk->ik", "ij->ji", "ii->i", "ij->i", "ij->",
                       "bij,bjk->bik", "i,j->ij", "...ij,...jk->...ik",
                       "ij,jk", "bij,bkj->bik", "ij,ij->ij", "i,i->",
                       "ijk->kji", "ab,bc,cd->ad", "...i->...", "bhid,bhjd->"
                       "bhij", "ij,j->i"])
    sizes = {c: d.int(1, 4) for c in "abcdijkhb"}
    extra = d.full(1, 2, 3) if "..." in equation else []
    t = d.type(0)
    for term in equation.split("->")[0].split(","):
        shape = extra if "..." in term else []
        d.add(d.array(t, shape + [sizes[c] for c in term.strip(".")]), 0.3)
    d.attr(equation=equation)


@generator("QuantizeLinear", "DequantizeLinear")
def quantize(d):
    forward = d.name == "QuantizeLinear"
    shape = d.full(1, 4)
    axis, kind = axis_of(d, len(shape)), d.pick(["tensor", "axis", "block"])
    if kind == "axis" and d.since < 13:
        kind = "tensor"
    if kind == "block" and d.since < 21:
        kind = "axis" if d.since >= 13 else "tensor"
    sizes, block = [], 0
    if kind == "axis":
        sizes = [shape[axis]]
    elif kind == "block":
        block = d.int(1, 3)
        sizes = list(shape)
        sizes[axis] = -(-shape[axis] // block)
        if shape[axis] % block or len(shape) < 2 and shape[axis] == 1:
            raise Skip
        d.attr(block_size=block)
    if kind != "tensor":
        d.attr(axis=axis)
    x = d.type(0)
    scale = d.type(1)
    low = -5 if is_float(scale) else 0
    values = np.asarray(2.0 ** d.rng.integers(low, 2, sizes)).astype(scale)
    target = d.type(2)
    if forward:
        d.add(d.array(x, shape, -9, 9))
        d.add(values, 0.7)
        if d.chance(0.8):
            d.add(zero_points(d, target, sizes), 0.8)
        elif d.has_attr("output_dtype") and d.chance(0.6):
            d.attr(output_dtype=onnx_type(target))
    else:
        if x == np.int32:
            d.add(d.array(x, shape, -99, 99))
        else:
            d.add(d.array(x, shape, whole=is_int(x)))
        d.add(values, 0.7)
        if d.chance(0.7) and x != np.int32:
            d.add(zero_points(d, x, sizes), 0.8)
        if d.has_attr("output_dtype") and (d.chance(0.3) or
                                           scale.name == "float8_e8m0fnu"):
            d.attr(output_dtype=onnx_type(d.type("T3", among=is_float)))


def zero_points(d, t, sizes):
    """"zero point .. must be 0" where the type is a float."""
    if is_float(t):
        return np.zeros(sizes).astype(t)
    return d.array(t, sizes, -20, 60)


def even(d, t):
    """The zero point of a result. The reference evaluator rounds after it is
    added, which is the same where it is even."""
    return d.array(t, [], -10, 30) * np.array(2, t)


@generator("DynamicQuantizeLinear")
def dynamic_quantize(d):
    d.nout = 3
    d.add(d.array(np.float32, d.full(1, 3)))
    if not np.any(d.inputs[0]):
        raise Skip  # 0/0


@generator("QLinearMatMul")
def qlinear_matmul(d):
    a, b = product(d)
    ta, tb = d.type("T1"), d.type("T2")
    ty, ts = d.type("T3"), d.types.get("TS")
    ts = d.type("TS") if "TS" in d.allowed else np.dtype(np.float32)
    # By powers of two, so that what is halfway is so for all.
    for t, s, value in ((ta, a, 2.0 ** -4), (tb, b, 2.0 ** -d.int(5, 8))):
        d.add(d.array(t, s, whole=is_int(t)), 0.4)
        d.add(np.array(value).astype(ts), 0.9)
        d.add(zero_points(d, t, []), 0.9)
    d.add(np.array(0.5).astype(ts), 0.9)
    d.add(even(d, ty) if is_int(ty) else zero_points(d, ty, []), 0.9)
