/* SPDX-License-Identifier: 0BSD */
/* The report as objects: nodes of all graphs by number, their steps, who makes
 * and who reads a tensor. All text of the model reaches the page by shown() and
 * text nodes, never as markup. */
"use strict";

const report = JSON.parse(document.getElementById("report").textContent);

/* Control characters, and those that reorder or hide text, made visible. */
const HIDDEN = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c" +
  "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb]", "g");

function shown(text) {
  return String(text).replace(HIDDEN, (c) =>
    "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

function shortened(text, most) {
  const s = Array.from(shown(text));
  return s.length <= most ? s.join("")
    : s.slice(0, most - 1).join("") + "\u2026";
}

/* An element: el("b", {class: "x"}, "text", child). */
function el(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const key in attributes || {})
    if (key.startsWith("on")) e.addEventListener(key.slice(2), attributes[key]);
    else e.setAttribute(key, attributes[key]);
  e.append(...children);
  return e;
}

function svg(name, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes || {}) e.setAttribute(key, attributes[key]);
  e.append(...children);
  return e;
}

function byId(id) {
  return document.getElementById(id);
}

const KINDS = [
  ["product", /Conv|Gemm|MatMul|Attention|LSTM|GRU|RNN|Einsum|Linear/],
  ["control", /^(If|Loop|Scan|SequenceMap|Optional.*|Sequence.*)$/],
  ["constant", /^Constant/],
  ["norm", /Norm|LRN|Softmax/],
  ["pool", /Pool|Reduce|ArgM|TopK|CumSum|Resize|Upsample/],
  ["move", new RegExp("Shape|Transpose|Concat|Split|Slice|Gather|Squeeze|" +
    "Flatten|Expand|Tile|Pad|Identity|Cast|Size|Scatter|Range|Depth|Space")],
  ["quantize", /Quantize|QLinear|Integer/],
  ["ml", /Tree|SVM|Scaler|Encoder|ZipMap|Normalizer|Imputer|Classifier|Regr/],
];

function kindOf(op) {
  const kind = KINDS.find(([, pattern]) => pattern.test(op));
  return kind ? kind[0] : "other";
}

/* A graph gets items: its nodes, and ports for its inputs and outputs. An item
 * has what it reads and what it makes, as tensors' numbers. */
const model = {nodes: new Map(), items: [], graphs: []};

function addGraph(graph, parent) {
  const g = {name: graph.name, parent, items: [], maker: new Map(),
             readers: new Map(), inputs: graph.inputs, outputs: graph.outputs};
  model.graphs.push(g);
  const add = (item) => {
    item.number = model.items.length;
    item.graph = g;
    item.bodies = [];
    model.items.push(item);
    g.items.push(item);
    return item;
  };
  for (const t of graph.inputs)
    add({kind: "input", op: "input", name: report.tensors[t].name,
         reads: [], makes: [t], port: true});
  for (const node of graph.nodes) {
    const item = add({kind: kindOf(node.op), op: node.op, name: node.name, node,
                      reads: node.inputs, makes: node.outputs, steps: []});
    if (!model.nodes.has(node.id)) model.nodes.set(node.id, item);
    for (const body of node.bodies || []) {
      const inner = addGraph(body.graph, item);
      inner.attribute = body.attribute;
      item.bodies.push(inner);
    }
  }
  for (const t of graph.outputs)
    add({kind: "output", op: "output", name: report.tensors[t].name,
         reads: [t], makes: [], port: true});
  connect(g);
  return g;
}

/* Tensors that a body, or one inside of it, takes from outside. */
function captured(item) {
  const taken = new Set();
  for (const body of item.bodies)
    for (const inner of body.items)
      for (const t of inner.reads.concat(inner.captured || []))
        if (t !== null && !body.maker.has(t) && !report.tensors[t].constant)
          taken.add(t);
  return Array.from(taken);
}

function connect(g) {
  for (const item of g.items)
    for (const t of item.makes)
      if (t !== null) g.maker.set(t, item);
  for (const item of g.items) {
    item.captured = captured(item);
    for (const t of item.reads.concat(item.captured)) {
      if (t === null || !g.maker.has(t)) continue;
      if (!g.readers.has(t)) g.readers.set(t, []);
      if (!g.readers.get(t).includes(item)) g.readers.get(t).push(item);
    }
  }
}

model.main = addGraph(report.graph, null);
(report.steps || []).forEach((step, number) => {
  step.number = number;
  for (const origin of step.nodes) {
    const item = model.nodes.get(origin.id);
    if (item && !item.steps.includes(step)) item.steps.push(step);
  }
});
model.timed = (report.steps || []).some((s) => s.measured_ns !== undefined);

/* A step of several nodes counts for each of them, as it is their time. */
function stepTime(step) {
  return step.measured_ns !== undefined ? step.measured_ns
    : model.timed ? 0 : step.expected_ns || 0;
}

function itemTime(item) {
  return (item.steps || []).reduce((sum, s) => sum + stepTime(s), 0);
}

function itemMacs(item) {
  return (item.steps || []).reduce((sum, s) =>
    sum + (typeof s.macs === "number" ? s.macs : 0), 0);
}

function isIn(item, graph) {
  for (let g = item.graph; g; g = g.parent && g.parent.graph)
    if (g === graph) return true;
  return false;
}

/* The item of graph `g` that is `item` or has it in a body. */
function holder(item, g) {
  while (item && item.graph !== g) item = item.graph.parent;
  return item;
}

/* Who makes a tensor, seen from a graph; undefined: a constant. */
function makerOf(t, g) {
  for (; g; g = g.parent && g.parent.graph)
    if (g.maker.has(t)) return g.maker.get(t);
  return undefined;
}

function shapeText(type, shape) {
  return (type || "?") + " " + (shape ? "[" + shape.join(", ") + "]" : "[?]");
}

function tensorText(t) {
  return shapeText(report.tensors[t].type, report.tensors[t].shape);
}

function number(v) {
  return String(v).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

function bytesText(v) {
  if (typeof v !== "number") return shown(v);
  if (v < 10240) return number(v) + " B";
  return v < 10485760 ? (v / 1024).toFixed(1) + " KiB"
    : (v / 1048576).toFixed(1) + " MiB";
}

function timeText(ns) {
  return ns < 1e3 ? ns + " ns" : ns < 1e6 ? (ns / 1e3).toFixed(2) + " \u00b5s"
    : (ns / 1e6).toFixed(3) + " ms";
}
