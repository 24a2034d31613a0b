"""The command line: ``unigrad backends``, and the commands that other packages register.

A command is an object with ``add_arguments(parser)``, ``run(args) -> int`` and a docstring, found through
the entry-point group ``unigrad.commands``; ``conform`` comes from the conformance suite that way.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import inspect
import json
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from unigrad import __version__
from unigrad.adapters.registry import BackendInfo, available_backends
from unigrad.base.errors import UnigradError

DESCRIPTION = """\
unigrad runs one gradient program on NumPy, CuPy, PyTorch, TensorFlow, MXNet and JAX.

  unigrad backends           which of them can be used here, and what each supports
  unigrad conform            run every conformance case on every installed backend
  unigrad conform --train    train one network on all of them and compare the losses
  unigrad conventions        what all of them answer where a derivative is hard, and what each framework does

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

    def run(self, args: argparse.Namespace) -> int:
        rows = available_backends()
        print(_as_json(rows) if args.json else _as_text(rows))
        return 0


class Broken:
    """(Its package failed to import; run it to see why.)"""

    def __init__(self, why: str) -> None:
        self._why = why

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("arguments", nargs="*", help="any")

    def run(self, args: argparse.Namespace) -> int:
        print(self._why, file=sys.stderr)
        return 2


def _as_json(rows: Sequence[BackendInfo]) -> str:
    return json.dumps([vars(row) | {"unsupported": dict(row.unsupported)} for row in rows], indent=2)


def _as_text(rows: Sequence[BackendInfo]) -> str:
    lines = [f"{'backend':<12}{'version':<12}{'its own engine differentiates':<32}supports"]
    for row in rows:
        if not row.installed:
            first = f"{row.name:<12}{'-':<12}"
            lines += textwrap.wrap(f"{row.why_not}", 100, initial_indent=first, subsequent_indent=" " * 24)
            continue
        lines.append(f"{row.name:<12}{row.version:<12}{row.engine:<32}{len(row.dtypes)} dtypes")
        lines += textwrap.wrap(
            "dtypes: " + " ".join(row.dtypes), 100, initial_indent=" " * 12, subsequent_indent=" " * 20
        )
        for what, reason in row.unsupported.items():
            lines += textwrap.wrap(f"no {what}: {reason}", 100, initial_indent=" " * 12, subsequent_indent=" " * 14)
    lines += ["", "Where the own engine differentiates nothing, or no further, unigrad's rules do it, to any order."]
    return "\n".join(lines)


def _commands() -> dict[str, Any]:
    found: dict[str, Any] = {"backends": Backends()}
    for entry in importlib.metadata.entry_points(group="unigrad.commands"):
        try:
            found.setdefault(entry.name, entry.load())
        except ImportError as error:
            found.setdefault(entry.name, Broken(f"{entry.value} failed to import: {error}"))
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
    except UnigradError as error:
        print(f"unigrad {args.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
