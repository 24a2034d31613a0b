"""What primitives are of booleans, made of others: for frameworks that refuse booleans, or some of them.

Where a framework raises, and its arrays are booleans, these answer as NumPy does: a sum is "or", a product "and", and
False comes before True. What NumPy itself refuses, or answers in integers, the table does not take
(:data:`unigrad.table.TAKEN`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.base.dtypes import bool_, int32
from unigrad.operations.contractions import einsum_, matmul
from unigrad.operations.elementwise import (
    abs,
    add,
    ceil,
    clip_,
    conj,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    multiply,
    round_,
    trunc,
)
from unigrad.operations.indexing import scatter_, scatter_along_axis_
from unigrad.operations.layers import embedding_back_
from unigrad.operations.reductions import (
    argmax_,
    argmin_,
    cumulative_prod_,
    cumulative_sum_,
    max_,
    min_,
    prod_,
    sum_,
)
from unigrad.operations.searching import searchsorted_
from unigrad.operations.sequences import cumulative_max_, cumulative_min_
from unigrad.table import of_booleans, row_of

MADE: tuple[tuple[tuple[Callable[..., Any], ...], Callable[..., Any]], ...] = (
    ((add, maximum), lambda xp, x1, x2: xp.logical_or(x1, x2)),
    ((multiply, minimum), lambda xp, x1, x2: xp.logical_and(x1, x2)),
    ((abs, conj, floor, ceil, round_, trunc), lambda xp, x: xp.logical_or(x, x)),
    ((sum_, max_), lambda xp, x, axes, keepdims: xp.any(x, axes, keepdims)),
    ((prod_, min_), lambda xp, x, axes, keepdims: xp.all(x, axes, keepdims)),
    ((clip_,), lambda xp, x, low, high: xp.logical_and(xp.logical_or(x, low), high)),
    ((less,), lambda xp, x1, x2: xp.logical_and(xp.logical_not(x1), x2)),
    ((less_equal,), lambda xp, x1, x2: xp.logical_or(xp.logical_not(x1), x2)),
    ((greater,), lambda xp, x1, x2: xp.logical_and(x1, xp.logical_not(x2))),
    ((greater_equal,), lambda xp, x1, x2: xp.logical_or(x1, xp.logical_not(x2))),
)
"""By logic."""
AS_INTEGERS: tuple[Callable[..., Any], ...] = (
    matmul, einsum_, cumulative_sum_, cumulative_prod_, cumulative_max_, cumulative_min_, scatter_,
)  # fmt: skip
"""As 0 and 1, and what is not 0 is true."""
COUNTED: tuple[Callable[..., Any], ...] = (argmax_, argmin_, searchsorted_)
"""As 0 and 1, with positions as the answer."""


def _as_integers(function: Callable[..., Any], counts: bool) -> Callable[..., Any]:
    """The primitive of 0 and 1, which answers in booleans again unless it ``counts``."""
    row = row_of[function]
    number = 1 if row.variadic else len(row.arrays)

    def composition(xp: Any, *args: Any) -> Any:
        integers = [_integers(xp, arg) for arg in args[:number]]
        found = getattr(xp, row.name)(*integers, *args[number:])
        return found if counts else xp.astype(found, bool_)

    return composition


def _integers(xp: Any, given: Any) -> Any:
    return [xp.astype(x, int32) for x in given] if isinstance(given, list) else xp.astype(given, int32)


def _scatter_along_axis(xp: Any, x: Any, indices: Any, axis: int, shape: Any) -> Any:
    return xp.astype(xp.scatter_along_axis(xp.astype(x, int32), indices, axis, shape), bool_)


def _embedding_back(xp: Any, change: Any, indices: Any, rows: int) -> Any:
    return xp.astype(xp.embedding_back(xp.astype(change, int32), indices, rows), bool_)


for _functions, _composition in MADE:
    for _function in _functions:
        of_booleans(_function, _composition)
for _function in AS_INTEGERS:
    of_booleans(_function, _as_integers(_function, counts=False))
for _function in COUNTED:
    of_booleans(_function, _as_integers(_function, counts=True))
of_booleans(scatter_along_axis_, _scatter_along_axis)
of_booleans(embedding_back_, _embedding_back)
