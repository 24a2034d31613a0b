"""What users compute: the operations by family, each with its derivatives beside it.

Importing this package declares all. What a family's ``__all__`` names is public, in ``linalg`` and ``fft`` as
``ug.linalg.NAME``, in all others as ``ug.NAME``; ``decompositions``, ``layers``, ``networks``, ``normalising`` and
``pooling`` hold primitives alone, and ``booleans`` what some of them are of booleans.
"""

from unigrad.operations import (
    applying,
    arranging,
    assembling,
    booleans,
    brackets,
    calculus,
    choosing,
    comparing,
    contractions,
    convolving,
    creation,
    datatypes,
    decompositions,
    elementwise,
    fft,
    floating_parts,
    indexing,
    layers,
    linalg,
    moments,
    networks,
    normalising,
    padding,
    polynomials,
    pooling,
    reductions,
    relations,
    scattering,
    searching,
    sequences,
    sets,
    shapes,
    spacing,
    statistics,
    triangles,
    without_nan,
)

FLAT = (
    applying, arranging, assembling, brackets, calculus, choosing, comparing, contractions, convolving, creation,
    datatypes, elementwise, floating_parts, indexing, moments, padding, polynomials, reductions, relations,
    scattering, searching, sequences, sets, shapes, spacing, statistics, triangles, without_nan,
)  # fmt: skip
"""The families whose names are public as ``ug.NAME``."""

__all__ = ["FLAT", "booleans", "decompositions", "fft", "layers", "linalg", "networks", "normalising", "pooling"]
