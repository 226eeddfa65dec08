// Follow noise to data along a velocity known in closed form, in few steps or many, along bent paths or straight ones.
// state: { centres: [[m1, m2], …], sigma, noise: [[z1, z2], …], extent, many: steps that stand for "as many as you like" }
// inputs: { z: [z1, z2], steps, straight }; run gives where the walk from z ends
function velocity({ centres, sigma }, [x, y], t) {
  const keep = 1 - t, variance = keep * keep * sigma * sigma + t * t, slope = (t - keep * sigma * sigma) / variance;
  const away = centres.map(([a, b]) => [x - keep * a, y - keep * b]);
  const squares = away.map(([a, b]) => -(a * a + b * b) / (2 * variance)), top = Math.max(...squares);
  let total = 0, u = 0, v = 0;
  centres.forEach(([a, b], k) => {
    const w = Math.exp(squares[k] - top);
    total += w;
    u += w * (slope * away[k][0] - a);
    v += w * (slope * away[k][1] - b);
  });
  return [u / total, v / total];
}

function walk(state, z, steps) {  // Euler's method from t = 1 to t = 0: every place on the way
  const places = [z];
  for (let i = 0; i < steps; i++) {
    const [x, y] = places[i], [u, v] = velocity(state, places[i], 1 - i / steps);
    places.push([x - u / steps, y - v / steps]);
  }
  return places;
}

function chord(state, z, steps) {  // what perfect reflow makes of it: the straight line to the same end
  const end = walk(state, z, state.many)[state.many];
  return Array.from({ length: steps + 1 }, (_, i) => z.map((from, d) => from + (end[d] - from) * i / steps));
}

function run(state, { z, steps, straight }) {
  return (straight ? chord : walk)(state, z, steps)[steps];
}

function render(state, element) {
  const { centres, noise, extent, many } = state;
  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad", role: "img", style: "cursor: default; touch-action: auto" });
  svg("path", { d: `M${-extent} 0H${extent}M0 ${-extent}V${extent}`, class: "gk-axis" }, pad);
  const dots = svg("g", { class: "gk-dots gk-faint" }, pad);
  for (const [x, y] of centres) svg("circle", { cx: x, cy: -y, r: 0.05 }, dots);
  const trails = svg("path", { fill: "none", stroke: "currentColor", "stroke-opacity": 0.4, "stroke-width": 0.012 }, pad);
  const ball = svg("g", { class: "gk-clay" }, pad);
  const grains = noise.map(() => svg("circle", { r: 0.04, class: "gk-inner" }, ball));

  const steps = make("input", { type: "range", min: 1, max: 30, step: 1, value: 1 });
  const time = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0 });
  const straight = make("input", { type: "checkbox", style: "justify-self: start" });
  const play = make("button", { type: "button", textContent: "from noise to data" });
  const said = make("output"), now = make("p", { className: "gk-now" });
  const box = make("label", {}, "reflow ", straight);
  element.append(make("div", { className: "gk-row" }, pad, make("div", { className: "gk-controls" },
    make("label", {}, "steps ", steps), make("label", {}, "time ", time), box, play, now, said)));

  const ends = noise.map((z) => walk(state, z, many)[many]);
  let ways = [], timer = 0;
  const rest = () => { clearInterval(timer); timer = 0; };
  play.addEventListener("click", () => {
    rest();
    time.value = 1;
    draw();
    timer = setInterval(() => { time.value = Math.max(0, Number(time.value) - 0.02); draw(); if (Number(time.value) <= 0) rest(); }, 40);
  });
  for (const control of [steps, straight]) control.addEventListener("input", plan);
  time.addEventListener("input", () => { rest(); draw(); });

  function plan() {  // walk anew
    const n = Number(steps.value);
    ways = noise.map((z) => (straight.checked ? chord : walk)(state, z, n));
    const off = ways.reduce((sum, way, i) => sum + Math.hypot(way[n][0] - ends[i][0], way[n][1] - ends[i][1]), 0) / ways.length;
    said.textContent = `Ends lie ${off.toFixed(2)} from those of ${many} steps, on average.`;
    steps.setAttribute("aria-valuetext", `${n} step${n > 1 ? "s" : ""}`);
    draw();
  }
  function draw() {
    const t = Number(time.value), n = Number(steps.value), gone = (1 - t) * n, k = Math.min(n - 1, Math.floor(gone)), part = gone - k;
    let line = "";
    ways.forEach((way, i) => {
      const [x, y] = way[k].map((from, d) => from + (way[k + 1][d] - from) * part);
      grains[i].setAttribute("cx", x.toFixed(3));
      grains[i].setAttribute("cy", (-y).toFixed(3));
      line += "M" + [...way.slice(0, k + 1), [x, y]].map(([a, b]) => `${a.toFixed(3)} ${(-b).toFixed(3)}`).join("L");
    });
    trails.setAttribute("d", line);
    now.textContent = `t = ${t.toFixed(2)}: ${t >= 1 ? "noise" : t <= 0 ? "where the walk ends" : "on the way"}, in ${n} step${n > 1 ? "s" : ""}.`;
    pad.setAttribute("aria-label", `${noise.length} points on ${straight.checked ? "straight" : "bent"} paths. ${now.textContent}`);
    time.setAttribute("aria-valuetext", now.textContent);
  }
  plan();
}
