// Points in the plane and the centres of k-means, which assigns and moves by turns.
// state: { scenes: { name: { points: [[x, y], …], best: [least inertia known for k = 1, 2, …] } }, k, extent }
// inputs: { points, k, start: "anywhere" | "spread out", seed, rounds }
// run gives: the inertia after every half step, the centres, the labels
function run(state, { points, k, start, seed, rounds }) {
  let centres = begin(points, k, start, random(seed)), labels = assign(points, centres);
  const found = [inertia(points, labels, centres)];
  for (let i = 0; i < rounds; i++) {
    centres = move(points, labels, centres);
    found.push(inertia(points, labels, centres));
    labels = assign(points, centres);
    found.push(inertia(points, labels, centres));
  }
  return [...found, ...centres.flat(), ...labels];
}

const far = (p, q) => (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2;
function assign(points, centres) {
  return points.map((p) => {
    let nearest = 0;
    centres.forEach((c, k) => { if (far(p, c) < far(p, centres[nearest])) nearest = k; });
    return nearest;
  });
}
function move(points, labels, centres) {  // one without points stays
  return centres.map((centre, k) => {
    const own = points.filter((_, n) => labels[n] === k);
    return own.length ? [0, 1].map((i) => own.reduce((sum, p) => sum + p[i], 0) / own.length) : centre;
  });
}
function inertia(points, labels, centres) {
  return points.reduce((sum, p, n) => sum + far(p, centres[labels[n]]), 0);
}
function begin(points, k, start, next) {
  const n = points.length;
  if (start === "anywhere") {
    const order = points.map((_, i) => i);
    for (let i = 0; i < k; i++) {
      const j = i + Math.floor(next() * (n - i));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order.slice(0, k).map((i) => [...points[i]]);
  }
  const chosen = [points[Math.floor(next() * n)]];
  while (chosen.length < k) {  // far from all that were chosen, with a probability that grows as the square
    const gap = points.map((p) => Math.min(...chosen.map((c) => far(p, c)))), goal = next() * gap.reduce((a, b) => a + b, 0);
    let sum = 0, at = 0;
    while (at < n - 1 && (sum += gap[at]) <= goal) at++;
    chosen.push(points[at]);
  }
  return chosen.map((p) => [...p]);
}
// the part of the square that is nearest to centre k: cut off what lies nearer to another one
function cell(centres, k, extent) {
  let shape = [[-extent, -extent], [extent, -extent], [extent, extent], [-extent, extent]];
  centres.forEach((other, j) => {
    if (j === k) return;
    const own = centres[k], side = (p) => far(p, other) - far(p, own);
    if (far(own, other) < 1e-18) { if (j < k) shape = []; return; }
    shape = shape.flatMap((p, i) => {
      const q = shape[(i + 1) % shape.length], a = side(p), b = side(q), kept = a >= 0 ? [p] : [];
      if (a >= 0 !== b >= 0) kept.push([0, 1].map((m) => p[m] + (a / (a - b)) * (q[m] - p[m])));
      return kept;
    });
  });
  return shape;
}

function render(state, element) {
  const { scenes, extent } = state, MOST = 8;
  let points, centres, labels, phase, chosen, seed = 1, story, ways, timer = null, dragged = false;
  // eight marks of one size, which no two clusters share
  const MARKS = ["M-1 0A1 1 0 1 0 1 0A1 1 0 1 0 -1 0Z", "M-.9 -.9H.9V.9H-.9Z", "M0 -1.2L1.1 .8H-1.1Z", "M0 -1.3L1.1 0L0 1.3L-1.1 0Z",
    "M-.4 -1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z", "M0 1.2L1.1 -.8H-1.1Z", "M-1.2 -.5H1.2V.5H-1.2Z", "M-.5 -1.2H.5V1.2H-.5Z"];
  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad gk-ways", tabindex: 0, role: "application" });
  const cells = svg("g", {}, pad), dots = svg("g", {}, pad), trails = svg("g", { class: "gk-trails" }, pad), heads = svg("g", {}, pad);

  const select = (options, action) => {
    const made = make("select");
    options.forEach((name) => made.append(make("option", { value: name, textContent: name })));
    made.addEventListener("change", action);
    return made;
  };
  const button = (text, action) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", action);
    return made;
  };
  const scene = select(Object.keys(scenes), () => restart()), start = select(["anywhere", "spread out"], () => restart());
  const many = make("input", { type: "range", min: 1, max: MOST, step: 1, value: state.k }), written = make("span", { className: "gk-knob" });
  many.addEventListener("input", () => restart());
  const give = button("assign", () => { halt(); step("assign"); }), shift = button("move", () => { halt(); step("move"); });
  const play = button("run", () => (timer === null ? go() : halt()));
  const again = button("new start", () => { seed += 1; restart(); });
  const said = make("output"), key = make("p", { className: "gk-now", textContent: "Each centre is a numbered disc, its trail where it came from; its points share one mark. Drag a centre to start from where you like." });
  const controls = make("div", { className: "gk-controls" },
    make("label", {}, "data ", scene), make("label", {}, "centres ", make("span", { className: "gk-slide" }, many, written)),
    make("label", {}, "start ", start), make("div", { className: "gk-buttons" }, give, shift, play, again), said);
  const plot = svg("svg", { viewBox: "0 0 240 100", class: "gk-plot", role: "img" });
  svg("text", { x: 2, y: 11 }, plot, "inertia, half step by half step");
  const floor = svg("line", { class: "gk-floor", x1: 2, x2: 238 }, plot), line = svg("polyline", { class: "gk-trace" }, plot), ends = svg("g", {}, plot);
  const least = svg("text", { x: 2 }, plot, "best known");
  element.append(make("div", { className: "gk-row gk-top" }, pad, make("div", { className: "gk-controls" }, controls, plot)), key);

  const clamp = (v) => Math.max(-extent, Math.min(extent, v)), short = (v) => (Math.abs(v) < 0.005 ? "0.00" : v.toFixed(2)).replaceAll("-", "−");
  const place = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
    return [clamp(x), clamp(-y)];
  };
  function put(k, at) {  // by hand: the story begins anew
    halt();
    centres[k] = at;
    ways = centres.map((c) => [[...c]]);
    labels = null;
    story = [];
    phase = "assign";
    dragged = true;
    draw();
  }
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    pad.focus({ preventScroll: true });
    const at = place(event), gaps = centres.map((c) => far(c, at)), nearest = gaps.indexOf(Math.min(...gaps));
    chosen = nearest;
    if (gaps[nearest] > 0.3) pad.releasePointerCapture(event.pointerId);  // nothing near: choose it, and leave it where it is
    draw();
  });
  pad.addEventListener("pointermove", (event) => { if (pad.hasPointerCapture(event.pointerId)) put(chosen, place(event)); });
  pad.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key], turn = { PageUp: -1, PageDown: 1 }[event.key];
    if (event.key !== "Enter" && !way && !turn) return;
    event.preventDefault();
    event.stopPropagation();  // a page may turn itself with the arrow keys
    if (turn) chosen = (chosen + turn + centres.length) % centres.length;
    if (way) put(chosen, centres[chosen].map((v, k) => clamp(v + (event.shiftKey ? 0.02 : 0.15) * way[k])));
    if (event.key === "Enter") { halt(); step(phase); }
    draw();
  });

  function step(which) {
    if (which !== phase) return;
    if (which === "assign") {
      const next = assign(points, centres), same = labels && next.every((v, n) => v === labels[n]);
      labels = next;
      phase = same ? "done" : "move";
    } else {
      centres = move(points, labels, centres);
      centres.forEach((c, k) => ways[k].push([...c]));
      phase = "assign";
    }
    story.push(inertia(points, labels, centres));
    if (phase === "done") halt();
    draw();
  }
  function go() {
    if (phase === "done") return;
    play.textContent = "stop";
    timer = setInterval(() => (element.isConnected ? step(phase) : halt()), 450);
  }
  function halt() {
    clearInterval(timer);
    timer = null;
    play.textContent = "run";
  }
  function restart() {
    halt();
    points = scenes[scene.value].points;
    centres = begin(points, Number(many.value), start.value, random(seed));
    ways = centres.map((c) => [[...c]]);
    [labels, phase, chosen, story, dragged] = [null, "assign", 0, [], false];
    draw();
  }
  const path = (corners) => corners.map((p, i) => `${i ? "L" : "M"}${p[0].toFixed(3)} ${(-p[1]).toFixed(3)}`).join("");
  function draw() {
    cells.textContent = dots.textContent = trails.textContent = heads.textContent = ends.textContent = "";
    centres.forEach((_, k) => svg("path", { d: `${path(cell(centres, k, extent))}Z`, class: `gk-cell gk-kind${k}` }, cells));
    points.forEach(([x, y], n) => {
      const kind = labels ? labels[n] : -1;
      svg("path", { d: kind < 0 ? MARKS[0] : MARKS[kind], transform: `translate(${x} ${-y}) scale(${kind < 0 ? 0.045 : 0.062})`, class: kind < 0 ? "gk-free" : `gk-kind${kind}` }, dots);
    });
    centres.forEach(([x, y], k) => {
      svg("path", { d: path(ways[k]) }, trails);
      svg("circle", { cx: x, cy: -y, r: 0.17, class: `gk-head${k === chosen ? " gk-held" : ""}` }, heads);
      svg("text", { x, y: -y + 0.08, class: "gk-number" }, heads, `${k + 1}`);
    });
    const best = scenes[scene.value].best[centres.length - 1], now = story[story.length - 1], top = Math.max(...story, best) * 1.02, x = (i) => 8 + (224 * i) / Math.max(8, story.length - 1), y = (v) => 92 - (70 * v) / top;
    line.setAttribute("points", story.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" "));
    story.forEach((v, i) => svg("circle", { cx: x(i), cy: y(v), r: 2.4, class: i % 2 ? "gk-own" : "gk-seen" }, ends));
    for (const mark of [floor, least]) mark.setAttribute("visibility", story.length ? "visible" : "hidden");
    for (const name of ["y1", "y2"]) floor.setAttribute(name, y(best));
    least.setAttribute("y", Math.min(98, y(best) - 3));
    const stuck = now > 1.005 * best, begun = dragged ? "placed by hand" : start.value;
    const words = { assign: labels ? "Centres moved. Press assign." : "Press assign: every point goes to the nearest centre.", move: "Points assigned. Press move: every centre goes to the middle of its points.",
      done: `Nothing changes any more. ${stuck ? `It is stuck: ${Math.round(100 * (now / best - 1))} % above the best end known.` : "This is the best end known."}` };
    said.textContent = `${labels ? `Inertia ${short(now)}, best known ${short(best)}. ` : ""}${words[phase]}`;
    give.disabled = phase !== "assign";
    shift.disabled = phase !== "move";
    play.disabled = phase === "done";
    written.textContent = `${centres.length}`;
    many.setAttribute("aria-valuetext", `${centres.length} centres`);
    plot.setAttribute("aria-label", labels ? `Inertia after ${story.length} half steps: ${short(now)}; the best known is ${short(best)}.` : "Inertia: no step yet.");
    const [cx, cy] = centres[chosen], own = labels ? labels.filter((v) => v === chosen).length : 0;
    pad.setAttribute("aria-label", `Plane of ${points.length} points and ${centres.length} centres, ${begun}. Centre ${chosen + 1} at ${short(cx)}, ${short(cy)}${labels ? `, ${own} points` : ""}. Arrow keys move it, with Shift a little; Page Up and Page Down choose another; Enter takes the next step. ${said.textContent}`);
  }
  restart();
}
