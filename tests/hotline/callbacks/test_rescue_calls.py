"""The call to the emergency service: placed once, within caps of its own, and never late."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, PlacedCall, RescueCall
from hotline.callbacks import rescue_calls
from hotline.errors import Refused
from hotline.requests import urgent
from hotline.trunk import call_caps, circuit_breaker
from settings import Settings
from tests import factories as make

SERVICE = "125"


@pytest.fixture
def city(settings: Settings) -> Settings:
    return settings.model_copy(update={"urgent_number": SERVICE, "calls_per_number": 1})


def asked(session: Session, channel: str = "1.1") -> RescueCall:
    return rescue_calls.ask(session, urgent.record_from_caller(session, make.a_number()).id, channel)


def speak(session: Session, calls: int, *, ago: float = 0, over: bool = False) -> None:
    at = now(session) - timedelta(minutes=ago)
    for n in range(calls):
        session.add(PlacedCall(token=f"rescue-{n}", number=SERVICE, at=at, ended_at=at if over else None))
    session.flush()


def test_repeated_rescue_request_is_one_call(session: Session, city: Settings) -> None:
    call = asked(session)
    assert asked(session).token == call.token
    assert rescue_calls.list_requested(session) == [call.token]
    assert rescue_calls.take_up(session, call.token, city) == (
        call_caps.CallPermit(call.token, SERVICE),
        "1.1",
    )
    assert rescue_calls.take_up(session, call.token, city) is None
    assert rescue_calls.list_requested(session) == []
    assert session.get_one(PlacedCall, call.token).number == SERVICE


@pytest.mark.parametrize(
    ("calls", "over", "cap"),
    [
        (2, False, None),
        (3, False, call_caps.Cap.AT_ONCE),
        (29, True, None),
        (30, True, call_caps.Cap.PER_NUMBER),
    ],
)
def test_rescue_calls_have_their_own_caps(
    session: Session, city: Settings, calls: int, over: bool, cap: call_caps.Cap | None
) -> None:
    speak(session, calls, over=over, ago=1)
    call = asked(session)
    taken = rescue_calls.take_up(session, call.token, city)
    session.flush()
    assert (taken == cap, call.ended_at is not None) == (cap is not None, cap is not None)


@pytest.mark.parametrize("why", ["late", "no number any more"])
def test_failed_rescue_call_is_not_placed_later(session: Session, city: Settings, why: str) -> None:
    call = asked(session)
    if why == "late":
        call.asked_at -= timedelta(seconds=16)
        session.flush()
    else:
        city = city.model_copy(update={"urgent_number": ""})
        assert not rescue_calls.has_failed(session, call.channel)
    assert rescue_calls.has_failed(session, call.channel) is (why == "late")
    assert rescue_calls.take_up(session, call.token, city) is None
    session.flush()
    assert rescue_calls.has_failed(session, call.channel)


def test_rescue_without_danger_is_refused(session: Session) -> None:
    with pytest.raises(Refused):
        rescue_calls.ask(session, 999, "1.1")


def test_rescue_call_is_never_the_probe(session: Session, city: Settings) -> None:
    due = now(session) - timedelta(minutes=5)
    session.add(Breaker(name=circuit_breaker.TRUNK, opened_at=due, next_probe_at=due))
    session.flush()
    assert circuit_breaker.count_allowed(session) == 1
    assert rescue_calls.take_up(session, asked(session).token, city) is call_caps.Cap.LINE_DOWN
    assert session.get_one(Breaker, circuit_breaker.TRUNK).probe is None


def connects(session: Session, city: Settings, number: str | None, channel: str) -> object:
    """Return the result of one more call from this number, which is over at once."""
    call = rescue_calls.ask(session, urgent.record_from_caller(session, number).id, channel)
    taken = rescue_calls.take_up(session, call.token, city)
    session.flush()
    rescue_calls.record_end(session, call.token)
    call_caps.record_end(session, call.token)
    return taken


@pytest.mark.parametrize(("number", "an_hour"), [("+989131234567", 3), (None, 10)])
def test_telephone_that_repeats_rescues_does_not_block_others(
    session: Session, city: Settings, number: str | None, an_hour: int
) -> None:
    for n in range(an_hour):
        assert isinstance(connects(session, city, number, f"1.{n}"), tuple)
    assert connects(session, city, number, "2.1") is call_caps.Cap.PER_NUMBER
    assert isinstance(connects(session, city, make.a_number(), "2.2"), tuple)
    for call in session.scalars(select(PlacedCall)):
        call.at -= timedelta(hours=1)
    session.flush()
    assert isinstance(connects(session, city, number, "2.3"), tuple)
