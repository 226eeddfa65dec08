// A multilayer perceptron: layers [{inputs, outputs, activation}], weights packed as matrix (row by row), then bias.
const ACTIVATION = {
  none: (v) => v, relu: (v) => Math.max(v, 0), tanh: Math.tanh,
  silu: (v) => v / (1 + Math.exp(-v)), sigmoid: (v) => 1 / (1 + Math.exp(-v)),
};
function mlp(layers, weights, x) {
  let at = 0;
  for (const { inputs, outputs, activation } of layers) {
    const y = new Float32Array(outputs), bias = at + inputs * outputs, f = ACTIVATION[activation];
    for (let j = 0; j < outputs; j++) {
      let sum = weights[bias + j];
      for (let i = 0, row = at + j * inputs; i < inputs; i++) sum += weights[row + i] * x[i];
      y[j] = f(sum);
    }
    at = bias + outputs;
    x = y;
  }
  return x;
}
