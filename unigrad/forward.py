"""Forward mode: dual Tensors, which carry the tangent of their value with them.

A *dual* is a Tensor of a class of its own, one beside each backend's. Operations meet it where they meet
everything uncommon, off the hot path, and come here: the primitive runs on the values, its forward rule on the
tangents, and the result is a dual again. Nothing is kept of what was computed before, so memory does not
grow with the length of a program. Values and tangents are Tensors, recorded like any others: so forward mode can
be differentiated in reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from unigrad.levels import at_level, call
from unigrad.operations.table import SCALAR_TYPES, Primitive
from unigrad.operations.tangents import tangent_of
from unigrad.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.backend import Backend


class DualParts(NamedTuple):
    """What a dual is made of. ``value`` may be wrapped at a lower level itself, and so may ``tangent``."""

    value: Tensor
    tangent: Tensor
    level: int


class Dual(Tensor):
    """What the classes of duals have in common: to look at a dual is to look at its value."""

    __slots__ = ()
    _parts: DualParts

    @property
    def raw(self) -> Any:
        """The framework's own array, without the tangent."""
        return self._parts.value.raw

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self._parts.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._parts.value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._parts.value.size

    @property
    def device(self) -> Any:
        """The device."""
        return self._parts.value.device

    def __repr__(self) -> str:
        return repr(self._parts.value)

    def __str__(self) -> str:
        return str(self._parts.value)

    def detach(self) -> Tensor:
        """The value without its tangent and without history."""
        return self._parts.value.detach()

    def numpy(self) -> Any:
        """A NumPy array with a copy of the values."""
        return self._parts.value.numpy()

    def item(self) -> Any:
        """The one element as a Python scalar."""
        return self._parts.value.item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self._parts.value.tolist()

    def zeros_like(self) -> Tensor:
        """Zeros of this shape, dtype, backend and device."""
        return self._parts.value.zeros_like()

    def ones_like(self) -> Tensor:
        """Ones of this shape, dtype, backend and device."""
        return self._parts.value.ones_like()


def dual(value: Tensor, tangent: Tensor, level: int) -> Tensor:
    """``value`` with a tangent of its shape and dtype."""
    made = value.backend.dual_type()
    made._raw, made._node, made._dtype = value._raw, value._node, value._dtype
    made._parts = DualParts(value, tangent, level)
    return made


def take_apart(x: Any, level: int) -> tuple[Any, Tensor | None]:
    """The value and tangent of a dual of this level; anything else and None."""
    if at_level(x, level):
        return x._parts.value, x._parts.tangent
    return x, None


def push(row: Primitive, arrays: Sequence[Any], statics: Sequence[Any], highest: Tensor) -> Tensor:
    """A primitive of arrays of which ``highest`` and those of its level are duals; see :func:`~.levels.interpret`."""
    level = highest._parts.level
    values, tangents = [], []
    for x in arrays:
        tangent = None
        if type(x) not in SCALAR_TYPES and x._is_wrapped and x._parts.level == level:
            x, tangent, _ = x._parts
        values.append(x)
        tangents.append(tangent)
    bound = highest._bound
    if row.differentiable and not any(map(_followed, tangents)) and not any(map(_followed, values)):
        pushed = _push_by_framework(highest.backend, row, values, tangents, statics)
        if pushed is not None:
            return dual(*pushed, level)
    out: Tensor = call(bound, row, values, statics)
    if not row.differentiable:
        return out
    tangent = tangent_of(row)(bound, values, tangents, statics, out)
    if tangent is None:
        return out
    # That of one array has the result's shape, if the operation is by element.
    if (len(arrays) > 1 or row.kind != "elementwise") and tangent.shape != out.shape:
        tangent = bound.broadcast_to(tangent, out.shape)
    return dual(out, tangent, level)


def _followed(x: Any) -> bool:
    """Whether a value or tangent is recorded, or at work at another level; not so numbers, and None."""
    return isinstance(x, Tensor) and (x._node is not None or x._is_wrapped)


def _push_by_framework(
    backend: Backend,
    row: Primitive,
    values: Sequence[Any],
    tangents: Sequence[Tensor | None],
    statics: Sequence[Any],
) -> tuple[Tensor, Tensor] | None:
    """By the framework's own forward mode, which no graph and no other level must look into."""
    pushed = backend.pushforward(
        row,
        [x if type(x) in SCALAR_TYPES else x._raw for x in values],
        [None if t is None else t._raw for t in tangents],
        statics,
    )
    return (
        None if pushed is None else (backend.tensor_type.of(pushed[0], None), backend.tensor_type.of(pushed[1], None))
    )
