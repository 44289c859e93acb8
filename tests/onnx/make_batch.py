#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Static twins of networks, made dynamic again by --make-batch.

    make_batch.py ONNX2C DATA [--keep DIR] [NAME...]

DATA is the tests' data folder: zoo/, models/, corpus/light/. A twin has 1 where
its network has a symbolic batch; onnxruntime folds it (level basic), and what
is left of -1 and 0 in targets of Reshape is written out as the numbers of a
batch of 1. `onnx2c verify --make-batch` must give the answers of the network
itself at the batches of its data, and the same bits for a row alone and among
2 and 7. Networks that mix samples must be refused: by exit code 3 and the name
of an operator. Without names: all.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, shape_inference

# One scale for all rows.
REFUSED = {f"models/text2tashkeel__{x}.int8": "DynamicQuantize"
           for x in ("bilstm", "rawi", "rawi_ensemble", "rawi_v3")}
# The axis that has no symbol is a sequence, or the batch is fixed for good.
NO_BATCH = {"models/silero-vad__silero_vad_16k_sequence"}
ARGS = {}


def dims_of(value):
    return value.type.tensor_type.shape.dim


def is_open(dim):
    return not dim.HasField("dim_value") or dim.dim_value < 1


def pin(model):
    """Sets the first dimensions to 1, and others of the same name; a state
    has the batch second."""
    names = set()
    for value in model.graph.input:
        dims = dims_of(value)
        place = 1 if value.name == "state" else 0
        if len(dims) > place and is_open(dims[place]):
            names.add(dims[place].dim_param)
            dims[place].dim_value = 1
    for value in [*model.graph.input, *model.graph.output]:
        for dim in dims_of(value):
            if dim.dim_param and dim.dim_param in names:
                dim.dim_value = 1
    for value in model.graph.output:
        for dim in dims_of(value):
            if is_open(dim):
                dim.ClearField("dim_param")
                dim.ClearField("dim_value")
    del model.graph.value_info[:]


def names_read(graph):
    """Also those that a body reads from outside."""
    read = {x for node in graph.node for x in node.input}
    for node in graph.node:
        for a in node.attribute:
            if a.type == onnx.AttributeProto.GRAPH:
                read |= names_read(a.g) | {x.name for x in a.g.output}
    return read


def fold(model, folder):
    """The model as onnxruntime's level basic leaves it."""
    pinned, folded = folder / "pinned.onnx", folder / "folded.onnx"
    onnx.save(model, pinned)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folded)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(pinned), options,
                                 providers=["CPUExecutionProvider"])
    folded_model = onnx.load(folded)
    graph = folded_model.graph
    read = names_read(graph)
    for value in [v for v in graph.input if v.name not in read]:
        graph.input.remove(value)
    pinned.unlink()
    folded.unlink()
    return folded_model


def write_out(model):
    """Numbers in place of 0 and -1 in the targets of Reshape."""
    shapes = {}
    inferred = shape_inference.infer_shapes(model)
    for value in [*inferred.graph.value_info, *inferred.graph.output]:
        shapes[value.name] = [d.dim_value if d.HasField("dim_value") else -1
                              for d in dims_of(value)]
    stored = {t.name: t for t in model.graph.initializer}
    count = 0
    for i, node in enumerate(model.graph.node):
        if node.op_type != "Reshape" or node.input[1] not in stored:
            continue
        shape = shapes.get(node.output[0])
        old = numpy_helper.to_array(stored[node.input[1]])
        if not shape or shape.count(-1) > 1 or len(shape) != len(old):
            continue
        name = f"{node.input[1]}_batch_1_{i}"
        model.graph.initializer.append(
            numpy_helper.from_array(np.array(shape, np.int64), name))
        node.input[1] = name
        count += 1
    return count


def twin_of(source, folder):
    model = onnx.load(source / "model.onnx")
    pin(model)
    model = fold(model, folder)
    write_out(model)
    onnx.save(model, folder / "model.onnx")
    some = False
    for data in source.glob("test_data_set_*"):
        if (data / "input_0.pb").exists():
            (folder / data.name).symlink_to(data)
            some = True
    if not some:
        answer(folder)


def answer(folder):
    """Random inputs, and what onnxruntime makes of them at batch 1."""
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    rng = np.random.default_rng(1)
    feed = {i.name: rng.random(i.shape, np.float32)
            for i in session.get_inputs()}
    data = folder / "test_data_set_0"
    data.mkdir()
    results = session.run(None, feed)
    for i, (name, value) in enumerate(feed.items()):
        onnx.save_tensor(numpy_helper.from_array(value, name),
                         data / f"input_{i}.pb")
    for i, (port, value) in enumerate(zip(session.get_outputs(), results)):
        onnx.save_tensor(numpy_helper.from_array(value, port.name),
                         data / f"output_{i}.pb")


def sources(data, names):
    found = [p.parent for kind in ("zoo", "models", "corpus/light")
             for p in sorted((data / kind).glob("*/model.onnx"))]
    named = {str(p.relative_to(data)): p for p in found}
    for name in names or named:
        yield name, named[name]


def check(onnx2c, name, source, folder):
    twin_of(source, folder)
    run = subprocess.run(
        [onnx2c, "verify", "--make-batch", "--cflags=-O1",
         *ARGS.get(name, ()), folder],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = run.stdout
    if name in REFUSED:
        fine = run.returncode == 3 and f"({REFUSED[name]}" in said
        what = "refused"
    else:
        fine = run.returncode == 0 and "rows: the same bits" in said
        what = "the same rows"
    print(f"{name}: {what if fine else 'WRONG'}", flush=True)
    if not fine:
        print(said)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("onnx2c")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    data, wrong = args.data.resolve(), 0
    for name, source in sources(data, args.names):
        if name in NO_BATCH and not args.names:
            continue
        with tempfile.TemporaryDirectory() as tmp:
            folder = (args.keep or pathlib.Path(tmp)) / source.name
            folder.mkdir(parents=True)
            wrong += not check(args.onnx2c, name, source, folder)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
