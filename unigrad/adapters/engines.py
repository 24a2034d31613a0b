"""Whether an engine has what it says it has."""

from __future__ import annotations

import inspect

from unigrad.adapters.contract import Backend, Engine
from unigrad.base.errors import BackendError

INLINE = (None, "lifted", "rules", "bare")


def check_engine(backend: Backend) -> None:
    """BackendError if the flags of the backend's engine promise methods that it has not, before anything needs them."""
    engine = backend.engine
    kind = type(engine).__name__
    if engine.inline_nodes not in INLINE:
        raise BackendError(
            f"backend {backend.name!r}: {kind}.inline_nodes is {engine.inline_nodes!r}; it can be "
            f"{', '.join(map(repr, INLINE))}"
        )
    promises = (
        ("inline_nodes = 'bare'", engine.inline_nodes == "bare", ("leaf", "detached", "pullback")),
        (f"orders = {engine.orders}", engine.orders > 0, ("pullback",)),
        ("a leaf() of its own", _has(engine, "leaf"), ("detached",)),
        ("pulls_raw = True", engine.pulls_raw, ("record",)),
        ("conjugate_pulls = True", engine.conjugate_pulls, ("record",)),
    )
    for flag, is_set, methods in promises:
        for method in methods:
            if is_set and not _has(engine, method):
                raise BackendError(
                    f"backend {backend.name!r}: {kind} has {flag}, and therefore needs {method}() of its own: "
                    f"{_purpose(method)}"
                )
    if engine.inline_nodes == "bare" and engine.orders < 1:
        raise BackendError(
            f"backend {backend.name!r}: {kind} has inline_nodes = 'bare', which keeps nothing for the rules, and "
            f"orders = 0; set orders to how often the framework itself differentiates"
        )


def _has(engine: Engine, method: str) -> bool:
    """Whether an engine has a method that is not the one it inherits from :class:`Engine`, which does nothing."""
    return getattr(getattr(engine, method), "__func__", getattr(engine, method)) is not getattr(Engine, method)


_RECORD = "runs a primitive and returns its value and the node that remembers it."


def _purpose(method: str) -> str:
    """What a method is for: the first paragraph of its documentation."""
    text = _RECORD if method == "record" else inspect.getdoc(getattr(Engine, method)) or ""
    return " ".join(text.partition("\n\n")[0].split())
