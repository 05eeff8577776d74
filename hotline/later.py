"""Libraries that are large and seldom needed: each is imported by whoever first uses it."""

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module of this name; any attribute of it imports it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
