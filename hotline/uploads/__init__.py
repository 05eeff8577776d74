"""What citizens send in pieces, on lines that break: the next piece goes on where the last one ended."""
