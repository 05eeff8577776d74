"""Settings as a page and as a file to fill in, made from settings/."""

import ast
import inspect
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from settings import PortRange, QuietHours, Settings, WorkingHours
from settings.part import Part

_PAGE = """# Settings
From the environment, or from the file `hotline.env` in the current folder, else in the folder of the project
(`HOTLINE_ENV_FILE` names another); the first line of a start, and of `hotline137 doctor`, says which. A wrong
setting, or one that does not exist, is named at the start. This page is made from
[settings/](../settings/) by `make settings`.
"""
_EXAMPLE = """# Copy to hotline.env, and remove the # before what you change.
# Made from settings/ by `make settings`.
"""


def page() -> str:
    """Return the text of docs/settings.md."""
    said = _PAGE
    for head, settings in _parts():
        said += f"\n## {head}\n| setting | default | what it is |\n|---|---|---|\n"
        for name, default, text in settings:
            said += f"| `{name}` | {f'`{default}`' if default else ''} | {' '.join(text.split())} |\n"
    return said


def example() -> str:
    """Return the text of hotline.env.example."""
    said = _EXAMPLE
    for head, settings in _parts():
        said += f"\n## {head}\n"
        for name, default, text in settings:
            words = "\n".join(f"# {line.strip()}" for line in text.splitlines())
            said += f"\n{words}\n#{name}={default}\n"
    return said


def write(project: Path) -> None:
    """Write both files into the project."""
    (project / "docs" / "settings.md").write_text(page())
    (project / "hotline.env.example").write_text(example())


def explanations(part: type[Part]) -> dict[str, str]:
    """Return the explanation of each setting of a part, by name: the text below it in the source."""
    (of_part,) = ast.parse(inspect.getsource(part)).body
    assert isinstance(of_part, ast.ClassDef)  # noqa: S101
    return {
        setting.target.id: inspect.cleandoc(below.value.value)
        for setting, below in pairwise(of_part.body)
        if isinstance(setting, ast.AnnAssign)
        and isinstance(setting.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def parts() -> list[type[Part]]:
    """Return the parts of the settings, in order."""
    found = [part for part in reversed(Settings.__mro__) if issubclass(part, Part)]
    return [part for part in found if part not in (Part, Settings)]


def _parts() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return the head of each part, with its settings: environment name, default as text, explanation."""
    return [
        (
            (part.__doc__ or "").rstrip("."),
            [_said(name, Settings.model_fields[name], text) for name, text in explanations(part).items()],
        )
        for part in parts()
    ]


def _said(name: str, field: FieldInfo, text: str) -> tuple[str, str, str]:
    return f"HOTLINE_{name.upper()}", _written(field.default, field.annotation), text


def _written(value: Any, kind: Any) -> str:
    match value:
        case bool():
            return str(int(value))
        case PortRange():
            return f"{value.first}-{value.last}"
        case QuietHours() | WorkingHours():
            return f"{value.begin:%H:%M}-{value.end:%H:%M}"
        case dict():
            # any other kind holds pairs, and has no default
            return json.dumps(value) if kind == dict[str, str] else ""
        case tuple() if type(value) is tuple:
            return ",".join(value)
    return "" if value is None else str(value)


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
