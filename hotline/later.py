"""Lazy import of large libraries that are seldom needed."""

from importlib import import_module
from typing import Any


class Later:
    """A stand-in for a module; the first use of an attribute imports it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
