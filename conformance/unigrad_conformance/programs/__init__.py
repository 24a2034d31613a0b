"""Whole programs over the public API, each a few lines and written once for all backends."""
