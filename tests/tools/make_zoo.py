#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Full-size networks with a symbolic batch, and their answers.

    make_zoo.py OUT [NAME...]

OUT/NAME/model.onnx has seeded random weights; test_data_set_0 and _1 hold
seeded inputs of batch 1 and 3 and onnxruntime's outputs. The nine classics are
the onnx wheel's light_* networks, whose weights are made by ConstantOfShape:
here they become noise. MobileNetV2, the four networks of MLPerf Tiny,
perceptrons (mlp_INPUTS_.._OUTPUTS), and networks over sequences of symbolic
length S (32 in the data) in the shapes of MiniLM, GPT-2 and a bidirectional
LSTM tagger are built node by node. NAME-s8 and NAME-u8 are 8-bit twins in QDQ
form, written along with their originals. With noise for weights, the softmax
of some ends in ones and zeros, which hides errors: of those, NAME-logits stops
before it.
"""
import math
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

LIGHT = ("resnet50", "squeezenet", "shufflenet", "inception_v1",
         "inception_v2", "densenet121", "vgg19", "zfnet512", "bvlc_alexnet")
TWINS = {"mobilenet_v2": ("s8", "u8"), "resnet50": ("s8", "u8"),
         "tiny_resnet8": ("s8",), "tiny_dscnn": ("s8",), "tiny_vww": ("s8",),
         "tiny_ad": ("s8",)}
SATURATED = ("resnet50", "resnet50-s8", "resnet50-u8", "shufflenet")
OPSET, IR_VERSION = 17, 8


# --- The classics of the onnx wheel -----------------------------------------

def noise_for(rng, op, position, shape):
    """Weights that keep activations in range: He's rule, mild statistics."""
    if op == "BatchNormalization":
        if position in (1, 4):  # scale and variance
            return rng.uniform(0.5, 1.5, shape)
        return rng.normal(0, 0.1, shape)
    if len(shape) > 1:
        fan_in = np.prod(shape[1:])
        return rng.standard_normal(shape) * np.sqrt(2 / fan_in)
    return rng.normal(0, 0.1, shape)


def free_batch(tensor):
    """A shape that pins the batch to 1 takes it from the data instead."""
    shape = numpy_helper.to_array(tensor).copy()
    if shape[0] == 1 and (shape[1:] != -1).all():
        shape[0] = -1
        tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def light_network(name):
    wheel = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    old = onnx.load(wheel / f"light_{name}.onnx")
    rng = np.random.default_rng(1)
    first_use = {}
    for node in old.graph.node:
        for i, x in enumerate(node.input):
            first_use.setdefault(x, (node.op_type, i))
    stored = {t.name: t for t in old.graph.initializer}
    made, nodes, shapes = [], [], set()
    for node in old.graph.node:
        if node.op_type != "ConstantOfShape":
            nodes.append(node)
            continue
        shapes.add(node.input[0])
        shape = tuple(map(int, numpy_helper.to_array(stored[node.input[0]])))
        values = noise_for(rng, *first_use[node.output[0]], shape)
        made.append(numpy_helper.from_array(values.astype(np.float32),
                                            node.output[0]))
    read = {x for node in nodes for x in node.input}
    made += [t for t in old.graph.initializer
             if t.name in read and t.name not in shapes]
    constants = {t.name for t in made}
    inputs = [i for i in old.graph.input
              if i.name in read and i.name not in constants]
    reshape_args = {n.input[1] for n in nodes if n.op_type == "Reshape"}
    for tensor in made:
        if tensor.name in reshape_args:
            free_batch(tensor)
    for value in [*inputs, *old.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    graph = helper.make_graph(nodes, name, inputs, old.graph.output, made)
    return helper.make_model(graph, opset_imports=old.opset_import,
                             ir_version=IR_VERSION)


# --- Networks built here ----------------------------------------------------

class Builder:
    """A graph under construction. Methods return the new tensor's name."""

    def __init__(self, name):
        self.name = name
        self.rng = np.random.default_rng(0)
        self.count = 0
        self.nodes, self.weights, self.inputs = [], [], []

    def next_number(self):
        self.count += 1
        return self.count

    def input(self, name, *shape, type=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(
            name, type, ["N", *shape]))
        return name

    def weight(self, values, dtype=np.float32):
        name = f"w_{self.next_number()}"
        self.weights.append(numpy_helper.from_array(
            np.asarray(values, dtype), name))
        return name

    def ints(self, *values):
        return self.weight(values, np.int64)

    def noise(self, *shape, scale=0.05):
        return self.weight(self.rng.standard_normal(shape) * scale)

    def he(self, *shape):
        scale = np.sqrt(2.0 / int(np.prod(shape[1:])))
        return self.weight(self.rng.standard_normal(shape) * scale)

    def op(self, kind, *inputs, **attributes):
        k = self.next_number()
        out = f"{kind.lower()}_{k}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out],
                                           name=f"{kind}_{k}", **attributes))
        return out

    def batch_norm(self, x, c):
        r = self.rng
        stats = (r.uniform(0.8, 1.2, c), r.normal(0, 0.1, c),
                 r.normal(0, 0.1, c), r.uniform(0.5, 1.5, c))
        return self.op("BatchNormalization", x, *map(self.weight, stats))

    def conv(self, x, cin, cout, k, stride=1, group=1, pads=None, norm=True,
             act="Relu"):
        """Convolution, then batch normalisation or a bias, then `act`."""
        kh, kw = k if isinstance(k, tuple) else (k, k)
        args = [x, self.he(cout, cin // group, kh, kw)]
        if not norm:
            bias = self.rng.standard_normal(cout).astype(np.float32)
            args.append(self.weight(bias * .1))
        sh, sw = stride if isinstance(stride, tuple) else (stride, stride)
        if pads is None:
            pads = [(kh - 1) // 2, (kw - 1) // 2, kh // 2, kw // 2]
        x = self.op("Conv", *args, kernel_shape=[kh, kw], strides=[sh, sw],
                    pads=pads, group=group)
        if norm:
            x = self.batch_norm(x, cout)
        if act == "Clip6":
            return self.op("Clip", x, self.weight(0), self.weight(6))
        return self.op(act, x) if act else x

    def depthwise(self, x, c, stride=1, act="Relu", pads=None):
        return self.conv(x, c, c, 3, stride, group=c, act=act, pads=pads)

    def dense(self, x, cin, cout, act=None):
        w = self.he(cout, cin)
        x = self.op("Gemm", x, w, self.weight(np.zeros(cout)), transB=1)
        return self.op(act, x) if act else x

    def linear(self, x, cin, cout):
        """A product over the last axis, as exporters write it for rank 3."""
        x = self.op("MatMul", x, self.noise(cin, cout, scale=cin ** -.5))
        return self.op("Add", x, self.noise(cout))

    def layer_norm(self, x, c):
        scale = self.weight(self.rng.uniform(0.8, 1.2, c))
        return self.op("LayerNormalization", x, scale, self.noise(c), axis=-1)

    def model(self, kind, x, out, *shape, **attributes):
        """Closes the graph with one more node, which writes output `out`."""
        self.nodes.append(helper.make_node(kind, [x], [out], **attributes))
        y = helper.make_tensor_value_info(out, TensorProto.FLOAT,
                                          ["N", *shape])
        graph = helper.make_graph(self.nodes, self.name, self.inputs, [y],
                                  self.weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def mobilenet_v2():
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
              (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    b = Builder("mobilenet_v2")
    x, c = b.conv(b.input("image", 3, 224, 224), 3, 32, 3, 2, act="Clip6"), 32
    for widen, cout, repeats, stride in stages:
        for i in range(repeats):
            y = b.conv(x, c, c * widen, 1, act="Clip6") if widen > 1 else x
            y = b.depthwise(y, c * widen, 1 if i else stride, "Clip6")
            y = b.conv(y, c * widen, cout, 1, act=None)
            x = b.op("Add", x, y) if i and c == cout else y
            c = cout
    x = b.conv(x, c, 1280, 1, act="Clip6")
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.model("Identity", b.dense(x, 1280, 1000), "logits", 1000)


def tiny_resnet8():
    """Image classification of MLPerf Tiny."""
    b = Builder("tiny_ic_resnet8")
    x, c = b.conv(b.input("image", 3, 32, 32), 3, 16, 3), 16
    for cout, stride in ((16, 1), (32, 2), (64, 2)):
        y = b.conv(x, c, cout, 3, stride)
        y = b.conv(y, cout, cout, 3, act=None)
        if stride > 1:
            x = b.conv(x, c, cout, 1, stride, pads=[0, 0, 0, 0], norm=False,
                       act=None)
        x, c = b.op("Relu", b.op("Add", y, x)), cout
    x = b.op("Flatten", b.op("AveragePool", x, kernel_shape=[8, 8]))
    return b.model("Softmax", b.dense(x, 64, 10), "prob", 10, axis=-1)


def tiny_dscnn():
    """Keyword spotting of MLPerf Tiny."""
    b = Builder("tiny_kws_dscnn")
    x = b.conv(b.input("mfcc", 1, 49, 10), 1, 64, (10, 4), (2, 2),
               pads=[4, 1, 5, 1])
    for _ in range(4):
        x = b.depthwise(x, 64, pads=[1, 1, 1, 1])
        x = b.conv(x, 64, 64, 1)
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.model("Softmax", b.dense(x, 64, 12), "prob", 12, axis=-1)


def tiny_vww():
    """Visual wake words of MLPerf Tiny: MobileNetV1, a quarter as wide."""
    stages = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2),
              (128, 1), (128, 1), (128, 1), (128, 1), (128, 1), (256, 2),
              (256, 1))
    b = Builder("tiny_vww_mobilenet_v1_025")
    x, c = b.conv(b.input("image", 3, 96, 96), 3, 8, 3, 2), 8
    for cout, stride in stages:
        x, c = b.conv(b.depthwise(x, c, stride), c, cout, 1), cout
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.model("Softmax", b.dense(x, 256, 2), "prob", 2, axis=-1)


def tiny_ad():
    """Anomaly detection of MLPerf Tiny: an autoencoder."""
    b = Builder("tiny_ad_autoencoder")
    x, c = b.input("frame", 640), 640
    for cout in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x, c = b.dense(x, c, cout, "Relu"), cout
    return b.model("Identity", b.dense(x, c, 640), "rebuilt", 640)


def mlp(*widths):
    """Layers of products; a ReLU after each but the last."""
    b = Builder("mlp_" + "_".join(map(str, widths)))
    x = b.input("x", widths[0])
    for cin, cout in zip(widths, widths[1:-1]):
        x = b.dense(x, cin, cout, "Relu")
    x = b.dense(x, widths[-2], widths[-1])
    return b.model("Identity", x, "y", widths[-1])


def mlp_4_16_16_1():
    return mlp(4, 16, 16, 1)


def mlp_32_64_64_8():
    return mlp(32, 64, 64, 8)


def mlp_784_256_128_10():
    return mlp(784, 256, 128, 10)


def additive_mask(b, mask, length, causal):
    """[N, 1, 1, S], or [N, 1, S, S]: 0, or -10000 where nothing is seen."""
    mask = b.op("Unsqueeze", b.op("Cast", mask, to=TensorProto.FLOAT),
                b.ints(1, 2))
    mask = b.op("Mul", b.op("Sub", b.weight(1), mask), b.weight(-1e4))
    if not causal:
        return mask
    square = b.op("Concat", length, length, axis=0)
    later = b.op("Trilu", b.op("Expand", b.weight(-1e4), square),
                 b.weight(1, np.int64), upper=1)
    return b.op("Add", mask, later)


def attention(b, x, mask, width, heads):
    """Written out, as PyTorch exports it."""
    split = b.ints(0, 0, heads, width // heads)
    q, k, v = (b.op("Reshape", b.linear(x, width, width), split)
               for _ in range(3))
    q, k, v = (b.op("Transpose", t, perm=perm) for t, perm in
               ((q, [0, 2, 1, 3]), (k, [0, 2, 3, 1]), (v, [0, 2, 1, 3])))
    root = b.weight((width / heads) ** .5)
    s = b.op("Add", b.op("Div", b.op("MatMul", q, k), root), mask)
    y = b.op("MatMul", b.op("Softmax", s, axis=-1), v)
    y = b.op("Transpose", y, perm=[0, 2, 1, 3])
    return b.linear(b.op("Reshape", y, b.ints(0, 0, width)), width, width)


def transformer(name, layers, width, heads, vocabulary, causal):
    b = Builder(name)
    ids = b.input("input_ids", "S", type=TensorProto.INT64)
    mask = b.input("attention_mask", "S", type=TensorProto.INT64)
    length = b.op("Shape", ids, start=1, end=2)
    zero, one = (b.weight(i, np.int64) for i in (0, 1))
    places = b.op("Range", zero, b.op("Squeeze", length), one)
    mask = additive_mask(b, mask, length, causal)
    x = b.op("Add", b.op("Gather", b.noise(vocabulary, width), ids),
             b.op("Gather", b.noise(512, width), places))
    x = b.layer_norm(x, width)
    for _ in range(layers):
        y = attention(b, x, mask, width, heads)
        x = b.layer_norm(b.op("Add", x, y), width)
        y = b.linear(x, width, 4 * width)
        erf = b.op("Erf", b.op("Div", y, b.weight(2 ** .5)))
        y = b.op("Mul", y, b.op("Add", erf, b.weight(1)))
        y = b.linear(b.op("Mul", y, b.weight(.5)), 4 * width, width)
        x = b.layer_norm(b.op("Add", x, y), width)
    return b.model("Identity", x, "hidden", "S", width)


def minilm_shape():
    """The encoder of MiniLM-L6: 12 heads of 32."""
    return transformer("minilm_shape", 6, 384, 12, 30522, False)


def gpt2_shape():
    """Sizes and causal mask of the small GPT-2: 12 heads of 64."""
    return transformer("gpt2_shape", 12, 768, 12, 50257, True)


def lstm_tagger(vocabulary=5000, width=128, tags=20):
    b = Builder("lstm_tagger")
    ids = b.input("tokens", "S", type=TensorProto.INT64)
    x = b.op("Gather", b.noise(vocabulary, width, scale=.1), ids)
    w = [b.noise(2, 4 * width, width, scale=width ** -.5) for _ in range(2)]
    x = b.op("LSTM", b.op("Transpose", x, perm=[1, 0, 2]), *w,
             b.noise(2, 8 * width), hidden_size=width,
             direction="bidirectional")
    x = b.op("Reshape", b.op("Transpose", x, perm=[2, 0, 1, 3]),
             b.ints(0, 0, 2 * width))
    return b.model("LogSoftmax", b.linear(x, 2 * width, tags), "tags", "S",
                   tags, axis=-1)


BUILT = {f.__name__: f for f in (
    mobilenet_v2, tiny_resnet8, tiny_dscnn, tiny_vww, tiny_ad, mlp_4_16_16_1,
    mlp_32_64_64_8, mlp_784_256_128_10, minilm_shape, gpt2_shape,
    lstm_tagger)}
NAMES = LIGHT + tuple(BUILT)


# --- Data and 8-bit twins ---------------------------------------------------

def index_limit(model, name):
    """Below what the integers of an input stay: rows of the tables that it
    selects from; 0 or 1 where it selects nothing."""
    rows = {t.name: t.dims[0] for t in model.graph.initializer if t.dims}
    return min((rows[n.input[0]] for n in model.graph.node
                if n.op_type == "Gather" and n.input[1] == name), default=2)


def seeded_inputs(model, batch, seed=3, length=32):
    rng = np.random.default_rng(seed + batch)
    inputs = {}
    for i in model.graph.input:
        t = i.type.tensor_type
        shape = [d.dim_value or (length if d.dim_param == "S" else batch)
                 for d in t.shape.dim]
        if t.elem_type == TensorProto.INT64:
            values = rng.integers(0, index_limit(model, i.name), shape)
            if "mask" in i.name:
                values[:, 0] = 1  # something is seen
        else:
            values = rng.standard_normal(shape).astype(np.float32)
        inputs[i.name] = values
    return inputs


def save_tensors(folder, stem, named):
    for j, (name, values) in enumerate(named):
        data = numpy_helper.from_array(values, name).SerializeToString()
        (folder / f"{stem}_{j}.pb").write_bytes(data)


def answer(folder, sizes=((1, 32), (3, 32)), out=None):
    """Writes a data set for each batch and length, with onnxruntime's outputs.
    """
    import onnxruntime
    options = onnxruntime.SessionOptions()
    # Without VNNI its 8-bit sums saturate in pairs, unless asked not to.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 4
    path = str(folder / "model.onnx")
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"])
    model = onnx.load(path, load_external_data=False)
    names = [o.name for o in model.graph.output]
    for k, (batch, length) in enumerate(sizes):
        inputs = seeded_inputs(model, batch, length=length)
        sub = (out or folder) / f"test_data_set_{k}"
        sub.mkdir(exist_ok=True)
        save_tensors(sub, "input", inputs.items())
        save_tensors(sub, "output", zip(names, session.run(None, inputs)))


def quantise(source, folder, activations):
    """A QDQ twin with weights of 8 bits per channel, calibrated on noise."""
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Calibration(q.CalibrationDataReader):
        def __init__(self, model):
            self.sets = iter([seeded_inputs(model, 1, s) for s in range(8)])

        def get_next(self):
            return next(self.sets, None)

    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(source / "model.onnx")
    if model.opset_import[0].version < 13:  # older QDQ has no axis
        model = version_converter.convert_version(model, OPSET)
    plain, ready = folder / "plain.onnx", folder / "ready.onnx"
    onnx.save(model, plain)
    quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
    q.quantize_static(
        str(ready), str(folder / "model.onnx"),
        Calibration(onnx.load(ready)), quant_format=q.QuantFormat.QDQ,
        activation_type=activations, weight_type=q.QuantType.QInt8,
        per_channel=True)
    plain.unlink()
    ready.unlink()


def without_softmax(source, folder):
    """The network up to what its (only) softmax reads."""
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(source / "model.onnx")
    graph = model.graph
    at = next(i for i, n in enumerate(graph.node) if n.op_type == "Softmax")
    logits = graph.node[at].input[0]
    shape = [d.dim_param or d.dim_value
             for d in graph.output[0].type.tensor_type.shape.dim]
    del graph.node[at:]
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(
        logits, TensorProto.FLOAT, shape))
    onnx.save(model, folder / "model.onnx")


def say(folder):
    size = (folder / "model.onnx").stat().st_size
    print(f"{folder.name}: {math.ceil(size / 1000)} kB", flush=True)


def finish(folder):
    answer(folder)
    say(folder)
    if folder.name in SATURATED:
        cut = folder.with_name(f"{folder.name}-logits")
        without_softmax(folder, cut)
        answer(cut)
        say(cut)


def write_model(out, name):
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    build = BUILT.get(name)
    onnx.save(build() if build else light_network(name), folder / "model.onnx")
    finish(folder)
    for suffix in TWINS.get(name, ()):
        from onnxruntime.quantization import QuantType
        twin = out / f"{name}-{suffix}"
        quantise(folder, twin, QuantType.QInt8 if suffix == "s8"
                 else QuantType.QUInt8)
        finish(twin)


def main():
    names = sys.argv[2:] or NAMES
    if len(sys.argv) < 2 or set(names) - set(NAMES):
        sys.exit(f"{__doc__}\nNAME is one of {', '.join(NAMES)}")
    for name in names:
        write_model(pathlib.Path(sys.argv[1]), name)


if __name__ == "__main__":
    main()
