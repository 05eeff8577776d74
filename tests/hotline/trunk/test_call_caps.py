"""Caps on outgoing calls: decided where a call is taken up, and nobody loses anything by them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Heartbeat, PlacedCall
from db.states import CallbackState
from hotline import heartbeats
from hotline.callbacks import placing, transitions
from hotline.errors import Refused
from hotline.line import busy_numbers
from hotline.rounds import phases
from hotline.trunk import call_caps
from hotline.trunk.call_caps import CallPermit, Cap
from scheduler.jobs import forget_calls
from settings import Settings
from tests.factories import HOUR, SECOND, a_callback, a_desk, a_user, at_once
from tests.kit.trunk_file import make_trunk

NUMBER = "+989131234567"
DAY = timedelta(days=1)

Capped = Callable[..., Settings]


@pytest.fixture
def capped(settings: Settings) -> Capped:
    """The settings with some caps of its own."""

    def capped(**caps: Any) -> Settings:
        return settings.model_copy(update=caps)

    return capped


def placed(session: Session, ago: timedelta, count: int = 1, number: str = "", *, ended: bool = True) -> None:
    at = now(session) - ago
    for _ in range(count):
        place = len(session.scalars(select(PlacedCall)).all())
        own = number or f"+98913000{place:04}"
        session.add(PlacedCall(token=f"old-{place}", number=own, at=at, ended_at=at if ended else None))
        session.flush()


def test_permitted_call_is_written_down(session: Session, settings: Settings) -> None:
    before = now(session)
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)
    (row,) = session.scalars(select(PlacedCall)).all()
    assert (row.token, row.number, row.ended_at) == ("callback-1", NUMBER, None)
    assert row.at >= before


@pytest.mark.parametrize("number", ["+14155552671", "+982188881234", ""])
def test_disallowed_number_writes_nothing(session: Session, settings: Settings, number: str) -> None:
    assert call_caps.claim_call(session, "callback-1", number, settings) is Cap.NOT_ALLOWED
    assert session.scalars(select(PlacedCall)).all() == []


@pytest.mark.parametrize(
    ("cap", "settings_of", "ago", "ended", "frees_after"),
    [
        (Cap.AT_ONCE, {"calls_at_once": 3}, HOUR / 2, False, None),
        (Cap.PER_HOUR, {"calls_per_hour": 3}, HOUR / 2, True, HOUR),
        (Cap.PER_DAY, {"calls_per_day": 3}, 2 * HOUR, True, DAY),
    ],
)
def test_reached_cap_refuses_until_capacity_returns(
    session: Session,
    capped: Capped,
    cap: Cap,
    settings_of: dict[str, int],
    ago: timedelta,
    ended: bool,
    frees_after: timedelta | None,
) -> None:
    settings = capped(**settings_of)
    placed(session, ago, 2, ended=ended)
    assert call_caps.find_capacity(session, settings) == (1, cap)
    placed(session, ago, 1, ended=ended)
    assert call_caps.find_capacity(session, settings) == (0, cap)
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) is cap
    assert session.get(PlacedCall, "callback-1") is None, "what is not placed is not counted"
    oldest = session.get_one(PlacedCall, "old-0")
    if frees_after is None:
        call_caps.record_end(session, "old-0")
        session.expire_all()
    else:
        oldest.at = now(session) - frees_after - SECOND
        session.flush()
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)


def test_incoming_calls_use_up_trunk_channels(session: Session, capped: Capped) -> None:
    settings = capped(
        trunks=make_trunk(channels=12), channels_for_callers=3, channels_for_callbacks=2, calls_at_once=20
    )
    assert call_caps.find_capacity(session, settings) == (9, Cap.AT_ONCE), "the others are for callers"
    heartbeats.beat(session, "ivr")
    busy_numbers.record_callers(session, {f"channel-{n}": "" for n in range(10)}, [])
    assert call_caps.find_capacity(session, settings) == (2, Cap.CHANNELS)
    placed(session, HOUR / 2, 2, ended=False)
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) is Cap.CHANNELS
    session.get_one(Heartbeat, "ivr").at -= HOUR
    session.flush()
    assert call_caps.find_capacity(session, settings).cap is Cap.LINE_DOWN


def test_exhausted_number_rests_for_a_day(session: Session, capped: Capped) -> None:
    settings = capped(calls_per_number=2)
    placed(session, 3 * HOUR, 1, NUMBER)
    assert call_caps.find_next_free_at(session, NUMBER, settings) is None
    placed(session, 2 * HOUR, 1, NUMBER)
    until = call_caps.find_next_free_at(session, NUMBER, settings)
    assert until is not None
    assert abs(until - now(session) - 21 * HOUR) < 5 * SECOND
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) is Cap.PER_NUMBER
    called = call_caps.claim_call(session, "callback-2", "+989137654321", settings)
    assert called == CallPermit("callback-2", "+989137654321")
    session.get_one(PlacedCall, "old-0").at = now(session) - DAY - SECOND
    session.flush()
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)


def test_used_share_of_a_cap_leaves_the_rest(session: Session, capped: Capped) -> None:
    settings = capped(calls_per_hour=4)
    placed(session, HOUR / 2, 2)
    assert call_caps.claim_call(session, "confirm-1", NUMBER, settings, 0.5) is Cap.PER_HOUR
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)
    assert call_caps.find_capacity(session, settings.model_copy(update={"calls_per_hour": 1}), 0.5).calls < 1


def test_keyed_in_number_at_its_cap_is_still_called_in_turn(session: Session, capped: Capped) -> None:
    settings = capped(calls_per_number=4)
    placed(session, HOUR / 2, 2, NUMBER)
    assert call_caps.claim_call(session, "confirm-1", NUMBER, settings, 0.5) is Cap.PER_NUMBER
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings) == CallPermit("callback-1", NUMBER)


@pytest.mark.parametrize(
    ("before", "owed"),
    [
        ("nothing", True),
        ("a call that never came to a phone", True),
        ("a call in another round", True),
        ("a call", False),
        ("the operators' line", False),
    ],
)
def test_cap_of_the_number_spares_the_first_call(
    session: Session, capped: Capped, before: str, owed: bool
) -> None:
    settings = capped(calls_per_number=2)
    callback = a_callback(session, number=NUMBER)
    placed(session, HOUR, 2, NUMBER)
    if before == "the operators' line":
        callback.round_id = phases.get_operators_line(session).id
    elif before != "nothing":
        earlier = a_callback(session, CallbackState.CLOSED)
        earlier.registration_id = callback.registration_id
        earlier.round_id = earlier.round_id if "another" in before else callback.round_id
        ours = "never" in before
        session.add(PlacedCall(token=earlier.token, number=NUMBER, at=now(session), ours=ours))
    session.flush()

    may = placing.is_owed(session, callback)
    taken = call_caps.claim_call(session, callback.token, NUMBER, settings, owed=may)

    assert (may, taken) == (owed, CallPermit(callback.token, NUMBER) if owed else Cap.PER_NUMBER)


def test_ten_simultaneous_calls_take_three_places(engine: Engine, capped: Capped) -> None:
    settings = capped(calls_at_once=3)

    def take(which: int) -> bool:
        with writing(engine) as session:
            number = f"{NUMBER[:-1]}{which}"
            return isinstance(
                call_caps.claim_call(session, f"callback-{which}", number, settings), CallPermit
            )

    assert sorted(at_once(10, take)) == [False] * 7 + [True] * 3


def test_ended_call_is_no_longer_on_the_phone(session: Session, settings: Settings) -> None:
    for token in ("callback-1", "callback-2"):
        call_caps.claim_call(session, token, NUMBER, settings)
    call_caps.record_end(session, "callback-1")
    assert call_caps.list_open_calls(session).keys() == {"callback-2"}


def test_calls_of_two_days_ago_are_deleted(engine: Engine) -> None:
    with writing(engine) as session:
        placed(session, 2 * DAY + HOUR)
        placed(session, 2 * DAY - HOUR)
    forget_calls(engine, None)  # type: ignore[arg-type]
    with reading(engine) as session:
        assert session.scalars(select(PlacedCall.token)).all() == ["old-1"]


def test_reached_cap_refuses_the_desk_but_keeps_its_citizen(session: Session, capped: Capped) -> None:
    callback = a_callback(session, user=a_user(session, a_desk(session)))
    settings = capped(calls_per_hour=2)
    placed(session, HOUR / 2, 2)
    with pytest.raises(Refused) as refused:
        transitions.ask_call(session, callback, settings)
    assert (refused.value.code, callback.state) == ("calls-capped", CallbackState.CLAIMED)
    session.get_one(PlacedCall, "old-0").at = now(session) - HOUR - SECOND
    session.flush()
    assert transitions.ask_call(session, callback, settings).state is CallbackState.DIALING


def test_late_own_fault_of_an_ended_call_still_counts(session: Session, capped: Capped) -> None:
    settings = capped(calls_per_hour=1)
    assert call_caps.claim_call(session, "callback-1", NUMBER, settings)
    call_caps.record_end(session, "callback-1")
    call_caps.record_end(session, "callback-1", ours=True)
    assert call_caps.find_capacity(session, settings) == (0, Cap.PER_HOUR)


def test_old_call_with_an_unseen_end_holds_no_line(session: Session, capped: Capped) -> None:
    placed(session, call_caps.KEPT + HOUR, ended=False)
    assert call_caps.find_capacity(session, capped(calls_at_once=1)) == (1, Cap.AT_ONCE)


@pytest.mark.parametrize(
    ("token", "ago", "ours", "calls", "cap"),
    [
        ("urgent", HOUR / 2, False, 11, None),
        ("urgent", HOUR / 2, False, 12, Cap.PER_NUMBER),
        ("urgent", HOUR / 2, True, 12, None),
        ("urgent", 2 * HOUR, False, 12, None),
        ("callback", HOUR / 2, False, 12, None),
    ],
)
def test_alarm_calls_have_an_hourly_cap(
    session: Session,
    settings: Settings,
    token: str,
    ago: timedelta,
    ours: bool,
    calls: int,
    cap: Cap | None,
) -> None:
    at = now(session) - ago
    for n in range(calls):
        session.add(PlacedCall(token=f"{token}-{n}", number=NUMBER, at=at, ended_at=at, ours=ours))
    session.flush()
    taken = call_caps.claim_call(session, "urgent-new", NUMBER, settings, alarm=True)
    assert taken == (cap or CallPermit("urgent-new", NUMBER))


def test_extension_is_called_only_when_set(session: Session, capped: Capped) -> None:
    assert call_caps.claim_call(session, "desk-1-a", "201", capped()) is Cap.NOT_ALLOWED
    named = capped(extensions=("2XX",))  # type: ignore[arg-type]
    assert isinstance(call_caps.claim_call(session, "desk-1-a", "201", named), CallPermit)
    assert call_caps.claim_call(session, "desk-1-b", "301", named) is Cap.NOT_ALLOWED
