// Choose a token, a layer and a head, and see where it looks; the transformer reads what the reader types.
// state: { weights, alphabet, width, heads, layers, sharpness, text, longest }
// inputs: { text }; run gives the weights of every layer and head, row by row up to the query itself, then the
// probabilities of the letter that follows every letter
function run(state, { text }) {
  const { maps, chances } = read(state, text), out = [], T = text.length;
  for (const map of maps) for (let i = 0; i < T; i++) for (let j = 0; j <= i; j++) out.push(map[i * T + j]);
  for (const row of chances) out.push(...row);
  return out;
}

// a transformer of blocks that look back only, with rotary positions and normalised queries and keys
function read({ weights, alphabet, width: W, heads, layers, sharpness }, text) {
  const T = text.length, V = alphabet.length, d = W / heads, half = d / 2, maps = [];
  let at = 0;
  const take = (rows, columns) => { const m = weights.subarray(at, at + rows * columns); at += rows * columns; return m; };
  const times = (m, rows, columns, x) => {
    const y = new Float32Array(rows);
    for (let i = 0; i < rows; i++) { let s = 0; for (let j = 0; j < columns; j++) s += m[i * columns + j] * x[j]; y[i] = s; }
    return y;
  };
  const norm = (x) => {
    let mean = 0, square = 0;
    for (const v of x) mean += v / x.length;
    for (const v of x) square += (v - mean) ** 2 / x.length;
    return x.map((v) => (v - mean) / Math.sqrt(square + 1e-5));
  };
  const softmax = (x) => {
    const top = Math.max(...x), e = x.map((v) => Math.exp(v - top)), sum = e.reduce((a, b) => a + b, 0);
    return e.map((v) => v / sum);
  };
  const ready = (x, place) => {  // one head's query or key: of unit size, then turned by its place
    let square = 0;
    for (const v of x) square += v * v / d;
    const size = Math.sqrt(square + 2 ** -23), y = new Float32Array(d);
    for (let i = 0; i < half; i++) {
      const angle = place * 10000 ** (-2 * i / d), c = Math.cos(angle), s = Math.sin(angle), a = x[i] / size, b = x[i + half] / size;
      y[i] = a * c - b * s;
      y[i + half] = a * s + b * c;
    }
    return y;
  };
  const embed = take(V + 1, W);
  const h = Array.from(text, (letter) => { const k = alphabet.indexOf(letter); return embed.slice(k * W, k * W + W); });
  for (let layer = 0; layer < layers; layer++) {
    const wide = take(3 * W, W), project = take(W, W), up = take(4 * W, W), down = take(W, 4 * W);
    const all = h.map((x) => times(wide, 3 * W, W, norm(x))), gathered = h.map(() => new Float32Array(W));
    for (let head = 0; head < heads; head++) {
      const part = (x, k) => x.subarray(k * W + head * d, k * W + head * d + d), map = new Float32Array(T * T);
      const q = all.map((x, t) => ready(part(x, 0), t)), k = all.map((x, t) => ready(part(x, 1), t));
      for (let i = 0; i < T; i++) {
        const logits = [];
        for (let j = 0; j <= i; j++) { let s = 0; for (let c = 0; c < d; c++) s += q[i][c] * k[j][c]; logits.push(s * sharpness / Math.sqrt(d)); }
        softmax(logits).forEach((a, j) => {
          const v = part(all[j], 2);
          map[i * T + j] = a;
          for (let c = 0; c < d; c++) gathered[i][head * d + c] += a * v[c];
        });
      }
      maps.push(map);
    }
    for (let t = 0; t < T; t++) {
      const after = times(project, W, W, gathered[t]);
      for (let c = 0; c < W; c++) h[t][c] += after[c];
      const inner = times(up, 4 * W, W, norm(h[t])).map((v) => Math.max(v, 0) ** 2), more = times(down, W, 4 * W, inner);
      for (let c = 0; c < W; c++) h[t][c] += more[c];
    }
  }
  return { maps, chances: h.map((x) => softmax(Array.from(times(embed, V, W, norm(x))))) };
}

function render(state, element) {
  const { alphabet, heads, layers, longest } = state, group = `gk-head-${Math.random().toString(36).slice(2)}`;
  const shown = (letter) => (letter === " " ? "␣" : letter), named = (letter) => (letter === " " ? "space" : letter);
  let text = state.text, query = text.length - 1, head = state.head, found;

  const field = make("input", { type: "text", value: text, maxLength: longest, spellcheck: false, autocapitalize: "none", autocomplete: "off" });
  field.addEventListener("input", () => {
    const kept = Array.from(field.value.toLowerCase()).filter((letter) => alphabet.includes(letter)).slice(0, longest).join("");
    if (kept !== field.value) field.value = kept;
    if (!kept) return;
    text = kept;
    query = text.length - 1;
    compute();
  });

  const maps = [], choose = make("div", { className: "gk-heads" });
  choose.style.gridTemplateColumns = `repeat(${heads}, minmax(0, 128px))`;  // a row for each layer
  choose.setAttribute("role", "radiogroup");
  choose.setAttribute("aria-label", "Layer and head");
  for (let k = 0; k < layers * heads; k++) {
    const radio = make("input", { type: "radio", name: group, checked: k === head }), canvas = make("canvas");
    radio.addEventListener("change", () => { head = k; draw(); });
    canvas.setAttribute("aria-hidden", "true");
    maps.push(canvas);
    choose.append(make("label", {}, canvas, make("span", {}, radio, ` layer ${1 + Math.floor(k / heads)}, head ${1 + (k % heads)}`)));
  }

  const row = make("div", { className: "gk-tokens" }), said = make("output"), next = make("div", { className: "gk-following" });
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "The text, letter by letter. Choose one with the arrow keys; the bar below each letter is the weight it gets.");
  row.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: query - 1, ArrowRight: query + 1, Home: 0, End: text.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();  // a page may turn itself with the arrow keys
    ask(Math.max(0, Math.min(text.length - 1, to)));
    row.children[query].focus();
  });
  element.append(
    make("div", { className: "gk-controls" }, make("label", { className: "gk-text" }, "text ", field)),
    row, said, next, choose,
  );

  function ask(i) { if (i !== query) { query = i; draw(); } }
  function compute() {
    found = read(state, text);
    row.textContent = "";
    Array.from(text).forEach((letter, i) => {
      const token = make("button", { type: "button" }, make("span", { textContent: shown(letter) }), make("i"));
      token.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") ask(i); });
      for (const kind of ["focus", "click"]) token.addEventListener(kind, () => ask(i));
      row.append(token);
    });
    maps.forEach((canvas, k) => {
      const T = text.length, context = Object.assign(canvas, { width: T, height: T }).getContext("2d"), image = context.createImageData(T, T);
      found.maps[k].forEach((a, p) => { const grey = 255 * (1 - a); image.data.set([grey, grey, grey, 255], 4 * p); });
      context.putImageData(image, 0, 0);
    });
    draw();
  }
  function draw() {
    const T = text.length, weights = found.maps[head].subarray(query * T, query * T + T);
    Array.from(row.children).forEach((token, j) => {
      const a = weights[j];
      token.lastChild.style.height = `${Math.round(40 * a)}px`;
      token.classList.toggle("gk-later", j > query);
      token.tabIndex = j === query ? 0 : -1;
      token.setAttribute("aria-pressed", j === query);
      token.setAttribute("aria-label", `${named(text[j])}, ${j > query ? "later: hidden" : `weight ${a.toFixed(2)}`}`);
    });
    const order = (x) => Array.from(x.keys()).sort((a, b) => x[b] - x[a]);
    const seen = order(weights).slice(0, 3).filter((j) => weights[j] >= 0.005);
    const where = seen.map((j) => `${named(text[j])} at ${j + 1} (${weights[j].toFixed(2)})`).join(", ");
    said.textContent = `Layer ${1 + Math.floor(head / heads)}, head ${1 + (head % heads)}: ${named(text[query])} at ${query + 1} looks at ${where}.`;
    const chance = found.chances[query];
    next.textContent = "Next letter: " + order(chance).slice(0, 3).map((k) => `${named(alphabet[k])} ${chance[k].toFixed(2)}`).join(", ");
  }
  compute();
}
