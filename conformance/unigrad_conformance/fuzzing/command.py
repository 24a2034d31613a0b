"""``unigrad fuzz``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import unigrad as ug
from unigrad.adapters.registry import get_backend_object
from unigrad_conformance.command import known_backends, names_in, unknown_backend
from unigrad_conformance.fuzzing import misuse
from unigrad_conformance.fuzzing.checking import Failure, disagreements
from unigrad_conformance.fuzzing.drawing import draw
from unigrad_conformance.fuzzing.program import FormatError, Program, from_data
from unigrad_conformance.fuzzing.shrinking import shrunk
from unigrad_conformance.progress import Progress

CORPUS = Path(__file__).parent / "corpus.json"
"""Programs that failed once, each with the backends on which it still does."""


TOGETHER = 4
"""How many programs of misuse run in threads at the same time, after each by itself."""


class Fuzz:
    """Run random gradient programs on backends and hold them against arithmetic of 60 digits.

    Each program has a seed, from which it is drawn again: a few inputs, often at kinks and ties, and steps over the
    table of operations. Its values and gradients by backward, by create_graph, by vmap of vjp and by jvp must be those
    of the reference, within a bound that follows from how the program passes rounding on. What fails is made as small
    as it can be and printed as a program that stands alone. The exit status is 0 if nothing fails, 1 if something does,
    2 for a wrong argument.

    unigrad fuzz --programs 1000                        on NumPy's engine
    unigrad fuzz --backend numpy torch --seed 5000      from seed 5000 on
    unigrad fuzz --programs 1 --seed 696 --backend torch   one program again
    unigrad fuzz --corpus                               the programs that failed once
    unigrad fuzz --misuse --backend numpy torch         random orders of record, backward, writes, errors, threads
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--programs", type=int, default=200, metavar="N", help="how many (200)")
        parser.add_argument(
            "--seed", type=int, default=0, metavar="S", help="that of the first; the others follow it (0)"
        )
        parser.add_argument("--steps", type=int, default=8, metavar="K", help="how many steps each has (8)")
        parser.add_argument("--backend", nargs="+", default=["numpy"], metavar="NAME", help="on these (numpy)")
        parser.add_argument("--corpus", nargs="?", const=str(CORPUS), metavar="FILE", help="programs of a file instead")

        parser.add_argument(
            "--misuse", action="store_true", help="programs that use recording in any order, held against a model of it"
        )

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status."""
        if importlib.util.find_spec("mpmath") is None:
            return _wrong("this needs mpmath; install it with: pip install mpmath")
        backends, known = names_in(args.backend), known_backends()
        for name in backends:
            if name not in known:
                return _wrong(unknown_backend(name, known))
            try:
                get_backend_object(name)
            except ug.BackendError as error:
                return _wrong(str(error))
        if min(args.programs, args.steps) < 1:
            return _wrong(f"{args.programs} programs of {args.steps} steps are none; use 1 or more")
        if args.misuse:
            return self._misuse(args, backends)
        if args.corpus is not None:
            return self._corpus(args.corpus, backends)
        return self._random(args, backends)

    def _random(self, args: argparse.Namespace, backends: Sequence[str]) -> int:
        progress = Progress({"programs": args.programs})
        began, failed, unknown = time.perf_counter(), 0, 0
        ran = 0
        try:
            for seed in range(args.seed, args.seed + args.programs):
                found = checked(draw(seed, args.steps), backends)
                ran += 1
                progress("programs")
                unknown += found is None
                if found:
                    failed += 1
                    progress.wipe()
                    print(f"seed {seed}:\n{explained(draw(seed, args.steps), found, backends)}\n", flush=True)
        except KeyboardInterrupt:
            print("INTERRUPTED: this is what was done by then.")
        progress.wipe()
        seconds = time.perf_counter() - began
        print(
            f"{ran} programs on {', '.join(backends)}: {failed} fail, {unknown} that the reference cannot run; "
            f"{ran / seconds:.1f} a second"
        )
        return 1 if failed or ran < args.programs else 0

    def _misuse(self, args: argparse.Namespace, backends: Sequence[str]) -> int:
        progress = Progress(dict.fromkeys(backends, args.programs))
        failed, ran, began = 0, 0, time.perf_counter()

        def tell(seeds: str, text: str) -> None:
            nonlocal failed
            failed += 1
            progress.wipe()
            print(f"{seeds}:\n{text}\n", flush=True)

        try:
            for backend in backends:
                with ug.use_backend(backend):
                    held = misuse.nodes()
                    for first in range(args.seed, args.seed + args.programs, TOGETHER):
                        seeds = range(first, min(first + TOGETHER, args.seed + args.programs))
                        bodies = [misuse.draw(seed) for seed in seeds]
                        for seed, body in zip(seeds, bodies, strict=True):
                            if misuse.problem(body) is not None:
                                small = misuse.shrunk(body, lambda each: misuse.problem(each) is not None)
                                text = f"{misuse.source(small, backend)}\n# {backend}: {misuse.problem(small)}"
                                tell(f"seed {seed}", text)
                            ran += 1
                            progress(backend)
                        for seed, problem in zip(seeds, misuse.together(bodies), strict=True):
                            if problem is not None:
                                tell(
                                    f"seeds {seeds[0]} to {seeds[-1]} at once",
                                    f"# {backend}, in seed {seed}: {problem}",
                                )
                    left = misuse.nodes() - held
                    if left:
                        tell("at the end", f"# {backend}: {left} nodes of the graph are left")
        except KeyboardInterrupt:
            print("INTERRUPTED: this is what was done by then.")
        progress.wipe()
        rate = ran / (time.perf_counter() - began)
        print(f"{ran} programs of misuse on {', '.join(backends)}: {failed} fail; {rate:.1f} a second")
        return 1 if failed or ran < args.programs * len(backends) else 0

    def _corpus(self, path: str, backends: Sequence[str]) -> int:
        try:
            rows = corpus(path)
        except (OSError, ValueError) as error:
            return _wrong(f"{path}: {error}")
        wrong = 0
        for why, program, expected in rows:
            fails = {failure.backend for failure in checked(program, backends) or []}
            known = fails == expected & set(backends)
            wrong += not known
            state = f"fails on {', '.join(sorted(fails))}" if fails else "agrees"
            print(f"{state}{'' if known else ', and was not known to'}: {why}")
        print(f"{len(rows)} programs, {wrong} not as they are known")
        return 1 if wrong else 0


def corpus(path: str) -> list[tuple[str, Program, set[str]]]:
    """Of each program of a file: why it is there, itself, and where it is known to fail."""
    rows = json.loads(Path(path).read_text())
    try:
        return [(row["why"], from_data(row["program"]), set(row["fails"])) for row in rows]
    except FormatError:
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"no list of programs ({type(error).__name__}: {error})") from None


def checked(program: Program, backends: Sequence[str]) -> list[Failure] | None:
    """What fails; None where the reference cannot run the program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hard points are the purpose here
        return disagreements(program, backends)


def explained(program: Program, found: Sequence[Failure], backends: Sequence[str]) -> str:
    """The smallest program that fails on the backend that failed first, and what each backend says of it."""
    backend = found[0].backend
    small = shrunk(program, lambda smaller: bool(checked(smaller, [backend])))
    said = [f"# {failure}" for failure in checked(small, backends) or []]
    rest = [f"# {name}: as the reference" for name in backends if not any(f"# {name}," in line for line in said)]
    return "\n".join([small.source(backend), *said, *rest, f"# {json.dumps(small.as_data())}"])


def _wrong(text: Any) -> int:
    print(f"unigrad fuzz: {text}", file=sys.stderr)
    return 2


fuzz = Fuzz()
