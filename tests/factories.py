"""Rows for tests, made relative to the database's clock, and what many do at once."""

import functools
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum import damm

from db import events
from db.engine import now
from db.models import (
    Callback,
    CallQuality,
    Confirmation,
    Department,
    Desk,
    Event,
    FailedSignIn,
    Note,
    Official,
    OfficialKind,
    OutboundCall,
    OutboundKind,
    Registration,
    Request,
    Role,
    Round,
    User,
)
from db.states import WITH_DEPARTMENT, CallbackState, Outcome, Phase, RegistrationState, RequestState
from hotline.line import confirmations
from hotline.outbound import heads_up, queue
from hotline.people import lockout
from hotline.rounds import planning
from settings import Settings, WorkingHours, WorkingWeek

T = TypeVar("T")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
NUMBER = "+989131234567"
PASSWORD = "گذرواژهٔ میز ۱"

_serial = itertools.count(1)
_HOURS = {  # registration from, until, start, end: hours from now
    Phase.PLANNED: (1, 2, 3, 4),
    Phase.ANNOUNCED: (1, 2, 3, 4),
    Phase.OPEN: (-1, 1, 2, 3),
    Phase.CLOSED: (-2, -1, 1, 2),
    Phase.LIVE: (-2, 1, -1, 1),
    Phase.OVER: (-4, -3, -2, -1),
    Phase.CANCELLED: (-1, 1, 2, 3),
}


def an_official(session: Session) -> Official:
    official = Official(kind=OfficialKind.MAYOR, office_fa="شهردار", office_en="Mayor", clip="office-mayor")
    session.add(official)
    return official


def a_round(session: Session, phase: Phase = Phase.LIVE, *, opened: bool = True) -> Round:
    """A round in this phase; a live one not yet `opened` has begun by the clock alone."""
    at = now(session)
    times = [at + hours * HOUR for hours in _HOURS[phase]]
    names = ("registration_from", "registration_until", "starts_at", "ends_at")
    own_times = dict(zip(names, times, strict=True))
    if phase is Phase.PLANNED:
        own_times["announce_at"] = own_times["registration_from"]
    round_ = planning.make(session, official=an_official(session), short_notice=True, **own_times)
    if phase is Phase.CANCELLED:
        round_.cancelled_at = at
    if phase is Phase.LIVE and opened:
        round_.opened_at = round_.starts_at
    session.flush()
    return round_


BROWSER, ANOTHER = "b" * 32, "a" * 32
"""The cookies of two browsers that ask for codes."""


def a_number() -> str:
    return f"+98913{next(_serial):07}"


def wrong_guesses(session: Session, username: str, failures: int, until: datetime | None = None) -> None:
    """Record wrong guesses of the name's password, which lock it until then."""
    lockout.unlock(session, username)
    session.add(
        FailedSignIn(
            name_hash=lockout._hash(username), failures=failures, last_at=now(session), locked_until=until
        )
    )
    session.flush()


def a_ticket() -> str:
    said = f"{next(_serial):07}"
    return said + damm.calc_check_digit(f"1{said}")


def some_registrations(session: Session, round_: Round, count: int, **values: Any) -> list[Registration]:
    """Make waiting registrations a second apart, in the order of calling."""
    first = now(session) - HOUR
    made = [
        Registration(
            **{
                "round_id": round_.id,
                "number": a_number(),
                "ticket": a_ticket(),
                "registered_at": first + place * SECOND,
                **values,
            }
        )
        for place in range(count)
    ]
    session.add_all(made)
    session.flush()
    return made


def a_registration(session: Session, round_: Round, **values: Any) -> Registration:
    return some_registrations(session, round_, 1, **values)[0]


def keyed_in(
    session: Session, round_: Round, number: str = "", *, asked_by: str | None = "", language: str = "fa"
) -> Confirmation:
    """Somebody else keyed this number in (None: on a phone without a number); it may be called at once."""
    id_ = confirmations.ask_place(
        session,
        round_id=round_.id,
        number=number or a_number(),
        asked_by=a_number() if asked_by == "" else asked_by,
        language=language,
        per_day=3,
    )
    confirmation = session.get_one(Confirmation, id_)
    confirmation.not_before = now(session)
    session.flush()
    return confirmation


def a_desk(session: Session, *, connected: bool = True) -> Desk:
    desk = Desk(phone_connected=connected)
    session.add(desk)
    session.flush()
    return desk


def a_user(session: Session, desk: Desk | None = None, username: str = "") -> User:
    """A person whose password is PASSWORD."""
    user = User(
        username=username or f"user-{next(_serial)}",
        name="اپراتور",
        role=Role.OPERATOR,
        password_hash=_password_hash(),
        desk=desk,
    )
    session.add(user)
    session.flush()
    return user


@functools.cache
def _password_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # quick to verify


def of_department(session: Session, department: Department | None = None, **values: Any) -> User:
    """A person of a department, whose password is PASSWORD."""
    department = department or a_department(session)
    user = User(
        username=f"department-{next(_serial)}",
        name="کارشناس",
        role=Role.DEPARTMENT,
        department=department,
        password_hash=_password_hash(),
        **values,
    )
    session.add(user)
    session.flush()
    return user


WITHOUT_OUTCOME = [state for state in CallbackState if state is not CallbackState.CLOSED]
TALKED = (CallbackState.TALKING, CallbackState.HELD, CallbackState.PARTING, CallbackState.ENDED)


def a_callback(
    session: Session,
    state: CallbackState = CallbackState.CLAIMED,
    user: User | None = None,
    **registered: Any,
) -> Callback:
    """Make a callback in this state at the user's or a new desk, in a live round.

    A conversation, or one that has ended, began a minute ago.
    """
    user = user or a_user(session, a_desk(session))
    assert user.desk_id is not None
    registration = a_registration(
        session, a_round(session), **{"state": RegistrationState.CALLING, **registered}
    )
    callback = Callback(
        registration=registration,
        round_id=registration.round_id,
        desk_id=user.desk_id,
        user_id=user.id,
        screen_desk_id=user.desk_id if state is CallbackState.SCREENING else None,
        token=f"callback-{next(_serial):032}",
        state=state,
        outcome=Outcome.REACHED if state is CallbackState.CLOSED else None,
        claimed_at=now(session),
        talking_at=now(session) - MINUTE if state in TALKED else None,
        held_until=now(session) + MINUTE if state is CallbackState.HELD else None,
        parting_at=now(session) if state is CallbackState.PARTING else None,
    )
    session.add(callback)
    session.flush()
    return callback


def a_note(session: Session, callback: Callback, written: str, user: User | None = None) -> Note:
    """Something that this person, or somebody, wrote of the conversation."""
    user = user or a_user(session)
    note = Note(callback_id=callback.id, user_id=user.id, at=now(session), written=written)
    session.add(note)
    session.flush()
    session.expire(callback, ["notes"])
    return note


def written_of(callback: Callback) -> list[str]:
    """All that is written of a conversation, the oldest first."""
    return [note.written for note in callback.notes]


def a_quality(callback_id: int, mos: float, at: datetime) -> CallQuality:
    """Make a browser's measurement of a conversation, with this MOS."""
    return CallQuality(
        callback_id=callback_id,
        readings=100,
        mos=mos,
        mos_worst=max(1.0, mos - 0.5),
        loss=(4.5 - mos) * 5,
        loss_worst=(4.5 - mos) * 8,
        jitter_ms=4.0,
        jitter_ms_worst=12.0,
        rtt_ms=30.0,
        rtt_ms_worst=90.0,
        measured_at=at,
    )


WEEK = WorkingWeek(frozenset({5, 6, 0, 1, 2}), WorkingHours(time(7, 30), time(14, 30)))
"""Saturday to Wednesday."""


def a_department(session: Session) -> Department:
    department = Department(name_fa=f"ادارهٔ {next(_serial)}", name_en=f"Department {next(_serial)}")
    session.add(department)
    session.flush()
    return department


def a_request(session: Session, state: RequestState = RequestState.NEW, **values: Any) -> Request:
    """A request in this state, without a history; written, unless it has a `voice_message`."""
    own: dict[str, Any] = {"number": a_number(), "category": 1, "district": 1, "language": "fa"}
    if "voice_message" not in values:
        own["written"] = "چراغ کوچه خاموش است"
    if state in WITH_DEPARTMENT:
        own |= {"department_id": a_department(session).id, "due_at": now(session) + 24 * HOUR}
    if state is RequestState.REPLIED:
        own |= {"reply": "ترمیم شد", "replied_at": now(session)}
    if state is RequestState.DUPLICATE:
        own["duplicate_of_id"] = a_request(session).id
    payload = f"{next(_serial):07}"
    tracking = payload + damm.calc_check_digit(payload)
    request = Request(**own | {"state": state, "tracking": tracking, "made_at": now(session)} | values)
    session.add(request)
    session.flush()
    return request


def told(session: Session, after: int = 0) -> Sequence[Event]:
    """Commit; the events after this one."""
    session.commit()
    return events.list_since(session, after)


def newest_event(session: Session) -> int:
    """Commit; the id of the last event."""
    session.commit()
    return events.find_last_id(session)


def at_once(count: int, act: Callable[[int], T]) -> Sequence[T]:
    """Return the results of `act(0)` … `act(count - 1)`, each in its own thread, released at one moment."""
    gate = threading.Barrier(count, timeout=30)

    def run(which: int) -> T:
        gate.wait()
        return act(which)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def due_heads_up(session: Session) -> list[int]:
    """Return the registrations whose heads-up calls are due."""
    due = queue.list_due(session, heads_up.CALLS, 10)
    return [session.get_one(OutboundCall, id_).registration_id or 0 for id_ in due]


def heads_up_call(session: Session, registration_id: int) -> OutboundCall:
    """Return the last heads-up call that was asked for this place."""
    asked = select(OutboundCall).where(
        OutboundCall.kind == OutboundKind.HEADS_UP, OutboundCall.registration_id == registration_id
    )
    return session.scalars(asked.order_by(OutboundCall.id.desc())).all()[0]


def claim_heads_up(session: Session, registration_id: int) -> str | None:
    """Claim the heads-up call of this place, as the dialer does; the head of the line is not spared."""
    id_ = heads_up_call(session, registration_id).id
    if not heads_up.CALLS.may_claim(session, id_, Settings.model_construct(call_ahead_most=0)):
        return None
    call = queue.claim(session, heads_up.CALLS, id_)
    return call.token if call else None
