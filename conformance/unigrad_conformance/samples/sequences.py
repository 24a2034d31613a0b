"""Operations along one axis, in order."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

SEQUENCES = Family("sequences", Limit(8, "largest"))
_row = SEQUENCES

_x, _v = spread(0.5, 2.5, 2, 3), spread(0.5, 2.5, 5)
for _name in ("cumulative_max", "cumulative_min"):
    _row(_name, "vector", f"ug.{_name}(x) ** 2", x=_v)
    _row(_name, "axis", f"ug.{_name}(x, axis=0) ** 2", x=spread(-1, 1, 4, 3))
    _row(_name, "zero_dimensional", f"ug.{_name}(x) ** 2", x=real(1.5))
    _row(_name, "ties", f"ug.{_name}(x, axis=1)", x=real([[1, 1, 0, 1, 2, 2, 1], [3, 2, 2, 3, 3, 1, 1]]), second=False)
    _row(_name, "axis_of_many", f"ug.{_name}(x, axis=1) ** 2", x=spread(-1, 1, 3, 9))
    _row(_name, "nan", f"ug.{_name}(x)", x=real([1.0, float("nan"), 2.0]), second=False)
    _row(_name, "no_elements", f"ug.{_name}(x, axis=1) ** 2", x=spread(0, 1, 2, 0))
    _row(_name, "integers", f"ug.{_name}(n)", n=whole([3, 1, 4, 1], "int32"), flat=True, dtypes=("float32",))
_row("diff", "vector", "ug.diff(x) ** 2", x=_v)
_row("diff", "axis", "ug.diff(x, axis=0) ** 2", x=_x)
_row("diff", "twice", "ug.diff(x, n=2) ** 2", x=_v)
_row("diff", "none", "ug.diff(x, n=0) ** 2", x=_v)
_row("diff", "none_with_ends", "ug.diff(x, n=0, prepend=0.5) ** 2", x=_v)
_row("diff", "ends", "ug.diff(x, axis=1, prepend=y, append=0.5) ** 2", x=_x, y=spread(1, 2, 2, 2))
_row("diff", "too_short", "ug.diff(x, n=3)", x=spread(1, 2, 2))
_row("diff", "booleans", "ug.diff(m)", m=whole([1, 0, 0], "bool"), flat=True, dtypes=("float32",))
_row("ediff1d", "matrix", "ug.ediff1d(x) ** 2", x=_x)
_row("trapezoid", "width", "ug.trapezoid(y, dx=0.5) ** 2", y=_x)
_row("trapezoid", "points", "ug.trapezoid(y, x)", y=_x, x=real([0.0, 0.5, 2.0]))
_row("trapezoid", "axis", "ug.trapezoid(y, x, axis=0)", y=_x, x=spread(0, 1, 2, 3))
_points, _heights = real([0.0, 0.5, 2.0, 2.5]), real([1.0, -0.5, 3.0, 2.0])
_row("interp", "inside_and_out", "ug.interp(x, a, b)", x=real([[0.25, 1.75, -1.0], [2.25, 3.0, 0.125]]), a=_points,
     b=_heights)  # fmt: skip
_row("interp", "turned_round", "ug.interp(x, a, b, period=-4.0)", x=real([-1.0, 0.25, 5.5]), a=_points, b=_heights)
_row("interp", "ends", "ug.interp(x, a, b, left=-7.0, right=9.0)", x=real([-1.0, 0.25, 4.0]), a=_points, b=_heights)
_row("trapezoid", "points_broadcast", "ug.trapezoid(y, x)", y=_x, x=real([[0.0, 0.5, 2.0]]))
_row("interp", "period", "ug.interp(x, a, b, period=2.0)", x=real([0.25, 5.75, -1.25, 3.375]), a=real([0.5, 5.0, 0.0]),
     b=real([1.0, 3.0, 2.0]))  # fmt: skip
_row("interp", "one_point", "ug.interp(x, a, b)", x=real([0.0, 3.0]), a=real([1.0]), b=real([2.0]))
_row("interp", "nan_and_infinity", "ug.interp(x, a, b)", x=real([float("nan"), float("inf")]), a=_points, b=_heights,
     second=False)  # fmt: skip
for _mode in ("full", "same", "valid"):
    _row("convolve", _mode, f"ug.convolve(x, y, '{_mode}')", x=_v, y=spread(-1, 1, 3))
    _row("convolve", f"{_mode}_shorter_first", f"ug.convolve(x, y, '{_mode}')", x=spread(-1, 1, 2), y=_v)
    _row("correlate", _mode, f"ug.correlate(x, y, '{_mode}')", x=_v, y=spread(-1, 1, 3))
    _row("correlate", f"{_mode}_shorter_first", f"ug.correlate(x, y, '{_mode}')", x=spread(-1, 1, 2), y=_v)
    _row("convolve", f"{_mode}_of_one_length", f"ug.convolve(x, y, '{_mode}')", x=spread(1, 2, 4), y=spread(-1, 1, 4))
    _row("correlate", f"{_mode}_of_one_length", f"ug.correlate(x, y, '{_mode}')", x=spread(1, 2, 4), y=spread(-1, 1, 4))
_row("convolve", "integers", "ug.convolve(n, n)", n=whole([1, 2, 3]), flat=True, dtypes=("float32",))
_row("convolve", "longer", "ug.convolve(x, y)", x=spread(1, 2, 40), y=spread(0.5, 1.5, 30))
_row("convolve", "booleans", "ug.convolve(m, m)", m=whole([1, 0, 1], "bool"), flat=True, dtypes=("float32",))
_row(
    "convolve",
    "booleans_and_numbers",
    "ug.convolve(m, n)",
    m=whole([1, 0, 1], "bool"),
    n=whole([2, 3]),
    flat=True,
    dtypes=("float32",),
)
_row("convolve", "undefined", "ug.convolve(x, y)", x=real([1.0, float("inf"), 2.0]), y=real([1.0, 0.5]), flat=True)
_row(
    "cumulative_prod",
    "zeros_along_an_axis",
    "ug.cumulative_prod(x, axis=1)",
    x=real([[2.0, 0.0, 3.0], [1.0, 2.0, -1.0]]),
)
_row(
    "cumulative_sum",
    "many_halves",
    "ug.cumulative_sum(x * ug.ones(4100, dtype=x.dtype))[-2:]",
    x=real([1.0]),
    flat=True,
    dtypes=("float16",),
)
for _axis, _name, _x in (
    (0, "columns_of_ties", [[1, 1.5, 2.5], [1, 0.5, 2.5]]),
    (1, "rows_of_ties", [[1, 1, 2], [3, 2, 2]]),
):
    _source = f"ug.jacobian(lambda x: ug.cumulative_max(x, axis={_axis}), 'reverse')(x)"
    _row("cumulative_max", _name, _source, x=real(_x), flat=True)
_row(
    "cumulative_max",
    "ties_in_one_row",
    "ug.cumulative_max(x, axis=1)",
    x=real([[1.0, 3.0, 3.0], [2.0, 5.0, 6.0]]),
    second=False,
    dtypes=("float64",),
)
