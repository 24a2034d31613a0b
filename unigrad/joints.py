"""Calls that are one step to the graph, whatever happens inside: a user's rule, a checkpoint, a framework's function.

A :class:`Joint` stands for the call and a :class:`Part` for each of its results. What arrives at the parts is gathered
at the joint, whose ``pull_back`` makes cotangents of the inputs of it: a function of Tensors, so that it is recorded
itself under ``create_graph``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unigrad.graph import RELEASED, Add, Cotangents, Node, accumulate, conjugated, next_number
from unigrad.recording import Switch, is_training

if TYPE_CHECKING:
    from unigrad.backend import Raw
    from unigrad.tensor import Tensor

PullBack = Callable[[list["Tensor | None"]], Sequence["Tensor | None"]]
"""From the cotangent of each result, None where none arrived, to that of each input, None for zero. Those of complex
arrays are in the conjugate form, as users see them."""


class Gathered:
    """The cotangents of several results, by their positions. They add up as one cotangent does."""

    __slots__ = ("by_position",)

    def __init__(self, by_position: dict[int, Any]) -> None:
        self.by_position = by_position

    def __add__(self, other: Gathered) -> Gathered:
        total = dict(self.by_position)
        for position, g in other.by_position.items():
            total[position] = total[position] + g if position in total else g
        return Gathered(total)


class Part(Node):
    """One result of a joint."""

    __slots__ = ("p1", "position")

    operation = "result"

    def __init__(self, joint: Joint, position: int) -> None:
        self.number = next_number()
        self.p1 = joint
        self.position = position

    def shares(self, g: Raw) -> list[tuple[Node, Any]]:
        """What each parent gets of the cotangent ``g``, raw."""
        assert self.p1 is not None
        return [(self.p1, Gathered({self.position: g}))]

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: set[Node]) -> None:
        for parent, share in self.shares(g):
            accumulate(cotangents, owned, parent, share)

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        add(self.p1, Gathered({self.position: g}))  # type: ignore[arg-type]

    def release(self) -> None:
        self.number = RELEASED
        self.p1 = None


class Joint(Node):
    """The call itself."""

    __slots__ = ("count", "more", "operation", "pull_back", "tensor_type")

    def __init__(
        self,
        operation: str,
        parents: Sequence[Node | None],
        count: int,
        pull_back: PullBack,
        tensor_type: type[Tensor],
    ) -> None:
        self.number = next_number()
        self.operation = operation
        self.more = tuple(parents)
        self.count = count
        self.pull_back = pull_back
        self.tensor_type = tensor_type

    def _pulled(self, arrived: dict[int, Tensor]) -> list[tuple[Node, Tensor]]:
        conjugate = (lambda g: g) if self.tensor_type.backend.conjugate_pulls else conjugated
        given = [conjugate(arrived[position]) if position in arrived else None for position in range(self.count)]
        found = zip(self.more, self.pull_back(given), strict=True)
        return [(parent, conjugate(g)) for parent, g in found if parent is not None and g is not None]

    def shares(self, g: Gathered) -> list[tuple[Node, Any]]:
        """What each parent gets of the gathered cotangents, raw."""
        arrived = {position: self.tensor_type.of(raw, None) for position, raw in g.by_position.items()}
        with Switch(False, is_training()):
            return [(parent, share._raw) for parent, share in self._pulled(arrived)]

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: set[Node]) -> None:
        for parent, share in self.shares(g):
            accumulate(cotangents, owned, parent, share)

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        for parent, share in self._pulled(g.by_position):
            add(parent, share)

    def release(self) -> None:
        self.number = RELEASED
        self.more = ()
        self.pull_back = _released


def _released(cotangents: list[Tensor | None]) -> Sequence[Tensor | None]:
    raise AssertionError("a released joint is never pulled")


def join(operation: str, inputs: Sequence[Tensor], results: Sequence[Tensor], pull_back: PullBack) -> list[Tensor]:
    """``results``, computed from ``inputs`` unrecorded, as results of one recorded step that ``pull_back`` pulls back.

    All are of one backend, and not wrapped. Called while recording, and only if an input is tracked.
    """
    backend = inputs[0].backend
    return backend.joined(operation, inputs, results, pull_back)


def joined(operation: str, inputs: Sequence[Tensor], results: Sequence[Tensor], pull_back: PullBack) -> list[Tensor]:
    """:func:`join` where unigrad walks the graph, or where it can."""
    return joined_to(operation, [x._node for x in inputs], results, pull_back)


def joined_to(
    operation: str, parents: Sequence[Node | None], results: Sequence[Tensor], pull_back: PullBack
) -> list[Tensor]:
    """:func:`joined` to nodes, whatever arrays were theirs."""
    joint = Joint(operation, parents, len(results), pull_back, type(results[0]))
    return [type(y).of(y._raw, Part(joint, position)) for position, y in enumerate(results)]
