/* SPDX-License-Identifier: 0BSD */
/* The graph as SVG: boxes, edges, the camera, opening and closing of bodies. A
 * body stands inside the box of its node, laid out on its own. */

const NODE_H = 40, PORT_H = 24, HEAD = 26, INSET = 14, SLOPE = 26;
const view = {x: 0, y: 0, k: 1, open: new Set(), box: new Map(),
              element: new Map(), edges: new Map(), selected: null};
const OPEN_AT_MOST = 150; /* items; of more, bodies of the main graph only */

function boxText(item) {
  if (item.port) return [shortened(item.name || item.op, 26), ""];
  const made = item.makes.find((t) => t !== null);
  return [shortened(item.op, 26),
          made === undefined || !report.tensors[made].type ? ""
            : shortened(tensorText(made), 30)];
}

/* Lays a graph out, bodies that are open first; returns its size. */
function measure(graph) {
  const edges = [], seen = new Set();
  const at = new Map(graph.items.map((item, i) => [item, i]));
  const boxes = graph.items.map((item) => measureItem(item));
  graph.items.forEach((item, i) => {
    for (const t of item.reads.concat(item.captured)) {
      const from = t === null ? undefined : graph.maker.get(t);
      if (!from || from === item || seen.has(at.get(from) + "," + i)) continue;
      seen.add(at.get(from) + "," + i);
      edges.push([at.get(from), i]);
    }
  });
  const size = layout(boxes, edges);
  boxes.forEach((box, i) => view.box.set(graph.items[i], box));
  return {w: size.w, h: size.h, edges, paths: size.paths};
}

function measureItem(item) {
  const [first, second] = boxText(item);
  const w = Math.max(70, first.length * 8 + 28, second.length * 6.2 + 22);
  const box = {w, h: item.port ? PORT_H : NODE_H, bodies: []};
  if (!view.open.has(item)) return box;
  let x = INSET, h = 0;
  for (const body of item.bodies) {
    const size = measure(body);
    box.bodies.push({x, y: HEAD + 18, size, graph: body});
    x += size.w + 2 * INSET;
    h = Math.max(h, size.h);
  }
  box.w = Math.max(w, x);
  box.h = HEAD + 18 + h + INSET;
  return box;
}

function pathText(points) {
  let text = "M" + points[0].map((v) => v.toFixed(1)).join(" ");
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1], [x1, y1] = points[i];
    const straight = Math.abs(x0 - x1) < 0.5, next = points[i + 1];
    if (straight && next && Math.abs(next[0] - x1) < 0.5) continue;
    if (straight) {
      text += "V" + y1.toFixed(1);
      continue;
    }
    const s = Math.min(SLOPE, Math.max(6, (y1 - y0) / 2));
    text += "C" + [x0, y0 + s, x1, y1 - s, x1, y1]
      .map((v) => v.toFixed(1)).join(" ");
  }
  return text;
}

function drawGraph(into, graph, size) {
  const lines = svg("g", {class: "edges"});
  size.edges.forEach(([a, b], i) => {
    const from = graph.items[a], to = graph.items[b];
    const path = svg("path", {class: "edge", d: pathText(size.paths[i]),
                              "marker-end": "url(#tip)"});
    for (const item of [from, to]) {
      if (!view.edges.has(item)) view.edges.set(item, []);
      view.edges.get(item).push(path);
    }
    lines.append(path);
  });
  into.append(lines);
  for (const item of graph.items) into.append(drawItem(item));
}

function label(item) {
  const what = item.port ? "graph " + item.op : item.op;
  return what + (item.name ? " " + shown(item.name) : "") +
    (item.bodies.length ? ", with bodies" : "");
}

function drawItem(item) {
  const box = view.box.get(item), [first, second] = boxText(item);
  const open = box.bodies.length > 0;
  const g = svg("g", {
    class: (item.port ? "port " : "node ") + item.kind + (open ? " open" : ""),
    id: "i" + item.number, role: "button", "aria-label": label(item),
    transform: `translate(${(box.x - box.w / 2).toFixed(1)} ` +
      `${box.y.toFixed(1)})`});
  if (item.node) g.setAttribute("data-id", item.node.id);
  g.append(svg("title", {}, label(item)),
           svg("rect", {class: "box", width: box.w.toFixed(1),
                        height: box.h.toFixed(1), rx: item.port ? 12 : 5}));
  if (!item.port)
    g.append(svg("rect", {class: "stripe", width: 5, rx: 2,
                          height: open ? HEAD : box.h}));
  const middle = box.w / 2 + (item.port ? 0 : 2);
  g.append(svg("text", {class: "op", x: open ? 14 : middle,
                        y: second || open || item.port ? 17 : 25,
                        "text-anchor": open ? "start" : "middle"},
               (item.bodies.length ? (open ? "\u25be " : "\u25b8 ") : "") +
               first));
  if (second && !open)
    g.append(svg("text", {class: "shape", x: middle, y: 32,
                          "text-anchor": "middle"}, second));
  for (const body of box.bodies) {
    const inner = svg("g", {class: "body",
                            transform: `translate(${body.x} ${body.y})`});
    inner.append(svg("text", {class: "shape", x: 0, y: -6},
                     shortened(body.graph.attribute, 40)));
    drawGraph(inner, body.graph, body.size);
    g.append(inner);
  }
  view.element.set(item, g);
  return g;
}

function redraw() {
  const camera = byId("camera");
  view.box.clear();
  view.element.clear();
  view.edges.clear();
  view.size = measure(model.main);
  const all = svg("g");
  drawGraph(all, model.main, view.size);
  camera.replaceChildren(all);
  paint();
  mark(view.selected);
}

/* --- The camera ----------------------------------------------------------- */

function look() {
  byId("camera").setAttribute("transform",
    `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) ` +
    `scale(${view.k.toFixed(4)})`);
  byId("graph").classList.toggle("far", view.k < 0.38);
}

function room() {
  const r = byId("graph").getBoundingClientRect();
  return {w: r.width || 800, h: r.height || 600, left: r.left, top: r.top};
}

function zoom(by, x, y) {
  const k = Math.min(4, Math.max(0.01, view.k * by));
  view.x = x - (x - view.x) * k / view.k;
  view.y = y - (y - view.y) * k / view.k;
  view.k = k;
  look();
}

function zoomMiddle(by) {
  const r = room();
  zoom(by, r.w / 2, r.h / 2);
}

function zoomAll() {
  const r = room(), s = view.size;
  view.k = Math.min(1.2, (r.w - 40) / Math.max(1, s.w),
                    (r.h - 60) / Math.max(1, s.h));
  view.k = Math.max(view.k, 0.01);
  view.x = (r.w - s.w * view.k) / 2;
  view.y = (r.h - s.h * view.k) / 2 + 10;
  look();
}

/* At first: all of it where that can be read, else the beginning. */
function zoomFirst() {
  zoomAll();
  if (view.k >= 0.5) return;
  const first = model.main.items.slice().sort((a, b) =>
    view.box.get(a).y - view.box.get(b).y || a.number - b.number)[0];
  view.k = 0.9;
  if (first) centre(first, 0.1);
}

/* Where an item stands in the whole picture. */
function position(item) {
  const box = view.box.get(item);
  let x = box.x - box.w / 2, y = box.y;
  for (let outer = item.graph.parent; outer; outer = outer.graph.parent) {
    const around = view.box.get(outer);
    const body = around.bodies.find((b) => isIn(item, b.graph));
    x += around.x - around.w / 2 + body.x;
    y += around.y + body.y;
  }
  return {x, y, w: box.w, h: box.h};
}

function centre(item, height) {
  const p = position(item), r = room();
  view.x = r.w / 2 - (p.x + p.w / 2) * view.k;
  view.y = r.h * (height || 0.45) - (p.y + Math.min(p.h, 200) / 2) * view.k;
  look();
}

/* Only where it is not seen well. */
function reveal(item) {
  const p = position(item), r = room();
  if (view.k < 0.38) view.k = 0.8;
  const x = p.x * view.k + view.x, y = p.y * view.k + view.y;
  const inside = x > 10 && y > 40 && x + p.w * view.k < r.w - 10 &&
    y + Math.min(p.h, 60) * view.k < r.h - 10;
  if (!inside) centre(item);
  else look();
}

/* --- Bodies --------------------------------------------------------------- */

function toggle(item) {
  if (!item.bodies.length) return;
  const before = position(item);
  if (view.open.has(item)) view.open.delete(item);
  else view.open.add(item);
  redraw();
  const after = position(item);
  view.x += (before.x + before.w / 2 - after.x - after.w / 2) * view.k;
  view.y += (before.y - after.y) * view.k;
  look();
}

function openAll(open) {
  view.open = new Set(open ? model.items.filter((i) => i.bodies.length) : []);
  redraw();
  zoomFirst();
}

function openAround(item) {
  let changed = false;
  for (let outer = item.graph.parent; outer; outer = outer.graph.parent) {
    changed = changed || !view.open.has(outer);
    view.open.add(outer);
  }
  if (changed) redraw();
}

/* --- Colours -------------------------------------------------------------- */

function providerOf(item) {
  const by = new Set((item.steps || []).map((s) => s.provider || "cpu"));
  return by.has("cuda") ? "cuda" : by.size ? "cpu" : "none";
}

function paint() {
  const by = byId("colour").value;
  const value = by === "time" ? itemTime : itemMacs;
  drawLegend(by);
  let most = 0;
  if (by === "time" || by === "macs")
    for (const item of model.items) most = Math.max(most, value(item));
  for (const [item, g] of view.element) {
    if (item.port) continue;
    g.setAttribute("data-by", by);
    g.setAttribute("data-provider", providerOf(item));
    const share = most ? value(item) / most : 0;
    g.setAttribute("data-heat", Math.ceil(Math.sqrt(share) * 8));
  }
}

/* What the colours of the graph mean, of those that it has. */
function drawLegend(by) {
  const entry = (classes, text, data) =>
    el("span", Object.assign({class: "entry " + classes}, data), text);
  const kinds = new Set(model.items.map((item) => item.kind));
  const providers = new Set(model.items.filter((i) => !i.port)
    .map(providerOf));
  const words = {none: "no step of its own"};
  const list = by === "kind"
    ? Array.from(kinds).sort().map((kind) => entry(kind, kind))
    : by === "provider"
      ? Array.from(providers).sort().map((p) => entry("", words[p] || p,
          {"data-by": "provider", "data-provider": p}))
      : [by === "time" ? "the time of its steps: " : "multiplications: ",
         entry("heat0", "none"), entry("heat4", "some"),
         entry("heat8", "most")];
  byId("legend").replaceChildren(...list);
}

function mark(item) {
  const graph = byId("graph");
  for (const e of graph.querySelectorAll(".selected, .near"))
    e.classList.remove("selected", "near");
  graph.removeAttribute("aria-activedescendant");
  if (!item || !view.element.has(item)) return;
  const element = view.element.get(item);
  element.classList.add("selected");
  graph.setAttribute("aria-activedescendant", element.id);
  for (const path of view.edges.get(item) || []) path.classList.add("near");
}
