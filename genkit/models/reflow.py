r"""Reflow: a flow that learns from the pairs of another one, so that its paths become straight and few steps suffice.

.. math:: \mathcal L = \mathbb E_{t, \varepsilon} \big\| v_\theta\big((1 - t)\,\hat x + t\,\varepsilon, t\big)
          - (\varepsilon - \hat x) \big\|^2, \qquad \hat x = \text{where the teacher carries } \varepsilon

Liu, Gong & Liu (2023). Where the student looks at t = 1 alone, it learns to jump from noise to data in one
step: distillation (the same paper).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..base import Generative, Player, Terms, rows


class Reflow(Generative):
    """A student that is trained on pairs (noise, what a teacher makes of it).

    Training has two stages: the teacher learns from data in the first ``split`` of the steps, then it makes ``pairs``
    pairs, and the student, which starts as a copy of it, learns from them. A teacher that is already trained gets
    ``split=0`` and is left as it is. Teachers may be reflows themselves.

    Arguments
        teacher: a model with ``sample(n, c, start=…)``, such as :class:`~genkit.models.flow_matching.FlowMatching`.
        student: one with ``error``, ``velocity``, ``draw`` and ``trajectory``, of the same shape and classes.
        pairs: how many.
        split: the share of training that belongs to the teacher, in [0, 1).
        knobs: how the teacher draws, such as ``{"steps": 20, "method": "heun", "guidance": 1.5}``. Guidance becomes
            part of the student, which needs none.

    The student's classes get equal shares of the pairs. Its labels are never hidden.
    """

    likelihood = "none"

    def __init__(
        self, teacher: Generative, student: Generative, *, pairs: int = 2000, split: float = 0.0,
        knobs: dict | None = None,
    ):  # fmt: skip
        super().__init__()
        if pairs < 1:
            raise ValueError(f"pairs: expected at least 1, received {pairs}")
        if not 0 <= split < 1:
            raise ValueError(f"split: expected a share in [0, 1), received {split}")
        if (teacher.shape, teacher.classes) != (student.shape, student.classes):
            raise ValueError(
                f"student: expected shape {teacher.shape} and {teacher.classes} classes as of the teacher, received "
                f"{student.shape} and {student.classes}"
            )
        self.teacher, self.student, self.split, self.knobs = teacher, student, split, dict(knobs or {})
        self.shape, self.classes, self.steps = student.shape, student.classes, student.steps
        self.register_buffer("noise", torch.zeros(pairs, *self.shape))
        self.register_buffer("ends", torch.zeros(pairs, *self.shape))
        self.register_buffer("made", torch.zeros((), dtype=torch.bool))

    def players(self) -> list[Player]:
        """Return the teacher's players in the first ``split`` of training, and the student in the rest."""
        student = Player("student", list(self.student.parameters()), self.loss, span=(self.split, 1.0))
        if not self.split:
            return [student]
        before = [
            Player(
                f"teacher {p.name}", p.params, p.loss, p.every, tuple(self.split * edge for edge in p.span), p.lr,
                p.betas, p.matrices,
            )
            for p in self.teacher.players()
        ]  # fmt: skip
        return [*before, student]

    def loss(self, x: Tensor, c: Tensor | None = None) -> Terms:
        """Return the student's error on as many pairs as x has rows; x and c themselves are not looked at."""
        if not self.made:
            self.make()
        chosen = torch.randint(len(self.noise), (len(x),), device=self.device)
        labels, t = self._labels(), self.student.draw(len(x), self.device)
        c = None if labels is None else labels[chosen]
        return {"loss": self.student.error(self.ends[chosen], self.noise[chosen], t, c)}

    @torch.no_grad()
    def make(self, batch: int = 500) -> None:
        """Draw the pairs from the teacher, and let the student start as its copy where it has the same network."""
        was_training, labels = self.teacher.training, self._labels()
        self.teacher.eval()
        for part in torch.arange(len(self.noise), device=self.device).split(batch):
            eps = torch.randn(len(part), *self.shape, device=self.device)
            c = None if labels is None else labels[part]
            ends = self.teacher.sample(len(part), c, start=eps, **self.knobs)
            self.noise[part], self.ends[part] = eps, self.student.stretch(ends)
        self.teacher.train(was_training)
        own = getattr(self.teacher, "student", self.teacher)
        self.student.load_state_dict(own.state_dict())
        self.made.fill_(True)

    def again(self, student: Generative) -> "Reflow":
        """Return a further stage on the same pairs, whose student starts as a copy of this one's."""
        stage = Reflow(self.teacher, student, pairs=len(self.noise), knobs=self.knobs)
        for name, buffer in self.named_buffers(recurse=False):
            getattr(stage, name).copy_(buffer)
        student.load_state_dict(self.student.state_dict())
        return stage

    def velocity(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the student's velocity."""
        return self.student.velocity(x, t, c)

    @torch.no_grad()
    def trajectory(
        self, n: int, c: Tensor | None = None, *, steps: int | None = None, start: Tensor | None = None,
        method: str = "euler",
    ) -> Iterator[Tensor]:  # fmt: skip
        """Yield n examples after each step of the student; guidance is not asked for, since it has been learnt."""
        yield from self.student.trajectory(n, rows(c, n), steps=steps, start=start, method=method)

    def _labels(self) -> Tensor | None:
        if not self.classes:
            return None
        return torch.arange(len(self.noise), device=self.device) % self.classes
