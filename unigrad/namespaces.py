"""A namespace bound to one backend: the same functions, with new arrays made there."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from unigrad import dtypes
from unigrad.backend import get_backend_object, use_backend
from unigrad.operations.table import OPERATIONS


@functools.cache
def namespace(name: str) -> types.SimpleNamespace:
    """All operations and dtypes with new arrays made on the backend ``name``, whatever the current one is.

    Operations on arrays follow their arguments, as everywhere. BackendError if it cannot be used.
    """
    get_backend_object(name)
    top: dict[str, Any] = {dtype.name: dtype for dtype in dtypes.ALL}
    groups: dict[str, dict[str, Any]] = {}
    for dotted, function in OPERATIONS.items():
        group, _, short = dotted.rpartition(".")
        (groups.setdefault(group, {}) if group else top)[short] = _on(name, function)
    for group, members in groups.items():
        top[group] = types.SimpleNamespace(**members)
    return types.SimpleNamespace(**top)


def _on(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if "like" not in inspect.signature(function).parameters:
        return function

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Any:
        with use_backend(name):
            return function(*args, **kwargs)

    return made
