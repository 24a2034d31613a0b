"""Operations that move elements without changing them, with their derivatives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

from unigrad.base.arguments import (
    as_shape,
    broadcast_shapes,
    fill_shape,
    listed,
    many_axes,
    new_shape,
    one_axis,
    plain,
)
from unigrad.base.elsewhere import unknown_argument
from unigrad.base.errors import ArgumentError, AxisError, ShapeError
from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.binding.nodes import unbroadcast
from unigrad.interpreters.batches import Mask, Values, lined_up
from unigrad.operations.creation import asarray
from unigrad.table import Array, Arrays, Primitive, alias, batched, jvp, operation, vjp
from unigrad.tensor.coercion import holds_tensor, tensors
from unigrad.tensor.tensor import Tensor

__all__ = [
    "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "matrix_transpose", "moveaxis",
    "permute_dims", "reshape", "squeeze", "stack",
    "concatenate",
    "transpose",
]  # fmt: skip


# --- primitives --------------------------------------------------------------------------------------


@primitive("shape", dtypes="any")
def reshape_(x: Array, shape: Shape) -> Tensor:
    """The elements in C order under another shape of the same size."""


vjp(reshape_, lambda xp, g, x_shape: xp.reshape(g, x_shape))
jvp(reshape_, "linear")
batched(reshape_, "further")


@primitive("shape", dtypes="any")
def permute_dims_(x: Array, axes: Shape) -> Tensor:
    """Axis i of the result is axis ``axes[i]`` of x."""


vjp(
    permute_dims_,
    lambda xp, g, axes: xp.permute_dims(g, tuple(axes.index(axis) for axis in range(len(axes)))),
)
jvp(permute_dims_, "linear")


def _permute_dims_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    found: Tensor = bound.permute_dims(values[0], (0, *[axis + 1 for axis in statics[0]]))
    return found


batched(permute_dims_, _permute_dims_of_batch)


@primitive("shape", dtypes="any")
def broadcast_to_(x: Array, shape: Shape) -> Tensor:
    """x repeated to a shape that it broadcasts to."""


vjp(broadcast_to_, lambda xp, g, x_shape, shape: unbroadcast(xp, g, shape, x_shape))
jvp(broadcast_to_, "linear")


def _broadcast_to_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    shape = statics[0]
    found: Tensor = bound.broadcast_to(lined_up(bound, values[0], len(shape)), (size, *shape))
    return found


batched(broadcast_to_, _broadcast_to_of_batch)


@primitive("shape", dtypes="any")
def flip_(x: Array, axes: Shape) -> Tensor:
    """The elements in reverse order along axes."""


vjp(flip_, lambda xp, g, axes: xp.flip(g, axes))
jvp(flip_, "linear")
batched(flip_, "further")


@primitive("shape", dtypes="any")
def concat_(arrays: Arrays, axis: int) -> Tensor:
    """Arrays one after the other along an axis that they have."""


def _concat_vjp(xp: Any, g: Any, arrays_shape: Any, axis: int, index: int) -> Any:
    start = sum(shape[axis] for shape in arrays_shape[:index])
    stop = start + arrays_shape[index][axis]
    return xp.getitem(g, (slice(None, None, None),) * axis + (slice(start, stop, 1),))


vjp(concat_, _concat_vjp)
jvp(concat_, "linear")
batched(concat_, "further")


@primitive("shape", dtypes="any")
def stack_(arrays: Arrays, axis: int) -> Tensor:
    """Arrays of one shape side by side along a new axis."""


vjp(
    stack_,
    lambda xp, g, axis, index: xp.getitem(g, (slice(None, None, None),) * axis + (index,)),
)
jvp(stack_, "linear")
batched(stack_, "further")


# --- public ------------------------------------------------------------------------------------------


@operation
def reshape(x: Array, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """The elements in C order under another shape; one size may be -1. Values, never a view, so ``copy`` matters to
    nobody but who writes to ``raw``: True gives memory of its own."""
    x = asarray(x)
    old = x.shape
    found = reshape_(x, fill_shape(as_shape(shape), prod(old), old))
    return found.copy() if copy else found


_COMMON_ORDERS = frozenset(order for ndim in range(6) for order in itertools.permutations(range(ndim)))


@operation
def permute_dims(x: Array, /, axes: Sequence[int]) -> Tensor:
    """Axis i of the result is axis ``axes[i]`` of x."""
    x = asarray(x)
    ndim = x.ndim
    if plain(axes) and len(axes) == ndim and axes in _COMMON_ORDERS:
        found: Tensor = x._permute_dims_(axes)
        return found
    order = tuple(one_axis(axis, ndim, "axes") for axis in listed(axes, "axes"))
    if sorted(order) != list(range(ndim)):
        order = tuple(one_axis(axis, ndim, "axes") for axis in order)  # which names one that is not there
        raise AxisError(f"axes {tuple(axes)} is not a permutation of the {x.ndim} axes of shape {x.shape}")
    return permute_dims_(x, order)


@operation
def matrix_transpose(x: Array, /) -> Tensor:
    """The last two axes exchanged."""
    x = asarray(x)
    ndim = x.ndim
    if ndim < 2:
        raise ShapeError(f"matrix_transpose needs at least 2 dimensions, not shape {x.shape}")
    return permute_dims_(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def matrix_transposed(xp: Any, x: Any) -> Any:
    """:func:`matrix_transpose` as rules have it, whatever ``xp`` works on."""
    ndim = len(x.shape)
    return xp.permute_dims(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def _places(axes: Any, name: str) -> list[Any]:
    return [axes] if isinstance(axes, int) else listed(axes, name)


@operation
def moveaxis(x: Array, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """The axes ``source`` moved to the positions ``destination``; the others keep their order."""
    x = asarray(x)
    sources = [one_axis(axis, x.ndim, "source") for axis in _places(source, "source")]
    targets = [one_axis(axis, x.ndim, "destination") for axis in _places(destination, "destination")]
    if len(sources) != len(targets) or len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise AxisError(f"source {source} and destination {destination} must name as many axes, each once")
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return permute_dims_(x, tuple(order))


@operation
def expand_dims(x: Array, /, axis: int | Sequence[int]) -> Tensor:
    """A new axis of size 1 at the position ``axis`` of the result (or at several)."""
    x = asarray(x)
    shape = x.shape
    if type(axis) is int:
        place = one_axis(axis, len(shape) + 1)
        return reshape_(x, (*shape[:place], 1, *shape[place:]))
    count = len(_places(axis, "axis"))
    axes = many_axes(axis, len(shape) + count)
    sizes = iter(shape)
    return reshape_(x, tuple([1 if position in axes else next(sizes) for position in range(len(shape) + count)]))


@operation
def squeeze(x: Array, /, axis: int | Sequence[int] | None = None, **elsewhere: Any) -> Tensor:
    """Without the axes ``axis``, which must have size 1 (None: all that do)."""
    if elsewhere:
        raise unknown_argument("squeeze", elsewhere)
    x = asarray(x)
    shape = x.shape
    if axis is None:
        return reshape_(x, tuple([size for size in shape if size != 1]))
    axes = many_axes(axis, len(shape))
    for position in axes:
        if shape[position] != 1:
            raise ShapeError(f"squeeze cannot remove axis {position} of shape {shape}: its size is not 1")
    return reshape_(x, tuple([size for position, size in enumerate(shape) if position not in axes]))


@operation
def broadcast_to(x: Array, /, shape: int | Sequence[int]) -> Tensor:
    """x repeated to ``shape``, which it must broadcast to."""
    x = asarray(x)
    target = new_shape(shape)
    if broadcast_shapes([x.shape, target]) != target:
        raise ShapeError(f"shape {x.shape} does not broadcast to {target}")
    return broadcast_to_(x, target)


@operation
def broadcast_arrays(*arrays: Array) -> tuple[Tensor, ...]:
    """All arrays repeated to their common shape."""
    found = tensors(arrays)
    shape = broadcast_shapes([array.shape for array in found])
    return tuple(broadcast_to_(array, shape) for array in found)


@operation
def flip(x: Array, /, axis: int | Sequence[int] | None = None, **elsewhere: Any) -> Tensor:
    """The elements in reverse order along ``axis`` (None: along all)."""
    if elsewhere:
        raise unknown_argument("flip", elsewhere)
    x = asarray(x)
    return flip_(x, many_axes(axis, x.ndim))


def _several(name: str, arrays: Sequence[Array]) -> list[Tensor]:
    found = tensors(arrays if type(arrays) is list else listed(arrays, f"{name}: the arrays"))
    if not found:
        raise ArgumentError(f"{name} needs at least one array")
    return found


@operation
def concat(arrays: Sequence[Array], /, axis: int | None = 0, **elsewhere: Any) -> Tensor:
    """Arrays one after the other along ``axis`` (None: all flattened first)."""
    if elsewhere:
        raise unknown_argument("concat", elsewhere)
    found = _several("concat", arrays)
    if axis is None:
        found, axis = [reshape(array, -1) for array in found], 0
    shape = found[0].shape
    number = one_axis(axis, len(shape))
    before, behind = shape[:number], shape[number + 1 :]
    for array in found:
        other = array.shape
        if other != shape and (len(other) != len(shape) or other[:number] != before or other[number + 1 :] != behind):
            shapes = ", ".join(str(array.shape) for array in found)
            raise ShapeError(f"concat along axis {number} needs shapes that agree on all other axes, not {shapes}")
    joined: Tensor = found[0]._bound.concat(found, number)
    return joined


@operation
def stack(arrays: Sequence[Array], /, axis: int = 0, **elsewhere: Any) -> Tensor:
    """Arrays of one shape side by side along a new axis. A list with Tensors in it is stacked itself first, so that a
    matrix can be written row by row: ``stack([[a, b], [c, d]])``."""
    if elsewhere:
        raise unknown_argument("stack", elsewhere)
    arrays = listed(arrays, "stack: the arrays")
    found = _several("stack", [stack(x) if not isinstance(x, Tensor) and holds_tensor(x) else x for x in arrays])
    shape = found[0].shape
    for array in found:
        if array.shape != shape:
            shapes = ", ".join(str(array.shape) for array in found)
            raise ShapeError(f"stack needs equal shapes, not {shapes}")
    stacked: Tensor = found[0]._bound.stack(found, one_axis(axis, len(shape) + 1))
    return stacked


concatenate = alias("concatenate", concat)
transpose = alias("transpose", permute_dims)
