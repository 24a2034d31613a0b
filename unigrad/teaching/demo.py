"""The guided tour: ``unigrad demo``."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import Any

# What is said, and the code that is run then; names live on from step to step.
STEPS = (
    (
        "One import, and the backend that computes. ug.set_backend chooses another; 'unigrad backends' lists them.",
        "import unigrad as ug\nprint(ug.get_backend())",
    ),
    (
        "A gradient needs a place to be stored, a recording, and a backward. y is 2 * dot(x, x), so it is 4 * x.",
        "x = ug.arange(4.0)\nx.attach_grad()\nwith ug.record():\n    y = 2 * ug.dot(x, x)\ny.backward()\nprint(x.grad)",
    ),
    (
        "A backward lets its graph go. An error says what was wrong and what to type.",
        "try:\n    y.backward()\nexcept ug.GraphFreedError as error:\n    print(error)",
    ),
    (
        "A new backward overwrites the gradient; x.attach_grad('add') would add to it.",
        "with ug.record():\n    y = x.sum()\ny.backward()\nprint(x.grad)",
    ),
    (
        "What is detached is a constant: u * x has the derivative u, not 3 * x ** 2.",
        "with ug.record():\n    u = (x * x).detach()\n    z = (u * x).sum()\nz.backward()\nprint(x.grad)",
    ),
    (
        "Python's own loops and branches are followed as they run: here 2 * a is doubled seven times.",
        "def f(a):\n    b = 2 * a\n    while float(ug.linalg.norm(b)) < 1000:\n        b = 2 * b\n    return b.sum()\n"
        "print(ug.grad(f)(ug.asarray([3.0, 4.0])))",
    ),
    (
        "The same as functions of functions: a gradient of a gradient, and a Jacobian.",
        "cube = lambda t: t ** 3\nprint(ug.grad(ug.grad(cube))(ug.asarray(2.0)))\n"
        "print(ug.jacobian(lambda t: t * t)(ug.asarray([1.0, 2.0])))",
    ),
    (
        "Look at what a backward goes through; in a notebook it draws itself.",
        "print(ug.graph(lambda a, b: ug.sin(a) * b, ug.asarray(1.0), ug.asarray(2.0), names=['a', 'b']))",
    ),
    (
        "Your turn: exercises check an answer, and say what is wrong. Here a factor of the chain rule is.",
        "chain = ug.exercises['chain']\nprint(chain)\npoints = ug.asarray([1.0, -2.0, 0.5])\n"
        "print(chain.check(ug.cos(3 * points)))\nprint(chain.check(3 * ug.cos(3 * points)))",
    ),
)

NEXT = """\
What to read next:
  print(ug.exercises)                  exercises, from here to a rule of your own
  unigrad notebooks                    the same at leisure: copies them into a folder, to run and change
  unigrad backends                     what can be used on this machine
"""


class Demo:
    """Take a guided tour of two minutes: each step shows its code, runs it, and shows what it printed.

    On a terminal it waits for Enter after each step.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="do not wait between the steps")

    def run(self, args: argparse.Namespace) -> int:
        waits = not args.all and sys.stdin.isatty() and sys.stdout.isatty()
        names: dict[str, Any] = {}
        for place, (said, source) in enumerate(STEPS, 1):
            print(textwrap.fill(f"{place}/{len(STEPS)}  {said}", 100), end="\n\n")
            print(textwrap.indent(source, "    "), end="\n\n", flush=True)
            exec(compile(source, f"<step {place}>", "exec"), names)  # noqa: S102  the steps above, and nothing else
            print()
            if waits:
                try:
                    input("Enter: go on; Ctrl-C: stop ")
                except (EOFError, KeyboardInterrupt):
                    print()
                    return 0
        print(NEXT, end="")
        return 0
