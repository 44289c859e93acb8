#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`onnx2c --list-schemas` against onnx.defs, version by version.

    schemas.py ONNX2C [--cases FOLDER... --texts FOLDER]

Operators, versions, the number of ports, the types that a port takes, the
attributes and their types. What is missing stands in schema_exceptions.tsv,
`operator version<TAB>what<TAB>reason`; a line there that no longer holds is a
failure too, so the list can only shrink. A row may take more types than the
specification where an older one of the operator does: nodes are upgraded.

With --cases (folders of cases, kind/case/model.onnx) and --texts (cases in
text) it also prints the versions that no case reaches.
"""
import argparse
import collections
import pathlib
import subprocess
import sys

import onnx
from onnx import defs, parser

DOMAINS = {"": "ai.onnx", "ai.onnx.ml": "ai.onnx.ml",
           "ai.onnx.preview": "ai.onnx.preview",
           "ai.onnx.preview.training": "ai.onnx.preview.training"}
LETTERS = {"INT": "i", "FLOAT": "f", "STRING": "s", "TENSOR": "t",
           "GRAPH": "g", "INTS": "I", "FLOATS": "F", "STRINGS": "S",
           "TYPE_PROTO": "y", "SPARSE_TENSOR": "t"}


class Row:
    def __init__(self):
        self.ports = {"in": [], "out": []}
        self.attrs = {}


def ours(onnx2c):
    """(name, domain) to version to Row."""
    out = subprocess.run([onnx2c, "--list-schemas"], capture_output=True,
                         text=True, check=True).stdout
    rows = collections.defaultdict(dict)
    row = None
    for line in out.splitlines():
        words = line.split()
        if line[0] != " ":
            row = rows[words[0], words[1]][int(words[2])] = Row()
            row.upgrade = "upgrade" in words
        elif words[0] == "attr":
            name, letter = words[1].rsplit(":", 1)
            row.attrs[name] = letter.rstrip("!")
        else:
            types = line.split(": ", 1)[1]
            row.ports[words[0]].append(set(types.split(", ")))
    return rows


def specified():
    rows = collections.defaultdict(dict)
    for s in defs.get_all_schemas_with_history():
        if s.domain in DOMAINS:
            rows[s.name, DOMAINS[s.domain]][s.since_version] = s
    return rows


def types_of(schema, port):
    """The tensors among what a port takes."""
    texts = {c.type_param_str: c.allowed_type_strs
             for c in schema.type_constraints}.get(port.type_str,
                                                   [port.type_str])
    return {t[7:-1] for t in texts if t.startswith("tensor(")}


def ports_differ(kind, schema, row, earlier):
    """Complaints about inputs or outputs."""
    want = schema.inputs if kind == "in" else schema.outputs
    have = row.ports[kind]
    if len(want) != len(have):
        yield f"{kind}: {len(have)} ports, not {len(want)}"
    for k, (port, types) in enumerate(zip(want, have)):
        listed = types_of(schema, port)
        if types == {"*"} or not listed:
            continue
        missing = listed - types
        more = types - listed - earlier[kind, k]
        if missing:
            yield f"{kind} {port.name}: lacks {', '.join(sorted(missing))}"
        if more and kind == "in":
            yield f"{kind} {port.name}: has also {', '.join(sorted(more))}"
        earlier[kind, k] |= listed


def attrs_differ(schema, row):
    want = {a.name: LETTERS.get(a.type.name, "?")
            for a in schema.attributes.values()}
    for name in sorted(set(want) - set(row.attrs)):
        yield f"attribute {name} is missing"
    for name in sorted(set(row.attrs) - set(want)):
        yield f"attribute {name} does not exist"
    for name in sorted(set(row.attrs) & set(want)):
        if want[name] != row.attrs[name]:
            yield f"attribute {name} is {row.attrs[name]}, not {want[name]}"


def complaints(spec, have):
    """(operator and version, what) of all that differs."""
    for (name, domain), versions in sorted(spec.items()):
        short = name if domain == "ai.onnx" else f"{domain}.{name}"
        earlier = collections.defaultdict(set)
        for since, schema in sorted(versions.items()):
            key = f"{short} {since}"
            row = have.get((name, domain), {}).get(since)
            if row is None:
                yield key, "missing"
            if row is None or schema.deprecated:
                continue
            for kind in ("in", "out"):
                for text in ports_differ(kind, schema, row, earlier):
                    yield key, text
            for text in attrs_differ(schema, row):
                yield key, text
        for since in sorted(set(have.get((name, domain), {})) -
                            set(versions)):
            yield f"{short} {since}", "is no version"
    for name, domain in sorted(set(have) - set(spec)):
        if domain in DOMAINS.values():
            yield f"{name} -", "is no operator"


def exceptions():
    path = pathlib.Path(__file__).with_name("schema_exceptions.tsv")
    lines = (x.rstrip("\n") for x in path.read_text().splitlines())
    return {tuple(x.split("\t")[:2]) for x in lines if x and x[0] != "#"}


def nodes_of(graph):
    for node in graph.node:
        yield node
        for a in node.attribute:
            for g in [a.g] if a.type == a.GRAPH else a.graphs:
                yield from nodes_of(g)


def reached(model, spec, found):
    opsets = {DOMAINS.get(o.domain, o.domain) or "ai.onnx": o.version
              for o in model.opset_import}
    graphs = [(model.graph, opsets)]
    for f in model.functions:
        own = {DOMAINS.get(o.domain, o.domain): o.version
               for o in f.opset_import}
        graphs.append((f, {**opsets, **own}))
    for graph, versions in graphs:
        for node in nodes_of(graph):
            key = node.op_type, DOMAINS.get(node.domain, node.domain)
            opset = versions.get(key[1], 0)
            older = [v for v in spec.get(key, ()) if v <= opset]
            if older:
                found.add((*key, max(older)))


def unreached(args, spec):
    found = set()
    for folder in args.cases or ():
        for path in folder.glob("*/*/model.onnx"):
            reached(onnx.load(path, load_external_data=False), spec, found)
    for path in args.texts.rglob("*.txt") if args.texts else ():
        lines = path.read_text().splitlines()
        text = "\n".join(x for x in lines if not x.startswith("#"))
        reached(parser.parse_model(text), spec, found)
    return sorted({(*key, v) for key, rows in spec.items() for v, schema in
                   rows.items() if not schema.deprecated} - found)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("onnx2c")
    p.add_argument("--cases", type=pathlib.Path, nargs="*")
    p.add_argument("--texts", type=pathlib.Path)
    args = p.parse_args()
    spec, have = specified(), ours(args.onnx2c)
    listed, bad, met = exceptions(), [], set()
    for key, text in complaints(spec, have):
        met.add((key, text))
        if (key, text) not in listed:
            bad.append(f"{key}: {text}")
    for key, text in sorted(listed - met):
        bad.append(f"{key}: {text}: no longer so; take it off the list")
    print("\n".join(bad))
    if args.cases or args.texts:
        left = [f"{n}-{v}" for n, _, v in unreached(args, spec)
                if (f"{n} {v}", "missing") not in listed]
        print(f"{len(left)} versions in no case: {' '.join(left)}")
    print(f"{len(spec)} operators, {sum(map(len, spec.values()))} versions, "
          f"{len(listed)} exceptions, {len(bad)} errors")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
