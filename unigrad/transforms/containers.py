"""Nested containers as users handle them: tuples, lists, dicts, named tuples and dataclasses with arrays as leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from unigrad.base.tree import Layout, flatten, paths, unflatten
from unigrad.transforms.calling import check_function, matched


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The container with ``function(leaf, *leaves of the others)`` in place of each leaf; None has no leaves.

    ``tree_map(lambda w, g: w - 0.1 * g, weights, gradients)`` is a step of gradient descent. ArgumentError unless the
    others have the structure of ``tree``; dicts may list their keys in another order.
    """
    check_function(function, "tree_map")
    leaves, layout = flatten(tree)
    beside = [matched(other, tree, f"container {number}", "the first") for number, other in enumerate(others, 1)]
    return unflatten(layout, map(function, leaves, *beside))


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a container, in order."""
    return flatten(tree)[0]


def tree_paths(tree: Any) -> list[str]:
    """Where each leaf is, as one would type it after the container's name: ``['w'][0].bias``; "" for a lone leaf."""
    return paths(tree)


def tree_flatten(tree: Any) -> tuple[list[Any], Layout]:
    """The leaves of a container, and its structure for :func:`tree_unflatten`."""
    return flatten(tree)


def tree_unflatten(layout: Layout, leaves: Iterable[Any]) -> Any:
    """The container of that structure with these leaves."""
    return unflatten(layout, leaves)
