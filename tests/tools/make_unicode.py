#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the facts of Unicode that strings need, from Python's unicodedata:

    make_unicode.py ROOT

runtime_min/kernels/ref/unicode.h: simple upper and lower case, for generated
code. compiler/unicode.c: general categories, for the patterns of
RegexFullMatch. Python knows full mappings only; the simple one is the full one
where that is one character, else, of upper case, the title case, if it is one.
"""
import pathlib
import sys
import unicodedata

LAST = 0x10FFFF
CASE = """/* SPDX-License-Identifier: 0BSD */
/* Simple case mappings of Unicode {version}, written by
 * tests/tools/make_unicode.py: of the characters first, first + step, .. last,
 * each becomes itself plus delta. */
#ifndef O2C_REF_UNICODE_H
#define O2C_REF_UNICODE_H
#include "utf8.h"

typedef struct {{
  uint32_t first, last, step;
  int32_t delta;
}} o2c_case_run;

{tables}/* mode: 0 as it is, 1 lower case, 2 upper case. */
O2C_UNUSED static uint32_t o2c_case(uint32_t c, int mode) {{
  const o2c_case_run *run = mode == 1 ? o2c_lower_runs : o2c_upper_runs;
  const int n = mode == 1 ? {lower} : {upper};
  int lo = 0, hi = n;
  if (mode == 0) return c;
  while (lo < hi) {{
    const int mid = (lo + hi) / 2;
    if (c > run[mid].last)
      lo = mid + 1;
    else
      hi = mid;
  }}
  if (lo == n || c < run[lo].first || (c - run[lo].first) % run[lo].step)
    return c;
  return (uint32_t)((int32_t)c + run[lo].delta);
}}
#endif
"""
CATEGORY = """/* SPDX-License-Identifier: Apache-2.0 */
/* General categories of Unicode {version}, written by
 * tests/tools/make_unicode.py: runs of characters, each a letter pair and, in
 * base 36, how many; runs of unassigned characters too. */
#include "regex.h"

#include <stdlib.h>
#include <string.h>

static const char runs[] ={runs};

bool unicode_category(const char *name, void (*add)(void *, int, int),
                      void *user)
{{
  size_t n = strlen(name);
  bool any = false;
  int at = 0;
  char *end;
  for (const char *s = runs; *s; s = end + 1) {{
    int count = (int)strtol(s + 2, &end, 36);
    if (n > 0 && n <= 2 && !strncmp(s, name, n) && strncmp(s, "Cn", 2) != 0) {{
      add(user, at, at + count - 1);
      any = true;
    }}
    at += count;
  }}
  return any;
}}
"""


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


def table(name, runs):
    text = f"static const o2c_case_run {name}[] = {{"
    line = 99
    for a, b, s, d in runs:
        item = f" {{ 0x{a:x}, 0x{b:x}, {s}, {d} }},"
        if line + len(item) > 79:
            text, line = text + "\n ", 1
        text, line = text + item, line + len(item)
    return text + "\n};\n\n"


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


def main():
    root = pathlib.Path(sys.argv[1])
    version = unicodedata.unidata_version
    low, up = case_runs(lower), case_runs(upper)
    tables = table("o2c_lower_runs", low) + table("o2c_upper_runs", up)
    (root / "runtime_min/kernels/ref/unicode.h").write_text(CASE.format(
        version=version, tables=tables, lower=len(low), upper=len(up)))
    (root / "compiler/unicode.c").write_text(CATEGORY.format(
        version=version, runs=categories()))


main()
