"""What a picture of a graph consists of, whatever it is then written as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from unigrad.base.words import Shape, Values


@dataclass(eq=False)
class Vertex:
    """An array, and the operation that it came from; or many of them, folded into one."""

    label: str
    """What it is called in the picture: its variable's name, or ``v3``."""
    kind: str
    """``leaf``, ``operation``, ``constant``, ``detached``, ``crossing``, ``released`` or ``folded``."""
    operation: str = ""
    """What it came from, in words."""
    settings: str = ""
    """What the operation was told besides arrays: ``axes=(0,)``."""
    shape: Shape | None = None
    dtype: str = ""
    backend: str = ""
    value: Values | None = None
    cotangent: Values | None = None
    """What arrives at it when the heads are pulled back with ones; of what is released, what the last backward left."""
    is_head: bool = False


@dataclass(eq=False)
class Edge:
    """``target`` was computed from ``source``."""

    source: Vertex
    target: Vertex
    derivative: Values | None = None
    """The local derivative: of an elementwise operation that of each element, in the target's shape; else the Jacobian,
    of the target's shape followed by the source's, if it is small."""
    elementwise: bool = False
    share: Values | None = None
    """What the target's cotangent contributes to the source's."""
    is_plain: bool = False
    """Whether nothing is said of derivatives: in a program, which has those of its steps among its steps."""

    @property
    def is_cut(self) -> bool:
        """Whether no derivative goes along it."""
        return self.target.kind == "detached" or self.source.kind in ("constant", "detached")


@dataclass(eq=False)
class Forward:
    """Forward mode along one leaf: its tangent is ones, that of all others zero."""

    leaf: Vertex
    tangents: dict[Vertex, Values] = field(default_factory=dict)
    shares: dict[Edge, Values] = field(default_factory=dict)
    """What the source's tangent contributes to the target's."""


@dataclass(eq=False)
class Parts:
    """All of a picture."""

    vertices: Sequence[Vertex]
    """Each behind those that it was computed from."""
    edges: Sequence[Edge]
    notes: Sequence[str]
    """What is left out, and how to see it."""
    push: Callable[[], list[Forward]] = field(repr=False)

    @cached_property
    def forwards(self) -> list[Forward]:
        """Forward mode along each of the first leaves, computed when first asked for."""
        return self.push()
