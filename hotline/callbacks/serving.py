"""Serving a round: the dialer calls ahead, and a free desk gets the first waiting citizen («بعدی», next).

A desk serves one round at a time (`Desk.round_id`). `next_asked_at` holds since when the desk wants a
citizen, until the conversation begins (`clear_request`). `assignment` matches the desk with the first waiting
citizen, so the two need not be ready at the same moment. If the citizen hangs up on the way, the desk still
wants the next one.

Lock order: rows first, then the event log (db.events), after which no row lock is taken. So a desk is locked
before any write, and matching skips rows that others have locked.
"""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import BreakReason, Callback, Desk, Round, UtcDateTime, make_literals
from db.states import ON_THE_PHONE, UNDER_WAY, CallbackState, Phase, list_callback_sources
from db.trusted_time import trusted_now
from hotline import audit
from hotline.callbacks import assignment, breaks, conversations, direct_routing, transitions
from hotline.errors import Refused
from hotline.nodes import draining, round_affinity
from hotline.rounds import phases, round_permissions
from settings import Settings

_OVER = (Phase.OVER, Phase.CANCELLED)


def serve(session: Session, desk: Desk, round_id: int, settings: Settings) -> None:
    """Let the desk serve this round, and leave another.

    Raises Refused("not-found" | "not-your-round" | "round-over").
    """
    round_ = phases.get(session, round_id)
    person = round_permissions.find_at_desk(session, desk.id)
    if person:
        round_permissions.check_serves(session, person, round_)
    phases.check_not_over(round_, now(session))
    if desk.round_id == round_id:
        return
    transitions.hold(session, desk)
    _sit(session, desk, round_id, settings)
    events.append_desk(session, desk.id, "serves")


def leave(session: Session, desk: Desk, settings: Settings) -> None:
    """Let the desk leave its round; a conversation in progress goes on."""
    transitions.hold(session, desk)
    _sit(session, desk, None, settings)


def _sit(session: Session, desk: Desk, round_id: int | None, settings: Settings) -> None:
    before, took = desk.round_id, direct_routing.takes_live_calls(session, desk)
    back = _wants_no_more(session, desk)
    desk.round_id = round_id
    session.flush()  # lock order: rows before the log
    if before is not None:
        _left(session, desk, back, settings)
    if (takes := direct_routing.takes_live_calls(session, desk)) is not took:
        direct_routing.tell(session, desk, takes=takes)


def _left(session: Session, desk: Desk, back: Callback | None, settings: Settings) -> None:
    live = transitions.find_live_at_desk(session, desk.id)
    if live and live.state in (CallbackState.PARTING, CallbackState.ENDED):
        conversations.finish(session, live, settings)
    if back:
        events.append_callback(session, back)
    events.append_desk(session, desk.id, "left")


def _wants_no_more(session: Session, desk: Desk) -> Callback | None:
    """Stop wanting a citizen.

    Return the callback, if any, that was given to the desk and waits for any again.
    """
    wanted, desk.next_asked_at = desk.next_asked_at, None
    if wanted is None:
        return None
    back = session.scalar(
        update(Callback)
        .where(
            Callback.desk_id == desk.id,
            Callback.round_id == desk.round_id,
            Callback.state == CallbackState.WAITING,
            Callback.hangup_asked_at.is_(None),
        )
        .values(desk_id=None, user_id=None)
        .returning(Callback.id)
        .execution_options(synchronize_session=False)
    )
    return session.get_one(Callback, back, populate_existing=True) if back else None


def _was_its_last(session: Session, desk: Desk, callback_id: int) -> bool:
    """Return whether the desk has ended this conversation and its round is over."""
    callback = session.get(Callback, callback_id)
    if callback is None or callback.desk_id != desk.id or transitions.find_live_at_desk(session, desk.id):
        return False
    return phases.find_phase(phases.get(session, callback.round_id), trusted_now(session)) in _OVER


def ask_next(
    session: Session, desk: Desk, after: int | None, settings: Settings, *, confirmed: bool = False
) -> Callback | None:
    """End the conversation `after` and ask for the next citizen («بعدی», next).

    Return the desk's callback now. `after`: the callback that the desk had when it asked, or None; a key
    pressed twice ends one conversation. A conversation that has just begun ends only if `confirmed`. Raises
    Refused("not-serving" | "desk-phone-away" | "desk-phone-elsewhere" | "confirm-next" | "wrong-state" |
    "round-not-started").
    """
    transitions.hold(session, desk)
    if desk.round_id is None:
        if after is not None and _was_its_last(session, desk, after):
            return None  # a key pressed twice
        raise Refused("not-serving", "the desk serves no round")
    if not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    if desk.phone != "browser" and round_affinity.is_elsewhere(session, desk.id):  # a browser moves by itself
        raise Refused("desk-phone-elsewhere", "the round's calls are on another node than the desk's phone")
    live = transitions.find_live_at_desk(session, desk.id)
    if live and live.id != after:
        return live
    if live and not confirmed and conversations.is_young(session, live):
        raise Refused("confirm-next", "the conversation has just begun: end it once more, on purpose")
    # A desk that leaves its round does not come back by itself once a clock that leapt is right again.
    round_, at = phases.get(session, desk.round_id), trusted_now(session)
    over, paused = phases.find_phase(round_, at) in _OVER, None
    if not over:
        phases.check_begun(round_, at)
        breaks.end(session, desk)
        desk.next_asked_at = desk.next_asked_at or now(session)
        paused, round_.paused_at = round_.paused_at, None
        session.flush()  # the round's row before the log, which `finish` holds
    if live:
        conversations.finish(session, live, settings)
    if over:
        leave(session, desk, settings)
        return None
    if paused:
        person = round_permissions.find_at_desk(session, desk.id)
        who = person.username if person else f"desk {desk.id}"
        audit.record(session, who, "round-resumed", f"round {round_.id}")
        events.append_round(session, round_.id, "resumed")
    events.append_desk(session, desk.id, "asks-next")
    assignment.match(session)
    return transitions.find_live_at_desk(session, desk.id)


def withdraw_request(session: Session, desk: Desk) -> None:
    """Withdraw the desk's request for the next citizen («اکنون نه», not now)."""
    transitions.hold(session, desk)
    if desk.next_asked_at:
        back = _wants_no_more(session, desk)
        session.flush()
        if back:
            events.append_callback(session, back)
        events.append_desk(session, desk.id, "not-now")


def take_break(session: Session, desk: Desk, reason: BreakReason | None) -> None:
    """Begin a break for this reason, or end it (None). A citizen given to the desk waits for another one."""
    transitions.hold(session, desk)
    if reason is None:
        breaks.end(session, desk)
    else:
        breaks.begin_break(session, desk, reason)
        withdraw_request(session, desk)
    events.append_desk(session, desk.id, "break")


def clear_request(session: Session, callback: Callback) -> bool:
    """Clear the desk's request when the conversation of this callback begins. Call it before the transition.

    Return False, without a change, if the desk's phone has gone or the citizen is not the desk's any more.
    """
    desk = session.get(Desk, callback.desk_id)
    if desk is None:
        return False
    transitions.hold(session, desk)
    session.refresh(callback, ["state", "desk_id"])
    if callback.state not in list_callback_sources(CallbackState.TALKING) or callback.desk_id != desk.id:
        return False
    if not desk.phone_connected:
        return False
    desk.next_asked_at = None
    session.flush()
    return True


def announce_end(session: Session, desk: Desk) -> Callback:
    """Note that the conversation will soon end («رو به پایان»). Raises Refused("wrong-state")."""
    live = transitions.find_live_at_desk(session, desk.id)
    if live is None or live.state is not CallbackState.TALKING:
        raise Refused("wrong-state", "the desk speaks with nobody")
    if live.finishing_at is None:
        live.finishing_at = now(session)
        events.append_callback(session, live)
    return live


_at_work = exists().where(
    Desk.round_id == Round.id,
    Desk.phone_connected,
    or_(Round.node.is_(None), Desk.node.is_(None), Desk.node == Round.node),  # where its citizens are
)
_begun = or_(Round.opened_at.is_not(None), Round.starts_at <= bindparam("at", type_=UtcDateTime))
_drained = draining.where_drained(Round.node)
"""Condition that a round's node drains: the round calls nobody ahead, and moves."""
_SERVED = select(Round).where(
    _at_work,
    _begun,
    Round.paused_at.is_(None),
    ~phases.where_over(),
    round_affinity.where_mine(Round.node),
    ~_drained,
)


def list_served(session: Session, node: str | None = None) -> Sequence[Round]:
    """Return the rounds to call ahead: begun, neither over nor paused, with a desk's phone connected.

    `node` limits them to its rounds.
    """
    return session.scalars(_SERVED, {**phases.bind_moment(now(session)), "node": node}).all()


def may_come_to(session: Session, callback: Callback, desk_id: int | None) -> bool:
    """Return whether no desk has the citizen and the callback is of the round that this desk serves."""
    desk = session.get(Desk, desk_id) if desk_id is not None else None
    called = callback.desk_id is None and callback.state is not CallbackState.CLOSED
    return called and desk is not None and desk.round_id == callback.round_id


def list_desks(session: Session, round_id: int) -> Sequence[Desk]:
    """Return the desks that serve the round."""
    return session.scalars(select(Desk).where(Desk.round_id == round_id).order_by(Desk.id)).all()


_nobodys = and_(Callback.desk_id.is_(None), Callback.state.in_(make_literals(ON_THE_PHONE)))
_not_yet = Callback.state.in_(make_literals((*UNDER_WAY, CallbackState.WAITING, CallbackState.SCREENING)))
_LEFT = (
    select(Callback.token)
    .join(Round, Round.id == Callback.round_id)
    .where(
        Callback.hangup_asked_at.is_(None),
        Callback.state.in_(make_literals(ON_THE_PHONE)),
        or_(_nobodys, and_(Round.cancelled_at.is_not(None), _not_yet)),
        phases.where_over(),
    )
)
_ALL_LEFT = _LEFT.order_by(Callback.id)


def list_left_behind(session: Session) -> Sequence[str]:
    """Return the tokens of calls whose round is over or cancelled, so that nobody will speak with them.

    These are the calls ahead and, in a cancelled round, the calls of desks that do not talk yet.
    """
    return session.execute(_ALL_LEFT, phases.bind_moment(trusted_now(session))).scalars().all()


def request_end(session: Session, token: str) -> bool:
    """Request the end of such a call, unless a desk has just begun to talk. Return whether it did.

    The dialer plays an apology and hangs up. The citizen returns to their own place as if never called.
    """
    at = trusted_now(session)
    callback = transitions.find_by_token(session, token)
    desk_id = callback.desk_id if callback else None
    asked = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.token.in_(_LEFT))
        .values(hangup_asked_at=at, desk_id=None, user_id=None)
        .returning(Callback.id)
        .execution_options(synchronize_session=False),
        phases.bind_moment(at),
    )
    if asked and desk_id is not None:
        events.append_desk(session, desk_id, "let-go")
    return asked is not None
