#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ONNX corpus through `onnx2c verify`.

    run_corpus.py --onnx2c FILE --corpus FOLDER [--kind KIND...]
                  [--cc CC] [--cflags FLAGS] [--share K --salt TEXT --fixed]
                  [--filter TEXT] [--cases FILE] [--limit SECONDS]
                  [--report FILE] [--provider NAME [--claimed FILE [--renew]]]
    run_corpus.py --count REPORT...

A case whose operators onnx2c has (`onnx2c --list-ops`) must pass. A case with
an operator that it does not have is counted as unsupported, and must be refused
as such. Exceptions stand in known_failures.tsv. --share K takes about every
K-th case, chosen by a hash of its name, the commit and the salt, so that
commits take different ones; with --fixed the name and the salt alone choose.
--cases takes the cases of a file whose lines begin with kind/case, say a part
of a report. Where onnx2c says that a library of o2c_image.c is not here, its
cases are skipped, by name. A case without an answer after --limit seconds
fails; the others of its call are asked again. A provider may refuse a node;
claims.py says how --claimed holds it to what it has. --count prints the
outcomes of reports, and which operators the unsupported cases use. Needs the
onnx package.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import onnx

import claims

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
# The part of a name, and the library that reads that format for ImageDecoder.
LIBRARY = {"decode_jpeg2k": "libopenjp2", "decode_webp": "libwebp"}
CHUNK = 64  # cases of one verify: two programs of 32 models


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c")
    p.add_argument("--corpus", type=pathlib.Path)
    p.add_argument("--kind", nargs="*", default=KINDS)
    p.add_argument("--cc")
    p.add_argument("--cflags")
    p.add_argument("--share", type=int, default=1)
    p.add_argument("--salt", default="")
    p.add_argument("--report", type=pathlib.Path)
    p.add_argument("--filter", default="", help="only names that contain it")
    p.add_argument("--fixed", action="store_true")
    p.add_argument("--cases", type=pathlib.Path)
    p.add_argument("--limit", type=int, default=300)
    p.add_argument("--provider")
    p.add_argument("--claimed", type=pathlib.Path)
    p.add_argument("--renew", action="store_true")
    p.add_argument("--count", nargs="+", type=pathlib.Path)
    args = p.parse_args()
    if not args.count and not (args.onnx2c and args.corpus):
        p.error("--onnx2c and --corpus are needed, or --count")
    return args


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
    """The first words of the lines of --list-ops, as Name or domain.Name."""
    out = subprocess.run([path, "--list-ops"], capture_output=True, text=True,
                         check=True).stdout
    pairs = (line.split()[:2] for line in out.splitlines() if line.strip())
    return {name if domain == "ai.onnx" else f"{domain}.{name}"
            for name, domain in pairs}


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


def answers(command, limit):
    """Standard output, standard error; None where the time is over: the
    processes that the command started end too."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, errors="replace",
                          start_new_session=True) as process:
        try:
            return process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None


def verify(args, folders):
    """Halves what gives no answer, until the case has a name."""
    command = [args.onnx2c, "verify", "--json"]
    if args.cc:
        command += ["--cc", args.cc]
    if args.cflags:
        command += [f"--cflags={args.cflags}"]
    if args.provider:
        command += ["--provider", args.provider]
    limit = max(args.limit, 15 * len(folders))
    done = answers(command + [str(f) for f in folders], limit)
    if not done and len(folders) == 1:
        return [{"status": "failed", "why": f"no answer after {limit} s"}]
    if not done:
        half = len(folders) // 2
        return verify(args, folders[:half]) + verify(args, folders[half:])
    results = [json.loads(x) for x in done[0].splitlines()
               if x.startswith("{")]
    if len(results) != len(folders):
        print(done[1][-4000:], file=sys.stderr)
        sys.exit(f"onnx2c verify answered {len(results)} of {len(folders)} "
                 "cases")
    absent = set(re.findall(r"the C compiler has no (\w+):", done[1]))
    for folder, result in zip(folders, results):
        result["lacks"] = [v for k, v in LIBRARY.items()
                           if k in folder.name and v in absent]
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
    if status == "unsupported" and re.search(
            "CUDA has no kernel|no provider of --provider", result["why"]):
        return "refused", None
    if status == "unsupported" and missing:
        return "unsupported", None
    if reason:
        return "known to fail", None
    if result.get("lacks"):
        print(f"skipped {result['case']}: onnx2c finds no "
              f"{', '.join(result['lacks'])}")
        return "skipped", None
    if missing:
        return "failed", (f"{result['why']} (it uses {', '.join(missing)}: "
                          "exit code 3 is expected)")
    return "failed", result["why"]


def wanted(args):
    """The folders of the cases that the arguments choose."""
    if not args.fixed:
        args.salt += commit()
    listed = None
    if args.cases:
        lines = args.cases.read_text().splitlines()
        listed = {line.split()[0] for line in lines if line.strip()}
    return sorted(f for kind in args.kind if (args.corpus / kind).is_dir()
                  for f in (args.corpus / kind).iterdir()
                  if (f / "model.onnx").exists() and chosen(f.name, args)
                  and (listed is None or f"{kind}/{f.name}" in listed))


def count(report):
    """One line of outcomes, one of the operators that were missing."""
    outcomes, missing = collections.Counter(), collections.Counter()
    for line in report.read_text().splitlines():
        fields = line.split("\t")
        outcomes[fields[1]] += 1
        missing.update(fields[3].split() if len(fields) > 3 else ())
    parts = [f"{v} {k}" for k, v in sorted(outcomes.items())]
    print(f"{report}: {sum(outcomes.values())} cases: {', '.join(parts)}")
    if missing:
        print("  unsupported:", ", ".join(f"{k} ({v})" for k, v in
                                          sorted(missing.items())))


def claimed(args, outcomes):
    """Complaints; prints the operators with refused cases."""
    count = collections.Counter(claims.operator(used) or "several operators"
                                for _, used, kind in outcomes
                                if kind == "refused")
    if count:
        print("refused:", ", ".join(f"{k} ({v})" for k, v
                                    in sorted(count.items())))
    if not args.claimed:
        return []
    return claims.lost(args.claimed, outcomes, args.share == 1 and
                       not args.filter and not args.cases)


def renew(args, folders):
    """What `onnx2c check` does not refuse; nothing is run."""
    known = known_failures()

    def one(folder):
        done = subprocess.run(
            [args.onnx2c, "check", "-q", "--provider", args.provider,
             folder / "model.onnx"], capture_output=True, check=False)
        return (folder.name, operators_of(folder),
                "refused" if done.returncode == 3 else "known to fail"
                if f"{folder.parent.name}/{folder.name}" in known else
                "passed")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        claims.renew(args.claimed, list(pool.map(one, folders)))


def main():
    args = arguments()
    if args.count:
        for report in args.count:
            count(report)
        return
    folders = wanted(args)
    if args.renew:
        renew(args, folders)
        return
    known, have = known_failures(), operators_of_onnx2c(args.onnx2c)
    counts, complaints, lines, outcomes = {}, [], [], []
    for folder, result in zip(folders, run_all(args, folders)):
        name = f"{folder.parent.name}/{folder.name}"
        used = operators_of(folder)
        missing = sorted(used - have)
        kind, complaint = judge(result, missing, known.get(name))
        outcomes.append((folder.name, used, kind))
        counts[kind] = counts.get(kind, 0) + 1
        why = (result["why"] or "").replace("\t", " ").replace("\n", " ")
        lacks = " ".join(missing) if kind == "unsupported" else ""
        lines.append(f"{name}\t{kind}\t{why}\t{lacks}")
        if complaint:
            complaints.append(f"{name}: {complaint}")
    complaints += claimed(args, outcomes)
    if args.report:
        args.report.write_text("\n".join(lines) + "\n")
    print("\n".join(complaints))
    parts = [f"{v} {k}" for k, v in sorted(counts.items())]
    share = f" (a share of 1/{args.share})" if args.share > 1 else ""
    print(f"{len(folders)} cases{share}: {', '.join(parts)}")
    sys.exit(1 if complaints or not folders else 0)


if __name__ == "__main__":
    main()
