"""How a transform calls its function: arguments become Tensors, and results are of the kind that the caller gave."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from unigrad.backend import backend_of
from unigrad.batching import Batched, batched, mapped, spread
from unigrad.dtypes import has_gradients
from unigrad.errors import ArgumentError, DtypeError
from unigrad.forward import Dual, dual
from unigrad.levels import is_wrapped
from unigrad.operations.creation import asarray
from unigrad.recording import is_recording
from unigrad.tensor import Tensor
from unigrad.tree import flatten, paths, unflatten

Argnums = int | Sequence[int]
Where = Callable[[], str]
"""What says where a leaf is: called only to tell of a mistake."""
UNUSED = ("zeros", "none", "error")


def positions(argnums: Argnums | None, count: int) -> list[int]:
    """The arguments that ``argnums`` names, counted from the front; None names all ``count`` of them.

    ArgumentError if one is out of range, or named twice.
    """
    if argnums is None:
        return list(range(count))
    found = []
    for position in (argnums,) if isinstance(argnums, int) else argnums:
        if not isinstance(position, int) or isinstance(position, bool) or not -count <= position < count:
            raise ArgumentError(f"argnums={position!r} is out of range: the function was called with {count} arguments")
        found.append(position % count)
    if len(set(found)) < len(found):
        raise ArgumentError(f"argnums={argnums!r} names an argument twice")
    return found


def check_unused(unused: str) -> None:
    """ArgumentError unless ``unused`` is a word that :func:`unigrad.gradients` knows."""
    if unused not in UNUSED:
        raise ArgumentError(f"unused={unused!r} is unknown; use 'zeros', 'none' or 'error'")


def called(f: Callable[..., Any]) -> str:
    """The name of a function, for messages."""
    return getattr(f, "__name__", type(f).__name__)


def _where(args: Sequence[Any], position: int, number: int) -> str:
    return f"argument {position}{paths(args[position])[number]}"


class Arguments:
    """The arguments of one call, those at ``chosen`` with each leaf made a variable by ``variable(leaf, where)``;
    ``where()`` tells its place.

    All others are constants: arrays become Tensors, all else stays what it is.
    """

    def __init__(self, args: Sequence[Any], chosen: Sequence[int], variable: Callable[[Any, Where], Tensor]) -> None:
        flat = [flatten(arg) for arg in args]
        self.originals = [leaf for position in chosen for leaf in flat[position][0]]
        """The leaves of the chosen arguments, as they were given."""
        self.layouts = [flat[position][1] for position in chosen]
        parts = {
            position: [
                variable(leaf, functools.partial(_where, args, position, number))
                for number, leaf in enumerate(flat[position][0])
            ]
            for position in chosen
        }
        self.variables = [leaf for position in chosen for leaf in parts[position]]
        """The same leaves as Tensors, as the function gets them."""
        self.values = [
            unflatten(layout, parts[position] if position in parts else [constant(leaf) for leaf in leaves])
            for position, (leaves, layout) in enumerate(flat)
        ]
        """What the function is called with."""
        leaves = [leaf for part, _ in flat for leaf in part]
        self.nested = is_recording() or any(map(is_wrapped, leaves))
        """Whether an outer transform or recording follows the results."""
        self._outside = not any(isinstance(leaf, Tensor) for leaf in leaves)
        self._kind = next(iter(self.originals), None)

    def shown(self, x: Any) -> Any:
        """A result as the caller sees it: unwrapped if no Tensor was given, without history if nobody follows it."""
        if not isinstance(x, Tensor):
            return x
        if not is_recording():
            x = without_history(x)
        return like(x, self._kind) if self._outside and not is_wrapped(x) else x

    def shown_tree(self, tree: Any) -> Any:
        """:meth:`shown` for each leaf of a container."""
        leaves, layout = flatten(tree)
        return unflatten(layout, map(self.shown, leaves))

    def rebuilt(self, leaves: Iterable[Tensor | None]) -> list[Any]:
        """One Tensor or None for each variable, each of its leaf's kind, in the structures of the arguments."""
        supply = iter([None if x is None else like(x, given) for x, given in zip(leaves, self.originals, strict=True)])
        return [layout(supply) for layout in self.layouts]


class Outputs:
    """What a function returned: its arrays as Tensors, and the structure that they were in."""

    def __init__(self, f: Callable[..., Any], result: Any) -> None:
        leaves, self.layout = flatten(result)
        self._result = result
        self.tensors: list[Tensor] = []
        for number, leaf in enumerate(leaves):
            if not isinstance(leaf, (Tensor, bool, int, float, complex)) and backend_of(leaf) is None:
                raise ArgumentError(
                    f"{called(f)} must return arrays, and its {self.name(number)} is {type(leaf).__name__}; "
                    f"with has_aux=True it may return (arrays, anything)"
                )
            self.tensors.append(asarray(leaf))
        if not leaves:
            raise ArgumentError(f"{called(f)} returned {result!r}, which holds no array; does it lack a return?")

    def name(self, number: int) -> str:
        """Where an output was."""
        return f"output{paths(self._result)[number]}"

    def rebuilt(self, leaves: Iterable[Any]) -> Any:
        """One leaf for each output, in the structure of the outputs."""
        return unflatten(self.layout, leaves)


def with_aux(f: Callable[..., Any], result: Any, has_aux: bool) -> tuple[Any, Any]:
    """The result proper and the auxiliary one, None if there is none."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise ArgumentError(
            f"with has_aux=True {called(f)} must return a tuple (value, aux), not {type(result).__name__}"
        )
    return result[0], result[1]


def matched(given: Any, layout_of: Any, what: str, of: str) -> list[Any]:
    """The leaves of ``given``, which must have the structure of ``layout_of``; ArgumentError if it has not."""
    expected, found = paths(layout_of), paths(given)
    if sorted(expected) != sorted(found):
        raise ArgumentError(
            f"{what} must have the structure of {of}, whose leaves are {_listed(expected)}; it has {_listed(found)}"
        )
    leaves = dict(zip(found, flatten(given)[0], strict=True))
    return [leaves[path] for path in expected]  # a dict may list its keys in another order


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(the array itself)" for name in names[:6])
    return (shown or "none") + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def floating(leaf: Any, where: Where) -> Tensor:
    """A leaf that is differentiated, as a Tensor; DtypeError unless it is floating."""
    try:
        found = asarray(leaf)
    except DtypeError as error:
        raise DtypeError(f"{where()} is {type(leaf).__name__} and no array: {error}") from error
    if not has_gradients(found.dtype):
        raise DtypeError(
            f"{where()} holds {found.dtype}, and only floating arrays have derivatives; "
            f"convert it with .astype(ug.float32), or leave it out with argnums"
        )
    return found


def variable(leaf: Any, where: Where) -> Tensor:
    """A leaf as a fresh variable of a reverse transform: the same array given twice is two variables.

    Inside ``vmap`` each element of the batch gets a variable of its own.
    """
    found = floating(leaf, where)
    for level, size in mapped.get():
        found = spread(found, level, size)
    return _fresh(found)


def _fresh(x: Tensor) -> Tensor:
    if isinstance(x, Batched):
        return batched(_fresh(x._parts.value), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(_fresh(value), tangent, level)
    if x._node is not None and is_recording():
        return x + 0  # inside an outer recording it stays connected, so that gradients nest
    fresh = x._unrecorded()
    fresh.attach_grad()
    return fresh


def without_history(x: Tensor) -> Tensor:
    """The same values and wrappers without what was recorded."""
    if isinstance(x, Batched):
        return batched(without_history(x._parts.value), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(without_history(value), without_history(tangent), level)
    return x._unrecorded()


def constant(leaf: Any) -> Any:
    """A leaf of an argument that is not differentiated: arrays become Tensors, all else stays."""
    if isinstance(leaf, (Tensor, bool, int, float, complex, str, bytes)) or leaf is None:
        return leaf
    return asarray(leaf) if isinstance(leaf, np.ndarray) or backend_of(leaf) is not None else leaf


def like(x: Tensor, original: Any) -> Any:
    """A Tensor as its caller sees it who gave ``original``."""
    if isinstance(original, Tensor) or is_wrapped(x):
        return x
    if original is None or isinstance(original, (np.ndarray, np.generic, bool, int, float, complex)):
        return x.numpy()
    return x.raw
