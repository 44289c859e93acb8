#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles mutated models, and demands good manners.

    mutate_models.py ONNX2C COUNT SEED MODEL...

Mutant k of a model has one to three of its attributes, shapes, types, operator
names, connections, constants or versions changed, by seed SEED + k. It must be
compiled, or refused with exit code 2 or 3, a message and no output file:
within the time, without a crash, an "internal error", or what a sanitizer
reports.
"""
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NUMBERS = (-2 ** 63, -2 ** 31, -7, -2, -1, 0, 1, 2, 3, 5, 64, 2 ** 16,
           2 ** 31, 2 ** 40, 2 ** 62, 2 ** 63 - 1)
OPS = ("Conv", "Relu", "Add", "Mul", "MaxPool", "AveragePool", "Concat",
       "Reshape", "Transpose", "Clip", "Gemm", "MatMul", "Softmax", "Flatten",
       "BatchNormalization", "GlobalAveragePool", "QuantizeLinear",
       "DequantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger",
       "LRN", "Pad", "Slice", "Split", "Squeeze", "Unsqueeze", "Identity",
       "ReduceMean", "Cast", "Gather", "Expand", "GlobalMaxPool", "Shape")


def attribute(rng, model):
    node = rng.choice(model.graph.node)
    if not node.attribute or rng.random() < 0.2:
        name = rng.choice(("axis", "group", "pads", "strides", "kernel_shape",
                           "dilations", "perm", "ceil_mode", "block_size",
                           "transA", "transB", "to", "keepdims", "allowzero",
                           "output_dtype", "channels_last", "epsilon"))
        value = rng.choice((rng.choice(NUMBERS), 0.5,
                            [rng.choice(NUMBERS) for _ in range(2)]))
        node.attribute.append(helper.make_attribute(name, value))
        return
    a = rng.choice(node.attribute)
    if a.ints:
        i = rng.randrange(len(a.ints))
        kind = rng.random()
        if kind < 0.2:
            a.ints.append(rng.choice(NUMBERS))
        elif kind < 0.4:
            del a.ints[i]
        else:
            a.ints[i] = rng.choice(NUMBERS)
    elif rng.random() < 0.2:
        node.attribute.remove(a)
    elif a.type == a.INT:
        a.i = rng.choice(NUMBERS)
    elif a.type == a.FLOAT:
        a.f = rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e-45))
    elif a.type == a.STRING:
        a.s = rng.choice((b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"", b"\0"))


def shape(rng, model):
    ports = list(model.graph.input) + list(model.graph.output)
    dims = rng.choice(ports).type.tensor_type.shape.dim
    if dims and rng.random() < 0.7:
        d = rng.choice(dims)
        if rng.random() < 0.4:
            d.dim_param = rng.choice(("N", "A", "H", "", "int"))
        else:
            d.dim_value = rng.choice((0, 1, 2, 3, 7, 2 ** 31, 2 ** 62, -1))
    elif dims and rng.random() < 0.5:
        del dims[-1]
    else:
        dims.add().dim_value = rng.choice((1, 2, 3))


def kind(rng, model):
    t = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 22))
    if model.graph.initializer and rng.random() < 0.6:
        i = rng.choice(model.graph.initializer)
        try:
            array = numpy_helper.to_array(i)
            dtype = helper.tensor_dtype_to_np_dtype(t)
            i.CopyFrom(numpy_helper.from_array(array.astype(dtype), i.name))
        except (TypeError, ValueError, NotImplementedError):
            i.data_type = t
    else:
        rng.choice(model.graph.input).type.tensor_type.elem_type = t


def operator(rng, model):
    rng.choice(model.graph.node).op_type = rng.choice(OPS)


def connection(rng, model):
    nodes = model.graph.node
    k = rng.randrange(len(nodes))
    before = [o for n in nodes[:k] for o in n.output if o]
    names = before[-12:] + [v.name for v in model.graph.input]
    names += [i.name for i in model.graph.initializer[:40]] + [""]
    node = nodes[k]
    what = rng.random()
    if what < 0.15:
        node.input.append(rng.choice(names))
    elif what < 0.3 and node.input:
        del node.input[rng.randrange(len(node.input))]
    elif what < 0.4 and before:
        o = model.graph.output.add()
        o.CopyFrom(model.graph.output[0])
        o.name = rng.choice(before)
        o.type.tensor_type.ClearField("shape")
    elif node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)


def constant(rng, model):
    if not model.graph.initializer:
        return
    i = rng.choice(model.graph.initializer)
    array = numpy_helper.to_array(i).copy()
    what = rng.random()
    if what < 0.4 and array.size:
        info = array.dtype.kind
        value = (rng.choice((0, 1, -1, 127, -128)) if info in "iu" else
                 rng.choice((0, -1, np.nan, np.inf, 1e30, 1e-30)))
        with np.errstate(all="ignore"):
            array.flat[rng.randrange(array.size)] = np.array(value).astype(
                array.dtype)
    elif what < 0.6:
        array = array.reshape(rng.choice(([-1], [1, -1], [-1, 1])))
    elif what < 0.8:
        array = array[:0] if array.ndim else array
    else:
        array = array.reshape(-1)[:1].reshape(rng.choice(([], [1])))
    i.CopyFrom(numpy_helper.from_array(array, i.name))


def version(rng, model):
    model.opset_import[0].version = rng.choice((1, 6, 7, 9, 11, 12, 13, 15,
                                                18, 19, 21, 23))


MUTATIONS = ([attribute] * 5 + [shape] * 2 + [kind] * 2 + [operator] * 3 +
             [connection] * 4 + [constant] * 3 + [version])


def mutant(path, seed):
    rng = random.Random(f"{path.parent.name} {seed}")
    model = onnx.load(path)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if model.graph.node:
            try:
                rng.choice(MUTATIONS)(rng, model)
            except (ValueError, TypeError, IndexError,
                    NotImplementedError, OverflowError):
                pass
    return model


def complaint(onnx2c, folder, level):
    """What is wrong; and the exit code."""
    out = folder / "out.c"
    try:
        done = subprocess.run(
            [onnx2c, folder / "model.onnx", "-o", out, level],
            capture_output=True, text=True, errors="replace", timeout=60)
    except subprocess.TimeoutExpired:
        return "no end in sight", None
    text, code = done.stderr, done.returncode
    left = [p.name for p in folder.iterdir() if p.name.startswith("out")]
    for p in left:
        (folder / p).unlink()
    if code not in (0, 2, 3):
        return f"exit code {code}: {text[-1500:]}", code
    if "runtime error" in text or "internal error" in text:
        return text[-1500:], code
    if code and (left or not text.strip()):
        return f"exit code {code}, left {left}, said '{text}'", code
    return None, code


def main():
    onnx2c, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    paths = [pathlib.Path(p) for p in sys.argv[4:]]
    bad, codes = 0, {}
    with tempfile.TemporaryDirectory() as tmp:
        folder = pathlib.Path(tmp)
        for k in range(count):
            path = paths[k % len(paths)]
            model = mutant(path, seed + k)
            try:
                data = model.SerializeToString()
            except ValueError:
                continue
            (folder / "model.onnx").write_bytes(data)
            level = ("-O2", "-O2", "-O0", "-O1")[k % 4]
            why, code = complaint(onnx2c, folder, level)
            codes[code] = codes.get(code, 0) + 1
            if why:
                bad += 1
                print(f"{path.parent.name} {seed + k} {level}: {why}")
                pathlib.Path(f"mutant_{bad}.onnx").write_bytes(data)
    print(f"{count} mutants, {bad} bad; exit codes {codes}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
