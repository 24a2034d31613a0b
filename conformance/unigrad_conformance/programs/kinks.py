"""Points where a derivative does not exist or frameworks disagree: one documented answer each, as data.

The rule behind the answers, in order: the gradient where the function is smooth; the subgradient of least norm
where it is locally convex, the supergradient of least norm where it is concave; else by continuity; else NaN.
Every row is also run with each subset of its inputs tracked: the answer must not depend on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from unigrad_conformance.case import Case, Limit, Results
from unigrad_conformance.operations import compiled

nan, inf = float("nan"), float("inf")


@dataclass(frozen=True)
class Kink:
    """One point: an expression over ``ug`` and inputs, its value there, and the gradient of ``sum(w * value)``."""

    name: str
    source: str
    inputs: Mapping[str, Any]
    value: Any
    gradient: Mapping[str, Any]
    why: str
    weights: Any = None


KINKS = (
    Kink("max_ties", "ug.max(x)", {"x": [1, 3, 3]}, 3, {"x": [0, 0.5, 0.5]}, "ties share equally"),
    Kink("min_ties", "ug.min(x)", {"x": [1, 1, 3]}, 1, {"x": [0.5, 0.5, 0]}, "ties share equally"),
    Kink("max_nan", "ug.max(x)", {"x": [nan, 1]}, nan, {"x": [nan, nan]}, "NaN is never hidden"),
    Kink("maximum_tie", "ug.maximum(x, y)", {"x": 2, "y": 2}, 2, {"x": 0.5, "y": 0.5}, "a tie shares equally"),
    Kink("minimum_tie", "ug.minimum(x, y)", {"x": 2, "y": 2}, 2, {"x": 0.5, "y": 0.5}, "a tie shares equally"),
    Kink("maximum_nan", "ug.maximum(x, y)", {"x": nan, "y": 1}, nan, {"x": nan, "y": nan}, "NaN is never hidden"),
    Kink("maximum_zero", "ug.maximum(x, 0.0)", {"x": 0}, 0, {"x": 0.5}, "a tie with a number is a tie"),
    Kink("relu_zero", "ug.nn.relu(x)", {"x": 0}, 0, {"x": 0}, "the subgradient of least norm"),
    Kink("leaky_relu_zero", "ug.nn.leaky_relu(x, 0.125)", {"x": 0}, 0, {"x": 0.125}, "the subgradient of least norm"),
    Kink("elu_zero", "ug.nn.elu(x, 0.5)", {"x": 0}, 0, {"x": 0.5}, "the subgradient of least norm"),
    Kink("clip_edges", "ug.clip(x, 0, 1)", {"x": [0, 1, 2]}, [0, 1, 1], {"x": [1, 1, 0]},
         "on an edge the value moves with x"),
    Kink("clip_bounds", "ug.clip(x, low, high)", {"x": 0, "low": 0, "high": 1}, 0, {"x": 1, "low": 0, "high": 0},
         "at an edge x gets the whole gradient"),
    Kink("clip_at_high", "ug.clip(x, low, high)", {"x": 1, "low": 0, "high": 1}, 1, {"x": 1, "low": 0, "high": 0},
         "at an edge x gets the whole gradient"),
    Kink("clip_nan", "ug.clip(x, 0, 1)", {"x": nan}, nan, {"x": nan}, "NaN is never hidden"),
    Kink("abs_zero", "ug.abs(x)", {"x": 0}, 0, {"x": 0}, "the subgradient of least norm"),
    Kink("norm_1", "ug.linalg.vector_norm(x, ord=1)", {"x": [0, 2]}, 2, {"x": [0, 1]}, "the subgradient of least norm"),
    Kink("norm_inf", "ug.linalg.vector_norm(x, ord=ug.inf)", {"x": [2, -2]}, 2, {"x": [0.5, -0.5]},
         "ties share equally"),
    Kink("norm_2_zero", "ug.linalg.norm(x)", {"x": [0, 0]}, 0, {"x": [0, 0]}, "the subgradient of least norm"),
    Kink("norm_3_zero", "ug.linalg.vector_norm(x, ord=3)", {"x": [0, 0]}, 0, {"x": [0, 0]},
         "the subgradient of least norm"),
    Kink("sqrt_of_sum_zero", "ug.sqrt(ug.sum(x * x))", {"x": [0, 0]}, 0, {"x": [nan, nan]},
         "infinity times zero: written out, the norm has no derivative"),
    Kink("sort_ties", "ug.sort(x)", {"x": [2, 1, 2]}, [1, 2, 2], {"x": [2, 1, 4]},
         "stable: each keeps its own", [1, 2, 4]),
    Kink("sqrt_zero", "ug.sqrt(x)", {"x": 0}, 0, {"x": inf}, "by continuity"),
    Kink("root_by_power", "x ** 0.5", {"x": 0}, 0, {"x": inf}, "by continuity"),
    Kink("sqrt_times_zero", "ug.sqrt(x) * 0", {"x": 0}, 0, {"x": nan}, "infinity times zero is not hidden"),
    Kink("power_zero", "x ** 0", {"x": [0, 2]}, [1, 1], {"x": [0, 0]}, "the function is constant"),
    Kink("power_zero_float", "x ** 0.0", {"x": [0, 2]}, [1, 1], {"x": [0, 0]}, "the function is constant"),
    Kink("power_0_0", "x ** y", {"x": 0, "y": 0}, 1, {"x": 0, "y": 0}, "constant along both lines"),
    Kink("power_0_1", "x ** y", {"x": 0, "y": 1}, 0, {"x": 1, "y": 0}, "smooth in x, constant in y"),
    Kink("power_0_2", "x ** y", {"x": 0, "y": 2}, 0, {"x": 0, "y": 0}, "smooth in x, constant in y"),
    Kink("power_of_negative", "x ** y", {"x": -2, "y": 3}, -8, {"x": 12, "y": nan}, "undefined beside y = 3"),
    Kink("prod_zero", "ug.prod(x)", {"x": [2, 0, 3]}, 0, {"x": [0, 6, 0]}, "smooth"),
    Kink("prod_zeros", "ug.prod(x)", {"x": [0, 0, 3]}, 0, {"x": [0, 0, 0]}, "smooth"),
    Kink("cumulative_prod_zero", "ug.cumulative_prod(x)", {"x": [2, 0, 3]}, [2, 0, 0], {"x": [1, 8, 0]}, "smooth"),
    Kink("where_sqrt", "ug.where(x > 0, ug.sqrt(x), 0.0)", {"x": -1}, 0, {"x": nan}, "zero times NaN is not hidden"),
    Kink("where_reciprocal", "ug.where(x != 0, 1 / x, 0.0)", {"x": 0}, 0, {"x": nan},
         "zero times infinity is not hidden"),
    Kink("zero_by_zero", "x / y", {"x": 0, "y": 0}, nan, {"x": inf, "y": nan}, "by the formula"),
    Kink("logsumexp_nothing", "ug.nn.logsumexp(x)", {"x": [-inf, -inf]}, -inf, {"x": [nan, nan]}, "undefined"),
    Kink("logsumexp_one", "ug.nn.logsumexp(x)", {"x": [-inf, 0]}, 0, {"x": [0, 1]}, "by continuity"),
    Kink("std_of_equals", "ug.std(x)", {"x": [2, 2]}, 0, {"x": [0, 0]}, "as the norm at zero"),
    Kink("std_of_one", "ug.std(x)", {"x": [2]}, 0, {"x": [0]}, "constant"),
    Kink("var_of_one", "ug.var(x, correction=1)", {"x": [2]}, nan, {"x": [nan]}, "zero by zero"),
    Kink("gather_twice", "x[[0, 0, 1]]", {"x": [5, 6, 7]}, [5, 5, 6], {"x": [3, 4, 0]}, "contributions add", [1, 2, 4]),
    Kink("set_twice", "y = ug.zeros_like(v) * 1; y[[0, 0]] = v; y", {"v": [5, 6]}, [6, 0], {"v": [0, 1]},
         "the last one wins"),
    Kink("floor", "ug.floor(x) + ug.round(x) + ug.sign(x)", {"x": 1.25}, 3, {"x": 0}, "piecewise constant"),
    Kink("through_integers", "x.astype('int64').astype(x.dtype)", {"x": 1.75}, 1, {"x": 0}, "piecewise constant"),
    Kink("argmax", "ug.argmax(x).astype(x.dtype)", {"x": [1, 2]}, 1, {"x": [0, 0]}, "piecewise constant"),
    Kink("remainder", "x % y", {"x": -7, "y": 3}, 2, {"x": 1, "y": 3}, "smooth there"),
    Kink("floor_divide", "x // y", {"x": -7, "y": 3}, -3, {"x": 0, "y": 0}, "piecewise constant"),
    Kink("log_zero", "ug.log(x)", {"x": 0}, -inf, {"x": inf}, "by continuity"),
    Kink("scalar_leaf", "x * ug.ones((2, 3), dtype=x.dtype)", {"x": 2}, [[2, 2, 2]] * 2, {"x": 6}, "its own shape"),
    Kink("second_of_first_power", "ug.grad(lambda v: v ** 1.0)(x)", {"x": 0}, 1, {"x": 0},
         "the derivative is constant"),
    Kink("det_singular", "ug.linalg.det(x)", {"x": [[0, 2], [0, 0]]}, 0, {"x": [[0, 0], [-2, 0]]}, "the cofactors"),
    Kink("det_one_zero", "ug.linalg.det(x)", {"x": [[1, 0, 0], [0, 2, 0], [0, 0, 0]]}, 0,
         {"x": [[0, 0, 0], [0, 0, 0], [0, 0, 2]]}, "the cofactors"),
    Kink("slogdet_singular", "ug.linalg.slogdet(x).logabsdet", {"x": [[1, 2], [2, 4]]}, -inf,
         {"x": [[nan, nan], [nan, nan]]}, "undefined"),
    Kink("eigvalsh_repeated", "ug.linalg.eigvalsh(x)", {"x": [[1, 0], [0, 1]]}, [1, 1], {"x": [[1, 0], [0, 2]]},
         "the eigenvectors that were found say which is which", [1, 2]),
    Kink("eigh_values_repeated", "ug.linalg.eigh(x).eigenvalues", {"x": [[1, 0], [0, 1]]}, [1, 1],
         {"x": [[1, 0], [0, 2]]}, "values alone, as eigvalsh", [1, 2]),
    Kink("eigh_vectors_repeated", "ug.linalg.eigh(x).eigenvectors ** 2", {"x": [[1, 0], [0, 1]]}, [[1, 0], [0, 1]],
         {"x": [[nan, nan], [nan, nan]]}, "undefined"),
    Kink("svdvals_repeated", "ug.linalg.svdvals(x)", {"x": [[1, 0], [0, 1]]}, [1, 1], {"x": [[1, 0], [0, 2]]},
         "the singular vectors that were found say which is which", [1, 2]),
    Kink("svd_values_repeated", "ug.linalg.svd(x).S", {"x": [[1, 0], [0, 1]]}, [1, 1], {"x": [[1, 0], [0, 2]]},
         "values alone, as svdvals", [1, 2]),
    Kink("svd_vectors_repeated", "ug.linalg.svd(x).U ** 2", {"x": [[1, 0], [0, 1]]}, [[1, 0], [0, 1]],
         {"x": [[nan, nan], [nan, nan]]}, "undefined"),
    Kink("cholesky_symmetric", "ug.linalg.cholesky(x)", {"x": [[4, 0], [0, 4]]}, [[2, 0], [0, 2]],
         {"x": [[0.25, 0.25], [0.25, 0.25]]}, "x is taken as (x + x.mT) / 2"),
    Kink("pinv_rank_one", "ug.linalg.pinv(x)", {"x": [[1, 0], [0, 0]]}, [[1, 0], [0, 0]], {"x": [[-1, 1], [1, 0]]},
         "along matrices of the same rank"),
    Kink("matrix_norm_zero", "ug.linalg.matrix_norm(x)", {"x": [[0, 0], [0, 0]]}, 0, {"x": [[0, 0], [0, 0]]},
         "the subgradient of least norm"),
)  # fmt: skip


def cases() -> Iterator[Case]:
    """Every kink in both dtypes."""
    for kink in KINKS:
        for dtype in ("float32", "float64"):
            expected = {"value": kink.value}
            for tracked in _subsets(tuple(kink.inputs)):
                expected |= {_named(name, tracked, kink): kink.gradient[name] for name in tracked}
            yield Case(
                name=f"kinks.{kink.name}.{dtype}",
                family="kinks",
                group=f"kinks.{kink.name}",
                run=_program(kink),
                why=f"{kink.source}: {kink.why}",
                inputs=tuple(np.asarray(value, dtype) for value in kink.inputs.values()),
                dtype=dtype,
                limit=Limit(1.0, "largest", "literal answers"),
                expected=expected,
            )


def _subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for count in range(len(names), 0, -1):
        yield from combinations(names, count)


def _named(name: str, tracked: tuple[str, ...], kink: Kink) -> str:
    return f"grad {name}" if len(tracked) == len(kink.inputs) else f"grad {name}, only {' and '.join(tracked)} tracked"


def _program(kink: Kink) -> Callable[..., Results]:
    call = compiled(kink.source)
    names = tuple(kink.inputs)

    def run(ug: Any, *arrays: Any) -> Results:
        values = dict(zip(names, arrays, strict=True))
        results = {}
        for tracked in _subsets(names):

            def f(*variables: Any, tracked: tuple[str, ...] = tracked) -> Any:
                tensors = {name: ug.asarray(value) for name, value in values.items()}
                (y,) = call(ug, tensors | dict(zip(tracked, variables, strict=True)))
                head = y if kink.weights is None else y * ug.asarray(kink.weights, dtype=y.dtype)
                return head.sum(), y

            variables = [ug.asarray(values[name]) for name in tracked]
            (_, y), gradients = ug.value_and_grad(f, argnums=tuple(range(len(tracked))), has_aux=True)(*variables)
            results["value"] = y
            results |= {_named(name, tracked, kink): g for name, g in zip(tracked, gradients, strict=True)}
        return results

    return run
