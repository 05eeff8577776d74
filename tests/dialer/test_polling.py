"""The dialer polls seldom at empty desks, and only for work that time brings."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import now, writing
from db.models import Confirmation, ConfirmationKind, Desk, OutboundCall, OutboundKind
from db.states import CallbackState
from dialer import polling
from dialer.polling import EMPTY_S, WHOLE_S, PollIntervals
from tests.factories import a_callback, a_desk, a_registration, a_request, a_round
from tests.kit.databases import on_both

__all__ = ["on_both"]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    at = [1000.0]
    monkeypatch.setattr(polling.time, "monotonic", lambda: at[0])

    def go_on(seconds: float) -> None:
        at[0] += seconds

    return go_on


def test_empty_office_gets_one_full_look_a_minute(engine: Engine, later: Callable[[float], None]) -> None:
    kept = PollIntervals(engine)
    looks = []
    for _ in range(int(WHOLE_S / EMPTY_S)):
        assert kept.is_calm()
        looks.append(kept.nobody)
        later(EMPTY_S)
    assert looks == [False, *[True] * (len(looks) - 1)]
    assert kept.is_calm()
    assert not kept.nobody


@pytest.mark.parametrize("who", ["a desk's phone", "an outcome that is owed", "news"])
def test_arrival_brings_a_full_look(engine: Engine, later: Callable[[float], None], who: str) -> None:
    kept = PollIntervals(engine)
    for _ in range(2):
        kept.is_calm()
        later(EMPTY_S)
    assert kept.nobody
    later(-EMPTY_S + polling.REST_S)
    assert not kept.is_calm(), "not yet, while nobody is there"

    if who == "news":
        kept.wake()
    else:
        with writing(engine) as session:
            if who == "a desk's phone":
                a_desk(session)
            else:
                a_callback(session, CallbackState.ENDED)
                session.execute(update(Desk).values(phone_connected=False, round_id=None))
    later(polling.REST_S)
    assert kept.is_calm()
    assert not kept.nobody


@pytest.mark.parametrize(
    "what", ["a turn that is near", "a place to be confirmed", "a request that is solved"]
)
def test_call_due_later_is_looked_for(engine: Engine, what: str) -> None:
    kept = PollIntervals(engine)
    with writing(engine) as session:
        place = a_registration(session, a_round(session))
        request = a_request(session)
    assert not kept.is_anybody_to_call()

    with writing(engine) as session:
        later = now(session) + timedelta(hours=1)
        if what == "a turn that is near":
            of = {"registration_id": place.id, "round_id": place.round_id}
            session.add(OutboundCall(kind=OutboundKind.HEADS_UP, **of, asked_at=later, due_at=later))
        elif what == "a place to be confirmed":
            asked = {"kind": ConfirmationKind.REGISTRATION, "asked_at": later, "not_before": later}
            session.add(Confirmation(registration_id=place.id, number=place.number, **asked))
        else:
            about = {"kind": OutboundKind.SOLVED, "request_id": request.id}
            session.add(OutboundCall(**about, asked_at=later, due_at=later))
    assert kept.is_anybody_to_call()
