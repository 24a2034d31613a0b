"""NumPy's everyday methods: what users type after a dot, each the operation of that name in the table.

Arguments that only NumPy's functions have go by these, which come back to the Tensor (``unigrad.ecosystem.protocols``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from unigrad.base.elsewhere import check_arguments
from unigrad.table import OPERATIONS, explaining

_numpys: Any = np  # whose functions take Tensors, unknown to a type checker


def _numpys_own(name: str, x: Any, *args: Any, **further: Any) -> Any:
    """By NumPy's function of that name; CallError for what an argument is called elsewhere alone."""
    check_arguments(name, further)
    return getattr(_numpys, name)(x, *args, **further)


class Everyday:
    """The methods and operators of a Tensor that are operations."""

    __slots__ = ()

    _bound: ClassVar[Any]
    """The primitives, bound to the Tensor's backend."""

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]: ...

        @property
        def dtype(self) -> Any: ...
        @property
        def size(self) -> int: ...
        def _at(self) -> Any: ...

        # The operators, which each backend's class gets when it is bound (``unigrad.tensor.operators``).

        def __add__(self, other: Any, /) -> Self: ...
        def __radd__(self, other: Any, /) -> Self: ...
        def __sub__(self, other: Any, /) -> Self: ...
        def __rsub__(self, other: Any, /) -> Self: ...
        def __mul__(self, other: Any, /) -> Self: ...
        def __rmul__(self, other: Any, /) -> Self: ...
        def __truediv__(self, other: Any, /) -> Self: ...
        def __rtruediv__(self, other: Any, /) -> Self: ...
        def __floordiv__(self, other: Any, /) -> Self: ...
        def __rfloordiv__(self, other: Any, /) -> Self: ...
        def __mod__(self, other: Any, /) -> Self: ...
        def __rmod__(self, other: Any, /) -> Self: ...
        def __pow__(self, other: Any, /) -> Self: ...
        def __rpow__(self, other: Any, /) -> Self: ...
        def __matmul__(self, other: Any, /) -> Self: ...
        def __rmatmul__(self, other: Any, /) -> Self: ...
        def __and__(self, other: Any, /) -> Self: ...
        def __rand__(self, other: Any, /) -> Self: ...
        def __or__(self, other: Any, /) -> Self: ...
        def __ror__(self, other: Any, /) -> Self: ...
        def __xor__(self, other: Any, /) -> Self: ...
        def __rxor__(self, other: Any, /) -> Self: ...
        def __lshift__(self, other: Any, /) -> Self: ...
        def __rlshift__(self, other: Any, /) -> Self: ...
        def __rshift__(self, other: Any, /) -> Self: ...
        def __rrshift__(self, other: Any, /) -> Self: ...
        def __lt__(self, other: Any, /) -> Self: ...
        def __le__(self, other: Any, /) -> Self: ...
        def __gt__(self, other: Any, /) -> Self: ...
        def __ge__(self, other: Any, /) -> Self: ...
        def __eq__(self, other: Any, /) -> Self: ...  # type: ignore[override]
        def __ne__(self, other: Any, /) -> Self: ...  # type: ignore[override]
        def __neg__(self) -> Self: ...
        def __abs__(self) -> Self: ...
        def __invert__(self) -> Self: ...

    @property
    def real(self) -> Self:
        """The real part; see :func:`unigrad.real`."""
        return self._bound.real(self)

    @property
    def imag(self) -> Self:
        """The imaginary part; see :func:`unigrad.imag`."""
        return self._bound.imag(self)

    def conj(self) -> Self:
        """The complex conjugate; see :func:`unigrad.conj`."""
        return self._bound.conj(self)

    conjugate = conj

    @property
    def at(self) -> Any:
        """Copies with other elements: ``x.at[key].add(values)``, and set, subtract, multiply, divide, min, max, ..."""
        return self._at()

    @property
    def T(self) -> Self:
        """The axes in reverse order."""
        return OPERATIONS["permute_dims"](self, tuple(reversed(range(len(self.shape)))))

    @property
    def mT(self) -> Self:
        """The last two axes exchanged."""
        return OPERATIONS["matrix_transpose"](self)

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.sum`; ``initial`` and ``where`` as ``np.sum`` has them."""
        if further:
            return _numpys_own("sum", self, axis, dtype, keepdims=keepdims, **further)
        return OPERATIONS["sum"](self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Any = None, dtype: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.prod`; ``initial`` and ``where`` as ``np.prod`` has them."""
        if further:
            return _numpys_own("prod", self, axis, dtype, keepdims=keepdims, **further)
        return OPERATIONS["prod"](self, axis=axis, dtype=dtype, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.mean`; ``dtype`` and ``where`` as ``np.mean`` has them."""
        if further:
            return _numpys_own("mean", self, axis, keepdims=keepdims, **further)
        return OPERATIONS["mean"](self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, correction: float = 0.0, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.var`; ``ddof``, ``dtype``, ``where`` and ``mean`` as ``np.var`` has them."""
        if further:
            return _numpys_own("var", self, axis, keepdims=keepdims, **{"ddof": correction, **further})
        return OPERATIONS["var"](self, axis=axis, correction=correction, keepdims=keepdims)

    def std(self, axis: Any = None, correction: float = 0.0, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.std`; ``ddof``, ``dtype``, ``where`` and ``mean`` as ``np.std`` has them."""
        if further:
            return _numpys_own("std", self, axis, keepdims=keepdims, **{"ddof": correction, **further})
        return OPERATIONS["std"](self, axis=axis, correction=correction, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.max`; ``initial`` and ``where`` as ``np.max`` has them."""
        if further:
            return _numpys_own("max", self, axis, keepdims=keepdims, **further)
        return OPERATIONS["max"](self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.min`; ``initial`` and ``where`` as ``np.min`` has them."""
        if further:
            return _numpys_own("min", self, axis, keepdims=keepdims, **further)
        return OPERATIONS["min"](self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.any`; ``where`` as ``np.any`` has it."""
        if further:
            return _numpys_own("any", self, axis, keepdims=keepdims, **further)
        return OPERATIONS["any"](self, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False, **further: Any) -> Self:
        """See :func:`unigrad.all`; ``where`` as ``np.all`` has it."""
        if further:
            return _numpys_own("all", self, axis, keepdims=keepdims, **further)
        return OPERATIONS["all"](self, axis=axis, keepdims=keepdims)

    @explaining
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.argmax`."""
        return OPERATIONS["argmax"](self, axis=axis, keepdims=keepdims)

    @explaining
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.argmin`."""
        return OPERATIONS["argmin"](self, axis=axis, keepdims=keepdims)

    @explaining
    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Self:
        """See :func:`unigrad.cumulative_sum`; without an axis that of the flattened array."""
        x, axis = (self.ravel(), 0) if axis is None else (self, axis)
        return OPERATIONS["cumulative_sum"](x, axis=axis, dtype=dtype)

    @explaining
    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Self:
        """See :func:`unigrad.cumulative_prod`; without an axis that of the flattened array."""
        x, axis = (self.ravel(), 0) if axis is None else (self, axis)
        return OPERATIONS["cumulative_prod"](x, axis=axis, dtype=dtype)

    def dot(self, other: Any) -> Self:
        """See :func:`unigrad.dot`."""
        return OPERATIONS["dot"](self, other)

    def reshape(self, *shape: int | Sequence[int], order: str = "C", copy: bool | None = None) -> Self:
        """The elements in C order, or with ``order="F"`` in Fortran's, under another shape: ``x.reshape(2, -1)`` or
        ``x.reshape((2, -1))``."""
        wanted = shape[0] if len(shape) == 1 else shape
        if not isinstance(order, str) or order != "C":
            return _numpys.reshape(self, wanted, order=order, copy=copy)
        return OPERATIONS["reshape"](self, wanted, copy=copy)

    def ravel(self, order: str = "C") -> Self:
        """The elements in C order as a vector, or with ``order="F"`` in Fortran's."""
        return self.reshape(-1, order=order)

    flatten = ravel

    def transpose(self, *axes: Any) -> Self:
        """The axes in the order given, or reversed."""
        if not axes or (len(axes) == 1 and axes[0] is None):
            return self.T
        return OPERATIONS["permute_dims"](self, axes[0] if len(axes) == 1 else axes)

    @explaining
    def squeeze(self, axis: Any = None) -> Self:
        """See :func:`unigrad.squeeze`."""
        return OPERATIONS["squeeze"](self, axis)

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """See :func:`unigrad.astype`."""
        return OPERATIONS["astype"](self, dtype, copy=copy)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """See :func:`unigrad.clip`."""
        return OPERATIONS["clip"](self, min, max)

    def round(self, decimals: int = 0) -> Self:
        """See :func:`unigrad.round`."""
        return OPERATIONS["round"](self, decimals)

    @explaining
    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> Self:
        """See :func:`unigrad.take`; without an axis from the flattened array."""
        x, axis = (self.ravel(), 0) if axis is None else (self, axis)
        return OPERATIONS["take"](x, indices, axis=axis, mode=mode)

    def choose(self, choices: Any, mode: str = "raise") -> Self:
        """See :func:`unigrad.choose`."""
        return OPERATIONS["choose"](self, choices, mode=mode)

    @explaining
    def argsort(self, axis: int | None = -1, descending: bool = False) -> Self:
        """See :func:`unigrad.argsort`; with None for the axis that of the flattened array."""
        x, axis = (self.ravel(), 0) if axis is None else (self, axis)
        return OPERATIONS["argsort"](x, axis=axis, descending=descending)

    def argpartition(self, kth: Any, axis: int | None = -1) -> Self:
        """See :func:`unigrad.argpartition`."""
        return OPERATIONS["argpartition"](self, kth, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """The diagonals of the matrices in two axes, as ``np.diagonal`` has them."""
        return _numpys.diagonal(self, offset, axis1, axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Self:
        """The sums of the diagonals of the matrices in two axes, as ``np.trace`` has them."""
        return _numpys.trace(self, offset, axis1, axis2, dtype)

    @property
    def itemsize(self) -> int:
        """The bytes that one element takes."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes that all elements take."""
        return self.size * self.itemsize

    @explaining
    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        """See :func:`unigrad.repeat`."""
        return OPERATIONS["repeat"](self, repeats, axis=axis)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """See :func:`unigrad.swapaxes`."""
        return OPERATIONS["swapaxes"](self, axis1, axis2)

    def nonzero(self) -> tuple[Self, ...]:
        """See :func:`unigrad.nonzero`."""
        return OPERATIONS["nonzero"](self)

    def compress(self, condition: Any, axis: int | None = None) -> Self:
        """See :func:`unigrad.compress`."""
        return OPERATIONS["compress"](condition, self, axis=axis)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Self:
        """See :func:`unigrad.searchsorted`."""
        return OPERATIONS["searchsorted"](self, v, side=side, sorter=sorter)

    def ptp(self, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.ptp`."""
        return OPERATIONS["ptp"](self, axis=axis, keepdims=keepdims)

    def norm(self, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.linalg.norm`."""
        return OPERATIONS["linalg.norm"](self, ord=ord, axis=axis, keepdims=keepdims)
