"""Numerical derivatives: the slopes of a function of real numbers, from its values at many points.

A derivative is the limit of difference quotients at halved steps, by Ridders' method: a Richardson tableau, of
which the entry is taken that differs least from its neighbours, and this difference is its error.
C. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4 (1982) 75-76;
W. Press et al., "Numerical Recipes", 3rd edition, section 5.7. Rounding is added to the error. Beside
the central quotients, the quotients of each side have limits of their own, which tell a kink.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from math import frexp, log2
from typing import NamedTuple

import numpy as np

from unigrad.base.dtypes import limits
from unigrad.checking.coordinates import Coordinates, Function, Mix, Vector, combined, numbers
from unigrad.tensor.tensor import Tensor

# A numerical derivative is not asked for more digits than this, which lets most functions do with few steps.
_DIGITS = 1e-10
_COLUMNS = 6
# What a function raises beside the points where it is defined: LinAlgError and ArgumentError are ValueErrors.
_UNDEFINED = (ArithmeticError, ValueError)


class _Limit:
    """The limit of quotients at halved steps, with its error, element by element.

    ``ratio`` is how much each further term of the error shrinks as the step is halved: 4 for central quotients,
    2 for those of one side. ``size`` is what the limit may be expected to be: no digits are asked for far below.
    """

    def __init__(self, ratio: float, size: Vector) -> None:
        self._ratio = ratio
        self._size = size
        self._row: list[Vector] = []
        self.value = np.full(size.shape, np.nan)
        self.error = np.full(size.shape, np.inf)

    def add(self, quotient: Vector, noise: Vector) -> None:
        """The quotients at half the step of those before, and what rounding may have made of them."""
        row, shrunk = [quotient], 1.0
        for older in self._row[:_COLUMNS]:
            shrunk *= self._ratio
            newer = row[-1] + (row[-1] - older) / (shrunk - 1)
            error = np.maximum(np.abs(newer - row[-1]), np.abs(newer - older)) + noise + self._digits(newer)
            better = error <= self.error
            self.value, self.error = np.where(better, newer, self.value), np.where(better, error, self.error)
            row.append(newer)
        self._row = row

    def settled(self, noise: Vector) -> bool:
        """Whether smaller steps gain nothing: the digits asked for are there, or noise is what is left."""
        return bool(np.all(self.error <= 2 * np.maximum(self._digits(self.value), noise)))

    def _digits(self, value: Vector) -> Vector:
        """The smallest error that is asked for."""
        return _DIGITS * np.fmax(np.abs(value), self._size)


class Slopes(NamedTuple):
    """Numerical derivatives of all outputs in one direction."""

    value: Vector
    error: Vector
    left: Vector
    left_error: Vector
    right: Vector
    right_error: Vector
    size: Vector
    """What a derivative may be expected to be, from the sizes of inputs and outputs and how far these go."""

    def along(self, mixes: Sequence[Mix]) -> Slopes:
        """Those of combinations of the outputs."""
        signed = {"value", "left", "right"}
        found = [combined(mixes, each, name in signed) for name, each in zip(self._fields, self, strict=True)]
        return Slopes(*found)


class Numerical:
    """A function evaluated in float64, or in its own dtype if it does not take that."""

    def __init__(self, function: Function) -> None:
        self._call = function.call
        own = function.inputs
        wide = [x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in own.arrays]
        self.inputs = Coordinates(own.names, wide)
        self.widened = any(x.dtype != w.dtype for x, w in zip(own.arrays, wide, strict=True))
        self.where = "numerical derivatives in float64"
        try:
            outputs = self._outputs(own.values)
        except Exception as error:  # of any kind, since it comes from the user's function or a framework
            if not self.widened:
                raise
            self.inputs, self.widened = own, False
            dtypes = " and ".join(sorted({str(x.dtype) for x in own.arrays}))
            self.where = f"numerical derivatives in {dtypes}, since float64 gave {type(error).__name__}: {error}"
            outputs = self._outputs(own.values)
        results = Coordinates(function.outputs, outputs)
        self._value = results.values
        self._eps = results.each([limits(x.dtype).eps for x in outputs])
        # An element may be what is left when larger ones cancel, so the size of its array counts.
        self._size = results.each(results.largest(results.values))
        self._input_eps = max(float(limits(x.dtype).eps) for x in self.inputs.arrays)
        self._bits = -log2(self._input_eps)

    def _outputs(self, at: Vector) -> list[Tensor]:
        return self._call(*self.inputs.tensors(at))

    def _moved(self, at: Vector) -> Vector:
        """The outputs elsewhere, NaN where they are not defined."""
        with suppress(*_UNDEFINED):
            found = numbers(self._outputs(at))
            if found.size == self._value.size:
                return found
        return np.full(self._value.size, np.nan)

    def slopes(self, direction: Mix, fine: bool = False) -> Slopes:
        """The derivative in a direction. ``fine`` begins at smaller steps, and is less exact where both serve."""
        at, move = self.inputs.values, direction.dense(self.inputs.size)
        size = float(np.median(np.abs(at[direction.chosen])))
        scale = (size or 1.0) if fine else max(size, 1.0)
        step = 2.0 ** (frexp(scale)[1] - (int(0.2 * self._bits) if fine else 4))
        expected = self._size / max(size, 1.0)
        both, left, right = (_Limit(ratio, expected) for ratio in (4.0, 2.0, 2.0))
        for level in range(int((0.45 if fine else 0.6) * self._bits)):
            up, down = self._moved(at + step * move), self._moved(at - step * move)
            largest = np.fmax(np.fmax(np.abs(up), np.abs(down)), self._size)
            central, ahead, behind = (up - down) / (2 * step), (up - self._value) / step, (self._value - down) / step
            slope = np.fmax(np.abs(ahead), np.abs(behind))
            noise = (self._eps * largest + self._input_eps * size * slope) / step
            both.add(central, noise)
            left.add(behind, 2 * noise)
            right.add(ahead, 2 * noise)
            if level == 0:
                expected = np.fmax(expected, slope)
            if level >= 4 and both.settled(noise):
                break
            step /= 2
        value, error = both.value, both.error
        # At the edge of where a function is defined there is one side, and seldom a power series for the tableau.
        one_sided = ~np.isfinite(error)
        for side in (left, right):
            better = one_sided & (10 * side.error < error)
            value, error = np.where(better, side.value, value), np.where(better, 10 * side.error, error)
        return Slopes(value, error, left.value, left.error, right.value, right.error, expected)


class Directional:
    """The numerical derivatives in one direction, each computed when it is first needed."""

    def __init__(self, numerical: Numerical, direction: Mix) -> None:
        self._numerical = numerical
        self.direction = direction

    @cached_property
    def coarse(self) -> Slopes:
        """What most functions are judged by."""
        return self._numerical.slopes(self.direction)

    @cached_property
    def fine(self) -> Slopes:
        """From smaller steps, where there is doubt."""
        return self._numerical.slopes(self.direction, fine=True)
