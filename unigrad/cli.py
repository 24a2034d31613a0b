"""The command line: ``unigrad backends``, and the commands that other packages register.

A command is an object with ``add_arguments(parser)``, ``run(args) -> int`` and a docstring, found through
the entry-point group ``unigrad.commands``; ``conform`` comes from the conformance suite that way.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import importlib.metadata
import inspect
import json
import os
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from unigrad import __version__
from unigrad.adapters.registry import BackendInfo, available_backends, get_backend_object
from unigrad.base.errors import ArgumentError, UnigradError
from unigrad.binding.source import source
from unigrad.table import PRIMITIVES, Primitive
from unigrad.teaching.demo import Demo
from unigrad.teaching.notebooks import Notebooks

DESCRIPTION = """\
unigrad runs one gradient program on NumPy, CuPy, PyTorch, TensorFlow, MXNet, JAX and dask.

  unigrad demo               a guided tour of two minutes
  unigrad notebooks          copies the notebooks, to read, run and change
  unigrad backends           which of them can be used here, and what each supports
  unigrad primitives         what an adapter of another framework supplies
  unigrad source NAME        the code that is written for a primitive, as it runs
  unigrad conform            run every conformance case on every installed backend
  unigrad conform --train    train one network on all of them and compare the losses
  unigrad new-adapter NAME   a package to begin with, for a framework of your own
  unigrad conventions        what all of them answer where a derivative is hard, and what each framework does
  unigrad atlas              the same as one page, with the program that gives each answer

In Python:

  import unigrad as ug
  ug.set_backend("torch")
  x = ug.arange(4.0)
  x.attach_grad()
  with ug.record():
      y = 2 * ug.dot(x, x)
  y.backward()
  print(x.grad)              # [ 0.  4.  8. 12.]
"""


class Backends:
    """List the backends: which can be used here, their versions and what each supports."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the same as JSON")
        parser.add_argument(
            "--verbose", action="store_true", help="also for which operations a framework's own derivative is not taken"
        )

    def run(self, args: argparse.Namespace) -> int:
        rows = available_backends()
        print(_as_json(rows) if args.json else _as_text(rows, args.verbose))
        return 0


class Primitives:
    """List the primitives: what an adapter supplies for each, and which it may leave out.

    Every line has the function's signature over raw arrays; of some it is composed of others where an adapter does not
    supply it. With names: all that is said of these. With --missing NAME: what the adapter of that backend lacks, and
    what is done instead. 'unigrad conform --raw NAME --backend MINE' then checks a raw function by itself.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="PRIMITIVE", help="only these, with all that is said of them")
        parser.add_argument("--missing", metavar="NAME", help="only those that the adapter of this backend lacks")

    def run(self, args: argparse.Namespace) -> int:
        lacking = None if args.missing is None else get_backend_object(args.missing)
        lines: list[str] = []
        counts: Counter[str] = Counter()
        for name, row in sorted((name, _row(name)) for name in args.names or PRIMITIVES):
            how = "composed of others" if row.composition is not None else "needed"
            if lacking is not None:
                if name in lacking.functions:
                    continue
                if name in lacking.missing:
                    how = f"declared missing: {lacking.missing[name]}"
            lines.append(f"{name}({', '.join((*row.arrays, *row.statics))})")
            counts[how.partition(":")[0]] += 1
            paragraphs = [" ".join(part.split()).replace("``", "'") for part in row.doc.split("\n\n")]
            lines += textwrap.wrap(f"{how}. {paragraphs[0]}", 100, **_INDENTED)
            if args.names:
                for part in (*paragraphs[1:], *_taken(row)):
                    lines += textwrap.wrap(part, 100, **_INDENTED)
        supplied = "" if lacking is None else f" of {len(PRIMITIVES)} that {lacking.name} does not supply"
        parts = ", ".join(f"{count} {how}" for how, count in counts.items())
        print("\n".join([*lines, "", f"{counts.total()} primitives{supplied}" + (f": {parts}" if parts else "")]))
        return 0


def _row(name: str) -> Primitive:
    if name in PRIMITIVES:
        return PRIMITIVES[name]
    near = difflib.get_close_matches(name, PRIMITIVES)
    hint = f"did you mean {' or '.join(near)}?" if near else "'unigrad primitives' lists them"
    raise ArgumentError(f"there is no primitive {name!r}; {hint}")


def _taken(row: Primitive) -> list[str]:
    """What a raw function is given, and what it returns."""
    arrays = f"a sequence of arrays, {row.arrays[0]}" if row.variadic else f"arrays {', '.join(row.arrays)}"
    given = [arrays, *([f"parameters {', '.join(row.statics)}"] if row.statics else [])]
    together = f", of one dtype: {', '.join(row.promoted)}" if row.variadic or len(row.promoted) > 1 else ""
    numbers = "; one array may be a Python number" if row.scalars else ""
    first = (row.promoted or row.arrays)[0]
    result = {"same": f"of the dtype of {first}", "real": f"of the real dtype of {first}"}
    result["complex"] = f"of the complex dtype over that of {first}"
    return [
        f"Given: {'; '.join(given)}{together}{numbers}. Dtypes: {row.dtypes}.",
        f"Returns: an array {result.get(row.result, f'of the dtype {row.result}')}.",
    ]


class Source:
    """Print the code that unigrad writes for a primitive and runs on a backend: checks, the raw call, the node.

    Tracebacks and debuggers show the same lines.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("primitive", help="its name, as 'unigrad primitives' lists it: multiply")
        parser.add_argument("--backend", default="numpy", help="the backend that it runs on (numpy)")

    def run(self, args: argparse.Namespace) -> int:
        row = _row(args.primitive)
        backend = get_backend_object(args.backend)
        print(_LEGEND + f"# function here: {_described(backend.function(row.name))}\n\n" + source(row, backend), end="")
        return 0


def _described(function: Any) -> str:
    """Where a raw function comes from."""
    if isinstance(function, functools.partial):
        return f"{_described(function.func)}, with its first arguments"
    function = inspect.unwrap(function)
    module = getattr(function, "__module__", None) or type(function).__module__
    name = f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    code = getattr(function, "__code__", None)
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"


_LEGEND = """\
# T is the class of the backend's Tensors; r1, r2, ... are raw arrays, n1, n2, ... their nodes, own is their dtype.
# function is the adapter's; uncommon, prepare and interpret convert operands and serve jvp and vmap; quick is the
# function of duals, None where that has to leave it to them.
"""


class Broken:
    """(Its package failed to import; run it to see why.)"""

    def __init__(self, why: str) -> None:
        self._why = why

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("arguments", nargs="*", help="any")

    def run(self, args: argparse.Namespace) -> int:
        print(self._why, file=sys.stderr)
        return 2


_INDENTED: Any = {"initial_indent": " " * 12, "subsequent_indent": " " * 14}


def _as_json(rows: Sequence[BackendInfo]) -> str:
    as_dicts = {"unsupported", "replaced"}
    return json.dumps(
        [{name: dict(value) if name in as_dicts else value for name, value in row._asdict().items()} for row in rows],
        indent=2,
    )


def _as_text(rows: Sequence[BackendInfo], verbose: bool) -> str:
    lines = [f"{'backend':<12}{'version':<12}{'its own engine differentiates':<32}supports"]
    for row in rows:
        if not row.installed:
            first = f"{row.name:<12}{'-':<12}"
            # What is to be copied is a line of its own, however long.
            reason = str(row.why_not).removesuffix(row.install)
            lines += textwrap.wrap(reason, 100, initial_indent=first, subsequent_indent=" " * 24)
            if reason != row.why_not:
                lines.append(" " * 26 + row.install)
            continue
        lines.append(f"{row.name:<12}{row.version:<12}{row.engine:<32}{len(row.dtypes)} dtypes")
        lines += textwrap.wrap(
            "dtypes: " + " ".join(row.dtypes), 100, initial_indent=" " * 12, subsequent_indent=" " * 20
        )
        for what, reason in row.unsupported.items():
            lines += textwrap.wrap(f"no {what}: {reason}", 100, **_INDENTED)
        if verbose and row.replaced:
            lines.append(" " * 12 + "not asked for the derivative of")
            for what, reason in row.replaced.items():
                lines += textwrap.wrap(f"{what}: {reason}", 100, **_INDENTED)
    lines += ["", "Where the own engine differentiates nothing, or no further, unigrad's rules do it, to any order."]
    return "\n".join(lines)


def _commands() -> dict[str, Any]:
    found: dict[str, Any] = {
        "backends": Backends(),
        "demo": Demo(),
        "notebooks": Notebooks(),
        "primitives": Primitives(),
        "source": Source(),
    }
    for entry in importlib.metadata.entry_points(group="unigrad.commands"):
        try:
            found.setdefault(entry.name, entry.load())
        except (Exception, SystemExit) as error:
            why = f"{entry.value} failed to import: {type(error).__name__}: {error}"
            found.setdefault(entry.name, Broken(why))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2 for a wrong argument)."""
    parser = argparse.ArgumentParser(
        prog="unigrad", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"unigrad {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands = _commands()
    for name, command in commands.items():
        text = inspect.getdoc(command) or ""
        sub = subparsers.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 2
    try:
        return int(commands[args.command].run(args))
    except BrokenPipeError:  # who reads has seen enough, as 'head' does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UnigradError as error:
        print(f"unigrad {args.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
