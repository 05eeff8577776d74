"""HTTP routes of places in the line."""
