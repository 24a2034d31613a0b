"""``unigrad conventions``: the page that is generated from ``conventions.toml``, and the frameworks' answers in it."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import unigrad as ug
from unigrad_conformance import frameworks
from unigrad_conformance.operations import compiled
from unigrad_conformance.points import (
    FILE,
    FRAMEWORKS,
    OTHERS,
    RELEASES,
    TITLES,
    Point,
    answers_file,
    document,
    groups,
    points,
    releases,
    rule,
    shown,
)
from unigrad_conformance.points import answers as recorded_answers

PAGE = Path(__file__).parent.parent / "CONVENTIONS.md"


# --- the page --------------------------------------------------------------------------------------------


def page() -> str:
    """The page, from the file."""
    tables = (line for group, title in groups().items() for line in _table(group, title))
    return "\n".join([rule(), *tables, *_totals(), ""])


def _table(group: str, title: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| point | unigrad | why | {' | '.join(FRAMEWORKS.values())} |"
    yield "|---" * (3 + len(FRAMEWORKS)) + "|"
    for point in points():
        if point.group == group:
            own = [_cell(point, name) for name in FRAMEWORKS]
            yield "| " + " | ".join([place(point), _ours(point), point.why, *own]) + " |"
    yield ""


def place(point: Point) -> str:
    """What a row asks of unigrad, and where, in Markdown."""
    if not point.inputs:
        return f"`{point.id}`"
    return f"`{point.call}` at {arguments(point)}"


def arguments(point: Point) -> str:
    """Its inputs and weights, by name."""
    given = point.inputs | ({} if point.weights is None else {"w": point.weights})
    return ", ".join(f"{name} = {_bracketed(value)}" for name, value in given.items())


def _bracketed(value: object) -> str:
    return f"[{shown(value)}]" if isinstance(value, list) else shown(value)


def _ours(point: Point) -> str:
    value = f" (value {shown(point.value)})" if point.inputs else ""
    return point.answer + value


def _cell(point: Point, name: str) -> str:
    gives = point.own[name].gives
    return gives if gives == "absent" or agrees(point, gives) else f"**{gives}**"


def agrees(point: Point, gives: str) -> bool:
    """Whether a framework's answer is ours; where ours is an error, every error is."""
    return gives == point.answer or (gives == "raises" and point.answer.endswith("Error"))


def _totals() -> Iterator[str]:
    yield "## How often each differs\n"
    yield "| | of the points that it has | other answers |"
    yield "|---|---|---|"
    for name, title in FRAMEWORKS.items():
        has = [point for point in points() if point.own[name].gives != "absent"]
        yield f"| {title} | {len(has)} | {sum(not agrees(point, point.own[name].gives) for point in has)} |"


# --- measuring -------------------------------------------------------------------------------------------


def changes(name: str, ids: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """By id, what the file has and what the installed framework gives, where the two differ."""
    recorded = {point.id: point.own[name].gives for point in points() if name in point.own}
    found = frameworks.measure(name, ids)
    return {id: (recorded[id], gives) for id, gives in found.items() if gives != recorded[id]}


def write(name: str, answers: Mapping[str, str], version: str) -> None:
    """Put a framework's answers and its version into its file, and leave every other character of it as it is."""
    if name in OTHERS:
        _write_other(name, answers, version)
        return
    rows = re.split(r"(?m)^(?=\[\[point\]\]$)", FILE.read_text())
    rows[0] = re.sub(rf'(?m)^({name} = )"[^"]*"$', lambda m: f'{m[1]}"{version}"', rows[0])
    for number, row in enumerate(rows):
        named = re.search(r'(?m)^id = "(.*)"$', row)
        if named and named[1] in answers:
            gives = answers[named[1]]
            rows[number] = re.sub(rf'(?m)^({name} = {{ gives = )"[^"]*"', lambda m, g=gives: f'{m[1]}"{g}"', row)
    FILE.write_text("".join(rows))
    document.cache_clear()
    points.cache_clear()


def _write_other(name: str, found: Mapping[str, str], version: str) -> None:
    file = answers_file(name)
    lines = file.read_text().splitlines(keepends=True)
    for number, line in enumerate(lines):
        id = line.partition(" = ")[0]
        if id == "version":
            lines[number] = f'version = "{version}"\n'
        elif id in found:
            lines[number] = re.sub(r'(\{ gives = )"[^"]*"', lambda m, g=found[id]: f'{m[1]}"{g}"', line)
    file.write_text("".join(lines))
    recorded_answers.cache_clear()
    points.cache_clear()


def write_release(name: str, answers: Mapping[str, str], version: str) -> None:
    """Put down where another release of a framework answers otherwise than the one that stands in the tables."""
    every = {**releases(), name: {**releases().get(name, {}), version: answers}}
    lines = [line for line in RELEASES.read_text().splitlines() if line.startswith("#")]
    for framework, by_version in sorted(every.items()):
        for release, found in sorted(by_version.items()):
            lines += ["", f'[{framework}."{release}"]', *(f'{id} = "{gives}"' for id, gives in found.items())]
    RELEASES.write_text("\n".join([*lines, ""]))
    releases.cache_clear()


class Conventions:
    """Print the conventions: what unigrad answers at the hard points, and what each framework does.

    unigrad conventions              the page
    unigrad conventions --measure    where the installed frameworks answer otherwise than the file has it
    unigrad conventions --write      put their answers into the file, and generate the page from it
    unigrad conventions --write --release --framework jax    where an installed one differs from the release of the file
    unigrad conventions --measure --framework mxnet --point det_singular
    """

    def points(self) -> Sequence[Point]:
        """The rows of the table, for who asks in Python: ``ug.compare`` does."""
        return points()

    def function(self, point: Point) -> Callable[..., Any]:
        """What a row asks of unigrad, as a function of its inputs."""
        call = compiled(point.call)
        return lambda *inputs: call(ug, dict(zip(point.inputs, inputs, strict=True)))

    def agrees(self, point: Point, gives: str) -> bool:
        """Whether a framework's answer is ours."""
        return agrees(point, gives)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--measure", action="store_true", help="ask the installed frameworks, and compare")
        parser.add_argument("--write", action="store_true", help="ask them, and write the file and the page")
        parser.add_argument(
            "--release", action="store_true", help="with --write: as another release, to answers/releases.toml"
        )
        parser.add_argument(
            "--framework", action="append", choices=tuple(TITLES), help="ask only this one (repeatable)"
        )
        parser.add_argument("--point", action="append", default=[], metavar="ID", help="only this row (repeatable)")

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status: 1 if --measure found a difference, 2 for a wrong argument."""
        unknown = set(args.point) - {point.id for point in points()}
        if unknown:
            print(f"unigrad conventions: there is no point {', '.join(sorted(unknown))}", file=sys.stderr)
            return 2
        if args.release and args.point:
            print("unigrad conventions: --release asks at every point; leave --point out", file=sys.stderr)
            return 2
        if not (args.measure or args.write):
            print(page(), end="")
            return 0
        found = _asked(args.framework or list(FRAMEWORKS), args.point)
        for name, answers in found.items():
            for id, (recorded, gives) in answers.items():
                print(f"{TITLES[name]}, {id}: the file has {recorded!r}, it gives {gives!r}")
            if args.write:
                put = write_release if args.release else write
                put(name, {id: gives for id, (_, gives) in answers.items()}, frameworks.version(name))
        if args.write:
            PAGE.write_text(page())
            return 0
        return 1 if any(found.values()) else 0


def _asked(names: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, tuple[str, str]]]:
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(lambda name: changes(name, ids), names), strict=True))


conventions = Conventions()


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m unigrad_conformance.conventions``."""
    parser = argparse.ArgumentParser(
        prog="unigrad conventions",
        description=inspect.getdoc(conventions),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    conventions.add_arguments(parser)
    return conventions.run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
