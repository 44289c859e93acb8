# SPDX-License-Identifier: Apache-2.0
"""What page.sh made, in a headless browser: no complaint and no request, as
many boxes as the model has nodes, search, panel, keys, bodies, views, both
themes, and no text of a model that is run or that reorders the page.

    page_check.py FOLDER        O2C_BROWSER names the browser
"""
import pathlib
import sys

import onnx

import browser

FOLDER = pathlib.Path(sys.argv[1])
COUNT = "document.querySelectorAll('g.node').length"
PANEL = "document.getElementById('panel').innerText"
SELECTED = "view.selected ? view.selected.name : null"


def node_count(graph):
    """Its nodes, and those of all bodies."""
    return len(graph.node) + sum(node_count(a.g) for n in graph.node
                                 for a in n.attribute if a.HasField("g"))


def check(what, ok, text=""):
    if not ok:
        raise SystemExit(f"FAILED: {what} {text}")


def opened(b, name):
    b.open(FOLDER / f"{name}.html")
    check(name, not b.complaints(), b.complaints())
    check(name, not b.requests(), b.requests())


def search(b, text):
    """Types it, takes the first hit; how many there are."""
    b.js("document.activeElement.blur()")
    b.key("/", "/")
    check("the key /", b.js("document.activeElement.id") == "query")
    b.write(text)
    found = int(b.js("document.getElementById('hits').dataset.count"))
    b.key("Enter")
    return found


def hostile(b):
    model = onnx.load(FOLDER / "page_hostile.onnx")
    opened(b, "hostile")
    check("nodes", b.js(COUNT) == node_count(model.graph), b.js(COUNT))
    for node in model.graph.node:
        b.js(f"select(model.nodes.get({1 + list(model.graph.node).index(node)})"
             ", true)")
    check("a NUL", "a\u2400b" in b.js(
        "report.graph.nodes.find((n) => n.name === 'strings')"
        ".attributes[0].value[0]"))
    for view in ("memory", "steps"):
        b.js(f"showView('{view}')")
    names = b.js("Array.from(model.nodes.values()).map((i) => i.name)")
    check("names", names == [n.name for n in model.graph.node], names)
    check("search", search(b, "</script><script>window.hit=2") >= 2)
    check("run", b.js("window.hit") is None, b.js("window.hit"))
    tags = b.js("document.querySelectorAll('script, img, iframe, b script, "
                "svg svg, [onload], [onerror]').length")
    check("elements", tags == 2, tags)
    text = b.js("document.documentElement.textContent.replace("
                "document.getElementById('report').textContent, '')")
    check("reordered text", not any(c in text for c in "\u202e\u2066\u200f"))
    check("complaints", not b.complaints(), b.complaints())


def nested(b):
    count = node_count(onnx.load(FOLDER / "page_nested.onnx").graph)
    opened(b, "nested")
    check("nodes", b.js(COUNT) == count, b.js(COUNT))
    b.js("document.getElementById('close-all').click()")
    check("closed", b.js(COUNT) == 3, b.js(COUNT))
    check("search in bodies", search(b, "tteneg") == 0)
    check("search in bodies", search(b, "eeneg") >= 1)
    check("it opens", b.js(COUNT) > 3 and b.js(SELECTED) == "eeneg")
    check("panel", "else_branch" in b.js(PANEL), b.js(PANEL))
    b.js("document.getElementById('open-all').click()")
    check("opened", b.js(COUNT) == count)
    for name in ("first", "if", "last"):
        b.js("document.getElementById('graph').focus()")
        b.js("select(model.items.find((i) => i.name === 'first'), true)")
        for _ in range(("first", "if", "last").index(name)):
            b.js("if (view.open.has(view.selected)) toggle(view.selected)")
            b.key("ArrowDown")
        check("ArrowDown", b.js(SELECTED) == name, b.js(SELECTED))
    b.key("ArrowUp")
    b.key("Enter")
    check("Enter", b.js("view.open.has(view.selected)"))
    b.key("Escape")
    check("Escape", b.js(SELECTED) is None)


def large(b):
    opened(b, "large")
    check("nodes", b.js(COUNT) == 2400, b.js(COUNT))
    check("search", search(b, "block123/sum") == 1)
    check("selected", b.js(SELECTED) == "block123/sum")
    check("panel", "block123/sum" in b.js(PANEL))
    place = b.js("(() => { const r = document.querySelector('.selected')"
                 ".getBoundingClientRect(); return [r.x, r.y]; })()")
    check("shown", 0 < place[0] < 1000 and 40 < place[1] < 900, place)
    before = b.js("view.k")
    b.js("document.getElementById('graph').focus()")
    b.key("-", "-")
    check("zoom", b.js("view.k") < before)
    check("legend", "other" in b.js(
        "document.getElementById('legend').innerText"))


def net(b):
    opened(b, "net")
    b.js("select(model.nodes.get(4), true)")
    text = b.js(PANEL)
    for word in ("Conv", "kernel_shape", "winograd_f32", "cpu", "measured",
                 "float [N, 16, 32, 32]", "piece", "together with", "Relu"):
        check("panel", word in text, f"has no {word}: {text}")
    place = b.js("(() => { const r = document.querySelector('.selected')"
                 ".getBoundingClientRect(); return [r.x, r.y]; })()")
    b.js("select(null)")
    b.click(place[0] + 30, place[1] + 10)
    check("click", b.js("view.selected.node.id") == 4)
    b.js("document.getElementById('tab-memory').click()")
    pieces = "document.querySelectorAll('rect.piece').length"
    check("map", b.js(pieces) == b.js("report.memory.slots.length") > 5)
    b.js("document.getElementById('tab-steps').click()")
    rows = b.js("document.querySelectorAll('[data-step]').length")
    check("steps", rows == b.js("report.steps.length") > 5, rows)
    colours = []
    for dark in (False, True):
        b.dark(dark)
        colours.append(b.js("getComputedStyle(document.body).backgroundColor"))
    check("themes", colours[0] != colours[1], colours)
    b.js("document.getElementById('theme').click()")
    check("theme", colours[0] == b.js(
        "getComputedStyle(document.body).backgroundColor"))
    check("complaints", not b.complaints(), b.complaints())


if browser.program() is None:
    print("page.sh: no browser; install chromium, or name one in O2C_BROWSER")
    sys.exit(77)
with browser.Browser() as page:
    for part in (hostile, nested, large, net):
        part(page)
