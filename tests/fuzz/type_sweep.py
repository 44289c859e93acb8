#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every type that the schema of an operator allows, in each of its versions.

    type_sweep.py --onnx2c FILE --eval FILE [--draws N] [--seed S] [--quick]
                  [--cc CC] [--cflags FLAGS] [--op NAME...] [--only TARGET...]
                  [--share K [--salt TEXT]] [--keep FOLDER] [--table FILE]

A target is (operator, version, type variable, type). Each is drawn --draws
times as fuzz_ops.py draws, its variable forced to the type, and compared as
there. --table writes a line for each target: ok, refused (onnx2c does not
support it), wrong, no answer (neither onnxruntime nor the reference evaluator
has it, in a wider type either) or undrawn (no generator makes it); the last
two need a line of excuses.py's UNSWEPT. --share K takes every K-th target,
chosen by a hash of the commit and the salt. Exit code 1 unless all are ok.
"""
import collections
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx

import draw as draws
import fuzz_ops
from excuses import unswept

TRIES = 400
ROUNDS = 12
WORST = ["wrong", "refused", "ok", "no answer", "undrawn"]


def arguments():
    p = fuzz_ops.parser(2)
    p.add_argument("--only", nargs="*", help="operator-version/variable/type")
    p.add_argument("--share", type=int, default=1)
    p.add_argument("--salt", default="")
    p.add_argument("--table", type=pathlib.Path)
    p.set_defaults(list=False)
    return p.parse_args()


def name_of(schema, var, text):
    return f"{schema.name}-{schema.since_version}/{var}/{text}"


def targets(args):
    """(schema, variable, type)."""
    found = []
    for name, (domain, known) in sorted(fuzz_ops.versions(
            args.onnx2c).items()):
        for version in known:
            try:
                schema = onnx.defs.get_schema(name, version, domain)
            except onnx.defs.SchemaError:  # gone: ThresholdedRelu-1
                continue
            found += [(schema, c.type_param_str, text)
                      for c in schema.type_constraints
                      for text in sorted(c.allowed_type_strs)]
    if args.op:
        found = [t for t in found if t[0].name in args.op]
    if args.only:
        found = [t for t in found if name_of(*t) in args.only]
    return found


def shared(args, found):
    if args.share == 1:
        return found
    commit = subprocess.run(
        ["git", "-C", str(pathlib.Path(__file__).parent), "rev-parse", "HEAD"],
        capture_output=True, text=True).stdout.strip()

    def chosen(target):
        text = name_of(*target) + commit + args.salt
        return hashlib.sha256(text.encode()).digest()[0] % args.share == 0
    return [t for t in found if chosen(t)]


def has_forced(d):
    """Was the type asked for, or is there an input that has it? Variables of
    one type need no asking."""
    var, text = d.force
    prefix, want = draws.peeled(text)
    if prefix:
        return d.met or prefix == "seq(" and d.types.get("T") == want
    if d.types.get(var, want) != want:
        return False
    if d.met or var in d.types or any(len(c.allowed_type_strs) == 1 for c in
                                      d.schema.type_constraints
                                      if c.type_param_str == var):
        return True
    return any(port.type_str == var and x is not None and x.dtype == want
               for port, x in zip(d.schema.inputs, d.inputs))


def make_draw(args, target, number):
    """Draw `number` of a target."""
    schema, var, text = target
    salt = zlib.crc32(name_of(*target).encode())
    for attempt in range(TRIES):
        rng = np.random.default_rng([args.seed, salt, number, attempt])
        try:
            d = draws.Draw(schema, rng, (var, text))
            draws.GENERATORS[d.name](d)
        except draws.Skip:
            continue
        if has_forced(d):
            d.symbolic = rng.random() < 0.3
            return d
    return None


def sweep(args, found, counts):
    """How each target ended. Those without an answer are drawn again."""
    ends = [set() for _ in found]
    for again in range(ROUNDS):
        jobs = [(k, again * args.draws + n) for k in range(len(found))
                for n in range(args.draws)
                if not ends[k] - {"no answer"} and (ends[k] or not again)]
        for k in range(0, len(jobs), fuzz_ops.CHUNK):
            part = jobs[k:k + fuzz_ops.CHUNK]
            with tempfile.TemporaryDirectory() as tmp:
                done = fuzz_ops.chunk(
                    args, lambda i: make_draw(args, found[part[i][0]],
                                              part[i][1]),
                    list(range(len(part))), pathlib.Path(tmp), counts)
            for index, (_, how) in done.items():
                ends[part[index][0]].add(how)
    return [min(e or {"undrawn"}, key=WORST.index) for e in ends]


def main():
    args = arguments()
    found = shared(args, targets(args))
    counts, lines, bad = collections.Counter(), [], 0
    for target, how in zip(found, sweep(args, found, counts)):
        schema, var, text = target
        name = name_of(*target)
        why = unswept(schema, var, text) if how in WORST[3:] else ""
        if how != "ok" and not why:
            bad += 1
            print(f"{name}: {how}")
        lines.append(f"{name}\t{how}\t{why or ''}\n")
        counts[how + (", excused" if why else "")] += 1
    if args.table:
        args.table.write_text("".join(lines))
    print(f"{len(found)} types of operators:",
          ", ".join(f"{v} {k}" for k, v in sorted(counts.items())))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
