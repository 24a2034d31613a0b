"""Cases asked for one at a time, for who decides after each what is next: pytest, and the author of an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from unigrad_conformance import oracle, runner
from unigrad_conformance.case import Case
from unigrad_conformance.deviations import Deviation, for_placement
from unigrad_conformance.processes import CASE_SECONDS, LOADING_SECONDS, Message, Worker
from unigrad_conformance.runner import Column, Orders, Verdict


class Asked:
    """One backend's worker, which is started when the first case is asked for, and anew after each that ended it."""

    def __init__(self, backend: str, case_seconds: float) -> None:
        self.column = Column(backend)
        self._case_seconds = case_seconds
        self._worker: Worker | None = None
        self._patience = 0.0

    def ask(self, case: Case) -> None:
        """Give it the case; :meth:`outcome` has what becomes of it."""
        if self.column.unavailable is None:
            if self._worker is None:
                self._worker = Worker(self.column.backend, {"quick": self.column.backend in runner.COMPILING})
                self._patience = max(self._case_seconds, LOADING_SECONDS)
            self._worker.tell(case.name)

    def outcome(self, case: Case) -> Message | None:
        """What became of the case that it was given; None if the backend cannot be used."""
        started = False
        while self._worker is not None:
            message = self._worker.message(self._patience)
            kind = message["kind"]
            if kind == "ready":
                self.column.about = {key: value for key, value in message.items() if key != "kind"}
            elif kind == "start":
                started = True
            elif kind == "case":
                self._patience = self._case_seconds
                return message
            else:
                self.close()
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


class Asking:
    """Backends and the reference, each in a process of its own, and the verdicts on what they answer."""

    def __init__(
        self, backends: Sequence[str], case_seconds: float | None = None, xfail: Sequence[Deviation] = ()
    ) -> None:
        seconds = case_seconds or CASE_SECONDS
        rows = [*for_placement(None), *xfail]
        self._orders = Orders(lambda backend, message: None, seconds, True, {}, deviations=rows)
        self._reference = Asked(oracle.NAME, seconds)
        self._asked = {name: Asked(name, seconds) for name in backends}
        self._exact: tuple[str, Message | None] = ("", None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def column(self, backend: str) -> Column:
        """What is known of a backend."""
        return self._asked[backend].column

    def verdict(self, backend: str, case: Case) -> Verdict | None:
        """What the backend makes of the case; None if it cannot be used, as its column then says."""
        asked, known = self._asked[backend], self._exact[0] == case.name
        asked.ask(case)
        if not known:
            self._reference.ask(case)
            self._exact = case.name, self._reference.outcome(case)
        outcome = asked.outcome(case)
        if outcome is None:
            return None
        exact = self._exact[1]
        wrong = runner.reference_problems(self._reference.column, [case], {} if exact is None else {case.name: exact})
        if wrong:
            return Verdict("differs", problems=wrong)
        return runner.verdict_on(asked.column, case, outcome, exact, self._orders)

    def close(self) -> None:
        """End all workers."""
        for asked in (self._reference, *self._asked.values()):
            asked.close()
