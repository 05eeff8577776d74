"""A round that desks serve, with citizens of its line called ahead."""

from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import CallbackState
from hotline.callbacks import claims, serving, transitions
from settings import Settings
from tests.factories import MINUTE, a_desk, a_user

C = CallbackState


def some_desks(session: Session, round_: Round, settings: Settings, count: int = 1) -> list[Desk]:
    """Desks with a person and a phone, that serve the round."""
    desks = [a_desk(session) for _ in range(count)]
    for desk in desks:
        a_user(session, desk)
        serving.serve(session, desk, round_.id, settings)
    return desks


def called_ahead(
    session: Session, round_: Round, count: int, state: CallbackState = C.WAITING
) -> list[Callback]:
    """Call the first of the round's line ahead, up to this state."""
    made = []
    for _ in range(count):
        callback = claims.call_ahead(session, round_)
        assert callback is not None
        callback.placed_at = now(session)
        if state is not C.DIALING:
            moved = transitions.move(session, callback.token, state)
            assert moved is not None
        made.append(callback)
    return made


def talks(session: Session, callback: Callback) -> None:
    """The citizen came into the room of the desk they were given to a minute ago."""
    serving.clear_request(session, callback)
    moved = transitions.move(session, callback.token, C.TALKING, talking_at=now(session) - MINUTE)
    assert moved is not None
