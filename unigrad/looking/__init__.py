"""Looking at a computation: the graph that a backward goes through, drawn and stepped through."""
