"""Serving a round: the dialer calls ahead, and a desk that is free gets whoever waits («بعدی»).

A desk serves one round at a time (`Desk.round_id`). `next_asked_at` says since when it wants a citizen, until
the conversation begins (`begins`); `assignment` brings it together with the first citizen who waits, so
that nobody has to be there at the same moment. A citizen who hangs up on the way leaves the desk wanting the
next.

Locks: rows first, then the log's (db.events), after which nobody waits for a row any more. So a desk is held
before anything is written, and matching passes over whatever somebody else is changing at this moment.
"""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import core, now
from db.models import BreakReason, Callback, Desk, Round, UtcDateTime, words
from db.states import ON_THE_PHONE, UNDER_WAY, CallbackState, Phase, sources
from db.trusted_time import trusted_now
from hotline import audit
from hotline.callbacks import assignment, breaks, callbacks, conversations, live_desks
from hotline.errors import Refused
from hotline.nodes import draining, homes
from hotline.rounds import round_permissions, rounds
from settings import Settings

_OVER = (Phase.OVER, Phase.CANCELLED)


def serve(session: Session, desk: Desk, round_id: int, settings: Settings) -> None:
    """The desk sits down to this round, and leaves another.

    Raises Refused("not-found" | "not-your-round" | "round-over").
    """
    round_ = rounds.get(session, round_id)
    person = round_permissions.at_desk(session, desk.id)
    if person:
        round_permissions.check_serves(session, person, round_)
    rounds.check_not_over(round_, now(session))
    if desk.round_id == round_id:
        return
    callbacks.hold(session, desk)
    _sit(session, desk, round_id, settings)
    events.desk_changed(session, desk.id, "serves")


def leave(session: Session, desk: Desk, settings: Settings) -> None:
    """The desk serves no round any more; a conversation in progress goes on."""
    callbacks.hold(session, desk)
    _sit(session, desk, None, settings)


def _sit(session: Session, desk: Desk, round_id: int | None, settings: Settings) -> None:
    before, took = desk.round_id, live_desks.takes_live(session, desk)
    back = _wants_no_more(session, desk)
    desk.round_id = round_id
    session.flush()  # every row first, then the log
    if before is not None:
        _left(session, desk, back, settings)
    if (takes := live_desks.takes_live(session, desk)) is not took:
        live_desks.tell(session, desk, takes=takes)


def _left(session: Session, desk: Desk, back: Callback | None, settings: Settings) -> None:
    live = callbacks.live_at_desk(session, desk.id)
    if live and live.state in (CallbackState.PARTING, CallbackState.ENDED):
        conversations.finish(session, live, settings)
    if back:
        events.callback_changed(session, back)
    events.desk_changed(session, desk.id, "left")


def _wants_no_more(session: Session, desk: Desk) -> Callback | None:
    """Who was given to the desk and has not come into its room waits for any desk again; whom that is."""
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
    """Whether the desk has had this conversation to its end, and its round is over."""
    callback = session.get(Callback, callback_id)
    if callback is None or callback.desk_id != desk.id or callbacks.live_at_desk(session, desk.id):
        return False
    return rounds.phase(rounds.get(session, callback.round_id), now(session)) in _OVER


def ask_next(
    session: Session, desk: Desk, after: int | None, settings: Settings, *, confirmed: bool = False
) -> Callback | None:
    """«بعدی»: the conversation `after` is over; the next citizen comes as soon as one waits.

    `after` is the callback that the desk had when it asked (None: none), so that a key pressed twice ends one
    conversation. One that has just begun ends only if that is `confirmed`. Returns what the desk has now.
    Raises Refused("not-serving" | "desk-phone-away" | "desk-phone-elsewhere" | "confirm-next" |
    "wrong-state" | "round-not-started").
    """
    callbacks.hold(session, desk)
    if desk.round_id is None:
        if after is not None and _was_its_last(session, desk, after):
            return None  # a key pressed twice
        raise Refused("not-serving", "the desk serves no round")
    if not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    if desk.phone != "browser" and homes.is_elsewhere(session, desk.id):  # a browser goes there by itself
        raise Refused("desk-phone-elsewhere", "the round's calls are on another node than the desk's phone")
    live = callbacks.live_at_desk(session, desk.id)
    if live and live.id != after:
        return live
    if live and not confirmed and conversations.is_young(session, live):
        raise Refused("confirm-next", "the conversation has just begun: end it once more, on purpose")
    round_, at = rounds.get(session, desk.round_id), now(session)
    over, paused = rounds.phase(round_, at) in _OVER, None
    if not over:
        rounds.check_begun(round_, at)
        breaks.end(session, desk)
        desk.next_asked_at = desk.next_asked_at or at
        paused, round_.paused_at = round_.paused_at, None
        session.flush()  # the round's row before the log, which `finish` holds
    if live:
        conversations.finish(session, live, settings)
    if over:
        leave(session, desk, settings)
        return None
    if paused:
        person = round_permissions.at_desk(session, desk.id)
        who = person.username if person else f"desk {desk.id}"
        audit.record(session, who, "round-resumed", f"round {round_.id}")
        events.round_changed(session, round_.id, "resumed")
    events.desk_changed(session, desk.id, "asks-next")
    assignment.match(session)
    return callbacks.live_at_desk(session, desk.id)


def not_now(session: Session, desk: Desk) -> None:
    """«اکنون نه»: the desk does not want the next citizen yet."""
    callbacks.hold(session, desk)
    if desk.next_asked_at:
        back = _wants_no_more(session, desk)
        session.flush()
        if back:
            events.callback_changed(session, back)
        events.desk_changed(session, desk.id, "not-now")


def take_break(session: Session, desk: Desk, reason: BreakReason | None) -> None:
    """The desk takes nobody for this reason, or (None) does again. Who was given to it waits for another."""
    callbacks.hold(session, desk)
    if reason is None:
        breaks.end(session, desk)
    else:
        breaks.begin(session, desk, reason)
        not_now(session, desk)
    events.desk_changed(session, desk.id, "break")


def begins(session: Session, callback: Callback) -> bool:
    """The conversation of this callback begins: its desk has what it asked for. Before the move itself.

    False, and nothing changes, where it would not: the desk's phone has gone, or the citizen is not given
    to it any more.
    """
    desk = session.get(Desk, callback.desk_id)
    if desk is None:
        return False
    callbacks.hold(session, desk)
    session.refresh(callback, ["state", "desk_id"])
    if callback.state not in sources(CallbackState.TALKING) or callback.desk_id != desk.id:
        return False
    if not desk.phone_connected:
        return False
    desk.next_asked_at = None
    session.flush()
    return True


def finishing(session: Session, desk: Desk) -> Callback:
    """«رو به پایان»: the conversation will soon be over. Raises Refused("wrong-state")."""
    live = callbacks.live_at_desk(session, desk.id)
    if live is None or live.state is not CallbackState.TALKING:
        raise Refused("wrong-state", "the desk speaks with nobody")
    if live.finishing_at is None:
        live.finishing_at = now(session)
        events.callback_changed(session, live)
    return live


_at_work = exists().where(
    Desk.round_id == Round.id,
    Desk.phone_connected,
    or_(Round.node.is_(None), Desk.node.is_(None), Desk.node == Round.node),  # where its citizens are
)
_begun = or_(Round.opened_at.is_not(None), Round.starts_at <= bindparam("at", type_=UtcDateTime))
_drained = draining.drained(Round.node)
"""On a draining node a round comes to rest, and moves."""
_SERVED = select(Round).where(
    _at_work, _begun, Round.paused_at.is_(None), ~rounds.over(), homes.mine(Round.node), ~_drained
)


def served(session: Session, node: str | None = None) -> Sequence[Round]:
    """The rounds whose line is called ahead now: begun, not over or paused, a desk with its phone at work.

    Those of this `node`, or all.
    """
    return session.scalars(_SERVED, {**rounds.moment(now(session)), "node": node}).all()


def may_come_to(session: Session, callback: Callback, desk_id: int | None) -> bool:
    """Whether the citizen is in no desk's hands yet, and called for the round that this desk serves."""
    desk = session.get(Desk, desk_id) if desk_id is not None else None
    called = callback.desk_id is None and callback.state is not CallbackState.CLOSED
    return called and desk is not None and desk.round_id == callback.round_id


def desks_of(session: Session, round_id: int) -> Sequence[Desk]:
    """The desks that serve the round."""
    return session.scalars(select(Desk).where(Desk.round_id == round_id).order_by(Desk.id)).all()


_nobodys = and_(Callback.desk_id.is_(None), Callback.state.in_(words(ON_THE_PHONE)))
_not_yet = Callback.state.in_(words((*UNDER_WAY, CallbackState.WAITING, CallbackState.SCREENING)))
_LEFT = (
    select(Callback.token)
    .join(Round, Round.id == Callback.round_id)
    .where(
        Callback.hangup_asked_at.is_(None),
        Callback.state.in_(words(ON_THE_PHONE)),
        or_(_nobodys, and_(Round.cancelled_at.is_not(None), _not_yet)),
        rounds.over(),
    )
)
_ALL_LEFT = _LEFT.order_by(Callback.id)


def left_behind(session: Session) -> Sequence[str]:
    """The tokens of calls whose round is over or cancelled: nobody will speak with them.

    Calls made ahead; where it is cancelled those of a desk, too, unless they speak already.
    """
    return core(session).execute(_ALL_LEFT, rounds.moment(trusted_now(session))).scalars().all()


def let_go(session: Session, token: str) -> bool:
    """End this call, unless a desk has just begun to speak. The dialer does it, with a kind word.

    The citizen is no desk's any more, and goes back to the own place as if never taken.
    """
    at = trusted_now(session)
    callback = callbacks.by_token(session, token)
    desk_id = callback.desk_id if callback else None
    asked = session.scalar(
        update(Callback)
        .where(Callback.token == token, Callback.token.in_(_LEFT))
        .values(hangup_asked_at=at, desk_id=None, user_id=None)
        .returning(Callback.id)
        .execution_options(synchronize_session=False),
        rounds.moment(at),
    )
    if asked and desk_id is not None:
        events.desk_changed(session, desk_id, "let-go")
    return asked is not None
