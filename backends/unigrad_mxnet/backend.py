"""What unigrad asks of MXNet's arrays."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from unigrad.extend import ALL, Backend, Engine, Raw, exported, from_host
from unigrad_mxnet import linalg
from unigrad_mxnet.importing import import_mxnet


class MXNetEngine(Engine):
    """MXNet's autograd is asked for its own functions alone (:class:`~unigrad_mxnet.foreign.MXNetForeign`).

    It is wrong at many hard points and has no second derivatives, so that each node would keep what the rules need
    beside what MXNet keeps, and each gradient be looked through for NaN: a backward would take half as long again.
    """

    inline_nodes = "lifted"

    def detached(self, raw: Raw) -> Raw:
        return raw.detach()


class MXNetBackend(Backend):
    """MXNet 1.9.1 on the CPU, through its ``mxnet.np`` arrays."""

    name = framework = distribution = "mxnet"
    install = (
        "pip install --no-deps mxnet==1.9.1  "
        "# it needs two system libraries, on Debian and Ubuntu: apt-get install libgomp1 libquadmath0"
    )
    max_ndim = 5
    missing: ClassVar = {
        **dict.fromkeys(("int16", "uint16", "uint32", "uint64"), "MXNet has no arrays of this dtype"),
        "bfloat16": "MXNet makes no array of NumPy's bfloat16, and gives its own out as bare words of 16 bits",
        **dict.fromkeys(("complex64", "complex128"), "MXNet has no complex arrays"),
        **dict.fromkeys(linalg.COMPLEX, "the result is complex, and MXNet has no complex arrays"),
        **dict.fromkeys(("fft", "rfft", "irfft"), "MXNet has no complex arrays"),
    }
    engine = MXNetEngine()

    def load(self) -> None:
        mxnet = import_mxnet()

        from unigrad_mxnet.foreign import MXNetForeign
        from unigrad_mxnet.functions import primitives
        from unigrad_mxnet.library import made, seen, within

        self.functions = {name: within(function) for name, function in primitives(mxnet, self).items()}
        self.foreign = MXNetForeign(self)
        self.raw_dtypes = {dtype: dtype for dtype in ALL if str(dtype) not in self.missing}
        self.array_types = (mxnet.np.ndarray,)
        self.variable_types = (mxnet.nd.NDArray, mxnet.gluon.Parameter)
        self._made, self._seen, self._full_like = within(made), seen, within(mxnet.nd.numpy._internal.full_like)
        # MXNet has no capsules of booleans, and none that it can make of no elements.
        self._capsule = within(lambda raw: None if raw.dtype == bool or not raw.size else raw.to_dlpack_for_read())
        self._shared = within(lambda capsule: mxnet.nd.from_dlpack(capsule).as_np_ndarray())

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        return self._made(array, self.raw_dtype(array.dtype))

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        return self._seen(raw).copy()

    def filled_like(self, raw: Raw, value: float) -> Raw:
        return self._full_like(raw, fill_value=value)

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        return exported(self, raw, copy, max_version, where.get("dl_device"), self._capsule)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        if copy is None and np.from_dlpack(source).dtype == bool:
            copy = True
        return from_host(source, copy, lambda values: self._shared(values.__dlpack__()), self.from_numpy)
