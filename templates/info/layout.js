/* SPDX-License-Identifier: 0BSD */
/* Places a directed graph in layers: ranks by longest paths, chains of bends
 * for long edges, order by barycentres, and x by Brandes and Koepf
 * ("Fast and simple horizontal coordinate assignment", 2002). Linear in nodes
 * and bends, but for the sorts. */

const GAP_X = 24, GAP_Y = 34, BEND = 10, LONGEST = 5000;

/* boxes: [{w, h}]; edges: [[from, to]]. Gives each box x, y (its centre, its
 * top), and returns {w, h, paths}, a path being a list of points. */
function layout(boxes, edges) {
  const L = {n: boxes.length, boxes, edges, w: boxes.map((b) => b.w)};
  rank(L);
  bend(L);
  order(L);
  place(L);
  return finish(L);
}

function rank(L) {
  const into = boxLists(L.n, L.edges, 1), out = boxLists(L.n, L.edges, 0);
  const left = into.map((l) => l.length), queue = [];
  L.rank = new Array(L.n).fill(0);
  left.forEach((k, v) => k || queue.push(v));
  for (let i = 0; i < queue.length; i++)
    for (const w of out[queue[i]]) {
      L.rank[w] = Math.max(L.rank[w], L.rank[queue[i]] + 1);
      if (--left[w] === 0) queue.push(w);
    }
  /* What reads less than it is read by moves down to its readers. */
  for (let i = queue.length - 1; i >= 0; i--) {
    const v = queue[i];
    if (into[v].length >= out[v].length) continue;
    L.rank[v] = Math.min(...out[v].map((w) => L.rank[w])) - 1;
  }
  L.topological = queue;
}

function boxLists(n, edges, at) {
  const lists = Array.from({length: n}, () => []);
  for (const e of edges) lists[e[at]].push(e[1 - at]);
  return lists;
}

/* One chain of bends for each box, for all its readers; longer edges than
 * LONGEST are drawn straight. */
function bend(L) {
  const far = boxLists(L.n, L.edges, 0);
  L.up = Array.from({length: L.n}, () => []);
  L.down = Array.from({length: L.n}, () => []);
  L.through = new Map();
  const link = (a, b) => {
    L.down[a].push(b);
    L.up[b].push(a);
  };
  for (let v = 0; v < L.n; v++) {
    const chain = [v];
    const most = Math.max(0, ...far[v].map((w) => L.rank[w] - L.rank[v])
      .filter((k) => k <= LONGEST));
    for (let k = 1; k < most; k++) {
      const d = L.w.length;
      L.w.push(BEND);
      L.rank.push(L.rank[v] + k);
      L.up.push([]);
      L.down.push([]);
      link(chain[k - 1], d);
      chain.push(d);
    }
    for (const w of far[v])
      if (L.rank[w] - L.rank[v] <= LONGEST)
        link(chain[L.rank[w] - L.rank[v] - 1], w);
    L.through.set(v, chain);
  }
  L.all = L.w.length;
}

function order(L) {
  L.layers = [];
  const seen = new Uint8Array(L.all);
  const put = (start) => {
    const stack = [start];
    while (stack.length) {
      const v = stack.pop();
      if (seen[v]) continue;
      seen[v] = 1;
      (L.layers[L.rank[v]] = L.layers[L.rank[v]] || []).push(v);
      for (let i = L.down[v].length - 1; i >= 0; i--) stack.push(L.down[v][i]);
    }
  };
  L.topological.forEach((v) => L.up[v].length || put(v));
  for (let v = 0; v < L.all; v++) put(v);
  for (let r = 0; r < L.layers.length; r++) L.layers[r] = L.layers[r] || [];
  L.pos = new Array(L.all).fill(0);
  L.layers.forEach((layer) => numberLayer(L, layer));
  let best = L.layers.map((l) => l.slice()), least = crossings(L);
  for (let sweep = 0; sweep < 12 && least > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (let i = 1; i < L.layers.length; i++)
      sortLayer(L, L.layers[down ? i : L.layers.length - 1 - i],
                 down ? L.up : L.down);
    const now = crossings(L);
    if (now >= least) continue;
    least = now;
    best = L.layers.map((l) => l.slice());
  }
  L.layers = best;
  L.layers.forEach((layer) => numberLayer(L, layer));
  for (const list of L.up) list.sort((a, b) => L.pos[a] - L.pos[b]);
  for (const list of L.down) list.sort((a, b) => L.pos[a] - L.pos[b]);
}

function numberLayer(L, layer) {
  layer.forEach((v, i) => { L.pos[v] = i; });
}

function sortLayer(L, layer, near) {
  const key = new Map();
  for (const v of layer) {
    let sum = 0;
    for (const w of near[v]) sum += L.pos[w];
    key.set(v, near[v].length ? sum / near[v].length : L.pos[v]);
  }
  layer.sort((a, b) => key.get(a) - key.get(b) || L.pos[a] - L.pos[b]);
  numberLayer(L, layer);
}

/* Pairs of crossing edges, by a tree of counts. */
function crossings(L) {
  let sum = 0;
  for (let r = 0; r + 1 < L.layers.length; r++) {
    const size = L.layers[r + 1].length, tree = new Int32Array(size + 1);
    let total = 0;
    for (const v of L.layers[r]) {
      const to = L.down[v].map((w) => L.pos[w]).sort((a, b) => a - b);
      for (const p of to) {
        sum += total;
        for (let i = p + 1; i > 0; i -= i & -i) sum -= tree[i];
      }
      for (const p of to) {
        total++;
        for (let i = p + 1; i <= size; i += i & -i) tree[i]++;
      }
    }
  }
  return sum;
}

/* Edges that cross one between two bends, which must be straight. */
function conflicts(L) {
  const marked = new Set();
  const isBend = (v) => v >= L.n;
  for (let r = 1; r < L.layers.length; r++) {
    const layer = L.layers[r];
    let k0 = 0, scan = 0;
    layer.forEach((v, i) => {
      const inner = isBend(v) && L.up[v].length && isBend(L.up[v][0])
        ? L.up[v][0] : -1;
      if (inner < 0 && i + 1 < layer.length) return;
      const k1 = inner < 0 ? L.layers[r - 1].length : L.pos[inner];
      for (; scan <= i; scan++)
        for (const u of L.up[layer[scan]]) {
          const straight = isBend(u) && isBend(layer[scan]);
          if (!straight && (L.pos[u] < k0 || L.pos[u] > k1))
            marked.add(u * L.all + layer[scan]);
        }
      k0 = k1;
    });
  }
  return marked;
}

/* Whom a vertex may join in a line: no box that nothing leads to, as constants
 * are, where there are others; of two medians a box joins a box, a bend a bend.
 * So that what the computation runs along is straight. */
function candidates(L, v, list, right) {
  let near = list.filter((u) => !L.light[u]);
  if (!near.length) near = list;
  const middle = (near.length - 1) / 2;
  if (!near.length || L.light[v]) return [];
  const pair = [near[Math.floor(middle)], near[Math.ceil(middle)]];
  const like = pair.map((u) => (u >= L.n) === (v >= L.n));
  if (like[0] !== like[1]) return [pair[like[0] ? 0 : 1]];
  return right ? pair.reverse() : pair;
}

/* One of four ways: vertices join the median neighbour above (or below), from
 * the left (or right), if they are its median ones, too: else a box of three
 * readers joins the first, and the picture leans. Joined ones get one x. */
function align(L, marked, below, right) {
  const root = new Int32Array(L.all), next = new Int32Array(L.all);
  for (let v = 0; v < L.all; v++) root[v] = next[v] = v;
  const near = below ? L.down : L.up, back = below ? L.up : L.down;
  const layers = below ? L.layers.slice().reverse() : L.layers;
  for (const layer of layers) {
    let edge = right ? Infinity : -1;
    for (let i = 0; i < layer.length; i++) {
      const v = layer[right ? layer.length - 1 - i : i];
      for (const u of candidates(L, v, near[v], right)) {
        const p = L.pos[u];
        const key = below ? v * L.all + u : u * L.all + v;
        if (next[v] !== v || marked.has(key)) continue;
        if (right ? p >= edge : p <= edge) continue;
        if (!candidates(L, u, back[u], right).includes(v)) continue;
        next[u] = v;
        root[v] = root[u];
        next[v] = root[v];
        edge = p;
      }
    }
  }
  return compact(L, root, right);
}

/* By block: the blocks that edges lead to. */
function linked(L, root) {
  const links = new Map();
  const add = (a, b) => {
    if (!links.has(a)) links.set(a, []);
    links.get(a).push(b);
  };
  for (let v = 0; v < L.all; v++)
    for (const w of L.down[v])
      if (root[v] !== root[w]) {
        add(root[v], root[w]);
        add(root[w], root[v]);
      }
  return links;
}

/* Blocks as far left as they go, then right as far as their edges want and
 * their neighbours allow it (mirrored for the ways from the right). */
function compact(L, root, right) {
  const into = new Map(), out = new Map(), count = new Map();
  const links = linked(L, root);
  for (let v = 0; v < L.all; v++)
    if (root[v] === v) {
      into.set(v, []);
      out.set(v, []);
    }
  for (const layer of L.layers)
    for (let i = 1; i < layer.length; i++) {
      let a = layer[i - 1], b = layer[i];
      const gap = (L.w[a] + L.w[b]) / 2 + GAP_X;
      if (right) [a, b] = [b, a];
      out.get(root[a]).push([root[b], gap]);
      into.get(root[b]).push([root[a], gap]);
    }
  const queue = [], x = new Float64Array(L.all);
  for (const [v, list] of into) {
    count.set(v, list.length);
    if (!list.length) queue.push(v);
  }
  for (let i = 0; i < queue.length; i++)
    for (const [w, gap] of out.get(queue[i])) {
      x[w] = Math.max(x[w], x[queue[i]] + gap);
      count.set(w, count.get(w) - 1);
      if (count.get(w) === 0) queue.push(w);
    }
  for (let i = queue.length - 1; i >= 0; i--) {
    const v = queue[i];
    const want = (links.get(v) || [v]).map((w) => x[w]);
    let most = want.reduce((a, b) => a + b, 0) / want.length;
    for (const [w, gap] of out.get(v)) most = Math.min(most, x[w] - gap);
    x[v] = Math.max(x[v], most);
  }
  const sign = right ? -1 : 1;
  return x.map((_, v) => sign * x[root[v]]);
}

function extent(L, x) {
  let least = Infinity, most = -Infinity;
  for (let v = 0; v < L.all; v++) {
    least = Math.min(least, x[v] - L.w[v] / 2);
    most = Math.max(most, x[v] + L.w[v] / 2);
  }
  return [least, most];
}

function place(L) {
  L.light = L.w.map((_, v) => v < L.n && !L.up[v].length && L.rank[v] > 0);
  const marked = conflicts(L), ways = [];
  for (const below of [false, true])
    for (const right of [false, true])
      ways.push(align(L, marked, below, right));
  const sizes = ways.map((x) => extent(L, x));
  const width = sizes.map(([a, b]) => b - a);
  const thin = width.indexOf(Math.min(...width));
  ways.forEach((x, k) => {
    const shift = k % 2 ? sizes[thin][1] - sizes[k][1]
      : sizes[thin][0] - sizes[k][0];
    for (let v = 0; v < L.all; v++) x[v] += shift;
  });
  L.x = new Float64Array(L.all);
  for (let v = 0; v < L.all; v++) {
    const four = ways.map((x) => x[v]).sort((a, b) => a - b);
    L.x[v] = (four[1] + four[2]) / 2;
  }
}

function finish(L) {
  const [left, right] = L.all ? extent(L, L.x) : [0, 0];
  const top = [], tall = [];
  let y = 0;
  L.layers.forEach((layer, r) => {
    tall[r] = Math.max(0, ...layer.map((v) => v < L.n ? L.boxes[v].h : 0));
    top[r] = y;
    y += tall[r] + GAP_Y;
  });
  for (let v = 0; v < L.n; v++) {
    L.boxes[v].x = L.x[v] - left;
    L.boxes[v].y = top[L.rank[v]] + (tall[L.rank[v]] - L.boxes[v].h) / 2;
  }
  const paths = L.edges.map(([a, b]) => {
    const points = [[L.boxes[a].x, L.boxes[a].y + L.boxes[a].h]];
    const chain = L.through.get(a);
    for (let k = 1; k < L.rank[b] - L.rank[a] && k < chain.length; k++) {
      const r = L.rank[chain[k]], x = L.x[chain[k]] - left;
      points.push([x, top[r]], [x, top[r] + tall[r]]);
    }
    points.push([L.boxes[b].x, L.boxes[b].y]);
    return points;
  });
  return {w: right - left, h: Math.max(0, y - GAP_Y), paths};
}
