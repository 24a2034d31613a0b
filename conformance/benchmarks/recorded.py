"""What each public operation costs while it is recorded, beside the framework's own call: ``make bench-operations``.

The calls are those of ``commonest``. Forward: inside one recording, on attached arrays, beside the framework's own
function under its own recording (PyTorch's tracked call, GradientTape, mx.autograd; JAX has none, its eager call
stands there); with the backward: until all gradients are there, beside the framework's. NumPy's backend stands beside
PyTorch. Where a framework has no such function, the call stands beside its own raw steps: the framework's functions
that it comes down to, called one by one.

Arguments select backends, or rows by their names. Exit status 1 if a row is over its limit.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import ast
import functools
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from commonest import EVERYDAY, LARGE, SMALL, THEIRS, Call, calls
from limits import DEFAULT, MEDIANS, ROWS
from operations import FRAMEWORKS, _Own

import unigrad as ug
from unigrad.adapters.registry import bound, get_backend_object
from unigrad.base.dtypes import has_gradients

RENAMED = {"torch": {"nn": "nn.functional"}}
"""Where a framework keeps groups of its functions."""
TURN = 0.0006
"""Seconds that one side runs before the other has its turn."""
SECONDS = 0.05
"""How long both sides of a cell take turns."""

Program = Callable[[int], None]
"""Runs a call so many times."""


# --- both sides ---------------------------------------------------------------------------------------------------


def function_of(source: str, names: Sequence[str]) -> Callable[..., Any]:
    """The statements as a function of ``ug`` and these names, which returns what the last of them gives."""
    tree = ast.parse(f"def call(ug, {', '.join(names)}):\n    {source}")
    body = tree.body[0].body  # type: ignore[attr-defined]
    body[-1] = ast.copy_location(ast.Return(body[-1].value), body[-1])
    scope: dict[str, Any] = {"np": np}
    exec(compile(ast.fix_missing_locations(tree), f"<{source}>", "exec"), scope)  # noqa: S102
    found: Callable[..., Any] = scope["call"]
    return found


def parts(outputs: Any) -> list[Any]:
    """The arrays among what a call gives."""
    return [part for part in (outputs if isinstance(outputs, (tuple, list)) else [outputs]) if hasattr(part, "shape")]


class Theirs:
    """One framework's own side: its arrays, functions and recording."""

    def __init__(self, name: str) -> None:
        ug.namespace(name)  # first: MXNet is imported through its adapter alone
        framework = FRAMEWORKS[name]
        self.own = _Own(replace(framework, renamed=framework.renamed | RENAMED.get(name, {})))
        self.scope: dict[str, Any] = {}
        self.overrides = THEIRS[name]

    def array(self, values: np.ndarray[Any, Any]) -> Any:
        raise NotImplementedError

    def tracked(self, values: np.ndarray[Any, Any]) -> Any:
        return self.array(values)

    def recording(self, variables: list[Any]) -> Any:
        return nullcontext()

    def gradients(self, function: Callable[..., Any], arrays: list[Any], variables: list[Any]) -> Any:
        raise NotImplementedError

    def finish(self, found: Any) -> None:
        """Wait until it is there."""

    def function(self, call: Call) -> Callable[..., Any]:
        """The call over this framework's functions."""
        source = self.overrides.get(call.name, call.source)
        made = function_of(source, list(call.inputs))
        made.__globals__.update(self.scope)
        return functools.partial(made, self.own)


class Torch(Theirs):
    def __init__(self) -> None:
        super().__init__("torch")
        import torch
        from torch.nn import functional

        torch.set_num_threads(1)
        self.torch = torch
        self.scope = {"torch": torch, "F": functional}

    def array(self, values: np.ndarray[Any, Any]) -> Any:
        return self.torch.tensor(values)

    def tracked(self, values: np.ndarray[Any, Any]) -> Any:
        return self.torch.tensor(values, requires_grad=True)

    def gradients(self, function: Callable[..., Any], arrays: list[Any], variables: list[Any]) -> Any:
        heads = [part for part in parts(function(*arrays)) if part.requires_grad]
        ones = [self.torch.ones_like(head) for head in heads]
        return self.torch.autograd.grad(heads, variables, ones, allow_unused=True)


class TensorFlow(Theirs):
    def __init__(self) -> None:
        super().__init__("tensorflow")
        import tensorflow as tf

        self.tf = tf
        self.scope = {"tf": tf}

    def array(self, values: np.ndarray[Any, Any]) -> Any:
        return self.tf.constant(values)

    def recording(self, variables: list[Any]) -> Any:
        tape = self.tf.GradientTape(persistent=True, watch_accessed_variables=False)
        tape.__enter__()
        for variable in variables:
            tape.watch(variable)
        return tape

    def gradients(self, function: Callable[..., Any], arrays: list[Any], variables: list[Any]) -> Any:
        with self.tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables:
                tape.watch(variable)
            outputs = parts(function(*arrays))
        return tape.gradient(outputs, variables)


class MXNet(Theirs):
    def __init__(self) -> None:
        super().__init__("mxnet")
        import mxnet

        mxnet.util.set_np_shape(True)  # arrays of no axes are such, as NumPy's users have them
        self.mxnet = mxnet
        self.scope = {"np": mxnet.np, "npx": mxnet.npx, "mx": mxnet}

    def array(self, values: np.ndarray[Any, Any]) -> Any:
        return self.mxnet.np.array(values, dtype=values.dtype)

    def tracked(self, values: np.ndarray[Any, Any]) -> Any:
        made = self.array(values)
        made.attach_grad()
        return made

    def recording(self, variables: list[Any]) -> Any:
        scope = self.mxnet.autograd.record()
        scope.__enter__()
        return scope

    def gradients(self, function: Callable[..., Any], arrays: list[Any], variables: list[Any]) -> Any:
        with self.mxnet.autograd.record():
            heads = parts(function(*arrays))
        self.mxnet.autograd.backward(heads)
        return [variable.grad for variable in variables]

    def finish(self, found: Any) -> None:
        for part in parts(found):
            part.wait_to_read()


class Jax(Theirs):
    def __init__(self) -> None:
        super().__init__("jax")
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp
        self.scope = {"jax": jax, "jnp": jnp}

    def array(self, values: np.ndarray[Any, Any]) -> Any:
        return self.jnp.asarray(values)

    def gradients(self, function: Callable[..., Any], arrays: list[Any], variables: list[Any]) -> Any:
        places = [position for position, array in enumerate(arrays) if any(array is v for v in variables)]

        def of(*given: Any) -> Any:
            filled = list(arrays)
            for place, array in zip(places, given, strict=True):
                filled[place] = array
            return parts(function(*filled))

        heads, pull = self.jax.vjp(of, *variables)
        return pull([self.jnp.ones_like(head) for head in heads])

    def finish(self, found: Any) -> None:
        self.jax.block_until_ready(found)


SIDES: dict[str, Callable[[], Theirs]] = {
    "numpy": Torch,
    "torch": Torch,
    "tensorflow": TensorFlow,
    "mxnet": MXNet,
    "jax": Jax,
}


class Ours:
    """unigrad on one backend."""

    def __init__(self, name: str) -> None:
        self.namespace = ug.namespace(name)
        self.backend = get_backend_object(name)

    def arrays(self, call: Call) -> list[Any]:
        made = [self.namespace.asarray(values) for values in call.inputs.values()]
        for array in made:
            if has_gradients(array.dtype):
                array.attach_grad()
        return made

    def steps(
        self, function: Callable[..., Any], arrays: list[Any]
    ) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
        """The raw functions that a recorded call comes down to, with what each was given."""
        found: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

        def noted(raw_function: Callable[..., Any]) -> Callable[..., Any]:
            def note(*args: Any) -> Any:
                found.append((raw_function, args))
                return raw_function(*args)

            return note

        with ug.record():
            function(ug, *arrays)  # which writes the functions that it needs
        scopes = bound[self.backend].scopes.values()
        before = [(scope["function"], scope["untracked"]) for scope in scopes]
        own = self.backend.function
        try:
            for scope in scopes:
                scope["untracked"] = noted(scope["untracked"])
                scope["function"] = noted(scope["function"])
            self.backend.function = lambda name: noted(own(name))  # type: ignore[method-assign]
            with ug.record():
                function(ug, *arrays)
        finally:
            del self.backend.function
            for scope, (plain, untracked) in zip(scopes, before, strict=True):
                scope["function"], scope["untracked"] = plain, untracked
        return found


# --- a row --------------------------------------------------------------------------------------------------------


def fastest(programs: Sequence[Program], seconds: float) -> list[float]:
    """The least time of one call in each program; they take turns."""
    repeats = []
    for program in programs:
        program(1)
        start = time.perf_counter()
        program(3)
        repeats.append(1 + int(3 * TURN / (time.perf_counter() - start)))
    best = [float("inf")] * len(programs)
    end = time.perf_counter() + seconds
    turn = 0
    while turn < 5 or time.perf_counter() < end:
        turn += 1
        for position, (program, count) in enumerate(zip(programs, repeats, strict=True)):
            start = time.perf_counter()
            program(count)
            best[position] = min(best[position], (time.perf_counter() - start) / count)
    return best


def cells(name: str, call: Call, theirs: Theirs) -> Iterator[tuple[str, str, float, float]]:
    """What is measured (forward, backward), beside what, and the seconds of ours and theirs."""
    ours = Ours(name)
    arrays = ours.arrays(call)
    function = function_of(call.source, list(call.inputs))
    variables = [array for array in arrays if array.grad is not None]
    raws = [
        theirs.tracked(values) if has_gradients(array.dtype) else theirs.array(values)
        for values, array in zip(call.inputs.values(), arrays, strict=True)
    ]
    tracked = [raw for raw, array in zip(raws, arrays, strict=True) if array.grad is not None]
    finish = theirs.finish if name != "numpy" else lambda found: None

    with ug.record():
        outputs = parts(function(ug, *arrays))
    own: Callable[..., Any] | None = theirs.function(call)
    scope = theirs.recording(tracked)
    try:
        assert own is not None
        found = parts(own(*raws))
        if [tuple(part.shape) for part in found] != [part.shape for part in outputs]:
            own = None
    except Exception:  # it has no such function, or another signature, or cannot record it
        own = None
    finally:
        scope.__exit__(None, None, None)

    def forward(count: int) -> None:
        with ug.record():
            for _ in range(count):
                found = function(ug, *arrays)
        finish([part.raw for part in parts(found)])

    def their_forward(count: int) -> None:
        scope = theirs.recording(tracked)
        for _ in range(count):
            found = own(*raws)  # type: ignore[misc]
        scope.__exit__(None, None, None)
        theirs.finish(found)

    beside = "own"
    if own is None:
        beside = "steps"
        steps = ours.steps(function, arrays)
        if not steps:
            return

        def their_forward(count: int) -> None:
            for _ in range(count):
                for step, args in steps:
                    found = step(*args)
            finish(found)

    yield ("forward", beside, *fastest([forward, their_forward], SECONDS))
    recorded = [part for part in outputs if has_gradients(part.dtype) and part._node is not None]
    if own is None or not recorded or not variables:
        return

    def backward(count: int) -> None:
        for _ in range(count):
            with ug.record():
                heads = [part for part in parts(function(ug, *arrays)) if part._node is not None]
            ug.backward(heads)
        finish([variable.grad.raw for variable in variables])

    def their_backward(count: int) -> None:
        for _ in range(count):
            found = theirs.gradients(own, raws, tracked)
        theirs.finish(found)

    try:
        their_backward(1)
    except Exception:  # it differentiates nothing here
        return
    yield ("backward", beside, *fastest([backward, their_backward], SECONDS))


Found = dict[tuple[str, str, str], tuple[float, float, str]]


def measured(name: str, chosen: Sequence[str] = ()) -> Found:
    """By name, size and what: ratio, microseconds of ours, beside what."""
    found: Found = {}
    theirs = SIDES[name]()
    for size in (SMALL, LARGE):
        for call in calls(size):
            if chosen and call.name not in chosen:
                continue
            try:
                for what, beside, ours, own in cells(name, call, theirs):
                    found[call.name, size, what] = (ours / own, ours * 1e6, beside)
            except ug.UnigradError as error:  # declared missing there
                print(f"    {call.name}: {str(error)[:120]}")
    return found


def report(name: str, found: Found) -> int:
    """Print the table, medians and the worst ten; how many rows are over their limits."""
    names = list(dict.fromkeys(row for row, _, _ in found))
    kinds = [(size, what) for size in (SMALL, LARGE) for what in ("forward", "backward")]
    print(f"\n{name:<34}" + "".join(f"{size + ' ' + what:>16}" for size, what in kinds) + "  beside")
    over = []
    for row in names:
        cell = [found.get((row, *kind)) for kind in kinds]
        limit = ROWS.get(name, {}).get(row, DEFAULT[name])
        if any(value is not None and value[0] > limit for value in cell):
            over.append(row)
        shown = "".join(f"{'-':>16}" if value is None else f"{value[0]:>7.2f} {value[1]:>6.0f}us" for value in cell)
        print(f"{row:<34}{shown}  {next(value[2] for value in cell if value)}{'   OVER' if row in over else ''}")
    count = len(over)
    for title, names in (("all", None), ("everyday", EVERYDAY)):
        for size, what in kinds:
            rows = [
                (value[0], row)
                for (row, *kind), value in found.items()
                if kind == [size, what] and value[2] == "own" and (names is None or row in names)
            ]
            if rows:
                median = statistics.median(ratio for ratio, _ in rows)
                worst = ", ".join(f"{row} {ratio:.1f}" for ratio, row in sorted(rows, reverse=True)[:10])
                limit = MEDIANS[name]
                count += size == SMALL and what == "forward" and median > limit
                print(f"{name}, {title}, {size}, {what}: median {median:.2f} of {len(rows)} (limit {limit}); {worst}")
    return count


def main(arguments: list[str]) -> int:
    backends = [name for name in arguments if name in SIDES] or list(SIDES)
    chosen = [name for name in arguments if name not in (*SIDES, "everyday")]
    chosen += EVERYDAY if "everyday" in arguments else []
    warnings.simplefilter("ignore")
    over = sum(report(name, measured(name, chosen)) for name in backends)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
