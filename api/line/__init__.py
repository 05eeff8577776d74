"""Places in the line, over HTTP."""
