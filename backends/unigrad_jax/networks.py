"""Convolutions over JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax import lax
from jax.sharding import NamedSharding, PartitionSpec

from unigrad.extend import Raw, Shape
from unigrad_jax.compiled import Function, Operation, is_spread
from unigrad_jax.places import on_each
from unigrad_jax.wide import put


def convolution(
    x: Raw, w: Raw, strides: Shape, padding: tuple[tuple[int, int], ...], dilations: Shape, groups: int
) -> Raw:
    """In full precision also where JAX would by default take less, as on a GPU."""
    return lax.conv_general_dilated(
        x,
        w,
        strides,
        padding,
        rhs_dilation=dilations,
        feature_group_count=groups,
        precision=lax.Precision.HIGHEST,
    )


class Convolving(Operation):
    """A convolution of some kind, of which XLA gives wrong values where arrays are divided over the axes of a mesh.

    They are brought together on each of their devices before, but for examples, unless there are groups: these stay
    divided. Inside a program that JAX compiles as a whole nobody knows where arrays are.
    """

    def resolve(self, raws: Sequence[Raw], statics: Sequence[Any]) -> tuple[Function, Sequence[Raw]]:
        of_examples = self._row.name == "convolution" and statics[-1] == 1
        return super().resolve([_together(raws[0], of_examples), _together(raws[1], False)], statics)

    def _specialise(self, count: int, *statics: Any) -> Function:
        made = super()._specialise(count, *statics)
        made.alone = True  # what arrives may be divided
        return made


def _together(raw: Raw, but_first: bool) -> Raw:
    """An array whole on each of its devices, or divided along its first axis alone."""
    if not is_spread(raw) or raw.sharding.is_fully_replicated:
        return raw
    sharding = on_each(raw.sharding)
    if but_first and isinstance(raw.sharding, NamedSharding):
        sharding = NamedSharding(raw.sharding.mesh, PartitionSpec(*raw.sharding.spec[:1]))
    return raw if raw.sharding == sharding else put(raw, sharding)


NETWORKS: dict[str, Callable[..., Raw]] = {"convolution": convolution}
