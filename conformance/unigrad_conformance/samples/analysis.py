"""Numerical analysis under NumPy's names: polynomials, slopes, spacings, covariances, parts of numbers."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import disk, real, spread, whole
from unigrad_conformance.samples import Family

ANALYSIS = Family("analysis", Limit(32, "largest", "sums and quotients of several terms"))
_row = ANALYSIS

_x, _v, _w = spread(0.5, 2.5, 3, 4), spread(0.5, 2.5, 5), spread(1, 2, 3)
_grid = real([0.0, 1.0, 1.5, 3.0, 4.0])
_row("polyval", "vector", "ug.polyval(p, x)", p=_w, x=_x)
_row("polyval", "number", "ug.polyval([1.0, 2.0, 3.0], x)", x=real(1.5))
_row("polyadd", "unequal", "ug.polyadd(p, q) ** 2", p=_w, q=_v)
_row("polysub", "unequal", "ug.polysub(p, q) ** 2", p=_v, q=_w)
_row("polymul", "unequal", "ug.polymul(p, q)", p=_w, q=_v)
_row("polyder", "second", "ug.polyder(p, 2) ** 2", p=_v)
_row("polyder", "of_constant", "ug.polyder(p)", p=real([2.0]))
_row("polyint", "constants", "ug.polyint(p, 2, k=k) ** 2", p=_w, k=real([1.0, -2.0]))
_row("polyint", "plain", "ug.polyint(p) ** 2", p=_w)
_row("vander", "square", "ug.vander(x)", x=_w)
_row("vander", "increasing", "ug.vander(x, 4, increasing=True)", x=_w)
_row("vander", "integers", "ug.vander(n, 3)", n=whole([1, 2, 3]), flat=True, dtypes=("float32",))
_row("gradient", "vector", "ug.gradient(x) ** 2", x=_v)
_row("gradient", "distance", "ug.gradient(x, h)", x=_v, h=real(0.5))
_row("gradient", "coordinates", "ug.gradient(x, y)", x=_v, y=_grid)
_row("gradient", "coordinates_second_order", "ug.gradient(x, y, edge_order=2)", x=_v, y=_grid)
_row("gradient", "axes", "[part ** 2 for part in ug.gradient(x)]", x=_x)
_row("gradient", "one_axis", "ug.gradient(x, 2.0, axis=1, edge_order=2) ** 2", x=_x)
_row("gradient", "two", "ug.gradient(x) ** 2", x=real([1.0, 3.0]))
_row("unwrap", "jumps", "ug.unwrap(x) ** 2", x=real([0.5, 3.0, -3.0, 0.0, 6.5, -9.0]))
_row("unwrap", "axis", "ug.unwrap(x, axis=0, period=3.0) ** 2", x=spread(-9, 9, 3, 2))
_row("unwrap", "integers", "ug.unwrap(n, period=4)", n=whole([0, 3, 5, 1, 8]), flat=True, dtypes=("float32",))
_row("linspace", "arrays", "ug.linspace(x, y, 4)", x=spread(0, 1, 2), y=spread(2, 3, 2))
_row("linspace", "last_axis", "ug.linspace(x, 2.0, 3, endpoint=False, axis=-1)", x=spread(0, 1, 2))
_row("linspace", "numbers", "ug.linspace(0.5, 2.0, 4)", flat=True, dtypes=("float32",))
_row("logspace", "arrays", "ug.logspace(x, y, 4, base=2.0)", x=spread(0, 1, 2), y=spread(2, 3, 2))
for _operation in ("linspace", "logspace", "geomspace"):
    _source = f"ug.{_operation}(x, y, 4, dtype='float32')"
    _row(_operation, "dtype", _source, x=real([0.75]), y=real([2.5]), second=False, dtypes=("float64",))
_row("logspace", "numbers", "ug.logspace(0, 2, 3)", flat=True, dtypes=("float32",))
_row("geomspace", "arrays", "ug.geomspace(x, y, 4)", x=real([0.75, 0.625]), y=real([2.5, 2.25]))
_row("geomspace", "numbers", "ug.geomspace(1, 8, 4)", flat=True, dtypes=("float32",))
_row("cov", "rows", "ug.cov(x)", x=_x)
_row("cov", "columns", "ug.cov(x, rowvar=False, bias=True)", x=_x)
_row("cov", "two_vectors", "ug.cov(x, y)", x=_v, y=_grid)
_row("cov", "one", "ug.cov(x)", x=_v)
for _operation in ("cov", "corrcoef"):
    _row(_operation, "one_by_columns", f"ug.{_operation}(x, rowvar=False)", x=_v, second=False)
_row("cov", "weights", "ug.cov(x, fweights=n, aweights=w)", x=_x, n=whole([1, 2, 1, 3]), w=spread(0.5, 1, 4))
_row("cov", "complex", "ug.cov(x)", x=disk(0.5, 2, 2, 3))
_row(
    "corrcoef", "rows", "ug.corrcoef(x)", x=real([[1.0, 2.0, 0.5, 1.5], [0.75, 1.0, 1.25, 2.0], [2.0, 0.5, 0.25, 1.0]])
)
_row("corrcoef", "two_vectors", "ug.corrcoef(x, y)", x=_v, y=real([3.0, 1.0, 2.5, 0.5, 1.5]))
_row("histogram", "counts", "ug.histogram(x, 4)", x=_x, flat=True)
_row("histogram", "weights", "ug.histogram(x, [0.0, 1.0, 2.0, 3.0], weights=w)[0] ** 2", x=_v, w=_grid)
_row("histogram", "density", "ug.histogram(x, 3, range=(0, 3), density=True, weights=w)[0]", x=_v, w=_grid)
_row("histogram2d", "weights", "ug.histogram2d(x, y, 2, [(0, 3), (0, 2)], weights=w)[0] ** 2", x=_v, y=_grid, w=_grid)
_row("histogram2d", "counts", "ug.histogram2d(x, y, [2, [0.0, 1.0, 5.0]])", x=_v, y=_grid, flat=True)
_row("histogramdd", "density", "ug.histogramdd([x, y, y], 2, density=True, weights=w)[0]", x=_v, y=_grid, w=_grid)
_row("histogram_bin_edges", "rule", "ug.histogram_bin_edges(x, 'sturges')", x=_x, flat=True)
_row("modf", "both_signs", "ug.modf(x)", x=real([1.75, -1.75, 2.0, 0.0, float("inf"), -float("inf")]), second=False)
_row("frexp", "sizes", "ug.frexp(x)[0] ** 2", x=real([3.0, -0.75, 1.25, 0.001, 1234.5]))
_row("frexp", "exponents", "ug.frexp(x)[1]", x=real([3.0, -0.75, 0.0, 1e-30, 1e30]), flat=True)
_row("ldexp", "exponents", "ug.ldexp(x, n) ** 2", x=_v, n=whole([0, 1, -3, 5, 2]))
_row("ldexp", "far", "ug.ldexp(x, n)", x=real([2.0**-100, 2.0**100]), n=whole([150, -150]))
_row("cumulative_logsumexp", "vector", "ug.cumulative_logsumexp(x)", x=_v)
_row("cumulative_logsumexp", "far", "ug.cumulative_logsumexp(x, axis=1)", x=real([[1000.0, 1001.0], [-1000.0, -999.0]]))
_nan = float("nan")
_twice = real([[2.5, -1.0, 2.5], [0.0, -1.0, 3.0]])
_row("unique", "values", "ug.unique(x) ** 2", x=_twice)
_row("unique", "positions", "ug.unique(x, True, True, True)[1:]", x=_twice, flat=True)
_row("unique", "rows", "ug.unique(x, axis=0) ** 2", x=real([[2, 1], [0, 1], [2, 1]]))
_row("unique", "nan_is_one", "ug.unique(x)", x=real([_nan, 1, _nan]), second=False)
_row("unique", "nan_is_many", "ug.unique(x, equal_nan=False)", x=real([_nan, 1, _nan]), second=False)
_row("union1d", "floats", "ug.union1d(x, y) ** 2", x=_twice, y=real([7.0, 3.0]))
_row("intersect1d", "floats", "ug.intersect1d(x, y) ** 2", x=_twice, y=real([3.0, 2.5, 8.0]))
_row("intersect1d", "positions", "ug.intersect1d(x, y, return_indices=True)", x=_twice, y=real([3.0, 2.5]), flat=True)
_row("setdiff1d", "floats", "ug.setdiff1d(x, y) ** 2", x=_twice, y=real([3.0, 8.0]))
_row("setxor1d", "floats", "ug.setxor1d(x, y) ** 2", x=_twice, y=real([3.0, 8.0]))

# --- parameters that few give ---------------------------------------------------------------------------------
_row("vander", "whole_decreasing", "ug.vander(x, 3) ** 2", x=real([-1.0, 0.0, 2.0]))
_row("cov", "wider", "ug.cov(x, dtype=ug.float64)", x=_x)
_row("corrcoef", "two", "ug.corrcoef(x, y)", x=_v, y=_grid)
_row(
    "histogramdd",
    "uneven_density",
    "ug.histogramdd([x, y], [[0.0, 1.0, 4.0], [0.0, 2.0, 3.0]], density=True, weights=w)[0]",
    x=_v,
    y=_grid,
    w=_grid,
    flat=True,
)
