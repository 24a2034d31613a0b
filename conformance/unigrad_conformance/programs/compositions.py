"""Primitives that are made of others where an adapter has no function for them, by those compositions on every backend.

An adapter that supplies such a function never runs the composition, which backends to come will live by. The reference
has functions of its own for most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.table import PRIMITIVES
from unigrad_conformance.case import Case, Limit, Results
from unigrad_conformance.inputs import real, spread
from unigrad_conformance.oracle import Oracle

_LIMIT = Limit(256, "largest", "formulas that are not the frameworks' best")
_nan, _inf = math.nan, math.inf
Call = tuple[Sequence[Any], tuple[Any, ...]]
"""Arrays, and what stands behind them."""


def _spread(*shape: int) -> np.ndarray[Any, Any]:
    return spread(-2.0, 3.0, *shape)


# First calls of one shape, since JAX compiles each operation for each shape.
_pairs = real([3.5, -3.5, 3.5, -3.5, 0.75]), real([2.0, 2.0, -2.0, -2.0, 0.25])
_signs = real([3.0, -3.0, 3.0, -3.0, 4.0]), real([1.0, 0.0, -1.0, -2.0, -1.0])
_infinite = real([_inf, -_inf, _inf, 1.0, -_inf, 0.0]), real([_inf, -_inf, -_inf, _inf, 2.0, 0.0])
_positive = real([0.125, 1.0, 2.0, 10.0, 0.0])
_indices = np.array([[2, 0], [2, 2]])
_ties = real([1.0, 3.0, 3.0, 2.0, 2.0, 2.0, 4.0, 1.0]).reshape(1, 1, 8)
_pooled = real([3.0, 3.0, 2.0, 4.0]).reshape(1, 1, 4)
_apart = np.array(_spread(2, 1, 5, 6))
_image, _kernels = _spread(2, 4, 5, 4), _spread(6, 2, 3, 2)

ELEMENTWISE: dict[str, list[Call]] = {
    "reciprocal": [((real([2.0, -0.25, 0.0, 1.0, 8.0]),), ())],
    "log2": [((_positive,), ())],
    "log10": [((_positive,), ())],
    "cbrt": [((real([-8.0, 0.0, 1e-30, 3e30, _inf]),), ())],
    "gelu": [((real([-3.0, -0.5, 0.0, 0.25, 4.0]),), ())],
    "silu": [((real([-3.0, -0.5, 0.0, 0.25, 4.0]),), ())],
    "exp2": [((real([-3.0, -0.5, 0.0, 0.25, 200.0]),), ())],
    "leaky_relu": [((real([-3.0, -0.5, 0.0, _inf, -_inf, _nan]),), (slope,)) for slope in (0.25, 1.5, -2.0, 0.0)],
    "elu": [((real([-3.0, -0.5, 0.0, 0.25, _inf, -_inf, _nan]),), (1.5,))],
    "hard_tanh": [((real([-3.0, -0.5, 0.0, 2.0, _nan]),), bounds) for bounds in ((-0.5, 2.0), (1.0, -1.0))],
    "gaussian": [((real([-1.5, 0.0, 0.25, 2.0, 3.0]),), ())],
    "copysign": [(_signs, ())],
    "hypot": [
        ((real([0.0, -5.0, 0.0, 1e-30, 2e30]), real([-4.0, 0.0, 0.0, 1e-30, -1e30])), ()),
        ((real([_inf, _nan, 1.0, _nan]), real([_nan, -_inf, _inf, 1.0])), ()),
        ((real([-1e200, 1e-200]), real([1e-200, -1e200])), ()),
    ],
    "logaddexp": [
        ((real([0.5, -3.0, 90.0, -200.0, 2.0]), real([0.5, 4.0, 89.0, 3.0, 1.0])), ()),
        (_infinite, ()),
    ],
    "fmod": [
        (_pairs, ()),
        ((real([5.0, -5.0, 1.0, 0.0]), real([_inf, _inf, 0.0, 3.0])), ()),
        ((np.array([7, -7, 7, -7]), np.array([3, 3, -3, -3])), ()),
    ],
    "over_cosh_squared": [((real([1.5, -2.0, 3.0, 1.0, -1.0]), real([0.0, 1.25, -2.5, 0.5, 4.0])), ())],
    "lower_power": [((real([2.0, -3.0, 0.0, 1.5, 0.0]), real([3.0, 2.0, 1.0, -0.5, 3.0])), ())],
}
SEQUENCES: dict[str, list[Call]] = {
    "cumulative_max": [
        ((real([[1.0, -2.0, 3.0], [0.5, 4.0, _nan], [2.0, 1.0, 5.0]]),), (axis,)) for axis in (0, 1)
    ],
    "cumulative_min": [
        ((real([[1.0, -2.0, 3.0], [0.5, 4.0, _nan], [2.0, 1.0, 5.0]]),), (axis,)) for axis in (0, 1)
    ],
    "convolve": [
        *[((_spread(9), _spread(2)), (valid,)) for valid in (False, True)],
        *[((_spread(a), _spread(b)), (False,)) for a, b in ((3, 4), (1, 1))],
        ((_spread(4), _spread(4)), (True,)),
        ((real([_inf, 1.0, 2.0]), real([1.0, 2.0])), (False,)),
    ],
    "mean": [((_spread(2, 3, 2),), (axes, keepdims)) for axes, keepdims in (((1,), False), ((0, 2), True))],
    "variance": [
        ((_spread(2, 3, 2),), (axes, keepdims, correction))
        for axes, keepdims, correction in (((1,), False, 0.0), ((0, 2), True, 1.0), ((0, 1, 2), False, 0.5))
    ],
    "softmax": [((_spread(2, 3),), (axis,)) for axis in (0, 1)],
    "cofactors": [((_spread(2, 3, 3) + np.eye(3),), ())],
    "cofactors_along": [((_spread(2, 3, 3) + np.eye(3), _spread(2, 3, 3)), ())],
}  # fmt: skip
LAYERS: dict[str, list[Call]] = {
    "linear": [((_spread(2, 3), _spread(4, 3), _spread(4)), ())],
    "embedding": [((_spread(3, 2), _indices), ()), ((_spread(3), _indices), ())],
    "embedding_back": [((_spread(2, 2, 2), _indices), (4,)), ((_spread(2, 2), _indices), (3,))],
    "triangle": [
        ((_spread(2, 3, 4),), manner)
        for manner in ((0, True, 0.0), (0, True, -_inf), (1, False, 0.0), (-1, True, 0.0), (0, False, 2.0))
    ],
    "cross_entropy": [((_spread(3, 4), np.array([3, 0, 2])), ())],
    "standardised": [((_spread(2, 3, 2),), (axes, 0.125)) for axes in ((1, 2), (0,))],
    "normalised": [((_spread(2, 3), _spread(2, 3), _spread(2, 3) * 2), (axes, 0.125)) for axes in ((1,), (0, 1))],
}
WINDOWS: dict[str, list[Call]] = {
    "windows": [
        ((_apart,), ((2, 3), (1, 1), (1, 1))),
        ((_apart,), ((2, 2), (2, 1), (1, 2))),
        ((_apart,), ((2, 3), (2, 3), (1, 1))),
    ],
    "max_pool": [
        ((_ties,), ((2,), (2,), (1,))),
        ((_apart,), ((2, 3), (2, 3), (1, 1))),
        ((_apart,), ((2, 2), (1, 2), (2, 1))),
        ((_apart,), ((2, 2), (2, 2), (2, 2))),
    ],
    "max_pool_back": [((_pooled / 4, _ties, _pooled), ((2,), (2,), (1,)))],
    "max_pool_along": [((_spread(1, 1, 8), _ties, _pooled), ((2,), (2,), (1,)))],
    "sum_pool": [((_apart,), statics) for statics in (((2, 3), (2, 3)), ((2, 2), (1, 2)), ((5, 6), (5, 6)))],
    "convolution": [
        ((_image, _kernels), ((1, 1), ((0, 0), (0, 0)), (1, 1), 2)),
        ((_image, _kernels), ((2, 1), ((1, 0), (0, 2)), (1, 2), 2)),
        ((_image[:, :2], _kernels), ((1, 2), ((0, 1), (1, 1)), (2, 1), 1)),
    ],
}
_true = np.array([[True, False, False], [True, True, False]])
_other = np.array([[True, True, False], [False, True, False]])
_column = np.array([True, False])
BOOLEANS: dict[str, list[Call]] = {
    **{name: [((_true, _other), ())] for name in ("add", "maximum", "multiply", "minimum")},
    **{name: [((_true, _other), ())] for name in ("less", "less_equal", "greater", "greater_equal")},
    **{name: [((_true,), ())] for name in ("abs", "conj", "floor", "ceil", "trunc", "round")},
    **{
        name: [((_true,), (axes, keepdims)) for axes, keepdims in (((1,), False), ((0,), True), ((0, 1), False))]
        for name in ("sum", "max", "prod", "min")
    },
    **{
        name: [((_true,), (axis,)) for axis in (0, 1)]
        for name in ("cumulative_sum", "cumulative_prod", "cumulative_max", "cumulative_min")
    },
    "clip": [((_true, low, high), ()) for low, high in ((_other, _true), (_true, _other))],
    "matmul": [((_true, _other.T), ())],
    "embedding_back": [((_true, np.array([2, 2])), (4,))],
}
TABLES = {
    "elementwise": ELEMENTWISE, "sequences": SEQUENCES, "layers": LAYERS, "windows": WINDOWS, "booleans": BOOLEANS,
}  # fmt: skip


def _of(ug: Any, name: str, booleans: bool) -> Callable[..., Any]:
    backend = ug.asarray(0.0).backend
    own = backend.function(name)
    if isinstance(backend, Oracle):
        return own
    composition = backend.of_booleans(name) if booleans else backend.composed(name)

    def call(*args: Any) -> Any:
        try:
            return composition(*args)
        except ug.UnsupportedError:
            return own(*args)  # of more axes than MXNet permutes

    return call


def _program(chapter: str, quick: bool) -> Callable[..., Results]:
    def run(ug: Any) -> Results:
        found = {}
        for name, calls in TABLES[chapter].items():
            if quick and name == "convolve":  # of many small steps, each of which JAX compiles
                continue
            function = _of(ug, name, chapter == "booleans")
            for number, (arrays, statics) in enumerate(calls[: 1 if quick else None], 1):
                raws = [ug.asarray(x).raw for x in arrays]
                given = (raws,) if PRIMITIVES[name].variadic else raws
                found[f"{name} {number}"] = ug.asarray(function(*given, *statics))
        return found

    return run


COMPOSITIONS = [
    Case(
        f"compositions.{chapter}",
        "compositions",
        f"compositions.{chapter}",
        _program(chapter, False),
        f"what primitives are made of, where an adapter has none: {', '.join(table)}",
        limit=_LIMIT,
        quick=_program(chapter, True),
        quick_without=("* [2-9]", "convolve*"),
    )
    for chapter, table in TABLES.items()
]
