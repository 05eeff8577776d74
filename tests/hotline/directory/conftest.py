"""People of a directory, as people here."""

from tests.kit.databases import on_one
from tests.kit.directory import office, slapd

__all__ = ["office", "on_one", "slapd"]
