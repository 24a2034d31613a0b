"""Complex numbers: every operation that takes them, elementwise and over axes."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import complex_, disk, real, spread, whole
from unigrad_conformance.samples import Family

COMPLEX = Family("complex", Limit(8, "largest"), everyday=False)
_row = COMPLEX

_inf = float("inf")
_a, _b = disk(0.5, 2.0, 2, 3), disk(0.75, 1.5, 2, 3, start=3)

# --- elementwise: between two operands ---------------------------------------------------------------------

for _operation, _symbol in [("add", "+"), ("subtract", "-"), ("multiply", "*"), ("divide", "/"), ("pow", "**")]:
    _row(_operation, "complex", f"ug.{_operation}(z, w)", z=_a, w=_b)
    _row(_operation, "complex_broadcast", f"z {_symbol} w", z=disk(0.5, 2, 2, 1), w=disk(0.75, 1.5, 1, 3))
    _row(_operation, "complex_with_real", f"z {_symbol} x", z=_a, x=spread(0.5, 1.5, 2, 3))
    _row(_operation, "real_with_complex", f"x {_symbol} z", z=_a, x=spread(0.5, 1.5, 3))
    _row(_operation, "complex_number", f"z {_symbol} (0.5 - 1.25j)", z=_a)
    _row(_operation, "number_with_complex", f"(0.5 - 1.25j) {_symbol} z", z=_a)
    _row(_operation, "real_with_complex_number", f"x {_symbol} 1.5j", x=spread(0.5, 1.5, 3), complex=True)
    _row(_operation, "complex_with_real_number", f"(z {_symbol} 2.5) + (2.5 {_symbol} z)", z=_a)
_row("pow", "of_zero_by_complex", "0 ** z", z=complex_([1.0, 0.0, 2.0], [2.0, 0.0, 0.0]), second=False)
_row("pow", "complex_whole_exponents", "z ** 2 + z ** 3 + z ** -1 + z ** 0.5", z=_a)
_row("equal", "complex", "z == w", z=_a, w=complex_(_a.real, -_a.imag), flat=True)
_row("not_equal", "complex", "z != w", z=_a, w=complex_(_a.real, -_a.imag), flat=True)
_row(
    "where",
    "complex",
    "ug.where(m, z, x) * ug.where(m, 0.5, z)",
    z=_a,
    x=spread(0.5, 1.5, 3),
    m=whole([1, 0, 1], "bool"),
)

# --- elementwise: functions of one variable ------------------------------------------------------------------

for _operation in ("abs", "angle", "real", "imag", "conj", "sign", "square", "negative", "positive"):
    _row(_operation, "complex", f"ug.{_operation}(z)", z=_a)
    _row(_operation, "complex_product", f"ug.{_operation}(z) * z", z=_a)
_row("logaddexp", "complex", "ug.logaddexp(z, w)", z=_a, w=_b)
_row("logaddexp", "complex_with_real", "ug.logaddexp(z, x)", z=_a, x=spread(0.5, 1.5, 3))
_row("logaddexp", "complex_large", "ug.logaddexp(z, w)", z=_a + 90, w=_b + 90)
_row("logsumexp", "complex", "ug.logsumexp(z)", z=_a)
_row("logsumexp", "complex_axis", "ug.logsumexp(z, axis=1, keepdims=True)", z=_a + 90)
for _mode in ("full", "same", "valid"):
    _row("convolve", f"complex_{_mode}", f"ug.convolve(z, w, '{_mode}')", z=_a[0], w=_b[1, :2])
_row("convolve", "complex_with_real", "ug.convolve(z, x)", z=_a[0], x=spread(0.5, 1.5, 2))
_row("correlate", "complex", "ug.correlate(z, w)", z=_a[0], w=_b[1, :2])
for _operation in ("conv1d", "conv_transpose1d"):
    _row(
        f"nn.{_operation}",
        "complex",
        f"ug.nn.{_operation}(z, w, b, stride=2)",
        z=disk(0.5, 2, 2, 1, 5),
        w=disk(0.5, 2, 1, 1, 3),
        b=disk(0.5, 2, 1),
    )
    _row(
        f"nn.{_operation}",
        "complex_with_real",
        f"ug.nn.{_operation}(z, x)",
        z=disk(0.5, 2, 1, 1, 4),
        x=spread(0.5, 1.5, 1, 1, 2),
    )
    _row(
        f"nn.{_operation}",
        "real_with_complex",
        f"ug.nn.{_operation}(x, w)",
        w=disk(0.5, 2, 1, 1, 3),
        x=spread(0.5, 1.5, 1, 1, 4),
    )
for _operation in ("conv2d", "conv_transpose2d"):
    _row(
        f"nn.{_operation}",
        "complex",
        f"ug.nn.{_operation}(z, w, padding=1)",
        z=disk(0.5, 2, 1, 1, 3, 2),
        w=disk(0.5, 2, 1, 1, 2, 2),
    )
for _operation in ("conv3d", "conv_transpose3d"):
    _row(
        f"nn.{_operation}",
        "complex",
        f"ug.nn.{_operation}(z, w)",
        z=disk(0.5, 2, 1, 1, 2, 2, 3),
        w=disk(0.5, 2, 1, 1, 2, 1, 2),
    )
_row("reciprocal", "complex", "ug.reciprocal(z)", z=_a)
for _operation in ("real", "imag", "conj"):
    _row(_operation, "reals", f"ug.{_operation}(x) * x", x=spread(0.5, 1.5, 3))
_row("conj", "method", "z.conj() * z + z.real * 1j + z.imag", z=_a)
for _operation in (
    "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "asin", "acos", "atan", "asinh", "acosh", "atanh", "sinc",
):  # fmt: skip
    _row(_operation, "complex", f"ug.{_operation}(z)", z=_a)
    _row(_operation, "complex_zero_dimensional", f"ug.{_operation}(z)", z=complex_(-0.75, 1.25))
_row("nn.sigmoid", "complex", "ug.nn.sigmoid(z)", z=_a)
_row("nn.sigmoid", "complex_imaginary", "ug.nn.sigmoid(z)", z=complex_([0.0, 0.0, 0.0, 1.0], [0.5, -1.25, 2.0, 0.0]))
_row("nn.silu", "complex", "ug.nn.silu(z)", z=_a)
_row("exp", "complex_no_elements", "ug.exp(z)", z=disk(1, 2, 0, 3))
_row("expm1", "complex_near_zero", "ug.expm1(z)", z=disk(1e-3, 4e-3, 4) * 0.7)
_row("log1p", "complex_near_zero", "ug.log1p(z)", z=disk(1e-3, 4e-3, 4) * 0.7)
_row("round", "complex", "ug.round(z)", z=complex_([1.5, -2.25], [0.75, 2.5]), flat=True)
for _operation in ("isnan", "isinf", "isfinite"):
    _special = complex_([1.0, float("nan"), float("inf"), 0.0], [0.0, 0.0, 0.0, 1.0])
    _row(_operation, "complex", f"ug.{_operation}(z)", z=_special, flat=True)
_row("logical_not", "complex", "ug.logical_not(z)", z=complex_([0.0, 0.0, 1.0], [0.0, 1.0, 0.0]), flat=True)
_row("xlogy", "complex", "ug.xlogy(z, w)", z=_a, w=_b)
_row("nan_to_num", "complex", "ug.nan_to_num(z)", z=_a)
_row("astype", "real_to_complex", "x.astype('complex128') * z", x=spread(0.5, 1.5, 3), z=_a)
_row("astype", "complex_to_complex", "z.astype('complex128') * z", z=_a)
_row("astype", "complex_to_boolean", "z.astype('bool')", z=complex_([0.0, 0.0], [0.0, 1.0]), flat=True)
_row("abs", "squared", "ug.abs(z) ** 2", z=_a)
_row("abs", "chain", "ug.abs(ug.exp(z * 1j) * ug.conj(w) + z)", z=_a, w=_b)

# --- over axes ------------------------------------------------------------------------------------------------

for _operation in ("sum", "mean", "prod"):
    _row(_operation, "complex", f"ug.{_operation}(z)", z=_a)
    _row(_operation, "complex_axis", f"ug.{_operation}(z, axis=1, keepdims=True) * z", z=_a)
_row("prod", "complex_zero", "ug.prod(z, axis=1)", z=_a * real([[1, 0, 1], [0, 0, 1]]))
_row("cumulative_sum", "complex", "ug.cumulative_sum(z, axis=1)", z=_a)
_row("cumulative_prod", "complex", "ug.cumulative_prod(z, axis=1)", z=_a)
_row("cumulative_prod", "complex_zero", "ug.cumulative_prod(z, axis=1)", z=_a * real([[1, 0, 1], [0, 1, 1]]))
for _order in ("2", "1", "3", "0.5"):
    _row("linalg.vector_norm", f"complex_order_{_order}", f"ug.linalg.vector_norm(z, ord={_order}, axis=1)", z=_a)
_row("linalg.vector_norm", "complex_inf", "ug.linalg.vector_norm(z, ord=ug.inf)", z=_a)
_row("any", "complex", "ug.any(z, axis=1)", z=complex_([[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]), flat=True)
_row("matmul", "complex", "z @ w", z=_a, w=disk(0.5, 2, 3, 2, start=2))
_row("matmul", "complex_vector", "z @ w", z=_a, w=disk(0.5, 2, 3, start=2))
_row("matmul", "complex_with_real", "z @ x", z=_a, x=spread(0.5, 2, 3, 2))
_row("matmul", "complex_stacks", "z @ w", z=disk(0.5, 2, 2, 2, 3), w=disk(0.5, 2, 3, 2, start=2))
_row("einsum", "complex", "ug.einsum('ij,kj->ik', z, w)", z=_a, w=_b)
_row("tensordot", "complex", "ug.tensordot(z, w, axes=2)", z=_a, w=_b)

# --- shapes and indexing ----------------------------------------------------------------------------------------

_row("reshape", "complex", "ug.reshape(z, (3, 2)).T * 1j", z=_a)
_row("flip", "complex", "ug.flip(z, axis=0) * z", z=_a)
_row("broadcast_to", "complex", "ug.broadcast_to(z, (2, 2, 3)) * 1j", z=_a)
_row("concat", "complex", "ug.concat([z, w, x], axis=0)", z=_a, w=_b, x=spread(0.5, 1.5, 1, 3))
_row("stack", "complex", "ug.stack([z, w], axis=1)", z=_a, w=_b)
_row("operator.getitem", "complex", "z[0, ::-1] * z[1, [0, 0, 2]]", z=_a)
_row("operator.setitem", "complex", "y = z * 1; y[0] = w[1]; y * y", z=_a, w=_b)
_row("take_along_axis", "complex", "ug.take_along_axis(z, n, axis=1) * 1j", z=_a, n=whole([[0, 0], [2, 1]]))
_infinite = complex_([_inf, -_inf, _inf, _inf], [1.0, -2.0, 0.0, float("nan")])
for _operation in ("expm1", "log1p"):
    _row(_operation, "complex_zero", f"ug.{_operation}(z)", z=complex_([0.0, 1.0], [0.0, 0.0]))
    _row(_operation, "complex_infinite", f"ug.{_operation}(z)", z=_infinite, flat=True)
_row(
    "logsumexp",
    "complex_none",
    "ug.logsumexp(z, axis=1), ug.logsumexp(z, axis=1, keepdims=True)",
    z=complex_(spread(0, 1, 2, 0), 0.0),
    flat=True,
)
for _operation in ("var", "std"):
    _row(_operation, "complex_rows", f"ug.{_operation}(z, axis=1)", z=_a)
_row("vecdot", "complex", "ug.vecdot(z, w)", z=disk(0.5, 1.5, 2, 3), w=disk(0.5, 1.5, 3, start=2))
