"""Other ways to run a primitive: on values with tangents, and on a whole batch at once. Each registers itself."""
