"""Operations that repeat, roll, split, line up, cut out and pad."""

from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

ARRANGING = Family("arranging")
_row = ARRANGING

_x, _cube, _v = spread(0.5, 2.5, 2, 3), spread(0.5, 2.5, 2, 3, 2), spread(0.5, 2.5, 4)
_none = spread(1, 2, 0, 3)
_n = whole([[3, 1, 2], [5, 4, 6]])
# Squared at the end, so that there is a second derivative to look at.
_row("repeat", "flattened", "ug.repeat(x, 2) ** 2", x=_x)
_row("repeat", "axis", "ug.repeat(x, 3, axis=-1) ** 2", x=_cube)
_row("repeat", "each", "ug.repeat(x, n, axis=1) ** 2", x=_x, n=whole([2, 0, 1]))
_row("repeat", "one_count", "x.repeat([2], axis=0) ** 2", x=_x)
_row("repeat", "nothing", "ug.repeat(x, 0, axis=0) ** 2", x=_x)
_row("repeat", "no_elements", "ug.repeat(x, 2, axis=1) ** 2", x=_none)
_row("tile", "both_axes", "ug.tile(x, (2, 3)) ** 2", x=_x)
_row("tile", "more_axes", "ug.tile(x, (2, 1, 2)) ** 2", x=_x)
_row("tile", "fewer_axes", "ug.tile(x, (2,)) ** 2", x=_cube)
_row("tile", "zero_dimensional", "ug.tile(x, 3) ** 2", x=real(1.5))
_row("tile", "nothing", "ug.tile(x, (0, 2)) ** 2", x=_x)
_row("roll", "flattened", "ug.roll(x, 2) * x", x=_x)
_row("roll", "axes", "ug.roll(x, (1, -1), axis=(0, 1)) * x", x=_x)
_row("roll", "same_axis_twice", "ug.roll(x, 1, axis=(1, 1)) * x", x=_x)
_row("roll", "far", "ug.roll(x, -7, axis=-1) * x", x=_x)
_row("roll", "no_elements", "ug.roll(x, 1, axis=0) * x", x=_none)
_row("unstack", "last_axis", "[part ** 2 for part in ug.unstack(x, axis=-1)]", x=_x)
_row("split", "equal", "[part ** 2 for part in ug.split(x, 3, axis=1)]", x=_x)
_row("split", "positions", "[part ** 2 for part in ug.split(x, [1, 3])]", x=_v)
_row("array_split", "uneven", "[part ** 2 for part in ug.array_split(x, 3)]", x=_v)
_row("meshgrid", "xy", "[grid ** 2 for grid in ug.meshgrid(x, y)]", x=_v, y=spread(1, 2, 3))
_row("meshgrid", "ij", "[grid ** 2 for grid in ug.meshgrid(x, y, x, indexing='ij')]", x=_v, y=spread(1, 2, 2))
_row("meshgrid", "one", "ug.meshgrid(x)[0] ** 2", x=_v)
_row("swapaxes", "outer", "x.swapaxes(0, -1) ** 2 + ug.swapaxes(x, 2, 0)", x=_cube)
_row("ravel", "matrix", "ug.ravel(x) ** 2", x=_x)
for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    _row(_name, "zero_dimensional", f"ug.{_name}(x) ** 2", x=real(1.5))
    _row(_name, "vector", f"ug.{_name}(x) ** 2", x=_v)
    _row(_name, "matrix", f"ug.{_name}(x) ** 2", x=_x)
for _name in ("hstack", "vstack", "dstack"):
    _row(_name, "vectors", f"ug.{_name}([x, y]) ** 2", x=_v, y=spread(1, 2, 4))
    _row(_name, "matrices", f"ug.{_name}([x, x, y]) ** 2", x=_x, y=spread(1, 2, 2, 3))
for _turns in (0, 1, 2, 3):
    _row("rot90", f"turns_{_turns}", f"ug.rot90(x, {_turns}) ** 2", x=_x)
_row("rot90", "axes", "ug.rot90(x, axes=(2, 0)) ** 2", x=_cube)
_row("flipud", "matrix", "ug.flipud(x) * x", x=_x)
_row("fliplr", "matrix", "ug.fliplr(x) * x", x=_x)
for _name in ("tril", "triu"):
    _row(_name, "stack", f"ug.{_name}(x) ** 2", x=_cube)
    _row(_name, "above", f"ug.{_name}(x, k=1) ** 2", x=_x)
    _row(_name, "below", f"ug.{_name}(x, k=-1) ** 2", x=_x)
    _row(_name, "integers", f"ug.{_name}(n)", n=_n, flat=True, dtypes=("float32",))
_row("tri", "matrix", "ug.tri(3, 4, 1)", flat=True, dtypes=("float32",))
for _k in (0, 1, -2):
    _name = f"diagonal_{_k}".replace("-", "minus_")
    _row("diag", f"of_vector_{_name}", f"ug.diag(x, {_k}) ** 2", x=_v)
    _row("diag", f"of_matrix_{_name}", f"ug.diag(x, {_k}) ** 2", x=spread(1, 2, 4, 3))
_row("pad", "constant", "ug.pad(x, ((1, 2), (0, 1)), constant_values=1.5) ** 2", x=_x)
_row("pad", "constants_before_and_after", "ug.pad(x, 1, constant_values=(5, -0.5)) ** 2", x=_x)
_row("pad", "constants_of_each_axis", "ug.pad(x, ((1, 0), (2, 1)), constant_values=((1, 2), (3, 4))) ** 2", x=_x)
_row("pad", "constant_of_nothing", "ug.pad(x, 1) ** 2", x=_none)
for _mode in ("edge", "reflect", "symmetric", "wrap"):
    _row("pad", _mode, f"ug.pad(x, (1, 2), '{_mode}') ** 2", x=_x)
    _row("pad", f"{_mode}_far", f"ug.pad(x, (7, 5), '{_mode}') ** 2", x=_v)
for _mode in ("maximum", "mean", "median", "minimum"):
    _row("pad", _mode, f"ug.pad(x, (1, 2), '{_mode}') ** 2", x=_x)
    _row(
        "pad",
        f"{_mode}_of_the_nearest",
        f"ug.pad(x, ((2, 0), (1, 1)), '{_mode}', stat_length=((2, 1), (1, 2))) ** 2",
        x=_x,
    )
_row("pad", "linear_ramp", "ug.pad(x, ((2, 1), (0, 3)), 'linear_ramp', end_values=((5, 4), (3, 6))) ** 2", x=_x)
_row("pad", "ramp_of_bytes", "ug.pad(n, 2, 'linear_ramp', end_values=9)", n=whole([3, 5], "uint8"), flat=True)
for _mode in ("wrap", "mean", "linear_ramp"):
    _row("pad", f"integers_{_mode}", f"ug.pad(n, 2, '{_mode}')", n=_n, flat=True, dtypes=("float32",))
