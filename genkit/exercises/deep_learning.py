"""The exercises of the chapter on deep networks."""

import torch

from .choice import Choice
from .exercise import Exercise

# the references ------------------------------------------------------------------------------------------------------


def neuron(x, w, b):
    """What a sigmoid neuron says of each row of x, shape (N,).

    x has shape (N, D), the weights w have shape (D,), the bias b is a number.
    """
    return torch.sigmoid(x @ w + b)  # hole


def layer_weights(h, w, b, upstream):
    """The slope of the loss in the matrix of a ReLU layer, shape (I, O).

    The layer says relu(h @ w + b): h has shape (N, I), w (I, O), b (O,). upstream
    is the slope of the loss in what the layer says, shape (N, O).
    """
    a = h @ w + b
    delta = upstream * (a > 0)  # hole
    return h.T @ delta  # hole


def layer_inputs(h, w, b, upstream):
    """The slope of the loss in the input h of a ReLU layer, shape (N, I).

    The layer says relu(h @ w + b): h has shape (N, I), w (I, O), b (O,). upstream
    is the slope of the loss in what the layer says, shape (N, O).
    """
    a = h @ w + b
    delta = upstream * (a > 0)  # hole
    return delta @ w.T  # hole


def adam_step(g, m, s, t, rate):
    """The change of a weight in Adam's step number t, counted from 1; shape of g.

    g is the gradient; m and s are the running means of gradients and of squared
    gradients before this step. The decay rates are 0.9 and 0.999; add 1e-8 to
    the root.
    """
    m = 0.9 * m + 0.1 * g  # hole
    s = 0.999 * s + 0.001 * g**2  # hole
    mean, square = m / (1 - 0.9**t), s / (1 - 0.999**t)  # hole
    return -rate * mean / (square.sqrt() + 1e-8)  # hole


def convolve(x, w):
    """The map of one filter w, shape (K, K), on a grey picture x, shape (H, W).

    At each place where the filter lies wholly inside, the sum of the products of
    its weights with the pixels under it: shape (H − K + 1, W − K + 1).
    """
    k = len(w)
    rows, columns = x.shape[0] - k + 1, x.shape[1] - k + 1
    total = torch.zeros(rows, columns)
    for i in range(k):  # hole
        for j in range(k):  # hole
            total = total + w[i, j] * x[i : i + rows, j : j + columns]  # hole
    return total


# what they are tried on -----------------------------------------------------------------------------------------------


def _rows(n, d, bias, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(n, d, generator=g), torch.randn(d, generator=g), bias

    return make


def _layer(n, i, o, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        sizes = ((n, i), (i, o), (o,), (n, o))
        return tuple(torch.randn(size, generator=g) for size in sizes)

    return make


def _moments(size, t, rate, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        first = 0.0 if t == 1 else 1.0
        m, s = first * torch.randn(size, generator=g), first * torch.rand(size, generator=g)
        return torch.randn(size, generator=g), m, s, t, rate

    return make


def _grey(h, w, k, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.rand(h, w, generator=g), torch.randn(k, k, generator=g)

    return make


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _adam(change):
    def step(g, m, s, t, rate):
        return change(g, 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2, t, rate)

    return step


def _slid(x, w, part=lambda patch, w: (patch * w).sum()):
    k = len(w)
    rows = [[part(x[i : i + k, j : j + k], w) for j in range(x.shape[1] - k + 1)] for i in range(x.shape[0] - k + 1)]
    return torch.stack([torch.stack(row) for row in rows])


EXERCISES = (
    Exercise(
        "neuron", 1, neuron, [_rows(4, 3, 0.5, 0), _rows(1, 2, -1.0, 1), _rows(6, 5, 2.0, 2)],
        mistakes={
            "no bend": (lambda x, w, b: x @ w + b, "this is the weighted sum: bend it with the sigmoid."),
            "no bias": (
                lambda x, w, b: (x @ w).sigmoid(), "the bias is missing: without it, the border passes through 0.",
            ),
            "bias outside": (lambda x, w, b: (x @ w).sigmoid() + b, "the bias belongs inside the bend, to the sum."),
            "relu": (lambda x, w, b: (x @ w + b).relu(), "this is a ReLU neuron; a sigmoid one is wanted."),
            "tanh": (lambda x, w, b: (x @ w + b).tanh(), "tanh gives numbers from −1 to 1; the sigmoid from 0 to 1."),
            "softmax": (
                lambda x, w, b: (x @ w + b).softmax(0),
                "softmax makes the rows share one unit of probability: no two examples meet here.",
            ),
            "kind": (
                lambda x, w, b: (x @ w + b > 0).float(), "this is the decision; how sure the neuron is, is wanted.",
            ),
            "not summed": (
                lambda x, w, b: (x * w + b).sigmoid(), "add up the products over the features before you bend.",
            ),
            "minus": (
                lambda x, w, b: (-(x @ w + b)).sigmoid(), "the sign is turned round: this is one minus the answer.",
            ),
        },
    ),
    Exercise(
        "layer_weights", 2, layer_weights, [_layer(5, 3, 4, 0), _layer(1, 2, 3, 1), _layer(7, 4, 1, 2)],
        mistakes={
            "no bend": (
                lambda h, w, b, u: h.T @ u, "where the ReLU is off, nothing passes: multiply by its slope first.",
            ),
            "bent": (
                lambda h, w, b, u: h.T @ (u * (h @ w + b).relu()),
                "this multiplies by what ReLU says; its slope is 1 or 0.",
            ),
            "off and on": (lambda h, w, b, u: h.T @ (u * (h @ w + b < 0)), "it passes where a is above 0, not below."),
            "mean": (
                lambda h, w, b, u: h.T @ (u * (h @ w + b > 0)) / len(h),
                "add over the examples: the mean is already in the slope that comes from above.",
            ),
            "without bias": (
                lambda h, w, b, u: h.T @ (u * (h @ w > 0)), "the bias decides with the rest whether a unit is on.",
            ),
            "transposed": (
                lambda h, w, b, u: (u * (h @ w + b > 0)).T @ h, "this is the transpose: rows belong to the inputs.",
            ),
            "inputs": (
                lambda h, w, b, u: (u * (h @ w + b > 0)) @ w.T, "this is the slope in h; the one in w is wanted.",
            ),
            "bias": (
                lambda h, w, b, u: (u * (h @ w + b > 0)).sum(0), "this is the slope in b: for w, the input counts too.",
            ),
            "sign of upstream": (
                lambda h, w, b, u: h.T @ (u * (u > 0)),
                "the ReLU was on where a > 0; the slope from above has no say in it.",
            ),
        },
    ),
    Exercise(
        "layer_inputs", 2, layer_inputs, [_layer(5, 3, 4, 3), _layer(1, 2, 3, 4), _layer(7, 4, 2, 5)],
        mistakes={
            "no bend": (
                lambda h, w, b, u: u @ w.T, "where the ReLU is off, nothing passes: multiply by its slope first.",
            ),
            "bend after": (
                lambda h, w, b, u: (u @ w.T) * (h > 0),
                "the bend lies after the matrix: on the way back it comes first.",
            ),
            "bent": (
                lambda h, w, b, u: (u * (h @ w + b).relu()) @ w.T,
                "this multiplies by what ReLU says; its slope is 1 or 0.",
            ),
            "off and on": (lambda h, w, b, u: (u * (h @ w + b < 0)) @ w.T, "it passes where a is above 0, not below."),
            "without bias": (
                lambda h, w, b, u: (u * (h @ w > 0)) @ w.T, "the bias decides with the rest whether a unit is on.",
            ),
            "weights": (
                lambda h, w, b, u: h.T @ (u * (h @ w + b > 0)), "this is the slope in w; the one in h is wanted.",
            ),
            "mean": (
                lambda h, w, b, u: (u * (h @ w + b > 0)) @ w.T / len(h),
                "each example has its own slope: nothing is averaged here.",
            ),
            "inverse": (
                lambda h, w, b, u: (u * (h @ w + b > 0)) @ torch.linalg.pinv(w),
                "slopes go back through the transpose; the inverse would undo the layer.",
            ),
            "signs": (
                lambda h, w, b, u: (u * (h @ w + b > 0)) @ w.sign().T,
                "how strong a weight is matters too, not its sign alone.",
            ),
        },
    ),
    Exercise(
        "adam_step", 2, adam_step, [_moments(3, 1, 0.1, 0), _moments(4, 2, 0.01, 1), _moments(2, 50, 1.0, 2)],
        mistakes={
            "uncorrected": (
                _adam(lambda g, m, s, t, r: -r * m / (s.sqrt() + 1e-8)),
                "both means start at 0 and are too small at first: divide them by 1 − 0.9^t and 1 − 0.999^t.",
            ),
            "old means": (
                lambda g, m, s, t, r: -r * (m / (1 - 0.9**t)) / ((s / (1 - 0.999**t)).sqrt() + 1e-8),
                "these are the means before this step: take the new gradient in first.",
            ),
            "uphill": (
                _adam(lambda g, m, s, t, r: r * (m / (1 - 0.9**t)) / ((s / (1 - 0.999**t)).sqrt() + 1e-8)),
                "this goes uphill: the step is against the gradient.",
            ),
            "no root": (
                _adam(lambda g, m, s, t, r: -r * (m / (1 - 0.9**t)) / (s / (1 - 0.999**t) + 1e-8)),
                "divide by the root of the mean square, so that the units cancel.",
            ),
            "t minus 1": (
                _adam(lambda g, m, s, t, r: -r * m / (1 - 0.9 ** (t + 1)) / (s / (1 - 0.999 ** (t + 1))).sqrt()),
                "t already counts from 1: no further one is added to it.",
            ),
            "the gradient": (
                _adam(lambda g, m, s, t, r: -r * g / ((s / (1 - 0.999**t)).sqrt() + 1e-8)),
                "above the line stands the mean of the gradients, not the last one.",
            ),
            "only the mean": (
                _adam(lambda g, m, s, t, r: -r * m / (1 - 0.9**t)),
                "this is momentum: divide by the root of the mean square.",
            ),
            "mean of squares corrected alone": (
                _adam(lambda g, m, s, t, r: -r * m / ((s / (1 - 0.999**t)).sqrt() + 1e-8)),
                "the mean of the gradients starts at 0 too: divide it by 1 − 0.9^t.",
            ),
            "plain": (lambda g, m, s, t, r: -r * g, "this is plain descent: the two running means are not used."),
        },
    ),
    Exercise(
        "convolve", 3, convolve, [_grey(5, 6, 3, 0), _grey(4, 4, 1, 1), _grey(6, 5, 2, 2), _grey(3, 3, 3, 3)],
        mistakes={
            "flipped": (
                lambda x, w: _slid(x, w.flip(0, 1)),
                "this turns the filter by half a circle, as mathematicians do; networks lay it down as it is.",
            ),
            "transposed": (lambda x, w: _slid(x, w.T), "rows and columns of the filter are exchanged."),
            "mean": (
                lambda x, w: _slid(x, w, lambda p, w: (p * w).mean()), "add the products up; do not average them.",
            ),
            "maximum": (
                lambda x, w: _slid(x, w, lambda p, w: (p * w).max()),
                "this is the largest product; their sum is wanted.",
            ),
            "matrix product": (
                lambda x, w: _slid(x, w, lambda p, w: (p @ w).sum()), "multiply number by number: * and not @.",
            ),
            "relu": (lambda x, w: _slid(x, w).relu(), "the bend comes later: the map itself may be negative."),
            "padded": (
                lambda x, w: torch.nn.functional.conv2d(x[None, None], w[None, None], padding=len(w) // 2)[0, 0],
                "this goes beyond the picture's edge: keep to the places where the whole filter lies inside.",
            ),
            "sum of pixels": (
                lambda x, w: _slid(x, w, lambda p, w: p.sum()), "the weights play no part here: multiply by them.",
            ),
            "channels kept": (
                lambda x, w: torch.nn.functional.conv2d(x[None, None], w[None, None]),
                "the numbers are right, and two axes of size 1 are left over: take [0, 0].",
            ),
        },
    ),
    Choice(
        "dead_layer", 3, "dead_layer", 2,
        {
            1: "nearly all of its units are on for some example or other. Its gradient is 0 for another reason.",
            3: "its units say the same to every example, since what they get is 0: look one layer nearer to the input.",
            4: "what it gets is the same for every example: look at where that comes from.",
        },
        "the hidden layers are counted from 1, from the input on: there are four.",
        "The share of units that are 0 for every example jumps to 1 in the second layer: nothing passes it, either way",
    ),
)  # fmt: skip


def patient():
    """Return the weights of a network of four hidden layers with one thing wrong, points x and labels y."""
    from ..backprop import initial
    from ..data.shapes import shapes

    data = shapes("moons", 200)
    weights = initial((2, 12, 12, 12, 12, 1), seed=4)
    w, b = weights[1]
    weights[1] = w, b - 25.0
    return weights, data.train.x, data.train.c[:, None].float()
