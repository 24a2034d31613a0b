"""Linear algebra, which NumPy does for MXNet.

Several of MXNet's own functions give no derivative or a wrong one and say nothing, and none raises for a singular
matrix before somebody reads the result.
"""

from __future__ import annotations

from unigrad.extend import DECOMPOSITIONS

COMPLEX = ("eig", "eigvals")
"""The primitives whose results are complex, which MXNet's arrays are not."""
NAMES = tuple(name for name in DECOMPOSITIONS if name not in COMPLEX)
"""All others, computed by NumPy and differentiated by the neutral rules."""
