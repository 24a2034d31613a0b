"""Backward over several devices: runs of nodes in one call.

XLA takes 30 to 50 us to begin a program on four devices of one processor, whatever it computes, and 4 on one. So what
is pulled through one node after the other is compiled as one program, a run of nodes at a time. A run is compiled when
it comes for the second time: a graph that is another in each pass would otherwise be compiled in each. XLA rounds less
often where it joins operations, so that the last digit may then be another.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding

from unigrad.extend import Node, Raw, pull_through
from unigrad_jax.compiled import KEPT, Call, Function, Mask, is_spread, placed, pull

LONGEST = 16
"""How many nodes at most: a program's time to compile grows with them, and what they save shrinks."""

Step = tuple[Function, Mask, int, tuple[int, ...], tuple[NamedSharding | None, ...], tuple[int, ...]]
"""How one node is pulled through: its function and mask, the cells of its cotangent and of its parents', where these
have to lie if JAX may put them elsewhere, and the places of its inputs among all arrays."""


class Run:
    """What pulls through nodes that are joined in one way."""

    def __init__(self, steps: tuple[Step, ...], given: tuple[int, ...], taken: tuple[int, ...]) -> None:
        self.met = False
        self._steps, self._given, self._taken = steps, given, taken
        self.pull = jax.jit(self._pull)
        """Compiled: from the cotangents that have arrived in the ``given`` cells, and all arrays, to those that are
        then in the ``taken`` ones."""

    def _pull(self, held: Sequence[Raw], arrays: Sequence[Raw]) -> list[Raw]:
        cells = dict(zip(self._given, held, strict=True))
        for function, mask, own, parents, shardings, places in self._steps:
            shares = pull(function.plain, mask, cells[own], *[arrays[place] for place in places])
            for parent, sharding, share in zip(parents, shardings, shares, strict=True):
                if sharding is not None:
                    share = jax.lax.with_sharding_constraint(share, sharding)
                cells[parent] = cells[parent] + share if parent in cells else share
        return [cells[cell] for cell in self._taken]


_run = functools.lru_cache(KEPT)(Run)


def pull_in_runs(
    xp: Any, nodes: Sequence[Node], cotangents: dict[Node, Raw], owned: dict[Node, bool], wanted: set[Node]
) -> dict[Node, Raw]:
    """:func:`unigrad.extend.pull_through` of many nodes at once."""
    arrived: dict[Node, Raw] = {}
    for mesh, some in itertools.groupby(nodes, _mesh):
        rest = list(some)
        while rest:
            run, rest = rest[:LONGEST], rest[LONGEST:]
            found = None
            if mesh is not None and len(run) > 1:
                found = _pulled_at_once(mesh, run, cotangents, wanted)
            arrived |= pull_through(xp, run, cotangents, owned, wanted) if found is None else found
    return arrived


def _mesh(node: Node) -> Mesh | None:
    """The devices of a call whose operands are all there, or come there by themselves; None for it alone."""
    if type(node) is not Call or node.function.alone or not is_spread(node.out):
        return None
    sharding = node.out.sharding
    return sharding.mesh if type(sharding) is NamedSharding else None


def _within(value: Raw, mesh: Mesh) -> NamedSharding | None:
    sharding = value.sharding
    return sharding if type(sharding) is NamedSharding and sharding.mesh is mesh else None


def _pulled_at_once(
    mesh: Mesh, run: Sequence[Call], cotangents: dict[Node, Raw], wanted: set[Node]
) -> dict[Node, Raw] | None:
    """:func:`unigrad.extend.pull_through`, or None for a run that was not met before."""
    cells: dict[Node, int] = {node: cell for cell, node in enumerate(run)}
    given = {node: None for node in run if node in cotangents}
    reached = set(given)
    below: dict[Node, Raw] = {}
    numbers: dict[int, int] = {}
    arrays: list[Raw] = []
    steps: list[Step] = []
    # On axes of any other kind JAX leaves a cotangent where its variable is.
    is_automatic = set(mesh.axis_types) == {AxisType.Auto}
    for node in run:
        if node not in reached:
            continue
        mask = tuple([parent is not None for parent in node.more])
        moving = [pair for pair in zip(node.more, node.raws, strict=True) if pair[0] is not None]
        for parent, value in moving:
            reached.add(parent)
            if parent not in cells:
                cells[parent] = len(cells)
                below[parent] = value
                if parent in cotangents:
                    given[parent] = None
        for array in node.inputs:
            if id(array) not in numbers:
                numbers[id(array)] = len(arrays)
                arrays.append(array)
        steps.append((
            node.function, mask, cells[node], tuple([cells[parent] for parent, _ in moving]),
            tuple([_within(value, mesh) if is_automatic else None for _, value in moving]),
            tuple([numbers[id(array)] for array in node.inputs]),
        ))  # fmt: skip
    ends = {node: node.out for node in run if node in reached and node in wanted}
    taken = ends | below
    made = _run(tuple(steps), tuple([cells[node] for node in given]), tuple([cells[node] for node in taken]))
    if not made.met:
        made.met = True
        return None
    pulled = made.pull([cotangents.pop(node) for node in given], arrays)
    cotangents |= {node: placed(g, value) for (node, value), g in zip(taken.items(), pulled, strict=True)}
    return {node: cotangents.pop(node) for node in ends}
