"""The exercises of the chapter on latent space."""

import torch

from .exercise import Exercise, Wrong, agree, run

# the references ------------------------------------------------------------------------------------------------------


def kept(x, d):
    """The share of the variance of rows x, shape (N, D), that d components keep.

    Returns a number in [0, 1].
    """
    s = torch.linalg.svdvals(x - x.mean(0))  # hole
    return (s[:d].square().sum() / s.square().sum()).item()  # hole


def attribute(z, has, kind):
    """The direction of an attribute in a space of codes, shape (D,).

    z holds codes, shape (N, D); has says who has the attribute, bool (N,); kind
    numbers the letters, int64 (N,). Each letter counts the same, however often it
    occurs with the attribute or without.
    """
    steps = []
    for k in kind.unique():
        mine, own = z[kind == k], has[kind == k]
        steps.append(mine[own].mean(0) - mine[~own].mean(0))  # hole
    return torch.stack(steps).mean(0)  # hole


def slerp(a, b, t):
    """Codes on the great circle from a to b, both of shape (N, D), at t in [0, 1].

    sin((1 − t)ω) / sin ω · a + sin(tω) / sin ω · b, where ω is the angle between
    a and b, another for each row.
    """
    cos = (a * b).sum(1, keepdim=True) / (a.norm(dim=1) * b.norm(dim=1))[:, None]  # hole
    angle = cos.acos()  # hole
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()  # hole


def find_code(decode, target, z, lr, steps):
    """The code, found from z by gradient descent, whose picture is like the target.

    decode takes codes, shape (N, D), to pictures, shape (N, P); target has the
    shape (N, P). Each of the steps goes lr times the gradient of the summed squared
    error downhill. Returns shape (N, D), without gradient.
    """
    z = z.clone()
    for _ in range(steps):
        z.requires_grad_(True)  # hole
        error = (decode(z) - target).square().sum()  # hole
        (slope,) = torch.autograd.grad(error, z)  # hole
        z = (z - lr * slope).detach()  # hole
    return z


# what they are tried on -----------------------------------------------------------------------------------------------


def _table(n, d, keep, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(n, d, generator=g) * torch.arange(1.0, d + 1) + 3, keep

    return make


def _codes(n, d, kinds, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        kind = torch.cat([torch.arange(kinds).repeat(2), torch.randint(0, kinds, (n,), generator=g)])
        has = torch.cat([torch.ones(kinds), torch.zeros(kinds), (torch.rand(n, generator=g) < 0.3).float()]) > 0
        far = torch.randn(kinds, d, generator=g) * 4  # letters lie far apart, and are not equally often bold
        has = has & ~((kind == 0) & (torch.arange(len(kind)) >= 2 * kinds))
        noise = torch.randn(len(kind), d, generator=g)
        return far[kind] + noise + has[:, None] * torch.arange(float(d)), has, kind

    return make


def _ends(n, d, t, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        return torch.randn(n, d, generator=g), 2 * torch.randn(n, d, generator=g), t

    return make


def _search(n, d, p, lr, steps, seed):
    def make():
        g = torch.Generator().manual_seed(seed)
        w = torch.randn(d, p, generator=g) / d**0.5
        return (lambda z: (z @ w).tanh()), torch.rand(n, p, generator=g), torch.randn(n, d, generator=g), lr, steps

    return make


def _lets_go(answer):
    """Reject a right code that still hangs on the computation it came from."""
    arguments = _search(3, 2, 5, 0.05, 4, 0)()
    found = run(answer, arguments)
    if isinstance(found, torch.Tensor) and found.requires_grad and agree(found, find_code(*arguments)):
        raise Wrong("the code is right, but it still asks for gradients: return it detached.")


# the usual mistakes ---------------------------------------------------------------------------------------------------


def _share(values, d):
    return values[:d].sum() / values.sum()


def _by_letter(z, has, kind, join):
    return join([z[has & (kind == k)].mean(0) - z[~has & (kind == k)].mean(0) for k in kind.unique()])


def _angle(a, b):
    return ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).acos()[:, None]


def _descent(sign=-1.0, loss=lambda e: e.square().sum(), once=False, start=None):
    def find(decode, target, z, lr, steps):
        z = z.clone() if start is None else start(z)
        for _ in range(1 if once else steps):
            z.requires_grad_(True)
            (slope,) = torch.autograd.grad(loss(decode(z) - target), z)
            z = (z + sign * lr * slope).detach()
        return z

    return find


def _heaped(decode, target, z, lr, steps):
    z, heap = z.clone(), torch.zeros_like(z)
    for _ in range(steps):
        z.requires_grad_(True)
        heap = heap + torch.autograd.grad((decode(z) - target).square().sum(), z)[0]
        z = (z - lr * heap).detach()
    return z


EXERCISES = (
    Exercise(
        "kept", 1, kept, [_table(9, 4, 2, 0), _table(5, 3, 1, 1), _table(20, 6, 4, 2), _table(7, 5, 0, 3)],
        mistakes={
            "not centred": (
                lambda x, d: _share(torch.linalg.svdvals(x).square(), d),
                "subtract the mean first: variance is measured from it.",
            ),
            "not squared": (
                lambda x, d: _share(torch.linalg.svdvals(x - x.mean(0)), d),
                "variances are the squares of the singular values.",
            ),
            "number": (
                lambda x, d: d / x.shape[1],
                "this is the share of the components; they do not all hold the same variance.",
            ),
            "lost": (
                lambda x, d: 1 - _share(torch.linalg.svdvals(x - x.mean(0)).square(), d),
                "this is what is lost: take the first d, not the rest.",
            ),
            "smallest": (
                lambda x, d: _share(torch.linalg.svdvals(x - x.mean(0)).square().flip(0), d),
                "singular values come largest first, and the largest are kept.",
            ),
            "one": (
                lambda x, d: (lambda s: s[d] / s.sum())(torch.linalg.svdvals(x - x.mean(0)).square()),
                "this is the share of a single component: add up the first d.",
            ),
            "total": (
                lambda x, d: torch.linalg.svdvals(x - x.mean(0))[:d].square().sum(),
                "divide by the sum over all components.",
            ),
            "columns": (
                lambda x, d: _share(x.var(0).sort(descending=True).values, d),
                "these are the best d columns; components are the best d directions, which may lie between columns.",
            ),
        },
    ),
    Exercise(
        "attribute", 2, attribute, [_codes(12, 3, 2, 0), _codes(30, 4, 3, 1), _codes(9, 2, 4, 2)],
        mistakes={
            "all together": (
                lambda z, h, k: z[h].mean(0) - z[~h].mean(0),
                "letters that are often bold weigh more here, so the direction holds the letter too: take every "
                "letter's own difference first.",
            ),
            "the other way": (
                lambda z, h, k: -_by_letter(z, h, k, lambda s: torch.stack(s).mean(0)),
                "this leads away from the attribute: subtract those without from those with it.",
            ),
            "sum": (
                lambda z, h, k: _by_letter(z, h, k, lambda s: torch.stack(s).sum(0)),
                "take the mean over the letters; their sum goes too far.",
            ),
            "last": (lambda z, h, k: _by_letter(z, h, k, lambda s: s[-1]), "this is one letter's difference alone."),
            "all of them": (
                lambda z, h, k: _by_letter(z, h, k, torch.stack), "average over the letters: shape (D,) is wanted.",
            ),
            "from the mean": (
                lambda z, h, k: torch.stack([z[h & (k == j)].mean(0) - z[k == j].mean(0) for j in k.unique()]).mean(0),
                "the mean of all contains those with the attribute: subtract those without it.",
            ),
            "from everybody": (
                lambda z, h, k: torch.stack([z[h & (k == j)].mean(0) for j in k.unique()]).mean(0),
                "this is where those with the attribute are; subtract where those without it are.",
            ),
            "unit": (
                lambda z, h, k: torch.nn.functional.normalize(
                    _by_letter(z, h, k, lambda s: torch.stack(s).mean(0)), dim=0
                ),
                "do not scale it to length one: its length says how far to go.",
            ),
        },
    ),
    Exercise(
        "slerp", 2, slerp, [_ends(3, 4, 0.25, 0), _ends(5, 8, 0.5, 1), _ends(1, 3, 1.0, 2), _ends(4, 6, 0.0, 3)],
        mistakes={
            "straight": (lambda a, b, t: (1 - t) * a + t * b, "this is the straight line, a chord of the circle."),
            "swapped": (
                lambda a, b, t: ((t * _angle(a, b)).sin() * a + ((1 - t) * _angle(a, b)).sin() * b)
                / _angle(a, b).sin(),
                "at t = 0 it must be a, and at t = 1 it must be b.",
            ),
            "not divided": (
                lambda a, b, t: ((1 - t) * _angle(a, b)).sin() * a + (t * _angle(a, b)).sin() * b,
                "divide by sin ω, so that both ends are met.",
            ),
            "one angle": (
                lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                    ((a * b).sum() / (a.norm() * b.norm())).acos()
                ),
                "every row has an angle of its own: sum over axis 1 only.",
            ),
            "cosine": (
                lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(_angle(a, b).cos()),
                "this is the cosine of the angle: take its acos.",
            ),
            "no lengths": (
                lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                    (a * b).sum(1, keepdim=True).acos()
                ),
                "divide the product by both lengths before acos.",
            ),
            "degrees": (
                lambda a, b, t: (lambda w: (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin())(
                    _angle(a, b).rad2deg()
                ),
                "sin wants radians, and acos gives them.",
            ),
            "unit": (
                lambda a, b, t: torch.nn.functional.normalize(
                    (((1 - t) * _angle(a, b)).sin() * a + (t * _angle(a, b)).sin() * b) / _angle(a, b).sin(), dim=1
                ),
                "the codes keep their lengths: do not scale them to one.",
            ),
        },
    ),
    Exercise(
        "find_code", 3, find_code,
        [_search(3, 2, 5, 0.05, 4, 0), _search(2, 4, 6, 0.02, 1, 1), _search(1, 3, 8, 0.1, 9, 2)],
        tests=(_lets_go,),
        mistakes={
            "uphill": (_descent(sign=1.0), "the error grows: go against the gradient."),
            "mean": (
                _descent(loss=lambda e: e.square().mean()),
                "add the squares up; a mean makes the steps depend on the size of the picture.",
            ),
            "mean over pictures": (
                _descent(loss=lambda e: e.square().sum(1).mean()),
                "add up over the pictures too, so that each is searched as if alone.",
            ),
            "city block": (_descent(loss=lambda e: e.abs().sum()), "square the differences."),
            "one step": (_descent(once=True), "go down for all the steps, with a new gradient in each."),
            "heaped": (_heaped, "gradients of earlier steps are added in: use each once, or zero z.grad."),
            "from zero": (_descent(start=torch.zeros_like), "start from the z that is given."),
            "half": (_descent(loss=lambda e: e.square().sum() / 2), "this is half the squared error."),
            "root": (
                _descent(loss=lambda e: e.square().sum().sqrt()), "this is the root of the error: leave the squares.",
            ),
        },
    ),
)  # fmt: skip
