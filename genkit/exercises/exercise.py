"""What an exercise is: a reference answer, inputs to try it on, and the mistakes that people make."""

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

HOLE = "# hole"
TODO = 'raise NotImplementedError("your lines here")'


class Wrong(Exception):
    """An answer that a test rejects; its text is the hint."""


@dataclass(frozen=True)
class Exercise:
    """A function to be written, and how an answer is judged.

    Arguments
        name: what ``check``, ``solution`` and ``stub`` know it by.
        stars: 1 to 3.
        reference: the answer; lines that end in ``# hole`` are left out of the stub.
        inputs: each makes the arguments of one trial, the plainest first.
        mistakes: name of a mistake to a function that makes it, and the hint for it.
        tests: more functions that take the answer and raise :class:`Wrong`; they run before the trials.
        gradients: positions of arguments through which the answer must pass gradients.
        exact: compare with the reference's values; a random answer has ``tests`` alone.
    """

    name: str
    stars: int
    reference: Callable
    inputs: Sequence[Callable[[], tuple]]
    mistakes: dict[str, tuple[Callable, str]] = field(default_factory=dict)
    tests: Sequence[Callable[[Callable], None]] = ()
    gradients: tuple[int, ...] = ()
    exact: bool = True

    def judge(self, answer: Callable) -> None:
        """Return for a right answer; raise :class:`Wrong` with a hint for any other.

        Raises ``NotImplementedError`` where the answer is still the stub. Errors of the answer itself pass through.
        """
        if not callable(answer):
            raise Wrong(f"expected a function, received {type(answer).__name__}.")
        for test in self.tests:
            test(answer)
        for make in self.inputs if self.exact else ():
            self._trial(answer, make)

    def _trial(self, answer: Callable, make: Callable[[], tuple]) -> None:
        expected, received = run(self.reference, make()), self._run_untouched(answer, make())
        if agree(received, expected):
            for position in self.gradients:
                self._compare_gradient(answer, make, position)
            return
        for wrong, hint in self.mistakes.values():
            # an answer makes a mistake where it does what the mistake does on every input, not on this one alone
            if all(agree(attempt(answer, trial()), attempt(wrong, trial())) for trial in self.inputs):
                raise Wrong(hint)
        raise Wrong(_difference(received, expected))

    def _run_untouched(self, answer: Callable, arguments: tuple) -> object:
        before = [a.clone() if isinstance(a, Tensor) else a for a in arguments]
        received = run(answer, arguments)
        for kept, now in zip(before, arguments, strict=True):
            if isinstance(now, Tensor) and not torch.equal(kept, now):
                raise Wrong("your function changes its input in place (an operation that ends in _, or +=).")
        return received

    def _compare_gradient(self, answer: Callable, make: Callable[[], tuple], position: int) -> None:
        found = [gradient(function, make(), position) for function in (self.reference, answer)]
        if found[1] is None:
            name = list(inspect.signature(self.reference).parameters)[position]
            raise Wrong(f"the value is right, but no gradient reaches {name}: look for .detach(), .item() or no_grad.")
        if not agree(found[1], found[0]):
            raise Wrong("the value is right, but its gradient is not: part of the computation is cut off from it.")

    @property
    def code(self) -> str:
        """The reference's own source, without the marks of the holes."""
        lines = textwrap.dedent(inspect.getsource(self.reference)).splitlines()
        return "\n".join(line.removesuffix(HOLE).rstrip() for line in lines)

    @property
    def stub(self) -> str:
        """The reference's source with every run of holes replaced by one line to fill in."""
        kept: list[str] = []
        for line in textwrap.dedent(inspect.getsource(self.reference)).splitlines():
            if not line.endswith(HOLE):
                kept.append(line)
            elif not kept[-1].endswith(TODO):
                kept.append(line[: len(line) - len(line.lstrip())] + TODO)
        return "\n".join(kept)


def run(function: Callable, arguments: tuple) -> object:
    """Call ``function`` with fixed randomness and leave the global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return function(*arguments)


def attempt(function: Callable, arguments: tuple) -> object:
    """Call ``function``; an error is an outcome too."""
    try:
        return run(function, arguments)
    except Exception as error:
        return type(error)


def agree(a: object, b: object) -> bool:
    """Tell whether two outcomes are the same: shape and values for tensors, closeness for numbers."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=1e-4, atol=1e-5, equal_nan=True)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= 1e-5 + 1e-4 * abs(b)
    return type(a) is type(b) and bool(a == b)


def gradient(function: Callable, arguments: tuple, position: int) -> Tensor | None:
    """Return the gradient of the sum of what ``function`` returns, for one argument; None where there is none."""
    arguments = list(arguments)
    arguments[position] = arguments[position].clone().requires_grad_()
    value = run(function, tuple(arguments))
    if not isinstance(value, Tensor) or not value.requires_grad:
        return None
    return torch.autograd.grad(value.sum(), arguments[position], allow_unused=True)[0]


def _difference(received: object, expected: object) -> str:
    if received is None:
        return "your function returns nothing: is the return line missing?"
    if isinstance(expected, Tensor) and not isinstance(received, Tensor):
        return f"expected a tensor of shape {tuple(expected.shape)}, received {type(received).__name__}."
    if isinstance(expected, Tensor) and received.shape != expected.shape:
        return f"expected shape {tuple(expected.shape)}, received {tuple(received.shape)}: which axis is summed over?"
    if isinstance(expected, Tensor):
        if not received.isfinite().all() and expected.isfinite().all():
            return "some of your numbers are not finite: exp of a large number, or the logarithm of 0?"
        worst = (received.double() - expected.double()).abs().flatten().argmax()
        pair = expected.flatten()[worst].item(), received.flatten()[worst].item()
        return f"one number should be {pair[0]:.4f} and is {pair[1]:.4f}."
    return f"expected {expected!r}, received {received!r}."
