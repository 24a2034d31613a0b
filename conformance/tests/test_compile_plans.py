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
