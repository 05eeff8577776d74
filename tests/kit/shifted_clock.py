"""The database's clock, as all rules of this test process read it, set forward or back."""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import ModuleType
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


def replace_now(monkeypatch: pytest.MonkeyPatch, at: Callable[[], datetime], *modules: ModuleType) -> None:
    """Let these modules take `at()` for the present and for the trusted moment."""
    for module in modules:
        names = [name for name in ("now", "trusted_now") if hasattr(module, name)]
        assert names, f"{module.__name__} asks no clock"
        for name in names:
            monkeypatch.setattr(module, name, lambda _session: at())


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
