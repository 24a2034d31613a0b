"""Is it right: derivatives held against numerical ones."""
