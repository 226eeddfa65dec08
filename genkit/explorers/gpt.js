// A GPT as in genkit/models/gpt.py: rotary positions, normalised queries and keys, squared ReLU, tied embedding.
// state: { gpt: { vocabulary, context, width, heads, layers, sharpness }, numbers: base64 of int8, scales: one a row }
// gptOf(state) returns { next }; next(tokens, watch) gives the logits of what follows tokens, keeping keys and values of
// tokens that it has seen; watch(layer, head, weights), where given, is told what the newest place looks at.
function gptOf(state) {
  const { vocabulary, context, width: d, heads, layers, sharpness } = state.gpt, size = d / heads;
  const bytes = Uint8Array.from(atob(state.numbers), (c) => c.charCodeAt(0)), whole = new Int8Array(bytes.buffer);
  let at = 0, row = 0;
  const matrix = (rows, columns) => {
    const w = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++, row++) for (let j = 0; j < columns; j++, at++) w[i * columns + j] = whole[at] * state.scales[row];
    return w;
  };
  const times = (w, x, rows) => {
    const y = new Float32Array(rows), n = x.length;
    for (let i = 0, k = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++, k++) sum += w[k] * x[j];
      y[i] = sum;
    }
    return y;
  };
  const embed = matrix(vocabulary + 1, d);
  const blocks = Array.from({ length: layers }, () => ({
    qkv: matrix(3 * d, d), project: matrix(d, d), up: matrix(4 * d, d), down: matrix(d, 4 * d), keys: [], values: [],
  }));

  const norm = (x) => {  // mean 0 and variance 1
    let mean = 0, square = 0;
    for (const v of x) mean += v / x.length;
    for (const v of x) square += (v - mean) ** 2 / x.length;
    return x.map((v) => (v - mean) / Math.sqrt(square + 1e-5));
  };
  const place = (x, at) => {  // one head of a query or a key: its length made √size, then turned by its place
    let square = 0;
    for (const v of x) square += v * v / size;
    const scale = 1 / Math.sqrt(square + 2 ** -23), y = new Float32Array(size), half = size / 2;
    for (let i = 0; i < half; i++) {
      const angle = at * 10000 ** (-2 * i / size), cos = Math.cos(angle), sin = Math.sin(angle), a = x[i] * scale, b = x[i + half] * scale;
      y[i] = a * cos - b * sin;
      y[i + half] = a * sin + b * cos;
    }
    return y;
  };

  function read(token, at, watch) {
    let h = embed.slice(token * d, (token + 1) * d);
    const add = (y) => { h = h.map((v, i) => v + y[i]); };
    blocks.forEach((block, layer) => {
      const qkv = times(block.qkv, norm(h), 3 * d), y = new Float32Array(d);
      const cut = (part, head) => qkv.subarray(part * d + head * size, part * d + (head + 1) * size);
      block.keys[at] = [];
      block.values[at] = qkv.subarray(2 * d);
      for (let head = 0; head < heads; head++) {
        const q = place(cut(0, head), at);
        block.keys[at][head] = place(cut(1, head), at);
        const looks = softmax(Float64Array.from({ length: at + 1 }, (_, j) => {
          const k = block.keys[j][head];
          let sum = 0;
          for (let i = 0; i < size; i++) sum += q[i] * k[i];
          return sum * sharpness / Math.sqrt(size);
        }));
        watch?.(layer, head, looks);
        looks.forEach((look, j) => { for (let i = head * size; i < (head + 1) * size; i++) y[i] += look * block.values[j][i]; });
      }
      add(times(block.project, y, d));
      add(times(block.down, times(block.up, norm(h), 4 * d).map((v) => v > 0 ? v * v : 0), d));
    });
    return h;
  }

  const step = Math.max(1, Math.floor(context / 2));
  let seen = [], start = 0, logits = null;
  function next(tokens, watch) {
    const from = Math.max(0, Math.ceil((tokens.length - context) / step) * step);  // the window moves by half a context
    if (from !== start || seen.length > tokens.length || seen.some((t, i) => t !== tokens[i])) [seen, start, logits] = [tokens.slice(0, from), from, null];
    if (watch && seen.length === tokens.length) seen = tokens.slice(0, start);  // asked to look once more
    for (let i = Math.max(seen.length, start); i < tokens.length; i++) logits = read(tokens[i], i - start, i === tokens.length - 1 ? watch : undefined);
    seen = tokens.slice();
    return times(embed.subarray(0, vocabulary * d), norm(logits), vocabulary);
  }
  return { next };
}

function softmax(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b)), p = logits.map((v) => Math.exp(v - most)), sum = p.reduce((a, b) => a + b);
  return p.map((v) => v / sum);
}
