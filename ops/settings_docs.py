"""Settings as a page and as a file to fill in, made from settings/."""

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from settings import PortRange, QuietHours, Settings, WorkingHours
from settings.part import Part
from settings.toml_files import FILES, OLD_NAMES

_PAGE = """# Settings
From the environment, or from the file `hotline.env` in the current folder, else in the folder of the project
(`HOTLINE_ENV_FILE` names another); the first line of a start, and of `hotline137 doctor`, says which. A wrong
setting, or one that does not exist, is named at the start. This page is made from
[settings/](../settings/) by `make settings`.

Accounts and the city's own things stand in TOML files, read at the start: `kavenegar.key` is `key` under
`[kavenegar]`. A relative path in such a file begins at its folder. A secret may stand in a file of its own
(mode 600): `key_file = "kavenegar.key"` in the place of `key`. An old name (`HOTLINE_SMS_KAVENEGAR_KEY`)
still works in this version and overrides the file; the start and `hotline137 doctor` say what to write
where.
"""
_EXAMPLE = """# Copy to hotline.env, and remove the # before what you change.
# Made from settings/ by `make settings`.
"""


def render_page() -> str:
    """Return the text of docs/settings.md."""
    said = _PAGE
    for part in list_parts():
        said += f"\n## {_head(part)}\n"
        for file in ("", *FILES):
            rows = [
                f"| `{named}` | {f'`{default}`' if default else ''} | {' '.join(text.split())} |\n"
                for named, default, text in _settings(part, file)
            ]
            if rows and file:
                rows.sort(key=lambda row: row.partition(".")[0])
                said += f"\nIn `{file}.toml` (`HOTLINE_{file.upper()}`):\n\n"
            if rows:
                said += f"| {'key' if file else 'setting'} | default | what it is |\n|---|---|---|\n"
                said += "".join(rows)
    return said


def render_example() -> str:
    """Return the text of hotline.env.example."""
    said = _EXAMPLE
    for part in list_parts():
        settings = list(_settings(part))
        said += f"\n## {_head(part)}\n" if settings else ""
        for name, default, text in settings:
            words = "\n".join(f"# {line.strip()}" for line in text.splitlines())
            said += f"\n{words}\n#{name}={default}\n"
    return said


def write(project: Path) -> None:
    """Write both files into the project."""
    (project / "docs" / "settings.md").write_text(render_page())
    (project / "hotline.env.example").write_text(render_example())


def find_explanations(part: type[Part]) -> dict[str, str]:
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


def list_parts() -> list[type[Part]]:
    """Return the parts of the settings, in order."""
    found = [part for part in reversed(Settings.__mro__) if issubclass(part, Part)]
    return [part for part in found if part not in (Part, Settings)]


def _head(part: type[Part]) -> str:
    return (part.__doc__ or "").rstrip(".")


def _settings(part: type[Part], file: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the settings of a part in the environment, or in a file: name, default as text, explanation."""
    for name, text in find_explanations(part).items():
        of, key = OLD_NAMES.get(name, ("", f"HOTLINE_{name.upper()}"))
        if of == file:
            field = Settings.model_fields[name]
            yield key, _toml(field.default) if file else _written(field.default, field.annotation), text


def _toml(value: Any) -> str:
    match value:
        case None | "" | ():
            return ""
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
        case WorkingHours():
            return _toml(_written(value, None))
    return json.dumps(value, ensure_ascii=False)


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
