"""What is missing next in an adapter: it loads, its raw functions agree, family after family of cases does."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from unigrad.table import PRIMITIVES
from unigrad_conformance import catalogue
from unigrad_conformance.asking import Asking
from unigrad_conformance.processes import LOADING_SECONDS, work

_SHOWN = 5


def next_step(backend: str, say: Callable[[str], object]) -> int:
    """Say how far the adapter is, and what to do next; 0 if nothing is missing in what is for every day, else 1."""
    version, why = loads(backend)
    if why is not None:
        return _ended(say, "loads", [why], "mend the adapter, and ask again")
    say(f"  ok    loads: version {version}")
    told: list[str] = []
    wrong, right = raw_functions(backend)
    if wrong:
        lines = [f"{name}: {problem}" for name, problem in list(wrong.items())[:_SHOWN]]
        more = [f"and {len(wrong) - _SHOWN} more: {', '.join(list(wrong)[_SHOWN:])}"] if len(wrong) > _SHOWN else []
        _tell(say, f"raw functions: {len(wrong)} of {len(wrong) + right} are not right", [*lines, *more])
        one = next(iter(wrong))
        told.append(f"'unigrad primitives {one}' says what it gets; 'unigrad conform --raw {one} --backend {backend}'")
    else:
        say(f"  ok    raw functions: {right}")
    with Asking([backend]) as asking:
        for family, cases in catalogue.by_family(catalogue.chosen([], everyday=True)).items():
            failing = {}
            for case in cases:
                verdict = asking.verdict(backend, case)
                if verdict is None:
                    return _ended(say, family, [str(asking.column(backend).unavailable)], "mend that, and ask again")
                if verdict.fails:
                    failing[case.name] = f"{verdict.status}: {'; '.join(verdict.problems)}"
            if failing:
                lines = [f"{name}: {problem}" for name, problem in list(failing.items())[:_SHOWN]]
                told.append(f"pytest -x -m 'unigrad_{family} and unigrad_everyday'")
                return _ended(say, f"{family}: {len(failing)} of {len(cases)} cases fail", lines, ", then ".join(told))
            say(f"  ok    {family}: {len(cases)} cases")
    if told:
        return _ended(say, "", [], told[0])
    say("\nAll that is for every day agrees.")
    say(f"Next: pytest, which has all samples and dtypes; unigrad accuracy --backend {backend}")
    return 0


def loads(backend: str) -> tuple[str, str | None]:
    """The framework's version; and why the backend cannot be used, or None."""
    version, why = "", None
    for message in work(backend, {"cases": []}, lambda message: LOADING_SECONDS):
        version = message.get("version", version)
        why = message.get("why")
    return version, why


def raw_functions(backend: str) -> tuple[dict[str, str], int]:
    """The first problem of each raw function that is not right, and how many are."""
    left, found, right = sorted(PRIMITIVES), {}, 0
    while left:
        current = ""
        for message in work(backend, {"raw": left}, lambda message: LOADING_SECONDS):
            if message["kind"] == "start":
                current = message["primitive"]
            elif message["kind"] == "raw":
                left.remove(message["primitive"])
                if message["problems"]:
                    found[message["primitive"]] = message["problems"][0]
                else:
                    right += 1
        if current not in left:
            break
        left.remove(current)
        found[current] = message["why"]
    return found, right


def _tell(say: Callable[[str], object], what: str, lines: list[str]) -> None:
    say(f"  NEXT  {what}")
    for line in lines:
        say(f"        {textwrap.shorten(line, 300, placeholder=' ...')}")


def _ended(say: Callable[[str], object], what: str, lines: list[str], then: str) -> int:
    if what:
        _tell(say, what, lines)
    say(f"\nNext: {then}")
    return 1
