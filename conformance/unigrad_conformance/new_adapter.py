"""``unigrad new-adapter NAME``: a package to begin with, and what is missing next in it."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template

from unigrad_conformance.command import known_backends, not_installed, unknown_backend
from unigrad_conformance.next_step import next_step

FILES = {
    "pyproject.toml": "pyproject.toml",
    "adapter.py": "unigrad_$name/__init__.py",
    "test_adapter.py": "tests/test_$name.py",
    "known.toml": "known.toml",
    "conform.yml": ".github/workflows/conform.yml",
    "README.md": "README.md",
}
"""The templates in the folder ``skeleton``, and what they become."""
UNLIKE = "unlike.py"
"""Instead of the adapter, for a framework that does not follow NumPy."""


class NewAdapter:
    """Write the package of an adapter to begin with, and say what is missing next in one.

    The package has an adapter of a framework that follows NumPy, or with --unlike-numpy one in which NumPy computes
    whatever is not written yet, the conformance suite as tests of pytest, a workflow for GitHub Actions and a README.
    Nothing is overwritten. The exit status is 0 if it was written, or with --next if
    nothing is missing any more, 1 if something is, 2 for a wrong argument and what cannot be written.

    unigrad new-adapter mine                    for the module mine, in the folder unigrad-mine
    unigrad new-adapter mine --module mine.numpy --distribution mine-cpu
    unigrad new-adapter mine --unlike-numpy     the framework's functions have other arguments than NumPy's
    unigrad new-adapter mine --next             does it load, do raw functions agree, do families of cases
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="what users type: ug.set_backend(NAME)")
        parser.add_argument("--module", help="the framework's module with NumPy's functions (NAME)")
        parser.add_argument("--distribution", help="what pip installs (the first part of the module's name)")
        parser.add_argument("--into", metavar="FOLDER", help="where to write it (unigrad-NAME)")
        parser.add_argument(
            "--unlike-numpy", action="store_true", help="for a framework whose functions are not as NumPy's"
        )
        parser.add_argument("--next", action="store_true", help="write nothing: say what is missing next")

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status."""
        name, known = args.name, known_backends()
        if args.next:
            if name not in known:
                return _wrong(
                    f"{unknown_backend(name, known)}; where its package is there, install it: "
                    f"pip install --editable {folder_of(name)}"
                )
            lacking = not_installed("mpmath", "ml_dtypes")
            if lacking is not None:
                return _wrong(lacking)
            return next_step(name, lambda line: print(line, flush=True))
        module = args.module or name
        if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
            return _wrong(f"{name!r} is no name for a backend and a package; use small letters, digits, _: my_array")
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in module.split(".")):
            return _wrong(f"{module!r} is no name of a module; write it as after 'import': mine.numpy")
        if name in known:
            return _wrong(f"there is a backend {name!r}; 'unigrad new-adapter {name} --next' says how far it is")
        root = module.partition(".")[0]
        words = {
            "name": name, "module": module, "root": root, "distribution": args.distribution or root,
            "dashed": name.replace("_", "-"),
        }  # fmt: skip
        folder = Path(args.into or folder_of(name))
        try:
            written = write(folder, words, args.unlike_numpy)
        except OSError as error:
            return _wrong(f"{error}; choose another folder with --into")
        print("\n".join([f"{folder}:", *(f"  {path}" for path in written), ""]))
        if importlib.util.find_spec(root) is None:
            print(f"The module {root} is not installed here; the package asks for {words['distribution']}.")
        steps = (f"cd {folder}", "pip install --editable '.[test]'", f"unigrad new-adapter {name} --next", "pytest")
        print("\n  ".join(["Next:", *steps]))
        return 0


def folder_of(name: str) -> str:
    """Where the package of an adapter is written."""
    return f"unigrad-{name.replace('_', '-')}"


def write(folder: Path, words: dict[str, str], unlike_numpy: bool = False) -> list[str]:
    """Write the package; FileExistsError if there is anything in the folder. Returns the files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already, and nothing in it is overwritten")
    templates = {UNLIKE if unlike_numpy and source == "adapter.py" else source: FILES[source] for source in FILES}
    texts = {
        Template(target).substitute(words): Template(
            (files("unigrad_conformance") / "skeleton" / f"{source}.template").read_text(encoding="utf-8")
        ).substitute(words)
        for source, target in templates.items()
    }
    for target, text in texts.items():
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return sorted(texts)


def _wrong(text: str) -> int:
    print(f"unigrad new-adapter: {text}", file=sys.stderr)
    return 2


new_adapter = NewAdapter()
