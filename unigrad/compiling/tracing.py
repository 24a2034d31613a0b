"""Traced arrays: a backend over another, whose every primitive computes as ever and is written down.

A :class:`Traced` array holds the real array, so that shapes, dtypes and errors need no rules of their own, and the
variable that it is in the program. Where the framework itself traces, the real array is its tracer. What is computed
of constants alone is a constant. Values that depend on an argument are for nobody to look at: the same program must
serve the next ones.
"""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn

import numpy as np

from unigrad.adapters.contract import Backend, Engine, Followed, Foreign, RawFunction, Weak, neutral
from unigrad.adapters.registry import bound, loaded
from unigrad.base import dtypes
from unigrad.base.dtypes import DType
from unigrad.base.errors import UnsupportedError
from unigrad.base.leaving import users_line
from unigrad.base.recording import recording_mode
from unigrad.base.tracing import trace
from unigrad.base.words import Raw
from unigrad.compiling.program import Program, Step, Variable
from unigrad.native.backend import NativeBackend
from unigrad.native.networks import gelu
from unigrad.random import logged, note, state_key
from unigrad.table import PRIMITIVES, Primitive
from unigrad.tensor.levels import wrapped_types
from unigrad.tensor.operators import OPERATORS
from unigrad.tensor.tensor import GradientBuffer, Tensor, type_on


def refused(what: str) -> UnsupportedError:
    """The error for a question about values while a program is traced."""
    return UnsupportedError(
        f"{users_line()}: {what} needs the values of an array that depends on the arguments of a compiled function, "
        f"and one program serves all of them; choose by ug.where(condition, x, y) instead of 'if', loop by ug.scan, "
        f"let static_argnums name an argument that decides, or convert and print results outside"
    )


def _asked(what: str) -> Any:
    def method(self: Traced, *args: Any, **options: Any) -> NoReturn:
        raise refused(what)

    return method


class Traced:
    """A raw array of a :class:`TracedBackend`."""

    __slots__ = ("trace", "value", "variable")

    def __init__(self, value: Raw, variable: Variable | None = None, trace: Trace | None = None) -> None:
        self.value = value
        self.variable = variable
        """What it is in the program; None for a constant that no step has read."""
        self.trace = trace
        """The trace that it belongs to; None for a constant."""

    @property
    def shape(self) -> Any:
        """The sizes of the axes."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.value.shape)

    @property
    def dtype(self) -> Any:
        """The framework's own dtype."""
        return self.value.dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.value.shape))

    # NumPy's own functions and scalars leave it to the operators below.
    __array_ufunc__ = None
    __array__ = _asked("a function of NumPy's")
    __dlpack__ = _asked("DLPack")
    __bool__ = _asked("'if', 'while', 'and', 'or' or bool(x)")
    __float__ = _asked("float(x)")
    __int__ = _asked("int(x)")
    __index__ = _asked("an index")
    __iter__ = _asked("iteration")


def _operator(row: Primitive, function: Callable[..., Any], swapped: bool) -> Any:
    def method(self: Traced, *others: Any) -> Any:
        args = (*others, self) if swapped else (self, *others)
        return at_work().step(row, function, args, function)

    return method


# As the rules use them over raw arrays. An assignment is an operation as any other.
for _method, (_name, _swapped) in OPERATORS.items():
    _plain = f"__{_method[3:]}" if _swapped else _method
    setattr(Traced, _method, _operator(PRIMITIVES[_name], getattr(operator, _plain), _swapped))
Traced.__hash__ = object.__hash__  # type: ignore[method-assign]


class OutsideBuffer(GradientBuffer):
    """Where the gradient of an array from outside would go."""

    __slots__ = ()

    def __init__(self) -> None:
        self.request = "write"

    @property
    def grad(self) -> None:
        """None."""
        return None

    @grad.setter
    def grad(self, value: Any) -> NoReturn:
        raise UnsupportedError(
            "a compiled function cannot write the gradient of an array from outside: backward() would do it once, when "
            "it is traced, and at no later call; return the gradient (ug.grad, ug.gradients), or compile what computes "
            "the head and call backward() outside"
        )


def at_work() -> Trace:
    """The trace at work; UnsupportedError if there is none, and a traced array has got out."""
    found: Trace | None = trace()
    if found is None:
        raise _escaped()
    return found


def _escaped() -> UnsupportedError:
    return UnsupportedError(
        f"{users_line()}: an array that was made while ug.compile traced a function is used outside of it; it was kept "
        f"in a list, a global or an attribute: return it instead"
    )


class Trace:
    """What is written down while a function is called once."""

    def __init__(self, backend: TracedBackend, source: Backend) -> None:
        self.backend = backend
        self.source = source
        """The backend whose arrays the caller gives, if that is another."""
        self.program = Program()
        self.captures: list[tuple[Variable, Tensor]] = []
        """Tensors from outside, each with its variable."""
        self.draws: list[tuple[Variable | None, Callable[[], Any]]] = []
        """What happens before each run: random numbers drawn for a variable, and what else the generator is told."""
        self.first: list[Any] = []
        """What was drawn while tracing, for the first run."""
        self.states: list[Any] = []
        """The states of the shared generator that was drawn from."""
        self.arguments: set[Variable | None] = set()
        """The variables of the function's arguments."""
        self.read: list[tuple[Tensor, Tensor]] = []
        """Tensors from outside whose gradients were read, each with what it was."""
        self.asks_mode = False
        """Whether the function asks what is recorded, and may do something else then."""
        self.standing_in: dict[int, Tensor] = {}
        """What stands for Tensors from outside, by their ids, where a function is called again for its derivative."""
        self.calls: set[Any] = set()
        """The calls of compiled functions that are at work inside, with their signatures."""
        self._captured: dict[int, Traced] = {}
        self._known_draws: dict[Any, Traced] = {}
        self._marks = {OutsideBuffer()}

    def input(self, raw: Raw, letter: str) -> Traced:
        """A raw array that comes in at each call."""
        variable = self._variable(raw, f"{letter}{len(self.program.inputs)}")
        self.program.inputs.append(variable)
        return Traced(raw, variable, self)

    def _variable(self, raw: Raw, name: str, given: Sequence[Raw] = ()) -> Variable:
        backend = self.backend.inner
        return Variable(name, tuple(raw.shape), backend.dtype(raw), backend.layout(raw, given))

    def step(
        self, row: Primitive, function: Callable[..., Raw], args: tuple[Any, ...], by: Callable[..., Any] | None = None
    ) -> Traced:
        """A primitive of these arguments, computed and written down."""
        operands: list[Traced] = []
        value = function(*[_real(arg, operands) for arg in args])
        for x in operands:
            if x.trace is not None and x.trace is not self:
                raise _escaped()
        same = next((x for x in operands if x.value is value), None)
        if same is not None:
            return same
        if all(x.trace is None for x in operands) and self.backend.inner.is_known(value):
            return Traced(value)
        variable = self._variable(value, f"v{len(self.program.steps)}", [x.value for x in operands])
        supply = iter(operands)
        arrays = len(row.arrays)
        written = tuple([self._written(arg, supply, place < arrays) for place, arg in enumerate(args)])
        self.program.steps.append(Step(row.name, written, variable, by))
        return Traced(value, variable, self)

    def _written(self, arg: Any, supply: Iterator[Traced], array: bool) -> Any:
        if type(arg) is Traced:
            return self.variable_of(next(supply))
        if type(arg) is tuple or type(arg) is list:
            return type(arg)([self._written(part, supply, array) for part in arg])
        if array and isinstance(arg, self.backend.inner.array_types):  # what an adapter has made of a number
            return self.variable_of(Traced(arg))
        return arg.item() if array and isinstance(arg, np.generic) else arg  # what it has rounded one to

    def variable_of(self, x: Traced) -> Variable:
        """The variable of a traced array; a constant is written down when it is first asked for."""
        if x.variable is None or (x.trace is None and x.variable not in self.program.constants):
            x.variable = self._variable(x.value, f"k{len(self.program.constants)}")
            self.program.constants[x.variable] = x.value
        return x.variable

    def capture(self, x: Tensor) -> Tensor:
        """A Tensor from outside, which is read anew at each call."""
        if x._is_wrapped:
            raise UnsupportedError(
                "a compiled function closes over an array at work in a jvp or vmap; pass it as an argument"
            )
        if id(x) in self.standing_in:
            return self.standing_in[id(x)]
        found = self._captured.get(id(x))
        if found is None:
            found = self._captured[id(x)] = self.input(self.raw_of(x), "c")
            assert found.variable is not None
            self.captures.append((found.variable, x))
        made = type_on(self.backend).of(found, None)
        if x._node is not None and recording_mode():
            # Gradients may flow to it, as they do uncompiled, but nobody may write them.
            (buffer,) = self._marks
            made._hold_leaf(found, buffer)
        return made

    def gradient_of(self, x: Tensor, buffer: GradientBuffer | None) -> Tensor | None:
        """What x.grad is while this is at work: of an array from outside, read anew at each call."""
        if x.backend is self.backend:
            if not x._is_wrapped and x._node is None and x._raw.variable in self.arguments:
                raise UnsupportedError(
                    f"{users_line()}: an argument of a compiled function is its values alone, without the gradient "
                    f"that may be attached to it outside; pass x.grad as an argument too"
                )
            return None if buffer is None else buffer.grad
        if buffer is None or buffer.grad is None:
            return None
        if id(buffer) in self.standing_in:
            return self.standing_in[id(buffer)]
        self.read.append((x, buffer.grad))
        return buffer.grad

    def raw_of(self, x: Tensor) -> Raw:
        """The array of a Tensor of the caller's, as the program takes it."""
        raw = x._raw if x._node is None else x.backend.engine.detached(x._raw)
        inner = self.backend.inner
        return raw if x.backend is inner else inner.from_numpy(x.backend.to_numpy(raw))

    def drawn(self, values: Callable[[], Any], replayed: Iterator[Any] | None) -> Tensor:
        """Random numbers: an input of the program, drawn anew at each run; the same again where a step is replayed."""
        if replayed is not None:
            state = next(replayed)
            note(state)
            return type_on(self.backend).of(self._known_draws[state_key(state)], None)
        log: list[Any] = []
        with logged(log):
            raw = self.backend.inner.from_numpy(values())
        found = self.input(raw, "r")
        self.draws.append((found.variable, values))
        self.first.append(raw)
        self.states += log
        self.know_draws(log, [found] * len(log))
        return type_on(self.backend).of(found, None)

    def know_draws(self, states: Sequence[Any], found: Sequence[Traced]) -> None:
        """What was drawn from the generator in each of these states, for who replays it."""
        self._known_draws |= zip(map(state_key, states), found, strict=True)

    def effect(self, happens: Callable[[], Any]) -> None:
        """What else happens to the generator at each run."""
        self.draws.append((None, happens))


def _real(arg: Any, operands: list[Traced]) -> Any:
    """An argument with the real arrays in place of the traced ones, which are noted."""
    if type(arg) is Traced:
        operands.append(arg)
        return arg.value
    if type(arg) is tuple or type(arg) is list:
        return type(arg)([_real(part, operands) for part in arg])
    return arg


class TracedEngine(Engine):
    """Everything by the rules."""

    stops_at_inputs = True

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        if inner.inline_nodes == "rules":
            self.inline_nodes = "rules"  # type: ignore[misc]

    def raw_pass(self) -> AbstractContextManager[Any]:
        return self._inner.raw_pass()


class TracedForeign(Foreign):
    """Of a framework's own function nothing is known that could be written down."""

    def call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        raise UnsupportedError(
            f"{users_line()}: ug.compile writes down unigrad's operations, and cannot look into a framework's own "
            f"function (ug.wrap_native); call it outside of what is compiled, or write it with unigrad's operations"
        )

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw]:
        return step.value(raws)


class TracedBackend(Backend):
    """The backend ``inner``, traced."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        for attribute in ("name", "framework", "distribution", "install", "missing", "max_ndim", "bounds_checked"):
            setattr(self, attribute, getattr(inner, attribute))
        self.engine = TracedEngine(inner.engine)
        self.foreign = TracedForeign()

    @property
    def label(self) -> str:
        return f"{self.inner.name}, traced"

    def __repr__(self) -> str:
        return f"<unigrad backend {self.label!r}>"

    def load(self) -> None:
        loaded(self.inner)
        self.functions = {name: self._written(row) for name, row in PRIMITIVES.items()}
        if isinstance(self.inner, NativeBackend):
            # Step by step, as it is written there: the error function of its derivative is then the same one.
            self.functions["gelu"] = functools.partial(gelu, None, self.functions["erf"])
        self.raw_dtypes = self.inner.raw_dtypes
        self.array_types = (Traced,)
        dtypes.when_loaded(self._learn)

    def _learn(self, dtype: DType) -> None:
        """Take a dtype of another package, which is loaded now, if the backend beneath has taken it."""
        if dtype in self.inner.raw_dtypes:
            self.raw_dtypes = self.inner.raw_dtypes
            neutral(self)[self.raw_dtypes[dtype]] = dtype

    def _written(self, row: Primitive) -> Callable[..., Traced]:
        function = self.inner.function(row.name)

        def written(*args: Any) -> Traced:
            return at_work().step(row, function, args)

        return written

    def adopts(self, other: Backend) -> bool:
        found: Trace | None = trace()
        return found is not None and found.backend is self and (other is self.inner or other is found.source)

    def adopted(self, x: Tensor) -> Tensor:
        return at_work().capture(x)

    # --- what is made is a constant -----------------------------------------------------------------------------

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Traced:
        return Traced(self.inner.from_numpy(array, device))

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Traced:
        return Traced(self.inner.full(shape, value, dtype, device))

    def filled_like(self, raw: Traced, value: float) -> Traced:
        return Traced(self.inner.filled_like(raw.value, value))

    def from_dlpack(self, source: Any, copy: bool | None) -> Traced:
        return Traced(self.inner.from_dlpack(source, copy))

    # --- what is asked ------------------------------------------------------------------------------------------

    def is_known(self, raw: Traced) -> bool:
        return raw.trace is None and self.inner.is_known(raw.value)

    def to_numpy(self, raw: Traced) -> np.ndarray[Any, Any]:
        if not self.is_known(raw):
            raise refused("float(x), x.item(), x.numpy(), 'if' or the like")
        return self.inner.to_numpy(raw.value)

    def to_dlpack(self, raw: Traced, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        raise refused("DLPack")

    def copied(self, raw: Traced) -> Traced:
        return raw  # which nobody can write to

    def device(self, raw: Traced) -> Any:
        return self.inner.device(raw.value)

    def devices(self) -> Sequence[Any]:
        return self.inner.devices()

    def to_device(self, raw: Traced, device: Any) -> Traced:
        if raw.trace is None:
            return Traced(self.inner.to_device(raw.value, device))
        raise UnsupportedError(
            f"{users_line()}: a compiled function runs on the devices of its arguments; call to_device outside of it"
        )

    def numbers(self, primitive: str, weak: Weak) -> Weak | None:
        return self.inner.numbers(primitive, weak)


def _raw_asked(self: Tensor) -> NoReturn:
    raise refused("x.raw")


_traced: dict[Backend, TracedBackend] = {}
_making = threading.Lock()


def traced_over(inner: Backend, source: Backend) -> TracedBackend:
    """The backend that traces ``inner``, beside whose arrays those of both may stand."""
    with _making:
        backend = _traced.get(inner)
        if backend is None:
            backend = TracedBackend(inner)
            loaded(backend)
            type_on(backend).raw = property(_raw_asked)  # type: ignore[assignment]
            _traced[inner] = backend
        kinds = {type_on(backend), *wrapped_types(type_on(backend))}
        for other in {inner, source}:
            bound[other].wrapped |= kinds
    return backend
