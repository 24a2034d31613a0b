"""Which cases and random programs find a mutant.

The process runs everything once as it is, and notes what each case answered and which of the lines that hold mutants it
went through, with unigrad's caches emptied before each. Each mutant then gets a forked process, in which only what went
through its line is run, the cheapest first, until something answers otherwise. Mutants of what writes code, which runs
when a backend is bound, are tried on everything.

A case answers otherwise if one of its results is farther from that of the code as it is than its limit allows. That the
latter is right, ``unigrad conform`` says by 60 digits, which the random programs are held against here too.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.engine.moving import Crossing
from unigrad.native import from_scipy
from unigrad_conformance.case import Case
from unigrad_conformance.compare import difference, encode
from unigrad_conformance.fuzzing.checking import Answer, failures, reference
from unigrad_conformance.fuzzing.drawing import draw
from unigrad_conformance.fuzzing.program import Program
from unigrad_conformance.limits import limit_of
from unigrad_conformance.mutation.faults import Mutant

SUITES = ("everyday", "whole")
ONE_SECONDS = 20.0
"""How long one case may take, or 20 times what it takes of itself; a mutant that goes on forever is found then."""
MEMORY = 4 << 30
"""How much more memory a mutant may use."""
Line = tuple[str, int]


@dataclass(eq=False)
class Trial:
    """Something that is run: a case or a random program."""

    name: str
    tier: str
    """"everyday", "whole" (for those besides) or "fuzz"."""
    problem: Callable[[], str | None]
    """Runs it, and says what is not as it was."""
    lines: frozenset[Line] = frozenset()
    seconds: float = 0.0


@dataclass(eq=False)
class Fate:
    """What became of a mutant."""

    mutant: Mutant
    found: dict[str, str] = field(default_factory=dict)
    """By ``suite`` and ``fuzz``: what found it."""
    tier: str | None = None
    """The first tier of the suite that finds it."""
    touching: int = 0
    """How many cases go through its line."""
    unfinished: bool = False
    seconds: float = 0.0


# --- as it is ------------------------------------------------------------------------------------------------------


def case_trial(case: Case, backend: str) -> Trial:
    """A case, held against what it gives when it is first run."""
    first: dict[str, Any] = {}

    def problem() -> str | None:
        found = _outcome(case)
        if not first:
            first.update(found)
        return _difference(case, found, first, backend)

    return Trial(case.name, SUITES[0] if case.everyday else SUITES[1], problem)


def _outcome(case: Case) -> dict[str, Any]:
    """What it gives, and where NumPy's special functions are SciPy's also what it gives without SciPy."""
    asked = []

    def scipy() -> Any:
        asked.append(True)
        return _SCIPY()

    from_scipy._scipy = scipy
    try:
        found = _results(case)
        if asked:
            from_scipy._scipy = lambda: None
            found |= {WITHOUT_SCIPY + name: result for name, result in _results(case).items()}
    finally:
        from_scipy._scipy = _SCIPY
    return found


_SCIPY = from_scipy._scipy
WITHOUT_SCIPY = "without SciPy: "


def _results(case: Case) -> dict[str, Any]:
    try:
        return {name: encode(result) for name, result in case.run(ug, *case.inputs).items()}
    except Exception as error:
        return {"error": {"value": type(error).__name__}}


def _difference(case: Case, found: dict[str, Any], expected: dict[str, Any], backend: str) -> str | None:
    if found.keys() != expected.keys():
        raised = found.get("error")
        return f"{raised['value']}" if raised else f"{', '.join(sorted(found.keys() ^ expected.keys()))} in one alone"
    for name, got in found.items():
        problem = difference(got, expected[name], limit_of(case, name.removeprefix(WITHOUT_SCIPY), backend)).problem
        if problem is not None:
            return f"{name}: {problem}"
    return None


def program_trials(backend: str, count: int, seed: int) -> Iterator[Trial]:
    """Random programs, as far as the reference can run them."""
    for number in range(seed, seed + count):
        program = draw(number, 8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = reference(program)
        if expected is not None:
            yield Trial(f"program {number}", "fuzz", _program_problem(program, backend, expected))


def _program_problem(program: Program, backend: str, expected: dict[str, Answer]) -> Callable[[], str | None]:
    def problem() -> str | None:
        found = failures(program, [backend], expected)
        return str(found[0]) if found else None

    return problem


def noted(trial: Trial, wanted: set[Line], caches: Sequence[Any]) -> str | None:
    """Run a trial and note the lines of the ``wanted`` functions (file and first line) that it goes through."""
    lines: set[Line] = set()
    for cache in caches:
        cache.cache_clear()
    _forget()

    def calls(frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if (code.co_filename, code.co_firstlineno) not in wanted:
            return None
        file = code.co_filename
        lines.add((file, code.co_firstlineno))

        def steps(inner: FrameType, event: str, argument: Any) -> Any:
            lines.add((file, inner.f_lineno))
            return steps

        return steps

    before = time.perf_counter()
    threading.settrace(calls)
    sys.settrace(calls)
    try:
        problem = trial.problem()
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
    trial.seconds = time.perf_counter() - before
    trial.lines = frozenset(lines)
    return problem


def _forget() -> None:
    """What an earlier trial may have met, after which shorter ways are not taken."""
    Crossing.exist = False
    batches = sys.modules.get("unigrad_torch.batches")
    if batches is not None:
        batches.Batches.met = False


class Near:
    """Which trials go through the lines of a mutant."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._all = list(trials)
        self._by_line: dict[Line, list[Trial]] = {}
        for trial in trials:
            for line in trial.lines:
                self._by_line.setdefault(line, []).append(trial)

    def to(self, mutant: Mutant) -> list[Trial]:
        """Those, the cheapest first; of what writes code, which may have run for an earlier one, then all others."""
        place = mutant.place
        lines = () if place is None else range(place.first, place.last + 1)
        found = dict.fromkeys(trial for line in lines for trial in self._by_line.get((mutant.path, line), ()))
        rest = [trial for trial in self._all if trial not in found] if mutant.is_written else []
        return [*sorted(found, key=_seconds), *sorted(rest, key=_seconds)]


def _seconds(trial: Trial) -> float:
    return trial.seconds


# --- with a fault --------------------------------------------------------------------------------------------------

Send = Callable[[dict[str, Any]], None]
Job = tuple[str, Callable[[Send], None]]
"""A name, and what a forked process does, which sends what it finds."""


def forked(jobs: Sequence[Job], at_once: int, tell: Callable[[str, list[dict[str, Any]]], None]) -> None:
    """Do each job in a process of its own, and tell what it sent; how it ended is the last message if not well."""
    waiting = list(reversed(jobs))
    running: dict[int, tuple[str, int, bytearray]] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    name, job = waiting.pop()
                    read, write = os.pipe()
                    process = os.fork()
                    if process == 0:
                        os.close(read)
                        _child(job, write)
                    os.close(write)
                    running[read] = (name, process, bytearray())
                    selector.register(read, selectors.EVENT_READ)
                for key, _ in selector.select():
                    name, process, said = running[key.fd]
                    part = os.read(key.fd, 1 << 16)
                    if part:
                        said += part
                        continue
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    del running[key.fd]
                    _, status = os.waitpid(process, 0)
                    messages = [json.loads(line) for line in said.decode().splitlines()]
                    if status:
                        messages.append({"kind": "ended", "how": _ending(status)})
                    tell(name, messages)
        finally:
            for _, process, _ in running.values():
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def _ending(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return f"exit status {os.waitstatus_to_exitcode(status)}"
    number = os.WTERMSIG(status)
    return "it does not come to an end" if number == signal.SIGALRM else f"killed by {signal.Signals(number).name}"


def _child(job: Callable[[Send], None], write: int) -> None:
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        job(lambda message: [os.write(write, json.dumps(message).encode() + b"\n")].clear())
        status = 0
    finally:
        os._exit(status)


def searched(
    put: Callable[[], None] | None, trials: Sequence[Trial], backend: str, seconds: float
) -> Callable[[Send], None]:
    """A job: ``put`` the fault in and run trials until one finds it, ``seconds`` long; without one run them all."""

    def job(send: Send) -> None:
        if put is not None:
            put()
        until = time.monotonic() + seconds
        with ug.use_backend(backend), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trial in trials:
                if time.monotonic() > until:
                    send({"kind": "unfinished"})
                    return
                send({"kind": "at", "trial": trial.name, "tier": trial.tier})
                _forget()
                signal.setitimer(signal.ITIMER_REAL, max(ONE_SECONDS, 20 * trial.seconds))
                try:
                    problem = trial.problem()
                except Exception as error:  # outside of what the case itself does
                    problem = f"{type(error).__name__}: {error}"
                signal.setitimer(signal.ITIMER_REAL, 0)
                if problem is not None:
                    send({"kind": "found", "trial": trial.name, "tier": trial.tier, "problem": problem[:300]})
                    if put is not None:
                        return

    return job
