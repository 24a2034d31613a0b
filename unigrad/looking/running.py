"""How a function is run to be looked at: on fresh variables, on which backends, and what its arguments are called."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.registry import backend_names, frameworks
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError
from unigrad.base.recording import Switch
from unigrad.base.tree import paths
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import Arguments, called, constant, variable


def on_variables(args: Sequence[Any]) -> Arguments:
    """A call's arguments, each floating array and Python float in them a fresh variable, all else constant."""

    def taken(leaf: Any, where: Callable[[], str]) -> Any:
        held = constant(leaf)
        if isinstance(leaf, float) or (isinstance(held, Tensor) and has_gradients(held.dtype)):
            return variable(leaf, where)
        return held

    with Switch(False, None):  # or they would be part of what is recorded outside
        return Arguments(args, range(len(args)), taken)


def name_of(f: Callable[..., Any]) -> str:
    """What a function is called; ``f`` if it has no name that could be typed."""
    name = called(f)
    return name if name.isidentifier() else "f"


def names_of(f: Callable[..., Any], args: Sequence[Any], own: Sequence[str] | None = None) -> list[str]:
    """What each leaf of the arguments is called: after the parameter, or after ``own``, and where in it it is."""
    found = list(own) if own is not None else _parameters(f, len(args))
    return [found[place] + path for place, arg in enumerate(args) for path in paths(arg)]


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    found = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "argument")
    return found[:count] + [f"{rest}{n}" for n in range(count - len(found))]


def chosen_backends(given: str | Sequence[str]) -> list[str]:
    """The names, of one or of several; ArgumentError for one that is not known, or is named twice."""
    found = [given] if isinstance(given, str) else list(given)
    known = backend_names()
    if not found or len(set(found)) < len(found) or not all(name in known for name in found):
        raise ArgumentError(f"backends={given!r} must name some of {', '.join(known)}, each once")
    return found


def found_backends() -> list[str]:
    """The names of the backends whose framework is there, though importing it may fail. Imports none."""

    def is_there(framework: str) -> bool:
        if framework in sys.modules:
            return sys.modules[framework] is not None
        return not framework or importlib.util.find_spec(framework) is not None

    return [name for name, framework in frameworks().items() if is_there(framework)]
