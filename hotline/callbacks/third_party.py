"""Third persons ("guests") in a desk's conversation: the desk calls them, and a press of 1 lets them in.

The row holds the request and its progress. The dialer places the call once, within all caps, and moves
whoever pressed 1 into the room. A guest's call never changes the citizen's callback.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import case, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Department, Desk, Guest, Official, make_literals
from db.states import IN_TALK, GuestEnd, GuestState, list_guest_sources
from hotline import audit, numbers
from hotline.callbacks import transitions
from hotline.errors import Refused
from hotline.line import blocked
from hotline.nodes import round_affinity
from hotline.rounds import round_permissions
from hotline.trunk import call_caps
from settings import Settings

_PREFIX = "guest-"
_STALE = timedelta(seconds=30)
"""How long a requested call may stay unplaced before it is given up."""


class Whereabouts(NamedTuple):
    """Call to a third person that has not ended, and its conversation."""

    token: str
    state: GuestState
    callback_token: str
    desk_id: int
    over: bool  # the call must end: the desk asked for it, or the conversation is over


def is_token(channel_id: str) -> bool:
    """Return whether a channel's id has the form of a guest call's token."""
    return channel_id.startswith(_PREFIX)


def ask(
    session: Session,
    callback: Callback,
    number: str,
    settings: Settings,
    *,
    who: str,
    whom: Department | Official | None = None,
) -> Guest:
    """Request a call to the E.164 `number` into the desk's conversation; a repeated request changes nothing.

    `whom`: the owner of the telephone, if the number was not typed. Raises Refused("wrong-state" |
    "desk-phone-away" | "guest-there" | "guest-elsewhere" | "guest-is-here" | "guest-is-citizen" |
    "number-blocked"). Also raises Refused("number-not-allowed" | "line-down" | "calls-capped").
    """
    mine = callback.desk_id
    session.refresh(callback, with_for_update={"key_share": True})  # a repeated request waits for this lock
    desk = session.get(Desk, mine)
    not_mine = callback.desk_id != mine  # handed to another desk meanwhile
    if callback.state not in IN_TALK or callback.hangup_asked_at or desk is None or not_mine:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    transitions.check_phone(desk)
    there = find_present(session, callback.id)
    if there is not None:
        if there.number == number and there.hangup_asked_at is None:
            return there
        raise Refused("guest-there", "a third person is being called, or there, already")
    person = round_permissions.find_at_desk(session, desk.id)
    if isinstance(whom, Official) and person and person.official_id == whom.id:
        raise Refused("guest-is-here", "this official is at the desk")
    _check_number(session, callback, number, settings)
    guest = Guest(
        callback_id=callback.id,
        desk_id=desk.id,
        department_id=whom.id if isinstance(whom, Department) else None,
        official_id=whom.id if isinstance(whom, Official) else None,
        token=f"{_PREFIX}{uuid.uuid4().hex}",
        number=number,
        asked_by=who,
        asked_at=now(session),
    )
    session.add(guest)
    try:
        session.flush()
    except IntegrityError as error:
        raise Refused("guest-elsewhere", "another desk calls this number at this moment") from error
    audit.record(session, who, "guest-asked", f"callback {callback.id}", numbers.mask(number))
    _tell(session, guest)
    return guest


def _check_number(session: Session, callback: Callback, number: str, settings: Settings) -> None:
    if not numbers.is_allowed(number, settings.allowed_prefixes):
        raise Refused("number-not-allowed", "calls to this prefix are not allowed")
    if number == callback.registration.number:
        raise Refused("guest-is-citizen", "this is the citizen's own number")
    blocked.check(session, number)
    if session.scalar(select(Guest.id).where(Guest.number == number, Guest.ended_at.is_(None))):
        raise Refused("guest-elsewhere", "another desk calls this number at this moment")
    call_caps.check_capacity(session, settings)
    if until := call_caps.find_next_free_at(session, number, settings):
        raise Refused("calls-capped", f"this number has been called too often, until {until}")


def end(session: Session, guest: Guest, *, who: str) -> Guest:
    """End the third person's part for the desk; repeated requests and ended calls change nothing."""
    session.refresh(guest, with_for_update=True)
    if guest.ended_at or guest.hangup_asked_at:
        return guest
    guest.hangup_asked_at = now(session)
    if guest.state is GuestState.ASKED:  # the dialer has placed no call yet, and will place none
        _close(session, guest, GuestEnd.BY_DESK)
    session.flush()
    audit.record(session, who, "guest-ended", f"callback {guest.callback_id}", numbers.mask(guest.number))
    _tell(session, guest)
    return guest


def get(session: Session, callback: Callback, guest_id: int) -> Guest:
    """Return a third person of this conversation. Raises Refused("not-found")."""
    guest = session.get(Guest, guest_id)
    if guest is None or guest.callback_id != callback.id:
        raise Refused("not-found", f"no guest {guest_id} of this callback")
    return guest


def list_by_callback(session: Session, callback_id: int) -> Sequence[Guest]:
    """Return the third persons of this conversation, the newest first."""
    query = select(Guest).where(Guest.callback_id == callback_id).order_by(Guest.id.desc())
    return session.scalars(query).all()


def find_present(session: Session, callback_id: int) -> Guest | None:
    """Return the third person who is in this conversation or being called into it."""
    return session.scalar(select(Guest).where(Guest.callback_id == callback_id, Guest.ended_at.is_(None)))


def find_by_token(session: Session, token: str, *, lock: bool = False) -> Guest | None:
    """Return the third person whose channel is `token`."""
    query = select(Guest).where(Guest.token == token)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


_OVER = or_(
    Guest.hangup_asked_at.is_not(None),
    Callback.state.not_in(make_literals(IN_TALK)),
    Callback.hangup_asked_at.is_not(None),
    ~Desk.phone_connected,
)
_UNDER_WAY = (
    select(
        Guest.token,
        Guest.state,
        Callback.token.label("callback_token"),
        Guest.desk_id,
        case((_OVER, True), else_=False).label("over"),
    )
    .join(Callback, Callback.id == Guest.callback_id)
    .join(Desk, Desk.id == Guest.desk_id)
    .where(Guest.ended_at.is_(None), round_affinity.where_mine(Callback.node))
    .order_by(Guest.id)
)


def list_under_way(session: Session, node: str | None = None) -> Sequence[Whereabouts]:
    """Return the guest calls that have not ended, in conversations of this `node` or, if None, of all.

    The dialer runs this at each poll.
    """
    return [Whereabouts(*row) for row in session.execute(_UNDER_WAY, {"node": node})]


def take_up(session: Session, token: str, settings: Settings) -> call_caps.CallPermit | call_caps.Cap | None:
    """Commit that the call is about to be placed, so that it is placed once.

    Return None, or the cap, if it will never be placed.
    """
    at = now(session)
    guest = _move(session, token, GuestState.DIALING, placed_at=at)
    if guest is None:
        return None
    over = next((one.over for one in list_under_way(session) if one.token == token), True)
    stale = at - guest.asked_at > _STALE
    call = None if over or stale else call_caps.claim_call(session, token, guest.number, settings)
    if not isinstance(call, call_caps.CallPermit):
        if call is call_caps.Cap.LINE_DOWN or (stale and not over):
            _close(session, guest, GuestEnd.FAILED)
        else:
            _close(session, guest, GuestEnd.CONVERSATION if over else GuestEnd.CAPPED)
    _tell(session, guest)
    return call


def record_state(session: Session, token: str, to: GuestState) -> None:
    """Move the call to the state `to`; a late or repeated step changes nothing."""
    values = {"talking_at": now(session)} if to is GuestState.TALKING else {}
    guest = _move(session, token, to, **values)
    if guest is not None:
        _tell(session, guest)


def record_end_reason(session: Session, token: str, by: GuestEnd) -> None:
    """Note the reason of the coming end, because the hang-up event does not carry it."""
    session.execute(
        update(Guest)
        .where(Guest.token == token, Guest.ended_at.is_(None), Guest.ended_by.is_(None))
        .values(ended_by=by)
        .execution_options(synchronize_session=False)
    )


def record_end(session: Session, token: str, heard: GuestEnd = GuestEnd.FAILED) -> None:
    """Record that the channel has ended or never existed.

    `heard`: the network's reason, used if no other is known.
    """
    guest = find_by_token(session, token, lock=True)
    if guest is None or guest.ended_at:
        return
    over = next((one.over for one in list_under_way(session) if one.token == token), True)
    by = guest.ended_by
    if guest.hangup_asked_at:
        by = GuestEnd.BY_DESK
    elif by is None and over:
        by = GuestEnd.CONVERSATION
    elif by is None and guest.state is GuestState.TALKING:
        by = GuestEnd.LEFT
    elif by is None and guest.state is GuestState.ANSWERED:
        by = GuestEnd.NOT_CONFIRMED
    _close(session, guest, by or heard)
    _tell(session, guest)


def list_in_progress(session: Session) -> dict[str, datetime]:
    """Return the tokens of the placed calls that have not ended, and when each was placed."""
    query = select(Guest.token, Guest.placed_at).where(Guest.ended_at.is_(None))
    return {token: at for token, at in session.execute(query) if at}


_AS_WISHED = (GuestEnd.BY_DESK, GuestEnd.CONVERSATION)


def _close(session: Session, guest: Guest, by: GuestEnd) -> None:
    at, spoke = now(session), guest.talking_at is not None
    guest.state = GuestState.ENDED if spoke or by in _AS_WISHED else GuestState.FAILED
    guest.ended_by, guest.ended_at = by, at
    session.flush()


def _move(session: Session, token: str, to: GuestState, **values: Any) -> Guest | None:
    moved = session.scalar(
        update(Guest)
        .where(Guest.token == token, Guest.state.in_(list_guest_sources(to)))
        .values(state=to, **values)
        .returning(Guest.id)
        .execution_options(synchronize_session=False)
    )
    return session.get_one(Guest, moved, populate_existing=True) if moved else None


def _tell(session: Session, guest: Guest) -> None:
    events.append_desk(session, guest.desk_id, "guest")
