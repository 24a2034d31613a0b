"""Special functions over an array module that follows NumPy."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base.words import Raw
from unigrad.native.bfloat16 import held

# Quotients of polynomials that meet a function in Chebyshev points of its interval, so many as there are
# coefficients less one: of highest powers first. Computed in 60 digits; the errors are below 2e-18.
# log(gamma(2 + z)) / z, for z from -1/2 to 1/2:
_NEAR = (
    (6.592004121668464e-05, 1.4166305007605586e-05),
    (0.0034112224337486457, 0.0012537756994497478),
    (0.04785238906134353, 0.02608891595046021),
    (0.2781842697268787, 0.21514529191316645),
    (0.7588996356750448, 0.8258083331269758),
    (0.9480067876881235, 1.4795717398524737),
    (0.42278433509846713, 1.0),
)
# x / 2 (log(gamma(x)) - (x - 1/2) log(x) + x - log(2 pi) / 2) of 1 / x ** 2, for x from 5/2 on:
_FAR = (
    (0.03942848105311411, 1.3339567001651047),
    (0.8316192836673842, 21.563793929274176),
    (2.410168347009209, 59.31746955138462),
    (1.9681509134057638, 47.653693374971546),
    (0.5331051895037234, 12.827857881422537),
    (0.041666666666666664, 1.0),
)
_QUARTER_LOG_OF_TAU_LESS_QUARTER = 0.20946926660233636
# log(2) in two parts, of which the first has few digits: its product with an exponent is exact.
_LOG_2 = 0.6931471803691238
_LOG_2_REST = 1.9082149292705877e-10


def _quotient(x: Raw, coefficients: Sequence[tuple[float, float]]) -> Raw:
    """One polynomial over another."""
    above, below = (x * first for first in coefficients[0])
    for over, under in coefficients[1:-1]:
        above += over
        above *= x
        below += under
        below *= x
    above += coefficients[-1][0]
    below += coefficients[-1][1]
    return above / below


def log_gamma(xp: Any) -> Callable[[Raw], Raw]:
    """The primitive ``gammaln`` over the arrays of the module ``xp``, computed in float64: within 2 ULP, or 2 ULP
    of 1 where less than 1 is due.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1: reflection (6.1.17) for negative numbers,
    recurrence (6.1.15) from 0 to 1.5, and Stirling's formula (6.1.40) from 2.5 on, its series as a quotient.
    """

    def gammaln(x: Raw) -> Raw:
        exact = x.astype("float64")
        exact = xp.where(xp.isinf(exact), 0.0, exact)  # infinite there as well
        fraction = exact - xp.rint(exact)
        whole = fraction == 0
        negative = exact <= 0
        y = xp.where(negative, 1.0 - exact, exact)
        close = y < 2.5
        value = xp.where(close, near(xp.where(close, y, 2.0)), far(xp.where(close, 3.0, y)))
        sine = xp.where(whole, 1.0, xp.abs(xp.sin(fraction * math.pi)))
        value = xp.where(negative, math.log(math.pi) - xp.log(sine) - value, value)
        return held(xp.where(negative & whole, math.inf, value).astype(x.dtype))

    def near(x: Raw) -> Raw:
        steps = xp.rint(x)
        z = x - steps
        factors = xp.where(steps == 0, (x + 1.0) * x, xp.where(steps == 1, x, 1.0))
        return z * _quotient(z, _NEAR) - xp.log(factors)

    def far(x: Raw) -> Raw:
        # The logarithm as that of a number from 0.7 to 1.4 and an exponent's: the error of the whole would count
        # x times. All is halved, so that nothing overflows before the result.
        exponent = xp.frexp(x * math.sqrt(0.5))[1]
        log = xp.log(xp.ldexp(x, -exponent)) + exponent * _LOG_2_REST
        inverse = 1.0 / x
        rest = _quotient(inverse * inverse, _FAR) * inverse + _QUARTER_LOG_OF_TAU_LESS_QUARTER
        half = x * 0.5 - 0.25
        found = half * (exponent * _LOG_2 - 1.0) + (half * log + rest)
        found += found
        return found

    return gammaln


_REACH = 6
"""From where on erf is 1."""
_BLOCK = 1 << 14
"""So many elements at once, whose temporaries stay in the processor's cache."""


@functools.cache
def _series(xp: Any, dtype: str, nodes: int, order: int) -> list[Raw]:
    """The coefficients of erf's Taylor series about each of so many points per unit, the constants first: those of the
    derivative are Hermite's polynomials (Abramowitz and Stegun 7.1.19)."""
    points = xp.arange(-_REACH * nodes, _REACH * nodes + 1) / nodes
    slope = xp.exp(-points * points) * (2 / math.sqrt(math.pi))
    before, hermite = 0.0 * points, 0.0 * points + 1.0
    # The 0 is that to which either zero can be added and stays.
    columns = [xp.asarray([math.erf(point) or -0.0 for point in points.tolist()])]
    for number in range(order):
        columns.append(hermite * slope * ((-1) ** number / math.factorial(number + 1)))
        before, hermite = hermite, 2.0 * points * hermite - 2.0 * number * before
    return [column.astype(dtype) for column in columns]


def in_blocks(function: Callable[[Raw], Raw], xp: Any, x: Raw) -> Raw:
    """A function of one element each, of so many at once that its temporaries stay in the processor's cache."""
    flat = x.reshape(-1)  # of no axes NumPy's functions make scalars, which nothing is written into
    if x.size <= _BLOCK:
        return function(flat).reshape(x.shape)
    found = xp.empty_like(flat)
    for start in range(0, x.size, _BLOCK):
        found[start : start + _BLOCK] = function(flat[start : start + _BLOCK])
    return found.reshape(x.shape)


def error_function(xp: Any) -> Callable[[Raw], Raw]:
    """The primitive ``erf`` over the arrays of the module ``xp``: within 1 ULP.

    By its Taylor series about the nearest point of a grid, on which the C library's values are kept. The grids are so
    fine that what is left out is below 1e-9, and 1e-17 in float64.
    """

    def erf(x: Raw) -> Raw:
        return in_blocks(near, xp, x)

    def near(x: Raw) -> Raw:
        wide = x.dtype == "float64"
        nodes = 256 if wide else 64
        columns = _series(xp, "float64" if wide else "float32", nodes, 5 if wide else 1)
        shift = xp.minimum(x.astype(columns[0].dtype, copy=False), _REACH)
        xp.maximum(shift, -_REACH, out=shift)
        points = shift * nodes
        xp.rint(points, out=points)
        # NaN has no place; it stays in the shift.
        with np.errstate(invalid="ignore"):
            places = points.astype("int64")
        places += _REACH * nodes
        points *= 1 / nodes
        points += 0.0  # of either zero that from which -0 is still told
        shift -= points
        found = (of_columns if wide else of_slopes)(columns, places, points, shift)
        return held(found.astype(x.dtype, copy=False))

    def of_columns(columns: list[Raw], places: Raw, points: Raw, shift: Raw) -> Raw:
        found = columns[-1].take(places, mode="clip")
        for column in reversed(columns[:-1]):
            found *= shift
            found += column.take(places, mode="clip")
        return found

    def of_slopes(columns: list[Raw], places: Raw, points: Raw, shift: Raw) -> Raw:
        """The terms of second and third order by those of first, since to look up takes as long as four products."""
        step = columns[1].take(places, mode="clip")
        step *= shift
        rest = points * points
        rest *= 2 / 3
        rest -= 1 / 3
        rest *= shift
        rest -= points
        rest *= shift
        rest += 1
        step *= rest
        step += columns[0].take(places, mode="clip")
        return step

    return erf
