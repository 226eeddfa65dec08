// Guests at a party, each happy or grumpy; moods settle as each looks round the room.
// state: { names, weight: rows of a symmetric matrix, bias, levels: what a friendship may be }
// inputs: { weight, bias, temperature, moods: [0 or 1, …], seed, rounds }
// run gives: energy; p(happy | the others) of each guest; log Z; p(moods); the energy after each round; the last moods
function run(state, { weight, bias, temperature, moods, seed, rounds }) {
  const p = moods.map((_, i) => chance(weight, bias, temperature, moods, i));
  const energies = everyMood(bias.length).map((s) => -energy(weight, bias, s) / temperature);
  const top = Math.max(...energies), log_z = top + Math.log(energies.reduce((sum, e) => sum + Math.exp(e - top), 0));
  const now = [...moods], next = random(seed), trace = [];
  for (let k = 0; k < rounds; k++) {
    round(weight, bias, temperature, now, next);
    trace.push(energy(weight, bias, now));
  }
  const here = energy(weight, bias, moods);
  return [here, ...p, log_z, Math.exp(-here / temperature - log_z), ...trace, ...now];
}

function energy(weight, bias, s) {
  let e = 0;
  for (let i = 0; i < s.length; i++) {
    if (!s[i]) continue;
    e -= bias[i];
    for (let j = 0; j < i; j++) if (s[j]) e -= weight[i][j];
  }
  return e;
}
function chance(weight, bias, temperature, s, i) {
  const pull = s.reduce((sum, mood, j) => sum + weight[i][j] * mood, bias[i]);
  return 1 / (1 + Math.exp(-pull / temperature));
}
function round(weight, bias, temperature, s, next) {
  for (let i = 0; i < s.length; i++) s[i] = next() < chance(weight, bias, temperature, s, i) ? 1 : 0;
}
// all moods, counted in binary, the first guest slowest
function everyMood(n) {
  return Array.from({ length: 2 ** n }, (_, k) => Array.from({ length: n }, (_, i) => (k >> (n - 1 - i)) & 1));
}

function render(state, element) {
  const { names, levels } = state, n = names.length, LAST = 120, SHOWN = 8;
  const weight = state.weight.map((row) => [...row]), bias = state.bias, all = everyMood(n);
  let temperature = 1, moods, next, trace, visits, rounds, timer = null;
  const place = (i, r = 1) => [r * Math.sin((2 * Math.PI * i) / n), -r * Math.cos((2 * Math.PI * i) / n)];
  const word = (w) => (w > 0 ? "like each other" : w < 0 ? "cannot stand each other" : "do not care");
  const code = (s) => s.reduce((sum, mood) => 2 * sum + mood, 0);

  // the room
  const room = svg("svg", { viewBox: "-1.55 -1.5 3.1 3", class: "gk-room", role: "img" });
  const edges = svg("g", {}, room), lines = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [x1, y1] = place(i), [x2, y2] = place(j), ends = { x1, y1, x2, y2 };
      const line = svg("line", ends, edges), touch = svg("line", { ...ends, class: "gk-touch" }, edges);
      touch.addEventListener("click", () => befriend(i, j, levels[(levels.indexOf(weight[i][j]) + 1) % levels.length]));
      lines.push([i, j, line]);
    }
  const faces = names.map((name, i) => {
    const [x, y] = place(i), face = svg("g", { transform: `translate(${x} ${y})`, class: "gk-face" }, room);
    svg("circle", { r: 0.2 }, face);
    for (const side of [-0.07, 0.07]) svg("circle", { cx: side, cy: -0.05, r: 0.025, class: "gk-eye" }, face);
    const mouth = svg("path", { class: "gk-mouth" }, face), below = y > 0.1 ? 0.38 : -0.27;  // away from the lines
    svg("text", { x, y: y + below, "text-anchor": "middle", class: "gk-guest" }, room, name);
    face.addEventListener("click", () => turn(i));
    return { face, mouth };
  });

  // the energy over time, and how often each state of the room was seen
  const plot = svg("svg", { viewBox: "0 0 240 110", class: "gk-plot", role: "img" });
  svg("text", { x: 2, y: 12 }, plot, "energy by round");
  const floor = svg("line", { x1: 0, x2: 240, class: "gk-floor" }, plot), curve = svg("polyline", { class: "gk-trace" }, plot);
  const low = svg("text", { x: 238, y: 12, "text-anchor": "end" }, plot);
  const chart = svg("svg", { viewBox: "0 0 240 150", class: "gk-plot", role: "img" });
  svg("text", { x: 2, y: 12 }, chart, "likeliest moods: bar seen, mark exact");
  const bars = svg("g", {}, chart);

  // what can be done
  const choice = (label, options, chosen) => {
    const select = make("select");
    options.forEach(([value, text]) => select.append(make("option", { value, textContent: text })));
    select.value = chosen;
    select.addEventListener("change", chosenPair);
    return [select, make("label", {}, label, select)];
  };
  const people = names.map((name, i) => [i, name]);
  const [one, oneLabel] = choice("guest ", people, 0), [two, twoLabel] = choice("and ", people, 1);
  const [how, howLabel] = choice("they ", levels.map((w) => [w, `${word(w)} (${Number(w.toFixed(2))})`]), weight[0][1]);
  how.removeEventListener("change", chosenPair);
  how.addEventListener("change", () => one.value !== two.value && befriend(+one.value, +two.value, Number(how.value)));
  const slider = make("input", { type: "range", min: 0.2, max: 4, step: 0.1, value: 1 }), shown = make("span");
  slider.addEventListener("input", () => { temperature = Number(slider.value); forget(); });
  const button = (text, action) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", action);
    return made;
  };
  const play = button("run", () => (timer === null ? go() : halt()));
  const controls = make("div", { className: "gk-controls" },
    make("label", {}, "heat ", make("span", { className: "gk-heat" }, slider, shown)), oneLabel, twoLabel, howLabel,
    make("div", { className: "gk-buttons" }, button("one round", () => step(1)), play,
      button("1,000 rounds", () => step(1000)), button("start again", () => { halt(); restart(); })));
  const flips = make("div", { className: "gk-buttons" });
  names.forEach((name, i) => flips.append(button(name, () => turn(i))));
  const said = make("output");
  controls.append(make("span", {}, "change a mood:"), flips, said);
  element.append(make("div", { className: "gk-row" }, room, make("div", { className: "gk-plots" }, plot, chart), controls));

  function chosenPair() {
    how.disabled = one.value === two.value;
    if (!how.disabled) how.value = weight[one.value][two.value];
  }
  function befriend(i, j, w) {
    weight[i][j] = weight[j][i] = w;
    one.value = i;
    two.value = j;
    chosenPair();
    forget();
  }
  function turn(i) {
    moods[i] = 1 - moods[i];
    draw();
  }
  function go() {
    timer = setInterval(() => step(1), 120);
    play.textContent = "stop";
  }
  function halt() {
    clearInterval(timer);
    timer = null;
    play.textContent = "run";
  }
  function step(times) {
    for (let k = 0; k < times; k++) {
      round(weight, bias, temperature, moods, next);
      visits[code(moods)] += 1;
      trace.push(energy(weight, bias, moods));
    }
    rounds += times;
    trace = trace.slice(-LAST);
    draw();
  }
  function forget() {  // what was seen belongs to another party
    visits = all.map(() => 0);
    rounds = 0;
    trace = [];
    draw();
  }
  function restart() {
    moods = names.map((_, i) => i % 2);
    next = random(1);
    forget();
  }
  function draw() {
    if (!element.isConnected && timer !== null) return halt();
    for (const [i, j, line] of lines) line.setAttribute("class", weight[i][j] > 0 ? "gk-like" : weight[i][j] < 0 ? "gk-dislike" : "gk-none");
    faces.forEach(({ face, mouth }, i) => {
      face.setAttribute("class", moods[i] ? "gk-face gk-happy" : "gk-face");
      mouth.setAttribute("d", moods[i] ? "M-.1 .04Q0 .15 .1 .04" : "M-.1 .11Q0 .02 .1 .11");
      flips.children[i].setAttribute("aria-pressed", String(Boolean(moods[i])));
    });
    const energies = all.map((s) => energy(weight, bias, s)), lowest = Math.min(...energies), highest = Math.max(...energies);
    const y = (e) => 22 + 80 * ((highest - e) / Math.max(highest - lowest, 1e-9));
    floor.setAttribute("y1", y(lowest));
    floor.setAttribute("y2", y(lowest));
    low.textContent = `lowest ${fixed(lowest, 1)}, dashed`;
    curve.setAttribute("points", trace.map((e, k) => `${(240 * k) / (LAST - 1)},${y(e)}`).join(" "));
    const here = energy(weight, bias, moods), top = -lowest / temperature;
    const weights = energies.map((e) => Math.exp(-e / temperature - top)), z = weights.reduce((a, b) => a + b, 0);
    const exact = weights.map((w) => w / z), seen = visits.map((v) => v / Math.max(rounds, 1));
    const order = exact.map((_, k) => k).sort((a, b) => exact[b] - exact[a]).slice(0, SHOWN);
    const scale = 130 / Math.max(...order.map((k) => Math.max(exact[k], seen[k])));
    bars.textContent = "";
    order.forEach((k, row) => {
      const at = 20 + 16 * row;
      svg("text", { x: 2, y: at + 9, class: k === code(moods) ? "gk-here" : "" }, bars, initials(all[k]));
      svg("rect", { x: 64, y: at, width: scale * seen[k], height: 11, class: "gk-seen" }, bars);
      svg("line", { x1: 64 + scale * exact[k], x2: 64 + scale * exact[k], y1: at - 1, y2: at + 12, class: "gk-exact" }, bars);
      svg("text", { x: 238, y: at + 9, "text-anchor": "end" }, bars, `${(100 * exact[k]).toFixed(0)} %`);
    });
    const apart = exact.reduce((sum, p, k) => sum + Math.abs(p - seen[k]), 0) / 2;
    shown.textContent = temperature.toFixed(1);
    slider.setAttribute("aria-valuetext", `temperature ${temperature.toFixed(1)}`);
    room.setAttribute("aria-label", `A room of guests. Happy: ${moods.some((m) => m) ? names.filter((_, i) => moods[i]).join(", ") : "nobody"}.`);
    plot.setAttribute("aria-label", `Energy of the last ${trace.length} rounds; now ${fixed(here)}, the lowest possible ${fixed(lowest)}.`);
    chart.setAttribute("aria-label", `The likeliest moods. ${order.slice(0, 3).map((k) => `${initials(all[k])}: exact ${(100 * exact[k]).toFixed(0)} %, seen ${(100 * seen[k]).toFixed(0)} %`).join("; ")}.`);
    const so_far = rounds ? `, ${(100 * apart).toFixed(1)} % of the visits misplaced` : "";
    said.textContent = `energy ${fixed(here)}; round ${rounds}${so_far}`;
  }
  function fixed(e, digits = 2) {  // with a minus sign, and none before a zero
    return (Math.abs(e) < 0.5 * 10 ** -digits ? 0 : e).toFixed(digits).replace("-", "−");
  }
  function initials(s) {
    return names.map((name, i) => (s[i] ? name[0] : "·")).join(" ");
  }
  restart();
  chosenPair();
}
