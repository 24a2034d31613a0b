"""What variables are called where a graph is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FrameType, FunctionType, ModuleType
from typing import Any

from unigrad.base.tree import branches
from unigrad.tape import Node
from unigrad.tensor.tensor import Tensor

_DEEP, _MANY = 3, 3000
"""How far containers are looked into, and at how many things in all."""


class Names:
    """Names of recorded Tensors by their nodes, and of others by their raw arrays. The first name counts."""

    def __init__(self) -> None:
        self.tensors: dict[Node, Tensor] = {}
        self._nodes: dict[Node, str] = {}
        self._raws: dict[int, str] = {}
        self._kept: list[Any] = []

    def add(self, name: str, x: Tensor) -> None:
        """Call a Tensor so, unless it has a name."""
        if x._node is not None:
            self._nodes.setdefault(x._node, name)
            self.tensors.setdefault(x._node, x)
        else:
            self._raws.setdefault(id(x._raw), name)
            self._kept.append(x._raw)

    def look_into(self, variables: Mapping[str, Any]) -> None:
        """Learn what variables hold: Tensors, containers of them, and objects with such attributes."""
        queue = [(name, value, 0) for name, value in variables.items() if not name.startswith("_")]
        left = _MANY
        for name, value, depth in queue:  # which grows as it goes
            if isinstance(value, Tensor):
                self.add(name, value)
                continue
            parts = _parts(value) if depth < _DEEP else ()
            for end, part in parts:
                left -= 1
                if left < 0:
                    return
                queue.append((name + end, part, depth + 1))

    def of_node(self, node: Node) -> str:
        """The name, "" if none is known."""
        return self._nodes.get(node, "")

    def of_raw(self, raw: Any) -> str:
        """Likewise of an array that was not recorded."""
        return self._raws.get(id(raw), "")


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, (str, bytes, type, ModuleType, FunctionType)):
        return ()
    try:
        found = branches(value)
        if found is None and hasattr(value, "__dict__"):
            found = [(f".{name}", part) for name, part in vars(value).items() if not name.startswith("_")]
    except Exception:  # somebody's container that cannot be looked into has no names to tell
        return ()
    return found or ()


def variables_of(frame: FrameType) -> dict[str, Any]:
    """What can be named where a frame is: its own variables before those of its module."""
    return {**frame.f_locals, **{name: x for name, x in frame.f_globals.items() if name not in frame.f_locals}}
