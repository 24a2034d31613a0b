"""Runs cases on backends, each in a process of its own, and judges what comes back."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from unigrad_conformance import deviations, oracle
from unigrad_conformance.case import Case
from unigrad_conformance.compare import difference, literal_problem
from unigrad_conformance.limits import limit_of

CASE_SECONDS = 180.0
"""How long one case may take; the first one, which may compile, gets LOADING_SECONDS."""
LOADING_SECONDS = 300.0
AT_ONCE = 2
"""How many processes run at a time."""
SHARE = 600
"""How many cases one process gets: more are shared out among several, so that no core waits for the slowest backend.
Fewer would take longer: importing a framework takes as long as some hundred cases."""
OWN_SHARE = {"jax": 150}
"""Where it is another number. JAX keeps what it compiles, some 40 MB for each case of linear algebra."""
SLOWEST_FIRST = ("jax", "tensorflow", "mxnet")
"""Whose processes are started first, so that one core does not wait for the other at the end. JAX compiles: its
everyday cases take half of the time of all."""

Message = dict[str, Any]
Progress = Callable[[str, Message], None]


@dataclass
class Verdict:
    """What one backend made of one case."""

    status: str
    """agrees, differs, raised, crashed, missing (declared so), deviates (known), or fixed (known, yet it agrees)."""
    ulp: float = 0.0
    """The largest error of its results."""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    checks: int = 0
    """How many results were held against the reference."""

    @property
    def fails(self) -> bool:
        """Whether it fails the run."""
        return self.status not in ("agrees", "missing", "deviates")


@dataclass
class Column:
    """One backend: what it is, and its verdicts."""

    backend: str
    version: str = ""
    engine: str = ""
    missing: dict[str, str] = field(default_factory=dict)
    unavailable: str | None = None
    """Why it could not be used, or None."""
    seconds: float = 0.0
    """Wall time of its processes together, the import of the framework included."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    left_out: int = 0
    """How many cases it was not given, since they are no everyday ones."""


@dataclass
class Run:
    """Everything that a run found."""

    cases: list[Case]
    columns: list[Column]
    reference_problems: list[str]
    """Where the reference contradicts a literal of a case, or could not run it."""
    unused_deviations: list[str]
    required: Sequence[str] = ()
    """The backends that must be there: those asked for by name, else numpy."""
    seconds: float = 0.0

    @property
    def absent(self) -> list[Column]:
        """Required backends that could not be used."""
        return [column for column in self.columns if column.unavailable and column.backend in self.required]

    @property
    def ok(self) -> bool:
        """True if nothing failed, what is required was there, and the reference agrees with all literals."""
        return (
            not self.absent
            and not self.reference_problems
            and not any(verdict.fails for column in self.columns for verdict in column.verdicts.values())
        )


# --- processes -------------------------------------------------------------------------------------------


def _environment() -> dict[str, str]:
    # On few cores the threads of several numerical libraries get into each other's way.
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}


def work(backend: str, orders: Message, seconds: Callable[[Message], float]) -> Iterator[Message]:
    """The messages of one worker. The last one is ``done``, ``unavailable`` or ``crashed``.

    ``seconds`` says how long to wait for the next message after each.
    """
    messages: queue.Queue[Message | None] = queue.Queue()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "unigrad_conformance.worker", backend],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=_environment(),
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        output = process.stdout

        def read() -> None:
            for line in output:
                messages.put(json.loads(line))
            messages.put(None)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        last: Message = {"kind": "loading"}
        try:
            try:
                process.stdin.write(json.dumps(orders).encode())
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended before it read; its exit code says more
            while last["kind"] not in ("done", "unavailable", "crashed"):
                limit = seconds(last)
                try:
                    message = messages.get(timeout=limit)
                except queue.Empty:
                    process.kill()
                    message = {"kind": "crashed", "why": f"no answer within {limit:.0f} s"}
                if message is None:
                    message = {"kind": "crashed", "why": _ending(process.wait(), errors)}
                last = message
                yield message
        finally:
            if last["kind"] not in ("done", "unavailable"):
                process.kill()
            process.wait()
            reader.join()
            output.close()


def _ending(code: int, errors: Any) -> str:
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()[-1:]
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    return f"the process ended with {how}" + (f": {said[0][:200]}" if said else "")


def _cases_on(column: Column, names: Sequence[str], outcomes: dict[str, Message], progress: Progress) -> None:
    """Run cases on one backend; after a crash go on behind the case that caused it."""
    before = time.perf_counter()
    left = list(names)
    while left:
        current = None
        for message in work(column.backend, {"cases": left}, _patience(len(left) == len(names))):
            kind = message["kind"]
            if kind == "ready":
                column.version, column.missing = message["version"], message["missing"]
                column.engine = message["engine"]
            elif kind == "unavailable":
                column.unavailable = message["why"]
                return
            elif kind == "start":
                current = message["case"]
            elif kind == "case":
                outcomes[message["case"]] = message
                progress(column.backend, message)
        if kind == "done":
            break
        if current is None or current in outcomes:
            column.unavailable = f"its worker failed outside any case: {message['why']}"
            return
        outcomes[current] = {"error": "crash", "message": message["why"], "seconds": 0.0}
        progress(column.backend, {"case": current, "error": "crash"})
        left = left[left.index(current) + 1 :]
    column.seconds += time.perf_counter() - before


def _patience(first: bool) -> Callable[[Message], float]:
    seen = 0

    def seconds(message: Message) -> float:
        nonlocal seen
        seen += message["kind"] == "case"
        return CASE_SECONDS if seen else LOADING_SECONDS

    return seconds


# --- judging -----------------------------------------------------------------------------------------------


def run_cases(
    backends: Sequence[str],
    cases: Sequence[Case],
    required: Sequence[str] = ("numpy",),
    progress: Progress = lambda backend, message: None,
    everyday_on: Sequence[str] = (),
) -> Run:
    """Run cases on backends and hold every result against the reference.

    Backends that ``everyday_on`` names get the everyday cases alone: one that compiles takes long for the others.
    """
    before = time.perf_counter()
    columns = [Column(name) for name in (oracle.NAME, *backends)]
    outcomes: list[dict[str, Message]] = [{} for _ in columns]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = []
        for column, found in sorted(zip(columns, outcomes, strict=True), key=_order):
            names = [case.name for case in cases if case.everyday or column.backend not in everyday_on]
            column.left_out = len(cases) - len(names)
            share = min(OWN_SHARE.get(column.backend, SHARE), -(-len(names) // AT_ONCE)) or 1
            running += [
                pool.submit(_cases_on, column, names[start : start + share], found, progress)
                for start in range(0, len(names), share)
            ]
        for one in running:
            one.result()
    reference, *others = outcomes
    run = Run(list(cases), columns[1:], _reference_problems(columns[0], cases, reference), [], required)
    matched: set[deviations.Deviation] = set()
    for column, found in zip(run.columns, others, strict=True):
        if column.unavailable is None:
            for case in cases:
                if column.backend in everyday_on and not case.everyday:
                    continue
                column.verdicts[case.name] = _verdict(column, case, found[case.name], reference.get(case.name), matched)
    ran = {column.backend for column in run.columns if column.unavailable is None}
    everything = {column.backend for column in run.columns if not column.left_out}
    run.unused_deviations = [
        str(row) for row in deviations.DEVIATIONS if row.backend in ran & everything and row not in matched
    ]
    run.seconds = time.perf_counter() - before
    return run


def _order(column: tuple[Column, Any]) -> int:
    name = column[0].backend
    return SLOWEST_FIRST.index(name) if name in SLOWEST_FIRST else len(SLOWEST_FIRST)


def _reference_problems(column: Column, cases: Sequence[Case], outcomes: dict[str, Message]) -> list[str]:
    if column.unavailable is not None:
        return [f"the reference cannot run: {column.unavailable}"]
    problems = []
    for case in cases:
        outcome = outcomes[case.name]
        if "error" in outcome:
            problems.append(f"{case.name}: {outcome['error']}: {outcome['message']}")
            continue
        for result, literal in case.expected.items():
            encoded = outcome["results"].get(result)
            problem = "there is no such result" if encoded is None else literal_problem(encoded, literal)
            if problem is not None:
                problems.append(f"{case.name}: {result}: {problem}")
    return problems


def _verdict(
    column: Column, case: Case, outcome: Message, reference: Message | None, matched: set[deviations.Deviation]
) -> Verdict:
    verdict = _judge(column, case, outcome, reference)
    verdict.seconds = outcome["seconds"]
    known = deviations.known(column.backend, case.name)
    if known is not None:
        matched.add(known)
        if verdict.fails:
            verdict.status = "deviates"
            verdict.problems.append(f"known: {known.reason}")
        elif verdict.status == "agrees":
            verdict.status = "fixed"
            verdict.problems = [f"agrees, so its row among the known deviations must go ({known.reason})"]
    return verdict


def _judge(column: Column, case: Case, outcome: Message, reference: Message | None) -> Verdict:
    if case.needs in column.missing:
        if outcome.get("error") == "UnsupportedError" and f" {case.needs}:" in outcome["message"]:
            return Verdict("missing")
        return Verdict("differs", problems=[f"{case.needs} is declared missing, and no UnsupportedError says so"])
    if "error" in outcome:
        text = f"{outcome['error']}: {outcome['message']}"
        if outcome["error"] == "crash":
            return Verdict("crashed", problems=[outcome["message"]])
        declared = outcome["error"] == "UnsupportedError" and any(
            repr(n) in text or f" {n}:" in text for n in column.missing
        )
        return Verdict("missing" if declared else "raised", problems=[text])
    if reference is None or "error" in reference:
        return Verdict("differs", problems=["there is no reference for it"])
    verdict = Verdict("agrees")
    expected = reference["results"]
    verdict.checks = len(expected)
    for result in {**expected, **outcome["results"]}:
        if result not in expected or result not in outcome["results"]:
            verdict.problems.append(f"{result}: is only in one of the two")
            continue
        found = difference(outcome["results"][result], expected[result], limit_of(case, result, column.backend))
        verdict.ulp = max(verdict.ulp, found.ulp)
        if found.problem is not None:
            verdict.problems.append(f"{result}: {found.problem}")
    if verdict.problems:
        verdict.status = "differs"
    return verdict
