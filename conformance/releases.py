"""The everyday cases and the fast tests on other releases than the pinned ones: ``make test-oldest``, ``test-newest``;
and the everyday cases on backends that are in no other environment: ``make conform-extra``.

Each framework gets an environment of its own, with NumPy and without the others, so that one failure hides no other.
The oldest releases are the lower ends of the ranges in ``pyproject.toml``, the newest what pip finds for this Python;
with the newest there is an environment of all together as well. What is made lies in ``.releases/`` and is used again.

    python conformance/releases.py oldest
    python conformance/releases.py newest --only torch --only jax
    python conformance/releases.py extra --only mlx

On Linux the releases of PyTorch on PyPI are CUDA builds of several GB. Runs without any package but the standard
library, under each Python that is supported; the exit status is 0 only if everything agreed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".releases"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
FRAMEWORKS = ("numpy", "torch", "tensorflow", "jax", "mxnet", "dask")
EXTRA = ("mlx", "paddle")
"""Those that ``make conform`` does not install. Of these the newest release is tried, and the cases alone."""
TOGETHER = "together"
TOOLS = (
    *("pytest", "pytest-xdist", "hypothesis", "array-api-strict", "einops", "jsonschema"),
    *EXTRAS["conformance"],
)
FAST = ("-k", "core and not vmap or pairs")
"""Of the tests: the core on whatever is installed, and pairs of frameworks in one process."""
LEFT_OUT = ("--ignore=conformance/tests/test_ecosystem.py", "--ignore=conformance/tests/test_notebooks.py")
"""Files that cannot be imported without all the libraries that they are about."""


@dataclass
class Row:
    """What one environment showed."""

    environment: str
    versions: str = "-"
    cases: str = "-"
    tests: str = "-"
    ok: bool = False
    seconds: float = 0.0


def requirements(end: str, framework: str) -> list[str]:
    """What to install for NumPy and one framework, or for all together, as pip reads it."""
    # Of all together the extra says which there are for this Python. MXNet is installed without what it asks for.
    frameworks = ("torch", "jax", "dask") if framework == TOGETHER else (framework,)
    named = [one for name in frameworks if name in EXTRAS and name != "mxnet" for one in EXTRAS[name]]
    if framework == TOGETHER:
        named += [one for one in EXTRAS["all"] if not one.startswith("unigrad")]
    ranges = [*PROJECT["dependencies"], *named]
    return [re.sub(">=", "==", one, count=1) for one in ranges] if end == "oldest" else ranges


def made(end: str, framework: str) -> Path:
    """The Python of the environment, made or brought up to date."""
    folder = FOLDER / f"{end}-{framework}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    newest = [] if end == "oldest" else ["--upgrade", "--upgrade-strategy", "eager"]
    subprocess.run([*install, *newest, *requirements(end, framework), *TOOLS], check=True)
    bare = EXTRAS["mxnet"] if framework in ("mxnet", TOGETHER) else []
    subprocess.run([*install, "--no-deps", *bare, "--editable", str(ROOT)], check=True)
    return python


def tried(end: str, framework: str) -> Row:
    """Run the everyday cases and the fast tests on one framework, or the tests alone on all together; of the extra ones
    the cases alone."""
    before = time.perf_counter()
    row = Row(f"{end} {framework}")
    try:
        python = made(end, framework)
    except subprocess.CalledProcessError as error:
        row.versions = f"pip ended with {error.returncode}"
        return row
    if framework == TOGETHER:
        backends = FRAMEWORKS
    else:
        backends = (framework,) if end == "extra" else tuple(dict.fromkeys(("numpy", framework)))
    report = python.parents[1] / "report.json"
    report.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # JAX compiles each of some thousand small programs, three times as fast without optimisation. Of the flags that
    # `make conform` gives it alone this one is known to every release: one that is not known ends the process.
    environment.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    if framework != TOGETHER:
        environment["UNIGRAD_ONE_FRAMEWORK"] = "1"  # the tests that need another are left out
    named = [word for name in backends for word in ("--backend", name)]
    conform = subprocess.run(
        [python, "-m", "unigrad.cli", "conform", "--everyday", *named, "--report", report], cwd=ROOT, env=environment
    )
    failed = conform.returncode != 0
    if end != "extra":
        failed = _tests(row, python, environment) or failed
    if report.exists():
        columns = json.loads(report.read_text())["backends"]
        row.versions = " ".join(f"{one['backend']} {one['version'] or one['unavailable']}" for one in columns)
        row.cases = ", ".join(f"{one['backend']} {one['failing']} of {one['cases']} fail" for one in columns)
    row.ok = not failed
    row.seconds = time.perf_counter() - before
    return row


def _tests(row: Row, python: Path, environment: dict[str, str]) -> bool:
    """Whether one of the fast tests fails."""
    tests = subprocess.run(
        [python, "-m", "pytest", "--quiet", "--numprocesses", "2", "-p", "no:cacheprovider", *FAST, *LEFT_OUT],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    print(tests.stdout)
    row.tests = next((line.strip("= ") for line in reversed(tests.stdout.splitlines()) if " in " in line), "none ran")
    return tests.returncode != 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Try each environment and print a row for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("end", choices=("oldest", "newest", "extra"))
    parser.add_argument("--only", action="append", metavar="NAME", help="repeat it for more")
    args = parser.parse_args(arguments)
    known = EXTRA if args.end == "extra" else (*FRAMEWORKS, TOGETHER)
    unknown = [name for name in args.only or () if name not in known]
    if unknown:
        parser.error(f"{args.end} has no {', '.join(unknown)}; --only is one of {', '.join(known)}")
    chosen = args.only or [name for name in known if name != TOGETHER or args.end == "newest"]
    rows = []
    for framework in chosen:
        rows.append(tried(args.end, framework))
        print(f"\n{rows[-1]}\n", flush=True)
    print(f"Python {sys.version.split()[0]}")
    for row in rows:
        print(f"{'ok  ' if row.ok else 'FAIL'} {row.environment:<18} {row.versions}")
        print(f"{'':<23} {row.seconds:.0f} s; everyday cases: {row.cases}; tests: {row.tests}")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
