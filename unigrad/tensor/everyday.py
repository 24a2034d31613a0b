"""NumPy's everyday methods: what users type after a dot, each the operation of that name in the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from unigrad.table import OPERATIONS


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
        @property
        def ndim(self) -> int: ...
        def item(self) -> Any: ...
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

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.sum`."""
        return OPERATIONS["sum"](self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.prod`."""
        return OPERATIONS["prod"](self, axis=axis, dtype=dtype, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.mean`."""
        return OPERATIONS["mean"](self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Self:
        """See :func:`unigrad.var`."""
        return OPERATIONS["var"](self, axis=axis, correction=correction, keepdims=keepdims)

    def std(self, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Self:
        """See :func:`unigrad.std`."""
        return OPERATIONS["std"](self, axis=axis, correction=correction, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.max`."""
        return OPERATIONS["max"](self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.min`."""
        return OPERATIONS["min"](self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.any`."""
        return OPERATIONS["any"](self, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.all`."""
        return OPERATIONS["all"](self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.argmax`."""
        return OPERATIONS["argmax"](self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Self:
        """See :func:`unigrad.argmin`."""
        return OPERATIONS["argmin"](self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Self:
        """See :func:`unigrad.cumulative_sum`."""
        return OPERATIONS["cumulative_sum"](self, axis=axis, dtype=dtype)

    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Self:
        """See :func:`unigrad.cumulative_prod`."""
        return OPERATIONS["cumulative_prod"](self, axis=axis, dtype=dtype)

    def dot(self, other: Any) -> Self:
        """See :func:`unigrad.dot`."""
        return OPERATIONS["dot"](self, other)

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """The elements in C order under another shape: ``x.reshape(2, -1)`` or ``x.reshape((2, -1))``."""
        return OPERATIONS["reshape"](self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Self:
        """The elements in C order as a vector."""
        return self.reshape(-1)

    def flatten(self) -> Self:
        """The elements in C order as a vector."""
        return self.reshape(-1)

    def transpose(self, *axes: Any) -> Self:
        """The axes in the order given, or reversed."""
        if not axes or axes == (None,):
            return self.T
        return OPERATIONS["permute_dims"](self, axes[0] if len(axes) == 1 else axes)

    def squeeze(self, axis: Any = None) -> Self:
        """See :func:`unigrad.squeeze`."""
        return OPERATIONS["squeeze"](self, axis)

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """See :func:`unigrad.astype`."""
        return OPERATIONS["astype"](self, dtype, copy=copy)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """See :func:`unigrad.clip`."""
        return OPERATIONS["clip"](self, min, max)

    def round(self) -> Self:
        """See :func:`unigrad.round`."""
        return self._bound.round(self)

    def take(self, indices: Any, axis: int | None = None) -> Self:
        """See :func:`unigrad.take`."""
        return OPERATIONS["take"](self, indices, axis=axis)

    def argsort(self, axis: int = -1, descending: bool = False) -> Self:
        """See :func:`unigrad.argsort`."""
        return OPERATIONS["argsort"](self, axis=axis, descending=descending)

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
