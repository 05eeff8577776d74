"""Announcement for callers when all lines are full: the dialplan alone plays it, so it must be one file."""

from datetime import datetime
from pathlib import Path

from dialplan.variables import LINES_FULL, LINES_FULL_OFFER
from prompts.catalogue import list_clips
from settings import Settings
from settings.asterisk_files import replace_file


class LinesFull:
    """Files of that announcement, and of the offer to leave the number, in step with the rounds."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.prompts_dir / "fa"
        self._said: tuple[datetime | None, bool] | None = None

    def say_until(self, until: datetime | None, *, offer: bool = False) -> None:
        """Let the files say until when (UTC) registration is open; None: only that the lines are full.

        `offer`: whether numbers are taken now; if not, the offer's file is deleted.
        """
        if (until, offer) == self._said:
            return
        self._said = None
        self._write(LINES_FULL, "lines-full", until)
        if offer:
            self._write(LINES_FULL_OFFER, "lines-full-offer", until)
        else:
            self._file(LINES_FULL_OFFER).unlink(missing_ok=True)
        self._said = until, offer

    def _write(self, name: str, prompt: str, until: datetime | None) -> None:
        ids = (
            list_clips("fa", f"{prompt}-until", day=until, time=until) if until else list_clips("fa", prompt)
        )
        sound = b"".join((self._folder / f"{clip}.alaw").read_bytes() for clip in ids)
        replace_file(self._file(name), sound)  # atomic: a caller hears the old or the new file

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.alaw"
