"""Checkpoints: memory for time. What a function computes is computed once more for its derivative, and not kept.

A framework that keeps what it needs by itself is told to compute it again
(:attr:`unigrad.adapters.contract.Engine.checkpointed`). Where unigrad walks the graph, the function is one step
of it (``unigrad.tensor.joints``). It runs on arrays that nobody tracks: so what is recorded all the same are the
operations on recorded arrays that it closes over, and the nodes that these came from are inputs of the step as well. To
pull back, it runs again, recorded, and the walk goes through what that recorded, and no further.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import current_backend
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError, BackendMismatchError, UnsupportedError
from unigrad.base.leaving import Places, warn, watched
from unigrad.base.recording import is_recording
from unigrad.base.tree import Layout, flatten, unflatten
from unigrad.engine.moving import Crossing
from unigrad.engine.passes import pulled_through
from unigrad.engine.within import Pass
from unigrad.tape import Node, newer, next_number
from unigrad.tensor.joints import Maybe, joined_to
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import as_tensors, called, check_function, constant, depends
from unigrad.transforms.steps import Operands, Repeatable, unwrapped


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f``, of which backward remembers the arguments alone: what it computes on the way it computes again then.

    Arguments and results are arrays, containers of them and anything else, as ``f`` has them; ``f`` sees Tensors. Its
    gradients are those of ``f``, for the arguments and for recorded arrays that it closes over, and to any
    order. It must do the same each time: random numbers that it draws from the shared generator (dropout's, too) are
    the same again, and so are the modes (``train_mode``) and the current backend. A framework's own random numbers
    are so on PyTorch. Checkpoints nest; over n layers, sqrt(n) checkpointed segments need memory for
    sqrt(n) layers and segments (Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016).

    Raises BackendMismatchError if the arguments or results are not all of one backend, and at the backward
    ArgumentError if ``f`` did something else the second time, UnsupportedError if it passed from one backend to another
    on the way.
    """
    check_function(f, "checkpoint")

    @functools.wraps(f)
    def applied(*args: Any, **kwargs: Any) -> Any:
        operands = Operands(called(f), args, kwargs)
        tensors = operands.taken()

        def run(given: Sequence[Tensor]) -> Any:
            positional, named = operands.rebuilt(given)
            return f(*positional, **named)

        if not is_recording():
            return run(tensors)
        backend = tensors[0].backend if tensors else current_backend()
        again = Repeatable()
        snapshot = [_snapshot(x) for x in tensors]
        if backend.engine.checkpointed is not None:
            return backend.engine.checkpointed(functools.partial(again, run, snapshot))
        return _one_step(_Segment(called(f), again, run, snapshot), backend)

    return applied


def _snapshot(x: Tensor) -> Tensor:
    """The Tensor as it is now, whatever it may come to hold, and without its gradient."""
    parts, layout = unwrapped(x)
    return unflatten(layout, [type(part).of(part._raw, part._node) for part in parts])


def _one_step(segment: _Segment, backend: Backend) -> Any:
    name = segment.name
    start = next_number()
    with as_tensors():
        result, layout, leaves, outputs = segment.run([x.detach() for x in segment.inputs], {})
    floating = [position for position, y in enumerate(outputs) if has_gradients(y.dtype)]
    _, closed_over = newer([y._node for y in outputs if y._node is not None], start)
    tracked = [position for position, x in enumerate(segment.inputs) if x._node is not None]
    if not (floating and (tracked or closed_over)):
        return result
    for y in outputs:
        if y.backend is not backend:
            raise BackendMismatchError(
                f"{name} is one step on backend {backend.name!r}, and a result of it is on {y.backend.name!r}; "
                f"convert with .to_backend(...) after the call"
            )
    pull_back = functools.partial(segment.pull_back, tracked, floating, closed_over)
    parents = [*[segment.inputs[position]._node for position in tracked], *closed_over]
    joined = joined_to(name, parents, [outputs[position] for position in floating], pull_back)
    for position, y in zip(floating, joined, strict=True):
        outputs[position] = y
    supply = iter(outputs)
    return unflatten(layout, [leaf if build is None else build(supply) for leaf, build in leaves])


class _Segment:
    """The function, of the plain Tensors that its arguments are made of."""

    def __init__(self, name: str, again: Repeatable, function: Callable[..., Any], inputs: Sequence[Tensor]) -> None:
        self.name = name
        self._again = again
        self._function = function
        parts = [unwrapped(x) for x in inputs]
        self.inputs = [part for found, _ in parts for part in found]
        self._wrappers = [layout for _, layout in parts]

    def _watched(self, inputs: Sequence[Tensor], places: Places) -> Any:
        with watched(places):
            return self._function(inputs)

    def run(
        self, inputs: Sequence[Tensor], places: Places
    ) -> tuple[Any, Layout, list[tuple[Any, Layout | None]], list[Tensor]]:
        """The result as it is; its structure; each leaf of it, with what makes an array of plain Tensors; these.

        In ``places`` come the lines at which values of what is followed are read."""
        supply = iter(inputs)
        result = self._again(self._watched, [wrap(supply) for wrap in self._wrappers], places)
        leaves, layout = flatten(result)
        outputs: list[Tensor] = []
        built: list[tuple[Any, Layout | None]] = []
        for leaf in map(constant, leaves):
            parts, build = unwrapped(leaf) if isinstance(leaf, Tensor) else ([], None)
            outputs += parts
            built.append((leaf, build))
        return unflatten(layout, [leaf for leaf, _ in built]), layout, built, outputs

    def pull_back(
        self, tracked: Sequence[int], floating: Sequence[int], closed_over: Sequence[Node], gs: Sequence[Maybe]
    ) -> list[Maybe]:
        """From the cotangents of the floating results to those of the tracked inputs and of what it closes over."""
        higher = is_recording()
        inputs = list(self.inputs)
        for position in tracked:
            inputs[position] = self._entrance(inputs[position], higher)
        start = next_number()
        places: Places = {}
        *_, outputs = self.run(inputs, places)
        pairs = [
            (outputs[position], g)
            for position, g in zip(floating, gs, strict=True)
            if g is not None and outputs[position]._node is not None
        ]
        entrances: list[Any] = [inputs[position]._node for position in tracked]
        if not pairs:
            self._warn_if_cut(entrances, places)
            return [None] * (len(entrances) + len(closed_over))
        heads, seeds = zip(*pairs, strict=True)
        inner, reached = newer([head._node for head in heads], start)
        if any(isinstance(node, Crossing) for node in inner):
            raise UnsupportedError(
                f"{self.name} passes from one backend to another inside a checkpoint; checkpoint each part by itself"
            )
        if not {*entrances, *closed_over}.issuperset(reached):
            raise ArgumentError(
                f"{self.name}, run again for its derivative, reached recorded arrays that it did not reach the first "
                f"time; a checkpointed function must do the same each time it is called"
            )
        found = pulled_through(Pass(heads, seeds, True, higher), inner, [*entrances, *closed_over])
        if all(x is None for x in found):
            self._warn_if_cut(entrances, places)
        return found

    def _warn_if_cut(self, entrances: Sequence[Node], places: Places) -> None:
        """Where nothing comes out: warn if the function read values that depend on its arguments."""
        found = [place for place, read in places.items() if any(depends(read, node) for node in entrances)]
        if found:
            warn(found, f"the arguments of {self.name}, a checkpoint,")

    @staticmethod
    def _entrance(x: Tensor, higher: bool) -> Tensor:
        """The input with a node of its own, even if it is given twice or closed over as well: it ends the walk."""
        if higher:
            found: Tensor = x._bound.reshape(x, x.shape)
            return found
        leaf = x.detach()
        leaf.attach_grad()
        return leaf
