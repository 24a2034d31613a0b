"""What users compute: the operations by family, each with its derivatives beside it.

Importing this package declares all. What a family's ``__all__`` names is public, in ``linalg`` and ``fft`` as
``ug.linalg.NAME``, in all others as ``ug.NAME``; ``decompositions`` and ``networks`` hold primitives alone, and
``booleans`` what some of them are of booleans.
"""

from unigrad.operations import (
    arranging,
    booleans,
    comparing,
    contractions,
    creation,
    datatypes,
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

FLAT = (
    arranging, comparing, contractions, creation, datatypes, elementwise, indexing, padding, reductions, searching,
    sequences, sets, shapes, statistics, triangles,
)  # fmt: skip
"""The families whose names are public as ``ug.NAME``."""

__all__ = ["FLAT", "booleans", "decompositions", "fft", "linalg", "networks"]
