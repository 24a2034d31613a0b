"""Which adapter is meant: those that are known, the current one, and the one whose array this is.

Adapters are found through the entry-point group ``unigrad.backends`` (name to instance) or given to
:func:`register_backend`. A framework is imported only when its adapter is first used; what unigrad makes of
an adapter then is a :class:`Bound`.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from unigrad.adapters.contract import Backend, RawFunction
from unigrad.adapters.engines import check_engine
from unigrad.base.dtypes import everything
from unigrad.base.errors import ArgumentError, BackendError, UnigradError, UnigradWarning
from unigrad.base.recording import is_recording
from unigrad.base.tracing import trace
from unigrad.table import PRIMITIVES, Primitive

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Bound:
    """What unigrad makes of an adapter whose framework is imported. ``unigrad.binding`` fills it in."""

    def __init__(self, tensor_type: Any) -> None:
        self.tensor_type = tensor_type
        """The class of this backend's Tensors."""
        self.raw_functions: Any = None
        """The primitives over raw arrays, where rules can use them, else None."""
        self.wrapped: set[type] = set()
        """The classes of its Tensors at work in a transform, and of those that may stand beside them."""
        self.made: Callable[[Primitive], None]
        """Writes a primitive's functions, which are written when they are first called, if they are not there yet."""
        self.scopes: dict[str, dict[str, Any]] = {}
        """The globals of those that are there, by the primitive's name."""
        self.lock = threading.RLock()
        """Held while functions are written, or all of them changed."""
        self.met_rules = False
        """Whether operations ask :attr:`Engine.by_rules`."""


bound: dict[Backend, Bound] = {}
"""Of each adapter that is loaded."""
binders: list[Callable[[Backend], Bound]] = []
"""What binds an adapter: one function, from a floor above."""
native_backends: list[Backend] = []
"""The backends that need no entry point: NumPy's and CuPy's, from a floor above."""

# Two threads may name a backend for the first time at once.
_loading = threading.RLock()


def loaded(backend: Backend) -> Backend:
    """The backend, its framework imported if that had not happened; BackendError says what to install."""
    if backend not in bound:
        with _loading:
            if backend not in bound:
                _load(backend)
    return backend


def _load(backend: Backend) -> None:
    try:
        backend.load()
    except UnigradError:
        raise
    except (ImportError, OSError) as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == backend.framework
        what = "is not installed" if absent else f"failed to import ({type(error).__name__}: {error})"
        raise BackendError(
            f"backend {backend.name!r} needs {backend.framework}, which {what}; install it with: {backend.install}"
        ) from error
    except (Exception, SystemExit) as error:
        raise BackendError(
            f"backend {backend.name!r}: {type(backend).__name__}.load() failed, {type(error).__name__}: {error}; with "
            f"a broken {backend.framework} this may help: {backend.install}"
        ) from error
    lacking = [name for name in ("functions", "raw_dtypes", "array_types") if not hasattr(backend, name)]
    if lacking:
        raise BackendError(
            f"backend {backend.name!r}: {type(backend).__name__}.load() did not set {', '.join(lacking)}"
        )
    unknown = [name for name in backend.functions if name not in PRIMITIVES]
    if unknown:
        raise BackendError(
            f"backend {backend.name!r}: {', '.join(unknown)} in its functions are no primitives; 'unigrad primitives' "
            f"lists what there is"
        )
    check_engine(backend)
    for bind in binders:
        bound[backend] = bind(backend)
    _notice_rivals(backend)


def _notice_rivals(backend: Backend) -> None:
    """Warn where a loaded backend of another name claims an array type of this one's."""
    for other in _backends.values():
        if other is backend or other not in bound or backend not in _backends.values():
            continue
        for kind in backend.array_types:
            if any(issubclass(kind, own) or issubclass(own, kind) for own in other.array_types):
                first = next(each for each in _backends.values() if each in (backend, other))
                warnings.warn(
                    f"backends {other.name!r} and {backend.name!r} both claim arrays of the type "
                    f"{kind.__module__}.{kind.__qualname__}: one that is given to unigrad belongs to the current "
                    f"backend if that is one of them, and to {first.name!r} otherwise; choose with ug.use_backend, or "
                    f"uninstall one of the two adapters",
                    UnigradWarning,
                    stacklevel=2,
                )
                break


def meet_rules(backend: Backend) -> None:
    """Have operations ask :attr:`Engine.by_rules <unigrad.adapters.contract.Engine.by_rules>` from now on. For the
    adapter to call when a leaf is made, or an array admitted, while that is true."""
    made = bound[backend]
    if not made.met_rules:
        with made.lock:
            made.met_rules = True
            for scope in made.scopes.values():
                scope["met_rules"] = True


def rewrite_functions(backend: Backend, rewritten: Callable[[str, RawFunction], RawFunction]) -> None:
    """Have operations call what ``rewritten`` makes of each primitive's name and raw function from now on. For the
    adapter to call when it first meets arrays of which its functions have to ask more than of others."""
    with bound[backend].lock:
        backend.functions = {name: rewritten(name, function) for name, function in backend.functions.items()}
        for name, scope in bound[backend].scopes.items():
            function = backend.function(name)
            scope.update(function=function, untracked=backend.engine.untracked(function))


class BackendInfo(NamedTuple):
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
    replaced: Mapping[str, str] = {}
    """Operations for whose derivative it is not asked, since ours is another, with the reason."""
    install: str = ""
    """What to type to install it."""


_backends: dict[str, Backend] = {}
_by_type: dict[type, Backend] = {}
known_backend = _by_type.get
"""The backend of arrays of a type, if :func:`backend_of` has found it; it is not looked for."""
_override: ContextVar[Backend | None] = ContextVar("unigrad_backend", default=None)
_followed: ContextVar[tuple[Backend, Any] | None] = ContextVar("unigrad_followed", default=None)
"""Where the transform at work has its arguments, for who has chosen no backend by :func:`use_backend`: the backend, and
an array on the device or None."""
_attached: ContextVar[Backend | None] = ContextVar("unigrad_attached", default=None)
"""The backend of the array that was attached last in this thread or task."""
_default: Backend | None = None


def register_backend(backend: Backend) -> None:
    """Make a backend known under its name, in place of any other of that name."""
    if not isinstance(backend, Backend):
        raise ArgumentError(f"register_backend takes an instance of a subclass of Backend, not {backend!r}")
    _discover()
    _backends[backend.name] = backend
    _by_type.clear()


def _discover() -> None:
    """Read the entry points, once. Loading one imports the adapter, not the framework."""
    if not _backends:
        _read(_entry_points())


def discover_only(name: str) -> None:
    """Read no entry point but that of this name: in a process that tries one adapter others have no part."""
    if _backends:
        raise ArgumentError(f"the adapters are read already: {', '.join(_backends)}")
    _read(entry for entry in _entry_points() if entry.name == name)


def announced_names() -> list[str]:
    """:func:`backend_names` without importing an adapter: what one may do while it is imported is its own."""
    native = [backend.name for backend in native_backends]
    return list(dict.fromkeys([*_backends, *native, *(entry.name for entry in _entry_points())]))


def _entry_points() -> Iterable[EntryPoint]:
    # Imported here since it costs as much as half of the rest of unigrad.
    from importlib.metadata import entry_points

    return entry_points(group="unigrad.backends")


def _read(entries: Iterable[EntryPoint]) -> None:
    _backends.update({backend.name: backend for backend in native_backends})
    for entry in entries:
        try:
            backend = entry.load()
            if not isinstance(backend, Backend):
                raise TypeError(f"{entry.value} is {backend!r}, and no instance of a subclass of Backend")
            if backend.name != entry.name:
                raise ValueError(
                    f"its name is {backend.name!r}, and that of its entry point {entry.name!r}; give both the same"
                )
        except (Exception, SystemExit) as error:
            backend = _Broken(entry.name, entry.value, error)
        _backends.setdefault(entry.name, backend)


class _Broken(Backend):
    """Stands for an entry point that gives no adapter, so that the others are not affected."""

    distribution = framework = install = ""

    def __init__(self, name: str, where: str, error: BaseException) -> None:
        self.name = name  # type: ignore[misc]
        self._where = where
        self._error = error

    def load(self) -> None:
        raise BackendError(
            f"backend {self.name!r}: its adapter {self._where!r} failed to load ({type(self._error).__name__}: "
            f"{self._error}); install a working version of the package that declares it"
        ) from self._error


def backend_names() -> list[str]:
    """The names of all known backends, usable or not."""
    _discover()
    return list(_backends)


def frameworks() -> dict[str, str]:
    """By the name of each known backend the import name of its framework; empty where no adapter could be loaded."""
    _discover()
    return {name: backend.framework for name, backend in _backends.items()}


def get_backend_object(name: str) -> Backend:
    """The loaded backend of that name; BackendError if it is unknown or cannot be imported."""
    _discover()
    try:
        backend = _backends[name]
    except (KeyError, TypeError):
        raise BackendError(f"there is no backend {name!r}; choose one of {', '.join(_backends)}") from None
    return loaded(backend)


def current_backend() -> Backend:
    """The backend on which new arrays are made."""
    return current_place()[0]


def current_place() -> tuple[Backend, Any]:
    """The backend and the device (None: the backend's default one) on which new arrays are made.

    What :func:`use_backend` chose; else where a transform at work has its arguments; else, while recording, where an
    array was attached last; else the process's default.
    """
    global _default
    chosen = _override.get()
    if chosen is not None:
        return at_trace(chosen), None
    followed = _followed.get()
    if followed is not None:
        backend, beside = followed
        return backend, None if beside is None else backend.device(beside)
    attached = _attached.get()
    if attached is not None and is_recording():
        return attached, None
    if _default is None:
        _default = get_backend_object(os.environ.get("UNIGRAD_BACKEND") or "numpy")
    return _default, None


def at_trace(backend: Backend) -> Backend:
    """The backend, or the one of the trace at work that takes its arrays over."""
    at_work = trace()
    return at_work.backend if at_work is not None and at_work.backend.adopts(backend) else backend


def note_attached(backend: Backend) -> None:
    """Have new arrays follow this backend while recording."""
    _attached.set(backend)


def any_attached() -> bool:
    """Whether any array was attached in this thread or task so far."""
    return _attached.get() is not None


class following:
    """Make new arrays on a backend, and on the device of its raw array ``beside``, inside the ``with`` block, unless
    :func:`use_backend` chooses another."""

    __slots__ = ("_place", "_token")

    def __init__(self, backend: Backend, beside: Any) -> None:
        self._place = (backend, beside)

    def __enter__(self) -> None:
        self._token = _followed.set(self._place)

    def __exit__(self, *error: object) -> None:
        _followed.reset(self._token)


def set_backend(name: str) -> None:
    """Make new arrays on this backend from now on, in the whole process.

    ``name`` is ``"numpy"``, ``"cupy"``, ``"torch"``, ``"tensorflow"``, ``"mxnet"``, ``"jax"``, ``"dask"`` or one
    that was registered. Existing arrays stay where they are. Inside a transform new arrays follow its arguments, and
    while recording the array that was attached last; there :func:`use_backend` decides otherwise.
    Raises BackendError if it is unknown or its framework is missing, and then changes nothing.
    """
    global _default
    _default = get_backend_object(name)


def get_backend() -> str:
    """The name of the backend on which new arrays are made (``UNIGRAD_BACKEND`` or numpy at first)."""
    return current_backend().name


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Make new arrays on this backend inside the ``with`` block, in this thread or async task.

    Also inside transforms and recordings of another backend, which new arrays follow otherwise.
    """
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
    """The backend whose raw array this is, or whose variable that holds one; None for all else. Imports no framework.

    An array of a framework that was never imported cannot exist, so only those in ``sys.modules``
    are asked, and only if the type, or one it derives from, comes from that framework. BackendError for an array of one
    that cannot be used: as data for another backend its history would be lost without a word.
    """
    kind = type(raw)
    found = _by_type.get(kind)
    if found is not None:
        return found
    _discover()
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    claimed = []
    unusable: BackendError | None = None
    for backend in list(_backends.values()):
        if backend.framework not in sys.modules:
            continue
        if roots & {backend.framework, *_EXTRA_ROOTS.get(backend.framework, ())}:
            try:
                loaded(backend)
            except BackendError as error:
                unusable = error
                continue
            if isinstance(raw, (*backend.array_types, *backend.variable_types)):
                claimed.append(backend)
    if len(claimed) > 1:
        current = _override.get() or _default
        return current if current in claimed else claimed[0]
    if not claimed:
        if unusable is not None and (hasattr(kind, "__array__") or hasattr(kind, "__dlpack__")):
            raise unusable
        return None
    _by_type[kind] = claimed[0]
    return claimed[0]


def is_array_type(kind: type) -> bool:
    """Whether arrays of this type are a loaded backend's raw arrays."""
    return any(issubclass(kind, backend.array_types) for backend in list(bound))


# JAX's arrays are made by its compiled half.
_EXTRA_ROOTS = {"jax": ("jaxlib",)}


def available_backends() -> list[BackendInfo]:
    """Every known backend: version, installed or why not, what it supports. Imports each framework."""
    rows = []
    for name in backend_names():
        backend = _backends[name]
        told = backend.missing, backend.differentiates, backend.replaced, backend.install
        try:
            version = loaded(backend).version()
        except BackendError as error:
            rows.append(BackendInfo(name, False, None, str(error), (), *told))
        else:
            everything()  # of those that are loaded late a backend knows then
            dtypes = tuple(map(str, backend.raw_dtypes))
            rows.append(BackendInfo(name, True, version, None, dtypes, *told))
    return rows


def check_device(backend: Backend, device: Any) -> Any:
    """The device under the backend's own name, ``"cuda"`` being ``"cuda:0"`` there; None for None. ArgumentError if the
    backend has no such device."""
    if device is None:
        return None
    spread = backend.spread(device)
    if spread is not None:
        return spread
    found = {str(known): known for known in backend.devices()}
    name = str(device)
    for known in (name, f"{name}:0", name.removesuffix(":0")):
        if known in found:
            return found[known]
    raise ArgumentError(f"backend {backend.name!r} has no device {device!r}; it has {', '.join(found)}")
