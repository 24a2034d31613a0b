"""MLX for unigrad: ``ug.set_backend("mlx")``. Importing this does not import MLX."""

from unigrad_mlx.backend import MLXBackend

backend = MLXBackend()

__all__ = ["MLXBackend", "backend"]
