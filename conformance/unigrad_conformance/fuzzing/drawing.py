"""Drawing a program: each step is a call of some operation on what is there, kept if NumPy's engine can do it."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.fuzzing.program import Program, Step, pruned
from unigrad_conformance.samples.generated import ROWS

SHAPES = ((), (1,), (2,), (3,), (2, 3), (3, 2), (2, 2), (3, 3), (1, 3), (2, 1), (2, 2, 2))
"""Few, since a backend may compile each."""
HARD = (0.0, 0.0, 1.0, -1.0, 0.5, 2.0, 0.25)
"""Values at which operations have kinks and ties, drawn often."""
LARGEST, MOST = 1e3, 24
"""What a step may give: numbers of this size, so many of them."""

_ROUNDS_NOTHING = {
    *("abs", "negative", "positive", "floor", "ceil", "trunc", "round", "sign", "nn.relu"),
    *("maximum", "minimum", "fmax", "fmin", "copysign"),
}
_CALLS = [
    (f"ug.{row.operation}({', '.join('{}' for _ in row.domains)})", row.operation in _ROUNDS_NOTHING)
    for row in ROWS
    if not row.flat and "f" in row.takes
]
_INEXACT = (
    *("{} + {}", "{} * {}", "{} - {}", "{} / {}", "{} ** 2", "{} * 0.3", "1.5 - {}", "{} ** {}"),
    *("ug.sum({}, axis={axis})", "ug.mean({}, axis={axis})", "ug.sum({})", "ug.mean({}, axis={axis}, keepdims=True)"),
    *("ug.prod({}, axis={axis})", "ug.prod({})", "ug.var({}, axis={axis})", "ug.std({})", "ug.logsumexp({})"),
    *("ug.cumulative_sum({}, axis={axis})", "ug.cumulative_prod({}, axis={axis})", "ug.linalg.vector_norm({})"),
    *("ug.matmul({}, {})", "ug.tensordot({}, {}, axes=0)", "ug.einsum('ij,kj->ik', {}, {})", "ug.dot({}, {})"),
    *("ug.linalg.det({})", "ug.linalg.inv({} + 4 * ug.eye(2))", "ug.linalg.solve({} + 4 * ug.eye(3), {})"),
    *("ug.nn.softmax({}, axis={axis})", "ug.nn.log_softmax({}, axis={axis})", "ug.trace({})", "ug.median({})"),
    # Higher order, other ways to run, and rules of the program's own.
    "ug.grad(lambda v: (ug.sin(v) * v).sum())({})",
    "ug.jvp(lambda v: v * ug.tanh(v), ({},), ({},))[1]",
    "ug.vmap(lambda v: v * v.sum())({})",
    "ug.checkpoint(lambda v: ug.exp(-v * v))({})",
    "({} * 0.7 if float({}.detach().sum()) > 0.5 else ug.tanh({}))",
    "{}.detach() * {}",
    '{}.astype("float32")',  # what comes back through it is rounded to float32
)
_EXACT = (
    *("ug.max({}, axis={axis})", "ug.min({})", "ug.max({})", "ug.sort({}, axis={axis})", "ug.flip({}, axis={axis})"),
    *("{}.reshape(-1)", "{}.T", "{}[0]", "{}[::-1]", "{}[..., -1]", "{}[[1, 0, 1]]", "ug.expand_dims({}, axis=0)"),
    *("ug.where({} > 0.5, {}, {})", "ug.where({} == {}, {}, 0.0)", "ug.clip({}, -0.5, 0.5)", "ug.stack([{}, {}])"),
    *("ug.concat([{}, {}], axis={axis})", "ug.roll({}, 1, axis={axis})", "ug.tile({}, 2)"),
    *("ug.take({}, ug.asarray([1, 0]), axis={axis})", "ug.diff({}, axis={axis}) * 0.0", "ug.tril({})"),
    *("ug.squeeze(ug.expand_dims({}, axis=0), axis=0)", "ug.repeat({}, 2, axis={axis})"),
    *("ug.cumulative_max({}, axis={axis})", "ug.broadcast_to({}, (2, 3))", "ug.moveaxis({}, 0, -1)", "ug.diag({})"),
    *('{}.astype("float64")', "ug.scatter_add({}, ug.asarray([0, 0]), {})"),
)  # fmt: skip
CALLS = (*_CALLS, *((call, False) for call in _INEXACT), *((call, True) for call in _EXACT))


def draw(seed: int, steps: int) -> Program:
    """The program of a seed. It is the same in every run and on every machine."""
    chance = random.Random(seed)
    dtype = chance.choice(("float32", "float64"))
    inputs = {f"{'abcd'[number]}0": _array(chance, dtype) for number in range(chance.randint(1, 3))}
    found: list[Step] = []
    with ug.use_backend("numpy"), np.errstate(all="ignore"):
        values: dict[str, Any] = {name: ug.asarray(array) for name, array in inputs.items()}
        for _ in range(40 * steps):
            if len(found) == steps:
                break
            step = _step(chance, f"t{len(found)}", list(values))
            value = _tried(step, values)
            if value is not None:
                found.append(step)
                values[step.name] = value
    program = Program(inputs, tuple(found))
    return pruned(program, program.results)


def _array(chance: random.Random, dtype: str) -> np.ndarray[Any, Any]:
    shape = chance.choice(SHAPES)
    count = int(np.prod(shape, dtype=int))
    hard = chance.random() < 0.4
    numbers = [chance.choice(HARD) if hard else chance.randint(-128, 128) / 64 for _ in range(count)]
    return np.asarray(numbers, dtype=dtype).reshape(shape)


def _step(chance: random.Random, name: str, known: Sequence[str]) -> Step:
    call, exact = chance.choice(CALLS)
    recent = [*known, *known[-2:], *known[-2:]]  # so that programs become deep
    operands = [chance.choice(recent) for _ in range(call.count("{}"))]
    return Step(name, call.format(*operands, axis=chance.choice((0, -1))), exact)


def _tried(step: Step, values: dict[str, Any]) -> Any:
    """The value of a step on NumPy's engine; None where the call does not fit what it is given."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is not kept
            value = eval(step.source, {"ug": ug, **values})
    except (ug.UnigradError, ArithmeticError, ValueError, TypeError, IndexError):
        return None
    if not isinstance(value, ug.Tensor) or value.dtype.kind != "f" or not 0 < value.size <= MOST or value.ndim > 3:
        return None
    numbers = value.numpy()
    # The reference has no negative zero.
    return value if np.all((np.abs(numbers) < LARGEST) & ~(np.signbit(numbers) & (numbers == 0))) else None
