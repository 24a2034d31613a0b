"""Order statistics and averages."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

STATISTICS = Family("statistics", Limit(8, "largest"))
_row = STATISTICS

_x, _cube, _v = spread(0.5, 2.5, 2, 3), spread(0.5, 2.5, 2, 3, 2), spread(0.5, 2.5, 5)
_nan = float("nan")
_row("median", "odd", "ug.median(x) ** 2", x=_v)
_row("median", "even", "ug.median(x) ** 2", x=_x)
_row("median", "axis_kept", "ug.median(x, axis=1, keepdims=True) ** 2", x=_x)
_row("median", "two_axes", "ug.median(x, axis=(0, 2)) ** 2", x=_cube)
_row("median", "infinite", "ug.median(x)", x=real([float("inf"), 1.0, float("inf"), 2.0]), second=False)
_row("median", "integers", "ug.median(n)", n=whole([3, 1, 2, 5]), flat=True, dtypes=("float32",))
_row("quantile", "one", "ug.quantile(x, 0.25) ** 2", x=_x)
_row("quantile", "several", "ug.quantile(x, [0.0, 0.3, 1.0], axis=0) ** 2", x=_x)
_row("quantile", "matrix_kept", "ug.quantile(x, [[0.1, 0.5], [0.9, 1.0]], axis=1, keepdims=True) ** 2", x=_cube)
_row("quantile", "of_variable", "ug.quantile(x, q)", x=_v, q=real([0.125, 0.625]))
for _operation in ("quantile", "nanquantile", "percentile"):
    _row(
        _operation,
        "mapped_variable",
        f"ug.vmap(lambda x, q: ug.{_operation}(x, q))(ug.stack([x, x * 2]), q)",
        x=_v,
        q=real([0.125, 0.625]),
        second=False,
    )
_row("quantile", "nan", "ug.quantile(x, 0.5, axis=1)", x=real([[1, _nan, 2], [3, 1, 2]]), second=False)
for _method in ("lower", "higher", "midpoint", "nearest"):
    _row("quantile", _method, f"ug.quantile(x, [0.0, 0.3, 0.7], method='{_method}') ** 2", x=_v)
_row("percentile", "axis", "ug.percentile(x, 75, axis=1) ** 2", x=_x)
_row("average", "plain", "ug.average(x, axis=0) ** 2", x=_x)
_row("average", "weights", "ug.average(x, weights=w)", x=_x, w=spread(1, 2, 2, 3))
_row("average", "vector_of_weights", "ug.average(x, axis=1, weights=w, keepdims=True)", x=_x, w=spread(1, 2, 3))
_row("ptp", "axis", "ug.ptp(x, axis=0) * x.ptp()", x=_x)
_row(
    "quantile",
    "nan_of_several",
    "ug.quantile(x, [[0.5, 0.25]], axis=1)",
    x=real([[1, _nan, 2], [3, 1, 2]]),
    second=False,
)
_row(
    "quantile",
    "nan_of_one_of_several",
    "ug.quantile(x, [0.5, 0.25, 1.0], axis=0)",
    x=real([[1, _nan], [3, 1], [2, 5]]),
    second=False,
)
