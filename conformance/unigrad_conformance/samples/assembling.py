"""Arrays put together and taken apart, chosen from several, and changed at positions."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

ASSEMBLING = Family("assembling", Limit(16, "largest", "powers of powers"))
_row = ASSEMBLING

_x, _y, _cube, _v = spread(0.5, 2.5, 2, 3), spread(1, 2, 2, 3), spread(0.5, 2.5, 2, 3, 2), spread(0.5, 2.5, 4)
_w, _n = spread(1, 2, 3), whole([0, 2, 0, 1])
_mask = whole([1, 0, 1, 0], "bool")
_row("append", "flattened", "ug.append(x, y) ** 2", x=_x, y=_w)
_row("append", "axis", "ug.append(x, y, axis=0) ** 2", x=_x, y=_y)
_row("column_stack", "vectors", "ug.column_stack([x, y]) ** 2", x=_v, y=spread(1, 2, 4))
_row("column_stack", "matrix", "ug.column_stack([x, y]) ** 2", x=_x, y=spread(1, 2, 2))
_row("block", "rows", "ug.block([[x, y], [y, x]]) ** 2", x=_x, y=_y)
_row("block", "numbers_and_vectors", "ug.block([[x, 2.0], [y, 3.0]]) ** 2", x=_w, y=_w)
_row("block", "deeper", "ug.block([[x], [x]]) ** 2", x=_cube)
_row("block", "deepest", "ug.block([[[x, x]], [[x, x]]]) ** 2", x=_x)
_row("insert", "one", "ug.insert(x, 1, y) ** 2", x=_v, y=real(3.0))
_row("insert", "several", "ug.insert(x, [3, 1, 1], y) ** 2", x=_v, y=_w)
_row("insert", "one_place", "ug.insert(x, 1, y, axis=1) ** 2", x=_x, y=spread(1, 2, 2))
_row("insert", "list_of_one", "ug.insert(x, [1], y, axis=1) ** 2", x=_x, y=spread(1, 2, 2, 1))
_row("insert", "slice", "ug.insert(x, slice(0, 3, 2), 1.5, axis=1) ** 2", x=_x)
_row("insert", "first_from_behind", "ug.insert(x, -4, y) ** 2", x=_v, y=_w[:1])
_row("delete", "first_from_behind", "ug.delete(x, [-2]) ** 2", x=_x)
_row("insert", "end", "ug.insert(x, 4, y) ** 2", x=_v, y=_w)
_row("insert", "mask", "ug.insert(x, m, 1.5) ** 2", x=_v, m=_mask)
_row("delete", "one", "ug.delete(x, -2, axis=1) ** 2", x=_x)
_row("delete", "several", "ug.delete(x, [0, -1, 0]) ** 2", x=_x)
_row("delete", "slice", "ug.delete(x, slice(1, 3)) ** 2", x=_v)
_row("delete", "mask", "ug.delete(x, m) ** 2", x=_v, m=_mask)
_row("resize", "larger", "ug.resize(x, (3, 5)) ** 2", x=_x)
_row("resize", "smaller", "ug.resize(x, 4) ** 2", x=_x)
_row("resize", "of_nothing", "ug.resize(x, (2,))", x=spread(0, 1, 0), flat=True)
_row("diagflat", "matrix", "ug.diagflat(x, 1) ** 2", x=_x)
_row("vsplit", "equal", "[part ** 2 for part in ug.vsplit(x, 2)]", x=_x)
_row("hsplit", "matrix", "[part ** 2 for part in ug.hsplit(x, [1])]", x=_x)
_row("hsplit", "vector", "[part ** 2 for part in ug.hsplit(x, 2)]", x=_v)
_row("dsplit", "equal", "[part ** 2 for part in ug.dsplit(x, 2)]", x=_cube)
_row("rollaxis", "to_front", "ug.rollaxis(x, 2) ** 2", x=_cube)
_row("rollaxis", "to_back", "ug.rollaxis(x, 0, 3) ** 2", x=_cube)
_row("rollaxis", "before_last", "ug.rollaxis(x, 0, -1) ** 2", x=_cube)
_row("rollaxis", "from_behind", "ug.rollaxis(x, -1, -2) ** 2", x=_cube)
_row("trim_zeros", "both", "ug.trim_zeros(x) ** 2", x=real([0, 0, 1, 0, 2, 0]))
_row("trim_zeros", "front", "ug.trim_zeros(x, 'f') ** 2", x=real([0, 1, 2, 0]))
_row("trim_zeros", "nothing_left", "ug.trim_zeros(x)", x=real([0, 0]))
_row("select", "first_that_holds", "ug.select([x > 2, x > 1], [x ** 2, y * x], y)", x=_x, y=_y)
_row("select", "broadcast", "ug.select([x > 1], [y ** 2], 0.5)", x=_w, y=_x)
_row("piecewise", "functions", "ug.piecewise(x, [x < 1, x > 2], [lambda p: p ** 2, 3.0, ug.sin])", x=_x)
_row("piecewise", "one_condition", "ug.piecewise(x, x < 1, [lambda p, a: a * p ** 2], 3.0)", x=_v)
_row("choose", "arrays", "ug.choose(n, [x, y, x * y]) ** 2", n=_n, x=_v, y=spread(1, 2, 4))
_row("choose", "rows_of_one", "ug.choose(n, x) ** 2", n=whole([1, 0, 1]), x=_x)
_row("choose", "wrap", "ug.choose(n, [x, y], mode='wrap') ** 2", n=_n, x=_v, y=spread(1, 2, 4))
_row("choose", "clip", "ug.choose(n, [x, y], mode='clip') ** 2", n=_n, x=_v, y=spread(1, 2, 4))
_row("ix_", "part", "x[ug.ix_([1, 0], [0, 2])] ** 2", x=_x)
_row("ix_", "mask", "x[ug.ix_([1, 0], ug.asarray([True, False, True]))] ** 2", x=_x)
_row("put_along_axis", "rows", "ug.put_along_axis(x, n, y, axis=1) ** 2", x=_x, n=whole([[2, 0], [1, -1]]),
     y=spread(1, 2, 2, 2))  # fmt: skip
_row("put_along_axis", "broadcast", "ug.put_along_axis(x, n, y, axis=0) ** 2", x=_x, n=whole([[1]]), y=_w)
_row("put_along_axis", "flattened", "ug.put_along_axis(x, n, y, axis=None) ** 2", x=_x, n=whole([5, 1, 5]), y=_w)
_row("partition", "axis", "ug.partition(x, 1, axis=0) * x", x=_x)
_row("partition", "flattened", "ug.partition(x, [1, 3], axis=None) ** 2", x=_x)
_row("argpartition", "axis", "ug.argpartition(x, 1)", x=_x, flat=True)
_row("scatter_add", "repeated_rows", "ug.scatter_add(x, [0, 1, 0], y) ** 2", x=_x, y=spread(1, 2, 3, 3))
_row("scatter_add", "one_value", "ug.scatter_add(x, (n, n), y) ** 2", x=spread(0.5, 2.5, 3, 3), n=_n, y=real(0.75))
_row("scatter_add", "slices", "ug.scatter_add(x, (slice(None), [2, 0, 2]), y) ** 2", x=_x, y=_w)
_row("scatter_add", "mask", "ug.scatter_add(x, m, y) ** 2", x=_v, m=_mask, y=spread(1, 2, 2))
_row("scatter_add", "integers", "ug.scatter_add(n, [0, 0], 5)", n=_n, flat=True, dtypes=("float32",))
_row("scatter_add", "nothing", "ug.scatter_add(x, ug.zeros(0, dtype='int64'), 5.0) ** 2", x=_v)
for _name in ("set", "add", "subtract", "multiply", "divide", "power", "min", "max"):
    _row("scatter_add", f"at_{_name}", f"x.at[[[0, 2], [0, 0]]].{_name}(y) ** 2", x=_w, y=spread(1, 2, 2, 2))
_row("scatter_add", "at_max_ties", "x.at[[0, 2, 0, 0]].max(y)", x=real([1.0, 2.0, 3.0]), y=real([1.0, 3.0, 1.0, 0.5]))
_row("scatter_add", "at_min_integers", "n.at[[0, 0]].min([1, -2])", n=_n, flat=True, dtypes=("float32",))
_row("scatter_add", "at_max_of_matrix", "x.at[[0, 1, 0], [0, 2, 0]].max(y) ** 2", x=_x, y=spread(1, 3, 3))
_row("scatter_add", "at_nothing", "x.at[[]].max(5.0) * x.at[[]].multiply(5.0)", x=_v)
_row("scatter_add", "at_apply", "x.at[1:3].apply(ug.exp) + x.at[1].get()", x=_v)
_row("apply_along_axis", "numbers", "ug.apply_along_axis(lambda row: (row ** 2).sum(), 1, x)", x=_x)
_row("apply_along_axis", "vectors", "ug.apply_along_axis(lambda column, a: a * column ** 2, 0, x, 2.0)", x=_cube)
_row("apply_over_axes", "two", "ug.apply_over_axes(lambda a, axis: ug.sum(a ** 2, axis), x, (0, 2))", x=_cube)

# --- conditions of one number, and choices of several dtypes ---------------------------------------------------
_row("piecewise", "condition_of_columns", "ug.piecewise(x, [m], [lambda p: p ** 2, ug.sin])", x=_x, m=_mask[:3])
_row("piecewise", "one_number", "ug.piecewise(x, [x < 1], [lambda p: p ** 2, ug.sin])", x=real(0.75))
_row("piecewise", "plain_conditions", "ug.piecewise(x, [True, False, True, False], [2.0, ug.sin])", x=_v)
_row("select", "numbers", "ug.select([x > 2, x > 1], [2, 1.5], 0)", x=_v, flat=True)
_row("ix_", "of_one", "a, b = ug.ix_([True, False, True], [0, 2]); x[a, b] ** 2", x=spread(0.5, 2.5, 3, 4))
_row(
    "put_along_axis",
    "flattened_matrix",
    "ug.put_along_axis(x, n, y, axis=None) ** 2",
    x=_x,
    n=whole([[5, 1], [0, 3]]),
    y=spread(1, 2, 4),
)
