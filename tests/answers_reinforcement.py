"""Answers to the exercises on learning by trial: right ones written differently, wrong ones that readers write."""

import torch


def recursive(rewards, gamma):
    if len(rewards) == 1:
        return rewards.clone()
    rest = recursive(rewards[1:], gamma)
    return torch.cat([(rewards[0] + gamma * rest[0])[None], rest])


def by_matrix(rewards, gamma):
    t = torch.arange(len(rewards))
    ahead = t[None] - t[:, None]
    return torch.where(ahead >= 0, torch.tensor(float(gamma)) ** ahead.clamp(min=0), torch.zeros(())) @ rewards


def looped_chances(row, epsilon):
    best = [i for i in range(len(row)) if row[i] == max(row)]
    return torch.tensor([epsilon / len(row) + ((1 - epsilon) / len(best) if i in best else 0) for i in range(len(row))])


def in_place(q, s, a, r, s_next, end, alpha, gamma):
    q[s, a] += alpha * ((r if end else r + gamma * q[s_next].max()) - q[s, a])
    return q


def weighed(q, s, a, r, s_next, end, alpha, gamma):
    new = q.clone()
    new[s, a] = (1 - alpha) * q[s, a] + alpha * (r + (not end) * gamma * max(q[s_next]))
    return new


def looped_sweep(p, r, v, gamma):
    rows = []
    for s in range(len(r)):
        rows.append(max(r[s, a] + gamma * sum(p[s, a, t] * v[t] for t in range(len(v))) for a in range(r.shape[1])))
    return torch.stack(rows)


def by_sweeps(p, r, policy, gamma):
    v = torch.zeros(len(r))
    for _ in range(2000):
        v = (policy * (r + gamma * p @ v)).sum(1)
    return v


RIGHT = {
    "discounted": {
        "recursive": recursive,
        "a matrix": by_matrix,
        "a sum for each": lambda r, g: torch.stack(
            [sum((g**k * r[t + k] for k in range(len(r) - t)), torch.tensor(0.0)) for t in range(len(r))]
        ),
    },
    "chances": {
        "a loop": looped_chances,
        "where": lambda q, e: torch.where(q == q.max(), (1 - e) / (q == q.max()).sum(), 0.0) + e / q.numel(),
        "mixed": lambda q, e: (
            e * torch.full_like(q, 1 / len(q)) + (1 - e) * (q >= q.max()).float() / (q >= q.max()).float().sum()
        ),
    },
    "q_step": {
        "weighed": weighed,
        "scatter": lambda q, s, a, r, n, e, al, g: q.index_put(
            (torch.tensor(s), torch.tensor(a)), q[s, a] + al * (r + (0 if e else g * q[n].max()) - q[s, a])
        ),
    },
    "sweep": {
        "a loop": looped_sweep,
        "einsum": lambda p, r, v, g: (r + g * torch.einsum("sat,t->sa", p, v)).amax(1),
        "by tensordot": lambda p, r, v, g: torch.max(r + g * torch.tensordot(p, v, 1), 1)[0],
    },
    "value_of": {
        "by sweeps": by_sweeps,
        "inverse": lambda p, r, pi, g: (
            torch.linalg.inv(torch.eye(len(r)) - g * (pi[:, :, None] * p).sum(1)) @ (pi * r).sum(1)
        ),
        "in double precision": lambda p, r, pi, g: torch.linalg.solve(
            torch.eye(len(r)).double() - g * torch.einsum("sa,sat->st", pi.double(), p.double()),
            (pi.double() * r.double()).sum(1),
        ),
    },
}

WRONG = {
    "discounted": {
        "sums": (lambda r, g: torch.stack([r[t:].sum() for t in range(len(r))]), "sums without a discount"),
        "squared discount": (lambda r, g: by_matrix(r, g * g), "one number"),
        "a number": (lambda r, g: by_matrix(r, g)[0], "this is the return of the first step alone"),
        "a list": (lambda r, g: by_matrix(r, g).tolist(), "expected a tensor"),
        "forwards": (lambda r, g: by_matrix(r.flip(0), g).flip(0), "what came before each step"),
        "in place": (lambda r, g: r.copy_(by_matrix(r, g)), "in place"),
        "means": (lambda r, g: by_matrix(r, g) / torch.arange(len(r), 0, -1), "one number"),
    },
    "chances": {
        "an action": (lambda q, e: q.argmax(), "shape"),
        "drawn": (
            lambda q, e: torch.nn.functional.one_hot(
                q.argmax() if torch.rand(()) > e else torch.randint(len(q), ()), len(q)
            ).float(),
            "",
        ),
        "more than one": (lambda q, e: (q == q.max()).float() + e / len(q), "one number"),
        "proportional": (lambda q, e: (1 - e) * q / q.sum() + e / len(q), ""),
        "others alone": (
            lambda q, e: torch.where(q == q.max(), (1 - e) / (q == q.max()).sum(), e / len(q)),
            "its share of ε",
        ),
        "first best": (
            lambda q, e: (1 - e) * torch.eye(len(q))[q.argmax()] + e / len(q),
            "argmax picks the first",
        ),
        "numbers": (lambda q, e: looped_chances(q, e).tolist(), "expected a tensor"),
    },
    "q_step": {
        "in place": (in_place, "in place"),
        "the entry": (
            lambda q, s, a, r, n, e, al, g: weighed(q, s, a, r, n, e, al, g)[s, a],
            "shape",
        ),
        "never ends": (lambda q, s, a, r, n, e, al, g: weighed(q, s, a, r, n, False, al, g), "nothing follows an end"),
        "always ends": (lambda q, s, a, r, n, e, al, g: weighed(q, s, a, r, n, True, al, g), "one number"),
        "half": (lambda q, s, a, r, n, e, al, g: weighed(q, s, a, r, n, e, al / 2, g), "one number"),
        "shortsighted": (lambda q, s, a, r, n, e, al, g: weighed(q, s, a, r, n, e, al, g * g), "one number"),
        "unchanged": (lambda q, s, a, r, n, e, al, g: q.clone(), "one number"),
        "here": (
            lambda q, s, a, r, n, e, al, g: weighed(
                q, s, a, r + (0 if e else g * (q[s].max() - q[n].max())), n, e, al, g
            ),
            "where the step led",
        ),
    },
    "sweep": {
        "random policy": (lambda p, r, v, g: looped_sweep(p, r, v, g) * 0 + (r + g * p @ v).mean(1), "at random"),
        "no maximum": (lambda p, r, v, g: r + g * (p @ v), "values of actions"),
        "sum": (lambda p, r, v, g: (r + g * p @ v).sum(1), "one number"),
        "greedy on rewards": (
            lambda p, r, v, g: (r + g * p @ v).gather(1, r.argmax(1, keepdim=True)).squeeze(1),
            "one number",
        ),
        "kept": (lambda p, r, v, g: (r + g * p @ v).max(1, keepdim=True).values, "keepdim"),
        "in place": (lambda p, r, v, g: v.copy_((r + g * p @ v).max(1).values), "in place"),
        "two sweeps": (lambda p, r, v, g: looped_sweep(p, r, looped_sweep(p, r, v, g), g), "one number"),
    },
    "value_of": {
        "too few sweeps": (
            lambda p, r, pi, g: (pi * (r + g * p @ (pi * (r + g * p @ (pi * r).sum(1))).sum(1))).sum(1),
            "",
        ),
        "the best": (
            lambda p, r, pi, g: by_sweeps(
                p, r, torch.nn.functional.one_hot(r.argmax(1), r.shape[1]).float(), g
            ),
            "",
        ),
        "wrong way round": (
            lambda p, r, pi, g: torch.linalg.solve(
                torch.eye(len(r)) - g * torch.einsum("sa,sat->ts", pi, p), (pi * r).sum(1)
            ),
            "transposed",
        ),
        "without a policy": (
            lambda p, r, pi, g: by_sweeps(p, r, torch.full_like(pi, 1 / pi.shape[1]), g),
            "",
        ),
        "inverse times": (
            lambda p, r, pi, g: torch.linalg.inv(torch.eye(len(r)) - g * (pi[:, :, None] * p).sum(1)),
            "shape",
        ),
        "numpy": (lambda p, r, pi, g: by_sweeps(p, r, pi, g).numpy(), "expected a tensor"),
    },
}  # fmt: skip
