#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `info --html` of many models, in a headless browser: as many
boxes as the file has nodes, none over another, no complaint, no request.

    page_sweep.py ONNX2C FOLDER...        of models: FOLDER/*/model.onnx
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import onnx

import browser

# Pairs of boxes of one graph that overlap.
OVERLAPS = """(() => {
  let count = 0;
  for (const g of model.graphs) {
    const rows = new Map();
    for (const item of g.items.filter((i) => view.box.has(i))) {
      const a = view.box.get(item), row = Math.round((a.y + a.h / 2) / 8);
      if (!rows.has(row)) rows.set(row, []);
      for (const b of rows.get(row))
        count += Math.abs(a.x - b.x) < (a.w + b.w) / 2 - 1;
      rows.get(row).push(a);
    }
  }
  return count;
})()"""


def node_count(graph):
    return len(graph.node) + sum(node_count(a.g) for n in graph.node
                                 for a in n.attribute if a.HasField("g"))


def look(page, onnx2c, model, html):
    done = subprocess.run([onnx2c, "info", model, "--html", html],
                          capture_output=True, text=True)
    if done.returncode:
        return [f"info ends with {done.returncode}: {done.stderr[:300]}"]
    page.open(html)
    page.js("openAll(true)")
    count = page.js("document.querySelectorAll('g.node').length")
    overlaps = page.js(OVERLAPS)
    for text in ("select(model.items[0], true)", "showView('memory')",
                 "showView('steps')"):
        page.js(text)
    wrong = page.complaints() + page.requests()
    proto = onnx.load(model, load_external_data=False)
    if count != node_count(proto.graph) and not proto.functions:
        wrong.append(f"{count} boxes, {node_count(proto.graph)} nodes")
    if overlaps:
        wrong.append(f"{overlaps} boxes overlap")
    if os.path.getsize(html) > 1 << 20:
        wrong.append("over a megabyte")
    return wrong


def main():
    models = [m for folder in sys.argv[2:]
              for m in sorted(pathlib.Path(folder).glob("*/model.onnx"))]
    if browser.program() is None:
        print("page_sweep.py: no browser; install chromium, or name one in "
              "O2C_BROWSER")
        sys.exit(77)
    bad = 0
    with browser.Browser() as page, tempfile.TemporaryDirectory() as work:
        for model in models:
            wrong = look(page, sys.argv[1], model, work + "/page.html")
            print(f"{model.parent.name}: {'; '.join(wrong) or 'ok'}",
                  flush=True)
            bad += bool(wrong)
    print(f"{len(models) - bad} of {len(models)} pages are well")
    sys.exit(1 if bad or not models else 0)


main()
