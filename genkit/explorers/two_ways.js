// Points of two classes in the plane; a border drawn by logistic regression, and one that follows from two Gaussians.
// state: { scenes: { name: [[x, y, class], …] }, extent, floor, ridge }
// inputs: { points: [[x, y, class], …], shared, at: [x, y], seed, draws }
// run gives: bias and weights of the logistic regression; of each class its share, mean and covariance (xx, xy, yy);
// p(class 1 | at) by each of the two; log p(at); then the draws: class, x, y
function run(state, { points, shared, at, seed, draws }) {
  const w = logistic(points, state.ridge), both = gaussians(points, shared, state.floor);
  const [a, b] = both.map((g) => logJoint(g, at)), top = Math.max(a, b);
  const logP = top + Math.log(Math.exp(a - top) + Math.exp(b - top));
  const described = both.flatMap((g) => [g.share, ...g.mean, ...g.cov]);
  return [...w, ...described, squash(w[0] + w[1] * at[0] + w[2] * at[1]), Math.exp(b - logP), logP, ...sample(both, seed, draws).flat()];
}

const squash = (v) => 1 / (1 + Math.exp(-v));

// Newton's method with halved steps: ridge / 2 · |weights|² is added to the loss, and the bias is free
function logistic(points, ridge) {
  const cost = (w) => points.reduce((sum, [x, y, c]) => {
    const v = (2 * c - 1) * (w[0] + w[1] * x + w[2] * y);
    return sum + (v > 0 ? Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v)) - v);
  }, (ridge / 2) * (w[1] ** 2 + w[2] ** 2));
  let w = [0, 0, 0];
  for (let k = 0; k < 60; k++) {
    const slope = [0, ridge * w[1], ridge * w[2]], bend = [[1e-9, 0, 0], [0, ridge, 0], [0, 0, ridge]];
    for (const [x, y, c] of points) {
      const row = [1, x, y], p = squash(w[0] + w[1] * x + w[2] * y), s = Math.max(p * (1 - p), 1e-12);
      for (let i = 0; i < 3; i++) {
        slope[i] += (p - c) * row[i];
        for (let j = 0; j < 3; j++) bend[i][j] += s * row[i] * row[j];
      }
    }
    const step = solve(bend, slope), before = cost(w);
    let size = 1, next = w;
    for (; size > 1e-8; size /= 2) {
      next = w.map((v, i) => v - size * step[i]);
      if (cost(next) <= before) break;
    }
    if (size <= 1e-8) break;
    w = next;
    if (Math.hypot(...step) < 1e-12) break;
  }
  return w;
}
function solve(matrix, right) {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < 3; i++) {
    let best = i;
    for (let j = i + 1; j < 3; j++) if (Math.abs(rows[j][i]) > Math.abs(rows[best][i])) best = j;
    [rows[i], rows[best]] = [rows[best], rows[i]];
    for (let j = 0; j < 3; j++) {
      if (j === i) continue;
      const f = rows[j][i] / rows[i][i];
      for (let k = i; k < 4; k++) rows[j][k] -= f * rows[i][k];
    }
  }
  return rows.map((row, i) => row[3] / row[i]);
}

function gaussians(points, shared, floor) {
  const both = [0, 1].map((c) => {
    const own = points.filter((p) => p[2] === c), n = own.length;
    const mean = [0, 1].map((k) => own.reduce((sum, p) => sum + p[k], 0) / n);
    const cov = [[0, 0], [0, 1], [1, 1]].map(([i, j]) => own.reduce((sum, p) => sum + (p[i] - mean[i]) * (p[j] - mean[j]), 0) / n);
    return { share: n / points.length, mean, cov };
  });
  const pooled = [0, 1, 2].map((i) => both[0].share * both[0].cov[i] + both[1].share * both[1].cov[i]);
  for (const g of both) g.cov = (shared ? pooled : g.cov).map((v, i) => v + (i === 1 ? 0 : floor));
  return both;
}
function logJoint({ share, mean, cov: [a, b, d] }, [x, y]) {
  const u = x - mean[0], v = y - mean[1], det = a * d - b * b;
  return Math.log(share) - (d * u * u - 2 * b * u * v + a * v * v) / det / 2 - Math.log(det) / 2 - Math.log(2 * Math.PI);
}
function sample(both, seed, draws) {
  const next = random(seed);
  return Array.from({ length: draws }, () => {
    const c = next() < both[0].share ? 0 : 1, { mean, cov: [a, b, d] } = both[c];
    const r = Math.sqrt(-2 * Math.log(1 - next())), t = 2 * Math.PI * next(), e = r * Math.cos(t), f = r * Math.sin(t);
    const l = Math.sqrt(a), m = b / l;
    return [c, mean[0] + l * e, mean[1] + m * e + Math.sqrt(d - m * m) * f];
  });
}

function render(state, element) {
  const { scenes, extent, floor, ridge } = state, CELLS = 60, DRAWS = 60, MOST = 40;
  const names = ["round", "square"];
  let points, chosen = 0, seed = 1;

  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad gk-ways", tabindex: 0, role: "application" });
  svg("path", { d: `M${-extent} 0H${extent}M0 ${-extent}V${extent}`, class: "gk-axis" }, pad);
  const drawn = svg("g", { class: "gk-drawn" }, pad), shapes = [0, 1].map((c) => svg("path", { class: `gk-shape gk-class${c}` }, pad));
  const solid = svg("path", { class: "gk-border" }, pad), dashed = svg("path", { class: "gk-border gk-dashed" }, pad);
  const dots = svg("g", {}, pad), ring = svg("circle", { r: 0.2, class: "gk-chosen" }, pad);

  const scene = make("select");
  Object.keys(scenes).forEach((name) => scene.append(make("option", { value: name, textContent: name })));
  scene.addEventListener("change", begin);
  const which = make("input", { type: "range", min: 1, step: 1 });
  which.addEventListener("input", () => { chosen = Number(which.value) - 1; draw(); });
  const shared = make("input", { type: "checkbox" });
  shared.addEventListener("change", draw);
  const button = (text, action) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", action);
    return made;
  };
  const turn = button("switch its class", () => { points[chosen][2] = 1 - points[chosen][2]; draw(); });
  const add = button("add a point", () => {
    const [x, y, c] = points[chosen];
    points.push([clamp(x + 0.3), clamp(y + 0.3), c]);
    chosen = points.length - 1;
    draw();
  });
  const remove = button("take it away", () => { points.splice(chosen, 1); chosen = Math.min(chosen, points.length - 1); draw(); });
  const again = button("new draws", () => { seed += 1; draw(); });
  const said = make("output"), key = make("p", { className: "gk-now", textContent: "Large: data. Small: drawn from the Gaussians. Solid border: generative. Dashed border: logistic regression." });
  const controls = make("div", { className: "gk-controls" },
    make("label", {}, "scene ", scene), make("label", {}, "point ", which),
    make("label", { className: "gk-tick" }, shared, " one shape for both classes"),
    make("div", { className: "gk-buttons" }, turn, add, remove, again), said);
  element.append(make("div", { className: "gk-row gk-top" }, pad, controls), key);

  const clamp = (v) => Math.max(-extent, Math.min(extent, v));
  const place = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
    return [clamp(x), clamp(-y)];
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    pad.focus({ preventScroll: true });
    const [x, y] = place(event), far = points.map((p) => Math.hypot(p[0] - x, p[1] - y));
    chosen = far.indexOf(Math.min(...far));
    if (far[chosen] > 0.5) pad.releasePointerCapture(event.pointerId);  // nothing near: choose it, and leave it where it is
    draw();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    points[chosen].splice(0, 2, ...place(event));
    draw();
  });
  pad.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const turnPage = { PageUp: -1, PageDown: 1 }[event.key];
    if (!way && !turnPage) return;
    event.preventDefault();
    event.stopPropagation();  // a page may turn itself with the arrow keys
    if (turnPage) chosen = (chosen + turnPage + points.length) % points.length;
    else for (const k of [0, 1]) points[chosen][k] = clamp(points[chosen][k] + (event.shiftKey ? 0.02 : 0.1) * way[k]);
    draw();
  });

  // pieces of the line where f is 0, by marching squares
  function border(f) {
    const at = Array.from({ length: CELLS + 1 }, (_, i) => -extent + (2 * extent * i) / CELLS), value = at.map((y) => at.map((x) => f([x, y])));
    const pieces = [];
    for (let i = 0; i < CELLS; i++)
      for (let j = 0; j < CELLS; j++) {
        const corner = [[j, i], [j + 1, i], [j + 1, i + 1], [j, i + 1]], cuts = [];
        corner.forEach(([a, b], k) => {
          const [c, d] = corner[(k + 1) % 4], u = value[b][a], v = value[d][c];
          if (u > 0 === v > 0) return;
          const t = u / (u - v);
          cuts.push([at[a] + t * (at[c] - at[a]), -at[b] - t * (at[d] - at[b])]);
        });
        for (let k = 0; k + 1 < cuts.length; k += 2) pieces.push(cuts.slice(k, k + 2));
      }
    return pieces;
  }
  const path = (pieces) => pieces.map((piece) => `M${piece.map((p) => p.map((v) => v.toFixed(3)).join(" ")).join("L")}`).join("");
  function whole(pieces, [, a, b]) {  // a straight border in one piece, so that its dashes do not begin anew in every cell
    const along = (p) => b * p[0] + a * p[1], ends = pieces.flat().sort((p, q) => along(p) - along(q));
    return ends.length ? [[ends[0], ends[ends.length - 1]]] : [];
  }
  function ellipse({ mean, cov: [a, b, d] }) {  // one and two standard deviations
    const l = Math.sqrt(a), m = b / l, n = Math.sqrt(d - m * m);
    return [1, 2].map((r) => `M${Array.from({ length: 48 }, (_, i) => {
      const t = (2 * Math.PI * i) / 48, e = r * Math.cos(t), f = r * Math.sin(t);
      return `${(mean[0] + l * e).toFixed(3)} ${(-mean[1] - m * e - n * f).toFixed(3)}`;
    }).join("L")}Z`).join("");
  }
  function mark(parent, [x, y, c], r) {
    if (c) svg("rect", { x: x - r, y: -y - r, width: 2 * r, height: 2 * r, class: "gk-class1" }, parent);
    else svg("circle", { cx: x, cy: -y, r: 1.12 * r, class: "gk-class0" }, parent);
  }
  const short = (v) => (Math.abs(v) < 0.005 ? "0.00" : v.toFixed(2)).replaceAll("-", "−");

  function draw() {
    const w = logistic(points, ridge), both = gaussians(points, shared.checked, floor), [x, y, c] = points[chosen];
    const line = ([a, b]) => w[0] + w[1] * a + w[2] * b, curve = (p) => logJoint(both[1], p) - logJoint(both[0], p);
    solid.setAttribute("d", path(border(curve)));
    dashed.setAttribute("d", path(whole(border(line), w)));
    both.forEach((g, k) => shapes[k].setAttribute("d", ellipse(g)));
    drawn.textContent = dots.textContent = "";
    for (const [k, a, b] of sample(both, seed, DRAWS)) mark(drawn, [a, b, k], 0.035);
    for (const point of points) mark(dots, point, 0.1);
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", -y);
    which.max = points.length;
    which.value = chosen + 1;
    which.setAttribute("aria-valuetext", `point ${chosen + 1} of ${points.length}, ${names[c]}, at ${short(x)}, ${short(y)}`);
    const right = [curve, line].map((f) => points.filter((p) => f(p) > 0 === (p[2] === 1)).length);
    const found = run(state, { points, shared: shared.checked, at: [x, y], seed, draws: 0 }), [p, q, log] = found.slice(-3);
    said.textContent = `Right: generative ${right[0]}, logistic ${right[1]}, of ${points.length}. The chosen ${names[c]} point at (${short(x)}, ${short(y)}): `
      + `p(square) is ${short(q)} by the Gaussians, ${short(p)} by logistic regression; log p(x) is ${short(log)}, which only the Gaussians can say.`;
    const few = points.filter((one) => one[2] === c).length <= 2;  // a Gaussian needs two points
    turn.disabled = remove.disabled = few;
    add.disabled = points.length >= MOST;
    pad.setAttribute("aria-label", `Plane of ${points.length} points. Arrow keys move the chosen one, with Shift a little; Page Up and Page Down choose another. ${said.textContent}`);
  }
  function begin() {
    points = scenes[scene.value].map((point) => [...point]);
    chosen = 0;
    seed = 1;
    draw();
  }
  begin();
}
