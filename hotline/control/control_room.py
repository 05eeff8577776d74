"""The control room: each live line, each desk, and the alarms. Citizens appear by ticket number only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import BreakReason, Callback, Desk, DeskMessage, Hearing, User
from db.states import IN_TALK, CallbackState, Phase
from db.trusted_time import find_doubt
from hotline.callbacks import forgotten_claims, threats, wrap_up
from hotline.control import alarms
from hotline.control.alarms import Alarm, AlarmCause, AlarmKind, DeskNow, LineNow
from hotline.desks import desk_messages, staffing, supervising
from hotline.desks.supervising import Ear
from hotline.line import order
from hotline.nodes import administration
from hotline.reports import wallboard
from hotline.reports.wallboard import Doing, WallDesk, WallLine
from hotline.rounds import phases
from hotline.trunk import circuit_breaker

_DAY = timedelta(days=1)


class DeskDoing(StrEnum):
    """The activity of a desk, as a supervisor distinguishes it."""

    AWAY = "away"
    BREAK = "break"
    HEARS = "hears"  # a supervisor's desk that listens to another
    SPEAKING = "speaking"
    HELD = "held"  # its phone was lost in mid-conversation; the citizen waits
    ON_HOLD = "on-hold"  # the desk has put the citizen on hold, with music
    CALLING = "calling"
    WRAP_UP = "wrap-up"
    PAUSED = "paused"  # it has asked for the next citizen, but its round is paused
    WAITING = "waiting"
    FREE = "free"


@dataclass(frozen=True)
class LiveLine:
    """A line in which citizens are answered now. `fits`: how many more conversations it has time for."""

    line: WallLine
    desks: int  # desks with a connected phone
    served_at: datetime | None  # when a conversation last began or ended
    fits: int | None


@dataclass(frozen=True)
class LastWord:
    """The newest message to a desk, and whether it was read."""

    text: str
    who: str
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True)
class LiveDesk:
    """A desk, its person, its activity and since when, and the citizen by ticket number.

    `talking_at`: when the conversation began, while it lasts or is held. `held_at`: since when it is held
    now; `held_seconds`: earlier holds in all.
    """

    desk_id: int
    person_id: int | None
    person: str
    round_id: int | None
    at: DeskDoing
    since: datetime | None
    talking_at: datetime | None
    held_at: datetime | None
    held_seconds: float
    phone_connected: bool
    break_reason: BreakReason | None
    callback_id: int | None
    state: CallbackState | None
    ticket: str | None
    owed: bool
    hears_desk_id: int | None
    hears_how: Hearing | None
    ears: list[Ear]
    message: LastWord | None


@dataclass(frozen=True)
class ControlRoom:
    """The control room at the moment `at`."""

    at: datetime
    alarms: list[Alarm]
    lines: list[LiveLine]
    desks: list[LiveDesk]


class _Known(NamedTuple):
    """Data that are queried once for all desks."""

    at: datetime
    desks: dict[int, Desk]
    people: dict[int, User]
    in_hand: dict[int, Callback]
    paused: set[int]
    ears: list[Ear]
    words: dict[int, DeskMessage]
    threats: dict[int, datetime]


def show(session: Session, *, by_proxy: bool = False) -> ControlRoom:
    """Return the control room at this moment. `by_proxy`: calls pass a SIP proxy of ours before the trunk."""
    wall = wallboard.build_wallboard(session)
    live = [line for line in wall.lines if _is_on(line, wall.at)]
    known = _Known(
        at=wall.at,
        desks=staffing.list_used(session),
        people=staffing.find_people(session),
        in_hand=staffing.find_in_hand(session),
        paused={line.round_id for line in live if line.paused_at},
        ears=supervising.list_supervisors(session),
        words=desk_messages.list_newest(session),
        threats={c.desk_id: c.threat_at for c in threats.list_open(session) if c.desk_id and c.threat_at},
    )
    found = [_desk(desk, known) for desk in wall.desks if desk.desk_id in known.desks]
    shown = [desk for desk in found if _is_used(desk)]
    served = _served(session, [line.round_id for line in live], wall.at)
    lines = [_line(session, line, shown, served.get(line.round_id), wall.at) for line in live]
    down = circuit_breaker.find_outage(session)
    return ControlRoom(
        at=wall.at,
        alarms=alarms.list_alarms(
            [_line_now(session, line, shown, known) for line in lines],
            [_desk_now(desk, known) for desk in shown],
            (down.since, _cause(down.why, by_proxy=by_proxy)) if down else None,
            wall.at,
            {
                AlarmKind.NODE_SILENT: administration.list_unheard(session),
                AlarmKind.NODE_WITHOUT_TRUNK: administration.list_without_trunk(session),
            },
            doubt=find_doubt(session),
        ),
        lines=lines,
        desks=shown,
    )


def _cause(why: str, *, by_proxy: bool) -> AlarmCause:
    return AlarmCause.TRUNK_OR_PROXY if by_proxy and why == circuit_breaker.TRUNK else AlarmCause(why)


def _is_on(line: WallLine, at: datetime) -> bool:
    """Return whether the line is live, or should have begun."""
    return line.phase is Phase.LIVE or (line.phase in (Phase.OPEN, Phase.CLOSED) and line.starts_at <= at)


def _is_used(desk: LiveDesk) -> bool:
    """Return whether the desk has a person, a connected phone or a citizen."""
    return bool(desk.person) or desk.phone_connected or desk.callback_id is not None


def _served(session: Session, round_ids: Sequence[int], at: datetime) -> dict[int, datetime]:
    """Return for each round when a conversation last began or ended, within the last day."""
    talks = select(
        Callback.round_id,
        func.max(Callback.talking_at).label("began"),
        func.max(Callback.ended_at).label("ended"),
    )
    lately = talks.where(Callback.talking_at >= at - _DAY, Callback.round_id.in_(round_ids))
    rows = session.execute(lately.group_by(Callback.round_id)).all()
    return {row.round_id: max(filter(None, (row.began, row.ended))) for row in rows}


def _line(
    session: Session, line: WallLine, found: Sequence[LiveDesk], served_at: datetime | None, at: datetime
) -> LiveLine:
    here = sum(desk.round_id == line.round_id and desk.phone_connected for desk in found)
    fits = None
    if not line.is_operators_line:
        minutes = phases.get(session, line.round_id).minutes
        fits = alarms.count_fitting(line.ends_at - at, here, minutes, line.per_hour)
    return LiveLine(line=line, desks=here, served_at=served_at, fits=fits)


def _line_now(session: Session, live: LiveLine, found: Sequence[LiveDesk], known: _Known) -> LineNow:
    line = live.line
    return LineNow(
        round_id=line.round_id,
        waiting=line.waiting,
        paused=line.paused_at is not None,
        quiet_since=_quiet_since(session, live, known.at),
        calling=line.calling,
        ready=line.ready,
        fits=live.fits,
        desks=[_desk_now(desk, known) for desk in found if desk.round_id == line.round_id],
    )


def _quiet_since(session: Session, live: LiveLine, at: datetime) -> datetime | None:
    """Return since when nobody is in conversation although somebody could be, or None.

    On the operators' line without desks, as at night, only callers who stay on the line count.
    """
    line = live.line
    if line.speaking:
        return None
    due = order.find_due_since(session, line.round_id, at)
    if line.is_operators_line and not live.desks:
        due = line.on_the_line_since
    waits = [since for since in (due, line.ready_since, line.on_the_line_since) if since]
    if not waits:
        return None
    begun = phases.get(session, line.round_id).opened_at or line.starts_at
    return max(min(waits), begun, live.served_at or begun)


def _desk_now(desk: LiveDesk, known: _Known) -> DeskNow:
    live = known.in_hand.get(desk.desk_id)
    return DeskNow(
        desk_id=desk.desk_id,
        connected=desk.phone_connected,
        asks=known.desks[desk.desk_id].next_asked_at is not None,
        on_break=desk.at is DeskDoing.BREAK,
        owes_since=wrap_up.find_over_since(live) if live and desk.owed else None,
        threat_at=known.threats.get(desk.desk_id),
    )


def _desk(wall: WallDesk, known: _Known) -> LiveDesk:
    desk, live = known.desks[wall.desk_id], known.in_hand.get(wall.desk_id)
    person, said = known.people.get(desk.id), known.words.get(desk.id)
    what, since = _doing(desk, wall, live, known.paused)
    talk = live if live and live.state in IN_TALK else None
    return LiveDesk(
        desk_id=desk.id,
        person_id=person.id if person else None,
        person=wall.name,
        round_id=wall.round_id,
        at=what,
        since=since,
        talking_at=talk.talking_at if talk else None,
        held_at=talk.held_at if talk else None,
        held_seconds=talk.held_s if talk else 0,
        phone_connected=desk.phone_connected,
        break_reason=desk.break_reason,
        callback_id=live.id if live else None,
        state=live.state if live else None,
        ticket=live.registration.ticket if live else None,
        owed=live is not None and forgotten_claims.is_owed(live, known.at),
        hears_desk_id=desk.hears_desk_id,
        hears_how=Hearing(desk.hears_how) if desk.hears_how else None,
        ears=[ear for ear in known.ears if ear.desk_id == desk.id],
        message=LastWord(said.text, said.who, said.sent_at, said.read_at) if said else None,
    )


def _doing(
    desk: Desk, wall: WallDesk, live: Callback | None, paused: set[int]
) -> tuple[DeskDoing, datetime | None]:
    if live is not None and live.state is CallbackState.HELD:
        return (DeskDoing.ON_HOLD, live.on_hold_at) if live.on_hold_at else (DeskDoing.HELD, live.held_at)
    if desk.break_reason and (live is None or live.state in wrap_up.OVER):
        return DeskDoing.BREAK, desk.break_since
    if desk.hears_desk_id is not None:
        return DeskDoing.HEARS, None
    if wall.doing is Doing.WAITING and desk.round_id in paused:
        return DeskDoing.PAUSED, wall.since
    return DeskDoing(wall.doing), wall.since
