"""check_gradients: are the gradients right? Both modes held against numerical derivatives.

Here is what is compared: which directions and which outputs, in which modes and orders, and how a wrong combination
leads to a wrong element. How arrays are seen as real numbers is in ``coordinates``, what the numerical derivatives
are in ``numerical``, and what is still right in ``verdicts``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from unigrad.base.dtypes import limits
from unigrad.base.errors import ArgumentError, GradientError, UnsupportedError
from unigrad.base.recording import Switch
from unigrad.checking.coordinates import Coordinates, Function, Mix, Vector, combined, numbers, of_floating_leaves
from unigrad.checking.numerical import Directional, Numerical
from unigrad.checking.verdicts import RIGHT, WRONG, Disagreement, Judge, Seen, complaint
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.forward import jvp
from unigrad.transforms.reverse import vjp

_MODES = ("reverse", "forward")
# Up to so many coordinates each one is checked by itself, beyond them combinations.
_FULL = 400
_PROBES = 4


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = _MODES,
    limit: float = 512.0,
    kinks: str = "error",
) -> None:
    """Hold the derivatives of ``f`` at ``args`` against numerical ones; GradientError says what is wrong.

    ``f`` takes arrays of any backend, Python floats, or containers of them, and returns an array or a container of
    arrays. It always sees Tensors, fresh ones at each of many calls. Integers, booleans and what is no array are
    given to it as they are and not differentiated; results of such dtypes are left out.

    Reverse mode (``ug.vjp``) and forward mode (``ug.jvp``), or those of ``modes``, are run in the dtype of the
    arguments. The numerical derivative is computed in float64 if ``f`` takes it, else in their own dtype.
    An element agrees if it is within the estimated error of the numerical derivative and ``limit`` units in the last
    place (ULP) of the largest element of its array; up to ten times the estimate counts, which may be too small by
    chance, if that is within a millionth. ``order=2`` also checks the derivatives of the derivatives, found
    in each of the modes, and so on.

    The error lists the worst elements: which argument and leaf (``args[0]['w'][2, 3]``), which output, both values,
    their distance, and a verdict: ``wrong``; ``kink`` if the slopes from the left and from the right differ;
    ``not finite``; ``no derivative`` if there is no numerical one. It has all of them in
    ``error.disagreements``. A kink is an error also where the gradient is one of the slopes between, since no
    derivative is right there; ``kinks="accept"`` accepts what is between.

    Each element is checked if there are at most 400 (a complex one counts as two). Of more inputs, and in reverse
    mode of more outputs, four random combinations are checked, which finds what is not small beside the whole;
    then bisection leads to one wrong element for each mode.

    Raises ArgumentError if there is nothing to differentiate or an option is unknown; what ``f`` raises is passed on.
    """
    if not callable(f):
        raise ArgumentError(f"check_gradients takes a function first, and not {type(f).__name__}")
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"order={order!r} must be 1, 2, ...")
    if not isinstance(modes, (tuple, list)) or not modes or not set(modes) <= set(_MODES):
        raise ArgumentError(f"modes={modes!r} must be one or both of {_MODES}, in a tuple")
    if kinks not in ("error", "accept"):
        raise ArgumentError(f"kinks={kinks!r} is unknown; use 'error' or 'accept'")
    # A point where f has no value is an answer here.
    with Switch(False, False), np.errstate(all="ignore"):
        found, where = _check(of_floating_leaves(f, args), order, modes, Judge(limit, kinks == "accept"))
    if found:
        raise complaint(found, where)


def _check(function: Function, order: int, modes: Sequence[str], judge: Judge) -> tuple[list[Disagreement], str]:
    """What is wrong, and how it was found out. Derivatives of a wrong derivative are not looked at."""
    check = _Check(function, judge)
    found = check.run(modes)
    for mode in modes if order > 1 and not found else ():
        found, where = _check(_derivative(function, mode), order - 1, modes, judge)
        if found:
            return found, where
    return found, check.where


def _derivative(function: Function, mode: str) -> Function:
    """The derivative for fixed cotangents or tangents, as a function of the same inputs."""

    def pulled(*inputs: Tensor) -> list[Tensor]:
        outputs, pull = vjp(function.call, *inputs)
        return list(pull(_weights(outputs)))

    def pushed(*inputs: Tensor) -> list[Tensor]:
        _, tangents = jvp(function.call, inputs, _weights(inputs))
        return tangents

    if mode == "reverse":
        return replace(function, call=pulled, outputs=[f"the gradient by {name}" for name in function.inputs.names])
    return replace(function, call=pushed, outputs=[f"the tangent of {name}" for name in function.outputs])


def _weights(likes: Sequence[Tensor]) -> list[Tensor]:
    """Always the same numbers, none of them small, in the shapes and dtypes of ``likes``."""
    rng, found = np.random.default_rng(0), []
    for like in likes:
        values = rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape)
        found.append(like.asarray_like(values * (1 + 0.5j) if like.dtype.kind == "c" else values))
    return found


def _probes(size: int, rng: np.random.Generator) -> list[Mix]:
    """Each coordinate alone, or if they are many, random combinations of all."""
    if size <= _FULL:
        return _alone(size)
    return [Mix(np.arange(size), rng.choice([-1.0, 1.0], size)) for _ in range(_PROBES)]


def _alone(size: int) -> list[Mix]:
    return [Mix.alone(number) for number in range(size)]


class _Derivatives:
    """What reverse and forward mode say of a function, in one dtype."""

    def __init__(self, function: Function, inputs: Coordinates) -> None:
        self._call = function.call
        self.inputs = inputs
        outputs, self._pull = vjp(self._call, *inputs.tensors(inputs.values))
        self.outputs = Coordinates(function.outputs, outputs)
        self._rows: dict[Mix, tuple[Vector, Vector]] = {}

    def row(self, mix: Mix) -> tuple[Vector, Vector]:
        """The gradient of a combination of outputs, and the unit for each element."""
        found = self._rows.get(mix)
        if found is None:
            row = numbers(self._pull(self.outputs.tensors(mix.dense(self.outputs.size))))
            found = row, self.inputs.units(row)
            if len(self._rows) < _FULL:
                self._rows[mix] = found
        return found

    def column(self, direction: Mix) -> tuple[Vector, Vector]:
        """The tangents of all outputs, and the unit for each."""
        primals, tangents = self.inputs.values, direction.dense(self.inputs.size)
        try:
            _, pushed = jvp(self._call, self.inputs.tensors(primals), self.inputs.tensors(tangents))
        except UnsupportedError as error:
            raise UnsupportedError(f"{error} (to check reverse mode alone: modes=('reverse',))") from error
        column = numbers(pushed)
        return column, self.outputs.units(column)

    def along(self, mode: str, direction: Mix, mixes: Sequence[Mix]) -> tuple[Vector, Vector]:
        """The derivatives of these combinations of outputs in one direction, and the unit for each."""
        if mode == "forward":
            column, units = self.column(direction)
            return combined(mixes, column), combined(mixes, units, signed=False)
        rows, row_units = (np.array(found) for found in zip(*map(self.row, mixes), strict=True))
        # The errors of many elements add up as random ones do.
        return (
            rows[:, direction.chosen] @ direction.weights,
            np.linalg.norm(row_units[:, direction.chosen] * direction.weights, axis=1),
        )


class _Check:
    """One function at one point."""

    def __init__(self, function: Function, judge: Judge) -> None:
        self._function = function
        self._judge = judge
        self._own = _Derivatives(function, function.inputs)
        self._refuse_random()
        self._numerical = Numerical(function)
        self.where = self._numerical.where
        rng = np.random.default_rng(0)
        self._directions = _probes(function.inputs.size, rng)
        self._results = _alone(self._own.outputs.size)
        self._cotangents = _probes(self._own.outputs.size, rng)

    def _refuse_random(self) -> None:
        """GradientError if two calls of the function give different values."""
        inputs, outputs = self._own.inputs, self._own.outputs
        first, second = outputs.values, numbers(self._function.call(*inputs.tensors(inputs.values)))
        differ = ~(np.abs(first - second) <= self._judge.limit * outputs.units(first))
        differ &= ~((first == second) | (np.isnan(first) & np.isnan(second)))
        if differ.any():
            worst = int(np.argmax(differ))
            raise GradientError(
                f"the function is not deterministic: two calls at the same point gave {first[worst]:.10g} and "
                f"{second[worst]:.10g} for {outputs.name(worst)}, so it has no numerical derivative; "
                f"draw random numbers outside of it, or from a seed"
            )

    def run(self, modes: Sequence[str]) -> list[Disagreement]:
        """What is wrong: all elements that were looked at alone, and one for each mode that combinations lead to."""
        alone: list[Disagreement] = []
        narrowed: dict[str, Disagreement] = {}
        for direction in self._directions if self._results else ():
            slopes = Directional(self._numerical, direction)
            for mode in modes:
                mixes = self._cotangents if mode == "reverse" else self._results  # forward mode gives all at once
                seen = self._look(mode, slopes, mixes)
                wrong = np.flatnonzero(seen.bad != RIGHT).tolist()
                if len(wrong) and len(direction.chosen) == len(mixes[0].chosen) == 1:
                    alone += [self._described(mode, direction, mixes[number], seen, number) for number in wrong]
                elif len(wrong) and mode not in narrowed:
                    narrowed[mode] = self._narrowed(mode, slopes, mixes[int(np.argmax(seen.how_bad))])
        return [*alone, *narrowed.values()]

    def _look(self, mode: str, slopes: Directional, mixes: Sequence[Mix]) -> Seen:
        """Compare the derivatives of these combinations of outputs in one direction."""
        ours, unit = self._own.along(mode, slopes.direction, mixes)
        seen = self._judge.settle(ours, unit, slopes.coarse.along(mixes), lambda: slopes.fine.along(mixes))
        if self._numerical.widened and (seen.bad == WRONG).any():
            # Where terms cancel, little but their rounding is left. A rule that is right in float64 is not wrong.
            wide, wide_unit = self._wide.along(mode, slopes.direction, mixes)
            right = self._judge.verdicts(wide, wide_unit, seen.slopes)[0] == RIGHT
            eps = max(float(limits(x.dtype).eps) for x in (*self._own.inputs.arrays, *self._own.outputs.arrays))
            close = np.abs(ours - wide) <= self._judge.limit * eps * seen.slopes.size
            rounding = (seen.bad == WRONG) & right & close
            seen = seen._replace(bad=np.where(rounding, RIGHT, seen.bad), how_bad=np.where(rounding, 0.0, seen.how_bad))
        return seen

    @cached_property
    def _wide(self) -> _Derivatives:
        return _Derivatives(self._function, self._numerical.inputs)

    def _narrowed(self, mode: str, slopes: Directional, mix: Mix) -> Disagreement:
        """The wrong element that bisection leads to, first of the inputs and then of the outputs."""
        seen = self._look(mode, slopes, [mix])
        while True:
            halves = [(Directional(self._numerical, half), mix) for half in slopes.direction.halves()]
            halves = halves or [(slopes, half) for half in mix.halves()]
            looks = [(self._look(mode, part, [results]), part, results) for part, results in halves]
            worst = max(looks, key=lambda look: look[0].how_bad[0], default=None)
            if worst is None or worst[0].bad[0] == RIGHT:
                return self._described(mode, slopes.direction, mix, seen, 0)
            seen, slopes, mix = worst

    def _described(self, mode: str, direction: Mix, mix: Mix, seen: Seen, number: int) -> Disagreement:
        inputs, outputs = self._own.inputs, self._own.outputs
        dtype = inputs.dtype(direction.chosen[0]) if mode == "reverse" else outputs.dtype(mix.chosen[0])
        return seen.disagreement(number, direction.name(inputs), mix.name(outputs), mode, dtype)
