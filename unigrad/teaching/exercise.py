"""An exercise, and the one checker of answers: by numbers, with feedback that says which element is wrong and why."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError
from unigrad.operations.creation import asarray
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.reverse import grad

_TOLERANCE = 1e-4  # of float32 answers, relative to the largest element


@dataclass(frozen=True)
class Feedback:
    """What is said of an answer; true where it is right."""

    right: bool
    text: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'right' if self.right else 'not yet'}: {self.text}"


@dataclass(frozen=True, repr=False)
class Exercise:
    """A statement, a hint, and what the right and the commonly wrong answers are, as NumPy functions of ``at``.

    ``kind`` is what is asked for: "values", "function" (called with Tensors of the current backend), or "rule" (a
    function of one array whose value is held against ``value``, and the gradient of whose sum against ``answer``).
    """

    name: str
    statement: str
    hint: str
    at: tuple[Any, ...]
    answer: Callable[..., Any]
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    kind: str = "values"
    value: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        asked = {"values": "numbers", "function": "a function", "rule": "a function with a rule"}[self.kind]
        body = textwrap.fill(self.statement, 100, initial_indent="  ", subsequent_indent="  ")
        return f"{self.name} (answer: {asked})\n{body}\n  .hint helps; .check(answer) checks"

    def check(self, answer: Any) -> Feedback:
        """Feedback on a number, an array of any library or backend, or the function that is asked for.

        ArgumentError where a function is asked for and none is given, or the answer holds no real numbers. What a
        student's function raises is not caught: its traceback shows the line.
        """
        if self.kind == "values":
            return self._compared(_numbers(answer))
        if not callable(answer):
            raise ArgumentError(
                f"exercise {self.name!r} asks for a function, not for {type(answer).__name__}; pass the function itself"
            )
        if self.value is not None:
            value = _numbers(answer(*self._tensors()))
            if not _close(value, self._of(self.value)):
                return Feedback(False, "the function's own value is wrong: look at it before its derivative")
            return self._compared(_numbers(grad(lambda x: answer(x).sum())(*self._tensors())))
        return self._compared(_numbers(answer(*self._tensors())))

    def _tensors(self) -> list[Tensor]:
        return [asarray(np.asarray(array, np.float32)) for array in self.at]

    def _of(self, function: Callable[..., Any]) -> Any:
        return np.asarray(function(*[np.asarray(array, np.float64) for array in self.at]), np.float64)

    def _compared(self, answer: Any) -> Feedback:
        expected = self._of(self.answer)
        if _close(answer, expected):
            return Feedback(True, "every element agrees")
        for text, mistake in self.mistakes.items():
            if _close(answer, self._of(mistake)):
                return Feedback(False, text + _where(answer, expected))
        return Feedback(False, _guessed(answer, expected))


def _numbers(answer: Any) -> Any:
    try:
        found = asarray(answer).detach().numpy()
        if found.dtype.kind == "c":
            raise TypeError("it is complex")
        return np.asarray(found, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"an answer is a number or an array of real numbers, not {type(answer).__name__}: {error}"
        ) from error


def _close(answer: Any, expected: Any) -> bool:
    if answer.shape != expected.shape:
        return False
    return bool(np.allclose(answer, expected, rtol=_TOLERANCE, atol=_TOLERANCE * np.max(np.abs(expected), initial=0)))


def _where(answer: Any, expected: Any) -> str:
    """Which element is wrong first, and how many are; nothing where the shapes differ."""
    if answer.shape != expected.shape:
        return f"; the shape is {answer.shape} and should be {expected.shape}"
    tolerance = _TOLERANCE * np.max(np.abs(expected), initial=0)
    wrong = np.argwhere(~np.isclose(answer, expected, rtol=_TOLERANCE, atol=tolerance))
    index = tuple(int(i) for i in wrong[0])
    place = f"element {list(index)}" if index else "the number"
    many = f" ({len(wrong)} of {answer.size} elements are wrong)" if index else ""
    return f"; {place} is {answer[index]:.6g}{many}"


def _guessed(answer: Any, expected: Any) -> str:
    """What kinds of mistake can be told from the numbers alone."""
    if answer.shape != expected.shape:
        if answer.ndim == expected.ndim == 2 and _close(answer.T, expected):
            return "transposed: the values are right, rows and columns are swapped" + _where(answer, expected)
        if answer.size == expected.size and _close(answer.reshape(expected.shape), expected):
            return "the values are right, the shape is not" + _where(answer, expected)
        for axis in range(answer.ndim):
            if _close(answer.sum(axis), expected) or _close(answer.sum(axis, keepdims=True), expected):
                return f"forgot to sum over axis {axis}, along which it was broadcast" + _where(answer, expected)
        if expected.ndim == 0 and _close(answer.sum(), expected):
            return "forgot to sum over all axes, along which it was broadcast" + _where(answer, expected)
        return "the wrong shape: a gradient has the shape of what it belongs to" + _where(answer, expected)
    where = _where(answer, expected)
    if not np.all(np.isfinite(answer)):
        return "not finite: a division by zero, or infinity times zero" + where
    if _close(-answer, expected):
        return "the wrong sign everywhere" + where
    if _close(np.abs(answer), np.abs(expected)):
        return "the wrong sign in places" + where
    if answer.ndim == 2 and _close(answer.T, expected):
        return "transposed: the values are right, rows and columns are swapped" + where
    nonzero = np.abs(expected) > _TOLERANCE * np.max(np.abs(expected), initial=0)
    if nonzero.any():
        ratio = float(np.mean(answer[nonzero] / expected[nonzero]))
        if ratio and _close(answer / ratio, expected):
            return f"off by the constant factor {ratio:.6g}: a factor of the chain rule is missing or too many" + where
    return "some values are wrong" + where


class Exercises(Mapping[str, Exercise]):
    """Exercises in their order: by name or by position."""

    def __init__(self, exercises: list[Exercise]) -> None:
        self._all = {exercise.name: exercise for exercise in exercises}

    def __getitem__(self, key: str | int) -> Exercise:
        names = list(self._all)
        if isinstance(key, int):
            if not -len(names) <= key < len(names):
                raise ArgumentError(f"there are exercises 0 to {len(names) - 1}, and no {key}")
            return self._all[names[key]]
        if key not in self._all:
            near = difflib.get_close_matches(key, names)
            hint = f"did you mean {' or '.join(near)}?" if near else "print(ug.exercises) lists them"
            raise ArgumentError(f"there is no exercise {key!r}; {hint}")
        return self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, key: object) -> bool:
        return key in self._all

    def __repr__(self) -> str:
        rows = [
            f"{place:2}  {name:20} {textwrap.shorten(exercise.statement, 76, placeholder=' ...')}"
            for place, (name, exercise) in enumerate(self._all.items())
        ]
        return "\n".join([*rows, "ug.exercises[name], then .hint and .check(answer)"])
