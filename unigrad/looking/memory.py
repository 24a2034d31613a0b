"""How much memory a call needs: by how much the process grew at its peak. Told by Linux alone."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Callable, Iterator
from typing import Any

_STATUS = "/proc/self/status"
_CLEAR = "/proc/self/clear_refs"


def with_memory(function: Callable[[], Any]) -> tuple[Any, int | None]:
    """What ``function()`` returns, and by how many bytes the resident memory of the process was larger at its
    peak than before; None where the system does not tell. What a framework keeps in a pool of its own is not seen."""
    before = _resident() if _forget_peak() else None
    result = function()
    peak = None if before is None else _read("VmHWM")
    return result, None if before is None or peak is None else max(0, peak - before)


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """What is there already is not looked through again for each call that is measured inside: beside three million
    objects of other frameworks' that takes a second, and the call some microseconds."""
    frozen = gc.get_freeze_count() > 0  # by somebody else, who means it to stay so
    gc.collect()
    if not frozen:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()


def _forget_peak() -> bool:
    gc.collect()
    try:
        # What was freed goes back to the system first, or its reuse would not be seen.
        ctypes.CDLL(None).malloc_trim(0)
        with open(_CLEAR, "w") as file:
            file.write("5")
    except (OSError, AttributeError, TypeError):  # another system, another C library
        return False
    return True


def _resident() -> int | None:
    return _read("VmRSS")


def _read(name: str) -> int | None:
    try:
        with open(_STATUS) as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(name)), None)
    except OSError:
        return None
