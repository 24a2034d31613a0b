"""MXNet for unigrad: ``ug.set_backend("mxnet")``. Importing this does not import MXNet."""

from unigrad_mxnet.backend import MXNetBackend

backend = MXNetBackend()

__all__ = ["MXNetBackend", "backend"]
