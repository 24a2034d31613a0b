"""PyTorch's DataLoader over Tensors of every backend."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import unigrad as ug

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "mxnet", "jax"])
def test_batches_are_stacked_on_their_backend(backend: str) -> None:
    with ug.use_backend(backend):
        data = [({"x": ug.asarray([1.0, 2.0]) * number}, ug.asarray(number), number) for number in range(4)]
    batches = list(torch.utils.data.DataLoader(data, batch_size=2))
    assert len(batches) == 2
    inputs, labels, numbers = batches[1]
    assert inputs["x"].backend.name == labels.backend.name == backend
    assert inputs["x"].tolist() == [[2, 4], [3, 6]]
    assert labels.tolist() == numbers.tolist() == [2, 3]


def _twice(x: ug.Tensor) -> Any:
    return (x * 2).numpy(), x.grad is not None


def test_a_tensor_goes_to_another_process_and_comes_back() -> None:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        values, attached = pool.apply(_twice, (x,))
    np.testing.assert_array_equal(values, [2, 4])
    assert attached


@pytest.mark.parametrize("first", ["torch.utils.data", "unigrad"])
def test_it_is_told_in_either_order(first: str) -> None:
    second = {"torch.utils.data": "unigrad", "unigrad": "torch.utils.data"}[first]
    source = (
        f"import {first}\nimport {second}\nimport torch, unigrad\n"
        "print(next(iter(torch.utils.data.DataLoader([unigrad.ones(3)] * 2, batch_size=2))).shape)"
    )
    done = subprocess.run([sys.executable, "-c", source], check=True, timeout=120, capture_output=True, text=True)
    assert done.stdout.strip() == "(2, 3)"
