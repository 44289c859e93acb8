#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ONNX corpus through `onnx2c verify`.

    run_corpus.py --onnx2c FILE --corpus FOLDER [--kind KIND...]
                  [--cc CC] [--cflags FLAGS] [--share K --salt TEXT]
                  [--report FILE]

A case whose operators onnx2c has (`onnx2c --list-ops`) must pass. A case with
an operator that it does not have is counted as unsupported, and must be refused
as such. Exceptions stand in known_failures.tsv. --share K takes about every
K-th case, chosen by a hash of its name, the commit and the salt, so that
commits take different ones. Needs the onnx package.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import onnx

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
CHUNK = 64  # cases of one verify: two programs of 32 models


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--corpus", required=True, type=pathlib.Path)
    p.add_argument("--kind", nargs="*", default=KINDS)
    p.add_argument("--cc")
    p.add_argument("--cflags")
    p.add_argument("--share", type=int, default=1)
    p.add_argument("--salt", default="")
    p.add_argument("--report", type=pathlib.Path)
    p.add_argument("--filter", default="", help="only names that contain it")
    return p.parse_args()


def known_failures():
    path = pathlib.Path(__file__).with_name("known_failures.tsv")
    lines = (x.rstrip("\n") for x in path.read_text().splitlines())
    return dict(x.split("\t", 1) for x in lines if x and x[0] != "#")


def commit():
    """"" outside of a git checkout."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True,
                          cwd=pathlib.Path(__file__).parent, text=True)
    return done.stdout.strip()


def chosen(name, args):
    digest = hashlib.sha256(f"{args.salt}{name}".encode()).digest()
    return args.filter in name and digest[0] % args.share == 0


def operators_of_onnx2c(path):
    """The first word of each line of --list-ops: Name or domain.Name."""
    out = subprocess.run([path, "--list-ops"], capture_output=True, text=True,
                         check=True).stdout
    return {line.split()[0] for line in out.splitlines() if line.strip()}


def operators_of_graph(graph, found):
    for node in graph.node:
        domain = "" if node.domain in ("", "ai.onnx") else node.domain + "."
        found.add(domain + node.op_type)
        for a in node.attribute:
            for g in [a.g] if a.type == a.GRAPH else a.graphs:
                operators_of_graph(g, found)


def operators_of(folder):
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    found = set()
    operators_of_graph(model.graph, found)
    for f in model.functions:
        found.discard(f"{f.domain}.{f.name}")
        operators_of_graph(f, found)
    return found


def verify(args, folders):
    command = [args.onnx2c, "verify", "--json"]
    if args.cc:
        command += ["--cc", args.cc]
    if args.cflags:
        command += [f"--cflags={args.cflags}"]
    done = subprocess.run(command + [str(f) for f in folders],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace")
    results = [json.loads(x) for x in done.stdout.splitlines()
               if x.startswith("{")]
    if len(results) != len(folders):
        print(done.stderr[-4000:], file=sys.stderr)
        sys.exit(f"onnx2c verify answered {len(results)} of {len(folders)} "
                 f"cases and ended with code {done.returncode}")
    return results


def run_all(args, folders):
    chunks = [folders[i:i + CHUNK] for i in range(0, len(folders), CHUNK)]
    workers = os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for results in pool.map(lambda c: verify(args, c), chunks):
            yield from results


def judge(result, missing, reason):
    """(kind of outcome, complaint or None)."""
    status = result["status"]
    if status == "passed":
        complaint = f"passes, but is listed as failing: {reason}"
        return "passed", complaint if reason else None
    if status == "unsupported" and missing:
        return "unsupported", None
    if reason:
        return "known to fail", None
    if missing:
        return "failed", (f"{result['why']} (it uses {', '.join(missing)}: "
                          "exit code 3 is expected)")
    return "failed", result["why"]


def main():
    args = arguments()
    args.salt += commit()
    folders = sorted(f for kind in args.kind
                     for f in (args.corpus / kind).iterdir()
                     if (f / "model.onnx").exists() and chosen(f.name, args))
    known, have = known_failures(), operators_of_onnx2c(args.onnx2c)
    counts, complaints, lines = {}, [], []
    for folder, result in zip(folders, run_all(args, folders)):
        name = f"{folder.parent.name}/{folder.name}"
        missing = sorted(operators_of(folder) - have)
        kind, complaint = judge(result, missing, known.get(name))
        counts[kind] = counts.get(kind, 0) + 1
        lines.append(f"{name}\t{kind}\t{result['why'] or ''}")
        if complaint:
            complaints.append(f"{name}: {complaint}")
    if args.report:
        args.report.write_text("\n".join(lines) + "\n")
    print("\n".join(complaints))
    parts = [f"{v} {k}" for k, v in sorted(counts.items())]
    share = f" (a share of 1/{args.share})" if args.share > 1 else ""
    print(f"{len(folders)} cases{share}: {', '.join(parts)}")
    sys.exit(1 if complaints or not folders else 0)


if __name__ == "__main__":
    main()
