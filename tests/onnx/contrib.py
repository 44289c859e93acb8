#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random nodes of onnxruntime's own operators against onnxruntime.

    contrib.py ONNX2C [--draws N] [--seed S] [--op NAME...] [--keep FOLDER]

Each draw is a node with random shapes, attributes and optional inputs, of those
that the CPU of onnxruntime runs. Draws are packed, 25 to a model, for one
`onnx2c verify`; of a pack that fails each draw runs alone. --keep leaves the
failures as folders. Draw i of a seed depends on these two numbers (and on
--op) alone.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

PACK = 25
TOLERANCE = "1e-3 1e-4\n"
GENERATORS = {}


class Draw:
    """A node: inputs (None: absent), attributes, outputs (0: not wanted)."""

    def __init__(self, rng, op):
        self.rng, self.op, self.domain = rng, op, "com.microsoft"
        self.inputs, self.const, self.attrs, self.outs = [], [], {}, [1]

    def int(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def chance(self, p=0.5):
        return self.rng.random() < p

    def pick(self, *of):
        return of[self.int(0, len(of) - 1)]

    def f(self, *shape, dtype=np.float32, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(dtype)

    def i(self, low, high, *shape, dtype=np.int32):
        return self.rng.integers(low, high + 1, shape).astype(dtype)

    def add(self, x, const=None):
        self.inputs.append(x)
        self.const.append(x is not None and
                          (self.chance(0.3) if const is None else const))

    def node(self, prefix):
        names = [f"{prefix}i{k}" if x is not None else ""
                 for k, x in enumerate(self.inputs)]
        while names and not names[-1]:
            names.pop()
        outs = [f"{prefix}o{k}" if o else "" for k, o in enumerate(self.outs)]
        return helper.make_node(self.op, names, outs, domain=self.domain,
                                name=prefix + "node", **self.attrs)


def generator(*names):
    def register(f):
        for name in names:
            GENERATORS[name] = f
        return f
    return register


@generator("Gelu", "QuickGelu")
def gelu(d):
    d.add(d.f(*[d.int(1, 6) for _ in range(d.int(1, 4))], scale=3), False)
    if d.op == "QuickGelu" and d.chance():
        d.attrs["alpha"] = d.pick(1.0, 1.702, 0.5)


@generator("BiasGelu", "FastGelu")
def bias_gelu(d):
    n = d.int(1, 20)
    d.add(d.f(*[d.int(1, 5) for _ in range(d.int(1, 3))], n, scale=3), False)
    if d.op == "BiasGelu" or d.chance():
        d.add(d.f(n))


@generator("CDist")
def distances(d):
    """onnxruntime multiplies out, so small distances are inexact there."""
    columns, t = d.int(1, 9), d.pick(np.float32, np.float64)
    d.add(d.f(d.int(1, 9), columns, dtype=t), False)
    d.add(d.f(d.int(1, 40), columns, dtype=t))
    d.attrs["metric"] = d.pick("euclidean", "sqeuclidean")


@generator("SkipLayerNormalization", "SkipSimplifiedLayerNormalization")
def skip(d):
    b, s, h = d.int(1, 3), d.int(1, 5), d.pick(4, 8, 12, 33)
    t = np.float32
    x = d.f(*((b, s, h) if d.chance(0.8) else (s, h)), dtype=t)
    shapes = [x.shape]
    if x.ndim == 3:
        shapes += [(1, s, h), (s, h)]
    d.add(x, False)
    d.add(d.f(*d.pick(*shapes), dtype=t))
    d.add(d.f(h, dtype=t))
    if d.op == "SkipLayerNormalization":
        d.add(d.f(h, dtype=t) if d.chance() else None)
    d.add(d.f(h, dtype=t) if d.chance() else None)
    if d.chance():
        d.outs = [1, 0, 0, 1]
    if d.chance():
        d.attrs["epsilon"] = d.pick(1e-5, 1e-3)


@generator("SimplifiedLayerNormalization", "LayerNormalization")
def simplified(d):
    d.domain = ""
    x = d.f(*[d.int(1, 5) for _ in range(d.int(2, 4))])
    axis = d.int(1, x.ndim - 1) if d.chance() else -1
    d.add(x, False)
    for _ in range(1 + (d.op == "LayerNormalization" and d.chance())):
        d.add(d.f(*x.shape[axis:]))
    d.attrs = {"axis": axis, "epsilon": d.pick(1e-5, 1e-2)}
    if d.op[0] == "S" and d.chance(0.3):
        d.outs = [1, 1]


@generator("EmbedLayerNormalization")
def embed(d):
    b, s, h, rows = d.int(1, 3), d.int(1, 6), d.pick(4, 8, 16), d.int(6, 9)
    seg = d.chance()
    d.add(d.i(0, rows - 1, b, s), False)
    d.add(d.i(0, 1, b, s) if seg else None, False)
    d.add(d.f(rows, h), True)
    d.add(d.f(8, h), True)
    d.add(d.f(2, h) if seg else None, True)
    d.add(d.f(h), True)
    d.add(d.f(h), True)
    d.add(d.i(0, 1, b, s) if d.chance() else None, False)
    d.add(d.i(0, 7, d.pick(1, b), s) if d.chance() else None, False)
    d.attrs = {"epsilon": d.pick(1e-12, 1e-5)}
    d.outs = d.pick([1, 1], [1, 1, 1])


def table(d, low, kind, *shape):
    return d.i(low, low + 255, *shape, dtype=kind)


@generator("QEmbedLayerNormalization")
def qembed(d):
    b, s, h, rows = d.int(1, 3), d.int(1, 6), d.pick(4, 8, 16), d.int(6, 9)
    seg = d.chance()
    d.add(d.i(0, rows - 1, b, s), False)
    d.add(d.i(0, 1, b, s) if seg else None, False)
    for shape in ((rows, h), (8, h), (2, h), (h,), (h,)):
        d.add(table(d, 0, np.uint8, *shape)
              if seg or shape[0] != 2 else None, True)
    d.add(d.i(0, 1, b, s) if d.chance() else None, False)
    for k in range(10):
        x = np.float32(d.rng.uniform(0.01, 0.05)) if k < 5 else \
            np.uint8(d.int(100, 150))
        d.add(np.array(x) if seg or k % 5 != 2 else None, True)
    d.attrs = {"epsilon": d.pick(1e-12, 1e-5)}
    d.outs = [1, 1]


@generator("GatherBlockQuantized")
def gather_blocks(d):
    block, bits = 16, d.pick(2, 4, 8)
    kind = d.pick(np.uint8, np.uint8, ml_dtypes.int4, ml_dtypes.uint4)
    t = d.pick(np.float32, np.float32, np.float16)
    rows, lead = d.int(2, 5), [d.int(1, 3) for _ in range(d.int(0, 1))]
    shape = [rows, *lead, d.pick(16, 32, 48)]
    scales = [*shape[:-1], shape[-1] // block]
    zeros = scales
    if kind == np.uint8:
        shape[-1] = shape[-1] * bits // 8
        zeros = [*scales[:-1], -(-scales[-1] * bits // 8)]
        d.attrs = {"gather_axis": 0, "bits": bits}
    else:
        d.attrs = {"gather_axis": d.int(0, len(shape) - 1)}
    low, high = (-8, 7) if kind == ml_dtypes.int4 else (0, 15) \
        if kind != np.uint8 else (0, 255)
    least = min([*shape[:-1], shape[-1]])
    d.attrs.update(quantize_axis=d.pick(-1, len(shape) - 1), block_size=block)
    d.add(d.i(low, high, *shape).astype(kind), True)
    d.add(d.i(0, least - 1, *[d.int(1, 4) for _ in range(d.int(0, 2))],
              dtype=d.pick(np.int32, np.int64)), False)
    d.add(d.f(*scales, dtype=t), True)
    d.add(d.i(low, high, *zeros).astype(kind) if d.chance() else None, True)


@generator("MatMulBnb4")
def bnb(d):
    n, k, block = d.int(1, 9), d.pick(16, 31, 64), d.pick(16, 32)
    d.add(d.f(*[d.int(1, 3) for _ in range(d.int(1, 2))], k), False)
    d.add(d.i(0, 255, (n * k + 1) // 2, dtype=np.uint8), True)
    d.add(np.abs(d.f(-(-n * k // block))), True)
    d.attrs = {"N": n, "K": k, "block_size": block, "quant_type": d.int(0, 1)}


@generator("FusedMatMul")
def matmul(d):
    t = d.pick(np.float32, np.float32, np.float64)
    m, n, k = d.int(1, 6), d.int(1, 6), d.int(1, 6)
    lead = [d.int(1, 3) for _ in range(d.int(0, 2))]
    sizes = []
    for name, (r, c) in (("A", (m, k)), ("B", (k, n))):
        swap, batch = d.chance(), len(lead) > 0 and d.chance(0.3)
        r, c = (c, r) if swap else (r, c)
        shape = [r, *lead, c] if batch else [*lead, r, c]
        if name == "B" and not batch and d.chance(0.3):
            shape = shape[-2:]
        if swap:
            d.attrs["trans" + name] = 1
        if batch:
            d.attrs["transBatch" + name] = 1
        sizes.append(shape)
    d.add(d.f(*sizes[0], dtype=t), False)
    d.add(d.f(*sizes[1], dtype=t))
    if d.chance():
        d.attrs["alpha"] = d.pick(0.125, 2.0)


@generator("FusedGemm")
def gemm(d):
    m, n, k = d.int(1, 6), d.int(1, 9), d.int(1, 9)
    ta, tb = d.chance(0.3), d.chance()
    d.add(d.f(*((k, m) if ta else (m, k))), False)
    d.add(d.f(*((n, k) if tb else (k, n))))
    if d.chance(0.8):
        d.add(d.f(*d.pick((n,), (m, n), (1, n), (m, 1))))
    act = d.pick("Relu", "LeakyRelu", "Tanh", "Sigmoid", "HardSigmoid", "Elu",
                 "Softplus", "Softsign", "Selu", "ThresholdedRelu")
    d.attrs = {"transA": int(ta), "transB": int(tb), "activation": act,
               "alpha": d.pick(1.0, 0.5), "beta": d.pick(1.0, 2.0)}
    if act in ("LeakyRelu", "HardSigmoid", "Elu", "Selu", "ThresholdedRelu"):
        d.attrs["activation_alpha"] = d.pick(0.1, 0.3)
    if act == "HardSigmoid":
        d.attrs["activation_beta"] = d.pick(0.5, 0.6)
    if act == "Selu":
        d.attrs["activation_gamma"] = 1.05


@generator("FusedConv")
def conv(d):
    n, g = d.int(1, 2), d.pick(1, 1, 2)
    ci, co, k = g * d.int(1, 4), g * d.int(1, 4), d.pick(1, 3)
    rank, size = d.pick(1, 2, 2), d.int(3, 8)
    d.add(d.f(n, ci, *[size] * rank), False)
    d.add(d.f(co, ci // g, *[k] * rank))
    z = d.chance(0.4)
    d.add(d.f(co) if z or d.chance() else None)
    if z:
        d.add(d.f(n, co, *[size] * rank), False)
    act = d.pick("Relu", "LeakyRelu", "Tanh", "Sigmoid", "HardSigmoid", "Clip",
                 "")
    d.attrs = {"group": g, "kernel_shape": [k] * rank}
    if k == 3:
        d.attrs["pads"] = [1] * (2 * rank)
    if not z and d.chance(0.3):
        d.attrs["strides"] = [2] * rank
    if act:
        d.attrs["activation"] = act
    if act in ("LeakyRelu", "HardSigmoid", "Clip"):
        d.attrs["activation_params"] = {
            "LeakyRelu": [0.1], "HardSigmoid": [0.2, 0.5],
            "Clip": [-0.5, 1.0]}[act]


@generator("NhwcMaxPool")
def pool(d):
    t = d.pick(np.int8, np.uint8)
    k, rank = d.int(1, 3), d.pick(1, 2)
    d.add(d.i(np.iinfo(t).min, np.iinfo(t).max, d.int(1, 2),
              *[d.int(3, 7) for _ in range(rank)], d.int(1, 20), dtype=t),
          False)
    d.attrs = {"kernel_shape": [k] * rank, "strides": [d.int(1, 2)] * rank}
    if k > 1 and d.chance():
        d.attrs["pads"] = [1] * (2 * rank)


@generator("ConvTransposeWithDynamicPads")
def conv_transpose(d):
    ci, co, k = d.int(1, 4), d.int(1, 4), d.int(2, 3)
    d.add(d.f(d.int(1, 2), ci, 5, 6), False)
    d.add(d.f(ci, co, k, k))
    d.add(d.i(0, 1, 4, dtype=np.int64), True)
    d.add(d.f(co) if d.chance() else None)
    d.attrs = {"strides": [d.int(1, 2)] * 2, "kernel_shape": [k, k]}


@generator("Attention")
def attention(d):
    b, s, heads, size = d.int(1, 3), d.int(1, 5), d.int(1, 3), d.pick(4, 8)
    wide = heads * size
    past = d.int(1, 4) if d.chance(0.3) else 0
    value = wide if past or d.chance(0.7) else heads * 2
    whole = value == wide and (past or d.chance())
    keys, given = s + past, d.int(3, 9)
    d.add(d.f(b, s, given), False)
    d.add(d.f(given, 2 * wide + value, scale=0.5))
    d.add(d.f(2 * wide + value))
    form = d.int(0, 5)
    masks = [None, d.i(1, keys, b), d.i(0, 1, b, keys), d.i(0, 1, b, s, keys),
             np.concatenate([d.i(1, keys, b), d.i(0, 1, b)]),
             d.i(0, 1, d.pick(1, b), 1)]
    d.add(masks[form], False)
    d.add(d.f(2, b, heads, past, size) if past else None, False)
    d.add(d.f(d.pick(1, b), d.pick(1, heads), s, keys)
          if not past and d.chance(0.3) else None, False)
    d.attrs = {"num_heads": heads}
    if value != wide:
        d.attrs["qkv_hidden_sizes"] = [wide, wide, value]
    if d.chance(0.4):
        d.attrs["unidirectional"] = 1
    if d.chance(0.3):
        d.attrs["scale"] = 0.3
    if d.chance(0.3):
        d.attrs["mask_filter_value"] = d.pick(-3.4e38, -50.0)
    if whole:
        d.outs = [1, 1]


@generator("QAttention")
def qattention(d):
    b, s, heads, size = d.int(1, 3), d.int(1, 5), d.int(1, 3), d.pick(4, 8)
    wide, given = heads * size, d.int(3, 9)
    past = d.int(1, 4) if d.chance(0.3) else 0
    keys, kind = s + past, d.pick(np.int8, np.uint8)
    many = (3 * wide,) if d.chance() else ()
    low = 0 if kind == np.uint8 else -128
    d.add(d.i(0, 255, b, s, given, dtype=np.uint8), False)
    d.add(d.i(low, low + 255, given, 3 * wide, dtype=kind))
    d.add(d.f(3 * wide))
    d.add(np.array(0.02, np.float32), True)
    d.add(d.rng.uniform(0.002, 0.02, many).astype(np.float32), True)
    masks = [None, d.i(1, keys, b), d.i(0, 1, b, keys)]
    d.add(masks[d.int(0, 2)], False)
    d.add(np.array(d.int(0, 255), np.uint8) if d.chance() else None, True)
    d.add(d.i(-8 if low else 120, 8 if low else 136,
              *(many if d.chance() else ()), dtype=kind)
          if d.chance() else None, True)
    d.add(d.f(2, b, heads, past, size) if past else None, False)
    d.attrs = {"num_heads": heads}
    if d.chance(0.4):
        d.attrs["unidirectional"] = 1
    if past or d.chance():
        d.outs = [1, 1]


@generator("MultiHeadAttention")
def heads(d):
    b, s, heads, size = d.int(1, 3), d.int(2, 5), d.int(1, 3), d.pick(4, 8)
    wide, form = heads * size, d.pick("plain", "plain", "heads")
    rows = s if d.chance() else d.int(1, 5)
    value = wide if form != "plain" or d.chance(0.7) else heads * 2
    past = d.int(1, 4) if value == wide and form == "plain" and \
        d.chance(0.4) else 0
    keys = rows + past
    parts = {"plain": [(b, s, wide), (b, rows, wide), (b, rows, value)],
             "heads": [(b, s, wide)] + 2 * [(b, heads, rows, size)]}[form]
    for shape in parts:
        d.add(d.f(*shape), False)
    d.add(d.f(2 * wide + value) if form == "plain" and d.chance() else None)
    masks = [None, None, d.i(1, keys, b), d.i(0, 1, b, keys),
             d.i(0, 1, b, s, keys)]
    d.add(masks[d.int(0, 4)], False)
    d.add(d.f(d.pick(1, b), d.pick(1, heads), s, keys)
          if d.chance(0.4) else None, False)
    for _ in range(2):
        d.add(d.f(b, heads, past, size) if past else None, False)
    d.attrs = {"num_heads": heads}
    if d.chance(0.3):
        d.attrs["unidirectional"] = 1
    elif form == "plain" and d.chance(0.2):
        d.outs = [1, 1, 1, 1]
    # Without its present onnxruntime does not read the past.
    if len(d.outs) == 1 and (past or (form == "plain" and d.chance(0.4))):
        d.outs = [1, 1, 1]
    if d.chance(0.3):
        d.attrs["scale"] = 0.3
    if d.chance(0.3):
        d.attrs["mask_filter_value"] = d.pick(-3.4e38, -50.0)


@generator("GroupQueryAttention")
def group(d):
    groups, size = d.int(1, 2), d.pick(8, 16)
    heads = groups * d.int(1, 2)
    kind = d.pick("prompt", "token", "more")
    b = 1 if kind == "more" else d.int(1, 3)
    s = 1 if kind == "token" else d.int(2, 5)
    past = 0 if kind == "prompt" else d.int(2, 5)
    total = s if kind == "prompt" else past + s
    if 0 < s < past and d.chance():
        total = d.int(s + 1, past)
    ends = d.i(s - 1 if kind == "token" else total - 1, total - 1, b)
    ends[d.int(0, b - 1)] = total - 1
    packed = d.chance(0.3)
    columns = heads + 2 * groups if packed else heads
    d.add(d.f(b, s, columns * size), False)
    for _ in range(2):
        d.add(None if packed else d.f(b, s, groups * size), False)
    for _ in range(2):
        d.add(d.f(b, groups, past, size) if past else None, False)
    d.add(ends, False)
    d.add(np.array([total], np.int32), True)
    turn = d.chance() and size == 16
    for _ in range(2):
        d.add(d.f(12, d.pick(8)) if turn else None)
    d.attrs = {"num_heads": heads, "kv_num_heads": groups}
    if turn:
        d.attrs.update(do_rotary=1, rotary_interleaved=d.int(0, 1))
    if d.chance(0.3):
        d.add(None)
        d.add(d.f(d.pick(1, b), d.pick(1, heads), s, total))
    if d.chance(0.3):
        d.attrs["smooth_softmax"] = 1
    elif d.chance(0.3):
        while len(d.inputs) < 11:
            d.add(None)
        d.add(d.f(heads))
    if d.chance(0.3):
        d.attrs["local_window_size"] = d.int(1, 4)
    if d.chance(0.3):
        d.attrs["softcap"] = 2.0
    if d.chance(0.3):
        d.attrs["scale"] = 0.3
    d.outs = [1, 1, 1]


@generator("RotaryEmbedding")
def rotary(d):
    b, s, heads, size, rows = d.int(1, 3), d.int(1, 5), d.int(1, 3), \
        d.pick(4, 8, 16), 9
    part = size // 2 if d.chance(0.3) else 0
    four = d.chance() and not part
    d.add(d.f(*((b, heads, s, size) if four else (b, s, heads * size))), False)
    d.add(d.i(0, 4, 1, dtype=np.int64) if d.chance() else
          d.i(0, rows - 1, b, s, dtype=np.int64), False)
    for _ in range(2):
        d.add(d.f(rows, (part or size) // 2))
    d.attrs["interleaved"] = d.int(0, 1)
    if part:
        d.attrs.update(rotary_embedding_dim=part, num_heads=heads)
    elif d.chance():
        d.attrs["num_heads"] = heads


# --- Packs and verify ---------------------------------------------------------

def model_of(drawn):
    nodes, inputs, constants, outputs, feeds = [], [], [], [], []
    for number, d in enumerate(drawn):
        prefix = f"d{number}_"
        nodes.append(d.node(prefix))
        for k, x in enumerate(d.inputs):
            if x is None:
                continue
            if d.const[k]:
                constants.append(numpy_helper.from_array(x, f"{prefix}i{k}"))
            else:
                feeds.append((f"{prefix}i{k}", x))
                inputs.append(helper.make_tensor_value_info(
                    f"{prefix}i{k}", helper.np_dtype_to_tensor_dtype(x.dtype),
                    x.shape))
        # onnxruntime can't tell the type of MultiHeadAttention's scores.
        outputs += [helper.make_tensor_value_info(o, 1, None) if k == 3 else
                    helper.make_empty_tensor_value_info(o)
                    for k, o in enumerate(nodes[-1].output) if o]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 16), helper.make_opsetid("com.microsoft", 1)
    ]), dict(feeds)


def session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def write_case(folder, drawn):
    model, feeds = model_of(drawn)
    s = session(model)
    wants = s.run(None, feeds)
    del model.graph.output[:]
    for o, want in zip(s.get_outputs(), wants):
        model.graph.output.append(helper.make_tensor_value_info(
            o.name, helper.np_dtype_to_tensor_dtype(want.dtype), want.shape))
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for kind, arrays in (("input", feeds.values()), ("output", wants)):
        for k, x in enumerate(arrays):
            onnx.save_tensor(numpy_helper.from_array(x, f"{kind}_{k}"),
                             data / f"{kind}_{k}.pb")
    (folder / "tolerance").write_text(TOLERANCE)


def make_draw(args, index):
    names = args.op or sorted(GENERATORS)
    for attempt in range(20):
        rng = np.random.default_rng([args.seed, index, attempt])
        d = Draw(rng, names[index % len(names)])
        GENERATORS[d.op](d)
        try:
            model, feeds = model_of([d])
            session(model).run(None, feeds)
            return d
        except Exception as e:  # onnxruntime has no name for its own errors
            if args.verbose:
                print(d.op, d.attrs, str(e)[:300])
    return None


def verify(args, folders):
    return subprocess.run([args.onnx2c, "verify", "--cflags=-O0",
                           *map(str, folders)], capture_output=True, text=True)


def alone(args, folder, index, d):
    write_case(folder, [d])
    r = verify(args, [folder])
    if r.returncode:
        shapes = [x if x is None else (x.dtype.name, x.shape)
                  for x in d.inputs]
        print(f"draw {index}: {d.op} {d.attrs} {shapes} {d.const} {d.outs}\n"
              f"  {(r.stdout + r.stderr).strip()[-600:]}")
    return r.returncode != 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("onnx2c")
    p.add_argument("--draws", type=int, default=400)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--op", nargs="*")
    p.add_argument("--keep", type=pathlib.Path)
    p.add_argument("--verbose", action="store_true")
    args = p.parse_args()
    drawn = [(i, d) for i in range(args.draws)
             if (d := make_draw(args, i)) is not None]
    bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        root = args.keep or pathlib.Path(tmp)
        for at in range(0, len(drawn), PACK):
            pack = drawn[at:at + PACK]
            folder = pathlib.Path(tmp) / f"pack_{at}"
            write_case(folder, [d for _, d in pack])
            if verify(args, [folder]).returncode:
                bad += sum(alone(args, root / f"draw_{i}", i, d)
                           for i, d in pack)
    print(f"{len(drawn)} draws of {args.draws}, {bad} differ")
    sys.exit(1 if bad or len(drawn) < args.draws * 0.9 else 0)


if __name__ == "__main__":
    main()
