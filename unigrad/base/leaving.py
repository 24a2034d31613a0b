"""Where a followed array's values left the graph while a transform looked on: what explains a gradient of zeros.

To look at values is no mistake: control flow may depend on them. So a transform warns only where nothing at all arrives
at an argument *and* values that were computed from it were read while its function ran. Then it names these lines.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from contextvars import ContextVar
from types import FrameType
from typing import Any

from unigrad.base.errors import DisconnectedWarning

FEW = 4
"""How many lines a warning names."""

Places = dict[str, Any]
"""Lines of the user's at which values were read, in order, each with the node of what was read there."""

_watching: ContextVar[tuple[Places, ...]] = ContextVar("unigrad_leaving", default=())
watching = _watching.get
"""The transforms at work that want to know; empty outside any."""


class watched:
    """While the lines where values are read are noted in ``places``."""

    __slots__ = ("_places", "_token")

    def __init__(self, places: Places) -> None:
        self._places = places

    def __enter__(self) -> None:
        self._token = _watching.set((*_watching.get(), self._places))

    def __exit__(self, *error: object) -> None:
        _watching.reset(self._token)


def note(how: str, node: Any) -> None:
    """Values of a followed array were read: ``how`` is what was typed, on the nearest line outside unigrad."""
    for places in watching():
        if len(places) < FEW:
            places.setdefault(f"{how} at {users_line()}", node)


def users_line() -> str:
    """The nearest line outside unigrad, as ``file:number``."""
    frame, _ = users_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def line_of(error: BaseException) -> str | None:
    """The innermost line outside unigrad that an error came through, as ``file:number``."""
    found, at = None, error.__traceback__
    while at is not None:
        if not _is_ours(at.tb_frame):
            found = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
        at = at.tb_next
    return found


def users_frame() -> tuple[FrameType, int]:
    """The nearest frame outside unigrad, and how many frames it lies above who calls this, for a ``stacklevel``."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame):
        depth, frame = depth + 1, frame.f_back
    return frame, depth


def _is_ours(frame: FrameType) -> bool:
    """Whether a frame is of unigrad's code, or of what that has written."""
    name = str(frame.f_globals.get("__name__", "unigrad"))
    return name.partition(".")[0] == "unigrad" or frame.f_code.co_filename.startswith("<unigrad ")


def warn(places: Sequence[str], what: str) -> None:
    """Warn that the derivative by ``what`` is zeros, since values that depend on it left the graph at ``places``."""
    _, depth = users_frame()
    warnings.warn(
        f"the derivative by {what} is zeros: the result is not connected to it, and values were read as plain numbers "
        f"or arrays: {', '.join(places)}. Compute with unigrad's operations there, or call the framework's own "
        f"function by ug.wrap_native; where a constant is meant, read x.detach(), or inside 'with ug.pause():'",
        DisconnectedWarning,
        stacklevel=depth,
    )
