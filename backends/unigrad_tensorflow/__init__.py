"""The TensorFlow backend of unigrad: its eager tensors, and its tapes.

Each recorded operation has a tape of its own (``tape``). One tape for a whole graph would keep all of it
for as long as any part of it is in use, since a tape lets go of an operation only while it records.
A few derivatives that differ from unigrad's are replaced (``derivatives``).
"""

from unigrad_tensorflow.backend import TensorFlowBackend

backend = TensorFlowBackend()

__all__ = ["TensorFlowBackend", "backend"]
