"""Generated code: templates filled in, compiled, and kept where people, tracebacks and debuggers find it."""

from __future__ import annotations

import builtins
import functools
import linecache
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import bound
from unigrad.table import Primitive

_written: dict[tuple[str, str], list[str]] = {}
"""By the name of a primitive and that of a backend ("" for what all share): the names of what was written."""


def fill(template: str, **parts: str) -> str:
    """A template with its ``{parts}``. One that stands alone on a line may be several lines, which are then indented
    as it is, or none."""
    lines: list[str] = []
    for line, alone in _lines(template):
        if alone is None:
            lines.append(line.format_map(parts))
        else:
            lines += [line + inner for inner in parts[alone].splitlines()]
    return "\n".join(lines)


@functools.cache
def _lines(template: str) -> list[tuple[str, str | None]]:
    """Each line and None, or the indent and the name of a part that stands alone on it."""
    found: list[tuple[str, str | None]] = []
    for line in template.strip("\n").splitlines():
        name = line.strip(" {}")
        indent = line[: -len(name) - 2]
        alone = not indent.strip() and line == f"{indent}{{{name}}}" and name.isidentifier()
        found.append((indent, name) if alone else (line, None))
    return found


def tuple_of(names: Sequence[str]) -> str:
    """A tuple of these names, as one writes it."""
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def execute(name: str, source: str, scope: dict[str, Any], *, of: str, what: str, on: str = "") -> Any:
    """Compile source and return what it defines under ``name``.

    ``of`` is the primitive, ``what`` the part of it that this is, ``on`` the backend, if it is one backend's alone.
    """
    file = _kept(source, of, what, on)
    exec(compile(source, file, "exec"), scope)  # noqa: S102
    return scope[name]


NAME = "PRIMITIVE"
"""What stands in source for the name of a primitive where :func:`execute_alike` puts it in."""


def execute_alike(name: str, source: str, scope: dict[str, Any], *, of: str, what: str) -> Any:
    """:func:`execute` of a function that is the same for many primitives but for their names.

    It is compiled once for all of them: to compile each takes a tenth of the time of importing unigrad.
    """
    file = _kept(source.replace(f"def {NAME}(", f"def {name}(").replace(NAME, of), of, what, "")
    code = _compiled(source)
    names = tuple([each.replace(NAME, of) for each in code.co_names])
    code = code.replace(co_name=name, co_qualname=name, co_filename=file, co_names=names)
    scope["__builtins__"] = builtins.__dict__  # as exec does it; PyTorch's compiler looks for them
    return FunctionType(code, scope, name)


@functools.cache
def _compiled(source: str) -> CodeType:
    """The code of the function that source defines."""
    found: CodeType = next(
        part for part in compile(source, "<unigrad>", "exec").co_consts if isinstance(part, CodeType)
    )
    return found


def _kept(source: str, of: str, what: str, on: str) -> str:
    """The name of a file that is not there, for whose lines Python asks ``linecache``."""
    file = f"<unigrad {of}: {what}{f' on {on}' if on else ''}>"
    # Without a time of change it stays.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    written = _written.setdefault((of, on), [])
    if file not in written:
        written.append(file)
    return file


def source(row: Primitive, backend: Backend, shared: bool = True) -> str:
    """What is written for a primitive and run on a backend, which must be loaded.

    ``shared``: with what all backends share, such as the class of its nodes.
    """
    bound[backend].made(row)
    files = (_written.get((row.name, ""), []) if shared else []) + _written.get((row.name, backend.label), [])
    return "\n\n".join(f"# {file[1:-1]}\n{''.join(linecache.getlines(file))}\n" for file in files)
