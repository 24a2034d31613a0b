"""Compiling: a function of arrays traced into a straight line of primitives, and run without its Python.

A function is called once with *traced* arrays (``tracing``): a backend of its own, over the one whose arrays were
given, on which each primitive computes as ever and is written down. What is recorded, pushed forward and mapped
meanwhile goes by the rules that there are, so that all of it ends as one line of primitives: a
:class:`~.program.Program`, a value that can be printed and checked. From it comes what runs: on NumPy and CuPy Python
source over buffers made once (``native``), on the others a function of their arrays for the framework's own compiler
(``replay``). ``compiled`` has what users call: signatures, the cache, results, and the plan as one step of a recording.
"""
