#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks as the tools of onnxruntime rewrite them, against onnxruntime.

    quantised.py ONNX2C [--full] [--only TEXT] [--keep FOLDER] [--levels L...]

Small networks go through static and dynamic quantisation, weights of 2, 4 and
8 bits in blocks, conversion to float16 and the optimiser of transformers; each
result also through onnxruntime's own optimiser, which saves what it makes of
it (without the layout of one processor, nchwc). `onnx2c verify` compares all
with onnxruntime's answers. A rewrite that onnxruntime itself does not run is
left out, and named. --full makes all combinations.
"""
import argparse
import collections
import itertools
import logging
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper
from onnxruntime import quantization as q
from onnxruntime.quantization.shape_inference import quant_pre_process

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tools"))
import make_zoo  # noqa: E402

LEVELS = {
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
U8, I8 = q.QuantType.QUInt8, q.QuantType.QInt8
U16, I16 = q.QuantType.QUInt16, q.QuantType.QInt16
QDQ, OPERATORS = q.QuantFormat.QDQ, q.QuantFormat.QOperator


# --- Networks -----------------------------------------------------------------

def encoder():
    return make_zoo.transformer("encoder", 2, 64, 4, 300, False)


def decoder():
    return make_zoo.transformer("decoder", 2, 64, 4, 300, True)


def bert():
    """An encoder with embeddings and mask as transformers exports them."""
    b, width, heads = make_zoo.Builder("bert"), 64, 4
    ids, kinds, mask = (b.input(name, "S", type=TensorProto.INT64) for name in
                        ("input_ids", "token_type_ids", "attention_mask"))
    zero, one = (b.weight(i, np.int64) for i in (0, 1))
    shape = b.op("Shape", ids)
    row = b.op("Range", zero, b.op("Gather", shape, one, axis=0), one)
    places = b.op("Expand", b.op("Unsqueeze", row, b.ints(0)), shape)
    x = b.op("Add", b.op("Gather", b.noise(300, width), ids),
             b.op("Gather", b.noise(2, width), kinds))
    x = b.op("Add", x, b.op("Gather", b.noise(64, width), places))
    x = b.layer_norm(x, width)
    mask = b.op("Unsqueeze", b.op("Unsqueeze", mask, b.ints(1)), b.ints(2))
    mask = b.op("Sub", b.weight(1), b.op("Cast", mask, to=TensorProto.FLOAT))
    mask = b.op("Mul", mask, b.weight(-1e4))
    for _ in range(2):
        y = make_zoo.attention(b, x, mask, width, heads)
        x = b.layer_norm(b.op("Add", x, y), width)
        y = b.op("Relu", b.linear(x, width, 2 * width))
        x = b.layer_norm(b.op("Add", x, b.linear(y, 2 * width, width)), width)
    return b.model("Identity", x, "hidden", "S", width)


def tagger():
    return make_zoo.lstm_tagger(vocabulary=300, width=32)


SOURCES = {
    "mlp": make_zoo.mlp_32_64_64_8, "resnet": make_zoo.tiny_resnet8,
    "dscnn": make_zoo.tiny_dscnn, "encoder": encoder, "decoder": decoder,
    "bert": bert, "tagger": tagger,
}
# Quantizers fail at tables that are gathered from, in the form with QDQ.
NO_GATHER = ["Add", "AveragePool", "Conv", "Div", "Erf", "Flatten", "Gemm",
             "GlobalAveragePool", "LayerNormalization", "LSTM", "MatMul", "Mul",
             "Relu", "Reshape", "Softmax", "Transpose"]


# --- Rewrites: (path of the source, path to write) ----------------------------

class Calibration(q.CalibrationDataReader):
    def __init__(self, path):
        model = onnx.load(path)
        self.sets = iter([make_zoo.seeded_inputs(model, 1, s)
                          for s in range(4)])

    def get_next(self):
        return next(self.sets, None)


def static(form, activations, weights, **more):
    def rewrite(source, target):
        if form == QDQ:
            more["op_types_to_quantize"] = NO_GATHER
        q.quantize_static(str(source), str(target), Calibration(source),
                          quant_format=form, activation_type=activations,
                          weight_type=weights, **more)
    return rewrite


def dynamic(weights, before=None, **more):
    def rewrite(source, target):
        if before:
            before(source, target)
            source = target
        q.quantize_dynamic(str(source), str(target), weight_type=weights,
                           **more)
    return rewrite


def blocks(bits=4, block=32, symmetric=False, accuracy=0, form=OPERATORS,
           **more):
    def rewrite(source, target):
        from onnxruntime.quantization import matmul_nbits_quantizer as nbits
        config = nbits.DefaultWeightOnlyQuantConfig(
            block_size=block, is_symmetric=symmetric, accuracy_level=accuracy,
            quant_format=form, bits=bits, **more)
        made = nbits.MatMulNBitsQuantizer(onnx.load(source), algo_config=config)
        made.process()
        made.model.save_model_to_file(str(target))
    return rewrite


def bnb(kind, block):
    def rewrite(source, target):
        from onnxruntime.quantization import matmul_bnb4_quantizer as bnb4
        made = bnb4.MatMulBnb4Quantizer(onnx.load(source), kind, block)
        made.process()
        made.model.save_model_to_file(str(target))
    return rewrite


def half(**more):
    def rewrite(source, target):
        from onnxruntime.transformers import float16
        onnx.save(float16.convert_float_to_float16(onnx.load(source), **more),
                  target)
    return rewrite


def fused(kind, level=None, float16=False):
    def rewrite(source, target):
        from onnxruntime.transformers import optimizer
        if level:
            session(source, level, target)
            source = target
        made = optimizer.optimize_model(str(source), kind, num_heads=4,
                                        hidden_size=64, opt_level=0)
        if float16:
            made.convert_float_to_float16(keep_io_types=True)
        made.save_model_to_file(str(target))
    return rewrite


def static_rewrites(full, nets):
    kinds = [("u8s8", U8, I8), ("s8s8", I8, I8), ("u8u8", U8, U8),
             ("s16s8", I16, I8), ("u16u8", U16, U8)]
    for net, (kind, a, w), many in itertools.product(nets, kinds,
                                                     (True, False)):
        if full or (net, kind, many) in (
                ("mlp", "s16s8", True), ("resnet", "u8s8", True),
                ("dscnn", "s8s8", False), ("encoder", "u8u8", False),
                ("tagger", "u8s8", True)):
            name = f"{kind}{'-channels' * many}"
            yield net, f"qdq-{name}", static(QDQ, a, w, per_channel=many)
            if a == U8:  # onnxruntime has no other products
                yield net, f"qoperator-{name}", static(
                    OPERATORS, a, w, per_channel=many)
    for net, (key, value) in itertools.product(nets, (
            ("ActivationSymmetric", True), ("AddQDQPairToWeight", True),
            ("QuantizeBias", False), ("DedicatedQDQPair", True),
            ("ForceQuantizeNoInputCheck", True), ("UseQDQContribOps", True),
            ("QDQKeepRemovableActivations", True), ("WeightSymmetric", False))):
        if full or (net, key) in (("resnet", "QuantizeBias"),
                                  ("encoder", "UseQDQContribOps")):
            yield net, f"qdq-{key}", static(QDQ, U8, I8,
                                            extra_options={key: value})


def weight_rewrites(full, nets):
    for net, w, many, low in itertools.product(nets, (I8, U8), (True, False),
                                               (True, False)):
        if full or (many == (w == I8) == (net in ("mlp", "encoder")) and
                    low == (net == "mlp")):
            name = f"dynamic-{w}{'-channels' * many}{'-low' * low}"
            yield net, name, dynamic(w, per_channel=many, reduce_range=low)
    for net, size, symmetric, accuracy, form in itertools.product(
            ("encoder", "tagger"), (16, 32, 128), (False, True), (0, 1, 4),
            (OPERATORS, QDQ)):
        if full or (net == "encoder" and symmetric == (size == 32) and
                    accuracy == {16: 0, 32: 4, 128: 1}[size] and
                    (form == OPERATORS or size == 32)):
            yield net, f"4-{size}-{symmetric}-{accuracy}-{form}", blocks(
                4, size, symmetric, accuracy, form)
    for bits in (2, 8):
        yield "encoder", f"{bits}-32", blocks(bits, 32)
    for symmetric in (False, True):
        yield "encoder", f"4-gather-{symmetric}", blocks(
            4, 32, symmetric, op_types_to_quantize=("MatMul", "Gather"))
    for kind in (0, 1):
        yield "encoder", f"bnb-{kind}", bnb(kind, 32)


def rewrites(full):
    """(network, name, rewrite) of all that is compared."""
    nets = ("mlp", "resnet", "dscnn", "encoder", "tagger")
    yield from static_rewrites(full, nets)
    yield from weight_rewrites(full, nets)
    for net in nets:
        if full or net in ("resnet", "encoder"):
            yield net, "half", half()
            yield net, "half-inside", half(keep_io_types=True)
    for net, kind in (("bert", "bert"), ("encoder", "bert"),
                      ("decoder", "gpt2")):
        for level, float16 in itertools.product((None, *LEVELS),
                                                (False, True)):
            if full or (net == "bert" and (not level or not float16)):
                yield net, f"{kind}-{level}{'-half' * float16}", fused(
                    kind, LEVELS.get(level), float16)
        for w in (I8, U8):
            if full or net == "bert" or (net == "decoder" and w == I8):
                yield net, f"{kind}-dynamic-{w}", dynamic(w, fused(kind))


# --- Cases --------------------------------------------------------------------

def session(path, level=None, saved=None):
    options = onnxruntime.SessionOptions()
    if level:
        options.graph_optimization_level = level
    if saved:
        options.optimized_model_filepath = str(saved)
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # Without VNNI u8 x s8 would saturate.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(path), options,
                                        providers=["CPUExecutionProvider"])


def feeds_of(path, batch):
    model = onnx.load(path)
    feeds = make_zoo.seeded_inputs(model, batch, length=9)
    for i in model.graph.input:
        t = onnx.helper.tensor_dtype_to_np_dtype(i.type.tensor_type.elem_type)
        feeds[i.name] = feeds[i.name].astype(t)
    return feeds


def tolerance(path, feeds, wants):
    """Relative to the largest value: float32's, half's, that of 8 bits; twice
    what onnxruntime's own levels differ by, where that is more."""
    g = onnx.load(path).graph
    ops = {n.op_type for n in g.node}
    most = 1e-4
    if any(t.data_type == TensorProto.FLOAT16 for t in g.initializer):
        most = 5e-3
    if any("Quantize" in op or "Integer" in op or "QLinear" in op
           for op in ops):
        most = 1e-2
    if any(a.name == "accuracy_level" and a.i == 4
           for n in g.node for a in n.attribute):
        most = 3e-2  # rows rounded to 8 bits, in twelve products
    plain = session(path, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    size = max(float(np.abs(w).max()) for w in wants)
    spread = max(float(np.abs(w.astype(float) - p.astype(float)).max())
                 for w, p in zip(wants, plain.run(None, feeds)))
    return f"1e-3 {max(most * size, 2 * spread)}\n"


def write_data(case, feeds, wants):
    data = case / "test_data_set_0"
    data.mkdir()
    for kind, arrays in (("input", feeds.values()), ("output", wants)):
        for k, x in enumerate(arrays):
            onnx.save_tensor(numpy_helper.from_array(x, f"{kind}_{k}"),
                             data / f"{kind}_{k}.pb")


def first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0][:150]


class Maker:
    """Writes the cases of rewrites, and counts operators."""

    def __init__(self, root, levels):
        self.root, self.levels = root, levels
        self.cases, self.left_out = [], []
        self.found = collections.Counter()
        self.sources = {}

    def source(self, net):
        if net not in self.sources:
            plain = self.root / f"{net}.onnx"
            ready = self.root / f"{net}.ready.onnx"
            onnx.save(SOURCES[net](), plain)
            quant_pre_process(str(plain), str(ready),
                              skip_symbolic_shape=True)
            self.sources[net] = ready
        return self.sources[net]

    def add(self, name, net, rewrite):
        case = self.root / f"{net}.{name}"
        case.mkdir()
        path = case / "model.onnx"
        try:
            rewrite(self.source(net), path)
            feeds = feeds_of(path, 2)
            wants = session(path).run(None, feeds)
        except Exception as error:  # the tools' own, of any kind
            self.left_out.append(f"{case.name}: {first_line(error)}")
            return
        made = [case]
        for level in self.levels:
            other = self.root / f"{case.name}.{level}"
            other.mkdir()
            session(path, LEVELS[level], other / "model.onnx")
            if "com.microsoft.nchwc" in {n.domain for n in onnx.load(
                    other / "model.onnx").graph.node}:
                session(path, LEVELS["extended"], other / "model.onnx")
            made.append(other)
        rule = tolerance(path, feeds, wants)
        for one in made:
            write_data(one, feeds, wants)
            (one / "tolerance.txt").write_text(rule)
            self.found.update(n.op_type for n in onnx.load(
                one / "model.onnx").graph.node if n.domain)
        self.cases += made


def main():
    p = argparse.ArgumentParser()
    p.add_argument("onnx2c")
    p.add_argument("--full", action="store_true")
    p.add_argument("--only", default="")
    p.add_argument("--keep", type=pathlib.Path)
    p.add_argument("--levels", nargs="*", default=["all"])
    args = p.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory() as tmp:
        maker = Maker(args.keep or pathlib.Path(tmp), args.levels)
        for net, name, rewrite in rewrites(args.full):
            if args.only in f"{net}.{name}":
                maker.add(name, net, rewrite)
        print(*(f"left out: {x}" for x in maker.left_out), sep="\n")
        print(f"{len(maker.cases)} models; {dict(maker.found)}", flush=True)
        r = subprocess.run([args.onnx2c, "verify", "--cflags=-O1",
                            *map(str, maker.cases)])
    sys.exit(r.returncode or (0 if maker.cases else 1))


if __name__ == "__main__":
    main()
