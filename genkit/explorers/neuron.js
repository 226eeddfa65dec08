// A small network on points of the plane, trained by back-propagation written out below.
// state: { sets: { name: [[x, y, class], …] }, extent, draws: [start][layer][input][unit], gains, units, layers }
// inputs: { set, layers, units, bend, move, rate, start, steps, at: [x, y] }
// run gives, after so many steps: loss, share right, p(class 1 | at), every hidden unit at that place, all weights
function run(state, inputs) {
  const net = born(state, inputs), points = state.sets[inputs.set];
  for (let k = 0; k < inputs.steps; k++) learn(net, points, inputs.move, inputs.rate);
  const [loss, right] = judge(net, points), said = forward(net, inputs.at);
  return [loss, right, squash(said[said.length - 1][0]), ...said.slice(1, -1).flat(), ...net.layers.flatMap(({ w, b }) => [...w.flat(), ...b])];
}

const squash = (v) => 1 / (1 + Math.exp(-v));
// a bend, and its slope as a function of what the bend gave
const BENDS = {
  ReLU: [(a) => Math.max(a, 0), (h) => (h > 0 ? 1 : 0)],
  tanh: [Math.tanh, (h) => 1 - h * h],
  sigmoid: [squash, (h) => h * (1 - h)],
};

function born(state, { layers, units, bend, start }) {
  const widths = [2, ...Array(layers).fill(units), 1], last = widths.length - 2;
  const made = widths.slice(0, -1).map((inputs, i) => {
    const table = state.draws[start][i === last ? state.layers : i], size = (i === last ? 1 : state.gains[bend]) / Math.sqrt(inputs);
    const w = Array.from({ length: inputs }, (_, j) => Array.from({ length: widths[i + 1] }, (_, k) => size * table[j][k]));
    return { w, b: Array(widths[i + 1]).fill(0) };
  });
  return { layers: made, bend, step: 0, memory: made.map(({ w, b }) => ({ w: w.map((row) => row.map(() => [0, 0])), b: b.map(() => [0, 0]) })) };
}

// what every layer says: the point itself, the hidden layers, the logit
function forward(net, x) {
  const said = [x], [f] = BENDS[net.bend];
  net.layers.forEach(({ w, b }, l) => {
    const before = said[l], hidden = l < net.layers.length - 1;
    said.push(b.map((bias, k) => {
      let a = bias;
      for (let j = 0; j < before.length; j++) a += before[j] * w[j][k];
      return hidden ? f(a) : a;
    }));
  });
  return said;
}

// the gradient of the mean loss: from the logit back, layer by layer
function backprop(net, points) {
  const slope = BENDS[net.bend][1];
  const found = net.layers.map(({ w, b }) => ({ w: w.map((row) => row.map(() => 0)), b: b.map(() => 0) }));
  for (const [x, y, c] of points) {
    const said = forward(net, [x, y]);
    let delta = [(squash(said[said.length - 1][0]) - c) / points.length];
    for (let l = net.layers.length - 1; l >= 0; l--) {
      const h = said[l], { w } = net.layers[l], g = found[l], back = h.map(() => 0);
      for (let k = 0; k < delta.length; k++) {
        g.b[k] += delta[k];
        for (let j = 0; j < h.length; j++) {
          g.w[j][k] += h[j] * delta[k];
          back[j] += w[j][k] * delta[k];
        }
      }
      delta = l ? back.map((v, j) => v * slope(h[j])) : [];
    }
  }
  return found;
}

// the optimiser: it alone changes weights
function learn(net, points, move, rate) {
  const gradient = backprop(net, points), t = ++net.step;
  const step = (g, past) => {
    if (move !== "Adam") return -rate * g;
    past[0] = 0.9 * past[0] + 0.1 * g;
    past[1] = 0.999 * past[1] + 0.001 * g * g;
    return (-rate * (past[0] / (1 - 0.9 ** t))) / (Math.sqrt(past[1] / (1 - 0.999 ** t)) + 1e-8);
  };
  net.layers.forEach(({ w, b }, l) => {
    const g = gradient[l], past = net.memory[l];
    w.forEach((row, j) => row.forEach((_, k) => { row[k] += step(g.w[j][k], past.w[j][k]); }));
    b.forEach((_, k) => { b[k] += step(g.b[k], past.b[k]); });
  });
}

function judge(net, points) {
  let loss = 0, right = 0;
  for (const [x, y, c] of points) {
    const said = forward(net, [x, y]), a = said[said.length - 1][0];
    loss += Math.max(a, 0) - a * c + Math.log1p(Math.exp(-Math.abs(a)));
    right += a > 0 === (c === 1) ? 1 : 0;
  }
  return [loss / points.length, right / points.length];
}

function render(state, element) {
  const { sets, extent } = state, SIDE = 40, TICK = 10, LONGEST = 20000;
  const inputs = { set: Object.keys(sets)[0], layers: 1, units: 4, bend: "ReLU", move: "plain descent", rate: 0.3, start: 0, steps: 0, at: [0, 0] };
  let net, story, timer = null;
  const canvas = (side) => {
    const made = make("canvas", { width: side, height: side });
    made.setAttribute("aria-hidden", "true");
    return made;
  };

  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad gk-ways", tabindex: 0, role: "application" });
  const surface = canvas(SIDE), ground = svg("image", { x: -extent, y: -extent, width: 2 * extent, height: 2 * extent, preserveAspectRatio: "none" }, pad);
  const dots = svg("g", { class: "gk-two" }, pad), handle = svg("circle", { r: extent / 22, class: "gk-asked" }, pad);

  const choose = (label, name, options) => {
    const select = make("select");
    for (const value of options) select.append(make("option", { value, textContent: value }));
    select.value = inputs[name];
    select.addEventListener("change", () => { inputs[name] = select.value; if (name === "set") scatter(); if (name === "move") draw(); else restart(); });
    return make("label", {}, label, select);
  };
  const slide = (label, from, to, by, value, written, changed) => {
    const input = make("input", { type: "range", min: from, max: to, step: by, value }), shown = make("span", { className: "gk-knob" });
    const say = () => {
      shown.textContent = written(Number(input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => { say(); changed(Number(input.value)); });
    say();
    return make("label", {}, label, make("span", { className: "gk-slide" }, input, shown));
  };
  const button = (text, action) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", action);
    return made;
  };
  const rate = (k) => Number((10 ** (k / 4)).toPrecision(2));
  const train = button("train", () => (timer === null ? go() : halt()));
  const said = make("output");
  const controls = make("div", { className: "gk-controls" },
    choose("points ", "set", Object.keys(sets)),
    slide("hidden layers ", 0, state.layers, 1, inputs.layers, (v) => `${v}`, (v) => { inputs.layers = v; restart(); }),
    slide("units in each ", 1, state.units, 1, inputs.units, (v) => `${v}`, (v) => { inputs.units = v; restart(); }),
    choose("bend ", "bend", Object.keys(BENDS)), choose("optimiser ", "move", ["plain descent", "Adam"]),
    slide("learning rate ", -12, 4, 1, -2, (k) => `${rate(k)}`, (k) => { inputs.rate = rate(k); draw(); }),
    make("div", { className: "gk-buttons" }, train, button("one step", () => { halt(); advance(1); }), button("start again", restart),
      button("other weights", () => { inputs.start = (inputs.start + 1) % state.draws.length; restart(); })), said);
  inputs.rate = rate(-2);

  const plot = svg("svg", { viewBox: "0 0 300 90", class: "gk-plot", role: "img" });
  svg("path", { d: "M2 78H298", class: "gk-floor" }, plot);
  const trace = svg("polyline", { class: "gk-trace" }, plot), high = svg("text", { x: 3, y: 11 }, plot), wide = svg("text", { x: 297, y: 88, "text-anchor": "end" }, plot);
  const eyes = make("div", { className: "gk-eyes" });
  eyes.setAttribute("role", "img");
  element.append(make("div", { className: "gk-row gk-top" }, make("div", { className: "gk-plots gk-seen-by" }, pad, plot), controls), eyes);

  steer(pad, extent, [0.1, 0.02], () => inputs.at, (at) => { inputs.at = at; tell(); });

  function scatter() {
    dots.replaceChildren();
    const r = extent / 55;
    for (const [x, y, c] of sets[inputs.set])
      if (c) svg("rect", { x: x - r, y: -y - r, width: 2 * r, height: 2 * r, class: "gk-class1" }, dots);
      else svg("circle", { cx: x, cy: -y, r: 1.1 * r, class: "gk-class0" }, dots);
  }
  // numbers of a grid, rows from below, as orange above the middle and blue below it
  function paint(target, values, middle, scale) {
    const context = target.getContext("2d"), image = context.createImageData(SIDE, SIDE);
    values.forEach((v, at) => {
      const i = at % SIDE, j = SIDE - 1 - Math.floor(at / SIDE), t = Math.max(-1, Math.min(1, (v - middle) / scale));
      image.data.set([...(t > 0 ? [217, 131, 36] : [42, 122, 184]), Math.round(190 * Math.abs(t))], 4 * (j * SIDE + i));
    });
    context.putImageData(image, 0, 0);
  }
  const short = (v) => v.toFixed(2).replace("-", "−");
  function go() {
    timer = setInterval(() => { if (!element.isConnected || net.step >= LONGEST) halt(); else advance(TICK); }, 50);
    train.textContent = "stop";
  }
  function halt() {
    clearInterval(timer);
    timer = null;
    train.textContent = "train";
  }
  function advance(times) {
    for (let k = 0; k < times; k++) {
      learn(net, sets[inputs.set], inputs.move, inputs.rate);
      story.push(judge(net, sets[inputs.set])[0]);
    }
    draw();
  }
  function restart() {
    halt();
    net = born(state, inputs);
    story = [judge(net, sets[inputs.set])[0]];
    eyes.replaceChildren(...net.layers.slice(0, -1).map(({ b }, l) =>
      make("div", { className: "gk-layer" }, make("span", { textContent: `layer ${l + 1}` }), ...b.map(() => canvas(SIDE)))));
    draw();
  }
  function tell() {
    const at = forward(net, inputs.at), p = squash(at[at.length - 1][0]), [loss, right] = judge(net, sets[inputs.set]);
    handle.setAttribute("cx", inputs.at[0]);
    handle.setAttribute("cy", -inputs.at[1]);
    const failed = Number.isFinite(loss) ? "" : " The numbers have grown beyond all bounds: start again with a smaller rate.";
    said.textContent = `Step ${net.step}: loss ${short(loss)}, ${Math.round(100 * right)} % right. At (${short(inputs.at[0])}, ${short(inputs.at[1])}): p(square) is ${short(p)}.${failed}`;
    pad.setAttribute("aria-label", `Plane of ${sets[inputs.set].length} points. Arrow keys move the place that the network is asked about, with Shift a little; Home brings it to the middle. ${said.textContent}`);
  }
  function draw() {
    const all = [];
    for (let j = 0; j < SIDE; j++)
      for (let i = 0; i < SIDE; i++) all.push(forward(net, [i, j].map((v) => (extent * (2 * v + 1)) / SIDE - extent)));
    const last = net.layers.length;
    paint(surface, all.map((s) => squash(s[last][0])), 0.5, 0.5);
    ground.setAttribute("href", surface.toDataURL());
    [...eyes.children].forEach((row, l) => [...row.querySelectorAll("canvas")].forEach((one, k) => {
      const values = all.map((s) => s[l + 1][k]), middle = inputs.bend === "sigmoid" ? 0.5 : 0;
      paint(one, values, middle, Math.max(1e-9, ...values.map((v) => Math.abs(v - middle))));
      one.classList.toggle("gk-dead", inputs.bend === "ReLU" && sets[inputs.set].every(([x, y]) => forward(net, [x, y])[l + 1][k] === 0));
    }));
    const dead = eyes.querySelectorAll(".gk-dead").length, units = eyes.querySelectorAll("canvas").length;
    eyes.setAttribute("aria-label", units ? `What each of ${units} hidden units says of the plane. ${dead} of them are 0 at every point.` : "No hidden units.");
    const top = Math.max(...story.filter(Number.isFinite), 1e-9), n = Math.max(1, story.length - 1), every = Math.ceil(story.length / 300);
    trace.setAttribute("points", story.map((v, k) => [k, v]).filter(([k, v]) => (k % every === 0 || k === n) && Number.isFinite(v)).map(([k, v]) => `${(2 + (296 * k) / n).toFixed(1)},${(78 - (62 * v) / top).toFixed(1)}`).join(" "));
    high.textContent = `loss, from 0 to ${short(top)}`;
    wide.textContent = `${net.step} steps`;
    plot.setAttribute("aria-label", `The loss over ${net.step} steps; highest ${short(top)}, now ${short(story[story.length - 1])}.`);
    tell();
  }
  scatter();
  restart();
}
