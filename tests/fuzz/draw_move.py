# SPDX-License-Identifier: Apache-2.0
"""Draws of the operators that move elements: shapes, slices, indices, types."""
import numpy as np
from onnx import TensorProto, numpy_helper

from draw import Skip, generator, int_range, is_float, is_int, onnx_type


def axis_of(d, rank, negative=True):
    return d.int(-rank if negative else 0, rank - 1)


def factors(d, n):
    """Sizes whose product is n."""
    sizes = []
    while n > 1 and len(sizes) < 4:
        f = d.pick([k for k in range(1, n + 1) if n % k == 0])
        sizes.append(f)
        n //= f
    return sizes + [n] if n > 1 or not sizes else sizes


@generator("Identity")
def identity(d):
    """Also of a sequence or an optional value."""
    prefix, t = d.wrapped("V") if "V" in d.allowed else ("", None)
    if not prefix:
        return d.add(d.array(d.type(0), d.shape(0, 4)))
    d.made = d.held(prefix, t)
    return d.add(d.made[0])


@generator("Shape", "Size", "NonZero")
def simple(d):
    d.add(d.array(d.type(0), d.shape(0 if d.name != "NonZero" else 1, 4)))
    if d.has_attr("start"):
        d.attr(0.5, start=d.int(-3, 3))
        d.attr(0.5, end=d.int(-3, 3))


@generator("Reshape")
def reshape(d):
    shape = d.full(0, 4)
    to = factors(d, int(np.prod(shape)))
    if to and d.chance(0.4):
        to[d.int(0, len(to) - 1)] = -1
    elif d.chance(0.3):
        to = [0 if k < len(shape) and s == shape[k] else s
              for k, s in enumerate(to)]
    elif d.has_attr("allowzero") and d.chance(0.1):
        shape, to = [0, 3], [3, 0]
        d.attr(allowzero=1)
    d.add(d.array(d.type(0), shape), 0.1)
    if d.since == 1:
        d.attr(shape=to)
    else:
        d.add_ints(to)


@generator("Flatten")
def flatten(d):
    shape = d.shape(2, 4)
    d.add(d.array(d.type(0), shape))
    d.attr(0.8, axis=d.int(-len(shape) if d.since >= 11 else 0, len(shape)))


@generator("Squeeze", "Unsqueeze")
def squeeze(d):
    shape = d.shape(1, 3)
    n = d.int(1, 2)
    rank = len(shape) + n
    axes = sorted(d.rng.permutation(rank)[:n].tolist())
    if d.name == "Squeeze":
        for a in axes:
            shape.insert(a, 1)
    if d.since >= 11:
        axes = [a - rank if d.chance(0.3) else a for a in axes]
        d.rng.shuffle(axes)
    d.add(d.array(d.type(0), shape))
    if d.name == "Squeeze" and d.chance(0.2):
        return
    if d.since >= 13:
        d.add_ints(axes)
    else:
        d.attr(axes=axes)


@generator("Transpose")
def transpose(d):
    shape = d.shape(1, 5)
    d.add(d.array(d.type(0), shape))
    d.attr(0.8, perm=d.rng.permutation(len(shape)).tolist())


@generator("Expand")
def expand(d):
    shape = d.full(1, 4)
    d.add(d.array(d.type(0), d.broadcast(shape)))
    if d.chance(0.5):
        shape = [1 if d.chance(0.3) else s for s in shape]
        x = d.inputs[0].shape
        shape = [s if s != 1 or k < len(shape) - len(x) else 1
                 for k, s in enumerate(shape)]
    d.add_ints(shape)


@generator("Tile")
def tile(d):
    shape = d.shape(1, 4)
    d.add(d.array(d.type(0), shape))
    if d.since == 1:
        d.add(np.array(d.int(1, 3), d.types["T"]), 0.7)
        d.add(np.array(d.int(0, len(shape) - 1), d.types["T"]), 0.7)
    else:
        d.add_ints(d.ints(len(shape), 0 if d.chance(0.1) else 1, 3))


@generator("DepthToSpace", "SpaceToDepth")
def depth(d):
    b, (n, c, h, w) = d.int(1, 3), d.shape(4, 4, 3)
    d.attr(blocksize=b)
    if d.name == "DepthToSpace":
        d.add(d.array(d.type(0), [n, c * b * b, h, w]))
        if d.since >= 11:
            d.attr(0.7, mode=d.pick(["DCR", "CRD"]))
    else:
        d.add(d.array(d.type(0), [n, c, h * b, w * b]))


@generator("ReverseSequence")
def reverse(d):
    shape = d.full(2, 4)
    time = d.int(0, 1)
    d.add(d.array(d.type(0), shape))
    d.add_ints(d.ints(shape[1 - time], 1, shape[time]), const=0.3)
    d.attr(time or d.chance(0.5), time_axis=time, batch_axis=1 - time)
    if "time_axis" not in d.attrs and time:
        raise Skip


@generator("Concat")
def concat(d):
    shape = d.shape(1 if d.since > 1 else 2, 4)
    axis = axis_of(d, len(shape), d.since >= 11)
    if d.since == 1 and d.chance(0.5):
        axis = 1
    else:
        d.attr(axis=axis)
    for _ in range(d.int(1, 4)):
        shape[axis] = d.int(1, 4) if d.chance(0.95) else 0
        d.add(d.array(d.type(0), shape))


@generator("Split")
def split(d):
    parts = d.ints(d.int(1, 4), 1, 3)
    equal = d.chance(0.5)
    if equal:
        parts = [parts[0]] * len(parts)
    shape = d.full(1, 4)
    axis = axis_of(d, len(shape), d.since >= 11)
    shape[axis] = sum(parts)
    d.nout = len(parts)
    d.attr(axis == 0 or 1, axis=axis)
    d.add(d.array(d.type(0), shape))
    if equal and d.since < 18 and d.chance(0.6):
        return
    if d.since >= 18 and d.chance(0.5):
        # "the last chunk will be smaller" if not evenly divisible
        size = d.int((len(parts) - 1) * parts[0] + 1, sum(parts)) \
            if equal else 0
        if equal:
            shape[axis] = size
            d.inputs[0] = d.array(d.types["T"], shape)
            d.attr(num_outputs=len(parts))
            if -(-size // len(parts)) * (len(parts) - 1) >= size:
                raise Skip
            return
    if d.since >= 13:
        d.add_ints(parts)
    elif d.since == 1 and d.chance(0.3):
        d.add(np.array(parts, d.types["T"]), 0.7)
    else:
        d.attr(split=parts)


@generator("Compress")
def compress(d):
    shape = d.full(1, 4)
    n = int(np.prod(shape))
    d.add(d.array(d.type(0), shape))
    if d.chance(0.7):
        axis = axis_of(d, len(shape), d.since >= 11)
        d.attr(axis=axis)
        n = shape[axis]
    d.add(d.rng.random(d.int(1, n)) < 0.5)


@generator("Unique")
def unique(d):
    shape = d.full(1, 3)
    d.attr(0.6, axis=axis_of(d, len(shape)))
    d.attr(0.5, sorted=d.int(0, 1))
    d.add(d.array(d.type(0), shape, 0, 2))
    d.nout = d.int(1, 4)


@generator("Slice")
def slices(d):
    shape = d.full(1, 4)
    axes = sorted(d.rng.permutation(len(shape))[:d.int(1, 3)].tolist())
    starts, ends, steps = [], [], []
    for a in axes:
        n = shape[a]
        starts.append(d.int(-n - 2, n + 1))
        ends.append(d.pick([d.int(-n - 2, n + 2), n, 2**31 - 1, 2**63 - 1]))
        steps.append(d.pick([1, 1, 2, -1, -2, 3]) if d.since >= 10 else 1)
        if steps[-1] < 0:
            starts[-1] = d.pick([starts[-1], n - 1, 2**31 - 1])
            ends[-1] = d.pick([d.int(-n - 2, n), -2**31 + 1, -2**63 + 1])
    if d.since >= 10:
        axes = [a - len(shape) if d.chance(0.3) else a for a in axes]
    d.add(d.array(d.type(0), shape))
    if d.since < 10:
        plain = axes == list(range(len(axes))) and d.chance(0.5)
        d.attr(starts=starts, ends=ends)
        d.attr(not plain, axes=axes)
        return
    t = np.int64 if max(ends) > 2**31 or min(ends) < -2**31 \
        else d.pick([np.int32, np.int64])
    d.types["Tind"] = np.dtype(t)
    d.add_ints(starts, t)
    d.add_ints(ends, t)
    plain = axes == list(range(len(axes)))
    if plain and d.chance(0.4):
        if d.chance(0.5) and all(s == 1 for s in steps):
            return
        d.add(None)
    else:
        d.add_ints(axes, t)
    if any(s != 1 for s in steps) or d.chance(0.5):
        d.add_ints(steps, t)


@generator("Pad")
def pad(d):
    shape = d.full(1, 4)
    n = len(shape)
    modes = ["constant", "edge", "reflect"] + ["wrap"] * (d.since >= 19)
    mode = d.pick(modes)
    axes = list(range(n))
    if d.since >= 18 and d.chance(0.3):
        axes = d.rng.permutation(n)[:d.int(1, n)].tolist()
    low = -1 if mode == "constant" and d.chance(0.3) else 0
    pads = [min(p, shape[a] - 1) if mode == "reflect" else
            max(p, -(shape[a] // 2)) if p < 0 else p
            for p, a in zip(d.ints(2 * len(axes), low, 3), axes * 2)]
    t = d.type(0)
    d.add(d.array(t, shape))
    d.attr(mode != "constant" or d.chance(0.5), mode=mode)
    if d.since < 11:
        d.attr(**{"paddings" if d.since == 1 else "pads": pads})
        d.attr(0.5, value=d.int(-2, 2) / 2)
        return
    d.add_ints(pads)
    some = axes != list(range(n))
    if d.chance(0.5) or some:
        d.add(d.array(t, []) if d.chance(0.5) else None, 0.8)
    if some:
        d.add_ints([a - n if d.chance(0.3) else a for a in axes],
                   d.type("Tind"))


def indices(d, shape, n, port=1):
    """Of an axis of n elements; from opset 11 on they may be negative."""
    low = -n if d.since >= 11 else 0
    return d.rng.integers(low, n, shape).astype(d.type(port))


@generator("Gather")
def gather(d):
    shape = d.full(1, 4)
    axis = axis_of(d, len(shape), d.since >= 11)
    d.attr(axis == 0 or 1, axis=axis)
    d.add(d.array(d.type(0), shape))
    d.add(indices(d, d.shape(0, 2, 4), shape[axis]), 0.3)


@generator("GatherElements")
def gather_elements(d):
    shape = d.full(1, 4)
    axis = axis_of(d, len(shape))
    d.attr(axis == 0 or 1, axis=axis)
    d.add(d.array(d.type(0), shape))
    sub = [d.int(1, s) for s in shape]
    sub[axis] = d.int(1, 5)
    d.add(indices(d, sub, shape[axis]), 0.3)


def tuples(d, shape, outer, k, skip=0):
    """Index tuples of the first k axes after `skip`."""
    low = 0 if d.name == "GatherND" and d.since < 11 else 1
    return np.stack([d.rng.integers(-n * low, n, outer) for n in
                     shape[skip:skip + k]], axis=-1).astype(np.int64)


@generator("GatherND")
def gather_nd(d):
    shape = d.full(1, 4)
    batch = d.int(0, min(2, len(shape) - 1)) if d.since >= 12 else 0
    d.attr(batch or d.chance(0.2), batch_dims=batch)
    if d.since < 12:
        d.attrs.clear()
    k = d.int(1, len(shape) - batch)
    d.add(d.array(d.type(0), shape))
    outer = shape[:batch] + d.shape(0, 2, 3)
    if not outer:
        outer = []
    d.add(tuples(d, shape, outer, k, batch), 0.3)


def reductions(d):
    """Those of the version; none where the type allows no arithmetic."""
    t = d.type("T")
    if not (is_float(t) or is_int(t)):
        return ["none"]
    allowed = {"ScatterElements": [(16, "add mul"), (18, "max min")],
               "ScatterND": [(16, "add mul"), (18, "max min")]}
    words = "none"
    for since, more in allowed.get(d.name, ()):
        words += f" {more}" if d.since >= since else ""
    return words.split()


@generator("Scatter", "ScatterElements")
def scatter(d):
    shape = d.full(1, 3)
    axis = axis_of(d, len(shape), d.since >= 11)
    d.attr(axis == 0 or 1, axis=axis)
    t = d.type(0)
    how = d.pick(reductions(d))
    sub = [d.int(1, s) for s in shape]
    d.add(d.array(t, shape))
    # "indices should not have duplicate entries" where nothing is reduced
    n = shape[axis]
    if how == "none":
        order = np.argsort(d.rng.random(sub[:axis % len(shape)] + [n] +
                                        sub[axis % len(shape) + 1:]),
                           axis=axis)
        take = [slice(s) for s in sub]
        index = order[tuple(take)]
        if d.since >= 11:
            index = index - n * (d.rng.random(index.shape) < 0.3)
        index = index.astype(d.type(1))
    else:
        sub[axis] = d.int(1, 6)
        index = indices(d, sub, n)
        d.attr(reduction=how)
    d.add(index, 0.3)
    d.add(d.array(t, sub))


@generator("ScatterND")
def scatter_nd(d):
    shape = d.full(1, 4)
    t, k = d.type(0), d.int(1, len(shape))
    how = d.pick(reductions(d))
    d.add(d.array(t, shape))
    if how == "none":
        n = int(np.prod(shape[:k]))
        flat = d.rng.permutation(n)[:d.int(1, n)]
        index = np.stack(np.unravel_index(flat, shape[:k]), -1)
    else:
        d.attr(reduction=how)
        index = tuples(d, shape, d.full(1, 2, 4), k)
    d.add(index.astype(np.int64), 0.3)
    d.add(d.array(t, list(index.shape[:-1]) + shape[k:]))


@generator("TensorScatter")
def tensor_scatter(d):
    shape = d.full(3, 4)
    axis = d.int(1, len(shape) - 1)
    d.attr(axis == len(shape) - 2 or 1, axis=axis - len(shape)
           if d.chance(0.5) else axis)
    t, circular = d.type(0), d.chance(0.5)
    d.attr(circular or 0.5, mode="circular" if circular else "linear")
    sub = list(shape)
    sub[axis] = d.int(1, shape[axis])
    d.add(d.array(t, shape))
    d.add(d.array(t, sub))
    if d.chance(0.7):
        most = shape[axis] - 1 if circular else shape[axis] - sub[axis]
        d.add_ints(d.ints(shape[0], 0, most), const=0.3)


@generator("TopK")
def topk(d):
    shape = d.full(1, 3, 8)
    axis = axis_of(d, len(shape), d.since >= 11)
    k = d.int(1, shape[axis])
    t = d.type(0)
    d.attr(axis == len(shape) - 1 or 1, axis=axis)
    d.add(d.array(t, shape, -9, 9))
    d.nout = 2
    if d.since == 1:
        d.attr(k=k)
        return
    d.add_ints([k])
    if d.since >= 11:
        d.attr(0.6, largest=d.int(0, 1))
        if d.chance(0.2):
            d.attr(sorted=1)


@generator("OneHot")
def onehot(d):
    shape, n = d.shape(1, 3, 4), d.int(1, 6)
    low = -n - 1 if d.since >= 11 else 0
    ti, td = d.type(0), d.type(1)
    d.add(np.round(d.array(ti, shape, low, n + 1).astype(float)).astype(ti),
          0.3)
    depth_value = np.array(n if d.chance(0.5) else [n], td)
    d.add(depth_value, 0.9)
    d.add(d.array(d.type(2), [2]), 0.5)
    d.attr(0.7, axis=d.int(-len(shape) - 1 if d.since >= 11 else -1,
                           len(shape)))


@generator("ConstantOfShape")
def constant_of_shape(d):
    d.add_ints(d.shape(0, 4))
    if d.chance(0.8):
        d.type("T2")
        d.attr(value=numpy_helper.from_array(d.array(d.types["T2"], [1])))


@generator("Range")
def range_(d):
    t = d.type(0)
    step = d.pick([1, 2, 3, -1, -2])
    if int_range(t)[0] >= 0 if is_int(t) else False:
        step = abs(step)
    start = d.int(0, 9) if step > 0 else d.int(0, 20)
    end = start + step * d.int(0, 8) + d.int(0, abs(step) - 1)
    if np.dtype(t).kind == "u":
        end = max(end, 0)
    scale = d.pick([1, 0.5]) if is_float(t) else 1
    for v in (start, end, step):
        d.add(np.array(v * scale).astype(t), 0.6)


@generator("EyeLike")
def eye_like(d):
    d.add(d.array(d.type(0), d.full(2, 2)))
    d.attr(0.5, k=d.int(-3, 3))
    d.attr(0.5, dtype=onnx_type(d.type("T2")))


@generator("Trilu")
def trilu(d):
    d.add(d.array(d.type(0), d.shape(2, 4)))
    if d.chance(0.6):
        d.add(np.array(d.int(-4, 4), np.int64), 0.7)
    d.attr(0.5, upper=d.int(0, 1))


@generator("CenterCropPad")
def center_crop_pad(d):
    shape = d.full(1, 4)
    axes = d.rng.permutation(len(shape))[:d.int(1, len(shape))].tolist()
    d.add(d.array(d.type(0), shape))
    if d.chance(0.5):
        axes = list(range(len(shape)))
    else:
        d.attr(axes=[a - len(shape) if d.chance(0.3) else a for a in axes])
    d.add_ints(d.ints(len(axes), 1, 8), d.type(1))


@generator("Cast", "CastLike")
def cast(d):
    source = d.type(0)
    # Text for and of narrow floats is nowhere specified.
    narrow = is_float(source) and (source.kind != "f" or source.itemsize < 2)
    target = d.type("T2", among=lambda t: not (narrow and t.kind == "O") if
                    source.kind != "O" else t.kind in "fiubO")
    d.add(convertible(d, source, target))
    if d.name == "CastLike":
        d.add(d.array(target, d.shape(0, 2)))
    elif d.since < 6:
        d.attr(to=TensorProto.DataType.Name(onnx_type(target)))
    else:
        d.attr(to=onnx_type(target))
    if d.has_attr("saturate") and target.name.startswith("float8"):
        d.attr(0.5, saturate=d.int(0, 1))
    if d.has_attr("round_mode") and target.name == "float8_e8m0fnu":
        d.attr(0.7, round_mode=d.pick(["up", "down", "nearest"]))


def convertible(d, source, target):
    """The spec leaves open what floats out of an integer's range become."""
    shape = d.shape(0, 3)
    if source.kind == "O":
        words = ["1", "0", "7", "12"] if not is_float(target) else \
            ["1.5", "-2", "1e3", "NaN", "INF", "-INF", "0.1", "3.25e-2"]
        return np.array([d.pick(words) for _ in range(int(np.prod(shape)))],
                        dtype=object).reshape(shape)
    if is_float(source):
        low, high = -500, 500
        if target.kind in "iu" or is_int(target):
            least, largest = int_range(target)
            low, high = max(low, least), min(high, largest)
        elif target.kind == "O":
            return d.array(source, shape, -100, 100)
        elif d.chance(0.5):
            low, high = -8, 8
        if target.name == "float8_e8m0fnu":  # "undefined" below 0
            return d.array(source, shape, 0.1, high)
        x = d.array(source, shape, low, high,
                    special=is_float(target) and source.name[:6] != "float8")
        if is_int(target):
            x = np.clip(np.nan_to_num(x.astype(np.float64)), low,
                        high).astype(source)
            if np.any((x.astype(np.float64) > high) |
                      (x.astype(np.float64) < low)):
                raise Skip
        return x
    if target.name == "float8_e8m0fnu":
        return abs(d.array(source, shape, 1, 9))
    # "uint4 .. out of range is undefined" for signed to unsigned of 4 bits
    low, high = -100, 100
    if is_int(source) and d.chance(0.4) and target.kind in "iu":
        return d.array(source, shape, whole=True)
    if is_int(target) and not target.kind in "iu" or \
            target.name in ("int2", "int4", "uint2", "uint4"):
        low, high = int_range(target)
    return d.array(source, shape, low, high)


def bits(t):
    """Of an element; those of 4 and 2 bits take a byte each in numpy."""
    narrow = {"int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}
    return narrow.get(t.name, t.itemsize * 8)


@generator("BitCast")
def bitcast(d):
    source = d.type(0)
    n = bits(source)
    t = d.type("T2", among=lambda t: bits(t) == n and t.kind != "O")
    x = d.array(source, d.shape(0, 3), whole=True)
    if t == bool:  # only 0 and 1 are values of it
        x = d.rng.integers(0, 2, x.shape).astype(np.uint8).view(source)
    d.add(x)
    d.attr(to=onnx_type(t))
    if n < 8:
        plain = x.view(np.int8) & (2 ** n - 1)
        if t.name[:3] == "int":  # their sign fills the byte
            plain = (plain ^ 1 << n - 1) - (1 << n - 1)
        d.made = [plain.astype(np.int8).view(t)]
