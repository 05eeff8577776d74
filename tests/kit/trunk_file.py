"""The single trunk of a test: as a file in a state folder, or as the settings have it."""

import json
from pathlib import Path
from typing import Any

from settings.trunks import ONLY, Trunk


def write_trunk(folder: Path, **keys: object) -> None:
    """Write city/trunks.toml into the state folder."""
    given = {"profile": "address", **keys}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items())
    (folder / "city").mkdir(parents=True, exist_ok=True)
    (folder / "city" / "trunks.toml").write_text(f"[{ONLY}]\n{lines}")


def make_trunk(**keys: Any) -> tuple[Trunk, ...]:
    """Return the sample's trunk with these keys, as a value of `trunks`."""
    return (Trunk(name=ONLY, **{"host": "127.0.0.1:5070", "allowed": ("127.0.0.1",), **keys}),)
