# SPDX-License-Identifier: Apache-2.0
"""Draws of windows, normalisations, recurrent layers, attention, images."""
import numpy as np

from draw import HALVES, Skip, generator, is_float, onnx_type
from draw_math import even
from draw_move import axis_of


class Window:
    """Kernel, strides, dilations and pads, and sizes that they fit."""

    def __init__(self, d, dilated=True):
        n = d.pick([1, 2, 2, 2, 3])
        self.kernel = d.ints(n, 1, 3)
        self.strides = d.ints(n, 1, 3) if d.chance(0.5) else [1] * n
        self.dilations = [1] * n
        if dilated and d.chance(0.3):
            self.dilations = d.ints(n, 1, 2)
        self.pads = [0] * (2 * n)
        self.auto = "NOTSET"
        if d.chance(0.5):
            self.pads = [d.int(0, min(2, self.kernel[k % n] - 1))
                         for k in range(2 * n)]
        elif d.chance(0.3):
            self.auto = d.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
        self.reach = [(k - 1) * e + 1 for k, e in zip(self.kernel,
                                                      self.dilations)]
        self.size = [d.int(max(1, r - self.pads[k] - self.pads[k + n]), 8)
                     for k, r in enumerate(self.reach)]
        if self.auto != "NOTSET":
            self.size = [max(s, r) for s, r in zip(self.size, self.reach)]

    def attrs(self, d, kernel=True):
        if kernel:
            d.attr(kernel_shape=self.kernel)
        else:
            d.attr(0.6, kernel_shape=self.kernel)
        d.attr(any(s != 1 for s in self.strides) or 0.3, strides=self.strides)
        if any(e != 1 for e in self.dilations):
            d.attr(dilations=self.dilations)
        if self.auto != "NOTSET":
            d.attr(auto_pad=self.auto)
        else:
            d.attr(any(self.pads) or 0.3, pads=self.pads)


def channels(d):
    return 17 if d.chance(0.1) else d.int(1, 4)


@generator("Conv", "ConvInteger", "QLinearConv", "ConvTranspose")
def conv(d):
    w = Window(d)
    group, c, m = d.pick([1, 1, 1, 2, 3]), channels(d), channels(d)
    if d.chance(0.15):
        group, c, m = d.int(2, 18), 1, 1
    image = [d.int(1, 3), c * group] + w.size
    t = d.type("T1" if d.name == "QLinearConv" else 0)
    weights = [m * group, c] + w.kernel
    if d.name == "ConvTranspose":
        conv_transpose(d, w, image, [c * group, m] + w.kernel, m * group)
        return
    w.attrs(d, kernel=False)
    d.attr(group != 1 or 0.2, group=group)
    if d.name == "ConvInteger":
        tw = d.type(1)
        d.add(d.array(t, image, whole=True))
        d.add(d.array(tw, weights, whole=True), 0.6)
        if d.chance(0.7):
            d.add(d.array(t, [], whole=True), 0.9)
            if d.chance(0.6):
                d.add(d.array(tw, [], whole=True), 0.9)
        return
    if d.name == "QLinearConv":
        tw, ty = d.type("T2"), d.type("T3")
        per = [m * group] if d.chance(0.5) else []
        d.add(d.array(t, image, whole=True))
        # By powers of two, so that what is halfway is so for all.
        d.add(np.array(2.0 ** -4, np.float32), 0.9)
        d.add(d.array(t, [], whole=True), 0.9)
        d.add(d.array(tw, weights, whole=True), 0.8)
        d.add(np.asarray(2.0 ** -d.rng.integers(5, 9, per), np.float32), 0.9)
        d.add(np.zeros(per, tw) if tw == np.int8 else
              np.full(per, d.int(0, 255), tw), 0.9)
        d.add(np.array(0.5, np.float32), 0.9)
        d.add(even(d, ty), 0.9)
        if d.chance(0.5):
            d.add(d.array(np.int32, [m * group], -500, 500), 0.9)
        return
    d.add(d.array(t, image))
    d.add(d.array(t, weights, -1, 1), 0.7)
    if d.chance(0.5):
        d.add(d.array(t, [m * group]), 0.8)


def conv_transpose(d, w, image, weights, filters):
    t = d.type(0)
    group = filters // weights[1]
    if w.auto == "VALID":
        w.auto = "NOTSET"
    if w.auto != "NOTSET":
        # Where windows do not meet, SAME has no pads but the lack of some.
        w.strides = [min(s, r) for s, r in zip(w.strides, w.reach)]
    w.attrs(d, kernel=False)
    d.attr(group != 1 or 0.2, group=group)
    n = len(w.kernel)
    if d.chance(0.3):
        extra = [d.int(0, max(s, e) - 1) for s, e in
                 zip(w.strides, w.dilations)]
        extra = [min(x, s - 1) for x, s in zip(extra, w.strides)]
        d.attr(output_padding=extra)
    total = [(s - 1) * st + r - p - q for s, st, r, p, q in
             zip(image[2:], w.strides, w.reach, w.pads[:n], w.pads[n:])]
    if min(total) < 1:
        raise Skip
    d.add(d.array(t, image))
    d.add(d.array(t, weights, -1, 1), 0.6)
    if d.chance(0.5):
        d.add(d.array(t, [filters]), 0.8)


@generator("MaxPool", "AveragePool", "LpPool")
def pool(d):
    since = {"MaxPool": 10, "AveragePool": 19, "LpPool": 18}[d.name]
    w = Window(d, dilated=d.since >= since)
    t = d.type(0)
    x = d.array(t, [d.int(1, 2), channels(d)] + w.size, -9, 9)
    w.attrs(d)
    if d.has_attr("ceil_mode"):
        ceil = d.int(0, 1)
        d.attr(ceil or 0.2, ceil_mode=ceil)
        if ceil and w.auto != "NOTSET":
            raise Skip
    if d.has_attr("count_include_pad"):
        d.attr(0.5, count_include_pad=d.int(0, 1))
    if w.auto[:4] == "SAME" and (max(w.dilations) > 1 or any(
            s > r for s, r in zip(w.strides, w.reach))):
        # Both others count its pads without the dilations; and they differ on
        # negative ones, which the formula gives: see same_axis in window.c.
        raise Skip
    if d.name == "LpPool":
        d.attr(0.5, p=d.int(1, 3) if d.since > 1 else float(d.int(1, 3)))
    if d.name == "MaxPool" and d.since >= 8 and d.chance(0.3):
        # The index of equal elements is left open: none are.
        order = d.rng.permutation(x.size).reshape(x.shape)
        x = (order - 100).astype(t) if x.size < 128 else x
        if x.size < 128:
            d.nout = 2
            if t != np.int8 and t != np.uint8:
                d.attr(0.5, storage_order=d.int(0, 1))
    d.add(x)


@generator("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(d):
    d.add(d.array(d.type(0), d.full(3, 5)))
    if d.name == "GlobalLpPool":
        d.attr(0.5, p=d.int(1, 3) if d.since > 1 else float(d.int(1, 3)))


@generator("MaxUnpool")
def max_unpool(d):
    n, c, h, w = d.int(1, 2), d.int(1, 2), d.int(1, 3), d.int(1, 3)
    t, big = d.type(0), (2 * h) * (2 * w)
    d.add(d.array(t, [n, c, h, w]))
    index = np.stack([np.sort(d.rng.permutation(big)[:h * w]) + p * big
                      for p in range(n * c)])
    d.add(index.reshape(n, c, h, w).astype(np.int64), 0.3)
    d.attr(kernel_shape=[2, 2], strides=[2, 2])


@generator("BatchNormalization")
def batch_norm(d):
    shape = d.full(2 if d.since >= 9 else 3, 4)
    c = shape[1]
    d.add(d.array(d.type(0), shape))
    for k in range(4):
        t = d.type(k + 1) if d.since >= 14 else d.types["T"]
        d.add(d.array(t, [c], 0.2, 2), 0.7)
    d.attr(0.5, epsilon=1e-3)
    d.attr(0.3, momentum=0.7)
    if d.since < 7:
        d.attr(is_test=1)
    if d.since == 1:
        d.attr(consumed_inputs=[0, 0, 0, 1, 1])
    if d.since >= 14 and d.chance(0.3):
        d.attr(training_mode=1)
        d.nout = 3


@generator("InstanceNormalization", "GroupNormalization")
def group_norm(d):
    shape, groups = d.full(3, 4), 1
    if d.name == "GroupNormalization":
        groups = d.int(1, 3)
        shape[1] *= groups
        d.attr(num_groups=groups)
    t = d.type(0)
    c = groups if d.name[0] == "G" and d.since < 21 else shape[1]
    d.add(d.array(t, shape))
    d.add(d.array(t, [c]), 0.7)
    d.add(d.array(t, [c]), 0.7)
    d.attr(0.5, epsilon=1e-2)


@generator("LayerNormalization", "RMSNormalization")
def layer_norm(d):
    shape = d.full(1, 4)
    axis = axis_of(d, len(shape))
    d.attr(axis == -1 or axis == len(shape) - 1 or 1, axis=axis)
    t = d.type(0)
    u = d.type(1)
    d.add(d.array(t, shape))
    tail = shape[axis:] if axis < 0 else shape[axis:]
    if d.name[0] == "R":
        u = t  # Y has the type of scale; onnx infers that of X
    d.add(d.array(u, tail), 0.6)
    if d.name == "LayerNormalization":
        if d.chance(0.6):
            d.add(d.array(u, tail), 0.6)
        d.nout = d.pick([1, 1, 3])
        if d.nout == 3 and d.chance(0.5):
            d.attr(stash_type=onnx_type(d.type("U")))
    d.attr(0.5, epsilon=1e-2)


@generator("LpNormalization")
def lp_norm(d):
    shape = d.full(1, 4)
    d.add(d.array(d.type(0), shape))
    d.attr(0.7, axis=axis_of(d, len(shape)))
    d.attr(0.6, p=d.int(1, 2))


@generator("MeanVarianceNormalization")
def mvn(d):
    shape = d.ints(4, 2, 4)
    x = d.rng.permutation(int(np.prod(shape))) / 8  # no variance is 0
    d.add(x.reshape(shape).astype(d.type(0)))
    d.attr(0.5, axes=sorted(d.rng.permutation(4)[:d.int(1, 4)].tolist()))


@generator("LRN")
def lrn(d):
    d.add(d.array(d.type(0), d.full(3, 5)))
    d.attr(size=d.pick([1, 2, 3, 4, 5]))
    d.attr(0.5, alpha=0.05, beta=0.5, bias=2.0)


@generator("Upsample")
def upsample(d):
    shape = d.full(4, 4, 4)
    scales = [1.0, 1.0, d.pick([1.0, 1.5, 2.0, 3.0]), d.pick([1.0, 2.0])]
    mode = d.pick(["nearest", "linear" if d.since > 1 else "bilinear"])
    d.attr(0.8, mode=mode)
    # Nothing says how a linear mean becomes an integer.
    d.add(d.array(d.type(0, among=None if d.attrs.get("mode", "nearest") ==
                         "nearest" else is_float), shape))
    if d.since == 1:
        d.attr(height_scale=scales[2], width_scale=scales[3])
    elif d.since < 9:
        d.attr(scales=scales)
    else:
        d.add(np.array(scales, np.float32), 0.9)


@generator("Resize")
def resize(d):
    shape = d.full(3, 4, 5)
    mode = d.pick(["nearest", "linear", "cubic"])
    if d.since < 11:
        mode = d.pick(["nearest", "linear"])
    t = d.type("T1" if d.since >= 11 else "T",
               among=None if mode == "nearest" else is_float)
    if mode == "cubic":
        shape = [1, 1, d.int(2, 6), d.int(2, 6)]
    d.attr(mode=mode)
    lead = len(shape) - 2
    factor = [d.pick([0.5, 1.0, 1.5, 2.0, 0.6, 2.6]) for _ in range(2)]
    sizes = shape[:lead] + [max(1, int(s * f)) for s, f in
                            zip(shape[lead:], factor)]
    scales = [1.0] * lead + factor
    if any(int(s * f) < 1 for s, f in zip(shape[lead:], factor)):
        raise Skip
    d.add(d.array(t, shape))
    if d.since < 11:
        d.add(np.array(scales, np.float32), 0.9)
        return
    coordinates = d.pick(["half_pixel", "asymmetric", "align_corners",
                          "pytorch_half_pixel"] +
                         # extrapolation_value is a number
                         ["tf_crop_and_resize"] * (t.kind not in "cO") +
                         ["half_pixel_symmetric"] * (d.since >= 19))
    d.attr(0.7, coordinate_transformation_mode=coordinates)
    if mode == "nearest":
        d.attr(0.7, nearest_mode=d.pick(["round_prefer_floor", "floor", "ceil",
                                         "round_prefer_ceil"]))
    if mode == "cubic":
        d.attr(0.5, cubic_coeff_a=-0.5)
        d.attr(0.3, exclude_outside=1)
    if d.attrs.get("coordinate_transformation_mode", "")[:2] == "tf":
        # By eighths, so that no precision decides.
        d.add(np.concatenate([[0] * lead, d.ints(2, 0, 3), [8] * lead,
                              d.ints(2, 5, 8)]) / 8, 0.8)
        d.inputs[-1] = d.inputs[-1].astype(d.type("T2"))
        d.attr(0.5, extrapolation_value=0.5)
    else:
        d.add(np.zeros(0, np.float32) if d.since < 13 else None, 1)
    # "floor(input_dimension * (roi_end - roi_start) * scale)": onnxruntime and
    # the reference evaluator leave the region out of it.
    if len(d.inputs[1] if d.inputs[1] is not None else ()) == 0 and \
            d.chance(0.5):
        d.add(np.array(scales, np.float32), 0.9)
    else:
        d.add(np.zeros(0, np.float32) if d.since < 13 else None, 1)
        d.add_ints(sizes)
    if d.has_attr("antialias") and mode != "nearest" and d.chance(0.3):
        d.attr(antialias=1)


@generator("GridSample")
def grid_sample(d):
    n, c = d.int(1, 2), d.int(1, 3)
    rank = 2 if d.since < 20 or d.chance(0.7) else 3
    size, out = d.ints(rank, 2, 5), d.ints(rank, 1, 4)
    old = d.since < 20
    modes = ["bilinear" if old else "linear", "nearest",
             "bicubic" if old else "cubic"]
    mode = d.pick(modes[:2] if rank == 3 else modes)
    d.attr(mode=mode)
    d.attr(0.7, padding_mode=d.pick(["zeros", "border", "reflection"]))
    d.attr(0.5, align_corners=d.int(0, 1))
    t = d.type(0, among=None if mode == "nearest" else is_float)
    d.add(d.array(t, [n, c] + size))
    grid = d.rng.uniform(-1.3, 1.3, [n] + out + [rank])
    kind = d.type("T2") if "T2" in d.allowed else t
    if mode == "nearest" and kind in HALVES:
        raise Skip  # rounding of positions decides
    d.add(grid.astype(kind))


@generator("AffineGrid")
def affine_grid(d):
    rank, n = d.int(2, 3), d.int(1, 3)
    d.add(d.array(d.type(0), [n, rank, rank + 1]))
    d.add_ints([n, d.int(1, 3)] + d.ints(rank, 2, 4))
    d.attr(0.5, align_corners=d.int(0, 1))


@generator("RoiAlign")
def roi_align(d):
    n, c, h, w, r = d.int(1, 2), d.int(1, 2), d.int(4, 8), d.int(4, 8), \
        d.int(1, 3)
    t = d.type(0)
    d.add(d.array(t, [n, c, h, w]))
    start = d.rng.uniform(0, 3, [r, 2])
    d.add(np.concatenate([start, start + d.rng.uniform(1, 5, [r, 2])],
                         1).astype(t))
    d.add(d.rng.integers(0, n, r).astype(np.int64))
    d.attr(0.7, output_height=d.int(1, 3), output_width=d.int(1, 3))
    d.attr(0.7, sampling_ratio=d.int(0, 3))
    d.attr(0.5, spatial_scale=0.75)
    d.attr(0.5, mode=d.pick(["avg", "max"]))
    if d.since >= 16:
        d.attr(0.5, coordinate_transformation_mode=d.pick(
            ["half_pixel", "output_half_pixel"]))


@generator("MaxRoiPool")
def max_roi_pool(d):
    n, r = d.int(1, 2), d.int(1, 3)
    t = d.type(0)
    d.add(d.array(t, [n, d.int(1, 3), 8, 8]))
    rois = [[d.int(0, n - 1), x, y, x + d.int(1, 4), y + d.int(1, 4)]
            for x, y in (d.ints(2, 0, 3) for _ in range(r))]
    d.add(np.array(rois).astype(t))
    d.attr(pooled_shape=d.ints(2, 1, 3))
    d.attr(0.3, spatial_scale=0.5)


@generator("Col2Im")
def col2im(d):
    block, image = d.ints(2, 1, 3), d.ints(2, 3, 6)
    strides, c = d.ints(2, 1, 2), d.int(1, 2)
    blocks = [(i - b) // s + 1 for i, b, s in zip(image, block, strides)]
    # "Constrain input and output types to all numeric tensor types"
    t = d.type(0, among=lambda t: t.kind != "O" and t != bool)
    d.add(d.array(t, [d.int(1, 2), c * block[0] * block[1],
                      blocks[0] * blocks[1]]))
    d.add_ints(image)
    d.add_ints(block)
    d.attr(any(s != 1 for s in strides) or 0.3, strides=strides)


@generator("DeformConv")
def deform_conv(d):
    n, c, m = d.int(1, 2), d.int(1, 2), d.int(1, 2)
    k, size = d.ints(2, 1, 3), d.ints(2, 4, 6)
    out = [s - e + 1 for s, e in zip(size, k)]
    t, g = d.type(0), d.int(1, 2)
    d.add(d.array(t, [n, c * g] + size))
    d.add(d.array(t, [m * g, c] + k))
    og = d.pick([1, c * g])
    d.add(d.array(t, [n, og * 2 * k[0] * k[1]] + out, -1, 1))
    d.add(d.array(t, [m * g]) if d.chance(0.5) else None)
    if d.chance(0.5):
        d.add(d.array(t, [n, og * k[0] * k[1]] + out, 0, 1))
    d.attr(group=g, offset_group=og, kernel_shape=k)
    d.attr(pads=[0, 0, 0, 0])


@generator("NonMaxSuppression")
def nms(d):
    b, n, c = d.int(1, 2), d.int(1, 8), d.int(1, 3)
    corner = d.rng.uniform(0, 5, [b, n, 2])
    boxes = np.concatenate([corner, corner + d.rng.uniform(1, 4, [b, n, 2])],
                           2).astype(np.float32)
    d.add(boxes)
    scores = d.rng.permutation(b * c * n) / (b * c * n)
    d.add(scores.reshape(b, c, n).astype(np.float32))
    if d.chance(0.9):
        d.add_ints([d.int(0, 5)])
        d.add(np.array([0.45], np.float32), 0.9)
        if d.chance(0.5):
            d.add(np.array([0.3], np.float32), 0.9)
    d.attr(0.3, center_point_box=d.int(0, 1))


@generator("RNN", "GRU", "LSTM")
def recurrent(d):
    steps, rows, n, h = d.int(1, 4), d.int(1, 3), d.int(1, 4), d.int(1, 5)
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[d.name]
    way = d.pick(["forward", "reverse", "bidirectional"])
    dirs = 2 if way[0] == "b" else 1
    t = d.type(0)
    d.attr(hidden_size=h)
    d.attr(way != "forward" or 0.2, direction=way)
    d.add(d.array(t, [steps, rows, n]))
    d.add(d.array(t, [dirs, gates * h, n], -1, 1), 0.8)
    d.add(d.array(t, [dirs, gates * h, h], -1, 1), 0.8)
    d.nout = 3 if d.name == "LSTM" else 2
    d.attr(d.name == "GRU" and 0.5, linear_before_reset=1)
    if d.since < 7 and d.name != "LSTM":
        d.attr(output_sequence=1)
    if d.since == 1 and d.name == "LSTM":
        d.attr(output_sequence=1)
    if d.since < 3:
        d.attrs.pop("linear_before_reset", None)
    optional = [d.array(t, [dirs, 2 * gates * h], -1, 1),
                np.array(d.ints(rows, 1, steps), np.int32),
                d.array(t, [dirs, rows, h])]
    if d.name == "LSTM":
        optional += [d.array(t, [dirs, rows, h]), d.array(t, [dirs, 3 * h])]
    for x in optional[:d.int(0, len(optional))]:
        d.add(x if d.chance(0.6) else None, 0.4)
    d.attr(0.2, clip=0.8)
    if d.since >= 14 and d.chance(0.15):
        raise Skip  # layout: recurrent.py, onnxruntime has none


@generator("Attention")
def attention(d):
    b, s, v = d.int(1, 2), d.int(1, 4), d.int(1, 4)
    kv, rep, k = d.int(1, 2), d.int(1, 2), d.int(1, 5)
    h, n = d.int(1, 4), kv * rep
    t = d.type("T1")
    u = d.type("T2")
    flat = d.chance(0.4)
    for heads, length, size, kind in ((n, s, h, t), (kv, k, h, t),
                                      (kv, k, v, u)):
        d.add(d.array(kind, [b, length, heads * size] if flat else
                      [b, heads, length, size]))
    if flat:
        d.attr(q_num_heads=n, kv_num_heads=kv)
    if d.chance(0.4):
        mask = d.broadcast([b, n, s, k])
        mask = mask if len(mask) >= 2 else [s, k]
        mask[-2:] = [s, k]
        kind = d.type("U", among=None if d.force and d.force[0] == "U" else
                      lambda x: x == bool or x == t)
        m = d.array(kind, mask)
        if kind == bool:
            m[..., 0] = True
        d.add(m)
    d.attr(0.4, is_causal=1)
    d.attr(0.3, scale=0.3)
    d.attr(0.3, softcap=2.0)
    if k < s and d.attrs.get("is_causal"):
        raise Skip


@generator("RotaryEmbedding")
def rotary(d):
    b, n, s, half = d.int(1, 2), d.int(1, 3), d.int(1, 4), d.int(1, 3)
    t, flat = d.type(0), d.chance(0.5)
    d.add(d.array(t, [b, s, n * 2 * half] if flat else [b, n, s, 2 * half]))
    if flat:
        d.attr(num_heads=n)
    if d.chance(0.5):
        for _ in range(2):
            d.add(d.array(t, [8, half], -1, 1))
        d.add(d.rng.integers(0, 8, [b, s]).astype(np.int64))
    else:
        for _ in range(2):
            d.add(d.array(t, [b, s, half], -1, 1))
    d.attr(0.5, interleaved=d.int(0, 1))


@generator("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def loss(d):
    n, c, rest = d.int(1, 3), d.int(2, 4), d.full(0, 2, 3)
    t, cross = d.type(0), d.name[0] == "S"
    d.add(d.array(t, [n, c] + rest))
    target = d.rng.integers(0, c, [n] + rest)
    if d.chance(0.3):
        d.attr(ignore_index=-1)
        target.reshape(-1)[0] = -1
        if target.size == 1:
            raise Skip  # 0/0
    d.add(target.astype(d.type(1)), 0.3)
    if d.chance(0.4):
        d.add(d.array(t, [c], 0.5, 2))
    d.attr(0.7, reduction=d.pick(["none", "mean", "sum"]))
    d.nout = 2 if cross and d.chance(0.4) else 1
