"""A backend from outside this project: array functions and nothing else, which misbehave where they are told to."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
import math, os, time
import numpy as np
import unigrad as ug
from unigrad.native.backend import by_element
from unigrad.native.functions import primitives

class Array(np.ndarray):
    """NumPy arrays under another name."""

def wrapped(function):
    def call(*args):
        return np.asarray(function(*args)).view(Array)
    return call

def faulty(function, fault):
    def call(*args):
        if fault == "crash":
            os.abort()
        if fault == "exit":
            os._exit(3)
        if fault == "hang":
            time.sleep(60)
        if fault == "raise":
            raise ValueError("cannot")
        if fault == "value":
            return function(*args) * 1.00001
        if fault == "dtype":
            return function(*args).astype("float64")
        if fault == "shape":
            return function(*args)[None]
        if fault == "options":
            np.set_printoptions(precision=3)
        if fault == "environment":
            os.environ["STRANGE"] = "1"
        if fault == "print":
            os.write(1, b"a framework talks on standard output\\n")
        return function(*args)
    return call

class Stranger(ug.Backend):
    name = framework = "stranger"
    distribution = "numpy"
    install = "nothing"
    missing = {
        "argsort": "it was left out on purpose",
        **dict.fromkeys(("int8", "int16", "uint8", "uint16", "uint32", "uint64"), "it has few dtypes"),
    }

    def load(self):
        table = primitives(np, by_element(math.erf))
        self.functions = {name: wrapped(function) for name, function in table.items() if name not in self.missing}
        for fault in os.environ.get("FAULTS", "").split():
            name, _, what = fault.partition("=")
            self.functions[name] = faulty(self.functions[name], what)
        names = ("bool", "int32", "int64", "float32", "float64", "complex64", "complex128")
        self.raw_dtypes = {np.dtype(name): np.dtype(name) for name in names}
        self.array_types = (Array,)

    def from_numpy(self, array, device=None):
        return np.array(array).view(Array)

    def to_numpy(self, raw):
        return np.asarray(raw).view(np.ndarray)

backend = Stranger()
'''
"""Its package. What the environment has as FAULTS, ``sin=crash cos=hang``, makes it misbehave in these functions."""


def install(folder: Path, name: str = "stranger", source: str = SOURCE) -> None:
    """Put a package there as pip would, with its entry point."""
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[unigrad.backends]\n{name} = {name}:backend\n")
