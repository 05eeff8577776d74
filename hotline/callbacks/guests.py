"""A third person in a desk's conversation: called by the desk, through the one way out, and let in by a 1.

The row says what is wished and how far it has come; the dialer places the call, once, and leads whoever
pressed 1 into the room. Whatever becomes of it costs the citizen nothing: their callback is never touched.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import case, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import Callback, Department, Desk, Guest, Official, words
from db.states import IN_TALK, GuestEnd, GuestState, guest_sources
from hotline import audit, numbers
from hotline.callbacks import callbacks, toll
from hotline.errors import Refused
from hotline.line import blocked
from hotline.nodes import homes
from hotline.rounds import round_permissions
from settings import Settings

_PREFIX = "guest-"
_STALE = timedelta(seconds=30)
"""Nobody waits for a call any more that could not be placed for so long."""


class Whereabouts(NamedTuple):
    """A third person's call that has not ended, and where it belongs."""

    token: str
    state: GuestState
    callback_token: str
    desk_id: int
    over: bool  # the desk, or the end of the conversation, wants it ended


def is_token(channel_id: str) -> bool:
    """Whether a channel's id can be such a call's token."""
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
    """The desk wants this E.164 `number` called into its conversation; the same once more is the same call.

    `whom`: whose telephone that is, if it was not typed. Raises Refused("wrong-state" | "desk-phone-away" |
    "guest-there" | "guest-elsewhere" | "guest-is-here" | "guest-is-citizen" | "number-blocked" |
    "number-not-allowed" | "line-down" | "calls-capped").
    """
    mine = callback.desk_id
    session.refresh(callback, with_for_update={"key_share": True})  # who asks twice waits here
    desk = session.get(Desk, mine)
    not_mine = callback.desk_id != mine  # given to another desk at this moment
    if callback.state not in IN_TALK or callback.hangup_asked_at or desk is None or not_mine:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    callbacks.check_phone(desk)
    there = present(session, callback.id)
    if there is not None:
        if there.number == number and there.hangup_asked_at is None:
            return there
        raise Refused("guest-there", "a third person is being called, or there, already")
    person = round_permissions.at_desk(session, desk.id)
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
    audit.record(session, who, "guest-asked", f"callback {callback.id}", numbers.masked(number))
    _tell(session, guest)
    return guest


def _check_number(session: Session, callback: Callback, number: str, settings: Settings) -> None:
    if not numbers.allowed(number, settings.allowed_prefixes):
        raise Refused("number-not-allowed", "calls to this prefix are not allowed")
    if number == callback.registration.number:
        raise Refused("guest-is-citizen", "this is the citizen's own number")
    blocked.check(session, number)
    if session.scalar(select(Guest.id).where(Guest.number == number, Guest.ended_at.is_(None))):
        raise Refused("guest-elsewhere", "another desk calls this number at this moment")
    toll.check_room(session, settings)
    if until := toll.free_again(session, number, settings):
        raise Refused("calls-capped", f"this number has been called too often, until {until}")


def end(session: Session, guest: Guest, *, who: str) -> Guest:
    """The desk wants the third person's part ended; twice is once, and one that has ended stays so."""
    session.refresh(guest, with_for_update=True)
    if guest.ended_at or guest.hangup_asked_at:
        return guest
    guest.hangup_asked_at = now(session)
    if guest.state is GuestState.ASKED:  # there is no call yet, and will be none
        _close(session, guest, GuestEnd.BY_DESK)
    session.flush()
    audit.record(session, who, "guest-ended", f"callback {guest.callback_id}", numbers.masked(guest.number))
    _tell(session, guest)
    return guest


def get(session: Session, callback: Callback, guest_id: int) -> Guest:
    """A third person of this conversation. Raises Refused("not-found")."""
    guest = session.get(Guest, guest_id)
    if guest is None or guest.callback_id != callback.id:
        raise Refused("not-found", f"no guest {guest_id} of this callback")
    return guest


def of_callback(session: Session, callback_id: int) -> Sequence[Guest]:
    """Who was called into this conversation, the newest first."""
    query = select(Guest).where(Guest.callback_id == callback_id).order_by(Guest.id.desc())
    return session.scalars(query).all()


def present(session: Session, callback_id: int) -> Guest | None:
    """Who is in this conversation as the third, or on the way into it."""
    return session.scalar(select(Guest).where(Guest.callback_id == callback_id, Guest.ended_at.is_(None)))


def by_token(session: Session, token: str, *, lock: bool = False) -> Guest | None:
    """The third person whose channel is `token`."""
    query = select(Guest).where(Guest.token == token)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


_OVER = or_(
    Guest.hangup_asked_at.is_not(None),
    Callback.state.not_in(words(IN_TALK)),
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
    .where(Guest.ended_at.is_(None), homes.mine(Callback.node))
    .order_by(Guest.id)
)


def under_way(session: Session, node: str | None = None) -> Sequence[Whereabouts]:
    """Every third person's call that has not ended, in conversations of this `node`, or of any.

    Asked with every look of the dialer.
    """
    return [Whereabouts(*row) for row in core(session).execute(_UNDER_WAY, {"node": node})]


def take_up(session: Session, token: str, settings: Settings) -> toll.CallPermit | toll.Cap | None:
    """The call that is to be placed: from here on it is placed once. None, or the cap: it never will be."""
    at = now(session)
    guest = _move(session, token, GuestState.DIALING, placed_at=at)
    if guest is None:
        return None
    over = next((one.over for one in under_way(session) if one.token == token), True)
    stale = at - guest.asked_at > _STALE
    call = None if over or stale else toll.take(session, token, guest.number, settings)
    if not isinstance(call, toll.CallPermit):
        if call is toll.Cap.LINE_DOWN or (stale and not over):
            _close(session, guest, GuestEnd.FAILED)
        else:
            _close(session, guest, GuestEnd.CONVERSATION if over else GuestEnd.CAPPED)
    _tell(session, guest)
    return call


def came(session: Session, token: str, to: GuestState) -> None:
    """The call has come so far; a step that comes late or twice changes nothing."""
    values = {"talking_at": now(session)} if to is GuestState.TALKING else {}
    guest = _move(session, token, to, **values)
    if guest is not None:
        _tell(session, guest)


def will_end(session: Session, token: str, by: GuestEnd) -> None:
    """The call is about to end, for this reason, which its end itself does not tell."""
    session.execute(
        update(Guest)
        .where(Guest.token == token, Guest.ended_at.is_(None), Guest.ended_by.is_(None))
        .values(ended_by=by)
        .execution_options(synchronize_session=False)
    )


def ended(session: Session, token: str, heard: GuestEnd = GuestEnd.FAILED) -> None:
    """The channel has ended, or never came into being. `heard`: by the network, if nobody else says why."""
    guest = by_token(session, token, lock=True)
    if guest is None or guest.ended_at:
        return
    over = next((one.over for one in under_way(session) if one.token == token), True)
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


def on_the_phone(session: Session) -> dict[str, datetime]:
    """The tokens of calls that were placed and have not ended, and when each was placed."""
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
        .where(Guest.token == token, Guest.state.in_(guest_sources(to)))
        .values(state=to, **values)
        .returning(Guest.id)
        .execution_options(synchronize_session=False)
    )
    return session.get_one(Guest, moved, populate_existing=True) if moved else None


def _tell(session: Session, guest: Guest) -> None:
    events.desk_changed(session, guest.desk_id, "guest")
