"""Alarms for a supervisor: a function of what the room shows, so each case is a line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.trusted_time import Doubt
from hotline.control.alarms import AlarmCause, AlarmKind, DeskNow, LineNow, count_fitting, list_alarms

AT = datetime(2026, 12, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DESK = DeskNow(desk_id=1, connected=True, asks=True, on_break=False)
LINE = LineNow(
    round_id=7, waiting=5, paused=False, quiet_since=None, calling=1, ready=0, fits=20, desks=[DESK]
)
QUIET = replace(LINE, quiet_since=AT - 3 * MINUTE)


def kinds(*lines: LineNow, down: tuple[datetime, str] | None = None) -> list[AlarmKind]:
    return [alarm.kind for alarm in list_alarms(lines, [], down, AT)]


def test_healthy_round_raises_no_alarm() -> None:
    assert list_alarms([LINE], [DESK], None, AT) == []
    assert list_alarms([], [], None, AT) == []


def test_unserved_line_raises_an_alarm_after_three_minutes() -> None:
    assert kinds(replace(LINE, quiet_since=AT - 3 * MINUTE + timedelta(seconds=1))) == []
    [alarm] = list_alarms([QUIET], [DESK], None, AT)
    assert (alarm.kind, alarm.cause) == (AlarmKind.NOBODY_SERVED, AlarmCause.CALLING)
    assert (alarm.round_id, alarm.since) == (7, AT - 3 * MINUTE)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (replace(QUIET, paused=True), AlarmCause.PAUSED),
        (replace(QUIET, desks=[]), AlarmCause.NO_DESK),
        (replace(QUIET, desks=[replace(DESK, connected=False)]), AlarmCause.PHONES_AWAY),
        (replace(QUIET, desks=[replace(DESK, on_break=True)]), AlarmCause.ON_BREAK),
        (replace(QUIET, desks=[replace(DESK, asks=False)], calling=0), AlarmCause.NOBODY_ASKS),
        (replace(QUIET, desks=[replace(DESK, asks=False)]), AlarmCause.CALLING),
        (replace(QUIET, calling=0), AlarmCause.CALLING),
    ],
)
def test_stalled_line_names_its_cause(line: LineNow, cause: AlarmCause) -> None:
    [alarm] = list_alarms([line], [], None, AT)
    assert alarm.cause is cause


def test_call_outage_raises_one_alarm_before_all_others() -> None:
    down = (AT - MINUTE, "trunk")
    assert kinds(QUIET, replace(QUIET, round_id=8), down=down) == [AlarmKind.CALLS_DOWN]
    [alarm] = list_alarms([QUIET], [], down, AT)
    assert (alarm.cause, alarm.since) == (AlarmCause.TRUNK, AT - MINUTE)


def test_overlong_line_raises_an_alarm_with_both_numbers() -> None:
    [alarm] = list_alarms([replace(LINE, waiting=21)], [], None, AT)
    assert (alarm.kind, alarm.waiting, alarm.fits) == (AlarmKind.TOO_LONG, 21, 20)
    assert kinds(replace(LINE, waiting=20)) == []
    assert kinds(replace(LINE, waiting=500, fits=None)) == []


def test_owed_outcome_names_the_desk() -> None:
    owes = replace(DESK, owes_since=AT - 16 * MINUTE)
    [alarm] = list_alarms([LINE], [owes], None, AT)
    assert (alarm.kind, alarm.desk_id, alarm.since) == (AlarmKind.OWED, 1, AT - 16 * MINUTE)


@pytest.mark.parametrize(
    ("left", "desks", "per_hour", "expected"),
    [
        (60, 1, None, 10),  # by the agreed minutes
        (60, 2, None, 20),
        (60, 0, None, 10),  # whoever comes
        (90, 2, 8.0, 12),  # at the pace that was measured, of all desks together
        (59, 1, 1.0, 0),
        (60, 1, 0.0, 10),  # nobody was reached yet: that is no pace
        (0, 3, 12.0, 0),
        (-5, 3, None, 0),
    ],
)
def test_remaining_time_fits_so_many_citizens(
    left: int, desks: int, per_hour: float | None, expected: int
) -> None:
    assert count_fitting(left * MINUTE, desks, 6, per_hour) == expected


def test_clock_that_leapt_is_told_first_with_its_end() -> None:
    doubt = Doubt(AT - MINUTE, AT + 15 * MINUTE)
    first, second = list_alarms([QUIET], [], None, AT, doubt=doubt)
    assert (first.kind, first.since, first.until) == (AlarmKind.CLOCK_LEAPT, AT - MINUTE, AT + 15 * MINUTE)
    assert second.kind is AlarmKind.NOBODY_SERVED
