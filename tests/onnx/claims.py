# SPDX-License-Identifier: Apache-2.0
"""What a provider claims of the corpus, by operator; for run_corpus.py.

A line of the file is `operator passed/cases case`: of the cases that use this
operator and no other, so many pass and the others are refused; `case` is one
that passes. A run of all cases must find each number as it stands or higher. A
run of a share looks at operators of which all cases pass: none of theirs may be
refused."""
import collections
import pathlib

HEAD = """\
# What CUDA claims of the node cases of the corpus: operator, how many of the
# cases that use it alone pass, one of them. Renew it, where a claim was added,
# by tests/cuda/corpus.sh --renew.
"""


def operator(used):
    """Of a case with one operator."""
    return next(iter(used)) if len(used) == 1 else None


def read(path):
    claims = {}
    for line in pathlib.Path(path).read_text().splitlines():
        if line and line[0] != "#":
            name, counts, case = line.split()
            passed, cases = map(int, counts.split("/"))
            claims[name] = (passed, cases, case)
    return claims


def found(outcomes):
    """Of (case, operators, kind) that ran: operator to its passed ones and the
    number of those that were refused."""
    passed, refused = collections.defaultdict(list), collections.Counter()
    for case, used, kind in outcomes:
        name = operator(used)
        if name and kind == "passed":
            passed[name].append(case)
        elif name and kind == "refused":
            refused[name] += 1
    return passed, refused


def renew(path, outcomes):
    passed, refused = found(outcomes)
    lines = [f"{name} {len(cases)}/{len(cases) + refused[name]} {min(cases)}\n"
             for name, cases in sorted(passed.items())]
    pathlib.Path(path).write_text(HEAD + "".join(lines))


def lost(path, outcomes, everything):
    """Complaints."""
    passed, refused = found(outcomes)
    told = []
    for name, (want, cases, _) in sorted(read(path).items()):
        if refused[name] and want == cases:
            told.append(f"{name}: {refused[name]} cases are refused, and "
                        f"{path} says none")
        elif everything and len(passed[name]) < want:
            told.append(f"{name}: {len(passed[name])} cases pass, and {path} "
                        f"says {want}")
    return told
