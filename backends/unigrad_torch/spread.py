"""DTensors: arrays that several processes hold together, each its part or a copy, as their placements say.

All processes run the same program, so whatever needs values (``item``, printing, a decision) gathers them in all
processes at once: a program that prints in one alone waits for the others.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch

from unigrad.extend import Key, OperationError, Raw, Spread, UnigradWarning, apart


def is_spread(raw: Raw) -> bool:
    """Whether it is a DTensor. PyTorch's module for these is loaded by who makes one."""
    return type(raw) is not torch.Tensor and hasattr(raw, "device_mesh")


def place(raw: Raw) -> Spread:
    """Where a DTensor is."""
    mesh, placements = raw.device_mesh, tuple(raw.placements)
    return Spread(f"{raw.device} in {mesh.size()} processes as {placements}", (mesh, placements), tuple(raw.shape))


def whole(raw: Raw) -> Raw:
    """All values in each process, or the array itself if it is no DTensor."""
    if not is_spread(raw):
        return raw
    with _together():
        return raw.full_tensor()


def put(raw: Raw, where: Spread) -> Raw:
    """An array, the same in all processes, as another lies; one of another shape whole in each."""
    mesh, placements = where.own
    with _together():
        if not is_spread(raw) or raw.device_mesh != mesh:
            # From one mesh to another PyTorch brings nothing, and says nothing.
            raw = whole_on(mesh, whole(raw))
        alike = where.shape in (None, tuple(raw.shape)) and not any(each.is_partial() for each in placements)
        return raw.redistribute(mesh, placements if alike else [replicate()] * mesh.ndim)


def whole_on(mesh: Any, raw: Raw) -> Raw:
    """A plain tensor, the same in all processes, as a DTensor that each of the mesh holds whole."""
    return of_parts(raw.to(mesh.device_type), mesh, [replicate()] * mesh.ndim)


def of_parts(local: Raw, mesh: Any, placements: Sequence[Any], **sizes: Any) -> Raw:
    """The DTensor of which each process has a part. PyTorch brings a gradient that lies otherwise to the part without
    a history, so that its derivative would be 0; a redistribution in between has one."""
    from torch.distributed.tensor import DTensor

    made = DTensor.from_local(local, mesh, placements, run_check=False, **sizes)
    return made.redistribute(mesh, placements) if local.requires_grad else made


def without_elements(args: Sequence[Any]) -> Any:
    """The mesh of a DTensor that has no elements, if one of them is. PyTorch 2.13 does not come to an end of reshaping
    some of these, which many of its functions do within: each process has them whole."""
    for arg in args:
        if isinstance(arg, (list, tuple)):
            mesh = without_elements(arg)
            if mesh is not None:
                return mesh
        elif is_spread(arg) and not arg.numel():
            return arg.device_mesh
    return None


def own_whole(arg: Any) -> Any:
    """A DTensor, or several, as plain tensors of all values, with their history; what is none as it is."""
    if isinstance(arg, (list, tuple)):
        return type(arg)(map(own_whole, arg))
    return _in_each(arg) if is_spread(arg) else arg


def beside(cotangents: Sequence[Raw], heads: Sequence[Raw]) -> list[Raw]:
    """Cotangents, of which plain ones belong to DTensors that lie whole in each process. OperationError for one on
    another mesh."""
    for pair in zip(cotangents, heads, strict=True):
        one_mesh(pair)
    return [
        whole_on(head.device_mesh, g) if is_spread(head) and not is_spread(g) else g
        for g, head in zip(cotangents, heads, strict=True)
    ]


def rows(raw: Raw) -> Sequence[Raw]:
    """The elements along the first axis, which PyTorch takes apart only where it is not divided."""
    if is_spread(raw):
        # What a reshape divides into strides has an axis too, and says that it is no shard.
        divided = [getattr(each, "dim", None) == 0 or each.is_partial() for each in raw.placements]
        placements = [replicate() if split else each for split, each in zip(divided, raw.placements, strict=True)]
        raw = raw.redistribute(raw.device_mesh, placements)
    found: Sequence[Raw] = raw.unbind(0)
    return found


def replicate() -> Any:
    from torch.distributed.tensor import Replicate

    return Replicate()


def beside_constants(raws: Sequence[Any]) -> AbstractContextManager[None]:
    """What makes PyTorch take the constants of its own derivatives, the same in all processes, beside DTensors, and
    explains what it refuses to derive of these."""
    return _of_spread() if any_spread(raws) else contextlib.nullcontext()


@contextlib.contextmanager
def _of_spread() -> Iterator[None]:
    from torch.distributed.tensor.experimental import implicit_replication

    with implicit_replication(), explained("derivative", DIVIDED):
        yield


DIVIDED = (
    "where it cannot take them divided, have them whole in each process before that step, of a Tensor x by "
    "ug.wrap_native(lambda raw: raw.redistribute(placements=[Replicate()] * raw.device_mesh.ndim))(x)"
)
ANY = "give it plain tensors, of a Tensor x by ug.wrap_native(lambda raw: raw.full_tensor())(x)"


@contextlib.contextmanager
def explained(what: str, instead: str) -> Iterator[None]:
    """What PyTorch refuses to do with DTensors, with the way round."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.distributed.DistError) or any(word in str(error) for word in _OF_PROCESSES):
            raise _missing(error) from error
        if type(error) not in (RuntimeError, NotImplementedError):
            raise
        raise OperationError(
            f"backend 'torch': PyTorch's {what} failed of arrays that lie in several processes: {error}; {instead}"
        ) from error


def placed(gradients: Sequence[Raw | None], leaves: Sequence[Raw]) -> list[Raw | None]:
    """Gradients of DTensors as these lie, where PyTorch leaves them otherwise, and of plain leaves as plain tensors;
    what is partial is added up. OperationError for one on another mesh."""
    return [
        gradient if gradient is None or not is_spread(gradient) else _as_placed(gradient, leaf)
        for gradient, leaf in zip(gradients, leaves, strict=True)
    ]


def _as_placed(gradient: Raw, leaf: Raw) -> Raw:
    one_mesh((gradient, leaf))
    with _together():
        return gradient.redistribute(leaf.device_mesh, leaf.placements) if is_spread(leaf) else gradient.full_tensor()


def assigned(x: Raw, value: Raw, key: Key) -> Raw:
    """``x`` with ``value`` where ``key`` says, of which one is a DTensor: PyTorch writes into a slice of an axis that
    is divided as into a copy of it, and the array stays what it was.

    Each process writes what is of its own part.
    """
    from torch.distributed.tensor import Partial

    mesh = one_mesh((x, value))
    x, value = (raw if is_spread(raw) else whole_on(mesh, raw) for raw in (x, value))
    placements = [replicate() if each.is_partial() else each for each in x.placements]
    rows = np.full(tuple(x.shape), -1)
    key = tuple([whole(entry).numpy(force=True) if isinstance(entry, torch.Tensor) else entry for entry in key])
    rows[key] = np.arange(value.numel()).reshape(value.shape)
    here = whole_on(mesh, torch.from_numpy(rows)).redistribute(mesh, placements).to_local()
    # In all processes together: of what each of them takes, its own cotangents.
    parts = [each if each.is_replicate() else Partial() for each in placements]
    given = value.redistribute(mesh, [replicate()] * mesh.ndim).to_local(grad_placements=parts).reshape(-1)
    own = x.redistribute(mesh, placements).to_local()
    taken = given[here.clamp(min=0)] if given.numel() else own
    return of_parts(torch.where(here < 0, own, taken), mesh, placements, shape=x.shape, stride=x.stride())


def together(primitive: str, raws: Sequence[Any]) -> tuple[list[Any], Spread | None]:
    """Plain tensors beside DTensors as DTensors too, whole in each process of the mesh, as all is that is the same in
    all processes. If there are none, PyTorch cannot do this with DTensors: then the values as plain tensors, and that
    the result belongs on the mesh. OperationError for DTensors of two meshes.
    """
    mesh = one_mesh(raws)
    plain = [isinstance(raw, torch.Tensor) and not is_spread(raw) for raw in raws]
    if any(plain):
        return [whole_on(mesh, raw) if marked else raw for raw, marked in zip(raws, plain, strict=True)], None
    with _together():
        values = [_in_each(raw) if is_spread(raw) else raw for raw in raws]
    warnings.warn(
        f"backend 'torch': PyTorch does not {primitive} arrays that lie in several processes as "
        f"{' and '.join(str(tuple(raw.placements)) for raw in raws if is_spread(raw))}, so that each process does it "
        f"with all of their values",
        UnigradWarning,
        stacklevel=2,
    )
    return values, Spread("", (mesh, [replicate()] * mesh.ndim))


def _in_each(raw: Raw) -> Raw:
    mesh = raw.device_mesh
    return raw.redistribute(mesh, [replicate()] * mesh.ndim).to_local()


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """What all processes of a mesh do together, explained where one of them is not there."""
    try:
        yield
    except OperationError:
        raise
    except (RuntimeError, ValueError, KeyError) as error:
        raise _missing(error) from error


_OF_PROCESSES = ("process group", "gloo", "NCCL")
"""What PyTorch's errors of processes that are not there speak of."""


def _missing(error: Exception) -> OperationError:
    return OperationError(
        f"backend 'torch': the processes that hold an array did not come together for its values; a process group is "
        f"there from torch.distributed.init_process_group to destroy_process_group, and as long as all of its "
        f"processes run: {error}"
    )


def one_mesh(raws: Sequence[Any]) -> Any:
    """The mesh of the DTensors among them, None if there are none; OperationError for those of two meshes."""
    meshes = list(dict.fromkeys(raw.device_mesh for raw in raws if is_spread(raw)))
    if len(meshes) > 1:
        raise apart("torch", list(map(str, meshes)))
    return meshes[0] if meshes else None


def any_spread(raws: Sequence[Any]) -> bool:
    """Whether one of them is a DTensor."""
    return any(map(is_spread, raws))
