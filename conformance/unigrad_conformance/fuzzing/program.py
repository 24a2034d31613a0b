"""A random program as data: inputs, and steps of which each is a line of Python over ``ug``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType, MappingProxyType
from typing import Any

import numpy as np

FORMAT = 1
NAME = re.compile(r"\b[a-dt]\d+\b")


class FormatError(ValueError):
    """A program that was written by another release of the suite."""


@dataclass(frozen=True)
class Step:
    """One line: ``name = source``. ``exact`` if it rounds nothing, so that ties and kinks survive it."""

    name: str
    source: str
    exact: bool

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """The names that it reads."""
        return tuple(dict.fromkeys(NAME.findall(self.source)))


@dataclass(frozen=True)
class Program:
    """Inputs, which are all differentiated, and steps; what no step reads is a result."""

    inputs: Mapping[str, np.ndarray[Any, Any]]
    steps: tuple[Step, ...]

    @cached_property
    def results(self) -> tuple[str, ...]:
        """The names of the results, in order."""
        read = {name for step in self.steps for name in step.operands}
        return tuple(step.name for step in self.steps if step.name not in read)

    @cached_property
    def _code(self) -> list[tuple[str, CodeType]]:
        return [(step.name, compile(step.source, f"<{step.name} = {step.source}>", "eval")) for step in self.steps]

    def function(self, ug: Any, known: Mapping[str, Any] = MappingProxyType({})) -> Callable[..., list[Any]]:
        """The program as a function of its inputs; its steps may also read what ``known`` names."""

        def run(*values: Any) -> list[Any]:
            scope = {"ug": ug, **known, **dict(zip(self.inputs, values, strict=True))}
            for name, code in self._code:
                scope[name] = eval(code, scope)
            return [scope[name] for name in self.results]

        return run

    def source(self, backend: str) -> str:
        """A program that stands alone and prints the gradients."""
        lines = ["import unigrad as ug", f"ug.set_backend({backend!r})"]
        for name, array in self.inputs.items():
            lines.append(f'{name} = ug.asarray({array.tolist()!r}, dtype="{array.dtype}"); {name}.attach_grad()')
        lines += ["with ug.record():", *(f"    {step.name} = {step.source}" for step in self.steps)]
        heads = self.results
        lines.append(f"    y = {' + '.join(f'{name}.sum()' for name in heads)}" if heads else "    y = 0")
        lines += ["y.backward()", f"print(y, {', '.join(f'{name}.grad' for name in self.inputs)})"]
        return "\n".join(lines)

    def as_data(self) -> dict[str, Any]:
        """For JSON; :func:`from_data` reads it."""
        inputs = {name: {"dtype": str(x.dtype), "values": x.tolist()} for name, x in self.inputs.items()}
        return {"format": FORMAT, "inputs": inputs, "steps": [[s.name, s.source, s.exact] for s in self.steps]}


def from_data(data: Mapping[str, Any]) -> Program:
    """The program that :meth:`Program.as_data` gave; FormatError if another release wrote it."""
    if data.get("format") != FORMAT:
        raise FormatError(
            f"this program has the format {data.get('format')!r}, and only {FORMAT} is read; find it again by its seed"
        )
    inputs = {name: np.asarray(row["values"], dtype=row["dtype"]) for name, row in data["inputs"].items()}
    return Program(inputs, tuple(Step(*row) for row in data["steps"]))


def without(program: Program, step: Step, instead: str) -> Program:
    """The program in which ``instead`` is read for the result of a step."""

    def renamed(each: Step) -> Step:
        return Step(each.name, re.sub(rf"\b{step.name}\b", instead, each.source), each.exact)

    return Program(program.inputs, tuple(renamed(each) for each in program.steps if each is not step))


def pruned(program: Program, results: Sequence[str]) -> Program:
    """What of the program these results need."""
    wanted, steps = set(results), []
    for step in reversed(program.steps):
        if step.name in wanted:
            wanted.update(step.operands)
            steps.append(step)
    return Program({name: x for name, x in program.inputs.items() if name in wanted}, tuple(reversed(steps)))
