// Two yardsticks, chosen by the reader, and the models that nobody beats in both.
// state: { names, yardsticks: [{ name, best: 1 for high or -1 for low, log, values: [number or null] }] }
// inputs: { x, y }, places in yardsticks; run gives for every model 1 on the front, 0 beaten, -1 without a number
function run(state, inputs) {
  return rivals(state, inputs).map((beaten) => (beaten === null ? -1 : beaten.length ? 0 : 1));
}

// For every model the ones that beat it, or null where it has no number.
function rivals({ yardsticks }, { x, y }) {
  const pair = [yardsticks[x], yardsticks[y]], points = pair[0].values.map((_, i) => pair.map(({ best, values }) => (values[i] === null ? null : best * values[i])));
  const whole = (p) => p.every((v) => v !== null), beats = (q, p) => q.every((v, d) => v >= p[d]) && q.some((v, d) => v > p[d]);
  return points.map((p) => (whole(p) ? points.flatMap((q, j) => (whole(q) && beats(q, p) ? [j] : [])) : null));
}

function render(state, element) {
  const { names, yardsticks } = state, W = 560, H = 420, EDGE = 42;
  const choice = (label, value) => {
    const select = make("select");
    yardsticks.forEach(({ name, best }, i) => select.append(make("option", { value: i, textContent: `${name} (${best > 0 ? "more" : "less"} is better)` })));
    select.value = value;
    select.addEventListener("change", () => { held = null; draw(); });
    return { select, row: make("label", {}, label, select) };
  };
  const across = choice("to the right", 0), up = choice("upwards", 1);
  const plot = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "gk-front", role: "group", "aria-label": "Models by the two yardsticks" });
  const said = make("output"), missing = make("p", { className: "gk-learnt" });
  element.append(make("div", { className: "gk-controls gk-pair" }, across.row, up.row), plot, said, missing);
  let held = null;

  // Better always lies to the right and above, whichever end of the yardstick is best.
  const scale = ({ best, log, values }, length) => {
    const size = (v) => best * (log ? Math.log(v) : v), known = values.filter((v) => v !== null).map(size), low = Math.min(...known), high = Math.max(...known);
    return (v) => EDGE + (length - 2 * EDGE) * (high > low ? (size(v) - low) / (high - low) : 0.5);
  };
  const short = (v) => (Math.abs(v) >= 100 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(3)))).replace("-", "−");
  const list = (all) => (all.length ? all.map((i) => names[i]).join(", ") : "nobody");

  function draw() {
    const x = Number(across.select.value), y = Number(up.select.value), [a, b] = [yardsticks[x], yardsticks[y]], found = rivals(state, { x, y });
    const fx = scale(a, W), fy = scale(b, H), at = names.map((_, i) => (found[i] === null ? null : [fx(a.values[i]), H - fy(b.values[i])]));
    const first = names.map((_, i) => i).filter((i) => found[i]?.length === 0), focused = document.activeElement?.dataset?.model;
    plot.replaceChildren();
    const steps = first.map((i) => at[i]).sort((p, q) => p[0] - q[0]);
    svg("polyline", { points: steps.map((p) => p.join(",")).join(" "), class: "gk-edge" }, plot);
    const boxes = [];
    names.forEach((name, i) => {
      if (at[i] === null) return;
      const [cx, cy] = at[i], over = held !== null && found[held]?.includes(i);
      const what = `${name}: ${a.name} ${short(a.values[i])}, ${b.name} ${short(b.values[i])}; ${found[i].length ? `beaten by ${list(found[i])}` : "nobody beats it"}`;
      const dot = svg("circle", { cx, cy, r: 7, class: `gk-point${found[i].length ? "" : " gk-first"}${held === i ? " gk-mine" : ""}${over ? " gk-over" : ""}`, tabindex: 0, role: "img", "aria-label": what, "data-model": i }, plot);
      const hold = () => { if (held !== i) { held = i; draw(); } };
      dot.addEventListener("pointerdown", hold);
      dot.addEventListener("focus", hold);
      boxes.push({ i, cx, cy });
    });
    const taken = [];
    for (const { i, cx, cy } of boxes) write(names[i], cx, cy, boxes, taken, found[i].length === 0);
    if (focused !== undefined) plot.querySelector(`[data-model="${focused}"]`)?.focus({ preventScroll: true });
    said.textContent = held === null || found[held] === null ? `Nobody beats: ${list(first)}.` : `${names[held]}: ${a.name} ${short(a.values[held])}, ${b.name} ${short(b.values[held])}. ${found[held].length ? `Beaten by ${list(found[held])}.` : "Nobody beats it."}`;
    const without = names.filter((_, i) => found[i] === null);
    missing.textContent = without.length ? `Without such a number: ${without.join(", ")}.` : "";
  }

  // A name goes where it covers no other point and no other name, as far as there is room.
  function write(name, cx, cy, boxes, taken, strong) {
    const wide = 7.8 * name.length;
    const places = [[12, 4, "start"], [-12, 4, "end"], [0, -12, "middle"], [0, 22, "middle"], [12, -10, "start"], [-12, -10, "end"], [12, 20, "start"], [-12, 20, "end"], [0, -27, "middle"], [0, 37, "middle"], [26, -22, "start"], [-26, -22, "end"], [26, 33, "start"], [-26, 33, "end"]];
    const box = ([dx, dy, anchor]) => {
      const left = cx + dx - (anchor === "end" ? wide : anchor === "middle" ? wide / 2 : 0);
      return [left, cy + dy - 11, left + wide, cy + dy + 3];
    };
    const cover = ([l, t, r, b]) => taken.some(([l2, t2, r2, b2]) => l < r2 && l2 < r && t < b2 && t2 < b) + boxes.some((p) => p.cx !== cx && p.cx + 6 > l && p.cx - 6 < r && p.cy + 6 > t && p.cy - 6 < b) + (l < 0 || r > W || t < 0 || b > H ? 2 : 0);
    const place = places.reduce((best, p) => (cover(box(p)) < cover(box(best)) ? p : best));
    taken.push(box(place));
    svg("text", { x: cx + place[0], y: cy + place[1], "text-anchor": place[2], class: strong ? "gk-strong" : "" }, plot, name);
  }
  draw();
}
