"""PyTorch's own forward mode around one primitive, and what goes by unigrad's rules instead.

Measured against the rules, it takes from a fifth of their time (``where``) to twice (``add`` of 10 elements), and about
the same at 100,000 elements.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

from unigrad.extend import Primitive, Raw
from unigrad_torch.replaced import BY_RULES, REPLACED

# The public make_dual and unpack_dual end here as well, after a longer time than a small operation itself takes.
enter_level = torch._C._enter_dual_level
exit_level = torch._C._exit_dual_level
make_dual = torch._VF._make_dual
unpack_dual = torch._VF._unpack_dual

# There is one level in the whole process, and a second one, of another thread as well, is an error.
_one_at_a_time = threading.Lock()


def push(
    function: Callable[..., Raw],
    row: Primitive,
    raws: Sequence[Raw],
    tangents: Sequence[Raw | None],
    statics: Sequence[Any],
) -> tuple[Raw, Raw] | None:
    """The value of a primitive and its tangent, or None where the rules are to be used."""
    if row.ruled or row.name in BY_RULES or row.name in REPLACED or not all(map(_moves, raws, tangents)):
        return None
    # The compiler and torch.func look into what rules do; levels are closed to them.
    if torch.compiler.is_compiling() or torch._C._functorch.peek_interpreter_stack() is not None:
        return None
    with _one_at_a_time:
        try:
            level = enter_level()
        except RuntimeError:  # the user has one open
            return None
        try:
            duals = [
                raw if tangent is None else make_dual(raw, tangent, level)
                for raw, tangent in zip(raws, tangents, strict=True)
            ]
            out = function(duals, *statics) if row.variadic else function(*duals, *statics)
            tangent = unpack_dual(out, level)[1]
        finally:
            exit_level(level)
    # In inference mode PyTorch drops every tangent without a word: that there is none does not mean zero.
    return None if tangent is None else (out, tangent)


def _moves(raw: Raw, tangent: Raw | None) -> bool:
    """Whether an operand has a tangent that PyTorch follows, or can have none.

    Beside one that stands still PyTorch calculates with a tangent of zeros: that is NaN where the operand is
    infinite, takes 20 times as long as the rules at 10 elements and 7 times at 100,000, and the first such call
    imports for seconds. What was made in inference mode keeps no tangent.
    """
    if tangent is None:
        return isinstance(raw, torch.Tensor) and not (raw.is_floating_point() or raw.is_complex())
    return not raw.is_inference()
