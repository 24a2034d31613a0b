"""What recording and backward must do, as a model of a few lines: who holds which gradient, and who raises what.

All arrays are vectors of two whole numbers and all operations elementwise, so that results are exact on every backend.
``Unsaid`` marks what the contract leaves open; such a program is not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
LARGEST = 1e9
"""Beyond this a sum of products might not be exact."""
MODES = {
    "record": (True, True),
    "record(train_mode=False)": (True, False),
    "pause": (False, False),
    "pause(train_mode=True)": (False, True),
    "train_mode": (None, True),
    "predict_mode": (None, False),
}
"""What scopes set: recording and training; None leaves it."""


class Raised(Exception):
    """An error that must be raised, by the name of its class."""


class Unsaid(Exception):
    """The program does something that no rule speaks of."""


@dataclass(eq=False)
class Step:
    """A recorded operation, or a leaf: then with the buffer that its cotangent goes to."""

    parents: tuple[tuple[Step, Vector], ...] = ()
    """Each with the derivative for it."""
    buffer: Buffer | None = None
    retained: Buffer | None = None
    freed: bool = False
    may_fail: bool = False
    """Whether its rule is one that can be made to raise."""

    @property
    def leaf(self) -> bool:
        return self.buffer is not None


@dataclass(eq=False)
class Buffer:
    """A gradient. ``grad`` is None until there is one."""

    request: str
    grad: Array | None = None
    recorded: bool = False
    """Whether it was itself recorded, and may be looked at alone."""


@dataclass(eq=False)
class Array:
    """What a Tensor holds."""

    value: Vector
    step: Step | None = None
    buffer: Buffer | None = None

    @property
    def grad(self) -> Array | None:
        return None if self.buffer is None else self.buffer.grad


@dataclass
class States:
    """Everything that a program of misuse can look at."""

    names: dict[str, Array] = field(default_factory=dict)
    mode: tuple[bool, bool] = (False, False)

    def of(self, name: str) -> Array:
        if name not in self.names:
            raise Unsaid(name)
        return self.names[name]

    @contextmanager
    def within(self, scope: str) -> Iterator[None]:
        """A scope, or ``thread``, in which modes start anew."""
        outer = self.mode
        wanted = (False, False) if scope == "thread" else MODES[scope]
        self.mode = tuple(new if new is not None else old for new, old in zip(wanted, outer, strict=True))  # type: ignore[assignment]
        try:
            yield
        finally:
            self.mode = outer

    # --- arrays ----------------------------------------------------------------------------------------------------

    def computed(self, value: Vector, parts: Sequence[tuple[Array, Vector]], may_fail: bool = False) -> Array:
        """The result of an operation, recorded if anything is."""
        if np.abs(value).max() > LARGEST:
            raise Unsaid("too large")
        parents = tuple((x.step, slope) for x, slope in parts if x.step is not None)
        return Array(value, Step(parents, may_fail=may_fail) if parents and self.mode[0] else None)

    def attach(self, x: Array, request: str) -> None:
        """``x.attach_grad(request)``."""
        x.buffer = Buffer(request, None if request == "null" else Array(np.zeros(2)))
        x.step = None if request == "null" else Step(buffer=x.buffer)

    def retain(self, x: Array) -> None:
        """``x.retain_grad()``."""
        if x.step is None:
            raise Raised("NotRecordedError")
        if x.step.freed:
            raise Raised("GraphFreedError")
        if not x.step.leaf and x.step.retained is None:
            x.buffer = x.step.retained = Buffer("write")

    def gradient_of(self, x: Array) -> Array:
        """``x.grad``. What a gradient that was recorded is good for, the other fuzzer tries."""
        if x.buffer is None or x.buffer.grad is None or x.buffer.recorded:
            raise Unsaid("no gradient, or one that was recorded")
        return x.buffer.grad

    def zero(self, x: Array) -> None:
        """``x.zero_grad()``."""
        if x.buffer is None:
            raise Raised("ArgumentError")
        if x.buffer.grad is not None:
            x.buffer.grad = Array(np.zeros(2))
            x.buffer.recorded = False

    def become(self, x: Array, new: Callable[[], Array]) -> None:
        """``x += v`` and ``x[0] = v``: a leaf is one still, what was recorded keeps what it had."""
        if x.step is not None and x.step.leaf:
            if self.mode[0]:
                raise Raised("LeafWriteError")
            x.value, x.step = new().value, Step(buffer=x.buffer)
            return
        if x.step is not None and x.step.retained is not None:
            raise Unsaid("a retained intermediate that is written to")
        made = new()
        x.value, x.step = made.value, made.step
        if x.step is not None:
            x.buffer = None

    # --- backward --------------------------------------------------------------------------------------------------

    def pulled(self, heads: Sequence[tuple[Array, Vector]], fails: bool) -> dict[Step, Vector]:
        """What arrives at every step below the heads; nothing is changed."""
        order: list[Step] = []
        seen: set[int] = set()

        def visit(step: Step) -> None:
            if id(step) not in seen:
                seen.add(id(step))
                for parent, _ in step.parents:
                    visit(parent)
                order.append(step)

        for head, _ in heads:
            if head.step is None:
                raise Raised("NotRecordedError")
        for head, _ in heads:
            assert head.step is not None
            visit(head.step)
        if any(step.freed for step in order):
            raise Raised("GraphFreedError")
        if fails:
            self._fail(order)
        arrived = {step: np.zeros(2) for step in order}
        for head, g in heads:
            assert head.step is not None
            arrived[head.step] = arrived[head.step] + g
        for step in reversed(order):
            for parent, slope in step.parents:
                arrived[parent] = arrived[parent] + arrived[step] * slope
        if any(np.abs(g).max() > LARGEST for g in arrived.values()):
            raise Unsaid("too large")
        return arrived

    def _fail(self, order: Sequence[Step]) -> None:
        """What a backward through these steps, parents first, does while rules raise."""
        held = {id(x.buffer) for x in self.names.values() if x.buffer is not None}
        asked: dict[Step, bool] = {}
        for step in order:
            below = any(asked[parent] for parent, _ in step.parents)
            if step.may_fail and below:
                raise Raised("KeyError")
            asked[step] = below or any(id(each) in held for each in (step.buffer, step.retained))
        if any(step.may_fail for step in order):
            raise Unsaid("whether a rule is asked for a gradient that nobody can look at")

    def backward(
        self, heads: Sequence[tuple[Array, Vector]], retain: bool = False, fails: bool = False, create: bool = False
    ) -> None:
        """``ug.backward``: all or nothing."""
        arrived = self.pulled(heads, fails)
        totals: dict[int, tuple[Buffer, Vector]] = {}
        for step, g in arrived.items():
            buffer = step.buffer or step.retained
            if buffer is not None:
                before = totals[id(buffer)][1] if id(buffer) in totals else np.zeros(2)
                totals[id(buffer)] = buffer, before + g
        for buffer, g in totals.values():
            added = buffer.grad.value if buffer.request == "add" and buffer.grad is not None else 0.0
            buffer.grad = Array(g + added)
            buffer.recorded = create or (buffer.recorded and buffer.request == "add")
        if not (retain or create):
            for step in arrived:
                step.freed = not step.leaf

    def gradient(self, head: Array, variable: Array) -> Array:
        """``ug.gradients(head, variable, retain_graph=True)``."""
        if head.step is None or variable.step is None:
            raise Raised("NotRecordedError")
        return Array(self.pulled([(head, np.ones(2))], False).get(variable.step, np.zeros(2)))
