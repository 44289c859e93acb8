#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has a GPU a kernel for every operator of the networks?

    operators.py DATA OUT

Each operator of DATA/zoo and DATA/models must be in claimed.txt, which the
corpus shows, or in operators.txt: with a case of tests/cases, written to
OUT/<case> for `onnx2c verify --provider cuda`, or with why it is the host's.
"""
import pathlib
import sys

import onnx

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent / "onnx"), str(HERE.parent / "tools")]

import claims
import run_cases
import run_corpus


def networks(data):
    return sorted(p for kind in ("zoo", "models")
                  for p in (data / kind).rglob("*.onnx"))


def operators(path):
    model = onnx.load(path, load_external_data=False)
    found = set()
    run_corpus.operators_of_graph(model.graph, found)
    for f in model.functions:
        found.discard(f"{f.domain}.{f.name}")
        run_corpus.operators_of_graph(f, found)
    return found


def listed():
    """Operator to case, or to `host` and the reason."""
    lines = (HERE / "operators.txt").read_text().splitlines()
    return dict(x.split(None, 1) for x in lines if x and x[0] != "#")


def main():
    data, out = map(pathlib.Path, sys.argv[1:])
    claimed, more = claims.read(HERE / "claimed.txt"), listed()
    bad, used, paths = [], {}, networks(data)
    for path in paths:
        for name in operators(path):
            used.setdefault(name, str(path.relative_to(data)))
    for name, path in sorted(used.items()):
        if name not in claimed and name not in more:
            bad.append(f"{name}, of {path}: CUDA claims it by no case")
    for name, case in sorted(more.items()):
        if name in claimed or name not in used:
            bad.append(f"{name}: operators.txt needs no line for it")
        elif case.split()[0] != "host":
            run_cases.Case(ROOT / "tests" / "cases" / f"{case}.txt").write(
                out / case)
    print("\n".join(bad))
    print(f"{len(used)} operators of {len(paths)} networks, "
          f"{len(set(used) & set(claimed))} claimed by the corpus")
    sys.exit(1 if bad or not paths else 0)


if __name__ == "__main__":
    main()
