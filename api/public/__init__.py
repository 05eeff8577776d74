"""Public pages and data."""
