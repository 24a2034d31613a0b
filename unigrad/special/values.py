"""What the series, continued fractions and quadratures of this room are written in.

Each is a composition (``unigrad.table.composed``) of other primitives' raw functions, elementwise and without a look
at the values, so that it runs on every backend, also while a framework traces or maps. It is computed in float64,
whatever the dtype, and rounded once. Its derivative is the primitive's rule, never that of the formula: such a
primitive is declared ``ruled``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.words import Raw
from unigrad.table import composed

Number = Any
"""Values, or a Python float."""


LARGEST = 1.7e308
"""What is larger is infinite. Not every framework compares with infinity."""


class Values:
    """A float64 array of some backend, or a truth array, with the operators that long formulas need."""

    __slots__ = ("raw", "xp")

    def __init__(self, xp: Any, raw: Raw) -> None:
        self.xp = xp
        self.raw = raw

    def _call(self, name: str, *operands: Any) -> Values:
        raws = [operand.raw if isinstance(operand, Values) else operand for operand in operands]
        return Values(self.xp, getattr(self.xp, name)(*raws))

    def __add__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.add(self.raw, other.raw if isinstance(other, Values) else other))

    def __radd__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.add(self.raw, other.raw if isinstance(other, Values) else other))

    def __sub__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.subtract(self.raw, other.raw if isinstance(other, Values) else other))

    def __rsub__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.subtract(other, self.raw))

    def __mul__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.multiply(self.raw, other.raw if isinstance(other, Values) else other))

    def __rmul__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.multiply(self.raw, other.raw if isinstance(other, Values) else other))

    def __truediv__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.divide(self.raw, other.raw if isinstance(other, Values) else other))

    def __rtruediv__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.divide(other, self.raw))

    def __pow__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.power(self.raw, other.raw if isinstance(other, Values) else other))

    def __neg__(self) -> Values:
        return Values(self.xp, self.xp.negative(self.raw))

    def __abs__(self) -> Values:
        return Values(self.xp, self.xp.abs(self.raw))

    def __lt__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.less(self.raw, other.raw if isinstance(other, Values) else other))

    def __le__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.less_equal(self.raw, other.raw if isinstance(other, Values) else other))

    def __gt__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.greater(self.raw, other.raw if isinstance(other, Values) else other))

    def __ge__(self, other: Number) -> Values:
        return Values(self.xp, self.xp.greater_equal(self.raw, other.raw if isinstance(other, Values) else other))

    def __and__(self, other: Values) -> Values:
        return Values(self.xp, self.xp.logical_and(self.raw, other.raw))

    def __or__(self, other: Values) -> Values:
        return Values(self.xp, self.xp.logical_or(self.raw, other.raw))

    def __xor__(self, other: Values) -> Values:
        return Values(self.xp, self.xp.logical_xor(self.raw, other.raw))

    def equals(self, other: Number) -> Values:
        """Whether the two are equal."""
        return self._call("equal", self, other)


def _function(name: str) -> Callable[..., Values]:
    def call(x: Values, *others: Number) -> Values:
        return x._call(name, x, *others)

    return call


exp, log, log1p, expm1 = map(_function, ("exp", "log", "log1p", "expm1"))
sqrt, sin, cos, floor, rounded = map(_function, ("sqrt", "sin", "cos", "floor", "round"))
gaussian, gammaln, polygamma = map(_function, ("gaussian", "gammaln", "polygamma"))
complementary, scaled_erfc = map(_function, ("erfc", "scaled_erfc"))


def where(condition: Values, x1: Number, x2: Number) -> Values:
    """x1 where the condition holds, else x2, at most one of them a Python number."""
    return condition._call("where", condition, x1, x2)


def within(x: Values, low: Number, high: Number) -> Values:
    """x, where it lies outside replaced by the nearer end; NaN becomes ``low``."""
    return where(x < high, where(x > low, x, low), high)


Rows = Sequence[Sequence[float]]


def scan(
    rows: Rows, step: Callable[..., tuple[Values, ...]], *state: Values, until: bool = False
) -> tuple[Values, ...]:
    """The state after ``state = step(row, *state)`` for every row of numbers, in turn; ``until``: or as soon as the
    last of the state holds no 0."""
    xp = state[0].xp

    def of_raws(row: Sequence[Any], *raws: Raw) -> tuple[Raw, ...]:
        return tuple([value.raw for value in step(row, *[Values(xp, raw) for raw in raws])])

    return tuple([Values(xp, raw) for raw in xp.iterate(rows, of_raws, tuple([value.raw for value in state]), until)])


def _along(rows: Rows, arrays: Sequence[Values]) -> tuple[Values, ...]:
    """The columns of numbers along one more axis, and the arrays with that axis."""
    xp, like = arrays[0].xp, arrays[0].raw
    columns = [Values(xp, xp.constant(np.array(column), like)) for column in zip(*rows, strict=True)]
    return (*columns, *[Values(xp, xp.reshape(array.raw, (*array.raw.shape, 1))) for array in arrays])


def quadrature(rows: Rows, integrand: Callable[..., Values], *arrays: Values) -> Values:
    """The sum of ``integrand(point, *arrays) * weight`` over the points and weights, which lie along one more axis."""
    points, weights, *others = _along(rows, arrays)
    terms = integrand(points, *others) * weights
    # Where the integrand has fallen to 0 an overflowing factor makes NaN of it.
    terms = where(abs(terms) <= LARGEST, terms, 0.0)
    return Values(terms.xp, terms.xp.sum(terms.raw, (len(arrays[0].raw.shape),), False))


def product(rows: Rows, factor: Callable[..., Values], *arrays: Values) -> Values:
    """The product of ``factor(number, *arrays)`` over the numbers, which lie along one more axis."""
    factors = factor(*_along(rows, arrays))
    return Values(factors.xp, factors.xp.prod(factors.raw, (len(arrays[0].raw.shape),), False))


def counted(first: int, stop: int) -> list[tuple[float, ...]]:
    """The whole numbers from ``first`` to before ``stop``, downwards if that is less, as rows of :func:`scan`."""
    return [(float(number),) for number in range(first, stop, 1 if stop > first else -1)]


def polynomial(x: Values, coefficients: Sequence[float]) -> Values:
    """The polynomial with these coefficients, the lowest power's first."""
    found = x * 0.0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        found = found * x + coefficient
    return found


def chebyshev(x: Values, coefficients: Sequence[float]) -> Values:
    """The sum of Chebyshev's polynomials with these coefficients, for x from -1 to 1 (C. W. Clenshaw, 1955)."""
    twice = x + x
    zero = x * 0.0
    first, second = scan(
        [(coefficient,) for coefficient in reversed(coefficients[1:])],
        lambda row, b1, b2: (twice * b1 - b2 + row[0], b1),
        zero,
        zero,
    )
    return x * first - second + coefficients[0]


def log1p_less(x: Values) -> Values:
    """log(1 + x) - x, without cancellation near 0: by the series of atanh (Abramowitz and Stegun 4.1.27)."""
    near = abs(x) < 0.4
    small = where(near, x, 0.0)
    ratio = small / (small + 2.0)
    squares = ratio * ratio
    series = polynomial(squares, [2 / (2 * power + 3) for power in range(16)])
    close = ratio * (squares * series - small)  # log(1 + x) = 2 atanh(r), of which 2 r - x = -r x
    far = where(near, 1.0, x)
    return where(near, close, log1p(far) - far)


@functools.cache
def half_line(step: float = 0.05, reach: float = 4.1) -> list[tuple[float, float]]:
    """Points and weights of a quadrature from 0 to infinity: the trapezoidal rule after the substitution
    exp(pi / 2 sinh(t)) (H. Takahasi and M. Mori, "Double exponential formulas for numerical integration", 1974)."""
    rows = []
    for number in range(round(-reach / step), round(reach / step) + 1):
        at = number * step
        point = math.exp(math.pi / 2 * math.sinh(at))
        rows.append((point, step * point * math.pi / 2 * math.cosh(at)))
    return [(point, weight) for point, weight in rows if 1e-30 < point < 1e4]


def in_double(function: Callable[..., Any], formula: Callable[..., Values]) -> None:
    """Give a primitive its composition: ``formula`` of float64 :class:`Values` of one shape and its static
    parameters. Where an input is NaN, so is the result."""

    @functools.wraps(formula)
    def composition(xp: Any, *args: Any) -> Raw:
        raws = [arg for arg in args if hasattr(arg, "shape")]
        statics = args[len(raws) :]
        dtype = xp.dtype(raws[0])
        shape = np.broadcast_shapes(*[tuple(raw.shape) for raw in raws])
        wide = []
        for raw in raws:
            raw = raw if dtype == dtypes.float64 else xp.astype(raw, dtypes.float64)
            wide.append(Values(xp, raw if tuple(raw.shape) == shape else xp.broadcast_to(raw, shape)))
        found = formula(*wide, *statics)
        for value in wide:
            found = where(value.equals(value), found, math.nan)
        return found.raw if dtype == dtypes.float64 else xp.astype(found.raw, dtype)

    composed(function, composition, ruled=True)
