"""The line: who has a place, in which order, and how they come to it."""
