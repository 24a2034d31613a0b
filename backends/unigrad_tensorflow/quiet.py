"""Importing TensorFlow without its messages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextmanager
def quiet() -> Iterator[None]:
    """Discard what native code writes to standard error; restore it and the environment afterwards."""
    level = os.environ.get(LEVEL)
    os.environ.setdefault(LEVEL, "3")
    # TensorFlow writes the first messages before it reads the level.
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
        if level is None:
            os.environ.pop(LEVEL, None)
