"""Positions, sets, counts and comparisons of whole arrays."""

from unigrad_conformance.inputs import complex_, real, spread, whole
from unigrad_conformance.samples import Family

SEARCHING = Family("searching")
_row = SEARCHING

_nan = float("nan")
_sparse = real([[0.0, 1.5, 0.0], [-2.0, 0.0, _nan]])
_v = spread(0.5, 2.5, 4)
_bins = real([-1.0, 0.5, 0.5, 2.0])
_values = real([[-3.0, 0.5, 0.75], [2.0, 2.5, -1.0]])
_row("nonzero", "matrix", "ug.nonzero(x)", x=_sparse, flat=True)
_row("nonzero", "integers", "n.nonzero()", n=whole([0, 3, 0, 1]), flat=True, dtypes=("float32",))
_row("nonzero", "none", "ug.nonzero(x)", x=real([0.0, 0.0]), flat=True)
_row("argwhere", "matrix", "ug.argwhere(x)", x=_sparse, flat=True)
_row("flatnonzero", "matrix", "ug.flatnonzero(x)", x=_sparse, flat=True)
_row("extract", "mask", "ug.extract(x > 1, x) ** 2", x=spread(0.5, 2.5, 2, 3))
_row("compress", "axis", "ug.compress(m, x, axis=1) ** 2", x=spread(0.5, 2.5, 2, 3), m=whole([1, 0, 1], "bool"))
_row("compress", "flattened", "x.compress([False, True, True]) ** 2", x=spread(0.5, 2.5, 2, 3))
for _side in ("left", "right"):
    _row("searchsorted", _side, f"ug.searchsorted(x, y, side='{_side}')", x=_bins, y=_values, flat=True)
    _row("searchsorted", f"nan_{_side}", f"ug.searchsorted(x, y, side='{_side}')", x=real([0.5, _nan, _nan]),
         y=real([_nan, 0.0, 1.0, float("inf")]), flat=True)  # fmt: skip
_row("searchsorted", "scalar", "x.searchsorted(0.75)", x=_bins, flat=True)
_row("searchsorted", "sorter", "ug.searchsorted(x, y, sorter=ug.argsort(x))", x=_v, y=_values, flat=True)
_row("searchsorted", "integers", "ug.searchsorted(n, m)", n=whole([1, 3, 3]), m=whole([3, 0, 9]), flat=True,
     dtypes=("float32",))  # fmt: skip
_row("searchsorted", "in_nothing", "ug.searchsorted(x, y)", x=spread(0, 1, 0), y=_v, flat=True)
_row("digitize", "ascending", "ug.digitize(x, y)", x=_values, y=_bins, flat=True)
_row("digitize", "descending", "ug.digitize(x, y, right=True)", x=_values, y=_bins[::-1].copy(), flat=True)
_row("top_k", "values", "ug.top_k(x, 2).values ** 2", x=_v)
_row("top_k", "smallest", "ug.top_k(x, 2, axis=0, largest=False).values ** 2", x=spread(0.5, 2.5, 3, 2))
_row("top_k", "nan_is_largest", "ug.top_k(x, 3).values * 2", x=real([1, float("nan"), 3, float("nan")]), flat=True)
_row("top_k", "nan_positions", "ug.top_k(x, 3).indices", x=real([1, float("nan"), 3, float("nan")]), flat=True)
_row("top_k", "nan_smallest", "ug.top_k(x, 2, largest=False).indices", x=real([float("nan"), 3, 1]), flat=True)
_row("top_k", "indices", "ug.top_k(x, 3).indices", x=real([2, 1, 2, 2]), flat=True)
_row("bincount", "counts", "ug.bincount(n)", n=whole([1, 0, 4, 1]), flat=True, dtypes=("float32",))
_row("bincount", "weights", "ug.bincount(n, x) ** 2", n=whole([1, 0, 4, 1]), x=_v)
_row("bincount", "length", "ug.bincount(n, x, minlength=6) ** 2", n=whole([1, 0, 3, 1]), x=_v)
_row("bincount", "no_elements", "ug.bincount(n, minlength=2)", n=whole([]), flat=True, dtypes=("float32",))
_repeated = real([[2.5, -1.0, 2.5], [0.0, -1.0, 3.0]])
_row("unique_all", "floats", "ug.unique_all(x)[1:]", x=_repeated, flat=True)
_row("unique_all", "values", "ug.unique_all(x).values ** 2", x=_repeated)
_row("unique_all", "nan", "ug.unique_all(x)", x=real([_nan, 1.0, _nan]), flat=True)
_row("unique_all", "no_elements", "ug.unique_all(x)", x=spread(0, 1, 0), flat=True)
_row("unique_counts", "integers", "ug.unique_counts(n)", n=whole([3, 1, 3, 3]), flat=True, dtypes=("float32",))
_row("unique_inverse", "booleans", "ug.unique_inverse(m)", m=whole([1, 0, 1], "bool"), flat=True, dtypes=("float32",))
_row("unique_values", "floats", "ug.unique_values(x) ** 2", x=_repeated)
_row("isin", "integers", "ug.isin(n, m)", n=whole([[3, 1], [2, 0]]), m=whole([2, 3, 9]), flat=True, dtypes=("float32",))
_row("isin", "scalar", "ug.isin(n, 3, invert=True)", n=whole([3, 1]), flat=True, dtypes=("float32",))
_row("isin", "nan", "ug.isin(x, y)", x=real([_nan, 1.0, 2.0]), y=real([_nan, 2.0]), flat=True)
_row("isin", "booleans", "ug.isin(m, m[:1])", m=whole([1, 0], "bool"), flat=True, dtypes=("float32",))
_row("isin", "nothing", "ug.isin(x, y)", x=_v, y=spread(0, 1, 0), flat=True)
_inf = float("inf")
_near = real([1.0, _inf, _nan, _inf, 0.0])
_row("isclose", "floats", "ug.isclose(x, y)", x=_near, y=real([1.0 + 2**-18, _inf, _nan, 1.0, 1e-7]), flat=True)
_row("isclose", "infinite", "ug.isclose(x, y)", x=real([1.0, _inf, -_inf, _inf]), y=real([_inf, 1.0, _inf, _inf]),
     flat=True)  # fmt: skip
_row("isclose", "nan_in_one", "ug.isclose(x, y, equal_nan=True)", x=real([_nan, 1.0, _nan]), y=real([1.0, _nan, _nan]),
     flat=True)  # fmt: skip
_row("isclose", "equal_nan", "ug.isclose(x, x, equal_nan=True)", x=_near, flat=True)
_row("isclose", "integers", "ug.isclose(n, 3, rtol=0.5)", n=whole([3, 4, 5]), flat=True, dtypes=("float32",))
_row("allclose", "floats", "ug.allclose(x, x + 1e-9)", x=_v, flat=True)
_row("array_equal", "same", "ug.array_equal(x, x)", x=_v, flat=True)
_row("array_equal", "shapes", "ug.array_equal(x, x[1:])", x=_v, flat=True)
_row("array_equal", "nan", "ug.array_equal(x, x, equal_nan=True)", x=_near, flat=True)
_row("array_equal", "nan_on_one_side", "ug.array_equal(x, y, equal_nan=True)", x=_near, y=_near + 1, flat=True)
_row(
    "array_equal",
    "nan_beside_a_number",
    "ug.array_equal(x, y, equal_nan=True)",
    x=real([_nan, 1.0]),
    y=real([2.0, 1.0]),
    flat=True,
)
_row(
    "isin",
    "of_none",
    "ug.isin(n, m), ug.isin(n, m, invert=True)",
    n=whole([3, 1]),
    m=whole([]),
    flat=True,
    dtypes=("float32",),
)
_row("isin", "complex", "ug.isin(ug.asarray(z), [1.0, 2j])", z=complex_([1.0, 2.0, 0.0], [0.0, 0.0, 2.0]), flat=True)
_row(
    "array_equal",
    "nan_on_the_other_side",
    "ug.array_equal(x, y, equal_nan=True)",
    x=real([2.0, 1.0]),
    y=real([_nan, 1.0]),
    flat=True,
)
_row("isin", "fractions", "ug.isin(x, y)", x=real([3.5, -1.0, 0.25, 2.0]), y=real([0.25, 7.0, -1.0]), flat=True)
_row(
    "isin", "booleans_in_integers", "ug.isin(m, n), ug.isin(n, m)", m=whole([1, 0], "bool"), n=whole([1, 5]), flat=True
)
_row("setdiff1d", "in_order", "ug.setdiff1d(n, m, assume_unique=True)", n=whole([5, 1, 3]), m=whole([1, 7]), flat=True)
