"""Products that sum over shared axes."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

CONTRACTIONS = Family("contractions", Limit(8, "largest"))
_row = CONTRACTIONS

_v3, _v4, _w3 = spread(0.5, 2.5, 3), spread(0.5, 2.5, 4, start=2), spread(0.5, 2.5, 3, start=4)
_m23, _m34 = spread(0.5, 2.5, 2, 3), spread(-1, 1.5, 3, 4, start=2)
_t223, _t234 = spread(0.5, 2.5, 2, 2, 3), spread(-1, 1.5, 2, 3, 4, start=2)

_row("dot", "vectors", "ug.dot(x, y)", x=_v3, y=_w3)
_row("dot", "with_itself", "2 * ug.dot(x, x)", x=_v4)
_row("dot", "matrices", "ug.dot(x, y)", x=_m23, y=_m34)
_row("dot", "matrix_vector", "x.dot(y)", x=_m23, y=_v3)
_row("dot", "vector_matrix", "ug.dot(x, y)", x=_v3, y=_m34)
_row("dot", "scalar", "ug.dot(x, 2.5) + ug.dot(y, x)", x=_v3, y=spread(1, 2))
_row("dot", "stacks", "ug.dot(x, y)", x=_m23, y=_t234)
for _name, _x, _y in [
    ("vectors", _v3, _w3), ("matrices", _m23, _m34), ("matrix_vector", _m23, _v3), ("vector_matrix", _v3, _m34),
    ("stacks", _t223, _t234), ("stack_and_matrix", _t223, _m34), ("matrix_and_stack", _m23, _t234),
    ("stack_and_vector", _t223, _v3), ("vector_and_stack", _v3, _t234),
    ("broadcast_stacks", spread(0.5, 2.5, 1, 2, 3), _t234),
    ("inner_broadcast", spread(0.5, 2.5, 3, 1, 2, 3), _t234),
    ("no_elements", spread(1, 2, 2, 0), spread(1, 2, 0, 3)),
    ("no_rows", spread(1, 2, 0, 3), _m34),
]:  # fmt: skip
    _row("matmul", _name, "x @ y", x=_x, y=_y)
_row("matmul", "mixed_dtypes", "ug.matmul(x, y)", x=_m23, y=_m34, own={"x": "float32"}, dtypes=("float64",))
_row("matmul", "integers", "n @ n", n=whole([[1, 2], [3, 4]]), flat=True, dtypes=("float32",))
for _name in ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"):
    _source = f"n.astype(ug.{_name}) @ m.astype(ug.{_name})"
    _row("matmul", _name, _source, n=whole([[1, 2], [3, 4]]), m=whole([5, 6]), flat=True, dtypes=("float32",))
_row("matmul", "transposed", "x.T @ x @ x.T", x=_m23)
_row("linalg.matmul", "matrices", "ug.linalg.matmul(x, y)", x=_m23, y=_m34)
_row("tensordot", "count", "ug.tensordot(x, y, axes=1)", x=_m23, y=_m34)
_row("tensordot", "two", "ug.tensordot(x, y)", x=_t223, y=spread(0.5, 1.5, 2, 3, 2, start=1))
_row("tensordot", "none", "ug.tensordot(x, y, axes=0)", x=_v3, y=_m23)
_row("tensordot", "listed", "ug.tensordot(x, y, axes=([2, 0], [1, 0]))", x=_t223, y=_t234)
_row("linalg.tensordot", "negative_axes", "ug.linalg.tensordot(x, y, axes=([-1], [-2]))", x=_t223, y=_m34)
_row("vecdot", "rows", "ug.vecdot(x, y)", x=_m23, y=_v3)
_row("linalg.vecdot", "axis", "ug.linalg.vecdot(x, x, axis=-2)", x=_m23)
_row("outer", "vectors", "ug.outer(x, y)", x=_v3, y=_v4)
_row("outer", "matrix_and_vector", "ug.outer(x, y)", x=_m23, y=_v3)
_row("vecdot", "first_axis", "ug.vecdot(x, y, axis=0)", x=_m23, y=spread(0.5, 1.5, 2, 1))
_row("tensordot", "both_negative", "ug.tensordot(x, y, axes=([-1, -3], [-2, -3]))", x=_t223, y=_t234)
for _name, _subscripts, _operands in [
    ("matrices", "ij,jk->ik", {"x": _m23, "y": _m34}),
    ("implicit", "ij,jk", {"x": _m23, "y": _m34}),
    ("inner", "i,i->", {"x": _v3, "y": _w3}),
    ("outer", "i,j->ij", {"x": _v3, "y": _v4}),
    ("transpose", "ij->ji", {"x": _m23}),
    ("sum", "ij->i", {"x": _m23}),
    ("sum_of_one", "ij,jk->k", {"x": _m23, "y": _m34}),
    ("unshared_letter", "ij,k->k", {"x": _m23, "y": _v4}),
    ("trace", "ii->", {"x": spread(0.5, 2.5, 3, 3)}),
    ("diagonal", "ii->i", {"x": spread(0.5, 2.5, 3, 3)}),
    ("three", "i,ij,j->", {"x": spread(0.5, 2.5, 2), "y": _m23, "z": _v3}),
    ("batch", "bij,bjk->bik", {"x": _t223, "y": _t234}),
    ("dots", "...ij,...jk->...ik", {"x": _t223, "y": _m34}),
    ("stretched", "ij,ij->j", {"x": spread(0.5, 2.5, 1, 3), "y": _m23}),
]:
    _row("einsum", _name, f"ug.einsum({_subscripts!r}, {', '.join(_operands)})", **_operands)
_row("einsum", "two_diagonals", "ug.einsum('ii,jj->ij', x, y)", x=spread(0, 1, 2, 2), y=spread(0, 1, 3, 3, start=1))
_row("einsum", "twice_the_same", "ug.einsum('ij,kj->ik', x, x)", x=_m23)
_row(
    "einsum",
    "integers",
    "ug.einsum('ij,j->i', n, m)",
    n=whole([[1, 2], [3, 4]]),
    m=whole([5, 6]),
    flat=True,
    dtypes=("float32",),
)
_row("inner", "matrices", "ug.inner(x, y)", x=spread(0.5, 2.5, 2, 3), y=spread(-1, 1, 4, 3))
_row("inner", "scalar", "ug.inner(x, y)", x=spread(0.5, 2.5, 2, 3), y=real(0.75))
_row("vdot", "matrices", "ug.vdot(x, y)", x=spread(0.5, 2.5, 2, 3), y=spread(-1, 1, 2, 3))
_row("kron", "matrices", "ug.kron(x, y)", x=spread(0.5, 2.5, 2, 3), y=spread(-1, 1, 3, 2))
_row("kron", "matrix_and_vector", "ug.kron(x, y)", x=spread(0.5, 2.5, 2, 3), y=spread(-1, 1, 2))
_row("kron", "vector_and_matrix", "ug.kron(x, y)", x=spread(0.5, 2.5, 2), y=spread(-1, 1, 2, 2))
_row("vecdot", "booleans", "ug.vecdot(m, m)", m=whole([1, 0, 1], "bool"), flat=True, dtypes=("float32",))
