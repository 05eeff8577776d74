"""The event log: every change appends an event; live pages read from the last id they saw."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, Integer, TextClause, bindparam, delete, func, insert, select, text
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Callback, Event, Recording, Registration, Request, User
from db.news import APPENDED, CHANNEL
from db.raw import fetch_value
from db.states import SEEN_BY_DEPARTMENT
from db.trusted_time import trusted_now

_ORDER_LOCK = 137
_FORGOTTEN_AT_ONCE = 1000


# PostgreSQL computes the columns of a SELECT in order, so the clock is read with the lock held.
_HOLD_ORDER = text("SELECT pg_advisory_xact_lock(:lock), clock_timestamp()")
_HOLD_LINE = text("SELECT pg_advisory_xact_lock(:lock, :round), clock_timestamp()")
_HOLD_AND_TELL = text("SELECT pg_advisory_xact_lock(:lock), pg_notify(:channel, ''), clock_timestamp()")


def _hold(session: Session, statement: TextClause, **values: object) -> datetime:
    session.flush()
    if session.get_bind().dialect.name != "postgresql":  # SQLite has one writer at a time anyway
        return now(session)
    held = session.execute(statement, {"lock": _ORDER_LOCK, **values}).one()
    at: datetime = held[-1]
    return at.astimezone(UTC)


def hold_order(session: Session) -> datetime:
    """Hold the log's order: until the commit, entries get ids in the order of commits.

    A reader who has seen 8 then never misses a 7 committed later. Call it after every other change of the
    transaction, so that its holder waits for nobody. Returns the time of the lock.
    """
    return _hold(session, _HOLD_ORDER)


def hold_line(session: Session, round_id: int) -> datetime:
    """Hold a round's line: until the commit nobody else takes from it, so that the ledger shows its order.

    Call it before the change of any row. Returns the time of the lock.
    """
    return _hold(session, _HOLD_LINE, round=round_id)


_seat = select(User.id).where(User.desk_id == bindparam("seat", type_=Integer)).scalar_subquery()
_INSERT = insert(Event).values(user_id=_seat)


def _append(session: Session, **values: object) -> None:
    # PostgreSQL notifies at the commit; on SQLite `writing` does so after it
    at = _hold(session, _HOLD_AND_TELL, channel=CHANNEL)
    session.info[APPENDED] = True
    session.execute(_INSERT, {"at": at, "seat": values.get("desk_id"), **values})


def append_registration(session: Session, registration: Registration) -> None:
    """Append the present state of `registration`. Call it last in the transaction."""
    _append(
        session,
        kind="registration",
        what=registration.state,
        round_id=registration.round_id,
        registration_id=registration.id,
    )


def append_callback(session: Session, callback: Callback) -> None:
    """Append the present state of `callback`. Call it last in the transaction."""
    _append(
        session,
        kind="callback",
        what=callback.outcome or callback.state,
        round_id=callback.round_id,
        registration_id=callback.registration_id,
        callback_id=callback.id,
        desk_id=callback.desk_id,
    )


def append_round(session: Session, round_id: int, what: str) -> None:
    """Append a fact of a round: made, changed, opened, paused, resumed, ended, cancelled."""
    _append(session, kind="round", what=what, round_id=round_id)


def append_recording(session: Session, recording: Recording, what: str) -> None:
    """Append that a recording was made or deleted."""
    callback = recording.callback
    _append(
        session,
        kind="recording",
        what=what,
        round_id=callback.round_id,
        callback_id=callback.id,
        desk_id=callback.desk_id,
    )


def append_request(session: Session, request: Request, left: int | None = None) -> None:
    """Append the present state of a request. Call it last.

    The department that sees the request is notified, and the one that it has `left`.
    """
    sees = find_department(request)
    _append(
        session,
        kind="request",
        what=request.state,
        request_id=request.id,
        department_id=sees,
        left_id=None if left == sees else left,
    )


def find_department(request: Request) -> int | None:
    """Return the department whose inbox has the request."""
    return request.department_id if request.state in SEEN_BY_DEPARTMENT else None


def append_timetable(session: Session, what: str) -> None:
    """Append a change of the city's plans: of a rule, a day, an office, a subject."""
    _append(session, kind="timetable", what=what)


def append_desk(session: Session, desk_id: int, what: str) -> None:
    """Append a fact of a desk.

    The facts are connected, disconnected, serves, asks-next, nobody-due (a manual request found nobody), not-
    now, left, let-go and owes-outcome. Others are message, message-read, freed, break, is-heard, guest, gave
    and given (a conversation), live-on and live-off (live calls). A supervisor's desk also has hears and
    heard-out; a desk's phone has account (another password).
    """
    _append(session, kind="desk", what=what, desk_id=desk_id)


def append_telephone(session: Session, what: str) -> None:
    """Append that no calls can be made ("down"), or that they can again ("up")."""
    _append(session, kind="telephone", what=what)


def append_office(session: Session, kind: str, what: str) -> None:
    """Append an administrator's action: kind "person", "number" or "key"; the audit log has the details."""
    _append(session, kind=kind, what=what)


def append_urgent(session: Session, what: str) -> None:
    """Append a new urgent matter ("new"), or that somebody took one ("taken")."""
    _append(session, kind="urgent", what=what)


def append_escalation(session: Session) -> None:
    """Append that a request was escalated to supervisors."""
    _append(session, kind="escalation", what="new")


def list_since(session: Session, last_id: int, limit: int = 500) -> Sequence[Event]:
    """Return the events after `last_id`, oldest first, at most `limit`."""
    return session.scalars(select(Event).where(Event.id > last_id).order_by(Event.id).limit(limit)).all()


_NEWEST = select(func.max(Event.id))


def find_last_id(session: Session) -> int:
    """Return the newest event's id; 0 if there is none."""
    return session.scalar(_NEWEST) or 0


def fetch_last_id(engine: Engine) -> int:
    """Return the newest event's id, by the raw fast path: a dialer without notices asks 20 times a second.

    Raises the driver's errors.
    """
    return int(fetch_value(engine, _NEWEST) or 0)


def has_other_events(engine: Engine, last_id: int) -> bool:
    """Return whether anything but a registration changed after `last_id`. Raises the driver's errors."""
    others = f"SELECT 1 FROM events WHERE id > {last_id:d} AND kind <> 'registration' LIMIT 1"  # noqa: S608
    return fetch_value(engine, others) is not None


def forget(session: Session, days: int) -> bool:
    """Delete the oldest events beyond `days`; return whether there may be more of them."""
    before = trusted_now(session) - timedelta(days=days)
    oldest = session.execute(select(Event.id, Event.at).order_by(Event.id).limit(_FORGOTTEN_AT_ONCE)).all()
    old = [id_ for id_, at in oldest if at < before]
    session.execute(delete(Event).where(Event.id.in_(old)))
    return len(old) == _FORGOTTEN_AT_ONCE
