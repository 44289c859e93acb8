#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`onnx2c edit to-opset`: converted models are valid and compute the same.

    opsets.py ONNX2C EVAL CORPUS [--to V...] [--share K] [--filter TEXT]
              [--report FILE]
    opsets.py ONNX2C EVAL --models FOLDER... [--to V...] [--report FILE]

Cases of the corpus go to the newest operator set and to each older one at which
an operator of theirs changed; models to 13, 17, 21 and the newest; or where
--to says. What comes out must pass onnx.checker (with shape inference, if the
model did before), have the version asked for, and give the answers of the test
data. EVAL (eval_case) runs cases, onnxruntime the models where it knows the
version, else `onnx2c verify`. What is refused must exit with 3 and name a node.
Needs the onnx package; --models also onnxruntime.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import onnx
from onnx import defs

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike",
          "RandomUniformLike", "Bernoulli", "Multinomial"}


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("onnx2c")
    p.add_argument("eval")
    p.add_argument("corpus", nargs="?", type=pathlib.Path)
    p.add_argument("--models", nargs="*", type=pathlib.Path)
    p.add_argument("--to", nargs="*", type=int)
    p.add_argument("--share", type=int, default=1)
    p.add_argument("--filter", default="")
    p.add_argument("--report", type=pathlib.Path)
    return p.parse_args()


def opset_of(model):
    return next((o.version for o in model.opset_import
                 if o.domain in ("", "ai.onnx")), None)


def nodes_of(graph):
    for node in graph.node:
        yield node
        for a in node.attribute:
            for g in [a.g] if a.type == a.GRAPH else a.graphs:
                yield from nodes_of(g)


def versions():
    found = collections.defaultdict(set)
    for s in defs.get_all_schemas_with_history():
        if s.domain == "":
            found[s.name].add(s.since_version)
    return found


def targets(model, since, newest):
    """The newest, and for each change of an operator both sides of it."""
    names = {n.op_type for n in nodes_of(model.graph)
             if n.domain in ("", "ai.onnx")}
    for f in model.functions:
        names |= {n.op_type for n in f.node}
    born = max((min(since[n]) for n in names if n in since), default=1)
    marks = {v for n in names for v in since.get(n, ())}
    marks |= {v - 1 for v in marks} | {newest}
    return sorted(v for v in marks if max(born, 5) <= v != opset_of(model))


def checks(path, full):
    try:
        onnx.checker.check_model(str(path), full_check=full)
    except Exception as e:  # its exceptions have no common class
        return " ".join(str(e).split())[:300] or type(e).__name__
    return None


def convert(args, folder, target, to):
    """("converted", None), ("refused", why) or ("failed", why)."""
    shutil.copytree(folder, to, symlinks=True,
                    ignore=lambda d, names: ["model.onnx"])
    done = subprocess.run(
        [args.onnx2c, "edit", folder / "model.onnx", "-o", to / "model.onnx",
         f"to-opset={target}"], capture_output=True, text=True, check=False)
    if done.returncode == 3 and "node " in done.stderr:
        return "refused", done.stderr.splitlines()[0]
    if done.returncode:
        return "failed", f"exit code {done.returncode}: {done.stderr[:200]}"
    made = onnx.load(to / "model.onnx", load_external_data=False)
    if opset_of(made) != target:
        return "failed", f"has opset {opset_of(made)}"
    return "converted", None


def one_case(args, folder, target, full, tmp):
    to = pathlib.Path(tmp) / f"{folder.name}_{target}"
    outcome, why = convert(args, folder, target, to)
    if outcome == "converted":
        why = checks(to / "model.onnx", full)
        outcome = "failed" if why else outcome
    if outcome != "converted":
        shutil.rmtree(to, ignore_errors=True)
    return folder, target, outcome, why, to


def evaluated(args, folders):
    """By folder: None, or what eval_case says of it."""
    found = {}
    for i in range(0, len(folders), 200):
        part = [str(f) for f in folders[i:i + 200]]
        out = subprocess.run([args.eval, *part], capture_output=True,
                             text=True, errors="replace", check=False).stdout
        lines = [x for x in out.splitlines()
                 if x.startswith(("pass", "FAIL"))][:len(part)]
        for folder, line in zip(folders[i:i + 200], lines):
            found[folder] = None if line.startswith("pass") else line
    return found


def chosen(folder, args):
    digest = hashlib.sha256(folder.name.encode()).digest()
    return args.filter in folder.name and digest[0] % args.share == 0


def corpus(args):
    since, newest = versions(), defs.onnx_opset_version()
    folders = sorted(f for k in KINDS if (args.corpus / k).is_dir()
                     for f in (args.corpus / k).iterdir() if chosen(f, args))
    fine = evaluated(args, folders)
    jobs = []
    for folder in folders:
        model = onnx.load(folder / "model.onnx", load_external_data=False)
        if fine.get(folder) or opset_of(model) is None:
            continue
        if any(n.op_type in RANDOM for n in nodes_of(model.graph)):
            continue
        full = checks(folder / "model.onnx", True) is None
        to = args.to or targets(model, since, newest)
        jobs += [(folder, t, full) for t in to if t != opset_of(model)]
    results = []
    with tempfile.TemporaryDirectory() as tmp, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda j: one_case(args, *j, tmp), jobs))
        same = evaluated(args, [d[4] for d in done if d[2] == "converted"])
        for folder, target, outcome, why, to in done:
            if outcome == "converted" and same.get(to):
                outcome, why = "failed", same[to]
            results.append((f"{folder.parent.name}/{folder.name}", target,
                            outcome, why))
    return results


def models(args):
    import models_same  # beside this file; wants onnxruntime
    newest = defs.onnx_opset_version()
    results = []
    for folder in args.models:
        full = checks(folder / "model.onnx", True) is None
        for target in args.to or (13, 17, 21, newest):
            with tempfile.TemporaryDirectory() as tmp:
                to = pathlib.Path(tmp) / folder.name
                outcome, why = convert(args, folder, target, to)
                if outcome == "converted":
                    why = checks(to / "model.onnx", full) or \
                        models_same.compare(args.onnx2c, folder, to)
                    outcome = "failed" if why else outcome
            results.append((folder.name, target, outcome, why))
            print(*results[-1], sep="\t", flush=True)
    return results


def main():
    args = arguments()
    results = models(args) if args.models else corpus(args)
    if args.report:
        args.report.write_text("".join(
            "\t".join(str(x or "") for x in r) + "\n" for r in results))
    for name, target, outcome, why in results:
        if outcome == "failed":
            print(f"{name} to {target}: {why}")
    count = collections.Counter(r[2] for r in results)
    print(f"{len({r[0] for r in results})} models, {count['converted']} "
          f"conversions, {count['refused']} refused, {count['failed']} failed")
    sys.exit(1 if count["failed"] or not count["converted"] else 0)


if __name__ == "__main__":
    main()
