"""The Tensor: one framework's array, and the graph node that it came from.

There is one subclass per backend, made when the backend is bound; its operators are the backend's own
functions. A Tensor is a value: indexing and reshaping give new values, and ``x[i] = v`` or ``x += v``
change what this Tensor holds and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

import unigrad
from unigrad.dtypes import DType
from unigrad.errors import (
    ArgumentError,
    DtypeError,
    InterchangeError,
    LeafWriteError,
    ShapeError,
    UnigradError,
    UnsupportedError,
)
from unigrad.graph import GradientBuffer, Leaf, Node, attach, become_leaf, next_number, retain
from unigrad.recording import recording_mode

if TYPE_CHECKING:
    from unigrad.backend import Backend
    from unigrad.batching import BatchParts
    from unigrad.forward import DualParts

OPERATORS: dict[str, tuple[str, bool]] = {
    "__neg__": ("negative", False),
    "__abs__": ("abs", False),
    "__eq__": ("equal", False),
    "__ne__": ("not_equal", False),
    "__lt__": ("less", False),
    "__le__": ("less_equal", False),
    "__gt__": ("greater", False),
    "__ge__": ("greater_equal", False),
    "__invert__": ("bitwise_invert", False),
}
"""Operator method to its primitive, and whether the operands are exchanged."""
IN_PLACE: dict[str, str] = {}
"""The method of an assignment (``x += v``) to its primitive."""
REFLECTED: set[str] = set()
"""The primitives whose operands an operator exchanges."""
for _name, _primitive in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}.items():  # fmt: skip
    OPERATORS[f"__{_name}__"] = (_primitive, False)
    OPERATORS[f"__r{_name}__"] = (_primitive, True)
    IN_PLACE[f"__i{_name}__"] = _primitive
    REFLECTED.add(_primitive)


def in_place(
    function: Callable[[Tensor, Any], Tensor], raw_function: Callable[[Any, Any], Any] | None, backend: Backend
) -> Callable[[Tensor, Any], Tensor]:
    """The method of an assignment such as ``x -= v``, of the function of ``x - v``.

    ``raw_function`` does the same over raw floating arrays, unrecorded; None where it would have to check them.
    """
    delegates = backend.delegates != "nothing"

    def assign(self: Tensor, other: Any) -> Tensor:
        leaf = self._node
        buffer = None
        if type(leaf) is Leaf:
            buffer = self._writable()
            if buffer is not None and raw_function and type(other) is type(self) and other._dtype is self._dtype:
                # A step of training, which by way of the function takes half as long again.
                try:
                    raw = raw_function(self._raw, other._raw)
                except Exception:
                    raw = None  # the function says why
                if raw is not None and raw.shape == self._raw.shape:
                    self._raw = tracked = backend.fresh_leaf(raw)
                    self._node = made = Leaf()
                    made.number = next_number()
                    made.buffer = leaf.buffer
                    made.raw = tracked if delegates else None
                    return self
        new = function(self, other)
        if new is NotImplemented:
            return new
        # Raw shapes are compared for speed: a Tensor's are made into tuples first.
        if self._is_wrapped or type(new) is not type(self) or new._raw.shape != self._raw.shape:
            _check_fits(self, new)
        if new._dtype is not self._dtype and new._dtype != self._dtype:
            _check_fits(self, new)
            new = new.astype(self.dtype)
        self._become(new, buffer)
        return self

    return assign


def _check_fits(x: Tensor, new: Tensor) -> None:
    """An error where ``x`` cannot hold ``new``."""
    if new.shape != x.shape:
        raise ShapeError(f"an array of shape {x.shape} cannot hold the result, of shape {new.shape}")
    if new.dtype.kind != x.dtype.kind:
        raise DtypeError(f"an array of dtype {x.dtype} cannot hold the result, of dtype {new.dtype}")


class Tensor:
    """An array on one backend. Made by ``ug.asarray``, the creation functions and every operation."""

    __slots__ = ("__weakref__", "_buffer", "_dtype", "_node", "_parts", "_raw")

    backend: ClassVar[Backend]
    """The backend that it lives on; ``x.backend.name`` is its name."""
    _bound: ClassVar[Any]
    """The primitives, bound to this backend."""

    _raw: Any
    _node: Node | None
    # The neutral dtype, kept since most operations only pass it on: asking the framework takes as long as
    # a quarter of its smallest operation.
    _dtype: DType
    # Set only by attach_grad and retain_grad. The Tensor owns its gradient; the graph does not.
    _buffer: GradientBuffer
    # Set only on Tensors at work in a jvp or vmap, whose classes say so (``unigrad.levels``).
    _parts: DualParts | BatchParts
    _is_wrapped: ClassVar[bool] = False
    _interpret: ClassVar[Any]

    # There is no __init__: with one a call of the class takes half as long again.

    @classmethod
    def of(cls, raw: Any, node: Node | None) -> Self:
        """A Tensor of the framework's own array, which came from ``node``; without a check, and without a copy."""
        made = cls()
        made._raw = raw
        made._node = node
        made._dtype = cls.backend._neutral[raw.dtype]
        return made

    # NumPy's operators come to __array_ufunc__; what else asks leaves a mixed expression to ours.
    __array_priority__ = 1000.0

    if TYPE_CHECKING:  # the operators of OPERATORS, which each backend's class gets when it is bound, as those IN_PLACE

        def __add__(self, other: Any, /) -> Tensor: ...
        def __radd__(self, other: Any, /) -> Tensor: ...
        def __sub__(self, other: Any, /) -> Tensor: ...
        def __rsub__(self, other: Any, /) -> Tensor: ...
        def __mul__(self, other: Any, /) -> Tensor: ...
        def __rmul__(self, other: Any, /) -> Tensor: ...
        def __truediv__(self, other: Any, /) -> Tensor: ...
        def __rtruediv__(self, other: Any, /) -> Tensor: ...
        def __floordiv__(self, other: Any, /) -> Tensor: ...
        def __rfloordiv__(self, other: Any, /) -> Tensor: ...
        def __mod__(self, other: Any, /) -> Tensor: ...
        def __rmod__(self, other: Any, /) -> Tensor: ...
        def __pow__(self, other: Any, /) -> Tensor: ...
        def __rpow__(self, other: Any, /) -> Tensor: ...
        def __matmul__(self, other: Any, /) -> Tensor: ...
        def __rmatmul__(self, other: Any, /) -> Tensor: ...
        def __and__(self, other: Any, /) -> Tensor: ...
        def __rand__(self, other: Any, /) -> Tensor: ...
        def __or__(self, other: Any, /) -> Tensor: ...
        def __ror__(self, other: Any, /) -> Tensor: ...
        def __xor__(self, other: Any, /) -> Tensor: ...
        def __rxor__(self, other: Any, /) -> Tensor: ...
        def __lshift__(self, other: Any, /) -> Tensor: ...
        def __rlshift__(self, other: Any, /) -> Tensor: ...
        def __rshift__(self, other: Any, /) -> Tensor: ...
        def __rrshift__(self, other: Any, /) -> Tensor: ...
        def __lt__(self, other: Any, /) -> Tensor: ...
        def __le__(self, other: Any, /) -> Tensor: ...
        def __gt__(self, other: Any, /) -> Tensor: ...
        def __ge__(self, other: Any, /) -> Tensor: ...
        def __eq__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...

    # --- what it is ---------------------------------------------------------------------------------

    @property
    def raw(self) -> Any:
        """The framework's own array, not a copy."""
        return self._raw

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(self._raw.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._raw.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self._raw.shape)

    @property
    def dtype(self) -> DType:
        """The dtype, as a NumPy dtype on every backend."""
        return self._dtype

    @property
    def device(self) -> Any:
        """The device, as the backend names it."""
        return self.backend.device(self._raw)

    def __repr__(self) -> str:
        values = np.array2string(self.numpy(), separator=", ", prefix="Tensor(")
        return f"Tensor({values}, dtype={self.dtype}, backend={self.backend.name!r})"

    def __str__(self) -> str:
        return str(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # Arrays are compared by element, and told apart as dictionary keys by identity.
    def __hash__(self) -> int:
        return id(self)

    # --- gradients ----------------------------------------------------------------------------------

    def attach_grad(self, grad_req: str = "write") -> None:
        """Give this array a gradient, zeros at first, and have operations on it recorded.

        ``grad_req``: ``"write"`` replaces the gradient at each backward, ``"add"`` adds to it,
        ``"null"`` asks for none. A recorded intermediate is first cut from its history, as if
        ``x = x.detach()``. Raises DtypeError unless the dtype is floating, real or complex.
        The gradient of a complex array is in the conjugate form: the direction of steepest ascent.
        """
        attach(self, grad_req)

    @property
    def grad(self) -> Tensor | None:
        """The gradient, of this array's shape, dtype and device, or None if none was attached."""
        buffer = getattr(self, "_buffer", None)
        return None if buffer is None else buffer.grad

    def zero_grad(self) -> None:
        """Set the gradient to zeros; ArgumentError if none is attached."""
        buffer = getattr(self, "_buffer", None)
        if buffer is None:
            raise ArgumentError("this array has no gradient to clear; call x.attach_grad() first")
        if buffer.grad is not None:
            buffer.grad = self.detach().zeros_like()

    def retain_grad(self) -> None:
        """Have this recorded intermediate's gradient kept at each backward, without cutting its history."""
        retain(self)

    def detach(self) -> Tensor:
        """The same values without history: no gradient flows back from what is computed with it.

        Nor does one that the framework itself computes, inside ``jax.grad`` or a ``tf.GradientTape``.
        """
        return self._with_values(self.backend.constant(self._raw))

    def _unrecorded(self) -> Tensor:
        """The same values without unigrad's history alone."""
        raw = self._raw if self._node is None else self.backend.detached(self._raw)
        return self._with_values(raw)

    def backward(self, head_grad: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Write the gradients of this array (of its sum) into everything attached that it depends on.

        ``head_grad``, of exactly this shape and dtype, makes it the vector-Jacobian product. See
        :func:`unigrad.backward`.
        """
        engine = unigrad.engine
        if head_grad is not None or create_graph or not engine.backward_plainly(self, retain_graph):
            engine.backward_fully(self, head_grad, retain_graph, create_graph)

    # --- conversion -----------------------------------------------------------------------------------

    def numpy(self) -> np.ndarray[Any, Any]:
        """A NumPy array with a copy of the values."""
        return np.array(self.backend.to_numpy(self._raw))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        self.refuse_if_recorded("convert it to NumPy", "x.detach()")
        values = np.asarray(self.backend.to_numpy(self._raw), dtype=dtype)
        if copy:
            return np.array(values)
        values = values.view()
        values.flags.writeable = False
        return values

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule, of this memory unless ``copy`` is True. On a recorded array it raises while recording."""
        self.refuse_if_recorded("export it through DLPack", "x.detach()")
        where = {"stream": stream, "dl_device": None if dl_device is None else (int(dl_device[0]), dl_device[1])}
        raw = self.backend.detached(self._raw)
        try:
            return self.backend.to_dlpack(raw, copy, max_version, **where)
        except UnigradError:
            raise
        except (BufferError, ValueError, RuntimeError, TypeError) as error:
            raise InterchangeError(
                f"backend {self.backend.name!r} cannot export an array of dtype {self.dtype} through DLPack: {error}"
            ) from error

    def __dlpack_device__(self) -> tuple[int, int]:
        """The kind of device and its number, as DLPack has them."""
        return self.backend.dlpack_device(self.backend.detached(self._raw))

    def refuse_if_recorded(self, what: str, instead: str) -> None:
        """Raise where a conversion would silently cut the graph of a recorded array."""
        if self._followed:
            raise UnsupportedError(
                f"to {what} would cut this array's gradient while recording; use {instead}, "
                f"or x.numpy() if that is meant"
            )

    @property
    def _followed(self) -> bool:
        """Whether what is computed with this array now is followed: recorded, or at work in a jvp or vmap."""
        return self._is_wrapped or (self._node is not None and bool(recording_mode()))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from unigrad.protocols import array_ufunc

        return array_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from unigrad.protocols import array_function

        return array_function(self, function, types, args, kwargs)

    def item(self) -> Any:
        """The one element as a Python scalar; ShapeError if there is not exactly one."""
        if self.size != 1:
            raise ShapeError(f"only an array of one element is a Python scalar, and this one has shape {self.shape}")
        return self.backend.to_numpy(self._raw).item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self.backend.to_numpy(self._raw).tolist()

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.ndim:
            raise DtypeError(f"only a 0-dimensional integer array is an index, not {self.dtype} of shape {self.shape}")
        return int(self.item())

    def __floor__(self) -> int:
        return math.floor(self.item())

    def __ceil__(self) -> int:
        return math.ceil(self.item())

    def __trunc__(self) -> int:
        return math.trunc(self.item())

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.item(), ndigits)

    def __len__(self) -> int:
        if not self.ndim:
            raise DtypeError("a 0-dimensional array has no length; float(x) is its value")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[position] for position in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def copy(self) -> Tensor:
        """The same values in memory of their own, recorded like any operation."""
        from unigrad.operations import elementwise

        if self._followed:
            return elementwise.add(self, 0)
        return self.backend.tensor_type.of(self.backend.copied(self._raw), None)

    def __copy__(self) -> Tensor:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        # A variable's copy is a variable of its own. Whoever copies what was computed would lose its history.
        if not isinstance(self._node, Leaf):
            self.refuse_if_recorded("copy it deeply", "copy.copy(x) or x.detach()")
        twin = self.detach().copy()
        buffer = getattr(self, "_buffer", None)
        if buffer is not None:
            twin.attach_grad(buffer.request)
            if buffer.grad is not None:
                twin._buffer.grad = buffer.grad.detach().copy()
        return twin

    def __reduce__(self) -> Any:
        return _rebuild, (self.backend.name, self.numpy())

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The same values on another device of the backend; ArgumentError if it has no such device."""
        from unigrad.backend import check_device

        check_device(self.backend, device)
        if str(device) == str(self.device):
            return self
        return type(self).of(self.backend.to_device(self.backend.detached(self._raw), device), None)

    def to_backend(self, name: str) -> Tensor:
        """The same values on another backend: differentiable, so that a backward goes through both frameworks.

        An array on an accelerator stays there if the other backend reaches any; all others go to its default device.
        JAX and TensorFlow share memory with each other, and with NumPy, whose array is then read-only; everything else
        is copied, since it can be written to. BackendError for a backend that is not there; UnsupportedError if it
        lacks the dtype, or while the framework traces a program.
        """
        from unigrad.interchange import moved

        return moved(self, name)

    # --- arrays like this one ----------------------------------------------------------------------------

    def asarray_like(self, values: Any) -> Tensor:
        """Numbers or nested lists as an array of this one's dtype, backend and device."""
        from unigrad.operations import creation

        return creation.asarray(values, dtype=self.dtype, like=self)

    def zeros_like(self) -> Tensor:
        """Zeros of this shape, dtype, backend and device."""
        return self._with_values(self.backend.filled_like(self._raw, 0))

    def ones_like(self) -> Tensor:
        """Ones of this shape, dtype, backend and device."""
        return self._with_values(self.backend.filled_like(self._raw, 1))

    def _with_values(self, raw: Any) -> Tensor:
        """A raw array of this one's dtype and backend as a Tensor without history."""
        made = self.backend.tensor_type()
        made._raw = raw
        made._node = None
        made._dtype = self._dtype
        return made

    # --- selecting and changing -----------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Tensor:
        from unigrad.operations.indexing import getitem

        return getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        from unigrad.operations.indexing import setitem

        buffer = self._writable() if type(self._node) is Leaf else None
        self._become(setitem(self, key, value), buffer)

    def _writable(self) -> GradientBuffer | None:
        """The buffer of this leaf, None if it has no gradient, as the variables of functional forms; LeafWriteError
        while recording."""
        buffer = getattr(self, "_buffer", None)
        if buffer is not None and recording_mode():
            raise LeafWriteError(
                "an array with an attached gradient cannot be changed while recording; write to it outside "
                "record() or inside 'with ug.pause():', or compute a new array (y = x + v)"
            )
        return buffer

    def _become(self, new: Tensor, buffer: GradientBuffer | None) -> None:
        """Hold another value. What was recorded with the old one keeps it; an attached leaf keeps its ``buffer``."""
        if buffer is not None:
            raw = new._raw if new._node is None else self.backend.detached(new._raw)
            become_leaf(self, self.backend.fresh_leaf(raw), buffer)
        else:
            self._raw, self._node = new._raw, new._node
            if self._is_wrapped or new._is_wrapped:
                self.__class__ = type(new)
                self._parts = getattr(new, "_parts", None)  # type: ignore[assignment]
            if getattr(self, "_buffer", None) is not None and self._node is not None:
                del self._buffer

    def __pos__(self) -> Tensor:
        return self

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    @property
    def real(self) -> Tensor:
        """The real part; see :func:`unigrad.real`."""
        result: Tensor = self._bound.real(self)
        return result

    @property
    def imag(self) -> Tensor:
        """The imaginary part; see :func:`unigrad.imag`."""
        result: Tensor = self._bound.imag(self)
        return result

    def conj(self) -> Tensor:
        """The complex conjugate; see :func:`unigrad.conj`."""
        result: Tensor = self._bound.conj(self)
        return result

    # --- NumPy's everyday methods -----------------------------------------------------------------------------

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        from unigrad.operations.shapes import permute_dims

        return permute_dims(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        from unigrad.operations.shapes import matrix_transpose

        return matrix_transpose(self)

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.sum`."""
        from unigrad.operations import reductions

        return reductions.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.prod`."""
        from unigrad.operations import reductions

        return reductions.prod(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.mean`."""
        from unigrad.operations import reductions

        return reductions.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.var`."""
        from unigrad.operations import reductions

        return reductions.var(self, axis=axis, correction=correction, keepdims=keepdims)

    def std(self, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.std`."""
        from unigrad.operations import reductions

        return reductions.std(self, axis=axis, correction=correction, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.max`."""
        from unigrad.operations import reductions

        return reductions.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.min`."""
        from unigrad.operations import reductions

        return reductions.min(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.any`."""
        from unigrad.operations import reductions

        return reductions.any(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.all`."""
        from unigrad.operations import reductions

        return reductions.all(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.argmax`."""
        from unigrad.operations import reductions

        return reductions.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.argmin`."""
        from unigrad.operations import reductions

        return reductions.argmin(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None, dtype: Any = None) -> Tensor:
        """See :func:`unigrad.cumulative_sum`."""
        from unigrad.operations import reductions

        return reductions.cumulative_sum(self, axis=axis, dtype=dtype)

    def cumprod(self, axis: int | None = None, dtype: Any = None) -> Tensor:
        """See :func:`unigrad.cumulative_prod`."""
        from unigrad.operations import reductions

        return reductions.cumulative_prod(self, axis=axis, dtype=dtype)

    def dot(self, other: Any) -> Tensor:
        """See :func:`unigrad.dot`."""
        from unigrad.operations import contractions

        return contractions.dot(self, other)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The elements in C order under another shape: ``x.reshape(2, -1)`` or ``x.reshape((2, -1))``."""
        from unigrad.operations import shapes

        return shapes.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[arg-type]

    def ravel(self) -> Tensor:
        """The elements in C order as a vector."""
        return self.reshape(-1)

    def flatten(self) -> Tensor:
        """The elements in C order as a vector."""
        return self.reshape(-1)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in the order given, or reversed."""
        from unigrad.operations import shapes

        if not axes or axes == (None,):
            return self.T
        return shapes.permute_dims(self, axes[0] if len(axes) == 1 else axes)

    def squeeze(self, axis: Any = None) -> Tensor:
        """See :func:`unigrad.squeeze`."""
        from unigrad.operations import shapes

        return shapes.squeeze(self, axis)

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """See :func:`unigrad.astype`."""
        from unigrad.operations import creation

        return creation.astype(self, dtype, copy=copy)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """See :func:`unigrad.clip`."""
        from unigrad.operations import elementwise

        return elementwise.clip(self, min, max)

    def round(self) -> Tensor:
        """See :func:`unigrad.round`."""
        result: Tensor = self._bound.round(self)
        return result

    def take(self, indices: Any, axis: int | None = None) -> Tensor:
        """See :func:`unigrad.take`."""
        from unigrad.operations import indexing

        return indexing.take(self, indices, axis=axis)

    def argsort(self, axis: int = -1, descending: bool = False) -> Tensor:
        """See :func:`unigrad.argsort`."""
        from unigrad.operations import indexing

        return indexing.argsort(self, axis=axis, descending=descending)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """See :func:`unigrad.repeat`."""
        from unigrad.operations import arranging

        return arranging.repeat(self, repeats, axis=axis)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """See :func:`unigrad.swapaxes`."""
        from unigrad.operations import arranging

        return arranging.swapaxes(self, axis1, axis2)

    def nonzero(self) -> tuple[Tensor, ...]:
        """See :func:`unigrad.nonzero`."""
        from unigrad.operations import searching

        return searching.nonzero(self)

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """See :func:`unigrad.compress`."""
        from unigrad.operations import searching

        return searching.compress(condition, self, axis=axis)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
        """See :func:`unigrad.searchsorted`."""
        from unigrad.operations import searching

        return searching.searchsorted(self, v, side=side, sorter=sorter)

    def ptp(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.ptp`."""
        from unigrad.operations import statistics

        return statistics.ptp(self, axis=axis, keepdims=keepdims)

    def norm(self, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
        """See :func:`unigrad.linalg.norm`."""
        from unigrad.operations import linalg

        return linalg.norm(self, ord=ord, axis=axis, keepdims=keepdims)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The functions of the Array API on this backend; ArgumentError if there is no such version of it."""
        from unigrad.namespaces import of_backend

        return of_backend(self.backend, api_version)


def _rebuild(backend: str, values: np.ndarray[Any, Any]) -> Tensor:
    from unigrad.backend import get_backend_object
    from unigrad.operations import creation

    target = get_backend_object(backend)
    return creation.asarray(values, like=target.tensor_type.of(target.full((), 0, values.dtype.type(0).dtype), None))
