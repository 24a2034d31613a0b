"""The points of ``conventions.toml`` as cases: every backend gives the documented answer, exactly.

An expression is also run with each subset of its inputs tracked, and in forward mode: the answer must not
depend on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, combinations
from typing import Any

import numpy as np

from unigrad_conformance.case import Case, Limit, Results, raised
from unigrad_conformance.operations import compiled
from unigrad_conformance.points import Point, points

LIMIT = Limit(1.0, "largest", "literal answers")
OF_MATRICES = Limit(16.0, "largest", "literal answers, found through a decomposition; measured 5")
OF_COMPLEX = Limit(4.0, "largest", "literal answers; a complex power is an exponential; measured 2")


def cases() -> Iterator[Case]:
    """Every expression in both dtypes, every program once."""
    for point in points():
        if not point.inputs:
            yield _case(point, "float32", _program(point), _results(point.results))
            continue
        for dtype in ("float32", "float64"):
            inputs = tuple(
                np.asarray(value, np.result_type(dtype, np.complex64) if np.iscomplexobj(value) else dtype)
                for value in point.inputs.values()
            )
            quick = _expression(point, quick=True)
            yield _case(point, dtype, _expression(point), _derivatives(point), inputs, quick)


def _case(
    point: Point,
    dtype: str,
    run: Callable[..., Results],
    expected: Results,
    inputs: Any = (),
    quick: Callable[..., Results] | None = None,
) -> Case:
    name = f"kinks.{point.id}"
    why = f"{point.call}: {point.why}"
    full = f"{name}.{dtype}" if inputs else name
    limit = OF_MATRICES if "linalg." in point.call else OF_COMPLEX if point.group == "complex" else LIMIT
    everyday = dtype == "float32"
    return Case(
        full, "kinks", name, run, why, inputs, dtype, limit,
        everyday=everyday, quick=quick, quick_without=("forward *", "*, only * tracked"), expected=expected,
    )  # fmt: skip


# --- programs ------------------------------------------------------------------------------------------


def _results(found: Sequence[Any]) -> Results:
    return {f"result {number}": result for number, result in enumerate(found)}


def _program(point: Point) -> Callable[..., Results]:
    call = compiled(point.call)

    def run(ug: Any) -> Results:
        return _results(["none" if result is None else result for result in call(ug, {"raised": raised})])

    return run


# --- expressions ---------------------------------------------------------------------------------------


def _subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for count in range(len(names), 0, -1):
        yield from combinations(names, count)


def _named(what: str, tracked: tuple[str, ...], point: Point) -> str:
    return what if len(tracked) == len(point.inputs) else f"{what}, only {' and '.join(tracked)} tracked"


def _derivatives(point: Point) -> Results:
    """The literals by the names of the results of :func:`_expression`."""
    expected = {"value": point.value}
    for name, gradient in point.gradient.items():
        # A gradient is in the conjugate form, a derivative is not.
        with np.errstate(invalid="ignore"):  # of infinities
            total = np.sum(gradient)
        along = np.conj(total) if np.iscomplexobj(point.value) else total.real
        expected[f"forward {name}"] = point.forward.get(name, along.item())
    ends = list(accumulate((np.size(value) for value in point.inputs.values()), initial=0))
    elements = {name: slice(*ends[number : number + 2]) for number, name in enumerate(point.inputs)}
    for tracked in _subsets(tuple(point.inputs)):
        for name in tracked:
            expected[_named(f"grad {name}", tracked, point)] = point.gradient[name]
            if point.hessian is not None:
                for other in tracked:
                    block = np.asarray(point.hessian, dtype=float)[elements[name], elements[other]]
                    expected[_named(f"hessian {name} {other}", tracked, point)] = block.tolist()
    return expected


def _expression(point: Point, quick: bool = False) -> Callable[..., Results]:
    call = compiled(point.call)
    names = tuple(point.inputs)

    def run(ug: Any, *arrays: Any) -> Results:
        results: Results = {}
        for tracked in [names] if quick else _subsets(names):
            tensors = {name: ug.asarray(array) for name, array in zip(names, arrays, strict=True)}
            variables = [tensors[name] for name in tracked]

            def head(*xs: Any, tensors: Any = tensors, tracked: Any = tracked) -> Any:
                (y,) = call(ug, tensors | dict(zip(tracked, xs, strict=True)))
                return (y if point.weights is None else y * ug.asarray(point.weights, dtype=y.dtype)).sum(), y

            first = ug.value_and_grad(head, tuple(range(len(tracked))), has_aux=True)
            if point.hessian is None:
                (_, results["value"]), gradients = first(*variables)
            else:
                for variable in variables:
                    variable.attach_grad()
                with ug.record():
                    (_, results["value"]), gradients = first(*variables)
            for name, gradient in zip(tracked, gradients, strict=True):
                results[_named(f"grad {name}", tracked, point)] = gradient
                if point.hessian is not None:
                    blocks = zip(tracked, _second(ug, gradient, variables), strict=True)
                    results |= {_named(f"hessian {name} {other}", tracked, point): block for other, block in blocks}
        for name in () if quick else names:
            results[f"forward {name}"] = _forward(ug, call, point, dict(zip(names, arrays, strict=True)), name)
        return results

    return run


def _forward(ug: Any, call: Callable[..., Any], point: Point, arrays: dict[str, Any], name: str) -> Any:
    """The derivative along the ones of one input, in forward mode: the sum of its gradient."""
    tensors = {name: ug.asarray(array) for name, array in arrays.items()}

    def head(x: Any) -> Any:
        (y,) = call(ug, tensors | {name: x})
        return (y if point.weights is None else y * ug.asarray(point.weights, dtype=y.dtype)).sum()

    return ug.jvp(head, (tensors[name],), (ug.ones_like(tensors[name]),))[1]


def _second(ug: Any, gradient: Any, variables: Sequence[Any]) -> list[Any]:
    """The derivatives of each element of a gradient: for each variable a matrix."""
    rows = [
        ug.gradients(gradient, variables, ug.asarray(unit.reshape(gradient.shape)), retain_graph=True)
        for unit in np.eye(gradient.size, dtype=gradient.dtype)
    ]
    return [ug.stack([row[number].reshape(-1) for row in rows]) for number in range(len(variables))]
