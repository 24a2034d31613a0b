"""Whether operations are recorded, and whether a network trains: per thread and per async task.

Both are one context variable, so a new thread starts with neither and an async task sees its own.
A scope is a context manager that can be entered again, also while it is open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any


class Mode(tuple[()]):
    """What is switched on. It is true while operations are recorded, which every operation asks."""

    # A tuple, whose truth value costs no call: those that record hold something, the others are empty.
    training: bool


def _mode(recording: bool, training: bool) -> Mode:
    mode = Mode((True,) if recording else ())  # type: ignore[arg-type]
    mode.training = training
    return mode


_MODES = [[_mode(recording, training) for training in (False, True)] for recording in (False, True)]
_RECORDED, _TRAINED = _MODES[True]
_current: ContextVar[Mode] = ContextVar("unigrad_mode", default=_MODES[False][False])

recording_mode = _current.get
"""The mode, for where :func:`is_recording` would be a call too many."""


def is_recording() -> bool:
    """Whether operations on attached arrays are recorded."""
    return bool(_current.get())


def is_training() -> bool:
    """Whether dropout and its like are at work."""
    return _current.get().training


framework_scopes: list[tuple[Callable[[], bool], Callable[[], bool], Callable[[], AbstractContextManager[None]]]] = []
"""An adapter whose framework can forbid recording (torch.no_grad) adds three functions here: whether it records,
whether it refuses all the same, and what opens a scope of the framework's in which it does. Two questions, since both
may be functions of the framework's own, which cost a recording next to nothing."""

Opened = tuple[AbstractContextManager[None], Any]
"""A framework's scope, and the one opened before it."""
Undo = tuple[Token[Mode], Opened | None, Any]
"""What an exit takes back, and what the one around it does where the scope is entered again."""


class Scope:
    """What :func:`record` returns: sets a mode for the duration of a ``with`` block.

    Without an __init__, and with no call that can be left out: between large kernels each takes a microsecond.
    """

    __slots__ = ("_undo", "mode")

    mode: Mode
    _undo: Undo | None

    def __enter__(self) -> None:
        opened = None
        for records, refuses, _ in framework_scopes:
            if refuses() or not records():
                opened = _opened()
                break
        self._undo = (_current.set(self.mode), opened, self._undo)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._undo is not None
        token, opened, self._undo = self._undo
        _current.reset(token)
        while opened is not None:
            scope, opened = opened
            scope.__exit__(kind, error, trace)


def _opened() -> Opened | None:
    opened: Opened | None = None
    for records, refuses, open_scope in framework_scopes:
        if refuses() or not records():
            scope = open_scope()
            scope.__enter__()
            opened = (scope, opened)
    return opened


class Switch(Scope):
    """Turns recording, training or both on or off; None leaves it as it is."""

    __slots__ = ("_recording", "_training")

    def __init__(self, recording: bool | None, training: bool | None) -> None:
        self._recording = recording
        self._training = training
        self._undo = None

    def __enter__(self) -> None:
        recording = is_recording() if self._recording is None else self._recording
        training = is_training() if self._training is None else self._training
        opened = _opened() if self._recording else None
        self._undo = (_current.set(_MODES[recording][training]), opened, self._undo)


def record(train_mode: bool = True) -> Scope:
    """Record operations inside the ``with`` block; training mode is on unless ``train_mode=False``."""
    scope = Scope()
    scope.mode = _TRAINED if train_mode else _RECORDED
    scope._undo = None
    return scope


def pause(train_mode: bool = False) -> Scope:
    """Suspend recording inside the ``with`` block; training mode is off unless ``train_mode=True``."""
    return Switch(False, train_mode)


def train_mode() -> Scope:
    """Turn training mode on inside the ``with`` block; recording stays as it is."""
    return Switch(None, True)


def predict_mode() -> Scope:
    """Turn training mode off inside the ``with`` block; recording stays as it is."""
    return Switch(None, False)
