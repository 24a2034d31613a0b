"""einops' functions on Tensors: ``einops.rearrange(x, "b h w -> b (h w)")``.

einops looks for the class that handles an array among the subclasses of its ``AbstractBackend``. Ours can only be
made once einops is there, so a finder waits for einops to be imported, whoever does that and
whenever, and adds it then. Nothing here imports einops.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from unigrad.operations import contractions, creation, shapes
from unigrad.tensor import Tensor

_WHERE = "einops._backends"
_classes: list[type] = []  # einops' list of subclasses keeps none of them alive


def add_to(module: ModuleType) -> None:
    """Make the class by which einops handles Tensors. ``module`` is the one that holds its other classes."""

    class UnigradBackend(module.AbstractBackend):  # type: ignore[misc, name-defined]
        framework_name = "unigrad"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def from_numpy(self, x: Any) -> Tensor:
            return creation.asarray(x)

        def to_numpy(self, x: Tensor) -> Any:
            x.refuse_if_recorded("convert it to NumPy", "x.detach()")
            return x.numpy()

        def arange(self, start: int, stop: int) -> Tensor:
            return creation.arange(start, stop)

        def stack_on_zeroth_dimension(self, tensors: list[Tensor]) -> Tensor:
            return shapes.stack(tensors)

        def concat(self, tensors: list[Tensor], axis: int) -> Tensor:
            return shapes.concat(tensors, axis=axis)

        def add_axis(self, x: Tensor, new_position: int) -> Tensor:
            return shapes.expand_dims(x, axis=new_position)

        def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Tensor:
            x = shapes.expand_dims(x, axis=tuple(pos2len))
            return shapes.broadcast_to(x, tuple(pos2len.get(axis, size) for axis, size in enumerate(x.shape)))

        def is_float_type(self, x: Tensor) -> bool:
            return x.dtype.kind == "f"

        def einsum(self, pattern: str, *x: Tensor) -> Tensor:
            return contractions.einsum(pattern, *x)

    _classes.append(UnigradBackend)


class _Finder:
    """Finds einops' module as the other finders do, and has the class added when it has run."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _WHERE:
            return None
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                run = spec.loader.exec_module

                def run_and_add(module: ModuleType) -> None:
                    run(module)
                    add_to(module)

                spec.loader.exec_module = run_and_add  # type: ignore[method-assign]
                return spec
        return None


def wait_for_einops() -> None:
    """Add the class now if einops is imported already, else when it is."""
    if _WHERE in sys.modules:
        add_to(sys.modules[_WHERE])
    else:
        sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
