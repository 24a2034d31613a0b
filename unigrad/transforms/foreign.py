"""A framework's own functions inside a recording, differentiated by the framework's own engine.

Of what an adapter supplies for it (:class:`unigrad.adapters.contract.Foreign`) the transforms make one another: the
tangent of a function, its derivative and the function of a batch are functions of raw arrays again, and recorded,
pushed and mapped the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.contract import Backend, Moving, RawFunction, RawPull
from unigrad.adapters.registry import backend_of
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError, UnsupportedError
from unigrad.base.recording import is_recording
from unigrad.base.tree import Layout, flatten, paths, unflatten
from unigrad.base.words import Raw
from unigrad.engine.passes import laid_like
from unigrad.interpreters.batches import Batched, batched
from unigrad.interpreters.duals import dual, take_apart
from unigrad.tape import BareManyNode
from unigrad.tensor.coercion import admitted
from unigrad.tensor.joints import Maybe, join
from unigrad.tensor.levels import at_level, is_wrapped, top
from unigrad.tensor.tensor import Tensor, type_on
from unigrad.transforms.calling import called, check_function
from unigrad.transforms.steps import Operands, placed


def wrap_native(f: Callable[..., Any]) -> Callable[..., Any]:
    """A framework's own function as one on Tensors: ``ug.wrap_native(torch.nn.functional.gelu)(x)``.

    ``f`` gets the raw arrays of the Tensors among its arguments, also inside containers, and everything else as it is;
    the arrays that it returns, alone or in containers, come back as Tensors. It must leave its arguments
    unchanged. The framework's own engine differentiates it, to any order on PyTorch, TensorFlow and JAX and once on
    MXNet; ``jvp`` uses the framework's forward mode, and ``vmap`` its mapping (on MXNet and NumPy a loop).

    Gradients flow to the arguments alone. What else ``f`` holds, such as the parameters of a ``torch.nn.Module``, is
    constant, and its own ``.grad`` is left alone; to train a module pass its parameters as an argument and call
    ``torch.func.functional_call``.

    Raises ArgumentError if ``f`` returns what is no array of the framework, BackendMismatchError if the
    arguments are of several backends, and UnsupportedError where a derivative is needed that the framework has not:
    NumPy and CuPy have none.
    """
    check_function(f, "wrap_native")

    @functools.wraps(f)
    def applied(*args: Any, **kwargs: Any) -> Any:
        name = called(f)
        operands = Operands(name, args, kwargs)
        tensors = operands.taken()
        layouts: list[Layout] = []

        def function(raws: Sequence[Raw]) -> list[Raw]:
            positional, named = operands.rebuilt(raws)
            result = f(*positional, **named)
            leaves, layout = flatten(result)
            layouts[:] = [layout]
            for leaf, path in zip(leaves, paths(result), strict=True):
                if not isinstance(leaf, backend.array_types):
                    raise ArgumentError(
                        f"{name} must return arrays of backend {backend.name!r}, and its output{path} is "
                        f"{type(leaf).__name__}"
                    )
            if not leaves:
                raise ArgumentError(f"{name} returned {result!r}, which holds no array; does it lack a return?")
            return leaves

        if not tensors:
            return _of_nothing(name, f(*args, **kwargs))
        backend = tensors[0].backend
        outputs = apply(name, function, tensors)
        return unflatten(layouts[0], outputs)

    return applied


def _of_nothing(name: str, result: Any) -> Any:
    """What a function returned that was given no array, with its arrays as Tensors."""
    leaves, layout = flatten(result)
    found = []
    for leaf, path in zip(leaves, paths(result), strict=True):
        backend = backend_of(leaf)
        if backend is None:
            raise ArgumentError(f"{name} must return arrays, and its output{path} is {type(leaf).__name__}")
        found.append(admitted(leaf, backend))
    return unflatten(layout, found)


def apply(name: str, function: RawFunction, inputs: Sequence[Tensor]) -> list[Tensor]:
    """``function`` of Tensors of one backend, whatever transforms are at work on them."""
    backend = inputs[0].backend
    highest = top(inputs)
    if highest is None:
        if is_recording() and any(x._node is not None for x in inputs):
            return _recorded(backend, name, function, inputs)
        raws = [x._raw if x._node is None else x.detach()._raw for x in inputs]
        run = function if any(map(backend.foreign.follows, raws)) else backend.engine.untracked(function)
        return [admitted(raw, backend) for raw in backend.foreign.call(run, raws)]
    level = highest._parts.level
    if isinstance(highest, Batched):
        marks = [at_level(x, level) for x in inputs]
        values = [x._parts.value if marked else x for x, marked in zip(inputs, marks, strict=True)]
        if backend.foreign.vmap is None:
            found = _one_by_one(name, function, values, marks, highest._parts.size)
        else:
            of_batch = backend.foreign.vmap
            found = apply(name, lambda raws: list(of_batch(_moving(backend, function, raws, marks))), values)
        return [batched(y, level) for y in found]
    parts = [take_apart(x, level) for x in inputs]
    tangents = [t for _, t in parts if t is not None]
    pushed = functools.partial(_pushed, backend, function, [t is not None for _, t in parts])
    found = apply(name, pushed, [*[value for value, _ in parts], *tangents])
    count = len(found) // 2
    return [
        dual(y, t, level) if has_gradients(y.dtype) else y for y, t in zip(found[:count], found[count:], strict=True)
    ]


def _pushed(backend: Backend, function: RawFunction, moving: Sequence[bool], raws: Sequence[Raw]) -> list[Raw]:
    """Of all inputs and then the tangents of those that move: all results and then as many tangents, an integer for its
    own."""
    own = _moving(backend, function, raws[: len(moving)], moving)
    pushed = backend.foreign.jvp(own, raws[len(moving) :])
    if pushed is None:
        raise UnsupportedError(
            f"backend {backend.name!r} has no forward mode for its own functions; use reverse mode (ug.grad, ug.vjp) "
            f"where it has one, write the function with unigrad's operations, or use ug.custom_gradient"
        )
    outs, supply = pushed[0], iter(pushed[1])
    return [*outs, *[next(supply) if own.is_floating(out) else out for out in outs]]


def _moving(backend: Backend, function: RawFunction, raws: Sequence[Raw], marks: Sequence[bool]) -> Moving:
    return Moving(function, raws, marks, lambda raw: has_gradients(backend.dtype(raw)))


def _one_by_one(
    name: str, function: RawFunction, values: Sequence[Tensor], marks: Sequence[bool], size: int
) -> list[Tensor]:
    """A loop over the batch, where the framework maps no functions."""
    rows = [
        apply(name, function, [x[position] if marked else x for x, marked in zip(values, marks, strict=True)])
        for position in range(size)
    ]
    return [y[0]._bound.stack(list(y), 0) for y in zip(*rows, strict=True)]


def _recorded(backend: Backend, name: str, function: RawFunction, inputs: Sequence[Tensor]) -> list[Tensor]:
    """``function`` of plain Tensors of which one is tracked, while recording."""
    tensor_type = type_on(backend)
    found = backend.foreign.recorded(function, [x._raw for x in inputs])
    if found is not None:
        node = BareManyNode()
        node.number, node.operation, node.more = 0, name, tuple([x._node for x in inputs])
        for raw, _ in found:
            backend.admit(raw)
        return [tensor_type.of(raw, node if tracked else None) for raw, tracked in found]
    moving = [x._node is not None for x in inputs]
    kept = [type(x).of(x._raw, x._node) for x in inputs]
    raws, pull = _differentiated(backend, function, [x._raw for x in inputs], moving)
    outputs = [admitted(raw, backend) for raw in raws]
    floating = [position for position, y in enumerate(outputs) if has_gradients(y.dtype)]
    if not floating:
        return outputs

    def pull_back(gs: Sequence[Maybe]) -> Sequence[Maybe]:
        reached = [position for position, g in enumerate(gs) if g is not None]
        given = [g for g in gs if g is not None]
        if not is_recording() and not any(map(is_wrapped, given)):
            shares = pull([None if g is None else g._raw for g in gs])
            found = [None if share is None else tensor_type.of(share, None) for share in shares]
            return [None if g is None else laid_like(x, g) for x, g in zip(parents, found, strict=True)]
        if is_recording() and not backend.foreign.twice:
            raise UnsupportedError(
                f"backend {backend.name!r} differentiates {name} under wrap_native once only, its engine having no "
                f"second derivatives; write the function with unigrad's operations, or use ug.custom_gradient"
            )

        def derived(raws: Sequence[Raw]) -> list[Raw]:
            own = raws[len(reached) :]
            _, pull = _differentiated(backend, function, own, moving)
            shares = pull(placed(reached, raws[: len(reached)], len(gs)))
            moved = [raw for raw, marked in zip(own, moving, strict=True) if marked]
            return [
                backend.filled_like(raw, 0) if share is None else share
                for raw, share in zip(moved, shares, strict=True)
            ]

        derivatives = apply(f"the derivative of {name}", derived, [*given, *kept])
        return [laid_like(x, g) for x, g in zip(parents, derivatives, strict=True)]

    parents = [x for x, marked in zip(kept, moving, strict=True) if marked]
    joined = join(name, parents, [outputs[position] for position in floating], pull_back)
    for position, y in zip(floating, joined, strict=True):
        outputs[position] = y
    return outputs


def _differentiated(
    backend: Backend, function: RawFunction, raws: Sequence[Raw], moving: Sequence[bool]
) -> tuple[Sequence[Raw], RawPull]:
    found = backend.foreign.vjp(_moving(backend, function, raws, moving))
    if found is None:
        raise UnsupportedError(
            f"backend {backend.name!r} has no engine that could differentiate its own functions; write the function "
            f"with unigrad's operations, or give it a rule with ug.custom_gradient"
        )
    return found
