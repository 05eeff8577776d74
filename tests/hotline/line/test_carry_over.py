"""Carry-over, case by case; that it holds in any order of events is in test_city_rules."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import (
    Carry,
    Confirmation,
    ConfirmationKind,
    LedgerEntry,
    Official,
    OutboxKind,
    OutboxMessage,
    Registration,
    Round,
    VoiceSummary,
)
from db.states import Fact, RegistrationState
from hotline.line import carry_over, registration
from hotline.rounds import phases
from scheduler import wording
from tests.factories import HOUR, a_number, a_registration, a_user, an_official, at_once, some_registrations

S = RegistrationState
DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")


def a_round_of(session: Session, official: Official, *, over: bool = False, starts_in: int = 1) -> Round:
    at = now(session)
    round_ = Round(
        official=official,
        announce_at=at - 48 * HOUR,
        registration_from=at - 24 * HOUR,
        registration_until=at + 24 * HOUR,
        starts_at=at + starts_in * HOUR,
        ends_at=at + 48 * HOUR,
        ended_at=at if over else None,
    )
    session.add(round_)
    session.flush()
    return round_


def keyed_in_by_somebody(session: Session, place: Registration) -> Registration:
    """The place, about which its number is still to be called."""
    asked = {"kind": ConfirmationKind.REGISTRATION, "number": place.number, "registration_id": place.id}
    session.add(Confirmation(**asked, asked_by=a_number(), asked_at=now(session), not_before=now(session)))
    session.flush()
    return place


@pytest.fixture
def official(session: Session) -> Official:
    return an_official(session)


@pytest.fixture
def past(session: Session, official: Official) -> Round:
    return a_round_of(session, official, over=True, starts_in=-3)


@pytest.fixture
def coming(session: Session, official: Official, past: Round) -> Round:
    return a_round_of(session, official)


def told(session: Session, kind: OutboxKind) -> list[int | None]:
    return list(session.scalars(select(OutboxMessage.registration_id).where(OutboxMessage.kind == kind)))


def test_carried_place_keeps_ticket_and_time(session: Session, past: Round, coming: Round) -> None:
    left = a_registration(session, past, attempts=1, rounds_missed=1, not_before=now(session) + HOUR)
    before = (left.ticket, left.registered_at)

    assert carry_over.carry_over(session) == 1
    session.refresh(left)
    assert (left.round_id, left.state, left.rounds_missed) == (coming.id, S.WAITING, 2)
    assert (left.ticket, left.registered_at) == before
    assert (left.attempts, left.not_before, left.rounds_unanswered) == (0, None, 0)
    assert told(session, OutboxKind.CARRIED) == [left.id]
    assert carry_over.carry_over(session) == 0


@pytest.mark.parametrize("state", [S.CALLING, S.REACHED, S.CLOSED, S.CANCELLED])
def test_taken_or_finished_place_is_not_carried(
    session: Session, past: Round, coming: Round, state: RegistrationState
) -> None:
    a_registration(session, past, state=state)
    assert carry_over.carry_over(session) == 0


def test_place_with_no_attempts_left_is_carried_once_then_closed(
    session: Session, official: Official, past: Round, coming: Round
) -> None:
    carried_before = a_registration(session, past, state=S.UNREACHED, rounds_missed=3)
    assert carry_over.carry_over(session) == 1
    session.refresh(carried_before)
    assert (carried_before.state, carried_before.rounds_unanswered) == (S.WAITING, 1)

    carried_before.state = S.UNREACHED
    phases.end_round(session, coming)
    assert carry_over.carry_over(session) == 1  # although no next round is there
    session.refresh(carried_before)
    assert (carried_before.state, carried_before.round_id) == (S.CLOSED, coming.id)
    assert told(session, OutboxKind.CLOSED) == [carried_before.id]


def test_places_wait_for_a_later_made_round(session: Session, official: Official, past: Round) -> None:
    left = some_registrations(session, past, 3)
    assert carry_over.carry_over(session) == 0
    assert carry_over.tell_left(session) == 3
    assert carry_over.tell_left(session) == 0
    assert told(session, OutboxKind.NOT_REACHED) == [r.id for r in left]

    coming = a_round_of(session, official)
    assert carry_over.carry_over(session, limit=2) == 2
    assert carry_over.carry_over(session, limit=2) == 1
    assert told(session, OutboxKind.CARRIED) == [r.id for r in left]
    assert {r.round_id for r in session.scalars(select(Registration))} == {coming.id}


def test_unsuitable_round_is_not_the_next(session: Session, official: Official, past: Round) -> None:
    a_registration(session, past)
    a_round_of(session, an_official(session))
    a_round_of(session, official, over=True)
    cancelled = a_round_of(session, official)
    cancelled.cancelled_at = now(session)
    session.flush()

    assert carry_over.carry_over(session) == 0


def test_cancelled_round_passes_its_places_on(session: Session, official: Official) -> None:
    cancelled = a_round_of(session, official, starts_in=1)
    cancelled.cancelled_at = now(session)
    coming = a_round_of(session, official, starts_in=2)
    left = a_registration(session, cancelled)

    assert carry_over.carry_over(session) == 1
    session.refresh(left)
    assert (left.round_id, told(session, OutboxKind.ROUND_CANCELLED)) == (coming.id, [left.id])


def test_number_registered_anew_keeps_the_older_place(session: Session, past: Round, coming: Round) -> None:
    left = a_registration(session, past)
    anew = a_registration(session, coming, number=left.number)

    assert carry_over.carry_over(session) == 2
    session.refresh(anew)
    assert (anew.state, anew.merged_into_id) == (S.CANCELLED, left.id)
    assert registration.get_by_ticket(session, anew.ticket).id == left.id
    assert told(session, OutboxKind.CARRIED) == [left.id]


def test_number_missed_in_two_rounds_is_carried_once(
    session: Session, official: Official, past: Round, coming: Round
) -> None:
    earlier = a_round_of(session, official, over=True, starts_in=-5)
    twice = a_registration(session, past, rounds_missed=1)
    once = a_registration(session, earlier, number=twice.number)

    while carry_over.carry_over(session, limit=1):
        pass
    live = session.scalars(select(Registration).where(Registration.state == S.WAITING)).all()
    assert [(r.id, r.round_id) for r in live] == [(twice.id, coming.id)]
    assert registration.get_by_ticket(session, once.ticket).id == twice.id


def test_number_in_a_call_of_the_next_round_waits_alone(session: Session, past: Round, coming: Round) -> None:
    left = a_registration(session, past)
    other = a_registration(session, past, registered_at=left.registered_at + timedelta(hours=1))
    called = a_registration(session, coming, number=left.number, state=S.CALLING)

    assert carry_over.carry_over(session, limit=1) == 1
    session.refresh(other)
    assert other.round_id == coming.id
    assert carry_over.carry_over(session) == 0

    called.state = S.REACHED
    session.flush()
    assert carry_over.carry_over(session) == 1


def test_concurrent_schedulers_carry_each_place_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        official = an_official(session)
        past, coming = a_round_of(session, official, over=True, starts_in=-3), a_round_of(session, official)
        ids = {r.id for r in some_registrations(session, past, 40)}

    def scheduler(_which: int) -> int:
        done = 0
        while True:
            try:
                with writing(engine) as session:
                    step = carry_over.carry_over(session, 5)
            except OperationalError:  # too long behind another: it tries again, as the real one does
                continue
            if not step:
                return done
            done += step

    assert sum(at_once(4, scheduler)) == 40
    with writing(engine) as session:
        assert {c.registration_id for c in session.scalars(select(Carry))} == ids
        assert all(r.rounds_missed == 1 for r in session.scalars(select(Registration)))
        carried = select(LedgerEntry.registration_id).where(LedgerEntry.fact == Fact.CARRIED)
        assert sorted(session.scalars(carried)) == sorted(ids)
        assert session.scalars(select(Registration.round_id).distinct()).all() == [coming.id]


def test_carry_over_of_a_killed_scheduler_happens_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        official = an_official(session)
        past, coming = a_round_of(session, official, over=True, starts_in=-3), a_round_of(session, official)
        some_registrations(session, past, 3)
    with pytest.raises(RuntimeError), writing(engine) as session:
        carry_over.carry_over(session, 2)
        raise RuntimeError
    with writing(engine) as session:
        assert carry_over.carry_over(session) == 3
        assert len(session.scalars(select(OutboxMessage)).all()) == 3
        assert set(session.scalars(select(Registration.round_id))) == {coming.id}


def test_conversation_outlasting_its_round_is_carried_unreached(
    session: Session, past: Round, coming: Round
) -> None:
    talking = a_registration(session, past, state=S.CALLING)
    assert carry_over.carry_over(session) == 0
    session.execute(update(Registration).where(Registration.id == talking.id).values(state=S.WAITING))
    assert carry_over.carry_over(session) == 1


def test_unconfirmed_place_is_carried_silently(session: Session, past: Round, coming: Round) -> None:
    left = keyed_in_by_somebody(session, a_registration(session, past, state=S.UNCONFIRMED))
    assert carry_over.carry_over(session) == 1
    session.refresh(left)
    assert (left.round_id, left.state, told(session, OutboxKind.CARRIED)) == (coming.id, S.UNCONFIRMED, [])


def test_carried_place_is_told_with_the_notice_of_the_round(
    session: Session, past: Round, coming: Round
) -> None:
    coming.announce_at = coming.registration_from = now(session) + HOUR
    left = a_registration(session, past)

    assert carry_over.carry_over(session) == 1
    at_once_, later = session.scalars(select(OutboxMessage).order_by(OutboxMessage.not_before)).all()
    assert (at_once_.kind, later.kind) == (OutboxKind.NOT_REACHED, OutboxKind.CARRIED)
    assert later.not_before == coming.announce_at
    session.commit()

    def text(text_message: OutboxMessage) -> str | None:
        words = wording.find_words(session, text_message)
        return words.text if words else None

    assert left.ticket in (text(at_once_) or "").translate(DIGITS)
    assert text(later) is None  # nobody hears of it before
    coming.announce_at = coming.registration_from = now(session) - HOUR
    session.flush()
    assert text(at_once_) is None
    assert left.ticket in (text(later) or "").translate(DIGITS)


@pytest.mark.parametrize("unsure", ["carried", "in the next round"])
def test_strangers_unconfirmed_place_yields_to_the_owners(
    session: Session, past: Round, coming: Round, unsure: str
) -> None:
    states = (S.UNCONFIRMED, S.WAITING) if unsure == "carried" else (S.WAITING, S.UNCONFIRMED)
    left = a_registration(session, past, state=states[0])
    there = a_registration(
        session, coming, number=left.number, state=states[1], rounds_missed=0 if unsure == "carried" else 5
    )
    owners, strangers = (there, left) if unsure == "carried" else (left, there)
    keyed_in_by_somebody(session, strangers)

    while carry_over.carry_over(session):
        pass
    session.refresh(owners)
    session.refresh(strangers)
    assert (owners.state, owners.round_id) == (S.WAITING, coming.id)
    assert (strangers.state, strangers.merged_into_id) == (S.CANCELLED, owners.id)


def test_round_remade_at_the_same_hour_is_the_next(session: Session, official: Official) -> None:
    cancelled = a_round_of(session, official, starts_in=1)
    cancelled.cancelled_at = now(session)
    left = a_registration(session, cancelled)
    again, _later = a_round_of(session, official, starts_in=1), a_round_of(session, official, starts_in=9)
    again.starts_at = cancelled.starts_at
    session.flush()

    assert carry_over.carry_over(session) == 1
    session.refresh(left)
    assert left.round_id == again.id


def test_merged_places_keep_the_newer_words(session: Session, past: Round, coming: Round) -> None:
    left = a_registration(session, past, subject=1, voice_message="old.wav")
    newer = a_registration(
        session, coming, number=left.number, subject=4, voice_message="new.wav", registered_at=now(session)
    )
    writer = a_user(session)
    for place in (left, newer):
        said = f"of {place.voice_message}"
        session.add(VoiceSummary(registration_id=place.id, written=said, at=now(session), writer=writer))
    session.flush()

    while carry_over.carry_over(session):
        pass
    session.refresh(left)
    session.refresh(newer)
    assert (left.state, newer.merged_into_id) == (S.WAITING, left.id)
    assert (left.subject, left.voice_message, newer.voice_message) == (4, "new.wav", "old.wav")
    written = {each.registration_id: each.written for each in session.scalars(select(VoiceSummary))}
    assert written == {left.id: "of new.wav", newer.id: "of old.wav"}


def test_merged_place_without_words_takes_none_away(session: Session, past: Round, coming: Round) -> None:
    left = a_registration(session, past, subject=1, voice_message="old.wav")
    newer = a_registration(session, coming, number=left.number, registered_at=now(session))

    while carry_over.carry_over(session):
        pass
    session.refresh(left)
    assert (left.subject, left.voice_message) == (1, "old.wav")
    assert session.get_one(Registration, newer.id).voice_message is None


def test_strangers_words_never_reach_the_owners_place(session: Session, past: Round, coming: Round) -> None:
    left = a_registration(session, past, subject=1)
    strangers = a_registration(
        session, coming, number=left.number, state=S.UNCONFIRMED, subject=4, registered_at=now(session)
    )
    keyed_in_by_somebody(session, strangers)

    while carry_over.carry_over(session):
        pass
    session.refresh(left)
    assert left.subject == 1
