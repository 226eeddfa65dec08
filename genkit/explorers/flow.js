// Knead a ball of clay into a star, one layer at a time; drag a point and read where it came from.
// state: { steps, weights, clay: [[z1, z2], …], points: [[x1, x2], …], extent }; steps lead from the data to the ball:
//   { kind: "mix", matrix, shift } or { kind: "couple", layers, at, limit }
// inputs: { x: [x1, x2], step: steps taken from the ball }; run gives the place of x there, its latent, its log-density
function bend(state, step, [a, b]) {  // towards the ball; the third number is the log of the volume's growth
  if (step.kind === "mix") {
    const [[p, q], [r, s]] = step.matrix, [t, u] = step.shift;
    return [p * a + q * b + t, r * a + s * b + u, Math.log(Math.abs(p * s - q * r))];
  }
  const [v, t] = mlp(step.layers, state.weights.subarray(step.at), [a]), log = step.limit * Math.tanh(v / step.limit);
  return [a, b * Math.exp(log) + t, log];
}

function unbend(state, step, [a, b]) {  // towards the star
  if (step.kind === "mix") {
    const [[p, q], [r, s]] = step.matrix, d = p * s - q * r, x = a - step.shift[0], y = b - step.shift[1];
    return [(s * x - q * y) / d, (p * y - r * x) / d];
  }
  const [v, t] = mlp(step.layers, state.weights.subarray(step.at), [a]);
  return [a, (b - t) * Math.exp(-step.limit * Math.tanh(v / step.limit))];
}

function run(state, { x, step }) {
  const { steps } = state;
  let at = x, place = x, grown = 0;
  steps.forEach((one, i) => {
    const [a, b, log] = bend(state, one, at);
    at = [a, b];
    grown += log;
    if (i + 1 === steps.length - step) place = at;
  });
  return [...place, ...at, grown - (at[0] ** 2 + at[1] ** 2) / 2 - Math.log(2 * Math.PI)];
}

function render(state, element) {
  const { steps, clay, points, extent } = state, last = steps.length;
  const inputs = { x: [0, 0], step: last };
  const way = (z) => {  // where a point of the ball stands after 0, 1, … steps
    const places = [z];
    for (let k = last; k--; ) places.push(unbend(state, steps[k], places[places.length - 1]));
    return places;
  };

  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad", tabindex: 0, role: "application",
    "aria-label": "Plane of points. Arrow keys move the point, with Shift a little; Home brings it to the middle." });
  svg("path", { d: `M${-extent} 0H${extent}M0 ${-extent}V${extent}`, class: "gk-axis" }, pad);
  const dots = svg("g", { class: "gk-dots gk-faint" }, pad);
  for (const [x, y] of points) svg("circle", { cx: x, cy: -y, r: 0.025 }, dots);
  const ball = svg("g", { class: "gk-clay" }, pad);
  const grains = clay.map((z) => [svg("circle", { r: 0.035, class: Math.hypot(...z) < 1.177 ? "gk-inner" : "gk-outer" }, ball), way(z)]);
  const rings = [1.177, 2.146].map((radius) => {  // half, and nine tenths, of N(0, I)
    const turn = Array.from({ length: 240 }, (_, i) => 2 * Math.PI * i / 240);
    return [svg("path", { class: "gk-ring" }, pad), turn.map((t) => way([radius * Math.cos(t), radius * Math.sin(t)]))];
  });
  const handle = svg("circle", { r: 0.13, class: "gk-handle" }, pad);
  const said = make("output"), now = make("p", { className: "gk-now" });

  const slider = make("input", { type: "range", min: 0, max: last, step: 1, value: last });
  slider.addEventListener("input", () => { rest(); knead(Number(slider.value)); });
  const play = make("button", { type: "button", textContent: "from the ball to the star" });
  let timer = 0;
  const rest = () => { clearInterval(timer); timer = 0; };
  play.addEventListener("click", () => {
    rest();
    knead(0);
    timer = setInterval(() => { knead(inputs.step + 1); if (inputs.step === last) rest(); }, 350);
  });
  const controls = make("div", { className: "gk-controls" }, make("label", {}, "step ", slider), play, now, said);
  element.append(make("div", { className: "gk-row" }, pad, controls));

  const place = (at) => {  // the x of what stands at `at` after this step
    for (let k = last - inputs.step; k--; ) at = unbend(state, steps[k], at);
    inputs.x = at;
    tell();
  };
  steer(pad, extent, [0.1, 0.02], () => run(state, inputs).slice(0, 2), place);

  const short = (v) => (Math.abs(v) < 0.005 ? "0.00" : Math.abs(v) < 1000 ? v.toFixed(2) : v.toExponential(0)).replaceAll("-", "−");
  const pair = (v) => `(${v.map(short).join(", ")})`;
  function tell() {
    const [a, b, z1, z2, log] = run(state, inputs);
    handle.setAttribute("cx", a);
    handle.setAttribute("cy", -b);
    said.textContent = `x = ${pair(inputs.x)}, z = ${pair([z1, z2])}, log p(x) = ${short(log)} nats`;
  }
  function knead(step) {
    inputs.step = step;
    slider.value = step;
    for (const [grain, places] of grains) {
      grain.setAttribute("cx", places[step][0].toFixed(3));
      grain.setAttribute("cy", (-places[step][1]).toFixed(3));
    }
    for (const [ring, turn] of rings)
      ring.setAttribute("d", `M${turn.map((places) => `${places[step][0].toFixed(3)} ${(-places[step][1]).toFixed(3)}`).join("L")}Z`);
    dots.style.visibility = step === last ? "visible" : "hidden";
    const what = { mix: "all turned, stretched and moved", couple: "each moved straight up or down" };
    now.textContent = step ? `Step ${step} of ${last}: ${what[steps[last - step].kind]}.` : `The ball: ${clay.length} points of the Gaussian.`;
    slider.setAttribute("aria-valuetext", now.textContent);
    tell();
  }
  knead(last);
}
