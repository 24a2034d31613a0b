"""Norms where one is 0, and what is proportional to them: square roots that know what they are the root of.

The slope of a norm at 0 is chosen (0, of least norm), and by it ``norm(x) ** 2`` would have the Hessian 0 there, where
that of the polynomial is 2: a rule of the norm sees a cotangent of 0, and not what it is the limit of. So the norm is a
*root*, a Tensor of a class of its own beside each of a backend's, which operations meet where they meet all that is
uncommon. The square of a root is, where it is 0, what it is the root of; products, quotients and parts of a root are
roots; and to all else it is the Tensor that it would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from unigrad.base.dtypes import REAL_FLOATING
from unigrad.table import Primitive
from unigrad.tensor.levels import beneath
from unigrad.tensor.tensor import Tensor


class Root(NamedTuple):
    """What a root knows."""

    found: Tensor
    """It as an ordinary Tensor."""
    source: Any
    """Equal for roots that are equal by how they were computed."""
    radicand: Callable[[], Tensor]
    """What it is the square root of, computed when it is asked for."""


def is_root(found: Tensor) -> bool:
    """Whether a norm is to be one: where it is followed, and an element is 0 or may be."""
    backend, raw = found.backend, (beneath(found) if found._is_wrapped else found)._raw
    if found._node is None and not found._is_wrapped:
        return not backend.is_known(raw)
    return backend.may_hold_zero(raw)


def rooted(found: Tensor, source: Any, radicand: Callable[[], Tensor]) -> Tensor:
    """``found`` as a root."""
    made = _twin(found, type(found)._rooted)
    made._root = Root(found, source, radicand)
    return made


def sized(row: Primitive, found: Tensor, x: Tensor) -> Tensor:
    """A primitive with a ``radicand``, found of a complex ``x``, as a root if it is to be one."""
    if not is_root(found):
        return found
    x, radicand = unchanging(x), row.radicand
    assert radicand is not None
    return rooted(found, (row.name, identity(x)), lambda: radicand(x._bound, x))


def _twin(x: Tensor, kind: type[Tensor]) -> Tensor:
    made = kind()
    made._raw, made._node, made._dtype = x._raw, x._node, x._dtype
    if x._is_wrapped:
        made._parts = x._parts
    return made


def unchanging(x: Any) -> Any:
    """An ordinary Tensor that keeps the value of ``x`` when that is given another; what is no Tensor as it is."""
    return _twin(x, type(x)._rootless) if isinstance(x, Tensor) else x


def identity(x: Any) -> Any:
    """Equal for two Tensors that are one value of one history, as long as there are such."""
    return (id(x._raw), id(x._node), id(getattr(x, "_parts", None))) if isinstance(x, Tensor) else x


def _known(x: Any) -> Root | None:
    """What ``x`` knows as a root, unless it was given another value since, or another history."""
    root: Root | None = getattr(x, "_root", None) if isinstance(x, Tensor) else None
    return root if root is not None and identity(root.found) == identity(x) else None


def of_roots(function: Callable[..., Any], row: Primitive, args: Sequence[Any], statics: Sequence[Any]) -> Any:
    """A bound primitive of one or two arrays, of which one at least is of a class of roots."""
    roots = [_known(x) for x in args]
    values = [unchanging(x) if root is None else root.found for x, root in zip(args, roots, strict=True)]
    found = function(*values, *statics)
    if found is NotImplemented or found._dtype.kind not in REAL_FLOATING:
        return found
    power = _half_power(row, args, roots)
    if power:
        bound, radicand = found._bound, roots[0].radicand()  # type: ignore[union-attr]
        squares = radicand if power == 1 else bound.power(radicand, power)
        return bound.where(bound.equal(values[0], 0), squares, found)
    radicands = _radicands(row, values, roots)
    if radicands is None or not is_root(found):
        return found
    source = (row.name, *[identity(x) if root is None else root.source for x, root in zip(values, roots, strict=True)])
    return rooted(found, source if row.kind == "elementwise" else object(), lambda: function(*radicands(), *statics))


def _half_power(row: Primitive, args: Sequence[Any], roots: Sequence[Root | None]) -> int:
    """Which power of what the first is the root of the result is; 0 if it is none of a whole exponent."""
    if roots[0] is None:
        return 0
    if row.name == "square":
        return 1
    if row.name == "multiply":
        return int(roots[1] is not None and roots[0].source == roots[1].source)
    exponent = args[1] if row.name == "power" and isinstance(args[1], (int, float)) else 0
    return int(exponent / 2) if exponent > 0 and exponent % 2 == 0 else 0


def _radicands(row: Primitive, values: Sequence[Any], roots: Sequence[Root | None]) -> Callable[[], list[Any]] | None:
    """What makes the arguments of which the primitive is the square of its result; None if it is no root."""
    first = roots[0]
    if row.name == "multiply" or (row.name == "divide" and first is not None):
        return lambda: [x * x if root is None else root.radicand() for x, root in zip(values, roots, strict=True)]
    if first is not None and len(values) == 1 and row.forward == "linear" and row.kind in _PARTS:
        return lambda: [first.radicand()]
    return None


_PARTS = ("shape", "indexing", "cast")
"""The kinds of primitives that select, repeat and rearrange elements, where they are linear."""
