#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random nodes of all operators against onnxruntime and onnx's reference.

    fuzz_ops.py --onnx2c FILE [--eval FILE] [--draws N] [--seed S] [--cc CC]
                [--cflags FLAGS] [--op NAME...] [--type TEXT] [--opset K]
                [--only DRAW...] [--keep FOLDER] [--list]

A draw is a node of some version, opset 1 to the newest, with random types,
shapes, attributes and inputs: draw.py and its families. Each ML_EVERY-th pack
is of ai.onnx.ml. Draws of one opset are
packed, 50 to a model, for one `onnx2c verify`; of a pack that fails each draw
runs alone. Expected values are those of the first of these that has the
operator and its types: onnxruntime; onnxruntime in float32, rounded once, for
halves and double; onnxruntime, rewritten for opset 8; the reference evaluator.
A draw fails if none of them agrees. Draw i of a seed depends on these two
numbers (and on --op, --type, --opset) alone.

--eval FILE runs the reference kernels by eval_case instead, without generated
code: a thousand draws in seconds. --keep leaves the failures as folders for
`onnx2c verify`. --list prints each draw. Exit code 1 after a mismatch.
"""
import argparse
import collections
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
from onnx import TensorProto, helper

import draw as draws
import draw_math
import draw_ml
import draw_move
import draw_nn
from oracle import answers, draw_opsets

PACK = 50
ML, ML_EVERY = "ai.onnx.ml", 6
CHUNK = 16 # packs of one verify
TOLERANCE = "1e-3 1e-4\n"
ML_TOLERANCE = "2e-5 2e-6\n"
# Alone, of halves: others round each step of an operator, ours rounds once.
HALF = "2e-2 4e-3\n"

# What the specification leaves open: (operator, does it hold for this draw?,
# its sentence). No generator can avoid these without losing what it tests.
EXCUSED = [
    ("LSTM", lambda d: "clip" in d.attrs,
     "LSTM clip \"is applied to the input of activations\", also of h, which "
     "onnxruntime leaves"),
]


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--eval")
    p.add_argument("--draws", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--cc", default="gcc")
    p.add_argument("--cflags", default="-O0")
    p.add_argument("--op", nargs="*")
    p.add_argument("--type", default="")
    p.add_argument("--opset", type=int)
    p.add_argument("--only", type=int, nargs="*")
    p.add_argument("--keep", type=pathlib.Path)
    p.add_argument("--list", action="store_true")
    return p.parse_args()


def versions(onnx2c):
    """(Operator, domain) to the versions that onnx2c has, of those with a
    generator."""
    out = subprocess.run([onnx2c, "--list-ops"], capture_output=True,
                         text=True, check=True).stdout
    have = (line.split() for line in out.splitlines())
    return {(f[0], f[1]): [int(v) for v in f[2:]] for f in have
            if f[1] in ("ai.onnx", ML) and f[0] in draws.GENERATORS}


def pack_domain(args, have, pack):
    """Those of --op are of one domain."""
    if args.op:
        return ML if (args.op[0], ML) in have else "ai.onnx"
    return ML if pack % ML_EVERY == ML_EVERY - 1 else "ai.onnx"


def pick_opset(args, pack, domain):
    rng = np.random.default_rng([args.seed, pack, 7])
    if domain == ML and not args.opset:
        return int(rng.integers(1, 6))
    newest = onnx.defs.onnx_opset_version()
    if args.opset:
        return args.opset
    return newest if rng.random() < 0.4 else int(rng.integers(1, newest + 1))


def make_draw(args, have, index, opset, domain):
    """Draw number `index`; Skip makes another try of the same number."""
    names = [n for (n, where), v in sorted(have.items()) if where == domain
             and v[0] <= opset and (not args.op or n in args.op)]
    if not names:
        return None
    for attempt in range(50):
        rng = np.random.default_rng([args.seed, index, attempt])
        name = names[int(rng.integers(len(names)))]
        try:
            schema = onnx.defs.get_schema(
                name, opset, "" if domain == "ai.onnx" else domain)
            d = draws.Draw(schema, rng)
            draws.GENERATORS[name](d)
        except (draws.Skip, onnx.defs.SchemaError):
            continue
        if args.type and args.type not in d.text():
            continue
        d.symbolic = rng.random() < 0.3
        return d
    return None


def value_info(d, k, x, name, symbolic):
    shape, first = list(x.shape), d.inputs[0].shape
    if symbolic and shape and shape[0] == first[0] and \
            len(shape) == len(first):
        shape[0] = f"{name.split('_')[0]}_n"
    return helper.make_tensor_value_info(name, draws.onnx_type(x.dtype)
                                         if x.dtype.kind != "O" else
                                         TensorProto.STRING, shape)


def onnx_type_of(x):
    return TensorProto.STRING if x.dtype.kind in "OUS" else \
        draws.onnx_type(x.dtype)


def symbolic_fits(d):
    """Outermost sizes that are one symbol, in all inputs of input 0's rank; no
    constant may have it."""
    x = d.inputs[0]
    return d.symbolic and x is not None and x.ndim > 0 and not d.const[0] and \
        not any(c and y is not None and y.ndim and y.shape[0] == x.shape[0]
                for c, y in zip(d.const, d.inputs))


def write_case(folder, drawn, opset, fixed=False):
    """One model of several draws: (draw, expected outputs)."""
    nodes, inputs, outputs, constants, feeds, wants = [], [], [], [], [], []
    for number, (d, want) in enumerate(drawn):
        prefix = f"d{number}_"
        nodes.append(d.node(prefix))
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
            outputs.append(helper.make_tensor_value_info(
                f"{prefix}o{k}", onnx_type_of(y), None))
            wants.append(draws.tensor(y, f"{prefix}o{k}"))
    graph = helper.make_graph(nodes, "fuzz", inputs, outputs, constants)
    # The newest IR whatever the opset: constants need be no inputs.
    model = helper.make_model(graph, opset_imports=draw_opsets(
        drawn[0][0], opset), ir_version=onnx.IR_VERSION)
    sub = folder / "test_data_set_0"
    sub.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    alone = len(drawn) == 1 and any(
        x is not None and x.dtype in draws.HALVES for x in drawn[0][0].inputs)
    ml = drawn[0][0].schema.domain == ML
    (folder / "tolerance.txt").write_text(
        HALF if alone else ML_TOLERANCE if ml else TOLERANCE)
    for what, tensors in (("input", feeds), ("output", wants)):
        for k, t in enumerate(tensors):
            (sub / f"{what}_{k}.pb").write_bytes(t.SerializeToString())


def prepare(args, have, pack, folder):
    """In a process of its own, as onnxruntime may die: the pack's folder, and
    (number, draw, answers) of each draw beside it."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    domain = pack_domain(args, have, pack)
    opset = pick_opset(args, pack, domain)
    drawn, unanswered = [], []
    for index in range(pack * PACK, min((pack + 1) * PACK, args.draws)):
        if args.only and index not in args.only:
            continue
        d = make_draw(args, have, index, opset, domain)
        if d is None:
            continue
        found = answers(d)
        if args.list:
            print(index, d.text(), [w for w, _ in found], flush=True)
        if found:
            drawn.append((index, d, found))
        else:
            unanswered.append(d.text())
    if drawn:
        write_case(folder, [(d, found[0][1]) for _, d, found in drawn], opset)
    with open(f"{folder}.pickle", "wb") as f:
        pickle.dump((opset, [(i, d.text(), d.name, found) for i, d, found in
                             drawn], unanswered), f)


def judge(args, folders):
    """(status, why) of each."""
    if not folders:
        return []
    if args.eval:
        done = subprocess.run([args.eval, "-f", *map(str, folders)],
                              capture_output=True, text=True,
                              errors="replace")
        lines = [x for x in done.stdout.splitlines()
                 if x.startswith(("pass: ", "FAIL "))]
        assert len(lines) == len(folders), done.stdout[-2000:]
        return [("passed" if x[0] == "p" else "failed", x[5:].replace(
            str(f), "")) for x, f in zip(lines, folders)]
    command = [args.onnx2c, "verify", "--json", "--cc", args.cc,
               f"--cflags={args.cflags}", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True,
                          errors="replace")
    results = [json.loads(x) for x in done.stdout.splitlines()
               if x.startswith("{")]
    if len(results) != len(folders):
        if len(folders) == 1:
            return [("failed", f"no answer: {done.stderr[-500:]}")]
        half = len(folders) // 2
        return judge(args, folders[:half]) + judge(args, folders[half:])
    return [(r["status"], r["why"] or "") for r in results]


def ways(d, found):
    """(answer, with fixed sizes?): what is refused only while a size is
    symbolic is no failure."""
    for who, want in found:
        yield who, want, False
    if symbolic_fits(d):
        yield found[0][0], found[0][1], True


def run_alone(args, have, root, pack):
    """Each draw of a failed pack, until one way of it passes."""
    opset, drawn, _ = pickle.loads(pathlib.Path(f"{root}.pickle").read_bytes())
    left = {}
    for index, text, _, found in drawn:
        d = make_draw(args, have, index, opset,
                      pack_domain(args, have, pack))
        assert d.text() == text
        left[index] = (d, list(ways(d, found)))
    bad = {}
    while left:
        folders = []
        for index, (d, todo) in left.items():
            who, want, fixed = todo.pop(0)
            folders.append(root.parent / "alone" /
                           f"{args.seed}_{index}_{who}{'_fixed' * fixed}")
            write_case(folders[-1], [(d, want)], opset, fixed)
        results = judge(args, folders)
        for index, folder, result in zip(list(left), folders, results):
            d, todo = left[index]
            if result[0] == "passed":
                bad.pop(index, None)
                del left[index]
                continue
            bad.setdefault(index, (d, folder, *result))
            if not todo:
                del left[index]
    return [(i, *v) for i, v in sorted(bad.items())]


def excuse(d):
    for name, holds, sentence in EXCUSED:
        if name == d.name and holds(d):
            return sentence
    return None


def report(args, failures, counts):
    lines = []
    for index, d, folder, status, why in failures:
        sentence = excuse(d)
        if sentence:
            counts[f"excused: {sentence}"] += 1
            continue
        counts["mismatches"] += 1
        lines.append(f"draw {index}: {d.text()}: {status}: {why[:300]}")
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            to = args.keep / folder.name
            if not to.exists():
                folder.rename(to)
    print("\n".join(lines), flush=True) if lines else None


def chunk(args, have, tmp, first, last, counts, reached):
    packs = []
    for pack in range(first, last):
        folder = tmp / f"pack{pack}"
        process = multiprocessing.Process(target=prepare, args=(
            args, have, pack, folder))
        process.start()
        process.join(600)
        if process.exitcode != 0:
            process.kill()
            counts["packs lost with onnxruntime"] += 1
            continue
        opset, drawn, lost = pickle.loads(
            pathlib.Path(f"{folder}.pickle").read_bytes())
        counts["without an answer"] += len(lost)
        for text in lost:
            reached[text.split()[0], "none"] += 1
        counts["draws"] += len(drawn)
        for _, text, name, found in drawn:
            reached[text.split()[0], found[0][0]] += 1
        if drawn:
            packs.append((pack, folder))
    results = judge(args, [f for _, f in packs])
    for (pack, folder), (status, why) in zip(packs, results):
        if status == "passed":
            continue
        failures = run_alone(args, have, folder, pack)
        if not failures and args.list:
            print(f"pack {pack} alone passes: {why}")
        report(args, failures, counts)


def main():
    args = arguments()
    have = versions(args.onnx2c)
    counts, reached = collections.Counter(), collections.Counter()
    total = -(-args.draws // PACK)
    wanted = sorted({i // PACK for i in args.only}) if args.only else None
    starts = wanted or range(0, total, CHUNK)
    for first in starts:
        with tempfile.TemporaryDirectory() as tmp:
            last = first + 1 if wanted else min(first + CHUNK, total)
            chunk(args, have, pathlib.Path(tmp), first, last, counts, reached)
    missing = sorted({n for (n, who) in reached if who == "none"} -
                     {n for (n, who) in reached if who != "none"})
    if missing:
        print("never answered:", " ".join(missing))
    print(", ".join(f"{v} {k}" for k, v in sorted(counts.items())))
    sys.exit(1 if counts["mismatches"] else 0)


if __name__ == "__main__":
    main()
