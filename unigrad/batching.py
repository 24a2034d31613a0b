"""Batched Tensors: one element of a batch to the function, the whole batch to the framework.

``vmap`` gives the function Tensors of a class of its own, one beside each backend's. Such a Tensor has the shape of one
element; it holds a *value* with all of them along a first axis. An operation on batched Tensors is carried out on the
values at once, by the *batching rule* of its primitive (``unigrad.operations.batched``), and its result is batched
again. The values are Tensors, recorded or wrapped like any others: so gradients of a batch, and a batch of gradients,
need nothing else.

What depends on the batch has no one value: to look at it (``bool(x)``, ``x.numpy()``) raises. Checks that concern
every element alike (whether indices are in range) look at the values of all, which lie :func:`~.levels.beneath`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from unigrad.errors import UnigradError, UnsupportedError
from unigrad.forward import Dual, dual
from unigrad.levels import at_level, is_wrapped
from unigrad.operations.batched import one_by_one, rule_for
from unigrad.operations.table import Primitive
from unigrad.tensor import Tensor

mapped: ContextVar[tuple[tuple[int, int], ...]] = ContextVar("unigrad_mapped", default=())
"""Level and size of every ``vmap`` that is under way here, outermost first."""


class BatchParts(NamedTuple):
    """What a batched Tensor is made of: ``value`` has the elements along its first axis."""

    value: Tensor
    level: int
    size: int


class Batched(Tensor):
    """What the classes of batched Tensors have in common."""

    __slots__ = ()
    _parts: BatchParts

    @property
    def raw(self) -> Any:
        """There is none: it raises UnsupportedError."""
        raise _unknown("it is not its framework's array")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one element."""
        return self._parts.value.shape[1:]

    @property
    def ndim(self) -> int:
        """The number of axes of one element."""
        return self._parts.value.ndim - 1

    @property
    def size(self) -> int:
        """The number of numbers in one element."""
        found = 1
        for length in self.shape:
            found *= length
        return found

    @property
    def device(self) -> Any:
        """The device of the batch."""
        return self._parts.value.device

    def __repr__(self) -> str:
        return f"Tensor(one of {self._parts.size} of shape {self.shape}, dtype={self.dtype})"

    __str__ = __repr__

    def detach(self) -> Tensor:
        """The same values without history."""
        return batched(self._parts.value.detach(), self._parts.level)

    def numpy(self) -> Any:
        """It raises UnsupportedError."""
        raise _unknown("it is not a NumPy array")

    def item(self) -> Any:
        """It raises UnsupportedError."""
        raise _unknown("it is not a Python number, and control flow cannot depend on it (use ug.where)")

    def tolist(self) -> Any:
        """It raises UnsupportedError."""
        raise _unknown("it is not a list")

    def refuse_if_recorded(self, what: str, instead: str) -> None:
        """It raises UnsupportedError."""
        # Who would have to detach it first wants its values.
        raise _unknown(f"one cannot {what}" + ("" if instead == "x.detach()" else f" (use {instead})"))

    def __dlpack_device__(self) -> tuple[int, int]:
        raise _unknown("one cannot export it through DLPack")

    def copy(self) -> Tensor:
        """The same values in memory of their own, recorded like any operation."""
        return batched(self._parts.value.copy(), self._parts.level)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The batch on another device of the backend."""
        return batched(self._parts.value.to_device(device, stream=stream), self._parts.level)

    def _filled(self, number: float) -> Tensor:
        raw = self.backend.full(self.shape, number, self.dtype, self.device)
        return self.backend.tensor_type.of(raw, None)

    def zeros_like(self) -> Tensor:
        """Zeros of one element's shape."""
        return self._filled(0)

    def ones_like(self) -> Tensor:
        """Ones of one element's shape."""
        return self._filled(1)


def _unknown(why_not: str) -> UnsupportedError:
    return UnsupportedError(
        f"inside vmap an array stands for every element of the batch at once, so {why_not}; "
        f"compute it outside vmap, or map over a Python loop instead"
    )


def batched(value: Tensor, level: int) -> Tensor:
    """The batch of what lies along the first axis of ``value``."""
    made = value.backend.batched_type()
    made._raw, made._node, made._dtype = None, value._node, value._dtype
    made._parts = BatchParts(value, level, value.shape[0])
    return made


def unbatched(x: Tensor, level: int, size: int) -> Tensor:
    """The value of a batched Tensor of this level; of any other, ``size`` times the same along a new first axis."""
    if at_level(x, level):
        return x._parts.value
    found: Tensor = x._bound.broadcast_to(x, (size, *x.shape))
    return found


def spread(x: Tensor, level: int, size: int) -> Tensor:
    """``x`` as a batched Tensor of this level, beneath what wraps it at higher levels."""
    if not is_wrapped(x) or x._parts.level < level:
        return batched(unbatched(x, level, size), level)
    if x._parts.level == level:
        return x
    if isinstance(x, Dual):
        return dual(spread(x._parts.value, level, size), spread(x._parts.tangent, level, size), x._parts.level)
    return batched(spread(x._parts.value, level, size), x._parts.level)


def rewrapped(found: Tensor, x: Tensor) -> Tensor:
    """What was found for the elements of all batches that ``x`` is of, along the axes of these, as one such element."""
    if isinstance(x, Batched):
        return batched(rewrapped(found, x._parts.value), x._parts.level)
    return rewrapped(found, x._parts.value) if isinstance(x, Dual) else found


def batch(row: Primitive, arrays: Sequence[Any], statics: Sequence[Any], highest: Tensor) -> Tensor:
    """A primitive of arrays of which ``highest`` and those of its level are batched; see :func:`~.levels.interpret`."""
    assert isinstance(highest, Batched)
    _, level, size = highest._parts
    mask = [at_level(x, level) for x in arrays]
    values = [x._parts.value if marked else x for x, marked in zip(arrays, mask, strict=True)]
    given = (highest._bound, row, values, mask, size, statics)
    try:
        try:
            found = rule_for(row)(*given)
        except UnsupportedError:
            # A framework may take as many axes as an element has, and not one more.
            found = one_by_one(*given)
    except UnigradError as error:
        error.add_note(f"inside vmap: shapes may have the batch of {size} in front")
        raise
    return batched(found, level)
