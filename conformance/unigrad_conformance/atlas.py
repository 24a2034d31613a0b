"""``unigrad atlas``: the hard points and what every framework answers there, as one page that needs nothing besides."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from unigrad import __version__
from unigrad_conformance.conventions import agrees, place
from unigrad_conformance.points import TITLES, Point, groups, points, releases, rule, shown, versions
from unigrad_conformance.reproducing import program

_HERE = Path(__file__).parent
RULES = {
    "smooth": "rule 1: smooth",
    "convex": "rule 2: convex",
    "concave": "rule 3: concave",
    "continuity": "rule 4: by continuity",
    "undefined": "rule 5: undefined",
    "exception": "exception",
    "decision": "a decision",
}
"""What decides, by the word that names it in a point's reason."""


def page() -> str:
    """The page."""
    return (_HERE / "atlas.html").read_text(encoding="utf-8").format(
        style=(_HERE / "atlas.css").read_text(encoding="utf-8"),
        script=(_HERE / "atlas.js").read_text(encoding="utf-8"),
        version=escape(__version__),
        count=len(points()),
        families=_options(groups()),
        rules=_options(RULES),
        unlike=_options({name: f"{title} ≠ unigrad" for name, title in TITLES.items()}),
        ordered=_ordered(),
        totals="\n".join(_total(name, *release) for name in TITLES for release in _releases(name)),
        points="\n".join(_family(group, title) for group, title in groups().items()),
    )  # fmt: skip


def _options(titles: dict[str, str]) -> str:
    return "".join(f'<option value="{escape(name)}">{escape(title)}</option>' for name, title in titles.items())


def _ordered() -> str:
    """The numbered list of the written rule."""
    items = re.findall(r"(?ms)^\d\. (.*?)(?=^\d\. |\n\n)", rule())
    marked = [re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", _coded(item.strip())) for item in items]
    return "".join(f"<li>{item}</li>" for item in marked)


def _releases(name: str) -> list[tuple[str, dict[str, str]]]:
    """The versions of a framework that were asked, and where each answers otherwise than the first."""
    return [(versions()[name], {}), *releases().get(name, {}).items()]


def _total(name: str, version: str, otherwise: dict[str, str]) -> str:
    asked = [(point, otherwise.get(point.id, point.own[name].gives)) for point in points() if name in point.own]
    own = [(point, gives) for point, gives in asked if gives != "absent"]
    other = sum(not agrees(point, gives) for point, gives in own)
    cells = [version, str(len(own)), str(other)]
    return f'<tr><th scope="row">{escape(TITLES[name])}</th>{"".join(f"<td>{escape(c)}</td>" for c in cells)}</tr>'


def _family(group: str, title: str) -> str:
    rows = "\n".join(_article(point) for point in points() if point.group == group)
    return f"<section>\n<h2>{escape(title)}</h2>\n{rows}\n</section>"


def rules_of(point: Point) -> list[str]:
    """The keys of RULES that decide a point."""
    said = re.sub(r"\blimit\b", "continuity", point.why).replace("true derivative", "smooth")
    return [word for word in RULES if re.search(rf"\b{word}\b", said)] or ["decision"]


def marks(point: Point) -> list[str]:
    """The frameworks that answer otherwise than unigrad, whether those that answer disagree, and whether a release
    changed an answer."""
    gives = {name: own.gives for name, own in point.own.items() if own.gives != "absent"}
    disagree = ["disagree"] * (len(set(gives.values())) > 1)
    changed = [name for name in point.own if any(point.id in found for _, found in _releases(name))]
    disagree += ["changed"] * bool(changed)
    return disagree + [name for name, given in gives.items() if not agrees(point, given)]


def _article(point: Point) -> str:
    decides = rules_of(point)
    told = ", ".join(RULES[word].split(":")[0] for word in decides)
    heads = ["value", "gradient", *["second derivative"] * (point.hessian is not None)] if point.inputs else ["results"]
    top = "".join(f'<th scope="col"{" class=value" * (head == "value")}>{head}</th>' for head in heads)
    return "\n".join(
        [
            f'<article id="{escape(point.id)}" data-family="{escape(point.group)}"'
            f' data-rules="{" ".join(decides)}" data-answers="{" ".join(marks(point))}">',
            f'<h3><a class="permalink" href="#{escape(point.id)}" title="Link to this point">#</a>'
            f"{_coded(place(point))} <small>{escape(point.id)}</small></h3>",
            *([] if point.inputs else [f"<pre>{escape(point.call)}</pre>"]),
            f"<p>{escape(point.why)} <small>({told})</small></p>",
            *(
                f"<p>Forward mode along ones of {escape(name)}: {shown(value)}</p>"
                for name, value in point.forward.items()
            ),
            f'<table><thead><tr><th scope="col" class="framework"></th>{top}',
            '<th scope="col" class="asked">asked</th></tr></thead><tbody>',
            _row("unigrad", False, heads, point, point.answer, _held(point)),
            *_own(point, heads),
            "</tbody></table></article>",
        ]
    )


def _own(point: Point, heads: Sequence[str]) -> Iterator[str]:
    for name, own in point.own.items():
        asked = ""
        if own.call is not None:
            code = escape(program(name, point, own.call))
            asked = f"<details><summary><code>{escape(own.call)}</code></summary><pre>{code}</pre></details>"
        others = [
            (version, found[point.id]) for version, found in releases().get(name, {}).items() if point.id in found
        ]
        for version, gives in [(versions()[name], own.gives), *others]:
            title = f"{TITLES[name]} {version}"
            same = gives == "absent" or agrees(point, gives)
            yield _row(title if same else f"{title} ≠", not same, heads, point, gives, asked)
            asked = "asked the same"


def _row(title: str, differs: bool, heads: Sequence[str], point: Point, gives: str, asked: str) -> str:
    answers, ours = _answers(point, gives), _answers(point, point.answer)
    if len(answers) == 1:
        marked = " differs" * differs
        cells = f'<td class="answer{marked}" colspan="{len(heads)}">{escape(answers[0])}</td>'
    else:
        cells = "".join(
            f'<td class="answer{" differs" * (answer != our)}" data-label="{head}">{escape(answer)}</td>'
            for head, answer, our in zip(heads, answers, ours, strict=True)
        )
    return f'<tr><th scope="row">{escape(title)}</th>{cells}<td class="asked">{asked}</td></tr>'


def _answers(point: Point, gives: str) -> list[str]:
    """Value, gradient and second derivative; one answer where there are no such parts."""
    if not point.inputs or re.fullmatch("raises|absent|crashes|[A-Za-z]*Error", gives):
        return [gives]
    derivatives, _, value = gives.removesuffix(")").partition(" (value ")
    gradient, *second = derivatives.split(" / ")
    return [value or shown(point.value), gradient, *second]


def _held(point: Point) -> str:
    return f"<code>unigrad conform --case kinks.{escape(point.id)}</code>"


def _coded(markdown: str) -> str:
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escape(markdown), flags=re.DOTALL)


class Atlas:
    """Write the atlas: every hard point, what unigrad answers there and why, and what each framework does by itself.

    One page of HTML that needs nothing besides, with the program that gives each answer.

    unigrad atlas                      write atlas.html
    unigrad atlas --output page.html   write it elsewhere
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--output", type=Path, default=Path("atlas.html"), metavar="FILE", help="where to write it")

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status: 2 if the file cannot be written."""
        try:
            args.output.write_text(page(), encoding="utf-8")
        except OSError as error:
            print(f"unigrad atlas: {args.output} cannot be written: {error.strerror}; name a file with --output",
                  file=sys.stderr)  # fmt: skip
            return 2
        print(f"{args.output}: {len(points())} points, {len(TITLES)} frameworks")
        return 0


atlas = Atlas()


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m unigrad_conformance.atlas``."""
    parser = argparse.ArgumentParser(
        prog="unigrad atlas", description=inspect.getdoc(atlas), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    atlas.add_arguments(parser)
    return atlas.run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
