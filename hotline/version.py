"""Which version this is: the one place that says so (pyproject.toml reads it here)."""

VERSION = "0.4.0"
