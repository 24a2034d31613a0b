"""``ug.graph``: from a recorded array, or a function, to a picture of what a backward goes through."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unigrad.base.errors import ArgumentError, NotRecordedError, UnsupportedError
from unigrad.base.recording import Switch
from unigrad.base.tree import flatten
from unigrad.compiling.program import Program
from unigrad.looking.drawn import Drawn
from unigrad.looking.naming import Names, variables_of
from unigrad.looking.picture import Picture
from unigrad.looking.programs import picture_of
from unigrad.looking.running import names_of, on_variables
from unigrad.looking.watching import Watched, watched
from unigrad.tensor.levels import is_known, is_wrapped
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import called
from unigrad.transforms.reverse import recorded

MOST = 120
"""So many nodes are drawn unless ``most`` says otherwise."""


def graph(
    of: Any,
    *args: Any,
    names: Mapping[str, Tensor] | Sequence[str] | None = None,
    fold: Callable[..., Any] | Sequence[Callable[..., Any]] = (),
    most: int = MOST,
) -> Picture:
    """A picture of the graph that a backward of ``of`` goes through: operations, shapes, values and local derivatives,
    and the cotangents that arrive when the heads are pulled back with ones, as ``y.backward()`` does it.

    ``graph(y)`` draws what was recorded below a Tensor, or below several in a sequence: the graph stays as it is. Nodes
    keep only what their derivatives need. Where a value is not kept and cannot be computed again from what is (on
    PyTorch, whose engine keeps its own, that is so of what is computed with constants), it is left out unless a
    variable holds it.

    ``graph(f, *args)`` runs a function of arrays, Python floats or containers of them and draws what it did, with every
    value: ``f`` gets fresh copies, so that nothing of the caller's is changed or recorded. Transforms inside ``f`` are
    opened: what they record is drawn. A checkpoint or a function with a rule of its own is one node.

    ``graph(step.program)`` draws the program that :func:`unigrad.compile` traced, in its own names: what runs, steps
    of derivatives among it, and no values.

    Variables are called as the caller's are, or the arguments and local variables of ``f``; ``names`` may say it:
    ``{"loss": y}``, or for a function a sequence with a name for each argument. ``fold``: functions whose calls inside
    ``f`` are drawn as one box each. Of more than ``most`` nodes repeats are folded, and then what is in the middle; the
    picture says so.

    The picture draws itself in a notebook, ``print`` writes it in a terminal, and it has ``svg()``, ``html()`` (a page
    on which reverse and forward mode run step by step), ``dot()``, ``mermaid()`` and ``save(path)``.

    Raises NotRecordedError for what was not recorded, ArgumentError for other arguments that do not fit, and
    UnsupportedError inside ``jvp`` and ``vmap``. Of a graph that a backward released it draws what is left.
    """
    if not isinstance(most, int) or most < 4:
        raise ArgumentError(f"most={most!r} must be an integer of at least 4: so many nodes are drawn")
    if isinstance(of, Program):
        if args or names is not None or _functions(fold):
            raise ArgumentError(
                "ug.graph(program) takes no more arrays, no names= and no fold=: it draws what there is"
            )
        return picture_of(of, most)
    known = Names()
    frame = sys._getframe(1)
    if callable(of) and not isinstance(of, Tensor):
        if names is not None and (isinstance(names, (str, Mapping)) or len(names) != len(args)):
            raise ArgumentError(
                f"names={names!r} must be a sequence of {len(args)} names, one for each argument of {called(of)}"
            )
        _check_free(flatten(args)[0], "arguments")
        heads, seen = _run(of, args, names, _functions(fold), known)
    else:
        if args or _functions(fold):
            raise ArgumentError(
                "ug.graph(y) takes no more arrays and no fold=: to draw several heads pass a list of them; what was "
                "recorded does not tell which function it came from, and ug.graph(f, *args, fold=g) does"
            )
        heads, seen = _heads(of), Watched()
        for name, x in _given(names).items():
            known.add(name, x)
        known.look_into(variables_of(frame))
    _check_free(heads, "results")
    with Switch(False, None):
        return Drawn(heads, seen, known, most).picture()


def _check_free(arrays: Sequence[Any], what: str) -> None:
    """UnsupportedError for arrays that a transform or a framework is at work on."""
    for x in arrays:
        if is_wrapped(x):
            raise UnsupportedError(f"the {what} are at work in a jvp or vmap; call ug.graph outside of it")
        if isinstance(x, Tensor) and not is_known(x):
            raise UnsupportedError(
                f"{x.backend.name!r} traces a program, and there are no values to draw; draw outside"
            )


def _given(names: Any) -> Mapping[str, Tensor]:
    if names is None:
        return {}
    if not isinstance(names, Mapping) or not all(isinstance(x, Tensor) for x in names.values()):
        raise ArgumentError(f"names={names!r} must say which Tensor has which name: names={{'loss': y}}")
    return {str(name): x for name, x in names.items()}


def _functions(fold: Any) -> list[Callable[..., Any]]:
    found = [fold] if callable(fold) else list(fold)
    for each in found:
        if not hasattr(each, "__code__"):
            raise ArgumentError(f"fold={each!r} must be a function written in Python, or a sequence of such functions")
    return found


def _heads(of: Any) -> list[Tensor]:
    heads = [of] if isinstance(of, Tensor) else list(of) if isinstance(of, (list, tuple)) else []
    if not heads or not all(isinstance(head, Tensor) for head in heads):
        raise ArgumentError(
            f"ug.graph draws a recorded Tensor, a list of them, a function and its arguments, or the program of a "
            f"compiled function, not a {type(of).__name__}"
        )
    for head in heads:
        if head._node is None:
            raise NotRecordedError(
                f"this array (shape {head.shape}, dtype {head.dtype}) was not recorded, so that there is no graph to "
                f"draw: call x.attach_grad(), compute y from x inside 'with ug.record():' and draw y; or let "
                f"ug.graph(f, x) record it"
            )
    return heads


def _run(
    f: Callable[..., Any],
    args: Sequence[Any],
    names: Sequence[str] | None,
    fold: Sequence[Callable[..., Any]],
    known: Names,
) -> tuple[list[Tensor], Watched]:
    """The heads of a function, run on fresh variables, and what was seen."""
    arguments = on_variables(args)
    for name, x in zip(names_of(f, args, names), arguments.variables, strict=True):
        if isinstance(x, Tensor):
            known.add(name, x)
    result, seen = watched(lambda: recorded(f, arguments), getattr(f, "__code__", None), fold)
    known.look_into(seen.local_names)
    heads = [x for x in flatten(result)[0] if isinstance(x, Tensor) and x._node is not None]
    if not heads:
        raise NotRecordedError(
            f"{called(f)} returned nothing that depends on its floating arguments in a differentiable way, so that "
            f"there is no graph to draw"
        )
    return heads, seen
