"""A node's lease in a test, whose seconds go by as the test says."""

import pytest
from sqlalchemy import Engine

from db.engine import writing
from dialer.hang_up import Ends
from dialer.lease import NodeLease
from hotline.nodes import leases
from settings import Settings


class Clock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Asterisk:
    """Counts how often it is told to end calls, and keeps these conversations while they may go on."""

    def __init__(self) -> None:
        self.told, self.hears = 0, True
        self.conversations, self.others = frozenset[str](), frozenset[str]()
        self.apology_until, self.listens = float("-inf"), False

    def hang_up(self, *, conversations: bool, apology_until: float) -> Ends:
        self.told += 1
        self.apology_until = apology_until
        if not self.hears:
            return Ends(kept=None)
        if not conversations:
            self.others, self.conversations = self.others | self.conversations, frozenset()
        ended, self.others = self.others, frozenset()
        return Ends(ended, None if self.listens else self.conversations, self.listens)


def another(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        leases.take(session, settings.model_copy(update={"node": "two"}))


def turn(lease: NodeLease) -> None:
    """A turn of each of its threads, in which a second has gone by."""
    lease.fence()
    lease._next_look = 0.0
    lease.turn()


def silent(lease: NodeLease, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database answers this dialer no more."""

    def no_answer(*_: object) -> bool:
        raise OSError

    monkeypatch.setattr(lease, "_take", no_answer)
    monkeypatch.setattr(lease, "_holds", no_answer)
