"""A small network learns to read handwritten digits: the same program, from the same seed, on every backend.

``train`` is written with unigrad's public functions alone, and is a good first program to read. ``run`` trains
on each backend in a process of its own and holds the losses against those of the reference: the same
training on the numpy backend in float64, from the same starting numbers.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import unigrad
from unigrad.base.errors import BackendError
from unigrad_conformance.processes import CASE_SECONDS, LOADING_SECONDS, Message, work
from unigrad_conformance.report import FORMAT, finite
from unigrad_conformance.runner import AT_ONCE, Progress

Array = np.ndarray[Any, Any]
Digits = tuple[Array, Array, Array, Array]

FEATURES, HIDDEN, CLASSES, BATCH = 64, 32, 10, 64


def limit(steps: int) -> float:
    """How far a loss may be from the reference, in ULP of the reference in the dtype of the training.

    Rounding errors are carried from step to step, while the loss that they are measured against shrinks. The
    largest measured in 600 steps is 28.5 in float32 (numpy, relu) and 27 in float64 (torch, relu), in 200 steps 7.9.
    """
    return 64.0 * max(1.0, steps / 600)


def digits() -> Digits:
    """Images of 8 x 8 pixels from 0 to 1 and their labels: 1,437 to train with, then 360 to test with."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise BackendError("the digits come with scikit-learn; install it with: pip install scikit-learn") from error
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    images, labels = bunch.data[order] / 16.0, bunch.target[order].astype(np.int64)
    split = len(labels) * 4 // 5
    return images[:split], labels[:split], images[split:], labels[split:]


def train(
    ug: Any,
    data: Digits,
    steps: int = 200,
    dtype: str = "float32",
    activation: str = "tanh",
    rate: float = 0.5,
    start: str = "float32",
) -> Iterator[tuple[int | None, float]]:
    """Train on the current backend; yields (step, loss), and at the end (None, accuracy on the test images)."""
    images, labels, test_images, test_labels = data
    activate = {"tanh": ug.tanh, "relu": ug.nn.relu}[activation]
    ug.random.seed(1)
    w1 = (ug.random.normal(size=(FEATURES, HIDDEN), dtype=start) * (1 / 8)).astype(dtype)
    w2 = (ug.random.normal(size=(HIDDEN, CLASSES), dtype=start) * (1 / 4)).astype(dtype)
    b1, b2 = ug.zeros(HIDDEN, dtype=dtype), ug.zeros(CLASSES, dtype=dtype)
    parameters = [w1, b1, w2, b2]
    for parameter in parameters:
        parameter.attach_grad()

    def network(x: Any) -> Any:
        return activate(x @ w1 + b1) @ w2 + b2

    for step in range(steps):
        batch = ug.random.integers(0, len(labels), BATCH).numpy()
        x, target = ug.asarray(images[batch], dtype=dtype), ug.asarray(labels[batch])
        with ug.record():
            loss = ug.nn.cross_entropy(network(x), target)
        loss.backward()
        for parameter in parameters:
            parameter -= rate * parameter.grad
        yield step, loss.item()
    predicted = ug.argmax(network(ug.asarray(test_images, dtype=dtype)), axis=1)
    yield None, ug.mean(predicted == ug.asarray(test_labels)).item()


# --- on every backend ------------------------------------------------------------------------------------


@dataclass
class Trained:
    """One backend's training."""

    backend: str
    version: str = ""
    losses: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    accuracy: float = math.nan
    problem: str | None = None
    """Why it did not finish, or None."""
    unavailable: str | None = None
    """Why the backend could not be used, or None."""
    errors: list[float] = field(default_factory=list)
    """The distance of each loss from the reference, in ULP."""

    @property
    def largest(self) -> float:
        """The largest error of all steps."""
        return max(self.errors, default=0.0)

    @property
    def milliseconds(self) -> float:
        """The median time of a step."""
        return float(np.median(self.times)) * 1000 if self.times else math.nan


def run(backends: Sequence[str], steps: int, dtype: str, activation: str, progress: Progress) -> list[Trained]:
    """Train on every backend, and measure each loss against the reference."""
    orders = {"steps": steps, "dtype": dtype, "activation": activation}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reference = pool.submit(_trained, "numpy", {**orders, "dtype": "float64"}, lambda backend, message: None)
        found = list(pool.map(lambda name: _trained(name, orders, progress), backends))
        exact = np.array(reference.result().losses)
    unit = np.spacing(exact.astype(dtype)).astype(np.float64)
    for one in found:
        if one.problem is None and one.unavailable is None:
            one.errors = (np.abs(np.array(one.losses) - exact) / unit).tolist()
    return found


def _trained(backend: str, orders: Message, progress: Progress) -> Trained:
    found = Trained(backend)
    for message in work(backend, {"train": orders}, _patience):
        kind = message["kind"]
        if kind == "ready":
            found.version = message["version"]
        elif kind == "step":
            found.losses.append(message["loss"])
            found.times.append(message["seconds"])
            progress(backend, message)
        elif kind == "accuracy":
            found.accuracy = message["accuracy"]
        elif kind == "unavailable":
            found.unavailable = message["why"]
        elif kind == "crashed":
            found.problem = message["why"]
    return found


def _patience(message: Message) -> float:
    return CASE_SECONDS if message["kind"] == "step" else LOADING_SECONDS


def agrees(one: Trained) -> bool:
    """Whether a backend finished and all its losses are within the limit."""
    return one.problem is None and bool(one.errors) and one.largest <= limit(len(one.losses))


def as_text(found: Sequence[Trained], steps: int, dtype: str, activation: str) -> str:
    """The table, and the verdict."""
    lines = [
        f"unigrad {unigrad.__version__}: {FEATURES}-{HIDDEN}-{CLASSES} network, {activation}, softmax cross entropy, "
        f"{steps} steps of SGD,",
        f"minibatches of {BATCH} handwritten digits, {dtype}. Reference: the same in float64 on numpy.",
        "",
        f"{'backend':<12}{'version':<12}{'first loss':>12}{'last loss':>12}{'largest error':>16}{'at step':>9}"
        f"{'accuracy':>11}{'ms/step':>10}",
    ]
    for one in found:
        if one.unavailable or one.problem:
            why = f"{one.backend:<12}{one.version or '-':<12}{one.unavailable or f'FAILED: {one.problem}'}"
            lines += textwrap.wrap(why, 100, subsequent_indent=" " * 24, drop_whitespace=True)
            continue
        verdict = "" if agrees(one) else "  FAIL"
        lines.append(
            f"{one.backend:<12}{one.version:<12}{one.losses[0]:>12.6f}{one.losses[-1]:>12.6f}{one.largest:>12.3g} ULP"
            f"{int(np.argmax(one.errors)):>9}{one.accuracy:>10.1%} {one.milliseconds:>9.2f}{verdict}"
        )
    ran = [one for one in found if not one.unavailable]
    good = [one for one in ran if agrees(one)]
    result = f"The losses agree at every step on all {len(ran)}" if len(good) == len(ran) else "FAILED"
    return "\n".join([*lines, "", f"{result}: within {limit(steps):g} ULP of {dtype} is allowed."])


def as_json(found: Sequence[Trained], **orders: Any) -> dict[str, Any]:
    """The same for programs, with every loss."""
    return {
        "format": FORMAT,
        "unigrad": unigrad.__version__,
        **orders,
        "limit_ulp": limit(orders["steps"]),
        "backends": [
            {key: [*map(finite, value)] if isinstance(value, list) else value for key, value in vars(one).items()}
            | {"accuracy": finite(one.accuracy), "largest_ulp": finite(one.largest), "agrees": agrees(one)}
            for one in found
        ],
    }
