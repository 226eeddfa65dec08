// Find the element this script stands behind, unpack the state, and hand both to the explorer.
function start(packed, probes, run, render) {
  const state = {};
  for (const [name, value] of Object.entries(packed))
    state[name] = value && value.base64 !== undefined ? halves(value.base64) : value;
  const script = document.currentScript;
  const all = document.querySelectorAll(".gk-explorer:not([data-ready])");
  const element = script?.previousElementSibling?.classList.contains("gk-explorer") ? script.previousElementSibling : all[all.length - 1];
  if (!element) return;
  element.dataset.ready = "";
  element.textContent = "";
  element.genkit = { run: (inputs) => Array.from(run(state, inputs)), probes };
  render(state, element);
}

// base64 of little-endian float16 numbers to Float32Array
function halves(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  const numbers = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < numbers.length; i++) {
    const h = view.getUint16(2 * i, true), sign = h & 0x8000 ? -1 : 1, e = (h >> 10) & 31, f = h & 1023;
    numbers[i] = sign * (e === 0 ? f * 2 ** -24 : e === 31 ? (f ? NaN : Infinity) : (1 + f / 1024) * 2 ** (e - 15));
  }
  return numbers;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// The same for a piece of a drawing: its attributes, what it is appended to, and the words in it.
function svg(tag, attributes = {}, parent = undefined, text = undefined) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}
