"""Serving a round: the dialer calls ahead, and a desk that is free gets whoever waits («بعدی»).

A desk serves one round at a time (`Desk.round_id`). `next_asked_at` says that it is free; `match` brings it
together with the first citizen who waits, so that nobody has to be there at the same moment.
"""

from collections.abc import Sequence

from sqlalchemy import Select, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import events
from db.engine import now
from db.models import Callback, Desk, Registration, Round, User
from db.states import ON_THE_PHONE, UNDER_WAY, CallbackState, Outcome, Phase
from hotline import callbacks, line, rounds
from hotline.errors import Refused
from settings import Settings


def serve(session: Session, desk: Desk, round_id: int, settings: Settings) -> None:
    """The desk sits down to this round, and leaves another. Raises Refused("round-over" | "not-found")."""
    round_ = rounds.get(session, round_id)
    rounds.check_not_over(round_, now(session))
    if desk.round_id == round_id:
        return
    leave(session, desk, settings)
    desk.round_id = round_id
    events.desk_changed(session, desk.id, "serves")


def leave(session: Session, desk: Desk, settings: Settings) -> None:
    """The desk serves no round any more; a conversation in progress goes on."""
    if desk.round_id is None:
        return
    live = callbacks.live_at_desk(session, desk.id)
    if live and live.state is CallbackState.ENDED:
        _finish(session, live, settings)
    desk.round_id = desk.next_asked_at = None
    events.desk_changed(session, desk.id, "left")


def ask_next(session: Session, desk: Desk, after: int | None, settings: Settings) -> Callback | None:
    """«بعدی»: the conversation `after` is over and took place; the next citizen comes as soon as one waits.

    `after` is the callback that the desk had when it asked (None: none), so that a key pressed twice ends one
    conversation. Returns what the desk has now. Raises Refused("not-serving" | "desk-phone-away" |
    "wrong-state" | "round-not-started").
    """
    if desk.round_id is None:
        raise Refused("not-serving", "the desk serves no round")
    if not desk.phone_connected:
        raise Refused("desk-phone-away", "the desk's phone is not in its room")
    live = callbacks.live_at_desk(session, desk.id)
    if live and live.id != after:
        return live
    if live:
        _finish(session, live, settings)
    round_, at = rounds.get(session, desk.round_id), now(session)
    if rounds.phase(round_, at) in (Phase.OVER, Phase.CANCELLED):
        leave(session, desk, settings)
        return None
    rounds.check_begun(round_, at)
    rounds.resume(session, round_)
    desk.next_asked_at = desk.next_asked_at or at
    events.desk_changed(session, desk.id, "asks-next")
    match(session)
    return callbacks.live_at_desk(session, desk.id)


def not_now(session: Session, desk: Desk) -> None:
    """«اکنون نه»: the desk does not want the next citizen yet."""
    if desk.next_asked_at:
        desk.next_asked_at = None
        events.desk_changed(session, desk.id, "not-now")


def _finish(session: Session, callback: Callback, settings: Settings) -> None:
    """The conversation took place. The dialer hangs up what is still connected."""
    if callback.state not in (CallbackState.TALKING, CallbackState.ENDED):
        raise Refused("wrong-state", f"the callback is {callback.state}")
    ended_at = callback.ended_at  # None while the channel lives: the dialer, who hangs it up, will say when
    if callback.state is CallbackState.TALKING:
        callbacks.move(session, callback.token, CallbackState.ENDED, hangup_asked_at=now(session))
    callbacks.close(session, callback.token, Outcome.REACHED, settings, ended_at=ended_at)


def finishing(session: Session, desk: Desk) -> Callback:
    """«رو به پایان»: the conversation will soon be over. Raises Refused("wrong-state")."""
    live = callbacks.live_at_desk(session, desk.id)
    if live is None or live.state is not CallbackState.TALKING:
        raise Refused("wrong-state", "the desk speaks with nobody")
    if live.finishing_at is None:
        live.finishing_at = now(session)
        events.callback_changed(session, live)
    return live


def served(session: Session) -> Sequence[Round]:
    """The rounds whose line is called ahead now: begun, not over or paused, a desk with its phone at work."""
    at = now(session)
    at_work = exists().where(Desk.round_id == Round.id, Desk.phone_connected)
    found = session.scalars(
        select(Round).where(at_work, Round.starts_at <= at, Round.paused_at.is_(None), ~rounds.is_over(at))
    )
    return found.all()


def desks_of(session: Session, round_id: int) -> Sequence[Desk]:
    """The desks that serve the round."""
    return session.scalars(select(Desk).where(Desk.round_id == round_id).order_by(Desk.id)).all()


def ready(session: Session, round_id: int, *, screened: bool = False) -> Sequence[Callback]:
    """Citizens who pressed 1 and wait for any desk of the round, in the order of calling.

    `screened`: those with whom an operator speaks first, too.
    """
    states = [CallbackState.WAITING, *([CallbackState.SCREENING] if screened else [])]
    return _ahead(session, round_id, states)


def under_way(session: Session, round_id: int) -> Sequence[Callback]:
    """Citizens who are being called ahead, in the order of calling."""
    return _ahead(session, round_id, UNDER_WAY)


def _ahead(session: Session, round_id: int, states: Sequence[CallbackState]) -> Sequence[Callback]:
    query = (
        select(Callback)
        .join(Registration, Registration.id == Callback.registration_id)
        .where(Callback.round_id == round_id, Callback.state.in_(states), Callback.desk_id.is_(None))
        .order_by(*line.ORDER)
    )
    return session.scalars(query).all()


def some_desk_asks(session: Session) -> bool:
    """Whether `match` has anything to do."""
    return session.scalar(select(_free().exists())) or False


def match(session: Session) -> int:
    """Give each desk that is free, longest first, the first citizen who waits. Returns how many met."""
    free = session.scalars(_free().order_by(Desk.next_asked_at, Desk.id)).all()
    return sum(_meets(session, desk) for desk in free)


def _free() -> Select[Desk]:
    busy = exists().where(Callback.desk_id == Desk.id, Callback.state != CallbackState.CLOSED)
    return select(Desk).where(
        Desk.next_asked_at.is_not(None),
        Desk.round_id.is_not(None),
        Desk.phone_connected,
        Desk.hears_desk_id.is_(None),
        ~busy,
    )


def _meets(session: Session, desk: Desk) -> bool:
    assert desk.round_id is not None  # noqa: S101
    waiting = ready(session, desk.round_id)
    return any(_give(session, callback, desk) for callback in waiting)


def _give(session: Session, callback: Callback, desk: Desk) -> bool:
    """One UPDATE decides: the citizen who waits for anybody now waits for this desk."""
    user_id = session.scalar(select(User.id).where(User.desk_id == desk.id))
    try:
        with session.begin_nested():
            given = session.scalar(
                update(Callback)
                .where(
                    Callback.token == callback.token,
                    Callback.state == CallbackState.WAITING,
                    Callback.desk_id.is_(None),
                )
                .values(desk_id=desk.id, user_id=user_id)
                .returning(Callback.id)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError:  # the desk has just got somebody else
        return False
    if given is None:
        return False
    desk.next_asked_at = None
    events.callback_changed(session, session.get_one(Callback, given, populate_existing=True))
    return True


def screen(session: Session, callback: Callback, desk: Desk) -> Callback:
    """The operator at `desk` speaks first with a citizen who waits.

    Raises Refused("wrong-state" | "desk-busy" | "desk-phone-away" | "desk-hears").
    """
    callbacks.check_phone(desk)
    if callback.desk_id is not None:
        raise Refused("wrong-state", "the citizen is with a desk already")
    try:
        with session.begin_nested():
            screened = callbacks.move(
                session, callback.token, CallbackState.SCREENING, screen_desk_id=desk.id
            )
    except IntegrityError:
        raise Refused("desk-busy", "the desk speaks with another citizen first") from None
    if screened is None:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    return screened


def hand_over(session: Session, callback: Callback) -> Callback:
    """The operator has spoken first: the citizen waits again. Raises Refused("wrong-state")."""
    if callback.state is not CallbackState.SCREENING:
        raise Refused("wrong-state", f"the callback is {callback.state}")
    moved = callbacks.move(session, callback.token, CallbackState.WAITING)
    if moved is None:
        raise Refused("wrong-state", "the callback has just moved on")
    match(session)
    return moved


def left_behind(session: Session) -> Sequence[Callback]:
    """Calls made ahead whose round is over or cancelled: nobody will speak with these citizens."""
    return (
        session.scalars(
            select(Callback)
            .join(Round, Round.id == Callback.round_id)
            .where(
                Callback.desk_id.is_(None),
                Callback.state.in_(ON_THE_PHONE),
                Callback.hangup_asked_at.is_(None),
                rounds.is_over(now(session)),
            )
        )
        .unique()
        .all()
    )
