"""Stored data of a place: its ticket, and all that the caller said."""

from inspect import signature

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Registration
from db.states import Outcome, Phase, RegistrationState
from hotline import tickets
from hotline.errors import Refused
from hotline.line import registration, registration_limits
from hotline.line.registration import register
from tests.factories import NUMBER, a_number, a_registration, a_round, a_ticket


def test_ticket_of_another_round_is_drawn_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = a_registration(session, a_round(session)).ticket
    free = a_ticket()
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(tickets, "draw", lambda _kind: next(drawn))
    round_ = a_round(session)
    told = register(session, round_id=round_.id, number=NUMBER)
    assert (told.ticket, told.already) == (free, False)
    assert registration.get_by_ticket(session, taken).number != NUMBER


def test_database_refuses_a_ticket_used_in_any_round(
    session: Session,
) -> None:
    taken = a_registration(session, a_round(session), state=RegistrationState.REACHED).ticket
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(
            insert(Registration).values(
                round_id=a_round(session).id, number=a_number(), ticket=taken, registered_at=now(session)
            )
        )


def test_unknown_ticket_is_not_found(session: Session) -> None:
    a_registration(session, a_round(session), last_outcome=Outcome.BUSY)
    with pytest.raises(Refused) as refused:
        registration.get_by_ticket(session, a_ticket())
    assert refused.value.code == "not-found"


def test_callers_choices_are_kept_with_the_place(
    session: Session,
) -> None:
    round_ = a_round(session)
    told = register(session, round_id=round_.id, number=NUMBER, language="en", subject=9)
    registration.describe(session, told.registration_id, voice_message="m.wav")
    session.expire_all()
    kept = registration.get_by_ticket(session, told.ticket)
    assert (kept.language, kept.subject, kept.voice_message) == ("en", 9, "m.wav")


@pytest.mark.parametrize("subject", [0, 10, -1])
def test_database_refuses_an_unknown_subject(session: Session, subject: int) -> None:
    round_ = a_round(session)
    with pytest.raises(IntegrityError), session.begin_nested():
        register(session, round_id=round_.id, number=NUMBER, subject=subject)
    assert session.scalar(select(func.count(Registration.id))) == 0


def test_reserved_place_keeps_every_column(
    session: Session,
) -> None:
    round_ = a_round(session, Phase.OPEN)
    found = registration_limits.find_round(session, round_.id, NUMBER, caller=NUMBER)
    said = {"language": "en", "subject": 4, "call_id": "a-call"}
    assert said.keys() == {
        name
        for name, one in signature(registration.reserve).parameters.items()
        if one.kind is one.KEYWORD_ONLY
    }
    place = registration.reserve(session, found, RegistrationState.UNCONFIRMED, NUMBER, **said)
    assert place is not None
    set_ = {name: value for name, value in place.__dict__.items() if not name.startswith("_")}
    assert set_.keys() > {*said, "round_id", "number", "state", "ticket", "registered_at"}
    row = session.get_one(Registration, place.id)
    assert {name: getattr(row, name) for name in set_} == set_
