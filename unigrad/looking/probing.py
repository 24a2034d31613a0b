"""Whether importing a framework would end this process: tried in one of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from unigrad.adapters.registry import frameworks

_LOAD = """
import importlib, sys
try:
    from unigrad.adapters.registry import backend_names, get_backend_object
    if sys.argv[1] in backend_names():
        get_backend_object(sys.argv[1])
    else:  # it was registered by hand
        importlib.import_module(sys.argv[2])
except Exception:
    pass
print("still there")
"""
PATIENCE = 300.0
"""Seconds that an import may take."""


def unusable(names: Sequence[str]) -> dict[str, str]:
    """By backend why it must not be imported here: importing its framework ends a process, or does not end itself.

    Frameworks that are imported already are not tried; an import that only fails is nobody's end, and left to fail.
    """
    own = frameworks()
    tried = [name for name in names if own[name] and own[name] not in sys.modules]
    with ThreadPoolExecutor(2) as pool:
        found = zip(tried, pool.map(lambda name: _end(name, own[name]), tried), strict=True)
        return {name: why for name, why in found if why is not None}


def _end(name: str, framework: str) -> str | None:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LOAD, name, framework],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return f"importing it does not end within {PATIENCE:g} seconds"
    except OSError:  # no interpreter to start; then it is tried here
        return None
    if "still there" in done.stdout:
        return None
    said = done.stderr.strip().splitlines()[-1:]
    return f"importing it ends the process (exit status {done.returncode}){': ' if said else ''}{''.join(said)[:200]}"
