"""Runs cases on backends, each in a process of its own, and judges what comes back."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from unigrad_conformance import oracle
from unigrad_conformance.case import Case
from unigrad_conformance.compare import difference, literal_problem
from unigrad_conformance.compiling import BY_VALUES
from unigrad_conformance.deviations import Deviation, for_placement, known_deviation, matches
from unigrad_conformance.kept import Kept
from unigrad_conformance.limits import limit_of
from unigrad_conformance.placing import PLACEMENTS, TOGETHER
from unigrad_conformance.processes import CASE_SECONDS, LOADING_SECONDS, Message, Worker, kill_all

AT_ONCE = 2
"""How many processes run at a time."""
SHARE = 1600
"""How many cases one process gets: more are shared out among several, so that no core waits for the slowest backend.
Fewer would take longer: importing a framework takes as long as some hundred cases."""
OWN_SHARE = {"jax": 500}
"""Where it is another number. JAX keeps what it compiles, about 0.8 MB a program."""
COST = {"jax": 14.0, "dask": 6.0, "tensorflow": 2.2, "mxnet": 1.2, oracle.NAME: 1.0, "numpy": 0.5}
"""About how long a case takes beside PyTorch's. The costliest are started first, so that one core does not wait for the
other at the end, and the time that is left is guessed by it."""
APART = ("dask",)
"""Backends that run where they are named alone: dask's values are the native engine's, chunk by chunk, and what puts
chunks together has tests of its own (``test_dask.py``); ``test_conformance.py`` runs the everyday cases."""
COMPILING = ("jax",)
"""Backends that compile each new shape and dtype."""
SLOW = (*COMPILING, "tensorflow", "mxnet")
"""Backends that a quick run gives the quick form of cases, and the project's tests the everyday cases alone. The others
run them whole: one that unigrad differentiates and one that differentiates by itself."""

Progress = Callable[[str, Message], None]


@dataclass
class Verdict:
    """What one backend made of one case."""

    status: str
    """agrees, differs, raised, crashed, missing (declared so), by values (compiled: the program asks for values),
    deviates (known), or fixed (known, yet it agrees)."""
    ulp: float = 0.0
    """The largest error of its results."""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    checks: int = 0
    """How many results were held against the reference."""
    kept: bool = False
    """Whether it is an earlier run's, since nothing changed."""

    @property
    def fails(self) -> bool:
        """Whether it fails the run."""
        return self.status not in ("agrees", "missing", "by values", "deviates")


@dataclass
class Column:
    """One backend: what it is, and its verdicts."""

    backend: str
    about: Message = field(default_factory=dict)
    """What its worker said when it was ready."""
    unavailable: str | None = None
    """Why it could not be used, or None."""
    seconds: float = 0.0
    """Wall time of its processes together, the import of the framework included."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    left_out: int = 0
    """How many cases it was not given, since they are no everyday ones."""

    @property
    def version(self) -> str:
        """The framework's version, empty if it could not be used."""
        return str(self.about.get("version", ""))

    @property
    def engine(self) -> str:
        """What the framework itself differentiates."""
        return str(self.about.get("engine", ""))

    @property
    def missing(self) -> dict[str, str]:
        """What it declares that it cannot do, with the reasons."""
        return self.about.get("missing", {})

    @property
    def changed(self) -> list[str]:
        """What loading it changed in its process (``surroundings.py``)."""
        return self.about.get("changed", [])

    @property
    def broken(self) -> bool:
        """Whether it is there and cannot be used."""
        return self.unavailable is not None and "which is not installed" not in self.unavailable


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
    interrupted: bool = False
    """Whether it was ended from the keyboard: what was done by then is there."""

    @property
    def absent(self) -> list[Column]:
        """Backends that could not be used although they are required, or installed."""
        required = [column for column in self.columns if column.unavailable and column.backend in self.required]
        return required + [column for column in self.columns if column.broken and column not in required]

    @property
    def ok(self) -> bool:
        """True if nothing failed, what is required was there, and the reference agrees with all literals."""
        return (
            not self.absent
            and not self.interrupted
            and not self.reference_problems
            and not any(verdict.fails for column in self.columns for verdict in column.verdicts.values())
        )


# --- processes -------------------------------------------------------------------------------------------


@dataclass
class Orders:
    """How cases are run."""

    progress: Progress
    case_seconds: float
    quick: Sequence[str]
    """The backends that get the quick form of cases."""
    environment: Mapping[str, str]
    compiled: bool = False
    """Whether through ``ug.compile``."""
    placement: str | None = None
    """Where backends that can do it have their arrays (:mod:`unigrad_conformance.placing`)."""
    deviations: Sequence[Deviation] = ()
    """What is known to fail."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def quick_on(self, backend: str) -> bool:
        """Whether a backend gets the quick form, which compiled cases have none of."""
        return not self.compiled and backend in self.quick

    def stop(self) -> None:
        """End all workers; nothing is started any more."""
        self.stopped.set()
        kill_all()


class Asked:
    """One backend's worker, which is started when the first case is asked for, and anew after each that ended it, or
    left its processes at different points."""

    def __init__(self, column: Column, orders: Orders) -> None:
        self.column = column
        self._orders = orders
        self._worker: Worker | None = None
        self._patience = 0.0

    def ask(self, case: str) -> None:
        """Give it the case of that name; :meth:`outcome` has what becomes of it."""
        if self.column.unavailable is None:
            if self._worker is None:
                orders, backend = self._orders, self.column.backend
                told: Message = {"quick": orders.quick_on(backend), "compiled": orders.compiled}
                if backend in PLACEMENTS.get(orders.placement, ()):
                    told["placement"] = orders.placement
                self._worker = Worker(backend, told, orders.environment)
                self._patience = max(orders.case_seconds, LOADING_SECONDS)
            self._worker.tell(case)

    def outcome(self) -> Message | None:
        """What became of the case that it was given; None if the backend cannot be used, or the run was stopped."""
        started = False
        while self._worker is not None:
            message = self._worker.message(self._patience)
            kind = message["kind"]
            if kind == "ready":
                self.column.about = {key: value for key, value in message.items() if key != "kind"}
            elif kind == "start":
                started = True
                self._patience = self._orders.case_seconds
            elif kind == "case":
                if (
                    self._orders.placement == TOGETHER
                    and message.get("error", "UnsupportedError") != "UnsupportedError"
                ):
                    self.close()
                return message
            else:
                self.close()
                if self._orders.stopped.is_set():  # which ended it
                    return None
                if kind == "crashed" and started:
                    return {"error": "crash", "message": message["why"], "seconds": 0.0}
                outside = "" if kind == "unavailable" else "its worker failed outside any case: "
                self.column.unavailable = outside + message["why"]
        return None

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _cases_on(column: Column, names: Sequence[str], outcomes: dict[str, Message], orders: Orders) -> None:
    """Run cases on one backend; after a crash go on behind the case that caused it."""
    before = time.perf_counter()
    with contextlib.closing(Asked(column, orders)) as asked:
        for name in names:
            if orders.stopped.is_set():
                break
            asked.ask(name)
            outcome = asked.outcome()
            if outcome is None or orders.stopped.is_set():
                break
            outcomes[name] = outcome
            orders.progress(column.backend, {"case": name, **outcome})
    column.seconds += time.perf_counter() - before


# --- judging -----------------------------------------------------------------------------------------------


def run_cases(
    backends: Sequence[str],
    cases: Sequence[Case],
    required: Sequence[str] = ("numpy",),
    progress: Progress = lambda backend, message: None,
    everyday_on: Sequence[str] = (),
    *,
    quick: Sequence[str] = (),
    case_seconds: float | None = None,
    kept: Kept | None = None,
    compiled: bool = False,
    shuffle: int | None = None,
    placement: str | None = None,
    xfail: Sequence[Deviation] = (),
) -> Run:
    """Run cases on backends, ``compiled`` or as they are, and hold every result against the reference.

    Backends that ``everyday_on`` names get the everyday cases alone: one that compiles takes long for the others. Those
    that ``quick`` names get the quick form of each case. A case gets ``case_seconds`` (``CASE_SECONDS``),
    and then its worker is ended. What ``kept`` has of an earlier run is not run again. With a ``placement`` all arrays
    of the backend that can do it lie so. With ``shuffle``, a seed, every worker gets its cases in random order. What
    ``xfail`` lists must fail, as what is known here must.
    """
    before = time.perf_counter()
    environment = {} if kept is None else kept.environment()
    rows = [*for_placement(placement), *xfail]
    orders = Orders(progress, case_seconds or CASE_SECONDS, quick, environment, compiled, placement, rows)
    columns = [Column(name) for name in backends]
    given, known = {}, {}
    for column in columns:
        chosen = [case for case in cases if case.everyday or column.backend not in everyday_on]
        column.left_out = len(cases) - len(chosen)
        name = column.backend
        to_agree = [case for case in chosen if known_deviation(rows, name, case.name) is None]
        known[name] = {} if kept is None else kept.known(name, to_agree, orders.quick_on(name))
        given[name] = [case.name for case in chosen if case.name not in known[name]]
        if kept is not None and (about := kept.about(name)) is not None:
            column.about = about
    wanted = {name for names in given.values() for name in names}
    given[oracle.NAME] = [case.name for case in cases if case.name in wanted]
    if shuffle is not None:
        for names in given.values():
            random.Random(shuffle).shuffle(names)
    reference = Column(oracle.NAME)
    outcomes, interrupted = _outcomes([reference, *columns], given, orders)
    run = Run(list(cases), columns, reference_problems(reference, cases, outcomes[oracle.NAME]), [], required)
    run.interrupted = interrupted
    for column in columns:
        if column.unavailable is None:
            _judge_all(column, cases, known[column.backend], outcomes, orders)
        if kept is not None:
            _keep(kept, column, cases, orders.quick_on(column.backend))
    ran = {column.backend for column in columns if column.unavailable is None and len(column.verdicts) == len(cases)}
    run.unused_deviations = [
        str(row)
        for row in for_placement(placement)
        if row.backend in ran and not any(matches(row, row.backend, case.name) for case in cases)
    ]
    if kept is not None and not run.reference_problems:
        kept.write()
    run.seconds = time.perf_counter() - before
    return run


def _outcomes(
    columns: Sequence[Column], given: Mapping[str, Sequence[str]], orders: Orders
) -> tuple[dict[str, dict[str, Message]], bool]:
    """What every worker answers, by backend and case; and whether the keyboard ended it."""
    outcomes: dict[str, dict[str, Message]] = {column.backend: {} for column in columns}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = []
        for column in sorted(columns, key=lambda column: -COST.get(column.backend, 1.0)):
            names = given[column.backend]
            share = min(OWN_SHARE.get(column.backend, SHARE), -(-len(names) // AT_ONCE)) or 1
            running += [
                pool.submit(_cases_on, column, names[start : start + share], outcomes[column.backend], orders)
                for start in range(0, len(names), share)
            ]
        try:
            for one in running:
                one.result()
        except KeyboardInterrupt:
            for one in running:
                one.cancel()
            orders.stop()
            return outcomes, True
    return outcomes, False


def _judge_all(
    column: Column,
    cases: Sequence[Case],
    known: Mapping[str, Message],
    outcomes: Mapping[str, Mapping[str, Message]],
    orders: Orders,
) -> None:
    """Fill in the verdicts on all cases that were run, and those that were kept."""
    reference, found = outcomes[oracle.NAME], outcomes[column.backend]
    for case in cases:
        if case.name in known:
            row = known[case.name]
            column.verdicts[case.name] = Verdict(row["status"], row["ulp"], [], 0.0, row["checks"], kept=True)
        elif case.name in found and (case.name in reference or not orders.stopped.is_set()):
            verdict = verdict_on(column, case, found[case.name], reference.get(case.name), orders)
            column.verdicts[case.name] = verdict


def _keep(kept: Kept, column: Column, cases: Sequence[Case], quick: bool) -> None:
    if column.unavailable is None:
        kept.add_about(column.backend, column.about)
    for case in cases:
        verdict = column.verdicts.get(case.name)
        if verdict is not None and verdict.status == "agrees" and not verdict.kept:
            row = {"status": verdict.status, "ulp": verdict.ulp, "checks": verdict.checks}
            kept.add(column.backend, case, quick, row)


def reference_problems(column: Column, cases: Sequence[Case], outcomes: dict[str, Message]) -> list[str]:
    if column.unavailable is not None:
        return [f"the reference cannot run: {column.unavailable}"]
    problems = []
    for case in cases:
        outcome = outcomes.get(case.name)
        if outcome is None:  # kept on every backend, or interrupted
            continue
        if "error" in outcome:
            problems.append(f"{case.name}: {outcome['error']}: {outcome['message']}")
            continue
        for result, literal in case.expected.items():
            encoded = outcome["results"].get(result)
            problem = "there is no such result" if encoded is None else literal_problem(encoded, literal)
            if problem is not None:
                problems.append(f"{case.name}: {result}: {problem}")
    return problems


def verdict_on(column: Column, case: Case, outcome: Message, reference: Message | None, orders: Orders) -> Verdict:
    """What to say of a backend that answered ``outcome``, and its worker ``column.about``."""
    quick = orders.quick_on(column.backend)
    verdict = _judge(column, case, outcome, reference, quick and case.quick is not None)
    if verdict.status in ("agrees", "missing", "differs") and outcome.get("changed"):
        verdict.status = "differs"
        verdict.problems += [f"it changed {change}" for change in outcome["changed"]]
    verdict.seconds = outcome["seconds"]
    known = known_deviation(orders.deviations, column.backend, case.name)
    if known is not None:
        if verdict.fails:
            verdict.status = "deviates"
            verdict.problems.append(f"known: {known.reason}")
        elif verdict.status == "agrees":
            verdict.status = "fixed"
            verdict.problems = [f"agrees, so its row among the known deviations must go ({known.reason})"]
    return verdict


def _judge(column: Column, case: Case, outcome: Message, reference: Message | None, quick: bool) -> Verdict:
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
        if outcome["error"] == BY_VALUES:
            return Verdict("by values")
        return Verdict("missing" if declared else "raised", problems=[text])
    if reference is None or "error" in reference:
        return Verdict("differs", problems=["there is no reference for it"])
    verdict = Verdict("agrees")
    expected = reference["results"]
    if quick:
        expected = {name: value for name, value in expected.items() if case.quickly_has(name)}
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
