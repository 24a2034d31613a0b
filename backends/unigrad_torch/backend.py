"""What unigrad asks of PyTorch beyond array functions: conversion, leaves, and the backward pass."""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from unigrad import recording
from unigrad.backend import Backend, Pull, Raw, RawFunction, RawStep, values_unknown
from unigrad.dlpack import backwards
from unigrad.dtypes import ALL, DType
from unigrad.errors import OperationError, UnsupportedError
from unigrad.graph import Leaf, PulledNode
from unigrad.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.operations.table import Primitive
    from unigrad.transforms.bridges import Bridged
    from unigrad_torch import scalars

_raw = operator.attrgetter("_raw")
MANY = 8
"""How many nodes of a graph to each of its leaves make it a long one (:meth:`TorchBackend._accumulated`)."""
FEW_OPERATIONS = "PyTorch has it for storage and interchange, with hardly any arithmetic"
DYNAMO = "torch._dynamo.trace_rules"


class TorchBackend(Backend):
    """PyTorch."""

    name = "torch"
    framework = "torch"
    distribution = "torch"
    install = "pip install 'unigrad[torch]'"
    delegates = "all orders"
    max_ndim = 64
    inline_nodes = "bare"
    bounds_checked = frozenset({"cross_entropy"})
    checkpoints = True
    missing: ClassVar = {"uint16": FEW_OPERATIONS, "uint32": FEW_OPERATIONS, "uint64": FEW_OPERATIONS}

    def __init__(self) -> None:
        self._foreign = False
        self._dynamo_knows = False
        self._accumulating = threading.Lock()

    def load(self) -> None:
        import torch

        from unigrad_torch import forward, natives, scalars, steps
        from unigrad_torch.functions import primitives

        self.torch = torch
        self._forward = forward
        self._scalars = scalars
        self.steps = steps
        self.natives = natives
        self.raw_dtypes = {dtype: getattr(torch, str(dtype)) for dtype in ALL if str(dtype) not in self.missing}
        self.array_types = (torch.Tensor,)
        self.functions = primitives(self)
        self._plain = torch.Tensor
        self._pointer = torch.Tensor.data_ptr
        with torch.inference_mode(False):
            self._ones = {dtype: torch.ones((), dtype=dtype, device="cpu") for dtype in (torch.float32, torch.float64)}
        self._run_backward = torch.autograd.graph._engine_run_backward
        self._proxies = torch._C._TorchDispatchModeKey.PROXY
        self.by_rules = torch._C._are_functorch_transforms_active  # type: ignore[method-assign]
        recording.framework_scopes.append(
            (torch.is_grad_enabled, torch.is_inference_mode_enabled, self._recording_scope)
        )

    def admit(self, raw: Raw) -> None:
        super().admit(raw)
        # From now on a graph may lead on into one of the user's own, whose leaves are not ours to write to.
        self._foreign = self._foreign or raw.requires_grad
        if not self.met_rules and self.by_rules():
            self.meet_rules()
        if not self._dynamo_knows and DYNAMO in sys.modules:
            # What torch.compile meets of unigrad it is to call as it stands: it knows no context variables, and would
            # take NumPy's functions for PyTorch's. Importing it for that takes longer than all else together.
            sys.modules[DYNAMO].add("unigrad")
            sys.modules[DYNAMO].add("unigrad_torch")
            self._dynamo_knows = True

    def _recording_scope(self) -> AbstractContextManager[None]:
        """What makes PyTorch record where the user told it not to; unigrad's own scope decides."""
        return self.torch.inference_mode(False) if self.torch.is_inference_mode_enabled() else self.torch.enable_grad()

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        # PyTorch shares the memory of what it is given, and has no negative strides.
        raw = self.torch.from_numpy(np.array(array, order="C"))
        return raw if device is None else raw.to(device)

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any]
        if self.torch._C._get_dispatch_mode(self._proxies) is not None:
            raise values_unknown(self.name)
        if not self.by_rules():
            found = raw.numpy(force=True)
            return found
        functorch = self.torch._C._functorch
        while functorch.is_functorch_wrapped_tensor(raw):
            if functorch.is_batchedtensor(raw):
                raise values_unknown(self.name)
            raw = functorch.get_unwrapped(raw)
        with self.torch._functorch.pyfunctorch.temporarily_clear_interpreter_stack():
            found = raw.numpy(force=True)
        return found

    def is_known(self, raw: Raw) -> bool:
        return not (self._is_traced() or (self.by_rules() and self._batched(raw)))

    def _is_traced(self) -> bool:
        """Whether PyTorch writes down the program: for torch.compile, or by make_fx."""
        return self.torch.compiler.is_compiling() or self.torch._C._get_dispatch_mode(self._proxies) is not None

    def _batched(self, raw: Raw) -> bool:
        """Whether it stands for many arrays, inside torch.func.vmap."""
        functorch = self.torch._C._functorch
        while functorch.is_functorch_wrapped_tensor(raw):
            if functorch.is_batchedtensor(raw):
                return True
            raw = functorch.get_unwrapped(raw)
        return False

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        return self.torch.full(shape, value, dtype=self.raw_dtype(dtype), device=device or "cpu")

    def filled_like(self, raw: Raw, value: float) -> Raw:
        make = self.torch.ones_like if value == 1 else self.torch.zeros_like
        return make(raw, memory_format=self.torch.contiguous_format)

    def copied(self, raw: Raw) -> Raw:
        return raw.clone()

    def device(self, raw: Raw) -> Any:
        return str(raw.device)

    def devices(self) -> Sequence[Any]:
        return ("cpu", *(f"cuda:{number}" for number in range(self.torch.cuda.device_count())))

    def to_device(self, raw: Raw, device: Any) -> Raw:
        return raw.to(device)

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        # DLPack has no bit that says "to be conjugated".
        return super().to_dlpack(raw.resolve_conj().resolve_neg(), copy, max_version, **where)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        values = backwards(source, copy)
        return self.torch.from_dlpack(source, copy=copy) if values is None else self.from_numpy(values)

    def joined(
        self,
        operation: str,
        inputs: Sequence[Tensor],
        results: Sequence[Tensor],
        pull_back: Callable[[list[Tensor | None]], Sequence[Tensor | None]],
    ) -> list[Tensor]:
        if self.by_rules():
            return super().joined(operation, inputs, results, pull_back)
        return self.steps.joined(operation, inputs, results, pull_back)

    def within_step(self, raw: Raw) -> Raw:
        return raw if self.by_rules() else raw.detach()

    def follows(self, raw: Raw) -> bool:
        return bool(raw.requires_grad) and self.torch.is_grad_enabled()

    def followed(self, function: RawStep, raws: Sequence[Raw]) -> list[Raw]:
        if self.by_rules():
            raise UnsupportedError(
                "inside torch.func PyTorch would not use the rule of ug.custom_gradient; take the derivative with "
                "unigrad there (torch.func.vmap(ug.grad(f))), or call it outside torch.func"
            )
        return self.steps.followed(self.tensor_type, function, raws)

    def checkpointed(self, run: Callable[[], Any]) -> Any:
        from torch.utils.checkpoint import checkpoint

        # To stop early it raises an error out of some operation, which unigrad would explain.
        return checkpoint(run, use_reentrant=False, early_stop=False)

    def native(self, name: str, function: RawFunction, inputs: Sequence[Tensor]) -> list[Tensor]:
        return self.natives.recorded(self, name, function, inputs)

    def native_jvp(self, function: RawFunction, moving: Sequence[bool]) -> RawFunction:
        return self.natives.pushed(function, moving)

    def native_vmap(self, function: RawFunction, marks: Sequence[bool]) -> RawFunction:
        return self.natives.mapped(function, marks)

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        from unigrad_torch.bridges import bridged

        return bridged(call, raws)

    def numbers(self, primitive: str, weak: scalars.Weak) -> scalars.Weak | None:
        return self._scalars.operand(weak) if primitive in self._scalars.TAKEN_BY else None

    def untracked(self, function: Callable[..., Raw]) -> Callable[..., Raw]:
        # Not torch.no_grad(), which takes as long as a small operation.
        enabled, enable, by_rules = self.torch.is_grad_enabled, self.torch._C._set_grad_enabled, self.by_rules

        def run(*args: Any) -> Raw:
            # By rules nothing has unigrad's leaves, and torch.func may differentiate it.
            if (self.met_rules and by_rules()) or not enabled():
                return function(*args)
            enable(False)
            try:
                return function(*args)
            finally:
                enable(True)

        return run

    def pushforward(
        self, primitive: Primitive, raws: Sequence[Raw], tangents: Sequence[Raw | None], statics: Sequence[Any]
    ) -> tuple[Raw, Raw] | None:
        function = self.functions.get(primitive.name)
        if function is None:  # composed of others, each of which is pushed forward by itself
            return None
        return self._forward.push(function, primitive, raws, tangents, statics)

    def leaf(self, raw: Raw) -> Raw:
        if self.by_rules():
            self.meet_rules()
            return raw
        if raw.is_inference():
            # PyTorch does not differentiate what was made in inference mode; a copy made outside is fine.
            with self.torch.inference_mode(False):
                return raw.clone().requires_grad_()
        return raw.detach().requires_grad_()

    def fresh_leaf(self, raw: Raw) -> Raw:
        return self.leaf(raw) if raw.is_inference() or self.by_rules() else raw.requires_grad_()

    def detached(self, raw: Raw) -> Raw:
        return raw if self.by_rules() else raw.detach()

    def constant(self, raw: Raw) -> Raw:
        return raw.detach() if raw.requires_grad or self.by_rules() else raw

    def pull_leaves(
        self, head: Raw, leaves: tuple[Raw, ...], nodes: int, retain_graph: bool
    ) -> Sequence[Raw | None] | None:
        if self.by_rules() or type(head) is not self._plain:
            return None
        seed = self._ones.get(head.dtype) if head.ndim == 0 and head.is_cpu else None
        if seed is None or seed._version:  # which somebody's hook has written to
            seed = self.filled_like(head, 1)
        if nodes > MANY * len(leaves) and not self._foreign and not self.steps.under_way.get():
            return self._accumulated((head,), (seed,), leaves, retain_graph)
        pulled = self._run_backward((head,), (seed,), retain_graph, False, leaves, True, False)
        return _apart(pulled, (seed,), self._pointer)

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        if self.by_rules():
            return None
        cotangents = tuple(map(_raw, pull.cotangents))
        if pull.rows is not None:
            return self._by_rows(pull, cotangents)
        leaves = 0
        retain_graph = pull.retain_graph
        # A gradient may itself be a leaf to PyTorch, and one that nobody has asked for.
        alone = not self._foreign
        for node in pull.starts:
            kind = type(node)
            if kind is Leaf:
                leaves += 1
                alone = alone and node in pull.inputs
            elif kind is PulledNode:
                alone = False
            elif kind is self.steps.StepNode:
                retain_graph = retain_graph or node.may_fail
        if pull.create_graph:
            return self._made(pull, self._gradients(pull, cotangents, retain_graph=retain_graph), cotangents)
        heads, inputs = tuple(map(_raw, pull.heads)), tuple(pull.inputs.values())
        if len(pull.nodes) > MANY * leaves == MANY * len(inputs) and alone and not self.steps.under_way.get():
            return self._accumulated(heads, cotangents, inputs, retain_graph)
        pulled = self._run_backward(heads, cotangents, retain_graph, False, inputs, True, False)
        return _apart(pulled, cotangents, self._memory())

    def _gradients(self, pull: Pull, cotangents: Sequence[Raw], **options: Any) -> Sequence[Raw | None]:
        found: Sequence[Raw | None] = self.torch.autograd.grad(
            [head.raw for head in pull.heads],
            list(pull.inputs.values()),
            cotangents,
            create_graph=pull.create_graph,
            allow_unused=True,
            **options,
        )
        return found

    def _by_rows(self, pull: Pull, cotangents: Sequence[Raw]) -> Sequence[Raw | None]:
        try:
            pulled = self._gradients(pull, cotangents, retain_graph=True, is_grads_batched=True)
        except (RuntimeError, OperationError):
            # PyTorch has no batches of what some of our own derivatives do: row by row then.
            rows = [self._gradients(pull, row, retain_graph=True) for row in zip(*cotangents, strict=True)]
            columns = zip(*rows, strict=True)
            pulled = [None if column[0] is None else self.torch.stack(column) for column in columns]
        return self._made(pull, pulled, cotangents)

    def _accumulated(
        self, heads: tuple[Raw, ...], cotangents: tuple[Raw, ...], leaves: tuple[Raw, ...], retain_graph: bool
    ) -> Sequence[Raw | None]:
        """Gradients for all leaves of a graph, by way of their raw ``.grad``, which is put back afterwards.

        Without a list of inputs PyTorch's engine need not plan which nodes to visit: a sixth less time on a long chain
        of small operations. But each leaf takes as long here as the planning for ``MANY`` nodes.
        """
        found = []
        # Another thread's pass over a shared leaf would add to the same .grad.
        with self._accumulating:
            before = [raw.grad for raw in leaves]
            for raw, grad in zip(leaves, before, strict=True):
                if grad is not None:
                    raw.grad = None
            try:
                self._run_backward(heads, cotangents, retain_graph, False, (), True, True)
            finally:
                for raw, grad in zip(leaves, before, strict=True):
                    found.append(raw.grad)
                    raw.grad = grad
        return _apart(map(_cut_out, found), cotangents, self._memory())

    def _made(self, pull: Pull, pulled: Sequence[Raw | None], cotangents: Sequence[Raw]) -> Sequence[Raw | None]:
        if not pull.create_graph:
            return _apart(pulled, cotangents, self._memory())
        return [None if raw is None else self._differentiable(raw) for raw in pulled]

    def _memory(self) -> Callable[[Raw], int]:
        """What tells where an array lies."""
        # While PyTorch works on fake arrays, which lie nowhere, the objects that stand for memory do.
        return _storage if self.torch._C._len_torch_dispatch_stack() else self._pointer

    def _differentiable(self, raw: Raw) -> Raw:
        # PyTorch does not track a constant gradient; as a leaf it can be a head or a variable nevertheless.
        return raw if raw.requires_grad else self.leaf(raw)


def _apart(pulled: Iterable[Raw | None], cotangents: Sequence[Raw], memory: Callable[[Raw], int]) -> list[Raw | None]:
    """Gradients that share no ``memory`` with each other or the cotangents, and are no part of something larger.

    PyTorch's may be a cotangent, reshaped or stretched, or a part of one.
    """
    held = set(map(memory, cotangents))
    found = []
    for raw in pulled:
        if raw is not None:
            start = memory(raw)
            if start in held or (raw._is_view() and raw._base.numel() != raw.numel()):
                raw = raw.clone()
            held.add(start)
        found.append(raw)
    return found


def _storage(raw: Raw) -> int:
    found: int = raw.untyped_storage()._cdata
    return found


def _cut_out(raw: Raw | None) -> Raw | None:
    """Memory of its own for a part of something larger that PyTorch does not know as a view any more."""
    return raw if raw is None or raw.untyped_storage().nbytes() == raw.nbytes else raw.clone()
