"""bridge: a function that runs in one framework, called and differentiated by another.

To the outer framework a bridged function is one step (``Foreign.followed``): its value, and a function that pulls
cotangents back through it, which is bridged itself. So every order of derivative follows from the first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend, StepBack, values_unknown
from unigrad.adapters.registry import backend_of, get_backend_object, working_on
from unigrad.base.dtypes import DType, has_gradients
from unigrad.base.errors import BackendMismatchError, DtypeError, UnsupportedError
from unigrad.base.recording import Switch, is_training
from unigrad.base.tree import flatten, paths, unflatten
from unigrad.base.words import Raw
from unigrad.engine.moving import carried
from unigrad.engine.within import Pass
from unigrad.operations.creation import asarray
from unigrad.tensor.tensor import Tensor, type_on
from unigrad.transforms.calling import Outputs, called, check_function
from unigrad.transforms.pulling import pull_back
from unigrad.transforms.reverse import vjp
from unigrad.transforms.steps import floating_alone

Flat = Callable[[list[Tensor]], list[Tensor]]


class Bridged:
    """A function of a list of arrays, as a step to the engine of the outer framework, whose raw arrays it speaks."""

    def __init__(
        self,
        name: str,
        function: Flat,
        inner: Backend,
        outer: Backend,
        training: bool,
        known: Flat | None = None,
        pulled: int | None = None,
    ) -> None:
        self.name = name
        self._function = function
        self._inner = inner
        self._outer = outer
        self._training = training
        self._known = known
        self._pulled = pulled

    def value(self, raws: Sequence[Raw]) -> list[Raw]:
        """The results."""
        if not all(map(self._outer.is_known, raws)):
            found = self._outer.foreign.later(self, raws)
            if found is None:
                raise values_unknown(self._outer.name)
            return found
        with Switch(False, self._training), working_on(self._inner):
            xs = self._inward(raws)
            return self._outward(self._function(xs) if self._known is None else self._known(xs), raws)

    def recorded(self, raws: Sequence[Raw]) -> tuple[list[Raw], StepBack]:
        """The results, and :meth:`pull` for these arrays alone, which need not compute the function again."""
        if not all(map(self._outer.is_known, raws)):
            return self.value(raws), self.pull
        with Switch(True, self._training), working_on(self._inner):
            xs = self._inward(raws)
            leaves = _floating(xs)
            for x in leaves:
                x.attach_grad()
            ys = self._function(xs)
        heads = _floating(ys)

        def known(arrays: list[Tensor]) -> list[Tensor]:
            found = pull_back(Pass(heads, arrays[len(raws) :], retain_graph=True), leaves)
            return [x.zeros_like() if g is None else g for x, g in zip(leaves, found, strict=True)]

        return self._outward(ys, raws), functools.partial(self.pull, known=known)

    def pull(self, raws: Sequence[Raw], gs: Sequence[Raw | None], known: Flat | None = None) -> Sequence[Raw | None]:
        """The cotangents of the arrays, of those of the results: by a function of both, which is bridged likewise."""
        count = len(raws)

        def pulled(arrays: list[Tensor]) -> list[Tensor]:
            xs, gs = arrays[:count], arrays[count:]
            moving = [position for position, x in enumerate(xs) if has_gradients(x.dtype)]
            with Switch(True, None):
                _, back = vjp(lambda *xs: _floating(self._function(list(xs))), *xs, argnums=moving)
            return list(back(gs))

        step = Bridged(self.name, pulled, self._inner, self._outer, self._training, known, count)
        found = iter(step.tied([*raws, *[g for g in floating_alone(self._outer, gs) if g is not None]]))
        return [next(found) if has_gradients(self._outer.dtype(raw)) else None for raw in raws]

    def tied(self, raws: Sequence[Raw]) -> Sequence[Raw]:
        """The results, through which the outer framework's engine goes where it is at work."""
        found = self._outer.foreign.followed(self, raws)
        if found is None:
            raise UnsupportedError(
                f"backend {self._outer.name!r} cannot have its own engine differentiate a bridged function: its "
                f"adapter has no 'followed'; give Tensors (ug.asarray(x)) and use unigrad's gradients"
            )
        return found

    def on_host(self, *arrays: Any) -> list[np.ndarray[Any, Any]]:
        """The results for NumPy's arrays, as such: for a framework that calls back while its own program runs."""
        host = Bridged(self.name, self._function, self._inner, get_backend_object("numpy"), self._training)
        return [np.asarray(raw) for raw in host.value([np.asarray(array) for array in arrays])]

    def described(self, shapes: Sequence[Sequence[int]], raws: Sequence[Raw]) -> list[tuple[tuple[int, ...], DType]]:
        """Shape and dtype of the results, for a framework that asks before there are values: those for ones."""
        dtypes = [self._outer.dtype(raw) for raw in raws]
        if self._pulled is not None:
            given = list(zip(map(tuple, shapes), dtypes, strict=True))[: self._pulled]
            return [(shape, dtype) for shape, dtype in given if has_gradients(dtype)]
        try:
            results = self.on_host(*[np.ones(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)])
        except Exception as error:
            raise UnsupportedError(
                f"to compile a call of {self.name}, backend {self._outer.name!r} must know the shapes of its results "
                f"beforehand, and with ones for values it raises {type(error).__name__}: {error}"
            ) from error
        return [(result.shape, result.dtype) for result in results]

    def _inward(self, raws: Sequence[Raw]) -> list[Tensor]:
        outer = self._outer
        return [carried(type_on(outer).of(outer.engine.detached(raw), None), self._inner) for raw in raws]

    def _outward(self, results: Sequence[Tensor], raws: Sequence[Raw]) -> list[Raw]:
        device = self._outer.device(raws[0]) if raws else None
        return [carried(y.detach(), self._outer, device)._raw for y in results]


def _floating(xs: Sequence[Tensor]) -> list[Tensor]:
    return [x for x in xs if has_gradients(x.dtype)]


def bridge(f: Callable[..., Any], inner: str, outer: str) -> Callable[..., Any]:
    """``f``, written with unigrad and run on backend ``inner``, as a function of the framework ``outer``.

    The function that comes back takes that framework's own arrays, alone or in containers and as keyword arguments,
    and returns such arrays; all else is handed through to ``f``, which sees Tensors of ``inner``. The outer framework's
    own engine differentiates through it, to any order: PyTorch's ``backward`` and ``torch.func.grad``, TensorFlow's
    tapes, eagerly and in ``tf.function``, JAX's reverse mode, also in ``jax.jit``. MXNet's does so once. NumPy
    has no engine: give Tensors. Given Tensors of ``outer`` it returns such, and unigrad's own engine goes through it.

    ``f`` must depend on its arguments alone, since it may be called more than once for one result (random numbers
    take ``seed=``); inside ``jax.jit`` and ``tf.function`` it is called once with ones, for the shapes of its results.

    Raises BackendMismatchError for an array of another framework, DtypeError or UnsupportedError for a dtype that one
    of the two does not have; all name the argument.
    """
    check_function(f, "bridge")

    @functools.wraps(f)
    def bridged(*args: Any, **kwargs: Any) -> Any:
        inside, outside = get_backend_object(inner), get_backend_object(outer)
        leaves, layout = flatten((args, kwargs))
        found = [
            _array(leaf, inside, outside, f"{where} of {called(f)}")
            for leaf, where in zip(leaves, _places(args, kwargs), strict=True)
        ]
        arrays = [x for x in found if x is not None]
        made: list[Outputs] = []  # by the latest call

        def function(xs: list[Tensor]) -> list[Tensor]:
            supply = iter(xs)
            mixed = [leaf if x is None else next(supply) for leaf, x in zip(leaves, found, strict=True)]
            given, named = unflatten(layout, mixed)
            made[:] = [Outputs(f, f(*given, **named), inside)]
            return made[0].tensors

        if not any(isinstance(x, Tensor) for x in arrays):
            raws = Bridged(called(f), function, inside, outside, is_training()).tied(arrays)
            return made[0].rebuilt(raws)
        with working_on(inside):
            results = function([carried(asarray(x), inside) for x in arrays])
        return made[0].rebuilt([carried(y, outside) for y in results])

    return bridged


def _places(args: Sequence[Any], kwargs: dict[str, Any]) -> list[str]:
    named = [*enumerate(args), *kwargs.items()]
    return [f"argument {name!r}{path}" for name, arg in named for path in paths(arg)]


def _array(leaf: Any, inner: Backend, outer: Backend, where: str) -> Any:
    """The Tensor or raw array that a leaf is, of the outer backend; None if it is no array."""
    if isinstance(leaf, Tensor):
        found, backend, dtype = leaf, leaf.backend, leaf.dtype
    elif isinstance(leaf, (bool, int, float, complex, str)) and not isinstance(leaf, np.generic):
        return None
    else:
        held = outer.foreign.array_in(leaf)
        found = leaf if held is None else held
        owner = outer if isinstance(found, outer.array_types) else backend_of(found)
        if owner is None:
            return None
        backend = owner
        if backend is outer:
            try:
                outer.admit(found)
            except DtypeError as error:
                raise DtypeError(f"{where}: {error}") from error
            dtype = outer.dtype(found)
    if backend is not outer:
        raise BackendMismatchError(
            f"{where} is an array of backend {backend.name!r}, and the function is bridged to {outer.name!r}; "
            f"make it an array of that framework, or a Tensor with x.to_backend({outer.name!r})"
        )
    try:
        inner.raw_dtype(dtype)
    except UnsupportedError as error:
        raise UnsupportedError(f"{where}: {error}") from error
    return found
