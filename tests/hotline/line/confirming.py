"""Numbers that await the call to their owner, and what has become of them."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Confirmation, Registration, Round
from db.states import RegistrationState
from hotline.errors import Refused
from hotline.line import confirmation_calls, confirmations
from tests import factories as make


def keyed_in(session: Session, count: int = 1) -> list[int]:
    """Make numbers that await the call to their owner, in the order of calling."""
    round_ = make.a_round(session)
    return [make.keyed_in(session, round_).id for _ in range(count)]


def placed(session: Session, id_: int) -> str:
    """The token of a call on its way."""
    taken = confirmation_calls.take_up(session, id_)
    assert taken and taken.token
    return taken.token


def kept(session: Session, id_: int) -> Confirmation:
    session.flush()
    session.expire_all()
    return session.get_one(Confirmation, id_)


def place_of(session: Session, id_: int) -> Registration:
    place = kept(session, id_).registration
    assert place
    return place


def state(session: Session, id_: int) -> RegistrationState:
    return place_of(session, id_).state


CALLER, NUMBER = "+989131110000", "+989131112222"


def asks(session: Session, round_: Round, number: str, asked_by: str | None = CALLER) -> Confirmation:
    id_ = confirmations.ask_place(
        session, round_id=round_.id, number=number, asked_by=asked_by, language="fa", per_day=3
    )
    return session.get_one(Confirmation, id_)


def code(act: Callable[[], object]) -> str:
    """The rule that says no, if one does."""
    try:
        act()
    except Refused as refused:
        return refused.code
    return ""


def soon(session: Session, id_: int) -> int:
    kept(session, id_).not_before = now(session)
    session.flush()
    return id_


def a_place(session: Session, state: RegistrationState = RegistrationState.WAITING) -> Registration:
    return make.a_registration(session, make.a_round(session), number=CALLER, state=state)


def wants_number(session: Session, place: Registration, number: str = NUMBER) -> int:
    asked = soon(session, confirmations.ask_number(session, place.id, number, per_day=3).id)
    present = placed(session, asked)
    confirmation_calls.answer(session, present, yes=True)
    confirmation_calls.record_end(session, present)
    (to_new,) = session.scalars(
        select(Confirmation.id).where(Confirmation.id > asked, Confirmation.number == number)
    )
    return soon(session, to_new)


def wants_out(session: Session, place: Registration) -> int:
    return soon(session, confirmations.ask_cancellation(session, place.id))
