"""Nested containers: tuples, lists, dicts, named tuples and dataclasses as trees with arrays at the leaves."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Layout = Callable[[Iterator[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Layout]:
    """The leaves in order, and what rebuilds the container from as many leaves. None has no leaves.

    What rebuilds holds no leaf: a graph may keep it for as long as it lives.
    """
    if tree is None:
        return [], lambda leaves: None
    kind = type(tree)
    if isinstance(tree, dict):
        keys = list(tree)
        empty = None if kind is dict else _like_dict(tree, dict.fromkeys(keys).items())
        return _join([tree[key] for key in keys], lambda parts: _like_dict(empty, zip(keys, parts, strict=True)))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return _join(list(tree), lambda parts: kind(*parts))
    if isinstance(tree, (tuple, list)):
        return _join(list(tree), kind)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [field.name for field in dataclasses.fields(tree)]
        bare = _like_dataclass(tree, dict.fromkeys(names).items())
        parts = [getattr(tree, name) for name in names]
        return _join(parts, lambda made: _like_dataclass(bare, zip(names, made, strict=True)))
    return [tree], next


def _like_dict(tree: dict[Any, Any] | None, items: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """One like this with other values; a dict without one."""
    if tree is None:
        return dict(items)
    made = copy.copy(tree)  # a defaultdict keeps its factory
    made.update(items)
    return made


def _like_dataclass(tree: Any, items: Iterable[tuple[str, Any]]) -> Any:
    made = copy.copy(tree)  # its constructor may take other arguments, or compute with them
    for name, value in items:
        object.__setattr__(made, name, value)
    return made


def _join(parts: list[Any], rebuild: Callable[[list[Any]], Any]) -> tuple[list[Any], Layout]:
    flat = [flatten(part) for part in parts]
    leaves = [leaf for found, _ in flat for leaf in found]
    layouts = [layout for _, layout in flat]
    return leaves, lambda supply: rebuild([layout(supply) for layout in layouts])


def unflatten(layout: Layout, leaves: Iterable[Any]) -> Any:
    """The container of :func:`flatten` with other leaves."""
    return layout(iter(leaves))


def branches(tree: Any) -> list[tuple[str, Any]] | None:
    """The parts of a container, each with what one would type after the container's name; None for a leaf."""
    if isinstance(tree, dict):
        return [(f"[{key!r}]", part) for key, part in tree.items()]
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return [(f".{name}", part) for name, part in zip(tree._fields, tree, strict=True)]
    if isinstance(tree, (tuple, list)):
        return [(f"[{position}]", part) for position, part in enumerate(tree)]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(f".{field.name}", getattr(tree, field.name)) for field in dataclasses.fields(tree)]
    return None


def paths(tree: Any, path: str = "") -> list[str]:
    """Where each leaf is, as one would type it after the container's name: ``['w'][0].bias``; "" for a lone leaf."""
    if tree is None:
        return []
    parts = branches(tree)
    return [path] if parts is None else [found for name, part in parts for found in paths(part, path + name)]
