"""The cases as pytest has them: a collector for each family of cases on each backend, and an item for each case."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from unigrad.base.errors import ArgumentError
from unigrad_conformance import catalogue
from unigrad_conformance.asking import Asking
from unigrad_conformance.case import Case
from unigrad_conformance.command import known_backends, names_in, not_installed, unknown_backend
from unigrad_conformance.deviations import Deviation, for_placement, known_deviation, read

ROOT = "unigrad"
"""What the id of each test begins with: ``unigrad/mine/seeds::seeds.dot_gradient``."""


class Cases:
    """What a run with ``--unigrad-backend`` asks for."""

    def __init__(self, config: pytest.Config) -> None:
        option, known = config.option, known_backends()
        self.backends = names_in(option.unigrad_backend)
        lacking = not_installed("mpmath", "ml_dtypes")
        if lacking is not None:
            raise pytest.UsageError(lacking)
        for name in self.backends:
            if name not in known:
                raise pytest.UsageError(unknown_backend(name, known))
        self.rows = [*for_placement(None), *_rows(config, self.backends)]
        self.families = catalogue.by_family(catalogue.all_cases().values())
        config.addinivalue_line("markers", "unigrad: a case of unigrad's conformance suite")
        config.addinivalue_line("markers", "unigrad_everyday: one for every day: a sample of each operation, programs")
        for family in self.families:
            config.addinivalue_line("markers", f"unigrad_{family}: a case of the family {family}")
        self.chosen = self._taken(config)
        self.asking = Asking(self.backends, option.unigrad_case_seconds, self.rows)
        self.told: set[str] = set()
        """The backends that cannot be used, after a failure has said so."""

    def _taken(self, config: pytest.Config) -> list[str]:
        """The ids of cases and families among the arguments, which are taken out of them."""
        option = config.option
        if not hasattr(option, "unigrad_taken"):  # which the workers of pytest-xdist get with the other options
            begins = tuple(f"{ROOT}/{name}/" for name in self.backends)
            taken = [arg for arg in config.args if arg.startswith(begins) and not Path(arg.partition("::")[0]).exists()]
            option.unigrad_taken = taken, [arg for arg in config.args if arg not in taken]
        taken, config.args[:] = option.unigrad_taken
        known = {id_ for name in self.backends for id_ in self._ids(name)}
        for arg in taken:
            if arg not in known:
                near = [f"; did you mean {id_!r}?" for id_ in difflib.get_close_matches(arg, known, 1)]
                raise pytest.UsageError(f"there is no case {arg!r}{''.join(near)}")
        return list(taken)

    def _ids(self, backend: str) -> Iterable[str]:
        for family, cases in self.families.items():
            yield f"{ROOT}/{backend}/{family}"
            yield from (f"{ROOT}/{backend}/{family}::{case.name}" for case in cases)

    def collectors(self, session: pytest.Session) -> list[Family]:
        """One for each family on each backend; where ids are given, of what these name alone."""
        made = []
        for backend in self.backends:
            for family, cases in self.families.items():
                nodeid = f"{ROOT}/{backend}/{family}"
                if self.chosen and nodeid not in self.chosen:
                    cases = [case for case in cases if f"{nodeid}::{case.name}" in self.chosen]
                if cases:
                    told = {"backend": backend, "cases": cases, "of": self}
                    made.append(Family.from_parent(session, name=nodeid, nodeid=nodeid, **told))
        return made

    def close(self) -> None:
        """End all workers."""
        self.asking.close()


def _rows(config: pytest.Config, backends: list[str]) -> list[Deviation]:
    given = config.option.unigrad_xfail
    if given is None:
        return []
    if len(backends) > 1:
        raise pytest.UsageError(f"--unigrad-xfail is for one backend, not for {', '.join(backends)}")
    # Relative to where pytest was called, or, in a project's settings, to the project.
    here = config.invocation_params.dir / given
    try:
        return read(here if here.exists() else config.rootpath / given, backends[0], catalogue.all_cases())
    except ArgumentError as error:
        raise pytest.UsageError(str(error)) from None


class Disagrees(Exception):
    """What a case that fails says; no traceback, since none leads to the backend's process."""


class Family(pytest.Collector):
    """A family of cases on one backend."""

    def __init__(self, *, backend: str, cases: list[Case], of: Cases, **node: Any) -> None:
        super().__init__(**node)
        self.backend, self.cases, self.of = backend, cases, of
        self.add_marker("unigrad")
        self.add_marker(f"unigrad_{cases[0].family}")

    def collect(self) -> Iterable[Item]:
        """Its cases."""
        for case in self.cases:
            yield Item.from_parent(self, name=case.name, case=case)


class Item(pytest.Item):
    """A case on one backend."""

    parent: Family

    def __init__(self, *, case: Case, **node: Any) -> None:
        super().__init__(**node)
        self.case = case
        if case.everyday:
            self.add_marker("unigrad_everyday")
        row = known_deviation(self.parent.of.rows, self.parent.backend, case.name)
        if row is not None:
            self.add_marker(pytest.mark.xfail(reason=row.reason, raises=Disagrees, strict=True))

    def runtest(self) -> None:
        """Ask the backend's process and the reference's."""
        cases, backend = self.parent.of, self.parent.backend
        verdict = cases.asking.verdict(backend, self.case)
        column = cases.asking.column(backend)
        if verdict is None and backend in cases.told:
            pytest.skip(f"{backend} cannot be used, as the first case says")
        if verdict is None:
            cases.told.add(backend)
            pytest.fail(f"{backend} cannot be used: {column.unavailable}", pytrace=False)
        if verdict.status == "missing":
            pytest.skip("; ".join(verdict.problems) or f"{self.case.needs}: {column.missing[str(self.case.needs)]}")
        if verdict.status not in ("agrees", "fixed"):  # pytest itself says that what is fixed was to fail
            again = f"again: unigrad conform --verbose --backend {backend} --case {self.case.name}"
            raise Disagrees("\n".join([self.case.why, f"{verdict.status}:", *verdict.problems, again]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problems alone."""
        return str(excinfo.value) if isinstance(excinfo.value, Disagrees) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """A case has no line of its own; the heading of its failure."""
        return self.path, None, f"{self.name} on {self.parent.backend}"
