"""Whose memory it is: what is written to a framework's own array reaches nobody who has a copy, or a gradient."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised
from unigrad_conformance.oracle import Oracle

MEMORY = Program("memory")
case = MEMORY.case


def _overwrite(x: Any) -> None:
    """Fill the framework's own array, where it can be written to."""
    raw = x.detach().raw
    if hasattr(raw, "to_local"):  # its own part, in the memory where that is
        raw = raw.to_local()
    with contextlib.suppress(TypeError):  # immutable
        raw[...] = 9


@case("a gradient is no other one's memory, nor that of the head gradient",
      leaf=[1, 2], reshaped=[[1], [5]], joined=np.ones((3, 2)), beside=[[1, 1]], added=[1, 1],
      twice=[2, 2])  # fmt: skip
def gradients(ug: Any) -> Results:
    x, y = ug.asarray([3.0, 4.0]), ug.asarray([1.0, 2.0])
    both, row = ug.ones((2, 2)), ug.ones((1, 2))
    for variable in (x, y, both, row):
        variable.attach_grad()
    leaf, reshaped, joined = ug.asarray([1.0, 2.0]), ug.asarray([[1.0], [5.0]]), ug.ones((3, 2))
    x.backward(leaf)
    _overwrite(x.grad)
    with ug.record():
        column, rows, total = x.reshape(2, 1), ug.concat([both, row]), x + y
    column.backward(reshaped)
    _overwrite(x.grad)
    rows.backward(joined)
    _overwrite(both.grad)
    total.backward()
    _overwrite(x.grad)
    added = y.grad
    with ug.record():
        twice = (x + y) * 2
    twice.backward()
    _overwrite(x.grad)
    return {
        "leaf": leaf, "reshaped": reshaped, "joined": joined, "beside": row.grad, "added": added, "twice": y.grad,
    }  # fmt: skip


@case("what has crossed to NumPy is in memory of its own, if anybody can write to where it was", value=[1, 2])
def crossed(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    away = x.to_backend("numpy" if ug.get_backend() != "numpy" else "mpmath")
    _overwrite(x)
    return {"value": ug.asarray(away.numpy())}


@case("attaching leaves an array in its memory", same=True)
def attached(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    before = x.detach()
    x.attach_grad()
    _overwrite(x)
    return {"same": bool(np.array_equal(before.numpy(), x.numpy()))}


@case("a copy is in memory of its own", value=[1, 2, 3], same=False)
def copies(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0, 3.0])
    for each in (copy.copy(x), x.copy(), ug.asarray(x, copy=True)):
        _overwrite(each)
    return {"value": x, "same": copy.copy(x) is x}


@case("the parts of a complex array are arrays of their own", dtype="complex128", value=[1 + 2j, 3j])
def parts(ug: Any) -> Results:
    z = ug.asarray(np.array([1 + 2j, 3j]))
    for f in (ug.real, ug.imag, ug.conj):
        _overwrite(f(z))
    return {"value": z}


@case("a deep copy is one of the value and of the gradient", value=[3, 4], grad=[6, 8],
      error="NotRecordedError")  # fmt: skip
def deep_copies(ug: Any) -> Results:
    x = ug.asarray([3.0, 4.0])
    x.attach_grad()
    with ug.record():
        y = x * x
    y.backward()
    _overwrite(copy.deepcopy(x).grad)
    _overwrite(copy.deepcopy(x))
    z = ug.asarray([3.0])
    z.attach_grad()
    with ug.record():
        (z**3).backward(create_graph=True)
        twin = copy.deepcopy(z)
    return {"value": x, "grad": x.grad, "error": raised(twin.grad.backward)}


class _Capsule:
    """What an older library gives: a capsule, whatever is asked for."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **asked: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@case("memory that is not to be written to leaves as a copy, for who could not be told",
      values=[[0, 1, 2]] * 4, shared=[False] * 3, told=True, forbidden="InterchangeError")  # fmt: skip
def read_only(ug: Any) -> Results:
    kept = np.arange(3, dtype=np.float32)
    kept.flags.writeable = False
    x = ug.from_dlpack(kept) if ug.get_backend() == "numpy" else ug.asarray(kept)
    if isinstance(x.backend, Oracle) or x.__dlpack_device__() != (1, 0):  # in no memory, or in none that NumPy reads
        return {"values": ug.stack([x] * 4), "shared": [False] * 3, "told": True, "forbidden": "InterchangeError"}
    asked: tuple[dict[str, Any], ...] = (
        {}, {"max_version": (0, 8)}, {"copy": True}, {"max_version": (1, 0), "dl_device": (1, 0)}
    )  # fmt: skip
    arrays = [np.from_dlpack(_Capsule(x.__dlpack__(**each))) for each in asked]
    shared = [bool(np.shares_memory(array, kept)) for array in arrays]
    # NumPy's memory may be shared with who can be told; nobody else gets it without a copy that was not to be made.
    native = ug.get_backend() == "numpy"
    return {
        "values": ug.asarray(np.stack(arrays)),
        "shared": shared[:3],
        "told": shared[3] if native else True,
        "forbidden": raised(lambda: x.__dlpack__(copy=False)) if native else "InterchangeError",
    }


@case("NumPy gets the values to look at, and a copy to write to", values=[[0, 1, 2]] * 4,
      written=["ValueError", "nothing", "nothing", "nothing"], kept=[0, 1, 2])  # fmt: skip
def seen_by_numpy(ug: Any) -> Results:
    x = ug.asarray(np.arange(3, dtype=np.float32))
    seen = [np.asarray(x), np.array(x), np.asarray(x, copy=True), x.numpy()]
    values = ug.asarray(np.stack([each.astype(np.float32) for each in seen]))
    return {"values": values, "written": [raised(lambda each=each: each.fill(7)) for each in seen], "kept": x}
