"""Functions compiled once, their pullbacks, and the graph's nodes that call them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Sharding, SingleDeviceSharding

from unigrad.extend import CallNode, DType, Engine, Moving, Node, Numbers, Parents, Primitive, Raw, accumulate, is_array
from unigrad_jax.keys import split
from unigrad_jax.places import on_each, put_loosely
from unigrad_jax.wide import put, wide, within_transform

Mask = tuple[bool, ...]

KEPT = 256
"""How many functions a primitive keeps, one for each setting of its statics; the oldest go first."""
_numbers = {int}
"""Python's numbers that do not stay what they are beside an array."""


def met_spread() -> None:
    """From the first array on several devices on, floats and cotangents are brought to the devices of their arrays."""
    _numbers.add(float)
    Call.place = staticmethod(placed)


def is_spread(raw: Raw) -> bool:
    """Whether it is an array with values, and on several devices, or may be."""
    return not isinstance(raw, jax.core.Tracer) and type(raw.sharding) is not SingleDeviceSharding


class Function:
    """A function of arrays alone, with what derives from it; JAX compiles each for the shapes that it meets."""

    __slots__ = ("alone", "plain", "pullback", "pushforward", "run")

    def __init__(self, plain: Callable[..., Raw]) -> None:
        self.run: Callable[..., Raw] = jax.jit(plain)
        self.plain = plain
        self.alone = False
        """Whether it must not be part of a larger program, where nobody knows where its arrays are."""
        # Each is made once, and found again without a frame of Python's.
        self.pullback: Callable[[Mask], Callable[..., tuple[Raw, ...]]] = functools.cache(self._pullback)
        self.pushforward: Callable[[Mask], Callable[..., tuple[Raw, Raw]]] = functools.cache(self._pushforward)

    def _pullback(self, mask: Mask) -> Callable[..., tuple[Raw, ...]]:
        """Compiled: from a cotangent and the inputs to the cotangents of those inputs that ``mask`` marks."""
        return jax.jit(functools.partial(pull, self.plain, mask))

    def _pushforward(self, mask: Mask) -> Callable[..., tuple[Raw, Raw]]:
        """Compiled: from the inputs and the tangents of those that ``mask`` marks to the value and its tangent."""
        return jax.jit(functools.partial(_push, self.plain, mask))


def placed(share: Raw, value: Raw) -> Raw:
    """A cotangent where its variable is, but for many rows: XLA chooses the sharding of what it computes."""
    if share.ndim != value.ndim or isinstance(value, jax.core.Tracer) or share.sharding == value.sharding:
        return share
    if value.committed:
        return put(share, value.sharding)
    with wide():
        return put_loosely(share, *value.devices())


def _moving(plain: Callable[..., Raw], mask: Mask, inputs: Sequence[Raw]) -> Moving:
    """A function of those inputs that ``mask`` marks; a key's numbers, behind all that it tells of, never move."""
    count = len(mask)
    return Moving(lambda raws: plain(*raws, *inputs[count:]), inputs[:count], mask)


def pull(plain: Callable[..., Raw], mask: Mask, g: Raw, *inputs: Raw) -> tuple[Raw, ...]:
    moving = _moving(plain, mask, inputs)
    out, transposed = jax.vjp(moving.results, *moving.primals)
    return transposed(_varying(g, out))


def _push(plain: Callable[..., Raw], mask: Mask, inputs: Sequence[Raw], tangents: Sequence[Raw]) -> tuple[Raw, Raw]:
    moving = _moving(plain, mask, inputs)
    out, tangent = jax.jvp(moving.results, moving.primals, list(map(_varying, tangents, moving.primals)))
    return out, tangent


def _varying(cotangent: Raw, like: Raw) -> Raw:
    """A cotangent or tangent of ``like``. Inside shard_map JAX wants the two to vary over the same axes of the mesh,
    and a constant varies over none."""
    return jnp.where(like == like, cotangent, cotangent) if jax.sharding.get_abstract_mesh().manual_axes else cotangent


class Call(CallNode):
    """One recorded call of a :class:`Function`."""

    __slots__ = ("function", "inputs")

    def pull(self, xp: Any, g: Raw, cotangents: dict[Node, Raw], owned: dict[Node, bool]) -> None:
        tracked = [parent for parent in self.more if parent is not None]
        mask = tuple([parent is not None for parent in self.more])
        shares = self.function.pullback(mask)(g, *self.inputs)
        if is_spread(g):
            shares = map(placed, shares, [value for value, marked in zip(self.raws, mask, strict=True) if marked])
        for parent, share in zip(tracked, shares, strict=True):
            accumulate(cotangents, owned, parent, share)

    def release(self) -> None:
        super().release()
        self.function = self.inputs = None


class Operation:
    """A primitive over raw arrays: :meth:`function` for one setting of its statics, and the call itself."""

    by_rules = False
    """Whether forward mode must take unigrad's rules, because JAX has none."""

    def __init__(self, row: Primitive, plain: Callable[..., Raw]) -> None:
        self._row = row
        self._plain = plain
        self._count = 1 if row.variadic else len(row.arrays)
        self._specialised = functools.lru_cache(KEPT)(self._specialise)

    def _specialise(self, count: int, *statics: Any) -> Function:
        plain, row = self._plain, self._row
        if row.variadic:
            return Function(lambda *arrays: plain(arrays, *statics))
        return Function(lambda *arrays: plain(*arrays[:count], *statics, *arrays[count:]))

    def resolve(self, raws: Sequence[Raw], statics: Sequence[Any]) -> tuple[Function, Sequence[Raw]]:
        """The function for these statics, and all that it is called with: the arrays, then a key's numbers."""
        count = len(raws)
        if "key" in self._row.statics:
            if self._row.name == "getitem" and isinstance(raws[0], jax.core.Tracer):
                key = statics[0]
                if not any(map(is_array, key)):
                    # In a program that is compiled as a whole places may be constants, and XLA fuses what it knows.
                    return Function(lambda x: x[key]), raws
            layout, numbers = split(statics[0])
            return self._specialised(count, layout, *statics[1:]), (*raws, *numbers)
        if self._row.scalars:
            raws = [_beside(raw, raws) if type(raw) in _numbers else raw for raw in raws]
        return self._specialised(count, *statics), raws

    def __call__(self, *args: Any) -> Raw:
        count = self._count
        raws = args[0] if self._row.variadic else args[:count]
        function, inputs = self.resolve(raws, args[count:])
        with wide():
            return function.run(*inputs)


def _beside(scalar: float, raws: Sequence[Raw]) -> Raw:
    """A Python integer as a float where the other operand is floating: one function then serves both. A float beside
    an array on several devices as an array on them: JAX takes longer to bring it there at each call than to compute."""
    arrays = [raw for raw in raws if hasattr(raw, "dtype")]
    if type(scalar) is int and any(np.dtype(raw.dtype).kind == "f" for raw in arrays):
        scalar = float(scalar)
    if float in _numbers and type(scalar) is float and not within_transform():
        for raw in arrays:
            if is_spread(raw):
                return _on_each(scalar, math.copysign(1, scalar), raw.sharding)
    return scalar


def _made(number: float, dtype: DType) -> Raw:
    with wide():
        return jnp.asarray(number, dtype)


def _plain(number: float, dtype: DType) -> Any:
    """As its array will be, so that one compiled function serves both."""
    has_array = dtype.kind == "f" and dtype.itemsize > 2 and float not in _numbers
    return dtype.type(number) if has_array and abs(number) < 1e38 else float(number)


NUMBERS = Numbers(_made, stay=lambda: float in _numbers or within_transform(), plain=_plain)


@functools.lru_cache(KEPT)
def _on_each(scalar: float, sign: float, sharding: Sharding) -> Raw:
    """As weak in its dtype as the number itself. Two zeros are equal, and differ by their ``sign``."""
    with jax.enable_x64(True):
        return jax.device_put(jnp.asarray(scalar), on_each(sharding))


class JaxEngine(Engine):
    """unigrad walks the graph, JAX derives and compiles each step."""

    pulls_raw = True
    stops_at_inputs = True
    raw_pass = staticmethod(wide)

    def record(
        self, primitive: Primitive, parents: Parents, raws: Sequence[Raw], statics: Sequence[Any]
    ) -> tuple[Raw, Node]:
        function, inputs = self.backend.functions[primitive.name].resolve(raws, statics)
        with wide():
            out = function.run(*inputs)
        node = Call(primitive, parents, raws, statics, out)
        node.function, node.inputs = function, inputs
        return out, node

    def constant(self, raw: Raw) -> Raw:
        return jax.lax.stop_gradient(raw) if isinstance(raw, jax.core.Tracer) else raw

    def pushforward(
        self, primitive: Primitive, raws: Sequence[Raw], tangents: Sequence[Raw | None], statics: Sequence[Any]
    ) -> tuple[Raw, Raw] | None:
        operation = self.backend.functions[primitive.name]
        if operation.by_rules:
            return None
        function, inputs = operation.resolve(raws, statics)
        mask = tuple([tangent is not None for tangent in tangents])
        moving = [(tangent, value) for tangent, value in zip(tangents, inputs, strict=False) if tangent is not None]
        with wide():
            return function.pushforward(mask)(
                inputs, [placed(tangent, value) if is_spread(tangent) else tangent for tangent, value in moving]
            )
