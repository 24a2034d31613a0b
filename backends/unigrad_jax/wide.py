"""64-bit numbers in JAX, without touching the user's configuration."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
from jax.extend.core import get_opaque_trace_state

with jax.core.eval_context():
    _NO_TRACE = get_opaque_trace_state()

_AS_IT_IS = nullcontext()
_config = jax.config


def wide() -> AbstractContextManager[Any]:
    """A scope, of this thread alone, in which JAX keeps 64 bits. Nothing is opened where they are on already.

    Nor inside a transform: JAX lowers a whole trace by the setting that it began with, and refuses one
    in which the setting changed on the way. There the user's setting decides, as for JAX's own functions.
    """
    if _config.x64_enabled or within_transform():
        return _AS_IT_IS
    return jax.enable_x64(True)


def put(raw: Any, where: Any) -> Any:
    """An array brought to a device or sharding: 64 bits as they are, which JAX by itself would move as 32."""
    with wide():
        return jax.device_put(raw, where)


def within_transform() -> bool:
    """Whether a transform of JAX's is at work."""
    return bool(get_opaque_trace_state() != _NO_TRACE)
