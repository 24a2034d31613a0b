"""What a process has that is no backend's to change: found and named where one does.

A library may set such things while it is loaded, which is reported; what a case changes fails it.
"""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

Surroundings = Mapping[str, Any]
_EVERYBODYS = (Warning, UserWarning, RuntimeWarning, FutureWarning, DeprecationWarning)

# PyTorch's compiler says there, once it is loaded, where it keeps what it made.
_OF_COMPILERS = frozenset({"TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"})


def surroundings() -> Surroundings:
    """Everything that is looked at, by the name that a report gives it."""
    return {
        "NumPy's treatment of floating-point errors": np.geterr(),
        "NumPy's print options": {key: str(value) for key, value in np.get_printoptions().items()},
        "the state of numpy.random": np.random.get_state()[1].tobytes(),
        "the state of the module random": hash(random.getstate()),
        "the precision of the module decimal": decimal.getcontext().prec,
        "the working directory": os.getcwd(),
        "the environment": {key: value for key, value in os.environ.items() if key not in _OF_COMPILERS},
        "the locale": locale.setlocale(locale.LC_ALL),
        # Those for a category or module of its own a library may add, also late.
        "the filters of everybody's warnings": [
            each for each in warnings.filters if each[1] is None and each[3] is None and each[2] in _EVERYBODYS
        ],
        "the limit of recursion": sys.getrecursionlimit(),
        "the garbage collector": (gc.isenabled(), gc.get_threshold()),
        "the handlers of signals": [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)],
        "the level of logging": logging.getLogger().level,
        "sys.excepthook": sys.excepthook,
        "the trace function": (sys.gettrace(), sys.getprofile(), threading.gettrace()),
    }


def changes(before: Surroundings, after: Surroundings) -> list[str]:
    """What is not as it was, with both values where they are short."""
    return [_described(name, before[name], after[name]) for name in before if before[name] != after[name]]


def _described(name: str, before: Any, after: Any) -> str:
    if isinstance(before, dict):
        keys = sorted(key for key in {**before, **after} if before.get(key) != after.get(key))
        return f"{name}: {', '.join(keys)}"
    if isinstance(before, (int, str)) and not name.startswith("the state"):
        return f"{name}: {after!r} instead of {before!r}"
    return name
