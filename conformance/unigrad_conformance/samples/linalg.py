"""Linear algebra. The signs of singular vectors and eigenvectors are the library's choice, so no sample sees them."""

import numpy as np

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import disk, real, spread, whole
from unigrad_conformance.samples import Family

# 16 units times the size, times a condition number of up to 5 for the matrices below.
LINALG = Family("linalg", Limit(256, "one"), halves=False)
_row = LINALG

_square = spread(-1, 1, 3, 3) + 2 * real([[1, 0, 0], [0, 2, 0], [0, 0, -1]])
_stack = spread(-1, 1, 2, 1, 3, 3, start=2) + 2 * real([[1, 0, 0], [0, -1, 0], [0, 0, 2]])
_tall = spread(-1, 1.5, 4, 3) + real([[2, 0, 0], [0, 4, 0], [0, 0, -2], [0, 0, 0]])
_wide = spread(-1, 1, 2, 4, start=1) + real([[2, 0, 0, 0], [0, -1, 0, 0]])
_even = spread(-1, 1, 2, 2, start=5) + 2 * real([[1, 0], [0, -1]])
_none, _no_rows, _no_columns = spread(0, 1, 0, 0), spread(0, 1, 0, 3), spread(0, 1, 3, 0)
_no_matrices = spread(0, 1, 0, 2, 2)
_singular = real([[1, 2], [2, 4]])
_diagonal = real([[1, 0, 0], [0, 2, 0], [0, 0, 0]])
_identity = real([[1, 0], [0, 1]])
_thin = spread(0.5, 1.5, 3, 1)

# --- solving ----------------------------------------------------------------------------------------------

_lower = real([[2, 0, 0], [0.5, -1, 0], [-0.25, 0.75, 1.5]])
for _name, _more in {
    "upper": "", "lower": ", lower=True", "transposed": ", 'T'", "conjugated": ", 2, True",
    "unit": ", lower=True, unit_diagonal=True",
}.items():  # fmt: skip
    _row("linalg.solve_triangular", _name, f"ug.linalg.solve_triangular(a, b{_more})", a=_square, b=spread(-1, 1, 3, 2))
_row("linalg.solve_triangular", "vector", "ug.linalg.solve_triangular(a, b)", a=_stack, b=spread(-1, 1, 3))
_row("linalg.cho_solve", "lower", "ug.linalg.cho_solve((c, True), b)", c=_lower, b=spread(-1, 1, 3, 2))
_row("linalg.cho_solve", "upper", "ug.linalg.cho_solve((c, False), b)", c=_lower.T, b=spread(-1, 1, 3))
_row("linalg.expm", "matrix", "ug.linalg.expm(x)", x=_square)
_row("linalg.expm", "large", "ug.linalg.expm(x * 4 - 4 * x.T)", x=_square)
_row("linalg.expm", "stack", "ug.linalg.expm(x)", x=spread(-1, 1, 2, 2, 2))
_row("linalg.expm", "no_rows", "ug.linalg.expm(x)", x=_none)
_cut = real([[2.0, 1.0, 0.5], [0.25, 2.5, -1.0], [1.0, 0.75, 0.5]])
_row("linalg.pinv", "cut_off", "ug.linalg.pinv(x, rtol=0.375)", x=_cut)
_row("linalg.expm", "uneven", "ug.linalg.expm(x)", x=real([[12.25, 1.0], [0.5, 0.125]]))
_row("linalg.logdet", "singular", "ug.linalg.logdet(x)", x=real([[0, 0], [0, 2]]), flat=True)
_row("linalg.logdet", "stack", "ug.linalg.logdet(x @ ug.matrix_transpose(x))", x=_stack)
_row("linalg.logdet", "signs", "ug.linalg.logdet(x)", x=real([[[2, 0], [0, 1]], [[-1, 0], [0, 1]]]), flat=True)
_row("linalg.matvec", "stack", "ug.linalg.matvec(x, y)", x=_stack, y=spread(-1, 1, 3))
_row("linalg.vecmat", "stack", "ug.linalg.vecmat(y, x)", x=_stack, y=spread(-1, 1, 3))
_row(
    "linalg.multi_dot", "chain", "ug.linalg.multi_dot([v, x, y, z])",
    v=spread(-1, 1, 3), x=_square, y=spread(-1, 1, 3, 2), z=_even,
)  # fmt: skip

_row("linalg.inv", "matrix", "ug.linalg.inv(x)", x=_square)
_row("linalg.inv", "stack", "ug.linalg.inv(x)", x=_stack)
_row("linalg.inv", "one", "ug.linalg.inv(x)", x=real([[4.0]]))
_row("linalg.inv", "none", "ug.linalg.inv(x)", x=_none)
_row("linalg.inv", "no_matrices", "ug.linalg.inv(x)", x=_no_matrices)
_row("linalg.inv", "integers", "ug.linalg.inv(n)", n=whole([[2, 0], [0, 4]]), flat=True, dtypes=("float32",))
_row("linalg.solve", "matrix", "ug.linalg.solve(x, y)", x=_square, y=spread(-1, 1, 3, 2))
_row("linalg.solve", "vector", "ug.linalg.solve(x, y)", x=_square, y=spread(-1, 1, 3))
_row("linalg.solve", "stack_and_vector", "ug.linalg.solve(x, y)", x=_stack, y=spread(-1, 1, 3))
_row("linalg.solve", "stacks", "ug.linalg.solve(x, y)", x=_stack, y=spread(-1, 1, 2, 3, 2))
_row("linalg.solve", "none", "ug.linalg.solve(x, y)", x=_none, y=spread(0, 1, 0, 2))
_row("linalg.solve", "no_columns", "ug.linalg.solve(x, y)", x=_square, y=_no_columns)
_row("linalg.cholesky", "matrix", "ug.linalg.cholesky(x @ x.mT)", x=_square)
_row("linalg.cholesky", "upper", "ug.linalg.cholesky(x @ x.mT, upper=True)", x=_stack)
_row("linalg.cholesky", "as_given", "ug.linalg.cholesky(x)", x=real([[2, 0.5], [0.5, 3]]))
_row("linalg.cholesky", "not_symmetric", "ug.linalg.cholesky(x)", x=real([[2, 0.25], [0.75, 3]]))
_row("linalg.cholesky", "none", "ug.linalg.cholesky(x)", x=_none)
for _name, _power in [("zero", 0), ("one", 1), ("five", 5), ("minus_two", -2)]:
    _row("linalg.matrix_power", _name, f"ug.linalg.matrix_power(x, {_power})", x=_even, second=_power not in (0, 1))
_row("linalg.matrix_power", "stack", "ug.linalg.matrix_power(x, 3)", x=_stack)
_row(
    "linalg.matrix_power",
    "integers",
    "ug.linalg.matrix_power(n, 3)",
    n=whole([[1, 1], [0, 1]]),
    flat=True,
    dtypes=("float32",),
)

# --- determinants -----------------------------------------------------------------------------------------

for _operation, _source in [
    ("linalg.det", "ug.linalg.det(x)"),
    ("linalg.slogdet", "s, d = ug.linalg.slogdet(x); s, d, s * d"),
]:
    _row(_operation, "matrix", _source, x=_square)
    _row(_operation, "stack", _source, x=_stack)
    _row(_operation, "one", _source, x=real([[-4.0]]))
    _row(_operation, "none", _source, x=_none)
    _row(_operation, "no_matrices", _source, x=_no_matrices)
_row("linalg.det", "singular", "ug.linalg.det(x)", x=_singular)
_row("linalg.det", "one_zero", "ug.linalg.det(x)", x=_diagonal)
_row("linalg.det", "two_zeros", "ug.linalg.det(x)", x=real([[0, 0, 0], [0, 2, 0], [0, 0, 0]]))
_row("linalg.det", "zeros", "ug.linalg.det(x)", x=real([[0, 0], [0, 0]]))
_row("linalg.det", "identity", "ug.linalg.det(x)", x=_identity)
_row("linalg.slogdet", "by_name", "ug.linalg.slogdet(x).logabsdet * ug.linalg.slogdet(x).sign", x=_square)

# --- eigenvalues ------------------------------------------------------------------------------------------

_row("linalg.eigvalsh", "matrix", "ug.linalg.eigvalsh(x)", x=_square)
_row("linalg.eigvalsh", "stack", "ug.linalg.eigvalsh(x)", x=_stack)
_row("linalg.eigvalsh", "repeated", "ug.linalg.eigvalsh(x).sum()", x=_identity, second=False)
_row("linalg.eigvalsh", "none", "ug.linalg.eigvalsh(x)", x=_none)
_row("linalg.eigvalsh", "no_matrices", "ug.linalg.eigvalsh(x)", x=_no_matrices)
_row("linalg.eigh", "values", "ug.linalg.eigh(x).eigenvalues", x=_square)
_row("linalg.eigh", "values_repeated", "ug.linalg.eigh(x)[0].sum()", x=_identity, second=False)
_row("linalg.eigh", "function", "w, v = ug.linalg.eigh(x); (v * ug.exp(w)[..., None, :]) @ v.mT", x=_even)
_row("linalg.eigh", "squares", "ug.linalg.eigh(x).eigenvectors ** 2", x=_square)
_row("linalg.eigh", "stack", "w, v = ug.linalg.eigh(x); v ** 2 * w[..., None, :]", x=_stack)
_row("linalg.eigh", "none", "w, v = ug.linalg.eigh(x); w, v", x=_none)

_row("linalg.fix_gauge", "eigh", "ug.linalg.fix_gauge(ug.linalg.eigh(x)).eigenvectors", x=_even, second=False)
_row("linalg.fix_gauge", "none", "ug.linalg.fix_gauge(ug.linalg.eigh(x)).eigenvectors", x=_none)
_row(
    "linalg.fix_gauge",
    "svd",
    "u, s, v = ug.linalg.fix_gauge(ug.linalg.svd(x, full_matrices=False)); u, v",
    x=_even,
    second=False,
)
_row("linalg.fix_gauge", "qr", "q, r = ug.linalg.fix_gauge(ug.linalg.qr(x)); q, r", x=_even, second=False)

# --- singular values --------------------------------------------------------------------------------------

for _name, _x in [("square", _square), ("tall", _tall), ("wide", _wide), ("stack", _stack), ("thin", _thin)]:
    _row("linalg.svdvals", _name, "ug.linalg.svdvals(x)", x=_x)
    _row(
        "linalg.svd",
        _name,
        "u, s, vh = ug.linalg.svd(x, full_matrices=False); (u * s[..., None, :] ** 2) @ vh, u ** 2, vh ** 2",
        x=_x,
    )
    _row("linalg.qr", _name, "q, r = ug.linalg.qr(x); q @ r, ug.abs(q), r ** 2", x=_x)
    _row("linalg.pinv", _name, "ug.linalg.pinv(x)", x=_x)
_row("linalg.svd", "values_repeated", "ug.linalg.svd(x).S.sum()", x=_identity, second=False)
_row("linalg.svd", "full_tall", "u, s, vh = ug.linalg.svd(x); s, u[:, 3:] @ u[:, 3:].mT, vh ** 2", x=_tall)
_row("linalg.svd", "full_wide", "u, s, vh = ug.linalg.svd(x); s, vh[2:].mT @ vh[2:], u ** 2", x=_wide)
for _name, _shape in {"tall": (3, 4, 2), "wide": (3, 2, 4)}.items():
    _source = "u, s, vh = ug.linalg.svd(x, full_matrices=False); (u * s[..., None, :] ** 2) @ vh"
    _row("linalg.svd", f"stack_of_{_name}", _source, x=spread(-2, 2, *_shape), second=False)
_row("linalg.svd", "no_rows", "u, s, vh = ug.linalg.svd(x, full_matrices=False); u, s, vh", x=_no_rows)
_row("linalg.svd", "full_no_columns", "u, s, vh = ug.linalg.svd(x); u @ u.mT, s, vh", x=_no_columns)
_row("linalg.svdvals", "repeated", "ug.linalg.svdvals(x).sum()", x=_identity, second=False)
_row("linalg.svdvals", "no_rows", "ug.linalg.svdvals(x)", x=_no_rows)
_row(
    "linalg.qr",
    "complete_tall",
    "q, r = ug.linalg.qr(x, mode='complete'); q @ r, q[:, 3:] @ q[:, 3:].mT, r ** 2",
    x=_tall,
)
_row("linalg.qr", "complete_wide", "q, r = ug.linalg.qr(x, mode='complete'); q @ r, ug.abs(q)", x=_wide)
_row("linalg.qr", "no_rows", "q, r = ug.linalg.qr(x); q, r", x=_no_rows)
_row("linalg.qr", "no_columns", "q, r = ug.linalg.qr(x); q, r", x=_no_columns)
_row("linalg.pinv", "rank_one", "ug.linalg.pinv(x[:, :1] @ x[:1, :])", x=_square)
_row("linalg.pinv", "no_rows", "ug.linalg.pinv(x)", x=_no_rows)
_row("linalg.matrix_rank", "full", "ug.linalg.matrix_rank(x)", x=_wide, flat=True)
_row("linalg.matrix_rank", "stack", "ug.linalg.matrix_rank(x, rtol=0.5)", x=_stack, flat=True)
_row("linalg.matrix_rank", "singular", "ug.linalg.matrix_rank(x)", x=_diagonal, flat=True)
_row("linalg.matrix_rank", "zero", "ug.linalg.matrix_rank(x)", x=real([[0, 0], [0, 0]]), flat=True)
_row("linalg.matrix_rank", "no_rows", "ug.linalg.matrix_rank(x)", x=_no_rows, flat=True)
_row("linalg.lstsq", "tall", "y, r, n, s = ug.linalg.lstsq(x, b); y, r, s", x=_tall, b=spread(-1, 1, 4, 2))
_row("linalg.lstsq", "vector", "ug.linalg.lstsq(x, b).solution", x=_tall, b=spread(-1, 1, 4))
_row("linalg.lstsq", "wide", "ug.linalg.lstsq(x, b)[0]", x=_wide, b=spread(-1, 1, 2))
_row("linalg.lstsq", "rank", "ug.linalg.lstsq(x, x)[2]", x=_diagonal, flat=True)
for _order in ("'nuc'", "2", "-2"):
    _name = _order.strip("'").replace("-", "minus_")
    _row("linalg.matrix_norm", _name, f"ug.linalg.matrix_norm(x, ord={_order})", x=_tall)
    _row("linalg.matrix_norm", f"{_name}_kept", f"ug.linalg.matrix_norm(x, ord={_order}, keepdims=True)", x=_stack)
_row(
    "linalg.matrix_norm",
    "nuc_no_rows",
    "ug.linalg.matrix_norm(x, ord='nuc') + ug.linalg.matrix_norm(x, ord=2)",
    x=_no_rows,
)
_row("linalg.matrix_norm", "1_no_columns", "ug.linalg.matrix_norm(x, ord=1)", x=_no_columns)
_row("linalg.norm", "spectral", "ug.linalg.norm(x, 2)", x=_square)
_row("linalg.cond", "spectral", "ug.linalg.cond(x)", x=_tall)
for _order in (2, -2):
    _row("linalg.cond", f"no_square_{_order}".replace("-", "minus_"), f"ug.linalg.cond(x, {_order})", x=_tall)
_row("linalg.cond", "inverse", "ug.linalg.cond(x, -2)", x=_stack)
_row("linalg.cond", "by_rows", "ug.linalg.cond(x, ug.inf)", x=_even)

# --- products and diagonals ---------------------------------------------------------------------------------

_v, _w = spread(0.5, 2.5, 3), spread(0.5, 2.5, 3, start=4)
_row("linalg.outer", "vectors", "ug.linalg.outer(x, y)", x=_v, y=spread(0.5, 2.5, 4, start=2))
for _prefix in ("ug.linalg", "ug"):
    _named = "linalg." if _prefix == "ug.linalg" else ""
    _row(f"{_named}cross", "vectors", f"{_prefix}.cross(x, y)", x=_v, y=_w)
    _row(f"{_named}diagonal", "matrix", f"{_prefix}.diagonal(x)", x=_tall)
    _row(f"{_named}trace", "matrix", f"{_prefix}.trace(x)", x=_tall)
_row("linalg.cross", "broadcast", "ug.linalg.cross(x, y)", x=spread(-1, 1, 2, 1, 3), y=spread(-1, 1, 4, 3))
_row("linalg.cross", "axis", "ug.linalg.cross(x, x * x, axis=0)", x=spread(-1, 1, 3, 2))
_row(
    "linalg.cross",
    "integers",
    "ug.linalg.cross(n, m)",
    n=whole([1, 2, 3]),
    m=whole([0, 1, 0]),
    flat=True,
    dtypes=("float32",),
)
_row("linalg.diagonal", "above", "ug.linalg.diagonal(x, offset=1)", x=_wide)
_row("linalg.diagonal", "below", "ug.linalg.diagonal(x, offset=-2)", x=_tall)
_row("linalg.diagonal", "outside", "ug.linalg.diagonal(x, offset=7)", x=_tall)
_row("linalg.diagonal", "stack", "ug.linalg.diagonal(x, offset=-1)", x=_stack)
_row("linalg.trace", "stack", "ug.linalg.trace(x, offset=1)", x=_stack)
_row("linalg.trace", "dtype", "ug.linalg.trace(x, dtype=ug.float64)", x=_square)
_row("linalg.trace", "none", "ug.linalg.trace(x)", x=_none)
_row(
    "linalg.trace", "integers", "ug.linalg.trace(n)", n=whole([[1, 2], [3, 4]], "int32"), flat=True, dtypes=("float32",)
)

# --- complex matrices, and real ones with complex eigenvalues ------------------------------------------------

_z = disk(0.25, 1, 3, 3) + np.diag([4, 3 - 2j, -2 + 5j])
_w = disk(0.5, 1.5, 3, 2, start=2)
_hermitian = "h = z @ ug.conj(z).mT + 2 * ug.eye(3, dtype=z.dtype); "
for _operation in ("inv", "det", "svdvals", "pinv", "matrix_norm"):
    _row(f"linalg.{_operation}", "complex", f"ug.linalg.{_operation}(z)", z=_z)
_row("linalg.solve", "complex", "ug.linalg.solve(z, w)", z=_z, w=_w)
_row("linalg.logdet", "complex", "ug.linalg.logdet(z)", z=_z)
_row("linalg.slogdet", "complex", "s, d = ug.linalg.slogdet(z); s, d", z=_z)
_row("linalg.cholesky", "complex", f"{_hermitian}ug.linalg.cholesky(h)", z=_z)
_row("linalg.eigvalsh", "complex", f"{_hermitian}ug.linalg.eigvalsh(h)", z=_z)
_row(
    "linalg.eigh",
    "complex",
    "h = (z + ug.conj(z).mT) * 0.5; w, v = ug.linalg.eigh(h); w, ug.abs(v), (v * w) @ ug.conj(v).mT",
    z=_z,
)
_row("linalg.svd", "complex", "u, s, vh = ug.linalg.svd(z); s, ug.abs(u), (u * s) @ vh", z=_z)
_row("linalg.qr", "complex", "q, r = ug.linalg.qr(z); q @ r, ug.abs(q)", z=_z)
_row("linalg.matrix_power", "complex", "ug.linalg.matrix_power(z, 3) + ug.linalg.matrix_power(z, -1)", z=_z)
_turning = real([[0.5, -2.0, 0.25], [1.5, 0.75, 0.5], [0.25, -0.5, 3.0]])
for _name, _matrix in {"real": _turning, "complex": _z}.items():
    # Eigenvalues come in any order.
    _row("linalg.eigvals", _name, "w = ug.linalg.eigvals(x); (w * w).sum(), ug.exp(w * 0.25).sum()", x=_matrix)
    _row("linalg.eig", _name, "w, v = ug.linalg.eig(x); (v * ug.exp(w * 0.25)) @ ug.linalg.inv(v)", x=_matrix)

# --- polynomials ---------------------------------------------------------------------------------------------

_ends = real([-2.0, -1.0, 0.25, 1.0, 2.0])
_row("polyfit", "line", "ug.polyfit(x, y, 1)", x=_ends, y=spread(1, 3, 5))
_row("polyfit", "weights", "ug.polyfit(x, y, 1, w=w)", x=_ends, y=spread(1, 3, 5), w=spread(1, 2, 5))
_row("polyfit", "several", "ug.polyfit(x, y, 2)", x=_ends, y=spread(1, 3, 5, 2))
_row("polyfit", "covariances", "ug.polyfit(x, y, 1, cov=True)", x=_ends, y=spread(1, 3, 5))

# --- vectors whose lengths and phases matter, derivatives of derivatives ----------------------------------------
_row("linalg.slogdet", "complex_phase", "s, d = ug.linalg.slogdet(z); s * s, d * d, s * d", z=_z)
_row("linalg.qr", "complex_parts", "q, r = ug.linalg.qr(z); ug.abs(q) ** 2, ug.abs(r), ug.diagonal(r).real", z=_z)
_row(
    "linalg.eig",
    "complex_sizes",
    "w, v = ug.linalg.eig(z); (ug.abs(v) ** 2 * ug.asarray([[1.0], [2.0], [4.0]], dtype=x.dtype) * ug.abs(w)).sum()",
    z=_z,
    x=real([1.0]),
    second=False,
)
_row("linalg.det", "third", "ug.grad(lambda x: ug.linalg.det(x).sum())(x)", x=_square)
# A singular matrix, one of whose eigenvalues is where the polynomial is looked at for matrices of norm 1.
_singular = real([[6.5**0.5, 0, 0], [0, 0, 0], [0, 0, 1]])
_row("linalg.det", "third_singular", "ug.grad(lambda x: ug.linalg.det(x).sum())(x)", x=_singular)
_singular = np.stack([_singular, 3 * _singular])
_row("linalg.det", "third_singular_stack", "ug.grad(lambda x: ug.linalg.det(x).sum())(x)", x=_singular)
_row("linalg.det", "directions", "ug.vjp(ug.grad(ug.linalg.det), x.detach())[1](y)[0]", x=_square, y=spread(1, 2, 3, 3),
     second=False)  # fmt: skip
_row("linalg.det", "third_complex", "ug.grad(lambda z: ug.real(ug.linalg.det(z)))(z)", z=_z)
_row("linalg.expm", "longer_stack", "ug.linalg.expm(x)", x=spread(-1, 1, 1, 2, 3, 3))
_row("linalg.matrix_norm", "1_no_columns_kept", "ug.linalg.matrix_norm(x, ord=1, keepdims=True)", x=_no_columns)
_row("linalg.det", "complex_directions", "ug.jvp(ug.linalg.det, (z,), (z * z,))[1]", z=_z, second=False)
_row("linalg.qr", "complex_signs", "q, r = ug.linalg.qr(z); q * ug.sign(ug.real(ug.diagonal(r)))", z=_z, second=False)
_row(
    "linalg.eig",
    "complex_directions",
    "w, v = ug.linalg.eig(z); (v * ug.conj(ug.sign(v[:1])) * w).sum(axis=1)",
    z=_z,
    second=False,
)
_row("linalg.expm", "small_and_large", "ug.linalg.expm(x * y)", x=spread(-1, 1, 2, 2, 2), y=real([[[0.125]], [[16.0]]]))
_row(
    "linalg.matrix_rank",
    "many",
    "ug.linalg.matrix_rank(x + ug.zeros((400, 1, 1)))[-1]",
    x=real([[1, 0], [0, 2e-5]]),
    flat=True,
    dtypes=("float32",),
)
_row(
    "linalg.matrix_rank",
    "of_wide",
    "ug.linalg.matrix_rank(ug.concat([x, ug.zeros((2, 198))], axis=1))",
    x=real([[1, 0], [0, 5e-6]]),
    flat=True,
    dtypes=("float32",),
)
