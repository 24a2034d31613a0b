"""Where an array is that lies on several devices at once."""

from __future__ import annotations

from typing import Any


class Spread(str):
    """What ``x.device`` is of an array on several devices: text that says so, with the framework's own word for it.

    ``own`` is what the framework places arrays by (JAX's sharding, a DTensor's mesh and placements), ``shape`` that of
    the array. A new array of this shape is placed like it, and one of another shape lies whole on each device.
    """

    own: Any
    shape: tuple[int, ...] | None

    def __new__(cls, text: str, own: Any, shape: tuple[int, ...] | None = None) -> Spread:
        self = super().__new__(cls, text)
        self.own, self.shape = own, shape
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spread) and bool(self.own == other.own)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(str(self))
