"""What unigrad asks of PyTorch's arrays."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from unigrad.extend import (
    Backend,
    DType,
    Numbers,
    Raw,
    RawFunction,
    Spread,
    UnsupportedError,
    Weak,
    backwards,
    everything,
    load_triton,
    not_plain,
    rewrite_functions,
    ruled,
    values_unknown,
)
from unigrad_torch.replaced import REPLACED

FEW_OPERATIONS = "PyTorch has it for storage and interchange, with hardly any arithmetic"
DYNAMO = "torch._dynamo.trace_rules"


class TorchBackend(Backend):
    """PyTorch."""

    name = framework = distribution = "torch"
    install = "pip install 'unigrad[torch]'"
    differentiates = "all orders"
    max_ndim = 64
    bounds_checked = frozenset({"cross_entropy", "embedding", "getitem"})
    missing: ClassVar = {"uint16": FEW_OPERATIONS, "uint32": FEW_OPERATIONS, "uint64": FEW_OPERATIONS}
    replaced: ClassVar = REPLACED | ruled()
    _dynamo_knows = False

    def load(self) -> None:
        load_triton(pytorch=True)
        import torch

        from unigrad_torch import shares, spread
        from unigrad_torch.autocast import steady
        from unigrad_torch.engine import TorchEngine
        from unigrad_torch.foreign import TorchForeign
        from unigrad_torch.functions import primitives

        self.torch = torch
        self._spread, self._shares = spread, shares
        self._steady = steady
        self.raw_dtypes = {
            dtype: getattr(torch, str(dtype)) for dtype in everything() if str(dtype) not in self.missing
        }
        self.array_types = (torch.Tensor,)
        self._strided = torch.strided
        self.functions = primitives(self)
        self.engine = self._engine = TorchEngine(self)
        self.foreign = TorchForeign()
        # What a mode writes down or fakes must not hold tensors from outside.
        self._numbers = Numbers(self._number, stay=torch._C._len_torch_dispatch_stack)

    def admit(self, raw: Raw) -> Raw:
        if raw.is_nested or raw.layout is not self._strided or raw.is_quantized:
            raise self._refusal(raw)
        super().admit(raw)
        self._engine.meets_rules()
        if raw.requires_grad:
            self._engine.met_history = True
        if self._spread.is_spread(raw):
            if not self._engine.met_spread:
                self._engine.met_spread = True
                rewrite_functions(self, functools.partial(self._shares.settling, self))
            raw = self._shares.settled(raw)
        if not self._dynamo_knows and DYNAMO in sys.modules:
            # What torch.compile meets of unigrad it is to call as it stands: it knows no context variables, and would
            # take NumPy's functions for PyTorch's. Importing it for that takes longer than all else together.
            sys.modules[DYNAMO].add("unigrad")
            sys.modules[DYNAMO].add("unigrad_torch")
            self._dynamo_knows = True
        return raw

    def _refusal(self, raw: Raw) -> UnsupportedError:
        """For arrays that are no plain ones: most of PyTorch's functions do not take them."""
        if raw.is_nested:
            return not_plain(self, "nested", "raw.to_padded_tensor(0.0)")
        if raw.is_quantized:
            return not_plain(self, f"quantised, of dtype {raw.dtype}", "raw.dequantize()")
        return not_plain(self, str(raw.layout).removeprefix("torch."), "raw.to_dense()")

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        # PyTorch shares the memory of what it is given, and has no negative strides.
        values = np.array(array, order="C")
        if values.dtype.kind == "V":  # bfloat16, of which torch.from_numpy knows nothing
            raw = self.torch.from_numpy(values.view(np.int16)).view(self.torch.bfloat16)
        else:
            raw = self.torch.from_numpy(values)
        return raw if device is None else self.to_device(raw, device)

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        if raw.is_meta:
            raise UnsupportedError(
                f"backend 'torch': an array on the device 'meta' has a shape and a dtype and no values, so there is "
                f"nothing to convert, print or decide by; this one has shape {tuple(raw.shape)}"
            )
        by_rules = self.engine.by_rules()
        inner = self._beneath(raw) if by_rules else raw
        if inner is None or self._is_written_down():
            raise values_unknown(self.name)
        if not by_rules:
            return self._values(raw)
        with self.torch._functorch.pyfunctorch.temporarily_clear_interpreter_stack():
            return self._values(inner)

    def _values(self, raw: Raw) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any]
        raw = self._spread.whole(raw)
        if raw.dtype is self.torch.bfloat16:
            found = raw.detach().view(self.torch.int16).numpy(force=True).view(self.dtype(raw))
        else:
            found = raw.numpy(force=True)
        return found

    def is_known(self, raw: Raw) -> bool:
        if self.torch.compiler.is_compiling() or self._is_written_down() or raw.is_meta:
            return False
        return not self.engine.by_rules() or self._beneath(raw) is not None

    def may_hold_zero(self, raw: Raw) -> bool:
        if type(raw) is not self.torch.Tensor or not raw.is_cpu or not self.is_known(raw):
            return True
        if not raw.dim():
            return not raw
        if self.engine.by_rules() or raw.dtype is self.torch.bfloat16:
            return not raw.all()
        # Which asks the same of the same memory in a fifth of the time.
        return bool(np.count_nonzero(raw.detach().numpy()) < raw.numel())

    def _is_written_down(self) -> bool:
        """Whether PyTorch writes down the program, by make_fx."""
        return self.torch._C._get_dispatch_mode(self.torch._C._TorchDispatchModeKey.PROXY) is not None

    def _beneath(self, raw: Raw) -> Raw | None:
        """The array inside all that torch.func wraps around it; None if it stands for many, inside torch.func.vmap."""
        functorch = self.torch._C._functorch
        while functorch.is_functorch_wrapped_tensor(raw):
            if functorch.is_batchedtensor(raw):
                return None
            raw = functorch.get_unwrapped(raw)
        return raw

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        if isinstance(device, Spread):
            return self._spread.put(self.full(shape, value, dtype), device)
        return self.torch.full(shape, value, dtype=self.raw_dtype(dtype), device=device or "cpu")

    def filled_like(self, raw: Raw, value: float) -> Raw:
        make = self.torch.ones_like if value == 1 else self.torch.zeros_like
        return make(raw, memory_format=self.torch.contiguous_format)

    def copied(self, raw: Raw) -> Raw:
        return raw.clone()

    def compiled(self, function: RawFunction, engine: str | None) -> RawFunction:
        if engine == "inductor":
            # Into unigrad's functions as well, which are to be called as they stand elsewhere (``admit``).
            whole = self.torch._dynamo.dont_skip_tracing(function)
            # Each plan has a code object of its own: PyTorch gives up on one that it has compiled eight times.
            whole.__code__ = whole.__code__.replace()
            return self._steady(self.torch.compile(whole))
        return super().compiled(function, engine)

    def device(self, raw: Raw) -> Any:
        return self._spread.place(raw) if self._spread.is_spread(raw) else str(raw.device)

    def signature(self, raw: Raw, dtype: DType) -> Any:
        where = str(self._spread.place(raw)) if self._spread.is_spread(raw) else raw.device
        return (raw.shape, dtype, where)

    def devices(self) -> Sequence[Any]:
        return ("cpu", *(f"cuda:{number}" for number in range(self.torch.cuda.device_count())))

    def spread(self, device: Any) -> Spread | None:
        return device if isinstance(device, Spread) else None

    def to_device(self, raw: Raw, device: Any) -> Raw:
        return self._spread.put(raw, device) if isinstance(device, Spread) else self._spread.whole(raw).to(device)

    def together(self, primitive: str, raws: Sequence[Any]) -> tuple[Sequence[Any], Any] | None:
        if self._spread.any_spread(raws):
            return self._spread.together(primitive, raws)
        return super().together(primitive, raws)

    def in_one_place(self, raws: Sequence[Any]) -> None:
        if self._spread.any_spread(raws):
            self._spread.one_mesh(raws)
        else:
            # Of one element and no axis PyTorch takes arrays of the host everywhere.
            super().in_one_place([raw for raw in raws if isinstance(raw, self.torch.Tensor) and raw.ndim])

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        if self._spread.is_spread(raw) and copy is False:
            raise BufferError("the parts of a DTensor are gathered, which takes a copy; leave out copy=False")
        raw = self._spread.whole(raw)
        # DLPack has no bit that says "to be conjugated".
        return super().to_dlpack(raw.resolve_conj().resolve_neg(), copy, max_version, **where)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        values = backwards(source, copy)
        return self.torch.from_dlpack(source, copy=copy) if values is None else self.from_numpy(values)

    def numbers(self, primitive: str, weak: Weak) -> Weak | None:
        return self._numbers.operand(primitive, weak)

    def _number(self, number: float, dtype: DType) -> Raw | None:
        if self.engine.by_rules() or self.torch.is_inference_mode_enabled():
            return None
        return self.torch.tensor(number, dtype=self.raw_dtypes[dtype], device="cpu")
