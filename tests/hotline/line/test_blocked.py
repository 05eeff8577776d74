"""Blocked numbers: what they have is given up, and who did it is on record."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import BlockReason, LedgerEntry, Registration
from db.states import CallbackState, Fact, Outcome, Phase, RegistrationState
from dialer.ami import Ami
from dialer.loop import Dialer
from hotline import audit
from hotline.callbacks import claims, closing, transitions
from hotline.errors import Refused
from hotline.line import blocked
from hotline.rounds import phases
from scheduler.jobs import give_up_blocked
from settings import Settings
from tests.factories import a_callback, a_desk, a_number, a_registration, a_round, a_user
from tests.kit.databases import on_one  # noqa: F401  (fixture)

R = RegistrationState


@pytest.mark.parametrize("reason", BlockReason)
def test_blocked_number_gives_its_places_up_with_the_reason(session: Session, reason: BlockReason) -> None:
    number = a_number()
    states = (R.WAITING, R.UNCONFIRMED, R.UNREACHED, R.REACHED)
    rounds_ = [a_round(session) for _ in states]
    places = [
        a_registration(session, round_, number=number, state=state)
        for round_, state in zip(rounds_, states, strict=True)
    ]
    other = a_registration(session, rounds_[0])

    assert blocked.count_places(session, number) == 3
    assert blocked.block(session, number, reason, note="سه بار", who="admin") == 3

    session.expire_all()
    assert [place.state for place in places] == [R.CANCELLED] * 3 + [R.REACHED]
    assert other.state is R.WAITING
    facts = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.CANCELLED)).all()
    assert len(facts) == 3 and number[3:] not in repr([fact.details for fact in facts])
    (entry,) = audit.search(session, subject=f"number {number}")
    assert (entry.who, entry.action, entry.reason) == ("admin", "number-blocked", f"{reason}: سه بار")


def test_blocked_citizen_in_a_call_finishes_it(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING)
        number = callback.registration.number
        assert blocked.block(session, number, BlockReason.NUISANCE) == 0
        assert blocked.is_being_called(session, number)
    give_up_blocked(engine, settings)
    with writing(engine) as session:
        found = transitions.move(session, callback.token, CallbackState.ENDED)
        assert found is not None
        closing.record_outcome(session, found, Outcome.CALL_AGAIN, settings)
    with reading(engine) as session:
        assert session.get_one(Registration, callback.registration_id).state is R.WAITING
    give_up_blocked(engine, settings)
    with reading(engine) as session:
        assert session.get_one(Registration, callback.registration_id).state is R.CANCELLED
        assert not blocked.is_being_called(session, number)


def test_unblocked_number_may_register_and_gets_no_place_back(
    session: Session,
) -> None:
    place = a_registration(session, a_round(session, Phase.OPEN))
    blocked.block(session, place.number, BlockReason.OWNER)
    blocked.unblock(session, place.number, who="admin")
    blocked.unblock(session, place.number, who="admin")
    blocked.check(session, place.number)
    session.refresh(place)
    assert place.state is R.CANCELLED
    actions = [entry.action for entry in audit.search(session, subject=f"number {place.number}")]
    assert actions == ["number-unblocked", "number-blocked"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 2),
        ("  ", 2),
        ("0913111", 1),
        ("۰۹۱۳۱۱۱", 1),
        ("9132", 1),
        ("مزاحم", 1),
        ("% sure", 1),
        ("%", 1),
        ("_", 0),
        ("777", 0),
        ("nobody", 0),
    ],
)
def test_blocked_numbers_are_found_by_digits_or_note(session: Session, text: str, found: int) -> None:
    blocked.block(session, "+989131110000", BlockReason.NUISANCE, note="مزاحم هر شب")
    blocked.block(session, "+989132220000", BlockReason.OWNER, note="100% sure")
    assert len(blocked.search(session, text)) == found


def test_citizen_blocked_before_the_call_is_not_called(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session)
        blocked.block(session, callback.registration.number, BlockReason.OWNER)
        with pytest.raises(Refused, match="number-blocked"):
            transitions.ask_call(session, callback, settings)
        assert callback.state is CallbackState.CLAIMED
        closing.record_outcome(session, callback, Outcome.RETURNED, settings)
    give_up_blocked(engine, settings)
    with reading(engine) as session:
        assert session.get_one(Registration, callback.registration_id).state is R.CANCELLED


def test_paused_round_refuses_calls(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = a_callback(session)
        round_ = phases.get(session, callback.round_id)
        a_registration(session, round_)
        phases.pause(session, round_)
        other = a_user(session, a_desk(session))
        assert other.desk_id
        desk = {"desk_id": other.desk_id, "user_id": other.id}
        for call in (
            lambda: transitions.ask_call(session, callback, settings),
            lambda: claims.claim(session, round_id=round_.id, **desk),
            lambda: claims.call_ahead(session, round_),
        ):
            with pytest.raises(Refused, match="round-paused"):
                call()
        phases.resume(session, round_)
        assert transitions.ask_call(session, callback, settings).state is CallbackState.DIALING
        assert claims.claim(session, round_id=round_.id, **desk)


def test_call_pending_when_its_number_is_blocked_is_not_placed(engine: Engine, settings: Settings) -> None:
    ami = Ami(settings.ami, "dialer", "secret")  # is never asked
    with writing(engine) as session:
        callback = a_callback(session)
        transitions.ask_call(session, callback, settings)
        blocked.block(session, callback.registration.number, BlockReason.OWNER)
    Dialer(settings, engine, ami)._placing.place_asked()
    with reading(engine) as session:
        kept = transitions.get(session, callback.id)
        assert (kept.state, kept.outcome) == (CallbackState.CLOSED, Outcome.RETURNED)
