"""``unigrad conform``."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unigrad.adapters.registry import announced_names
from unigrad.table import PRIMITIVES
from unigrad_conformance import (
    catalogue,
    deviations,
    junit,
    markdown,
    oracle,
    raw_functions,
    report,
    runner,
    training,
    webpage,
)
from unigrad_conformance.kept import Kept
from unigrad_conformance.placing import PLACEMENTS
from unigrad_conformance.processes import CASE_SECONDS
from unigrad_conformance.progress import Progress

FORMATS: dict[str, Callable[[runner.Run], str]] = {
    ".xml": junit.as_xml,
    ".json": lambda run: report.json_text(report.as_json(run)),
    ".md": markdown.as_markdown,
    ".html": webpage.as_html,
}
"""How a report is written, by the end of its file's name."""
UNWRITTEN = 3
INTERRUPTED = 130


class Conform:
    """Run the same programs on every installed backend and compare the results.

    Every case is a small program: an operation with its gradient and second derivative, a recording, a
    mistake. Each backend runs all of them in a process of its own, and every shape, dtype and value is held
    against a reference with 60 digits. The exit status is 0 only if all agree; 1: something does not, or a backend
    that was asked for or is installed cannot be used; 2: a wrong argument; 3: all agree, and a report could not be
    written, which is then printed; 130: interrupted, and what was done by then is reported.

    unigrad conform                             every case on every installed backend
    unigrad conform --verbose                   a row for every operation
    unigrad conform --backend numpy torch       these backends; numpy,torch is the same
    unigrad conform --case seeds                a family of cases ...
    unigrad conform --case 'multiply.*'         ... an operation, or any pattern; several may be given
    unigrad conform --everyday                  one sample of each operation, in one dtype
    unigrad conform --everyday-on jax           only these on one backend, and all cases on the others
    unigrad conform --quick                     these, with fewer transforms on slow backends: minutes
    unigrad conform --shuffle                   in random order, so that no case leans on one before it; prints the seed
    unigrad conform --placement sharded         the cases on JAX with every array over four devices
    unigrad conform --placement dtensor         the cases on PyTorch with every array over two processes
    unigrad conform --placement cuda-0 --backend torch   with every array on that GPU
    unigrad conform --since .conform            not again what agreed there and has not changed since
    unigrad conform --raw sum max --backend torch   raw functions of the adapter by themselves; without names all
    unigrad conform --compiled                  through ug.compile: the samples of operations, natively to the last bit
    unigrad conform --report a.json b.html      also as JSON and as a page; .xml is JUnit's, .md Markdown
    unigrad conform --backend mine --xfail known.toml   what is known to fail, and must
    unigrad conform --train                     train a network everywhere and compare each step's loss
    unigrad conform --train --dtype float64 --activation relu --steps 50
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        several: dict[str, Any] = {"action": "extend", "nargs": "+", "default": []}
        parser.add_argument(
            "--backend", **several, metavar="NAME", help="only these, apart by spaces or commas (repeatable)"
        )
        parser.add_argument(
            "--case", **several, metavar="PATTERN",
            help="only cases whose name, operation or family matches (repeatable): seeds, 'matmul.*', '*.float64'",
        )  # fmt: skip
        parser.add_argument("--everyday", action="store_true", help="one sample of each operation, in one dtype")
        parser.add_argument(
            "--everyday-on", **several, metavar="NAME", help="only these on these backends (repeatable)"
        )
        parser.add_argument(
            "--quick", action="store_true",
            help=f"everyday cases; on {', '.join(runner.SLOW)} without transforms of composed operations and forward "
            "mode at hard points",
        )  # fmt: skip
        parser.add_argument(
            "--shuffle", nargs="?", type=int, const=random.randrange(10**6), metavar="SEED",
            help="in random order, which a SEED makes the same again; a process gets half of the cases",
        )  # fmt: skip
        parser.add_argument(
            "--since", metavar="FOLDER", help="keep results in FOLDER, and do not run again what has not changed"
        )
        parser.add_argument(
            "--case-seconds", type=_positive, metavar="N",
            help=f"how long one case may take before its process is ended ({CASE_SECONDS:.0f})",
        )  # fmt: skip
        parser.add_argument(
            "--xfail", metavar="FILE",
            help="TOML with a table [fails]: patterns of cases that must fail on the backend, each with its reason",
        )  # fmt: skip
        parser.add_argument(
            "--compiled", action="store_true", help="through ug.compile, as far as that can be; not with --since"
        )
        parser.add_argument(
            "--placement",
            choices=PLACEMENTS,
            metavar="WHERE",
            help="sharded: every array over four devices, on JAX alone; dtensor: over two processes, on PyTorch alone; "
            "cuda-0: on that GPU",
        )
        parser.add_argument(
            "--report", **several, metavar="FILE",
            help="write what was found to FILE as well, as its name ends: .xml (JUnit), .json, .md, .html (repeatable)",
        )  # fmt: skip
        parser.add_argument("--verbose", action="store_true", help="a row for every operation, and every failure")
        parser.add_argument(
            "--raw", nargs="*", metavar="PRIMITIVE",
            help="raw functions of the adapter (these, or all) by themselves, beside the native engine's",
        )  # fmt: skip
        parser.add_argument("--train", action="store_true", help="train a network on handwritten digits instead")
        parser.add_argument("--steps", type=_positive, default=200, metavar="N", help="of the training (200)")
        parser.add_argument(
            "--dtype", choices=("float32", "float64"), default="float32", help="of the training (float32)"
        )
        parser.add_argument("--activation", choices=("tanh", "relu"), default="tanh", help="of the network (tanh)")

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status, as the docstring of the class has it."""
        args.backend, args.everyday_on = names_in(args.backend), names_in(args.everyday_on)
        known = known_backends()
        for name in (*args.backend, *args.everyday_on):
            if name not in known:
                return _wrong(unknown_backend(name, known))
        lacking = not_installed("mpmath", "ml_dtypes", *(("sklearn",) if args.train else ()))
        if lacking is not None:
            return _wrong(lacking)
        for pattern in catalogue.unmatched(args.case):
            groups = sorted({name for case in catalogue.all_cases().values() for name in (case.family, case.group)})
            families = ", ".join(dict.fromkeys(case.family for case in catalogue.all_cases().values()))
            return _wrong(f"no case matches {pattern!r}{_guess(pattern, groups)}; the families are {families}")
        for path in args.report:
            kinds = [".json"] if args.train else list(FORMATS)
            if Path(path).suffix not in kinds:
                return _wrong(f"{path!r} says by its end no kind of report that there is here: {', '.join(kinds)}")
        if args.compiled and args.since:
            return _wrong("--compiled keeps no results; leave out --since")
        if args.placement and args.since:
            return _wrong("--since keeps results of one placement only; leave out --since or --placement")
        able = list(PLACEMENTS[args.placement]) if args.placement else known
        for name in args.backend:
            if name not in able:
                return _wrong(f"--placement {args.placement} is for {' and '.join(able)}, not for {name!r}")
        backends = args.backend or [name for name in able if name not in runner.APART]
        if args.xfail and len(backends) > 1:
            return _wrong(f"--xfail is for one backend, not for {', '.join(backends)}; choose it with --backend")
        if args.raw is not None:
            return self._raw(args.raw, backends)
        return self._train(args, backends) if args.train else self._run(args, backends)

    def _raw(self, names: Sequence[str], backends: Sequence[str]) -> int:
        for name in names:
            if name not in PRIMITIVES:
                return _wrong(
                    f"there is no primitive {name!r}{_guess(name, list(PRIMITIVES))}; see 'unigrad primitives'"
                )
        found = [raw_functions.run(backend, names or sorted(PRIMITIVES), _say) for backend in backends]
        return 0 if all(found) else 1

    def _run(self, args: argparse.Namespace, backends: Sequence[str]) -> int:
        cases = catalogue.chosen(args.case, args.everyday or args.quick)
        if args.compiled:
            cases = [case for case in cases if case.compilable is not None]
        everyday = sum(case.everyday for case in cases)
        totals = {name: everyday if name in args.everyday_on else len(cases) for name in (oracle.NAME, *backends)}
        progress = Progress(totals, lambda name: runner.COST.get(name, 1.0))
        found = runner.run_cases(
            backends, cases, args.backend or ("numpy",), progress, args.everyday_on,
            quick=runner.SLOW if args.quick else (),
            case_seconds=args.case_seconds,
            kept=Kept(args.since) if args.since else None,
            compiled=args.compiled,
            shuffle=args.shuffle,
            placement=args.placement,
            xfail=deviations.read(Path(args.xfail), backends[0], catalogue.all_cases()) if args.xfail else (),
        )  # fmt: skip
        progress.wipe()
        print(report.as_text(found, args.verbose))
        if args.shuffle is not None:
            print(f"In random order; --shuffle {args.shuffle} is the same again.")
        if found.interrupted:
            status = INTERRUPTED
        else:
            status = 0 if found.ok else 1
        written = [report.written(path, FORMATS[Path(path).suffix](found)) for path in args.report]
        return status if all(written) else status or UNWRITTEN

    def _train(self, args: argparse.Namespace, backends: Sequence[str]) -> int:
        progress = Progress(dict.fromkeys(backends, args.steps))
        found = training.run(backends, args.steps, args.dtype, args.activation, progress)
        progress.wipe()
        print(training.as_text(found, args.steps, args.dtype, args.activation))
        orders = {"steps": args.steps, "dtype": args.dtype, "activation": args.activation}
        text = report.json_text(training.as_json(found, **orders))
        written = [report.written(path, text) for path in args.report]
        if not all(written):
            return UNWRITTEN
        required = args.backend or ["numpy"]
        ran = [one for one in found if one.unavailable is None or one.backend in required]
        return 0 if ran and all(training.agrees(one) for one in ran) else 1


def names_in(given: Sequence[str]) -> list[str]:
    """The names in arguments that may hold several, apart by commas; each once."""
    return list(dict.fromkeys(name for text in given for name in text.split(",") if name))


def known_backends() -> list[str]:
    """The names of all backends but the reference; no adapter is imported, since one may end or hang who does."""
    return [name for name in announced_names() if name != oracle.NAME]


def unknown_backend(name: str, known: Sequence[str]) -> str:
    """What to say of a backend that there is not."""
    return f"there is no backend {name!r}{_guess(name, known)}; the known ones are {', '.join(known)}"


def not_installed(*modules: str) -> str | None:
    """What to say where modules that the suite needs are not installed; None if all are."""
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"this needs {', '.join(absent)}; install it with: pip install 'unigrad[conformance]'" if absent else None


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too few; use 1 or more")
    return value


def _guess(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _wrong(text: str) -> int:
    print(f"unigrad conform: {text}", file=sys.stderr)
    return 2


def _say(line: str) -> None:
    print(line, flush=True)


conform = Conform()
