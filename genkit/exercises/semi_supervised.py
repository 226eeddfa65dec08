"""The exercises of the chapter on few labels."""

import torch

from .choice import Choice
from .exercise import Exercise, Wrong, agree, run

# the references ------------------------------------------------------------------------------------------------------


def surest(p, each):
    """For every class the places of its surest rows: int64, shape (K, each).

    p holds a probability for each of N rows and K classes, shape (N, K). Row k of
    the answer names the rows whose probability of class k is highest, highest first.
    """
    return p.topk(each, dim=0).indices.T  # hole


def sum_out(joint, log_q):
    """The bound on log p(x) when the label is unknown, in nats, shape (B,).

    joint holds the bounds L(x, y), log_q holds log q(y | x), both of shape (B, K).
    """
    q = log_q.exp()  # hole
    return (q * (joint - log_q)).sum(1)  # hole


def spread_labels(w, y, alpha):
    """Where label spreading ends: scores of every point and class, shape (N, K).

    w, shape (N, N), says how near two points are and has zeros on its diagonal;
    y, shape (N, K), is one-hot where a label is known and zero elsewhere.
    """
    d = w.sum(1)  # hole
    s = w / (d[:, None] * d).sqrt()  # hole
    return (1 - alpha) * torch.linalg.solve(torch.eye(len(w)) - alpha * s, y)  # hole


def paired_gain(new, old):
    """The mean gain of new over old and its standard error: a tensor of two numbers.

    new[i] and old[i] are accuracies on the same draw i, both of shape (N,).
    """
    gain = new - old  # hole
    return torch.stack([gain.mean(), gain.std() / len(gain) ** 0.5])  # hole


# what they are tried on -----------------------------------------------------------------------------------------------


def _beliefs(n, k, each, seed):
    def make():
        return (2 * torch.randn(n, k, generator=torch.Generator().manual_seed(seed))).softmax(1), each

    return make


def _not_the_likeliest():
    """Class 0 has its surest row where another class is still likelier."""
    return torch.tensor([[0.45, 0.55, 0.0], [0.43, 0.29, 0.28], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1]]), 2


def _joint(b, k, seed, low=-20.0):
    def make():
        g = torch.Generator().manual_seed(seed)
        return low + 2 * torch.randn(b, k, generator=g), (2 * torch.randn(b, k, generator=g)).log_softmax(1)

    return make


def _graph(n, k, alpha, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(n, 2, generator=g)
        w = (-torch.cdist(x, x).square()).exp() * (1 - torch.eye(n))
        y = torch.zeros(n, k)
        y[torch.arange(k), torch.arange(k)] = 1.0
        return w, y, alpha

    return make


def _two_crowds():
    """Points in two crowds that hardly know of each other; labels anywhere, and more of one class."""
    g = torch.Generator().manual_seed(3)
    x = torch.cat([torch.randn(5, 2, generator=g), torch.randn(4, 2, generator=g) + 3.0])
    w = (-torch.cdist(x, x).square()).exp() * (1 - torch.eye(9))
    y = torch.zeros(9, 2)
    y[[1, 4, 5], 1] = 1.0
    y[7, 0] = 1.0
    return w, y, 0.95


def _runs(n, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        hard = 0.6 + 0.1 * torch.randn(n, generator=g)
        return hard + 0.02 + 0.05 * torch.randn(n, generator=g), hard

    return make


def _are_places(answer):
    """Reject right places that cannot be used as such."""
    p, each = _beliefs(9, 3, 2, 0)()
    found = run(answer, (p, each))
    if isinstance(found, torch.Tensor) and found.is_floating_point() and agree(found, surest(p, each)):
        raise Wrong("the places are right, but they are floats, and no tensor can be indexed by those.")


def _teaches_the_classifier(answer):
    """Reject an answer whose value is right and whose gradient does not reach the classifier's logits as it should."""
    found = []
    for function in (sum_out, answer):
        joint, log_q = _joint(4, 3, 0)()
        logits = log_q.clone().requires_grad_()
        value = run(function, (joint, logits.log_softmax(1)))
        if function is answer and not agree(value, sum_out(joint, log_q)):
            return  # the trials say what is wrong with it
        if not value.requires_grad:
            raise Wrong("the value is right, but no gradient reaches log_q: look for .detach(), .item() or no_grad.")
        found.append(torch.autograd.grad(value.sum(), logits)[0])
    if not agree(found[1], found[0]):
        raise Wrong("the value is right, but its gradient is not: part of the computation is cut off from it.")


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _solved(change, scale=True):
    def wrong(w, y, a):
        found = torch.linalg.solve(torch.eye(len(w)) - a * change(w), y)
        return (1 - a) * found if scale else found

    return wrong


def _root(w):
    d = w.sum(1)
    return w / (d[:, None] * d).sqrt()


def _both(mean, error):
    return lambda a, b: torch.stack([mean(a, b), error(a, b)])


def _mean(a, b):
    return (a - b).mean()


def _error(a, b):
    return (a - b).std() / len(a) ** 0.5


EXERCISES = (
    Exercise(
        "surest", 1, surest,
        [_beliefs(9, 3, 2, 0), _beliefs(6, 4, 1, 1), _beliefs(5, 5, 3, 2), _not_the_likeliest], tests=(_are_places,),
        mistakes={
            "by row": (
                lambda p, n: p.topk(n, dim=1).indices.T, "this asks each row for its classes: ask each class, dim=0.",
            ),
            "values": (
                lambda p, n: p.topk(n, dim=0).values.T, "these are probabilities: the places of the rows are wanted.",
            ),
            "least sure": (
                lambda p, n: p.topk(n, dim=0, largest=False).indices.T, "these rows are the least sure: take largest.",
            ),
            "not turned": (
                lambda p, n: p.topk(n, dim=0).indices, "a row for each class is wanted: exchange the two axes with .T.",
            ),
            "surest last": (
                lambda p, n: p.topk(n, dim=0).indices.T.flip(1), "the surest comes first in each row.",
            ),
            "its own alone": (
                lambda p, n: torch.where(p.argmax(1, keepdim=True) == torch.arange(p.shape[1]), p, p - 1)
                .topk(n, dim=0)
                .indices.T,
                "this puts rows first for which the class is the likeliest: only its own probability counts.",
            ),
            "surest of all": (
                lambda p, n: p.max(1).values.topk(n).indices.expand(p.shape[1], n),
                "these are the surest rows of all classes together: then one class may take every place.",
            ),
            "shares": (
                lambda p, n: (p / p.sum(0)).log().sum(1).topk(n).indices.expand(p.shape[1], n),
                "every class asks for its own rows: do not add the classes up.",
            ),
        },
    ),
    Exercise(
        "sum_out", 1, sum_out, [_joint(4, 3, 0), _joint(1, 5, 1), _joint(6, 2, 2, low=-300.0)], gradients=(0,),
        tests=(_teaches_the_classifier,),
        mistakes={
            "no entropy": (
                lambda j, q: (q.exp() * j).sum(1), "the entropy of q(y | x) is missing: add −Σ q log q.",
            ),
            "entropy minus": (
                lambda j, q: (q.exp() * (j + q)).sum(1), "the entropy −Σ q log q is added: here it is subtracted.",
            ),
            "logarithms as weights": (
                lambda j, q: (q * (j - q)).sum(1), "the weights are q(y | x) itself: take exp of log_q.",
            ),
            "likeliest": (
                lambda j, q: j.gather(1, q.argmax(1, keepdim=True))[:, 0],
                "this believes the likeliest class alone: all classes are weighed by q(y | x).",
            ),
            "plain mean": (lambda j, q: j.mean(1), "this weighs all classes alike: weigh them by q(y | x)."),
            "exact sum": (
                lambda j, q: j.logsumexp(1),
                "this is what the best belief would reach; with the classifier's q(y | x) the bound is lower.",
            ),
            "mean of weighed": (
                lambda j, q: (q.exp() * (j - q)).mean(1), "the weights sum to 1 already: add up, do not average.",
            ),
            "over the pictures": (
                lambda j, q: (q.exp() * (j - q)).sum(0), "add up over the classes, axis 1: one number for a picture.",
            ),
            "cost": (lambda j, q: -(q.exp() * (j - q)).sum(1), "this is the loss: the bound is its negative."),
        },
    ),
    Exercise(
        "spread_labels", 2, spread_labels,
        [_graph(6, 2, 0.8, 0), _graph(5, 3, 0.5, 1), _graph(7, 2, 0.99, 2), _two_crowds],
        mistakes={
            "not scaled": (_solved(lambda w: w), "divide w by the roots of both points' sums: S = D^−½ W D^−½."),
            "by rows": (
                _solved(lambda w: w / w.sum(1, keepdim=True)),
                "this divides by one point's sum: divide by the roots of both points' sums.",
            ),
            "no roots": (
                _solved(lambda w: w / (w.sum(1)[:, None] * w.sum(1))), "take the roots of the sums: D to the power −½.",
            ),
            "no 1 − alpha": (_solved(_root, scale=False), "the scores are 1 − α times too large, all of them."),
            "alpha swapped": (
                lambda w, y, a: a * torch.linalg.solve(torch.eye(len(w)) - (1 - a) * _root(w), y),
                "α is how much comes from the neighbours, 1 − α from the point's own label: here they are swapped.",
            ),
            "one step": (
                lambda w, y, a: a * _root(w) @ y + (1 - a) * y,
                "this is one step: labels reach direct neighbours only. Solve for where the steps end.",
            ),
            "no inverse": (
                lambda w, y, a: (1 - a) * (torch.eye(len(w)) - a * _root(w)) @ y,
                "this multiplies by I − αS: solve with it, torch.linalg.solve.",
            ),
            "plus": (
                lambda w, y, a: (1 - a) * torch.linalg.solve(torch.eye(len(w)) + a * _root(w), y),
                "F = αSF + (1 − α)Y: bring αSF to the left, and its sign becomes minus.",
            ),
            "labels alone": (lambda w, y, a: y, "nothing has spread: these are the labels that were known."),
            "chosen": (lambda w, y, a: _solved(_root)(w, y, a).argmax(1), "the scores are wanted, not the class."),
        },
    ),
    Exercise(
        "paired_gain", 2, paired_gain, [_runs(10, 0), _runs(4, 1), _runs(25, 2)],
        mistakes={
            "not paired": (
                _both(_mean, lambda a, b: (a.var() / len(a) + b.var() / len(b)).sqrt()),
                "this is right for separate draws. On the same draws take the spread of the differences.",
            ),
            "deviation": (
                _both(_mean, lambda a, b: (a - b).std()), "this is the spread of one draw: divide by the root of N.",
            ),
            "divided by N": (_both(_mean, lambda a, b: (a - b).std() / len(a)), "divide by the root of N, not by N."),
            "variance": (_both(_mean, lambda a, b: (a - b).var() / len(a)), "this is a variance: take its root."),
            "by N": (
                _both(_mean, lambda a, b: (a - b).std(correction=0) / len(a) ** 0.5),
                "the standard deviation divides by N − 1, since the mean was fitted too.",
            ),
            "loss": (lambda a, b: torch.stack([_mean(b, a), _error(a, b)]), "this is old minus new: a loss, no gain."),
            "relative": (
                _both(lambda a, b: _mean(a, b) / b.mean(), _error), "the gain itself is wanted, not its share of old.",
            ),
            "of new": (
                _both(_mean, lambda a, b: a.std() / len(a) ** 0.5),
                "this is the error of new's mean: take the spread of the differences.",
            ),
            "absolute": (
                _both(_mean, lambda a, b: (a - b).abs().std() / len(a) ** 0.5), "keep the signs of the differences.",
            ),
            "error alone": (lambda a, b: _error(a, b), "two numbers are wanted: the mean and its standard error."),
        },
    ),
    Choice(
        "trust", 3, "trust", "labels",
        {
            "spreading": "hide one label at a time: spreading finds fewer of them again than the labels alone do.",
            "both": "one of the two must be handed over: count how many hidden labels each finds again.",
            "neither": "the labels alone find nearly all hidden labels again: that is worth having.",
        },
        "that is none of the answers: labels, spreading.",
        "Leave one label out at a time: without the unlabelled points more of them are found again",
    ),
    Choice(
        "found_again", 3, "found_again", 0.667,
        {1.0: "that would be all of them: did the point keep its label while you asked?"},
        "hide one known label, fit spreading, ask for that point; the share of right answers over all known labels.",
        "Each of the known labels is hidden once; spreading finds this share of them again",
        tolerance=0.01,
    ),
)  # fmt: skip


def puzzle():
    """Return points x, shape (N, 2), and labels c with -1 for unknown: should the unlabelled points be listened to?"""
    from ..records.semi_supervised import bars

    data = bars(seed=26)
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    return data.x @ turn, data.c
