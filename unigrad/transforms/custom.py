"""Functions with a derivative of their own.

A decorated function is one step to the graph, as a primitive is. Transforms see it so as well: it takes wrapped
arguments (``unigrad.tensor.levels``) apart, the highest level first. Of a batch, the function and its rule are applied
to the batched values, as a step of its own (:func:`_mapped`); of duals, the values go through the step and the tangents
through the forward rule, or through the transpose of the reverse rule (:func:`_transposed`). What is left
is plain, and joined to the graph (``unigrad.tensor.joints``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.adapters.contract import StepBack
from unigrad.adapters.registry import backend_of, following
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError, BackendMismatchError, DtypeError, UnsupportedError
from unigrad.base.recording import Switch, is_recording
from unigrad.base.tree import Layout, branches, flatten, paths, unflatten
from unigrad.base.words import Raw
from unigrad.engine.passes import checked_cotangent
from unigrad.engine.within import Pass
from unigrad.interpreters.batches import Batched, mapped
from unigrad.interpreters.duals import dual, take_apart
from unigrad.operations.creation import asarray
from unigrad.tape import below, next_number
from unigrad.tensor.joints import Maybe, PullBack, join
from unigrad.tensor.levels import at_level, is_wrapped, top
from unigrad.tensor.tensor import Tensor, type_on
from unigrad.transforms.calling import called, check_function, variable
from unigrad.transforms.pulling import pull_back
from unigrad.transforms.steps import (
    Operands,
    Repeatable,
    Slot,
    floating_alone,
    levels_below,
    placed,
    put_under,
    taken_out,
)

Push = Callable[[Sequence[Tensor], Sequence[Maybe], Sequence[Tensor]], Sequence[Maybe]]
"""From the inputs, their tangents and the outputs to the tangents of the outputs."""


class Step(NamedTuple):
    """A function of Tensors with its derivatives."""

    name: str
    body: Callable[[Sequence[Tensor]], tuple[list[Tensor], PullBack]]
    forward: Push | None
    proven: list[bool]
    """Holds something once the reverse rule was seen to give what it must."""


def custom_gradient(f: Callable[..., Any] | None = None, *, forward: Callable[..., Any] | None = None) -> Any:
    """Decorate a function that returns ``(output, rule)``, so that ``rule`` is its derivative::

        @ug.custom_gradient
        def log1pexp(x):
            e = ug.exp(x)
            return ug.log(1 + e), lambda g: g * (1 - 1 / (1 + e))

    ``rule`` takes the cotangent of the output, in the output's structure (zeros where nothing arrived, None in place of
    an integer output), and returns the cotangents of the positional arguments: a tuple with one entry for
    each argument that holds arrays, or for each argument at all; of an only one the cotangent alone will do. The
    entry of a container is a container like it. Each cotangent has the shape and dtype of its array; None stands for
    zero. Complex ones are in the conjugate form.

    The function sees Tensors and returns one, or a container of them. Numbers, strings, functions and all keyword
    arguments are passed on as they are. What it computes is not recorded, only the call as a whole: what it
    closes over is a constant to it. Under ``create_graph`` it is called again, recorded, with the same random
    numbers and in the same mode as the first time, and its rule with it: a rule made of unigrad's operations
    can be differentiated to any order. PyTorch, TensorFlow and JAX follow the rule as well where they differentiate
    by themselves (``jax.grad``, a ``tf.GradientTape``, an array with ``requires_grad``).

    ``forward``, if given, is ``forward(primals, tangents, **keywords)`` and returns the tangent of the output: both
    are tuples with one entry for each positional argument, of its structure; the tangent of what does not
    move is zeros, that of anything but floating arrays None. Without it the tangent is computed by transposing the
    rule, which must then be linear in the cotangent.

    At the call it raises ArgumentError if the function returns no such pair or a recorded array is reached through
    its closure. At the backward, for a wrong rule: ArgumentError (number or structure), ShapeError, DtypeError, and
    UnsupportedError if it shall be differentiated and is not made of operations.
    """
    if f is None:
        return functools.partial(custom_gradient, forward=forward)
    check_function(f, "custom_gradient")
    function = f
    proven: list[bool] = []

    @functools.wraps(function)
    def applied(*args: Any, **kwargs: Any) -> Any:
        call = _Call(function, forward, args, kwargs)
        step = Step(call.name, call.body, None if forward is None else call.push, proven)
        return call.output(apply(step, call.operands.taken()))

    return applied


# --- through the levels ------------------------------------------------------------------------------------------


def apply(step: Step, inputs: Sequence[Tensor]) -> list[Tensor]:
    highest = top(inputs)
    if highest is None:
        with levels_below(0):
            return _recorded(step, inputs)
    level = highest._parts.level
    if isinstance(highest, Batched):
        size = highest._parts.size
        marks = [at_level(x, level) for x in inputs]
        values = [x._parts.value if marked else x for x, marked in zip(inputs, marks, strict=True)]
        with levels_below(level):
            outputs = apply(_mapped(step, level, size, marks), values)
        return [put_under(y, level) for y in outputs]
    parts = [take_apart(x, level) for x in inputs]
    values, tangents = [value for value, _ in parts], [tangent for _, tangent in parts]
    outputs = apply(step, values)
    pushed = (step.forward or functools.partial(_transposed, step))(values, tangents, outputs)
    return [y if t is None else dual(y, t, level) for y, t in zip(outputs, pushed, strict=True)]


def _mapped(step: Step, level: int, size: int, marks: Sequence[bool]) -> Step:
    """The step of a batch, whose elements lie along the first axis of each input that is marked."""

    def wrapped(values: Sequence[Any]) -> list[Any]:
        return [x if x is None or not marked else put_under(x, level) for x, marked in zip(values, marks, strict=True)]

    def body(values: Sequence[Tensor]) -> tuple[list[Tensor], PullBack]:
        with levels_below(level, size):
            outputs, pull = step.body(wrapped(values))

        def pull_all(gs: Sequence[Maybe]) -> Sequence[Maybe]:
            with levels_below(level, size):
                shares = pull([None if g is None else put_under(g, level) for g in gs])
            found = [None if share is None else taken_out(share, level, size) for share in shares]
            # What is the same for all elements gets the sum of what they bring.
            return [
                share if share is None or marked else share.sum(axis=0)
                for share, marked in zip(found, marks, strict=True)
            ]

        return [taken_out(y, level, size) for y in outputs], pull_all

    def push(values: Sequence[Tensor], tangents: Sequence[Maybe], outputs: Sequence[Tensor]) -> Sequence[Maybe]:
        assert step.forward is not None
        with levels_below(level, size):
            found = step.forward(wrapped(values), wrapped(tangents), [put_under(y, level) for y in outputs])
        return [None if t is None else taken_out(t, level, size) for t in found]

    return step._replace(body=body, forward=None if step.forward is None else push)


def _transposed(
    step: Step, values: Sequence[Tensor], tangents: Sequence[Maybe], outputs: Sequence[Tensor]
) -> Sequence[Maybe]:
    """The tangents of the outputs by the reverse rule alone: it is linear, and its transpose is the forward one."""
    floating = [position for position, y in enumerate(outputs) if has_gradients(y.dtype)]
    _, pull = step.body(values)
    probes = [variable(outputs[position].ones_like(), lambda: "") for position in floating]
    with Switch(True, None):
        shares = pull(placed(floating, probes, len(outputs)))
    pairs = [(share, t) for share, t in zip(shares, tangents, strict=True) if share is not None and t is not None]
    if not pairs:
        return [None] * len(outputs)
    heads, moves = zip(*pairs, strict=True)
    _check_followed(step.name, heads, "and forward mode transposes the rule: give custom_gradient a forward= rule")
    # Others may still need what the residuals came from.
    pushed = pull_back(Pass(heads, moves, True, is_recording()), probes)
    return placed(floating, pushed, len(outputs))


def _check_followed(name: str, shares: Sequence[Tensor], why: str) -> None:
    if any(share._node is None for share in shares):
        raise UnsupportedError(
            f"the rule of {name} returned a cotangent that is not computed from the one given by unigrad's "
            f"operations, {why}; where it is zero return None"
        )


def _recorded(step: Step, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The outputs for plain inputs, as results of one recorded step if an input is tracked."""
    ours = is_recording() and any(x._node is not None for x in inputs)
    if not ours and any(x._node is None and x.backend.foreign.follows(x._raw) for x in inputs):
        return _Followed(step, type(inputs[0])).run([x if x._node is None else x.detach() for x in inputs])
    start = next_number()
    # Recorded, of inputs that are not: what is recorded all the same came by way of the closure.
    outputs, pull = step.body(
        [x if x._node is None else type(x).of(x.backend.engine.within_step(x._raw), None) for x in inputs]
    )
    for y in outputs:
        if is_wrapped(y) or (y._node is not None and any(0 < node.number <= start for node in below([y._node])[0])):
            raise ArgumentError(
                f"{step.name} reaches through its closure an array that is recorded or at work in a jvp or vmap, and "
                f"would lose its derivative; pass it as an argument, or ug.stop_gradient(...) if it is a constant"
            )
    outputs = [y.detach() for y in outputs]
    tracked = [position for position, x in enumerate(inputs) if x._node is not None]
    floating = [position for position, y in enumerate(outputs) if has_gradients(y.dtype)]
    if not (ours and floating):
        return outputs
    derivative = _PullBack(step, pull, inputs, tracked, floating, len(outputs))
    joined = join(step.name, [inputs[i] for i in tracked], [outputs[i] for i in floating], derivative)
    for position, y in zip(floating, joined, strict=True):
        outputs[position] = y
    return outputs


class _Followed:
    """A step where nothing is recorded, and the framework itself follows its arrays: inside its own gradient."""

    def __init__(self, step: Step, tensor_type: type[Tensor]) -> None:
        self.name = step.name
        self._step = step
        self._type = tensor_type

    def value(self, raws: Sequence[Raw]) -> list[Raw]:
        """The outputs."""
        return [y._raw for y in self._body(raws)[0]]

    def recorded(self, raws: Sequence[Raw]) -> tuple[list[Raw], StepBack]:
        """The outputs, and the rule."""
        return self.value(raws), self.pull

    def pull(self, raws: Sequence[Raw], gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
        """The rule. The function is called again for it: what it computed inside the step nobody has followed."""
        given = floating_alone(self._type.backend, gs)
        shares = self._body(raws)[1]([None if g is None else self._type.of(g, None) for g in given])
        return [None if share is None else share._raw for share in shares]

    def _body(self, raws: Sequence[Raw]) -> tuple[Sequence[Tensor], PullBack]:
        return self._step.body([self._type.of(raw, None) for raw in raws])

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The outputs as those of one step of the framework's."""
        raws = self._type.backend.foreign.followed(self, [x._raw for x in inputs])
        if raws is None:
            raise UnsupportedError(
                f"backend {self._type.backend.name!r} follows arrays that its framework differentiates, but its "
                f"adapter has no 'followed'; call {self.name} outside the framework's own gradient"
            )
        return [self._type.of(raw, None) for raw in raws]


class _PullBack:
    """From the cotangents of the floating outputs to those of the tracked inputs."""

    def __init__(
        self,
        step: Step,
        pull: PullBack,
        inputs: Sequence[Tensor],
        tracked: Sequence[int],
        floating: Sequence[int],
        count: int,
    ) -> None:
        self._step = step
        self._pull = pull
        # As they are now, whatever the caller's Tensors come to hold; and without their gradients.
        self._inputs = [type(x).of(x._raw, x._node) for x in inputs]
        self._tracked = tracked
        self._floating = floating
        self._count = count

    @property
    def may_fail(self) -> bool:
        """Whether the rule was never seen to work."""
        return not self._step.proven

    def __call__(self, arrived: Sequence[Maybe]) -> list[Maybe]:
        pull = self._step.body(self._inputs)[1] if is_recording() else self._pull
        shares = pull(placed(self._floating, arrived, self._count))
        found = [shares[position] for position in self._tracked]
        if is_recording() and any(g is not None and g._node is not None for g in arrived):
            kept = [share for share in found if share is not None]
            _check_followed(self._step.name, kept, "and it cannot be differentiated again")
        if self.may_fail:
            self._step.proven.append(True)
        return found


# --- the user's function ----------------------------------------------------------------------------------------


class _Call:
    """One call of a decorated function: from what users write to lists of Tensors, and back."""

    def __init__(
        self,
        f: Callable[..., Any],
        forward: Callable[..., Any] | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.name = called(f)
        for key, value in kwargs.items():
            if any(isinstance(leaf, Tensor) and leaf._followed for leaf in flatten(value)[0]):
                raise ArgumentError(
                    f"{self.name}: keyword argument {key} is recorded, or at work in a jvp or vmap, and keyword "
                    f"arguments are constants here; pass it by position"
                )
        self.operands = Operands(self.name, args, {})
        self._function = f
        self._forward = forward
        self._kwargs = kwargs
        self._again = Repeatable()
        self._layout: Layout

    def body(self, tensors: Sequence[Tensor]) -> tuple[list[Tensor], PullBack]:
        """The function and its rule over lists of Tensors; see :class:`Step`."""
        outputs, rule = self._again(self._run, mapped.get(), tensors)
        kinds = [(y.backend, y.shape, y.dtype, y.device) for y in outputs]
        return outputs, functools.partial(self._pull, rule, tensors, kinds)

    def _run(self, levels: Any, tensors: Sequence[Tensor]) -> tuple[list[Tensor], Callable[..., Any]]:
        args, _ = self.operands.rebuilt(tensors)
        token = mapped.set(levels)  # those of this call, also where it is made again later
        try:
            result = self._function(*args, **self._kwargs)
        finally:
            mapped.reset(token)
        if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
            raise ArgumentError(
                f"{self.name} must return (output, rule) under ug.custom_gradient, and rule must be a function of the "
                f"output's cotangent; it returned {_shown(result)}"
            )
        leaves, self._layout = flatten(result[0])
        outputs = []
        for path, leaf in zip(paths(result[0]), leaves, strict=True):
            if not isinstance(leaf, (Tensor, bool, int, float, complex)) and backend_of(leaf) is None:
                raise ArgumentError(
                    f"{self.name} must return arrays, and its output{path} is {type(leaf).__name__}; it sits in "
                    f"(output, rule), of which output is an array or a container of arrays"
                )
            y = asarray(leaf, like=tensors[0]) if tensors and isinstance(leaf, (int, float, complex)) else asarray(leaf)
            if tensors and y.backend is not tensors[0].backend:
                raise BackendMismatchError(
                    f"{self.name} is one step on one backend: its arguments are on {tensors[0].backend.name!r} and "
                    f"its output{path} on {y.backend.name!r}; convert with .to_backend(...) after the call"
                )
            outputs.append(y)
        return outputs, result[1]

    def output(self, tensors: Sequence[Any]) -> Any:
        """These in the structure of the output."""
        return unflatten(self._layout, tensors)

    def _pull(
        self, rule: Callable[..., Any], inputs: Sequence[Tensor], kinds: Sequence[Any], gs: Sequence[Maybe]
    ) -> Sequence[Maybe]:
        given: list[Maybe] = []
        for g, (backend, shape, dtype, device) in zip(gs, kinds, strict=True):
            if g is None and has_gradients(dtype):
                g = type_on(backend).of(backend.full(shape, 0, dtype, device), None)
            given.append(g)
        with following(kinds[0][0], inputs[0]._raw if inputs else None):
            found = rule(self.output(given))
        shares: list[Maybe] = [None] * len(inputs)
        for slot, share in self._by_slot(found):
            if share is not None:
                shares[slot.number] = _checked(
                    inputs[slot.number],
                    share,
                    f"the cotangent of {slot.where} from the rule of {self.name}",
                    "argument",
                )
        return shares

    def _by_slot(self, found: Any) -> Iterator[tuple[Slot, Any]]:
        """What the rule returned for each array."""
        if found is None:
            return
        args = self.operands.slots()
        holders = [place for place, arg in enumerate(args) if any(isinstance(x, Slot) for x in flatten(arg)[0])]
        if len(holders) == 1 and (not isinstance(found, tuple) or isinstance(args[holders[0]], tuple)):
            found = (found,)
        if not isinstance(found, (tuple, list)) or len(found) not in (len(holders), len(args)):
            raise ArgumentError(
                f"the rule of {self.name} must return a tuple of {len(holders)}: one cotangent for each argument that "
                f"holds arrays ({', '.join(map(str, holders))}); it returned {_shown(found)}"
            )
        if len(found) == len(args):
            found = [found[place] for place in holders]
        for place, part in zip(holders, found, strict=True):
            what = f"what the rule of {self.name} returns for argument {place}"
            yield from _aligned(part, args[place], what, f"argument {place}")

    def push(self, values: Sequence[Tensor], tangents: Sequence[Maybe], outputs: Sequence[Tensor]) -> Sequence[Maybe]:
        """The tangents of the outputs by the forward rule."""
        assert self._forward is not None
        moves = [
            x.zeros_like() if t is None and has_gradients(x.dtype) else t for x, t in zip(values, tangents, strict=True)
        ]
        found = self._forward(self.operands.rebuilt(values)[0], self.operands.alone(moves), **self._kwargs)
        places = self.output([Slot(number, "") for number in range(len(outputs))])
        pushed: list[Maybe] = [None] * len(outputs)
        what = f"what the forward rule of {self.name} returns"
        for slot, tangent in _aligned(found, places, what, "the output"):
            if tangent is not None:
                pushed[slot.number] = _checked(outputs[slot.number], tangent, what, "output")
        return pushed


def _aligned(given: Any, like: Any, what: str, of: str) -> Iterator[tuple[Slot, Any]]:
    """What ``given`` holds for each slot of a container; None may stand for any part of it. ArgumentError unless the
    structures agree."""
    if isinstance(like, Slot):
        yield like, given
        return
    parts = branches(like)
    if given is None or not parts:
        return
    found = dict(branches(given) or ())
    if found.keys() != dict(parts).keys():
        names = ", ".join(name for name, _ in parts)
        raise ArgumentError(f"{what} must have the structure of {of}, with the parts {names}; it is {_shown(given)}")
    for name, part in parts:
        yield from _aligned(found[name], part, what + name, of + name)


def _checked(like: Tensor, given: Any, what: str, of: str) -> Tensor:
    """A cotangent or tangent of a user's rule as a Tensor of exactly this shape and dtype."""
    if not has_gradients(like.dtype):
        raise DtypeError(f"{what} must be None: the {of} holds {like.dtype}, which has no derivative")
    if not isinstance(given, (Tensor, bool, int, float, complex, np.generic)) and backend_of(given) is None:
        raise ArgumentError(f"{what} must be an array of shape {like.shape}, or None for zero; it is {_shown(given)}")
    return checked_cotangent(like, given, lambda: what, of)


def _shown(x: Any) -> str:
    """What something is, for messages."""
    parts = branches(x)
    if parts is None:
        return "None" if x is None else type(x).__name__
    inside = ", ".join(type(part).__name__ for _, part in parts[:6])
    return f"{type(x).__name__} of {len(parts)} ({inside})"
