"""Reductions, cumulative operations and norms."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

REDUCTIONS = Family("reductions", Limit(8, "largest"))
_row = REDUCTIONS

_x = spread(0.5, 2.5, 2, 3)
_cube = spread(0.5, 2.5, 2, 3, 2)
for _operation in ("sum", "mean", "prod", "max", "min", "var", "std"):
    _row(_operation, "all", f"ug.{_operation}(x)", x=_x)
    _row(_operation, "one_axis", f"ug.{_operation}(x, axis=0)", x=_x)
    _row(_operation, "last_axis_kept", f"ug.{_operation}(x, axis=-1, keepdims=True)", x=_x)
    _row(_operation, "two_axes", f"ug.{_operation}(x, axis=(0, 2))", x=_cube)
    _row(_operation, "method", f"x.{_operation}(axis=1)", x=_x)
    _row(_operation, "zero_dimensional", f"ug.{_operation}(x)", x=real(1.5), second=_operation != "std")
    if _operation not in ("max", "min"):
        _row(_operation, "no_axes", f"ug.{_operation}(x, axis=())", x=_x, second=_operation not in ("std", "var"))
_row("sum", "no_elements", "ug.sum(x, axis=0)", x=spread(0, 1, 0, 3))
_row("prod", "no_elements", "ug.prod(x, axis=0)", x=spread(0, 1, 0, 3))
_row("sum", "no_elements_left", "ug.sum(x, axis=1)", x=spread(0, 1, 0, 3))
_row("mean", "no_elements", "ug.mean(x, axis=0)", x=spread(0, 1, 0, 3))
_row(
    "sum",
    "integers",
    "ug.sum(n) + ug.sum(m)",
    n=whole([1, 2], "int32"),
    m=whole([1, 0, 1], "bool"),
    flat=True,
    dtypes=("float32",),
)
_row("sum", "chosen_dtype", "ug.sum(x, dtype=ug.float64)", x=_x)
_row("prod", "integers", "ug.prod(n)", n=whole([2, 3], "int32"), flat=True, dtypes=("float32",))
_row("mean", "integers", "ug.mean(n)", n=whole([1, 2, 4]), flat=True, dtypes=("float32",))
_row("prod", "one_zero", "ug.prod(x, axis=0)", x=real([[2.0, 0.0, 3.0], [1.5, 2.0, 0.5]]))
_row("prod", "two_zeros", "ug.prod(x, axis=1)", x=real([[0.0, 0.0, 3.0], [1.5, 0.0, 0.5]]))
_row("prod", "outer_axes", "ug.prod(x, axis=(0, 2), keepdims=True)", x=_cube)
_row("var", "correction", "ug.var(x, correction=1)", x=_x)
_row("std", "correction", "ug.std(x, axis=0, correction=1)", x=spread(0.5, 2.5, 3, 2))
_row("var", "integers", "ug.var(n)", n=whole([1, 2, 4]), flat=True, dtypes=("float32",))
_row("max", "integers", "ug.max(n, axis=0)", n=whole([[1, 5], [3, 2]]), flat=True, dtypes=("float32",))
_row("max", "ties", "ug.max(x, axis=1)", x=real([[1, 3, 3], [2, 2, 2]]), second=False)
_row("min", "ties", "ug.min(x, axis=1)", x=real([[1, 1, 3], [2, 2, 2]]), second=False)
for _operation in ("any", "all"):
    _row(
        _operation,
        "bytes",
        f"ug.{_operation}(n, axis=0)",
        n=whole([[1, 0], [3, 0]], "uint8"),
        flat=True,
        dtypes=("float32",),
    )
_row("any", "booleans", "ug.any(m, axis=0)", m=whole([[1, 0], [0, 0]], "bool"), flat=True, dtypes=("float32",))
_row("any", "floats", "ug.any(x, axis=1, keepdims=True)", x=real([[0.0, 0.0], [0.5, 0.0]]), flat=True)
_row("all", "booleans", "ug.all(m, axis=0)", m=whole([[1, 0], [1, 1]], "bool"), flat=True, dtypes=("float32",))
_row("all", "no_elements", "ug.all(x)", x=spread(0, 1, 0), flat=True)
_row("count_nonzero", "floats", "ug.count_nonzero(x, axis=0)", x=real([[0.0, 2.0], [0.5, 0.0]]), flat=True)
for _operation in ("argmax", "argmin"):
    _row(_operation, "all", f"ug.{_operation}(x)", x=_x, flat=True)
    _row(_operation, "first_of_equals", f"ug.{_operation}(x, axis=1)", x=real([[3, 1, 3, 1], [2, 2, 2, 2]]), flat=True)
    _row(_operation, "axis_kept", f"ug.{_operation}(x, axis=0, keepdims=True)", x=_x, flat=True)
    _row(_operation, "nan", f"ug.{_operation}(x)", x=real([1.0, float("nan"), 3.0, float("nan")]), flat=True)
    _row(_operation, "integers", f"ug.{_operation}(n)", n=whole([3, 1, 4, 1]), flat=True, dtypes=("float32",))
_row("cumulative_sum", "vector", "ug.cumulative_sum(x)", x=spread(0.5, 2.5, 4))
_row("cumulative_sum", "axis", "ug.cumulative_sum(x, axis=0) * ug.cumsum(x, axis=1)", x=_x)
_row("cumulative_sum", "initial", "ug.cumulative_sum(x, axis=1, include_initial=True)", x=_x)
for _operation in ("cumulative_sum", "cumulative_prod"):
    _row(_operation, "zero_dimensional", f"ug.{_operation}(x) ** 2", x=real(1.5))
_row("cumulative_sum", "no_elements", "ug.cumulative_sum(x)", x=spread(0, 1, 0))
_row("cumulative_sum", "integers", "ug.cumulative_sum(n)", n=whole([1, 2, 3], "int32"), flat=True, dtypes=("float32",))
_row("cumulative_prod", "vector", "ug.cumulative_prod(x)", x=spread(0.5, 2.5, 4))
_row("cumulative_prod", "axis", "ug.cumprod(x, axis=1)", x=_x)
_row("cumulative_prod", "zeros", "ug.cumulative_prod(x, axis=1)", x=real([[2.0, 0.0, 3.0, 0.5], [0.0, 1.5, 0.0, 2.0]]))
_row(
    "cumulative_prod",
    "zeros_among_many",
    "ug.cumulative_prod(x)",
    x=spread(0.5, 1.5, 9) * real([1, 1, 0, 1, 1, 1, 0, 1, 1]),
)
_row("cumulative_prod", "initial", "ug.cumulative_prod(x, axis=0, include_initial=True)", x=_x)
_row("cumulative_prod", "one_element", "ug.cumulative_prod(x)", x=real([1.5]))

# --- norms ----------------------------------------------------------------------------------------------------

_signed = real([[1.5, -2.25, 0.5], [-0.75, 1.25, 3.5]])
for _order in ("2", "1", "3", "0.5", "ug.inf", "-ug.inf", "-1"):
    _name = {"ug.inf": "inf", "-ug.inf": "minus_inf", "-1": "minus_1", "0.5": "half"}.get(_order, _order)
    _row("linalg.vector_norm", f"order_{_name}", f"ug.linalg.vector_norm(x, ord={_order}, axis=1)", x=_signed)
_row("linalg.vector_norm", "of_half_order", "ug.linalg.vector_norm(x, ord=0.5)", x=real([0.0, 1.5, -2.0]), second=False)
_row("linalg.vector_norm", "one_infinite", "ug.linalg.vector_norm(x, ord=1)", x=real([float("inf"), 1.5, -2.0]))
_row("linalg.vector_norm", "order_0", "ug.linalg.vector_norm(x, ord=0)", x=real([0.0, 1.5, 2.0]), flat=True)
_row("linalg.vector_norm", "all_kept", "ug.linalg.vector_norm(x, keepdims=True)", x=_signed)
_row("linalg.vector_norm", "no_elements", "ug.linalg.vector_norm(x, axis=1)", x=spread(0, 1, 2, 0), second=False)
for _order in ("'fro'", "1", "-1", "ug.inf", "-ug.inf"):
    _name = _order.strip("'").replace("-", "minus_").replace("ug.", "")
    _row("linalg.matrix_norm", _name, f"ug.linalg.matrix_norm(x, ord={_order})", x=_signed)
_row("linalg.matrix_norm", "stacked", "ug.linalg.matrix_norm(x, keepdims=True)", x=_cube)
_row("linalg.norm", "default", "ug.linalg.norm(x)", x=_signed)
_row("linalg.norm", "vector_order", "ug.linalg.norm(x, 1, axis=0)", x=_signed)
_row("linalg.norm", "matrix_order", "ug.linalg.norm(x, ug.inf)", x=_signed)
_row("linalg.norm", "matrix_axes", "x.norm(ord=1, axis=(2, 0), keepdims=True)", x=_cube)

_row("logsumexp", "axis", "ug.logsumexp(x, axis=1)", x=_x)
_row("logsumexp", "two_axes", "ug.logsumexp(x, axis=(0, 2), keepdims=True)", x=_cube)
_row("linalg.norm", "one_of_axes", "ug.linalg.norm(x, axis=(1,)) ** 2", x=_signed)
_row(
    "logsumexp",
    "far_apart",
    "ug.logsumexp(x, axis=1)",
    x=real([[700.0, -700.0, 0.0], [-800.0, -800.5, -9.0]]),
    dtypes=("float64",),
)
for _more in ("", ", axis=0", ", keepdims=True"):
    _row(
        "linalg.vector_norm",
        f"largest_of_none{_more.strip(', ').replace('=', '_')}",
        f"ug.linalg.vector_norm(x, ord=ug.inf{_more})",
        x=spread(0, 1, 0, 2),
        flat=True,
    )
_row(
    "sum",
    "columns_of_several",
    "ug.jacobian(lambda x, y, z: ug.sum(x) * ug.sum(y) * z, 'forward', argnums=(0, 1, 2))(x, y, z)",
    x=real([1.0, 1.0]),
    y=real([[1.0, 2.0]]),
    z=real([1.0, 2.0, 1.0]),
    flat=True,
)
