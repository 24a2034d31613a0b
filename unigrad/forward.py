"""Forward mode: dual Tensors, which carry the tangent of their value with them.

A *dual* is a Tensor of a class of its own, one beside each backend's. Operations meet it where they meet
everything uncommon, off the hot path, and come here: the primitive runs on the values, its forward rule on the
tangents, and the result is a dual again. Nothing is kept of what was computed before, so memory does not
grow with the length of a program. Values and tangents are Tensors, recorded like any others: so forward mode can
be differentiated in reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from unigrad.errors import UnsupportedError
from unigrad.levels import at_level, call, is_wrapped
from unigrad.operations.table import SCALAR_TYPES, Primitive, residuals_of
from unigrad.tensor import Tensor


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
    made: Tensor = object.__new__(value.backend.dual_type)
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
    parts = [take_apart(x, level) for x in arrays]
    values, tangents = [value for value, _ in parts], [tangent for _, tangent in parts]
    bound = highest._bound
    if row.differentiable:
        found = _push_by_framework(row, values, tangents, statics)
        if found is not None:
            return dual(*found, level)
    out: Tensor = call(bound, row, values, statics)
    if not row.differentiable:
        return out
    tangent = _tangent(bound, row, values, tangents, statics, out)
    if tangent is None:
        return out
    if tangent.shape != out.shape:
        tangent = bound.broadcast_to(tangent, out.shape)
    return dual(out, tangent, level)


def _push_by_framework(
    row: Primitive, values: Sequence[Any], tangents: Sequence[Tensor | None], statics: Sequence[Any]
) -> tuple[Tensor, Tensor] | None:
    """By the framework's own forward mode, which no graph and no other level must look into."""
    given = [x for x in (*values, *tangents) if x is not None and type(x) not in SCALAR_TYPES]
    if any(is_wrapped(x) or x._node is not None for x in given):
        return None
    tensor_type = type(given[0])
    pushed = tensor_type.backend.pushforward(
        row,
        [x if type(x) in SCALAR_TYPES else x._raw for x in values],
        [None if t is None else t._raw for t in tangents],
        statics,
    )
    return None if pushed is None else (tensor_type(pushed[0], None), tensor_type(pushed[1], None))


def _tangent(
    bound: Any, row: Primitive, values: Sequence[Any], tangents: Sequence[Any], statics: Sequence[Any], out: Tensor
) -> Any:
    """The tangent of the result, or None where it is zero by definition."""
    moving = [position for position, tangent in enumerate(tangents) if tangent is not None]
    if row.forward == "linear":
        return call(bound, row, [_tangent_of(v, t) for v, t in zip(values, tangents, strict=True)], statics)
    if row.forward == "multilinear":
        swapped = [[*values[:i], tangents[i], *values[i + 1 :]] for i in moving]
        return _total([call(bound, row, arrays, statics) for arrays in swapped])
    rules = row.rules if row.forward == "transpose" else row.forward
    if isinstance(rules, str):
        raise UnsupportedError(
            f"primitive {row.name!r} has no forward rule; use reverse mode (ug.grad, ug.vjp) through it"
        )
    known = dict(zip(row.statics, statics, strict=True)) | {"out": out}
    shapes = [() if type(value) in SCALAR_TYPES else value.shape for value in values]
    if row.variadic:
        known |= {row.arrays[0]: tuple(values), f"{row.arrays[0]}_shape": shapes}
    else:
        for name, value, shape in zip(row.arrays, values, shapes, strict=True):
            dtype = out.dtype if type(value) in SCALAR_TYPES else value.dtype
            known |= {name: value, f"{name}_shape": shape, f"{name}_dtype": dtype}
    shares = []
    for position in moving:
        rule = rules[0] if row.variadic else rules[position]
        residuals = [position if name == "index" else known[name] for name in residuals_of(rule)]
        shares.append(rule(bound, tangents[position], *residuals))
    return _total([share for share in shares if share is not None])


def _tangent_of(value: Any, tangent: Tensor | None) -> Any:
    """The tangent of an input of a linear primitive: zeros of a constant, but positions stay what they are."""
    if tangent is not None:
        return tangent
    return value.zeros_like() if value.dtype.kind in "fc" else value


def _total(shares: Sequence[Tensor]) -> Tensor | None:
    total = None
    for share in shares:
        total = share if total is None else total + share
    return total
