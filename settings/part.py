"""The base class of the settings' parts, and the file that they are read from."""

import os
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PROJECT = Path(__file__).parents[1]


def find_env_file() -> Path:
    """Return the named file, else the one in the current folder, else the project's."""
    here = Path("hotline.env")
    named = os.environ.get("HOTLINE_ENV_FILE")
    return Path(named or here) if named is not None or here.exists() else PROJECT / here


class Part(BaseModel):
    """Settings that belong together. A check may look at settings that stand before its own."""

    model_config = ConfigDict(frozen=True, ignored_types=(cached_property,))
