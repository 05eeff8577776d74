"""A desk in conversation with a citizen of its round, and time that passes."""

from datetime import timedelta

from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Desk, Round
from db.states import CallbackState
from hotline.callbacks import conversations, serving, transitions
from settings import Settings
from tests.factories import MINUTE
from tests.hotline.callbacks import served_round

C = CallbackState


def called_ahead(session: Session, round_: Round) -> Callback:
    """The next one of the line waits for any desk."""
    return served_round.called_ahead(session, round_, 1)[0]


def talks(session: Session, callback: Callback, since: timedelta = MINUTE) -> Callback:
    """The citizen is in the room of the desk they were given to, for so long."""
    assert serving.clear_request(session, callback)
    at = now(session) - since
    moved = transitions.move(session, callback.token, C.TALKING, talking_at=at, held_until=None)
    assert moved is not None
    return moved


def speaks(session: Session, desk: Desk, settings: Settings, since: timedelta = MINUTE) -> Callback:
    """The desk speaks with the next one of its round."""
    round_ = session.get_one(Round, desk.round_id)
    called_ahead(session, round_)
    callback = serving.ask_next(session, desk, None, settings)
    assert callback is not None
    return talks(session, callback, since)


def held(session: Session, desk: Desk, settings: Settings) -> Callback:
    """The desk's phone has left the citizen in mid-conversation."""
    callback = speaks(session, desk, settings)
    desk.phone_connected = False
    session.flush()
    moved = conversations.hold_without_desk(session, callback.token, settings)
    assert moved is not None
    return moved


def time_passes(session: Session, callback: Callback, by: timedelta) -> None:
    for name in ("talking_at", "held_until", "parting_at"):
        if moment := getattr(callback, name):
            setattr(callback, name, moment - by)
    session.flush()


def look(session: Session, settings: Settings) -> None:
    """Do one turn of the dialer's polls."""
    for token in conversations.list_overdue(session):
        conversations.end_overdue(session, token, settings)
