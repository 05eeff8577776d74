"""What callers hear who are one too many: said by the dialplan alone, so it must lie ready as one file."""

from datetime import datetime

from dialplan.variables import LINES_FULL
from prompts.catalogue import clips
from settings import Settings


class LinesFull:
    """Keeps that file in step with the rounds."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.prompts_dir / "fa"
        self._said: datetime | str | None = "nothing yet"

    def say_until(self, until: datetime | None) -> None:
        """Let the file say until when (UTC) registration goes on; None: only that the lines are full."""
        if until == self._said:
            return
        ids = clips("fa", "lines-full")
        if until:
            ids = clips("fa", "lines-full-until", day=until, time=until)
        fresh = self._folder / f"{LINES_FULL}.new"
        fresh.write_bytes(b"".join((self._folder / f"{clip}.alaw").read_bytes() for clip in ids))
        fresh.replace(self._folder / f"{LINES_FULL}.alaw")  # a caller hears the old or the new one, whole
        self._said = until
