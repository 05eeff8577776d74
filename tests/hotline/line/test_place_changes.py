"""A place that is given up, or gets another number."""

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.models import AuditEntry, BlockReason, Event, OutboxKind, OutboxMessage, Registration, Round, User
from db.states import Fact, RegistrationState
from hotline.callbacks import claims
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import blocked, registration
from scheduler import wording
from tests.factories import (
    NUMBER,
    a_desk,
    a_number,
    a_registration,
    a_round,
    a_user,
    at_once,
    some_registrations,
    told,
)
from tests.kit.refusal import refusal

GIVEN_UP = {RegistrationState.WAITING, RegistrationState.UNCONFIRMED, RegistrationState.UNREACHED}


@pytest.mark.parametrize("state", RegistrationState)
def test_only_a_place_still_owed_a_call_is_cancelled(session: Session, state: RegistrationState) -> None:
    place = a_registration(session, a_round(session), state=state)
    if state in GIVEN_UP:
        registration.cancel(session, place.id)
        assert registration.get_by_ticket(session, place.ticket).state is RegistrationState.CANCELLED
        assert told(session)[-1].what == "cancelled"
    else:
        assert refusal(lambda: registration.cancel(session, place.id)) == "wrong-state"
        assert registration.get_by_ticket(session, place.ticket).state is state


def test_ten_simultaneous_cancellations_count_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        place = a_registration(session, a_round(session))

    def cancel(_: int) -> bool:
        try:
            with writing(engine) as session:
                registration.cancel(session, place.id)
        except Refused:
            return False
        return True

    assert sorted(at_once(10, cancel)) == [False] * 9 + [True]
    with reading(engine) as session:
        assert session.scalar(select(func.count()).where(Event.what == "cancelled")) == 1


def test_concurrent_claim_and_cancellation_have_one_winner(engine: Engine) -> None:
    for _ in range(10):
        with writing(engine) as session:
            round_ = a_round(session)
            place, user = a_registration(session, round_), a_user(session, a_desk(session))

        def act(which: int, place: Registration = place, round_: Round = round_, user: User = user) -> str:
            with writing(engine) as session:
                if which == 0:
                    try:
                        registration.cancel(session, place.id)
                    except Refused:
                        return ""
                    return "cancelled"
                claimed = claims.claim(
                    session, round_id=round_.id, desk_id=user.desk_id or 0, user_id=user.id
                )
                return "calling" if claimed else ""

        results = [won for won in at_once(2, act) if won]
        with reading(engine) as session:
            assert results == [registration.get_by_ticket(session, place.ticket).state]


@pytest.mark.parametrize("state", RegistrationState)
def test_only_a_place_still_owed_a_call_changes_its_number(
    session: Session, state: RegistrationState
) -> None:
    place = a_registration(session, a_round(session), state=state)
    before = place.number
    changes = state in (RegistrationState.WAITING, RegistrationState.UNREACHED)
    if changes:
        registration.change_number(session, place.id, NUMBER)
    else:
        assert refusal(lambda: registration.change_number(session, place.id, NUMBER)) == "wrong-state"
    kept = registration.get_by_ticket(session, place.ticket).number
    assert kept == (NUMBER if changes else before)


def test_change_to_a_number_with_a_place_is_refused(
    session: Session,
) -> None:
    round_ = a_round(session)
    first, second = some_registrations(session, round_, 2)
    elsewhere = a_registration(session, a_round(session))
    taken = refusal(lambda: registration.change_number(session, second.id, first.number))
    assert taken == "number-taken"
    registration.change_number(session, elsewhere.id, first.number)  # another round
    registration.change_number(session, second.id, second.number)  # the same number again
    session.commit()
    assert registration.get_by_ticket(session, second.ticket).number == second.number


def test_changed_number_is_told_to_the_old_and_never_logged(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        place, new = a_registration(session, a_round(session), number=NUMBER), a_number()
    for number in (new, NUMBER, new, new):
        with writing(engine) as session:
            registration.change_number(session, place.id, number)
    with reading(engine) as session:
        of_change = (
            select(OutboxMessage)
            .where(OutboxMessage.kind == OutboxKind.NUMBER_CHANGED)
            .order_by(OutboxMessage.id)
        )
        messages = session.scalars(of_change).all()
        assert [text_message.to for text_message in messages] == [NUMBER, new, NUMBER], (
            "each time it is told anew"
        )
        words = wording.find_words(session, messages[0])
        assert words is not None and words.to == NUMBER
        changes = session.scalars(select(AuditEntry).filter_by(action="number-changed")).all()
        assert {(e.who, e.subject) for e in changes} == {("citizen", f"registration {place.id}")}
        facts = entries.list_by_registration(session, place.id)
        assert [entry.fact for entry in facts] == [Fact.NUMBER_CHANGED] * 3
        public = "".join([*(e.details for e in facts), *(e.reason for e in changes)])
        assert NUMBER[-7:] not in public
        assert new[-7:] not in public


def test_ten_simultaneous_changes_to_a_number_give_it_to_one(engine: Engine) -> None:
    with writing(engine) as session:
        places = some_registrations(session, a_round(session), 10)

    def change(which: int) -> str:
        try:
            with writing(engine) as session:
                registration.change_number(session, places[which].id, NUMBER)
        except Refused as refused:
            return refused.code
        return "done"

    assert sorted(at_once(10, change)) == ["done"] + ["number-taken"] * 9


def test_change_to_a_blocked_number_is_refused(session: Session) -> None:
    place = a_registration(session, a_round(session))
    blocked.block(session, NUMBER, BlockReason.OWNER)
    assert refusal(lambda: registration.change_number(session, place.id, NUMBER)) == "number-blocked"
