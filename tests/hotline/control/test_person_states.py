"""Activities of a person, read from the log of their desk: each event, and their order."""

from datetime import UTC, datetime, timedelta

import pytest

from db.models import BreakReason
from hotline.control.person_states import Did, Point, State, list_stretches

START = datetime(2026, 11, 28, 4, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE, LIVE, GONE = State(phone=True, live=False), State(phone=True, live=True), State(phone=False, live=False)
TALKED, WRAP_UP, WAITED, PAUSED, AWAY = Did.TALKED, Did.WRAP_UP, Did.WAITED, Did.PAUSED, Did.AWAY


def point(said: str) -> Point:
    """Parse an event at minute 3.

    "3 left" is of the desk, "3 1 talking" of callback 1; "3 pause meal" begins, "3 pause" ends.
    """
    minute, said = said.split(maxsplit=1)
    at, words = START + float(minute) * MINUTE, said.split()
    if words[0].isdigit():
        return Point(at, "callback", words[1], int(words[0]))
    if words[0] == "pause":
        return Point(at, "pause", reason=BreakReason(words[1]) if words[1:] else None)
    return Point(at, "desk", said)


def told(state: State, log: str) -> list[tuple[Did, float, float]]:
    """Return the person's activities in an hour, with their first and last minutes."""
    points = [point(said) for said in log.split(", ") if said]
    return [
        (each.did, round((each.since - START) / MINUTE, 3), round((each.until - START) / MINUTE, 3))
        for each in list_stretches(state, points, START, START + 60 * MINUTE)
    ]


@pytest.mark.parametrize(
    ("state", "log", "did"),
    [
        (HERE, "", []),
        (LIVE, "", [(WAITED, 0, 60)]),
        (GONE, "", [(AWAY, 0, 60)]),
        (HERE, "5 asks-next, 9 not-now", [(WAITED, 5, 9)]),
        (HERE, "5 asks-next, 9 left", [(WAITED, 5, 9)]),
        (HERE, "5 nobody-due, 9 1 claimed, 10 1 no_answer", [(WAITED, 5, 10)]),
        (HERE, "5 nobody-due, 9 disconnected, 10 connected", [(WAITED, 5, 9), (AWAY, 9, 10)]),
        (
            HERE,
            "5 asks-next, 9 disconnected, 10 connected",
            [(WAITED, 5, 9), (AWAY, 9, 10), (WAITED, 10, 60)],
        ),
        (
            HERE,
            "1 1 claimed, 2 1 dialing, 3 1 talking, 8 1 ended, 9 1 reached, 20 left",
            [(WAITED, 1, 3), (TALKED, 3, 8), (WRAP_UP, 8, 20)],
        ),
        (
            HERE,
            "3 1 talking, 8 1 parting, 8 asks-next, 8.1 1 reached, 12 2 waiting, 13 2 talking",
            [(TALKED, 3, 8), (WAITED, 8, 13), (TALKED, 13, 60)],
        ),
        (
            HERE,
            "3 1 talking, 8 1 parting, 8.05 1 held, 8.06 1 talking, 10 1 ended",
            [(TALKED, 3, 8), (WRAP_UP, 8, 8.05), (TALKED, 8.05, 10), (WRAP_UP, 10, 60)],
        ),
        (
            HERE,
            "3 1 talking, 4 disconnected, 4 1 held, 5 1 call_again",
            [(TALKED, 3, 5), (AWAY, 5, 60)],
        ),
        (
            HERE,
            "3 1 talking, 6 gave, 9 asks-next",
            [(TALKED, 3, 6), (WRAP_UP, 6, 9), (WAITED, 9, 60)],
        ),
        (
            HERE,
            "3 asks-next, 6 hears, 9 1 held, 9 given, 9.1 1 talking",
            [(WAITED, 3, 6), (TALKED, 9, 60)],
        ),
        (LIVE, "3 hears, 6 heard-out", [(WAITED, 0, 3), (WAITED, 6, 60)]),
        (
            LIVE,
            "3 1 talking, 8 1 ended, 9 1 reached, 30 live-off",
            [(WAITED, 0, 3), (TALKED, 3, 8), (WRAP_UP, 8, 9), (WAITED, 9, 30)],
        ),
        (HERE, "3 1 ringing, 4 1 ended, 6 1 call_again", [(WAITED, 3, 4), (WRAP_UP, 4, 6)]),
        (HERE, "3 asks-next, 4 1 waiting, 5 let-go, 6 not-now", [(WAITED, 3, 6)]),
        (
            HERE,
            "3 1 talking, 6 1 parting, 7 pause rest, 7 break, 7.1 1 ended, 8 1 reached, 9 pause, 9 break",
            [(TALKED, 3, 6), (WRAP_UP, 6, 7), (PAUSED, 7, 9)],
        ),
        (
            HERE,
            "3 1 talking, 4 pause writing, 4 break, 6 1 ended, 8 pause, 8 break, 9 1 reached",
            [(TALKED, 3, 6), (PAUSED, 6, 8), (WRAP_UP, 8, 9)],
        ),
        (
            HERE,
            "3 pause meal, 5 disconnected, 6 pause, 7 pause prayer, 8 pause",
            [(PAUSED, 3, 6), (AWAY, 6, 7), (PAUSED, 7, 8), (AWAY, 8, 60)],
        ),
        (HERE, "-5 1 talking, 70 1 ended", [(TALKED, 0, 60)]),
        (HERE, "3 message, 4 is-heard, 5 owes-outcome", []),
    ],
)
def test_log_gives_one_activity_at_a_time(
    state: State, log: str, did: list[tuple[Did, float, float]]
) -> None:
    assert told(state, log) == did


def test_simultaneous_rows_leave_no_gap() -> None:
    log = "3 1 talking, 8 pause rest, 8.001 1 ended, 9 pause, 9.001 asks-next"
    assert [did for did, _, _ in told(HERE, log)] == [TALKED, PAUSED, WAITED]


def test_each_span_names_its_citizen_and_reason() -> None:
    log = "1 7 talking, 2 8 talking, 3 8 ended, 4 pause meal, 5 pause prayer"
    found = list_stretches(HERE, [point(said) for said in log.split(", ")], START, START + 6 * MINUTE)
    assert [(each.callback_id, each.reason) for each in found] == [
        (7, None),
        (8, None),
        (None, None),
        (None, BreakReason.MEAL),
        (None, BreakReason.PRAYER),
    ]
