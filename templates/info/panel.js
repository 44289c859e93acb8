/* SPDX-License-Identifier: 0BSD */
/* The panel: what is selected, or the model where nothing is. */

function row(name, ...content) {
  return el("tr", {}, el("th", {scope: "row"}, name), el("td", {}, ...content));
}

function table(rows, head) {
  const t = el("table");
  if (head)
    t.append(el("thead", {}, el("tr", {},
      ...head.map((h) => el("th", {scope: "col"}, h)))));
  t.append(el("tbody", {}, ...rows));
  return el("div", {class: "wide"}, t);
}

function cells(...content) {
  return el("tr", {}, ...content.map((c) => el("td", {}, c)));
}

/* A formula; a long one opens. */
function formula(text) {
  const s = shown(text);
  return s.length <= 120 ? s
    : el("details", {}, el("summary", {}, shortened(s, 80)), s);
}

function bidi(text) {
  return el("bdi", {}, shown(text));
}

/* A button that selects an item. */
function link(item, text) {
  return el("button", {class: "link", onclick: () => select(item, true)},
            text === undefined ? bidi(item.name || item.op) : text);
}

/* A number with five digits, as most are floats written in full. */
function plain(v) {
  return typeof v === "number" && !Number.isInteger(v)
    ? String(Number(v.toPrecision(5))) : shortened(v, 60);
}

function valueText(tensor) {
  if (!tensor.values) return "";
  const count = (tensor.shape || []).reduce((a, b) => a * b, 1), most = 8;
  return tensor.values.slice(0, most).map(plain).join(", ") +
    (most < count ? ", \u2026" : "");
}

function tensorCell(t, item) {
  const tensor = report.tensors[t], maker = makerOf(t, item.graph);
  const cell = el("div", {}, bidi(tensor.name));
  if (maker && maker !== item)
    cell.append(" \u2190 ", link(maker, shortened(maker.op, 20)));
  if (tensor.constant) cell.append(el("span", {class: "tag"}, "constant"));
  const values = valueText(tensor);
  if (values) cell.append(el("div", {class: "values"}, values));
  return cell;
}

function readersCell(t, item) {
  const cell = el("div", {}, bidi(report.tensors[t].name));
  for (const to of item.graph.readers.get(t) || [])
    cell.append(" \u2192 ", link(to, shortened(to.op, 20)));
  return cell;
}

function tensorTable(title, list, item, cell) {
  const rows = list.map((t, i) => t === null
    ? cells(String(i), "(omitted)", "")
    : cells(String(i), cell(t, item), tensorText(t)));
  if (!rows.length) return "";
  return el("section", {}, el("h3", {}, title),
            table(rows, ["", "tensor", "type and shape"]));
}

function attributeText(a) {
  if (a.type === "tensor")
    return shapeText(a.value.type, a.value.shape) + " " + valueText(a.value);
  if (Array.isArray(a.value))
    return "[" + a.value.map(plain).join(", ") +
      (a.value.length < a.count ? `, \u2026 ${a.count} in all` : "") + "]";
  return a.value === null ? a.type
    : typeof a.value === "number" ? plain(a.value) : shown(a.value);
}

function storeText(x) {
  if (x.slot !== undefined) {
    const slot = report.memory.slots[x.slot];
    return `piece ${x.slot}: ${placeText(slot)}, steps ${slot.first} to ` +
      slot.last;
  }
  if (x.weight !== undefined)
    return "weights, " + bytesText(report.memory.weights[x.weight].bytes);
  if (x.input !== undefined) return "the caller's input " + x.input;
  return x.output !== undefined ? "the caller's output " + x.output : "";
}

function placeText(slot) {
  const where = slot.place === "device" ? " of the GPU" : "";
  if (slot.bytes !== undefined)
    return `${bytesText(slot.bytes)} at ${number(slot.offset)}${where}`;
  if (slot.unit !== undefined)
    return `${number(slot.units)} x (${shown(slot.unit)}) bytes at ` +
      `${number(slot.offset)} x that in piece ${slot.whole}`;
  return shortened(slot.size, 160) + " bytes" + where;
}

function memoryRows(step) {
  const rows = [];
  for (const x of step.writes)
    rows.push(cells("writes", bidi(x.name), storeText(x)));
  for (const x of step.reads)
    rows.push(cells("reads", bidi(x.name), storeText(x)));
  for (const slot of step.scratch)
    rows.push(cells("scratch", "", storeText({slot})));
  return rows;
}

function stepSection(step, item) {
  const rows = [row("step", step.number + ": " + step.name),
                row("kernel", shown(step.kernel)),
                row("provider", step.provider || "cpu")];
  if (step.why) rows.push(row("not on the GPU", shown(step.why)));
  if (step.macs) rows.push(row("MACs", typeof step.macs === "number"
    ? number(step.macs) : formula(step.macs)));
  if (step.bytes !== undefined) rows.push(row("moves", bytesText(step.bytes)));
  if (step.measured_ns !== undefined)
    rows.push(row("time", el("b", {}, timeText(step.measured_ns)),
                  ", measured"));
  if (step.expected_ns !== undefined)
    rows.push(row("expected", timeText(step.expected_ns),
                  ", by the cost model"));
  rows.push(row("gives", shapeText(step.type, step.shape)));
  const others = step.nodes.map((o) => model.nodes.get(o.id))
    .filter((o) => o && o !== item);
  if (others.length) {
    const cell = el("td");
    others.forEach((o) => cell.append(link(o, shortened(o.op, 24) + " " +
                                           shortened(o.name, 30)), " "));
    rows.push(el("tr", {}, el("th", {scope: "row"}, "together with"), cell));
  }
  return el("section", {class: "step"}, table(rows),
            table(memoryRows(step), ["", "tensor", "memory"]));
}

function nodePanel(item) {
  const n = item.node;
  const rows = [row("operator", bidi(n.op), ` version ${n.version}`),
                row("domain", bidi(n.domain || "ai.onnx")),
                row("name", bidi(n.name || "(none)")),
                row("node", `${n.index} of its graph`)];
  if (item.graph.parent)
    rows.push(row("in", link(item.graph.parent), " ",
                  bidi(item.graph.attribute)));
  const out = [el("h2", {}, bidi(n.op)), table(rows)];
  if (item.bodies.length)
    out.push(el("button", {onclick: () => { toggle(item); showPanel(item); }},
                view.open.has(item) ? "Close bodies" : "Open bodies"));
  out.push(tensorTable("Inputs", n.inputs, item, tensorCell),
           tensorTable("Outputs", n.outputs, item, readersCell));
  if (item.captured.length)
    out.push(tensorTable("Read by its bodies", item.captured, item,
                         tensorCell));
  if (n.attributes.length)
    out.push(el("h3", {}, "Attributes"),
             table(n.attributes.map((a) => row(shown(a.name),
               el("bdi", {class: "values"}, attributeText(a))))));
  out.push(el("h3", {}, item.steps.length > 1 ? "Steps" : "Step"));
  const most = 12;
  for (const step of item.steps.slice(0, most))
    out.push(stepSection(step, item));
  if (item.steps.length > most)
    out.push(el("p", {}, `and ${item.steps.length - most} more, see Steps`));
  if (!item.steps.length)
    out.push(el("p", {}, report.steps
      ? "None of its own: it was computed when compiling, or became part of " +
        "others (a view, a constant, control flow), or nothing reads it."
      : "The model has no plan."));
  return out;
}

function portPanel(item) {
  const t = item.makes.concat(item.reads)[0];
  return [el("h2", {}, `graph ${item.op} `, bidi(item.name)),
          table([row("type", tensorText(t))]),
          item.op === "input"
            ? tensorTable("Read by", [t], item, readersCell)
            : tensorTable("Made by", [t], item, tensorCell)];
}

function portRows(list) {
  return list.map((p) => cells(bidi(p.name), shapeText(p.type, p.shape)));
}

function workspaceRows() {
  const w = report.workspace, rows = [];
  if (!report.memory) return rows;
  rows.push(row("workspace", w.bytes !== undefined ? bytesText(w.bytes)
    : formula(report.memory.formula + " bytes")));
  if (w.bytes !== undefined)
    rows.push(row("lower bound", bytesText(w.lower_bound)));
  rows.push(row("weights", bytesText(report.weights.bytes), ", mode ",
                report.weights.mode));
  if (report.device)
    rows.push(row("GPU", `${report.device.regions} regions, ` +
      `${report.device.steps} steps; ${report.device.cpu_steps} steps on ` +
      "the CPU"));
  return rows;
}

function modelPanel() {
  const ops = Object.entries(report.operators).sort((a, b) => b[1] - a[1]);
  const rows = [row("file", bidi(report.model)),
    row("opset", Object.entries(report.opsets)
      .map(([d, v]) => shown(d) + " " + v).join(", ")),
    row("nodes", `${model.nodes.size} in the file, ${report.nodes} after ` +
        "optimisation"),
    row("parameters", number(report.parameters), ", ",
        bytesText(report.parameter_bytes))];
  if (report.batch)
    rows.push(row("batch", shown(report.batch.dimension === null ? "none"
      : report.batch.dimension) + ", " + report.batch.law));
  if (report.macs !== undefined)
    rows.push(row("MACs", typeof report.macs === "number"
      ? number(report.macs) : formula(report.macs)));
  rows.push(...workspaceRows());
  const steps = report.steps || [];
  const times = steps.reduce((s, x) => s + stepTime(x), 0);
  if (times && (model.timed || steps.every((s) => "expected_ns" in s)))
    rows.push(row("time", timeText(Math.round(times)),
                  model.timed ? ", measured" : ", by the cost model"));
  return [el("h2", {}, "Model"), table(rows),
          el("h3", {}, "Inputs"), table(portRows(report.inputs)),
          el("h3", {}, "Outputs"), table(portRows(report.outputs)),
          el("h3", {}, "Operators"),
          table(ops.map(([op, n]) => cells(bidi(op), String(n))))];
}

function showPanel(item) {
  const out = !item ? modelPanel() : item.port ? portPanel(item)
    : nodePanel(item);
  byId("panel").replaceChildren(...out);
  byId("panel").scrollTop = 0;
}
