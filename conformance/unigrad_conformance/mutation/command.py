"""``unigrad mutate``."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.adapters.registry import get_backend_object
from unigrad_conformance import catalogue, oracle
from unigrad_conformance import report as reports
from unigrad_conformance.mutation.faults import Mutant, caches_now, chosen, elsewhere, equivalent, functions_now
from unigrad_conformance.mutation.killing import (
    SUITES,
    Fate,
    Job,
    Near,
    Trial,
    case_trial,
    forked,
    noted,
    program_trials,
    searched,
)
from unigrad_conformance.mutation.report import Findings, as_json, as_markdown
from unigrad_conformance.progress import Progress

BACKENDS = ("numpy", "torch")
"""Those that can be forked. The others compile what they have seen, and run threads, which a fork does not have."""
GOAL = 0.98


class Mutate:
    """Put faults into unigrad, one at a time, and count which of them the suite and the fuzzer find.

    A fault is one place of a rule, of the engine or of the backend's adapter that is written otherwise: a sign, a
    factor, a conjugate forgotten, an axis off by one, a tie given to one side. Each is tried in a forked process, on
    the cases and random programs that go through its line. The exit status is 0 if the suite finds 98 % of those that
    change an answer, 1 if not, 2 for a wrong argument, 3 if a report could not be written, 130 if interrupted.

    unigrad mutate                                  600 mutants on NumPy's engine
    unigrad mutate --mutants 100 --seed 3           others
    unigrad mutate --only conjugate                 those with a word in their name: a file, a function, a kind
    unigrad mutate --backend torch --only unigrad_torch   of PyTorch's adapter
    unigrad mutate --case 'tanh*' --only tanh       with some cases alone
    unigrad mutate --json found.json --markdown found.md
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        several: dict[str, Any] = {"action": "extend", "nargs": "+", "default": []}
        parser.add_argument("--mutants", type=int, default=600, metavar="N", help="how many (600)")
        parser.add_argument("--seed", type=int, default=0, metavar="S", help="which are chosen (0)")
        parser.add_argument("--only", **several, metavar="TEXT", help="only those with this in their name (repeatable)")
        parser.add_argument("--backend", default="numpy", metavar="NAME", help="numpy or torch (numpy)")
        parser.add_argument("--case", **several, metavar="PATTERN", help="only these cases (repeatable)")
        parser.add_argument("--everyday", action="store_true", help="the everyday cases alone")
        parser.add_argument("--programs", type=int, default=300, metavar="N", help="how many random programs (300)")
        parser.add_argument(
            "--seconds", type=float, default=300.0, help="for one mutant and the cases, or the programs (300)"
        )
        parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many at once (2)")
        parser.add_argument("--json", metavar="FILE", help="write every mutant with what found it")
        parser.add_argument("--markdown", metavar="FILE", help="write the tables and the survivors")

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status."""
        if args.backend not in BACKENDS:
            return _wrong(f"mutants run on {' or '.join(BACKENDS)}, not on {args.backend!r}, which cannot be forked")
        if min(args.mutants, args.jobs) < 1 or args.programs < 0 or args.seconds <= 0:
            return _wrong("--mutants, --jobs and --seconds must be above 0, and --programs not below")
        for pattern in catalogue.unmatched(args.case):
            return _wrong(f"no case matches {pattern!r}; 'unigrad conform --case {pattern}' says which there are")
        if importlib.util.find_spec("mpmath") is None:
            return _wrong("this needs mpmath; install it with: pip install mpmath")
        try:
            get_backend_object(args.backend)
        except ug.BackendError as error:
            return _wrong(str(error))
        oracle.register()  # the second backend of cases that cross to another
        mutants = chosen(args.backend, args.mutants, args.seed, args.only)
        if not mutants:
            return _wrong(f"no mutant has {' or '.join(map(repr, args.only))} in its name")
        found = _tried(mutants, args)
        text = as_markdown(found)
        print(text)
        written = [
            reports.written(path, content)
            for path, content in ((args.json, as_json(found)), (args.markdown, text))
            if path
        ]
        if found.interrupted:
            return 130
        return (0 if found.share >= GOAL and not found.wrongly_equivalent else 1) or (0 if all(written) else 3)


class _Hunt:
    """A run: the mutants, and what became of them."""

    def __init__(self, mutants: Sequence[Mutant], args: argparse.Namespace) -> None:
        self.args = args
        self.fates = {mutant.name: Fate(mutant) for mutant in mutants}
        self.done: dict[str, Fate] = {}
        self.unsteady: list[str] = []
        self.counts = {"cases": 0, "fuzz": 0}
        self.caches = caches_now()

    def tier(self, kind: str, trials: Sequence[Trial], fates: Sequence[Fate]) -> None:
        """Run trials as they are, and then the mutants on those that go through their lines."""
        mutants = [fate.mutant for fate in fates]
        wanted = {(mutant.path, old.co_firstlineno) for mutant in mutants for old, _ in mutant.changed}
        progress = Progress({"as it is": len(trials), "mutants": len(mutants)}, lambda name: 1.0)
        good = []
        with ug.use_backend(self.args.backend), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trial in trials:
                if noted(trial, wanted, self.caches) is None:
                    good.append(trial)
                else:
                    self.unsteady.append(trial.name)
                progress("as it is")
        near = Near(good)
        given = {mutant.name: near.to(mutant) for mutant in mutants}
        used = list(dict.fromkeys(trial for some in given.values() for trial in some))
        left_out = set(self._unsteady(used))
        self.unsteady += sorted(left_out)
        self.counts["fuzz" if kind == "fuzz" else "cases"] += len(good) - len(left_out)
        functions = functions_now()
        jobs: list[Job] = []
        for mutant in mutants:
            some = [trial for trial in given[mutant.name] if trial.name not in left_out]
            if kind == "suite":
                self.fates[mutant.name].touching += len(some)
            put = partial(mutant.put, self.args.backend, functions, self.caches)
            jobs.append((mutant.name, searched(put, some, self.args.backend, self.args.seconds)))

        def tell(name: str, messages: list[dict[str, Any]]) -> None:
            self.done[name] = self.fates[name]
            _fill(self.fates[name], kind, messages)
            progress("mutants")

        gc.freeze()  # or the collector of each forked process copies it all
        try:
            forked(jobs, self.args.jobs, tell)
        finally:
            gc.unfreeze()
            progress.wipe()

    def _unsteady(self, trials: Sequence[Trial]) -> list[str]:
        """What answers otherwise in a forked process in which nothing was changed."""
        found: list[str] = []

        def tell(job: str, messages: list[dict[str, Any]]) -> None:
            found.extend(message["trial"] for message in messages if message["kind"] == "found")
            if messages and messages[-1]["kind"] == "ended":
                found.append(next(each["trial"] for each in reversed(messages) if each["kind"] == "at"))

        forked([("as it is", searched(None, trials, self.args.backend, float("inf")))], 1, tell)
        return found

    def findings(self, interrupted: bool) -> Findings:
        """What is known by now."""
        reasons = equivalent(self.args.backend)
        return Findings(
            self.args.backend, self.args.seed, self.counts["cases"], self.counts["fuzz"], self.unsteady,
            list(self.done.values()), {name: reasons[name] for name in self.done if name in reasons},
            elsewhere(self.args.backend), interrupted,
        )  # fmt: skip


def _tried(mutants: Sequence[Mutant], args: argparse.Namespace) -> Findings:
    cases = [case_trial(case, args.backend) for case in catalogue.chosen(args.case, args.everyday)]
    hunt = _Hunt(mutants, args)
    fates = list(hunt.fates.values())
    try:
        hunt.tier("suite", [trial for trial in cases if trial.tier == SUITES[0]], fates)
        left = [fate for fate in fates if fate.tier is None]
        hunt.tier("suite", [trial for trial in cases if trial.tier == SUITES[1]], left)
        hunt.tier("fuzz", list(program_trials(args.backend, args.programs, 0)), fates)
    except KeyboardInterrupt:
        return hunt.findings(True)
    return hunt.findings(False)


def _fill(fate: Fate, kind: str, messages: Sequence[dict[str, Any]]) -> None:
    at: dict[str, Any] = {}
    for message in messages:
        if message["kind"] == "at":
            at = message
        elif message["kind"] == "unfinished":
            fate.unfinished = True
        else:
            trial = message if message["kind"] == "found" else at
            problem = message.get("problem") or message.get("how")
            fate.found[kind] = f"{trial.get('trial', 'putting it in')}: {problem}"
            if kind == "suite":
                fate.tier = trial.get("tier", SUITES[0])


def _wrong(text: str) -> int:
    print(f"unigrad mutate: {text}", file=sys.stderr)
    return 2


mutate = Mutate()
