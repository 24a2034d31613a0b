"""What ``unigrad mutate`` found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unigrad_conformance.mutation.killing import Fate

SCHEMA = 1


@dataclass(frozen=True)
class Findings:
    """All of a run."""

    backend: str
    seed: int
    cases: int
    programs: int
    unsteady: Sequence[str]
    """Cases and programs that were left out, since they do not answer twice alike."""
    fates: Sequence[Fate]
    reasons: Mapping[str, str]
    """Why mutants change no answer, by name."""
    elsewhere: Mapping[str, str]
    """Why this backend never runs what mutants are in, by the beginnings of their names."""
    interrupted: bool = False

    @property
    def telling(self) -> list[Fate]:
        """Of the mutants that change an answer, as far as is known."""
        return [fate for fate in self.fates if fate.mutant.name not in self.reasons and self.place(fate) is None]

    def place(self, fate: Fate) -> str | None:
        """Why this backend never goes where the mutant is, if it does not."""
        if fate.found or (fate.touching and not fate.mutant.is_written):  # the latter is tried on all
            return None
        return next((why for start, why in self.elsewhere.items() if fate.mutant.name.startswith(start)), None)

    @property
    def gaps(self) -> list[Fate]:
        """Of those the ones that no case finds."""
        return [fate for fate in self.telling if fate.tier is None]

    @property
    def wrongly_equivalent(self) -> list[Fate]:
        """What is said to change no answer, and was found."""
        return [fate for fate in self.fates if fate.mutant.name in self.reasons and (fate.found or fate.tier)]

    @property
    def share(self) -> float:
        """The share that the whole suite finds, of those that change an answer."""
        return 1 - len(self.gaps) / len(self.telling) if self.telling else 1.0


def _counted(fates: Sequence[Fate]) -> tuple[int, int, int, int, int]:
    """How many there are, and how many the everyday tier, the whole suite, the fuzzer, and all together find."""
    everyday = sum(fate.tier == "everyday" for fate in fates)
    suite = sum(fate.tier is not None for fate in fates)
    fuzz = sum("fuzz" in fate.found for fate in fates)
    return len(fates), everyday, suite, fuzz, sum(bool(fate.found) for fate in fates)


def as_markdown(found: Findings) -> str:
    """Tables by area and by kind of fault, and the survivors."""
    lines = [
        f"# {len(found.fates)} mutants on {found.backend}, seed {found.seed}",
        "",
        f"{found.cases} cases and {found.programs} random programs. Of {len(found.telling)} mutants that change an "
        f"answer the whole suite finds {100 * found.share:.1f} %; {len(found.fates) - len(found.telling)} change none "
        f"on this backend.",
        "",
    ]
    if found.interrupted:
        lines += ["INTERRUPTED: this is what was done by then.", ""]
    for title, key in (("area", lambda fate: fate.mutant.area), ("fault", lambda fate: fate.mutant.operator)):
        lines += [f"| {title} | mutants | everyday tier | whole suite | fuzzer | any |", "|---|---|---|---|---|---|"]
        groups = sorted({key(fate) for fate in found.telling})
        rows = [(name, [fate for fate in found.telling if key(fate) == name]) for name in groups]
        for name, fates in [*rows, ("all", found.telling)]:
            lines.append(f"| {name} | {' | '.join(map(str, _counted(fates)))} |")
        lines.append("")
    lines += ["## Survivors", ""]
    for fate in found.gaps:
        where = "no case goes there" if not fate.touching else f"{fate.touching} cases go there"
        found_by = f"; found by {fate.found['fuzz']}" if "fuzz" in fate.found else ""
        state = ", not all of them run" if fate.unfinished else ""
        lines.append(f"- gap: `{fate.mutant.name}` ({where}{state}{found_by})")
    for fate in found.fates:
        reason = found.reasons.get(fate.mutant.name)
        if reason is not None:
            what = "WRONGLY equivalent, since it is found" if fate.tier or fate.found else "equivalent"
            lines.append(f"- {what}: `{fate.mutant.name}`: {reason}")
    for fate in found.fates:
        place = found.place(fate)
        if place is not None:
            lines.append(f"- never run: `{fate.mutant.name}`: {place}")
    if found.unsteady:
        lines += ["", f"Left out, since they do not answer twice alike: {', '.join(found.unsteady)}"]
    return "\n".join(lines)


def as_json(found: Findings) -> str:
    """Every mutant with what found it."""
    rows: list[dict[str, Any]] = [
        {
            "name": fate.mutant.name, "area": fate.mutant.area, "fault": fate.mutant.operator, "tier": fate.tier,
            "found": fate.found, "touching": fate.touching, "unfinished": fate.unfinished,
            "equivalent": found.reasons.get(fate.mutant.name), "elsewhere": found.place(fate),
            "seconds": round(fate.seconds, 3),
        }
        for fate in found.fates
    ]  # fmt: skip
    about = {
        "schema": SCHEMA, "backend": found.backend, "seed": found.seed, "cases": found.cases,
        "programs": found.programs, "share": found.share, "interrupted": found.interrupted,
        "unsteady": list(found.unsteady),
    }  # fmt: skip
    return json.dumps({**about, "mutants": rows}, indent=1)
