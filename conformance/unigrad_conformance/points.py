"""The hard points, read from ``conventions.toml``, and how an answer is written in one line.

A point is an expression (with inputs, and the gradient of ``sum(weights * value)``) or a whole program (with
the results of its last statement). Either is a string over ``ug``; each framework's own is a string over that
framework, beside the answer that it gives by itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "conventions.toml"
RELEASES = FILE.parent / "answers" / "releases.toml"
NUMBERS = ("inputs", "value", "gradient")
FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow", "jax": "JAX", "mxnet": "MXNet"}
"""Those that unigrad runs on: each has an answer in every row."""
OTHERS = {
    "autograd": "HIPS autograd",
    "mygrad": "MyGrad",
    "pytensor": "PyTensor",
    "casadi": "CasADi",
    "mlx": "MLX",
    "paddle": "PaddlePaddle",
    "mindspore": "MindSpore",
    "tinygrad": "tinygrad",
}
"""Further ones, asked at some points: ``answers/NAME.toml`` has what, and what they gave."""
TITLES = FRAMEWORKS | OTHERS


@dataclass(frozen=True)
class Own:
    """What one framework does at a point by itself."""

    gives: str
    """Its answer as :func:`shown` has it, or ``raises``; ``absent`` where it has no such operation."""
    call: str | None = None
    """The expression or program in its own names, or None where it has no such operation."""


@dataclass(frozen=True)
class Point:
    """One row of the file."""

    id: str
    group: str
    call: str
    """The expression or program over ``ug``; of a program the last statement gives the results."""
    why: str
    """The part of the rule that decides, or the reason for an exception."""
    own: Mapping[str, Own]
    """By framework, those of FRAMEWORKS and the others that were asked."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Of an expression: its floating inputs. A program makes its own."""
    weights: Any = None
    value: Any = None
    gradient: Mapping[str, Any] = field(default_factory=dict)
    hessian: Sequence[Sequence[float]] | None = None
    """Second derivatives by all elements of all inputs, in order; None where the row is not about them."""
    forward: Mapping[str, float] = field(default_factory=dict)
    """The derivative along the ones of an input in forward mode, where it is not the sum of the gradient: forward mode
    never meets the slope of what ``where`` did not choose, which in reverse is multiplied by 0."""
    results: Sequence[Any] = ()
    """Of a program: what it gives, one literal for each result."""

    @property
    def answer(self) -> str:
        """The answer in one line, in the notation of the frameworks' answers."""
        if not self.inputs:
            return "; ".join(map(shown, self.results))
        return derivatives([self.gradient[name] for name in self.inputs], self.hessian)


@cache
def document() -> dict[str, Any]:
    """The file as it is."""
    return tomllib.loads(FILE.read_text())


def rule() -> str:
    """The written rule, in Markdown."""
    return document()["rule"]


def groups() -> dict[str, str]:
    """The groups of points and their titles, in the order of the page."""
    return document()["groups"]


def answers_file(name: str) -> Path:
    """Where one of the others has its answers."""
    return FILE.parent / "answers" / f"{name}.toml"


@cache
def answers(name: str) -> dict[str, Any]:
    """That file as it is: ``version``, and by id what is asked and given."""
    return tomllib.loads(answers_file(name).read_text())


@cache
def releases() -> dict[str, dict[str, dict[str, str]]]:
    """By framework and version, the points where another release than that of :func:`versions` answers otherwise, and
    what it gives."""
    return tomllib.loads(RELEASES.read_text())


def versions() -> dict[str, str]:
    """By framework, the version that gave its answers."""
    return document()["versions"] | {name: answers(name)["version"] for name in OTHERS}


@cache
def points() -> tuple[Point, ...]:
    """All rows in the order of the file."""
    return tuple(map(_point, document()["point"]))


def _point(row: dict[str, Any]) -> Point:
    own = {name: Own(**row[name]) for name in FRAMEWORKS if name in row}
    own |= {name: Own(**answers(name)["points"][row["id"]]) for name in OTHERS if row["id"] in answers(name)["points"]}
    plain = {key: value for key, value in row.items() if key not in FRAMEWORKS}
    return Point(own=own, **plain | {key: _numbers(plain[key]) for key in NUMBERS if key in plain})


def _numbers(value: Any) -> Any:
    """The complex numbers, which TOML does not have, from their text."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return complex(value) if isinstance(value, str) else value


# --- answers in one line -----------------------------------------------------------------------------


def derivatives(gradient: Sequence[Any], hessian: Sequence[Any] | None) -> str:
    """Gradients, ``;`` between inputs; behind a slash the rows of the second derivative."""
    first = "; ".join(map(shown, gradient))
    return first if hessian is None else f"{first} / {shown(hessian)}"


def shown(value: Any) -> str:
    """An array's numbers with six digits (below 1e-12 they are 0), ``,`` between rows; ``none``; else the text."""
    if value is None:
        return "none"
    if isinstance(value, (bool, np.bool_, str)):
        return str(value).lower() if isinstance(value, (bool, np.bool_)) else value
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(array.item())
    if array.size == 0:
        return "empty"
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array[None]
    return ", ".join(" ".join(map(_number, row.tolist())) for row in rows)


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, complex):
        imaginary = _number(value.imag)
        return f"{_number(value.real)}{'' if imaginary.startswith('-') else '+'}{imaginary}j"
    if isinstance(value, float) and np.isnan(value):
        return "nan"
    return f"{0.0 if abs(value) < 1e-12 else value:.6g}"
