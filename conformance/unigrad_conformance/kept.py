"""Verdicts kept between runs (``unigrad conform --since FOLDER``), so that what did not change is not run again.

A case that agreed is not run again while nothing changed that it depends on: unigrad and the adapter, the suite (of the
chapters of programs all, of samples the sample itself), the releases of everything that is installed, Python, and the
machine. What did not agree is always run. JAX keeps its compiled programs in the same folder.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import unigrad
from unigrad_conformance.case import Case

FORMAT = 1
HERE = Path(__file__).parent
_APART = ("programs", "samples")
"""The rooms of the suite that hold nothing but cases."""
FILE = "verdicts.json"
Row = dict[str, Any]


class Kept:
    """What earlier runs found, in one folder; :meth:`write` adds what this one found."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._rows: dict[str, dict[str, Row]] = {}
        try:
            found = json.loads((self.folder / FILE).read_text())
        except (OSError, ValueError):  # none yet, or cut off: everything is run
            found = {}
        if isinstance(found, dict) and found.get("format") == FORMAT:
            self._rows = found["backends"]

    def environment(self) -> dict[str, str]:
        """What a worker is told, so that compiled programs are kept as well."""
        # Every program, however small and however quickly it was compiled.
        return {
            "JAX_COMPILATION_CACHE_DIR": str(self.folder.absolute() / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }

    def known(self, backend: str, cases: Iterable[Case], quick: bool) -> dict[str, Row]:
        """The rows of those cases that need not run again."""
        rows = self._rows.get(backend, {})
        found = {}
        for case in cases:
            row = rows.get(case.name)
            if row is not None and row["key"] == key_of(backend, case, quick):
                found[case.name] = row
        return found

    def add(self, backend: str, case: Case, quick: bool, row: Row) -> None:
        """What a run found of a case that agreed."""
        self._rows.setdefault(backend, {})[case.name] = row | {"key": key_of(backend, case, quick)}

    def about(self, backend: str) -> Row | None:
        """What the worker said of the backend itself."""
        return self._rows.get(backend, {}).get("")

    def add_about(self, backend: str, row: Row) -> None:
        """Likewise, for the next run."""
        self._rows.setdefault(backend, {})[""] = row

    def write(self) -> None:
        """Write everything, whole or not at all."""
        draft = self.folder / f".{FILE}.{os.getpid()}"
        draft.write_text(json.dumps({"format": FORMAT, "backends": self._rows}))
        os.replace(draft, self.folder / FILE)


def key_of(backend: str, case: Case, quick: bool) -> str:
    """A hash of all that the verdict on a case depends on."""
    parts = [_common(), _adapter(backend), case.name, case.why, case.dtype, str(case.limit), str(sorted(case.expected))]
    parts += [f"{quick and case.quick is not None}", _room(case)]
    for array in case.inputs:
        parts += [str(array.dtype), str(array.shape), array.tobytes().hex()]
    return _hashed(parts)


def _room(case: Case) -> str:
    """Of a hand-written program the whole room, since chapters share helpers; a sample is in its ``why``."""
    code = getattr(case.run, "__code__", None)
    return _files(HERE / "programs") if code is None or Path(code.co_filename).parent.name == "programs" else ""


@cache
def _common() -> str:
    """Of unigrad, the suite's own machinery, and everything that is installed."""
    machinery = [path for path in sorted(HERE.iterdir()) if path.suffix in (".py", ".toml")]
    releases = sorted({f"{each.name}=={each.version}" for each in importlib.metadata.distributions()})
    return _hashed([
        *(_files(path) for path in machinery),
        *(_files(HERE / name / "__init__.py") for name in _APART),
        *(_files(Path(unigrad.__file__).parent), *releases, sys.version, platform.machine(), platform.processor()),
        *(f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith(("XLA_", "JAX_", "TF_"))),
    ])  # fmt: skip


@cache
def _adapter(backend: str) -> str:
    """Of the package that its entry point names; nothing is imported for it."""
    for entry in importlib.metadata.entry_points(group="unigrad.backends", name=backend):
        spec = importlib.util.find_spec(entry.module.partition(".")[0])
        if spec is not None and spec.origin is not None:
            path = Path(spec.origin)
            return _files(path.parent if spec.submodule_search_locations else path)
    return ""


@cache
def _files(path: Path) -> str:
    paths = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return _hashed(f"{each.name}:{each.read_text()}" for each in paths)


def clear_hashes() -> None:
    """Read the files anew."""
    for function in (_common, _adapter, _files):
        function.cache_clear()


def _hashed(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() + b"\0")
    return found.hexdigest()
