"""What NumPy's users write without thinking: rows of computed numbers, adding at positions, changing a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, message, raised
from unigrad_conformance.oracle import Oracle

NUMPY_USERS = Program("numpy_users")


@NUMPY_USERS.case("asarray of rows of recorded numbers is recorded, in grad, jvp and vmap")
def rows_of_recorded_numbers(ug: Any) -> Results:
    def turned(t: Any) -> Any:
        c, s = ug.cos(t), ug.sin(t)
        return (ug.asarray([[c, -s], [s, c]]) @ ug.asarray([1.0, 2.0]) + ug.array([c, 1])).sum()

    t = ug.asarray(0.25)
    return {
        "gradient": ug.grad(turned)(t),
        "tangent": ug.jvp(turned, (t,), (ug.asarray(2.0),))[1],
        "mapped": ug.vmap(ug.grad(turned))(ug.asarray([0.25, 0.5])),
        "copied": ug.grad(lambda x: (ug.asarray([[x[0], x[1] * 2]], copy=True) ** 2).sum())(ug.asarray([1.0, 2.0])),
        "appended": ug.grad(lambda x: (ug.append(x, [x[0] * 2, 3.0]) ** 2).sum())(ug.asarray([1.0, 2.0])),
    }


@NUMPY_USERS.case("np.add.at adds at repeated positions and is differentiable by both", value=[[5, 7], [3, 4]])
def adding_at_positions(ug: Any) -> Results:
    x, rows = ug.zeros((2, 2)), ug.asarray([[1.0, 2.0], [3.0, 4.0], [4.0, 5.0]])
    x.attach_grad()
    rows.attach_grad()
    with ug.record():
        total = x * 2
        np.add.at(total, [0, 1, 0], rows)
        again = x.at[[0, 1, 0]].add(rows)
        loss = (total**2).sum() + (again * 3).sum()
    loss.backward()
    return {"value": total, "by x": x.grad, "by rows": rows.grad, "x is as it was": x}


@NUMPY_USERS.case("positions may differ along a vmap, and what is not there is one error")
def scattering_mapped_and_refused(ug: Any) -> Results:
    x, places = ug.zeros(3), ug.asarray([[0, 0], [2, -2]])
    added = ug.vmap(lambda i, v: ug.scatter_add(x, i, v))(places, ug.asarray([[1.0, 2.0], [3.0, 4.0]]))
    return {
        "added": added,
        "errors": [
            raised(lambda: ug.scatter_add(x, [0, 3], 1.0)),
            raised(lambda: np.add.at(x, [-4], 1.0)),
            raised(lambda: x.at[[0, 1]].multiply([1.0, 2.0, 3.0])),
            raised(lambda: np.add.at(ug.asarray([1, 2]), 0, 0.5)),
            raised(lambda: x.at[[0.5]].set(1.0)),
            raised(lambda: ug.choose(ug.asarray([2]), [x])),
            raised(lambda: np.maximum.at(np.zeros(3), 0, x[0])),
        ],
    }


@NUMPY_USERS.case("an attached gradient can be scaled, replaced and cleared", scaled=[1, 2], cleared=[0, 0])
def changing_a_gradient(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad("add")
    with ug.record():
        y = (x**2).sum()
    y.backward()
    x.grad *= 0.5
    scaled = x.grad.copy()
    x.grad = np.asarray([3.0, 4.0])
    with ug.record():
        y = (x**2).sum()
    y.backward()
    added = x.grad.copy()

    def too_many() -> None:
        x.grad = ug.ones(3)

    def of_none() -> None:
        ug.ones(2).grad = ug.ones(2)

    errors = [raised(too_many), raised(of_none)]
    x.grad = None
    return {"scaled": scaled, "added": added, "dtype": str(added.dtype), "cleared": x.grad, "errors": errors}


@NUMPY_USERS.case("the pull of NumPy's arrays, used inside another transform, is followed by it")
def pull_inside_a_transform(ug: Any) -> Results:
    x = np.asarray([1.0, 2.0], np.float32)
    _, pull = ug.vjp(lambda x: x**3, x)
    value, back = ug.vjp(lambda g: pull(g)[0], np.ones(2, np.float32))
    plain = pull(np.ones(2, np.float32))[0]
    return {"value": ug.asarray(value), "back": ug.asarray(back(x)[0]), "kinds": [type(plain).__name__]}


@NUMPY_USERS.case("what has one value has it under NumPy's names")
def names_and_sizes(ug: Any) -> Results:
    x = ug.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])
    return {
        "items": str([float(x.item(4)), float(x.item(1, 2)), float(x.item((0, 1)))]),
        "bytes": [x.nbytes, x.itemsize],
        "tall": str([part.shape for part in np.atleast_2d(x, x[0])]),
        "listed": [type(np.split(x, 2)).__name__, type(np.hsplit(x, 3)).__name__, type(ug.split(x, 2)).__name__],
        "rounded": (x / 7).round(2),
        "errors": [raised(lambda: x.item(9)), raised(x.item), raised(lambda: x.at.add), raised(lambda: x.flat)],
        "words": "ravel" in message(lambda: x.flat),
    }


@NUMPY_USERS.case("where of a condition alone, a dtype by position, numbers in the other order of bytes", rows=[0, 1],
                  columns=[1, 0], whole=[1, 2], zeros=[0, 0], value=[1, 2.5], grad=[2, 5], raw=[True])  # fmt: skip
def unthinking(ug: Any) -> Results:
    rows, columns = ug.where(ug.asarray([[False, True], [True, False]]))
    swapped = np.asarray([1.0, 2.5], np.dtype(np.float32).newbyteorder())
    x = ug.asarray(swapped)
    return {
        "rows": rows,
        "columns": columns,
        "whole": ug.asarray([1.0, 2.0], ug.int64),
        "zeros": ug.zeros_like(x, ug.int32),
        "value": x,
        "grad": ug.grad(lambda x: (x * swapped).sum())(x) + ug.asarray(ug.grad(lambda x: (x * x).sum())(swapped)) / 2,
        "copied": ug.asarray(swapped, copy=True),
        "raw": [x.dtype == ug.float32],
    }


@NUMPY_USERS.case("comparisons of integers with numbers that their dtype does not hold are those of the numbers")
def beyond_a_dtype(ug: Any) -> Results:
    found = {}
    for dtype, low, high in (("uint8", -1, 256), ("int32", -(2**40), 2**40), ("int64", -(2**70), 2**63)):
        x = ug.asarray([0, 1, 100], dtype=dtype)
        found[f"{dtype} above"] = ug.stack([x == high, x != high, x < high, x <= high, x > high, x >= high])
        found[f"{dtype} below"] = ug.stack([x == low, x != low, x < low, x <= low, x > low, x >= low])
        found[f"{dtype} on the left"] = ug.stack([low < x, high < x, ug.vmap(lambda one, n=high: one < n)(x)])
    return found


@NUMPY_USERS.case("dtypes asked about as the standard has it", kinds=[True, False, True, True, False, True],
                  cast=[True, False, True, False], types=["float64", "int64", "float32", "complex64"])  # fmt: skip
def questions_about_dtypes(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    kinds = [
        ug.isdtype(x.dtype, "real floating"), ug.isdtype(ug.int32, "unsigned integer"),
        ug.isdtype("float64", ("integral", "real floating")), ug.isdtype(ug.bool_, ug.bool_),
        ug.isdtype(ug.int8, (ug.bool_, "complex floating")), ug.isdtype(np.float64, np.dtype("float64")),
    ]  # fmt: skip
    cast = [
        ug.can_cast(ug.float32, ug.float64), ug.can_cast(ug.float64, ug.int64), ug.can_cast(x, "float32"),
        ug.can_cast(np.ones(2), ug.float32),
    ]  # fmt: skip
    types = [
        ug.result_type(x, np.ones(2)), ug.result_type(ug.int32, "int64"), ug.result_type(x, 2), ug.result_type(x, 1j)
    ]  # fmt: skip
    return {"kinds": kinds, "cast": cast, "types": [str(each) for each in types]}


@NUMPY_USERS.case("NumPy's arrays by way of DLPack, there and back", value=[1, 2], shared=[2, 4], asked=[1, 2])
def dlpack(ug: Any) -> Results:
    given = np.asarray([1.0, 2.0], np.float32)
    x = ug.asarray(0.0)
    if isinstance(x.backend, Oracle) or x.__dlpack_device__() != (1, 0):  # in no memory, or in none that NumPy reads
        return {"value": ug.asarray(given), "shared": ug.asarray(given * 2), "asked": ug.asarray(given)}
    x = ug.from_dlpack(given)
    y = ug.asarray(np.array(np.from_dlpack(x * 2)))
    return {"value": x, "shared": y, "asked": ug.asarray(np.array(np.from_dlpack(x, copy=True)))}


@NUMPY_USERS.case("of many elements as of few", alike=True)
def many_elements(ug: Any) -> Results:
    few = np.asarray([-2.0, -0.25, 0.5, 1.75, 3.0], np.float32)
    functions = (ug.erf, ug.special.ndtr, ug.special.loggamma, ug.special.i0, ug.nn.gelu)
    if ug.get_backend() != "numpy":  # whose functions take them in blocks
        return {"alike": True}
    alike = True
    for f in functions:
        found, expected = f(ug.asarray(np.tile(few, 20_000))), f(ug.asarray(few))
        alike = alike and np.allclose(found.numpy().reshape(20_000, 5), expected.numpy(), rtol=1e-6, equal_nan=True)
    return {"alike": bool(alike)}
