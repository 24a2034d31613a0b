"""Generated code: templates filled in, compiled, and kept where people, tracebacks and debuggers find it."""

from __future__ import annotations

import linecache
import re
from collections.abc import Sequence
from typing import Any

from unigrad.adapters.contract import Backend
from unigrad.table import Primitive

_ALONE = re.compile(r"( *)\{(\w+)\}")

_written: dict[tuple[str, str], list[str]] = {}
"""By the name of a primitive and that of a backend ("" for what all share): the names of what was written."""


def fill(template: str, **parts: str) -> str:
    """A template with its ``{parts}``. One that stands alone on a line may be several lines, which are then indented
    as it is, or none."""
    lines: list[str] = []
    for line in template.strip("\n").splitlines():
        alone = _ALONE.fullmatch(line)
        if alone is None:
            lines.append(line.format_map(parts))
        else:
            lines += [alone[1] + inner for inner in parts[alone[2]].splitlines()]
    return "\n".join(lines)


def tuple_of(names: Sequence[str]) -> str:
    """A tuple of these names, as one writes it."""
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def execute(name: str, source: str, scope: dict[str, Any], *, of: str, what: str, on: str = "") -> Any:
    """Compile source and return what it defines under ``name``.

    ``of`` is the primitive, ``what`` the part of it that this is, ``on`` the backend, if it is one backend's alone.
    """
    file = f"<unigrad {of}: {what}{f' on {on}' if on else ''}>"
    exec(compile(source, file, "exec"), scope)  # noqa: S102
    # Without a time of change it stays, although there is no such file.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    written = _written.setdefault((of, on), [])
    if file not in written:
        written.append(file)
    return scope[name]


def source(row: Primitive, backend: Backend, shared: bool = True) -> str:
    """What was written for a primitive and is run on a backend, which must be loaded.

    ``shared``: with what all backends share, such as the class of its nodes.
    """
    files = (_written.get((row.name, ""), []) if shared else []) + _written.get((row.name, backend.name), [])
    return "\n\n".join(f"# {file[1:-1]}\n{''.join(linecache.getlines(file))}\n" for file in files)
