#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renews the tables of Unicode that strings need, from Python's unicodedata:

    make_unicode.py ROOT

in runtime_min/kernels/ref/unicode.h, simple upper and lower case, for generated
code; in compiler/unicode.c, general categories, for the patterns of
RegexFullMatch. The code around the tables stays. Python knows full mappings
only; the simple one is the full one where that is one character, else, of upper
case, the title case, if it is one.
"""
import pathlib
import re
import sys
import unicodedata

LAST = 0x10FFFF


def upper(c):
    s, t = chr(c).upper(), chr(c).title()
    return ord(s) if len(s) == 1 else ord(t) if len(t) == 1 else c


def lower(c):
    return ord(chr(c).lower()[0])


def case_runs(mapping):
    runs = []  # [first, last, step, delta]; step 0: one character so far
    for c in range(LAST + 1):
        if 0xD800 <= c < 0xE000 or mapping(c) == c:
            continue
        delta = mapping(c) - c
        r = runs[-1] if runs else None
        if r and r[3] == delta and c - r[1] in ((r[2],) if r[2] else (1, 2)):
            r[1], r[2] = c, c - r[1]
        else:
            runs.append([c, c, 0, delta])
    return [(a, b, s or 1, d) for a, b, s, d in runs]


def table(runs):
    text, line = " {", 99
    for a, b, s, d in runs:
        item = f" {{ 0x{a:x}, 0x{b:x}, {s}, {d} }},"
        if line + len(item) > 79:
            text, line = text + "\n ", 1
        text, line = text + item, line + len(item)
    return text + "\n}"


def base36(n):
    digits = ""
    while n:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36] + digits
        n //= 36
    return digits


def categories():
    runs = []
    for c in range(LAST + 1):
        k = unicodedata.category(chr(c))
        if runs and runs[-1][0] == k:
            runs[-1][1] += 1
        else:
            runs.append([k, 1])
    lines = [""]
    for k, n in runs:
        item = k + base36(n) + " "
        if len(lines[-1]) + len(item) > 74:
            lines.append("")
        lines[-1] += item
    return "\n" + "\n".join(f'  "{line}"' for line in lines)


def renew(path, tables):
    """Writes each table between its "NAME[] =" and the end of that statement,
    and the version where it is told."""
    text = path.read_text()
    for name, body in tables.items():
        text, n = re.subn(rf"( {name}\[\] =)[^;]*;",
                          lambda m, b=body: f"{m[1]}{b};", text)
        if n != 1:
            sys.exit(f"{path}: no table {name}")
    path.write_text(re.sub(r"(of Unicode )[0-9.]+[0-9]",
                           rf"\g<1>{unicodedata.unidata_version}", text))


def main():
    root = pathlib.Path(sys.argv[1])
    renew(root / "runtime_min/kernels/ref/unicode.h",
          {"o2c_lower_runs": table(case_runs(lower)),
           "o2c_upper_runs": table(case_runs(upper))})
    renew(root / "compiler/unicode.c", {"runs": categories()})


main()
