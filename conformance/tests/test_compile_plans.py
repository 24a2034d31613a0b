"""What a plan over buffers does with a program: every answer is the uncompiled one, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.base.tree import flatten

RNG = np.random.default_rng(0)


def same(f: Callable[..., Any], *args: Any) -> Any:
    """The compiled function, after two calls gave the bits of the function itself."""
    compiled = ug.compile(f)
    right = flatten(f(*args))[0]
    for _ in range(2):
        for one, other in zip(right, flatten(compiled(*args))[0], strict=True):
            x, y = np.asarray(one), np.asarray(other)
            assert (x.shape, x.dtype, x.tobytes()) == (y.shape, y.dtype, y.tobytes()), (one, other)
    return compiled


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(30,), ()])
def test_gelu_computes_its_error_function_once(dtype: str, shape: tuple[int, ...]) -> None:
    x = ug.asarray(RNG.normal(size=shape)).astype(getattr(ug, dtype))
    compiled = same(ug.value_and_grad(lambda x: ug.nn.gelu(x).sum()), x)
    assert [step.name for step in compiled.program.steps].count("erf") == 1


def test_a_dtype_that_comes_late_is_traced() -> None:
    program = """
import unigrad as ug
double = ug.compile(lambda x: x * 2)
double(ug.asarray([1.0]))
print(double(ug.asarray([1.5]).astype("bfloat16")).dtype)
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout == "bfloat16\n"


def test_pieces_are_read_and_written_where_they_lie() -> None:
    def f(x: Any) -> Any:
        rows = [x[0] * 2, x[1] + x[0], ug.tanh(x[2])]
        wide = ug.stack([*rows, rows[0]], axis=0)
        tall = ug.concat([wide[:, :2], wide[:, 1:] * 3], axis=1)
        return (tall * tall).sum(axis=0), rows[1] * rows[0]

    x = ug.asarray(RNG.normal(size=(3, 5)))
    compiled = same(f, x)
    assert "concatenate" not in compiled.source()
    assert "stack([" not in "".join(line.partition("#")[0] for line in compiled.source().splitlines())
    same(ug.value_and_grad(lambda x: sum(y.sum() for y in f(x))), x)


def test_a_sigmoid_and_the_one_of_its_derivative_share_what_they_can() -> None:
    hard = [0.0, -0.0, 1e-310, 1.0, -1.0, 40.0, -40.0, 800.0, -800.0, np.inf, -np.inf, np.nan]
    for dtype in (np.float64, np.float32, np.float16):
        with np.errstate(all="ignore"):
            x = ug.asarray(np.array(hard).astype(dtype))
        compiled = same(lambda x: ug.vjp(ug.nn.sigmoid, x)[1](ug.ones_like(x)), x)
        same(ug.nn.sigmoid, x)
        same(lambda x: ug.nn.sigmoid(-x), x)
        assert compiled.source().count(" exp(") == 1


def test_short_rows_are_computed_along_the_long_axis() -> None:
    x, w = ug.asarray(RNG.normal(size=(21, 500, 3))), ug.asarray(RNG.normal(size=(21, 500)))
    y, v = ug.asarray(RNG.normal(size=(21, 1, 3))), ug.asarray(RNG.normal(size=(500, 3)))
    compiled = same(lambda x, y, v, w: (((x + y) * ug.einsum("vi,bv->bvi", v, w)).sum(axis=1) + 1) * 2, x, y, v, w)
    assert 'order="C"' in compiled.source()
    assert "add_accumulate" in compiled.source()
    same(ug.value_and_grad(lambda x, y, v, w: ug.einsum("bvi,bv,vi->bi", x + y, w, v).sum(), argnums=(0, 1, 2, 3)),
         x, y, v, w)  # fmt: skip


def test_numbers_keep_what_they_do_to_dtypes() -> None:
    x = ug.asarray(RNG.normal(size=(7,)).astype(np.float32))
    with np.errstate(all="ignore"):
        same(lambda x: (x * 0.1 + 1 - 3e-46, x * 1e300, x > 0.1, ug.maximum(x, 0), x / 3, 2**24 + x), x)


PIECES: list[Callable[..., Any]] = [
    lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - 0.5, lambda x, y: ug.tanh(x), lambda x, y: -x,
    lambda x, y: ug.nn.sigmoid(-y), lambda x, y: ug.nn.sigmoid(x), lambda x, y: ug.nn.gelu(y), lambda x, y: x.T,
    lambda x, y: ug.stack([x[0], y[1], x[2], -y[3]], axis=1), lambda x, y: ug.concat([x[:2], y[2:]], axis=0),
    lambda x, y: ug.concat([x[:, 1:], y[:, :1] * 2], axis=1), lambda x, y: x[::-1], lambda x, y: x[:, ::-1] + 1,
    lambda x, y: x / (1 + ug.sum(y * y, axis=0)), lambda x, y: ug.matmul(x, y.T), lambda x, y: ug.maximum(x, y),
    lambda x, y: x * x.sum(), lambda x, y: x[[2, 0, 0, 1]], lambda x, y: ug.where(x > y, x, 1),
    lambda x, y: ug.einsum("i,j->ij", x[0], y[:, 1]), lambda x, y: x.max(axis=1, keepdims=True) * y,
    lambda x, y: ug.reshape(x, (2, 8)).reshape(4, 4), lambda x, y: ug.broadcast_to(x[1], (4, 4)) * y,
    lambda x, y: ug.cumulative_sum(x, axis=0),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_programs_of_many_pieces_keep_every_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = [(int(rng.integers(len(PIECES))), *map(int, rng.integers(-4, 0, size=2))) for _ in range(14)]
    kept = rng.integers(0, 14, size=3)

    def f(*given: Any) -> Any:
        held = [*given, *given]
        for piece, one, other in steps:
            held.append(PIECES[piece](held[one], held[other]) * 0.75)
        return [held[4 + place] for place in kept], held[-1][1:]

    def loss(*given: Any) -> Any:
        parts, last = f(*given)
        return sum(part.sum() for part in parts) + (last * last).sum()

    given = [ug.asarray(rng.normal(size=(4, 4))) for _ in range(2)]
    given.append(ug.asarray(rng.normal(size=(4, 4)).T))
    with np.errstate(all="ignore"):
        same(f, *given)
        same(ug.value_and_grad(loss, argnums=(0, 1, 2)), *given)
