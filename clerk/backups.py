"""Has the night's backup made, by the command that a person would type: a process of lowest rank."""

import logging
import shutil
import subprocess
import sys
from datetime import UTC, datetime

from sqlalchemy import Engine

from clerk.progress import step
from hotline import backups
from settings import Settings

log = logging.getLogger("clerk")

_LOOK_S = 1.0
_LONGEST_S = 12 * 3600
_LOWEST = (("nice", "-n", "19"), ("ionice", "-c", "3"))
"""Calls and pages come first, for the processor and for the disk."""


def nightly(_engine: Engine, settings: Settings) -> None:
    """Make the one that is due, if there is one; of several clerks one does."""
    since = backups.due_since(settings, datetime.now(UTC))
    if since is None or not _nobody_does(settings):
        return
    before = [word for words in _LOWEST if shutil.which(words[0]) for word in words]
    command = [*before, sys.executable, "-m", "ops.cli", "backup", str(settings.backup_dir)]
    command += ["--keep", str(settings.backup_keep), "--unless-since", since.isoformat()]
    if _run(command):
        log.info("backup: made")
    else:
        last = backups.read(settings)
        log.error("backup: not made: %s", (last.error if last else None) or "see hotline137 backup")


def _nobody_does(settings: Settings) -> bool:
    with backups.alone(settings) as nobody:
        return nobody


def _run(command: list[str]) -> bool:
    """Whether it went well. However long a large one takes, this job goes on all the while."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        for _ in range(int(_LONGEST_S / _LOOK_S)):
            step()
            try:
                return process.wait(_LOOK_S) == 0
            except subprocess.TimeoutExpired:
                continue
        process.kill()
        return False
