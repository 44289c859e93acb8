/* SPDX-License-Identifier: 0BSD */
/* Views, selection, search, mouse and keys. */

function select(item, show) {
  view.selected = item;
  if (item && show) {
    openAround(item);
    showView("graph");
    reveal(item);
  }
  mark(item);
  showPanel(item);
  byId("said").textContent = item ? label(item) + " selected" : "";
}

function showView(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.id === "tab-" + name;
    tab.setAttribute("aria-selected", on);
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
  }
}

/* --- Search --------------------------------------------------------------- */

const HITS = 100;
const index = model.items.map((item) => {
  const names = item.reads.concat(item.makes).filter((t) => t !== null)
    .map((t) => report.tensors[t].name);
  const kernels = (item.steps || []).flatMap((s) => [s.name, s.kernel]);
  return {item, head: (item.op + " " + item.name).toLowerCase(),
          rest: names.concat(kernels).map((s) => s.toLowerCase())};
});

/* Nodes whose operator or name has the text come first. */
function find(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const first = index.filter((x) => x.head.includes(wanted));
  const second = index.filter((x) => !x.head.includes(wanted) &&
    x.rest.some((s) => s.includes(wanted)));
  return first.concat(second);
}

function showHits() {
  const list = byId("hits"), query = byId("query");
  const wanted = query.value.trim().toLowerCase(), hits = find(wanted);
  list.replaceChildren(...hits.slice(0, HITS).map((hit, i) => {
    const by = hit.head.includes(wanted) ? "" :
      hit.rest.find((s) => s.includes(wanted));
    return el("li", {role: "option", id: "hit" + i, "aria-selected": "false",
                     onmousedown: (e) => {
                       e.preventDefault();
                       take(hit);
                     }},
      el("b", {}, shortened(hit.item.op, 24)), " ", bidi(hit.item.name),
      by ? el("span", {class: "tag"}, shortened(by, 50)) : "");
  }));
  if (hits.length > HITS)
    list.append(el("li", {class: "more"}, `${hits.length - HITS} more`));
  if (wanted && !hits.length)
    list.append(el("li", {class: "more"}, "nothing found"));
  list.hidden = !wanted;
  query.setAttribute("aria-expanded", String(!list.hidden));
  list.dataset.count = hits.length;
  point(hits.length ? 0 : -1);
  byId("said").textContent = wanted ? hits.length + " found" : "";
}

function point(i) {
  const list = byId("hits");
  list.dataset.at = i;
  for (const li of list.querySelectorAll("[role=option]"))
    li.setAttribute("aria-selected", String(li.id === "hit" + i));
  const li = byId("hit" + i);
  if (li) {
    li.scrollIntoView({block: "nearest"});
    byId("query").setAttribute("aria-activedescendant", li.id);
  } else byId("query").removeAttribute("aria-activedescendant");
}

function take(hit) {
  select(hit.item, true);
  byId("hits").hidden = true;
  byId("query").setAttribute("aria-expanded", "false");
}

function searchKey(e) {
  const list = byId("hits"), at = Number(list.dataset.at);
  const most = Math.min(HITS, Number(list.dataset.count || 0));
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    e.preventDefault();
    if (list.hidden) showHits();
    else if (most)
      point((at + (e.key === "ArrowDown" ? 1 : most - 1)) % most);
  } else if (e.key === "Enter") {
    const hits = find(byId("query").value);
    const next = list.hidden ? (at + 1) % Math.max(1, most) : at;
    if (!hits.length) return;
    point(next);
    take(hits[next]);
  } else if (e.key === "Escape") {
    if (list.hidden) byId("query").value = "";
    list.hidden = true;
    byId("query").setAttribute("aria-expanded", "false");
  }
}

/* --- Keys ----------------------------------------------------------------- */

/* The neighbour in a direction: makers above, readers below, else the nearest
 * box beside it. */
function neighbour(item, key) {
  const g = item.graph;
  if (key === "ArrowUp") {
    const t = item.reads.concat(item.captured)
      .find((x) => x !== null && g.maker.has(x));
    return t === undefined ? g.parent : g.maker.get(t);
  }
  if (key === "ArrowDown") {
    if (view.open.has(item)) return item.bodies[0].items[0];
    for (const t of item.makes)
      if (g.readers.has(t)) return g.readers.get(t)[0];
    return g.parent;
  }
  const p = position(item), side = key === "ArrowLeft" ? -1 : 1;
  let best = null, least = Infinity;
  for (const other of g.items) {
    const q = position(other);
    const dx = (q.x + q.w / 2 - p.x - p.w / 2) * side;
    const far = dx + 3 * Math.abs(q.y + q.h / 2 - p.y - p.h / 2);
    if (other === item || dx < 1 || far >= least) continue;
    least = far;
    best = other;
  }
  return best;
}

function move(key) {
  const step = 60;
  if (key === "ArrowUp") view.y += step;
  if (key === "ArrowDown") view.y -= step;
  if (key === "ArrowLeft") view.x += step;
  if (key === "ArrowRight") view.x -= step;
  look();
}

function graphKey(e) {
  const item = view.selected;
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key.startsWith("Arrow")) {
    e.preventDefault();
    if (e.shiftKey) return move(e.key);
    const to = item ? neighbour(item, e.key) : model.main.items[0];
    if (to) select(to, true);
  } else if (e.key === "+" || e.key === "=") zoomMiddle(1.25);
  else if (e.key === "-") zoomMiddle(0.8);
  else if (e.key === "0") zoomAll();
  else if (e.key === "1") zoomMiddle(1 / view.k);
  else if (e.key === "f" && item) centre(item);
  else if ((e.key === "Enter" || e.key === " ") && item) {
    e.preventDefault();
    toggle(item);
    showPanel(item);
  } else if (e.key === "Escape") select(null);
}

/* --- Mouse ---------------------------------------------------------------- */

function itemAt(e) {
  const g = e.target.closest ? e.target.closest("g.node, g.port") : null;
  return g ? model.items[Number(g.id.slice(1))] : null;
}

function listenMouse(graph) {
  let drag = null;
  graph.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    drag = {x: e.clientX, y: e.clientY, moved: false, item: itemAt(e)};
    graph.setPointerCapture(e.pointerId);
  });
  graph.addEventListener("pointermove", (e) => {
    if (!drag) return;
    const dx = e.clientX - drag.x, dy = e.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    drag.moved = true;
    view.x += dx;
    view.y += dy;
    drag.x = e.clientX;
    drag.y = e.clientY;
    look();
  });
  graph.addEventListener("pointerup", () => {
    if (drag && !drag.moved) select(drag.item, false);
    drag = null;
  });
  graph.addEventListener("pointercancel", () => { drag = null; });
  graph.addEventListener("dblclick", () => {
    if (!view.selected) return;
    toggle(view.selected);
    showPanel(view.selected);
  });
  graph.addEventListener("wheel", (e) => {
    const r = room(), line = e.deltaMode === 1 ? 16 : 1;
    e.preventDefault();
    if (e.shiftKey) {
      view.x -= (e.deltaX || e.deltaY) * line;
      look();
    } else zoom(Math.exp(-e.deltaY * line * 0.0016), e.clientX - r.left,
                e.clientY - r.top);
  }, {passive: false});
}

function listenTabs() {
  const tabs = Array.from(document.querySelectorAll("[role=tab]"));
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => showView(tab.id.slice(4)));
    tab.addEventListener("keydown", (e) => {
      const by = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
      if (!by) return;
      const to = tabs[(i + by + tabs.length) % tabs.length];
      to.focus();
      showView(to.id.slice(4));
    });
  });
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function listen() {
  const on = (id, f) => byId(id).addEventListener("click", f);
  on("zoom-in", () => zoomMiddle(1.25));
  on("zoom-out", () => zoomMiddle(0.8));
  on("zoom-all", zoomAll);
  on("zoom-one", () => zoomMiddle(1 / view.k));
  on("open-all", () => openAll(true));
  on("close-all", () => openAll(false));
  on("theme", turnTheme);
  on("help", () => {
    byId("keys").hidden = !byId("keys").hidden;
    byId("help").setAttribute("aria-expanded", String(!byId("keys").hidden));
  });
  byId("colour").addEventListener("change", paint);
  byId("query").addEventListener("input", showHits);
  byId("query").addEventListener("keydown", searchKey);
  byId("query").addEventListener("blur", () => { byId("hits").hidden = true; });
  byId("graph").addEventListener("keydown", graphKey);
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.target === byId("query")) return;
    e.preventDefault();
    byId("query").focus();
    byId("query").select();
  });
  listenMouse(byId("graph"));
  listenTabs();
}

function start() {
  const bodies = model.items.some((item) => item.bodies.length);
  document.title = shown(report.model) + ": onnx2c info";
  byId("title").append(bidi(report.model));
  view.open = new Set(model.items.filter((item) => item.bodies.length &&
    (model.items.length <= OPEN_AT_MOST || !item.graph.parent)));
  byId("open-all").hidden = byId("close-all").hidden = !bodies;
  showView("graph");
  redraw();
  zoomFirst();
  drawMemory();
  drawSteps();
  showPanel(null);
  listen();
}

start();
