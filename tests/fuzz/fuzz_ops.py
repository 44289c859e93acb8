#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random nodes of all operators against onnxruntime and onnx's reference.

    fuzz_ops.py --onnx2c FILE --eval FILE [--draws N] [--seed S] [--quick]
                [--cc CC] [--cflags FLAGS] [--op NAME...] [--type TEXT]
                [--opset K] [--only DRAW...] [--keep FOLDER] [--tally FILE]
                [--list]

A draw is an operator in one of its versions, the newest or any, with random
types, shapes, attributes and inputs: draw.py and its families. Expected values
are those that are known by construction, or of the first of these that has the
operator and its types: onnxruntime; onnxruntime in float32, rounded once, for
halves and double; onnxruntime, rewritten for opset 8; the reference evaluator.
A draw fails if none of them agrees; what is excused stands in excuses.py. Draw
i of a seed depends on these two numbers (and on --op, --type, --opset) alone.

First each draw runs alone in --eval, the reference kernels without generated
code, to choose the answer. Those that agree are packed, 50 to a model, for
`onnx2c verify`: by opset, and such as need large kernels together, as C
compilers take most of the time. A pack that fails is halved. --quick stops
before generated code. --keep leaves the failures as folders for `onnx2c
verify`. --tally adds what was reached to a file and sums up over all runs that
it knows. --list prints each draw. Exit code 1 after a mismatch.
"""
import argparse
import collections
import functools
import json
import multiprocessing
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import helper

import draw as draws
import draw_control
import draw_math
import draw_ml
import draw_move
import draw_nn
import draw_signal
import draw_text
from excuses import UNDRAWN, excuse
from oracle import answers

PACK = 50
CHUNK = 2000 # draws that are packed together
TOLERANCE = "1e-3 1e-4\n"
ML_TOLERANCE = "2e-5 2e-6\n"
# Of halves: others round each step of an operator, ours rounds once.
HALF = "2e-2 4e-3\n"
# Run-time loops have no reference kernel, sequences cross no border there:
# generated code will tell.
UNJUDGED = ["no reference for", "an input or output is no tensor"]
# Their vector kernels take a compiler seconds.
HEAVY = ["QLinearConv", "ConvInteger", "QLinearMatMul", "MatMulInteger"]


def parser(count):
    """What type_sweep.py takes, too; count: of draws."""
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--eval", required=True)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--draws", type=int, default=count)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--cc", default="gcc")
    p.add_argument("--cflags", default="-O0")
    p.add_argument("--op", nargs="*")
    p.add_argument("--keep", type=pathlib.Path)
    return p


def arguments():
    p = parser(20000)
    p.add_argument("--type", default="")
    p.add_argument("--opset", type=int)
    p.add_argument("--only", type=int, nargs="*")
    p.add_argument("--tally", type=pathlib.Path)
    p.add_argument("--list", action="store_true")
    return p.parse_args()


def versions(onnx2c):
    """Operator to (domain, the versions that onnx2c has)."""
    out = subprocess.run([onnx2c, "--list-ops"], capture_output=True,
                         text=True, check=True).stdout
    have = (line.split() for line in out.splitlines())
    return {f[0]: ("" if f[1] == "ai.onnx" else f[1],
                   [int(v) for v in f[2:]])
            for f in have if f[1] in ("ai.onnx", draws.ML, *draws.PREVIEWS) and
            (f[0] in draws.GENERATORS or f[1] != draws.ML)}


def choose(args, have, names, rng):
    name = names[int(rng.integers(len(names)))]
    domain, known = have[name]
    newest = draws.ML_NEWEST if domain == draws.ML else draws.NEWEST
    known = [v for v in known if v <= (args.opset or newest)]
    if not known:
        raise draws.Skip
    newest = args.opset or rng.random() < 0.4
    version = known[-1 if newest else int(rng.integers(len(known)))]
    try:
        return onnx.defs.get_schema(name, version, domain)
    except onnx.defs.SchemaError: # gone from onnx.defs: ThresholdedRelu-1
        raise draws.Skip from None


def make_draw(args, have, index):
    """Draw number `index`; Skip makes another try of the same number."""
    names = [n for n in sorted(have) if n in draws.GENERATORS and
             (not args.op or n in args.op)]
    for attempt in range(50):
        rng = np.random.default_rng([args.seed, index, attempt])
        try:
            d = draws.Draw(choose(args, have, names, rng), rng)
            draws.GENERATORS[d.name](d)
        except draws.Skip:
            continue
        if args.type and args.type not in d.text():
            continue
        d.symbolic = rng.random() < 0.3
        return d
    return None


def value_info(d, k, x, name, symbolic):
    if isinstance(x, draws.Held):
        return helper.make_value_info(name, x.type())
    shape = list(x.shape)
    if symbolic and shape and shape[0] == d.inputs[0].shape[0] and \
            len(shape) == d.inputs[0].ndim:
        shape[0] = f"{name.split('_')[0]}_n"
    return helper.make_tensor_value_info(name, draws.onnx_type_of(x), shape)


def symbolic_fits(d):
    """Outermost sizes that are one symbol, in all inputs of input 0's rank; no
    constant may have it."""
    x = d.inputs[0] if d.inputs else None
    return d.symbolic and x is not None and x.ndim > 0 and not d.const[0] and \
        not any(c and y is not None and y.ndim and y.shape[0] == x.shape[0]
                for c, y in zip(d.const, d.inputs))


def write_case(folder, drawn, opset, tolerance):
    """One model of several draws: (draw, expected outputs, sizes fixed?)."""
    nodes, inputs, outputs, constants, feeds, wants = [], [], [], [], [], []
    for number, (d, want, fixed) in enumerate(drawn):
        prefix = f"d{number}_"
        nodes += d.nodes(prefix)
        for k, x in enumerate(d.inputs):
            if x is None:
                continue
            t = draws.tensor(x, f"{prefix}i{k}")
            if d.const[k]:
                constants.append(t)
            else:
                symbolic = not fixed and symbolic_fits(d)
                inputs.append(value_info(d, k, x, t.name, symbolic))
                feeds.append(t)
        for k, y in enumerate(want):
            name = f"{prefix}o{k}"
            held = isinstance(y, draws.Held)
            outputs.append(helper.make_value_info(name, y.type()) if held else
                           helper.make_tensor_value_info(
                               name, draws.onnx_type_of(y), None))
            wants.append(draws.tensor(y, name))
    graph = helper.make_graph(nodes, "fuzz", inputs, outputs, constants)
    # The newest IR whatever the opset: constants need be no inputs.
    model = helper.make_model(graph, opset_imports=draws.opset_ids(
        opset, drawn[0][0].schema.domain),
                              ir_version=onnx.IR_VERSION)
    sub = folder / "test_data_set_0"
    sub.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "tolerance.txt").write_text(tolerance)
    for what, tensors in (("input", feeds), ("output", wants)):
        for k, t in enumerate(tensors):
            (sub / f"{what}_{k}.pb").write_bytes(t.SerializeToString())


def prepare(args, make, indices, file):
    """In a process of its own, as onnxruntime may die."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    found = {}
    for index in indices:
        d = make(index)
        if d is None:
            continue
        found[index] = answers(d)
        if args.list:
            print(index, d.text(), [w for w, _ in found[index]], flush=True)
    file.write_bytes(pickle.dumps(found))


def answered(args, make, indices, file, counts):
    """{draw's number: its answers}."""
    process = multiprocessing.Process(target=prepare, args=(
        args, make, indices, file))
    process.start()
    process.join(600)
    if process.exitcode == 0:
        return pickle.loads(file.read_bytes())
    process.kill()
    if len(indices) == 1:
        counts["draws that onnxruntime dies of"] += 1
        return {}
    half = len(indices) // 2
    return answered(args, make, indices[:half], file, counts) | \
        answered(args, make, indices[half:], file, counts)


def evaluate(args, folders):
    """(status, why) of each by the reference kernels."""
    done = subprocess.run([args.eval, "-f", *map(str, folders)],
                          capture_output=True, text=True, errors="replace")
    lines = [x for x in done.stdout.splitlines()
             if x.startswith(("pass: ", "FAIL "))]
    assert len(lines) == len(folders), done.stdout[-2000:]
    return [("passed" if x[0] == "p" or any(t in x for t in UNJUDGED) else
             "failed", x[5:].replace(str(f), ""))
            for x, f in zip(lines, folders)]


def verify(args, folders):
    """(status, why) of each by generated code."""
    command = [args.onnx2c, "verify", "--json", "--cc", args.cc,
               f"--cflags={args.cflags}", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True,
                          errors="replace")
    results = [json.loads(x) for x in done.stdout.splitlines()
               if x.startswith("{")]
    if len(results) == len(folders):
        return [(r["status"], r["why"] or "") for r in results]
    if len(folders) == 1:
        return [("failed", f"no answer: {done.stderr[-500:]}")]
    half = len(folders) // 2
    return verify(args, folders[:half]) + verify(args, folders[half:])


def ways(d, found):
    """(answer, tolerance, with fixed sizes?): what is refused only while a
    size is symbolic is no failure."""
    halves = any(x is not None and x.dtype in draws.HALVES for x in d.inputs)
    tight = ML_TOLERANCE if d.schema.domain == draws.ML else TOLERANCE
    for tolerance in [tight] + [HALF] * halves:
        for fixed in [False] + [True] * symbolic_fits(d):
            for who, want in found:
                yield who, want, tolerance, fixed


def alone(args, judge, root, left):
    """Each draw alone until a way of it passes: {index: way}, and {index:
    (folder, status, why)} of the others. `left`: {index: (draw, ways)}."""
    good, bad, serial = {}, {}, 0
    while left:
        folders = []
        for index, (d, todo) in left.items():
            who, want, tolerance, fixed = todo[0]
            folders.append(root / f"{args.seed}_{index}_{who}_{serial}")
            write_case(folders[-1], [(d, want, fixed)], d.opset, tolerance)
        serial += 1
        for index, folder, result in zip(list(left), folders,
                                         judge(args, folders)):
            way = left[index][1].pop(0)
            if result[0] == "passed":
                good[index] = way
                bad.pop(index, None)
            else:
                bad.setdefault(index, (folder, *result))
            if index in good or not left[index][1]:
                del left[index]
    return good, bad


def packs_of(have_drawn):
    """Lists of (index, draw, way), and the opset of each: as few opsets as
    read all draws."""
    groups = collections.defaultdict(list)
    for index, (d, way) in have_drawn.items():
        key = d.name in HEAVY, d.schema.domain == draws.ML, way[2]
        groups[key].append((index, d, way))
    packs = []
    for group in groups.values():
        group = sorted(group, key=lambda x: (draws.last_opset(x[1]), x[0]))
        while group:
            opset = draws.last_opset(group[0][1])
            taken = sorted((x for x in group if x[1].opset <= opset),
                           key=lambda x: (x[1].name, x[0]))
            group = [x for x in group if x[1].opset > opset]
            packs += [(opset, taken[k:k + PACK])
                      for k in range(0, len(taken), PACK)]
    return packs


def suspects(args, root, packs):
    """Packs that fail are halved until a draw is alone."""
    found, serial = {}, 0
    while packs:
        folders = []
        for opset, items in packs:
            folders.append(root / f"pack{serial}")
            serial += 1
            write_case(folders[-1], [(d, way[1], way[3]) for _, d, way in
                                     items], opset, items[0][2][2])
        halves = []
        for (opset, items), result in zip(packs, verify(args, folders)):
            half = len(items) // 2
            if result[0] == "passed":
                continue
            if half:
                halves += [(opset, items[:half]), (opset, items[half:])]
            else:
                found[items[0][0]] = items[0][1]
        packs = halves
    return found


def report(args, bad, made, counts, ends):
    for index, (folder, status, why) in sorted(bad.items()):
        d = made[index]
        sentence = excuse(d)
        if sentence:
            counts[f"excused: {sentence}"] += 1
            continue
        counts["mismatches"] += 1
        ends[index] = "refused" if status == "unsupported" or \
            why.startswith("3: ") else "wrong"
        print(f"draw {index}: {d.text()}: {status}: {why[:300]}", flush=True)
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            to = args.keep / folder.name
            if not to.exists():
                folder.rename(to)


def chunk(args, make, indices, root, counts):
    """Tells of failures. {draw's number: (draw, how it ended)}: ok, wrong,
    refused, or no answer, where nobody else has one."""
    found = {}
    for k in range(0, len(indices), PACK):
        found |= answered(args, make, indices[k:k + PACK], root / "answers",
                          counts)
    drawn = {i: make(i) for i in found}
    made = {i: d for i, d in drawn.items() if found[i]}
    ends = {i: "ok" if i in made else "no answer" for i in drawn}
    counts["draws"] += len(made)
    counts["without an answer"] += len(found) - len(made)
    good, bad = alone(args, evaluate, root / "eval", {
        i: (d, list(ways(d, found[i]))) for i, d in made.items()})
    report(args, bad, made, counts, ends)
    if not args.quick:
        failed = suspects(args, root, packs_of({i: (made[i], way)
                                                for i, way in good.items()}))
        _, bad = alone(args, verify, root / "alone", {
            i: (d, list(ways(d, found[i]))) for i, d in failed.items()})
        report(args, bad, made, counts, ends)
    return {i: (d, ends[i]) for i, d in drawn.items()}


def tally(args, counts, reached):
    """Adds to the file, and takes its sums."""
    if not args.tally:
        return
    if args.tally.exists():
        old = json.loads(args.tally.read_text())
        counts.update(old["counts"])
        for pair, (yes, no) in old["reached"].items():
            reached[pair][0] += yes
            reached[pair][1] += no
    args.tally.write_text(json.dumps({"counts": counts, "reached": reached}))


def print_reached(have, counts, reached):
    pairs = [(n, f"{n}-{v}") for n in have for v in have[n][1]]
    yes = [p for _, p in pairs if reached[p][0]]
    print(f"{len(yes)} of {len(pairs)} versions of",
          len({n for n, p in pairs if reached[p][0]}), "operators compared")
    no = [(n, p) for n, p in pairs if not reached[p][0]]
    for why, of in (
            ("no answer", [p for n, p in no if reached[p][1]]),
            ("not drawn", [p for n, p in no if not reached[p][1] and
                           n not in UNDRAWN])):
        if of:
            print(f"{why}: {len(of)}:", *(of if len(of) < 100 else ["many"]))
    for name in sorted({n for n, p in no if n in UNDRAWN}):
        print(f"{name}: {UNDRAWN[name]}")
    print(", ".join(f"{v} {k}" for k, v in sorted(counts.items())))


def main():
    args = arguments()
    have = versions(args.onnx2c)
    counts = collections.Counter()
    reached = collections.defaultdict(lambda: [0, 0])
    indices = args.only or list(range(args.draws))
    for k in range(0, len(indices), CHUNK):
        with tempfile.TemporaryDirectory() as tmp:
            ended = chunk(args, functools.partial(make_draw, args, have),
                          indices[k:k + CHUNK], pathlib.Path(tmp), counts)
        for d, how in ended.values():
            reached[f"{d.name}-{d.since}"][how == "no answer"] += 1
    mismatches = counts["mismatches"]
    tally(args, counts, reached)
    print_reached(have, counts, reached)
    sys.exit(1 if mismatches else 0)


if __name__ == "__main__":
    main()
