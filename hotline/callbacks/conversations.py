"""Conversations that survive a lost desk phone or a mistaken end.

Held: the desk's phone is gone in mid-conversation. The citizen hears music for HOTLINE_HOLD_SECONDS, and
returns to the room once the phone is back. After that the registration returns to the line, due at once. On
hold: the desk asked for it, for HOTLINE_ON_HOLD_SECONDS at most; then the citizen returns. Parting: the desk
ended the conversation. For UNDO the citizen stays on the line, and the desk can undo the end. The outcome is
recorded when the citizen's line has ended, because the ledger takes nothing back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Official, UtcDateTime, make_literal
from db.states import IN_TALK, CallbackState, Outcome
from hotline.callbacks import closing, transitions
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions
from settings import Settings

CONFIRM = timedelta(seconds=30)
"""How long after its beginning a conversation ends only on a second press of «next»."""
UNDO = timedelta(seconds=5)
"""How long after its end a desk can undo the end."""
MET = timedelta(seconds=20)
"""Conversation length from which a citizen's hang-up counts as reached."""


def hold(session: Session, callback: Callback, settings: Settings) -> Callback:
    """Put the citizen on hold with music; a repeated request is ignored. Raises Refused("wrong-state")."""
    if callback.state is CallbackState.HELD and callback.on_hold_at:
        return callback
    at, talks = now(session), Callback.state == CallbackState.TALKING
    values = {"held_until": at + timedelta(seconds=settings.on_hold_seconds), "on_hold_at": at}
    moved = transitions.move(session, callback.token, CallbackState.HELD, talks, **values)
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def resume(session: Session, callback: Callback, settings: Settings) -> Callback:
    """Take the citizen off hold; a repeated request is ignored. Raises Refused("wrong-state")."""
    if not _off_hold(session, callback.token, settings) and callback.state not in IN_TALK:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return callback


def adjust_holds(session: Session, desk_id: int, *, there: bool, settings: Settings) -> None:
    """Adjust how long citizens on hold wait when the desk's phone goes or returns (`there`).

    While the phone is gone, a citizen on hold waits no longer than any held citizen. The desk is locked
    first, because its row is written next (docs/architecture.md, lock order).
    """
    if (desk := session.get(Desk, desk_id)) is not None:
        transitions.hold(session, desk)
    held = Callback.desk_id == desk_id, Callback.state == CallbackState.HELD
    for callback in session.scalars(select(Callback).where(*held, _waits).with_for_update(key_share=True)):
        whole = (callback.on_hold_at or now(session)) + timedelta(seconds=settings.on_hold_seconds)
        callback.held_until = whole if there else _held_until(session, settings)
    session.flush()


def _off_hold(session: Session, token: str, settings: Settings, *also: ColumnElement[bool]) -> bool:
    """Turn on-hold into held: the citizen returns as soon as the desk's phone is there.

    Return whether it did.
    """
    callback = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.state == CallbackState.HELD, _waits, *also)
        .values(on_hold_at=None, held_until=_held_until(session, settings))
        .returning(Callback)
        .execution_options(populate_existing=True)
    )
    if callback:
        events.append_callback(session, callback)
    return callback is not None


_waits = Callback.on_hold_at.is_not(None)
_away = exists().where(Desk.id == Callback.desk_id, ~Desk.phone_connected)


def hold_without_desk(session: Session, token: str, settings: Settings) -> Callback | None:
    """Hold the citizen whose desk lost its phone in mid-conversation; None if they were not talking."""
    talks, until = Callback.state == CallbackState.TALKING, _held_until(session, settings)
    return transitions.move(session, token, CallbackState.HELD, talks, held_until=until)


def _held_until(session: Session, settings: Settings) -> datetime:
    return now(session) + timedelta(seconds=settings.hold_seconds)


def find_undo_end(callback: Callback) -> datetime | None:
    """Return until when the desk can undo the end of the conversation; None if it cannot."""
    parts = callback.state is CallbackState.PARTING and callback.hangup_asked_at is None
    return callback.parting_at + UNDO if parts and callback.parting_at else None


def is_young(session: Session, callback: Callback) -> bool:
    """Return whether the conversation began less than CONFIRM ago."""
    if callback.state is not CallbackState.TALKING or callback.talking_at is None:
        return False
    return now(session) - callback.talking_at < CONFIRM


def end_for_desk(session: Session, callback: Callback, said: Outcome | None = None) -> Callback:
    """End the conversation for the desk. An outcome `said` now frees the desk at once.

    Raises Refused("wrong-state").
    """
    values: dict[str, Any] = {"parting_at": now(session), "said": said}
    if callback.on_hold_at:  # on hold is no cut by our side
        values |= {"on_hold_at": None, "held_until": None}
    its_own = Callback.desk_id == callback.desk_id  # not handed to another desk meanwhile
    moved = transitions.move(session, callback.token, CallbackState.PARTING, its_own, **values)
    if moved is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return moved


def hang_up(session: Session, callback: Callback) -> Callback:
    """Hang up for the desk; a repeated request is ignored, and `undo` works.

    Raises Refused("wrong-state").
    """
    if callback.state is CallbackState.PARTING:
        return callback
    return (
        end_for_desk(session, callback)
        if callback.state in IN_TALK
        else transitions.ask_hangup(session, callback)
    )


def find_default_outcome(callback: Callback) -> Outcome | None:
    """Return the outcome that «next» records for this conversation; None if there is none to record.

    REACHED if the desk ended it or the citizen had it for MET; CALL_AGAIN if our own side cut it.
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
    """End the conversation with the default outcome, as «next» does. Raises Refused("wrong-state")."""
    session.refresh(callback, with_for_update={"key_share": True})  # before the log
    outcome = find_default_outcome(callback)
    if outcome is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    if callback.state is CallbackState.TALKING:
        end_for_desk(session, callback, said=outcome)
    elif callback.state is CallbackState.PARTING:
        callback.said = outcome
        session.flush()
        events.append_callback(session, callback)
    else:
        # after a cut by our side the citizen is due at once, before others
        at_once = now(session) if callback.held_until else None
        closing.close(session, callback.token, outcome, settings, again_at=at_once)


def record_line_end(session: Session, callback: Callback, settings: Settings, *, hung_up: bool) -> None:
    """Handle the end of the citizen's line in or after the conversation. `hung_up`: the citizen did it."""
    session.refresh(callback, with_for_update={"key_share": True})  # the desk may undo the end at this moment
    at, token = now(session), callback.token
    if callback.state is CallbackState.PARTING:
        if callback.said:
            closing.close(session, token, callback.said, settings, ended_at=callback.parting_at)
        else:
            transitions.move(session, token, CallbackState.ENDED, ended_at=callback.parting_at)
    elif callback.state is CallbackState.HELD and callback.hangup_asked_at:
        return_to_line(session, token, at, settings)
    else:
        until = callback.held_until or (None if hung_up else _held_until(session, settings))
        transitions.move(session, token, CallbackState.ENDED, ended_at=at, held_until=until)


def revoke_end(session: Session, callback: Callback, settings: Settings) -> None:
    """Revoke the end that a desk gave to a conversation that our own side had cut before.

    The desk pressed «next» on a dead line. If it serves the round, the citizen is due again at once;
    otherwise the desk records the outcome.
    """
    session.refresh(callback, with_for_update={"key_share": True})
    if callback.state is not CallbackState.PARTING:
        return
    at, served = now(session), callback.said is not None
    values: dict[str, Any] = {"ended_at": at, "held_until": at, "parting_at": None, "said": None}
    transitions.move(session, callback.token, CallbackState.ENDED, **values)
    if served:
        return_to_line(session, callback.token, at, settings)


def return_to_line(session: Session, token: str, at: datetime, settings: Settings) -> None:
    """Return the citizen of a broken conversation to their own place in the line, due at once."""
    closing.close(session, token, Outcome.CALL_AGAIN, settings, again_at=at)


_waited = Callback.held_until <= bindparam("at", type_=UtcDateTime)
_for_good = Callback.parting_at <= bindparam("undo_ago", type_=UtcDateTime)
_on_the_line = Callback.hangup_asked_at.is_(None)
_OVERDUE = or_(
    and_(Callback.state == make_literal(CallbackState.HELD), _waited, _on_the_line),
    and_(Callback.state == make_literal(CallbackState.ENDED), _waited, _away),
    and_(Callback.state == make_literal(CallbackState.PARTING), _for_good, _on_the_line),
)
"""Condition that a conversation is held or parting for too long; `_asked` gives the parameters."""
_ALL_OVERDUE = select(Callback.token).where(_OVERDUE)


def _asked(at: datetime) -> dict[str, datetime]:
    return {"at": at, "undo_ago": at - UNDO}


def list_overdue(session: Session, at: datetime | None = None) -> Sequence[str]:
    """Return the tokens of conversations that are held or parting for too long at the moment `at`."""
    return session.execute(_ALL_OVERDUE, _asked(at or now(session))).scalars().all()


def end_overdue(session: Session, token: str, settings: Settings, at: datetime | None = None) -> None:
    """End an overdue conversation: the dialer hangs up, or the registration returns to the line.

    The desk owes no outcome if its own phone cut the conversation and is still away. A citizen whom the desk
    has forgotten on hold returns to the desk.
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
        return_to_line(session, token, now(session), settings)


def undo(session: Session, callback: Callback, desk: Desk, settings: Settings) -> Callback:
    """Undo the end: the citizen returns to the desk, and the desk's new citizen waits again.

    Raises Refused("too-late" | "desk-phone-away" | "desk-hears" | "desk-busy").
    """
    transitions.hold(session, desk)
    session.refresh(callback, with_for_update={"key_share": True})
    until, at = find_undo_end(callback), now(session)
    if until is None or at >= until:
        raise Refused("too-late", "the citizen has hung up, or is being hung up")
    transitions.check_phone(desk)
    back = send_back(session, desk, but=callback)
    desk.next_asked_at = None
    session.flush()  # lock order: rows before the log
    for waits in back:
        events.append_callback(session, waits)
    until_back = _held_until(session, settings)
    values = {"parting_at": None, "said": None, "on_hold_at": None, "held_until": until_back}
    moved = transitions.move(session, callback.token, CallbackState.HELD, **values)
    assert moved is not None  # noqa: S101  (its row is locked)
    return moved


def send_back(session: Session, desk: Desk, but: Callback) -> list[Callback]:
    """Let the desk's new citizen, other than `but`, wait for any desk again. Raises Refused("desk-busy")."""
    other = transitions.find_live_at_desk(session, desk.id)
    if other is None or other.id == but.id:
        return []
    session.refresh(other, with_for_update={"key_share": True})
    given = other.state in (CallbackState.WAITING, CallbackState.TALKING) and not other.hangup_asked_at
    handed_over = other.given_by_desk_id is not None  # another desk handed them over in mid-conversation
    if not given or handed_over or desk.round_id != other.round_id:
        raise Refused("desk-busy", "the desk has another citizen in hand")
    other.state, other.desk_id, other.user_id = CallbackState.WAITING, None, None
    other.talking_at = other.finishing_at = other.toned_at = None
    other.held_s = 0.0
    session.flush()
    return [other]


def find_undoable(session: Session, desk_id: int) -> Callback | None:
    """Return the desk's newest conversation whose end can still be undone."""
    parting = select(Callback).where(
        Callback.desk_id == desk_id,
        Callback.state == CallbackState.PARTING,
        Callback.hangup_asked_at.is_(None),
    )
    return session.scalar(parting.order_by(Callback.parting_at.desc(), Callback.id.desc()).limit(1))


def find_speaker(session: Session, callback: Callback) -> Official:
    """Return the official of the desk, who may be a deputy, or else the official of the round."""
    round_ = phases.get(session, callback.round_id)
    person = round_permissions.find_at_desk(session, callback.desk_id) if callback.desk_id else None
    if person and person.official_id and round_permissions.is_own(session, person, round_):
        return session.get_one(Official, person.official_id)
    return phases.find_speaker(round_)
