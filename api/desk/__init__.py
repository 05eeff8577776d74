"""HTTP routes of a desk."""
