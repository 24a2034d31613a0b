"""Arrays as real numbers, and functions of arrays as functions of real numbers, for check_gradients.

Each element of each floating array is a coordinate, and a complex element two, its real and its imaginary part. In
these coordinates the gradient of a complex array in the conjugate form is an ordinary gradient. Here is what makes one
vector of arrays and arrays of it, what a coordinate is called, how large a rounding it has, and what combines several.
Nothing here knows of derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from unigrad.adapters.registry import backend_of
from unigrad.base.dtypes import DType, has_gradients, limits, real_of
from unigrad.base.errors import ArgumentError
from unigrad.base.tree import flatten, paths, unflatten
from unigrad.operations.creation import asarray
from unigrad.tensor.tensor import Tensor

Vector = np.ndarray[Any, Any]


def numbers(arrays: Sequence[Tensor]) -> Vector:
    """All coordinates, in float64."""
    found = [np.empty(0)]
    for x in arrays:
        values = x.detach().numpy().ravel()
        found.append(
            values.astype(np.complex128).view(np.float64) if values.dtype.kind == "c" else values.astype(np.float64)
        )
    return np.concatenate(found)


def ulp(size: float, dtype: DType) -> float:
    """One unit in the last place of a number of this size."""
    real = real_of(dtype)
    return float(np.spacing(np.minimum(np.abs(size), limits(real).max / 2).astype(real)))


class Coordinates:
    """Floating Tensors with a name each, seen as one vector."""

    def __init__(self, names: Sequence[str], arrays: Sequence[Tensor]) -> None:
        self.names = names
        self.arrays = arrays
        self.values = numbers(arrays)
        sizes = (x.size * (2 if x.dtype.kind == "c" else 1) for x in arrays)
        self._parts = [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]

    @property
    def size(self) -> int:
        """How many there are."""
        return self.values.size

    def tensors(self, values: Vector) -> list[Tensor]:
        """Fresh arrays of the same shapes, dtypes and places with these values."""
        found = []
        for like, part in zip(self.arrays, self._parts, strict=True):
            own = values[part].view(np.complex128) if like.dtype.kind == "c" else values[part]
            found.append(asarray(own.astype(like.dtype).reshape(like.shape), like=like))
        return found

    def dtype(self, number: int) -> DType:
        """The dtype of the array that a coordinate is in."""
        return self.arrays[self._array(number)].dtype

    def name(self, number: int) -> str:
        """A coordinate as a user writes it: ``args[0]['w'][2, 3]``; if it is complex, ``.real`` or ``.imag`` of it."""
        array = self._array(number)
        x, number, suffix = self.arrays[array], number - self._parts[array].start, ""
        if x.dtype.kind == "c":
            number, imaginary = divmod(number, 2)
            suffix = ".imag" if imaginary else ".real"
        index = ", ".join(str(int(place)) for place in np.unravel_index(number, x.shape)) if x.shape else ""
        return self.names[array] + (f"[{index}]" if index else "") + suffix

    def _array(self, number: int) -> int:
        return next(array for array, part in enumerate(self._parts) if number < part.stop)

    def each(self, of_arrays: Sequence[float]) -> Vector:
        """For each coordinate the number of its array."""
        return np.repeat(np.asarray(of_arrays, np.float64), [part.stop - part.start for part in self._parts])

    def largest(self, values: Vector) -> list[float]:
        """The absolute value of the largest finite one of these values in each array."""
        parts = [np.abs(values[part]) for part in self._parts]
        return [float(part[np.isfinite(part)].max(initial=0.0)) for part in parts]

    def units(self, values: Vector) -> Vector:
        """For each coordinate one ULP of the largest of these values in its array."""
        return self.each([ulp(size, x.dtype) for size, x in zip(self.largest(values), self.arrays, strict=True)])


class Mix:
    """A combination of coordinates: most often one of them alone."""

    __slots__ = ("chosen", "weights")

    def __init__(self, chosen: Vector, weights: Vector) -> None:
        self.chosen = chosen
        self.weights = weights

    @staticmethod
    def alone(number: int) -> Mix:
        """One coordinate."""
        return Mix(np.array([number]), np.ones(1))

    def dense(self, size: int) -> Vector:
        """A vector of all coordinates."""
        found = np.zeros(size)
        found[self.chosen] = self.weights
        return found

    def halves(self) -> Iterator[Mix]:
        """The first and the second half of the coordinates; nothing of one alone."""
        middle = len(self.chosen) // 2
        for part in (slice(None, middle), slice(middle, None)) if middle else ():
            chosen = self.chosen[part]
            yield Mix(chosen, self.weights[part]) if len(chosen) > 1 else Mix.alone(chosen[0])

    def name(self, coordinates: Coordinates) -> str:
        """What is mixed, as a user writes it."""
        others = len(self.chosen) - 1
        return coordinates.name(int(self.chosen[0])) + (f" and {others} others together" if others else "")


def combined(mixes: Sequence[Mix], values: Vector, signed: bool = True) -> Vector:
    """These combinations, of as many coordinates each, of values; or of errors, whose signs are not known."""
    weights = np.array([mix.weights for mix in mixes])
    return np.sum((weights if signed else np.abs(weights)) * values[np.array([mix.chosen for mix in mixes])], axis=1)


@dataclass(frozen=True)
class Function:
    """A function of floating Tensors to a list of floating Tensors, at one point."""

    call: Callable[..., list[Tensor]]
    """What is differentiated."""
    inputs: Coordinates
    """Where."""
    outputs: Sequence[str]
    """What its results are called."""


def of_floating_leaves(f: Callable[..., Any], args: tuple[Any, ...]) -> Function:
    """``f`` as a function of the floating leaves of its arguments; all others are constants.

    ArgumentError if no leaf of the arguments or of the result is floating, or if an argument is not finite.
    """
    leaves, layout = flatten(args)
    given = [asarray(leaf).detach() if _is_array(leaf) else leaf for leaf in leaves]
    moving = [number for number, leaf in enumerate(given) if isinstance(leaf, Tensor) and has_gradients(leaf.dtype)]
    if not moving:
        raise ArgumentError("there is nothing to differentiate: no argument holds a floating array or a Python float")
    names = paths(args, "args")
    inputs = Coordinates([names[number] for number in moving], [given[number] for number in moving])
    infinite = np.flatnonzero(~np.isfinite(inputs.values))
    if len(infinite):
        number = int(infinite[0])
        raise ArgumentError(
            f"{inputs.name(number)} is {inputs.values[number]}, where there is no derivative to check; "
            f"use finite numbers"
        )

    def results(*inputs: Tensor) -> Any:
        call = [leaf.copy() if isinstance(leaf, Tensor) else leaf for leaf in given]
        for number, leaf in zip(moving, inputs, strict=True):
            call[number] = leaf
        return f(*unflatten(layout, call))

    tree = results(*inputs.tensors(inputs.values))
    found, names = flatten(tree)[0], paths(tree, "output")
    for name, result in zip(names, found, strict=True):
        if not isinstance(result, (Tensor, int, float, complex)):
            raise ArgumentError(f"the function must return arrays, and {name} is {type(result).__name__}")
    kept = [number for number, result in enumerate(found) if has_gradients(asarray(result).dtype)]
    if not kept:
        raise ArgumentError("there is nothing to differentiate: the function returns no floating array")

    def call(*inputs: Tensor) -> list[Tensor]:
        found = flatten(results(*inputs))[0]
        return [asarray(found[number]) for number in kept]

    return Function(call, inputs, [names[number] for number in kept])


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (Tensor, np.ndarray, np.generic, float, complex)) or backend_of(leaf) is not None
