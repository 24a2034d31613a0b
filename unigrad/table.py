"""The table of operations: how one is declared, and where the declarations are found.

A *primitive* is what an adapter supplies and what has a derivative rule: positional arguments, axes
already counted from the front, dtypes already equal. It is declared by a stub that carries its
signature and docstring::

    @primitive("elementwise", dtypes="float")
    def exp(x: Array, /) -> Tensor:
        \"\"\"e to the power x.\"\"\"

    vjp(exp, lambda xp, g, out: g * out)

Parameters annotated ``Array`` are arrays, one annotated ``Arrays`` is a sequence of them, all others
are static values. ``vjp`` gives one reverse rule per array, ``rule(xp, g, *residuals)``: ``g`` is the
cotangent of the result, ``xp`` holds the primitives (over raw arrays in a first-order pass, recorded
ones under ``create_graph``), and the names of the residuals say what has to be kept for it:

====================  ==============================================================
an array parameter    that input (a Python scalar if it was given as one)
``out``               the result
``<array>_shape``     that input's shape, likewise ``<array>_dtype`` (neutral)
``index``             for a sequence of arrays: which of them the rule is asked for
``shared``            what all rules of the primitive begin with, computed once for a pass (see :func:`vjp`)
a static parameter    its value
====================  ==============================================================

Shapes that were broadcast are the engine's business: an elementwise rule returns a cotangent of the
result's shape. A primitive without a rule has results that no derivative is defined for (booleans,
positions), and these are not recorded.

Of complex arrays a cotangent is the transpose's, without any conjugate: a change ``dx`` of the input changes
the objective by ``Re(g dx)``. So the rule of a holomorphic function is that of the real one, as it stands.
The engine conjugates what enters and leaves a backward, and users see the gradient in its conjugate form.

Forward rules are ``rule(xp, t, *residuals)``: the tangent of the result for the tangent ``t`` of one
input, and those of several inputs add up. An elementwise primitive needs none: there the reverse rule, ``t``
in place of ``g``, is the forward rule as well, unless it is not holomorphic. All others say :func:`jvp`.

A primitive is also the public function of its name where the two signatures agree (``public=True``).
Other public functions are plain Python over primitives, marked ``@operation``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from unigrad.base.dtypes import is_half
from unigrad.base.elsewhere import FURTHER, beyond, misnamed
from unigrad.base.errors import UnigradError

Array = Any
"""A Tensor, a Python scalar, a nested list, or a framework's own array."""
Arrays = Sequence[Any]
"""A sequence of the above."""

SCALAR_TYPES = frozenset({bool, int, float, complex})
"""Python's numbers: weak operands, which take the dtype of the array beside them."""

Rule = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])


class Primitive:
    """One row of the table. See the module's docstring."""

    name: str
    kind: str
    """elementwise, comparison, reduction, contraction, shape, indexing or cast."""
    arrays: tuple[str, ...]
    variadic: bool
    """True if the one array parameter is a sequence of arrays."""
    statics: tuple[str, ...]
    dtypes: str
    """What it takes, a word of :data:`TAKEN`; of those with ``float`` in them integers and booleans are taken as the
    default float dtype."""
    promoted: tuple[str, ...]
    """The array parameters that are brought to one dtype before the call."""
    scalars: bool
    """Whether the raw function takes Python scalars beside an array, as operators do."""
    result: str
    """The result's dtype: ``same`` as that of the first promoted array (or the first), ``real``: the dtype of that
    one's real part, ``complex``: the complex one over it, ``bool``, ``int64``, or the static parameter of that name."""
    doc: str
    rules: tuple[Rule, ...] = ()
    residuals: tuple[str, ...] = ()
    """The names that the rules ask for, each once, in a fixed order."""
    needs: tuple[frozenset[str], ...] = ()
    """The names that each rule asks for."""
    shared: Rule | None = None
    """``shared(xp, g, *residuals)``: what the rules begin with, which they name ``shared``."""
    into: Callable[..., bool] | None = None
    """``into(xp, held, g, owned, node, *statics)``: adds the first array's share in place to what its ``node`` has
    already and this pass owns, without making an array of the share; False where it cannot. See :func:`vjp`."""
    forward: str | tuple[Rule, ...] = ""
    """The forward rules, one per array, or how they follow from the primitive; see :func:`jvp`."""
    composition: Callable[..., Any] | None = None
    """``composition(xp, *arguments)``: the primitive made of others, for an adapter that does not supply it."""
    booleans: Callable[..., Any] | None = None
    """``booleans(xp, *arguments)``: the primitive of booleans made of others, for a framework that refuses them."""
    ruled: bool = False
    """Whether no framework is asked to differentiate the composition: the rules are the derivative everywhere."""
    batching: str | Rule | None = None
    """The batching rule, or how it follows from the primitive; see :func:`batched`."""
    explain: Callable[..., Exception | None] | None = None
    """``explain(*shapes)``: what was wrong with the shapes of arrays that a framework refused, or None."""
    radicand: Callable[..., Any] | None = None
    """``radicand(xp, x)``: what the primitive of one complex array is the square root of, where that matters."""
    refusal: Callable[[], Exception] | None = None
    """What it means where a framework refuses arrays whose shapes are right, if it means one thing: no answer."""

    def __init__(self, **declared: Any) -> None:
        # No dataclass: to make one takes as long as to import a small module.
        self.__dict__.update(declared)

    def made_of(self, xp: Any) -> Callable[..., Any]:
        """The composition, of the primitives that ``xp`` has as attributes."""
        assert self.composition is not None, self.name
        return functools.partial(self.composition, xp)

    @property
    def differentiable(self) -> bool:
        """Whether results are recorded; otherwise the derivative is zero by definition."""
        return bool(self.rules)


TAKEN = {
    "any": "biufVc", "numeric": "iufVc", "real": "biufV", "real_numeric": "iufV", "integer": "biu", "whole": "iu",
    "float": "biufVc", "real_float": "biufV", "rounded_float": "biufV", "wide_float": "biufVc",
    "complex": "c",
}  # fmt: skip
"""The kinds of dtype, by NumPy's letters (bfloat16's is "V"), that a primitive takes; ``wide_float`` takes no floats of
less than 32 bits, and ``rounded_float`` computes these in float32, derivatives as well, and rounds once. All others are
a DtypeError on every backend. A primitive takes booleans where NumPy answers with booleans."""


def takes(dtypes: str, dtype: np.dtype[Any]) -> bool:
    """Whether primitives whose ``dtypes`` are this word take arrays of this dtype."""
    return dtype.kind in TAKEN[dtypes] and not (dtypes == "wide_float" and is_half(dtype))


PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive by name."""
OPERATIONS: dict[str, Callable[..., Any]] = {}
"""Every public function over arrays by its dotted name (``sin``, ``linalg.vector_norm``)."""

ALIASES: dict[str, Callable[..., Any]] = {}
"""The other names of some of them."""

row_of: dict[Callable[..., Any], Primitive] = {}
"""The public or internal function of a primitive to its row, so that :func:`vjp` can be given the function."""


def vjp(
    function: Callable[..., Any],
    *rules: Rule,
    shared: Rule | None = None,
    into: Callable[..., bool] | None = None,
) -> None:
    """Give a primitive its reverse rules, one per array parameter (one in all for a sequence).

    ``shared`` is a rule as well, for what several of them would else compute anew: its result is their residual of
    that name. ``into`` serves a primitive of one array whose share is mostly zeros.
    """
    row = row_of[function]
    row.rules = rules
    row.shared = shared
    row.into = into
    begun = () if shared is None else residuals_of(shared)
    named = [
        [part for name in residuals_of(rule) for part in (begun if name == "shared" else (name,))] for rule in rules
    ]
    row.needs = tuple(map(frozenset, named))
    row.residuals = tuple(dict.fromkeys(name for names in named for name in names))


def jvp(function: Callable[..., Any], *rules: str | Rule) -> None:
    """Give a primitive its forward rules, one per array parameter, or one word, as a primitive of a sequence must have.

    ``"linear"``: the primitive is linear in all its floating arrays together, so that the tangent is the
    primitive of the tangents; ``"multilinear"``: in each of them; ``"transpose"``: the reverse rules serve
    (the default of elementwise primitives). A rule must be given for every array that has a reverse rule.
    """
    row = row_of[function]
    if len(rules) == 1 and isinstance(rules[0], str):
        if rules[0] not in ("linear", "multilinear", "transpose"):
            raise UnigradError(f"jvp of primitive {row.name!r}: {rules[0]!r} is no way to derive forward rules")
        row.forward = rules[0]
    else:
        row.forward = tuple(rule for rule in rules if not isinstance(rule, str))


def batched(function: Callable[..., Any], rule: str | Rule) -> None:
    """Give a primitive its batching rule: how it is carried out for a whole batch at once (see
    ``unigrad.interpreters.batches``), or one word.

    ``"aligned"``: as it is, the elements' axes lined up behind the batch (the default of elementwise primitives);
    ``"further"``: as it is, with axes and shapes counted one axis further on. A primitive without any runs in a loop.
    """
    if isinstance(rule, str) and rule not in ("aligned", "further"):
        raise UnigradError(f"batched of primitive {row_of[function].name!r}: {rule!r} is no way to derive a rule")
    row_of[function].batching = rule


def explained(function: Callable[..., Any], explain: Callable[..., Exception | None]) -> None:
    """Say what can be wrong with the shapes that a primitive is given, for when a framework refuses them."""
    row_of[function].explain = explain


def composed(function: Callable[..., Any], composition: Callable[..., Any], ruled: bool = False) -> None:
    """Say how a primitive is made of others, for backends that do not supply it. ``xp`` holds their raw functions.

    ``ruled``: the composition is a series or the like, whose derivative is the primitive's rule on every backend.
    """
    row_of[function].composition = composition
    row_of[function].ruled = ruled


def root_of(function: Callable[..., Any], radicand: Callable[..., Any]) -> None:
    """Say what a primitive of one complex array is the square root of, so that its square is smooth where it is 0
    (``unigrad.tensor.roots``). ``xp`` holds the primitives."""
    row_of[function].radicand = radicand


def of_booleans(function: Callable[..., Any], composition: Callable[..., Any]) -> None:
    """Say what a primitive is of booleans, made of others, for frameworks that refuse them."""
    row_of[function].booleans = composition


def ruled() -> dict[str, str]:
    """The primitives that are declared so by :func:`composed`, with the reason why no framework differentiates them."""
    reason = "a series or the like, whose derivative a framework would take term by term"
    return {row.name: reason for row in PRIMITIVES.values() if row.ruled}


@functools.cache
def residuals_of(rule: Rule) -> tuple[str, ...]:
    """The residuals that a rule names, after ``xp`` and ``g``."""
    return parameters(rule)[2:]


def shares_of(
    row: Primitive,
    rules: Sequence[Rule],
    xp: Any,
    moves: Sequence[Any],
    arrays: Sequence[Any],
    statics: Sequence[Any],
    out: Any,
) -> list[Any]:
    """What the rules of a primitive of so many arrays give for what moves, a tangent for each array or one cotangent as
    often, and None for None: over a framework's arrays as they are, with ``xp`` for its functions."""
    known = dict(zip(row.statics, statics, strict=True)) | {"out": out}
    for name, x in zip(row.arrays, arrays, strict=True):
        known |= {name: x, f"{name}_shape": tuple(x.shape), f"{name}_dtype": x.dtype}
    return [
        None if move is None else rule(xp, move, *[known[name] for name in residuals_of(rule)])
        for rule, move in zip(rules, moves, strict=True)
    ]


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional parameters. ``inspect.signature`` would take a quarter of unigrad's import."""
    code = inspect.unwrap(function).__code__
    return code.co_varnames[: code.co_argcount]


def alias(name: str, function: F) -> F:
    """Another name of a public function: NumPy's, or the standard's."""
    ALIASES[name] = function
    return function


_GROUPS = ("linalg", "fft", "nn", "special")
"""The rooms and families whose public functions stand in a group of their own: ``ug.linalg.inv``."""


CALLED_OTHERWISE = frozenset(name for names in FURTHER.values() for name in names)
"""Arguments that other libraries call otherwise; they have "bias" and "approximate" by name."""


QUICK = ("asarray", "astype", "reshape")
"""Functions that most others call, and that have little to name."""


def explaining(function: F) -> F:
    """The function itself, or one that says what an argument is called here where libraries differ in that, and which
    arguments have to be named."""
    code = inspect.unwrap(function).__code__
    count = code.co_argcount + code.co_kwonlyargcount
    alone, named = code.co_varnames[: code.co_posonlyargcount], code.co_varnames[code.co_posonlyargcount : count]
    named = tuple([name for name in named if name != "self"])
    if code.co_flags & inspect.CO_VARKEYWORDS or not (
        CALLED_OTHERWISE.intersection(alone + named)
        or (code.co_kwonlyargcount and function.__name__ not in QUICK)
        or "bias" in alone
        or function.__name__ == "gelu"
    ):
        return function
    in_order = code.co_varnames[: code.co_argcount]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # One that Python raised at this very call has come through no other frame.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            if len(args) > len(in_order) and code.co_kwonlyargcount and not code.co_flags & inspect.CO_VARARGS:
                raise beyond(function.__name__, args, in_order, code.co_varnames[len(in_order) : count]) from None
            if not kwargs:
                raise
            raise misnamed(function.__name__, kwargs, alone, named) from None

    return call  # type: ignore[return-value]


def operation(function: F) -> F:
    """Mark a plain function over primitives as public."""
    namespace = next((part for part in function.__module__.split(".") if part in _GROUPS), None)
    function = explaining(function)
    OPERATIONS[function.__name__ if namespace is None else f"{namespace}.{function.__name__}"] = function
    return function
