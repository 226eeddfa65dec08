// A hundred digits, spoiled by four sliders, and seven metrics that are asked about them at every move.
// state: { n, features, pixels: float16 of train, real and base, each n × 64, labels: { train, base }, mean: 64,
//   map: features × 64, weight: 10 × features, bias: 10, clean: [[mean, deviation], …], names, k }
// inputs: { blur, noise, dropped, copies, seed }; run gives the seven metrics, then the samples' mean and last pixel
function run(state, inputs) {
  const x = spoil(state, inputs).pictures, flat = x.flat();
  return [...judge(state, x), flat.reduce((a, b) => a + b, 0) / flat.length, flat[flat.length - 1]];
}

function part(state, which) {
  const { n, pixels } = state;
  state.parts ??= [0, 1, 2].map((p) => Array.from({ length: n }, (_, i) => Array.from(pixels.subarray((p * n + i) * 64, (p * n + i + 1) * 64))));
  return state.parts[which];
}

function spoil(state, { blur, noise, dropped, copies, seed }) {
  const { n, labels } = state, train = part(state, 0), base = part(state, 2);
  const made = base.map((x, i) => (i < copies ? { x: train[i], c: labels.train[i], copy: true } : { x, c: labels.base[i], copy: false }));
  const kept = made.map((_, i) => {  // a digit of a dropped class gives its place to the next one of a class that is kept
    let j = i;
    while (made[j].c >= 10 - dropped) j = (j + 1) % n;
    return made[j];
  });
  const next = random(seed), b = blur / 3;
  const pictures = kept.map(({ x }) => {
    let out = x;
    if (blur > 0) for (let round = 0; round < 2; round++) out = smear(smear(out, 1, b), 8, b);
    if (noise > 0) out = out.map((v) => {
      const r = Math.sqrt(-2 * Math.log(1 - next())), t = 2 * Math.PI * next();
      return Math.min(1, Math.max(0, v + noise * r * Math.cos(t)));
    });
    return out;
  });
  return { pictures, copy: kept.map((one) => one.copy) };
}
function smear(x, step, b) {
  return x.map((v, i) => {
    const place = step === 1 ? i % 8 : i >> 3;
    return (1 - 2 * b) * v + b * ((place > 0 ? x[i - step] : 0) + (place < 7 ? x[i + step] : 0));
  });
}

function judge(state, x) {
  const { k } = state, see = (pictures) => pictures.map((p) => state.map.map((row) => row.reduce((sum, w, d) => sum + w * (p[d] - state.mean[d]), 0)));
  state.seen ??= see(part(state, 1));
  const real = state.seen, made = see(x);
  const own = radii(real, k), theirs = radii(made, k), between = made.map((s) => real.map((r) => apart(s, r)));
  const balls = between.map((row) => row.filter((d, j) => d <= own[j]).length);
  const reached = real.map((_, j) => between.some((row, i) => row[j] <= theirs[i])), covered = real.map((_, j) => between.some((row) => row[j] <= own[j]));
  const share = (list) => list.filter(Boolean).length / list.length;
  return [
    frechet(real, made), classScore(state, made), share(balls), share(reached),
    balls.reduce((a, b) => a + b, 0) / (k * made.length), share(covered), copyScore(state, x),
  ];
}
const apart = (a, b) => Math.sqrt(a.reduce((sum, v, d) => sum + (v - b[d]) ** 2, 0));
const radii = (points, k) => points.map((p) => points.map((q) => apart(p, q)).sort((a, b) => a - b)[k]);

function frechet(a, b) {
  const [m, s] = moments(a), [n, t] = moments(b), root = whole(s, Math.sqrt), trace = (c) => c.reduce((sum, row, i) => sum + row[i], 0);
  const cross = jacobi(times(times(root, t), root)).values.reduce((sum, v) => sum + Math.sqrt(Math.max(v, 0)), 0);
  return m.reduce((sum, v, i) => sum + (v - n[i]) ** 2, 0) + trace(s) + trace(t) - 2 * cross;
}
function moments(points) {
  const n = points.length, mean = points[0].map((_, d) => points.reduce((sum, p) => sum + p[d], 0) / n);
  const cov = mean.map((_, i) => mean.map((_, j) => points.reduce((sum, p) => sum + (p[i] - mean[i]) * (p[j] - mean[j]), 0) / (n - 1)));
  return [mean, cov];
}
const times = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
function whole(matrix, f) {  // f of a symmetric matrix
  const { values, vectors } = jacobi(matrix);
  return matrix.map((_, i) => matrix.map((_, j) => values.reduce((sum, v, k) => sum + vectors[i][k] * f(Math.max(v, 0)) * vectors[j][k], 0)));
}
function jacobi(matrix) {  // eigenvalues and eigenvectors: plane rotations, until nothing is left beside the diagonal
  const n = matrix.length, a = matrix.map((row, i) => row.map((v, j) => (v + matrix[j][i]) / 2)), u = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-15) continue;
        const t = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]), c = Math.cos(t), s = Math.sin(t);
        for (let k = 0; k < n; k++) [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++) [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (let k = 0; k < n; k++) [u[k][p], u[k][q]] = [c * u[k][p] - s * u[k][q], s * u[k][p] + c * u[k][q]];
      }
  return { values: a.map((row, i) => row[i]), vectors: u };
}

function classScore({ weight, bias }, made) {
  const rows = made.map((f) => {
    const logit = weight.map((w, c) => w.reduce((sum, v, d) => sum + v * f[d], bias[c])), top = Math.max(...logit);
    const e = logit.map((v) => Math.exp(v - top)), total = e.reduce((a, b) => a + b, 0);
    return e.map((v) => v / total);
  });
  const mean = bias.map((_, c) => rows.reduce((sum, p) => sum + p[c], 0) / rows.length), entropy = (p) => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);
  return Math.exp(entropy(mean) - rows.reduce((sum, p) => sum + entropy(p), 0) / rows.length);
}
function copyScore(state, x) {  // Mann and Whitney's test of the distances from the training set
  const train = part(state, 0), near = (pictures) => pictures.map((p) => Math.min(...train.map((t) => apart(p, t))));
  state.near ??= near(part(state, 1));
  const a = near(x), b = state.near, m = a.length, n = b.length, counts = new Map();
  for (const v of [...a, ...b]) counts.set(v, (counts.get(v) ?? 0) + 1);
  const u = a.reduce((sum, v) => sum + b.reduce((s, w) => s + (v > w ? 1 : v === w ? 0.5 : 0), 0), 0);
  const ties = [...counts.values()].reduce((sum, c) => sum + c ** 3 - c, 0) / ((m + n) * (m + n - 1));
  return (u - (m * n) / 2) / Math.sqrt(((m * n) / 12) * (m + n + 1 - ties));
}

function render(state, element) {
  const { n, names, clean } = state, side = Math.sqrt(n), CELL = 10;
  let seed = 1;
  const canvas = make("canvas", { width: side * CELL, height: side * CELL, className: "gk-crowd" });
  canvas.setAttribute("role", "img");
  const slider = (label, max, step, say) => {
    const input = make("input", { type: "range", min: 0, max, step, value: 0 }), shown = make("span", { className: "gk-knob" });
    input.addEventListener("input", draw);
    const tell = () => { shown.textContent = say(Number(input.value)); input.setAttribute("aria-valuetext", shown.textContent); };
    return { input, tell, row: make("label", {}, label, make("span", { className: "gk-slide" }, input, shown)) };
  };
  const plain = (v) => v.toFixed(2);
  const knobs = {
    blur: slider("blur", 1, 0.05, plain), noise: slider("noise", 0.5, 0.02, plain),
    dropped: slider("classes gone", 9, 1, String), copies: slider("copies", n, 5, String),
  };
  const button = (text, action) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", () => { action(); draw(); });
    return made;
  };
  const reset = button("make them good again", () => Object.values(knobs).forEach(({ input }) => { input.value = 0; }));
  const again = button("new noise", () => { seed += 1; });
  const said = make("output"), body = make("tbody");
  const head = make("tr", {}, ...["metric", "now", "if clean", "notices?"].map((textContent) => make("th", { scope: "col", textContent })));
  const table = make("table", { className: "gk-judges" }, make("thead", {}, head), body);
  const rows = names.map((name) => {
    const now = make("td"), usual = make("td"), bar = make("i"), word = make("span"), cell = make("td", {}, bar, word);
    body.append(make("tr", {}, make("th", { scope: "row", textContent: name }), now, usual, cell));
    return { now, usual, bar, word };
  });
  const controls = make("div", { className: "gk-controls" }, ...Object.values(knobs).map((knob) => knob.row), make("div", { className: "gk-buttons" }, reset, again));
  const crowd = make("div", { className: "gk-paper gk-crowd-paper" }, canvas);
  element.append(make("div", { className: "gk-row gk-top" }, crowd, controls), table, said);

  const short = (v) => (Math.abs(v) < 0.005 ? "0.00" : v.toFixed(2)).replaceAll("-", "−");
  function draw() {
    for (const knob of Object.values(knobs)) knob.tell();
    const inputs = { seed, ...Object.fromEntries(Object.entries(knobs).map(([name, { input }]) => [name, Number(input.value)])) };
    const { pictures, copy } = spoil(state, inputs), values = judge(state, pictures), ink = canvas.getContext("2d");
    ink.fillStyle = "#fff";
    ink.fillRect(0, 0, canvas.width, canvas.height);
    pictures.forEach((x, i) => {
      const left = (i % side) * CELL, top = Math.floor(i / side) * CELL;
      if (copy[i]) { ink.fillStyle = "#d98324"; ink.fillRect(left, top, CELL, CELL); }
      x.forEach((v, d) => {
        const grey = Math.round(255 * (1 - v));
        ink.fillStyle = `rgb(${grey},${grey},${grey})`;
        ink.fillRect(left + 1 + (d % 8), top + 1 + (d >> 3), 1, 1);
      });
    });
    const noticed = [];
    values.forEach((v, i) => {
      const [mean, deviation] = clean[i], z = (v - mean) / deviation, yes = Math.abs(z) > 3, { now, usual, bar, word } = rows[i];
      now.textContent = short(v);
      usual.textContent = `${short(mean)} ± ${short(deviation)}`;
      bar.style.width = `${Math.min(100, 6 * Math.abs(z))}%`;
      bar.className = yes ? "gk-yes" : "";
      word.textContent = `${z < 0 ? "−" : "+"}${Math.abs(z).toFixed(1)} ${yes ? "yes" : "no"}`;
      if (yes) noticed.push(names[i]);
    });
    const spoiledBy = Object.values(knobs).some(({ input }) => Number(input.value) > 0);
    said.textContent = noticed.length ? `Noticed by ${noticed.length} of ${names.length}: ${noticed.join(", ")}.`
      : spoiledBy ? "Nobody notices." : "These are real digits, which no metric has seen. Nobody should notice anything.";
    const copied = copy.filter(Boolean).length;
    canvas.setAttribute("aria-label", `${n} digits: blur ${plain(inputs.blur)}, noise ${plain(inputs.noise)}, ${inputs.dropped} classes gone, ${copied} copies of training digits, which have a coloured frame.`);
  }
  draw();
}
