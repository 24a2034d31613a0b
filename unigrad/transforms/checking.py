"""Are the gradients right? Both modes held against numerical derivatives.

A function of arrays is looked at as one of real numbers: each element of each floating leaf is a coordinate, and a
complex element two, its real and its imaginary part. In these coordinates the gradient of a complex array in the
conjugate form is an ordinary gradient.

The numerical derivative is the limit of difference quotients at halved steps, by Ridders' method: a Richardson
tableau, of which the entry is taken that differs least from its neighbours, and this difference is its error.
C. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4 (1982) 75-76;
W. Press et al., "Numerical Recipes", 3rd edition, section 5.7. Rounding is added to the error. Beside
the central quotients, the quotients of each side have limits of their own, which tell a kink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import frexp, log2, prod
from typing import Any, NamedTuple

import numpy as np

from unigrad.backend import backend_of
from unigrad.dtypes import DType, has_gradients, real_of
from unigrad.errors import ArgumentError, GradientError, UnsupportedError
from unigrad.operations.creation import asarray
from unigrad.recording import Scope
from unigrad.tensor import Tensor
from unigrad.transforms.forward import jvp
from unigrad.transforms.reverse import vjp
from unigrad.tree import flatten, paths, unflatten

Vector = np.ndarray[Any, Any]

FULL = 400
"""Up to so many coordinates each one is checked by itself, beyond them combinations."""
_PROBES = 4
_SHOWN = 5
_MODES = ("reverse", "forward")
# A numerical derivative is not asked for more digits than this, which lets most functions do with few steps.
_DIGITS = 1e-10
# One whose error is a larger part of what it may be expected to be says nothing.
_USELESS = 1e-3
_COLUMNS = 6
# What a function raises beside the points where it is defined: LinAlgError and ArgumentError are ValueErrors.
_UNDEFINED = (ArithmeticError, ValueError)


@dataclass(frozen=True)
class Disagreement:
    """One element of a derivative that is not what the numerical derivative says."""

    input: str
    """The input as a user writes it: ``args[0]['w'][2, 3]``; of a complex one, ``.real`` or ``.imag`` of it."""
    output: str
    """The output in the same manner."""
    mode: str
    """``"reverse"`` or ``"forward"``."""
    verdict: str
    """``"wrong"``, ``"kink"``, ``"not finite"`` or ``"no derivative"``."""
    ours: float
    numerical: float
    """The central derivative; of one side, where the function is defined on one side only."""
    error: float
    """The estimated error of ``numerical``."""
    left: float
    """The slope from the left, NaN if the function is not defined there."""
    right: float
    ulp: float
    """How far ``ours`` is from ``numerical``, in units in the last place of the larger one, in the dtype of ours."""
    relative: float
    """The same as a part of the larger one."""

    def __str__(self) -> str:
        return f"{self.input} -> {self.output}, {self.mode} mode: {self.text}"

    @property
    def text(self) -> str:
        """The verdict and its reasons."""
        here = f"the gradient here is {self.ours:.6g}"
        if self.verdict == "kink":
            return f"at a kink: left slope {self.left:.6g}, right slope {self.right:.6g}, {here}"
        if self.verdict == "no derivative":
            return f"no derivative: the function jumps, is not defined around, or its rounding hides it; {here}"
        if not np.isfinite(self.error):
            return f"{self.verdict}: {here}, and there is no numerical derivative"
        numerical = f"numerically {self.numerical:.10g} ± {self.error:.1g}"
        if np.isnan(self.left) != np.isnan(self.right):
            numerical += f" (from the {'left' if np.isnan(self.right) else 'right'}, the only side where it is defined)"
        if self.verdict == "not finite":
            return f"not finite: {here}, {numerical}"
        return f"wrong: {here}, {numerical}; {self.ulp:.3g} ULP apart, {self.relative:.1e} of the larger"


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
    place (ULP) of the largest element of its array. ``order=2`` also checks the derivatives of the derivatives, found
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
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"order={order!r} must be 1, 2, ...")
    if isinstance(modes, str) or not modes or not set(modes) <= set(_MODES):
        raise ArgumentError(f"modes={modes!r} must be one or both of {_MODES}, in a tuple")
    if kinks not in ("error", "accept"):
        raise ArgumentError(f"kinks={kinks!r} is unknown; use 'error' or 'accept'")
    # A point where f has no value is an answer here.
    with Scope(False, False), np.errstate(all="ignore"):
        found, where = _check(_function(f, args), order, modes, _Judge(limit, kinks == "accept"))
    if found:
        raise _complaint(found, where)


def _complaint(found: list[Disagreement], where: str) -> GradientError:
    found.sort(key=lambda each: (each.verdict == "kink", -np.nan_to_num(each.ulp, nan=np.inf)))
    lines: dict[tuple[str, str, str], list[Disagreement]] = {}  # one line where both modes say the same
    for each in found:
        lines.setdefault((each.input, each.output, f"{each.verdict} {each.ours:.4g}"), []).append(each)
    text = ""
    for same in list(lines.values())[:_SHOWN]:
        modes = " and ".join(each.mode for each in same)
        text += f"\n  {same[0].input} -> {same[0].output}, {modes} mode: {same[0].text}"
    if len(lines) > _SHOWN:
        text += f"\n  and {len(lines) - _SHOWN} more; all are in the attribute disagreements of this error"
    count = len({(each.input, each.output) for each in found})
    elements = f"at {count} element{'s' * (count > 1)} ({where})"
    if all(each.verdict == "kink" for each in found):
        text = f"there is no derivative to check {elements}; move the point, or accept any slope between: " + (
            f"kinks='accept'{text}"
        )
    else:
        text = f"derivatives disagree with the numerical ones {elements}:{text}"
    error = GradientError(text)
    error.disagreements = tuple(found)
    return error


def _check(function: _Function, order: int, modes: Sequence[str], judge: _Judge) -> tuple[list[Disagreement], str]:
    """What is wrong, and how it was found out. Derivatives of a wrong derivative are not looked at."""
    check = _Check(function, judge)
    found = check.run(modes)
    for mode in modes if order > 1 and not found else ():
        found, where = _check(function.derivative(mode), order - 1, modes, judge)
        if found:
            return found, where
    return found, check.where


# --- functions of numbers ---------------------------------------------------------------------------------


class _Part(NamedTuple):
    """An array among the inputs or outputs."""

    name: str
    shape: tuple[int, ...]
    dtype: DType

    @property
    def size(self) -> int:
        """The number of its coordinates."""
        return prod(self.shape) * (2 if self.dtype.kind == "c" else 1)

    def element(self, number: int) -> str:
        """A coordinate as a user writes it."""
        suffix = ""
        if self.dtype.kind == "c":
            number, imaginary = divmod(number, 2)
            suffix = ".imag" if imaginary else ".real"
        index = ", ".join(str(int(place)) for place in np.unravel_index(number, self.shape)) if self.shape else ""
        return f"{self.name}[{index}]{suffix}" if index else self.name + suffix


def _parts(names: Sequence[str], arrays: Sequence[Tensor]) -> list[_Part]:
    return [_Part(name, x.shape, x.dtype) for name, x in zip(names, arrays, strict=True)]


def _part_of(parts: Sequence[_Part], number: int) -> tuple[_Part, int]:
    """The array that a coordinate is in, and its number there."""
    for part in parts:
        if number < part.size:
            return part, number
        number -= part.size
    raise AssertionError("no such coordinate")


def _numbers(arrays: Sequence[Tensor]) -> Vector:
    """All coordinates, in float64."""
    found = [np.empty(0)]
    for x in arrays:
        values = x.detach().numpy().ravel()
        found.append(values.astype(np.complex128).view(np.float64) if values.dtype.kind == "c" else values)
    return np.concatenate(found, dtype=np.float64)


def _tensors(numbers: Vector, likes: Sequence[Tensor]) -> list[Tensor]:
    """Fresh arrays of the shapes, dtypes and places of ``likes`` with these coordinates."""
    found, start = [], 0
    for like in likes:
        is_complex = like.dtype.kind == "c"
        values = numbers[start : start + like.size * (2 if is_complex else 1)]
        start += values.size
        values = np.ascontiguousarray(values).view(np.complex128) if is_complex else values
        found.append(asarray(values.astype(like.dtype).reshape(like.shape), like=like))
    return found


def _each(numbers: Sequence[float], parts: Sequence[_Part]) -> Vector:
    """For each coordinate the number of its array."""
    return np.repeat(np.asarray(numbers, np.float64), [part.size for part in parts])


def _largest(numbers: Vector, parts: Sequence[_Part]) -> list[float]:
    """The absolute value of the largest finite coordinate of each array."""
    found, start = [], 0
    for part in parts:
        values = np.abs(numbers[start : start + part.size])
        found.append(float(values[np.isfinite(values)].max(initial=0.0)))
        start += part.size
    return found


def _unit(numbers: Vector, parts: Sequence[_Part]) -> Vector:
    """For each coordinate one ULP of the largest element of its array."""
    sizes = zip(_largest(numbers, parts), parts, strict=True)
    return _each([_ulp(size, part.dtype) for size, part in sizes], parts)


def _ulp(size: float, dtype: DType) -> float:
    real = real_of(dtype)
    return float(np.spacing(np.minimum(np.abs(size), np.finfo(real).max / 2).astype(real)))


def _weights(like: Tensor, rng: np.random.Generator) -> Tensor:
    """Random numbers, none of them small, of the shape and dtype of ``like``."""
    values = rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    return like.asarray_like(values * (1 + 0.5j) if like.dtype.kind == "c" else values)


@dataclass(frozen=True)
class _Function:
    """A function of floating Tensors to a list of floating Tensors, with names for all of them."""

    call: Callable[..., list[Tensor]]
    """What is differentiated."""
    inputs: list[Tensor]
    names: list[str]
    outputs: list[str]

    def derivative(self, mode: str) -> _Function:
        """The derivative for fixed cotangents or tangents, as a function of the same inputs."""

        def pulled(*inputs: Tensor) -> list[Tensor]:
            outputs, pull = vjp(self.call, *inputs)
            rng = np.random.default_rng(0)
            return list(pull([_weights(output, rng) for output in outputs]))

        def pushed(*inputs: Tensor) -> list[Tensor]:
            rng = np.random.default_rng(0)
            return jvp(self.call, inputs, [_weights(x, rng) for x in inputs])[1]

        if mode == "reverse":
            return replace(self, call=pulled, outputs=[f"the gradient by {name}" for name in self.names])
        return replace(self, call=pushed, outputs=[f"the tangent of {name}" for name in self.outputs])


def _function(f: Callable[..., Any], args: tuple[Any, ...]) -> _Function:
    """``f`` as a function of its floating leaves; all others are constants."""
    leaves, layout = flatten(args)
    given = [asarray(leaf).detach() if _is_array(leaf) else leaf for leaf in leaves]
    moving = [number for number, leaf in enumerate(given) if isinstance(leaf, Tensor) and has_gradients(leaf.dtype)]
    if not moving:
        raise ArgumentError("there is nothing to differentiate: no argument holds a floating array or a Python float")

    def results(*inputs: Tensor) -> tuple[Any, list[Any]]:
        call = [leaf.copy() if isinstance(leaf, Tensor) else leaf for leaf in given]
        for number, leaf in zip(moving, inputs, strict=True):
            call[number] = leaf
        tree = f(*unflatten(layout, call))
        return tree, flatten(tree)[0]

    inputs, names = [given[number] for number in moving], paths(args, "args")
    names = [names[number] for number in moving]
    _refuse_infinite(inputs, names)
    tree, found = results(*_tensors(_numbers(inputs), inputs))
    for name, result in zip(paths(tree, "output"), found, strict=True):
        if not isinstance(result, (Tensor, int, float, complex)):
            raise ArgumentError(f"the function must return arrays, and {name} is {type(result).__name__}")
    kept = [number for number, result in enumerate(found) if has_gradients(asarray(result).dtype)]
    if not kept:
        raise ArgumentError("there is nothing to differentiate: the function returns no floating array")

    def call(*inputs: Tensor) -> list[Tensor]:
        _, found = results(*inputs)
        return [asarray(found[number]) for number in kept]

    outputs = paths(tree, "output")
    return _Function(call, inputs, names, [outputs[number] for number in kept])


def _refuse_infinite(inputs: Sequence[Tensor], names: Sequence[str]) -> None:
    numbers, parts = _numbers(inputs), _parts(names, inputs)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        part, number = _part_of(parts, int(wrong[0]))
        raise ArgumentError(
            f"{part.element(number)} is {numbers[wrong[0]]}, where there is no derivative to check; use finite numbers"
        )


def _is_array(leaf: Any) -> bool:
    if isinstance(leaf, (Tensor, np.ndarray, np.generic, float, complex)):
        return True
    return not isinstance(leaf, (int, str, bytes)) and backend_of(leaf) is not None


class _Mix:
    """A combination of coordinates: most often one of them alone."""

    __slots__ = ("chosen", "weights")

    def __init__(self, chosen: Vector, weights: Vector) -> None:
        self.chosen = chosen
        self.weights = weights

    @staticmethod
    def alone(number: int) -> _Mix:
        """One coordinate."""
        return _Mix(np.array([number]), np.ones(1))

    def dense(self, size: int) -> Vector:
        """A vector of all coordinates."""
        found = np.zeros(size)
        found[self.chosen] = self.weights
        return found

    def halves(self) -> Iterator[_Mix]:
        """The first and the second half of the coordinates; nothing of one alone."""
        middle = len(self.chosen) // 2
        for part in (slice(None, middle), slice(middle, None)) if middle else ():
            chosen = self.chosen[part]
            yield _Mix(chosen, self.weights[part]) if len(chosen) > 1 else _Mix.alone(chosen[0])

    def name(self, parts: Sequence[_Part]) -> str:
        """What is mixed, as a user writes it."""
        part, number = _part_of(parts, int(self.chosen[0]))
        others = len(self.chosen) - 1
        return part.element(number) + (f" and {others} others together" if others else "")


def _combined(mixes: Sequence[_Mix], numbers: Vector, signed: bool = True) -> Vector:
    """These combinations, of as many coordinates each, of numbers; or of errors, whose signs are not known."""
    weights = np.stack([mix.weights for mix in mixes])
    return np.sum((weights if signed else np.abs(weights)) * numbers[np.stack([mix.chosen for mix in mixes])], axis=1)


def _probes(size: int, rng: np.random.Generator) -> list[_Mix]:
    """Each coordinate alone, or if they are many, random combinations of all."""
    if size <= FULL:
        return [_Mix.alone(number) for number in range(size)]
    return [_Mix(np.arange(size), rng.choice([-1.0, 1.0], size)) for _ in range(_PROBES)]


# --- numerical derivatives -----------------------------------------------------------------------------------


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
            error = (
                np.maximum(np.abs(newer - row[-1]), np.abs(newer - older))
                + noise
                + _DIGITS * np.fmax(np.abs(newer), self._size)
            )
            better = error <= self.error
            self.value, self.error = np.where(better, newer, self.value), np.where(better, error, self.error)
            row.append(newer)
        self._row = row

    def settled(self, noise: Vector) -> bool:
        """Whether smaller steps gain nothing: the digits asked for are there, or noise is what is left."""
        digits = _DIGITS * np.fmax(np.abs(self.value), self._size)
        return bool(np.all(self.error <= 2 * np.maximum(digits, noise)))


class _Slopes(NamedTuple):
    """Numerical derivatives of all outputs in one direction."""

    value: Vector
    error: Vector
    left: Vector
    left_error: Vector
    right: Vector
    right_error: Vector
    size: Vector
    """What a derivative may be expected to be, from the sizes of inputs and outputs and how far these go."""

    def along(self, mixes: Sequence[_Mix]) -> _Slopes:
        """Those of combinations of the outputs."""
        signed = {"value", "left", "right"}
        found = [_combined(mixes, each, name in signed) for name, each in zip(self._fields, self, strict=True)]
        return _Slopes(*found)


class _Numerical:
    """A function evaluated in float64, or in its own dtype if it does not take that."""

    def __init__(self, function: _Function) -> None:
        self._call = function.call
        self._at = _numbers(function.inputs)
        wide = [x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in function.inputs]
        self.widened = any(x.dtype != w.dtype for x, w in zip(function.inputs, wide, strict=True))
        self.inputs = wide
        self.where = "numerical derivatives in float64"
        try:
            outputs = self._outputs(self._at)
        except Exception as error:  # of any kind, since it comes from the user's function or a framework
            if not self.widened:
                raise
            self.inputs, self.widened = function.inputs, False
            own = " and ".join(sorted({str(x.dtype) for x in function.inputs}))
            self.where = f"numerical derivatives in {own}, since float64 gave {type(error).__name__}: {error}"
            outputs = self._outputs(self._at)
        self._value = _numbers(outputs)
        parts = _parts(function.outputs, outputs)
        self._eps = _each([np.finfo(part.dtype).eps for part in parts], parts)
        # An element may be what is left when larger ones cancel, so the size of its array counts.
        self._size = _each(_largest(self._value, parts), parts)
        self._input_eps = max(float(np.finfo(x.dtype).eps) for x in self.inputs)
        self._bits = -log2(self._input_eps)

    def _outputs(self, at: Vector) -> list[Tensor]:
        return self._call(*_tensors(at, self.inputs))

    def _moved(self, at: Vector) -> Vector:
        """The outputs elsewhere, NaN where they are not defined."""
        try:
            found = _numbers(self._outputs(at))
        except _UNDEFINED:
            return np.full(self._value.size, np.nan)
        return found if found.size == self._value.size else np.full(self._value.size, np.nan)

    def slopes(self, mix: _Mix, fine: bool = False) -> _Slopes:
        """The derivative in a direction. ``fine`` begins at smaller steps, and is less exact where both serve."""
        direction = mix.dense(self._at.size)
        size = float(np.median(np.abs(self._at[mix.chosen])))
        scale = (size or 1.0) if fine else max(size, 1.0)
        step = 2.0 ** (frexp(scale)[1] - (int(0.2 * self._bits) if fine else 4))
        both, left, right = (_Limit(ratio, self._size / max(size, 1.0)) for ratio in (4.0, 2.0, 2.0))
        expected = self._size / max(size, 1.0)
        for level in range(int((0.45 if fine else 0.6) * self._bits)):
            up, down = self._moved(self._at + step * direction), self._moved(self._at - step * direction)
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
        return _Slopes(value, error, left.value, left.error, right.value, right.error, expected)


# --- verdicts ------------------------------------------------------------------------------------------------


_VERDICTS = ("", "wrong", "kink", "no derivative", "not finite")


class _Seen(NamedTuple):
    """What one mode says of the derivatives of some outputs in one direction, and the verdicts."""

    ours: Vector
    slopes: _Slopes
    bad: Vector
    how_bad: Vector


@dataclass(frozen=True)
class _Judge:
    """What is still right."""

    limit: float
    accept_kinks: bool

    def verdicts(self, ours: Vector, unit: Vector, slopes: _Slopes) -> tuple[Vector, Vector]:
        """For each element the place of its verdict in ``_VERDICTS``, and how bad it is."""
        allowed = slopes.error + self.limit * unit
        apart = np.abs(ours - slopes.value)
        gap = np.abs(slopes.right - slopes.left)
        unsure = 10 * (slopes.left_error + slopes.right_error) + self.limit * unit
        kink = gap > np.maximum(unsure, _USELESS * np.fmax(np.abs(slopes.left), np.abs(slopes.right)))
        expected = np.fmax(np.fmax(np.abs(slopes.value), np.abs(ours)), slopes.size)
        useless = ~(slopes.error <= _USELESS * expected + self.limit * unit)
        low, high = np.fmin(slopes.left, slopes.right), np.fmax(slopes.left, slopes.right)
        between = (ours >= low - unsure) & (ours <= high + unsure)
        fine = kink & between & self.accept_kinks
        bad = np.where(apart > allowed, 1, 0)
        bad = np.where(useless, 3, bad)
        bad = np.where(kink, np.where(fine, 0, 2), bad)
        bad = np.where(np.isfinite(ours), bad, 4)
        how_bad = np.where(kink, gap / unsure, apart / allowed)
        how_bad = np.where((bad >= 3) | ~np.isfinite(how_bad), np.inf, how_bad)
        return bad, np.where(bad > 0, how_bad, 0.0)

    def settle(self, ours: Vector, unit: Vector, coarse: _Slopes, fine: Callable[[], _Slopes]) -> _Seen:
        """The verdicts on first sight, or by finer steps where there is doubt and these can tell."""
        bad, how_bad = self.verdicts(ours, unit, coarse)
        doubt = (bad > 0) & (bad < 4)
        if not doubt.any():
            return _Seen(ours, coarse, bad, how_bad)
        closer = fine()
        bad_closer, how_bad_closer = self.verdicts(ours, unit, closer)
        sharp = np.where(
            bad == 2,
            10 * (closer.left_error + closer.right_error) < np.abs(coarse.right - coarse.left),
            10 * closer.error < np.abs(ours - coarse.value),
        )
        better = doubt & (sharp | (bad == 3)) & (bad_closer < 3)
        slopes = _Slopes(*(np.where(better, new, old) for new, old in zip(closer, coarse, strict=True)))
        return _Seen(ours, slopes, np.where(better, bad_closer, bad), np.where(better, how_bad_closer, how_bad))


# --- the check -----------------------------------------------------------------------------------------------


class _Derivatives:
    """What reverse and forward mode say of a function, in one dtype."""

    def __init__(self, function: _Function, inputs: Sequence[Tensor]) -> None:
        self._call = function.call
        self._likes = inputs
        self._at = _numbers(inputs)
        self._outputs, self._pull = vjp(self._call, *_tensors(self._at, inputs))
        self.inputs = _parts(function.names, inputs)
        self.results = _parts(function.outputs, self._outputs)
        self.value = _numbers(self._outputs)
        self._rows: dict[_Mix, tuple[Vector, Vector]] = {}

    def row(self, mix: _Mix) -> tuple[Vector, Vector]:
        """The gradient of a combination of outputs, and the unit for each element."""
        found = self._rows.get(mix)
        if found is None:
            row = _numbers(self._pull(_tensors(mix.dense(self.value.size), self._outputs)))
            found = row, _unit(row, self.inputs)
            if len(self._rows) < FULL:
                self._rows[mix] = found
        return found

    def column(self, direction: _Mix) -> tuple[Vector, Vector]:
        """The tangents of all outputs, and the unit for each."""
        tangents = _tensors(direction.dense(self._at.size), self._likes)
        try:
            _, pushed = jvp(self._call, _tensors(self._at, self._likes), tangents)
        except UnsupportedError as error:
            raise UnsupportedError(f"{error} (to check reverse mode alone: modes=('reverse',))") from error
        column = _numbers(pushed)
        return column, _unit(column, self.results)

    def along(self, mode: str, direction: _Mix, mixes: Sequence[_Mix]) -> tuple[Vector, Vector]:
        """The derivatives of these combinations of outputs in one direction, and the unit for each."""
        if mode == "forward":
            column, units = self.column(direction)
            return _combined(mixes, column), _combined(mixes, units, signed=False)
        rows, row_units = (np.stack(found) for found in zip(*map(self.row, mixes), strict=True))
        # The errors of many elements add up as random ones do.
        return (
            rows[:, direction.chosen] @ direction.weights,
            np.linalg.norm(row_units[:, direction.chosen] * direction.weights, axis=1),
        )


class _Numbers:
    """The numerical derivatives in one direction, each computed when it is first needed."""

    def __init__(self, numerical: _Numerical, direction: _Mix) -> None:
        self._numerical = numerical
        self.direction = direction

    @cached_property
    def coarse(self) -> _Slopes:
        return self._numerical.slopes(self.direction)

    @cached_property
    def fine(self) -> _Slopes:
        return self._numerical.slopes(self.direction, fine=True)


class _Check:
    """One function at one point."""

    def __init__(self, function: _Function, judge: _Judge) -> None:
        self._function = function
        self._judge = judge
        self._own = _Derivatives(function, function.inputs)
        at = _numbers(function.inputs)
        self._refuse_random(self._own.value, _numbers(function.call(*_tensors(at, function.inputs))))
        self._numerical = _Numerical(function)
        self.where = self._numerical.where
        rng = np.random.default_rng(0)
        self._directions = _probes(at.size, rng)
        self._each = [_Mix.alone(number) for number in range(self._own.value.size)]
        self._cotangents = self._each if len(self._each) <= FULL else _probes(len(self._each), rng)

    def _refuse_random(self, first: Vector, second: Vector) -> None:
        """GradientError if two calls of the function gave different values."""
        differ = ~(np.abs(first - second) <= self._judge.limit * _unit(first, self._own.results))
        differ &= ~((first == second) | (np.isnan(first) & np.isnan(second)))
        if differ.any():
            worst = int(np.argmax(differ))
            part, number = _part_of(self._own.results, worst)
            raise GradientError(
                f"the function is not deterministic: two calls at the same point gave {first[worst]:.10g} and "
                f"{second[worst]:.10g} for {part.element(number)}, so it has no numerical derivative; "
                f"draw random numbers outside of it, or from a seed"
            )

    def run(self, modes: Sequence[str]) -> list[Disagreement]:
        """What is wrong: all elements that were looked at alone, and one for each mode that combinations lead to."""
        alone: list[Disagreement] = []
        narrowed: dict[str, Disagreement] = {}
        for direction in self._directions if self._each else ():
            numbers = _Numbers(self._numerical, direction)
            for mode in modes:
                mixes = self._cotangents if mode == "reverse" else self._each  # forward mode gives all at once
                seen = self._look(mode, numbers, mixes)
                wrong = np.flatnonzero(seen.bad).tolist()
                if len(wrong) and len(direction.chosen) == len(mixes[0].chosen) == 1:
                    alone += [self._described(mode, direction, mixes[number], seen, number) for number in wrong]
                elif len(wrong) and mode not in narrowed:
                    narrowed[mode] = self._narrowed(mode, numbers, mixes[int(np.argmax(seen.how_bad))])
        return [*alone, *narrowed.values()]

    def _look(self, mode: str, numbers: _Numbers, mixes: Sequence[_Mix]) -> _Seen:
        """Compare the derivatives of these combinations of outputs in one direction."""
        ours, unit = self._own.along(mode, numbers.direction, mixes)
        seen = self._judge.settle(ours, unit, numbers.coarse.along(mixes), lambda: numbers.fine.along(mixes))
        if self._numerical.widened and (seen.bad == 1).any():
            # Where terms cancel, little but their rounding is left. A rule that is right in float64 is not wrong.
            wide, wide_unit = self._wide.along(mode, numbers.direction, mixes)
            right = self._judge.verdicts(wide, wide_unit, seen.slopes)[0] == 0
            eps = max(float(np.finfo(part.dtype).eps) for part in (*self._own.inputs, *self._own.results))
            rounding = right & (np.abs(ours - wide) <= self._judge.limit * eps * seen.slopes.size) & (seen.bad == 1)
            seen = seen._replace(bad=np.where(rounding, 0, seen.bad), how_bad=np.where(rounding, 0.0, seen.how_bad))
        return seen

    @cached_property
    def _wide(self) -> _Derivatives:
        return _Derivatives(self._function, self._numerical.inputs)

    def _narrowed(self, mode: str, numbers: _Numbers, mix: _Mix) -> Disagreement:
        """The wrong element that bisection leads to, first of the inputs and then of the outputs."""
        seen = self._look(mode, numbers, [mix])
        while True:
            halves = [(_Numbers(self._numerical, half), mix) for half in numbers.direction.halves()]
            halves = halves or [(numbers, half) for half in mix.halves()]
            looks = [(self._look(mode, part, [results]), part, results) for part, results in halves]
            worst = max(looks, key=lambda look: look[0].how_bad[0], default=None)
            if worst is None or not worst[0].bad[0]:
                return self._described(mode, numbers.direction, mix, seen, 0)
            seen, numbers, mix = worst

    def _described(self, mode: str, direction: _Mix, mix: _Mix, seen: _Seen, number: int) -> Disagreement:
        results = self._own.results
        where = (self._own.inputs, direction) if mode == "reverse" else (results, mix)
        part, _ = _part_of(where[0], int(where[1].chosen[0]))
        ours = float(seen.ours[number])
        value, error, left, left_error, right, right_error, _ = (float(each[number]) for each in seen.slopes)
        larger = float(np.fmax(abs(ours), abs(value)))
        return Disagreement(
            input=direction.name(self._own.inputs),
            output=mix.name(results),
            mode=mode,
            verdict=_VERDICTS[seen.bad[number]],
            ours=ours,
            numerical=value,
            error=error,
            left=left if np.isfinite(left_error) else np.nan,
            right=right if np.isfinite(right_error) else np.nan,
            ulp=abs(ours - value) / _ulp(larger, part.dtype),
            relative=abs(ours - value) / larger if larger else 0.0,
        )
