#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checkable rules of house style, over the sources of the tree.

    check.py [ROOT]

Fails on: a line over 80 columns, a tab or trailing blank, a file without its
SPDX line, a C file over 700 lines, a function over 100 lines, a backslash macro
over 5 lines, code that is switched off (#if 0), a to-do without an issue
number, a kernel that asks the compiler's macros for instruction sets. Says,
without failing, which functions are over 60 lines and which prototypes have
more than 5 parameters.
"""
import pathlib
import re
import sys

FOLDERS = ("compiler", "codegen", "runtime_min", "templates", "proto",
           "tests", "examples", ".ci")
SUFFIXES = {".c", ".h", ".m4", ".def", ".inc", ".S", ".py", ".sh", ".proto",
            ".cmake", ".ld", ".html", ".css", ".js"}
FREE = ("runtime_min", "templates")  # 0BSD: their text goes into output
EITHER = ("examples",)  # 0BSD too, where users will copy it
KERNEL_MACRO_LINES = 10
COLUMNS, FILE_LINES, FUNCTION_LINES, FUNCTION_AIM, MACRO_LINES = \
    80, 700, 100, 60, 5
PARAMETERS = 5
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")

# What kernels must ask isa.h for; it and fpenv.h are not kernels.
ISA = re.compile(r"\b__(AVX|SSE|FMA|F16C|AMX|GFNI|ARM_NEON|FP_FAST_FMA)\w*|"
                 r"\b__ARM_FEATURE_(?!DSP|UNALIGNED)\w+|\b_M_X64\b")
NO_KERNELS = ("isa.h", "fpenv.h")


class Report:
    def __init__(self):
        self.errors, self.notes = [], []

    def error(self, path, line, text):
        self.errors.append(f"{path}:{line}: {text}")

    def note(self, path, line, text):
        self.notes.append(f"{path}:{line}: {text}")


def sources(root):
    for top in FOLDERS:
        for path in sorted((root / top).rglob("*")):
            named = path.name in ("run", "CMakeLists.txt")
            if path.is_file() and (path.suffix in SUFFIXES or named):
                yield path.relative_to(root)
    yield pathlib.Path("CMakeLists.txt")


def check_lines(report, path, lines):
    for i, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            report.error(path, i, f"{len(line)} columns")
        if "\t" in line and path.suffix not in (".tsv",):
            report.error(path, i, "a tab")
        if line != line.rstrip():
            report.error(path, i, "blanks at the end")
        if re.match(r"\s*#\s*if\s+0\b", line):
            report.error(path, i, "code that is switched off")
        if path.name != "check.py" and TODO.search(line):
            report.error(path, i, "a to-do without an issue: TODO(#12)")


def check_licence(report, path, lines):
    want = "0BSD" if path.parts[0] in FREE else "Apache-2.0"
    if path.suffix == ".cmake":
        want = "Apache-2.0"
    tag = f"SPDX-License-Identifier: {want}"
    head = "\n".join(lines[:3])
    if path.parts[0] in EITHER:
        head = head.replace("0BSD", want)
    if tag not in head:
        report.error(path, 1, f"no line {tag}")


def check_macros(report, path, lines):
    start = None
    for i, line in enumerate(lines, 1):
        if start is None and re.match(r"\s*#\s*define\b", line):
            start = i
        if start is not None and not line.endswith("\\"):
            limit = MACRO_LINES
            # Kernels stamp out one short function per vector type or tile,
            # and the shim of CUDA the toolkit's overloads.
            if "kernels" in path.parts or "shim" in path.parts:
                limit = KERNEL_MACRO_LINES
            if i - start >= limit and path.suffix != ".def":
                report.error(path, start, f"a macro of {i - start + 1} lines")
            start = None


def check_isa(report, path, lines):
    for i, line in enumerate(lines, 1):
        m = ISA.search(line)
        if m:
            report.error(path, i, f"{m[0]}: ask O2C_HAVE_* of isa.h")


def check_functions(report, path, lines):
    """A function's braces stand in column 1."""
    start = None
    for i, line in enumerate(lines, 1):
        if line == "{" and i > 1 and not lines[i - 2].endswith("\\"):
            start = i
        elif line == "}" and start:
            size = i - start + 1
            if size > FUNCTION_LINES:
                report.error(path, start, f"a function of {size} lines")
            elif size > FUNCTION_AIM:
                report.note(path, start, f"a function of {size} lines")
            start = None


def check_parameters(report, path, text):
    for m in re.finditer(r"^[a-z][\w *]*\b(\w+)\(([^(){};]*)\)\s*\n\{", text,
                         re.M):
        count = m[2].count(",") + 1
        if count > PARAMETERS:
            line = text.count("\n", 0, m.start()) + 1
            report.note(path, line, f"{m[1]} has {count} parameters")


def check_file(report, root, path):
    text = (root / path).read_text(encoding="utf-8")
    lines = text.split("\n")
    if lines[-1]:
        report.error(path, len(lines), "no newline at the end")
    check_lines(report, path, lines)
    check_licence(report, path, lines)
    if path.suffix in (".c", ".h", ".inc"):
        if len(lines) > FILE_LINES + 1:
            report.error(path, 1, f"{len(lines) - 1} lines")
        check_macros(report, path, lines)
        check_functions(report, path, lines)
        if "kernels" in path.parts and path.parts[0] == "runtime_min" and \
                path.name not in NO_KERNELS:
            check_isa(report, path, lines)
        if path.parts[0] in ("compiler", "codegen"):
            check_parameters(report, path, text)


def main():
    here = pathlib.Path(__file__).resolve()
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[2]
    report, count = Report(), 0
    for path in sources(root):
        check_file(report, root, path)
        count += 1
    for line in report.notes:
        print("note:", line)
    for line in report.errors:
        print(line)
    print(f"{count} files, {len(report.errors)} errors, "
          f"{len(report.notes)} notes")
    sys.exit(1 if report.errors else 0)


if __name__ == "__main__":
    main()
