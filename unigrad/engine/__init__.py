"""How cotangents come back: over one backend's graph, across backends, and what users call for it."""
