"""Cities that the tests invent."""

from pathlib import Path

GOLRUD = Path(__file__).with_name("golrud.toml")
"""Three districts, and not a word of the sample's."""
