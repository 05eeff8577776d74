"""A timetable whose present moment a test names."""

from datetime import datetime

import pytest

from hotline.rounds import planning
from hotline.timetable import day_overrides, timetable
from tests.hotline.timetable.making import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the timetable and the planning take this for the present moment."""

    def set_(at: datetime) -> datetime:
        for module in (timetable, planning, day_overrides):
            monkeypatch.setattr(module, "now", lambda _session: at)
        return at

    return set_
