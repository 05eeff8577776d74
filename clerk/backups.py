"""Has the night's backup made, by the command that a person would type: a process of lowest rank."""

import logging
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import Engine

from hotline import backups
from settings import Settings

log = logging.getLogger("clerk")

_LONGEST_S = 12 * 3600
_LOWEST = (("nice", "-n", "19"), ("ionice", "-c", "3"))
"""Calls and pages come first, for the processor and for the disk."""


class Nightly:
    """A job that begins a backup and looks after it, each time for a moment: a large one takes hours."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0

    def __call__(self, _engine: Engine, settings: Settings) -> None:
        """Begin the one that is due, if there is one; of several clerks one does."""
        if self._process and self._goes_on(self._process, settings):
            return
        self._process = None
        since = backups.due_since(settings, datetime.now(UTC))
        if since is None or not _nobody_does(settings):
            return
        before = [word for words in _LOWEST if shutil.which(words[0]) for word in words]
        command = [*before, sys.executable, "-m", "ops.cli", "backup", str(settings.backup_dir)]
        command += ["--keep", str(settings.backup_keep), "--unless-since", since.isoformat()]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        self._began = time.monotonic()

    def wait(self) -> None:
        """Until the one that has begun is over."""
        if self._process:
            self._process.wait()

    def _goes_on(self, process: subprocess.Popen[bytes], settings: Settings) -> bool:
        if process.poll() is None:
            if time.monotonic() - self._began > _LONGEST_S:
                log.error("backup: not done after %.0f hours; stopped", _LONGEST_S / 3600)
                process.kill()
            return True
        if process.returncode == 0:
            log.info("backup: made")
        else:
            last = backups.read(settings)
            log.error("backup: not made: %s", (last.error if last else None) or "see hotline137 backup")
        return False


def _nobody_does(settings: Settings) -> bool:
    with backups.alone(settings) as nobody:
        return nobody


nightly = Nightly()
