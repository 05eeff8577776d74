"""The version; pyproject.toml reads it here."""

VERSION = "0.4.0"
