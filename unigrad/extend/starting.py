"""Starting a library without what its native code prints as it starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly(variable: str, value: str, text: str = "") -> Iterator[None]:
    """A scope with an environment variable, for a library that reads it once, and without the lines with ``text`` that
    are printed to standard error meanwhile. The variable is as before afterwards, and other lines come out then."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        with _without_lines(text):
            yield
    finally:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before


@contextmanager
def _without_lines(text: str) -> Iterator[None]:
    """Below Python, since native code writes to the file itself."""
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            printed.seek(0)
            rest = [line for line in printed if text.encode() not in line]
            if rest:
                os.write(2, b"".join(rest))
