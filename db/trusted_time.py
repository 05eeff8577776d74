"""Trust in the database's clock: irreversible actions use `trusted_now`, never `now`.

The scheduler compares that clock with its own monotonic one (`Watch`). It keeps the last trusted moment in a
row, so that a restart remembers it. A clock that leaps ahead closes and deletes nothing until it has run
evenly for EVIDENCE. A machine that was off for a day continues by itself after the same time. A clock that is
set back makes nothing due.
"""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import hold_lock, now
from db.models import TrustedTime

log = logging.getLogger("clock")

_BOOT = Path("/proc/sys/kernel/random/boot_id")

STEP = timedelta(seconds=30)
"""A smaller difference is no leap: the scheduler compares every ten seconds, and may be slow."""
EVIDENCE = timedelta(minutes=15)
"""How long a clock that leapt must run evenly to be trusted again. A person has time to see the alarm and
mend the clock."""

_LAST = select(TrustedTime.at)
_DOUBT = select(TrustedTime.at, TrustedTime.doubted_until).where(TrustedTime.doubted_until.is_not(None))


class Doubt(NamedTuple):
    """The clock has leapt.

    Until `until`, by that clock, only what `trusted_at` allows is closed or deleted.
    """

    trusted_at: datetime
    until: datetime


class _Reading(NamedTuple):
    """Both clocks at one moment."""

    at: datetime
    ticks: float

    def predicts(self, other: "_Reading") -> bool:
        """Return whether both clocks have advanced by the same time since."""
        return abs(other.at - self.show_at(other.ticks)) <= STEP

    def show_at(self, ticks: float) -> datetime:
        """Return what the database's clock would show at these ticks without a leap."""
        return self.at + timedelta(seconds=ticks - self.ticks)


def trusted_now(session: Session) -> datetime:
    """Return the database's clock, or the last trusted moment if that clock is far ahead of it."""
    at = now(session)
    last: datetime | None = session.execute(_LAST).scalar()
    return at if last is None or at <= last + STEP else last


def is_doubted(session: Session) -> bool:
    """Return whether the database's clock is far ahead of the last trusted moment."""
    at = now(session)
    return trusted_now(session) < at


def find_doubt(session: Session) -> Doubt | None:
    """Return the present doubt; None: the clock is trusted."""
    row = session.execute(_DOUBT).first()
    return Doubt(row.at, row.doubted_until) if row else None


class Watch:
    """Compares the database's clock with this machine's monotonic clock, from the process's start on."""

    def __init__(self, boot: Path = _BOOT) -> None:
        self._boot = _read_boot(boot)
        self._trusted: _Reading | None = None
        self._doubted: _Reading | None = None
        self._last: _Reading | None = None

    def look(self, session: Session) -> bool:
        """Move the last trusted moment on, and keep or end a doubt. Call it every ten seconds.

        Returns whether the clock was set back since the last call. The first call cannot know: True.
        """
        hold_lock(session, "trusted-time")
        seen = _Reading(now(session), monotonic())
        last, self._last = self._last, seen
        self._judge(session, seen)
        return last is None or seen.at < last.show_at(seen.ticks) - STEP

    def _judge(self, session: Session, seen: _Reading) -> None:
        row = session.get(TrustedTime, 1, populate_existing=True)
        if row is None:  # a new database has nothing to lose
            row = TrustedTime(id=1, at=seen.at)
            session.add(row)
        elif row.boot == self._boot:  # also of an earlier scheduler
            self._trusted = _Reading(row.at, row.ticks)
        if self._is_trusted(seen, row.at):
            if row.doubted_until:
                log.warning("the clock is trusted again")
            self._doubted, row.at, row.doubted_until = None, seen.at, None
        else:
            if self._doubted is None or not self._doubted.predicts(seen):
                log.warning("the clock leapt, or the machine was off: from %s to %s", row.at, seen.at)
                self._doubted = seen
            row.doubted_until = self._doubted.at + EVIDENCE
            if self._trusted is None:
                return  # before this machine's start, only `row.at` is known
            row.at = self._trusted.show_at(seen.ticks)
        row.boot, row.ticks = self._boot, seen.ticks
        self._trusted = _Reading(row.at, row.ticks)

    def _is_trusted(self, seen: _Reading, last: datetime) -> bool:
        if abs(seen.at - last) <= STEP or (self._trusted and self._trusted.predicts(seen)):
            return True
        if self._doubted is None or not self._doubted.predicts(seen):
            return False
        return seen.ticks - self._doubted.ticks >= EVIDENCE.total_seconds()


def _read_boot(file: Path) -> str:
    """Return the id of the machine's present boot, or a unique one where it is hidden."""
    try:
        return file.read_text().strip()
    except OSError as error:
        log.warning("each start of the scheduler counts as one of the machine: %s", error)
        return str(uuid4())
