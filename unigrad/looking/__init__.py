"""Looking at a computation: the graph that a backward goes through, drawn and stepped through; frameworks compared; a
function and its derivatives plotted."""
