"""The Tensor: one framework's array, and the graph node that it came from.

There is one subclass per backend, made when the backend is bound; its operators are the backend's own
functions. A Tensor is a value: indexing and reshaping give new values, and ``x[i] = v`` or ``x += v``
change what this Tensor holds and nothing else.
"""

from __future__ import annotations

import math
import reprlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import at_trace, bound, get_backend_object, note_attached
from unigrad.base.dtypes import DType, has_gradients
from unigrad.base.elsewhere import METHODS, missing
from unigrad.base.errors import (
    ArgumentError,
    DtypeError,
    GraphFreedError,
    InterchangeError,
    LeafWriteError,
    NotRecordedError,
    ShapeError,
    UnigradError,
    UnsupportedError,
)
from unigrad.base.leaving import note, watching
from unigrad.base.recording import recording_mode
from unigrad.base.tracing import trace
from unigrad.base.words import Raw
from unigrad.table import OPERATIONS
from unigrad.tape import RELEASED, Leaf, Node
from unigrad.tensor.everyday import Everyday

REQUESTS = ("write", "add", "null")

writes = [0]
"""How often any Tensor was given another value, so that who computed with one can ask whether that still holds."""


class GradientBuffer:
    """A gradient, and how a backward writes it. Held by the Tensor that it belongs to, not by the graph:
    a gradient that was itself recorded (``create_graph``) then makes no reference cycle."""

    __slots__ = ("__weakref__", "grad", "request")

    def __init__(self, grad: Tensor | None, request: str) -> None:
        self.grad = grad
        self.request = request

    def sum(self, grad: Tensor) -> Tensor:
        """What it holds and ``grad`` together."""
        if self.grad is None:
            return grad
        return (self.grad if grad._node is not None else self.grad.detach()) + grad


class RetainedBuffer(GradientBuffer):
    """The buffer of an intermediate, with the raw array that a framework's engine knows it by."""

    __slots__ = ("raw",)

    def __init__(self, grad: Tensor | None, request: str, raw: Raw) -> None:
        super().__init__(grad, request)
        self.raw = raw


retained: weakref.WeakValueDictionary[Node, RetainedBuffer] = weakref.WeakValueDictionary()
"""The buffers of retained intermediates, which their Tensors own. Kept beside the graph, since few nodes have one
and every node would pay for a slot."""


class DualParts(NamedTuple):
    """What a dual is made of. ``value`` may be wrapped at a lower level itself, and so may ``tangent``."""

    value: Tensor
    tangent: Tensor
    level: int


class BatchParts(NamedTuple):
    """What a batched Tensor is made of: ``value`` has the elements along its first axis."""

    value: Tensor
    level: int
    size: int


class Tensor(Everyday):
    """An array on one backend. Made by ``ug.asarray``, the creation functions and every operation."""

    __slots__ = ("__weakref__", "_buffer", "_dtype", "_node", "_parts", "_raw", "_root")

    backend: ClassVar[Backend]
    """The backend that it lives on; ``x.backend.name`` is its name."""
    _plain: ClassVar[type[Tensor]]
    """The class of this backend's Tensors that are not wrapped."""
    _neutral: ClassVar[Mapping[Any, DType]]
    """The neutral dtypes by the framework's own."""

    _raw: Any
    _node: Node | None
    # The neutral dtype, kept since most operations only pass it on: asking the framework takes as long as
    # a quarter of its smallest operation.
    _dtype: DType
    # Set only by attach_grad and retain_grad. The Tensor owns its gradient; the graph does not.
    _buffer: GradientBuffer
    # Set only on Tensors at work in a jvp or vmap, whose classes say so (``unigrad.tensor.levels``).
    _parts: DualParts | BatchParts
    _is_wrapped: ClassVar[bool] = False
    _interpret: ClassVar[Any]
    # Set only on roots, whose classes say so: beside each class there is one (``unigrad.tensor.roots``).
    _root: Any
    _is_root: ClassVar[bool] = False
    _rooted: ClassVar[type[Tensor]]
    _rootless: ClassVar[type[Tensor]]

    # The backends' classes have none again (``unigrad.binding.functions``): with one a call of a class takes half as
    # long again, and this class itself makes nothing.
    def __init__(self, *values: Any, **others: Any) -> None:
        raise DtypeError(
            f"Tensors are made by functions: ug.asarray({reprlib.repr(values[0]) if values else 'values'})"
        )

    @classmethod
    def of(cls, raw: Any, node: Node | None) -> Self:
        """A Tensor of the framework's own array, which came from ``node``; without a check, and without a copy."""
        made = cls()
        made._raw = raw
        made._node = node
        made._dtype = cls._neutral[raw.dtype]
        return made

    if not TYPE_CHECKING:  # to a type checker every name would be there

        def __getattr__(self, name: str) -> Any:
            # Only what is not found comes here: a slot that is not set, an error inside a property, or another's name.
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)
            raise missing("a Tensor", name, METHODS, dir(type(self)), OPERATIONS)

    @property
    def requires_grad(self) -> bool:
        """PyTorch's: here :meth:`attach_grad` gives an array a gradient. MissingNameError says so."""
        raise missing("a Tensor", "requires_grad", METHODS, ())

    @requires_grad.setter
    def requires_grad(self, value: Any) -> None:
        raise missing("a Tensor", "requires_grad", METHODS, ())

    # NumPy's operators come to __array_ufunc__; what else asks leaves a mixed expression to ours.
    __array_priority__ = 1000.0

    # --- what it is ---------------------------------------------------------------------------------

    @property
    def raw(self) -> Any:
        """The framework's own array, not a copy."""
        self._note_leaving("x.raw")
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
        """The number of elements; PyTorch's ``x.size()`` is ``x.shape``, and ``x.size(0)`` is ``x.shape[0]``."""
        return prod(self._raw.shape)

    @property
    def dtype(self) -> DType:
        """The dtype, as a NumPy dtype on every backend."""
        return self._dtype

    @property
    def device(self) -> Any:
        """The device, as the backend names it; text that says so where the array lies on several, whose ``own`` is the
        framework's word for it."""
        return self.backend.device(self._raw)

    # Whoever prints is often looking for an error already, so none of these raises.

    def _shown_values(self) -> np.ndarray[Any, Any] | None:
        """The values for printing, None where they cannot be had: while a framework traces, of ``meta`` arrays, ...;
        or are not computed yet."""
        try:
            if not self.backend.is_at_hand(self._raw):
                return None
            values = np.array(self.backend.to_numpy(self._raw))
            return values.astype(np.float32) if values.dtype.kind == "V" else values
        except Exception:
            return None

    def _described(self) -> str:
        """What is known of an array without values."""
        found = []
        for name in ("shape", "dtype", "device"):
            try:
                found.append(f"{name}={getattr(self, name)}")
            except Exception:
                continue
        return f"Tensor({', '.join(found)}, backend={self.backend.name!r}, {self.backend.described(self._raw)})"

    def __repr__(self) -> str:
        values = self._shown_values()
        if values is None:
            return self._described()
        shown = np.array2string(values, separator=", ", prefix="Tensor(")
        shape = f"shape={self.shape}, " if not values.size and values.ndim > 1 else ""  # which the brackets do not tell
        return f"Tensor({shown}, {shape}dtype={self.dtype}, backend={self.backend.name!r})"

    def __str__(self) -> str:
        values = self._shown_values()
        return self._described() if values is None else str(values)

    def __format__(self, spec: str) -> str:
        if not isinstance(spec, str):
            raise ArgumentError(f"a format is a string, not {spec!r}")
        return format(self._unrecorded().item(), spec) if spec and self._has_values() else str(self)

    def _has_values(self) -> bool:
        """Whether there are values, or will be for who asks."""
        backend, raw = self.backend, self._raw
        lazy = backend.is_known(raw) and not backend.is_at_hand(raw)
        return lazy or self._shown_values() is not None

    def _repr_html_(self) -> str:
        """What a notebook shows: the values, and below them what the array is."""
        values = self._shown_values()
        kind = f"{self.dtype}, shape {self.shape}, {self.backend.name} on {self.device}"
        state = "" if self._node is None else ", attached" if self.grad is not None else ", recorded"
        shown = self.backend.described(self._raw) if values is None else np.array2string(values, separator=", ")
        return (
            f'<div><pre style="margin: 0">{_escaped(shown)}</pre>'
            f'<small style="opacity: 0.7">Tensor: {_escaped(kind + state)}</small></div>'
        )

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
        if grad_req not in REQUESTS:
            raise ArgumentError(f"grad_req={grad_req!r} is unknown; use 'write', 'add' or 'null'")
        if not has_gradients(self.dtype):
            raise DtypeError(
                f"only floating arrays have gradients, and this one is {self.dtype}; "
                f"convert it first: x = x.astype(ug.float32)"
            )
        if self._is_wrapped:
            raise UnsupportedError(
                "inside jvp and vmap no gradient can be attached; use ug.grad or ug.vjp there instead of attach_grad "
                "and backward"
            )
        self._refuse_outside("attach_grad()")
        engine = self.backend.engine
        raw = engine.constant(self._raw) if self._node is not None else self._raw
        if grad_req == "null":
            self._raw, self._node, self._buffer = raw, None, GradientBuffer(None, grad_req)
        else:
            note_attached(self.backend)
            self._hold_leaf(engine.leaf(raw), GradientBuffer(self.zeros_like(), grad_req))

    def _hold_leaf(self, tracked: Raw, buffer: GradientBuffer) -> None:
        """Hold an array that its framework tracks, as a leaf whose gradient goes to ``buffer``."""
        self._raw = tracked
        self._node = Leaf().filled(tracked if self.backend.engine.orders else None, weakref.ref(buffer))
        self._buffer = buffer

    def _free_leaf(self) -> Tensor:
        """The same values as a leaf that has no buffer, and that its holder may write to: for functional forms."""
        engine = self.backend.engine
        tracked = engine.leaf(engine.detached(self._raw) if self._node is not None else self._raw)
        buffer = weakref.ref(GradientBuffer(None, "null"))
        return type(self).of(tracked, Leaf().filled(tracked if engine.orders else None, buffer))

    @property
    def grad(self) -> Tensor | None:
        """The gradient, of this array's shape, dtype and device, or None if none was attached."""
        buffer = getattr(self, "_buffer", None)
        at_work = trace()
        if at_work is not None:
            found: Tensor | None = at_work.gradient_of(self, buffer)
            return found
        return None if buffer is None else buffer.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        """Hold another gradient, of this array's shape and dtype, as after ``x.grad *= 0.5``; None: zeros.

        ArgumentError if no gradient is attached, ShapeError for another shape.
        """
        buffer = getattr(self, "_buffer", None)
        if buffer is None or buffer.grad is None:
            raise ArgumentError("this array has no gradient to change; call x.attach_grad() first")
        self._refuse_outside("x.grad = ...")
        if value is None:
            return self.zero_grad()
        found: Tensor = OPERATIONS["asarray"](value, dtype=self.dtype, like=self)
        if found.shape != self.shape:
            raise ShapeError(f"a gradient of shape {found.shape} does not fit an array of shape {self.shape}")
        buffer.grad = found

    def zero_grad(self) -> None:
        """Set the gradient to zeros; ArgumentError if none is attached."""
        buffer = getattr(self, "_buffer", None)
        if buffer is None:
            raise ArgumentError("this array has no gradient to clear; call x.attach_grad() first")
        self._refuse_outside("zero_grad()")
        if buffer.grad is not None:
            buffer.grad = self.detach().zeros_like()

    def retain_grad(self) -> None:
        """Have this recorded intermediate's gradient kept at each backward, without cutting its history."""
        node = self._node
        if node is None:
            raise NotRecordedError(
                "retain_grad() keeps the gradient of a recorded intermediate, and this array was not recorded; "
                "compute it inside 'with ug.record():', or call x.attach_grad()"
            )
        if node.number == RELEASED:
            raise GraphFreedError("this intermediate's graph was released by a backward; record it again")
        if node not in retained and type(node) is not Leaf:
            self._buffer = retained[node] = RetainedBuffer(None, "write", self._raw)

    def detach(self) -> Tensor:
        """The same values without history: no gradient flows back from what is computed with it.

        Nor does one that the framework itself computes, inside ``jax.grad`` or a ``tf.GradientTape``.
        """
        return self._with_values(self.backend.engine.constant(self._raw))

    def _unrecorded(self) -> Tensor:
        """The same values without unigrad's history alone."""
        raw = self._raw if self._node is None else self.backend.engine.detached(self._raw)
        return self._with_values(raw)

    # --- conversion -----------------------------------------------------------------------------------

    def numpy(self) -> np.ndarray[Any, Any]:
        """A NumPy array with a copy of the values."""
        self._note_leaving("x.numpy()")
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
        raw = self.backend.engine.detached(self._raw)
        try:
            return self.backend.to_dlpack(raw, copy, max_version, **where)
        except UnigradError:
            raise
        except (BufferError, ValueError, RuntimeError, TypeError) as error:
            raise self._no_export(error) from error

    def __dlpack_device__(self) -> tuple[int, int]:
        """The kind of device and its number, as DLPack has them; InterchangeError for an array on several."""
        try:
            return self.backend.dlpack_device(self.backend.engine.detached(self._raw))
        except (BufferError, ValueError, RuntimeError, TypeError) as error:
            raise self._no_export(error) from error

    def _no_export(self, error: Exception) -> InterchangeError:
        return InterchangeError(
            f"backend {self.backend.name!r} cannot export an array ({self.dtype}, {self.device}) through DLPack: "
            f"{error}; x.numpy() gives its values"
        )

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

    def _note_leaving(self, how: str) -> None:
        """Tell the transforms at work that values of what they may follow are read."""
        if watching() and self._followed:
            note(how, self._node)

    def item(self, *index: Any) -> Any:
        """The one element as a Python scalar, or the one at a flat position or several indices: ``x.item(3)``.

        ShapeError if there is not exactly one, IndexRangeError for a position that is not there.
        """
        if index:
            key = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
            return (self if len(key) > 1 else self.ravel())[key].item()
        if self.size != 1:
            raise ShapeError(f"only an array of one element is a Python scalar, and this one has shape {self.shape}")
        self._note_leaving("float(x), x.item() or the like")
        return self.backend.to_numpy(self._raw).item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        self._note_leaving("x.tolist()")
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
        found = self == value
        return bool(found.any()) if isinstance(found, Tensor) else False

    def copy(self, order: str = "C") -> Tensor:
        """The same values in memory of their own, recorded like any operation; ``order`` makes no difference."""
        if self._followed:
            return OPERATIONS["add"](self, 0)
        return self._plain.of(self.backend.copied(self._raw), None)

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
        # A variable comes back as a variable, as a deep copy of it is one; what was computed comes without its history.
        buffer = getattr(self, "_buffer", None)
        if buffer is None or isinstance(buffer, RetainedBuffer):
            return _rebuild, (self.backend.name, self.numpy())
        grad = None if buffer.grad is None else buffer.grad.numpy()
        return _rebuild, (self.backend.name, self.numpy(), buffer.request, grad)

    # --- arrays like this one ----------------------------------------------------------------------------

    def asarray_like(self, values: Any) -> Tensor:
        """Numbers or nested lists as an array of this one's dtype, backend and device."""
        return OPERATIONS["asarray"](values, dtype=self.dtype, like=self)

    def zeros_like(self) -> Tensor:
        """Zeros of this shape, dtype, backend and device."""
        return self._with_values(self.backend.filled_like(self._raw, 0))

    def ones_like(self) -> Tensor:
        """Ones of this shape, dtype, backend and device."""
        return self._with_values(self.backend.filled_like(self._raw, 1))

    def _with_values(self, raw: Any) -> Tensor:
        """A raw array of this one's dtype and backend as a Tensor without history."""
        made = self._plain()
        made._raw = raw
        made._node = None
        made._dtype = self._dtype
        return made

    # --- selecting and changing -----------------------------------------------------------------------------

    def _writable(self) -> GradientBuffer | None:
        """The buffer of this leaf, None if it has no gradient, as the variables of functional forms; LeafWriteError
        while recording."""
        if trace() is not None:
            self._refuse_outside("to write to it")
        writes[0] += 1
        buffer = getattr(self, "_buffer", None)
        if buffer is not None and recording_mode():
            raise LeafWriteError(
                "an array with an attached gradient cannot be changed while recording; write to it outside "
                "record() or inside 'with ug.pause():', or compute a new array (y = x + v)"
            )
        return buffer

    def _refuse_outside(self, what: str) -> None:
        """UnsupportedError if this is an array from outside of what is being traced, which ``what`` would change."""
        if at_trace(self.backend) is not self.backend:
            raise UnsupportedError(
                f"a compiled function cannot change an array from outside: {what} would happen once, when it is "
                f"traced, and at no later call; return the new value and write it outside, or pass the array as an "
                f"argument"
            )

    def _become(self, new: Tensor, buffer: GradientBuffer | None) -> None:
        """Hold another value. What was recorded with the old one keeps it; an attached leaf keeps its ``buffer``."""
        if trace() is not None:
            self._refuse_outside("to write to it")
        writes[0] += 1
        if buffer is not None:
            engine = self.backend.engine
            raw = new._raw if new._node is None else engine.detached(new._raw)
            self._hold_leaf(engine.fresh_leaf(raw), buffer)
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

    if TYPE_CHECKING:  # given by the floors above, with :func:`tensor_method`

        def backward(self, head_grad: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None: ...
        def to_backend(self, name: str) -> Tensor: ...
        def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def __setitem__(self, key: Any, value: Any) -> None: ...


Method = TypeVar("Method", bound=Callable[..., Any])


def tensor_method(name: str) -> Callable[[Method], Method]:
    """Make a function of a floor above the method of this name."""

    def give(function: Method) -> Method:
        function.__name__, function.__qualname__ = name, f"Tensor.{name}"
        setattr(Tensor, name, function)
        return function

    return give


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def type_on(backend: Backend) -> type[Tensor]:
    """The class of a backend's Tensors."""
    found: type[Tensor] = bound[backend].tensor_type
    return found


def conjugated(g: Tensor) -> Tensor:
    """From a gradient as users have it, in the conjugate form, to one as the rules have it, and back."""
    return g._bound.conj(g) if g._dtype.kind == "c" else g


def _rebuild(
    backend: str, values: np.ndarray[Any, Any], request: str | None = None, grad: np.ndarray[Any, Any] | None = None
) -> Tensor:
    target = get_backend_object(backend)
    like = type_on(target).of(target.full((), 0, values.dtype.type(0).dtype), None)
    found: Tensor = OPERATIONS["asarray"](values, like=like)
    if request is not None:
        found.attach_grad(request)
        if grad is not None:
            found._buffer.grad = OPERATIONS["asarray"](grad, like=like)
    return found


_rebuild.__module__ = "unigrad.tensor"  # the name that pickles know
