"""Ask the frameworks that unigrad does not run on, each in an environment of its own, and write down their answers.

    python conformance/answers.py               all of them
    python conformance/answers.py tinygrad mlx  only these
    python conformance/answers.py jax==0.4.31   another release of one that unigrad runs on: where it answers otherwise

What each is asked stands in ``unigrad_conformance/answers/NAME.toml``; this fills in the version and what it gave. The
environments are made in ``.answers`` and kept there. ``unigrad atlas`` shows the answers.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".answers"
PINNED = {
    "autograd": ("autograd==1.9.1", "scipy==1.17.1"),
    "mygrad": ("mygrad==2.5.0",),
    "pytensor": ("pytensor==3.0.7",),
    "casadi": ("casadi==3.8.2",),
    "mlx": ("mlx[cpu]==0.32.4",),
    "paddle": ("paddlepaddle==3.3.1",),
    # With NumPy 2 a product of two tensors raises SystemError.
    "mindspore": ("mindspore==2.10.0", "numpy==1.26.4"),
    "tinygrad": ("tinygrad==0.14.0",),
}
RELEASES = ("jax==0.12.0.1", "jax==0.4.31", "torch==2.15.0")
"""Asked only where named: for Linux PyPI has PyTorch as a CUDA build of several GB, and JAX 0.12 needs Python 3.12."""


def asked(name: str) -> int:
    """Make the environment where there is none, ask, and return how the asking ended."""
    python = FOLDER / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER / name], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "numpy", *PINNED.get(name, (name,))], check=True)
    subprocess.run([*install, "--no-deps", "--editable", str(ROOT)], check=True)
    command = [python, "-m", "unigrad_conformance.conventions", "--write", "--framework", name.partition("==")[0]]
    command += ["--release"] * (name in RELEASES)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def main() -> int:
    """Ask those that are named, or all; 0 if each could be asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", choices=[*PINNED, *RELEASES, []], metavar="NAME",
        help=", ".join([*PINNED, *RELEASES]),
    )  # fmt: skip
    return max(map(asked, parser.parse_args().names or PINNED))


if __name__ == "__main__":
    sys.exit(main())
