"""``pytest --unigrad-backend mine``: every case is a test.

pytest finds this module by its entry point in every run, so that nothing but pytest may be imported here until a
backend is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

CASES = pytest.StashKey[Any]()
"""The :class:`unigrad_conformance.pytest_cases.Cases` of a run that asked for them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, each with ``unigrad`` in its name."""
    group = parser.getgroup("unigrad", "conformance of a backend of unigrad")
    group.addoption(
        "--unigrad-backend", action="append", default=[], metavar="NAME",
        help="run every case of unigrad's conformance suite on this backend (repeatable)",
    )  # fmt: skip
    group.addoption(
        "--unigrad-xfail", metavar="FILE",
        help="TOML with a table [fails]: patterns of cases that must fail, each with its reason",
    )  # fmt: skip
    group.addoption(
        "--unigrad-case-seconds", type=float, metavar="N", help="how long one case may take before its process is ended"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the cases, if any are asked for."""
    if config.option.unigrad_backend:
        cases = importlib.import_module("unigrad_conformance.pytest_cases").Cases(config)
        config.stash[CASES] = cases
        config.add_cleanup(cases.close)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Add the cases to what a session collects."""
    report = yield
    if isinstance(collector, pytest.Session) and CASES in collector.config.stash and report.passed:
        report.result += collector.config.stash[CASES].collectors(collector)
    return report
