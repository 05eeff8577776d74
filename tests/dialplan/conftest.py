"""Asterisk's configuration, rendered for the settings that a test names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialplan.render import render
from settings import Settings, load
from tests.dialplan.rendered_files import Render


@pytest.fixture
def configured(tmp_path: Path, own_environment: None) -> Callable[..., Settings]:
    def configured(**values: Any) -> Settings:
        return load(_env_file=None, **{"state_dir": tmp_path / "state", "desks": 3, **values})

    return configured


@pytest.fixture
def rendered(configured: Callable[..., Settings]) -> Render:
    """The rendered files by name, for settings that differ from the defaults in these values."""

    def rendered(**values: Any) -> dict[str, str]:
        main = render(configured(**values), modules=Path("/opt/modules"), data=Path("/opt/data"))
        return {path.name: path.read_text() for path in main.parent.iterdir()}

    return rendered
