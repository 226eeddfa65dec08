// Noise becomes a digit: choose the sampler, the steps, the guidance and the class, and step through it.
// state: { layers, weights, speeds, side, classes, kind, last, offset }
// inputs: { seed, sampler, steps, step, guidance, c }; c = classes means "none given".
// run gives the picture after so many steps and what the network takes it for, as numbers in [−1, 1]
function normals(seed) {  // Box–Muller, as on the Python side
  const uniform = random(seed);
  let spare = null;
  return () => {
    if (spare !== null) { const v = spare; spare = null; return v; }
    const size = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
    spare = size * Math.sin(angle);
    return size * Math.cos(angle);
  };
}

function mix(state, time) {  // how much signal and noise there is at a time
  const angle = (t) => Math.PI / 2 * (t + state.offset) / (1 + state.offset);
  const alpha = Math.cos(angle(Math.min(time, state.last))) / Math.cos(angle(0));
  return [alpha, Math.sqrt(Math.max(0, 1 - alpha * alpha))];
}

function guess(state, x, time, c, guidance) {  // the clean picture and the noise that the network takes x for
  const [alpha, sigma] = mix(state, time), turns = state.speeds.map((s) => 2 * Math.PI * s * time);
  const ask = (label) => {
    const kinds = new Array(state.classes + 1).fill(0);
    kinds[label] = 1;
    return mlp(state.layers, state.weights, [...x, ...turns.map(Math.sin), ...turns.map(Math.cos), ...kinds]);
  };
  let v = ask(c);
  if (c < state.classes && guidance !== 1) {
    const without = ask(state.classes);
    v = v.map((k, i) => without[i] + guidance * (k - without[i]));
  }
  const clean = x.map((u, i) => Math.max(-1, Math.min(1, alpha * u - sigma * v[i])));
  return [clean, x.map((u, i) => (u - alpha * clean[i]) / sigma)];
}

function walk(state, { seed, sampler, steps, guidance, c }) {  // the picture and the guess after 0, 1, … steps
  const draw = normals(seed), path = Array.from({ length: steps + 1 }, (_, i) => state.last * (1 - i / steps));
  let x = Array.from({ length: state.side ** 2 }, draw), before = null, length = 0;
  path[steps] = 0;
  const seen = [];
  for (let i = 0; i < steps; i++) {
    const [alpha, sigma] = mix(state, path[i]), [alphaS, sigmaS] = mix(state, path[i + 1]);
    const [clean, noise] = guess(state, x, path[i], c, guidance);
    seen.push([x, clean]);
    if (sampler.endsWith("DPM-Solver++")) {
      const h = Math.log(alphaS * sigma / (alpha * sigmaS)), old = before, ratio = h / (2 * length);
      const ahead = old && path[i + 1] > 0 ? clean.map((v, k) => v + (v - old[k]) * ratio) : clean;
      const left = sampler.startsWith("SDE") ? Math.exp(-h) : 1, gone = 1 - left * Math.exp(-h);
      x = x.map((v, k) => sigmaS / sigma * left * v + alphaS * gone * ahead[k]);
      if (left < 1 && path[i + 1] > 0) x = x.map((v) => v + sigmaS * Math.sqrt(gone) * draw());
      before = clean;
      length = h;
    } else {
      const tau = sampler === "ancestral" ? sigmaS / sigma * Math.sqrt(Math.max(0, 1 - (alpha / alphaS) ** 2)) : 0;
      const kept = Math.sqrt(Math.max(0, sigmaS ** 2 - tau ** 2));
      x = clean.map((v, k) => alphaS * v + kept * noise[k]);
      if (tau > 0) x = x.map((v) => v + tau * draw());
    }
  }
  seen.push([x, x]);
  return seen;
}

function run(state, inputs) {
  const [x, clean] = walk(state, inputs)[inputs.step];
  return [...x, ...clean];
}

function render(state, element) {
  const { side, classes, kind } = state, FRAMES = 10;
  const inputs = { seed: 1, sampler: "DDIM", steps: 20, step: 0, guidance: 2, c: 3 % classes };
  let seen = [], timer = 0;
  const paper = (label, wide = side) => {
    const canvas = make("canvas", { width: wide, height: side });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    return canvas;
  };
  const ink = (canvas, at, pixels) => {
    const context = canvas.getContext("2d"), image = context.createImageData(side, side);
    pixels.forEach((v, i) => {
      const grey = 255 * (1 - Math.max(0, Math.min(1, (v + 1) / 2)));
      image.data.set([grey, grey, grey, 255], 4 * i);
    });
    context.putImageData(image, at, 0);
  };
  const now = paper("the picture now"), taken = paper("what the network takes it for"), film = paper("the walk", FRAMES * (side + 1) - 1);
  const said = make("output");
  const slide = (name, low, high, step, value, act) => {
    const input = make("input", { type: "range", min: low, max: high, step, value }), shown = make("span", { className: "gk-knob" });
    input.addEventListener("input", () => { rest(); act(Number(input.value)); });
    return { input, shown, label: make("label", {}, `${name} `, make("span", { className: "gk-slide" }, input, shown)) };
  };
  const pick = (name, options, act) => {
    const select = make("select");
    for (const [value, text] of options) select.append(make("option", { value, textContent: text }));
    select.addEventListener("change", () => { rest(); act(select.value); });
    return { select, label: make("label", {}, `${name} `, select) };
  };
  const step = slide("step", 0, inputs.steps, 1, 0, (v) => { inputs.step = v; draw(); });
  const steps = slide("of", 1, 50, 1, inputs.steps, (v) => { inputs.steps = v; inputs.step = v; again(); });
  const guidance = slide("guidance", 0, 5, 0.25, 2, (v) => { inputs.guidance = v; again(); });
  const names = Array.from({ length: classes }, (_, i) => [i, String(i)]);
  const label = pick(kind, [...names, [classes, "none asked for"]], (v) => { inputs.c = Number(v); again(); });
  label.select.value = inputs.c;
  const sampler = pick("sampler", ["DDIM", "DPM-Solver++", "SDE-DPM-Solver++", "ancestral"].map((s) => [s, s]), (v) => { inputs.sampler = v; again(); });
  const play = make("button", { type: "button", textContent: "from noise to picture" });
  const fresh = make("button", { type: "button", textContent: "other noise" });
  const rest = () => { clearInterval(timer); timer = 0; };
  play.addEventListener("click", () => {
    rest();
    inputs.step = 0;
    draw();
    timer = setInterval(() => { inputs.step += 1; draw(); if (inputs.step >= inputs.steps) rest(); }, Math.max(60, 2400 / inputs.steps));
  });
  fresh.addEventListener("click", () => { rest(); inputs.seed += 1; again(); });

  const figure = (canvas, text) => make("figure", { className: "gk-figure-small" }, make("div", { className: "gk-paper" }, canvas), make("figcaption", { textContent: text }));
  const controls = make("div", { className: "gk-controls" }, label.label, sampler.label, step.label, steps.label, guidance.label,
    make("div", { className: "gk-buttons" }, play, fresh));
  element.append(make("div", { className: "gk-row gk-top" }, figure(now, "the picture now"), figure(taken, "what the network takes it for"), controls),
    make("div", { className: "gk-film" }, film), said);

  function again() {
    seen = walk(state, inputs);
    for (let k = 0; k < FRAMES; k++) ink(film, k * (side + 1), seen[Math.round(k * inputs.steps / (FRAMES - 1))][0]);
    step.input.max = inputs.steps;
    draw();
  }
  function draw() {
    const [x, clean] = seen[inputs.step], time = state.last * (1 - inputs.step / inputs.steps), [alpha, sigma] = mix(state, time);
    ink(now, 0, x);
    ink(taken, 0, clean);
    step.input.value = inputs.step;
    step.shown.textContent = inputs.step;
    steps.shown.textContent = inputs.steps;
    guidance.shown.textContent = inputs.guidance;
    const asked = inputs.c < classes ? `${kind} ${inputs.c}` : `no ${kind} asked for`;
    now.setAttribute("aria-label", `The picture after step ${inputs.step} of ${inputs.steps}, ${asked}`);
    taken.setAttribute("aria-label", `What the network takes it for, ${asked}`);
    film.setAttribute("aria-label", `The walk from noise to picture, ${asked}`);
    said.textContent = `${asked}, ${inputs.sampler}: step ${inputs.step} of ${inputs.steps}, t = ${time.toFixed(2)}, signal ${alpha.toFixed(2)}, noise ${sigma.toFixed(2)}`;
  }
  inputs.step = inputs.steps;
  again();
}
