"""What einops, matplotlib and PyTorch's DataLoader must be told about Tensors. Nothing here imports any of them.

einops looks for the class that handles an array among the subclasses of its ``AbstractBackend``, matplotlib for a
converter in its registry of types, and a DataLoader for a function that makes a batch in a table by type. They are
there only once they have been imported, so a finder waits for that, whoever does it and whenever, and then adds ours.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from unigrad.base.dtypes import REAL_FLOATING
from unigrad.base.errors import DtypeError
from unigrad.operations import contractions, creation, shapes
from unigrad.tensor.tensor import Tensor, tensor_method


@tensor_method("__tf_tensor__")
def _for_tensorflow(self: Tensor, dtype: Any = None, name: str | None = None) -> Any:
    """DtypeError: TensorFlow takes Tensors nowhere. So ``variable + x`` is left to x, and no gradient is lost."""
    raise DtypeError(
        "TensorFlow's functions, and what a tf.function returns, take its own arrays: pass x.raw, or call "
        "ug.wrap_native(function)(x), which is differentiated; in a comparison have the Tensor on the left"
    )


_kept: list[type] = []  # einops' list of subclasses keeps none of them alive


def tell_einops(module: ModuleType) -> None:
    """Make the class by which ``einops.rearrange`` and the others handle Tensors."""

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
            return x.dtype.kind in REAL_FLOATING

        def einsum(self, pattern: str, *x: Tensor) -> Tensor:
            return contractions.einsum(pattern, *x)

    _kept.append(UnigradBackend)


def tell_matplotlib(module: ModuleType) -> None:
    """Have Tensors converted by :func:`numpy.asarray`, which refuses recorded ones, before anything is drawn."""

    class TensorConverter(module.ConversionInterface):  # type: ignore[misc, name-defined]
        @staticmethod
        def default_units(value: Any, axis: Any) -> None:
            # Called first, and matplotlib hides what convert() raises behind an error of its own.
            if isinstance(value, Tensor):
                value.refuse_if_recorded("draw it", "x.detach()")

        @staticmethod
        def convert(value: Any, unit: Any, axis: Any) -> Any:
            if isinstance(value, (list, tuple)):
                return [TensorConverter.convert(item, unit, axis) for item in value]
            return np.asarray(value) if isinstance(value, Tensor) else value

    module.registry[Tensor] = TensorConverter()


def tell_dataloader(module: ModuleType) -> None:
    """Have ``torch.utils.data.DataLoader`` make a batch of Tensors by stacking them, on their own backend."""

    def stacked(batch: list[Tensor], *, collate_fn_map: Any = None) -> Tensor:
        return shapes.stack(batch)

    module.default_collate_fn_map[Tensor] = stacked


_TELL: dict[str, Callable[[ModuleType], None]] = {
    "einops._backends": tell_einops,
    "matplotlib.units": tell_matplotlib,
    "torch.utils.data._utils.collate": tell_dataloader,
}


def _run_and_tell(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    run(module)
    _TELL[module.__name__](module)


class _Finder:
    """Finds these modules as the other finders do, and has them told when they have run."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _TELL:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                run = spec.loader.exec_module
                setattr(spec.loader, "exec_module", functools.partial(_run_and_tell, run))  # noqa: B010
                return spec
        return None


def greet() -> None:
    """Tell those that are imported already now, and the others when they are."""
    for name, tell in _TELL.items():
        if name in sys.modules:
            tell(sys.modules[name])
    sys.meta_path.insert(0, _Finder())
