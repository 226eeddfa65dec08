// Watch a forger and a critic: samples and the critic's opinion of every place, frame by frame.
// state: { runs: [{ name, steps: [step of each frame] }], points, surface, n, side, extent, centres, sigma, data }
//   points: for each run and frame n pairs; surface: for each run and frame side × side numbers, rows from below
// inputs: { run, frame, x: [x1, x2] }; run gives modes covered, share of samples within 3σ, the critic's number at x
function cloud(state, run, frame) {
  const before = state.runs.slice(0, run).reduce((sum, { steps }) => sum + steps.length, 0), size = 2 * state.n, area = state.side ** 2;
  const at = before + frame;
  return [state.points.subarray(at * size, (at + 1) * size), state.surface.subarray(at * area, (at + 1) * area)];
}

function run(state, { run, frame, x }) {
  const { n, side, extent, centres, sigma } = state, [points, surface] = cloud(state, run, frame);
  const counts = centres.map(() => 0);
  for (let i = 0; i < n; i++) {
    let best = Infinity, nearest = 0;
    centres.forEach(([a, b], k) => {
      const d = Math.hypot(points[2 * i] - a, points[2 * i + 1] - b);
      if (d < best) [best, nearest] = [d, k];
    });
    if (best <= 3 * sigma) counts[nearest]++;
  }
  const covered = counts.filter((c) => c >= 0.1 * n / centres.length).length, near = counts.reduce((a, b) => a + b, 0) / n;
  const place = (v) => Math.max(0, Math.min(side - 1, (v + extent) / (2 * extent) * side - 0.5));  // middles of squares
  const [u, v] = x.map(place), i = Math.min(side - 2, Math.floor(u)), j = Math.min(side - 2, Math.floor(v)), p = u - i, q = v - j;
  const s = (a, b) => surface[b * side + a];
  const low = s(i, j) * (1 - p) + s(i + 1, j) * p, high = s(i, j + 1) * (1 - p) + s(i + 1, j + 1) * p;
  return [covered, near, low * (1 - q) + high * q];
}

function render(state, element) {
  const { runs, n, side, extent, centres, data } = state;
  const inputs = { run: 0, frame: runs[0].steps.length - 1, x: [0, 0] };
  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad", tabindex: 0, role: "application",
    "aria-label": "Plane of samples. Arrow keys move the place that the critic is asked about, with Shift a little; Home brings it to the middle." });
  const canvas = make("canvas", { width: side, height: side }), context = canvas.getContext("2d"), image = context.createImageData(side, side);
  const ground = svg("image", { x: -extent, y: -extent, width: 2 * extent, height: 2 * extent, preserveAspectRatio: "none" }, pad);
  const dots = svg("g", { class: "gk-dots" }, pad);
  for (const [x, y] of data) svg("circle", { cx: x, cy: -y, r: extent / 130 }, dots);
  const clay = svg("g", { class: "gk-forged" }, pad), forged = Array.from({ length: n }, () => svg("circle", { r: extent / 75 }, clay));
  const handle = svg("circle", { r: extent / 32, class: "gk-asked" }, pad);

  const choose = make("select");
  runs.forEach(({ name }, i) => choose.append(make("option", { value: i, textContent: name })));
  choose.addEventListener("change", () => { rest(); inputs.run = Number(choose.value); slider.max = runs[inputs.run].steps.length - 1; show(Math.min(inputs.frame, slider.max)); });
  const slider = make("input", { type: "range", min: 0, max: runs[0].steps.length - 1, step: 1 });
  slider.addEventListener("input", () => { rest(); show(Number(slider.value)); });
  const play = make("button", { type: "button", textContent: "play from the start" });
  let timer = 0;
  const rest = () => { clearInterval(timer); timer = 0; };
  play.addEventListener("click", () => {
    rest();
    show(0);
    timer = setInterval(() => { if (inputs.frame < slider.max) show(inputs.frame + 1); else rest(); }, 300);
  });
  const now = make("p", { className: "gk-now" }), said = make("output");
  const controls = make("div", { className: "gk-controls" }, make("label", {}, "game ", choose), make("label", {}, "time ", slider), play, now, said);
  element.append(make("div", { className: "gk-row" }, pad, controls));

  steer(pad, extent, [0.05 * extent, 0.01 * extent], () => inputs.x, (x) => { inputs.x = x; ask(); });

  const short = (v) => v.toFixed(2).replace("-", "−");
  function ask() {
    const [covered, near, opinion] = run(state, inputs), [a, b] = inputs.x;
    handle.setAttribute("cx", a);
    handle.setAttribute("cy", -b);
    now.textContent = `Step ${runs[inputs.run].steps[inputs.frame]}: ${covered} of ${centres.length} modes, ${Math.round(100 * near)} % of the samples within 3σ.`;
    slider.setAttribute("aria-valuetext", now.textContent);
    said.textContent = `The critic at (${short(a)}, ${short(b)}): ${short(opinion)}`;
  }
  function show(frame) {
    inputs.frame = frame;
    slider.value = frame;
    const [points, surface] = cloud(state, inputs.run, frame);
    forged.forEach((dot, i) => { dot.setAttribute("cx", points[2 * i].toFixed(3)); dot.setAttribute("cy", (-points[2 * i + 1]).toFixed(3)); });
    for (let j = 0; j < side; j++)
      for (let i = 0; i < side; i++) {
        const v = surface[j * side + i], ink = v > 0 ? [42, 143, 129] : [142, 59, 70];  // the first row lies at the bottom
        image.data.set([...ink, Math.round(150 * Math.min(1, Math.abs(v) / 2))], 4 * ((side - 1 - j) * side + i));
      }
    context.putImageData(image, 0, 0);
    ground.setAttribute("href", canvas.toDataURL());
    ask();
  }
  show(inputs.frame);
}
