"""``ug.plot``: a function and its derivatives at many points, by automatic differentiation."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.adapters.registry import current_backend, use_backend
from unigrad.base.dtypes import float64
from unigrad.base.errors import ArgumentError, ShapeError, UnsupportedError
from unigrad.base.recording import Switch
from unigrad.base.words import Values
from unigrad.looking.plotted import Curves, Field, Plot, drawn_curves, drawn_field
from unigrad.looking.running import chosen_backends, name_of
from unigrad.operations.creation import asarray
from unigrad.operations.shapes import stack
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import called, check_function
from unigrad.transforms.mapping import vmap
from unigrad.transforms.reverse import grad

POINTS = 401
"""Along an interval; odd, so that its middle, where a kink often is, is one of them."""
GRID = 61
"""Along each side of a field."""
HIGHEST = 8
"""The order of derivative up to which is drawn: each doubles the work."""


def plot(
    f: Callable[..., Any],
    interval: Sequence[Any],
    derivatives: int = 1,
    *,
    backends: str | Sequence[str] | None = None,
    at: Any = None,
    axes: Any = None,
) -> Plot:
    """Draw a function and its derivatives, computed by automatic differentiation in float64.

    ``f`` takes a scalar array and returns one: it may branch and loop over its values. ``interval`` is ``(low, high)``;
    drawn are ``f`` and its first ``derivatives`` derivatives (0 to 8). ``at`` is a point, or a sequence of points, at
    which the tangent is drawn as well.

    With a pair of intervals, ``((low, high), (low, high))``, ``f`` is a function of two scalars, ``f(x, y)``, or of one
    array of shape (2,), and its level lines and the field of its gradients are drawn; ``at`` is then a pair of numbers.

    ``backends``: a name or several, drawn over each other; the current one if it is not given. One on which ``f`` fails
    is left out, which is said below the drawing; if ``f`` fails on all of them the first error is raised. ``axes`` are
    matplotlib's, to draw in a figure of one's own.

    What is returned draws itself in a notebook and has ``save(path)``, ``figure``, ``axes`` and the numbers: ``points``
    and ``values``. Raises ArgumentError for arguments that do not fit, ShapeError if ``f`` does not return a scalar,
    and BackendError, which says what to type, where matplotlib is not installed.
    """
    check_function(f, "plot")
    intervals = _intervals(interval)
    if isinstance(derivatives, bool) or not isinstance(derivatives, int) or not 0 <= derivatives <= HIGHEST:
        raise ArgumentError(f"derivatives={derivatives!r} must be an integer from 0 to {HIGHEST}: so many are drawn")
    if len(intervals) == 2 and derivatives > 1:
        raise ArgumentError(
            f"derivatives={derivatives!r}: of a function of two variables the gradient alone is drawn; ug.hessian has "
            f"the second derivatives"
        )
    chosen = [current_backend().name] if backends is None else chosen_backends(backends)
    name = name_of(f)
    if len(intervals) == 1:
        points = np.linspace(*intervals[0], POINTS)
        marked = _along(at, intervals[0])
        values, notes = _on_each(chosen, lambda: _orders(f, points, derivatives))
        with use_backend(next(iter(values))):
            value, slope = _orders(f, np.array(marked), 1) if marked else ((), ())
        tangents = [(x, float(y), float(s)) for x, y, s in zip(marked, value, slope, strict=True)]
        return drawn_curves(Curves(name, _variables(f, ("x",)), points, values, tangents), notes, axes)
    sides = [np.linspace(*each, GRID) for each in intervals]
    grid = [side.ravel() for side in np.meshgrid(*sides)]
    of_two = _of_two(f)
    place = _pair(at, intervals)
    values, notes = _on_each(chosen, lambda: _gradients(of_two, grid, derivatives))
    marked_values = None
    if place is not None:
        with use_backend(next(iter(values))):
            marked_values = tuple(float(part[0]) for part in _gradients(of_two, [np.array([x]) for x in place], 1))
    shaped = {key: tuple(part.reshape(GRID, GRID) for part in parts) for key, parts in values.items()}
    variables = _variables(f, ("x", "y"))
    return drawn_field(Field(name, variables, sides[0], sides[1], shaped, place, marked_values), notes, axes)


# --- arguments -------------------------------------------------------------------------------------------------------


def _intervals(given: Any) -> list[tuple[float, float]]:
    """One interval, or two."""
    try:
        parts = list(given)
        several = [list(part) for part in parts] if parts and all(hasattr(part, "__iter__") for part in parts) else None
    except TypeError:
        parts, several = [], None
    found = [_numbers(part) for part in several or [parts]]
    if len(found) > 2 or any(part is None or len(part) != 2 for part in found) or isinstance(given, str):
        raise ArgumentError(
            f"interval={given!r} must be (low, high), or ((low, high), (low, high)) for a function of two variables"
        )
    pairs = [(part[0], part[1]) for part in found if part is not None]
    for low, high in pairs:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ArgumentError(f"interval={given!r}: ({low:g}, {high:g}) must go from a finite number to a larger one")
    return pairs


def _numbers(parts: Any) -> list[float] | None:
    try:
        return [float(part) for part in parts]
    except (TypeError, ValueError):
        return None


def _along(at: Any, interval: tuple[float, float]) -> list[float]:
    """The points at which a tangent is drawn."""
    if at is None:
        return []
    found = _numbers([at]) or (_numbers(at) if hasattr(at, "__iter__") and not isinstance(at, str) else None)
    if not found or not all(interval[0] <= x <= interval[1] for x in found):
        raise ArgumentError(f"at={at!r} must be a number from {interval[0]:g} to {interval[1]:g}, or several")
    return found


def _pair(at: Any, intervals: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    if at is None:
        return None
    found = _numbers(at) if hasattr(at, "__iter__") and not isinstance(at, str) else None
    inside = (
        found and len(found) == 2 and all(low <= x <= high for x, (low, high) in zip(found, intervals, strict=True))
    )
    if not found or not inside:
        raise ArgumentError(f"at={at!r} must be a pair of numbers inside {tuple(intervals)}")
    return found[0], found[1]


def _variables(f: Callable[..., Any], otherwise: Sequence[str]) -> list[str]:
    """What the arguments are called."""
    try:
        found = [each.name for each in inspect.signature(f).parameters.values()]
    except (TypeError, ValueError):
        found = []
    if len(found) >= len(otherwise):
        return found[: len(otherwise)]
    return [f"{found[0]}[{place}]" for place in range(len(otherwise))] if found else list(otherwise)


def _of_two(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f`` as a function of two scalars, if it is one of an array of shape (2,)."""
    try:
        inspect.signature(f).bind(0, 0)
    except TypeError:
        return functools.wraps(f)(lambda x, y: f(stack([x, y])))
    except ValueError:
        pass
    return f


# --- values ----------------------------------------------------------------------------------------------------------


def _on_each(
    names: Sequence[str], compute: Callable[[], tuple[Values, ...]]
) -> tuple[dict[str, tuple[Values, ...]], list[str]]:
    """What is computed on each backend, and a note on each that failed; the first error if all did."""
    found: dict[str, tuple[Values, ...]] = {}
    failed: list[tuple[str, Exception]] = []
    for name in names:
        try:
            with use_backend(name), Switch(False, None), np.errstate(all="ignore"):
                found[name] = compute()
        except Exception as error:
            failed.append((name, error))
    if not found:
        raise failed[0][1]
    return found, [f"{name} is left out: {type(error).__name__}: {error}" for name, error in failed]


def _orders(f: Callable[..., Any], points: Values, derivatives: int) -> tuple[Values, ...]:
    """``f`` and its derivatives at the points."""
    functions = [f]
    for _ in range(derivatives):
        functions.append(grad(functions[-1]))
    return tuple(_at_points(each, [points]) for each in functions)


def _gradients(f: Callable[..., Any], grid: Sequence[Values], derivatives: int) -> tuple[Values, ...]:
    """``f`` and its derivatives by each of two variables at the points of a grid."""
    functions = [f, *(grad(f, place) for place in range(2) if derivatives)]
    return tuple(_at_points(each, grid) for each in functions)


def _at_points(f: Callable[..., Any], points: Sequence[Values]) -> Values:
    """Its values at all points at once, or one after the other where it looks at them."""
    arrays = [asarray(each, dtype=float64) for each in points]
    try:
        found = vmap(lambda *xs: _scalar(f, f(*xs)))(*arrays)
    except UnsupportedError:
        each = [_scalar(f, f(*xs)) for xs in zip(*arrays, strict=True)]
        return np.array([float(y) for y in each])
    return np.asarray(found.numpy(), np.float64)


def _scalar(f: Callable[..., Any], result: Any) -> Tensor:
    if not isinstance(result, (Tensor, int, float)):
        raise ArgumentError(f"{called(f)} must return one scalar array to be drawn, not {type(result).__name__}")
    found = asarray(result)
    if found.shape != ():
        raise ShapeError(
            f"{called(f)} must return a scalar to be drawn, and of a scalar it returned shape {found.shape}"
        )
    if found.dtype.kind == "c":
        raise ArgumentError(f"{called(f)} returned {found.dtype}, and only real values are drawn")
    return found
