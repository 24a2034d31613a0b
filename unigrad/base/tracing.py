"""The trace at work in this thread or task: where operations on traced arrays write down what they do."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from unigrad.base.recording import recording_mode

_at_work: ContextVar[Any] = ContextVar("unigrad_trace", default=None)
trace = _at_work.get
"""The one at work (``unigrad.compiling.tracing.Trace``), or None."""


def is_recording() -> bool:
    """Whether operations on attached arrays are recorded."""
    # What users ask, and not our own rules: who does something else where it is recorded is not replayed there.
    found = trace()
    if found is not None:
        found.asks_mode = True
    return bool(recording_mode())


class at_work:
    """While this trace is the one at work; None: while none is."""

    __slots__ = ("_token", "_trace")

    def __init__(self, trace: Any) -> None:
        self._trace = trace

    def __enter__(self) -> None:
        self._token: Token[Any] = _at_work.set(self._trace)

    def __exit__(self, *error: object) -> None:
        _at_work.reset(self._token)
