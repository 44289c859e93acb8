#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of tests/cases: one text file each.

    run_cases.py ONNX2C FOLDER [FILTER]

A case is a model in ONNX's text syntax, and comments which say what goes in
and what comes out:

    # A comment.
    # in x = float[2,2] 1 -2 3 nan
    # in z = complex64[2] 1+2j -3j
    # out y = float[2,2] 1 0 3 nan
    # tolerance 1e-6 0
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[N,2] x) => (float[N,2] y) { y = Relu(x) }

An `in` after an `out` begins the next data set. The names of types are ONNX's.
`# status O2C_E_DATA` in place of `out`s: this run must return that status.
`# steps K` says how many steps the generated code has, for what must fuse.
`# error CODE TEXT` instead: the model is refused with that exit code and a
message that holds the text, and no file is written. Each model that runs does
so as it is and with -O0. Sequences and optional values are written
`seq(float[2] 1 2; float[1] 3)` and `optional()`, in one another too, maps
`map(int64 float; 7 1.5; -1 nan)`, sparse ones `sparse(float[2,3] 0 1 2 0 0 0)`
with all their elements. A string with blanks, or an empty one, stands
in quotes as JSON has them.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

FLAGS = "-O1 -Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror"

DENSE = re.compile(r"(\w+)\[([\d,\s]*)\]\s*(.*)")
DATA = re.compile(rf"#\s*(in|out)\s+(\S+)\s*=\s*({DENSE.pattern})")
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
VALUE = re.compile(r"#\s*(in|out)\s+(\S+)\s*=\s*"
                   r"((seq|optional|map|sparse)\(.*\))\s*$")


def tensor(match, name):
    kind, shape, text = match[1], match[2], match[3]
    dtype = onnx.TensorProto.DataType.Value(kind.upper())
    dims = [int(d) for d in shape.split(",") if d.strip()]
    words = WORD.findall(text) if kind == "string" else text.split()
    if len(words) == 1:
        words *= int(np.prod(dims))
    if kind == "string":
        words = [json.loads(w) if w[0] == '"' else w for w in words]
        return helper.make_tensor(name, dtype, dims, words)
    numpy_type = helper.tensor_dtype_to_np_dtype(dtype)
    kind = np.dtype(numpy_type).kind
    values = [int(w) if kind in "iub" else complex(w) if kind == "c" else
              float(w) for w in words]
    array = np.array(values).astype(numpy_type).reshape(dims)
    return numpy_helper.from_array(array, name)


def mapping(name, text):
    """A MapProto of entries `key value`, after the types of both."""
    (key, kind), *entries = (WORD.findall(e) for e in items(text))
    v = onnx.MapProto(name=name)
    v.key_type = onnx.TensorProto.DataType.Value(key.upper())
    v.values.elem_type = onnx.SequenceProto.TENSOR
    for k, x in entries:
        if key == "string":
            v.string_keys.append((json.loads(k) if k[0] == '"' else k).encode())
        else:
            v.keys.append(int(k))
        v.values.tensor_values.append(
            tensor(DENSE.fullmatch(f"{kind}[] {x}"), ""))
    return v


def items(text):
    """Splits at the semicolons that stand in no parentheses."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == ";" and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [p.strip() for p in parts if p.strip()]


def value(name, text):
    """A TensorProto, SequenceProto, MapProto, OptionalProto, .."""
    m = re.fullmatch(r"(seq|optional|map|sparse)\((.*)\)", text)
    if not m:
        return tensor(DENSE.fullmatch(text), name)
    if m[1] == "sparse":
        dense = numpy_helper.to_array(value("", m[2]))
        at = np.argwhere(dense)
        return helper.make_sparse_tensor(
            numpy_helper.from_array(dense[dense != 0], name),
            numpy_helper.from_array(at.astype(np.int64)), dense.shape)
    if m[1] == "map":
        return mapping(name, m[2])
    v = onnx.SequenceProto() if m[1] == "seq" else onnx.OptionalProto()
    v.name = name
    for part in items(m[2]):
        item = value("", part)
        kind = {onnx.TensorProto: "tensor", onnx.SequenceProto: "sequence",
                onnx.MapProto: "map",
                onnx.OptionalProto: "optional"}[type(item)]
        v.elem_type = getattr(type(v), kind.upper())
        if m[1] == "seq":
            getattr(v, kind + "_values").append(item)
        else:
            getattr(v, kind + "_value").CopyFrom(item)
    return v


class Case:
    def __init__(self, path):
        self.sets, self.error, self.tolerance = [], None, None
        self.steps = None
        model = []
        for line in path.read_text().splitlines():
            if not line.startswith("#"):
                model.append(line)
            elif m := DATA.match(line):
                self.add(m[1], tensor(DENSE.fullmatch(m[3]), m[2]))
            elif m := VALUE.match(line):
                self.add(m[1], value(m[2], m[3]))
            elif m := re.match(r"#\s*status\s+(O2C_E_\w+)\s*$", line):
                self.sets[-1]["status"] = m[1]
            elif m := re.match(r"#\s*error\s+(\d)\s+(.*)", line):
                self.error = (int(m[1]), m[2].strip())
            elif m := re.match(r"#\s*tolerance\s+(\S+)\s+(\S+)", line):
                self.tolerance = f"{m[1]} {m[2]}\n"
            elif m := re.match(r"#\s*steps\s+(\d+)\s*$", line):
                self.steps = int(m[1])
        self.model = parser.parse_model("\n".join(model))

    def add(self, what, t):
        last = self.sets and self.sets[-1]
        if not last or (what == "in" and (last["out"] or "status" in last)):
            self.sets.append({"in": {}, "out": {}})
        name = (t.values if isinstance(t, onnx.SparseTensorProto) else t).name
        self.sets[-1][what][name] = t

    def write(self, folder):
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(self.model.SerializeToString())
        if self.tolerance:
            (folder / "tolerance.txt").write_text(self.tolerance)
        ports = {"in": self.model.graph.input, "out": self.model.graph.output}
        for i, data in enumerate(self.sets):
            sub = folder / f"test_data_set_{i}"
            sub.mkdir()
            if "status" in data:
                (sub / "status.txt").write_text(data["status"] + "\n")
            for what, infos in ports.items():
                for j, info in enumerate(infos):
                    t = data[what].get(info.name)
                    if t is not None:
                        (sub / f"{what}put_{j}.pb").write_bytes(
                            t.SerializeToString())


def refused(onnx2c, folder, error):
    """What is wrong with how the model is refused; None: nothing."""
    done = subprocess.run(
        [onnx2c, str(folder / "model.onnx"), "-o", str(folder / "out.c")],
        capture_output=True, text=True)
    code, text = error
    if done.returncode != code:
        return f"exit code {done.returncode}, not {code}: {done.stderr}"
    if text not in done.stderr:
        return f"the message does not hold '{text}': {done.stderr}"
    left = [p.name for p in folder.iterdir() if p.name.startswith("out")]
    return f"files were left: {left}" if left else None


def miscounted(onnx2c, folder, steps):
    """What is wrong with the number of steps; None: nothing."""
    done = subprocess.run(
        [onnx2c, "info", "--json", str(folder / "model.onnx")],
        capture_output=True, text=True)
    if done.returncode:
        return done.stderr
    found = [s["name"] for s in json.loads(done.stdout)["steps"]]
    return None if len(found) == steps else f"not {steps} steps: {found}"


def verified(onnx2c, root, options):
    done = subprocess.run(
        [onnx2c, "verify", f"--cflags={FLAGS}", *options, str(root)],
        capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main():
    onnx2c, cases = sys.argv[1], pathlib.Path(sys.argv[2])
    name = sys.argv[3] if len(sys.argv) > 3 else ""
    bad, refusals, runs = [], 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        for path in sorted(cases.rglob("*.txt")):
            key = str(path.relative_to(cases).with_suffix(""))
            if name not in key:
                continue
            case = Case(path)
            part = "refuse" if case.error else "run"
            case.write(root / part / key)
            if case.error:
                refusals += 1
                why = refused(onnx2c, root / part / key, case.error)
                if why:
                    bad.append(f"{key}: {why}")
            else:
                runs += 1
                why = case.steps is not None and miscounted(
                    onnx2c, root / part / key, case.steps)
                if why:
                    bad.append(f"{key}: {why}")
        for options in ([], ["-O0"]) if runs else ():
            code, text = verified(onnx2c, root / "run", options)
            print(*options, text)
            if code:
                bad.append(f"verify {' '.join(options)}: exit code {code}")
    print("\n".join(bad))
    print(f"{runs} models verified, {refusals} refused, {len(bad)} errors")
    sys.exit(1 if bad or not runs + refusals else 0)


if __name__ == "__main__":
    main()
