"""The settings as a page and as a file to fill in, made from settings.py."""

import ast
import inspect
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from settings import PortRange, QuietHours, Settings, WorkingHours

_PAGE = """# Settings
From the environment, or from the file `hotline.env` in the current folder, else in the folder of the project
(`HOTLINE_ENV_FILE` names another); the first line of a start, and of `hotline137 doctor`, says which. A wrong
setting, or one that does not exist, is named at the start. This page is made from
[settings.py](../settings.py) by `make settings`.

| setting | default | what it is |
|---|---|---|
"""
_EXAMPLE = """# Copy to hotline.env, and remove the # before what you change.
# Made from settings.py by `make settings`.
"""


def page() -> str:
    """docs/settings.md."""
    rows = [
        f"| `{name}` | {f'`{default}`' if default else ''} | {' '.join(text.split())} |"
        for name, default, text in _settings()
    ]
    return _PAGE + "\n".join(rows) + "\n"


def example() -> str:
    """hotline.env.example."""
    parts = []
    for name, default, text in _settings():
        words = "\n".join(f"# {line.strip()}" for line in text.splitlines())
        parts.append(f"\n{words}\n#{name}={default}\n")
    return _EXAMPLE + "".join(parts)


def write(project: Path) -> None:
    """Write both into the project."""
    (project / "docs" / "settings.md").write_text(page())
    (project / "hotline.env.example").write_text(example())


def explanations() -> dict[str, str]:
    """What each setting is, by its name in settings.py: the text below it. No start reads it."""
    (of_settings,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(of_settings, ast.ClassDef)  # noqa: S101
    return {
        setting.target.id: inspect.cleandoc(below.value.value)
        for setting, below in pairwise(of_settings.body)
        if isinstance(setting, ast.AnnAssign)
        and isinstance(setting.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _settings() -> list[tuple[str, str, str]]:
    """The name in the environment, the default as it is written there, and what it is."""
    explained = explanations()
    return [
        (f"HOTLINE_{name.upper()}", _written(field.default, field.annotation), explained.get(name, ""))
        for name, field in Settings.model_fields.items()
    ]


def _written(value: Any, kind: Any) -> str:
    match value:
        case bool():
            return str(int(value))
        case PortRange():
            return f"{value.first}-{value.last}"
        case QuietHours() | WorkingHours():
            return f"{value.begin:%H:%M}-{value.end:%H:%M}"
        case dict():
            return (
                json.dumps(value) if kind == dict[str, str] else ""
            )  # the other kind is pairs, and has none
        case tuple() if type(value) is tuple:
            return ",".join(value)
    return "" if value is None else str(value)


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
