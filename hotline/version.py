"""The version; pyproject.toml reads it here. The commit of a build stands in the file `build` beside this."""

import subprocess
from pathlib import Path

VERSION = "1.0.0"
_BUILD = Path(__file__).with_name("build")


def read_build() -> str:
    """Return git's name for the code, as `63cf267c` or `63cf267c-dirty`; empty where nobody knows it.

    A package or an image has it from its build, a clone from git.
    """
    try:
        return _BUILD.read_text().strip() or _ask_git()
    except OSError:
        return _ask_git()


def _ask_git() -> str:
    command = ["git", "-C", str(_BUILD.parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
