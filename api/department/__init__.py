"""HTTP routes of a department: its own inbox."""
