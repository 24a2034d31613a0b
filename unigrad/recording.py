"""Whether operations are recorded, and whether a network trains: per thread and per async task.

Both flags are context variables, so a new thread starts with neither and an async task sees its own.
A scope is a context manager that can be entered again, also while it is open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

_recording: ContextVar[bool] = ContextVar("unigrad_recording", default=False)
_training: ContextVar[bool] = ContextVar("unigrad_training", default=False)

is_recording = _recording.get
is_training = _training.get

# An adapter whose framework can forbid recording (torch.no_grad) adds a function here. It is called
# when a recording scope opens and returns a context manager to hold open with it, or None.
framework_scopes: list[Callable[[], AbstractContextManager[None] | None]] = []

Opened = tuple[AbstractContextManager[None], Any]
Undo = tuple[Token[bool] | None, Token[bool] | None, Opened | None, Any]
"""What an exit takes back, and what the one around it does where the scope is entered again."""


class Scope:
    """Sets the recording flag, the training flag or both for the duration of a ``with`` block."""

    __slots__ = ("_recording", "_training", "_undo")

    def __init__(self, recording: bool | None, training: bool | None) -> None:
        self._recording = recording
        self._training = training
        self._undo: Undo | None = None

    def __enter__(self) -> None:
        opened: Opened | None = None
        if self._recording:
            for open_scope in framework_scopes:
                scope = open_scope()
                if scope is not None:
                    scope.__enter__()
                    opened = (scope, opened)
        self._undo = (
            None if self._recording is None else _recording.set(self._recording),
            None if self._training is None else _training.set(self._training),
            opened,
            self._undo,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._undo is not None
        recording, training, opened, self._undo = self._undo
        if training is not None:
            _training.reset(training)
        if recording is not None:
            _recording.reset(recording)
        while opened is not None:
            scope, opened = opened
            scope.__exit__(kind, error, trace)


def record(train_mode: bool = True) -> Scope:
    """Record operations inside the ``with`` block; training mode is on unless ``train_mode=False``."""
    return Scope(True, train_mode)


def pause(train_mode: bool = False) -> Scope:
    """Suspend recording inside the ``with`` block; training mode is off unless ``train_mode=True``."""
    return Scope(False, train_mode)


def train_mode() -> Scope:
    """Turn training mode on inside the ``with`` block; recording stays as it is."""
    return Scope(None, True)


def predict_mode() -> Scope:
    """Turn training mode off inside the ``with`` block; recording stays as it is."""
    return Scope(None, False)
