"""What unigrad asks of dask's arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from unigrad.extend import (
    ALL,
    HOST,
    Backend,
    BackendError,
    DType,
    DtypeError,
    Raw,
    ShapeError,
    get_backend_object,
    host_capsule,
)


class DaskBackend(Backend):
    """dask.array, over NumPy's or CuPy's chunks."""

    name = framework = distribution = "dask"
    install = "pip install 'unigrad[dask]'"
    max_ndim = 64
    missing: ClassVar = {
        "bfloat16": "the class of arrays in which the native engine holds it is lost where dask joins chunks"
    }

    def load(self) -> None:
        import dask
        import dask.array

        from unigrad_dask.engine import DaskEngine
        from unigrad_dask.foreign import DaskForeign
        from unigrad_dask.functions import primitives

        self._dask = dask
        self._array = dask.array
        self.functions = primitives(self)
        self.engine = DaskEngine(self)
        self.foreign = DaskForeign()
        self.raw_dtypes = {dtype: dtype for dtype in ALL}
        self.array_types = (dask.array.Array,)

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        # Without a name of its own dask would make one of all values.
        made = self._array.from_array(np.array(array), name=False)
        return made if device is None else self.to_device(made, device)

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        return _on_host(raw.compute())

    def all_to_numpy(self, raws: Sequence[Raw]) -> list[np.ndarray[Any, Any]]:
        return list(map(_on_host, self._dask.compute(*raws)))

    def admit(self, raw: Raw) -> Raw:
        """ShapeError for an unknown shape, DtypeError for chunks of another kind than NumPy's and CuPy's."""
        self.dtype(raw)
        if any(size != size for size in raw.shape):
            raise ShapeError(
                f"a dask array of shape {raw.shape} has sizes that are not known before its values are, and here they "
                f"are needed; compute them with x.compute_chunk_sizes(), or choose by ug.where(mask, x, 0) instead of "
                f"x[mask]"
            )
        kind = type(raw._meta)
        if kind is not np.ndarray and kind.__module__.partition(".")[0] != "cupy":
            raise DtypeError(
                f"dask arrays may have chunks of NumPy's or CuPy's arrays here, and not of "
                f"{kind.__module__}.{kind.__qualname__}; make plain ones of them with x.map_blocks(...)"
            )
        return raw

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        # dask cannot say how to divide what has no elements where its other axes are large.
        made = self._array.full(shape, value, dtype=dtype, chunks=shape if 0 in shape else "auto")
        return made if device is None else self.to_device(made, device)

    def filled_like(self, raw: Raw, value: float) -> Raw:
        return self._array.full_like(raw, value, chunks=raw.chunks)

    def device(self, raw: Raw) -> Any:
        """``"cpu"``, or ``"cuda"`` for CuPy's chunks, of which each may be on another GPU."""
        return "cpu" if type(raw._meta) is np.ndarray else "cuda"

    def devices(self) -> Sequence[Any]:
        return ("cpu", "cuda") if _has_cupy() else ("cpu",)

    def to_device(self, raw: Raw, device: Any) -> Raw:
        if device == self.device(raw):
            return raw
        move = _on_gpu if device == "cuda" else _on_host
        return raw.map_blocks(move, dtype=raw.dtype, meta=move(raw._meta))

    def copied(self, raw: Raw) -> Raw:
        return raw.copy()

    def watched(self, raw: Raw, check: Callable[[Any], None]) -> Raw:
        return raw.map_blocks(_passed, check, dtype=raw.dtype, meta=raw._meta)

    def is_at_hand(self, raw: Raw) -> bool:
        return False

    def may_hold_zero(self, raw: Raw) -> bool:
        return True

    def described(self, raw: Raw) -> str:
        return f"chunks={_shortened(raw.chunks)}, not computed"

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        return host_capsule(self.to_numpy(raw), copy, max_version)

    def dlpack_device(self, raw: Raw) -> tuple[int, int]:
        return HOST  # whatever its chunks are, as to_dlpack brings them there


def _has_cupy() -> bool:
    try:
        get_backend_object("cupy")
    except BackendError:
        return False
    return True


def _on_gpu(values: np.ndarray[Any, Any]) -> Raw:
    return get_backend_object("cupy").from_numpy(values)


def _on_host(values: Any) -> np.ndarray[Any, Any]:
    """What dask computed, which is of the chunks' kind."""
    return values.get() if type(values).__module__.startswith("cupy") else np.asarray(values)


def _passed(values: Any, check: Callable[[Any], None]) -> Any:
    check(values)
    return values


def _shortened(chunks: tuple[tuple[int, ...], ...]) -> str:
    """As ``(1000, ..., 1000)`` for many, since there may be thousands."""
    shown = []
    for sizes in chunks:
        if len(sizes) > 4:
            shown.append(f"({sizes[0]}, {sizes[1]}, ..., {sizes[-1]}: {len(sizes)} of them)")
        else:
            shown.append(str(sizes))
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"
