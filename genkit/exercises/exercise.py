"""What an exercise is: a reference answer, inputs to try it on, and the mistakes that people make."""

import inspect
import math
import numbers
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

    >>> def double(x):
    ...     return 2 * x  # hole
    >>> exercise = Exercise("double", 1, double, [lambda: (3.0,)], {"square": (lambda x: x * x, "that is the square.")})
    >>> exercise.judge(lambda x: x + x)
    >>> exercise.judge(lambda x: x**2)
    Traceback (most recent call last):
    genkit.exercises.exercise.Wrong: that is the square.
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
        trials = self.inputs if self.exact else ()
        for make in trials:
            self._compare(answer, make)
        for make in trials:
            for position in self.gradients:
                self._compare_gradient(answer, make, position)

    def _compare(self, answer: Callable, make: Callable[[], tuple]) -> None:
        expected, received = run(self.reference, make()), run_untouched(answer, make())
        if agree(received, expected):
            return
        for wrong, hint in self.mistakes.values():
            # an answer makes a mistake where it does what the mistake does on every input, not on this one alone
            if all(agree(attempt(answer, trial()), attempt(wrong, trial())) for trial in self.inputs):
                raise Wrong(hint)
        if agree(received, run(answer, make())) and not agree(received, run(answer, make(), seed=1)):
            raise Wrong("your function gives another result in every call: there is chance in it, and none is wanted.")
        raise Wrong(_difference(received, expected))

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


def run(function: Callable, arguments: tuple, seed: int = 0) -> object:
    """Call ``function`` with fixed randomness and leave the global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return function(*arguments)


def run_untouched(function: Callable, arguments: tuple) -> object:
    """Call ``function``; raise :class:`Wrong` where it changes what it was given."""
    before = [a.clone() if isinstance(a, Tensor) else a for a in arguments]
    received = run(function, arguments)
    for kept, now in zip(before, arguments, strict=True):
        if isinstance(now, Tensor) and not _equal(kept, now):
            raise Wrong("your function changes its input in place (an operation that ends in _, or +=).")
    return received


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)  # NaN is unchanged by NaN


def attempt(function: Callable, arguments: tuple) -> object:
    """Call ``function``; an error is an outcome too."""
    try:
        return run(function, arguments)
    except Exception as error:
        return type(error)


def agree(received: object, expected: object) -> bool:
    """Tell whether two outcomes are the same.

    Tensors must have the same shape and values, whatever their precision; whole numbers must be whole and equal;
    other numbers must be close, and a tensor of no dimensions counts as one.
    """
    if isinstance(received, Tensor) and isinstance(expected, Tensor):
        if received.shape != expected.shape or received.is_complex():
            return False
        a, b = (t.detach().cpu().to(torch.float64) for t in (received, expected))
        return torch.allclose(a, b, rtol=1e-5, atol=2e-5, equal_nan=True)
    if isinstance(expected, Tensor):
        return False
    if isinstance(expected, numbers.Integral):
        return isinstance(received, numbers.Integral) and _kind(received) == _kind(expected) and received == expected
    a, b = as_number(received), as_number(expected)
    if a is not None and b is not None:
        close = math.isfinite(b) and abs(a - b) <= 1e-6 + 1e-5 * abs(b)  # nothing finite is close to the infinite
        return close or a == b or (math.isnan(a) and math.isnan(b))
    return isinstance(received, type) and received is expected


def _kind(value: object) -> bool:
    return isinstance(value, bool)  # Python counts True as the number 1; a reader should not


def as_number(value: object) -> float | None:
    """Return a number, or a tensor of no dimensions, as a float; None for anything else, True and False included."""
    if isinstance(value, Tensor) and value.ndim == 0 and not value.is_complex():
        return float(value)
    return float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else None


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
    if not isinstance(expected, Tensor):
        return f"expected {expected!r}, received {_short(received)}."
    if not isinstance(received, Tensor):
        return f"expected a tensor of shape {tuple(expected.shape)}, received {type(received).__name__}."
    if received.shape != expected.shape:
        shapes = f"expected shape {tuple(expected.shape)}, received {tuple(received.shape)}"
        if received.ndim == expected.ndim and received.numel() != expected.numel():
            return f"{shapes}: is it the right axis that disappears?"
        if received.numel() == expected.numel():
            return f"{shapes}: an axis too many or too few. Look for keepdim, unsqueeze or squeeze."
        return f"{shapes}: over which axes do you add up or average?"
    if received.is_complex():
        return "your numbers are complex: real ones are expected."
    a, b = (t.detach().cpu().to(torch.float64) for t in (received, expected))
    if not a.isfinite().all() and b.isfinite().all():
        return "some of your numbers are not finite: exp of a large number, or the logarithm of 0?"
    worst = (a - b).abs().flatten().argmax()
    text = f"one number should be {b.flatten()[worst]:.4f} and is {a.flatten()[worst]:.4f}"
    return text + _pattern(a, b)


def _pattern(a: Tensor, b: Tensor) -> str:
    """Say so where all numbers are off by the same factor or by the same amount."""
    if a.numel() < 2:
        return "."
    ratio, difference = a / b, a - b
    if ratio.isfinite().all() and torch.allclose(ratio, ratio.flatten()[0], rtol=1e-4):
        return f". All of them are the right ones times {ratio.flatten()[0]:.4g}."
    if torch.allclose(difference, difference.flatten()[0], rtol=1e-4, atol=2e-4):
        return f". All of them are off by the same {difference.flatten()[0]:+.4g}."
    return "."


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}…"
