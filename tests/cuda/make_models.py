#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models of the tests of this folder, with onnxruntime's answers.

    make_models.py KIND FOLDER

FOLDER/model.onnx, and data sets of batch 1, 3 and 130 where KIND is `split`
or `shapes`, of 1 and 3 where it is `packs`, `orders` or `finds`, whose long
transforms are numpy's, as onnxruntime's are not exact; `net` and `rooms`, which
errors.c and rooms.c call, `draws`, which onnxruntime makes otherwise, and
`convs` and `attentions`, of which plans.c looks at the calls of cuDNN, have
none, nor has `island`.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime

RNG = np.random.default_rng(8)


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], name=f"the_{output}",
                            **attributes)


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name, shape):
    scale = np.sqrt(2 / np.prod(shape[1:]))
    return numpy_helper.from_array(
        (RNG.standard_normal(shape) * scale).astype(np.float32), name)


def whole(name, numbers):
    return numpy_helper.from_array(np.array(numbers, np.int64), name)


def model(nodes, inputs, outputs, weights, opset=17):
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    return helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", opset)])


def split():
    """Two convolutions; text between them, which no GPU reads or writes."""
    nodes = [node("Conv", ["x", "w1"], "a", pads=[1] * 4),
             node("Relu", ["a"], "b"),
             node("ReduceMean", ["b"], "mean", axes=[1, 2, 3]),
             node("Cast", ["mean"], "text", to=TensorProto.STRING),
             node("Cast", ["text"], "s", to=TensorProto.FLOAT),
             node("Mul", ["b", "s"], "c"),
             node("Conv", ["c", "w2"], "y", pads=[1] * 4)]
    return model(nodes, [value("x", ["N", 8, 16, 16])],
                 [value("y", ["N", 16, 16, 16])],
                 [weight("w1", (16, 8, 3, 3)), weight("w2", (16, 16, 3, 3))])


def shapes():
    """A shape that is computed between two convolutions."""
    nodes = [node("Conv", ["x", "w1"], "a", pads=[1] * 4),
             node("Shape", ["a"], "sizes"),
             node("Gather", ["sizes", "first"], "batch"),
             node("Concat", ["batch", "rest"], "shape", axis=0),
             node("Reshape", ["a", "shape"], "b"),
             node("Conv", ["b", "w2"], "y", pads=[1] * 4)]
    return model(nodes, [value("x", ["N", 8, 16, 16])],
                 [value("y", ["N", 16, 8, 32])],
                 [weight("w1", (16, 8, 3, 3)), weight("w2", (16, 16, 3, 3)),
                  whole("first", [0]), whole("rest", [16, 8, 32])])


def net():
    """A convolution, and a row of a table that the caller chooses."""
    nodes = [node("Conv", ["x", "w"], "a", pads=[1] * 4),
             node("Relu", ["a"], "b"),
             node("GlobalAveragePool", ["b"], "c"), node("Flatten", ["c"], "d"),
             node("Gather", ["table", "pick"], "e"),
             node("Add", ["d", "e"], "y")]
    return model(nodes, [value("x", ["N", 8, 16, 16]),
                         value("pick", ["N"], TensorProto.INT64)],
                 [value("y", ["N", 16])],
                 [weight("w", (16, 8, 3, 3)), weight("table", (10, 16))])


def rooms():
    """Products of as many rows as the run tells, in room that the caller
    gives: row i is sin(i) times the sums of the weights' columns."""
    nodes = [node("Range", ["zero", "count", "one"], "numbers"),
             node("Sin", ["numbers"], "waves"),
             node("Unsqueeze", ["waves", "last"], "column"),
             node("Expand", ["column", "wide"], "rows"),
             node("MatMul", ["rows", "w1"], "a"), node("Relu", ["a"], "b"),
             node("MatMul", ["b", "w2"], "y")]
    return model(nodes, [value("count", [])], [value("y", ["K", 256])],
                 [weight("w1", (512, 512)), weight("w2", (512, 256)),
                  numpy_helper.from_array(np.float32(0), "zero"),
                  numpy_helper.from_array(np.float32(1), "one"),
                  whole("last", [1]), whole("wide", [1, 512])])


def packs():
    """What a GPU's threads take several neighbours of: chains over operands of
    several sizes and shapes, rows to normalise that are held in registers or
    not, products of few rows; chains that are part of convolutions."""
    f16, u8 = TensorProto.FLOAT16, TensorProto.UINT8
    rows = {"epsilon": 1e-3}
    weights = [weight(name, shape) for name, shape in (
        ("row", (96,)), ("column", (20, 1)), ("plane", (20, 96)),
        ("long", (1920,)), ("odd", (95,)), ("one", (1,)),
        ("narrow", (96, 24)), ("turned", (24, 24)), ("each", (8, 1, 3, 3)),
        ("squeeze", (4, 8, 1, 1)), ("excite", (8, 4, 1, 1)))]
    weights += [whole("flat", [0, -1]), whole("zero", [0]), whole("last", [95]),
                whole("end", [2]), whole("five", [0, 0, 24, 4]),
                whole("image", [0, 8, 15, 16])]
    nodes = [node("Mul", ["x", "row"], "a1"),
             node("Add", ["a1", "column"], "a"),
             node("Greater", ["a", "plane"], "more"),
             node("Where", ["more", "a", "one"], "w"),
             node("Cast", ["w"], "half", to=f16),
             node("Cast", ["row"], "half_row", to=f16),
             node("Mul", ["half", "half_row"], "h1"), node("Tanh", ["h1"], "h"),
             node("Cast", ["more"], "byte", to=u8),
             node("Add", ["byte", "byte"], "b"),
             node("LayerNormalization", ["x", "row", "row"], "n1", **rows),
             node("LayerNormalization", ["h", "half_row"], "n2", **rows),
             node("Reshape", ["x", "flat"], "f"),
             node("LayerNormalization", ["f", "long"], "n3", **rows),
             node("Slice", ["x", "zero", "last", "end"], "s"),
             node("LayerNormalization", ["s", "odd", "odd"], "n4", **rows),
             node("MatMul", ["x", "narrow"], "p1"),
             node("MatMul", ["p1", "turned"], "p"),
             node("Reshape", ["x", "five"], "r"),
             node("ReduceMax", ["r"], "peak", axes=[3]),
             node("Sub", ["r", "peak"], "q"),
             node("Reshape", ["x", "image"], "c1"),
             node("Conv", ["c1", "each"], "c2", pads=[1] * 4, group=8),
             node("HardSwish", ["c2"], "c3"),
             node("GlobalAveragePool", ["c3"], "c4"),
             node("Conv", ["c4", "squeeze"], "c5"), node("Relu", ["c5"], "c6"),
             node("Conv", ["c6", "excite"], "c7"),
             node("HardSigmoid", ["c7"], "c8"),
             node("Mul", ["c3", "c8"], "c")]
    both, half = ["N", 20, 96], ["N", 20, 96]
    return model(nodes, [value("x", both)],
                 [value("w", both), value("h", half, f16), value("b", both, u8),
                  value("n1", both), value("n2", half, f16),
                  value("n3", ["N", 1920]), value("n4", ["N", 20, 95]),
                  value("p", ["N", 20, 24]), value("q", ["N", 20, 24, 4]),
                  value("c", ["N", 8, 15, 16])],
                 weights)


def orders():
    """The first ones of rows that are too long to be sorted, with many that
    are equal, of several types."""
    whole_type, half = TensorProto.INT64, TensorProto.FLOAT16
    nodes = [node("Mul", ["x", "four"], "x4"), node("Round", ["x4"], "r"),
             node("Cast", ["r"], "i", to=TensorProto.INT32),
             node("Cast", ["x"], "h", to=half),
             node("Transpose", ["x4"], "t", perm=[1, 0])]
    outputs = []
    for k, (v, many, largest, axis, dtype) in enumerate((
            ("r", "many", 1, 1, 1), ("r", "few", 0, 1, 1),
            ("i", "few", 0, 1, TensorProto.INT32), ("x", "all", 1, 1, 1),
            ("i", "many", 1, 1, TensorProto.INT32), ("h", "few", 1, 1, half),
            ("t", "few", 1, 0, 1))):
        nodes.append(helper.make_node("TopK", [v, many], [f"v{k}", f"i{k}"],
                                      largest=largest, axis=axis))
        size = {"few": 7, "many": 300, "all": 2100}[many]
        shape = ["N", size] if axis else [size, "N"]
        outputs += [value(f"v{k}", shape, dtype),
                    value(f"i{k}", shape, whole_type)]
    return model(nodes, [value("x", ["N", 4500])], outputs,
                 [whole("few", [7]), whole("many", [300]), whole("all", [2100]),
                  numpy_helper.from_array(np.float32(4), "four")])


def finds():
    """What finds its sizes in data that is longer than a block looks at, and
    transforms of short frames and of a long row."""
    whole_type, flag = TensorProto.INT64, TensorProto.BOOL
    nodes = [node("Reshape", ["x", "rows"], "signal"),
             node("STFT", ["signal", "hop", "window"], "frames"),
             node("DFT", ["signal"], "bins", onesided=1),
             node("DFT", ["bins", "", "back"], "folded", inverse=1),
             node("Relu", ["x"], "more"), node("NonZero", ["more"], "places"),
             node("Cast", ["more"], "are", to=flag),
             node("Reshape", ["are", "flat"], "keep"),
             node("Compress", ["x", "keep"], "kept"),
             node("Reshape", ["x", "corners"], "boxes"),
             node("Reshape", ["x", "classes"], "scores"),
             node("NonMaxSuppression", ["boxes", "scores", "most", "overlap",
                                        "least"], "picked"),
             node("Reshape", ["x", "matrix"], "m"),
             node("Einsum", ["m"], "sums", equation="nij->nj"),
             node("Einsum", ["m"], "all", equation="nij->n")]
    return model(nodes, [value("x", ["N", 4500])],
                 [value("frames", ["N", 26, 201, 2]),
                  value("bins", ["N", 2251, 2]),
                  value("folded", ["N", 2251, 2]),
                  value("places", [2, "P"], whole_type), value("kept", ["K"]),
                  value("picked", ["B", 3], whole_type),
                  value("sums", ["N", 100]), value("all", ["N"])],
                 [whole("rows", [0, -1, 1]), whole("flat", [-1]),
                  whole("corners", [0, 1125, 4]), whole("matrix", [0, 45, 100]),
                  whole("classes", [0, 4, 1125]), whole("most", [20]),
                  numpy_helper.from_array(np.int64(160), "hop"),
                  numpy_helper.from_array(np.int64(1), "back"),
                  numpy_helper.from_array(np.float32([0.3]), "overlap"),
                  numpy_helper.from_array(np.float32([0.1]), "least"),
                  weight("window", (400,))], 20)


def draws():
    """Draws, which are to be the reference kernels', and what else has kernels
    of its own but few cases: of several blocks, of halves and doubles."""
    f16, f64, whole_type = (TensorProto.FLOAT16, TensorProto.DOUBLE,
                            TensorProto.INT64)
    nodes = [node("RandomNormalLike", ["x"], "normal", seed=3.0),
             node("RandomUniformLike", ["x"], "doubles", dtype=f64, low=-1.0),
             node("RandomUniform", [], "halves", shape=[3, 33], dtype=f16),
             node("RandomNormal", [], "normals", shape=[7], dtype=f64),
             node("Sigmoid", ["x"], "odds"),
             node("Bernoulli", ["odds"], "coin"),
             node("Reshape", ["x", "flat"], "logits"),
             node("Multinomial", ["logits"], "classes", sample_size=300,
                  dtype=whole_type),
             node("Dropout", ["x", "ratio", "train"], "dropped", seed=5),
             node("Reshape", ["x", "matrix"], "m"), node("Det", ["m"], "det"),
             node("MaxPool", ["m4"], "pooled", kernel_shape=[2, 2],
                  strides=[2, 2]),
             node("Reshape", ["x", "image"], "m4"),
             node("Reshape", ["x", "blocks"], "b"),
             node("Col2Im", ["b", "size", "block"], "summed", pads=[1] * 4),
             node("Reshape", ["x", "scores"], "s"),
             node("ArgMax", ["s"], "best", axis=1, keepdims=0),
             node("SoftmaxCrossEntropyLoss", ["s", "best"], "loss"),
             node("Reshape", ["x", "tokens"], "q")]
    nodes[11], nodes[12] = nodes[12], nodes[11]
    nodes[12].output.append("at")
    nodes.append(node("MaxUnpool", ["pooled", "at"], "spread",
                      kernel_shape=[2, 2], strides=[2, 2]))
    nodes.append(node("LinearAttention", ["q", "q", "q"], "attended",
                      q_num_heads=3, kv_num_heads=3, update_rule="linear"))
    nodes[-1].output.append("state")
    shape = ["N", 24, 144]
    return model(nodes, [value("x", shape)],
                 [value("normal", shape), value("doubles", shape, f64),
                  value("halves", [3, 33], f16), value("normals", [7], f64),
                  value("coin", shape),
                  value("classes", ["N", 300], whole_type),
                  value("dropped", shape), value("det", ["N", 6]),
                  value("summed", ["N", 16, 4, 6]),
                  value("loss", []), value("spread", ["N", 1, 48, 72]),
                  value("attended", ["N", 24, 144])],
                 [whole("flat", [0, -1]), whole("matrix", [0, 6, 24, 24]),
                  whole("image", [0, 1, 48, 72]), whole("size", [4, 6]),
                  whole("block", [3, 3]), whole("blocks", [0, 144, -1]),
                  whole("scores", [0, 36, 96]), whole("tokens", [0, 0, 0]),
                  numpy_helper.from_array(np.float32(0.3), "ratio"),
                  numpy_helper.from_array(np.bool_(True), "train")], 27)


def convs():
    """Convolutions with all that follows them: every clamp, a residual sum;
    groups, strides, dilations, uneven padding; of halves; on 1 and 3 axes."""
    weights = [weight(f"w{i}", (16, 16, 3, 3)) for i in range(5)]
    weights += [weight("point", (16, 16, 1, 1)), weight("few", (16, 4, 3, 3)),
                weight("line", (8, 8, 5)), weight("cube", (8, 4, 3, 3, 3)),
                weight("bias", (16, 1))]
    for i, number in enumerate((-1, 1, 0, 6, 2)):
        weights.append(numpy_helper.from_array(np.float32(number), f"n{i}"))
    same = {"pads": [1] * 4}
    half = {"to": TensorProto.FLOAT16}
    nodes = [node("Flatten", ["bias"], "b", axis=0),
             node("Squeeze", ["b", "zeroth"], "bs"),
             node("Conv", ["x", "w0", "bs"], "a1", **same),
             node("Clip", ["a1", "n0", "n1"], "a2"),
             node("Conv", ["a2", "w1"], "a3", strides=[2, 2], **same),
             node("Clip", ["a3", "n2", "n3"], "a4"),
             node("Conv", ["a4", "point", "bs"], "a5"),
             node("Clip", ["a5", "", "n4"], "a6"),
             node("Conv", ["a6", "few"], "a7", group=4, **same),
             node("Relu", ["a7"], "a8"),
             node("Conv", ["a8", "w2", "bs"], "a9", **same),
             node("Add", ["a9", "a6"], "a10"), node("Relu", ["a10"], "a11"),
             node("Conv", ["a11", "w3"], "y", dilations=[2, 1],
                  pads=[0, 1, 2, 1]),
             node("Cast", ["a4"], "h0", **half),
             node("Cast", ["w4"], "hw", **half),
             node("Conv", ["h0", "hw"], "h1", **same),
             node("Cast", ["n0"], "hn0", **half),
             node("Cast", ["n1"], "hn1", **half),
             node("Clip", ["h1", "hn0", "hn1"], "h2"),
             node("Conv", ["h2", "hw"], "h3", **same),
             node("Add", ["h3", "h0"], "h4"), node("Relu", ["h4"], "h"),
             node("Conv", ["x1", "line"], "l1", pads=[2, 2]),
             node("Relu", ["l1"], "l"),
             node("Conv", ["x3", "cube"], "c1", strides=[1, 2, 1]),
             node("Clip", ["c1", "n0", ""], "c")]
    return model(nodes, [value("x", ["N", 16, 18, 18]),
                         value("x1", ["N", 8, 40]),
                         value("x3", ["N", 4, 6, 7, 8])],
                 [value("y", ["N", 16, 7, 9]), value("h", ["N", 16, 9, 9], 10),
                  value("l", ["N", 8, 40]), value("c", ["N", 8, 4, 3, 6])],
                 weights + [whole("zeroth", [0])])


def island():
    """Halves around a product of f32, whose weights are no halves."""
    nodes = [node("Relu", ["x"], "a"),
             node("Cast", ["a"], "wide", to=TensorProto.FLOAT),
             node("MatMul", ["wide", "w"], "b"),
             node("Cast", ["b"], "y", to=TensorProto.FLOAT16)]
    return model(nodes, [value("x", ["N", 16, 64], 10)],
                 [value("y", ["N", 16, 256], 10)], [weight("w", (64, 256))])


def attentions():
    """Of halves: with a mask; causal, with shared heads; of rows that cuDNN has
    no kernel for; of one query; of f32, by tiles and by blocks for a query."""
    scale = numpy_helper.from_array(np.float16(0.25), "scale")
    nodes = [node("Transpose", ["k"], "turned", perm=[0, 1, 3, 2]),
             node("MatMul", ["q", "turned"], "products"),
             node("Mul", ["products", "scale"], "scores"),
             node("Add", ["scores", "mask"], "masked"),
             node("Softmax", ["masked"], "parts", axis=-1),
             node("MatMul", ["parts", "v"], "y1"),
             node("Attention", ["q2", "k2", "v2"], "y2", is_causal=1,
                  q_num_heads=4, kv_num_heads=2),
             node("Attention", ["q3", "k3", "v3"], "y3"),
             node("Attention", ["one", "k", "v"], "y4"),
             node("Cast", ["q"], "wide", to=TensorProto.FLOAT),
             node("Attention", ["wide", "wide", "wide"], "y5", is_causal=1,
                  softcap=2.0),
             node("Cast", ["one"], "wide1", to=TensorProto.FLOAT),
             node("Attention", ["wide1", "wide", "wide"], "y6")]
    shape = {"q": ["N", 4, 40, 16], "k": ["N", 4, 24, 16],
             "v": ["N", 4, 24, 32], "mask": ["N", 1, 1, 24],
             "q2": ["N", 20, 4 * 64], "k2": ["N", 20, 2 * 64],
             "v2": ["N", 20, 2 * 64], "q3": ["N", 2, 30, 9],
             "k3": ["N", 2, 17, 9], "v3": ["N", 2, 17, 5],
             "one": ["N", 4, 1, 16]}
    result = {"y1": ["N", 4, 40, 32], "y2": ["N", 20, 256],
              "y3": ["N", 2, 30, 5], "y4": ["N", 4, 1, 32]}
    return model(nodes, [value(*x, 10) for x in shape.items()],
                 [value(*x, 10) for x in result.items()] +
                 [value("y5", ["N", 4, 40, 16]), value("y6", ["N", 4, 1, 16])],
                 [scale], 23)


def save(path, name, array):
    path.write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def main():
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    m = {"split": split, "shapes": shapes, "net": net, "rooms": rooms,
         "convs": convs, "packs": packs, "orders": orders,
         "finds": finds, "draws": draws, "attentions": attentions,
         "island": island}[kind]()
    onnx.checker.check_model(m)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(m, folder / "model.onnx")
    if kind in ("net", "rooms", "convs", "attentions", "draws", "island"):
        return
    session = onnxruntime.InferenceSession(m.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape[1:]
    for k, batch in enumerate((1, 3, 130) if shape[0] == 8 else (1, 3)):
        data = folder / f"test_data_set_{k}"
        data.mkdir(exist_ok=True)
        x = RNG.standard_normal((batch, *shape)).astype(np.float32)
        save(data / "input_0.pb", "x", x)
        answers = session.run(None, {"x": x})
        if kind == "finds":
            bins = np.fft.rfft(x.astype(np.float64))
            back = np.fft.ifft(bins)
            answers[1], answers[2] = (np.stack([v.real, v.imag], -1).astype(
                np.float32) for v in (bins, back))
        for i, y in enumerate(answers):
            save(data / f"output_{i}.pb", m.graph.output[i].name, y)


if __name__ == "__main__":
    main()
