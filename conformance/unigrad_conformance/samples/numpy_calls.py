"""NumPy's own functions, ufuncs and methods called with Tensors, in the forms that its users type."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import disk, real, spread, whole
from unigrad_conformance.samples import Family

NUMPY_CALLS = Family("numpy_calls", Limit(16, "largest", "a chain of operations"))
_row = NUMPY_CALLS

_x, _cube, _v, _w = spread(0.5, 2.5, 2, 3), spread(0.5, 2.5, 2, 3, 2), spread(0.5, 2.5, 5), spread(1, 2, 5)
_nan = float("nan")
_holes = real([[1.5, _nan, -2.0], [0.5, 3.0, 1.0]])

# where=, initial=, mean=
for _name in ("sum", "prod", "mean", "var", "std"):
    _row(_name, "numpys_where", f"np.{_name}(x, axis=0, where=x > 1)", x=spread(1.25, 2.5, 3, 2))
_row("sum", "numpys_initial", "np.sum(x, axis=1, initial=2.0, where=x > 1) ** 2", x=_x)
_row("prod", "numpys_initial", "np.prod(x, initial=2.0) ** 2", x=_x)
_row("max", "numpys_initial", "np.max(x, axis=1, initial=1.75) ** 2", x=_x)
_row("min", "numpys_where", "np.min(x, axis=1, initial=2.0, where=x > 1) ** 2", x=_x)
_row("max", "numpys_initial_of_nothing", "np.max(x, axis=0, initial=3.0)", x=spread(0, 1, 0, 2), flat=True)
_row("any", "numpys_where", "np.any(x > 2, axis=0, where=x < 2.25)", x=_x, flat=True)
_row("all", "numpys_where", "np.all(x > 1, where=x > 1)", x=_x, flat=True)
_row("var", "numpys_mean", "np.var(x, axis=0, mean=np.mean(x, axis=0, keepdims=True), ddof=1)", x=_x)
_row("std", "numpys_ddof", "x.std(ddof=1) + np.std(x, 1, ddof=1) + x.std(0, ddof=1).sum() + ug.std(x, ddof=1)", x=_x)
_row("nansum", "numpys_where", "np.nansum(x, axis=1, where=x < 2) ** 2", x=_holes)
_row("nanmax", "numpys_initial", "np.nanmax(x, axis=1, initial=2.0) ** 2", x=_holes)
_row("mean", "numpys_dtype", "np.mean(x, 0, dtype='float64') * x.mean(0, dtype='float64')", x=_x)
_row("average", "numpys_returned", "np.average(x, axis=1, weights=w, returned=True)", x=_x, w=spread(1, 2, 3))

# order=, mode=, axes
_row("reshape", "numpys_order", "np.reshape(x, (3, -1), order='F') ** 2", x=_x)
_row("ravel", "numpys_order", "np.ravel(x, order='F') * x.flatten('F') + x.reshape(6, order='F')", x=_x)
_row("take", "numpys_mode", "np.take(x, [7, -4], mode='wrap') * x.take([9, -9], axis=1, mode='clip')", x=_x)
_row("take", "numpys_flattened", "x.take([4, 4, 0]) ** 2", x=_x)
_row("cumulative_sum", "numpys_flattened", "x.cumsum() * x.cumprod()", x=_x)
_row("argsort", "numpys_flattened", "x.argsort(axis=None)", x=_x, flat=True)
_row("linalg.cross", "numpys_axes", "np.cross(x, y, axisa=0, axisb=1, axisc=0)", x=spread(0, 1, 3, 2),
     y=spread(1, 2, 2, 3))  # fmt: skip
_row("einsum", "numbers_and_dots", "ug.einsum(x, [..., 0, 1], [..., 1, 0]) ** 2", x=_cube)
_row("atleast_2d", "numpys_several", "[part ** 2 for part in np.atleast_2d(x, y)]", x=_v, y=_x)
_row("concat", "brackets", "ug.r_[x, 2.0, 0:3, y] ** 2", x=_v, y=spread(1, 2, 2))
_row("concat", "brackets_of_columns", "ug.c_[x, y, 1:6] ** 2", x=_v, y=spread(1, 2, 5, 2))
_row("meshgrid", "numpys_sparse", "[part ** 2 for part in np.meshgrid(x, y, sparse=True)]", x=_v, y=spread(1, 2, 2))
_row("split", "numpys_list", "np.split(x, 2) + [y ** 2 for y in np.hsplit(x, [1])]", x=_x)
_row("ediff1d", "numpys_ends", "np.ediff1d(x, to_begin=y, to_end=[1.0]) ** 2", x=_v, y=real([0.5, 2.0]))
_row("angle", "numpys_degrees", "np.angle(z, deg=True)", z=disk(0.5, 2, 2, 3))
_row("round", "numpys_decimals", "np.round(x, 1) + x.round(1) + np.around(x, 1)", x=spread(0.5, 2.5, 5), flat=True)
_row("linspace", "numpys_step", "np.linspace(x, 3.0, 4, retstep=True)", x=spread(0, 1, 2))
_row("linalg.trace", "numpys_axes", "x.trace(0, 0, 2) ** 2 + np.trace(x, axis1=2, axis2=0)", x=_cube)
_row("linalg.diagonal", "numpys_axes", "x.diagonal(1) ** 2", x=_x)
_row("moveaxis", "numpys_windows", "np.lib.stride_tricks.sliding_window_view(x, 2, axis=1) ** 2", x=_x)
_row("zeros_like", "numpys_shape", "np.zeros_like(x, shape=(2,)) + np.full_like(x, 2.0, shape=2)", x=_x, flat=True)

# ufuncs' methods
for _name in ("add", "multiply", "maximum", "logaddexp", "subtract", "hypot"):
    _row(f"{_name}", "numpys_reduce", f"np.{_name}.reduce(x, axis=1) ** 2", x=_x)
    _row(f"{_name}", "numpys_accumulate", f"np.{_name}.accumulate(x) ** 2", x=_v)
_row("minimum", "numpys_accumulate", "np.minimum.accumulate(x, axis=1) ** 2", x=_x)
_row("add", "numpys_reduceat", "np.add.reduceat(x, [0, 3, 1]) ** 2", x=_v)
_row("add", "numpys_reduce_where", "np.add.reduce(x, axis=None, where=x > 1, initial=1.0) ** 2", x=_x)
_row("multiply", "numpys_outer", "np.multiply.outer(x, y)", x=_v, y=_x)
_row("bitwise_or", "numpys_reduce", "np.bitwise_or.reduce(n)", n=whole([1, 4, 9]), flat=True, dtypes=("float32",))
_row("scatter_add", "numpys_add_at", "y = x * 2; np.add.at(y, [0, 1, 0], v); y ** 2", x=_x, v=spread(1, 2, 3, 3))
_row("scatter_add", "numpys_subtract_at", "y = x * 2; np.subtract.at(y, ([0, 0], 1), v); y ** 2", x=_x, v=real(0.75))
_row("scatter_add", "numpys_multiply_at", "y = x * 2; np.multiply.at(y, [0, 1, 0], v); y", x=_v, v=spread(1, 2, 3))
_row("scatter_add", "numpys_maximum_at", "y = x * 2; np.maximum.at(y, [0, 1, 0], v); y ** 2", x=_v, v=spread(1, 4, 3))
_row("scatter_add", "numpys_exp_at", "y = x * 2; np.exp.at(y, [0, 3]); y", x=_v)

# what changes its argument
_row("put_along_axis", "numpys", "y = x * 2; np.put_along_axis(y, n, v, axis=1); y ** 2", x=_x, n=whole([[2], [0]]),
     v=spread(1, 2, 2, 1))  # fmt: skip
_row("put_along_axis", "numpys_put", "y = x * 2; np.put(y, [0, -1, 7], v, mode='wrap'); y ** 2", x=_x,
     v=real([3.0, 4.0]))  # fmt: skip
_row("where", "numpys_putmask", "y = x * 2; np.putmask(y, y > 2, v); y ** 2", x=_x, v=spread(1, 2, 2))
_row("extract", "numpys_place", "y = x * 2; np.place(y, y > 2, v); y ** 2", x=_x, v=spread(1, 2, 2))
_row("diag", "numpys_fill_diagonal", "y = x * 2; np.fill_diagonal(y, v); y ** 2", x=_x, v=spread(1, 2, 2))
_row("sort", "numpys_method", "y = x * 2; y.sort(axis=0); y * x", x=_x)
_row("full", "numpys_fill", "y = x * 2; y[0] = x[1]; y.put([5], 3.0); y ** 2", x=_x)

# positions, and what has no derivative
_row("nonzero", "numpys_unravel", "np.unravel_index(n, (2, 3))", n=whole([5, 0, 3]), flat=True, dtypes=("float32",))
_row("argsort", "numpys_lexsort", "np.lexsort((n, x))", n=whole([2, 1, 0]), x=real([1.0, 1.0, 0.5]), flat=True)
_row("nonzero", "numpys_gcd", "np.gcd(n, 6)", n=whole([4, 9, 5]), flat=True, dtypes=("float32",))
