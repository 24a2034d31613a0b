"""The notebooks, for whoever installed unigrad without its source: ``unigrad notebooks``."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from unigrad.base.errors import ArgumentError, UnigradError

_HERE = Path(__file__).parent
PLACES = (_HERE / "notebooks", _HERE.parents[1] / "notebooks")
"""Where they lie: in what was installed, and in a clone."""


class Notebooks:
    """Copy the notebooks into a folder, to read, run and change. What is there already is kept as it is."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "folder", nargs="?", type=Path, default=Path("unigrad-notebooks"), help="unigrad-notebooks if not given"
        )

    def run(self, args: argparse.Namespace) -> int:
        folder: Path = args.folder
        if folder.exists() and not folder.is_dir():
            raise ArgumentError(f"{str(folder)!r} is a file; name a folder, which need not exist")
        files = [file for place in PLACES for file in sorted(place.glob("*")) if file.suffix in (".ipynb", ".md")]
        if not files:
            raise UnigradError(f"the notebooks are missing from this installation: none in {str(PLACES[0])!r}")
        folder.mkdir(parents=True, exist_ok=True)
        kept = 0
        for file in files:
            if (folder / file.name).exists():
                kept += 1
            else:
                shutil.copyfile(file, folder / file.name)
        print(f"{len(files) - kept} files copied to {folder}" + (f", {kept} that were there kept" if kept else ""))
        print(
            f"To open them: pip install 'unigrad[teach]'; jupyter notebook {folder / 'automatic_differentiation.ipynb'}"
        )
        return 0
