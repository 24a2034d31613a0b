"""Operations that move elements, select them and put them elsewhere."""

from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

SHAPES = Family("shapes")
INDEXING = Family("indexing")
_row = SHAPES

_x, _cube, _v = spread(0.5, 2.5, 2, 3), spread(0.5, 2.5, 2, 3, 2), spread(0.5, 2.5, 4)
# Squared at the end, so that there is a second derivative to look at.
_row("reshape", "unknown_size", "ug.reshape(x, (3, -1)) ** 2", x=_x)
_row("reshape", "to_vector", "x.reshape(-1) * x.ravel() + x.flatten()", x=_x)
_row("reshape", "to_nothing", "ug.reshape(x, ()) ** 2", x=spread(1, 2, 1, 1))
_row("reshape", "no_elements", "ug.reshape(x, (3, 0)) ** 2", x=spread(1, 2, 0, 3))
_row("permute_dims", "three", "ug.permute_dims(x, (2, 0, 1)) ** 2", x=_cube)
_row("permute_dims", "method", "x.transpose(0, 2, 1) ** 2 + x.transpose((0, 2, 1))", x=_cube)
_row("permute_dims", "reversed", "x.T ** 2", x=_cube)
_row("matrix_transpose", "stack", "ug.matrix_transpose(x) ** 2", x=_cube)
_row("linalg.matrix_transpose", "property", "ug.linalg.matrix_transpose(x) * x.mT", x=_cube)
_row("moveaxis", "one", "ug.moveaxis(x, 0, -1) ** 2", x=_cube)
_row("moveaxis", "two", "ug.moveaxis(x, (0, 1), (-1, 0)) ** 2", x=_cube)
_row("expand_dims", "front", "ug.expand_dims(x, axis=0) ** 2", x=_x)
_row("expand_dims", "several", "ug.expand_dims(x, axis=(0, -1)) ** 2", x=_x)
_row("squeeze", "all", "ug.squeeze(x) ** 2", x=spread(1, 2, 1, 3, 1))
_row("squeeze", "one", "x.squeeze(axis=-1) ** 2", x=spread(1, 2, 1, 3, 1))
_row("broadcast_to", "new_axis", "ug.broadcast_to(x, (2, 2, 3)) ** 2", x=_x)
_row("broadcast_to", "stretched", "ug.broadcast_to(x, (2, 3)) ** 2", x=spread(1, 2, 2, 1))
_row("broadcast_to", "zero_dimensional", "ug.broadcast_to(x, 3) ** 2", x=real(1.5))
_row("broadcast_arrays", "two", "[a ** 2 for a in ug.broadcast_arrays(x, y)]", x=_x, y=spread(1, 2, 3))
_row("flip", "all", "ug.flip(x) * x", x=_x)
_row("flip", "one_axis", "ug.flip(x, axis=-1) * x", x=_x)
_row("concat", "first_axis", "ug.concat([x, y]) ** 2", x=_x, y=spread(1, 2, 1, 3))
_row("concat", "last_axis", "ug.concat([x, y, x], axis=-1) ** 2", x=_x, y=spread(1, 2, 2, 1))
_row("concat", "flattened", "ug.concat([x, y], axis=None) ** 2", x=_x, y=_v)
_row("concat", "no_elements", "ug.concat([x, y]) ** 2", x=spread(1, 2, 0, 3), y=_x)
_row("concat", "mixed_dtypes", "ug.concat([x, n]) ** 2", x=_v, n=whole([1, 2]))
_row("stack", "first_axis", "ug.stack([x, y]) ** 2", x=_x, y=spread(1, 2, 2, 3, start=1))
_row("stack", "last_axis", "ug.stack([x, x, y], axis=-1) ** 2", x=_v, y=spread(1, 2, 4, start=1))
_row("stack", "zero_dimensional", "ug.stack([x, y]) ** 2", x=real(1.5), y=real(2.5))

_row = INDEXING
for _name, _key in [
    ("integer", "1"), ("negative_integer", "-1"), ("slice", "0:1"), ("step", "::2"), ("negative_step", "::-1"),
    ("backwards_part", "::-1, 2:0:-1"), ("empty_slice", "1:0"), ("far_slice", "-9:9, 1:99"),
    ("new_axis", "None, :, None"),
    ("dots", "..., 1"), ("row_and_slice", "1, 1:"), ("one_element", "1, 2"), ("everything", "..."),
    ("list", "[0, 1, 0]"), ("negative_list", "[-1, -2]"), ("duplicates", "[0, 0, 1], [1, 1, 2]"),
    ("integer_and_list", "1, [2, 0, 2]"), ("slice_and_list", ":, [2, 0, 2]"), ("list_and_slice", "[1, 0, 1], 1:"),
    ("matrix_of_indices", "[[0, 1], [1, 1]]"), ("broadcast_lists", "[[0], [1]], [0, 2]"), ("no_indices", "[]"),
    ("list_and_new_axis", "[0, 1], None"),
]:  # fmt: skip
    _row("operator.getitem", _name, f"x[{_key}] ** 2", x=_x)
_row("operator.getitem", "split_lists", "x[[0, 1], :, [1, 0]] ** 2", x=_cube)
_row("operator.getitem", "list_between", "x[:, [2, 0], ::-1] ** 2", x=_cube)
_row("operator.getitem", "mask", "x[m] ** 2", x=_x, m=whole([[1, 0, 1], [0, 0, 1]], "bool"))
_row("operator.getitem", "mask_of_rows", "x[m] ** 2", x=_x, m=whole([0, 1], "bool"))
_row("operator.getitem", "mask_of_columns", "x[:, m] ** 2", x=_x, m=whole([1, 0, 1], "bool"))
_row(
    "operator.getitem", "mask_between", "x[1, m, -1] ** 2",
    x=spread(0.5, 2, 2, 2, 3, 2), m=whole([[1, 0, 1], [0, 0, 1]], "bool"),
)  # fmt: skip
_row("operator.getitem", "mask_of_nothing", "x[x > 99] ** 2", x=_x)
_row("operator.getitem", "tensor_indices", "x[n] ** 2", x=_x, n=whole([1, 0, -1]))
_row("operator.getitem", "zero_dimensional", "x[()] ** 2 + x[...]", x=real(1.5))
_row("operator.getitem", "of_integers", "n[[2, 0]]", n=whole([1, 2, 3]), flat=True, dtypes=("float32",))
_row("operator.getitem", "of_booleans", "m[::-1]", m=whole([1, 0, 0], "bool"), flat=True, dtypes=("float32",))
_row("operator.getitem", "backwards_to_the_middle", "x[3:1:-1] ** 2", x=_v)
_row(
    "operator.setitem", "backwards_to_the_middle", "y = x * 1; y[3:1:-1] = v; y ** 2", x=_v, v=spread(3, 4, 2),
)  # fmt: skip
_row("operator.getitem", "iteration", "sum(row * row for row in x)", x=_x)
for _name, _key, _value in [
    ("integer", "1", "v"), ("slice", ":, 1:", "v[1:]"), ("negative_step", "0, ::-1", "v"), ("list", "[1, 0]", "v"),
    ("one_element", "1, 2", "v[0]"), ("broadcast", "...", "v"), ("number", "0", "2.5"), ("mask", "x > 1.5", "0.5"),
    ("duplicates", "[0, 0], [1, 1]", "v[:2]"), ("nothing", "1:0", "v"),
]:  # fmt: skip
    _row(
        "operator.setitem",
        _name,
        f"y = x * 1; y[{_key}] = {_value}; y ** 2",
        x=_x,
        **({"v": spread(3, 4, 3)} if "v" in _value else {}),
    )
_row("operator.setitem", "keeps_what_was_recorded", "y = x * 2; z = y * y; y[0] = 0.0; z + y", x=_x)
for _operation, _symbol in [
    ("iadd", "+"), ("isub", "-"), ("imul", "*"), ("itruediv", "/"), ("ipow", "**"), ("imod", "%"), ("ifloordiv", "//")
]:  # fmt: skip
    _row(f"operator.{_operation}", "recorded", f"y = x * 1; y {_symbol}= v; y + x", x=_x, v=spread(3, 4, 3))
    _row(f"operator.{_operation}", "number", f"y = x * 1; y {_symbol}= 2; y * x", x=_x)
_row("operator.imatmul", "recorded", "y = x * 1; y @= v; y ** 2", x=_x, v=spread(1, 2, 3, 3))
_row("take", "vector", "ug.take(x, [3, 0, 0]) ** 2", x=_v)
_row("take", "axis", "ug.take(x, n, axis=1) ** 2", x=_x, n=whole([2, 0, 2, -1]))
_row("take", "one", "x.take(1, axis=0) ** 2", x=_x)
_row("take_along_axis", "columns", "ug.take_along_axis(x, n, axis=1) ** 2", x=_x, n=whole([[2, 2], [0, -1]]))
_row("take_along_axis", "rows", "ug.take_along_axis(x, n, axis=0) ** 2", x=_x, n=whole([[1, 0, 1]]))
_row(
    "take_along_axis",
    "broadcast",
    "ug.take_along_axis(x, n, axis=1) ** 2",
    x=spread(1, 2, 1, 3),
    n=whole([[2, 0], [1, 1]]),
)
_row("sort", "vector", "ug.sort(x) ** 2", x=_v)
_row("sort", "no_elements_along_the_axis", "ug.sort(x, axis=0) ** 2", x=spread(1, 2, 0, 3))
_row("sort", "axis", "ug.sort(x, axis=0) ** 2", x=_x)
_row("sort", "descending", "ug.sort(x, axis=1, descending=True) ** 2", x=_x)
_row("sort", "nan_last", "ug.sort(x)", x=real([2.0, float("nan"), -1.0, 3.0]), second=False)
_row("sort", "integers", "ug.sort(n)", n=whole([3, 1, 2, 1]), flat=True, dtypes=("float32",))
_row("argsort", "stable", "ug.argsort(x)", x=real([2, 1, 2, 1, 0]), flat=True)
_row("argsort", "stable_descending", "ug.argsort(x, descending=True)", x=real([2, 1, 2, 1, 3]), flat=True)
for _descending in (False, True):
    _row(
        "argsort", f"many_ties_{'descending' if _descending else 'ascending'}",
        f"ug.argsort(n, descending={_descending})", n=whole([0, 1, 2, 1] * 6), flat=True, dtypes=("float32",),
    )  # fmt: skip
_row("argsort", "nan_last", "ug.argsort(x, descending=True)", x=real([2.0, float("nan"), 3.0]), flat=True)
_row("argsort", "axis", "x.argsort(axis=0)", x=_x, flat=True)

# --- keys of which each moves what follows ----------------------------------------------------------------------
for _name, _key in {
    "mask_then_slice": "m, 1",
    "mask_then_array": "m, [1, 0]",
    "true_then_array": "True, [1, 0], 1",
    "false_then_slice": "False, 1",
    "number_of_numpy": "np.bool_(True), [0, 1], 1",
    "true_between": "[0, 1], True, 1",
    "matrix_mask_then": "k, 1",
    "new_axes": "None, 1, None, [1, 0]",
    "reversed": "::-1, 2:0:-1",
    "dots_between": "1, ..., 0",
    "dots_then_new_axis": ":, ..., None, 1",
}.items():
    _row(
        "operator.getitem",
        f"key_{_name}",
        f"x[{_key}] ** 2",
        x=_cube,
        **({"m": whole([1, 1], "bool")} if "m," in _key else {}),
        **({"k": whole([[1, 0, 1], [0, 1, 0]], "bool")} if "k," in _key else {}),
    )
_row(
    "operator.setitem", "key_mask_then_array", "y = x * 1; y[m, [1, 0]] = 0.5; y ** 2", x=_cube, m=whole([1, 1], "bool")
)
_row("operator.setitem", "key_true_then_array", "y = x * 1; y[True, [1, 0], 1] = 0.5; y ** 2", x=_cube)
_row(
    "take_along_axis",
    "whole_and_narrow",
    "ug.take_along_axis(x, n, axis=1) ** 2",
    x=_x,
    n=whole([[2, 2], [0, -1]], "int32"),
)
_row("take_along_axis", "of_one_row", "ug.take_along_axis(x, n, axis=1) ** 2", x=_x, n=whole([[2, 0]]))
_row("permute_dims", "from_behind", "ug.permute_dims(x, (-1, 0, -2)) ** 2", x=_cube)
