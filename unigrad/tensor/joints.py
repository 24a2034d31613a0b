"""Calls that are one step to the graph, whatever happens inside: a user's rule, a checkpoint, a framework's function.

A :class:`Joint` stands for the call and a :class:`Part` for each of its results. What arrives at the parts is gathered
at the joint, whose ``pull_back`` makes cotangents of the inputs of it: a function of Tensors, so that it is recorded
itself under ``create_graph``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unigrad.base.recording import Switch
from unigrad.base.words import Raw
from unigrad.tape import RELEASED, Add, BareManyNode, Cotangents, Node, Owned, PulledNode, accumulate, next_number
from unigrad.tensor.tensor import Tensor, conjugated

Maybe = Tensor | None
PullBack = Callable[[Sequence[Maybe]], Sequence[Maybe]]
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

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: Owned) -> None:
        assert self.p1 is not None
        accumulate(cotangents, owned, self.p1, Gathered({self.position: g}))

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
        conjugate = (lambda g: g) if self.tensor_type.backend.engine.conjugate_pulls else conjugated
        given = [conjugate(arrived[position]) if position in arrived else None for position in range(self.count)]
        found = zip(self.more, self.pull_back(given), strict=True)
        return [(parent, conjugate(g)) for parent, g in found if parent is not None and g is not None]

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: Owned) -> None:
        arrived = {position: self.tensor_type.of(raw, None) for position, raw in g.by_position.items()}
        with Switch(False, None):
            found = self._pulled(arrived)
        for parent, share in found:
            accumulate(cotangents, owned, parent, share._raw)

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        for parent, share in self._pulled(g.by_position):
            add(parent, share)

    def release(self) -> None:
        self.number = RELEASED
        self.more = ()
        self.pull_back = _released


def _released(cotangents: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
    raise AssertionError("a released joint is never pulled")


class RawPullBack:
    """A pull of Tensors as a framework's engine calls it: see :class:`unigrad.adapters.contract.StepPull`."""

    __slots__ = ("_tensor_type", "pull_back")

    def __init__(self, pull_back: PullBack, tensor_type: type[Tensor]) -> None:
        self.pull_back = pull_back
        self._tensor_type = tensor_type

    def __call__(self, cotangents: Sequence[Raw | None], tracked: Sequence[bool] | None = None) -> Sequence[Raw | None]:
        marks = tracked or (False,) * len(cotangents)
        given = [
            None if g is None else self._tensor_type.of(g, PulledNode(()) if marked else None)
            for g, marked in zip(cotangents, marks, strict=True)
        ]
        with Switch(tracked is not None, None):
            return [None if share is None else share._raw for share in self.pull_back(given)]


class StepNode(BareManyNode):
    """A step of a framework's own graph. Released it lets go of all that its derivative keeps, whoever still holds the
    framework's graph."""

    __slots__ = ("step",)

    def __init__(self, operation: str, parents: Sequence[Node | None], step: RawPullBack) -> None:
        self.number = 0
        self.operation = operation
        self.more = tuple(parents)
        self.step = step

    @property
    def may_fail(self) -> bool:
        """Whether its derivative is a user's that was never seen to work: then a pass must not release the framework's
        graph on its way, since it may have to be run again."""
        return getattr(self.step.pull_back, "may_fail", False)

    def release(self) -> None:
        super().release()
        self.step.pull_back = _released


def join(operation: str, inputs: Sequence[Tensor], results: Sequence[Tensor], pull_back: PullBack) -> list[Tensor]:
    """``results``, computed from ``inputs`` unrecorded, as results of one recorded step that ``pull_back`` pulls back.

    All are of one backend, and not wrapped. Called while recording, and only if an input is tracked.
    """
    parents = [x._node for x in inputs]
    made = type(results[0])
    step = RawPullBack(pull_back, made)
    raws = made.backend.engine.joined([x._raw for x in inputs], [y._raw for y in results], step)
    if raws is None:
        return joined_to(operation, parents, results, pull_back)
    node = StepNode(operation, parents, step)
    return [made.of(raw, node) for raw in raws]


def joined_to(
    operation: str, parents: Sequence[Node | None], results: Sequence[Tensor], pull_back: PullBack
) -> list[Tensor]:
    """:func:`join` to nodes, whatever arrays were theirs, where unigrad walks the graph."""
    joint = Joint(operation, parents, len(results), pull_back, type(results[0]))
    return [type(y).of(y._raw, Part(joint, position)) for position, y in enumerate(results)]
