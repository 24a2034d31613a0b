"""Words that many rooms share."""

from __future__ import annotations

from typing import Any

import numpy as np

Raw = Any
"""A framework's own array."""
Values = np.ndarray[Any, Any]
"""NumPy's, of any dtype and shape."""
Shape = tuple[int, ...]
"""The sizes of axes, or their numbers."""
Key = tuple[Any, ...]
"""What stands between the brackets, in the form that ``unigrad.operations.indexing`` calls canonical."""
EVERYTHING = slice(None, None, None)
"""All of an axis."""
