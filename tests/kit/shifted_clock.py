"""The database's clock, as all rules of this test process read it, set forward or back."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from db import engine as database
from db import events

_true_now = database.now


class ShiftedClock:
    """Shows the true time and `shift`."""

    shift = timedelta()

    def now(self, session: Session) -> datetime:
        return _true_now(session) + self.shift


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[ShiftedClock]:
    """Is shifted by the test; true again after it."""
    clock = ShiftedClock()
    for module in list(sys.modules.values()):
        if getattr(module, "now", None) is _true_now:
            monkeypatch.setattr(module, "now", clock.now)
    hold = events._hold

    def held_at(session: Session, *statement: Any, **values: Any) -> datetime:
        at = hold(session, *statement, **values)  # SQLite asks `now`
        return at + clock.shift if session.get_bind().dialect.name == "postgresql" else at

    monkeypatch.setattr(events, "_hold", held_at)
    return clock
