#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Versions of operators that change more than types, and what we do about it.

    semantics.py ONNX2C SOURCES

Where version b of an operator differs from the one before, a, in the number of
its ports, in a type that an output no longer has, or in an attribute (gone,
new, or of another type or default), row a of the record needs an upgrade, or
the record a comment that quotes the specification of a or b on why nodes of
version a mean the same in b's form:

    /* ONNX AveragePool-10: "Whether to use ceil or floor (default)" */

The test checks that the words stand in onnx.defs. Some versions changed their
meaning by text alone; MEANING lists those known.
"""
import pathlib
import re
import sys

from onnx import helper

import schemas

# (operator, version that brought it).
MEANING = [("AveragePool", 19), ("Resize", 13), ("Scan", 9), ("Softmax", 13),
           ("LogSoftmax", 13), ("Hardmax", 13), ("Dropout", 7),
           ("Dropout", 12), ("Upsample", 9), ("BatchNormalization", 9),
           ("GroupNormalization", 21)]
COMMENT = re.compile(r"/\*((?:(?!\*/).)*?)\*/", re.S)
NAMED = re.compile(r"\b([A-Z]\w*)-(\d+)\b")


def plain(text):
    return re.sub(r"[\s*]+", " ", text or "").strip()


def default(attribute):
    value = attribute.default_value
    return helper.get_attribute_value(value) if value.type else None


def changes(old, new):
    """What a node of `old` may have to be told differently in `new`."""
    for what in ("inputs", "outputs"):
        ports = [[p.option.name for p in getattr(s, what)]
                 for s in (old, new)]
        if ports[0] != ports[1]:
            yield what
    # A type that the operator no longer takes is schemas.py's matter.
    gone = set()
    for p, q in zip(old.inputs, new.inputs):
        gone |= schemas.types_of(old, p) - schemas.types_of(new, q)
    for p, q in zip(old.outputs, new.outputs):
        if schemas.types_of(old, p) - schemas.types_of(new, q) - gone:
            yield f"type of {p.name}"
    for name in sorted(set(old.attributes) | set(new.attributes)):
        a, b = old.attributes.get(name), new.attributes.get(name)
        if name == "consumed_inputs":  # a hint, never read
            continue
        if not a or not b:
            yield f"{'-' if a else '+'}{name}"
        elif (a.type, default(a), a.required) != \
                (b.type, default(b), b.required):
            yield name


def text_of(schema):
    """All that the specification says of a version."""
    parts = [schema.doc]
    parts += [a.description for a in schema.attributes.values()]
    parts += [p.description for p in (*schema.inputs, *schema.outputs)]
    return plain(" ".join(filter(None, parts)))


def quotes(folder):
    """(operator, version) to the sentences beside its record."""
    found = {}
    files = [*(folder / "ops").glob("*.c"), folder / "elementwise.def"]
    for path in files:
        for m in COMMENT.finditer(path.read_text()):
            comment = plain(m[1])
            quote = re.search(r'"(.*)"', comment)
            if not comment.startswith("ONNX ") or not quote:
                continue
            for name, version in NAMED.findall(comment[:quote.start()]):
                found.setdefault((name, int(version)), []).append(quote[1])
    return found


def quoted(schema, sentences):
    return any(s in text_of(schema) for s in
               sentences.get((schema.name, schema.since_version), ()))


def main():
    spec, have = schemas.specified(), schemas.ours(sys.argv[1])
    sentences, count, bad = quotes(pathlib.Path(sys.argv[2])), [0, 0], []
    for (name, domain), versions in sorted(spec.items()):
        since = sorted(versions)
        for a, b in zip(since, since[1:]):
            old, new = versions[a], versions[b]
            row = have.get((name, domain), {}).get(a)
            what = [] if new.deprecated else list(changes(old, new))
            if (name, b) in MEANING:
                what.append("what the text says")
            if not what or row is None:
                continue
            if row.upgrade:
                count[0] += 1
            elif quoted(old, sentences) or quoted(new, sentences):
                count[1] += 1
            else:
                bad.append(f"{name}-{a} to {b}: {', '.join(what)}: neither an "
                           "upgrade nor the specification's word beside it")
    print("\n".join(bad))
    print(f"{count[0]} versions upgrade to a changed one, {count[1]} quote the "
          f"specification, {len(bad)} errors")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
