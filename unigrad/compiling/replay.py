"""What runs where a framework has memory and compilers of its own: the primitives one after the other."""

from __future__ import annotations

from unigrad.adapters.contract import Backend
from unigrad.compiling.program import Program, Variable
from unigrad.compiling.writing import Run, Writing, defined, unpacked


def written(program: Program, backend: Backend, name: str) -> tuple[Run, str]:
    """A function of the backend's raw arrays, and its text. An array is let go of as soon as nothing needs it."""
    writing = Writing()
    scope = writing.scope
    for x, raw in program.constants.items():
        scope[x.name] = raw
    writing.line(unpacked([x.name for x in program.inputs], "inputs"))
    last = program.last_uses()
    kept = {*program.constants, *program.outputs}
    for number, step in enumerate(program.steps):
        scope[step.name] = backend.engine.untracked(backend.function(step.name))
        writing.line(f"{step.out} = {writing.call(step.name, step.args)}", step)
        dead = [x.name for x in dict.fromkeys(step.inputs) if last[x] == number and x not in kept]
        if dead:
            writing.line(f"del {', '.join(dead)}")
    writing.line(f"return [{', '.join(_results(program, backend, writing))}]")
    text = writing.text("def plan(inputs):")
    return defined("plan", text, scope, name), text


_VIEWS = {"reshape", "permute_dims", "broadcast_to", "flip", "real", "imag", "getitem", "conj", "astype", "expand_dims"}
"""What frameworks may answer with a part of what they were given."""


def _results(program: Program, backend: Backend, writing: Writing) -> list[str]:
    """The outputs, each in memory of its own where somebody could write to it."""
    own = {step.out for step in program.steps if step.name not in _VIEWS}
    seen: set[Variable] = set()
    found = []
    for x in program.outputs:
        if backend.immutable or (x in own and x not in seen):
            found.append(x.name)
        else:
            writing.scope["copied"] = backend.copied
            found.append(f"copied({x.name})")
        seen.add(x)
    return found
