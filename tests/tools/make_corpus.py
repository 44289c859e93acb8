#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ONNX backend test suite as folders, taken from the installed wheel.

    make_corpus.py OUT [KIND...]

KIND is node, simple, pytorch-converted, pytorch-operator or light; all are
written by default. A case is OUT/KIND/NAME/model.onnx with
test_data_set_<i>/{input,output}_<j>.pb and, where the suite states one, a
tolerance.txt that holds "rtol atol". Node and simple cases are computed by the
wheel when asked; the others lie in it as files. The light networks come with
outputs only.
"""
import pathlib
import shutil
import sys

import numpy
import onnx
from onnx import numpy_helper

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator", "light")
MESSAGES = (onnx.TensorProto, onnx.SequenceProto, onnx.OptionalProto,
            onnx.MapProto)
PACKERS = {
    "map_type": numpy_helper.from_dict,
    "sequence_type": numpy_helper.from_list,
    "optional_type": numpy_helper.from_optional,
}


def to_message(value, info):
    """A value of a case as the protobuf message that its type asks for."""
    if isinstance(value, MESSAGES):
        return value
    packer = PACKERS.get(info.type.WhichOneof("value"))
    if packer:
        return packer(value, info.name)
    return numpy_helper.from_array(numpy.asarray(value), info.name)


def write_values(folder, stem, values, infos):
    for j, value in enumerate(values):
        if value is not None:  # an optional input that the case leaves out
            data = to_message(value, infos[j]).SerializeToString()
            (folder / f"{stem}_{j}.pb").write_bytes(data)


def write_case(case, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    (folder / "tolerance.txt").write_text(f"{case.rtol} {case.atol}\n")
    graph = case.model.graph
    for i, (inputs, outputs) in enumerate(case.data_sets):
        sub = folder / f"test_data_set_{i}"
        sub.mkdir(exist_ok=True)
        write_values(sub, "input", inputs, graph.input)
        write_values(sub, "output", outputs, graph.output)


def computed_cases(kinds):
    from onnx.backend.test.case import model, node
    if "node" in kinds:
        yield from node.collect_testcases(None)
    if "simple" in kinds:
        yield from (c for c in model.collect_testcases() if c.kind == "simple")


def copy_stored(kind, source, out):
    count = 0
    for case in sorted(p for p in (source / kind).iterdir() if p.is_dir()):
        shutil.copytree(case, out / kind / case.name, dirs_exist_ok=True)
        count += 1
    return count


def copy_light(source, out):
    models = sorted((source / "light").glob("*.onnx"))
    for path in models:
        folder = out / "light" / path.stem
        data = folder / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / "model.onnx")
        for pb in path.parent.glob(f"{path.stem}_output_*.pb"):
            shutil.copy(pb, data / pb.name[len(path.stem) + 1:])
    return len(models)


def main():
    if len(sys.argv) < 2 or set(sys.argv[2:]) - set(KINDS):
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    kinds = sys.argv[2:] or KINDS
    counts, refused = dict.fromkeys(kinds, 0), []
    for case in computed_cases(kinds):
        try:
            write_case(case, out / case.kind / case.name)
            counts[case.kind] += 1
        except Exception as e:  # some this wheel itself can't serialise
            refused.append(f"{case.name}: {e!r:.100}")
    source = pathlib.Path(onnx.__file__).parent / "backend/test/data"
    for kind in kinds:
        if kind == "light":
            counts[kind] = copy_light(source, out)
        elif kind.startswith("pytorch"):
            counts[kind] = copy_stored(kind, source, out)
    for kind, count in counts.items():
        print(f"{kind}: {count} cases")
    for line in refused:
        print("not written:", line)


if __name__ == "__main__":
    main()
