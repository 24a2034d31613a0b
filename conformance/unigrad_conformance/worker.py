"""One backend's process: runs what it is told, a JSON line for each step on its standard output.

Started by the runner as ``python -m unigrad_conformance.worker BACKEND``, with a JSON object on standard
input: ``{"quick": false, "compiled": false}`` (or ``"placement": "sharded"``) for the cases whose names then follow, a
line each, ``{"cases": [names]}`` for these alone, ``{"train": {...}}`` for the arguments of the training program, or
``{"raw": [names]}`` for raw functions by themselves.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from unigrad_conformance import placing
from unigrad_conformance.lowering import share_contexts
from unigrad_conformance.surroundings import changes, surroundings

Send = Callable[..., None]


def main(name: str, orders: dict[str, Any], send: Send) -> None:
    """Load the backend, then run cases or the training, and report each step."""
    import unigrad as ug
    from unigrad.adapters.contract import NO_DTYPE
    from unigrad.adapters.registry import discover_only, get_backend_object
    from unigrad.base.dtypes import ALL, everything
    from unigrad.base.errors import BackendError
    from unigrad_conformance import oracle

    names: Iterable[str] = orders["cases"] if "cases" in orders else map(json.loads, sys.stdin)
    if orders.get("placement"):
        names = placing.prepare(orders, names)
    before = surroundings()
    discover_only(name)
    oracle.register()
    try:
        backend = get_backend_object(name)
        version = backend.version()
    except BackendError as error:
        send("unavailable", why=str(error))
        return
    share_contexts()
    if orders.get("placement"):
        placing.spread(backend, orders)
    # A dtype of another package is no adapter's duty: where the framework has none, nothing has to be declared.
    absent = [str(dtype) for dtype in everything() if dtype not in ALL and dtype not in backend.raw_dtypes]
    missing = {**dict.fromkeys(absent, NO_DTYPE), **backend.missing}
    about = {"version": version, "missing": missing, "engine": backend.differentiates}
    send("ready", **about, changed=changes(before, surroundings()))
    with ug.use_backend(name), np.errstate(all="ignore"):
        if "train" in orders:
            _train(orders["train"], send)
        elif "raw" in orders:
            _raw(backend, orders["raw"], send)
        else:
            _run(names, orders.get("quick", False), orders.get("compiled", False), send)
    send("done")


def _run(names: Iterable[str], quick: bool, compiled: bool, send: Send) -> None:
    import unigrad as ug
    from unigrad_conformance.catalogue import all_cases
    from unigrad_conformance.compare import encode
    from unigrad_conformance.compiling import run_compiled

    known = all_cases()
    for name in names:
        case = known[name]
        run = (quick and case.quick) or case.run
        send("start", case=name)
        around = surroundings()
        before = time.perf_counter()
        try:
            found = run_compiled(ug, case) if compiled else run(ug, *case.inputs)
            results = {key: encode(result) for key, result in found.items()}
            outcome = {"results": results}
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{error} ({os.path.basename(where.filename)}:{where.lineno})"
            outcome = {"error": type(error).__name__, "message": text}
        seconds = round(time.perf_counter() - before, 6)
        send("case", case=name, seconds=seconds, changed=changes(around, surroundings()), **outcome)


def _train(orders: dict[str, Any], send: Send) -> None:
    import unigrad as ug
    from unigrad_conformance.training import digits, train

    before = time.perf_counter()
    for step, loss in train(ug, digits(), **orders):
        now = time.perf_counter()
        if step is None:
            send("accuracy", accuracy=loss)
        else:
            send("step", step=step, loss=loss, seconds=now - before)
        before = time.perf_counter()


def _raw(backend: Any, names: list[str], send: Send) -> None:
    from unigrad_conformance.raw_functions import checked

    supplied = iter(names)
    send("start", primitive=next(supplied))
    for name, how, problems in checked(backend, names):
        send("raw", primitive=name, how=how, problems=problems)
        if (following := next(supplied, None)) is not None:
            send("start", primitive=following)


def _end_with(runner: int) -> None:
    """End this process, and those that it started, once its ``runner`` is gone: a case that hangs would not see it."""
    while os.getppid() == runner:
        time.sleep(1.0)
    os.killpg(0, signal.SIGKILL)


def private_output() -> Callable[[dict[str, Any]], object]:
    """A channel to the runner that no framework writes to: what they print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return lambda message: channel.write(json.dumps(message) + "\n")


def _sender() -> Send:
    put = private_output()
    return lambda kind, **content: put({"kind": kind, **content})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner ends it, and reports what was done
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    main(sys.argv[1], json.loads(sys.stdin.readline()), _sender())
