"""Squares of norms where the norm is 0: smooth, by whatever way they are squared and differentiated."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results

ROOTS = Program("roots")
case = ROOTS.case

TWICE = (2 * np.eye(2)).tolist()


def _squares(ug: Any) -> dict[str, tuple[Callable[[Any], Any], Any]]:
    """Functions of two numbers, with their Hessians at 0."""
    norm = ug.linalg.norm
    return {
        "power": (lambda x: norm(x) ** 2, TWICE),
        "square": (lambda x: ug.square(ug.linalg.vector_norm(x)), TWICE),
        "itself": (lambda x: (lambda n: n * n)(norm(x)), TWICE),
        "computed twice": (lambda x: norm(x) * norm(x), TWICE),
        "fourth": (lambda x: (lambda n: n**2 - n**4.0)(norm(x)), TWICE),
        "hypot": (lambda x: ug.hypot(x[0], x[1]) ** 2, TWICE),
        "matrix": (lambda x: ug.linalg.matrix_norm(x.reshape(1, 2)) ** 2, TWICE),
        "std": (lambda x: 4 * ug.std(x) ** 2, [[2, -2], [-2, 2]]),
        "kernel": (lambda x: ug.exp(-((norm(x) / (1 + x[0])) ** 2)), (-2 * np.eye(2)).tolist()),
        "one row of two": (
            lambda x: (norm(ug.stack([x, x + 1]), axis=-1)[:, None] ** 2).sum(),
            (4 * np.eye(2)).tolist(),
        ),
        "the norm": (lambda x: norm(x), np.zeros((2, 2)).tolist()),
    }


def _hessians(ug: Any, f: Callable[[Any], Any]) -> dict[str, Callable[[], Any]]:
    x, unit = ug.zeros(2), [ug.asarray([1.0, 0.0]), ug.asarray([0.0, 1.0])]

    def recorded() -> Any:
        y = ug.zeros(2)
        y.attach_grad()
        with ug.record():
            slopes = ug.gradients(f(y), y, create_graph=True)
            parts = [slopes[0], slopes[1]]
        return ug.stack([ug.gradients(part, y, retain_graph=True) for part in parts])

    return {
        "hessian": lambda: ug.hessian(f)(x),
        "forward over reverse": lambda: ug.jacobian(ug.grad(f), mode="forward")(x),
        "reverse over forward": lambda: ug.stack([ug.hvp(f, (x,), (t,))[0] for t in unit]),
        "forward over forward": lambda: ug.stack(
            [ug.stack([ug.jvp(lambda z, t=t: ug.jvp(f, (z,), (t,))[1], (x,), (s,))[1] for t in unit]) for s in unit]
        ),
        "mapped": lambda: ug.vmap(ug.hessian(f))(ug.zeros((2, 2)))[1],
        "recorded": recorded,
    }


def _right(found: Any, hessian: Any) -> bool:
    return bool(np.abs(np.asarray(found.numpy()) - hessian).max() < 1e-6)


MODES = ("hessian", "forward over reverse", "reverse over forward", "forward over forward", "mapped", "recorded")
OTHERS = (
    "square", "itself", "computed twice", "fourth", "hypot", "matrix", "std", "one row of two", "the norm",
)  # fmt: skip


@case("the square of a norm has its Hessian at 0 in every mode", **dict.fromkeys(MODES, True))
def power(ug: Any, names: Collection[str] = MODES) -> Results:
    f, hessian = _squares(ug)["power"]
    found = _hessians(ug, f)
    return {mode: _right(found[mode](), hessian) for mode in names}


@case("so has what is made of a quotient of the norm", **dict.fromkeys(MODES, True))
def kernel(ug: Any, names: Collection[str] = MODES) -> Results:
    f, hessian = _squares(ug)["kernel"]
    found = _hessians(ug, f)
    return {mode: _right(found[mode](), hessian) for mode in names}


def _of_complex(ug: Any) -> dict[str, tuple[Callable[[Any], Any], Any]]:
    def number(x: Any) -> Any:
        return x[0] + 1j * x[1]

    return {
        "complex size": (lambda x: ug.abs(number(x)) ** 2, TWICE),
        "complex itself": (lambda x: (lambda n: n * n)(abs(number(x))), TWICE),
        "complex array": (
            lambda x: ug.square(ug.abs(ug.stack([number(x), 2 * x[0] + 0j, number(x) + 3]))).sum(),
            [[12, 0], [0, 4]],
        ),
        "complex size alone": (lambda x: ug.abs(number(x)), np.zeros((2, 2)).tolist()),
    }


@case("so has the square of the size of a complex number", dtype="complex64", **dict.fromkeys(MODES, True))
def complex_size(ug: Any, names: Collection[str] = MODES) -> Results:
    f, hessian = _of_complex(ug)["complex array"]
    found = _hessians(ug, f)
    return {mode: _right(found[mode](), hessian) for mode in names}


COMPLEX = ("complex_size", "complex_itself", "complex_size_alone")


@case("the size of a complex number in other ways", dtype="complex64", **dict.fromkeys(COMPLEX, True))
def complex_ways(ug: Any) -> Results:
    found = {name.replace(" ", "_"): _right(ug.hessian(f)(ug.zeros(2)), h) for name, (f, h) in _of_complex(ug).items()}
    return {name: found[name] for name in COMPLEX}


@case("by whatever way a norm is made and squared; the norm itself has 0", **dict.fromkeys(OTHERS, True))
def other_ways(ug: Any, names: Collection[str] = OTHERS) -> Results:
    squares = _squares(ug)
    return {name: _right(ug.hessian(squares[name][0])(ug.zeros(2)), squares[name][1]) for name in names}


# Where each Hessian is compiled. Each of the modes is taken once.
ROOTS.quickly(power, ("hessian", "forward over forward"), MODES)
ROOTS.quickly(kernel, ("recorded",), MODES)
ROOTS.quickly(complex_size, ("hessian",), MODES)
ROOTS.quickly(other_ways, ("hypot", "std"), OTHERS)


@case(
    "a norm of 0 is an array like any other: written to, cut from its history, asked for its gradient",
    written=[4.0, 0.0],
    attached=6.0,
    retained=[0.0, 6.0],
    asked=[0.0, 6.0],
    value=[0.0, 9.0],
)
def other_lives(ug: Any) -> Results:
    x = ug.asarray([[0.0, 0.0], [0.0, 3.0]])
    x.attach_grad()
    with ug.record():
        moved = ug.linalg.norm(x[0])
        moved += x[1, 1] - 1
        by_moved = ug.gradients(moved**2, x)[1, 1]
        kept = ug.linalg.norm(x, axis=1)
        kept.retain_grad()
        squares = kept**2
        asked = ug.gradients(squares.sum(), kept, retain_graph=True)
    squares.backward()
    cut = ug.linalg.norm(x[0])
    cut.attach_grad()
    with ug.record():
        by_cut = ((cut + 3) ** 2 + cut**2).sum()
    by_cut.backward()
    return {
        "written": ug.stack([by_moved, ug.linalg.norm(x[0]) ** 2]),
        "attached": cut.grad,
        "retained": kept.grad,
        "asked": asked,
        "value": squares,
    }
