"""Discrete Fourier transforms, public as ``unigrad.fft``.

Real input of a complex transform is taken as complex. Integers are taken as the default float, float16 as
float32; float32 gives complex64 and float64 complex128. ``n`` (or ``s``, one size per axis) crops an axis or fills
it up with zeros before the transform. ``norm`` says which of a transform and its inverse is divided by n, the number
of elements transformed: ``"backward"`` the inverse, ``"forward"`` the other, ``"ortho"`` both, by the root of n.

A transform of no elements raises ShapeError, an ``n`` below 1 or an unknown ``norm`` ArgumentError.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import listed, many_axes, new_shape, one_axis, real_number, whole_number
from unigrad.base.errors import ArgumentError, AxisError, DtypeError, ShapeError
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import conj
from unigrad.operations.indexing import getitem_, scatter_
from unigrad.operations.shapes import concat_
from unigrad.table import Array, batched, jvp, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip


# --- primitives --------------------------------------------------------------------------------------


@primitive("contraction", dtypes="complex")
def fft_(x: Array, axis: int, inverse: bool) -> Tensor:
    """The sums over j of x[j] exp(-2 pi i j k / n) along an axis of complex x; ``inverse``: without the minus."""


# The matrix of the transform is symmetric.
vjp(fft_, lambda xp, g, axis, inverse: xp.fft(g, axis, inverse))
jvp(fft_, "linear")
batched(fft_, "further")


@primitive("contraction", dtypes="real_float", result="complex")
def rfft_(x: Array, axis: int) -> Tensor:
    """The first n // 2 + 1 sums of :func:`fft_` over real x; the others are their conjugates."""


@primitive("contraction", dtypes="complex", result="real")
def irfft_(x: Array, axis: int, n: int) -> Tensor:
    """The n sums of the inverse :func:`fft_`, real, of which x has the first n // 2 + 1 terms.

    The imaginary parts of the first one and, where n is even, of the last one are ignored.
    """


def _part(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    """The key of one stretch of an axis."""
    return (slice(None, None, None),) * axis + (slice(start, stop, 1),)


def _inner_times(xp: Any, x: Any, axis: int, n: int, factor: float) -> Any:
    """The terms in x times a factor, but for those that stand for themselves alone and not for a conjugate too."""
    stop = (n + 1) // 2
    ends = [(0, 1), (1, stop), (stop, n // 2 + 1)]
    first, inner, last = (xp.getitem(x, _part(axis, *end)) for end in ends)
    return xp.concat([first, inner * factor, last], axis)


# The result changes the objective by Re(sum g exp(-...) dx), and the real part of a sum is that of its conjugate.
vjp(
    rfft_,
    lambda xp, g, axis, x_shape: xp.irfft(xp.conj(_inner_times(xp, g, axis, x_shape[axis], 0.5)), axis, x_shape[axis]),
)
jvp(rfft_, "linear")
batched(rfft_, "further")
vjp(irfft_, lambda xp, g, axis, n: _inner_times(xp, xp.conj(xp.rfft(g, axis)), axis, n, 2.0))
jvp(irfft_, "linear")
batched(irfft_, "further")


# --- arguments ---------------------------------------------------------------------------------------


def _complex(x: Array) -> Tensor:
    x = asarray(x)
    return astype(x, dtypes.complex_of(x.dtype), copy=False)


def _real(x: Array, name: str) -> Tensor:
    x = asarray(x)
    if x.dtype.kind == "c":
        raise DtypeError(f"{name} takes real numbers, not {x.dtype}; use fft, or pass real(x)")
    return astype(x, dtypes.real_of(dtypes.complex_of(x.dtype)), copy=False)


def _count(n: int | None, default: int) -> int:
    """The number of elements of a transform."""
    if n is None:
        if default < 1:
            raise ShapeError("a Fourier transform needs at least one element along its axis; pass n= to fill it up")
        return default
    found = whole_number(n, "n")
    if found < 1:
        raise ArgumentError(f"a Fourier transform needs at least one element, not n={found}")
    return found


def _scale(norm: str, n: int, inverse: bool) -> float:
    if not isinstance(norm, str) or norm not in ("backward", "ortho", "forward"):
        raise ArgumentError(f"norm={norm!r} is not known; use 'backward', 'ortho' or 'forward'")
    if norm == "ortho":
        return 1 / math.sqrt(n)
    return 1 / n if inverse == (norm == "backward") else 1.0


def _scaled(x: Tensor, scale: float) -> Tensor:
    return x if scale == 1.0 else x * scale


def _sized(x: Tensor, axis: int, size: int) -> Tensor:
    """x cropped along an axis, or filled up with zeros behind."""
    old = x.shape[axis]
    if size < old:
        return getitem_(x, _part(axis, 0, size))
    if size > old:
        return scatter_(x, _part(axis, 0, old), (*x.shape[:axis], size, *x.shape[axis + 1 :]))
    return x


def _sizes(x: Tensor, s: Sequence[int] | None, axes: Sequence[int] | None) -> list[tuple[int, int | None]]:
    """Each axis, in the order given, and the size that it is brought to (None: its own)."""
    s = None if s is None else [whole_number(size, "s") for size in listed(s, "s")]
    if axes is None:
        axes = range(x.ndim) if s is None else range(-len(s), 0)
    axes = listed(axes, "axes")
    numbers = [one_axis(axis, x.ndim, "axes") for axis in axes]
    if len(set(numbers)) != len(numbers):
        raise AxisError(f"axes {tuple(axes)} name an axis of a {x.ndim}-dimensional array twice")
    if s is None:
        return [(number, None) for number in numbers]
    if len(s) != len(numbers):
        raise ArgumentError(f"s={tuple(s)} has {len(s)} sizes for {len(numbers)} axes")
    return [(number, None if size == -1 else size) for number, size in zip(numbers, s, strict=True)]


def _last(sizes: list[tuple[int, int | None]], name: str) -> tuple[int, int | None]:
    if not sizes:
        raise AxisError(f"{name} needs at least one axis")
    return sizes[-1]


# --- public ------------------------------------------------------------------------------------------


def _transformed(x: Tensor, n: int | None, axis: int, norm: str, inverse: bool) -> Tensor:
    number = one_axis(axis, x.ndim)
    count = _count(n, x.shape[number])
    scale = _scale(norm, count, inverse)
    return _scaled(fft_(_sized(x, number, count), number, inverse), scale)


def _from_real(x: Tensor, n: int | None, axis: int, norm: str, inverse: bool) -> Tensor:
    number = one_axis(axis, x.ndim)
    count = _count(n, x.shape[number])
    scale = _scale(norm, count, inverse)
    x.backend.raw_dtype(dtypes.complex_of(x.dtype))  # an UnsupportedError that names the dtype is clearer
    return _scaled(rfft_(_sized(x, number, count), number), scale)


def _to_real(x: Tensor, n: int | None, axis: int, norm: str, inverse: bool) -> Tensor:
    number = one_axis(axis, x.ndim)
    count = _count(n, 2 * (x.shape[number] - 1))
    scale = _scale(norm, count, inverse)
    return _scaled(irfft_(_sized(x, number, count // 2 + 1), number, count), scale)


@operation
def fft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along ``axis``: the sums over j of x[j] exp(-2 pi i j k / n), complex."""
    return _transformed(_complex(x), n, axis, norm, False)


@operation
def ifft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of :func:`fft`: the sums over k of x[k] exp(2 pi i j k / n), divided by n."""
    return _transformed(_complex(x), n, axis, norm, True)


@operation
def fftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """:func:`fft` along several axes (None: all, or the last ``len(s)``); -1 in ``s`` leaves a size as it is."""
    x = _complex(x)
    for axis, n in _sizes(x, s, axes):
        x = _transformed(x, n, axis, norm, False)
    return x


@operation
def ifftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse of :func:`fftn`."""
    x = _complex(x)
    for axis, n in _sizes(x, s, axes):
        x = _transformed(x, n, axis, norm, True)
    return x


@operation
def rfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The first n // 2 + 1 elements of :func:`fft` of real x; the others are their conjugates.

    DtypeError if x is complex.
    """
    return _from_real(_real(x, "rfft"), n, axis, norm, False)


@operation
def irfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of :func:`rfft`: ``n`` real elements, 2 * (m - 1) for m coefficients unless told otherwise.

    The imaginary parts of the first coefficient and, for an even n, of the last have no influence and the gradient 0.
    """
    return _to_real(_complex(x), n, axis, norm, True)


@operation
def rfftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """:func:`rfft` along the last of ``axes``, then :func:`fft` along the others."""
    x = _real(x, "rfftn")
    sizes = _sizes(x, s, axes)
    axis, n = _last(sizes, "rfftn")
    x = _from_real(x, n, axis, norm, False)
    for axis, n in sizes[:-1]:
        x = _transformed(x, n, axis, norm, False)
    return x


@operation
def irfftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse of :func:`rfftn`; ``s`` has the sizes of the result."""
    x = _complex(x)
    sizes = _sizes(x, s, axes)
    axis, n = _last(sizes, "irfftn")
    for other, size in sizes[:-1]:
        x = _transformed(x, size, other, norm, True)
    return _to_real(x, n, axis, norm, True)


@operation
def fft2(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """:func:`fftn` along two axes."""
    return fftn(x, s=s, axes=axes, norm=norm)


@operation
def ifft2(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """:func:`ifftn` along two axes."""
    return ifftn(x, s=s, axes=axes, norm=norm)


@operation
def rfft2(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """:func:`rfftn` along two axes."""
    return rfftn(x, s=s, axes=axes, norm=norm)


@operation
def irfft2(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """:func:`irfftn` along two axes."""
    return irfftn(x, s=s, axes=axes, norm=norm)


@operation
def hfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """:func:`fft` of a signal that is the conjugate of itself reversed, and so real: x has its first half.

    ``n`` is the number of elements of the result, 2 * (m - 1) for m given ones unless told otherwise.
    """
    return _to_real(conj(_complex(x)), n, axis, norm, False)


@operation
def ihfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of :func:`hfft`: the first n // 2 + 1 elements. DtypeError if x is complex."""
    return conj(_from_real(_real(x, "ihfft"), n, axis, norm, True))


def _frequencies(numbers: np.ndarray[Any, Any], n: int, d: float, dtype: Any, device: Any, like: Any) -> Tensor:
    wanted = dtypes.default_float if dtype is None else dtypes.as_dtype(dtype)
    if wanted.kind not in dtypes.REAL_FLOATING:
        raise DtypeError(f"frequencies are real numbers and cannot be {wanted}")
    if real_number(d, "d") == 0:
        raise ArgumentError("samples cannot be d=0 apart")
    return asarray((numbers / (n * d)).astype(wanted), device=device, like=like)


@operation
def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None, like: Tensor | None = None) -> Tensor:
    """The frequencies that belong to the elements of :func:`fft` of n samples ``d`` apart, float32 by default."""
    (n,) = new_shape(_count(n, 0))
    return _frequencies((np.arange(n) + n // 2) % n - n // 2, n, d, dtype, device, like)


@operation
def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None, like: Tensor | None = None) -> Tensor:
    """The frequencies that belong to the elements of :func:`rfft` of n samples ``d`` apart, float32 by default."""
    (n,) = new_shape(_count(n, 0))
    return _frequencies(np.arange(n // 2 + 1), n, d, dtype, device, like)


def _rolled(x: Tensor, axis: int, shift: int) -> Tensor:
    size = x.shape[axis]
    if size < 2:
        return x
    return concat_([getitem_(x, _part(axis, size - shift, size)), getitem_(x, _part(axis, 0, size - shift))], axis)


@operation
def fftshift(x: Array, /, axes: int | Sequence[int] | None = None) -> Tensor:
    """The two halves of ``axes`` (None: all) exchanged, which brings the frequency 0 to the middle."""
    x = asarray(x)
    for axis in many_axes(axes, x.ndim):
        x = _rolled(x, axis, x.shape[axis] // 2)
    return x


@operation
def ifftshift(x: Array, /, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of :func:`fftshift`: the frequency 0 from the middle back to the front."""
    x = asarray(x)
    for axis in many_axes(axes, x.ndim):
        x = _rolled(x, axis, (x.shape[axis] + 1) // 2)
    return x
