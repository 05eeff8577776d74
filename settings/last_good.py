"""The last settings with which everything could be prepared; they stay in force while the files are wrong.

systemd's processes read these and not the files, so a half-edited file stops no process that starts again.
`ops.service prepare` saves them, and `hotline137 apply` takes them back if the system does not work then.
"""

import hashlib
import json
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from settings import city_file
from settings.city import find_city_file
from settings.in_force import Settings
from settings.toml_files import SECRETS, place

_UNSET = "not set"
_NO_FILE: dict[str, Any] = {"_env_file": None}


class _AsGiven(Settings):
    """Settings whose TOML files were read before: their values are given."""

    @classmethod
    def _with_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        return given


def keep(settings: Settings) -> None:
    """Put these settings in force; those until now become the ones before. Raises OSError."""
    folder = _folder(settings.state_dir)
    if _read(folder / "in-force") == _values(settings):
        return
    new = folder / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True, mode=0o700)
    (new / "values.json").write_text(json.dumps(_values(settings)))
    shutil.copyfile(settings.city_path, new / "city.toml")
    if source := settings.trunks[0].source:
        shutil.copyfile(source, new / "trunks.toml")
    _replace(folder / "before", folder / "in-force")
    _replace(folder / "in-force", new)


def load_last(state_dir: Path) -> tuple[Settings, datetime] | None:
    """Return the settings in force and since when; None if there are none that this version accepts."""
    folder = _folder(state_dir) / "in-force"
    values = _read(folder)
    if values is None:
        return None
    if values.pop("trunks_digest", ""):
        values["trunks"] = str(folder / "trunks.toml")
    named = Path(values["city"]) if values.get("city") else None
    try:
        city_file.read(find_city_file(named, state_dir))
    except city_file.CityError:
        values["city"] = str(folder / "city.toml")
    try:
        settings = _AsGiven(**values, **_NO_FILE)
    except ValidationError:
        return None
    since = (folder / "values.json").stat().st_mtime
    return settings, datetime.fromtimestamp(since, UTC)


def list_changes(settings: Settings) -> list[str]:
    """Return a line for each value that differs from the settings in force; no secret is shown."""
    old, new = _read(_folder(settings.state_dir) / "in-force") or {}, _values(settings)
    lines = []
    for name in sorted(old.keys() | new.keys()):
        was, becomes = old.get(name, _UNSET), new.get(name, _UNSET)
        if was == becomes:
            continue
        if name == "trunks_digest":
            lines.append("HOTLINE_TRUNKS: the file has changed")
        elif name in SECRETS:
            lines.append(f"{place(name)}: changed")
        else:
            lines.append(f"{place(name)}: {was} → {becomes}")
    return lines


def is_taken_back(settings: Settings) -> bool:
    """Return whether the system did not work with exactly these settings."""
    return _read(_folder(settings.state_dir) / "taken-back") == _values(settings)


def allow_again(state_dir: Path) -> None:
    """Forget which settings were taken back."""
    shutil.rmtree(_folder(state_dir) / "taken-back", ignore_errors=True)


def take_back(state_dir: Path) -> bool:
    """Put the settings before in force again; False if there are none. Raises OSError."""
    folder = _folder(state_dir)
    if not (folder / "before").is_dir():
        return False
    _replace(folder / "taken-back", folder / "in-force")
    _replace(folder / "in-force", folder / "before")
    return True


def _folder(state_dir: Path) -> Path:
    return state_dir / "settings"


def _replace(path: Path, by: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with suppress(FileNotFoundError):
        by.rename(path)


def _values(settings: Settings) -> dict[str, Any]:
    """Return the given values as JSON has them, and a digest of the trunks' file."""
    values = {name: value for name, value in settings.given.items() if name in Settings.model_fields}
    if source := settings.trunks[0].source:
        values |= {"trunks": source, "trunks_digest": hashlib.sha256(source.read_bytes()).hexdigest()}
    return dict(json.loads(json.dumps(values, default=str)))


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / "values.json").read_text()))
    except (OSError, ValueError):
        return None
