"""A pytest plugin for the standard's suite: marks what is known to fail, and counts. See :mod:`array_api`."""

from __future__ import annotations

import builtins
import copy
import importlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from unigrad.adapters.registry import get_backend_object
from unigrad_conformance.array_api import known

_BACKEND = os.environ["UNIGRAD_ARRAY_API_BACKEND"]
_results: dict[str, str] = {}
_failed: dict[str, str] = {}


def _import_without_complex() -> None:
    """The suite takes the widest complex dtype as it is imported; where there is none, that is None."""
    real = builtins.max

    def widest(*args: Any, **options: Any) -> Any:
        return real(*args, **options) if args != ([],) else (None, 0)

    builtins.max = widest  # type: ignore[assignment]
    try:
        importlib.import_module("array_api_tests.dtype_helpers")
    finally:
        builtins.max = real


_no_complex = get_backend_object(_BACKEND).missing.get("complex64")
if _no_complex:
    _import_without_complex()


# Hypothesis also draws the numbers that it finds in the source of the modules under test, so that the examples
# would change with every line of unigrad.
_no_constants = copy.deepcopy(providers._local_constants)
providers._get_local_constants = lambda: _no_constants


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """After the suite has loaded its own settings.

    None that depends on how busy the machine is, and no search for the smallest example of a failure, which takes
    longer than all the tests that pass.
    """
    hypothesis.settings.register_profile(
        "unigrad",
        parent=hypothesis.settings.get_profile("array-api-tests"),
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.load_profile("unigrad")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is known. An entry without its brackets stands for all parameters of a test."""
    listed = known(_BACKEND)
    matched = set()
    for item in items:
        test = _short(item.nodeid)
        if _no_complex and ("real(x_i)" in test or "imag(x_i)" in test):
            item.add_marker(pytest.mark.skip(reason=_no_complex))
        for name in (test, test.partition("[")[0]):
            for kind, entries in listed.items():
                if name in entries:
                    matched.add(name)
                    item.add_marker(_mark(kind, entries[name]))
    collected = {_short(item.nodeid).partition("::")[0] for item in items}
    unknown = {
        name for entries in listed.values() for name in entries if name.partition("::")[0] in collected
    } - matched
    if unknown and not config.option.keyword and not any("::" in argument for argument in config.args):
        raise pytest.UsageError(f"the suite has no such tests: {', '.join(sorted(unknown))}")


def _mark(kind: str, reason: str) -> pytest.MarkDecorator:
    if kind == "skips":
        return pytest.mark.skip(reason=reason)
    return pytest.mark.xfail(reason=reason, strict=kind == "fails")


def _short(nodeid: str) -> str:
    return nodeid.removeprefix("array_api_tests/")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """The outcome of each test, and the last line of what is wrong with it."""
    test = _short(report.nodeid)
    if report.when == "call" or report.outcome != "passed":
        outcome = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
        _results[test] = outcome
        if outcome == "failed":
            crash = getattr(report.longrepr, "reprcrash", None)
            message = crash.message if crash is not None else str(report.longrepr)
            _failed[test] = message.strip().partition("\n")[0][:300]
    # After each, since a framework may end the process.
    if report.when == "teardown":
        _write()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The last word."""
    _write()


def _write() -> None:
    result = {"counts": Counter(_results.values()), "failed": _failed}
    Path(os.environ["UNIGRAD_ARRAY_API_RESULT"]).write_text(json.dumps(result))
