// Two noises, one picture: the first layers follow the style of one, the others that of the other.
// state: { weights, shape: [C, H, W], mapping: [[inputs, outputs], …], channels: [[inputs, outputs, kernel], …], noises }
//   weights: each mapping layer's matrix and bias, the constant, then for each convolution scales' matrix and bias,
//   kernel, bias; the last convolution paints and is not demodulated
// inputs: { coarse: noise, fine: noise, cut: layers that follow the first }; run gives the pixels, row by row
function reader(weights) {
  let at = 0;
  return (n) => weights.subarray(at, at += n);
}

function linear(matrix, bias, x) {
  return Float32Array.from(bias, (b, j) => {
    let sum = b;
    for (let i = 0, row = j * x.length; i < x.length; i++) sum += matrix[row + i] * x[i];
    return sum;
  });
}

const leak = (v) => (v > 0 ? v : 0.2 * v);

function convolve(x, inputs, outputs, kernel, h, w, weight, bias, scales, demodulate) {
  const y = new Float32Array(outputs * h * w), half = kernel >> 1, area = kernel * kernel;
  for (let o = 0; o < outputs; o++) {
    const to = y.subarray(o * h * w, (o + 1) * h * w);
    let square = 1e-8;
    for (let i = 0; i < inputs; i++) {
      const from = x.subarray(i * h * w, (i + 1) * h * w);
      for (let k = 0; k < area; k++) {
        const v = weight[(o * inputs + i) * area + k] * scales[i], dy = Math.floor(k / kernel) - half, dx = k % kernel - half;
        square += v * v;
        const top = Math.max(0, -dy), bottom = Math.min(h, h - dy), left = Math.max(0, -dx), right = Math.min(w, w - dx);
        for (let r = top; r < bottom; r++) {
          const here = r * w, there = (r + dy) * w + dx;
          for (let c = left; c < right; c++) to[here + c] += v * from[there + c];
        }
      }
    }
    const factor = demodulate ? 1 / Math.sqrt(square) : 1;
    for (let p = 0; p < to.length; p++) to[p] = to[p] * factor + bias[o];
  }
  return y;
}

function twice(x, channels, h, w) {
  const y = new Float32Array(channels * 4 * h * w);
  for (let c = 0; c < channels; c++)
    for (let r = 0; r < 2 * h; r++)
      for (let s = 0; s < 2 * w; s++) y[(c * 2 * h + r) * 2 * w + s] = x[(c * h + (r >> 1)) * w + (s >> 1)];
  return y;
}

function run(state, { coarse, fine, cut }) {
  const take = reader(state.weights), layers = state.mapping.map(([i, o]) => [take(i * o), take(o)]);
  const style = (z) => layers.reduce((h, [matrix, bias]) => linear(matrix, bias, h).map(leak), z);
  const styles = [style(coarse), style(fine)], size = styles[0].length;
  let [, h, w] = state.shape;
  h >>= 2;
  w >>= 2;
  let x = take(state.channels[0][0] * h * w);
  state.channels.forEach(([inputs, outputs, kernel], layer) => {
    if (layer === 2 || layer === 3) {
      x = twice(x, inputs, h, w);
      h *= 2;
      w *= 2;
    }
    const matrix = take(inputs * size), bias = take(inputs), weight = take(outputs * inputs * kernel * kernel), shift = take(outputs);
    const last = layer === state.channels.length - 1, scales = linear(matrix, bias, styles[layer < cut ? 0 : 1]);
    x = convolve(x, inputs, outputs, kernel, h, w, weight, shift, scales, !last);
    x = last ? x.map((v) => 1 / (1 + Math.exp(-v))) : x.map(leak);
  });
  return x;
}

function render(state, element) {
  const { noises } = state, [, height, width] = state.shape, layers = state.channels.length;
  const inputs = { coarse: noises[0], fine: noises[1], cut: 2 };
  const paper = (title) => {
    const canvas = make("canvas", { width, height });
    canvas.setAttribute("role", "img");
    const box = make("figure", { className: "gk-study" }, make("div", { className: "gk-paper" }, canvas), make("figcaption", { textContent: title }));
    return { box, canvas, context: canvas.getContext("2d") };
  };
  const papers = { coarse: paper("coarse"), mixed: paper("mixed"), fine: paper("fine") };
  const said = make("output");

  const chooser = (side) => {
    const slider = make("input", { type: "range", min: 1, max: noises.length, step: 1, value: noises.indexOf(inputs[side]) + 1 });
    slider.addEventListener("input", () => { inputs[side] = noises[slider.value - 1]; draw(); });
    return make("label", {}, `${side} `, slider);
  };
  const cut = make("input", { type: "range", min: 0, max: layers, step: 1, value: inputs.cut });
  cut.addEventListener("input", () => { inputs.cut = Number(cut.value); draw(); });
  const again = make("button", { type: "button", textContent: "draw both anew" });
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  again.addEventListener("click", () => { for (const side of ["coarse", "fine"]) inputs[side] = noises[0].map(normal); draw(); });
  const controls = make("div", { className: "gk-controls" }, chooser("coarse"), chooser("fine"), make("label", {}, "cut ", cut), again, said);
  element.append(make("div", { className: "gk-row" }, make("div", { className: "gk-studies" }, ...Object.values(papers).map((p) => p.box)), controls));

  function put({ canvas, context }, pixels, what) {
    const image = context.createImageData(width, height), area = width * height;
    for (let i = 0; i < area; i++) {
      const ink = [0, 1, 2].map((k) => 255 * (state.shape[0] === 1 ? 1 - pixels[i] : pixels[k * area + i]));
      image.data.set([...ink, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", what);
  }
  function draw() {
    const { coarse, fine, cut } = inputs;
    put(papers.coarse, run(state, { coarse, fine: coarse, cut: 0 }), "The picture that gives the coarse layers");
    put(papers.fine, run(state, { coarse: fine, fine, cut: 0 }), "The picture that gives the fine layers");
    put(papers.mixed, run(state, inputs), `The mixture: ${cut} of ${layers} layers from the first picture`);
    said.textContent = `${cut} of ${layers} layers follow “coarse”, ${layers - cut} follow “fine”.`;
  }
  draw();
}
