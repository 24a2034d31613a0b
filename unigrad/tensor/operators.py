"""Operators and assignments: which primitive each one is, and the method of an assignment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.adapters.contract import Engine
from unigrad.base.errors import DtypeError, ShapeError
from unigrad.tape import Leaf, next_number
from unigrad.tensor.tensor import Tensor

OPERATORS: dict[str, tuple[str, bool]] = {
    "__neg__": ("negative", False),
    "__abs__": ("abs", False),
    "__eq__": ("equal", False),
    "__ne__": ("not_equal", False),
    "__lt__": ("less", False),
    "__le__": ("less_equal", False),
    "__gt__": ("greater", False),
    "__ge__": ("greater_equal", False),
    "__invert__": ("bitwise_invert", False),
}
"""Operator method to its primitive, and whether the operands are exchanged."""
IN_PLACE: dict[str, str] = {}
"""The method of an assignment (``x += v``) to its primitive."""
REFLECTED: set[str] = set()
"""The primitives whose operands an operator exchanges."""
for _name, _primitive in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}.items():  # fmt: skip
    OPERATORS[f"__{_name}__"] = (_primitive, False)
    OPERATORS[f"__r{_name}__"] = (_primitive, True)
    IN_PLACE[f"__i{_name}__"] = _primitive
    REFLECTED.add(_primitive)


def in_place(
    function: Callable[[Tensor, Any], Tensor], raw_function: Callable[[Any, Any], Any] | None, engine: Engine
) -> Callable[[Tensor, Any], Tensor]:
    """The method of an assignment such as ``x -= v``, of the function of ``x - v``.

    ``raw_function`` does the same over raw floating arrays, unrecorded; None where it would have to check them.
    """
    by_engine = engine.orders > 0

    def assign(self: Tensor, other: Any) -> Tensor:
        leaf = self._node
        buffer = None
        if type(leaf) is Leaf:
            buffer = self._writable()
            if buffer is not None and raw_function and type(other) is type(self) and other._dtype is self._dtype:
                # A step of training, which by way of the function takes half as long again.
                try:
                    raw = raw_function(self._raw, other._raw)
                except Exception:
                    raw = None  # the function says why
                if raw is not None and raw.shape == self._raw.shape:
                    self._raw = tracked = engine.fresh_leaf(raw)
                    self._node = made = Leaf()
                    made.number = next_number()
                    made.buffer = leaf.buffer
                    made.raw = tracked if by_engine else None
                    return self
        new = function(self, other)
        if new is NotImplemented:
            return new
        # Raw shapes are compared for speed: a Tensor's are made into tuples first.
        if self._is_wrapped or type(new) is not type(self) or new._raw.shape != self._raw.shape:
            _check_fits(self, new)
        if new._dtype is not self._dtype and new._dtype != self._dtype:
            _check_fits(self, new)
            new = new.astype(self.dtype)
        self._become(new, buffer)
        return self

    return assign


def _check_fits(x: Tensor, new: Tensor) -> None:
    """An error where ``x`` cannot hold ``new``."""
    if new.shape != x.shape:
        raise ShapeError(f"an array of shape {x.shape} cannot hold the result, of shape {new.shape}")
    if new.dtype.kind != x.dtype.kind:
        raise DtypeError(f"an array of dtype {x.dtype} cannot hold the result, of dtype {new.dtype}")
