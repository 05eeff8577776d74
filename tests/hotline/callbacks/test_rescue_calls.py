"""The call to the emergency service: placed once, within caps of its own, and never late."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Breaker, PlacedCall, RescueCall
from hotline.callbacks import breaker, rescue_calls, toll
from hotline.errors import Refused
from hotline.requests import urgent
from settings import Settings
from tests import factories as make

SERVICE = "125"


@pytest.fixture
def city(settings: Settings) -> Settings:
    return settings.model_copy(update={"urgent_number": SERVICE, "calls_per_number": 1})


def asked(session: Session, channel: str = "1.1") -> RescueCall:
    return rescue_calls.ask(session, urgent.of_caller(session, make.a_number()).id, channel)


def speak(session: Session, calls: int, *, ago: float = 0, over: bool = False) -> None:
    at = now(session) - timedelta(minutes=ago)
    for n in range(calls):
        session.add(PlacedCall(token=f"rescue-{n}", number=SERVICE, at=at, ended_at=at if over else None))
    session.flush()


def test_given_a_caller_in_danger_when_asked_twice_then_one_call_is_placed_once(
    session: Session, city: Settings
) -> None:
    call = asked(session)
    assert asked(session).token == call.token
    assert rescue_calls.asked(session) == [call.token]
    assert rescue_calls.take_up(session, call.token, city) == (toll.CallPermit(call.token, SERVICE), "1.1")
    assert rescue_calls.take_up(session, call.token, city) is None
    assert rescue_calls.asked(session) == []
    assert session.get_one(PlacedCall, call.token).number == SERVICE


@pytest.mark.parametrize(
    ("calls", "over", "cap"),
    [(2, False, None), (3, False, toll.Cap.AT_ONCE), (29, True, None), (30, True, toll.Cap.PER_NUMBER)],
)
def test_given_so_many_who_were_connected_when_one_more_asks_then_its_own_caps_decide(
    session: Session, city: Settings, calls: int, over: bool, cap: toll.Cap | None
) -> None:
    speak(session, calls, over=over, ago=1)
    call = asked(session)
    taken = rescue_calls.take_up(session, call.token, city)
    session.flush()
    assert (taken == cap, call.ended_at is not None) == (cap is not None, cap is not None)


@pytest.mark.parametrize("why", ["late", "no number any more"])
def test_given_a_call_of_which_the_caller_was_told_that_it_failed_when_looked_then_it_is_not_placed(
    session: Session, city: Settings, why: str
) -> None:
    call = asked(session)
    if why == "late":
        call.asked_at -= timedelta(seconds=16)
        session.flush()
    else:
        city = city.model_copy(update={"urgent_number": ""})
        assert not rescue_calls.came_to_nothing(session, call.channel)
    assert rescue_calls.came_to_nothing(session, call.channel) is (why == "late")
    assert rescue_calls.take_up(session, call.token, city) is None
    session.flush()
    assert rescue_calls.came_to_nothing(session, call.channel)


def test_given_nobody_in_danger_when_a_call_is_asked_for_then_there_is_none(session: Session) -> None:
    with pytest.raises(Refused):
        rescue_calls.ask(session, 999, "1.1")


def test_given_calls_that_are_down_when_somebody_is_in_danger_then_theirs_is_not_the_probe(
    session: Session, city: Settings
) -> None:
    due = now(session) - timedelta(minutes=5)
    session.add(Breaker(name=breaker.TRUNK, opened_at=due, next_probe_at=due))
    session.flush()
    assert breaker.calls(session) == 1
    assert rescue_calls.take_up(session, asked(session).token, city) is toll.Cap.LINE_DOWN
    assert session.get_one(Breaker, breaker.TRUNK).probe is None


def connects(session: Session, city: Settings, number: str | None, channel: str) -> object:
    """What comes of one more call from this number, which is over at once."""
    call = rescue_calls.ask(session, urgent.of_caller(session, number).id, channel)
    taken = rescue_calls.take_up(session, call.token, city)
    session.flush()
    rescue_calls.ended(session, call.token)
    toll.ended(session, call.token)
    return taken


@pytest.mark.parametrize(("number", "an_hour"), [("+989131234567", 3), (None, 10)])
def test_given_one_telephone_that_asks_again_and_again_when_connected_then_others_find_the_service_free(
    session: Session, city: Settings, number: str | None, an_hour: int
) -> None:
    for n in range(an_hour):
        assert isinstance(connects(session, city, number, f"1.{n}"), tuple)
    assert connects(session, city, number, "2.1") is toll.Cap.PER_NUMBER
    assert isinstance(connects(session, city, make.a_number(), "2.2"), tuple)
    for call in session.scalars(select(PlacedCall)):
        call.at -= timedelta(hours=1)
    session.flush()
    assert isinstance(connects(session, city, number, "2.3"), tuple)
