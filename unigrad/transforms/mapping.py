"""vmap: a function of one element, applied to a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from unigrad.base.errors import ArgumentError, AxisError, DtypeError
from unigrad.base.tree import flatten
from unigrad.interpreters.batches import Batched, batched, mapped, unbatched
from unigrad.operations.creation import asarray
from unigrad.operations.shapes import moveaxis
from unigrad.tensor.levels import at_level, next_level
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import Arguments, Outputs, Where, called, check_function, constant

Axes = int | None | Sequence[Any]


@contextmanager
def mapping(level: int, size: int) -> Iterator[None]:
    """While a function is called with batched Tensors of this level."""
    token = mapped.set((*mapped.get(), (level, size)))
    try:
        yield
    finally:
        mapped.reset(token)


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """A function that applies ``f`` to each element of a batch, all of them at once.

    ``in_axes`` says along which axis the elements of each argument lie: an integer, or None for what is the same for
    all; one for all arguments, or a tuple with one entry for each, which for a container may be a container of axes.
    ``out_axes`` likewise says where each result has the batch. ``f`` sees Tensors of one element's shape. Transforms
    nest: ``vmap(grad(f))`` gives a gradient for each example. Keyword arguments are constants, passed on to ``f``.

    Each operation is carried out for the whole batch by the framework's own batched operations
    (``unigrad.interpreters.batches``). Random numbers drawn inside are the same for every element; pass a batch of them
    to have them differ. Neither control flow nor the shape of a result can depend on values that differ along the
    batch: ``bool(x)``, ``ug.nonzero(x)`` and ``x[x > 0]`` raise UnsupportedError, use ``ug.where``. Indices may differ.

    Raises ArgumentError if no argument is mapped, if ``in_axes`` does not fit the arguments or the sizes differ, and
    AxisError for an axis that is not there.
    """
    check_function(f, "vmap")

    @functools.wraps(f)
    def applied(*args: Any, **kwargs: Any) -> Any:
        axes = _for_each(in_axes, args)
        level = next_level()
        supply = iter([axis for part in axes for axis in part])
        sizes: dict[str, int] = {}
        chosen = [position for position, part in enumerate(axes) if part]
        arguments = Arguments(
            args, chosen, lambda leaf, where: _element(leaf, next(supply), where, level, sizes), kwargs, numbers=False
        )
        if not sizes:
            raise ArgumentError(
                f"vmap of {called(f)} maps over no argument: in_axes={in_axes!r}; name at least one axis"
            )
        if len(set(sizes.values())) > 1:
            raise ArgumentError(f"vmap needs batches of one size, and these differ: {_listed(sizes)}")
        size = next(iter(sizes.values()))
        with mapping(level, size):
            result = arguments.passed_to(f)
        outputs = Outputs(f, result, arguments.home)
        where_to = _axes_of(out_axes, result, "out_axes")
        found = [
            _gathered(x, level, size, axis, outputs.name(number))
            for number, (x, axis) in enumerate(zip(outputs.tensors, where_to, strict=True))
        ]
        return outputs.rebuilt(map(arguments.shown, found))

    return applied


def _element(leaf: Any, axis: int | None, where: Where, level: int, sizes: dict[str, int]) -> Any:
    if axis is None:
        return constant(leaf)
    try:
        x = asarray(leaf)
    except (ArgumentError, DtypeError) as error:
        raise ArgumentError(f"vmap cannot map {where()}: {error}; pass in_axes=None to leave it whole") from error
    if not -x.ndim <= axis < x.ndim:
        raise AxisError(
            f"vmap cannot map {where()} of shape {x.shape} over axis {axis}; pass in_axes=None to leave it whole"
        )
    sizes[where()] = x.shape[axis]
    return batched(moveaxis(x, axis, 0) if axis % x.ndim else x, level)


def _gathered(x: Tensor, level: int, size: int, axis: int | None, name: str) -> Tensor:
    if axis is None:
        if at_level(x, level) and isinstance(x, Batched):
            raise ArgumentError(f"vmap: out_axes is None for the {name}, which differs along the batch; name an axis")
        return x
    value = unbatched(x, level, size)
    if not -value.ndim <= axis < value.ndim:
        raise AxisError(f"vmap cannot put the batch at axis {axis} of the {name}, which has shape {x.shape} without it")
    return moveaxis(value, 0, axis) if axis % value.ndim else value


def _for_each(in_axes: Axes, args: Sequence[Any]) -> list[list[int | None]]:
    """The axes of the leaves of each argument."""
    if in_axes is None or isinstance(in_axes, int):
        return [_axes_of(in_axes, arg, "in_axes") for arg in args]
    if not isinstance(in_axes, (tuple, list)) or len(in_axes) != len(args):
        raise ArgumentError(f"in_axes={in_axes!r} needs one entry for each of the {len(args)} arguments")
    return [
        _axes_of(axis, arg, f"in_axes[{position}]")
        for position, (axis, arg) in enumerate(zip(in_axes, args, strict=True))
    ]


def _axes_of(axes: Any, tree: Any, name: str) -> list[int | None]:
    """One axis for each leaf of ``tree``: ``axes`` has its structure, or stops at what one axis serves."""
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return [axes] * len(flatten(tree)[0])
    if isinstance(axes, dict) and isinstance(tree, dict) and set(axes) == set(tree):
        pairs = [(axes[key], part, f"{name}[{key!r}]") for key, part in tree.items()]
    elif isinstance(axes, (tuple, list)) and isinstance(tree, (tuple, list)) and len(axes) == len(tree):
        pairs = [(axis, part, f"{name}[{number}]") for number, (axis, part) in enumerate(zip(axes, tree, strict=True))]
    else:
        raise ArgumentError(
            f"{name}={axes!r} does not fit {type(tree).__name__}: give an integer, None, or a container like it"
        )
    return [axis for part in pairs for axis in _axes_of(*part)]


def _listed(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} has {size}" for name, size in sizes.items())
