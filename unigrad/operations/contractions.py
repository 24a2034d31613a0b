"""Products of arrays that sum over shared axes, with their derivatives."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from unigrad.base.arguments import axis_from_the_end, broadcast_shapes, listed, one_axis, whole_number
from unigrad.base.errors import ArgumentError, AxisError, ShapeError
from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, lined_up, one_by_one
from unigrad.operations.creation import eye
from unigrad.operations.elementwise import conj, multiply
from unigrad.operations.reductions import sum as sum_over
from unigrad.operations.shapes import matrix_transposed, permute_dims, reshape
from unigrad.table import Array, Arrays, Primitive, batched, explained, jvp, operation, vjp
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

__all__ = [
    "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot", "vecdot",
]  # fmt: skip


# --- primitives --------------------------------------------------------------------------------------


@primitive("contraction", dtypes="any", public=True)
def matmul(x1: Array, x2: Array, /) -> Tensor:
    """The matrix product over the last two axes, with broadcasting over the others.

    A one-dimensional x1 is a row, a one-dimensional x2 a column; that axis is not in the result.
    """


def _to_shape(xp: Any, g: Any, ndim: int, shape: Shape) -> Any:
    """Sum the leading axes away that broadcasting added in front of ``shape`` or stretched."""
    extra = ndim - len(shape)
    current = g.shape
    axes = tuple(range(extra)) + tuple(
        extra + axis for axis, size in enumerate(shape) if size == 1 and current[extra + axis] != 1
    )
    return xp.reshape(xp.sum(g, axes, True), shape) if axes else g


def _matmul_left(xp: Any, g: Any, x2: Any, x1_shape: Shape, x2_shape: Shape) -> Any:
    if len(x2_shape) == 1:
        if len(x1_shape) == 1:
            return g * x2
        return xp.reshape(g, (*x1_shape[:-1], 1)) * x2
    if len(x1_shape) == 1:
        row = xp.matmul(x2, xp.reshape(g, (*g.shape, 1)))
        return _to_shape(xp, xp.reshape(row, row.shape[:-1]), len(x2_shape) - 1, x1_shape)
    left = xp.matmul(g, matrix_transposed(xp, x2))
    ndim = max(len(x1_shape), len(x2_shape))
    return left if ndim == 2 else _to_shape(xp, left, ndim, x1_shape)


def _matmul_right(xp: Any, g: Any, x1: Any, x1_shape: Shape, x2_shape: Shape) -> Any:
    if len(x1_shape) == 1:
        if len(x2_shape) == 1:
            return g * x1
        outer = xp.reshape(x1, (x1_shape[0], 1)) * xp.reshape(g, (*g.shape[:-1], 1, g.shape[-1]))
        return outer
    if len(x2_shape) == 1:
        column = xp.matmul(matrix_transposed(xp, x1), xp.reshape(g, (*g.shape, 1)))
        return _to_shape(xp, xp.reshape(column, column.shape[:-1]), len(x1_shape) - 1, x2_shape)
    right = xp.matmul(matrix_transposed(xp, x1), g)
    ndim = max(len(x1_shape), len(x2_shape))
    return right if ndim == 2 else _to_shape(xp, right, ndim, x2_shape)


vjp(matmul, _matmul_left, _matmul_right)
jvp(matmul, "multilinear")


def _matmul_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    """One matrix product, wherever one of the two is a matrix or a vector for all; else a product for each."""
    x1, x2 = values
    ndim1, ndim2 = x1.ndim - mask[0], x2.ndim - mask[1]
    shape1, shape2 = x1.shape[mask[0] :], x2.shape[mask[1] :]
    if not (ndim1 and ndim2) or shape1[-1] != shape2[-1 if ndim2 == 1 else -2]:
        raise ShapeError(
            f"matmul cannot multiply shapes {shape1} and {shape2}, those of one element inside vmap: the last axis of "
            f"the first and the last but one of the second must have equal sizes, and neither may be 0-dimensional"
        )
    found: Tensor
    if not mask[1] and ndim2 <= 2:
        # The elements are rows of one matrix.
        rows = bound.reshape(x1, (math.prod(x1.shape[:-1]), x1.shape[-1])) if x1.ndim > 2 else x1
        found = bound.matmul(rows, x2)
        return bound.reshape(found, (*x1.shape[:-1], *found.shape[1:])) if x1.ndim > 2 else found
    if not mask[0] and ndim1 <= 2 and ndim2 == 1:
        found = bound.matmul(x2, x1 if ndim1 == 1 else bound.permute_dims(x1, (1, 0)))
        return found
    # A row is a matrix with one row, a column one with one column, and the batch stands in front of everything.
    axes = max(ndim1, ndim2, 2)
    rows = bound.reshape(x1, (*x1.shape[:-1], 1, x1.shape[-1])) if ndim1 == 1 else x1
    columns = bound.reshape(x2, (*x2.shape, 1)) if ndim2 == 1 else x2
    found = bound.matmul(
        *[lined_up(bound, x, axes) if marked else x for x, marked in zip((rows, columns), mask, strict=True)]
    )
    ends = (() if ndim1 == 1 else found.shape[-2:-1]) + (() if ndim2 == 1 else found.shape[-1:])
    return bound.reshape(found, (*found.shape[:-2], *ends)) if len(ends) < 2 else found


batched(matmul, _matmul_of_batch)


def _unmultipliable(first: Shape, second: Shape) -> ShapeError | None:
    if first and second and first[-1] == second[-2:][0]:
        try:
            broadcast_shapes([first[:-2], second[:-2]])
        except ShapeError:
            pass
        else:
            return None
    return ShapeError(
        f"matmul cannot multiply shapes {first} and {second}: the last axis of the first and the "
        f"last but one of the second must have equal sizes, and neither may be 0-dimensional"
    )


explained(matmul, _unmultipliable)


@primitive("contraction", dtypes="any")
def einsum_(operands: Arrays, subscripts: str) -> Tensor:
    """A sum of products. Subscripts are explicit letters, none twice in one operand, and have an arrow;
    every letter of the result is in an operand."""


def _einsum_vjp(xp: Any, g: Any, operands: Sequence[Any], operands_shape: Any, subscripts: str, index: int) -> Any:
    inputs, _, output = subscripts.partition("->")
    terms = inputs.split(",")
    wanted = terms.pop(index)
    others = [operand for position, operand in enumerate(operands) if position != index]
    known = set(output).union(*terms)
    kept_letters = "".join(letter for letter in wanted if letter in known)
    pulled = xp.einsum([g, *others], ",".join([output, *terms]) + "->" + kept_letters)
    if kept_letters == wanted:
        return pulled
    # A letter of this operand alone was summed away: every element along it has the same derivative.
    shape = operands_shape[index]
    spread = tuple(size if letter in known else 1 for letter, size in zip(wanted, shape, strict=True))
    return xp.broadcast_to(xp.reshape(pulled, spread), shape)


vjp(einsum_, _einsum_vjp)
jvp(einsum_, "multilinear")


def _einsum_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    """With one more letter, for the batch."""
    (subscripts,) = statics
    letter = next((letter for letter in LETTERS if letter not in subscripts), None)
    if letter is None:
        return one_by_one(bound, row, values, mask, size, statics)
    inputs, _, output = subscripts.partition("->")
    terms = [letter + term if marked else term for term, marked in zip(inputs.split(","), mask, strict=True)]
    found: Tensor = bound.einsum(list(values), f"{','.join(terms)}->{letter}{output}")
    return found


batched(einsum_, _einsum_of_batch)


# --- public ------------------------------------------------------------------------------------------


@operation
def dot(a: Array, b: Array, /) -> Tensor:
    """NumPy's dot: the inner product of vectors, the product of matrices, ``a * b`` with a scalar; in
    general the sum over the last axis of a and the last but one of b."""
    a, b = tensors((a, b))
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    if b.ndim <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=([a.ndim - 1], [b.ndim - 2]))


@operation
def tensordot(x1: Array, x2: Array, /, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over pairs of axes: the last ``axes`` of x1 with the first of x2, or those listed."""
    x1, x2 = tensors((x1, x2))
    if isinstance(axes, int):
        if not 0 <= axes <= min(x1.ndim, x2.ndim):
            raise ArgumentError(f"axes={axes} is more than the dimensions of shapes {x1.shape} and {x2.shape}")
        left: list[int] = list(range(x1.ndim - axes, x1.ndim))
        right: list[int] = list(range(axes))
    else:
        axes = tuple(listed(axes, "axes"))
        if len(axes) != 2:
            raise ArgumentError(f"axes must be a number or two sequences of axes, not {axes!r}")
        left, right = (
            [one_axis(axis, x.ndim, "axes") for axis in ([given] if isinstance(given, int) else listed(given, "axes"))]
            for x, given in zip((x1, x2), axes, strict=True)
        )
    if len(set(left)) != len(left) or len(set(right)) != len(right):
        raise AxisError(f"tensordot with axes={axes!r} names an axis twice")
    if [x1.shape[axis] for axis in left] != [x2.shape[axis] for axis in right]:
        raise ShapeError(
            f"tensordot cannot pair axes {tuple(left)} of shape {x1.shape} with axes {tuple(right)} of shape "
            f"{x2.shape}: their sizes differ"
        )
    free1 = [axis for axis in range(x1.ndim) if axis not in left]
    free2 = [axis for axis in range(x2.ndim) if axis not in right]
    shape1 = tuple(x1.shape[axis] for axis in free1)
    shape2 = tuple(x2.shape[axis] for axis in free2)
    count = math.prod(x1.shape[axis] for axis in left)
    rows = reshape(permute_dims(x1, (*free1, *left)), (math.prod(shape1), count))
    columns = reshape(permute_dims(x2, (*right, *free2)), (count, math.prod(shape2)))
    return reshape(matmul(rows, columns), shape1 + shape2)


@operation
def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Tensor:
    """The sum of products along one axis, with broadcasting over the others; of the conjugate of a complex x1."""
    x1, x2 = tensors((x1, x2))
    axis = axis_from_the_end(axis, min(x1.ndim, x2.ndim))
    if x1.shape[axis] != x2.shape[axis]:
        raise ShapeError(f"vecdot needs equal sizes along axis {axis}, not those of {x1.shape} and {x2.shape}")
    if x1.dtype.kind == "c":
        x1 = conj(x1)
    products = multiply(x1, x2)
    return sum_over(products, axis=axis, dtype=products.dtype)


@operation
def outer(x1: Array, x2: Array, /) -> Tensor:
    """All products of an element of x1 with one of x2; both are taken as vectors."""
    x1, x2 = tensors((x1, x2))
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@operation
def inner(x1: Array, x2: Array, /) -> Tensor:
    """The sum of products over the last axes of both, or ``x1 * x2`` with a scalar."""
    x1, x2 = tensors((x1, x2))
    if x1.ndim == 0 or x2.ndim == 0:
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=([x1.ndim - 1], [x2.ndim - 1]))


@operation
def vdot(x1: Array, x2: Array, /) -> Tensor:
    """The inner product of both arrays as vectors (:func:`vecdot`)."""
    x1, x2 = (reshape(array, -1) for array in tensors((x1, x2)))
    return vecdot(x1, x2)


@operation
def kron(x1: Array, x2: Array, /) -> Tensor:
    """The Kronecker product: each element of x1 times the whole of x2, of shape ``x1.shape * x2.shape``."""
    x1, x2 = tensors((x1, x2))
    ndim = max(x1.ndim, x2.ndim)
    shape1, shape2 = ((1,) * (ndim - x.ndim) + x.shape for x in (x1, x2))
    products = reshape(outer(x1, x2), shape1 + shape2)
    order = tuple(axis + half * ndim for axis in range(ndim) for half in (0, 1))
    return reshape(permute_dims(products, order), tuple(a * b for a, b in zip(shape1, shape2, strict=True)))


@operation
def einsum(subscripts: Any, /, *operands: Array) -> Tensor:
    """Einstein's summation, as NumPy's: ``einsum("ij,jk->ik", a, b)``.

    The arrow may be left out, ``...`` stands for broadcast axes, and a letter may stand twice in one
    operand (its diagonal). Instead of letters there may be a list of numbers, and ``...``, behind each operand, and one
    more for the result: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _lettered((subscripts, *operands))
    arrays = list(tensors(operands)) if operands else []
    common = _common_sum(subscripts, tuple([array.shape for array in arrays]))
    if common is not None:
        found: Tensor = arrays[0]._bound.einsum(arrays, common)
        return found
    terms, output = _explicit(subscripts, [array.shape for array in arrays])
    sizes = _letter_sizes(subscripts, terms, arrays)
    for position, term in enumerate(terms):
        # A diagonal is a product with an identity matrix, and a stretched axis is left out, since another operand has
        # it in full: so the primitive and its derivative meet neither.
        arrays[position], terms[position], extra = _undiagonal(arrays[position], term, sizes)
        for letters, array in extra:
            arrays.append(array)
            terms.append(letters)
    return einsum_(arrays, ",".join(terms) + "->" + output)


@functools.lru_cache(1024)
def _common_sum(subscripts: str, shapes: tuple[Shape, ...]) -> str | None:
    """The subscripts spelled out where the arrays are taken as they are: without diagonals and stretched axes."""
    terms, output = _explicit(subscripts, list(shapes))
    sizes = {
        letter: size
        for term, shape in zip(terms, shapes, strict=True)
        for letter, size in zip(term, shape, strict=True)
    }
    for term, shape in zip(terms, shapes, strict=True):
        if len(set(term)) != len(term) or any(sizes[letter] != size for letter, size in zip(term, shape, strict=True)):
            return None
    return f"{','.join(terms)}->{output}"


def _lettered(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Operands with lists of numbers, as subscripts and the operands."""
    count = len(arguments) // 2
    lists = [*arguments[1 : 2 * count : 2], *arguments[2 * count :]]
    terms = [_term(numbers) for numbers in lists]
    subscripts = ",".join(terms[:count])
    return subscripts if len(terms) == count else f"{subscripts}->{terms[-1]}", arguments[: 2 * count : 2]


def _term(numbers: Any) -> str:
    if not isinstance(numbers, (list, tuple)):
        raise ArgumentError(
            "einsum takes subscripts such as 'ij,jk->ik' first, or behind each operand a list of numbers: "
            "einsum(a, [0, 1], b, [1, 2])"
        )
    letters = ""
    for number in numbers:
        if number is not Ellipsis and not 0 <= whole_number(number, "a subscript") < len(LETTERS):
            raise ArgumentError(f"a subscript is a number from 0 to {len(LETTERS) - 1} or ..., not {number}")
        letters += "..." if number is Ellipsis else LETTERS[number]
    return letters


def _explicit(subscripts: str, shapes: list[Shape]) -> tuple[list[str], str]:
    """The operands' letters and the result's, with dots and a missing arrow spelled out."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ArgumentError(f"einsum {subscripts!r} describes {len(terms)} operands, but {len(shapes)} were given")
    letters = set(text) - set(".,->")
    if not all(letter in LETTERS for letter in letters):
        raise ArgumentError(f"einsum {subscripts!r} may hold letters, commas, '...' and one '->' only")
    free = [letter for letter in LETTERS if letter not in letters]
    dots = 0
    for term, shape in zip(terms, shapes, strict=True):
        named = len(term.replace("...", ""))
        if named > len(shape) or ("..." not in term and named != len(shape)):
            raise ShapeError(f"einsum {subscripts!r}: {term!r} does not fit an operand of shape {shape}")
        if "..." in term:
            dots = max(dots, len(shape) - named)
    broadcast = "".join(free[:dots])
    full = []
    for term, shape in zip(terms, shapes, strict=True):
        count = len(shape) - len(term.replace("...", ""))
        full.append(term.replace("...", broadcast[dots - count :]))
    if arrow:
        result = output.replace("...", broadcast)
    else:
        joined = "".join(terms).replace("...", "")
        result = broadcast + "".join(sorted(letter for letter in set(joined) if joined.count(letter) == 1))
    unknown = set(result) - set("".join(full))
    if unknown or len(set(result)) != len(result):
        raise ArgumentError(f"einsum {subscripts!r}: the result names a letter twice or one that no operand has")
    return full, result


def _letter_sizes(subscripts: str, terms: list[str], arrays: list[Tensor]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, array in zip(terms, arrays, strict=True):
        for letter, size in zip(term, array.shape, strict=True):
            held = sizes.setdefault(letter, size)
            if held != size:
                if 1 not in (held, size):
                    shapes = " and ".join(str(other.shape) for other in arrays)
                    raise ShapeError(f"einsum {subscripts!r}: sizes {held} and {size} of one letter differ in {shapes}")
                sizes[letter] = max(held, size)
    return sizes


def _undiagonal(array: Tensor, term: str, sizes: dict[str, int]) -> tuple[Tensor, str, list[tuple[str, Tensor]]]:
    """One operand without stretched axes and without repeated letters, and the identities that replace those."""
    stretched = [axis for axis, letter in enumerate(term) if array.shape[axis] == 1 and sizes[letter] != 1]
    if stretched:
        array = reshape(array, tuple(size for axis, size in enumerate(array.shape) if axis not in stretched))
        term = "".join(letter for axis, letter in enumerate(term) if axis not in stretched)
    extra = []
    letters: list[str] = []
    free = [letter for letter in LETTERS if letter not in sizes]
    for letter in term:
        if letter in letters:
            fresh = free.pop(0)
            sizes[fresh] = sizes[letter]
            extra.append((letter + fresh, eye(sizes[letter], dtype=array.dtype, like=array)))
            letter = fresh
        letters.append(letter)
    return array, "".join(letters), extra
