"""Live metrics for a monitoring system that reads them every few seconds.

They take a few indexed queries, and contain no number, name or round of anybody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import (
    Delivery,
    DeliveryFailure,
    Directory,
    Heartbeat,
    Incoming,
    OutboxKind,
    OutboxMessage,
    PlacedCall,
    Registration,
    Round,
    SmsAccount,
    TrunkState,
)
from db.standbys import Standbys, find_standbys
from db.states import Outcome, Phase, RegistrationState
from db.trusted_time import is_doubted
from hotline.clock import is_quiet
from hotline.control import control_room
from hotline.control.alarms import AlarmKind
from hotline.control.control_room import ControlRoom, DeskDoing
from hotline.control.counters import Counters
from hotline.line import busy_numbers
from hotline.messages import delivery_reports
from hotline.nodes import administration
from hotline.outbound import overflow
from hotline.reports.report_scope import Scope
from hotline.reports.report_sittings import list_sittings
from hotline.rounds import phases
from hotline.timetable import days
from hotline.trunk import call_caps, circuit_breaker, selection, status
from settings import Settings

_DAY = timedelta(days=1)
_UNSENT = (Delivery.PENDING, Delivery.SENDING)


@dataclass(frozen=True)
class Line:
    """How many wait, and for how many seconds the first of them has waited."""

    waiting: int = 0
    oldest_s: float = 0.0


@dataclass(frozen=True)
class LiveMetrics:
    """All metrics at the moment `at`."""

    at: datetime
    clock_offset_s: float  # how far this machine's clock is ahead of the database's
    clock_doubted: bool
    standbys: Standbys
    heartbeats: Sequence[Heartbeat]
    callers: int
    outgoing: int
    capped: call_caps.Cap | None
    down: str  # why no call can be placed; empty: calls flow
    trunk_answers: bool | None
    trunks: Mapping[str, TrunkState]  # by their names in the settings
    trunks_told: Mapping[str, status.Status]
    rounds: Mapping[Phase, int]
    registrations: Mapping[tuple[Phase, RegistrationState], int]
    lines: Mapping[str, Line]
    live: int  # rounds in which an official answers now
    speaking: int  # those of them in which somebody is in conversation
    idle: float | None  # the share of the live rounds' time in which the officials waited
    desks: Mapping[DeskDoing, int]
    alarms: Mapping[AlarmKind, int]
    outbox: Mapping[tuple[OutboxKind, str], int]
    outbox_due_s: Mapping[OutboxKind, float]
    not_sent: Mapping[DeliveryFailure | None, int]
    quiet: bool
    accounts: Sequence[SmsAccount]
    directories: Sequence[Directory]
    nodes: Mapping[str, str]  # the state of each machine
    outcomes: Mapping[Outcome, int]
    incoming: Mapping[Incoming, int]
    left_numbers: Mapping[str, int]  # of the last 24 hours


def read(session: Session, settings: Settings, totals: Counters) -> LiveMetrics:
    """Return the metrics of this moment, read in one transaction."""
    at = now(session)
    offset_s = (datetime.now(UTC) - at).total_seconds()
    room = call_caps.find_capacity(session, settings)
    down = circuit_breaker.find_outage(session)
    shown = control_room.show(session)
    found = _rounds(session, at)
    trunks = [trunk.name for trunk in settings.trunks]
    live = [line.line for line in shown.lines if not line.line.is_operators_line]
    return LiveMetrics(
        at=at,
        clock_offset_s=offset_s,
        clock_doubted=is_doubted(session),
        standbys=find_standbys(session),
        heartbeats=session.scalars(select(Heartbeat).order_by(Heartbeat.process)).all(),
        callers=busy_numbers.count_callers(session),
        outgoing=_outgoing(session, at),
        capped=None if room.calls > 0 else room.cap,
        down=down.why if down else "",
        trunk_answers=circuit_breaker.is_answering_options(session),
        trunks=selection.find_states(session, trunks),
        trunks_told=status.list_statuses(session, trunks),
        rounds=Counter(found.values()),
        registrations=_registrations(session, found),
        lines=_lines(shown),
        live=sum(line.phase is Phase.LIVE for line in live),
        speaking=sum(line.phase is Phase.LIVE and line.speaking > 0 for line in live),
        idle=_idle(session, [line.round_id for line in live if line.phase is Phase.LIVE], at),
        desks=Counter(desk.at for desk in shown.desks),
        alarms=Counter(alarm.kind for alarm in shown.alarms),
        outbox=_outbox(session),
        outbox_due_s=_due(session, at),
        not_sent=_not_sent(session, at),
        quiet=is_quiet(at, settings.quiet_hours),
        accounts=delivery_reports.list_accounts(session),
        directories=session.scalars(select(Directory).order_by(Directory.name)).all(),
        nodes=administration.list_states(session),
        outcomes=totals.outcomes(session),
        incoming=totals.incoming(session),
        left_numbers=overflow.count_results(session),
    )


def _outgoing(session: Session, at: datetime) -> int:
    placed = select(func.count()).where(PlacedCall.ended_at.is_(None), PlacedCall.at > at - call_caps.KEPT)
    return session.scalar(placed) or 0


def _rounds(session: Session, at: datetime) -> dict[int, Phase]:
    """Return the phases of the rounds that are not over; the operators' line never is."""
    columns = (
        *(Round.id, Round.announce_at, Round.registration_from, Round.registration_until),
        *(Round.ends_at, Round.opened_at, Round.ended_at, Round.cancelled_at),
    )
    near = or_(Round.is_operators_line, Round.ends_at > at - phases.OVERTIME)
    rows = session.execute(select(*columns).where(near)).all()
    phase_of = {row.id: phases.find_phase(cast("Round", row), at) for row in rows}
    return {id_: phase for id_, phase in phase_of.items() if phase not in (Phase.OVER, Phase.CANCELLED)}


def _registrations(
    session: Session, found: Mapping[int, Phase]
) -> Mapping[tuple[Phase, RegistrationState], int]:
    counted: Counter[tuple[Phase, RegistrationState]] = Counter()
    rows = session.execute(
        select(Registration.round_id, Registration.state, func.count())
        .where(Registration.round_id.in_(found))
        .group_by(Registration.round_id, Registration.state)
    )
    for round_id, state, number in rows:
        counted[found[round_id], state] += number
    return counted


def _lines(shown: ControlRoom) -> Mapping[str, Line]:
    """Return how many wait in each kind of line.

    `rounds`: citizens in live rounds. `operators`: citizens whom operators will call back. `on_the_line`:
    callers who hear music until an operator is free.
    """
    at, found = shown.at, {"rounds": Line(), "operators": Line(), "on_the_line": Line()}
    for live in shown.lines:
        line = live.line
        kind = "operators" if line.is_operators_line else "rounds"
        since = line.waiting_since
        if since and not line.is_operators_line:
            since = max(since, line.starts_at)  # before its round begins nobody waits for a call
        found[kind] = _longer(found[kind], line.waiting, since, at)
        found["on_the_line"] = _longer(found["on_the_line"], line.on_the_line, line.on_the_line_since, at)
    return found


def _longer(line: Line, more: int, since: datetime | None, at: datetime) -> Line:
    waits = max(0.0, (at - since).total_seconds()) if since else 0.0
    return Line(line.waiting + more, max(line.oldest_s, waits))


def _idle(session: Session, live: Sequence[int], at: datetime) -> float | None:
    if not live:
        return None
    midnight = days.find_moment(days.find_local_day(at), time())
    found = list_sittings(session, Scope(live, midnight, midnight + _DAY, midnight), None, at).values()
    whole, spoken = sum(one.whole for one in found), sum(one.spoken for one in found)
    return 1 - spoken / whole if whole else None


def _outbox(session: Session) -> Mapping[tuple[OutboxKind, str], int]:
    rows = session.execute(
        select(OutboxMessage.kind, OutboxMessage.provider, func.count())
        .where(OutboxMessage.state.in_(_UNSENT))
        .group_by(OutboxMessage.kind, OutboxMessage.provider)
    )
    return {(kind, provider): number for kind, provider, number in rows}


def _due(session: Session, at: datetime) -> Mapping[OutboxKind, float]:
    rows = session.execute(
        select(OutboxMessage.kind, func.min(OutboxMessage.not_before))
        .where(OutboxMessage.state.in_(_UNSENT), OutboxMessage.not_before <= at)
        .group_by(OutboxMessage.kind)
    )
    return {kind: (at - since).total_seconds() for kind, since in rows}


def _not_sent(session: Session, at: datetime) -> Mapping[DeliveryFailure | None, int]:
    """Count the messages of the last day that will not be sent any more, by reason."""
    rows = session.execute(
        select(OutboxMessage.why, func.count())
        .where(
            OutboxMessage.state.in_((Delivery.FAILED, Delivery.EXPIRED)), OutboxMessage.not_before > at - _DAY
        )
        .group_by(OutboxMessage.why)
    )
    return {why: number for why, number in rows}
