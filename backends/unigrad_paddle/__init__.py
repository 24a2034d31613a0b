"""PaddlePaddle for unigrad: ``ug.set_backend("paddle")``. Importing this does not import PaddlePaddle."""

from unigrad_paddle.backend import PaddleBackend

backend = PaddleBackend()

__all__ = ["PaddleBackend", "backend"]
