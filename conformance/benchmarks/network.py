"""The network that the benchmarks train, and what it is trained on."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

SIZES, BATCH = (64, 256, 10), 128


def step_data() -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Parameters, a batch and its labels, float32."""
    rng = np.random.default_rng(0)
    parameters = []
    for rows, columns in itertools.pairwise(SIZES):
        parameters += [rng.normal(size=(rows, columns)) / rows**0.5, np.zeros(columns)]
    return (
        [parameter.astype("float32") for parameter in parameters],
        rng.normal(size=(BATCH, SIZES[0])).astype("float32"),
        rng.integers(0, SIZES[-1], BATCH),
    )
