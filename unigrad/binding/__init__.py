"""All code that is written by code: from a row of the table and an adapter to the functions and nodes that run."""
