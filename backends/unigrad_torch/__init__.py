"""The PyTorch backend of unigrad: its arrays and its autograd engine.

Operations on tracked arrays are recorded by PyTorch itself as they run, and a backward is one call of
``torch.autograd.grad``. The few derivatives that differ from unigrad's are replaced (``derivatives``).
"""

from unigrad_torch.backend import TorchBackend

backend = TorchBackend()

__all__ = ["TorchBackend", "backend"]
