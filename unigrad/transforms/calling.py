"""How a transform calls its function: arguments become Tensors, and results are of the kind that the caller gave."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar, Token
from typing import Any, SupportsIndex

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import backend_of, current_backend, following, working_on
from unigrad.base import dtypes
from unigrad.base.dtypes import FLOATING, has_gradients
from unigrad.base.errors import ArgumentError, DtypeError, MissingNameError, UnigradError
from unigrad.base.leaving import Places, warn, watched
from unigrad.base.recording import is_recording
from unigrad.base.tracing import trace
from unigrad.base.tree import flatten, paths, unflatten
from unigrad.engine.moving import carried
from unigrad.engine.passes import checked_cotangent
from unigrad.engine.within import Pass
from unigrad.interpreters.batches import Batched, batched, mapped, spread
from unigrad.interpreters.duals import Dual, dual
from unigrad.operations.creation import asarray
from unigrad.tape import Leaf, Node, next_number, parents_of
from unigrad.tensor.coercion import backend_for
from unigrad.tensor.levels import beneath, is_wrapped
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.pulling import pull_back

Argnums = SupportsIndex | Sequence[SupportsIndex]
Where = Callable[[], str]
"""What says where a leaf is: called only to tell of a mistake."""
UNUSED = ("zeros", "none", "error")
_NUMBERS = (bool, int, float, complex)


_untracked: ContextVar[bool] = ContextVar("unigrad_untracked", default=False)


class as_tensors:
    """While a function runs on arrays without history that are followed all the same: what transforms inside give
    stays a Tensor, whatever they were given."""

    def __enter__(self) -> None:
        self._token: Token[bool] = _untracked.set(True)

    def __exit__(self, *error: object) -> None:
        _untracked.reset(self._token)


def _kept() -> bool:
    # While a function is compiled nothing has values.
    return _untracked.get() or trace() is not None


def several(argnums: Argnums | None) -> bool:
    """Whether ``argnums`` is a sequence, so that results come as a tuple with one entry for each position."""
    return isinstance(argnums, Sequence) and not isinstance(argnums, str)


def positions(argnums: Argnums | None, count: int) -> list[int]:
    """The arguments that ``argnums`` names, counted from the front; None names all ``count`` of them.

    ArgumentError if one is no integer, is out of range, or is named twice.
    """
    if argnums is None:
        return list(range(count))
    found = []
    for given in argnums if isinstance(argnums, Sequence) and not isinstance(argnums, str) else (argnums,):
        try:
            position = operator.index(given)
        except TypeError:
            position = None
        if position is None or isinstance(given, (bool, np.bool_)):
            raise ArgumentError(f"argnums={argnums!r} must be the position of an argument, or a tuple of positions")
        if not -count <= position < count:
            raise ArgumentError(
                f"argnums={argnums!r} is out of range: the function was called with {count} positional arguments; "
                f"only those can be differentiated"
            )
        found.append(position % count)
    if len(set(found)) < len(found):
        raise ArgumentError(f"argnums={argnums!r} names an argument twice")
    return found


def check_unused(unused: str) -> None:
    """ArgumentError unless ``unused`` is a word that :func:`unigrad.gradients` knows."""
    if unused not in UNUSED:
        raise ArgumentError(f"unused={unused!r} is unknown; use 'zeros', 'none' or 'error'")


def check_function(f: Any, what: str) -> None:
    """ArgumentError unless ``f`` can be called; ``what`` is the transform."""
    if not callable(f):
        hint = "; ug.gradients(y, x) differentiates what was recorded" if isinstance(f, Tensor) else ""
        raise ArgumentError(f"{what} takes a function, and this is {type(f).__name__}{hint}")


def called(f: Callable[..., Any]) -> str:
    """The name of a function, for messages."""
    return getattr(f, "__name__", type(f).__name__)


def _where(args: Sequence[Any], position: int, number: int) -> str:
    return f"argument {position}{paths(args[position])[number]}"


class Arguments:
    """The arguments of one call, those at ``chosen`` with each leaf made a variable by ``variable(leaf, where)``;
    ``where()`` tells its place.

    All others are constants: arrays become Tensors, all else stays what it is. Tensors and frameworks' own arrays stay
    where they are. NumPy arrays and Python floats go to the backend of the first of these, else to the current one;
    with ``numbers`` a Python float at ``chosen`` gets the dtype of the floating arrays beside it.
    """

    def __init__(
        self,
        args: Sequence[Any],
        chosen: Sequence[int],
        variable: Callable[[Any, Where], Any],
        keywords: Mapping[str, Any] | None = None,
        numbers: bool = True,
    ) -> None:
        self._start = next_number()
        # Nodes that are known to come from nothing outside, so that many results of one graph take one walk.
        self._inside: set[Node] = set()
        self._chosen = {position: args[position] for position in chosen}
        flat = [flatten(arg) for arg in args]
        leaves = [leaf for part, _ in flat for leaf in part]
        if keywords:
            leaves += flatten(dict(keywords))[0]
        self.home: Backend = backend_for(leaves)
        """Where all goes that is on no backend yet."""
        numbers = numbers and any(type(leaf) in (float, complex) for leaf in leaves)
        beside = floating_dtype(leaves) if numbers else None
        self.originals = [leaf for position in chosen for leaf in flat[position][0]]
        """The leaves of the chosen arguments, as they were given."""
        self.layouts = [flat[position][1] for position in chosen]
        self._wheres = [
            functools.partial(_where, args, position, number)
            for position in chosen
            for number in range(len(flat[position][0]))
        ]
        with working_on(self.home):
            self.variables = [
                variable(_strong(leaf, beside), where) for leaf, where in zip(self.originals, self._wheres, strict=True)
            ]
            """The same leaves as Tensors."""
            # The function gets others of the same value, so that it may write to what it is given.
            supply = iter([twin(x) if isinstance(x, Tensor) else x for x in self.variables])
            given = {position: flat[position][1](supply) for position in chosen}
            self.values = [
                given[position] if position in given else constants(arg) for position, arg in enumerate(args)
            ]
            """What the function is called with."""
            self.keywords = {name: constants(value) for name, value in keywords.items()} if keywords else {}
            """What it is called with by name."""
        self._place = next((beneath(x)._raw for x in self.variables if isinstance(x, Tensor)), None)
        self._read: Places = {}
        self.keeps = False
        """Whether the framework's own tape follows something that the function closes over: results keep that."""
        # What values are shown as: a Tensor if any was given, else a framework's own array if any was, else NumPy's.
        self._kind: Any = next((leaf for leaf in leaves if isinstance(leaf, Tensor)), None)
        if self._kind is None:
            self._kind = next((leaf for leaf in leaves if not _is_numpy(leaf) and is_numeric(leaf)), None)

    def passed_to(self, f: Callable[..., Any]) -> Any:
        """What ``f`` returns for them. New arrays that it makes are beside them, on their backend and device."""
        with following(self.home, self._place), watched(self._read):
            try:
                return f(*self.values, **self.keywords)
            except (TypeError, AttributeError) as error:
                number = None if isinstance(error, UnigradError) else self._list_of_numbers()
                if number is None:
                    raise
                kind = DtypeError if isinstance(error, TypeError) else MissingNameError
                raise kind(
                    f"{called(f)} raised {type(error).__name__}: {error}; argument {number} is a container of numbers, "
                    f"so {called(f)} gets a container of arrays; for one array pass ug.asarray(...) of it"
                ) from error

    def _list_of_numbers(self) -> int | None:
        """The position of a chosen argument that is a list or tuple of Python numbers, however nested."""
        for position, arg in self._chosen.items():
            if isinstance(arg, (list, tuple)) and all(isinstance(leaf, _NUMBERS) for leaf in flatten(arg)[0]):
                return position
        return None

    def warn_if_cut(self, what: str, variable: Tensor | None = None) -> None:
        """Warn that the derivative by ``what`` is zeros, if values that depend on it (on the ``variable``, or on duals)
        were read while the function ran."""
        node = None if variable is None else variable._node
        places = [place for place, read in self._read.items() if read is node or depends(read, node)]
        if places:
            warn(places, what)

    @functools.cached_property
    def _own(self) -> set[Node | None]:
        return {variable._node for variable in self.variables if isinstance(variable, Tensor)}

    def where(self, number: int) -> str:
        """Which argument, and which of its leaves, a variable is."""
        return self._wheres[number]()

    def shown(self, x: Any) -> Any:
        """A result as the caller sees it: unwrapped if no Tensor was given, without history if nobody follows it.

        Unwrapped it is an array of the framework that it was computed in, and NumPy's if nothing else was given.
        """
        if not isinstance(x, Tensor):
            return x
        if not is_recording():
            x = in_framework(x) if self.keeps else without_history(x)
        return self._like(x, self._kind)

    def notice(self, outputs: Sequence[Tensor]) -> bool:
        """Whether results are to keep the framework's own history, or to be recorded, since others follow them."""
        self.keeps = any(x.backend.engine.reaches_further(beneath(x)._raw) for x in outputs)
        return self.keeps or is_recording()

    def pulled(self, this: Pass, variables: Sequence[Tensor] | None = None) -> list[Tensor | None]:
        """What arrives at the variables, with the framework's own history alone where nothing records."""
        found = pull_back(this, self.variables if variables is None else variables)
        if not self.keeps or is_recording():
            return found
        return [None if x is None else in_framework(x) for x in found]

    def shown_tree(self, tree: Any) -> Any:
        """:meth:`shown` for each leaf of a container."""
        leaves, layout = flatten(tree)
        return unflatten(layout, map(self.shown, leaves))

    def rebuilt(self, leaves: Iterable[Tensor | None], beside: Any = None) -> list[Any]:
        """One Tensor or None for each variable, each of its leaf's kind, in the structures of the arguments.

        All stay Tensors if one of ``beside``, which they were computed with, is followed by another transform.
        """
        followed = any(isinstance(leaf, Tensor) and leaf._followed for leaf in flatten(beside)[0])
        supply = iter(
            [
                None
                if x is None
                else self._like(
                    carried(x, variable.backend),
                    x if followed else self._kind if isinstance(given, _NUMBERS) else given,
                )
                for x, variable, given in zip(leaves, self.variables, self.originals, strict=True)
            ]
        )
        return [layout(supply) for layout in self.layouts]

    def _like(self, x: Tensor, original: Any) -> Any:
        """A Tensor as its caller sees it who gave ``original``: still one where anything outside follows it."""
        if isinstance(original, Tensor) or is_wrapped(x) or _kept() or self._followed_outside(x):
            return twin(x)
        if original is None or _is_numpy(original):
            return twin(x) if followed_by_framework(x) else x.numpy()
        return x._raw if x._node is None or self.keeps else x.backend.engine.detached(x._raw)

    def _followed_outside(self, x: Tensor) -> bool:
        """Whether ``x`` was computed from what an outer recording follows, by way of the function's closure.

        That is a leaf from before the call, or one made in it that somebody still holds; not what a transform or the
        function itself made for a moment.
        """
        if x._node is None or not is_recording() or x._node in self._inside:
            return False
        own = self._own
        queue = [x._node]
        seen = set(queue)
        for node in queue:  # which grows as it goes
            if type(node) is Leaf and node not in own and (node.number < self._start or node.buffer() is not None):
                return True
            new = [parent for parent in parents_of(node) if parent not in seen and parent not in self._inside]
            seen.update(new)
            queue += new
        self._inside |= seen
        return False

    def completed(self, found: Sequence[Tensor | None], unused: str) -> list[Tensor | None]:
        """What arrived at each variable; zeros, None or an ArgumentError, as ``unused`` says, where nothing did."""
        if unused == "none":
            return list(found)
        if unused == "error":
            for number, (x, grad) in enumerate(zip(self.variables, found, strict=True)):
                if grad is None:
                    raise ArgumentError(
                        f"the result does not depend on {self.where(number)} of shape {x.shape}; "
                        f"pass unused='zeros' or 'none' if that is meant"
                    )
        for number, grad in enumerate(found):
            if grad is None:
                self.warn_if_cut(self.where(number), self.variables[number])
        return [x.zeros_like() if grad is None else grad for x, grad in zip(self.variables, found, strict=True)]


def depends(node: Node | None, on: Node | None) -> bool:
    """Whether what ``node`` gave was computed from what ``on`` gave; parts of the graph may be released already."""
    queue = [] if node is None or on is None else [node]
    seen = set(queue)
    for each in queue:  # which grows as it goes
        if each is on:
            return True
        new = [parent for parent in parents_of(each) if parent not in seen]
        seen.update(new)
        queue += new
    return False


class Outputs:
    """What a function returned: its arrays as Tensors, and the structure that they were in.

    Python numbers and NumPy arrays go to the backend ``home``. ArgumentError for what is no array, and, unless
    ``empty``, for what holds none at all.
    """

    def __init__(self, f: Callable[..., Any], result: Any, home: Backend, empty: bool = False) -> None:
        leaves, self.layout = flatten(result)
        self._result = result
        self.tensors: list[Tensor] = []
        with working_on(home):
            for number, leaf in enumerate(leaves):
                if not isinstance(leaf, (Tensor, *_NUMBERS)) and not is_numeric(leaf):
                    raise ArgumentError(
                        f"{called(f)} must return arrays, and its {self.name(number)} is {type(leaf).__name__}; "
                        f"with has_aux=True it may return (arrays, anything)"
                    )
                self.tensors.append(twin(asarray(leaf)))
        if not leaves and not empty:
            raise ArgumentError(f"{called(f)} returned {result!r}, which holds no array; does it lack a return?")

    def check_floating(self, f: Callable[..., Any], every: bool = False) -> None:
        """DtypeError if no output (with ``every``: not every one) has a derivative: a function that counts or compares
        alone is constant between its jumps."""
        without = [n for n, x in enumerate(self.tensors) if not has_gradients(x.dtype)]
        if without and (every or len(without) == len(self.tensors)):
            raise DtypeError(
                f"{called(f)} returned {self.tensors[without[0]].dtype} ({self.name(without[0])}), and only floating "
                f"values have derivatives; return it beside them with has_aux=True, or convert it with "
                f".astype(ug.float32) if a derivative of zeros is meant"
            )

    def name(self, number: int) -> str:
        """Where an output was."""
        return f"output{paths(self._result)[number]}"

    def cotangent_name(self, number: int) -> str:
        """What its cotangent is called."""
        return f"the cotangent of the {self.name(number)}"

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


def direction(x: Tensor, given: Any, what: Where, of: str) -> Tensor:
    """A tangent or cotangent of ``x`` as a Tensor; it must have exactly its shape and dtype. NumPy arrays will do."""
    if isinstance(given, (np.ndarray, np.generic)) and is_numeric(given):
        given = asarray(given, like=x)
    elif given is None or isinstance(given, (str, bytes)):
        raise DtypeError(
            f"{what()} is {type(given).__name__} and no array; it must be like the {of}, of shape {x.shape}"
        )
    return checked_cotangent(x, given, what, of)


def floating(leaf: Any, where: Where) -> Tensor:
    """A leaf that is differentiated, as a Tensor; DtypeError unless it is floating."""
    try:
        found = asarray(leaf)
    except DtypeError as error:
        raise DtypeError(f"{where()} is {type(leaf).__name__} and no array: {error}") from error
    if not has_gradients(found.dtype):
        instead = f"write {leaf}.0" if type(leaf) is int else "convert it with .astype(ug.float32)"
        raise DtypeError(
            f"{where()} holds {found.dtype}, and only floating arrays have derivatives; {instead}, "
            f"or leave it out with argnums"
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
        return x * 1  # which keeps -0.0; inside an outer recording it stays connected, so that gradients nest
    return x._free_leaf()


def twin(x: Tensor) -> Tensor:
    """The same value, history and wrappers: who writes to one of the two does not change the other."""
    if isinstance(x, Batched):
        return batched(x._parts.value, x._parts.level)
    if isinstance(x, Dual):
        return dual(*x._parts)
    return type(x).of(x._raw, x._node)


def followed_by_framework(x: Tensor) -> bool:
    """Whether a framework's own transform or tape, at work outside, follows x, or there are no values of it yet."""
    backend = x.backend
    if backend.engine.by_rules() or not backend.is_known(x._raw):
        return True
    return x._node is None and backend.foreign.follows(x._raw)


def without_history(x: Tensor) -> Tensor:
    """The same values and wrappers without what was recorded."""
    if isinstance(x, Batched):
        return batched(without_history(x._parts.value), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(without_history(value), without_history(tangent), level)
    return x._unrecorded()


def in_framework(x: Tensor) -> Tensor:
    """The same values and wrappers with the history alone that the framework itself keeps."""
    if isinstance(x, Batched):
        return batched(in_framework(x._parts.value), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(in_framework(value), in_framework(tangent), level)
    return type(x).of(x._raw, None)


def constant(leaf: Any) -> Any:
    """A leaf of an argument that is not differentiated: arrays become Tensors, all else stays."""
    if isinstance(leaf, (Tensor, *_NUMBERS, str, bytes)) or leaf is None:
        return leaf
    return asarray(leaf) if is_numeric(leaf) else leaf


def constants(tree: Any) -> Any:
    """:func:`constant` for each leaf of a container; the container itself if that changes none."""
    leaves, layout = flatten(tree)
    found = [constant(leaf) for leaf in leaves]
    changed = any(new is not old for new, old in zip(found, leaves, strict=True))
    return unflatten(layout, found) if changed else tree


def _is_numpy(leaf: Any) -> bool:
    return isinstance(leaf, (np.ndarray, np.generic))


def is_numeric(leaf: Any) -> bool:
    """Whether it is a raw array, of a framework or of NumPy, that can become a Tensor."""
    if isinstance(leaf, np.ndarray):
        return leaf.dtype.kind in "biu" + FLOATING
    return isinstance(leaf, current_backend().array_types) or backend_of(leaf) is not None


def floating_dtype(leaves: Sequence[Any]) -> dtypes.DType | None:
    """What the floating arrays among ``leaves`` are promoted to, or None if there are none."""
    found = None
    for leaf in leaves:
        if isinstance(leaf, (Tensor, np.generic)) or (not isinstance(leaf, _NUMBERS) and is_numeric(leaf)):
            dtype = asarray(leaf).dtype
            if has_gradients(dtype):
                found = dtype if found is None else dtypes.promote(found, dtype)
    return found


def _strong(leaf: Any, beside: dtypes.DType | None) -> Any:
    """A Python number as an array of the dtype that it would have beside arrays of ``beside``; all else as it is."""
    if beside is None or type(leaf) not in (float, complex):
        return leaf
    return asarray(leaf, dtype=dtypes.real_of(beside) if type(leaf) is float else dtypes.complex_of(beside))
