"""Calls on one database; test files of what both must keep say so."""

from tests.kit.databases import on_one

__all__ = ["on_one"]
