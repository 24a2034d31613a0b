"""That no primitive and no dtype is left out of the family ``dtypes``, and what the errors say."""

from __future__ import annotations

import numpy as np
import pytest
from unigrad_conformance.programs import dtypes as family

import unigrad as ug
from unigrad.base.dtypes import NAMES
from unigrad.table import PRIMITIVES, TAKEN


def test_every_primitive_is_asked_in_every_dtype() -> None:
    names = [case.name for case in family.cases()]
    assert names == [f"dtypes.{name}.{dtypes[0]}" for name in PRIMITIVES for dtypes in family.TOGETHER]
    assert sorted(name for dtypes in family.TOGETHER for name in dtypes) == sorted(NAMES)


def test_the_arguments_are_those_of_the_primitives() -> None:
    assert set(family.STATICS) == {row.name for row in PRIMITIVES.values() if row.statics}
    assert set(family.ARRAYS) <= set(PRIMITIVES)
    for row in PRIMITIVES.values():
        arrays, statics = family.arguments(row, np.dtype("float32"))
        assert len(arrays) == (2 if row.variadic else len(row.arrays)), row.name
        assert len(statics) == len(row.statics), row.name


def test_every_word_of_the_table_is_known() -> None:
    assert {row.dtypes for row in PRIMITIVES.values()} == set(TAKEN)


MASK = np.array([True, False])
REFUSED = {
    "x ^ y": lambda x: x - x,
    "~x": lambda x: -x,
    "numbers, not bool": lambda x: x**x,
    ".astype(ug.int64)": ug.square,
    "remainder takes numbers": lambda x: x % x,
    "integers, not bool": lambda x: x << x,
    "integers or booleans, not float32": lambda x: ug.bitwise_and(x.astype("float32"), x),
    "abs(x)": lambda x: ug.floor(x.astype("complex64")),
    "no float16": lambda x: ug.linalg.inv(ug.eye(2, dtype="float16")),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused_is_a_type_error_that_says_the_way(words: str) -> None:
    with pytest.raises(ug.DtypeError) as found:
        REFUSED[words](ug.asarray(MASK))
    assert words in str(found.value)
    assert isinstance(found.value, TypeError)


def test_a_shape_of_booleans_that_does_not_fit_is_explained() -> None:
    """The answer for booleans, tried where a framework raised, hides no other error."""
    for name in ("numpy", "torch"):
        with ug.use_backend(name), pytest.raises(ug.ShapeError, match="broadcast"):
            ug.asarray(MASK) + ug.asarray([True, False, True])


def test_numbers_between_keep_their_digits_and_the_dtype_of_the_other_end() -> None:
    assert ug.linspace(ug.asarray(np.array([0.0, 1.0])), 0.1, 2).tolist() == [[0, 1], [0.1, 0.1]]
    assert ug.geomspace(0.1, ug.asarray(np.array([0.1])), 2).tolist() == [[0.1], [0.1]]
    found, step = np.linspace(ug.asarray([0.0], dtype="float16"), 3.0, 3, retstep=True)
    assert (found.dtype, step.dtype, found.tolist(), step.tolist()) == ("float16", "float16", [[0], [1.5], [3]], [1.5])


def test_extremes_below_zero_in_bfloat16() -> None:
    x = ug.asarray([-3.0, -1.0], dtype="bfloat16")
    assert x.at[[0, 0]].max([-2.0, -4.0]).tolist() == [-2, -1]
    assert (-x).at[[0, 0]].min([2.0, 4.0]).tolist() == [2, 1]
