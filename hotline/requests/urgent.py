"""Urgent matters: urgent requests, and callers who said that somebody is in danger.

Each is a row of the transaction that files it. A matter ends when a person takes it (one statement, one
winner) or moves the request. It also ends when a desk has or had the caller on the line, or the emergency
service has. Until then all desks see it, and supervisors are told (line.urgent_calls).
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from db import events
from db.engine import hold_lock, now
from db.models import Callback, Request, RescueCall, UrgentMatter, WaitingCaller, make_literal
from db.states import CallbackState, RequestState, RequestStep
from db.trusted_time import trusted_now
from hotline import audit
from hotline.errors import Refused
from hotline.requests.lifecycle import log

_KEPT = timedelta(days=30)
_SHOWN = 50
_OF_NUMBER, _OF_MANY = 3, 20
"""Maximum number of open requests that ring: of one number; of all without a number, and of one program.

The next one rings as soon as one is handled.
"""

_its = or_(Request.id == UrgentMatter.request_id, Request.part_of_id == UrgentMatter.request_id)
_new = exists().where(
    _its, Request.state == make_literal(RequestState.NEW)
)  # a part of a split request counts too
_in_hand = exists().where(
    Callback.registration_id == UrgentMatter.registration_id,
    or_(Callback.state != make_literal(CallbackState.CLOSED), Callback.talking_at >= UrgentMatter.made_at),
)
_rescued = exists().where(RescueCall.matter_id == UrgentMatter.id, RescueCall.connected_at.is_not(None))
OPEN = and_(
    UrgentMatter.taken_at.is_(None),
    or_(
        and_(UrgentMatter.request_id.is_not(None), _new),
        and_(UrgentMatter.number.is_not(None), ~_in_hand, ~_rescued),
    ),
)
"""Condition on UrgentMatter: nobody handles it."""

_filed = aliased(Request)
_whose = (UrgentMatter.request_id.is_(None).label("of_caller"), _filed.number, _filed.api_key_id)
_in_time = UrgentMatter.made_at, UrgentMatter.id
_open = (
    select(
        *(*_in_time, *_whose, _filed.contact),
        func.row_number().over(partition_by=(*_whose, _filed.contact), order_by=_in_time).label("nth"),
    )
    .outerjoin(_filed, _filed.id == UrgentMatter.request_id)
    .where(OPEN)
    .subquery()
)
_from = _open.c.of_caller, _open.c.number, _open.c.api_key_id
_nth = func.row_number().over(partition_by=_from, order_by=(_open.c.nth, _open.c.made_at, _open.c.id))
_named = or_(_open.c.number.is_not(None), _open.c.contact != "")
_loud = and_(_open.c.nth <= case((_named, _OF_NUMBER), else_=_OF_MANY), _nth <= _OF_MANY)
RANKED = select(_open.c.id, and_(~_open.c.of_caller, ~_loud).label("quiet")).subquery()
"""Open matters, and which of them are `quiet` because too many of the same origin came before them.

Quiet matters are shown at all desks but do not ring, and supervisors are called for the others first. So a
flood of forged requests rings like a few, and no matter is hidden.
"""


def record_from_caller(
    session: Session, number: str | None, registration_id: int | None = None
) -> UrgentMatter:
    """Record that a caller reports a person in danger; a repeat returns the open matter.

    Its row stays locked. Call this before any event, because whoever takes a matter locks the row first, too.
    """
    if number:
        hold_lock(session, number)  # locked before the row, as in registering and erasing
    at = now(session)
    same = select(UrgentMatter).where(
        UrgentMatter.number == number, UrgentMatter.request_id.is_(None), UrgentMatter.taken_at.is_(None)
    )
    same = same.where(OPEN).limit(1).with_for_update(of=UrgentMatter)
    there = session.scalars(same).first() if number else None
    if there is None:
        there = UrgentMatter(made_at=at, number=number)
        session.add(there)
    there.registration_id = registration_id or there.registration_id
    session.flush()
    return there


def add_from_request(session: Session, request: Request) -> None:
    """Add an urgent matter for a request that a citizen has filed as urgent."""
    session.add(UrgentMatter(request_id=request.id, made_at=request.made_at))
    events.append_urgent(session, "new")


def list_open(session: Session, *, quiet: bool = False) -> Sequence[UrgentMatter]:
    """Return at most 50 open matters, the newest, in order of time: those that ring, or the `quiet` ones."""
    newest = (
        select(UrgentMatter)
        .join(RANKED, and_(RANKED.c.id == UrgentMatter.id, RANKED.c.quiet.is_(quiet)))
        .order_by(UrgentMatter.made_at.desc(), UrgentMatter.id.desc())
        .limit(_SHOWN)
    )
    return session.scalars(newest).all()[::-1]


def is_open(session: Session, matter: UrgentMatter) -> bool:
    """Return whether nobody handles the matter."""
    return session.scalar(select(UrgentMatter.id).where(UrgentMatter.id == matter.id, OPEN)) is not None


def is_on_the_line(session: Session, matter: UrgentMatter) -> bool:
    """Return whether the matter's caller is still on the line."""
    caller = session.get(WaitingCaller, matter.registration_id) if matter.registration_id else None
    return caller is not None and caller.left_at is None


def get(session: Session, matter_id: int) -> UrgentMatter:
    """The matter. Raises Refused("not-found")."""
    matter = session.get(UrgentMatter, matter_id, populate_existing=True)
    if matter is None:
        raise Refused("not-found", f"no urgent matter {matter_id}")
    return matter


def take(session: Session, matter_id: int, *, who: str) -> UrgentMatter:
    """Record that `who` handles the matter; a repeat by the same person does nothing.

    Raises Refused("not-found" | "urgent-taken").
    """
    taken = session.scalar(
        update(UrgentMatter)
        .where(UrgentMatter.id == matter_id, UrgentMatter.taken_at.is_(None))
        .values(taken_by=who, taken_at=now(session))
        .returning(UrgentMatter.id)
        .execution_options(synchronize_session=False)
    )
    matter = get(session, matter_id)
    if taken is None:
        if matter.taken_by != who:
            raise Refused("urgent-taken", f"{matter.taken_by} has taken it")
        return matter
    if matter.request:
        audit.record(session, who, "request-taken", f"request {matter.request_id}")
        log(session, matter.request, RequestStep.TAKEN, who)
    else:
        audit.record(session, who, "urgent-taken", f"urgent {matter.id}")
    events.append_urgent(session, "taken")
    return matter


def find_number(matter: UrgentMatter) -> str | None:
    """Return the E.164 number to call, or None."""
    return matter.request.number if matter.request else matter.number


def forget(session: Session) -> None:
    """Delete matters older than 30 days, except those with a call in progress."""
    before = trusted_now(session) - _KEPT
    old = select(UrgentMatter.id).where(UrgentMatter.made_at < before, UrgentMatter.token.is_(None))
    for gone in (
        delete(RescueCall).where(RescueCall.matter_id.in_(old)),
        delete(UrgentMatter).where(UrgentMatter.id.in_(old)),
    ):
        session.execute(gone.execution_options(synchronize_session=False))
