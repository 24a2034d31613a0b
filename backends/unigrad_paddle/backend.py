"""What unigrad asks of PaddlePaddle's tensors."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from unigrad.extend import HOST, Backend, Raw, everything, quietly, unless_refused, with_host
from unigrad_paddle.hosted import HOSTED, lacks_kernel


class PaddleBackend(Backend):
    """PaddlePaddle's eager tensors on the host."""

    name = framework = "paddle"
    distribution = "paddlepaddle"
    install = "pip install 'unigrad[paddle]'"
    max_ndim = 8
    missing: ClassVar = dict.fromkeys(
        ("uint16", "uint32", "uint64"), "PaddlePaddle makes no such tensor of NumPy's values; uint16 is its bfloat16"
    )

    def load(self) -> None:
        with _as_before():
            import paddle

        from unigrad_paddle.functions import primitives

        self._paddle = paddle
        self.raw_dtypes = {
            dtype: getattr(paddle, str(dtype)) for dtype in everything() if str(dtype) not in self.missing
        }
        self.array_types = (paddle.Tensor,)
        own = {name: unless_refused(self, name, run, lacks_kernel) for name, run in primitives(self).items()}
        self.functions = with_host(self, own, HOSTED)

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        self.raw_dtype(array.dtype)
        # NumPy has no bfloat16 of its own, and PaddlePaddle takes its words for unsigned integers.
        return self._paddle.to_tensor(array.view(np.uint16) if array.dtype.kind == "V" else array, place="cpu")

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        values: np.ndarray[Any, Any] = raw.numpy()
        dtype = self.dtype(raw)
        return values.view(dtype) if dtype.kind == "V" else values

    def dlpack_device(self, raw: Raw) -> tuple[int, int]:
        return HOST


@contextmanager
def _as_before() -> Iterator[None]:
    """Without what importing PaddlePaddle changes for others: the level of logging, and a variable of the environment;
    and without its warning of a cache that only who builds extensions needs."""
    level, known = logging.root.level, set(os.environ)
    with quietly("GLOG_minloglevel", "2"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.root.setLevel(level)
            for name in set(os.environ) - known - {"GLOG_minloglevel"}:
                del os.environ[name]
