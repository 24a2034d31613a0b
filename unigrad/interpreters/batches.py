"""Batched Tensors: one element of a batch to the function, the whole batch to the framework.

``vmap`` gives the function Tensors of a class of its own, one beside each backend's. Such a Tensor has the shape of one
element; it holds a *value* with all of them along a first axis. An operation on batched Tensors is carried out on the
values at once, by the *batching rule* of its primitive, and its result is batched again. The values are Tensors,
recorded or wrapped like any others: so gradients of a batch, and a batch of gradients, need nothing else.

What depends on the batch has no one value: to look at it (``bool(x)``, ``x.numpy()``) raises. Checks that concern
every element alike (whether indices are in range) look at the values of all, which lie
:func:`~unigrad.tensor.levels.beneath`.

A batching rule is ``rule(bound, row, values, mask, size, statics)``: ``bound`` holds the primitives over Tensors,
``row`` is the primitive's row of the table. Each of ``values`` that ``mask`` marks has the ``size`` elements of a batch
along its first axis, as the result must have; the others are the same for all elements. Scalars are never marked. A
rule stands beside its primitive (:func:`unigrad.table.batched`); here are the two that many share,
:func:`aligned` and :func:`further`, what rules are made of, and a loop, :func:`one_by_one`, which serves a primitive
that is declared without and where a rule has to give up.

Rules are made of the framework's own batched operations, by way of our primitives. So whatever is recorded below them
is differentiated as everything else is, on every backend alike. A framework's own way to map one operation
(``jax.vmap``, ``torch.func.vmap``, ``tf.vectorized_map``) comes to the same calls with its interpreter in between:
around one addition ``torch.func.vmap`` takes four times as long as the rule, and ``tf.vectorized_map``, which traces,
hundreds of times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from unigrad.base.errors import UnigradError, UnsupportedError
from unigrad.base.words import EVERYTHING
from unigrad.interpreters.duals import Dual, dual
from unigrad.table import SCALAR_TYPES, Primitive
from unigrad.tensor.levels import INTERPRETERS, Interpreter, at_level, call, is_wrapped
from unigrad.tensor.tensor import BatchParts, Tensor

mapped: ContextVar[tuple[tuple[int, int], ...]] = ContextVar("unigrad_mapped", default=())
"""Level and size of every ``vmap`` that is under way here, outermost first."""


class Batched(Tensor):
    """What the classes of batched Tensors have in common."""

    __slots__ = ()
    _parts: BatchParts

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

    def _shown_values(self) -> None:
        """None: there is no one value."""

    _described = __repr__

    def detach(self) -> Tensor:
        """The same values without history."""
        return batched(self._parts.value.detach(), self._parts.level)

    def refuse_if_recorded(self, what: str, instead: str) -> None:
        """It raises UnsupportedError."""
        # Who would have to detach it first wants its values.
        raise _unknown(f"one cannot {what}" + ("" if instead == "x.detach()" else f" (use {instead})"))

    def copy(self, order: str = "C") -> Tensor:
        """The same values in memory of their own, recorded like any operation."""
        return batched(self._parts.value.copy(), self._parts.level)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """The batch on another device of the backend."""
        return batched(self._parts.value.to_device(device, stream=stream), self._parts.level)

    def _filled(self, number: float) -> Tensor:
        raw = self.backend.full(self.shape, number, self.dtype, self.device)
        return self._plain.of(raw, None)

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


def _refused(why_not: str) -> Any:
    def refuse(self: Batched) -> Any:
        """It raises UnsupportedError."""
        raise _unknown(why_not)

    return refuse


for _name, _why_not in {
    "numpy": "it is not a NumPy array",
    "item": "it is not a Python number, and control flow cannot depend on it (use ug.where)",
    "tolist": "it is not a list",
    "__dlpack_device__": "one cannot export it through DLPack",
}.items():
    setattr(Batched, _name, _refused(_why_not))
setattr(Batched, "raw", property(_refused("it is not its framework's array")))  # noqa: B010


def batched(value: Tensor, level: int) -> Tensor:
    """The batch of what lies along the first axis of ``value``."""
    made = value._batched()  # type: ignore[attr-defined]
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


INTERPRETERS.append(Interpreter("_batched", Batched, "Batched", batch))


# --- batching rules ---------------------------------------------------------------------------------------------

Values = Sequence[Any]
Mask = Sequence[bool]
BatchingRule = Callable[[Any, Primitive, Values, Mask, int, Sequence[Any]], Tensor]


def rule_for(row: Primitive) -> BatchingRule:
    """The batching rule of a primitive."""
    rule = row.batching
    if rule is None:
        return one_by_one
    if isinstance(rule, str):
        return aligned if rule == "aligned" else further
    return rule


def aligned(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """As it is: with axes of size 1 behind the batch, so that all elements have as many."""
    sizes = [0 if type(x) in SCALAR_TYPES else x.ndim - marked for x, marked in zip(values, mask, strict=True)]
    axes = max(sizes)
    aligned = [
        lined_up(bound, x, axes) if marked and own < axes else x
        for x, marked, own in zip(values, mask, sizes, strict=True)
    ]
    found: Tensor = call(bound, row, aligned, statics)
    return found


def lined_up(bound: Any, x: Any, axes: int) -> Any:
    """A batch whose elements have ``axes`` axes, with ones in front of their own."""
    if x.ndim > axes:
        return x
    shape = x.shape
    return bound.reshape(x, (shape[0], *(1,) * (axes + 1 - len(shape)), *shape[1:]))


_FURTHER: dict[str, Callable[[Any, int], Any]] = {
    "axis": lambda axis, size: axis + 1,
    "axes": lambda axes, size: tuple([axis + 1 for axis in axes]),
    "shape": lambda shape, size: (size, *shape),
}


def further(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """As it is, one axis further on: axes that are counted from the front count one more, and a result's shape begins
    with the size of the batch. What works on the last axes knows neither."""
    moved = [
        _FURTHER[name](value, size) if name in _FURTHER else value
        for name, value in zip(row.statics, statics, strict=True)
    ]
    found: Tensor = call(bound, row, repeated(bound, values, mask, size), moved)
    return found


def repeated(bound: Any, values: Values, mask: Mask, size: int) -> list[Any]:
    """All as batches: what is the same for every element stands there ``size`` times."""
    return [x if marked else bound.broadcast_to(x, (size, *x.shape)) for x, marked in zip(values, mask, strict=True)]


def one_by_one(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """A loop: for primitives without a rule, and where a rule needs what there is not: an axis more than the framework
    takes, a letter more than there are."""
    if not size:
        return of_none(bound, one_by_one, row, values, mask, statics)
    # Flat, where they are taken apart and put together: so many axes any framework takes.
    rows = [
        bound.reshape(x, (size, math.prod(x.shape[1:]))) if marked else x
        for x, marked in zip(values, mask, strict=True)
    ]
    found = []
    for position in range(size):
        element = [
            bound.reshape(bound.getitem(row_of, (position, EVERYTHING)), x.shape[1:]) if marked else x
            for x, row_of, marked in zip(values, rows, mask, strict=True)
        ]
        found.append(call(bound, row, element, statics))
    shape = found[0].shape
    stacked: Tensor = bound.stack([bound.reshape(part, (math.prod(shape),)) for part in found], 0)
    return bound.reshape(stacked, (size, *shape))


def of_none(
    bound: Any, rule: BatchingRule, row: Primitive, values: Values, mask: Mask, statics: Sequence[Any]
) -> Tensor:
    """The result for a batch of no elements, which has the shape of any other but for its first axis."""
    ones = [
        x._plain.of(x.backend.full((1, *x.shape[1:]), 1, x.dtype, x.device), None) if marked else x
        for x, marked in zip(values, mask, strict=True)
    ]
    found = rule(bound, row, ones, mask, 1, statics)
    none: Tensor = bound.getitem(found, (slice(0, 0, 1), *(EVERYTHING,) * (found.ndim - 1)))
    return none


def moved(bound: Any, x: Tensor, source: int, target: int) -> Tensor:
    """One axis at another place."""
    if source == target:
        return x
    order = list(range(x.ndim))
    order.insert(target, order.pop(source))
    return bound.permute_dims(x, tuple(order))
