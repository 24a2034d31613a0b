"""What a function computes while it runs: every recorded array with its values, and the call that it came from.

The graph itself keeps only what its derivatives need, and on PyTorch nothing. So while a function runs to be drawn,
Python tells of each call (``sys.setprofile``, in this thread alone): of what the generated functions of primitives
(``unigrad.binding``) were given and return, and of the calls that are to be folded. Nothing is asked of programs that
are not drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, NamedTuple

from unigrad.base.words import Raw
from unigrad.table import Primitive
from unigrad.tape import Node
from unigrad.tensor.joints import Part, PullBack, join, joined_to
from unigrad.tensor.tensor import Tensor


class Seen(NamedTuple):
    """One call of a primitive: what its raw function was given."""

    row: Primitive
    raws: Sequence[Raw]
    statics: Sequence[Any]


@dataclass
class Watched:
    """What was seen while a function ran."""

    values: dict[Node, Raw] = field(default_factory=dict)
    """The raw arrays of recorded Tensors."""
    calls: dict[Node, Seen] = field(default_factory=dict)
    folded: dict[Node, tuple[str, int]] = field(default_factory=dict)
    """In which call of a function that is to be folded a node was recorded: its name, and the call's number."""
    detached: dict[int, Tensor] = field(default_factory=dict)
    """By the identity of a raw array: the recorded Tensor whose detached values it is."""
    steps: dict[Node, list[Tensor]] = field(default_factory=dict)
    """The results of a step that is one node of the framework's graph, each with a node of its own, as results have
    it where unigrad walks the graph."""
    local_names: dict[str, Any] = field(default_factory=dict)
    """The local variables of the function when it returned."""
    kept: list[Raw] = field(default_factory=list)
    """Raw arrays that are known by their identity."""

    def told_apart(self, node: Node | None, raw: Raw) -> Node | None:
        """The node of an array: of a result of a step its own."""
        results = self.steps.get(node) if node is not None else None
        if results is None:
            return node
        return next((y._node for y in results if y._raw is raw or len(results) == 1), node)


def watched(
    function: Callable[[], Any], code: CodeType | None, fold: Sequence[Callable[..., Any]]
) -> tuple[Any, Watched]:
    """What ``function()`` returns, and what was seen. ``code`` is that whose local variables have names to show."""
    found = Watched()
    codes = {each.__code__: each.__name__ for each in fold}
    open_calls: list[tuple[str, int]] = []
    count = 0

    def tell(frame: FrameType, event: str, result: Any) -> None:
        nonlocal count
        if event == "call":
            if frame.f_code in codes:
                count += 1
                open_calls.append((codes[frame.f_code], count))
        elif event == "return":
            if frame.f_code in codes:
                open_calls.pop()
            if frame.f_code is code:
                found.local_names = dict(frame.f_locals)
            if frame.f_code is join.__code__:
                _note_step(
                    found, result, **{name: frame.f_locals[name] for name in ("operation", "inputs", "pull_back")}
                )
            for x in result if type(result) in (list, tuple) else (result,):
                if isinstance(x, Tensor):
                    _note(found, frame, x, open_calls)

    before = sys.getprofile()
    sys.setprofile(tell)
    try:
        result = function()
    finally:
        sys.setprofile(before)
    return result, found


def _note(found: Watched, frame: FrameType, x: Tensor, open_calls: Sequence[tuple[str, int]]) -> None:
    node = x._node
    if node is None:
        if frame.f_code is Tensor.detach.__code__:
            found.detached[id(x._raw)] = frame.f_locals["self"]
            found.kept.append(x._raw)
    elif node not in found.values:
        found.values[node] = x._raw
        if open_calls:
            found.folded[node] = open_calls[0]
        row = frame.f_globals.get("row")
        if frame.f_code.co_filename.startswith("<unigrad ") and isinstance(row, Primitive):
            local = frame.f_locals
            raws = local["raws"] if row.variadic else [local[f"r{n}"] for n in range(1, len(row.arrays) + 1)]
            found.calls[node] = Seen(row, raws, [local[name] for name in row.statics])


def _note_step(
    found: Watched, results: Sequence[Tensor], operation: str, inputs: Sequence[Tensor], pull_back: PullBack
) -> None:
    node = results[0]._node if results else None
    if node is not None and not isinstance(node, Part):
        parents = [found.told_apart(x._node, x._raw) for x in inputs]
        found.steps[node] = joined_to(operation, parents, results, pull_back)
        found.values.update({y._node: y._raw for y in found.steps[node] if y._node is not None})
