"""The conformance suite: the same programs on every backend, held against 60-digit arithmetic.

It runs against any backend that registers itself under the entry-point group ``unigrad.backends``, one
from outside this project included: ``unigrad conform --backend NAME``.
"""
