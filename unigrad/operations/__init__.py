"""The table of operations by family. Importing this package declares all of them."""

from unigrad.operations import (
    contractions,
    creation,
    decompositions,
    elementwise,
    indexing,
    linalg,
    networks,
    reductions,
    shapes,
)

__all__ = [
    "contractions",
    "creation",
    "decompositions",
    "elementwise",
    "indexing",
    "linalg",
    "networks",
    "reductions",
    "shapes",
]
