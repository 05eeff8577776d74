"""Calling the owners of keyed-in numbers: one call at a time, three in all, and none at night."""

from datetime import timedelta
from math import inf
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Round
from db.states import RegistrationState
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from hotline.clock import CITY
from hotline.line import confirmation_calls
from settings import QuietHours, Settings
from tests import factories as make
from tests.hotline.line.confirming import kept, keyed_in, place_of, placed, soon, state

R = RegistrationState
MINUTE = timedelta(minutes=1)


def test_due_confirmation_calls_are_in_order_and_limited(
    session: Session,
) -> None:
    ids = keyed_in(session, 4)
    assert confirmation_calls.list_due(session, 10) == ids
    assert confirmation_calls.list_due(session, 2) == ids[:2]


def test_callers_own_number_needs_no_confirmation_call(session: Session) -> None:
    make.some_registrations(session, make.a_round(session), 3)
    assert confirmation_calls.list_due(session, 10) == []


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
def test_place_past_confirmation_is_not_due(session: Session, state_: RegistrationState) -> None:
    (id_,) = keyed_in(session)
    place_of(session, id_).state = state_
    assert confirmation_calls.list_due(session, 10) == []


def test_call_taken_up_has_a_token_and_is_no_longer_due(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    assert confirmation_calls.is_token(token)
    assert not confirmation_calls.is_token("callback-1")
    assert confirmation_calls.list_due(session, 10) == []
    ((on_the_phone, placed_at),) = confirmation_calls.list_in_progress(session).items()
    assert on_the_phone == token
    assert abs(now(session) - placed_at) < timedelta(seconds=60)
    assert confirmation_calls.take_up(session, id_) is None
    found = confirmation_calls.find_by_token(session, token)
    assert found and found.id == id_
    assert kept(session, id_).attempts == 1


def test_call_taken_up_by_ten_is_placed_once(engine: Engine) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)

    def take(_: int) -> str | None:
        with writing(engine) as session:
            taken = confirmation_calls.take_up(session, id_)
            return taken.token if taken else None

    (token,) = [token for token in make.at_once(10, take) if token]
    with reading(engine) as session:
        assert (kept(session, id_).token, kept(session, id_).attempts) == (token, 1)


def test_unanswered_calls_back_off_and_end_after_three(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    waits = []
    for attempt in (1, 2, 3):
        assert confirmation_calls.list_due(session, 10) == [id_]
        before = now(session)
        confirmation_calls.record_end(session, placed(session, id_))
        session.flush()
        assert (kept(session, id_).token, kept(session, id_).attempts) == (None, attempt)
        assert confirmation_calls.list_due(session, 10) == []
        waits.append(kept(session, id_).not_before - before)
        kept(session, id_).not_before = now(session)
        session.flush()
    assert waits == sorted(waits)
    assert waits[0] > MINUTE
    assert state(session, id_) is R.CANCELLED
    assert confirmation_calls.list_due(session, 10) == []
    assert make.told(session)[-1].what == "cancelled"


def test_own_faults_count_as_no_attempt(
    session: Session,
) -> None:
    (id_,) = keyed_in(session)
    for _ in range(4):
        confirmation_calls.record_end(session, placed(session, soon(session, id_)), ours=True)
        assert kept(session, id_).attempts == 0
        assert kept(session, id_).not_before <= now(session) + 2 * MINUTE, "nor does it cost a longer wait"
    assert state(session, id_) is R.UNCONFIRMED
    assert confirmation_calls.list_due(session, 10) == [], "not at once"
    soon(session, id_)
    assert confirmation_calls.list_due(session, 10) == [id_]


def test_end_told_twice_counts_once(session: Session) -> None:
    (id_,) = keyed_in(session)
    token = placed(session, id_)
    confirmation_calls.record_end(session, token)
    session.flush()
    first = kept(session, id_).not_before
    confirmation_calls.record_end(session, token)
    confirmation_calls.record_end(session, "confirm-unknown")
    session.flush()
    assert (kept(session, id_).not_before, kept(session, id_).attempts) == (first, 1)


@pytest.mark.parametrize("state_", sorted(set(R) - {R.UNCONFIRMED}))
def test_place_moved_on_meanwhile_is_not_called(session: Session, state_: RegistrationState) -> None:
    (id_,) = keyed_in(session)
    place_of(session, id_).state = state_
    session.flush()
    assert confirmation_calls.take_up(session, id_) is None


def test_call_not_yet_due_is_not_taken_up(session: Session) -> None:
    (id_,) = keyed_in(session)
    kept(session, id_).not_before = now(session) + MINUTE
    session.flush()
    assert confirmation_calls.take_up(session, id_) is None


@pytest.mark.parametrize(
    ("values", "called"),
    [
        ({"ended_at": timedelta()}, False),
        ({"ends_at": -MINUTE}, True),
        ({"ends_at": -MINUTE, "opened_at": None}, False),
        ({"ends_at": -3 * make.HOUR}, False),
    ],
)
def test_ended_round_places_no_confirmation_calls(
    session: Session, values: dict[str, timedelta | None], called: bool
) -> None:
    (id_,) = keyed_in(session)
    round_ = session.get_one(Round, place_of(session, id_).round_id)
    at = now(session)
    round_.announce_at = round_.registration_from = at - 9 * make.HOUR
    round_.starts_at = at - 8 * make.HOUR
    round_.registration_until, round_.opened_at = at - 7 * make.HOUR, at - 8 * make.HOUR
    for name, since in values.items():
        setattr(round_, name, since if since is None else at + since)
    session.flush()
    assert confirmation_calls.list_due(session, 10) == [id_] * called
    assert bool(confirmation_calls.take_up(session, id_)) is called


# At night


@pytest.mark.parametrize("quiet", [True, False])
def test_confirmation_calls_wait_for_the_morning(settings: Settings, engine: Engine, quiet: bool) -> None:
    with writing(engine) as session:
        (id_,) = keyed_in(session)
        local = now(session).astimezone(CITY)
    begin, end = ((local + hours * make.HOUR).time() for hours in ((-1, 1) if quiet else (1, 2)))
    settings = settings.model_copy(update={"quiet_hours": QuietHours(begin, end)})
    placed: list[object] = []
    ami = SimpleNamespace(request=lambda what, **_how: placed.append(what), may_place_for=lambda: inf)
    Confirmations(settings, engine, ami, Caps(settings, engine)).place_due()
    assert bool(placed) is not quiet
    with reading(engine) as session:
        assert kept(session, id_).attempts == (0 if quiet else 1)
