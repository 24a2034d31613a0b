"""Points where a derivative does not exist or frameworks disagree: one documented answer each, as data.

The rule behind the answers, in order: the gradient where the function is smooth; the subgradient of least norm
where it is locally convex, the supergradient of least norm where it is concave; else by continuity; else NaN.
Every row is also run with each subset of its inputs tracked: the answer must not depend on that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from unigrad.dtypes import complex_of
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
    Kink("median_even", "ug.median(x)", {"x": [1, 2, 3, 4]}, 2.5, {"x": [0, 0.5, 0.5, 0]}, "the mean of two elements"),
    Kink("median_ties", "ug.median(x)", {"x": [2, 2, 5]}, 2, {"x": [0, 1, 0]}, "the one that a stable sort puts there"),
    Kink("median_nan", "ug.median(x)", {"x": [1, nan, 0]}, nan, {"x": [nan, 0, 0]}, "NaN is never hidden"),
    Kink("top_2_ties", "ug.top_k(x, 2).values", {"x": [2, 1, 2, 2]}, [2, 2], {"x": [1, 0, 10, 0]}, "the first first",
         [1, 10]),
    Kink("cumulative_max_ties", "ug.cummax(x)", {"x": [1, 1, 2]}, [1, 1, 2], {"x": [6, 5, 100]}, "ties share equally",
         [1, 10, 100]),
    Kink("cumulative_max_three", "ug.cummax(x)", {"x": [1, 1, 0, 1]}, [1, 1, 1, 1], {"x": [15, 12, 0, 6]},
         "ties share equally, all of them so far", [3, 6, 6, 18]),
    Kink("cumulative_min_ties", "ug.cummin(x)", {"x": [2, 1, 1]}, [2, 1, 1], {"x": [1, 60, 50]}, "ties share equally",
         [1, 10, 100]),
    Kink("cumulative_max_nan", "ug.cummax(x)", {"x": [1, nan, 2]}, [1, nan, nan], {"x": [nan, nan, nan]},
         "NaN is never hidden"),
    Kink("interp_at_point", "ug.interp(x, ug.asarray([0, 1, 2], dtype=x.dtype), ug.asarray([0, 1, 3], dtype=x.dtype))",
         {"x": [1, 2, -1]}, [1, 3, 0], {"x": [2, 2, 0]}, "the piece to the right, at the end to the left"),
    Kink("unique_values", "ug.unique_values(x)", {"x": [2, 1, 2]}, [1, 2], {"x": [10, 1, 0]},
         "the first occurrence", [1, 10]),
    Kink("nan_sum", "ug.nansum(x)", {"x": [1, nan]}, 1, {"x": [1, 0]}, "what is left out has no part in it"),
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
    Kink("fmod", "ug.fmod(x, y)", {"x": -7, "y": 3}, -1, {"x": 1, "y": 2}, "smooth there"),
    Kink("fmax_tie", "ug.fmax(x, y)", {"x": 2, "y": 2}, 2, {"x": 0.5, "y": 0.5}, "a tie shares equally"),
    Kink("fmin_tie", "ug.fmin(x, y)", {"x": 2, "y": 2}, 2, {"x": 0.5, "y": 0.5}, "a tie shares equally"),
    Kink("fmax_nan", "ug.fmax(x, y)", {"x": nan, "y": 1}, 1, {"x": 0, "y": 1}, "the value is y, whatever x is"),
    Kink("fmin_nan", "ug.fmin(x, y)", {"x": 1, "y": nan}, 1, {"x": 1, "y": 0}, "the value is x, whatever y is"),
    Kink("hypot_zero", "ug.hypot(x, y)", {"x": 0, "y": 0}, 0, {"x": 0, "y": 0}, "the subgradient of least norm"),
    Kink("atan2_zero", "ug.atan2(x, y)", {"x": 0, "y": 0}, 0, {"x": nan, "y": nan}, "undefined"),
    Kink("xlogy_zero", "ug.xlogy(x, y)", {"x": 0, "y": 0}, 0, {"x": -inf, "y": nan}, "by the formula"),
    Kink("sinc_zero", "ug.sinc(x)", {"x": 0}, 1, {"x": 0}, "smooth"),
    Kink("copysign_zero", "ug.copysign(x, y)", {"x": 0, "y": 2}, 0, {"x": 0, "y": 0}, "the subgradient of least norm"),
    Kink("copysign", "ug.copysign(x, y)", {"x": 3, "y": -2}, -3, {"x": -1, "y": 0}, "smooth there"),
    Kink("logaddexp_nothing", "ug.logaddexp(x, y)", {"x": -inf, "y": -inf}, -inf, {"x": nan, "y": nan}, "undefined"),
    Kink("logaddexp_one", "ug.logaddexp(x, y)", {"x": -inf, "y": 1}, 1, {"x": 0, "y": 1}, "by continuity"),
    Kink("heaviside_zero", "ug.heaviside(x, y)", {"x": 0, "y": 0.5}, 0.5, {"x": 0, "y": 1},
         "piecewise constant in x, and y itself where x is 0"),
    Kink("cbrt_zero", "ug.cbrt(x)", {"x": 0}, 0, {"x": inf}, "by continuity"),
    Kink("asin_end", "ug.asin(x)", {"x": 1}, math.pi / 2, {"x": inf}, "by continuity"),
    Kink("acos_end", "ug.acos(x)", {"x": 1}, 0, {"x": -inf}, "by continuity"),
    Kink("acosh_end", "ug.acosh(x)", {"x": 1}, 0, {"x": inf}, "by continuity"),
    Kink("atanh_end", "ug.atanh(x)", {"x": 1}, inf, {"x": inf}, "by continuity"),
    Kink("asin_outside", "ug.asin(x)", {"x": 2}, nan, {"x": nan}, "NaN is never hidden"),
    Kink("gammaln_pole", "ug.gammaln(x)", {"x": 0}, inf, {"x": nan}, "the sides go to both infinities"),
    Kink("nan_to_num", "ug.nan_to_num(x)", {"x": nan}, 0, {"x": 0}, "the value does not depend on x"),
    Kink("complex_abs_zero", "ug.abs(x)", {"x": 0j}, 0, {"x": 0j}, "the subgradient of least norm"),
    Kink("complex_abs_squared", "ug.abs(x) ** 2", {"x": 1 + 2j}, 5, {"x": 2 + 4j}, "the direction of steepest ascent"),
    Kink("complex_square", "ug.square(x)", {"x": 1 + 2j}, -3 + 4j, {"x": 2 - 4j}, "the conjugate of the derivative"),
    Kink("complex_angle_zero", "ug.angle(x)", {"x": 0j}, 0, {"x": complex(nan, nan)}, "undefined"),
    Kink("complex_norm_zero", "ug.linalg.vector_norm(x)", {"x": [0j, 0j]}, 0, {"x": [0j, 0j]},
         "the subgradient of least norm"),
    Kink("complex_cast", "x * (1 + 2j)", {"x": 2}, 2 + 4j, {"x": 1}, "the real part of the cotangent"),
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
    Kink("relu6_edges", "ug.nn.relu6(x)", {"x": [0, 6, 3]}, [0, 6, 3], {"x": [0, 0, 1]}, "as relu on both sides"),
    Kink("hard_tanh_edges", "ug.nn.hard_tanh(x)", {"x": [-1, 1, 0]}, [-1, 1, 0], {"x": [0, 0, 1]}, "as relu6"),
    Kink("hard_tanh_nan", "ug.nn.hard_tanh(x)", {"x": nan}, nan, {"x": 1}, "NaN is in the value"),
    Kink("hard_sigmoid_edges", "ug.nn.hard_sigmoid(x)", {"x": [-3, 3]}, [0, 1], {"x": [0, 0]}, "as relu6"),
    Kink("selu_zero", "ug.nn.selu(x)", {"x": 0}, 0, {"x": 1.7580993408473766},
         "scale times alpha, as the frameworks have it"),
    Kink("celu_zero", "ug.nn.celu(x, 2.0)", {"x": 0}, 0, {"x": 1}, "smooth there"),
    Kink("prelu_zero", "ug.nn.prelu(x, w)", {"x": 0, "w": 0.25}, 0, {"x": 0.25, "w": 0}, "as leaky_relu"),
    Kink("softsign_zero", "ug.nn.softsign(x)", {"x": 0}, 0, {"x": 1}, "smooth there"),
    Kink("max_pool_ties", "ug.nn.max_pool1d(x.reshape(1, 1, 4), 2)", {"x": [3, 3, 1, 2]}, [[[3, 2]]],
         {"x": [0.5, 0.5, 0, 1]}, "ties share equally"),
    Kink("max_pool_overlapping", "ug.nn.max_pool1d(x.reshape(1, 1, 3), 2, stride=1)", {"x": [1, 2, 2]}, [[[2, 2]]],
         {"x": [0, 1.5, 0.5]}, "each window shares its own"),
    Kink("max_pool_nan", "ug.nn.max_pool1d(x.reshape(1, 1, 2), 2)", {"x": [nan, 1]}, [[[nan]]], {"x": [nan, nan]},
         "NaN is never hidden"),
    Kink("huber_edge", "ug.nn.huber_loss(x, y, delta=1.0)", {"x": 2, "y": 1}, 0.5, {"x": 1, "y": -1}, "smooth there"),
    Kink("l1_equal", "ug.nn.l1_loss(x, y)", {"x": 2, "y": 2}, 0, {"x": 0, "y": 0}, "the subgradient of least norm"),
    Kink("normalize_zero", "ug.nn.normalize(x, eps=0.5)", {"x": [0, 0]}, [0, 0], {"x": [2, 2]}, "smooth there"),
    Kink("embedding_twice", "ug.nn.embedding([1, 1], w)", {"w": [5, 6]}, [6, 6], {"w": [0, 2]}, "contributions add"),
)  # fmt: skip


def cases() -> Iterator[Case]:
    """Every kink in both dtypes."""
    for kink in KINKS:
        for dtype in ("float32", "float64"):
            expected = {"value": kink.value}
            for tracked in _subsets(tuple(kink.inputs)):
                expected |= {_named(name, tracked, kink): kink.gradient[name] for name in tracked}
            over = str(complex_of(np.dtype(dtype)))
            inputs = tuple(
                np.asarray(value, over if np.iscomplexobj(value) else dtype) for value in kink.inputs.values()
            )
            yield Case(
                name=f"kinks.{kink.name}.{dtype}",
                family="kinks",
                group=f"kinks.{kink.name}",
                run=_program(kink),
                why=f"{kink.source}: {kink.why}",
                inputs=inputs,
                dtype=dtype,
                limit=Limit(1.0, "largest", "literal answers"),
                needs=over if any(np.iscomplexobj(value) for value in (*inputs, kink.value)) else None,
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
