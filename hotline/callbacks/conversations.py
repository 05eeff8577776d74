"""A conversation outlives its desk's phone, and a wrong end.

Held: the desk's phone is gone in mid-conversation. For HOTLINE_HOLD_SECONDS the citizen hears music, and is
taken back into the room as soon as the phone is there again. After that the place goes back, due at once.
On hold: held because the desk wants so, for HOTLINE_ON_HOLD_SECONDS at most; then the citizen comes back.
Parting: the desk ended the conversation. For UNDO the citizen stays on the line, and that can be undone.
What a conversation came to is written down when its line has ended, so that the ledger takes nothing back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import Callback, Desk, Official, UtcDateTime, word
from db.states import IN_TALK, CallbackState, Outcome
from hotline.callbacks import callbacks, closing
from hotline.errors import Refused
from hotline.rounds import round_permissions, rounds
from settings import Settings

CONFIRM = timedelta(seconds=30)
"""So soon after a conversation began its end by «next» is asked for twice."""
UNDO = timedelta(seconds=5)
"""So long after its end a conversation can go on as if it had not been ended."""
MET = timedelta(seconds=20)
"""A citizen who hangs up after so long had the conversation."""


def put_on_hold(session: Session, callback: Callback, settings: Settings) -> Callback:
    """The desk asks the citizen to wait, with music; twice is once. Raises Refused("wrong-state")."""
    if callback.state is CallbackState.HELD and callback.on_hold_at:
        return callback
    at, talks = now(session), Callback.state == CallbackState.TALKING
    values = {"held_until": at + timedelta(seconds=settings.on_hold_seconds), "on_hold_at": at}
    moved = callbacks.move(session, callback.token, CallbackState.HELD, talks, **values)
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def resume(session: Session, callback: Callback, settings: Settings) -> Callback:
    """The desk is back to the citizen whom it asked to wait; twice is once. Raises Refused("wrong-state")."""
    if not _off_hold(session, callback.token, settings) and callback.state not in IN_TALK:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return callback


def desk_phone_moved(session: Session, desk_id: int, *, there: bool, settings: Settings) -> None:
    """Whom the desk asked to wait, waits for a phone that is gone no longer than anybody else does.

    Holds the desk first, which is written next (docs/architecture.md, lock order).
    """
    if (desk := session.get(Desk, desk_id)) is not None:
        callbacks.hold(session, desk)
    held = Callback.desk_id == desk_id, Callback.state == CallbackState.HELD
    for callback in session.scalars(select(Callback).where(*held, _waits).with_for_update(key_share=True)):
        whole = (callback.on_hold_at or now(session)) + timedelta(seconds=settings.on_hold_seconds)
        callback.held_until = whole if there else _held_until(session, settings)
    session.flush()


def _off_hold(session: Session, token: str, settings: Settings, *also: ColumnElement[bool]) -> bool:
    """Held as if the desk's phone had just been gone: the citizen is taken back as soon as it is there."""
    callback = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state == CallbackState.HELD, _waits, *also)
        .values(on_hold_at=None, held_until=_held_until(session, settings))
        .returning(Callback)
        .execution_options(populate_existing=True)
    )
    if callback:
        events.callback_changed(session, callback)
    return callback is not None


_waits = Callback.on_hold_at.is_not(None)
_away = exists().where(Desk.id == Callback.desk_id, ~Desk.phone_connected)


def lose(session: Session, token: str, settings: Settings) -> Callback | None:
    """The desk's phone has left the citizen in mid-conversation; None if it was not one."""
    talks, until = Callback.state == CallbackState.TALKING, _held_until(session, settings)
    return callbacks.move(session, token, CallbackState.HELD, talks, held_until=until)


def _held_until(session: Session, settings: Settings) -> datetime:
    return now(session) + timedelta(seconds=settings.hold_seconds)


def parting_until(callback: Callback) -> datetime | None:
    """Until when the end of the conversation can be undone."""
    parts = callback.state is CallbackState.PARTING and callback.hangup_asked_at is None
    return callback.parting_at + UNDO if parts and callback.parting_at else None


def is_young(session: Session, callback: Callback) -> bool:
    """Whether the conversation began less than CONFIRM ago."""
    if callback.state is not CallbackState.TALKING or callback.talking_at is None:
        return False
    return now(session) - callback.talking_at < CONFIRM


def part(session: Session, callback: Callback, said: Outcome | None = None) -> Callback:
    """The desk ends the conversation; `said` is its outcome, if that is said already, and frees the desk.

    Raises Refused("wrong-state").
    """
    values: dict[str, Any] = {"parting_at": now(session), "said": said}
    if callback.on_hold_at:  # which was no cut
        values |= {"on_hold_at": None, "held_until": None}
    its_own = Callback.desk_id == callback.desk_id  # and not given to another one meanwhile
    moved = callbacks.move(session, callback.token, CallbackState.PARTING, its_own, **values)
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def hang_up(session: Session, callback: Callback) -> Callback:
    """The desk wants the call ended; twice is once, and can be undone. Raises Refused("wrong-state")."""
    if callback.state is CallbackState.PARTING:
        return callback
    return part(session, callback) if callback.state in IN_TALK else callbacks.ask_hangup(session, callback)


def default_outcome(callback: Callback) -> Outcome | None:
    """What «next» says of this conversation; None: nothing.

    Reached, if the desk ended it or the citizen had it; never, if our own side cut it.
    """
    if callback.state not in (CallbackState.TALKING, CallbackState.PARTING, CallbackState.ENDED):
        return None
    if callback.talking_at is None or callback.held_until is not None:
        return Outcome.CALL_AGAIN
    by_desk = callback.state is not CallbackState.ENDED or callback.parting_at is not None
    if by_desk or (callback.ended_at and callback.ended_at - callback.talking_at >= MET):
        return Outcome.REACHED
    return Outcome.CALL_AGAIN


def finish(session: Session, callback: Callback, settings: Settings) -> None:
    """«Next» says that the conversation is over, and what it came to. Raises Refused("wrong-state")."""
    session.refresh(callback, with_for_update={"key_share": True})  # before the log
    outcome = default_outcome(callback)
    if outcome is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    if callback.state is CallbackState.TALKING:
        part(session, callback, said=outcome)
    elif callback.state is CallbackState.PARTING:
        callback.said = outcome
        session.flush()
        events.callback_changed(session, callback)
    else:
        # a conversation that our own side cut costs the citizen no wait: nobody goes before them
        at_once = now(session) if callback.held_until else None
        closing.close(session, callback.token, outcome, settings, again_at=at_once)


def line_ended(session: Session, callback: Callback, settings: Settings, *, hung_up: bool) -> None:
    """The citizen's line has ended in conversation or after it. `hung_up`: by the citizen."""
    session.refresh(callback, with_for_update={"key_share": True})  # it may be undone at this very moment
    at, token = now(session), callback.token
    if callback.state is CallbackState.PARTING:
        if callback.said:
            closing.close(session, token, callback.said, settings, ended_at=callback.parting_at)
        else:
            callbacks.move(session, token, CallbackState.ENDED, ended_at=callback.parting_at)
    elif callback.state is CallbackState.HELD and callback.hangup_asked_at:
        goes_back(session, token, at, settings)
    else:
        until = callback.held_until or (None if hung_up else _held_until(session, settings))
        callbacks.move(session, token, CallbackState.ENDED, ended_at=at, held_until=until)


def cut_before_its_end(session: Session, callback: Callback, settings: Settings) -> None:
    """Take back the end that a desk said of a conversation, because our own side had cut that before.

    The desk's «next» meant a dead line. The citizen is due again at once; or a desk by hand says what came.
    """
    session.refresh(callback, with_for_update={"key_share": True})
    if callback.state is not CallbackState.PARTING:
        return
    at, served = now(session), callback.said is not None
    values: dict[str, Any] = {"ended_at": at, "held_until": at, "parting_at": None, "said": None}
    callbacks.move(session, callback.token, CallbackState.ENDED, **values)
    if served:
        goes_back(session, callback.token, at, settings)


def goes_back(session: Session, token: str, at: datetime, settings: Settings) -> None:
    """The citizen of a conversation that broke off is due again at once, at the own place."""
    closing.close(session, token, Outcome.CALL_AGAIN, settings, again_at=at)


_waited = Callback.held_until <= bindparam("at", type_=UtcDateTime)
_for_good = Callback.parting_at <= bindparam("undo_ago", type_=UtcDateTime)
_on_the_line = Callback.hangup_asked_at.is_(None)
_OVERDUE = or_(
    and_(Callback.state == word(CallbackState.HELD), _waited, _on_the_line),
    and_(Callback.state == word(CallbackState.ENDED), _waited, _away),
    and_(Callback.state == word(CallbackState.PARTING), _for_good, _on_the_line),
)
"""Held, or parting, for longer than may be; its parameters are `_asked`."""
_ALL_OVERDUE = select(Callback.token).where(_OVERDUE)


def _asked(at: datetime) -> dict[str, datetime]:
    return {"at": at, "undo_ago": at - UNDO}


def overdue(session: Session, at: datetime | None = None) -> Sequence[str]:
    """The tokens of conversations that are held, or parting, for longer than may be, at the moment `at`."""
    return core(session).execute(_ALL_OVERDUE, _asked(at or now(session))).scalars().all()


def end_overdue(session: Session, token: str, settings: Settings, at: datetime | None = None) -> None:
    """End what is overdue: the dialer hangs up; where there is no line any more the place goes back.

    A desk that is away owes no outcome of a conversation that its own phone cut. Whom the desk has forgotten
    on hold comes back to it.
    """
    at = at or now(session)
    if _off_hold(session, token, settings, Callback.held_until <= at, ~_away):
        return
    asked = session.scalar(
        update(Callback)
        .where(Callback.token == token, _OVERDUE, Callback.state != CallbackState.ENDED)
        .values(hangup_asked_at=now(session))
        .returning(Callback.id)
        .execution_options(synchronize_session=False),
        _asked(at),
    )
    ended = and_(Callback.token == token, Callback.state == CallbackState.ENDED)
    if asked is None and session.scalar(select(exists().where(ended, _OVERDUE)), _asked(at)):
        goes_back(session, token, now(session), settings)


def undo(session: Session, callback: Callback, desk: Desk, settings: Settings) -> Callback:
    """The end was a mistake: the citizen comes back to the desk, and whoever came instead waits again.

    Raises Refused("too-late" | "desk-phone-away" | "desk-hears" | "desk-busy").
    """
    callbacks.hold(session, desk)
    session.refresh(callback, with_for_update={"key_share": True})
    until, at = parting_until(callback), now(session)
    if until is None or at >= until:
        raise Refused("too-late", "the citizen has hung up, or is being hung up")
    callbacks.check_phone(desk)
    back = send_back(session, desk, but=callback)
    desk.next_asked_at = None
    session.flush()  # every row first, then the log
    for waits in back:
        events.callback_changed(session, waits)
    until_back = _held_until(session, settings)
    values = {"parting_at": None, "said": None, "on_hold_at": None, "held_until": until_back}
    moved = callbacks.move(session, callback.token, CallbackState.HELD, **values)
    assert moved is not None  # noqa: S101  (its row is locked)
    return moved


def send_back(session: Session, desk: Desk, but: Callback) -> list[Callback]:
    """Whom the served desk has got instead waits for any desk again. Raises Refused("desk-busy")."""
    other = callbacks.live_at_desk(session, desk.id)
    if other is None or other.id == but.id:
        return []
    session.refresh(other, with_for_update={"key_share": True})
    given = other.state in (CallbackState.WAITING, CallbackState.TALKING) and not other.hangup_asked_at
    handed_over = other.given_by_desk_id is not None  # in mid-conversation, by another desk
    if not given or handed_over or desk.round_id != other.round_id:
        raise Refused("desk-busy", "the desk has another citizen in hand")
    other.state, other.desk_id, other.user_id = CallbackState.WAITING, None, None
    other.talking_at = other.finishing_at = other.toned_at = None
    other.held_s = 0.0
    session.flush()
    return [other]


def parting_at_desk(session: Session, desk_id: int) -> Callback | None:
    """The newest conversation of the desk whose end can still be undone."""
    parting = select(Callback).where(
        Callback.desk_id == desk_id,
        Callback.state == CallbackState.PARTING,
        Callback.hangup_asked_at.is_(None),
    )
    return session.scalar(parting.order_by(Callback.parting_at.desc(), Callback.id.desc()).limit(1))


def speaker(session: Session, callback: Callback) -> Official:
    """The official who speaks in it: the one of its desk, who may be a deputy, or the round's."""
    round_ = rounds.get(session, callback.round_id)
    person = round_permissions.at_desk(session, callback.desk_id) if callback.desk_id else None
    if person and person.official_id and round_permissions.speaks_in(session, person, round_):
        return session.get_one(Official, person.official_id)
    return rounds.speaker(round_)
