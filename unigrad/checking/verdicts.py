"""What check_gradients says of a derivative: right or not, why, and the error that tells it.

A derivative is held against numerical ones by a Judge. What is not right becomes a Disagreement, and all of them
together a GradientError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from unigrad.base.dtypes import DType
from unigrad.base.errors import GradientError
from unigrad.checking.coordinates import Vector, ulp
from unigrad.checking.numerical import Slopes

_SHOWN = 5
# A numerical derivative whose error is a larger part of what it may be expected to be says nothing.
_USELESS = 1e-3
# An estimated error is the least of many, and so too small by chance: up to ten times, within so many digits.
_BY_CHANCE = 1e-6
_VERDICTS = ("right", "wrong", "kink", "no derivative", "not finite")
RIGHT, WRONG, KINK, NO_DERIVATIVE, NOT_FINITE = range(len(_VERDICTS))
"""The places of the verdicts; beyond KINK the numerical derivative or ours says nothing."""


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


class Seen(NamedTuple):
    """What one mode says of the derivatives of some outputs in one direction, and the verdicts."""

    ours: Vector
    slopes: Slopes
    bad: Vector
    """For each element its verdict: ``RIGHT``, ``WRONG``, ..."""
    how_bad: Vector
    """Zero of what is right, and infinite where the distance says nothing."""

    def disagreement(self, number: int, input: str, output: str, mode: str, dtype: DType) -> Disagreement:
        """One element, which is not right; ``dtype`` is that of ours."""
        ours = float(self.ours[number])
        value, error, left, left_error, right, right_error, _ = (float(each[number]) for each in self.slopes)
        larger = float(np.fmax(abs(ours), abs(value)))
        return Disagreement(
            input=input,
            output=output,
            mode=mode,
            verdict=_VERDICTS[self.bad[number]],
            ours=ours,
            numerical=value,
            error=error,
            left=left if np.isfinite(left_error) else np.nan,
            right=right if np.isfinite(right_error) else np.nan,
            ulp=abs(ours - value) / ulp(larger, dtype),
            relative=abs(ours - value) / larger if larger else 0.0,
        )


@dataclass(frozen=True)
class Judge:
    """What is still right."""

    limit: float
    accept_kinks: bool

    def verdicts(self, ours: Vector, unit: Vector, slopes: Slopes) -> tuple[Vector, Vector]:
        """For each element its verdict, and how bad it is. ``unit`` is what one ULP is."""
        expected = np.fmax(np.fmax(np.abs(slopes.value), np.abs(ours)), slopes.size)
        allowed = slopes.error + np.minimum(9 * slopes.error, _BY_CHANCE * expected) + self.limit * unit
        apart = np.abs(ours - slopes.value)
        gap = np.abs(slopes.right - slopes.left)
        unsure = 10 * (slopes.left_error + slopes.right_error) + self.limit * unit
        kink = gap > np.maximum(unsure, _USELESS * np.fmax(np.abs(slopes.left), np.abs(slopes.right)))
        useless = ~(slopes.error <= _USELESS * expected + self.limit * unit)
        low, high = np.fmin(slopes.left, slopes.right), np.fmax(slopes.left, slopes.right)
        between = (ours >= low - unsure) & (ours <= high + unsure)
        bad = np.where(apart > allowed, WRONG, RIGHT)
        bad = np.where(useless, NO_DERIVATIVE, bad)
        bad = np.where(kink, np.where(between & self.accept_kinks, RIGHT, KINK), bad)
        bad = np.where(np.isfinite(ours), bad, NOT_FINITE)
        how_bad = np.where(kink, gap / unsure, apart / allowed)
        how_bad = np.where((bad > KINK) | ~np.isfinite(how_bad), np.inf, how_bad)
        return bad, np.where(bad == RIGHT, 0.0, how_bad)

    def settle(self, ours: Vector, unit: Vector, coarse: Slopes, fine: Callable[[], Slopes]) -> Seen:
        """The verdicts on first sight, or by finer steps where there is doubt and these can tell."""
        bad, how_bad = self.verdicts(ours, unit, coarse)
        doubt = (bad != RIGHT) & (bad != NOT_FINITE)
        if not doubt.any():
            return Seen(ours, coarse, bad, how_bad)
        closer = fine()
        bad_closer, how_bad_closer = self.verdicts(ours, unit, closer)
        sharp = np.where(
            bad == KINK,
            10 * (closer.left_error + closer.right_error) < np.abs(coarse.right - coarse.left),
            10 * closer.error < np.abs(ours - coarse.value),
        )
        better = doubt & (sharp | (bad == NO_DERIVATIVE)) & (bad_closer <= KINK)
        slopes = Slopes(*(np.where(better, new, old) for new, old in zip(closer, coarse, strict=True)))
        return Seen(ours, slopes, np.where(better, bad_closer, bad), np.where(better, how_bad_closer, how_bad))


def complaint(found: list[Disagreement], where: str) -> GradientError:
    """The error that tells the worst of them, and how the numerical derivatives were found."""
    found = sorted(found, key=lambda each: (each.verdict == "kink", -np.nan_to_num(each.ulp, nan=np.inf)))
    lines: dict[tuple[str, ...], list[Disagreement]] = {}  # one line where both modes say the same
    for each in found:
        lines.setdefault((each.input, each.output, each.verdict, f"{each.ours:.4g}"), []).append(each)
    text = ""
    for same in list(lines.values())[:_SHOWN]:
        text += f"\n  {replace(same[0], mode=' and '.join(each.mode for each in same))}"
    if len(lines) > _SHOWN:
        text += f"\n  and {len(lines) - _SHOWN} more; all are in the attribute disagreements of this error"
    count = len({(each.input, each.output) for each in found})
    elements = f"at {count} element{'s' * (count > 1)} ({where})"
    if all(each.verdict == "kink" for each in found):
        text = (
            f"there is no derivative to check {elements}; move the point, or accept any slope between: "
            f"kinks='accept'{text}"
        )
    else:
        text = f"derivatives disagree with the numerical ones {elements}:{text}"
    error = GradientError(text)
    error.disagreements = tuple(found)
    return error
