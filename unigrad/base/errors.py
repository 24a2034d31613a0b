"""Every error that unigrad raises.

Each class is a :class:`UnigradError` and also the built-in that a caller would expect, so both
``except UnigradError`` and ``except ValueError`` work. A message says what was wrong, with which
values, and what to type instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class UnigradError(Exception):
    """Base of all errors raised by unigrad."""


class UnigradWarning(UserWarning):
    """Base of all warnings given by unigrad."""


class DisconnectedWarning(UnigradWarning):
    """A derivative is zeros because the values of what it follows were read as plain numbers or arrays."""


class ArgumentError(UnigradError, ValueError):
    """An argument has a value that the function does not know (a bad ``grad_req``, for example)."""


class ShapeError(UnigradError, ValueError):
    """Shapes do not fit together; the message names all of them."""


class AxisError(UnigradError, ValueError, IndexError):
    """An axis is out of range or named twice."""


class IndexRangeError(UnigradError, IndexError):
    """An index is out of range for the axis that it selects from."""


class DtypeError(UnigradError, TypeError):
    """A dtype does not fit: integers where a gradient is asked for, say."""


class CallError(UnigradError, TypeError):
    """A function was given an argument that it has not; the message says what to type, if another library has it."""


class BackendError(UnigradError, ImportError):
    """A backend is unknown, not installed or broken; the message names what to install."""


class BackendMismatchError(UnigradError, TypeError):
    """Arrays of two backends met in one operation."""


class UnsupportedError(UnigradError, NotImplementedError):
    """A backend cannot do an operation; the message names both and the way round."""


class NotRecordedError(UnigradError, RuntimeError):
    """A derivative was asked of something that was not computed inside ``record()``."""


class GraphFreedError(UnigradError, RuntimeError):
    """A derivative was asked of a part of the graph that an earlier backward released."""


class LeafWriteError(UnigradError, RuntimeError):
    """An array with an attached gradient was written to while recording."""


class GradientError(UnigradError, AssertionError):
    """A derivative is not what the numerical derivative says; ``check_gradients`` raises it."""

    disagreements: tuple[Any, ...] = ()
    """Every element that disagrees, as ``unigrad.checking.verdicts.Disagreement``."""


class LinAlgError(UnigradError, np.linalg.LinAlgError):
    """A matrix has no answer: it is singular, or not positive definite, or not finite."""


class OperationError(UnigradError, RuntimeError):
    """The framework refused an operation; its own error is the ``__cause__``."""


class InterchangeError(UnigradError, BufferError):
    """Memory cannot be shared with another library as it was asked for (DLPack, ``copy=False``)."""


class ProtocolError(UnigradError, AttributeError):
    """An object lacks the methods by which libraries exchange arrays (``__dlpack__``)."""


class MissingNameError(UnigradError, AttributeError):
    """A module or a Tensor has nothing of that name; the message says what to type, if another library has it."""
