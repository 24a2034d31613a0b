"""The Array API standard's own test suite, on every backend.

``python -m unigrad_conformance.array_api CHECKOUT`` takes a checkout of
https://github.com/data-apis/array-api-tests with its submodule, runs it once per backend, each in a process of
its own, and prints what passed beside the target. What fails is known: ``conformance/array_api/NAME.toml`` has
each test that fails, with its reason, and a test that fails without being there, or passes although it is
there, makes the run fail.

The examples that Hypothesis draws are the same in every run (``--derandomize``), so that this can be strict.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unigrad.adapters.registry import get_backend_object

TARGETS = {"numpy": 1356, "torch": 1340, "jax": 1320, "tensorflow": 1300}
"""How many of the suite's 1,388 tests have to pass. MXNet has none: all that its dtypes permit, less the known."""

EXAMPLES = 5
"""How many examples a test draws. JAX compiles each function anew for each shape, and so cannot have many."""

BACKENDS = ("numpy", "torch", "tensorflow", "mxnet", "jax")

_COMPLEX = ("complex64", "complex128")

_KNOWN = Path(__file__).resolve().parents[1] / "array_api"


def known(backend: str) -> dict[str, dict[str, str]]:
    """Tests that do not pass, with reasons: ``fails``, ``unstable`` (with the examples drawn) and ``skips``."""
    path = _KNOWN / f"{backend}.toml"
    found = tomllib.loads(path.read_text()) if path.exists() else {}
    return {kind: found.get(kind, {}) for kind in ("fails", "unstable", "skips")}


def run(checkout: Path, backend: str, examples: int, arguments: list[str]) -> dict[str, Any]:
    """Run the suite on one backend and return what :mod:`array_api_plugin` has counted."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [
            *(sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"),
            *("-p", "unigrad_conformance.array_api_plugin", "--derandomize", "--disable-deadline"),
            *("--max-examples", str(examples), *(arguments or ["array_api_tests"])),
        ]
        environment = {
            **os.environ,
            "ARRAY_API_TESTS_MODULE": f"exec('import unigrad; xp = unigrad.namespace(\"{backend}\")')",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",  # the order of sets decides what is drawn
            # The suite looks for a default complex dtype unless it is told that there is none.
            "ARRAY_API_TESTS_SKIP_DTYPES": ",".join(
                name for name in _COMPLEX if name in get_backend_object(backend).missing
            ),
            "UNIGRAD_ARRAY_API_BACKEND": backend,
            "UNIGRAD_ARRAY_API_RESULT": str(result),
        }
        start = time.perf_counter()
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        found: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {"counts": {}, "failed": {}}
        # A process that a framework ends leaves no result, or only part of one.
        found["crashed"] = done.returncode not in (0, 1)
        found["seconds"] = time.perf_counter() - start
        found["output"] = done.stdout + done.stderr
    return found


def _row(backend: str, found: Mapping[str, Any], whole: bool) -> str:
    counts = found["counts"]
    cells = [f"{counts.get(kind, 0):>8}" for kind in ("passed", "failed", "skipped", "xfailed")]
    target = TARGETS.get(backend)
    verdict = "the process ended early" if found["crashed"] else ""
    if whole and target is not None and not verdict:
        verdict = f"target {target}: {'met' if counts.get('passed', 0) >= target else 'missed'}"
    return f"{backend:<11}{''.join(cells)}{found['seconds']:>8.0f} s  {verdict}"


def main() -> int:
    """The exit status is 0 only if nothing unknown fails and every target is met."""
    parser = argparse.ArgumentParser(prog="python -m unigrad_conformance.array_api", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of array-api-tests, with its submodule")
    parser.add_argument("--backends", nargs="+", default=list(BACKENDS), choices=BACKENDS, metavar="NAME")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help=f"how many each test draws ({EXAMPLES})")
    parser.add_argument("--output", action="store_true", help="print all that pytest says")
    parser.add_argument("--tests", nargs="+", default=[], help="files or ids in the suite; all of it if left out")
    args = parser.parse_args()
    if not (args.checkout / "array_api_tests" / "__init__.py").is_file():
        parser.error(f"{args.checkout} is no checkout of https://github.com/data-apis/array-api-tests")
    wrong = False
    print(f"Array API 2025.12 by its own suite (NumPy {np.__version__})")
    print(f"{'':<11}{'passed':>8}{'failed':>8}{'skipped':>8}{'known':>8}")
    for backend in args.backends:
        found = run(args.checkout.resolve(), backend, args.examples, args.tests)
        print(_row(backend, found, whole=not args.tests), flush=True)
        for test, why in sorted(found["failed"].items()):
            print(f"    {test}  {why}")
        if args.output or found["crashed"]:
            print(found["output"])
        missed = not args.tests and found["counts"].get("passed", 0) < TARGETS.get(backend, 0)
        wrong = wrong or found["crashed"] or bool(found["failed"]) or missed
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
