"""Reductions that leave NaN out."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

WITHOUT_NAN = Family("without_nan", Limit(8, "largest"))
_row = WITHOUT_NAN

_nan = float("nan")
_holes = real([[1.5, _nan, -2.0], [0.5, 3.0, _nan]])
_v = real([0.5, _nan, 2.5, 1.0, _nan, -1.5])
for _name in ("nansum", "nanprod", "nanmean", "nanmax", "nanmin"):
    _row(_name, "all", f"ug.{_name}(x) ** 2", x=_holes)
    _row(_name, "axis_kept", f"ug.{_name}(x, axis=0, keepdims=True) ** 2", x=_holes)
    _row(_name, "only_nan", f"ug.{_name}(x)", x=real([_nan, _nan]), second=False)
    _row(_name, "integers", f"ug.{_name}(n)", n=whole([1, 5, 3]), flat=True, dtypes=("float32",))
for _name in ("nanvar", "nanstd"):
    _row(_name, "all", f"ug.{_name}(x)", x=_holes)
    _row(
        _name, "axis_kept", f"ug.{_name}(x, axis=0, keepdims=True)", x=real([[1.5, _nan, 2], [0.5, 3.0, 1], [1, 2, 4]])
    )
    _row(_name, "correction", f"ug.{_name}(x, axis=1, correction=1)", x=_holes)
    _row(_name, "too_few", f"ug.{_name}(x, axis=1, correction=1)", x=real([[1, _nan], [_nan, _nan]]), second=False)
    _row(_name, "integers", f"ug.{_name}(n)", n=whole([1, 5, 3]), flat=True, dtypes=("float32",))
for _name in ("nancumsum", "nancumprod"):
    _row(_name, "flattened", f"ug.{_name}(x) ** 2", x=_holes)
    _row(_name, "axis", f"ug.{_name}(x, axis=1) ** 2", x=_holes)
_row("nanmedian", "all", "ug.nanmedian(x) ** 2", x=_v)
_row("nanmedian", "odd", "ug.nanmedian(x) ** 2", x=_v[:4])
_row("nanmedian", "axis_kept", "ug.nanmedian(x, axis=1, keepdims=True) ** 2", x=_holes)
_row("nanmedian", "only_nan", "ug.nanmedian(x)", x=real([_nan, _nan]), second=False)
_row("nanquantile", "several", "ug.nanquantile(x, [0.0, 0.3, 1.0], axis=1) ** 2", x=_holes)
_row("nanquantile", "matrix_kept", "ug.nanquantile(x, [[0.1, 0.5]], axis=0, keepdims=True) ** 2", x=_holes)
_row("nanquantile", "of_variable", "ug.nanquantile(x, q)", x=_v, q=real([0.125, 0.625]))
for _method in ("lower", "higher", "midpoint", "nearest"):
    _row("nanquantile", _method, f"ug.nanquantile(x, [0.0, 0.3, 0.7], method='{_method}') ** 2", x=_v)
_row("nanpercentile", "axis", "ug.nanpercentile(x, 75, axis=1) ** 2", x=_holes)
for _name in ("nanargmax", "nanargmin"):
    _row(_name, "all", f"ug.{_name}(x)", x=_holes, flat=True)
    _row(_name, "axis", f"ug.{_name}(x, axis=1, keepdims=True)", x=_holes, flat=True)
_row("nanstd", "no_freedom", "ug.nanstd(x, axis=1, correction=1)", x=real([[1.0, _nan], [2.0, 4.0]]), second=False)
_row("nanvar", "no_freedom", "ug.nanvar(x, axis=1, correction=2)", x=real([[1.0, _nan], [2.0, 4.0]]), second=False)
for _source in ("nanquantile(x, 0.75)", "nanmedian(x)"):
    _name = _source.partition("(")[0]
    _row(_name, "far_apart", f"ug.{_source}", x=real([-6e4, 6e4, _nan]), flat=True, dtypes=("float16",))
for _name in ("nanmedian", "nanmean"):
    _row(_name, "of_none", f"ug.{_name}(x, axis=0)", x=spread(0, 1, 0, 2), flat=True)
_row("nanquantile", "of_none", "ug.nanquantile(x, [0.25, 0.5], axis=0)", x=spread(0, 1, 0, 2), flat=True)
