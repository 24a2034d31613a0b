"""What an adapter is, and the registry that finds the right one.

An adapter is one instance of a subclass of :class:`Backend`. It names its framework, converts to and
from NumPy, and supplies a plain function for each primitive of ``unigrad.operations`` over the
framework's own ("raw") arrays. That alone is a whole backend: gradients then come from the neutral
rules. An adapter whose framework records by itself overrides :meth:`Backend.record` and
:meth:`Backend.pullback` to delegate to it.

Adapters are found through the entry-point group ``unigrad.backends`` (name to instance) or given to
:func:`register_backend`. A framework is imported only when its adapter is first used.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from unigrad.dtypes import DType
from unigrad.errors import ArgumentError, BackendError, DtypeError, UnigradError, UnsupportedError

if TYPE_CHECKING:
    from unigrad.graph import Node
    from unigrad.operations.table import Primitive
    from unigrad.tensor import Tensor
    from unigrad.transforms.bridges import Bridged

Raw = Any
RawFunction = Callable[[Sequence[Raw]], list[Raw]]
"""A function of several raw arrays with several results."""
RawPull = Callable[[Sequence[Raw | None]], Sequence[Raw | None]]
"""From the cotangents of the results of one, None for those without any, to those of its arguments."""
RawStep = Callable[[Sequence[Raw]], tuple[list[Raw], RawPull]]
"""A function that also returns what pulls back."""


@dataclass(slots=True)
class Pull:
    """What a backward pass asks of one backend: to pull cotangents of heads back to inputs."""

    heads: Sequence[Tensor]
    cotangents: Sequence[Tensor]
    """One for each head."""
    nodes: Sequence[Node]
    """The recorded nodes to be pulled through."""
    starts: Sequence[Node]
    """Those of them without a ``p1``, as all leaves, gradients and steps are."""
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


# Two threads may name a backend for the first time at once.
_loading = threading.RLock()


class Backend:
    """One framework, as unigrad sees it. Subclass it, fill in the class attributes and the methods.

    The constructor must not import the framework; :meth:`load` does, once, before anything else is
    called. After it ``functions``, ``raw_dtypes`` and ``array_types`` must be there.
    """

    name: ClassVar[str]
    """How users name the backend: ``"torch"``."""
    framework: ClassVar[str]
    """The import name of the framework, whose arrays' types live in modules of that name."""
    distribution: ClassVar[str]
    """The name under which the framework's version is found."""
    install: ClassVar[str]
    """What to type to install it."""
    missing: ClassVar[Mapping[str, str]] = {}
    """What the framework cannot do: a dtype's or operation's name to the reason."""
    delegates: ClassVar[str] = "nothing"
    """What the framework's own engine differentiates: ``"nothing"``, ``"first order"`` or ``"all orders"``."""
    stops_at_inputs: ClassVar[bool] = False
    """For speed only. Whether gradients stop at inputs that are not among the nodes that :meth:`pullback` is told to go
    through, as they do where the rules pull. Graphs that cross backends are then pulled in smaller pieces."""
    inline_nodes: ClassVar[str | None] = None
    """For speed only. ``"rules"``: generate :meth:`record`'s default into each operation, and run the
    rules on raw arrays, whose operators and functions must then behave as NumPy's;
    ``"bare"``: likewise for a framework that records by itself as soon as a leaf is tracked."""
    by_rules: Callable[[], bool] = staticmethod(lambda: False)
    """Whether, for now, a backend with ``"bare"`` nodes is to record for the neutral rules: where its framework
    cannot track a leaf. :meth:`leaf` then gives the array itself, and :meth:`pullback` None. Operations ask only
    after :meth:`meet_rules`."""
    met_rules = False
    """Set by :meth:`meet_rules`."""
    bounds_checked: ClassVar[frozenset[str]] = frozenset()
    """For speed only: primitives whose labels or indices the framework itself checks from both sides, as well as that
    shapes fit. It must raise IndexError for an index; the others are checked before the call."""
    pulls_raw: ClassVar[bool] = False
    """Whether :meth:`record` makes nodes of the adapter's own, which pull over raw arrays. Cotangents are
    then added up with ``+``, so that raw arrays' operators must behave as NumPy's."""

    max_ndim: ClassVar[int | None] = None
    """The most axes that an array may have in every operation; None if there is no limit."""

    immutable: ClassVar[bool] = False
    """Whether nobody can write to a raw array, so that another backend may share its memory."""
    keeps_read_only: ClassVar[bool] = False
    """Whether nobody can write to a raw array made of another's read-only memory by :meth:`from_dlpack`: because nobody
    can write to any, or because the framework knows read-only arrays."""

    conjugate_pulls: ClassVar[bool] = False
    """Whether the nodes that :meth:`record` makes take and give gradients of complex arrays in the conjugate form,
    as users see them, and not as the neutral rules have them (``unigrad.operations.table``)."""

    is_view: Callable[[Raw], bool] | None = None
    """Whether an array shares its memory with another that somebody may write to; None where none does that rules or
    :meth:`pullback` return."""

    functions: Mapping[str, Callable[..., Raw]]
    """Primitive name to a function over raw arrays, with the primitive's positional signature."""
    raw_dtypes: Mapping[DType, Any]
    """Neutral dtype to the object that a raw array has as its ``dtype``, for every dtype supported."""
    array_types: tuple[type, ...]
    """The framework's array types."""
    raw_functions: Any = None
    """Set by unigrad: the primitives over raw arrays, where rules can use them."""
    tensor_type: type[Tensor]
    """Set by unigrad: the class of this backend's Tensors."""
    dual_type: type[Tensor]
    """Set by unigrad: the class of its duals (``unigrad.forward``)."""
    batched_type: type[Tensor]
    """Set by unigrad: the class of its batched Tensors (``unigrad.batching``)."""
    scopes: list[dict[str, Any]]
    """Set by unigrad: the globals of this backend's operations."""
    _neutral: Mapping[Any, DType]
    _loaded = False

    def load(self) -> None:
        """Import the framework and fill in ``functions``, ``raw_dtypes`` and ``array_types``."""
        raise NotImplementedError

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        """A raw array with a copy of these values, in this dtype, on ``device`` (None: the default)."""
        raise NotImplementedError

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        """The values as a NumPy array, which may share memory. Works on tracked arrays too.

        :func:`values_unknown` where there are none, because a framework traces a program.
        """
        raise NotImplementedError

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        """A raw array filled with one value."""
        return self.from_numpy(np.full(shape, value, dtype), device)

    def filled_like(self, raw: Raw, value: float) -> Raw:
        """:meth:`full` of 0 or 1 with the shape, dtype and device of ``raw``."""
        return self.full(tuple(raw.shape), value, self.dtype(raw), self.device(raw))

    def copied(self, raw: Raw) -> Raw:
        """The same values in memory of their own; differentiably where the framework itself looks on."""
        values = self.to_numpy(raw)
        return self.from_numpy(values, self.device(raw)) if values.size else raw

    def is_known(self, raw: Raw) -> bool:
        """Whether there are values that Python can look at, as there are unless a framework traces a program."""
        return True

    def device(self, raw: Raw) -> Any:
        """The device that a raw array lives on."""
        return "cpu"

    def devices(self) -> Sequence[Any]:
        """The devices that there are, the default one first."""
        return ("cpu",)

    def to_device(self, raw: Raw, device: Any) -> Raw:
        """The raw array on ``device``, differentiably where the backend delegates."""
        return raw

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        """A DLPack capsule of an array that is not tracked; ``where``: ``stream`` and ``dl_device``, if given.

        The default asks the framework's own array, with all arguments that are not None. BufferError or
        ValueError if it cannot be done.
        """
        given = {"copy": copy, "max_version": max_version, **where}
        return raw.__dlpack__(**{name: value for name, value in given.items() if value is not None})

    def dlpack_device(self, raw: Raw) -> tuple[int, int]:
        """The device as DLPack numbers it: (1, 0) is the host."""
        kind, number = raw.__dlpack_device__()
        return int(kind), int(number)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        """A raw array from an object with ``__dlpack__``, in the same memory where that is possible.

        ``copy``: True for memory of its own, False to raise BufferError or ValueError where it has to be copied.
        """
        raise NotImplementedError

    def record(
        self,
        primitive: Primitive,
        parents: tuple[Node | None, ...],
        raws: tuple[Raw, ...],
        statics: tuple[Any, ...],
    ) -> tuple[Raw, Node]:
        """Run a primitive and return its value and the node that remembers it.

        Called only while recording and only if one of ``parents`` is not None. ``raws`` are raw
        arrays, or Python scalars for primitives that take them; a primitive over a sequence of arrays
        gets them one by one. The default keeps what the neutral rules of the primitive need.
        """
        from unigrad.operations.nodes import rule_node

        function = self.function(primitive.name)
        out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
        return out, rule_node(self, primitive, parents, raws, statics, out)

    def joined(
        self,
        operation: str,
        inputs: Sequence[Tensor],
        results: Sequence[Tensor],
        pull_back: Callable[[list[Tensor | None]], Sequence[Tensor | None]],
    ) -> list[Tensor]:
        """``results`` as those of one recorded step (``unigrad.joints``); a framework that walks its own graph ties
        them into that."""
        from unigrad.joints import joined

        return joined(operation, inputs, results, pull_back)

    def within_step(self, raw: Raw) -> Raw:
        """The raw array of a tracked input as the function of a step gets it: without what unigrad has the framework
        record, but with what the framework follows for others."""
        return self.detached(raw)

    def follows(self, raw: Raw) -> bool:
        """Whether the framework itself, at work outside unigrad, follows what is computed with this array now."""
        return False

    def followed(self, function: RawStep, raws: Sequence[Raw]) -> list[Raw]:
        """The results of ``function(raws)`` as those of one step to the framework's own engine.

        Called only where the framework follows one of ``raws``. The function also returns what pulls
        back, from the cotangents of its results, None for those without any, to those of its arguments, in the
        conjugate form; and it can be called again, so that the engine may follow that pull as well.
        """
        raise NotImplementedError

    checkpoints: ClassVar[bool] = False
    """Whether :meth:`checkpointed` is there: where the framework keeps what its own engine needs."""

    def checkpointed(self, run: Callable[[], Any]) -> Any:
        """The result of ``run``, recorded so that the framework keeps nothing of what it computes on the way.

        For its derivative ``run`` is called once more, and then does the same.
        """
        raise NotImplementedError

    def native_call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        """A framework's own function of arrays that unigrad does not track."""
        run = function if any(map(self.follows, raws)) else self.untracked(function)
        found: list[Raw] = run(raws)
        return found

    native_twice: ClassVar[bool] = True
    """Whether what :meth:`native_vjp` computes can be differentiated by it again."""

    def native(self, name: str, function: RawFunction, inputs: Sequence[Tensor]) -> list[Tensor]:
        """``function(raws)``, recorded: one of the framework's own, which its own engine differentiates.

        Called while recording and only if one of ``inputs``, Tensors of this backend that are not wrapped, is tracked.
        A framework that records by itself makes nodes of its own; the default asks :meth:`native_vjp`.
        """
        from unigrad.transforms.native import recorded_by_vjp

        return recorded_by_vjp(self, name, function, inputs)

    def native_vjp(
        self, function: RawFunction, raws: Sequence[Raw], moving: Sequence[bool]
    ) -> tuple[list[Raw], RawPull]:
        """The results of a framework's own function, and what makes cotangents of those inputs that ``moving`` marks
        of the results' (None: there is none). Complex ones are in the conjugate form."""
        raise UnsupportedError(
            f"backend {self.name!r} has no engine that could differentiate its own functions; write the function with "
            f"unigrad's operations, or give it a rule with ug.custom_gradient"
        )

    def native_jvp(self, function: RawFunction, moving: Sequence[bool]) -> RawFunction:
        """A framework's own function and its tangent, by its own forward mode: of all inputs and then the tangents
        of those that ``moving`` marks; to all results and then as many tangents (anything for integers)."""
        raise UnsupportedError(
            f"backend {self.name!r} has no forward mode for its own functions; use reverse mode (ug.grad, ug.vjp) "
            f"where it has one, write the function with unigrad's operations, or use ug.custom_gradient"
        )

    def native_vmap(self, function: RawFunction, marks: Sequence[bool]) -> RawFunction | None:
        """A framework's own function of a batch, which lies along the first axis of those inputs that ``marks`` marks
        and of all results; None to loop over it."""
        return None

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        """The results of ``call``, which another framework computes, tied into this framework's own graph, if it is
        recording: by ``call.recorded(raws)``, and in its pullback :meth:`bridged` again, of the pull and of ``raws``
        and the cotangents of floating results."""
        raise UnsupportedError(
            f"backend {self.name!r} cannot have its own engine differentiate a bridged function: its adapter has no "
            f"'bridged'; give Tensors (ug.asarray(x)) and use unigrad's gradients"
        )

    def array_in(self, holder: Any) -> Raw | None:
        """The array that a variable of the framework's holds, read so that its engine sees it; None for all else."""
        return None

    def pushforward(
        self, primitive: Primitive, raws: Sequence[Raw], tangents: Sequence[Raw | None], statics: Sequence[Any]
    ) -> tuple[Raw, Raw] | None:
        """The value of a primitive and its tangent by the framework's own forward mode, or None to use rules.

        ``tangents`` has one entry for each of ``raws``, None for an input that does not move.
        """
        return None

    @property
    def pushes_forward(self) -> bool:
        """Whether :meth:`pushforward` may give anything but None."""
        return type(self).pushforward is not Backend.pushforward

    def meet_rules(self) -> None:
        """Have operations ask :attr:`by_rules` from now on. For the adapter to call when a leaf is made, or an array
        admitted, while that is true."""
        self.met_rules = True
        for scope in self.scopes:
            scope["met_rules"] = True

    def numbers(self, primitive: str, weak: Callable[[Any, DType], Any]) -> Callable[[Any, DType], Any] | None:
        """For speed only: what a Python scalar beside an array of a dtype is given to a primitive as.

        ``weak`` says it plainly: the scalar itself, or None where the dtype cannot take it. None to leave it at that.
        """
        return None

    def raw_pass(self) -> AbstractContextManager[Any]:
        """Held open while a first-order pass pulls over raw arrays."""
        return np.errstate(all="ignore")

    def untracked(self, function: Callable[..., Raw]) -> Callable[..., Raw]:
        """``function``, made safe to call on tracked arrays while nothing is recorded."""
        return function

    def leaf(self, raw: Raw) -> Raw:
        """The raw array as a leaf that the framework tracks from now on, sharing its memory."""
        return raw

    def fresh_leaf(self, raw: Raw) -> Raw:
        """:meth:`leaf` for an array that nobody else holds, which may itself become the leaf."""
        return self.leaf(raw)

    def detached(self, raw: Raw) -> Raw:
        """The raw array without the history that unigrad had the framework keep, sharing its memory."""
        return raw

    def constant(self, raw: Raw) -> Raw:
        """:meth:`detached`, and a constant also to what the framework itself differentiates around unigrad."""
        return self.detached(raw)

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        """Gradients for the inputs of ``pull``, None for zero, by the framework's own engine; or None to use rules.

        Only called where ``delegates`` says that the framework can do it.
        """
        return None

    pull_leaves: Callable[[Raw, tuple[Raw, ...], int, bool], Sequence[Raw | None] | None] | None = None
    """For speed only: :meth:`pullback` of ones from one head to all leaves of a graph that has nothing but ``"bare"``
    nodes besides. Given are the head, the leaves, the number of nodes and ``retain_graph``; None sends to
    :meth:`pullback`."""

    @property
    def engine(self) -> str:
        """What the framework itself differentiates, in words: ``delegates`` unless there is more to say."""
        return self.delegates

    def version(self) -> str:
        """The framework's version."""
        from importlib.metadata import version

        return version(self.distribution)

    def admit(self, raw: Raw) -> None:
        """Called with each raw array that comes from the user; DtypeError if it cannot be used."""
        if raw.dtype not in self._neutral:
            known = ", ".join(map(str, self.raw_dtypes))
            raise DtypeError(f"backend {self.name!r} cannot use dtype {raw.dtype}; convert the array to one of {known}")

    # What follows is the same for every adapter.

    def __repr__(self) -> str:
        return f"<unigrad backend {self.name!r}>"

    def dtype(self, raw: Raw) -> DType:
        """The neutral dtype of a raw array."""
        return self._neutral[raw.dtype]

    def raw_dtype(self, dtype: DType) -> Any:
        """The framework's own dtype for a neutral one; UnsupportedError where it has none."""
        try:
            return self.raw_dtypes[dtype]
        except KeyError:
            reason = self.missing.get(str(dtype), "the framework has no such dtype")
            raise UnsupportedError(
                f"backend {self.name!r} has no dtype {dtype}: {reason}; "
                f"use one of {', '.join(map(str, self.raw_dtypes))}"
            ) from None

    def composed(self, name: str) -> Callable[..., Raw] | None:
        """A primitive made of others' raw functions, or None where it has no composition or is declared missing."""
        from unigrad.operations.table import PRIMITIVES

        composition = PRIMITIVES[name].composition
        if composition is None or name in self.missing:
            return None
        return functools.partial(composition, _RawFunctions(self))

    def function(self, name: str) -> Callable[..., Raw]:
        """The raw function of a primitive: supplied, composed, or one that raises UnsupportedError."""
        found = self.functions.get(name) or self.composed(name)
        if found is not None:
            return found
        reason = self.missing.get(name, "its adapter supplies no such function")

        def unsupported(*args: Any) -> Raw:
            raise UnsupportedError(
                f"backend {self.name!r} cannot do {name!r}: {reason}; "
                f"do this step on another backend and convert with .to_backend(...)"
            )

        return unsupported

    def ensure_loaded(self) -> Backend:
        """Import the framework if that has not happened; BackendError says what to install."""
        if not self._loaded:
            with _loading:
                if not self._loaded:
                    self._load()
        return self

    def _load(self) -> None:
        try:
            self.load()
        except UnigradError:
            raise
        except Exception as error:
            absent = isinstance(error, ModuleNotFoundError) and error.name == self.framework
            what = "is not installed" if absent else f"failed to import ({type(error).__name__}: {error})"
            raise BackendError(
                f"backend {self.name!r} needs {self.framework}, which {what}; install it with: {self.install}"
            ) from error
        self._neutral = {raw: neutral for neutral, raw in self.raw_dtypes.items()}
        from unigrad.operations.binding import bind

        bind(self)
        self._loaded = True


def values_unknown(name: str) -> UnsupportedError:
    """The error for a question about values that nobody knows yet. ``name`` is the backend's."""
    return UnsupportedError(
        f"backend {name!r}: this array has no values yet, because the framework traces or maps the program that it is "
        f"in (jit, vmap, tf.function); keep it an array, choose by ug.where(condition, x, y) instead of 'if', and "
        f"convert, print or count results outside"
    )


class _RawFunctions:
    """The raw functions of a backend as attributes, for compositions."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Callable[..., Raw]:
        return self._backend.function(name)


@dataclass(frozen=True)
class BackendInfo:
    """One row of :func:`available_backends`."""

    name: str
    installed: bool
    version: str | None
    """The framework's version, or None."""
    why_not: str | None
    """Why it cannot be used, and what to install."""
    dtypes: tuple[str, ...]
    """Names of the supported dtypes, empty if it cannot be used."""
    unsupported: Mapping[str, str]
    """Operations and dtypes that it lacks, with the reason."""
    engine: str
    """What its own engine differentiates: ``nothing``, ``first order``, ``all orders``, ``each operation``."""


_backends: dict[str, Backend] = {}
_by_type: dict[type, Backend] = {}
_override: ContextVar[Backend | None] = ContextVar("unigrad_backend", default=None)
_default: Backend | None = None


def register_backend(backend: Backend) -> None:
    """Make a backend known under its name, in place of any other of that name."""
    _discover()
    _backends[backend.name] = backend
    _by_type.clear()


def _discover() -> None:
    """Read the entry points, once. Loading one imports the adapter, not the framework."""
    if _backends:
        return
    # Imported here since it costs as much as half of the rest of unigrad.
    from importlib.metadata import entry_points

    from unigrad.native import cupy_backend, numpy_backend

    _backends["numpy"] = numpy_backend
    _backends["cupy"] = cupy_backend
    for entry in entry_points(group="unigrad.backends"):
        try:
            backend = entry.load()
        except Exception as error:
            backend = _Broken(entry.name, entry.value, error)
        _backends.setdefault(entry.name, backend)


class _Broken(Backend):
    """Stands for an adapter that failed to import, so that the others are not affected."""

    distribution = framework = ""

    def __init__(self, name: str, where: str, error: Exception) -> None:
        self.name = name  # type: ignore[misc]
        self.framework = where  # type: ignore[misc]
        self.install = "a working version of that adapter"  # type: ignore[misc]
        self._error = error

    def load(self) -> None:
        raise self._error


def backend_names() -> list[str]:
    """The names of all known backends, usable or not."""
    _discover()
    return list(_backends)


def get_backend_object(name: str) -> Backend:
    """The loaded backend of that name; BackendError if it is unknown or cannot be imported."""
    _discover()
    try:
        backend = _backends[name]
    except (KeyError, TypeError):
        raise BackendError(f"there is no backend {name!r}; choose one of {', '.join(_backends)}") from None
    return backend.ensure_loaded()


def current_backend() -> Backend:
    """The backend on which new arrays are made."""
    global _default
    found = _override.get() or _default
    if found is None:
        _default = found = get_backend_object(os.environ.get("UNIGRAD_BACKEND") or "numpy")
    return found


def set_backend(name: str) -> None:
    """Make new arrays on this backend from now on, in the whole process.

    ``name`` is ``"numpy"``, ``"cupy"``, ``"torch"``, ``"tensorflow"``, ``"mxnet"``, ``"jax"`` or one
    that was registered. Existing arrays stay where they are. Raises BackendError if it is unknown or
    its framework is missing, and then changes nothing.
    """
    global _default
    _default = get_backend_object(name)


def get_backend() -> str:
    """The name of the backend on which new arrays are made (``UNIGRAD_BACKEND`` or numpy at first)."""
    return current_backend().name


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Make new arrays on this backend inside the ``with`` block, in this thread or async task."""
    token = _override.set(get_backend_object(name))
    try:
        yield
    finally:
        _override.reset(token)


class working_on:
    """:func:`use_backend` for a backend that is known to be loaded, at a fraction of the cost."""

    __slots__ = ("_backend", "_token")

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __enter__(self) -> None:
        self._token = _override.set(self._backend)

    def __exit__(self, *error: object) -> None:
        _override.reset(self._token)


def backend_of(raw: Any) -> Backend | None:
    """The backend whose raw array this is, or None. Imports no framework.

    An array of a framework that was never imported cannot exist, so only those in ``sys.modules``
    are asked, and only if the type, or one it derives from, comes from that framework.
    """
    kind = type(raw)
    found = _by_type.get(kind)
    if found is not None:
        return found
    _discover()
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    for backend in list(_backends.values()):
        if backend.framework not in sys.modules:
            continue
        if roots & {backend.framework, *_EXTRA_ROOTS.get(backend.framework, ())}:
            try:
                backend.ensure_loaded()
            except BackendError:
                continue
            if isinstance(raw, backend.array_types):
                _by_type[kind] = backend
                return backend
    return None


def is_array_type(kind: type) -> bool:
    """Whether arrays of this type are a loaded backend's raw arrays."""
    return any(backend._loaded and issubclass(kind, backend.array_types) for backend in _backends.values())


# JAX's arrays are made by its compiled half.
_EXTRA_ROOTS = {"jax": ("jaxlib",)}


def available_backends() -> list[BackendInfo]:
    """Every known backend: version, installed or why not, what it supports. Imports each framework."""
    rows = []
    for name in backend_names():
        try:
            backend = get_backend_object(name)
        except BackendError as error:
            known = _backends[name]
            rows.append(BackendInfo(name, False, None, str(error), (), known.missing, known.engine))
        else:
            dtypes = tuple(map(str, backend.raw_dtypes))
            rows.append(BackendInfo(name, True, backend.version(), None, dtypes, backend.missing, backend.engine))
    return rows


def check_device(backend: Backend, device: Any) -> None:
    """ArgumentError if the backend has no such device."""
    if device is not None and str(device) not in map(str, backend.devices()):
        raise ArgumentError(
            f"backend {backend.name!r} has no device {device!r}; it has {', '.join(map(str, backend.devices()))}"
        )
