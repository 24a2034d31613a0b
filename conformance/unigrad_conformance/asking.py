"""Cases asked for one at a time, for who decides after each what is next: pytest, and the author of an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from unigrad_conformance import oracle, runner
from unigrad_conformance.case import Case
from unigrad_conformance.deviations import Deviation, for_placement
from unigrad_conformance.processes import CASE_SECONDS, Message
from unigrad_conformance.runner import Asked, Column, Orders, Verdict


class Asking:
    """Backends and the reference, each in a process of its own, and the verdicts on what they answer."""

    def __init__(
        self, backends: Sequence[str], case_seconds: float | None = None, xfail: Sequence[Deviation] = ()
    ) -> None:
        seconds = case_seconds or CASE_SECONDS
        rows = [*for_placement(None), *xfail]
        self._orders = Orders(lambda backend, message: None, seconds, runner.COMPILING, {}, deviations=rows)
        self._reference = Asked(Column(oracle.NAME), self._orders)
        self._asked = {name: Asked(Column(name), self._orders) for name in backends}
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
        asked.ask(case.name)
        if not known:
            self._reference.ask(case.name)
            self._exact = case.name, self._reference.outcome()
        outcome = asked.outcome()
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
