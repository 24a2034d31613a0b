"""The table of operations by family. Importing this package declares all of them."""

from unigrad.operations import (
    arranging,
    comparing,
    contractions,
    creation,
    decompositions,
    elementwise,
    fft,
    indexing,
    linalg,
    networks,
    padding,
    reductions,
    searching,
    sequences,
    sets,
    shapes,
    statistics,
    triangles,
)

__all__ = [
    "arranging", "comparing", "contractions", "creation", "decompositions", "elementwise", "fft", "indexing", "linalg",
    "networks", "padding", "reductions", "searching", "sequences", "sets", "shapes", "statistics", "triangles",
]  # fmt: skip
