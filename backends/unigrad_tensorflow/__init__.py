"""The TensorFlow backend of unigrad: its eager tensors, and its tapes.

Each recorded operation has a tape of its own (``tape``). One tape for a whole graph would keep all of it
for as long as any part of it is in use, since a tape lets go of an operation only while it records.
A few derivatives that differ from unigrad's are replaced (``derivatives``). What is differentiated again, and many
rows at once, is pulled by the rules: a tape inside of tapes took up to four times as long, and one for each row of a
Jacobian ten to a hundred times.

Forward mode goes by unigrad's rules, which are made of TensorFlow's operations. TensorFlow's own,
``tf.autodiff.ForwardAccumulator``, transposes the backward function of every operation in a compiled function
of its own. Measured beside the rules, an operation took 1.3 to 19 times as long at 10 elements (the median of 22:
6 times) and 1 to 13 times at 100,000 (3 times), and each new shape of an operation 20 to 120 ms more, once, for
a function that is kept.
"""

from unigrad_tensorflow.backend import TensorFlowBackend

backend = TensorFlowBackend()

__all__ = ["TensorFlowBackend", "backend"]
