"""A timetable whose present moment a test names."""

from datetime import datetime

import pytest

from hotline.rounds import planning
from hotline.timetable import day_overrides, round_making
from tests.hotline.timetable.making import Clock
from tests.kit.shifted_clock import replace_now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the timetable and the planning take this for the present moment."""

    def set_(at: datetime) -> datetime:
        replace_now(monkeypatch, lambda: at, round_making, planning, day_overrides)
        return at

    return set_
