"""An office whose staff are in a directory."""

from tests.kit.directory import office, slapd

__all__ = ["office", "slapd"]
