"""What was recorded, and for how long it is kept."""
