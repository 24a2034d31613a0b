"""What an adapter is: a contract in three parts, of which the first alone makes a whole backend.

- :class:`Backend` (required): the framework's name, its dtypes and array types, conversion from and to NumPy, and a
  plain function over the framework's own ("raw") arrays for each primitive that is not composed of others. Gradients
  to any order then come from the neutral rules.
- :class:`Engine` (``backend.engine``, optional): the framework's own recording and differentiation.
- :class:`Foreign` (``backend.foreign``, optional): the framework's own functions inside a unigrad program, and unigrad
  inside the framework's own transforms.

All three speak raw arrays, nodes of the graph (``unigrad.tape``) and rows of the table (``unigrad.table``), never
Tensors. What a method of an engine answers with None is done by the rules. What one of ``foreign`` answers with None
raises :class:`UnsupportedError`, but for ``vmap``, which is a loop then, and ``recorded``, which goes by ``vjp``.
Nothing of the core's own is set on these objects.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from unigrad.base.dtypes import LATE, DType, late
from unigrad.base.errors import BackendError, DtypeError, OperationError, UnsupportedError
from unigrad.base.words import Raw
from unigrad.table import PRIMITIVES, Primitive
from unigrad.tape import Cotangents, Node, Owned

RawFunction = Callable[[Sequence[Raw]], list[Raw]]
"""A function of several raw arrays with several results."""
RawPull = Callable[[Sequence[Raw | None]], Sequence[Raw | None]]
"""From the cotangents of the results of one, None for those without any, to those of its arguments."""
StepBack = Callable[[Sequence[Raw], Sequence[Raw | None]], Sequence[Raw | None]]
"""From the arguments of one and the cotangents of its results, to the cotangents of the arguments."""
Parents = Sequence[Node | None]
"""The nodes of arrays, None for each that is not tracked."""
Weak = Callable[[Any, DType], Any]
"""What a Python scalar is to a primitive beside an array of a dtype, None where the dtype cannot take it."""
Recorder = Callable[[Primitive, Parents, Sequence[Raw], Sequence[Any]], tuple[Raw, Node]]
"""From a primitive, the nodes and the raw arrays of its arguments and its parameters to its value and its node."""

NO_DTYPE = "the framework has no such dtype"
"""Why a dtype is missing that no adapter says more about."""
ALL_ORDERS = 1 << 31
"""For :attr:`Engine.orders`."""


class Pull(NamedTuple):
    """What a backward pass asks of one framework: to pull cotangents of heads back to inputs."""

    heads: Sequence[Node]
    raws: Sequence[Raw]
    """The arrays of the heads."""
    cotangents: Sequence[Raw]
    """One for each head."""
    nodes: Sequence[Node]
    """The recorded nodes to be pulled through."""
    inputs: Mapping[Node, Raw]
    """Whose gradients are asked for, by node, with the raw array that the framework knows it by. They are among the
    nodes, or are parents of some of them where the graph goes on in another backend (with ``stops_at_inputs``: or is
    pulled on from later)."""
    retain_graph: bool
    """Whether the framework's graph must be there for another pass."""
    create_graph: bool
    """Whether the gradients are to be differentiated again."""
    rows: int | None = None
    """How many cotangents of each head there are, along a first axis that the gradients have as well; None for one
    without such an axis."""


class Moving(NamedTuple):
    """A framework's own function, of those inputs alone that move, or that hold a batch."""

    function: RawFunction
    """Of all inputs."""
    raws: Sequence[Raw]
    """All inputs."""
    marks: Sequence[bool]
    """Which of them move."""
    is_floating: Callable[[Raw], bool] = bool

    @property
    def primals(self) -> list[Raw]:
        """Those that move."""
        return [raw for raw, marked in zip(self.raws, self.marks, strict=True) if marked]

    def results(self, *moved: Raw) -> Any:
        """All results for these in place of the primals."""
        supply = iter(moved)
        return self.function(
            [next(supply) if marked else raw for raw, marked in zip(self.raws, self.marks, strict=True)]
        )

    def __call__(self, *moved: Raw) -> tuple[tuple[Raw, ...], tuple[Raw, ...]]:
        """The floating results for these in place of the primals, and all results."""
        outs = tuple(self.results(*moved))
        return tuple(filter(self.is_floating, outs)), outs


class StepPull(Protocol):
    """What pulls back through a recorded step: a user's rule, a checkpoint, a function of another framework's."""

    def __call__(self, cotangents: Sequence[Raw | None], tracked: Sequence[bool] | None = None) -> Sequence[Raw | None]:
        """From the cotangents of the results, None where none arrived, to those of the inputs, None for zero. Complex
        ones are in the conjugate form. With ``tracked`` the call is to be recorded, and it says which cotangents are
        themselves."""
        ...


class Followed(Protocol):
    """A function that the framework's own engine is to go through as one step: a user's with a rule, or one that runs
    in another framework.

    Integer arrays are given no cotangents, and what an engine has for those that are returned is not read; the
    cotangents of complex arrays are in the conjugate form.
    """

    name: str

    def value(self, raws: Sequence[Raw]) -> list[Raw]:
        """The results."""
        ...

    def recorded(self, raws: Sequence[Raw]) -> tuple[list[Raw], StepBack]:
        """The results, and :meth:`pull` for these arrays alone, which need not compute the function again."""
        ...

    def pull(self, raws: Sequence[Raw], gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
        """The cotangents of the arrays, None for zero, of those of the results: computed so that an engine that is
        recording goes through this as well."""
        ...


class Elsewhere(Protocol):
    """A function that runs elsewhere, when the framework has no values yet because it traces a program."""

    name: str

    def on_host(self, *arrays: Any) -> list[np.ndarray[Any, Any]]:
        """The results for NumPy's arrays, as such: for a framework that calls back while its own program runs."""
        ...

    def described(self, shapes: Sequence[Sequence[int]], raws: Sequence[Raw]) -> list[tuple[tuple[int, ...], DType]]:
        """Shape and dtype of the results, for a framework that asks before there are values."""
        ...


class Part:
    """What a backend may have besides itself: its :class:`Engine` and its :class:`Foreign`."""

    backend: Backend
    """Whose it is, of a part that was told so."""

    def __init__(self, backend: Backend | None = None) -> None:
        if backend is not None:
            self.backend = backend


class Engine(Part):
    """The framework's own recording and differentiation, as far as unigrad uses them. As it stands: not at all."""

    orders: ClassVar[int] = 0
    """How often the framework's own engine differentiates: 0, 1 or :data:`ALL_ORDERS`; beyond it the rules do."""

    record: Recorder | None = None
    """Run a primitive and return its value and the node that remembers it; None to keep what the neutral rules of the
    primitive need. Called only while recording and only if a parent is tracked. Given are raw arrays, or Python
    scalars for primitives that take them; a primitive over a sequence of arrays gets them one by one."""

    def leaf(self, raw: Raw) -> Raw:
        """The raw array as a leaf that the framework tracks from now on, sharing its memory."""
        return raw

    def detached(self, raw: Raw) -> Raw:
        """The raw array without the history that unigrad had the framework keep, sharing its memory."""
        return raw

    def constant(self, raw: Raw) -> Raw:
        """:meth:`detached`, and a constant also to what the framework itself differentiates around unigrad."""
        return self.detached(raw)

    def untracked(self, function: Callable[..., Raw]) -> Callable[..., Raw]:
        """``function``, made safe to call on tracked arrays while nothing is recorded: needed where the framework would
        record all the same, since what comes out is a constant."""
        return function

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        """Gradients for the inputs of ``pull``, None for zero, by the framework's own engine; or None to use rules.

        Only called where :attr:`orders` says that the framework can do it. None unless every one of ``pull.nodes`` is a
        leaf or an operation that the framework itself recorded: the share of any other (a checkpoint, a user's rule, a
        function computed elsewhere or ``replaced``) would be missing. With all orders there may be gradients of the
        engine's own among them, through which the rules cannot pull.
        """
        return None

    def pushforward(
        self, primitive: Primitive, raws: Sequence[Raw], tangents: Sequence[Raw | None], statics: Sequence[Any]
    ) -> tuple[Raw, Raw] | None:
        """The value of a primitive and its tangent by the framework's own forward mode, or None to use rules.

        ``tangents`` has one entry for each of ``raws``, None for an input that does not move.
        """
        return None

    def joined(self, inputs: Sequence[Raw], results: Sequence[Raw], pull_back: StepPull) -> Sequence[Raw] | None:
        """``results`` as those of one step of the framework's own graph; None where unigrad walks the graph
        (``unigrad.tensor.joints``)."""
        return None

    checkpointed: Callable[[Callable[[], Any]], Any] | None = None
    """The result of a function, recorded so that the framework keeps nothing of what it computes on the way: for its
    derivative it is called once more, and then does the same. None where unigrad keeps what is needed."""

    def within_step(self, raw: Raw) -> Raw:
        """The raw array of a tracked input as the function of a step gets it: without what unigrad has the framework
        record, but with what the framework follows for others."""
        return self.detached(raw)

    def reaches_further(self, raw: Raw) -> bool:
        """Whether the framework's own tape, at work outside, leads from an array to leaves that are not unigrad's."""
        return False

    scope: tuple[Callable[[], bool], Callable[[], bool], Callable[[], AbstractContextManager[None]]] | None = None
    """For a framework that can forbid recording (``torch.no_grad``): whether it records, whether it refuses all the
    same, and what opens a scope in which it does, as ``record()`` then has it. Two questions, since both may be
    functions of the framework's own, which cost a recording next to nothing."""

    conjugate_pulls: ClassVar[bool] = False
    """Whether the nodes that :attr:`record` makes take and give gradients of complex arrays in the conjugate form,
    as users see them, and not as the neutral rules have them (``unigrad.table``)."""
    pulls_raw: ClassVar[bool] = False
    """Whether :attr:`record` makes nodes of the adapter's own, which pull over raw arrays. Cotangents are
    then added up with ``+``, so that raw arrays' operators must behave as NumPy's."""
    is_view: Callable[[Raw], bool] | None = None
    """Whether an array shares its memory with another that somebody may write to; None where none does that rules or
    :meth:`pullback` return."""

    def raw_pass(self) -> AbstractContextManager[Any]:
        """Held open while a first-order pass pulls over raw arrays."""
        return np.errstate(all="ignore")

    # --- for speed only ---------------------------------------------------------------------------------------

    inline_nodes: ClassVar[str | None] = None
    """``"lifted"``: generate what is done without :attr:`record` into each operation, for raw arrays whose ``shape`` is
    a tuple; ``"rules"``: and run the rules on raw arrays, whose operators and functions must then behave as NumPy's;
    ``"bare"``: generate it for a framework that records by itself as soon as a leaf is tracked."""
    by_rules: Callable[[], bool] = staticmethod(lambda: False)
    """Whether, for now, an engine with ``"bare"`` nodes is to record for the neutral rules: where its framework
    cannot track a leaf. :meth:`leaf` then gives the array itself, and :meth:`pullback` None. Operations ask only
    after :func:`unigrad.extend.meet_rules`."""
    stops_at_inputs: ClassVar[bool] = False
    """Whether gradients stop at inputs that are not among the nodes that :meth:`pullback` is told to go through, as
    they do where the rules pull. Graphs that cross backends are then pulled in smaller pieces."""
    pull_leaves: Callable[[Raw, tuple[Raw, ...], bool], Sequence[Raw | None] | None] | None = None
    """:meth:`pullback` of ones from one head to all leaves of a graph that has nothing but ``"bare"`` nodes besides.
    Given are the head, the leaves and ``retain_graph``; None sends to :meth:`pullback`."""

    pull_through: Callable[[Any, Sequence[Node], Cotangents, Owned, set[Node]], dict[Node, Raw]] | None = None
    """What an engine whose nodes :attr:`pulls_raw` does in place of :func:`unigrad.tape.pull_through`: several nodes
    at once, say. None for that function."""

    def fresh_leaf(self, raw: Raw) -> Raw:
        """:meth:`leaf` for an array that nobody else holds, which may itself become the leaf."""
        return self.leaf(raw)


class Foreign(Part):
    """The framework's own functions inside unigrad, and unigrad inside the framework's own transforms."""

    twice: ClassVar[bool] = True
    """Whether what :meth:`vjp` computes can be differentiated by it again."""

    def call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        """The framework's own ``function`` of arrays that unigrad does not track, made :meth:`Engine.untracked` unless
        the framework :meth:`follows` one of them."""
        return function(raws)

    def recorded(self, function: RawFunction, raws: Sequence[Raw]) -> list[tuple[Raw, bool]] | None:
        """The results of the framework's own ``function(raws)`` where it records by itself, and of each whether it
        depends on a tracked array. None asks :meth:`vjp`."""
        return None

    def vjp(self, function: Moving) -> tuple[Sequence[Raw], RawPull] | None:
        """All results of the framework's own function, and what makes cotangents of the inputs that move (None: zero)
        of those of the floating results (None: there is none). Complex ones are in the conjugate form."""
        return None

    def jvp(self, function: Moving, tangents: Sequence[Raw]) -> tuple[Sequence[Raw], Sequence[Raw]] | None:
        """All results of the framework's own function, and the tangents of the floating ones by its own forward mode,
        of a tangent for each input that moves."""
        return None

    vmap: Callable[[Moving], Sequence[Raw]] | None = None
    """All results of the framework's own function of a batch, which lies along the first axis of those inputs that move
    and of all results; None where unigrad loops over it."""

    def follows(self, raw: Raw) -> bool:
        """Whether the framework itself, at work outside unigrad, follows what is computed with this array now."""
        return False

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw] | None:
        """The results of ``step`` as those of one step to the framework's own engine, if that is at work now."""
        return None

    def later(self, call: Elsewhere, raws: Sequence[Raw]) -> list[Raw] | None:
        """The results of ``call`` where the framework traces a program, which is to call back when it runs."""
        return None

    def array_in(self, holder: Any) -> Raw | None:
        """The array that a variable of the framework's (:attr:`Backend.variable_types`) holds, read so that its engine
        sees it; None for all else. UnsupportedError with the way where something else stands for an array."""
        return None

    def contain(self, kind: type, array_of: Callable[[Any], Raw], with_array: Callable[[Any], Any]) -> None:
        """Have the framework's own functions take and return objects of ``kind`` as containers of one raw array.

        ``array_of`` takes an object apart, and ``with_array`` makes one again; what is no array of the framework's it
        gives back as it is, since frameworks fill their containers with marks of their own."""


class Backend:
    """One framework, as unigrad sees it. Subclass it, fill in the class attributes and the methods.

    The constructor must not import the framework; :meth:`load` does, once, before anything else is
    called. After it ``functions``, ``raw_dtypes`` and ``array_types`` must be there.
    """

    # --- required ---------------------------------------------------------------------------------------------

    name: ClassVar[str]
    """How users name the backend: ``"torch"``."""
    framework: ClassVar[str]
    """The import name of the framework, whose arrays' types live in modules of that name."""
    distribution: ClassVar[str]
    """The name under which the framework's version is found."""
    install: ClassVar[str]
    """What to type to install it."""
    functions: Mapping[str, Callable[..., Raw]]
    """Primitive name to a function over raw arrays, with the primitive's positional signature."""
    raw_dtypes: Mapping[DType, Any]
    """Neutral dtype to the object that a raw array has as its ``dtype``, for every dtype supported."""
    array_types: tuple[type, ...]
    """The framework's array types. Where two backends claim one, the current backend has its arrays, else the one that
    was known first."""

    variable_types: tuple[type, ...] = ()
    """The types of the framework's variables, which are taken as the arrays that :meth:`Foreign.array_in` finds; and of
    what is no plain array (sparse, ragged), which it refuses and says how to make one."""

    def load(self) -> None:
        """Import the framework and fill in ``functions``, ``raw_dtypes`` and ``array_types``."""
        raise NotImplementedError(f"{type(self).__name__} lacks load(), which imports {self.framework}")

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        """A raw array with a copy of these values, in this dtype, on ``device`` (None: the default)."""
        raise NotImplementedError(f"{type(self).__name__} lacks from_numpy(), which makes an array of NumPy's values")

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        """The values as a NumPy array, which may share memory. Works on tracked arrays too.

        :func:`values_unknown` where there are none, because a framework traces a program.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks to_numpy(), which gives an array's values to NumPy")

    # --- the two other parts ----------------------------------------------------------------------------------

    engine: Engine = Engine()
    """The framework's own engine; :meth:`load` may set another."""
    foreign: Foreign = Foreign()
    """The framework's own functions; :meth:`load` may set another."""
    differentiates: ClassVar[str] = "nothing"
    """What the framework itself differentiates, in words, for people: also of one that is not installed."""

    # --- optional: what is not as in most frameworks ------------------------------------------------------------

    missing: ClassVar[Mapping[str, str]] = {}
    """What the framework cannot do: a dtype's or operation's name to the reason."""
    replaced: ClassVar[Mapping[str, str]] = {}
    """The primitives whose derivative the framework is not asked for, since ours is another, with the reasons. That is
    said here and done by the adapter: :func:`with_replaced` puts ours into the table, or ``pullback`` refuses them."""
    max_ndim: ClassVar[int | None] = None
    """The most axes that an array may have in every operation; None if there is no limit."""
    immutable: ClassVar[bool] = False
    """Whether nobody can write to a raw array, so that another backend may share its memory."""
    keeps_read_only: ClassVar[bool] = False
    """Whether nobody can write to a raw array made of another's read-only memory by :meth:`from_dlpack`: because nobody
    can write to any, or because the framework knows read-only arrays."""

    def version(self) -> str:
        """The framework's version."""
        # Which cost as much as half of the rest of unigrad.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(self.distribution)
        except PackageNotFoundError:
            raise BackendError(
                f"backend {self.name!r}: nothing is installed under its distribution, {self.distribution!r}; set it to "
                f"what pip calls {self.framework}, or give {type(self).__name__} a version() of its own"
            ) from None

    def admit(self, raw: Raw) -> Raw:
        """Called with each raw array that comes from the user, for the array to hold it as, of the same memory;
        DtypeError if it cannot be used."""
        self.dtype(raw)
        return raw

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        """A raw array filled with one value."""
        return self.from_numpy(np.full(shape, value, dtype), device)

    def filled_like(self, raw: Raw, value: float) -> Raw:
        """:meth:`full` of 0 or 1 with the shape, dtype and device of ``raw``."""
        return self.full(tuple(raw.shape), value, self.dtype(raw), self.device(raw))

    def copied(self, raw: Raw) -> Raw:
        """The same values in memory of their own; differentiably where the framework itself looks on."""
        if not self.is_known(raw):
            return raw
        values = self.to_numpy(raw)
        return self.from_numpy(values, self.device(raw)) if values.size else raw

    def added_at(self, held: Raw, x: Raw, key: tuple[Any, ...], no_negative_zero: bool) -> bool | None:
        """Add x to what the key selects of ``held`` and 0 to all else, in place, to the last bit; ``no_negative_zero``
        says that it holds no -0. Whether it holds none now; None where this is not done, as always by default."""
        return None

    def is_known(self, raw: Raw) -> bool:
        """Whether there are values that Python can look at, as there are unless a framework traces a program."""
        return True

    def is_at_hand(self, raw: Raw) -> bool:
        """Whether there are such values already, so that they can be looked at for a check alone. Not where they would
        have to be computed first, which is done only for who asks for them."""
        return self.is_known(raw)

    def watched(self, raw: Raw, check: Callable[[Any], None]) -> Raw:
        """The same values, of which ``check`` is called with each part as it is computed, to raise what is wrong: where
        they are not at hand but will be. It can be pickled."""
        return raw

    def all_to_numpy(self, raws: Sequence[Raw]) -> list[np.ndarray[Any, Any]]:
        """:meth:`to_numpy` of several, which a framework may compute together."""
        return list(map(self.to_numpy, raws))

    def described(self, raw: Raw) -> str:
        """What is printed of an array whose values are not, besides its shape, dtype and device."""
        return "without values"

    def may_hold_zero(self, raw: Raw) -> bool:
        """Whether an element is 0, or might be for all that can be told at once. So while a framework traces, and of
        arrays for whose values one would have to wait."""
        if not self.is_known(raw) or str(self.device(raw)) != "cpu":
            return True
        values = self.to_numpy(raw)
        return bool(np.count_nonzero(values) < values.size)

    def device(self, raw: Raw) -> Any:
        """The device that a raw array lives on."""
        return "cpu"

    def devices(self) -> Sequence[Any]:
        """The devices that there are, the default one first."""
        return ("cpu",)

    def spread(self, device: Any) -> str | None:
        """What a user gives as a device, if it is a place on several of them (:class:`unigrad.base.places.Spread`), or
        else a place that ``device`` says of some array and that is not among ``devices``."""
        return None

    def to_device(self, raw: Raw, device: Any) -> Raw:
        """The raw array on ``device``, differentiably where the framework's engine records."""
        return raw

    def together(self, primitive: str, raws: Sequence[Any]) -> tuple[Sequence[Any], Any] | None:
        """Arrays (and Python's numbers among them) that the framework refused, brought where it takes them, to be tried
        once more, and the device that the result is then to be moved to, or None; no pair at all where something else
        was wrong.

        OperationError, which names the places, where the user has to say which one is meant.
        """
        self.in_one_place(raws)
        return None

    def in_one_place(self, raws: Sequence[Any]) -> None:
        """OperationError, which names the places, for raw arrays that lie where no operation takes them together."""
        places = {str(self.device(raw)): None for raw in raws if isinstance(raw, self.array_types)}
        if len(places) > 1:
            raise apart(self.name, list(places))

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        """A DLPack capsule of an array that is not tracked; ``where``: ``stream`` and ``dl_device``, if given.

        The default asks the framework's own array, with all arguments that are not None. BufferError or
        ValueError if it cannot be done.
        """
        given = {"copy": copy, "max_version": max_version, **where}
        return raw.__dlpack__(**{name: value for name, value in given.items() if value is not None})

    def dlpack_device(self, raw: Raw) -> tuple[int, int]:
        """The device as DLPack numbers it: (1, 0) is the host. The default asks the array, and where that does not say
        so goes by the name of its :meth:`device`."""
        if hasattr(raw, "__dlpack_device__"):
            kind, number = raw.__dlpack_device__()
            return int(kind), int(number)
        name, _, number = str(self.device(raw)).partition(":")
        return (1, 0) if name == "cpu" else (2, int(number))

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        """A raw array from an object with ``__dlpack__``, in the same memory where that is possible.

        ``copy``: True for memory of its own, False to raise BufferError or ValueError where it has to be copied.
        The default copies by way of NumPy.
        """
        if copy is False:
            raise BufferError(f"the adapter of {self.name!r} has no from_dlpack, so that memory is always copied")
        return self.from_numpy(np.from_dlpack(source))

    # --- compiling --------------------------------------------------------------------------------------------

    def abstractly(self, function: Callable[[Sequence[Raw]], None], raws: Sequence[Raw]) -> None:
        """Call ``function`` once with these arrays, or with such as have their shapes and dtypes and no values, for
        what it does besides."""
        function(raws)

    def compiled(self, function: RawFunction, engine: str | None) -> RawFunction:
        """A function of raw arrays as the framework compiles it, for arrays of always the same shapes and dtypes; as
        it is where the framework compiles nothing. ``engine`` is the compiler that was asked for by name."""
        if engine is not None:
            raise UnsupportedError(
                f"backend {self.name!r} has no compiler {engine!r}; leave out engine=, or name a backend"
            )
        return function

    def layout(self, raw: Raw, given: Sequence[Raw] = ()) -> Any:
        """What a plan wants to know of a raw array, made of those that are given, besides its shape and dtype."""
        return None

    def signature(self, raw: Raw, dtype: DType) -> Any:
        """All of a raw array of this dtype but its values, as what can be compared, hashed and read. Each call of a
        compiled function asks it of each array."""
        return (tuple(raw.shape), dtype, str(self.device(raw)), self.layout(raw))

    def adopts(self, other: Backend) -> bool:
        """Whether arrays of the other backend may stand beside this one's, which takes them over: while it traces."""
        return False

    def adopted(self, x: Any) -> Any:
        """A Tensor of a backend that this one :meth:`adopts`, as one of this."""
        raise NotImplementedError(f"{type(self).__name__} adopts no other backend's arrays")

    # --- for speed only ---------------------------------------------------------------------------------------

    bounds_checked: ClassVar[frozenset[str]] = frozenset()
    """Primitives whose labels or indices the framework itself checks from both sides, as well as that
    shapes fit. It must raise IndexError for an index; the others are checked before the call."""

    def numbers(self, primitive: str, weak: Weak) -> Weak | None:
        """What a Python scalar beside an array of a dtype is given to a primitive as.

        ``weak`` says it plainly: the scalar itself, or None where the dtype cannot take it. None to leave it at that.
        """
        return None

    def iterate(
        self, rows: Sequence[Sequence[float]], step: Callable[..., tuple[Raw, ...]], state: Any, until: bool = False
    ) -> Any:
        """The raw arrays ``state`` after ``state = step(row, *state)`` for each row of numbers: a loop that a framework
        may trace once for all. ``until``: it may end as soon as the last of the state holds no 0."""
        for row in rows:
            state = step(row, *state)
            if until and not self.may_hold_zero(state[-1]):
                break
        return state

    # --- the same for every adapter ---------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """What the code that is written for it is filed under: its name."""
        return self.name

    def __repr__(self) -> str:
        return f"<unigrad backend {self.name!r}>"

    def dtype(self, raw: Raw) -> DType:
        """The neutral dtype of a raw array."""
        return neutral(self)[raw.dtype]

    def raw_dtype(self, dtype: DType) -> Any:
        """The framework's own dtype for a neutral one; UnsupportedError where it has none."""
        try:
            return self.raw_dtypes[dtype]
        except KeyError:
            reason = self.missing.get(str(dtype), NO_DTYPE)
            raise UnsupportedError(
                f"backend {self.name!r} has no dtype {dtype}: {reason}; "
                f"use one of {', '.join(map(str, self.raw_dtypes))}"
            ) from None

    def composed(self, name: str) -> Callable[..., Raw] | None:
        """A primitive made of others' raw functions, or None where it has no composition or is declared missing."""
        if PRIMITIVES[name].composition is None or name in self.missing:
            return None
        return PRIMITIVES[name].made_of(_RawFunctions(self, name))

    def of_booleans(self, name: str) -> Callable[..., Raw]:
        """A primitive of booleans, made of others' raw functions, where the table says how."""
        composition = PRIMITIVES[name].booleans
        assert composition is not None, name
        return functools.partial(composition, _RawFunctions(self, name))

    def function(self, name: str) -> Callable[..., Raw]:
        """The raw function of a primitive: supplied, composed, or one that raises UnsupportedError."""
        return self._function(name)

    def _function(self, name: str, part_of: str | None = None) -> Callable[..., Raw]:
        """The same as a part of a composition, which an error then names."""
        found = self.functions.get(name) or self.composed(name)
        if found is not None:
            return found
        reason = self.missing.get(name, "its adapter supplies no such function")
        of = "" if part_of is None else f", which {part_of!r} is composed of"

        def unsupported(*args: Any) -> Raw:
            raise UnsupportedError(
                f"backend {self.name!r} cannot do {name!r}{of}: {reason}; "
                f"do this step on another backend and convert with .to_backend(...)"
            )

        return unsupported


def with_replaced(
    backend: Backend, table: Mapping[str, Callable[..., Raw]], derive: Callable[..., Callable[..., Raw]]
) -> dict[str, Callable[..., Raw]]:
    """A table of raw functions with ``derive(backend, name, function)``, which has our derivative, in place of each
    function of a primitive in :attr:`Backend.replaced`."""
    found = dict(table)
    for name in backend.replaced:
        function = table.get(name) or backend.composed(name)
        assert function is not None, name
        found[name] = derive(backend, name, function)
    return found


class Neutral(dict[Any, DType]):
    """The neutral dtypes of a backend by the framework's own. DtypeError for one that unigrad does not know."""

    def __init__(self, backend: Backend) -> None:
        super().__init__({raw: neutral for neutral, raw in backend.raw_dtypes.items()})
        self._backend = backend

    def __missing__(self, raw: Any) -> DType:
        name = str(raw).rpartition(".")[2]
        if name in LATE:
            late(name)  # BackendError says what to install
            if raw in self:
                return self[raw]
        known = ", ".join(map(str, self._backend.raw_dtypes))
        raise DtypeError(f"backend {self._backend.name!r} cannot use dtype {raw}; convert the array to one of {known}")


@functools.cache
def neutral(backend: Backend) -> Neutral:
    """The neutral dtypes by the framework's own."""
    return Neutral(backend)


def values_unknown(name: str) -> UnsupportedError:
    """The error for a question about values that nobody knows yet. ``name`` is the backend's."""
    return UnsupportedError(
        f"backend {name!r}: this array has no values yet, because the framework traces or maps the program that it is "
        f"in (jit, vmap, tf.function); keep it an array, choose by ug.where(condition, x, y) instead of 'if', and "
        f"convert or count results outside; to the framework return and pass its own array, x.raw"
    )


def not_plain(backend: Backend, what: str, instead: str) -> UnsupportedError:
    """The error for an array of the framework's that is ``what``, and becomes a plain one by ``instead``."""
    return UnsupportedError(
        f"backend {backend.name!r} takes plain arrays, and this one is {what}; convert it with {instead}, or call "
        f"{backend.framework}'s own function on it and pass the result"
    )


def apart(name: str, places: Sequence[str]) -> OperationError:
    """The error for arrays in several ``places`` in one operation. ``name`` is the backend's."""
    return OperationError(
        f"backend {name!r}: arrays on {' and on '.join(places)} met in one operation; move one to where the other is "
        f"with x.to_device(y.device)"
    )


class _RawFunctions:
    """The raw functions of a backend as attributes, for compositions, with what a composition asks of it besides."""

    def __init__(self, backend: Backend, composition: str) -> None:
        self._backend = backend
        self._composition = composition
        self.dtype = backend.dtype
        self.iterate = backend.iterate

    def constant(self, values: np.ndarray[Any, Any], like: Raw) -> Raw:
        """A raw array of these values where ``like`` is."""
        return self._backend.from_numpy(values, self._backend.device(like))

    def __getattr__(self, name: str) -> Callable[..., Raw]:
        found = self._backend._function(name, self._composition)
        setattr(self, name, found)  # so that the next call finds it at once
        return found
