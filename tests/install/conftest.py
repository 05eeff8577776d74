"""The fixtures of a whole system that these tests have, too."""

from tests.kit.running import desk

__all__ = ["desk"]
