"""dask through unigrad beside expressions of dask.array written by hand; part of ``make bench``.

The data are drawn chunk by chunk as they are used, since 2 GB of them need not be in memory: that is what dask is for.
Both sides do so, and compute the value and the gradient together, by two threads.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from measuring import Program, Row

import unigrad as ug

CHUNKS, FEATURES, THREADS = 32, 128, 2
CHUNK_BYTES = 64 * 2**20
ROWS = CHUNK_BYTES // (4 * FEATURES)
"""Rows of float32 in a chunk."""


def programs() -> dict[str, Program]:
    """The loss of a logistic regression and its gradient."""
    import dask
    import dask.array as da

    draw = da.random.default_rng(0)
    x = draw.random((ROWS * CHUNKS, FEATURES), chunks=(ROWS, FEATURES), dtype=np.float32)
    y = (draw.random(ROWS * CHUNKS, chunks=ROWS) < 0.5).astype(np.float32)
    weights = np.full(FEATURES, 0.01, np.float32)

    def computed(*arrays: Any) -> Any:
        return dask.compute(*arrays, scheduler="threads", num_workers=THREADS)

    def by_hand() -> Any:
        z = x @ da.from_array(weights, chunks=-1, name=False)
        loss = (da.logaddexp(0, z) - y * z).mean()
        return computed(loss, x.T @ ((1 / (1 + da.exp(-z)) - y) / np.float32(len(x))))

    def through_unigrad() -> Any:
        inputs, labels = ug.asarray(x), ug.asarray(y)

        def loss(w: Any) -> Any:
            z = inputs @ w
            return (ug.nn.softplus(z) - labels * z).mean()

        return computed(*ug.value_and_grad(loss)(ug.asarray(weights, like=inputs)))

    return {"unigrad": through_unigrad, "dask": by_hand}


PEAK = """
import dask.array
import unigrad as ug
from lazy import programs

def peak():
    # Not getrusage, whose peak begins with that of the process which started this one.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

program = programs()["unigrad"]
ug.grad(lambda x: (x * x).sum())(ug.asarray(dask.array.ones(2))).numpy()  # whatever is imported by then
before = peak()
program()
print(peak() - before)
"""


def built(operations: int, chunks: int) -> float:
    """How many seconds it takes to write down the gradient of a chain, of which nothing is computed."""
    import dask.array as da

    start = time.perf_counter()
    x = ug.asarray(da.ones(10 * chunks, chunks=10))
    x.attach_grad()
    with ug.record():
        y = x
        for _ in range(operations // 3):
            y = ug.tanh(y * x + 1.5)
        y = y.sum()
    y.backward()
    return time.perf_counter() - start


def lazy_rows() -> Iterator[Row]:
    if importlib.util.find_spec("dask") is None:
        print("dask: left out, since it is not installed; pip install 'unigrad[dask]'")
        return
    both = programs()
    results = {name: program() for name, program in both.items()}
    for ours, theirs in zip(*results.values(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    best = dict.fromkeys(both, float("inf"))
    for _ in range(5):
        for name, program in both.items():
            start = time.perf_counter()
            program()
            best[name] = min(best[name], time.perf_counter() - start)
    yield Row("dask through unigrad / dask, logistic regression on 2 GB", best["unigrad"] / best["dask"], 1.2)
    output = subprocess.run(
        [sys.executable, "-c", PEAK], check=True, capture_output=True, text=True, cwd=sys.path[0]
    ).stdout
    yield Row("dask: peak memory of it, a worker thread", float(output) / CHUNK_BYTES / THREADS, 6, "chunks")
    yield Row(
        "dask: a gradient of 200 operations over 100 chunks built", min(built(200, 100) for _ in range(5)), 2, "s"
    )
