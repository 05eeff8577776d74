"""The base class of the settings' parts; it reads the environment (HOTLINE_*) or the file hotline.env."""

import os
from functools import cached_property
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).parents[1]


def _env_file() -> Path:
    """Return the named file, else the one in the current folder, else the project's."""
    here = Path("hotline.env")
    named = os.environ.get("HOTLINE_ENV_FILE")
    return Path(named or here) if named is not None or here.exists() else PROJECT / here


class Part(BaseSettings):
    """Settings that belong together. A check may look at settings that stand before its own."""

    model_config = SettingsConfigDict(
        env_prefix="HOTLINE_",
        env_file=_env_file(),
        frozen=True,
        extra="ignore",
        ignored_types=(cached_property,),
    )
