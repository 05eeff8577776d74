"""Nightly backup, by the command that a person would type, in a process of lowest priority."""

import logging
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from typing import IO

from sqlalchemy import Engine

from hotline import backups
from settings import Settings

log = logging.getLogger("scheduler")

_LONGEST_S = 12 * 3600
_LOWEST = (("nice", "-n", "19"), ("ionice", "-c", "3"))
"""Commands that let calls and pages go first, for the processor and for the disk."""


class Nightly:
    """Job that starts a backup and checks on it briefly at each run: a large backup takes hours."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._before: backups.Status | None = None
        self._said: IO[bytes] | None = None

    def __call__(self, _engine: Engine, settings: Settings) -> None:
        """Start the due backup, if any; of several schedulers one does."""
        if self._process and self._goes_on(self._process, settings):
            return
        self._process = None
        since = backups.find_due_since(settings, datetime.now(UTC))
        if since is None or not _nobody_does(settings):
            return
        before = [word for words in _LOWEST if shutil.which(words[0]) for word in words]
        command = [*before, sys.executable, "-m", "ops.cli", "backup", str(settings.backup_dir)]
        command += ["--keep", str(settings.backup_keep), "--unless-since", since.isoformat()]
        quiet, self._said = subprocess.DEVNULL, tempfile.TemporaryFile()  # noqa: SIM115 (read when it is over)
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=self._said)
        self._began, self._before = time.monotonic(), backups.read(settings)

    def wait(self) -> None:
        """Wait until the started backup is over."""
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
            for note in made.notes if (made := backups.read(settings)) else ():
                log.warning("backup: %s", note)
        else:
            log.error("backup: not made: %s", self._why(process.returncode, settings))
        return False

    def _why(self, code: int, settings: Settings) -> str:
        """Return the recorded error; if there is none, record the command's last output."""
        last = backups.read(settings)
        if last != self._before or not _nobody_does(settings):
            return (last and last.error) or "another one is being made"
        why = f"hotline137 backup ended with {code}: {_last_words(self._said)}"
        good = (last.good_at, last.good_path) if last else (None, None)
        at = datetime.now(UTC).isoformat()
        backups.write(settings, backups.Status(at, False, None, why, None, None, *good, backups.Why.COMMAND))
        return why


def _nobody_does(settings: Settings) -> bool:
    with backups.lock(settings) as nobody:
        return nobody


def _last_words(said: IO[bytes] | None) -> str:
    if said is None:
        return ""
    said.seek(max(0, said.seek(0, 2) - 4096))
    lines = (line.strip(" │") for line in said.read().decode(errors="replace").splitlines())
    return next((line for line in reversed([*lines]) if any(map(str.isalpha, line))), "")[:200]


nightly = Nightly()
