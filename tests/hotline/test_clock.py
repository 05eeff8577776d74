"""The city's clock."""

from datetime import UTC, date, datetime, time

import pytest

from hotline.clock import CITY, is_quiet
from settings import QuietHours

QUIET = QuietHours(time(22), time(8))


@pytest.mark.parametrize(
    ("quiet", "local", "is_"),
    [
        *((QUIET, at, True) for at in ("22:00", "23:59", "00:00", "07:59")),
        *((QUIET, at, False) for at in ("08:00", "12:00", "21:59")),
        *((QuietHours(time(13), time(15, 30)), at, True) for at in ("13:00", "15:29")),
        *((QuietHours(time(13), time(15, 30)), at, False) for at in ("12:59", "15:30", "23:00")),
        *((QuietHours(time(0), time(0)), at, False) for at in ("00:00", "12:00")),
    ],
)
def test_quiet_hours_follow_the_local_time(quiet: QuietHours, local: str, is_: bool) -> None:
    at = datetime.combine(date(2026, 3, 21), time.fromisoformat(local), CITY)
    assert is_quiet(at.astimezone(UTC), quiet) is is_
