"""An array with its node."""

from unigrad.tensor.tensor import Tensor, _rebuild

__all__ = ["Tensor", "_rebuild"]
