// Drag a point in the plane of codes; the decoder draws.
// state: { layers, weights, side, classes, kind, points: [[z1, z2, class], …], extent }
// inputs: { z: [z1, z2], c: index of the class }; run gives the mean of every pixel, row by row
function run(state, { z, c }) {
  const kinds = state.classes.length ? state.classes.length + 1 : 0, x = new Float32Array(2 + kinds);
  x.set(z);
  if (kinds) x[2 + c] = 1;
  return mlp(state.layers, state.weights, x).map((v) => 1 / (1 + Math.exp(-v)));
}

function render(state, element) {
  const { side, classes, kind, points, extent } = state;
  const inputs = { z: [0, 0], c: 0 };

  const pad = svg("svg", { viewBox: `${-extent} ${-extent} ${2 * extent} ${2 * extent}`, class: "gk-pad", tabindex: 0, role: "application",
    "aria-label": "Plane of codes. Arrow keys move the code, with Shift in small steps; Home brings it to the middle." });
  svg("path", { d: `M${-extent} 0H${extent}M0 ${-extent}V${extent}`, class: "gk-axis" }, pad);
  for (const radius of [1.177, 2.146]) svg("circle", { r: radius, class: "gk-ring" }, pad);  // half, and nine tenths, of N(0, I)
  const name = (text, x, y, anchor) => { svg("text", { x, y, class: "gk-name", "text-anchor": anchor }, pad).textContent = text; };
  name("code 1 →", extent - 0.08, -0.1, "end");
  name("↑ code 2", 0.1, 0.25 - extent, "start");
  const dots = svg("g", { class: "gk-dots" }, pad);
  const handle = svg("circle", { r: 0.16, class: "gk-handle" }, pad);

  const canvas = make("canvas", { width: side, height: side });
  canvas.setAttribute("role", "img");
  const context = canvas.getContext("2d"), image = context.createImageData(side, side);
  const said = make("output");

  const sliders = [0, 1].map((k) => {
    const slider = make("input", { type: "range", min: -extent, max: extent, step: 0.01, value: 0 });
    slider.addEventListener("input", () => { inputs.z[k] = Number(slider.value); draw(); });
    return slider;
  });
  const choose = make("select");
  classes.forEach((name, i) => choose.append(make("option", { value: i, textContent: name })));
  choose.addEventListener("change", () => { inputs.c = Number(choose.value); scatter(); draw(); });

  const controls = make("div", { className: "gk-controls" });
  if (classes.length) controls.append(make("label", {}, `${kind} `, choose));
  sliders.forEach((slider, k) => controls.append(make("label", {}, `code ${k + 1} `, slider)));
  const again = make("button", { type: "button", textContent: "draw a code from the prior" });
  again.addEventListener("click", () => { inputs.z = [normal(), normal()]; draw(); });
  controls.append(again, said);
  element.append(make("div", { className: "gk-row" }, pad, make("div", { className: "gk-paper" }, canvas), controls));

  const clamp = (v) => Math.max(-extent, Math.min(extent, v));
  const normal = () => clamp(Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
  steer(pad, extent, [0.1, 0.02], () => inputs.z, (z) => { inputs.z = z; draw(); });

  function scatter() {
    dots.textContent = "";
    for (const [x, y, c] of points) if (!classes.length || c === inputs.c) svg("circle", { cx: x, cy: -y, r: 0.045 }, dots);
  }
  function draw() {
    const pixels = run(state, inputs);
    for (let i = 0; i < pixels.length; i++) {
      const grey = 255 * (1 - pixels[i]);
      image.data.set([grey, grey, grey, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    const [a, b] = inputs.z.map((v) => v.toFixed(2));
    handle.setAttribute("cx", inputs.z[0]);
    handle.setAttribute("cy", -inputs.z[1]);
    sliders.forEach((slider, k) => { slider.value = inputs.z[k]; });
    const what = classes.length ? `The ${kind} ${classes[inputs.c]}` : "The picture";
    canvas.setAttribute("aria-label", `${what} at code ${a}, ${b}`);
    said.textContent = `z = (${a}, ${b})`;
  }
  scatter();
  draw();
}
