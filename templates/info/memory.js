/* SPDX-License-Identifier: 0BSD */
/* Two more views: the memory map, a box for each piece over the steps of its
 * life, and the table of steps. */

const MAP_W = 1000, MAP_H = 420, MAP_LEFT = 90, MAP_TOP = 14;

/* By piece: the steps that write it or use it as scratch, and the tensors. */
function pieceUsers() {
  const users = report.memory.slots.map(() => ({steps: [], names: []}));
  const add = (slot, step, name) => {
    const u = users[slot];
    if (!u.steps.includes(step)) u.steps.push(step);
    if (!u.names.includes(name)) u.names.push(name);
  };
  for (const step of report.steps) {
    for (const x of step.writes)
      if (x.slot !== undefined) add(x.slot, step, x.name);
    for (const slot of step.scratch)
      add(slot, step, "scratch of " + step.name);
  }
  return users;
}

/* [offset, size] in bytes, or in units of the group; null: only the run tells
 * where it lies. */
function extentOf(slot, group) {
  if (slot.bytes !== undefined) return [slot.offset, slot.bytes];
  return slot.units !== undefined && slot.whole === group
    ? [slot.offset, slot.units] : null;
}

function stepItem(step) {
  for (const o of step.nodes)
    if (model.nodes.has(o.id)) return model.nodes.get(o.id);
  return null;
}

function drawMap(place, group, title, unit) {
  const users = pieceUsers();
  const list = report.memory.slots.map((slot, i) => ({slot, i}))
    .filter(({slot}) => slot.place === place && extentOf(slot, group));
  if (!list.length) return [];
  const total = Math.max(...list.map(({slot}) => {
    const [at, size] = extentOf(slot, group);
    return at + size;
  }), 1);
  const count = report.steps.length;
  const X = (k) => MAP_LEFT + k * (MAP_W - MAP_LEFT - 10) / count;
  const Y = (b) => MAP_TOP + b * (MAP_H - MAP_TOP - 40) / total;
  const picture = svg("svg", {class: "map", role: "group", "aria-label": title,
                              viewBox: `0 0 ${MAP_W} ${MAP_H}`});
  axes(picture, X, Y, count, total, unit);
  for (const {slot, i} of list) {
    const [at, size] = extentOf(slot, group);
    picture.append(piece(slot, i, users[i], {
      x: X(slot.first), y: Y(at),
      width: Math.max(1, X(slot.last + 1) - X(slot.first)),
      height: Math.max(1, Y(at + size) - Y(at))}));
  }
  return [el("h3", {}, title), picture];
}

function axes(picture, X, Y, count, total, unit) {
  for (let k = 0; k <= 4; k++) {
    const b = total * k / 4, y = Y(b);
    picture.append(svg("path", {class: "axis",
                                d: `M${MAP_LEFT} ${y}H${MAP_W - 10}`}),
                   svg("text", {x: MAP_LEFT - 6, y: y + 4, class: "tick",
                                "text-anchor": "end"},
                       unit ? number(Math.round(b)) + " u"
                            : bytesText(Math.round(b))));
  }
  const every = Math.max(1, Math.ceil(count / 20));
  for (let k = 0; k < count; k += every)
    picture.append(svg("text", {x: X(k), y: MAP_H - 22, class: "tick",
                                "text-anchor": "middle"}, String(k)));
  picture.append(svg("text", {x: (MAP_LEFT + MAP_W) / 2, y: MAP_H - 4,
                              class: "tick", "text-anchor": "middle"},
                     "steps"));
}

function piece(slot, i, user, box) {
  const text = `piece ${i}: ${user.names.map(shown).join(", ")}; ` +
    `${placeText(slot)}; steps ${slot.first} to ${slot.last}`;
  const scratch = user.names.every((n) => n.startsWith("scratch of "));
  const rect = svg("rect", Object.assign({
    class: "piece tone" + i % 6 + (scratch ? " scratch" : ""),
    tabindex: 0, role: "button", "data-piece": i, "aria-label": text}, box),
    svg("title", {}, text));
  const go = () => {
    const item = user.steps.length ? stepItem(user.steps[0]) : null;
    if (item) select(item, false);
    byId("said").textContent = text;
  };
  rect.addEventListener("click", go);
  rect.addEventListener("keydown", (e) => {
    if (e.key === "Enter" || e.key === " ") {
      e.preventDefault();
      go();
    }
  });
  return rect;
}

function pieceTable() {
  const users = pieceUsers();
  const rows = report.memory.slots.map((slot, i) => {
    const names = users[i].names.slice(0, 6).map(shown).join(", ") +
      (users[i].names.length > 6 ? `, ${users[i].names.length - 6} more` : "");
    const item = users[i].steps.length ? stepItem(users[i].steps[0]) : null;
    return cells(String(i), placeText(slot), slot.first + " to " + slot.last,
                 item ? link(item, names) : names);
  });
  return table(rows, ["piece", "bytes and place", "steps", "tensors"]);
}

function drawMemory() {
  const out = byId("view-memory");
  if (!report.memory) {
    out.replaceChildren(el("p", {}, "The model has no plan."));
    return;
  }
  const parts = [el("h2", {}, "Memory"), table(workspaceRows())];
  parts.push(...drawMap("workspace", null, "Workspace over the steps"),
             ...drawMap("device", null, "Arena of the GPU over the steps"));
  report.memory.slots.forEach((slot, i) => {
    if (slot.size !== undefined)
      parts.push(...drawMap("workspace", i, `Piece ${i} over the steps, in ` +
        `units (u) of ${shown(groupUnit(i))} bytes`, true));
  });
  const weights = report.memory.weights.slice()
    .sort((a, b) => b.bytes - a.bytes).slice(0, 40);
  parts.push(el("h3", {}, "Pieces"), pieceTable(),
    el("h3", {}, `Weights: ${report.memory.weights.length}` +
      (weights.length < report.memory.weights.length
        ? ", the 40 largest" : "")),
    table(weights.map((w) => cells(bidi(w.name), shapeText(w.type, w.shape),
                                   bytesText(w.bytes))),
          ["weight", "type and shape", "bytes"]));
  out.replaceChildren(...parts);
}

function groupUnit(i) {
  const member = report.memory.slots.find((s) => s.whole === i);
  return member ? member.unit : "?";
}

/* --- Steps ---------------------------------------------------------------- */

const COLUMNS = [
  ["#", (s) => s.number], ["step", (s) => s.name],
  ["kernel", (s) => s.kernel], ["by", (s) => s.provider || "cpu"],
  ["MACs", (s) => s.macs || ""],
  ["bytes", (s) => s.bytes === undefined ? "" : s.bytes],
  ["expected \u00b5s", (s) => s.expected_ns === undefined ? ""
    : s.expected_ns / 1e3],
  ["measured \u00b5s", (s) => s.measured_ns === undefined ? ""
    : s.measured_ns / 1e3],
  ["gives", (s) => shapeText(s.type, s.shape)],
  ["nodes", (s) => s.nodes.map((n) => n.op + " " + n.name).join(" + ")],
];

function cellText(v) {
  return typeof v !== "number" ? shown(v)
    : Number.isInteger(v) ? number(v) : v.toFixed(2);
}

function drawSteps(by, down) {
  const out = byId("view-steps"), steps = (report.steps || []).slice();
  const columns = COLUMNS.filter(([name]) =>
    model.timed || !name.startsWith("measured"));
  const value = by === undefined ? null : columns[by][1];
  if (value)
    steps.sort((a, b) => {
      const x = value(a), y = value(b);
      const less = x === y ? 0 : x < y || x === "" ? -1 : 1;
      return down ? -less : less;
    });
  const head = el("tr", {}, ...columns.map(([name], i) =>
    el("th", {scope: "col", "aria-sort": i !== by ? "none"
                : down ? "descending" : "ascending"},
       el("button", {class: "link", onclick: () =>
         drawSteps(i, i === by ? !down : i > 3)}, name))));
  const body = steps.map((s) => {
    const item = stepItem(s);
    const tr = el("tr", {"data-step": s.number});
    columns.forEach(([, get], i) => {
      const text = cellText(get(s)), cell = el("td");
      cell.append(i === 1 && item ? link(item, text) : text);
      if (typeof get(s) === "number") cell.className = "number";
      tr.append(cell);
    });
    return tr;
  });
  out.replaceChildren(el("h2", {}, `${steps.length} steps`),
    el("div", {class: "wide"}, el("table", {}, el("thead", {}, head),
                                  el("tbody", {}, ...body))));
}
