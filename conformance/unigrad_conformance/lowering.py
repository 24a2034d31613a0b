"""What spares JAX work that is the same for every program."""

from __future__ import annotations

import sys
import threading
from typing import Any


class _Contexts(threading.local):
    """Each thread's own, since what one thread writes another may be compiling."""

    context: Any = None


def share_contexts() -> None:
    """Have JAX, where it is loaded, write all programs of a thread in one MLIR context. It makes another for each:
    4 ms of the 30 that a small program takes, and half of the memory that is kept with it. What a program computes does
    not depend on it. Where a release has no such function, its programs take longer.
    """
    mlir = sys.modules.get("jax._src.interpreters.mlir")
    make = getattr(mlir, "make_ir_context", None)
    if make is None or getattr(make, "shares", False):
        return
    own = _Contexts()

    def shared() -> Any:
        if own.context is None:
            own.context = make()
        return own.context

    shared.shares = True  # type: ignore[attr-defined]
    mlir.make_ir_context = shared  # type: ignore[union-attr]
