// A small GPT writes, one character at a time; rules as in genkit/decoding.py decide what is left to draw from.
// state: that of gpt.js, and { alphabet, prompt, learnt }
// inputs: { tokens, rules: { temperature, top_k, top_p, min_p, repetition_penalty } }; run gives the logits of the next
// character, and after them the probability of each once the rules have been applied
const RULES = {
  repetition_penalty: (z, value, tokens) => { const seen = new Set(tokens); return z.map((v, i) => !seen.has(i) ? v : v > 0 ? v / value : v * value); },
  temperature: (z, value) => value === 0 ? RULES.top_k(z, 1) : z.map((v) => v / value),
  top_k: (z, value) => keep(z, ranked(z).slice(0, value)),
  top_p: (z, value) => {
    if (value >= 1) return z;
    const p = softmax(z), kept = [];
    let before = 0;
    for (const i of ranked(z)) { if (before < value) kept.push(i); before += p[i]; }
    return keep(z, kept);
  },
  min_p: (z, value) => { const least = z.reduce((a, b) => Math.max(a, b)) + Math.log(value); return z.map((v) => v >= least ? v : -Infinity); },
};
const ranked = (z) => Array.from(z.keys()).sort((a, b) => z[b] - z[a] || a - b);
const keep = (z, kept) => { const left = new Set(kept); return z.map((v, i) => left.has(i) ? v : -Infinity); };
function choices(logits, tokens, rules) {
  let z = Float64Array.from(logits);
  for (const name of Object.keys(RULES)) if (rules[name] !== undefined) z = RULES[name](z, rules[name], tokens);
  return softmax(z);
}
const written = new WeakMap();  // one network for each state, with the keys and values of what it has read
function networkOf(state) {
  if (!written.has(state)) written.set(state, gptOf(state));
  return written.get(state);
}
function run(state, { tokens, rules }) {
  const logits = networkOf(state).next(tokens);
  return [...logits, ...choices(logits, tokens, rules)];
}

function render(state, element) {
  const SHOWN = 10, GRAM = 8, number = new Map(Array.from(state.alphabet, (c, i) => [c, i]));
  const name = (token) => ({ " ": "␣", "\n": "↵" })[state.alphabet[token]] ?? state.alphabet[token];
  const percent = (p) => `${(100 * p).toFixed(p > 0 && p < 0.01 ? 1 : 0)} %`;
  const rules = {}, controls = make("div", { className: "gk-controls" });
  let tokens = [], start = 0, surprises = [], dice = random(1), busy = null;

  const prompt = make("input", { type: "text", value: state.prompt, maxLength: 48, spellcheck: false });
  const seed = make("input", { type: "number", value: 1, min: 0, max: 999999, step: 1 });
  controls.append(make("label", {}, "begin with ", prompt));
  const knob = (label, rule, min, max, step, value) => {
    const slider = make("input", { type: "range", min, max, step, value }), told = make("span", { className: "gk-knob" });
    const set = () => { rules[rule] = Number(slider.value); told.textContent = slider.value; };
    slider.addEventListener("input", () => { set(); look(); });
    set();
    controls.append(make("label", {}, `${label} `, make("span", { className: "gk-slide" }, slider, told)));
  };
  knob("temperature", "temperature", 0, 2, 0.05, 0.7);
  knob("top-k", "top_k", 1, state.alphabet.length, 1, state.alphabet.length);
  knob("top-p", "top_p", 0.05, 1, 0.05, 1);
  knob("penalty", "repetition_penalty", 1, 2, 0.05, 1);
  controls.append(make("label", {}, "seed ", seed));
  const one = make("button", { type: "button", textContent: "one more" }), many = make("button", { type: "button", textContent: "write 100" });
  const again = make("button", { type: "button", textContent: "start again" });
  controls.append(make("div", { className: "gk-buttons" }, one, many, again));

  const page = make("div", { className: "gk-written", tabIndex: 0 });
  page.setAttribute("role", "region");
  page.setAttribute("aria-label", "What was written. The longer the bar under a character, the less probable it was.");
  const said = make("output"), bars = svg("svg", { viewBox: `0 0 300 ${22 * SHOWN}`, class: "gk-bars", role: "img" });
  element.append(
    make("div", { className: "gk-row gk-top" }, controls, make("div", { className: "gk-next" }, make("p", { textContent: "The next character: outlined, what the model says; filled, what the rules leave." }), bars)),
    page, said, make("p", { className: "gk-learnt", textContent: state.learnt }),
  );

  const draw = (tag, attributes, text) => svg(tag, attributes, bars, text);
  function look() {
    const own = softmax(Float64Array.from(networkOf(state).next(tokens))), left = choices(networkOf(state).next(tokens), tokens, rules);
    const first = ranked(own).slice(0, SHOWN);
    bars.textContent = "";
    first.forEach((token, i) => {
      const y = 22 * i;
      draw("text", { x: 18, y: y + 15, "text-anchor": "end", class: "gk-token" }, name(token));
      draw("rect", { x: 26, y: y + 3, width: 200 * left[token], height: 16, class: "gk-left" });
      draw("rect", { x: 26, y: y + 3, width: Math.max(0.5, 200 * own[token]), height: 16, class: "gk-own" });
      draw("text", { x: 298, y: y + 15, "text-anchor": "end", class: "gk-share" }, left[token] ? percent(left[token]) : "cut");
    });
    const words = first.slice(0, 4).map((token) => `${name(token)} ${percent(own[token])}, after the rules ${percent(left[token])}`);
    bars.setAttribute("aria-label", `The next character. ${words.join("; ")}.`);
    return { own, left };
  }
  function tell() {
    if (!surprises.length) { said.textContent = "Nothing written yet."; return; }
    const mean = surprises.reduce((a, b) => a + b) / surprises.length, text = tokens.slice(start), grams = new Set();
    for (let i = 0; i + GRAM <= text.length; i++) grams.add(text.slice(i, i + GRAM).join());
    const total = text.length - GRAM + 1;
    said.textContent = `${text.length} character${text.length > 1 ? "s" : ""}, perplexity ${Math.exp(mean).toFixed(2)}` + (total > 0 ? `, ${percent(1 - grams.size / total)} of ${GRAM}-grams repeated` : "");
  }
  const put = (token, surprise) => {
    const mark = make("span", { textContent: state.alphabet[token] });
    if (surprise === undefined) mark.className = "gk-given";
    else {
      mark.style.boxShadow = `0 ${Math.min(9, 1.5 * surprise).toFixed(1)}px #d98324`;
      mark.title = `${name(token)}: log p = −${surprise.toFixed(2)}`;
    }
    page.append(mark);
  };
  function write() {
    const { own, left } = look(), u = dice();
    let token = left.findLastIndex((p) => p > 0), sum = 0;
    for (let i = 0; i < left.length; i++) { sum += left[i]; if (u < sum) { token = i; break; } }
    const surprise = Math.max(0, -Math.log(own[token]));
    tokens = [...tokens, token];
    surprises.push(surprise);
    put(token, surprise);
  }
  function stop() {
    clearTimeout(busy);
    busy = null;
    many.textContent = "write 100";
    look();
    tell();
  }
  function begin() {
    const given = Array.from(prompt.value).map((c) => number.get(c)).filter((t) => t !== undefined);
    tokens = given.length ? given : [number.get("\n") ?? 0];
    start = tokens.length;
    [surprises, dice, page.textContent] = [[], random(Number(seed.value) || 0), ""];
    tokens.forEach((token) => put(token));
    stop();
  }
  one.addEventListener("click", () => { write(); stop(); });
  many.addEventListener("click", () => {
    if (busy !== null) { stop(); return; }
    const end = tokens.length + 100, atOnce = matchMedia("(prefers-reduced-motion: reduce)").matches;
    many.textContent = "stop";
    const go = () => {
      do write(); while (atOnce && tokens.length < end);
      if (tokens.length < end) busy = setTimeout(go, 20);
      else stop();
    };
    busy = setTimeout(go, 0);
  });
  again.addEventListener("click", begin);
  for (const field of [prompt, seed]) field.addEventListener("change", begin);
  begin();
}
