"""A program as the text of a Python function: names for its variables, literals for its parameters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.binding.source import execute
from unigrad.compiling.program import Step, Variable

_count = itertools.count(1)

Run = Callable[[Sequence[Any]], list[Any]]
"""From raw inputs to raw outputs."""


class Writing:
    """Text that grows, and the scope in which it will run."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self._lines: list[tuple[str, Step | None]] = []
        self.names: dict[Variable, str] = {}
        """What each variable is called in the text, if that is not its own name."""

    def line(self, text: str, step: Step | None = None) -> None:
        """One line of the body, and where it came from."""
        self._lines.append((text, step))

    def first(self, text: str) -> None:
        """A line before all others."""
        self._lines.insert(0, (text, None))

    def name(self, x: Variable) -> str:
        """How the text names a variable."""
        return self.names.get(x, x.name)

    def given(self, value: Any, letter: str = "o") -> str:
        """The name under which the scope has a value."""
        name = f"{letter}{len(self.scope)}"
        self.scope[name] = value
        return name

    def named(self, name: str, value: Any) -> str:
        """The name, under which the scope has this value from now on."""
        self.scope[name] = value
        return name

    def literal(self, arg: Any) -> str:
        """An argument as one writes it; what cannot be written is put into the scope."""
        if isinstance(arg, Variable):
            return self.name(arg)
        if type(arg) is tuple:
            inside = ", ".join(map(self.literal, arg))
            return f"({inside}{',' if len(arg) == 1 else ''})"
        if type(arg) is list:
            return f"[{', '.join(map(self.literal, arg))}]"
        if type(arg) is slice:
            return f"slice({arg.start!r}, {arg.stop!r}, {arg.step!r})"
        if arg is None or type(arg) in (bool, int, str) or (type(arg) is float and math.isfinite(arg)):
            return repr(arg)
        return self.given(arg)

    def call(self, function: str, args: Sequence[Any]) -> str:
        """The call of a function of the scope."""
        return f"{function}({', '.join(map(self.literal, args))})"

    def key(self, key: Sequence[Any]) -> str:
        """What stands between brackets to select by a key of numbers and slices."""
        return ", ".join(map(_entry, key)) or "()"

    def text(self, head: str, told: bool = True) -> str:
        """All lines below a head, and behind them where they came from, one below the other."""
        lines = self._lines or [("pass", None)]
        if not told:
            return "\n".join([head, *[f"    {text}" for text, _ in lines]]) + "\n"
        width = min(max((len(text) for text, step in lines if step is not None), default=0), 60)
        body = [f"    {text:<{width}}  # {_comment(step)}" if step else f"    {text}" for text, step in lines]
        return "\n".join([head, *body]) + "\n"


def unpacked(names: Sequence[str], of: str) -> str:
    """The statement that takes a sequence apart."""
    return f"{', '.join(names)}, = {of}" if names else "pass"


def _comment(step: Step) -> str:
    """The operation that a line came from."""
    return f"{step}: {step.out.described}"


def _entry(entry: Any) -> str:
    if entry is Ellipsis:
        return "..."
    if type(entry) is slice:
        start, stop, step = ("" if part is None else str(part) for part in (entry.start, entry.stop, entry.step))
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
    return repr(entry)


def defined(name: str, source: str, scope: dict[str, Any], of: str) -> Any:
    """What the source defines under the name, kept where tracebacks and debuggers find it, as all that is written."""
    return execute(name, source, scope, of=f"plan {next(_count)} of {of}", what="compiled")
